//! Finding and repairing mistakes.

use serde_json::{Value, json};

use super::{call, example, file};

/// One mistake a line, from line 6 on.
const TEN_MISTAKES: &str = r#"{
  "kind": "workflow",
  "workflowId": "mistakes",
  "version": "1.0.0",
  "name": "Mistakes",
  "descripton": "a misspelt member",
  "executionTimeout": "5 minutes",
  "steps": [
    {"stepId": "a", "type": "TASK", "taskId": "std.ecko", "next": [{"nextStepId": "b"}]},
    {"stepId": "b", "type": "TASK", "taskId": "std.echo", "next": [{"nextStepId": "cc"}]},
    {"stepId": "c", "type": "DECISION", "next": [{"nextStepId": "d", "condition": "output.x === 1"}, {"nextStepId": "e"}]},
    {"stepId": "d", "type": "task", "taskId": "std.echo", "next": [{"nextStepId": "e"}]},
    {"stepId": "e", "type": "TASK", "taskId": "std.echo", "maxVisits": 0, "next": [{"nextStepId": "f"}]},
    {"stepId": "f", "type": "DECISION", "next": [{"nextStepId": "g"}, {"nextStepId": "h", "condition": "vars.ready"}]},
    {"stepId": "g", "type": "TASK", "taskId": "std.echo", "input": {"x": "${inptu.x}"}},
    {"stepId": "h", "type": "TASK"}
  ]
}
"#;

#[test]
fn ten_mistakes_give_findings_on_every_line_with_one_and_none_elsewhere() {
    let (_directory, path) = file("mistakes.json", TEN_MISTAKES);
    let checked = call(&["validate", path.to_str().unwrap()]);
    assert_eq!(checked.code, 1, "{}", checked.err);
    let answer = checked.json();
    assert_eq!(
        (&answer["ok"], &answer["documents"]),
        (&json!(false), &json!(1))
    );
    let findings = answer["findings"].as_array().unwrap();
    let errors: Vec<&Value> = findings
        .iter()
        .filter(|finding| finding["severity"] == "ERROR")
        .collect();
    let mut lines: Vec<u64> = errors
        .iter()
        .map(|finding| finding["line"].as_u64().unwrap())
        .collect();
    lines.dedup();
    assert_eq!(
        lines,
        [6, 7, 9, 10, 11, 12, 13, 14, 15, 16],
        "{findings:#?}"
    );
    for finding in findings {
        assert_eq!(
            (&finding["kind"], &finding["id"], &finding["file"]),
            (
                &json!("workflow"),
                &json!("mistakes"),
                &json!(path.to_str().unwrap())
            )
        );
        assert!(
            finding["column"].as_u64().unwrap() > 0 && finding["message"].is_string(),
            "{finding}"
        );
    }
    let unknown = errors.iter().find(|finding| finding["line"] == 10).unwrap();
    assert_eq!(
        (&unknown["code"], &unknown["pointer"]),
        (&json!("UNKNOWN_STEP"), &json!("/steps/1/next/0/nextStepId"))
    );
    let operator = errors.iter().find(|finding| finding["line"] == 11).unwrap();
    assert!(
        operator["hint"].as_str().unwrap().contains("output.x == 1"),
        "{operator}"
    );
}

#[test]
fn fix_repairs_what_is_certain_and_leaves_the_rest_of_the_text_alone() {
    let (_directory, path) = file("mistakes.json", TEN_MISTAKES);
    let fixed = call(&["validate", "--fix", path.to_str().unwrap()]);
    let answer = fixed.json();
    assert_eq!(fixed.code, 1);
    let repaired = answer["fixed"].as_array().unwrap();
    assert!(repaired.len() >= 4, "{repaired:#?}");
    assert!(
        repaired
            .iter()
            .all(|finding| finding["id"] == "mistakes" && finding["fix"].is_array()),
        "{repaired:#?}"
    );
    assert!(
        answer["findings"]
            .as_array()
            .unwrap()
            .iter()
            .all(|finding| finding.get("fix").is_none()),
        "{answer:#}"
    );
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("  \"description\": \"a misspelt member\",\n"),
        "{text}"
    );
    assert!(
        text.contains("output.x == 1")
            && text.contains(
                "\"type\": \"TASK\", \"taskId\": \"std.echo\", \"next\": [{\"nextStepId\": \"e\"}]"
            ),
        "{text}"
    );
    // Lines without a certain repair stay byte for byte.
    for line in [9, 10, 13, 16] {
        assert_eq!(
            text.lines().nth(line - 1),
            TEN_MISTAKES.lines().nth(line - 1)
        );
    }
    let again = call(&["validate", "--fix", path.to_str().unwrap()]);
    assert_eq!(again.json()["fixed"], json!([]));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_syntax_error_is_a_finding_with_its_place_and_other_files_are_checked() {
    let (directory, path) = file("b.json", "{\n  \"kind\": ,\n}");
    std::fs::write(
        directory.path().join("a.json"),
        r#"[{"kind": "task", "taskId": "t"}, {"kind": "banana"}]"#,
    )
    .unwrap();
    let checked = call(&["validate", directory.path().to_str().unwrap()]);
    let answer = checked.json();
    assert_eq!((checked.code, &answer["documents"]), (1, &json!(3)));
    let findings = answer["findings"].as_array().unwrap();
    let broken = findings.last().unwrap();
    assert_eq!(
        (&broken["code"], &broken["line"], &broken["kind"]),
        (&json!("INVALID_JSON"), &json!(2), &Value::Null)
    );
    assert_eq!(broken["file"], json!(path.to_str().unwrap()));
    assert!(
        findings
            .iter()
            .any(|finding| finding["code"] == "KIND_UNKNOWN" && finding["id"].is_null()),
        "{findings:#?}"
    );
    assert!(
        findings
            .iter()
            .any(|finding| finding["id"] == "t" && finding["code"] == "required"),
        "{findings:#?}"
    );
}

