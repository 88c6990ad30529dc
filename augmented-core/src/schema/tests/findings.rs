//! Findings about instances.

use serde_json::{Value, json};

use super::{check, compile, describe};
use crate::json::{Limits, parse, patch, place};
use crate::schema::{CompiledSchema, SchemaOptions};
use crate::validate::Finding;

#[test]
fn five_faults_give_five_findings_in_the_order_of_the_text() {
    let schema = compile(&json!({
        "type": "object",
        "properties": {
            "id": {"format": "uuid"},
            "name": {"minLength": 1},
            "email": {"format": "email"},
            "age": {"minimum": 18},
            "tags": {"type": "array"},
        },
    }));
    let text = r#"{"id":"x", "name":"", "email":"nope", "age":15, "tags":"t"}"#;
    let parsed = parse(text.as_bytes(), &Limits::document()).unwrap();
    let mut findings = schema.validate(&parsed.value);
    place(&mut findings, &parsed.source, None);
    assert_eq!(
        describe(&findings),
        [
            "format /id",
            "minLength /name",
            "format /email",
            "minimum /age",
            "type /tags"
        ]
    );
    assert_eq!(findings[3].message, "`age` is 15, expected at least 18");
    assert_eq!(
        findings[4].message,
        "`tags` is a string \"t\", expected an array"
    );
}

#[test]
fn each_keyword_has_its_code_pointer_and_words() {
    for (schema, value, expected) in [
        (
            json!({"type": "integer"}),
            json!(1.5),
            "type : the document is a number 1.5, expected an integer",
        ),
        (
            json!({"type": ["string", "null"]}),
            json!(true),
            "type : the document is true, expected a string or null",
        ),
        (
            json!({"const": "a"}),
            json!("x"),
            "const : the document is \"x\", expected \"a\"",
        ),
        (
            json!({"enum": [1, "b"]}),
            json!(2),
            "enum : the document is 2, expected one of 1, \"b\"",
        ),
        (
            json!({"multipleOf": 0.01}),
            json!(19.999),
            "multipleOf : the document is 19.999, expected a multiple of 0.01",
        ),
        (
            json!({"exclusiveMinimum": 1}),
            json!(1),
            "exclusiveMinimum : the document is 1, expected more than 1",
        ),
        (
            json!({"items": {"maximum": 3}}),
            json!([1, 5]),
            "maximum /1: element 1 is 5, expected at most 3",
        ),
        (
            json!({"maxLength": 2}),
            json!("äöü"),
            "maxLength : the document is \"äöü\", expected at most 2 characters, found 3",
        ),
        (
            json!({"pattern": "^a"}),
            json!("b"),
            "pattern : the document is \"b\", expected to match the pattern ^a",
        ),
        (
            json!({"minItems": 2}),
            json!([1]),
            "minItems : the document has 1 element, expected at least 2",
        ),
        (
            json!({"uniqueItems": true}),
            json!([1, {"a": 1.0}, {"a": 1}]),
            "uniqueItems /2: elements 1 and 2 of the document are equal, expected each once",
        ),
        (
            json!({"contains": {"const": 1}}),
            json!([2]),
            "contains : the document has 0 elements of the required kind, expected at least 1",
        ),
        (
            json!({"required": ["a"]}),
            json!({}),
            "required /a: `a` is missing",
        ),
        (
            json!({"minProperties": 1}),
            json!({}),
            "minProperties : the document has 0 members, expected at least 1",
        ),
        (
            json!({"propertyNames": {"maxLength": 1}}),
            json!({"ab": 1}),
            "propertyNames /ab: the member name `ab` is not allowed: `name` is \"ab\", expected at most 1 character, found 2",
        ),
        (
            json!({"dependentRequired": {"a": ["b"]}}),
            json!({"a": 1}),
            "dependentRequired /b: `b` is missing, and `a` needs it",
        ),
        (
            json!({"not": {"type": "null"}}),
            json!(null),
            "not : the document is what it must not be",
        ),
        (
            json!({"properties": {"a": false}}),
            json!({"a": 1}),
            "falseSchema /a: `a` is not allowed here",
        ),
        (
            json!({"additionalProperties": false}),
            json!({"a": 1}),
            "additionalProperties /a: `a` is not a member the document may have",
        ),
        (
            json!({"prefixItems": [true], "unevaluatedItems": false}),
            json!([1, 2]),
            "unevaluatedItems /1: element 1 is not one the document may have",
        ),
        (
            json!({"if": {"type": "string"}, "then": {"minLength": 2}}),
            json!("a"),
            "minLength : the document is \"a\", expected at least 2 characters, found 1",
        ),
        (
            json!({"format": "iso-duration"}),
            json!("P1M"),
            "format : the document is \"P1M\", expected the format iso-duration",
        ),
        (
            json!({"oneOf": [{"minimum": 1}, {"title": "Small", "maximum": 5}]}),
            json!(3),
            "oneOf : the document fits 2 alternatives (number 1, `Small`), expected exactly one",
        ),
        (
            json!({"$schema": "http://json-schema.org/draft-07/schema#", "contentMediaType": "application/json"}),
            json!("{"),
            "contentMediaType : the document is \"{\", expected content of application/json",
        ),
    ] {
        let findings = compile(&schema).validate(&value);
        let found: Vec<String> = findings
            .iter()
            .map(|f| format!("{} {}: {}", f.code, f.pointer, f.message))
            .collect();
        assert_eq!(found, [expected], "{schema}");
    }
}

