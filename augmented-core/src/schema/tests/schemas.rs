//! Findings about schemas.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{compile, describe};
use crate::json::patch;
use crate::schema::{CompiledSchema, SchemaOptions, SchemaResolver, check_embedded_schema};
use crate::validate::Finding;

fn refuse(schema: &Value) -> Vec<Finding> {
    CompiledSchema::compile(schema, &SchemaOptions::new()).unwrap_err()
}

#[test]
fn each_fault_of_a_schema_has_its_own_code() {
    for (schema, expected) in [
        (json!({"minLenght": 3}), "UNKNOWN_KEYWORD /minLenght"),
        (json!({"type": "any"}), "INVALID_SCHEMA /type"),
        (
            json!({"exclusiveMaximum": true}),
            "INVALID_SCHEMA /exclusiveMaximum",
        ),
        (json!({"format": "emial"}), "UNKNOWN_FORMAT /format"),
        (
            json!({"pattern": "^(?=a)b"}),
            "PATTERN_UNSUPPORTED /pattern",
        ),
        (json!({"pattern": "("}), "PATTERN_UNSUPPORTED /pattern"),
        (
            json!({"patternProperties": {"(a)\\1": true}}),
            "PATTERN_UNSUPPORTED /patternProperties/(a)\\1",
        ),
        (
            json!({"properties": {"a": {"$ref": "http://example.com/x"}}}),
            "REMOTE_REFERENCE_FORBIDDEN /properties/a/$ref",
        ),
        (
            json!({"$ref": "aug://schema/user/latest"}),
            "FLOATING_REFERENCE /$ref",
        ),
        (
            json!({"$ref": "aug://schema/user/1.0.0"}),
            "REFERENCE_UNRESOLVED /$ref",
        ),
        (
            json!({"$ref": "#/$defs/nope", "$defs": {"node": {}}}),
            "REFERENCE_UNRESOLVED /$ref",
        ),
        (json!({"$ref": "#"}), "INVALID_SCHEMA "),
        (
            json!({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
            "INVALID_SCHEMA /$defs/a",
        ),
        (json!({"required": "a"}), "INVALID_SCHEMA /required"),
        (json!({"items": [{}]}), "INVALID_SCHEMA /items"),
        (
            json!({"$schema": "http://json-schema.org/draft-04/schema#"}),
            "INVALID_SCHEMA /$schema",
        ),
        (
            json!({"properties": {"a": {"$id": "x"}}}),
            "INVALID_SCHEMA /properties/a/$id",
        ),
        (
            json!({"x-custom-validator": {"validator": "nope"}}),
            "VALIDATOR_MISSING /x-custom-validator/validator",
        ),
        (json!({"format": "expression"}), "VALIDATOR_MISSING /format"),
        (json!([]), "INVALID_SCHEMA "),
    ] {
        assert_eq!(describe(&refuse(&schema)), [expected], "{schema}");
    }
}

#[test]
fn several_faults_are_found_at_once() {
    let schema = json!({
        "minLenght": 3, "type": "any", "properties": {
            "a": {"exclusiveMaximum": true, "format": "emial"},
            "b": {"pattern": "(?!x)", "$ref": "file:///x"},
        },
    });
    assert_eq!(
        describe(&refuse(&schema)),
        [
            "UNKNOWN_KEYWORD /minLenght",
            "INVALID_SCHEMA /properties/a/exclusiveMaximum",
            "UNKNOWN_FORMAT /properties/a/format",
            "REMOTE_REFERENCE_FORBIDDEN /properties/b/$ref",
            "PATTERN_UNSUPPORTED /properties/b/pattern",
            "INVALID_SCHEMA /type",
        ]
    );
}

#[test]
fn certain_faults_of_schemas_are_repaired() {
    for (schema, repaired) in [
        (json!({"minLenght": 3}), json!({"minLength": 3})),
        (
            json!({"additional_properties": false}),
            json!({"additionalProperties": false}),
        ),
        (json!({"type": "String"}), json!({"type": "string"})),
        (json!({"format": "emial"}), json!({"format": "email"})),
    ] {
        let findings = refuse(&schema);
        let fix = findings[0].fix.as_ref().unwrap();
        assert_eq!(patch::apply(&schema, fix).unwrap(), repaired);
        compile(&repaired);
    }
    // Not where the keyword would not take the value, or its place is taken.
    for schema in [
        json!({"minLenght": "x"}),
        json!({"minLenght": 1, "minLength": 2}),
    ] {
        assert_eq!(refuse(&schema)[0].fix, None, "{schema}");
    }
}

#[test]
fn hints_say_what_would_be_right() {
    for (schema, hint) in [
        (
            json!({"type": "any"}),
            "leave `type` out to allow every value",
        ),
        (json!({"type": "int"}), "did you mean `integer`?"),
        (
            json!({"nullable": true}),
            "write `type: [\"string\", \"null\"]`",
        ),
        (
            json!({"dependencies": {}}),
            "write `dependentRequired` or `dependentSchemas`",
        ),
        (
            json!({"exclusiveMaximum": true}),
            "write the limit itself: `exclusiveMaximum: <number>` instead of `maximum`",
        ),
        (
            json!({"$ref": "#/$defs/nodes", "$defs": {"node": {}}}),
            "did you mean `node`?",
        ),
        (
            json!({"color": 1}),
            "annotations of your own begin with `x-`",
        ),
    ] {
        assert_eq!(refuse(&schema)[0].hint.as_deref(), Some(hint), "{schema}");
    }
}

#[test]
fn legal_schemas_of_all_dialects_are_accepted() {
    for schema in [
        json!(true),
        json!({"x-note": 1, "title": "t", "deprecated": true, "$comment": "c"}),
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {"$id": "#here"}}, "$ref": "#here", "dependencies": {"a": ["b"]}}),
        json!({"$schema": "https://json-schema.org/draft/2019-09/schema", "items": [{}], "additionalItems": false, "$recursiveAnchor": true, "properties": {"a": {"$recursiveRef": "#"}}}),
        json!({"$id": "https://example.com/a", "$ref": "https://example.com/a#/$defs/x", "$defs": {"x": {"$anchor": "x"}}}),
        json!({"$dynamicAnchor": "n", "properties": {"a": {"$dynamicRef": "#n"}}}),
        json!({"format": "idn-email", "type": "string", "pattern": "^\\d{3}-\\p{L}+$"}),
    ] {
        compile(&schema);
    }
}

