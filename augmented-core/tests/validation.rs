//! Scenarios of validation: several mistakes at once, bundles, repairs of texts, hosts, publishing.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its data has failed"
)]

use arguments::assert_arguments;
use augmented_core::json::{Limits, Parsed, parse};
use augmented_core::model::LifecycleStatus;
use augmented_core::model::load::split_documents;
use augmented_core::validate::{
    DefinitionCatalogue, DefinitionValidator, Document, Finding, HandlerContract, HostRegistry,
    NoReferences, Purpose, ReferenceResolver, Report, fix, render,
};
use serde_json::{Value, json};

mod arguments;

/// A file of a call.
struct File {
    name: &'static str,
    text: String,
}

fn file(name: &'static str, text: &str) -> File {
    File {
        name,
        text: text.to_owned(),
    }
}

/// Findings of all files as the command lists them: those of intake, then those of the documents, by file and position.
fn validate(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut parsed: Vec<(&str, Parsed)> = Vec::new();
    for file in files {
        match parse(file.text.as_bytes(), &Limits::definition()) {
            Ok(tree) => parsed.push((file.name, tree)),
            Err(found) => findings.extend(found.into_iter().map(|mut f| {
                f.file = Some(file.name.to_owned());
                f
            })),
        }
    }
    for report in reports(&parsed, &NoReferences) {
        findings.extend(report.findings);
    }
    augmented_core::json::sort_findings(&mut findings);
    assert_arguments(&findings);
    findings
}

fn reports(parsed: &[(&str, Parsed)], resolver: &dyn ReferenceResolver) -> Vec<Report> {
    let parts: Vec<_> = parsed
        .iter()
        .flat_map(|(name, tree)| {
            split_documents(&tree.value)
                .map(|d| (*name, d.value, tree.source.under(&d.base()).unwrap()))
        })
        .collect();
    let documents: Vec<Document<'_>> = parts
        .iter()
        .map(|(name, value, source)| Document::new(value).with_source(source).with_file(name))
        .collect();
    validate_bundle(&documents, resolver, None)
}

/// Validates as a caller does, and holds the arguments of the findings against their codes.
fn validate_bundle(
    documents: &[Document<'_>],
    resolver: &dyn ReferenceResolver,
    host: Option<&dyn HostRegistry>,
) -> Vec<Report> {
    let reports = DefinitionValidator::standard().validate_bundle(documents, resolver, host);
    assert_arguments(reports.iter().flat_map(|report| &report.findings));
    reports
}

fn lines(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|f| {
            format!(
                "{}:{} {} {}",
                f.line.unwrap_or(0),
                f.column.unwrap_or(0),
                f.code,
                f.pointer
            )
        })
        .collect()
}

/// What `--fix` leaves of a text, and the findings it repaired.
fn repair(name: &'static str, text: &str) -> fix::Round {
    fix::repair_text(text, |text| {
        let tree = parse(text.as_bytes(), &Limits::definition()).ok()?;
        let source = tree.source.clone();
        let bases: Vec<String> = split_documents(&tree.value).map(|d| d.base()).collect();
        let found = reports(&[(name, tree)], &NoReferences)
            .into_iter()
            .map(|r| r.findings);
        Some((source, bases.into_iter().zip(found).collect()))
    })
}

const TEN_MISTAKES: &str = r#"{
  "kind": "workflow",
  "workflow_id": "returns",
  "version": "1.0",
  "name": "Returns",
  "steps": [
    {"stepID": "receive", "type": "TASK", "taskId": "std.ecko", "timeout": "30s",
     "next": [{"nextStepId": "inspekt"}]},
    {"stepId": "inspect", "type": "decision",
     "next": [{"nextStepId": "refund"}, {"condition": "input.total === 0", "nextStepId": "close"}]},
    {"stepId": "refund", "type": "TASK", "taskId": "std.echo", "maxRetries": 3,
     "input": {"total": "${vars.total}"}},
    {"stepId": "close", "type": "END", "result": "FINE"}
  ]
}
"#;