#[test]
fn a_wrong_type_silences_the_other_keywords_of_its_place() {
    let schema = json!({"properties": {"a": {"allOf": [{"type": "string"}, {"enum": ["x"]}], "const": "x"}}});
    check(&schema, &json!({"a": 5}), &["type /a"]);
}

#[test]
fn one_as_a_double_is_an_integer() {
    let schema = compile(&json!({"type": "integer", "const": 1, "multipleOf": 1}));
    assert!(schema.is_valid(&json!(1.0)) && schema.validate(&json!(1.0)).is_empty());
    assert!(compile(&json!({"multipleOf": 0.01})).is_valid(&json!(19.99)));
}

#[test]
fn a_misspelt_member_is_renamed_and_silences_its_required() {
    let schema = json!({
        "type": "object", "required": ["stepId"], "additionalProperties": false,
        "properties": {"stepId": {"type": "string"}, "name": {"type": "string"}},
    });
    let findings = check(
        &schema,
        &json!({"stepID": "a", "name": "n"}),
        &["additionalProperties /stepID"],
    );
    assert_eq!(findings[0].hint.as_deref(), Some("did you mean `stepId`?"));
    assert_repairs(&schema, &json!({"stepID": "a", "name": "n"}), 1);
    // The value is judged as that of the member meant; renaming alone would not repair it.
    let findings = check(
        &schema,
        &json!({"stepID": 5}),
        &["additionalProperties /stepID", "type /stepID"],
    );
    assert!(findings.iter().all(|f| f.fix.is_none()));
    // The place is taken.
    let findings = check(
        &schema,
        &json!({"stepId": "a", "stepID": "b"}),
        &["additionalProperties /stepID"],
    );
    assert_eq!(
        (findings[0].hint.as_deref(), &findings[0].fix),
        (Some("`stepId` is there already"), &None)
    );
    // Two for one place.
    let findings = check(
        &schema,
        &json!({"stepID": "a", "step_id": "b"}),
        &[
            "additionalProperties /stepID",
            "additionalProperties /step_id",
        ],
    );
    assert!(findings.iter().all(|f| f.fix.is_none() && f.hint.is_some()));
}

#[test]
fn an_enum_value_in_wrong_case_is_replaced() {
    let schema = json!({"properties": {"mode": {"enum": ["FAN_OUT", "FAN_IN"]}}});
    assert_repairs(&schema, &json!({"mode": "fan-out"}), 1);
    let findings = check(&schema, &json!({"mode": "FAN_OUTT"}), &["enum /mode"]);
    assert_eq!(
        (findings[0].hint.as_deref(), &findings[0].fix),
        (Some("did you mean \"FAN_OUT\"?"), &None)
    );
}

