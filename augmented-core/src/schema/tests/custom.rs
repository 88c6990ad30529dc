//! Custom validators.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::describe;
use crate::schema::*;
use crate::validate::{Finding, Severity};

/// Expressions of the form `member == member` over the value, for tests.
struct Equality;

struct Rule(String, String);

impl ExpressionCompiler for Equality {
    fn compile(&self, source: &str) -> Result<Arc<dyn ExpressionRule>, String> {
        let (a, b) = source.split_once(" == ").ok_or("expected ` == `")?;
        Ok(Arc::new(Rule(a.to_owned(), b.to_owned())))
    }

    fn is_expression(&self, source: &str) -> bool {
        source.contains("==")
    }
}

impl ExpressionRule for Rule {
    fn holds(&self, input: &CheckInput<'_>) -> Result<bool, ValidatorError> {
        Ok(input.value.get(&self.0) == input.value.get(&self.1))
    }
}

struct Even;

impl KeywordFactory for Even {
    fn build(
        &self,
        value: &Value,
        _: &Map<String, Value>,
    ) -> Result<Arc<dyn FunctionValidator>, String> {
        if *value != Value::Bool(true) {
            return Err("`even` is true or absent".to_owned());
        }
        Ok(Arc::new(|input: &CheckInput<'_>| {
            let odd = input.value.as_i64().is_some_and(|n| n % 2 != 0);
            Ok(if odd {
                vec![Complaint::new("the number is odd")]
            } else {
                Vec::new()
            })
        }))
    }
}

struct Unique;

#[async_trait]
impl AsyncValidator for Unique {
    async fn validate(
        &self,
        _: &Value,
        _: &Value,
        _: &ValidationContext,
    ) -> Result<Vec<Complaint>, ValidatorError> {
        Ok(Vec::new())
    }
}

fn registry() -> ValidatorRegistry {
    let mut registry = ValidatorRegistry::new().with_expressions(Arc::new(Equality));
    let mut add =
        |registration: Registration, validator| registry.register(registration, validator).unwrap();
    add(
        Registration::new("two-letters", "two letters"),
        CustomValidator::format(|text: &str| text.len() == 2),
    );
    add(
        Registration::new("even", "an even number"),
        CustomValidator::keyword(Even),
    );
    add(
        Registration::new("broken", "panics"),
        CustomValidator::function(|_: &CheckInput<'_>| panic!("broken")),
    );
    add(
        Registration::new("sum", "members add up").with_type("object").with_meta_schema(json!({"type": "object", "required": ["total"], "properties": {"total": {"type": "integer"}}, "additionalProperties": false})),
        CustomValidator::function(|input: &CheckInput<'_>| {
            let sum: i64 = input.value.as_object().into_iter().flatten().filter_map(|(_, v)| v.as_i64()).sum();
            let wrong = sum != input.options["total"].as_i64().unwrap_or(0);
            Ok(if wrong { vec![Complaint::new(format!("the sum is {sum}")).at("/b").with_code("WRONG_SUM").with_hint("look again")] } else { Vec::new() })
        }),
    );
    add(
        Registration::new("equal", "a equals b"),
        CustomValidator::expression("a == b", "a and b differ"),
    );
    add(
        Registration::new("unique", "not taken"),
        CustomValidator::remote(Unique),
    );
    add(
        Registration::new("trim", "without blanks around").with_type("string"),
        CustomValidator::transformation(|value: Value, _: &Value| {
            Ok(value
                .as_str()
                .map_or(value.clone(), |text| json!(text.trim())))
        }),
    );
    registry
}

fn compile(schema: &Value) -> Result<CompiledSchema, Vec<Finding>> {
    CompiledSchema::compile(
        schema,
        &SchemaOptions::new().with_validators(Arc::new(registry())),
    )
}

fn check(schema: &Value, value: &Value, expected: &[&str]) {
    let schema = compile(schema).unwrap();
    assert_eq!(describe(&schema.validate(value)), expected, "{value}");
    assert_eq!(schema.is_valid(value), expected.is_empty(), "{value}");
}

fn attach(entry: Value) -> Value {
    json!({"properties": {"a": {"type": ["integer", "null"]}}, "x-custom-validator": entry})
}

#[test]
fn formats_keywords_and_functions_take_part_in_the_verdict() {
    check(
        &json!({"format": "two-letters"}),
        &json!("abc"),
        &["format "],
    );
    check(&json!({"format": "two-letters"}), &json!("ab"), &[]);
    check(
        &json!({"items": {"even": true}}),
        &json!([2, 3]),
        &["even /1"],
    );
    check(
        &json!({"anyOf": [{"even": true}, {"const": 3}]}),
        &json!(3),
        &[],
    );
    check(
        &json!({"not": {"format": "two-letters"}}),
        &json!("ab"),
        &["not "],
    );
    let sum = attach(json!({"validator": "sum", "options": {"total": 3}}));
    check(&sum, &json!({"a": 1, "b": 2}), &[]);
    check(&sum, &json!({"a": 1, "b": 1}), &["WRONG_SUM /b"]);
    check(&sum, &json!([1]), &[]);
    // Host code sees only values that passed everything else.
    check(&sum, &json!({"a": "x"}), &["type /a"]);
}