#[test]
fn ten_mistakes_give_ten_findings_in_the_order_of_the_text() {
    let found = validate(&[file("returns.json", TEN_MISTAKES)]);
    let expected = [
        "3:3 additionalProperties /workflow_id",
        "4:14 VERSION_INVALID /version",
        "7:6 additionalProperties /steps/0/stepID",
        "7:53 UNKNOWN_TASK /steps/0/taskId",
        "7:76 DURATION_INVALID /steps/0/timeout",
        "8:30 UNKNOWN_STEP /steps/0/next/0/nextStepId",
        "9:35 enum /steps/1/type",
        "10:15 DEFAULT_NOT_LAST /steps/1/next/0",
        "10:70 EXPR_PARSE /steps/1/next/1/condition",
        "11:64 additionalProperties /steps/2/maxRetries",
        "12:28 EXPR_UNKNOWN_MEMBER /steps/2/input/total",
        "13:50 enum /steps/3/result",
    ];
    assert_eq!(lines(&found), expected, "{}", render::text(&found));
    assert!(
        found
            .iter()
            .all(|f| f.hint.is_some() && f.file.as_deref() == Some("returns.json"))
    );
}

#[test]
fn repairing_ten_mistakes_leaves_those_that_need_a_person() {
    let repaired = repair("returns.json", TEN_MISTAKES);
    let fixed: Vec<&str> = repaired.fixed.iter().map(|f| f.pointer.as_str()).collect();
    for pointer in [
        "/workflow_id",
        "/steps/0/stepID",
        "/steps/0/timeout",
        "/steps/1/type",
        "/steps/2/maxRetries",
    ] {
        assert!(fixed.contains(&pointer), "{pointer} of {fixed:?}");
    }
    let left = validate(&[File {
        name: "returns.json",
        text: repaired.text.clone(),
    }]);
    let codes: Vec<&str> = left.iter().map(|f| f.code.as_ref()).collect();
    assert_eq!(
        codes,
        [
            "VERSION_INVALID",
            "UNKNOWN_TASK",
            "UNKNOWN_STEP",
            "EXPR_UNKNOWN_MEMBER",
            "enum"
        ],
        "{}\n{}",
        render::text(&left),
        repaired.text
    );
    let tree: Value = serde_json::from_str(&repaired.text).unwrap();
    assert_eq!(
        tree["steps"][1]["next"][0],
        json!({"condition": "input.total == 0", "nextStepId": "close"})
    );
    assert_eq!(tree["steps"][2]["retryPolicy"], json!({"maxAttempts": 4}));
}

#[test]
fn a_bad_definition_has_four_findings_with_places() {
    let text = r#"{"kind": "workflow", "workflowId": "w", "version": "1.0.0", "name": "W", "steps": [
        {"stepId": "a", "type": "TASK", "taskId": "std.echo", "next": [{"nextStepId": "ghost"}]},
        {"stepId": "b", "type": "TASK", "taskId": "std.echo", "next": [{"nextStepId": "c"}, {"condition": "input.a === input.b", "nextStepId": "d"}]},
        {"stepId": "c", "type": "PASS", "next": [{"nextStepId": "d"}]},
        {"stepId": "d", "type": "PASS", "next": [{"nextStepId": "c"}]}]}"#;
    let found = validate(&[file("w.json", text)]);
    let errors: Vec<(&str, &str)> = found
        .iter()
        .filter(|f| f.is_error())
        .map(|f| (f.code.as_ref(), f.pointer.as_str()))
        .collect();
    assert_eq!(
        errors,
        [
            ("UNKNOWN_STEP", "/steps/0/next/0/nextStepId"),
            ("DEFAULT_NOT_LAST", "/steps/1/next/0"),
            ("EXPR_PARSE", "/steps/1/next/1/condition"),
            ("UNGUARDED_CYCLE", "/steps/3/next/0/nextStepId"),
        ]
    );
    let expression = found.iter().find(|f| f.code == "EXPR_PARSE").unwrap();
    assert!(
        expression
            .hint
            .as_deref()
            .unwrap()
            .contains("input.a == input.b")
    );
}