#[test]
fn an_explicit_null_of_an_optional_member_is_removed() {
    let schema = json!({"properties": {"a": {"type": "string"}, "b": {"type": ["string", "null"]}}, "required": ["c"]});
    assert_repairs(&schema, &json!({"a": null, "b": null, "c": null}), 1);
    let schema = json!({"properties": {"c": {"type": "string"}}, "required": ["c"]});
    assert!(
        check(&schema, &json!({"c": null}), &["type /c"])[0]
            .fix
            .is_none()
    );
}

#[test]
fn a_repair_that_another_keyword_would_refuse_is_only_hinted() {
    let schema = json!({
        "required": ["t"], "additionalProperties": false, "properties": {"t": {"const": "a"}},
        "not": {"required": ["t"], "minProperties": 1},
    });
    let findings = check(&schema, &json!({"T": "a"}), &["additionalProperties /T"]);
    assert_eq!(
        (findings[0].hint.as_deref(), &findings[0].fix),
        (Some("did you mean `t`?"), &None)
    );
}

fn steps() -> Value {
    json!({
        "type": "object", "required": ["steps"], "additionalProperties": false,
        "properties": {"steps": {"type": "array", "items": {"$ref": "#/$defs/step"}}},
        "$defs": {
            "step": {"oneOf": [{"$ref": "#/$defs/task"}, {"$ref": "#/$defs/end"}, {"$ref": "#/$defs/parallel"}]},
            "task": {"type": "object", "required": ["type", "stepId", "taskId"], "additionalProperties": false,
                "properties": {"type": {"const": "TASK"}, "stepId": {"type": "string"}, "taskId": {"type": "string"}}},
            "end": {"type": "object", "required": ["type", "stepId"], "additionalProperties": false,
                "properties": {"type": {"const": "END"}, "stepId": {"type": "string"}}},
            "parallel": {"type": "object", "required": ["type", "stepId", "steps"], "additionalProperties": false,
                "properties": {"type": {"const": "PARALLEL"}, "stepId": {"type": "string"}, "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}}}},
        },
    })
}

#[test]
fn the_tag_picks_the_branch_that_is_spoken_of() {
    for (step, expected) in [
        (
            json!({"type": "TASK", "stepId": "a"}),
            &["required /steps/0/taskId"][..],
        ),
        (
            json!({"type": "END", "stepId": "a", "taskId": "t"}),
            &["additionalProperties /steps/0/taskId"],
        ),
        (
            json!({"type": "TSAK", "stepId": 1}),
            &["enum /steps/0/type"],
        ),
        (json!({"stepId": "a"}), &["required /steps/0/type"]),
        (
            json!({"type": "task", "stepId": 1}),
            &[
                "type /steps/0/stepId",
                "required /steps/0/taskId",
                "enum /steps/0/type",
            ],
        ),
        (
            json!({"Type": "TASK", "stepId": "a"}),
            &[
                "additionalProperties /steps/0/Type",
                "required /steps/0/taskId",
            ],
        ),
        (json!("TASK"), &["type /steps/0"]),
    ] {
        check(&steps(), &json!({ "steps": [step] }), expected);
    }
    assert_repairs(
        &steps(),
        &json!({"steps": [{"type": "task", "stepID": "a", "taskId": "t"}, {"Type": "END", "stepId": "e"}]}),
        3,
    );
}

#[test]
fn branches_nested_deeply_are_explained_at_once() {
    let mut step = json!({"type": "END"});
    for _ in 0..25 {
        step = json!({"type": "PARALLEL", "stepId": "p", "steps": [step]});
    }
    let findings = compile(&steps()).validate(&json!({ "steps": [step] }));
    assert_eq!(findings.len(), 1);
    assert!(findings[0].pointer.ends_with("/steps/0/stepId") && findings[0].code == "required");
}

#[test]
fn without_a_tag_the_branch_that_fails_deepest_is_spoken_of() {
    let schema = json!({"anyOf": [
        {"type": "object", "required": ["x"]},
        {"type": "object", "properties": {"a": {"properties": {"b": {"type": "string"}}}}},
        {"type": "array"},
    ]});
    let findings = check(&schema, &json!({"a": {"b": 1}}), &["type /a/b"]);
    assert!(
        findings[0].message.ends_with("(closest of 2 alternatives)"),
        "{}",
        findings[0].message
    );
    let findings = check(&schema, &json!(1), &["type "]);
    assert_eq!(
        findings[0].message,
        "the document is an integer 1, expected an array or an object"
    );
    // Alternatives that only list values are one list of values.
    let schema = json!({"oneOf": [{"const": "A"}, {"enum": ["B", "C"]}]});
    assert_repairs(&schema, &json!("b"), 1);
}

#[test]
fn texts_of_the_schema_beat_ours() {
    let schema = json!({"required": ["a"], "properties": {
        "a": {"minLength": 1, "x-messages": {"required": "say a", "minLength": "a is empty"}},
        "b": {"title": "The B", "maximum": 1},
    }});
    let messages = |value: &Value| {
        compile(&schema)
            .validate(value)
            .into_iter()
            .map(|f| f.message)
            .collect::<Vec<_>>()
    };
    assert_eq!(messages(&json!({})), ["say a"]);
    assert_eq!(
        messages(&json!({"a": "", "b": 2})),
        ["a is empty", "`The B` is 2, expected at most 1"]
    );
}

#[test]
fn a_sensitive_value_appears_nowhere() {
    let schema = json!({"properties": {
        "password": {"$ref": "#/$defs/secret", "minLength": 99, "enum": ["S3CRET", "b"], "pattern": "^x", "type": "string"},
        "card": {"writeOnly": true, "properties": {"number": {"maxLength": 3, "format": "credit-card"}, "pin": {"type": "object"}}},
        "list": {"items": {"anyOf": [{"x-sensitive": true, "const": "q"}, {"const": "r"}]}},
    }, "$defs": {"secret": {"x-sensitive": true}}});
    let value = json!({"password": "s3cret", "card": {"number": "s3cret", "pin": "s3cret"}, "list": ["s3cret"]});
    let findings = compile(&schema).validate(&value);
    assert_eq!(findings.len(), 7, "{findings:?}");
    // The arguments of the messages are shown here, which JSON leaves out.
    let shown = format!("{findings:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(findings.iter().all(|f| f.fix.is_none()));
}

#[test]
fn a_long_value_is_cut() {
    let findings = compile(&json!({"maxLength": 3})).validate(&json!("x".repeat(10_000)));
    assert!(findings[0].message.chars().count() < 300);
    let findings = compile(&json!({"pattern": "^y"})).validate(&json!("x".repeat(10_000)));
    let actual = findings[0].arguments().get("actual").unwrap();
    assert_eq!(actual.as_str().unwrap().chars().count(), 201);
}

#[test]
fn arguments_are_the_values_that_a_message_names() {
    let found = compile(&json!({"minimum": 18})).validate(&json!(15));
    let given: Vec<_> = found[0].arguments().iter().collect();
    assert_eq!(given, [("limit", &json!(18)), ("actual", &json!(15))]);
    let found = compile(&json!({"enum": ["TASK", "END"]})).validate(&json!("task"));
    let arguments = found[0].arguments();
    assert_eq!(arguments.get("allowed"), Some(&json!(["TASK", "END"])));
    assert_eq!(arguments.get("nearest"), Some(&json!("TASK")));
    let text = serde_json::to_string(&found[0]).unwrap();
    let back: Finding = serde_json::from_str(&text).unwrap();
    assert!(
        back.arguments().is_empty() && !text.contains("arguments"),
        "{text}"
    );
    assert_eq!(back, found[0]);
}

#[test]
fn a_missing_member_is_hinted_with_an_example() {
    let schema = json!({"required": ["a", "b"], "properties": {"a": {"examples": ["x"]}, "b": {"x-sensitive": true, "default": "s"}}});
    let findings = compile(&schema).validate(&json!({}));
    assert_eq!(
        findings[0].hint.as_deref(),
        Some("for example `\"a\": \"x\"`")
    );
    assert_eq!(findings[1].hint, None);
}

#[test]
fn a_catastrophic_pattern_is_refused_quickly() {
    let schema = compile(&json!({"pattern": "^(a+)+$"}));
    let text = json!(format!("{}!", "a".repeat(100_000)));
    let before = std::time::Instant::now();
    let findings = schema.validate(&text);
    let elapsed = before.elapsed();
    assert_eq!(describe(&findings), ["pattern "]);
    // Unoptimised builds are allowed ten times as long.
    let limit = if cfg!(debug_assertions) { 500 } else { 50 };
    assert!(elapsed.as_millis() < limit, "{elapsed:?}");
}

#[test]
fn recursive_schemas_and_values_are_judged() {
    let schema = json!({"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "required": ["v"], "properties": {"l": {"$ref": "#/$defs/tree"}, "r": {"$ref": "#/$defs/tree"}}}}});
    let mut value = json!({});
    for _ in 0..60 {
        value = json!({"v": 1, "l": value});
    }
    let findings = compile(&schema).validate(&value);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].pointer, format!("{}/v", "/l".repeat(60)));
}

#[test]
fn strict_mode_closes_the_root() {
    use crate::schema::ValidateOptions;
    let schema = compile(
        &json!({"properties": {"a": {"properties": {"b": true}}}, "allOf": [{"properties": {"c": true}}]}),
    );
    let value = json!({"a": {"x": 1}, "c": 1, "d": 1});
    assert!(schema.validate(&value).is_empty());
    let strict = schema
        .validate_with(&value, &ValidateOptions::new().with_strict_mode(true))
        .unwrap();
    assert_eq!(describe(&strict.findings), ["additionalProperties /d"]);
}

#[test]
fn findings_beyond_the_limit_are_left_out() {
    use crate::schema::ValidateOptions;
    let schema = compile(&json!({"items": {"type": "string"}}));
    let value = Value::from(vec![1; 50]);
    let outcome = schema
        .validate_with(&value, &ValidateOptions::new().with_max_findings(10))
        .unwrap();
    assert_eq!(
        (outcome.findings.len(), outcome.truncated, outcome.valid),
        (10, true, false)
    );
    assert_eq!(schema.validate(&value).len(), 50);
}

/// Every single fix makes its finding go and brings no new error; all together make the value valid.
fn assert_repairs(schema: &Value, value: &Value, count: usize) {
    let schema = CompiledSchema::compile(schema, &SchemaOptions::new()).unwrap();
    let findings = schema.validate(value);
    let fixes: Vec<&Finding> = findings.iter().filter(|f| f.fix.is_some()).collect();
    assert_eq!(fixes.len(), count, "{findings:?}");
    let mut repaired = value.clone();
    for finding in &fixes {
        let fix = finding.fix.as_ref().unwrap();
        let after = schema.validate(&patch::apply(value, fix).unwrap());
        assert_eq!(after.len(), findings.len() - 1, "{finding:?}: {after:?}");
        repaired = patch::apply(&repaired, fix).unwrap();
    }
    assert_eq!(schema.validate(&repaired), [], "{repaired}");
}

#[test]
fn a_secret_under_a_wrong_name_is_not_shown() {
    let schema = json!({"type": "object", "additionalProperties": false, "properties": {
        "password": {"type": "string", "minLength": 20, "x-sensitive": true},
        "account": {"type": "object", "properties": {"token": {"type": "string", "maxLength": 2, "writeOnly": true}}}}});
    let compiled = CompiledSchema::compile(&schema, &SchemaOptions::new()).unwrap();
    let found = compiled.validate(&json!({"pasword": "hunter2", "acount": {"token": "hunter2"}}));
    let text = format!("{found:?}");
    assert!(!text.contains("hunter2"), "{text}");
    let misspelt = found.iter().filter(|f| f.pointer == "/pasword").count();
    assert_eq!(
        (misspelt, found.iter().any(|f| f.pointer == "/password")),
        (1, false),
        "{text}"
    );
}

#[test]
fn annotations_of_secrets_are_not_shown() {
    let schema = json!({"type": "object", "properties": {
        "p": {"type": "string", "x-sensitive": true, "default": 4711, "examples": [4712]}}});
    let found =
        crate::schema::check_embedded_schema(&schema, "/inputSchema", &SchemaOptions::new());
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(found.len(), 2, "{text}");
    assert!(!text.contains("471"), "{text}");
}
