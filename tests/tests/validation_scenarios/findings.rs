//! What is found in broken documents, where, and how it is shown and repaired.

use augmented_acceptance::{places, with, workflow};
use augmented_core::json::{self, Limits};
use augmented_core::model::load::split_documents;
use augmented_core::model::{DefinitionKind, LifecycleStatus};
use augmented_core::schema::{CompiledSchema, SchemaOptions};
use augmented_core::validate::{
    DefinitionCatalogue, DefinitionValidator, Document, Finding, MessageCatalog, Report, fix,
    localise, render,
};
use serde_json::{Map, Value, json};

fn place(code: &str, pointer: &str) -> (String, String) {
    (code.to_owned(), pointer.to_owned())
}

/// Knows the task `charge`.
fn catalogue() -> DefinitionCatalogue {
    let mut catalogue = DefinitionCatalogue::default();
    catalogue.add(
        json!({"kind": "task", "taskId": "charge", "version": "1.0.0", "name": "Charge", "type": "AUTOMATED", "implementation": {"kind": "NATIVE", "endpoint": "charge"}}),
        LifecycleStatus::Published,
    );
    catalogue
}

fn validate(document: &Value) -> Report {
    DefinitionValidator::standard()
        .validate_bundle(&[Document::new(document)], &catalogue(), None)
        .pop()
        .unwrap()
}

#[test]
fn v05_five_faults_give_five_findings_in_document_order() {
    let schema = json!({"type": "object", "properties": {
        "id": {"type": "string", "format": "uuid"}, "name": {"type": "string", "minLength": 1}, "email": {"type": "string", "format": "email"},
        "age": {"type": "integer", "minimum": 18}, "tags": {"type": "array"},
    }});
    let text = br#"{"id":"x", "name":"", "email":"nope", "age":15, "tags":"t"}"#;
    let parsed = json::parse(text, &Limits::document()).unwrap();
    let mut findings = CompiledSchema::compile(&schema, &SchemaOptions::new())
        .unwrap()
        .validate(&parsed.value);
    json::place(&mut findings, &parsed.source, None);
    let expected = [
        ("format", "/id"),
        ("minLength", "/name"),
        ("format", "/email"),
        ("minimum", "/age"),
        ("type", "/tags"),
    ];
    assert_eq!(
        places(&findings),
        expected.map(|(code, pointer)| place(code, pointer))
    );
}