#[test]
fn one_report_names_every_fault_of_the_graph() {
    let text = r#"{"kind": "workflow", "workflowId": "w", "version": "1.0.0", "name": "W", "steps": [
        {"stepId": "first", "type": "TASK", "taskId": "chrage", "next": [{"nextStepId": "fork"}]},
        {"stepId": "fork", "type": "PARALLEL", "branches": [
            {"branchId": "x", "steps": [{"stepId": "first", "type": "TASK", "taskId": "std.echo"}]}],
         "next": [{"on": "JOINED", "nextStepId": "ghots"}]},
        {"stepId": "ghosts", "type": "PASS", "next": [{"nextStepId": "again"}]},
        {"stepId": "again", "type": "PASS", "next": [{"nextStepId": "ghosts"}]},
        {"stepId": "orphan", "type": "TASK", "taskId": "std.echo"}]}"#;
    let task = r#"{"kind": "task", "taskId": "charge", "version": "1.0.0", "name": "Charge", "type": "AUTOMATED",
        "implementation": {"kind": "NATIVE", "endpoint": "charge"}, "inputSchema": {"type": "object"}, "outputSchema": {"type": "object"}}"#;
    let found = validate(&[file("a.json", text), file("b.json", task)]);
    let listed: Vec<(&str, &str)> = found
        .iter()
        .map(|f| (f.code.as_ref(), f.pointer.as_str()))
        .collect();
    assert_eq!(
        listed,
        [
            ("UNKNOWN_TASK", "/steps/0/taskId"),
            ("DUPLICATE_STEP", "/steps/1/branches/0/steps/0/stepId"),
            ("UNKNOWN_STEP", "/steps/1/next/0/nextStepId"),
            ("UNGUARDED_CYCLE", "/steps/3/next/0/nextStepId"),
            ("UNREACHABLE_STEP", "/steps/4"),
        ],
        "{}",
        render::text(&found)
    );
    assert_eq!(found[0].hint.as_deref(), Some("did you mean `charge`?"));
    assert_eq!(found[1].related[0].pointer, "/steps/0/stepId");
    assert_eq!(found[1].related[0].line, Some(2));
    assert_eq!(found[2].hint.as_deref(), Some("did you mean `ghosts`?"));
}

const TWO_FIXES: &str = r#"{
  "kind": "workflow", "workflowId": "fixable",   "version": "1.0.0", "name": "Fixable",
  "steps": [
    { "stepID" : "a", "type": "TASK", "taskId": "std.echo", "maxRetries": 3,
      "next": [ { "condition": "input.a === input.b", "nextStepId": "b" }, {"nextStepId": "b"} ] },
    {"stepId": "b", "type": "END"}
  ]
}
"#;

