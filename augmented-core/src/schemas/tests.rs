//! The shipped schemas are current, portable, documented, and agree with the Rust models.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::*;
use crate::model::patterns;

/// Keywords the database evaluates.
const EVALUATED: [&str; 30] = [
    "$ref",
    "type",
    "enum",
    "const",
    "required",
    "properties",
    "patternProperties",
    "additionalProperties",
    "items",
    "prefixItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "pattern",
    "uniqueItems",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
];

/// Keywords that say something without demanding anything.
const ANNOTATIONS: [&str; 8] = [
    "$schema",
    "$id",
    "$defs",
    "title",
    "description",
    "default",
    "examples",
    "x-discriminator",
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

/// Calls `visit` with the JSON Pointer and the schema of every schema in `schema`, itself included.
fn for_each_schema(
    schema: &Value,
    pointer: &str,
    visit: &mut dyn FnMut(&str, &Map<String, Value>),
) {
    let Value::Object(keywords) = schema else {
        assert!(schema.is_boolean(), "{pointer} is no schema");
        return;
    };
    visit(pointer, keywords);
    for (keyword, value) in keywords {
        let place = format!("{pointer}/{keyword}");
        match (keyword.as_str(), value) {
            ("properties" | "patternProperties" | "$defs", Value::Object(named)) => {
                for (name, schema) in named {
                    for_each_schema(schema, &format!("{place}/{name}"), visit);
                }
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(schemas)) => {
                for (index, schema) in schemas.iter().enumerate() {
                    for_each_schema(schema, &format!("{place}/{index}"), visit);
                }
            }
            ("additionalProperties" | "items" | "not" | "if" | "then" | "else", schema) => {
                for_each_schema(schema, &place, visit)
            }
            _ => {}
        }
    }
}

fn for_each_shipped_schema(visit: &mut dyn FnMut(&str, &Map<String, Value>)) {
    for shipped in all() {
        for_each_schema(&shipped.schema, &shipped.schema_id, visit);
    }
}

#[test]
fn the_checked_in_files_are_what_the_models_give() {
    let update = std::env::var_os("AUGMENTED_UPDATE").is_some();
    let generated = generate();
    for (name, text) in &generated {
        let path = folder().join(name);
        if update {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, text).unwrap();
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stored == *text,
            "{} is stale: run the tests once with AUGMENTED_UPDATE=1 and review the difference",
            path.display()
        );
    }
    let expected: BTreeSet<String> = generated.into_iter().map(|(name, _)| name).collect();
    let stored = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(expected, stored, "one file for each kind, and nothing else");
}

#[test]
fn every_modelled_kind_has_a_schema_and_no_other() {
    for kind in DefinitionKind::ALL {
        assert_eq!(schema_for(kind).is_some(), kind.is_modelled(), "{kind}");
    }
}