#[test]
fn v08_what_is_no_document_has_an_intake_code() {
    let deep = format!("{}1{}", "[".repeat(65), "]".repeat(65));
    let large = format!("\"{}\"", "a".repeat(11 * 1024 * 1024));
    let cases: [(&[u8], &str); 4] = [
        (large.as_bytes(), "DOCUMENT_TOO_LARGE"),
        (deep.as_bytes(), "DOCUMENT_TOO_DEEP"),
        (br#"{"a":1,"a":2}"#, "DUPLICATE_KEY"),
        (br#"{"a":"\u0000"}"#, "INVALID_CHARACTER"),
    ];
    for (text, code) in cases {
        let refused = json::parse(text, &Limits::document()).unwrap_err();
        assert_eq!(
            refused
                .iter()
                .map(|finding| &*finding.code)
                .collect::<Vec<_>>(),
            [code]
        );
    }
}

/// Everything of scenario 9 wrong at once.
pub(crate) fn broken() -> Value {
    workflow(
        "broken",
        json!([
            {"stepId": "fork", "type": "PARALLEL", "branches": [
                {"branchId": "one", "name": "one", "steps": [{"stepId": "pay", "type": "TASK", "taskId": "charge"}]},
                {"branchId": "two", "name": "two", "steps": [{"stepId": "pay", "type": "PASS"}]},
            ], "next": [{"nextStepId": "gost", "condition": "input.x == 1"}, {"nextStepId": "ping", "condition": "input.x == 2"}, {"nextStepId": "ghosts"}]},
            {"stepId": "ghosts", "type": "TASK", "taskId": "chagre"},
            {"stepId": "alone", "type": "PASS"},
            {"stepId": "ping", "type": "PASS", "next": [{"nextStepId": "pong"}]},
            {"stepId": "pong", "type": "PASS", "next": [{"nextStepId": "ping"}]},
        ]),
    )
}

/// The same workflow, repaired.
pub(crate) fn repaired() -> Value {
    let mut document = broken();
    let steps = &mut document["steps"];
    steps[0]["branches"][1]["steps"][0]["stepId"] = json!("note");
    steps[0]["next"][0]["nextStepId"] = json!("alone");
    steps[1]["taskId"] = json!("charge");
    steps[4]["next"] = json!([]);
    document
}

#[test]
fn v09_one_report_names_every_fault_of_a_graph() {
    let report = validate(&broken());
    let found = |code: &str| -> &Finding {
        let of_code: Vec<&Finding> = report
            .findings
            .iter()
            .filter(|finding| finding.code == code)
            .collect();
        assert_eq!(of_code.len(), 1, "{code}: {:#?}", report.findings);
        of_code[0]
    };
    let duplicate = found("DUPLICATE_STEP");
    assert_eq!(duplicate.pointer, "/steps/0/branches/1/steps/0/stepId");
    assert_eq!(
        duplicate
            .related
            .iter()
            .map(|related| related.pointer.as_str())
            .collect::<Vec<_>>(),
        ["/steps/0/branches/0/steps/0/stepId"]
    );
    let unknown = found("UNKNOWN_STEP");
    assert_eq!(unknown.pointer, "/steps/0/next/0/nextStepId");
    assert!(
        unknown.hint.as_deref().unwrap().contains("`ghosts`"),
        "{unknown:?}"
    );
    assert_eq!(
        (
            found("UNREACHABLE_STEP").pointer.as_str(),
            found("UNREACHABLE_STEP").is_error()
        ),
        ("/steps/2", false)
    );
    assert_eq!(
        found("UNGUARDED_CYCLE").pointer,
        "/steps/4/next/0/nextStepId"
    );
    let task = found("UNKNOWN_TASK");
    assert_eq!(task.pointer, "/steps/1/taskId");
    assert!(
        task.hint.as_deref().unwrap().contains("`charge`"),
        "{task:?}"
    );
    let errors = report
        .findings
        .iter()
        .filter(|finding| finding.is_error())
        .count();
    assert_eq!((report.is_ok(), errors), (false, 4));
    assert_eq!(validate(&repaired()).findings, []);
}

struct French;

impl MessageCatalog for French {
    fn message(&self, code: &str, _: &Map<String, Value>, locales: &[String]) -> Option<String> {
        let text = match code {
            "UNKNOWN_STEP" => "étape inconnue",
            "UNKNOWN_TASK" => "tâche inconnue",
            _ => return None,
        };
        locales
            .iter()
            .any(|locale| locale == "fr")
            .then(|| text.to_owned())
    }
}

#[test]
fn v17_a_catalogue_changes_its_own_texts_and_nothing_else() {
    let english = validate(&broken()).findings;
    let mut french = english.clone();
    localise(&mut french, &French, &["fr".to_owned()]);
    let expected: Vec<Finding> = english
        .iter()
        .cloned()
        .map(|mut finding| {
            match &*finding.code {
                "UNKNOWN_STEP" => finding.message = "étape inconnue".to_owned(),
                "UNKNOWN_TASK" => finding.message = "tâche inconnue".to_owned(),
                _ => {}
            }
            finding
        })
        .collect();
    assert_eq!(french, expected);
    assert_ne!(french, english);
    let mut unknown = english.clone();
    localise(&mut unknown, &French, &["xx".to_owned()]);
    assert_eq!(unknown, english);
}

#[test]
fn v18_html_is_escaped_and_sensitive_values_are_shown_nowhere() {
    let schema = json!({"type": "object", "properties": {"colour": {"enum": ["red"]}, "pin": {"type": "string", "maxLength": 4, "pattern": "^[0-9]+$", "x-sensitive": true}}});
    let findings = CompiledSchema::compile(&schema, &SchemaOptions::new())
        .unwrap()
        .validate(&json!({"colour": "<script>alert(1)</script>", "pin": "hunter2secret"}));
    assert_eq!(
        places(&findings),
        [
            place("enum", "/colour"),
            place("maxLength", "/pin"),
            place("pattern", "/pin")
        ]
    );
    let html = render::html(&findings);
    assert!(
        html.contains("&lt;script&gt;") && !html.contains("<script>"),
        "{html}"
    );
    for shown in [
        html,
        render::text(&findings),
        render::json(&findings).to_string(),
        render::problem(&findings).to_string(),
        format!("{findings:?}"),
        format!("{:?}", render::by_field(&findings)),
    ] {
        assert!(!shown.contains("hunter2secret"), "{shown}");
    }
    assert_eq!(
        render::by_field(&findings).keys().collect::<Vec<_>>(),
        ["/colour", "/pin"]
    );
}

/// The findings of some files, validated as one bundle, as `augmented validate` does.
fn check_files(files: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut parsed = Vec::new();
    for (name, text) in files {
        match json::parse(text.as_bytes(), &Limits::definition()) {
            Ok(document) => parsed.push((*name, document)),
            Err(mut broken) => {
                broken
                    .iter_mut()
                    .for_each(|finding| finding.file = Some((*name).to_owned()));
                findings.extend(broken);
            }
        }
    }
    let sources: Vec<_> = parsed
        .iter()
        .flat_map(|(name, parsed)| {
            split_documents(&parsed.value).map(|document| {
                (
                    *name,
                    document.value,
                    parsed.source.under(&document.base()).unwrap(),
                )
            })
        })
        .collect();
    let documents: Vec<Document<'_>> = sources
        .iter()
        .map(|(name, value, source)| Document::new(value).with_source(source).with_file(name))
        .collect();
    findings.extend(
        DefinitionValidator::standard()
            .validate_bundle(&documents, &catalogue(), None)
            .into_iter()
            .flat_map(|report| report.findings),
    );
    json::sort_findings(&mut findings);
    findings
}

const MISSPELT: &str = r#"{
  "kind": "workflow", "workflowId": "misspelt",
  "version": "1.0.0",   "name": "Misspelt",
  "steps": [
    {"stepID": "pay",    "type": "TASK", "taskId": "charge", "retryPolicy": {"maxRetries": 3},
     "next": [{"nextStepId": "end", "condition": "input.a === input.b"}, {"nextStepId": "end"}]},
    {"stepId": "end", "type": "END"}
  ]
}
"#;

const ONE: &str = r#"{"kind": "schema", "schemaId": "one", "version": "1.0.0", "name": "One", "schema": {"type": "object"}}"#;

#[test]
fn v28_all_files_are_reported_with_their_places_and_the_certain_faults_repaired() {
    let files = [
        ("a.json", "{\"kind\": \"workflow\",\n  }"),
        ("b.json", r#"{"kind": "worfklow"}"#),
        ("c.json", ONE),
        ("d.json", ONE),
        ("e.json", MISSPELT),
    ];
    let findings = check_files(&files);
    let shown: Vec<(&str, &str, u32, &str)> = findings
        .iter()
        .map(|finding| {
            (
                finding.file.as_deref().unwrap(),
                &*finding.code,
                finding.line.unwrap(),
                finding.pointer.as_str(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("a.json", "INVALID_JSON", 2, ""),
            ("b.json", "KIND_UNKNOWN", 1, "/kind"),
            ("d.json", "DUPLICATE_DEFINITION", 1, "/version"),
            ("e.json", "additionalProperties", 5, "/steps/0/stepID"),
            (
                "e.json",
                "additionalProperties",
                5,
                "/steps/0/retryPolicy/maxRetries"
            ),
            ("e.json", "EXPR_PARSE", 6, "/steps/0/next/0/condition"),
        ],
        "{findings:#?}"
    );
    assert!(findings.iter().all(|finding| finding.column.is_some()));
    let hint = |index: usize| findings[index].hint.clone().unwrap_or_default();
    assert!(
        hint(1).contains("workflow")
            && hint(3).contains("stepId")
            && hint(4).contains("maxAttempts")
            && hint(5).contains("input.a == input.b"),
        "{findings:#?}"
    );

    let repaired = fix::repair_text(MISSPELT, |text| {
        let parsed = json::parse(text.as_bytes(), &Limits::definition()).ok()?;
        let findings = validate(&parsed.value).findings;
        Some((parsed.source, vec![(String::new(), findings)]))
    });
    let expected = MISSPELT
        .replace("stepID", "stepId")
        .replace("\"maxRetries\": 3", "\"maxAttempts\": 4")
        .replace("===", "==");
    assert_eq!(repaired.text, expected);
    assert_eq!(repaired.fixed.len(), 3);
    assert_eq!(
        check_files(&[("e.json", &repaired.text), ("c.json", ONE)]),
        []
    );
}

#[test]
fn v27_what_structure_accepts_the_models_read_and_write_canonically() {
    for kind in [
        DefinitionKind::Workflow,
        DefinitionKind::Task,
        DefinitionKind::Trigger,
        DefinitionKind::Schedule,
        DefinitionKind::Event,
        DefinitionKind::Schema,
    ] {
        let path = format!(
            "{}/../augmented-core/tests/data/definitions/{kind}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let sample: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for document in split_documents(&sample) {
            let mut document = document.value.clone();
            document.as_object_mut().unwrap().remove("$schema");
            let definition =
                augmented_core::model::Definition::from_value(document.clone()).unwrap();
            assert_eq!(
                json::canonical::to_string(&definition.to_value().unwrap()),
                json::canonical::to_string(&document),
                "{kind}"
            );
        }
    }
}

#[test]
fn v33_a_missing_handler_is_a_warning_until_publish() {
    struct Host(bool);
    impl augmented_core::validate::HostRegistry for Host {
        fn task_handler(&self, _: &str) -> Option<augmented_core::validate::HandlerContract> {
            None
        }
        fn is_mocked(&self, task_id: &str) -> bool {
            self.0 && task_id == "charge"
        }
    }
    let task = json!({"kind": "task", "taskId": "charge", "version": "1.0.0", "name": "Charge", "type": "AUTOMATED", "implementation": {"kind": "NATIVE", "endpoint": "charge"}});
    let task = with(
        task,
        json!({"inputSchema": {"type": "object"}, "outputSchema": {"type": "object"}}),
    );
    let validator = DefinitionValidator::standard();
    let empty = DefinitionCatalogue::default();
    let document = Document::new(&task);
    let checked = validator
        .validate_bundle(&[document], &empty, Some(&Host(false)))
        .pop()
        .unwrap();
    let of = |report: &Report| {
        report
            .findings
            .iter()
            .map(|f| (f.code.to_string(), f.pointer.clone(), f.is_error()))
            .collect::<Vec<_>>()
    };
    let missing = |is_error| {
        vec![(
            "EXECUTOR_NOT_REGISTERED".to_owned(),
            "/implementation/endpoint".to_owned(),
            is_error,
        )]
    };
    assert_eq!((of(&checked), checked.is_ok()), (missing(false), true));
    let refused = validator
        .publish(&document, &empty, Some(&Host(false)))
        .unwrap_err();
    assert_eq!(of(&refused), missing(true));
    assert!(
        validator
            .publish(&document, &empty, Some(&Host(true)))
            .is_ok()
    );
}