#[test]
fn expressions_are_rules_inside_the_schema() {
    let schema = attach(
        json!([{"expression": "a == b", "message": "a is not b"}, {"validator": "equal", "severity": "WARNING"}]),
    );
    check(&schema, &json!({"a": 1, "b": 1}), &[]);
    let findings = compile(&schema).unwrap().validate(&json!({"a": 1, "b": 2}));
    let found: Vec<_> = findings
        .iter()
        .map(|f| (f.severity, f.message.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (Severity::Error, "a is not b"),
            (Severity::Warning, "a and b differ")
        ]
    );
    let warned = compile(&attach(
        json!({"validator": "equal", "severity": "WARNING"}),
    ))
    .unwrap();
    assert!(warned.is_valid(&json!({"a": 1, "b": 2})));
    let outcome = warned
        .validate_with(&json!({"a": 1, "b": 2}), &ValidateOptions::new())
        .unwrap();
    assert!(outcome.valid && outcome.findings.len() == 1);
    let strict = warned
        .validate_with(
            &json!({"a": 1, "b": 2}),
            &ValidateOptions::new().with_strict_mode(true),
        )
        .unwrap();
    assert!(!strict.valid);
    check(
        &json!({"format": "expression"}),
        &json!("nope"),
        &["format "],
    );
}

#[test]
fn a_panicking_validator_is_an_engine_error_and_the_next_call_works() {
    let schema =
        compile(&json!({"properties": {"a": {"x-custom-validator": {"validator": "broken"}}}}))
            .unwrap();
    for _ in 0..2 {
        let error = schema
            .validate_with(&json!({"a": 1}), &ValidateOptions::new())
            .unwrap_err();
        assert_eq!(
            (error.code(), error.to_string().as_str()),
            (
                "VALIDATOR_FAILED",
                "the validator `broken` failed: panicked: broken"
            )
        );
        assert_eq!(
            describe(&schema.validate(&json!({"a": 1}))),
            ["VALIDATOR_FAILED "]
        );
        assert!(
            schema
                .validate_with(&json!({}), &ValidateOptions::new())
                .unwrap()
                .valid
        );
    }
    // "Not broken" is no verdict either.
    let schema = compile(&json!({"not": {"x-custom-validator": {"validator": "broken"}}})).unwrap();
    assert!(
        schema
            .validate_with(&json!(1), &ValidateOptions::new())
            .is_err()
            && !schema.is_valid(&json!(1))
    );
}

#[test]
fn asynchronous_checks_are_deferred_for_places_that_passed() {
    let schema = compile(&json!({"properties": {
        "a": {"type": "string", "x-custom-validator": {"validator": "unique", "options": {"table": "users"}}},
        "b": {"minLength": 2, "x-custom-validator": {"validator": "unique"}},
    }})).unwrap();
    let outcome = schema
        .validate_with(&json!({"a": "x", "b": "y"}), &ValidateOptions::new())
        .unwrap();
    let deferred: Vec<_> = outcome
        .deferred
        .iter()
        .map(|d| (d.validator.as_str(), d.pointer.as_str(), &d.value))
        .collect();
    assert_eq!(deferred, [("unique", "/a", &json!("x"))]);
    assert_eq!(outcome.deferred[0].options, json!({"table": "users"}));
    assert_eq!(describe(&outcome.findings), ["minLength /b"]);
}

#[test]
fn deferred_checks_and_transformations_are_refused_in_branches() {
    let entry = json!({"x-custom-validator": {"validator": "unique"}});
    for schema in [
        json!({"anyOf": [entry, true]}),
        json!({"not": {"properties": {"a": {"$ref": "#/$defs/u"}}}, "$defs": {"u": entry}}),
        json!({"if": {"x-custom-validator": [{"validator": "trim"}]}}),
    ] {
        let codes: Vec<_> = compile(&schema)
            .unwrap_err()
            .into_iter()
            .map(|f| f.code)
            .collect();
        assert_eq!(codes, ["ASYNC_IN_BRANCH"], "{schema}");
    }
    compile(&json!({"allOf": [{"x-custom-validator": {"validator": "unique"}}]})).unwrap();
}