#[test]
fn formats_are_asserted_in_every_dialect() {
    for dialect in [
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ] {
        let schema = compile(&json!({"$schema": dialect, "format": "email"}));
        assert!(
            !schema.is_valid(&json!("nope")) && schema.is_valid(&json!("a@b.example")),
            "{dialect}"
        );
    }
}

struct Registered;

impl SchemaResolver for Registered {
    fn schema(&self, id: &str, version: &str) -> Option<Arc<Value>> {
        match (id, version) {
            ("user", "1.0.0") => Some(Arc::new(json!({
                "type": "object", "required": ["name"], "properties": {"name": {"$ref": "#/$defs/name"}, "boss": {"$ref": "aug://schema/user/1.0.0"}},
                "$defs": {"name": {"$anchor": "name", "minLength": 2}},
            }))),
            ("old", "2.0.0") => Some(Arc::new(json!({
                "$schema": "http://json-schema.org/draft-07/schema#", "items": [{"$ref": "aug://schema/user/1.0.0#name"}], "additionalItems": false,
            }))),
            _ => None,
        }
    }
}

#[test]
fn references_lead_to_exact_versions_and_dialects_mix() {
    let options = SchemaOptions::new().with_resolver(&Registered);
    let schema = json!({"properties": {"u": {"$ref": "aug://schema/user/1.0.0"}, "o": {"$ref": "aug://schema/old/2.0.0"}}});
    let schema = CompiledSchema::compile(&schema, &options).unwrap();
    assert!(schema.is_valid(&json!({"u": {"name": "ab", "boss": {"name": "cd"}}, "o": ["ab"]})));
    let findings = schema.validate(&json!({"u": {"name": "a", "boss": {}}, "o": ["x", 1]}));
    assert_eq!(
        describe(&findings),
        [
            "minLength /o/0",
            "falseSchema /o/1",
            "required /u/boss/name",
            "minLength /u/name"
        ]
    );
    let reached: Vec<_> = schema
        .resolved_references()
        .into_iter()
        .map(|(id, version, _)| format!("{id} {version}"))
        .collect();
    assert_eq!(reached, ["old 2.0.0", "user 1.0.0"]);
}