#[test]
fn every_schema_conforms_to_the_meta_schema() {
    for shipped in all() {
        assert_eq!(
            shipped.schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        if let Err(error) = jsonschema::meta::validate(&shipped.schema) {
            panic!(
                "{}: {} at {}",
                shipped.schema_id,
                error,
                error.instance_path()
            );
        }
    }
}

/// What makes a schema unfit for the database, if anything.
fn lint(keywords: &Map<String, Value>) -> Vec<String> {
    let mut faults = Vec::new();
    for (keyword, value) in keywords {
        if !EVALUATED.contains(&keyword.as_str()) && !ANNOTATIONS.contains(&keyword.as_str()) {
            faults.push(format!(
                "keyword `{keyword}` is not evaluated by the database"
            ));
        }
        match (keyword.as_str(), value) {
            ("pattern", Value::String(pattern)) => faults.extend(lint_pattern(pattern)),
            ("patternProperties", Value::Object(named)) => {
                faults.extend(named.keys().flat_map(|pattern| lint_pattern(pattern)))
            }
            ("$ref", Value::String(target)) if !target.starts_with("#/$defs/") => {
                faults.push(format!("`{target}` is not local"))
            }
            ("type", Value::String(name)) if name == "null" => {
                faults.push("`null` alternative".to_owned())
            }
            ("type", Value::Array(names)) if names.contains(&json!("null")) => {
                faults.push("`null` alternative".to_owned())
            }
            _ => {}
        }
    }
    faults
}

/// What makes a pattern mean different things to different engines, if anything.
fn lint_pattern(pattern: &str) -> Option<String> {
    if !pattern.is_ascii() || pattern.contains('\\') {
        return Some(format!(
            "`{pattern}` holds an escape or a letter that is not ASCII"
        ));
    }
    let outside_classes = Regex::new(r"\[\^?[^\]]*\]")
        .unwrap()
        .replace_all(pattern, "");
    if outside_classes.contains("(?") && Regex::new(r"\(\?[^:]").unwrap().is_match(&outside_classes)
    {
        return Some(format!("`{pattern}` holds a group that is not plain"));
    }
    if outside_classes.contains('.') {
        return Some(format!(
            "`{pattern}` holds a dot, which engines match differently"
        ));
    }
    let bounds = Regex::new(r"\{([0-9]+)(?:,([0-9]*))?\}").unwrap();
    let excessive = bounds
        .captures_iter(&outside_classes)
        .flat_map(|found| [found.get(1), found.get(2)])
        .flatten()
        .any(|bound| bound.as_str().parse::<u32>().is_ok_and(|bound| bound > 255));
    if excessive {
        return Some(format!("`{pattern}` holds a repeat beyond 255"));
    }
    Regex::new(pattern).err().map(|error| error.to_string())
}

#[test]
fn schemas_use_only_what_the_database_evaluates() {
    let mut faults = Vec::new();
    for_each_shipped_schema(&mut |pointer, keywords| {
        faults.extend(
            lint(keywords)
                .into_iter()
                .map(|fault| format!("{pointer}: {fault}")),
        );
    });
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_lint_refuses_what_the_database_cannot_evaluate() {
    for schema in [
        json!({"format": "uint32"}),
        json!({"propertyNames": {}}),
        json!({"unevaluatedProperties": false}),
        json!({"type": ["string", "null"]}),
        json!({"type": "null"}),
        json!({"$ref": "https://example.com/x"}),
        json!({"pattern": r"^\d+$"}),
        json!({"pattern": "^ä$"}),
        json!({"pattern": "^(?=a)a$"}),
        json!({"pattern": "^(?i)a$"}),
        json!({"pattern": "^a{0,256}$"}),
        json!({"pattern": "^a.b$"}),
        json!({"pattern": "^(a$"}),
        json!({"patternProperties": {r"^\w": true}}),
    ] {
        assert!(!lint(schema.as_object().unwrap()).is_empty(), "{schema}");
    }
    assert!(
        lint(
            json!({"pattern": patterns::EVENT_PATTERN})
                .as_object()
                .unwrap()
        )
        .is_empty()
    );
}

#[test]
fn objects_with_named_members_are_closed() {
    for_each_shipped_schema(&mut |pointer, keywords| {
        let declares = keywords.get("properties").is_some_and(|properties| {
            properties
                .as_object()
                .unwrap()
                .values()
                .any(|property| property.get("description").is_some())
        });
        if declares {
            assert_eq!(
                keywords.get("additionalProperties"),
                Some(&json!(false)),
                "{pointer}"
            );
        }
    });
}

#[test]
fn every_member_is_described_and_shown() {
    let mut faults = Vec::new();
    for_each_shipped_schema(&mut |pointer, keywords| {
        // Conditions and open objects restrict members; closed objects declare them.
        if keywords.get("additionalProperties") != Some(&json!(false)) {
            return;
        }
        for (name, property) in keywords
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            for needed in ["title", "description", "examples"] {
                if property
                    .get(needed)
                    .is_none_or(|value| *value == json!("") || *value == json!([]))
                {
                    faults.push(format!("{pointer}/{name} lacks {needed}"));
                }
            }
        }
    });
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_example_and_default_fits_its_own_schema() {
    let mut count = 0;
    for shipped in all() {
        for_each_schema(
            &shipped.schema,
            &shipped.schema_id,
            &mut |pointer, keywords| {
                let samples = keywords
                    .get("examples")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .chain(keywords.get("default"));
                let samples: Vec<&Value> = samples.collect();
                if samples.is_empty() {
                    return;
                }
                let mut schema = Value::Object(keywords.clone());
                schema["$defs"] = shipped.schema["$defs"].clone();
                let validator = jsonschema::validator_for(&schema).unwrap();
                for sample in samples {
                    count += 1;
                    if let Err(error) = validator.validate(sample) {
                        panic!(
                            "{pointer}: {sample} does not fit: {error} at {}",
                            error.instance_path()
                        );
                    }
                }
            },
        );
    }
    assert!(count > 300, "only {count} samples were found");
}
