//! Findings about a schema that breaks the rules of its dialect.

use std::collections::BTreeSet;

use jsonschema::meta::MetaValidator;
use serde_json::Value;

use super::dialect::Dialect;
use super::message;
use crate::json::nearest::nearest;
use crate::json::pointer;
use crate::validate::{Finding, PatchOp};

const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];

fn validator(dialect: Dialect) -> MetaValidator<'static> {
    match dialect {
        Dialect::Draft7 => jsonschema::draft7::meta::validator(),
        Dialect::Draft201909 => jsonschema::draft201909::meta::validator(),
        Dialect::Draft202012 => jsonschema::draft202012::meta::validator(),
    }
}

/// Whether a schema keeps the rules of its dialect.
pub(super) fn is_valid(schema: &Value, dialect: Dialect) -> bool {
    validator(dialect).is_valid(schema)
}

/// Where a schema breaks the rules of its dialect: one `INVALID_SCHEMA` for each place.
pub(super) fn findings(schema: &Value, dialect: Dialect) -> Vec<Finding> {
    let validator = validator(dialect);
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for error in validator.iter_errors(schema) {
        let at = error.instance_path().as_str().to_owned();
        if seen.insert(at.clone()) {
            let value = pointer::resolve(schema, &at).unwrap_or(&Value::Null);
            findings.push(finding(at, value, &error));
        }
    }
    // An error inside a place is the exacter one.
    let places: Vec<String> = findings
        .iter()
        .map(|f: &Finding| f.pointer.clone())
        .collect();
    findings.retain(|f| {
        !places
            .iter()
            .any(|p| *p != f.pointer && pointer::is_at_or_below(p, &f.pointer))
    });
    findings
}

fn finding(at: String, value: &Value, error: &jsonschema::ValidationError<'_>) -> Finding {
    let keyword = pointer::split_last(&at)
        .map(|(_, last)| last.into_owned())
        .unwrap_or_default();
    let Some(expected) = expected(&keyword) else {
        return Finding::error(
            "INVALID_SCHEMA",
            at,
            message::cut(&error.masked_with("the value").to_string()),
        )
        .with_problem();
    };
    let text = format!(
        "`{keyword}` is {}, expected {expected}",
        message::show(value)
    );
    let mut finding = Finding::error("INVALID_SCHEMA", at.clone(), text).with_problem();
    match (keyword.as_str(), value) {
        ("type", Value::String(name)) => type_hint(&mut finding, at, name),
        ("exclusiveMaximum" | "exclusiveMinimum", Value::Bool(_)) => {
            let bound = if keyword.ends_with("mum") && keyword.contains("Max") {
                "maximum"
            } else {
                "minimum"
            };
            finding.hint = Some(format!(
                "write the limit itself: `{keyword}: <number>` instead of `{bound}`"
            ));
        }
        ("required", Value::Bool(_)) => {
            finding.hint = Some("list the name in `required` of the object around it".to_owned());
        }
        _ => {}
    }
    finding
}

fn type_hint(finding: &mut Finding, at: String, name: &str) {
    if name == "any" {
        finding.hint = Some("leave `type` out to allow every value".to_owned());
        return;
    }
    let known = match name {
        "int" | "long" => Some("integer"),
        "float" | "double" | "decimal" => Some("number"),
        "bool" => Some("boolean"),
        "list" => Some("array"),
        "dict" | "map" => Some("object"),
        "text" | "str" => Some("string"),
        "date" | "datetime" | "date-time" | "email" | "uuid" => {
            finding.hint = Some(format!("write `type: \"string\"` and `format: \"{name}\"`"));
            return;
        }
        _ => None,
    };
    if let Some(name) = known {
        finding.hint = Some(format!("did you mean `{name}`?"));
    } else if let Some(found) = nearest(name, TYPES) {
        finding.hint = Some(format!("did you mean `{}`?", found.name));
        if found.same_letters {
            finding.fix = Some(vec![PatchOp::Replace {
                path: at,
                value: Value::from(found.name),
            }]);
        }
    }
}

/// What a keyword takes.
fn expected(keyword: &str) -> Option<&'static str> {
    Some(match keyword {
        "type" => "array, boolean, integer, null, number, object, string or a list of some of them",
        "maximum" | "minimum" | "exclusiveMaximum" | "exclusiveMinimum" => "a number",
        "multipleOf" => "a number above 0",
        "maxLength" | "minLength" | "maxItems" | "minItems" | "maxProperties" | "minProperties"
        | "minContains" | "maxContains" => "an integer of at least 0",
        "required" => "a list of member names, each once",
        "pattern" | "format" | "title" | "description" | "$comment" | "$ref" | "$id"
        | "$anchor" => "a string",
        "enum" => "a list of values",
        "uniqueItems" | "readOnly" | "writeOnly" | "deprecated" => "true or false",
        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
            "an object of schemas"
        }
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => "a list of at least one schema",
        "items"
        | "additionalProperties"
        | "not"
        | "if"
        | "then"
        | "else"
        | "contains"
        | "propertyNames" => "a schema: an object, true or false",
        "examples" => "a list",
        _ => return None,
    })
}