#[test]
fn sizes_of_schemas_are_bounded() {
    let wide: serde_json::Map<String, Value> = (0..501)
        .map(|i| {
            (
                format!("p{i}"),
                json!({"$ref": format!("#/properties/p{}", i / 2)}),
            )
        })
        .collect();
    let findings = refuse(&json!({"properties": wide, "$defs": {}}));
    assert!(
        findings
            .iter()
            .any(|f| f.code == "INVALID_SCHEMA" || f.code == "SCHEMA_TOO_COMPLEX")
    );
    let targets: serde_json::Map<String, Value> =
        (0..600).map(|i| (format!("p{i}"), json!({}))).collect();
    let all: Vec<Value> = (0..600)
        .map(|i| json!({"$ref": format!("#/$defs/p{i}")}))
        .collect();
    assert_eq!(
        describe(&refuse(&json!({"$defs": targets, "allOf": all}))),
        ["SCHEMA_TOO_COMPLEX "]
    );
    let large = json!({"description": "x".repeat(1024 * 1024)});
    assert_eq!(describe(&refuse(&large)), ["SCHEMA_TOO_LARGE "]);
    let mut deep = json!({});
    for _ in 0..200 {
        deep = json!({ "not": deep });
    }
    assert!(refuse(&deep).iter().any(|f| f.code == "SCHEMA_TOO_COMPLEX"));
}

#[test]
fn examples_and_defaults_must_conform() {
    let schema = json!({
        "default": {"a": "x"},
        "properties": {"a": {"type": "string", "minLength": 2, "default": "", "examples": ["ok", 5]}, "b": {"$ref": "#/$defs/n", "default": "no"}},
        "$defs": {"n": {"type": "integer"}},
    });
    let findings = check_embedded_schema(&schema, "/inputSchema", &SchemaOptions::new());
    assert_eq!(
        describe(&findings),
        [
            "DEFAULT_INVALID /inputSchema/default/a",
            "DEFAULT_INVALID /inputSchema/properties/a/default",
            "EXAMPLE_INVALID /inputSchema/properties/a/examples/1",
            "DEFAULT_INVALID /inputSchema/properties/b/default",
        ]
    );
}

#[test]
fn faults_of_embedded_schemas_point_into_the_definition() {
    let findings = check_embedded_schema(
        &json!({"type": "String", "minLenght": 1}),
        "/a",
        &SchemaOptions::new(),
    );
    assert_eq!(
        describe(&findings),
        [
            "UNKNOWN_KEYWORD /a/minLenght",
            "SCHEMA_EMBEDDED_INVALID /a/type"
        ]
    );
    let document = json!({"a": {"type": "String", "minLenght": 1}});
    let repaired = findings.iter().fold(document, |d, f| {
        patch::apply(&d, f.fix.as_ref().unwrap()).unwrap()
    });
    assert_eq!(repaired, json!({"a": {"type": "string", "minLength": 1}}));
}

#[test]
fn compiled_schemas_are_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    shared(&compile(&json!({})));
}
