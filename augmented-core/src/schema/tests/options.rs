//! Coercion, defaults and scope.

use serde_json::{Value, json};

use super::{compile, describe};
use crate::schema::{Outcome, ValidateOptions};

fn coerce(schema: &Value, value: &Value) -> Outcome {
    compile(schema)
        .validate_with(value, &ValidateOptions::new().with_coercion(true))
        .unwrap()
}

#[test]
fn coercion_is_off_and_on() {
    let schema = json!({"properties": {"n": {"type": "integer"}}});
    let value = json!({"n": "42"});
    assert_eq!(describe(&compile(&schema).validate(&value)), ["type /n"]);
    let outcome = coerce(&schema, &value);
    assert_eq!(
        (outcome.valid, outcome.data),
        (true, Some(json!({"n": 42})))
    );
    let made: Vec<_> = outcome
        .coercions
        .iter()
        .map(|c| (c.pointer.as_str(), &c.from, &c.to))
        .collect();
    assert_eq!(made, [("/n", &json!("42"), &json!(42))]);
    assert_eq!(value, json!({"n": "42"}));
}

#[test]
fn scalars_are_converted_only_where_the_whole_text_says_so() {
    for (types, from, to) in [
        (json!("integer"), json!("-7"), Some(json!(-7))),
        (json!("integer"), json!("1.0"), Some(json!(1))),
        (json!("integer"), json!("1.5"), None),
        (json!("number"), json!("1.5"), Some(json!(1.5))),
        (json!("number"), json!(" 1"), None),
        (json!("number"), json!("1x"), None),
        (json!("number"), json!("1e999"), None),
        (json!("boolean"), json!("true"), Some(json!(true))),
        (json!("boolean"), json!("TRUE"), None),
        (json!("boolean"), json!(1), None),
        (json!("string"), json!(5), Some(json!("5"))),
        (json!("string"), json!(true), Some(json!("true"))),
        (json!("string"), json!(null), None),
        (json!(["integer", "null"]), json!(""), Some(json!(null))),
        (json!("integer"), json!(""), None),
        (json!("array"), json!("a"), None),
        (json!(["string", "integer"]), json!("5"), Some(json!("5"))),
    ] {
        let outcome = coerce(&json!({ "type": types }), &from);
        assert_eq!(outcome.data, to, "{from} to {types}");
    }
}

#[test]
fn defaults_fill_absent_members_but_not_below_branches() {
    let schema = json!({
        "properties": {
            "a": {"default": {"deep": {}}, "properties": {"deep": {"properties": {"x": {"default": 1}}}}},
            "b": {"$ref": "#/$defs/b"},
            "c": {"anyOf": [{"properties": {"y": {"default": 2}}}]},
            "d": {"default": 3},
            "list": {"items": {"$ref": "#/$defs/item"}},
        },
        "allOf": [{"properties": {"e": {"default": "e"}}}],
        "$defs": {"b": {"default": "b"}, "item": {"properties": {"z": {"default": 0}}}},
    });
    let outcome = compile(&schema)
        .validate_with(
            &json!({"c": {}, "d": null, "list": [{}]}),
            &ValidateOptions::new().with_defaults(true),
        )
        .unwrap();
    assert_eq!(
        outcome.data,
        Some(
            json!({"a": {"deep": {"x": 1}}, "b": "b", "c": {}, "d": null, "e": "e", "list": [{"z": 0}]})
        )
    );
}

#[test]
fn only_the_scope_is_validated() {
    let schema = compile(&json!({
        "required": ["missing"],
        "properties": {"steps": {"items": {"$ref": "#/$defs/step"}}, "any": {"anyOf": [{"properties": {"x": true}}]}},
        "$defs": {"step": {"required": ["id"], "properties": {"id": {"type": "string"}}}},
    }));
    let value = json!({"steps": [{}, {"id": 1}], "any": {"x": 1}, "free": 1});
    let scoped =
        |scope: &str| schema.validate_with(&value, &ValidateOptions::new().with_scope(scope));
    assert_eq!(
        describe(&scoped("/steps/0").unwrap().findings),
        ["required /steps/0/id"]
    );
    assert_eq!(
        describe(&scoped("/steps/1").unwrap().findings),
        ["type /steps/1/id"]
    );
    for (scope, code) in [
        ("/any/x", "SCOPE_AMBIGUOUS"),
        ("/free", "SCOPE_UNKNOWN"),
        ("/steps/9", "SCOPE_UNKNOWN"),
    ] {
        assert_eq!(scoped(scope).unwrap_err().code(), code, "{scope}");
    }
}
