//! Schemas: those that ship, and those that users write.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use augmented_acceptance::{Calls, engine, noting, places, run, with, workflow};
use augmented_core::json::{self, Limits};
use augmented_core::schema::{CompiledSchema, SchemaOptions, ValidateOptions};
use augmented_core::schemas;
use augmented_core::validate::{DefinitionValidator, Document};
use serde_json::{Value, json};

fn compile(schema: &Value) -> CompiledSchema {
    CompiledSchema::compile(schema, &SchemaOptions::new()).unwrap()
}

#[test]
fn v06_each_fault_of_a_schema_is_refused_with_its_own_code_wherever_it_stands() {
    let cases = [
        (json!({"minLenght": 3}), "UNKNOWN_KEYWORD", "/minLenght"),
        (json!({"type": "any"}), "INVALID_SCHEMA", "/type"),
        (
            json!({"exclusiveMaximum": true}),
            "INVALID_SCHEMA",
            "/exclusiveMaximum",
        ),
        (json!({"format": "emial"}), "UNKNOWN_FORMAT", "/format"),
        (
            json!({"pattern": "^(?=a)b"}),
            "PATTERN_UNSUPPORTED",
            "/pattern",
        ),
        (
            json!({"$ref": "http://example.com/x"}),
            "REMOTE_REFERENCE_FORBIDDEN",
            "/$ref",
        ),
    ];
    for (schema, code, at) in cases {
        let refused = CompiledSchema::compile(&schema, &SchemaOptions::new()).unwrap_err();
        assert_eq!(places(&refused), [(code.to_owned(), at.to_owned())]);
        let documents = [
            (
                json!({"kind": "schema", "schemaId": "s", "version": "1.0.0", "name": "S", "schema": {"type": "object", "properties": {"a": schema}}}),
                "/schema/properties/a",
            ),
            (
                with(
                    workflow("w", json!([{"stepId": "end", "type": "END"}])),
                    json!({"inputSchema": {"type": "object", "properties": {"a": schema}}}),
                ),
                "/inputSchema/properties/a",
            ),
        ];
        for (document, base) in documents {
            let report = DefinitionValidator::standard().validate(&Document::new(&document));
            // In a definition of another kind, a schema that is none has the code of its place.
            let code = if code == "INVALID_SCHEMA" && document["kind"] != "schema" {
                "SCHEMA_EMBEDDED_INVALID"
            } else {
                code
            };
            assert_eq!(
                places(&report.findings),
                [(code.to_owned(), format!("{base}{at}"))],
                "{document}"
            );
        }
    }
}

#[test]
fn v07_a_catastrophic_pattern_is_judged_at_once() {
    let schema = compile(&json!({"pattern": "^(a+)+$"}));
    let text = json!(format!("{}!", "a".repeat(100_000)));
    let began = Instant::now();
    let findings = schema.validate(&text);
    let elapsed = began.elapsed();
    assert_eq!(places(&findings), [("pattern".to_owned(), String::new())]);
    // Unoptimised builds are allowed ten times as long.
    let limit = if cfg!(debug_assertions) { 500 } else { 50 };
    assert!(elapsed.as_millis() < limit, "{elapsed:?}");
}

#[test]
fn v25_coercion_is_an_option_that_leaves_the_input_alone() {
    let schema = compile(&json!({"properties": {"n": {"type": "integer"}}}));
    let value = json!({"n": "42"});
    assert_eq!(
        places(&schema.validate(&value)),
        [("type".to_owned(), "/n".to_owned())]
    );
    let outcome = schema
        .validate_with(&value, &ValidateOptions::new().with_coercion(true))
        .unwrap();
    assert_eq!(
        (outcome.valid, outcome.data),
        (true, Some(json!({"n": 42})))
    );
    let listed: Vec<_> = outcome
        .coercions
        .iter()
        .map(|made| (made.pointer.clone(), made.from.clone(), made.to.clone()))
        .collect();
    assert_eq!(listed, [("/n".to_owned(), json!("42"), json!(42))]);
    assert_eq!(value, json!({"n": "42"}));
}

#[tokio::test]
async fn v25_integers_keep_their_digits_and_their_type_on_the_way_through_the_engine() {
    let parsed = json::parse(br#"{"exact": 9007199254740993, "large": 1e16, "most": 18446744073709551615, "whole": 3.0, "part": 0.5}"#, &Limits::document()).unwrap();
    assert_eq!(
        json::canonical::to_string(&parsed.value),
        r#"{"exact":9007199254740993,"large":10000000000000000,"most":18446744073709551615,"part":0.5,"whole":3}"#
    );
    let refused = json::parse(b"{\"n\": 18446744073709551616}", &Limits::document()).unwrap_err();
    assert_eq!(
        places(&refused),
        [("NUMBER_OUT_OF_RANGE".to_owned(), "/n".to_owned())]
    );

    let calls = Calls::default();
    let engine = engine(|builder| builder.with_task("keep", noting(&calls))).await;
    let step = json!({"stepId": "keep", "type": "TASK", "taskId": "keep", "input": {"exact": "${input.exact}", "large": "${input.large}", "whole": "${input.whole}"}});
    let (_, result) = run(&engine, workflow("digits", json!([step])), parsed.value).await;
    let expected = r#"{"exact":9007199254740993,"large":10000000000000000,"whole":3}"#;
    assert_eq!(json::canonical::to_string(&result.output), expected);
    assert_eq!(result.output.to_string(), expected);
    assert_eq!(calls.all()[0].input, result.output);
}

#[test]
fn v26_the_folder_of_schemas_is_what_the_generator_gives() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas");
    let stored: BTreeMap<String, String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                std::fs::read_to_string(entry.path()).unwrap(),
            )
        })
        .collect();
    let generated: BTreeMap<String, String> = schemas::all()
        .iter()
        .map(|shipped| (shipped.file_name(), shipped.to_text()))
        .collect();
    assert!(
        stored == generated,
        "stored: {:?}, generated: {:?}",
        stored.keys(),
        generated.keys()
    );
    assert_eq!(
        generated.keys().collect::<Vec<_>>(),
        ["event", "schedule", "schema", "task", "trigger", "workflow"]
            .map(|kind| format!("{kind}.schema.json"))
            .iter()
            .collect::<Vec<_>>()
    );
}
