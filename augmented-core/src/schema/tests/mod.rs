//! What the schema engine promises, seen from outside.

mod agreement;
mod compat;
mod custom;
mod findings;
mod options;
mod schemas;

use serde_json::Value;

use super::{CompiledSchema, SchemaOptions};
use crate::validate::Finding;

fn compile(schema: &Value) -> CompiledSchema {
    CompiledSchema::compile(schema, &SchemaOptions::new()).unwrap()
}

/// Code and pointer of each finding, whose arguments are checked.
fn describe(findings: &[Finding]) -> Vec<String> {
    crate::codes::assert_arguments(findings);
    findings
        .iter()
        .map(|f| format!("{} {}", f.code, f.pointer))
        .collect()
}

/// Expects findings with these codes and pointers, sorted by pointer.
fn check(schema: &Value, value: &Value, expected: &[&str]) -> Vec<Finding> {
    let findings = compile(schema).validate(value);
    assert_eq!(describe(&findings), expected, "{value}");
    findings
}