#[test]
fn transformations_run_for_callers_that_take_a_copy() {
    let schema = compile(&json!({"properties": {"n": {"type": "string", "x-custom-validator": {"validator": "trim"}, "maxLength": 1}}})).unwrap();
    let value = json!({"n": " x "});
    let outcome = schema
        .validate_with(&value, &ValidateOptions::new().with_defaults(true))
        .unwrap();
    assert_eq!(
        (outcome.valid, outcome.data),
        (true, Some(json!({"n": "x"})))
    );
    assert!(
        !schema
            .validate_with(&value, &ValidateOptions::new())
            .unwrap()
            .valid
    );
}

#[test]
fn illegal_uses_are_found_in_the_schema() {
    for (schema, expected) in [
        (
            attach(json!({"validator": "sun", "options": {}})),
            "VALIDATOR_MISSING /x-custom-validator/validator",
        ),
        (
            attach(json!({"validator": "sum", "options": {"total": "x"}})),
            "INVALID_SCHEMA /x-custom-validator/options/total",
        ),
        (
            attach(json!({"validator": "sum"})),
            "INVALID_SCHEMA /x-custom-validator",
        ),
        (
            attach(json!({"expression": "a"})),
            "INVALID_SCHEMA /x-custom-validator",
        ),
        (
            attach(json!([{"expression": "a", "message": "m"}])),
            "EXPR_PARSE /x-custom-validator/0/expression",
        ),
        (
            attach(json!({"validator": "equal", "severity": "INFO"})),
            "INVALID_SCHEMA /x-custom-validator",
        ),
        (
            attach(json!({"validator": "even"})),
            "INVALID_SCHEMA /x-custom-validator/validator",
        ),
        (json!({"even": 1}), "INVALID_SCHEMA /even"),
        (json!({"evne": true}), "UNKNOWN_KEYWORD /evne"),
    ] {
        assert_eq!(
            describe(&compile(&schema).unwrap_err()),
            [expected],
            "{schema}"
        );
    }
}

#[test]
fn names_are_taken_once() {
    let mut registry = registry();
    let mut refused = |registration: Registration| {
        registry
            .register(registration, CustomValidator::format(|_: &str| true))
            .map_err(|error| error.code())
            .err()
    };
    assert_eq!(
        refused(Registration::new("even", "")),
        Some("VALIDATOR_ALREADY_EXISTS")
    );
    assert_eq!(
        refused(Registration::new("two-letters", "").replacing()),
        None
    );
    for name in [
        "type",
        "format",
        "email",
        "cron",
        "divisibleBy",
        "prefixItems",
    ] {
        let code = refused(Registration::new(name, "").replacing());
        assert!(
            code == Some("VALIDATOR_ALREADY_EXISTS") || name.contains(char::is_uppercase),
            "{name}"
        );
    }
    for name in ["", "Even", "1a", "a_b", "ä", &"a".repeat(65)] {
        assert_eq!(
            refused(Registration::new(name, "")),
            Some("VALIDATOR_NAME_INVALID"),
            "{name}"
        );
    }
    assert_eq!(
        refused(Registration::new("x", "").with_dependency("nope")),
        Some("VALIDATOR_MISSING")
    );
    assert_eq!(
        refused(Registration::new("x", "").with_meta_schema(json!({"type": 1}))),
        Some("INVALID_SCHEMA")
    );
    let mut full = ValidatorRegistry::new().with_max(1);
    full.register(
        Registration::new("a", ""),
        CustomValidator::format(|_: &str| true),
    )
    .unwrap();
    assert_eq!(
        full.register(
            Registration::new("b", ""),
            CustomValidator::format(|_: &str| true)
        )
        .unwrap_err()
        .code(),
        "RESOURCE_LIMIT_EXCEEDED"
    );
}

#[test]
fn a_validator_can_be_tried_out() {
    let registry = registry();
    let cases = [
        ValidatorCase::new(json!("ab"), true),
        ValidatorCase::new(json!("abc"), true),
    ];
    let results = registry.try_out("two-letters", &cases).unwrap();
    assert_eq!(
        results
            .iter()
            .map(|r| (r.passed, r.valid))
            .collect::<Vec<_>>(),
        [(true, Some(true)), (false, Some(false))]
    );
    let broken = registry
        .try_out("broken", &[ValidatorCase::new(json!(1), true)])
        .unwrap();
    assert_eq!((broken[0].passed, broken[0].valid), (false, None));
    assert_eq!(
        registry.try_out("nope", &[]).unwrap_err().code(),
        "VALIDATOR_MISSING"
    );
}

#[test]
fn a_schema_knows_which_validators_it_needs() {
    let schema = compile(&json!({"format": "two-letters", "properties": {"a": {"even": true}}, "x-custom-validator": {"validator": "unique"}})).unwrap();
    assert_eq!(
        schema.required_validators().collect::<Vec<_>>(),
        ["even", "two-letters", "unique"]
    );
}
