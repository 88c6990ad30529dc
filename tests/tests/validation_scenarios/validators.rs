//! Validators that a host registers.

use std::sync::Arc;

use augmented_acceptance::places;
use augmented_core::schema::{
    CheckInput, CompiledSchema, Complaint, CustomValidator, Registration, SchemaOptions,
    ValidateOptions, ValidatorRegistry,
};
use serde_json::json;

#[test]
fn v20_a_validator_that_panics_fails_the_call_and_the_next_one_works() {
    let mut registry = ValidatorRegistry::new();
    let moody = |input: &CheckInput<'_>| {
        assert!(input.value != "panic", "not today");
        Ok(if input.value == "bad" {
            vec![Complaint::new("is bad")]
        } else {
            Vec::new()
        })
    };
    registry
        .register(
            Registration::new("moody", "panics on some values"),
            CustomValidator::function(moody),
        )
        .unwrap();
    let options = SchemaOptions::new().with_validators(Arc::new(registry));
    let schema = CompiledSchema::compile(
        &json!({"properties": {"a": {"x-custom-validator": {"validator": "moody"}}}}),
        &options,
    )
    .unwrap();
    let failed = schema
        .validate_with(&json!({"a": "panic"}), &ValidateOptions::new())
        .unwrap_err();
    assert_eq!(failed.code(), "VALIDATOR_FAILED");
    let good = schema
        .validate_with(&json!({"a": "good"}), &ValidateOptions::new())
        .unwrap();
    assert_eq!((good.valid, good.findings), (true, Vec::new()));
    let bad = schema
        .validate_with(&json!({"a": "bad"}), &ValidateOptions::new())
        .unwrap();
    assert_eq!(
        (bad.valid, places(&bad.findings)),
        (
            false,
            vec![("custom-validator".to_owned(), "/a".to_owned())]
        )
    );
}