#[test]
fn the_examples_are_valid() {
    let checked = call(&["validate", &example("definitions")]);
    let answer = checked.json();
    let errors: Vec<&Value> = answer["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["code"] != "HANDLER_UNKNOWN" && finding["severity"] == "ERROR")
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(checked.code, 0);
}

#[test]
fn references_may_lead_to_definitions_that_are_not_checked() {
    let (_workflow, workflow) = file(
        "w.json",
        r#"{"kind": "workflow", "workflowId": "w", "version": "1.0.0", "name": "W", "steps": [{"stepId": "a", "type": "TASK", "taskId": "mine"}]}"#,
    );
    let (_task, task) = file(
        "t.json",
        r#"{"kind": "task", "taskId": "mine", "version": "1.0.0", "name": "M", "type": "AUTOMATED",
            "implementation": {"kind": "NATIVE", "endpoint": "std.echo"}, "inputSchema": {"type": "object"}, "outputSchema": {"type": "object"}}"#,
    );
    let workflow = workflow.to_str().unwrap();
    assert_eq!(call(&["validate", workflow]).code, 1);
    let with = call(&[
        "validate",
        workflow,
        "--definitions",
        task.to_str().unwrap(),
    ]);
    assert_eq!(
        (with.code, &with.json()["documents"]),
        (0, &json!(1)),
        "{}",
        with.out
    );
}

#[test]
fn what_this_engine_would_refuse_is_a_warning_and_keeps_a_run_from_starting() {
    let (_directory, path) = super::file(
        "human.json",
        r#"{"kind": "workflow", "workflowId": "w", "version": "1.0.0", "name": "W",
            "steps": [{"stepId": "h", "type": "HUMAN_TASK"}]}"#,
    );
    let path = path.to_str().unwrap();
    let checked = super::call(&["validate", path]);
    let finding = &checked.json()["findings"][0];
    assert_eq!(checked.code, 0, "{}", checked.out);
    assert_eq!(finding["code"], "EXECUTOR_NOT_REGISTERED");
    assert_eq!(finding["severity"], "WARNING");
    let refused = super::call(&["run", path]);
    let finding = &refused.json()["findings"][0];
    assert_eq!(refused.code, 1);
    assert_eq!(
        (&finding["severity"], &finding["kind"], &finding["id"]),
        (&"ERROR".into(), &"workflow".into(), &"w".into())
    );
}

#[test]
fn repairs_keep_the_file_itself_and_leave_a_read_only_one_alone() {
    let text = "{\r\n  \"kind\": \"workflow\", \"workflow_id\": \"w\", \"version\": \"1.0.0\", \"name\": \"W\",\r\n  \"steps\": [{\"id\": \"a\", \"type\": \"PASS\"}]\r\n}\r\n";
    let (directory, path) = super::file("w.json", text);
    let link = directory.path().join("other.txt");
    std::fs::hard_link(&path, &link).unwrap();
    let repaired = text
        .replace("workflow_id", "workflowId")
        .replace("\"id\"", "\"stepId\"");
    let call = || super::call(&["validate", "--fix", path.to_str().unwrap()]);
    let permissions = std::fs::metadata(&path).unwrap().permissions();
    let mut read_only = permissions.clone();
    read_only.set_readonly(true);
    std::fs::set_permissions(&path, read_only).unwrap();
    assert_eq!(call().code, 2);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    std::fs::set_permissions(&path, permissions).unwrap();
    assert_eq!(call().code, 0);
    assert_eq!(std::fs::read_to_string(&link).unwrap(), repaired);
}

#[test]
fn the_other_of_two_equal_definitions_is_named_with_its_place() {
    let (directory, first) = super::file(
        "a.json",
        r#"{"kind": "workflow", "workflowId": "w", "version": "1.0.0", "name": "W", "steps": [{"stepId": "a", "type": "PASS"}]}"#,
    );
    std::fs::copy(&first, directory.path().join("b.json")).unwrap();
    let told = super::call(&[
        "validate",
        directory.path().to_str().unwrap(),
        "--format",
        "text",
    ]);
    assert!(
        told.out.contains("see workflow w 1.0.0 ")
            && told.out.contains("a.json:1: first defined here"),
        "{}",
        told.out
    );
}