#[test]
fn a_folder_is_reported_in_one_run_and_repaired_where_that_is_certain() {
    let once = r#"{"kind": "workflow", "workflowId": "same", "version": "1.0.0", "name": "A", "steps": [{"stepId": "a", "type": "END"}]}"#;
    let files = [
        file(
            "1-broken.json",
            "{\"kind\": \"workflow\",\n  \"steps\": [,]}",
        ),
        file("2-kind.json", r#"{"kind": "workflo"}"#),
        file("3-once.json", once),
        file("4-twice.json", once),
        file("5-fixable.json", TWO_FIXES),
    ];
    let found = validate(&files);
    let listed: Vec<(&str, &str, u32)> = found
        .iter()
        .map(|f| (f.file.as_deref().unwrap(), f.code.as_ref(), f.line.unwrap()))
        .collect();
    assert_eq!(
        listed,
        [
            ("1-broken.json", "INVALID_JSON", 2),
            ("2-kind.json", "KIND_UNKNOWN", 1),
            ("4-twice.json", "DUPLICATE_DEFINITION", 1),
            ("5-fixable.json", "additionalProperties", 4),
            ("5-fixable.json", "additionalProperties", 4),
            ("5-fixable.json", "EXPR_PARSE", 5),
        ],
        "{}",
        render::text(&found)
    );
    assert!(found[1].hint.as_deref().unwrap().contains("`workflow`"));
    assert_eq!(found[2].related[0].file.as_deref(), Some("3-once.json"));

    let repaired = repair("5-fixable.json", TWO_FIXES);
    let by_hand = TWO_FIXES
        .replace("\"stepID\" :", "\"stepId\" :")
        .replace("\"input.a === input.b\"", "\"input.a == input.b\"")
        .replace(
            "\"maxRetries\": 3,",
            "\"retryPolicy\": {\"maxAttempts\": 4},",
        );
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(value(&repaired.text), value(&by_hand));
    assert_eq!(repaired.fixed.len(), 3);
    for line in [TWO_FIXES.lines().nth(1), TWO_FIXES.lines().nth(5)] {
        assert!(repaired.text.contains(line.unwrap()), "{}", repaired.text);
    }
    assert!(
        validate(&[File {
            name: "5-fixable.json",
            text: repaired.text
        }])
        .is_empty()
    );
}

fn task(id: &str, version: &str) -> Value {
    json!({
        "kind": "task", "taskId": id, "version": version, "name": id, "type": "AUTOMATED",
        "implementation": {"kind": "NATIVE", "endpoint": id}, "inputSchema": {"type": "object"}, "outputSchema": {"type": "object"},
    })
}

fn calling(task_id: &str, version: Option<&str>) -> Value {
    let mut step = json!({"stepId": "call", "type": "TASK", "taskId": task_id});
    if let Some(version) = version {
        step["taskVersion"] = version.into();
    }
    json!({"kind": "workflow", "workflowId": "caller", "version": "1.0.0", "name": "Caller", "steps": [step]})
}

fn check_reference(status: LifecycleStatus, version: Option<&str>, expected: &[(&str, &str)]) {
    let mut catalogue = DefinitionCatalogue::default();
    catalogue.add(task("charge", "1.0.0"), status);
    let workflow = calling("charge", version);
    let reports = validate_bundle(&[Document::new(&workflow)], &catalogue, None);
    let found: Vec<(&str, &str)> = reports[0]
        .findings
        .iter()
        .map(|f| (f.code.as_ref(), f.pointer.as_str()))
        .collect();
    assert_eq!(found, expected, "{status} {version:?}");
}

#[test]
fn references_lead_to_published_versions() {
    use LifecycleStatus::{Archived, Deprecated, Draft, Published};
    check_reference(Published, None, &[]);
    check_reference(Published, Some("^1"), &[]);
    check_reference(
        Published,
        Some("2.0.0"),
        &[("UNKNOWN_TASK", "/steps/0/taskVersion")],
    );
    check_reference(
        Published,
        Some("newest"),
        &[("VERSION_INVALID", "/steps/0/taskVersion")],
    );
    check_reference(Draft, None, &[("UNKNOWN_TASK", "/steps/0/taskId")]);
    check_reference(
        Archived,
        Some("1.0.0"),
        &[("UNKNOWN_TASK", "/steps/0/taskId")],
    );
    check_reference(
        Deprecated,
        Some("1.0.0"),
        &[("REFERENCE_DEPRECATED", "/steps/0/taskVersion")],
    );
    check_reference(Deprecated, None, &[("UNKNOWN_TASK", "/steps/0/taskId")]);
}

#[test]
fn published_content_is_frozen() {
    let mut catalogue = DefinitionCatalogue::default();
    catalogue.add(task("charge", "1.0.0"), LifecycleStatus::Published);
    let validator = DefinitionValidator::standard();
    let same = task("charge", "1.0.0");
    assert!(
        validator
            .publish(&Document::new(&same), &catalogue, None)
            .is_ok()
    );
    let mut other = same.clone();
    other["name"] = "Charge card".into();
    let report = validator
        .publish(&Document::new(&other), &catalogue, None)
        .unwrap_err();
    assert_eq!(
        (
            report.findings[0].code.as_ref(),
            report.findings[0].pointer.as_str()
        ),
        ("VERSION_FROZEN", "/version")
    );
    other["version"] = "1.0.1".into();
    assert!(
        validator
            .publish(&Document::new(&other), &catalogue, None)
            .is_ok()
    );
}

struct Host;

impl HostRegistry for Host {
    fn task_handler(&self, name: &str) -> Option<HandlerContract> {
        (name == "charge").then(|| HandlerContract::new(Some(json!({"type": "object", "required": ["amount"], "properties": {"amount": {"type": "integer"}}})), None))
    }

    fn task_handlers(&self) -> Vec<String> {
        vec!["charge".into()]
    }

    fn is_mocked(&self, task_id: &str) -> bool {
        task_id == "mocked"
    }
}

#[test]
fn a_missing_handler_is_a_warning_until_publishing() {
    let document = task("chrage", "1.0.0");
    let check = |purpose| {
        let reports = DefinitionValidator::standard()
            .with_purpose(purpose)
            .validate_bundle(&[Document::new(&document)], &NoReferences, Some(&Host));
        reports.into_iter().next().unwrap()
    };
    let report = check(Purpose::Check);
    assert!(report.is_ok());
    assert_eq!(
        (
            report.findings[0].code.as_ref(),
            report.findings[0].hint.as_deref()
        ),
        ("EXECUTOR_NOT_REGISTERED", Some("did you mean `charge`?"))
    );
    assert!(!check(Purpose::Publish).is_ok());
    let mocked = task("mocked", "1.0.0");
    let reports = validate_bundle(&[Document::new(&mocked)], &NoReferences, Some(&Host));
    assert!(reports[0].findings.is_empty());
}

#[test]
fn the_contract_of_a_handler_is_compared() {
    let mut document = task("charge", "1.0.0");
    document["inputSchema"] = json!({"type": "object", "required": ["amount"], "properties": {"amount": {"type": "string"}}});
    let reports = validate_bundle(&[Document::new(&document)], &NoReferences, Some(&Host));
    assert_eq!(
        (
            reports[0].findings[0].code.as_ref(),
            reports[0].findings[0].pointer.as_str()
        ),
        ("HANDLER_SCHEMA", "/inputSchema")
    );
}

#[test]
fn documents_of_a_call_see_one_another_and_builtin_tasks() {
    let (workflow, charge) = (calling("charge", Some("1.0.0")), task("charge", "1.0.0"));
    let reports = validate_bundle(
        &[Document::new(&workflow), Document::new(&charge)],
        &NoReferences,
        None,
    );
    assert!(reports.iter().all(|r| r.findings.is_empty()), "{reports:?}");
    let builtin = calling("std.echo", None);
    let reports = validate_bundle(&[Document::new(&builtin)], &NoReferences, None);
    assert!(reports[0].findings.is_empty(), "{reports:?}");
}

#[test]
fn workflows_that_call_each_other_are_warned_of() {
    let calls = |id: &str, other: &str| json!({"kind": "workflow", "workflowId": id, "version": "1.0.0", "name": id, "steps": [{"stepId": "call", "type": "SUB_WORKFLOW", "workflowId": other}]});
    let (a, b) = (calls("a", "b"), calls("b", "a"));
    let reports = validate_bundle(&[Document::new(&a), Document::new(&b)], &NoReferences, None);
    for report in &reports {
        assert_eq!(report.findings[0].code, "SUBWORKFLOW_CYCLE");
        assert!(report.is_ok());
    }
}

#[test]
fn an_event_version_announces_what_it_changes() {
    let event = |version: &str, required: Value| {
        json!({"kind": "event", "eventId": "order.placed", "version": version, "name": "Placed", "pattern": "order.placed",
            "payloadSchema": {"type": "object", "required": required, "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}})
    };
    let mut catalogue = DefinitionCatalogue::default();
    catalogue.add(event("1.0.0", json!(["a"])), LifecycleStatus::Published);
    let validator = DefinitionValidator::standard();
    let minor = event("1.1.0", json!(["a", "b"]));
    let report = validator
        .publish(&Document::new(&minor), &catalogue, None)
        .unwrap_err();
    assert_eq!(
        (
            report.findings[0].code.as_ref(),
            report.findings[0].pointer.as_str()
        ),
        ("SCHEMA_INCOMPATIBLE", "/payloadSchema/required")
    );
    let major = event("2.0.0", json!(["a", "b"]));
    assert!(
        validator
            .publish(&Document::new(&major), &catalogue, None)
            .is_ok()
    );
}

#[test]
fn broken_documents_never_panic() {
    for text in [
        "null",
        "[]",
        "3",
        "{}",
        r#"{"kind": 1}"#,
        r#"{"kind": "workflow"}"#,
        r#"{"kind": "workflow", "steps": {}}"#,
        r#"{"kind": "workflow", "steps": [1, null, []]}"#,
        r#"{"kind": "workflow", "steps": [{"stepId": 1, "type": {}, "next": "x", "branches": 3, "onFailure": []}], "variables": [], "signals": 1}"#,
        r#"{"kind": "task", "implementation": 3, "manual": [], "executionConfig": "x"}"#,
        r#"{"kind": "trigger", "eventPattern": ""}"#,
        r#"{"kind": "schedule", "timing": {"cronExpression": "", "timezone": ""}, "target": 3}"#,
        r#"{"kind": "event", "payloadSchema": 3, "examples": {}}"#,
        r#"{"kind": "schema", "schema": 3}"#,
        r#"{"kind": "role"}"#,
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        let reports = validate_bundle(&[Document::new(&value)], &NoReferences, None);
        assert!(!reports[0].is_ok(), "{text}");
    }
}

/// The findings of one document, as `code pointer offset message (hint)` without positions, and whether each has a fix.
fn told(document: &str) -> Vec<(String, String, bool)> {
    let tree = parse(document.as_bytes(), &Limits::document()).unwrap();
    let reports = reports(&[("w.json", tree)], &NoReferences);
    let found = reports.into_iter().flat_map(|r| r.findings);
    found
        .map(|f| {
            let place = format!("{} {}:{}", f.code, f.pointer, f.column.unwrap_or(0));
            (place, f.hint.clone().unwrap_or_default(), f.fix.is_some())
        })
        .collect()
}

fn workflow(members: &str, steps: &str) -> String {
    format!(
        r#"{{"kind":"workflow","workflowId":"w","version":"1.0.0","name":"W"{members},"steps":[{steps}]}}"#
    )
}

/// A workflow whose one transition has a condition over the closed input `{s: string, i: integer, l: list}`.
fn with_condition(condition: &str) -> String {
    let schema = r#","inputSchema":{"type":"object","additionalProperties":false,"properties":{"s":{"type":"string"},"i":{"type":"integer"},"u":{"type":["integer","string"]},"l":{"type":"array","items":{"type":"object","additionalProperties":false,"properties":{"sku":{"type":"string"}}}}}}"#;
    let condition = Value::from(condition);
    workflow(
        schema,
        &format!(
            r#"{{"stepId":"a","type":"TASK","taskId":"std.echo","next":[{{"nextStepId":"b","condition":{condition}}},{{"nextStepId":"b"}}]}},{{"stepId":"b","type":"PASS"}}"#
        ),
    )
}

#[test]
fn a_renamed_member_changes_its_value_and_nothing_else() {
    let step = |members: &str| {
        workflow(
            "",
            &format!(
                r#"{{"type":"TASK","taskId":"std.echo",  "stepId":"b" ,"name":"N\u00e9","metadata":{{"z":1.50,"a":1e2}},{members}}}"#
            ),
        )
    };
    for (wrong, right) in [
        (r#""timeoutMs" : 5000"#, r#""timeout" : "PT5S""#),
        (
            r#""retryPolicy":{ "jitter":0.50, "maxRetries" : 3 , "maxInterval":"PT9S"}"#,
            r#""retryPolicy":{ "jitter":0.50, "maxAttempts" : 4 , "maxInterval":"PT9S"}"#,
        ),
        (
            r#""retryPolicy":{ "jitter":0.50, "retryDelay" : 1500}"#,
            r#""retryPolicy":{ "jitter":0.50, "initialInterval" : "PT1.5S"}"#,
        ),
        (
            r#""retryPolicy":{ "jitter":0.50, "strategy" : "exponential" }"#,
            r#""retryPolicy":{ "jitter":0.50, "backoffMultiplier" : 2 }"#,
        ),
    ] {
        assert_eq!(repair("w.json", &step(wrong)).text, step(right));
    }
}

#[test]
fn a_number_without_a_unit_is_never_guessed() {
    let text = workflow(
        r#","executionTimeout":3600"#,
        r#"{"stepId":"a","type":"DELAY","duration":"1800"},{"stepId":"b","type":"DELAY","delay":86400000}"#,
    );
    let found = told(&text);
    let hints: Vec<&str> = found
        .iter()
        .filter(|(code, ..)| !code.starts_with("UNREACHABLE"))
        .map(|(_, hint, _)| hint.as_str())
        .collect();
    assert_eq!(
        hints,
        [
            "write `PT1H` if seconds are meant, `PT3.6S` for milliseconds",
            "write `PT30M` if seconds are meant, `PT1.8S` for milliseconds",
            "write `duration`: write `P1000D` if seconds are meant, `P1D` for milliseconds",
        ]
    );
    assert!(found.iter().all(|(_, _, fix)| !fix), "{found:?}");
}

#[test]
fn a_definition_has_at_most_one_mebibyte_wherever_it_stands() {
    let large = workflow(
        &format!(
            r#","metadata":{{"x":"{0}","y":"{0}"}}"#,
            "x".repeat(600_000)
        ),
        r#"{"stepId":"a","type":"PASS"}"#,
    );
    assert!(
        told(&large)
            .iter()
            .any(|(code, ..)| code == "DOCUMENT_TOO_LARGE :1")
    );
    let half = |id: &str| {
        workflow(
            &format!(r#","description":"{}""#, "x".repeat(600_000)),
            r#"{"stepId":"a","type":"PASS"}"#,
        )
        .replace(r#""workflowId":"w""#, &format!(r#""workflowId":"{id}""#))
    };
    let both = format!("[{},{}]", half("a"), half("b"));
    assert_eq!(told(&both), []);
}

#[test]
fn expressions_are_held_against_the_schemas_they_read() {
    for (condition, code, hint) in [
        ("input.s > 5", "EXPR_TYPE", "double()"),
        ("!input.s", "EXPR_TYPE", "compare"),
        ("input.s && true", "EXPR_TYPE", "compare"),
        ("input.s", "EXPR_TYPE", "compare"),
        ("input.s + input.i == 'x'", "EXPR_TYPE", "string()"),
        ("input.s > now", "EXPR_TYPE", "timestamp()"),
        ("input.i == \"5\"", "EXPR_TYPE", "string()"),
        ("input.l.length > 1", "EXPR_TYPE", "size(input.l)"),
        ("input.i.foo == 1", "EXPR_TYPE", ""),
        ("input.s[0] == 'a'", "EXPR_TYPE", ""),
        ("input.ss == 'a'", "EXPR_UNKNOWN_MEMBER", "`s`"),
        (
            "input.l.exists(x, x.skuu == '')",
            "EXPR_UNKNOWN_MEMBER",
            "`sku`",
        ),
    ] {
        let found = told(&with_condition(condition));
        let [(place, told, fix)] = found.as_slice() else {
            unreachable!("{condition}: {found:?}")
        };
        assert!(place.starts_with(code), "{condition}: {place}");
        assert!(told.contains(hint), "{condition}: {told}");
        assert!(!fix);
    }
    for right in [
        "input.s > 'a' && input.i + 1 > 2",
        "input.u > 5 || input.u == 'x'",
        "has(input.zz) && input.zz > 1",
        "coalesce(input.zz, 1) > 0",
        "input.l.exists(x, x.sku == '')",
        "size(input.l) > 0 && input.s != null",
        "input.i == 5.0 && input.i < 7.5",
        "output.anything.at > 3 && !output.flag",
    ] {
        assert_eq!(told(&with_condition(right)), [], "{right}");
    }
}

#[test]
fn a_member_of_an_output_must_be_in_its_closed_schema() {
    let task = r#"{"kind":"task","taskId":"t","version":"1.0.0","name":"T","type":"AUTOMATED","implementation":{"kind":"NATIVE","endpoint":"t"},"inputSchema":{"type":"object"},"outputSchema":{"type":"object","additionalProperties":false,"properties":{"total":{"type":"integer"}}}}"#;
    let flow = workflow(
        "",
        r#"{"stepId":"a","type":"TASK","taskId":"t","next":[{"nextStepId":"b","condition":"output.totl > 1"},{"nextStepId":"b"}]},{"stepId":"b","type":"TASK","taskId":"std.echo","input":{"x":"n ${steps.a.output.totl}"}}"#,
    );
    let found = told(&format!("[{task},{flow}]"));
    let hints: Vec<_> = found
        .iter()
        .map(|(place, hint, _)| (place.split(':').next().unwrap(), hint.as_str()))
        .collect();
    assert_eq!(
        hints,
        [
            (
                "EXPR_UNKNOWN_MEMBER /steps/0/next/0/condition",
                "did you mean `total`?"
            ),
            (
                "EXPR_UNKNOWN_MEMBER /steps/1/input/x",
                "did you mean `total`?"
            ),
        ]
    );
}

#[test]
fn positions_in_strings_survive_repairs_beside_them() {
    let steps = |other: &str| {
        workflow(
            "",
            &format!(
                r#"{{"stepId":"a","type":"TASK","taskId":"std.echo","input":{{"d":"x ${{vars.q}}","e":"{other}"}}}}"#
            ),
        )
    };
    let column = |text: &str| {
        let found = told(text);
        found
            .into_iter()
            .find_map(|(place, ..)| {
                place
                    .strip_prefix("EXPR_UNKNOWN_MEMBER /steps/0/input/d:")
                    .map(str::to_owned)
            })
            .unwrap()
    };
    let right = column(&steps("y"));
    assert_eq!(column(&steps("{{input.q}}")), right);
    assert_eq!(column(&steps("x ${inptu.x}")), right);
}

#[test]
fn the_long_form_of_an_expression_gives_one_finding() {
    let steps =
        r#"{"stepId":"a","type":"TASK","taskId":"std.echo","input":{"k":{"$expr":"inptu.x"}}}"#;
    let found = told(&workflow("", steps));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].1, "did you mean `input`?");
}

#[test]
fn a_transition_without_a_target_is_one_finding() {
    let steps = r#"{"stepId":"a","type":"PASS","next":[{}]}"#;
    let found = told(&workflow("", steps));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0]
            .0
            .starts_with("required /steps/0/next/0/nextStepId")
    );
}

#[test]
fn paths_from_the_dollar_sign_are_no_texts() {
    let steps =
        r#"{"stepId":"a","type":"TASK","taskId":"std.echo","input":{"id":"$.orderId","all":"$"}}"#;
    let found = told(&workflow("", steps));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found
            .iter()
            .any(|(_, hint, _)| hint.contains("${input.orderId}"))
    );
    assert!(found.iter().any(|(_, hint, _)| hint.contains("${input}")));
    assert!(found.iter().all(|(_, _, fix)| !fix));
}

#[test]
fn the_first_of_two_equal_definitions_is_named_with_its_line() {
    let flow = workflow("", r#"{"stepId":"a","type":"PASS"}"#);
    let found = validate(&[file("a.json", &flow), file("b.json", &flow)]);
    let related = &found[0].related[0];
    assert_eq!(found[0].code, "DUPLICATE_DEFINITION");
    assert_eq!(
        (related.file.as_deref(), related.line),
        (Some("a.json"), Some(1))
    );
}

#[test]
fn steps_and_dashed_members_are_explained_where_they_are_read_as_roots() {
    let schema = r#","inputSchema":{"type":"object","properties":{"a-b":{"type":"string"}}}"#;
    for (written, hint) in [
        ("get_user.output.x", "`steps.get_user.output.x`"),
        ("get_user.x", "`steps.get_user.output.x`"),
        ("get-more.output.x", "`steps[\"get-more\"].output.x`"),
        ("input.a-b", "`input[\"a-b\"]`"),
        ("Math.max(1, 2)", "`math.greatest(1, 2)`"),
        ("JSON.stringify(input)", "`json(input)`"),
        ("input.items.map(i => i.x)", "`input.items.map(i, i.x)`"),
        ("a || b || c", "`coalesce(input.a, input.b, input.c)`"),
        ("secrets.X", "secret reference"),
    ] {
        let text = workflow(
            schema,
            &format!(
                r#"{{"stepId":"get_user","type":"PASS","next":[{{"nextStepId":"get-more"}}]}},{{"stepId":"get-more","type":"PASS","next":[{{"nextStepId":"last"}}]}},{{"stepId":"last","type":"TASK","taskId":"std.echo","input":{{"v":{}}}}}"#,
                Value::from(format!("${{{written}}}"))
            ),
        );
        let found = told(&text);
        assert!(
            found
                .iter()
                .all(|(_, told, fix)| told.contains(hint) && !fix),
            "{written}: {found:?}"
        );
        assert!(!found.is_empty());
    }
}
