//! The shipped JSON Schemas and the Rust models agree about every document.
#![expect(clippy::unwrap_used, reason = "a failing helper fails its test")]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use augmented_core::json::canonical;
use augmented_core::model::load::split_documents;
use augmented_core::model::{Definition, DefinitionKind, StepType, WorkflowDefinition};
use augmented_core::{json, schemas};
use jsonschema::{PatternOptions, Validator};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

fn samples() -> &'static [(DefinitionKind, Value)] {
    static SAMPLES: LazyLock<Vec<(DefinitionKind, Value)>> = LazyLock::new(|| {
        let mut samples = Vec::new();
        for kind in DefinitionKind::MODELLED {
            let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join(format!("tests/data/definitions/{kind}.json"));
            let text: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            samples.extend(split_documents(&text).map(|document| (kind, document.value.clone())));
        }
        samples
    });
    &SAMPLES
}

fn validator(kind: DefinitionKind) -> &'static Validator {
    static VALIDATORS: LazyLock<HashMap<DefinitionKind, Validator>> = LazyLock::new(|| {
        let build = |kind| {
            let schema = schemas::schema_for(kind).unwrap();
            (
                kind,
                jsonschema::options()
                    .with_pattern_options(PatternOptions::regex())
                    .build(schema)
                    .unwrap(),
            )
        };
        DefinitionKind::MODELLED.into_iter().map(build).collect()
    });
    &VALIDATORS[&kind]
}

fn sample_workflow() -> WorkflowDefinition {
    serde_json::from_value(samples()[0].1.clone()).unwrap()
}

/// The document as it is stored: without `$schema`.
fn stored_form(document: &Value) -> String {
    let mut document = document.clone();
    document.as_object_mut().unwrap().remove("$schema");
    canonical::to_string(&document)
}

/// Reads an accepted document and demands that nothing was lost or added.
fn check_round_trip(document: &Value) -> Result<(), String> {
    let definition = Definition::from_value(document.clone()).map_err(|error| {
        let source = std::error::Error::source(&error)
            .map(ToString::to_string)
            .unwrap_or_default();
        format!("{error}: {source}")
    })?;
    let written = definition.to_value().map_err(|error| error.to_string())?;
    let (expected, found) = (stored_form(document), canonical::to_string(&written));
    if expected == found {
        Ok(())
    } else {
        Err(format!("read as {found} instead of {expected}"))
    }
}

#[test]
fn samples_are_accepted_and_keep_their_canonical_form() {
    for (kind, document) in samples() {
        if let Err(error) = validator(*kind).validate(document) {
            panic!("{kind}: {error} at {}", error.instance_path());
        }
        check_round_trip(document).unwrap();
    }
}

#[test]
fn the_sample_workflow_uses_every_step_type() {
    let workflow = sample_workflow();
    let used: BTreeSet<StepType> = workflow.all_steps().map(|step| step.step_type()).collect();
    assert_eq!(used, StepType::ALL.into_iter().collect());
}

#[test]
fn nested_steps_follow_their_container_in_order() {
    let workflow = sample_workflow();
    let ids: Vec<&str> = workflow.all_steps().map(|step| step.step_id()).collect();
    assert_eq!(
        &ids[5..9],
        ["check", "check-credit", "check-stock", "reserve"]
    );
    assert_eq!(workflow.entry_step_id(), Some("receive"));
}

/// Every member that closed objects of the schema declare, as `place/member`.
fn declared_members(schema: &Value) -> BTreeSet<String> {
    let mut declared = BTreeSet::new();
    let definitions = schema
        .get("$defs")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    for (name, definition) in definitions
        .map(|(name, definition)| (name.as_str(), definition))
        .chain([("", schema)])
    {
        for (member, _) in definition
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            declared.insert(format!("{name}/{member}"));
        }
    }
    declared
}

/// Notes which declared members `value` uses.
fn note_used(root: &Value, name: &str, schema: &Value, value: &Value, used: &mut BTreeSet<String>) {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let name = target.trim_start_matches("#/$defs/");
        return note_used(root, name, &root["$defs"][name], value, used);
    }
    if let Some(discriminator) = schema.get("x-discriminator").and_then(Value::as_str) {
        for branch in schema["oneOf"].as_array().unwrap() {
            let name = branch["$ref"]
                .as_str()
                .unwrap()
                .trim_start_matches("#/$defs/");
            let definition = &root["$defs"][name];
            if definition["properties"][discriminator]["const"] == value[discriminator] {
                note_used(root, name, definition, value, used);
            }
        }
        return;
    }
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                if let Some(property) = schema
                    .get("properties")
                    .and_then(|properties| properties.get(member))
                {
                    used.insert(format!("{name}/{member}"));
                    note_used(root, "?", property, value, used);
                } else if let Some(any) = schema
                    .get("additionalProperties")
                    .filter(|any| any.is_object())
                {
                    note_used(root, "?", any, value, used);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                note_used(
                    root,
                    "?",
                    schema.get("items").unwrap_or(&Value::Null),
                    item,
                    used,
                );
            }
        }
        _ => {}
    }
}

#[test]
fn samples_use_every_member_of_every_kind() {
    for kind in DefinitionKind::MODELLED {
        let schema = schemas::schema_for(kind).unwrap();
        let mut used = BTreeSet::new();
        for (_, document) in samples().iter().filter(|(of, _)| *of == kind) {
            note_used(schema, "", schema, document, &mut used);
        }
        let unused: Vec<String> = declared_members(schema)
            .difference(&used)
            .cloned()
            .collect();
        assert!(unused.is_empty(), "{kind}: {unused:?}");
    }
}

/// Pointers to every value in a document, the root included.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                pointers(
                    value,
                    &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Other texts that a text may be replaced by: legal ones of many members, and near misses.
const TEXTS: [&str; 40] = [
    "",
    " ",
    "x",
    "ä",
    "a b",
    "1.0.0",
    "1.0",
    "^1",
    "PT1S",
    "P",
    "PT",
    "P1DT",
    "P1M",
    "PT0S",
    "P1W",
    "P9999999D",
    "STOP",
    "CONTINUE",
    "stop",
    "START",
    "END",
    "PASS",
    "TASK",
    "DELAY",
    "NATIVE",
    "HTTP",
    "HUMAN",
    "MANUAL",
    "AUTOMATED",
    "INSTANCE",
    "FOREVER",
    "order.placed",
    "order.*",
    "**",
    "2026-01-31T08:00:00Z",
    "2026-02-31",
    "secret:x",
    "initiator",
    "COMPLETED",
    "FAILED",
];

/// Changes one place of a document.
fn mutate(document: &mut Value, place: &Index, how: u8, text: &Index) {
    let mut places = Vec::new();
    pointers(document, "", &mut places);
    let donors: Vec<Value> = places
        .iter()
        .filter_map(|place| document.pointer(place))
        .cloned()
        .collect();
    let pointer = place.get(&places).clone();
    let Some(target) = document.pointer_mut(&pointer) else {
        return;
    };
    match (how, &mut *target) {
        (0, Value::Object(members)) => {
            if !members.is_empty() {
                let name = text
                    .get(&members.keys().cloned().collect::<Vec<_>>())
                    .clone();
                members.remove(&name);
            }
        }
        (1, Value::Object(members)) => {
            if !members.is_empty() {
                let name = text
                    .get(&members.keys().cloned().collect::<Vec<_>>())
                    .clone();
                let value = members.remove(&name).unwrap_or_default();
                members.insert(format!("{name}s"), value);
            }
        }
        (2, Value::Object(members)) => {
            members.insert(
                text.get(&[
                    "timeout",
                    "next",
                    "metadata",
                    "extra",
                    "input",
                    "outcome",
                    "manual",
                    "signalType",
                ])
                .to_string(),
                json!("PT1S"),
            );
        }
        (0, Value::Array(items)) => {
            items.pop();
        }
        (1, Value::Array(items)) => {
            if let Some(first) = items.first().cloned() {
                items.push(first);
            }
        }
        (2, Value::Array(items)) => items.clear(),
        (0 | 1, Value::String(string)) => *string = (*text.get(&TEXTS)).to_owned(),
        (2, Value::String(string)) => *string = string.repeat(300),
        (0, Value::Number(_)) => *target = json!(0),
        (1, Value::Number(_)) => *target = json!(-1),
        (2, Value::Number(_)) => *target = json!(1e12),
        (3, Value::Number(_)) => *target = json!(1.5),
        (4, _) => *target = Value::Null,
        (5, _) => *target = json!(text.get(&[true, false])),
        (6, _) => *target = json!({}),
        (7, _) => *target = json!([]),
        (8, _) => *target = json!(7.0),
        // A value from somewhere else in the document: often of the right type in the wrong place.
        (_, _) => *target = text.get(&donors).clone(),
    }
}

/// Mutates a sample and holds the models to what the schema accepts; whether it accepted.
fn check_mutant(sample: &Index, changes: &[(Index, u8, Index)]) -> Result<bool, String> {
    let (kind, original) = sample.get(samples());
    let mut document = original.clone();
    for (place, how, text) in changes {
        mutate(&mut document, place, *how, text);
    }
    let document = json::normalise_numbers(document);
    if !validator(*kind).is_valid(&document) {
        return Ok(false);
    }
    check_round_trip(&document)
        .map_err(|fault| format!("{fault}\n{document}"))
        .map(|()| true)
}

fn change() -> impl Strategy<Value = (Index, u8, Index)> {
    (any::<Index>(), 0..11_u8, any::<Index>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_the_schema_accepts_the_model_reads_and_writes(sample in any::<Index>(), changes in prop::collection::vec(change(), 1..4)) {
        if let Err(fault) = check_mutant(&sample, &changes) {
            prop_assert!(false, "{}", fault);
        }
    }
}

#[test]
fn mutations_are_both_accepted_and_refused() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let strategy = (any::<Index>(), change());
    let verdicts: Vec<bool> = (0..200)
        .map(|_| {
            let (sample, change) = strategy.new_tree(&mut runner).unwrap().current();
            check_mutant(&sample, &[change]).unwrap()
        })
        .collect();
    let accepted = verdicts.iter().filter(|accepted| **accepted).count();
    assert!(
        (20..180).contains(&accepted),
        "{accepted} of {} mutants were accepted",
        verdicts.len()
    );
}

/// A change to a sample that the schema must refuse, by a rule whose path holds `keyword`.
fn check_refused(kind: DefinitionKind, index: usize, change: impl Fn(&mut Value), keyword: &str) {
    let (_, mut document) = samples()
        .iter()
        .filter(|(of, _)| *of == kind)
        .nth(index)
        .cloned()
        .unwrap();
    change(&mut document);
    let validator = validator(kind);
    let found: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| error.schema_path().to_string())
        .collect();
    assert!(
        found.iter().any(|path| path.contains(keyword)),
        "{keyword} was not reported: {found:?}"
    );
}

#[test]
fn rules_between_members_are_enforced() {
    use DefinitionKind::{Schedule, Task, Trigger, Workflow};
    let step = |document: &mut Value, at: usize, change: fn(&mut Map<String, Value>)| {
        change(document["steps"][at].as_object_mut().unwrap());
    };
    // Steps are reported through `oneOf`, the discriminator picks the branch for messages.
    check_refused(
        Workflow,
        0,
        |document| {
            step(document, 7, |wait| {
                wait.insert("signalType".into(), json!("x"));
            })
        },
        "oneOf",
    );
    check_refused(
        Workflow,
        0,
        |document| {
            step(document, 7, |wait| {
                wait.remove("eventPattern");
            })
        },
        "oneOf",
    );
    check_refused(
        Workflow,
        0,
        |document| {
            step(document, 7, |wait| {
                wait.remove("correlationValue");
            })
        },
        "oneOf",
    );
    check_refused(
        Workflow,
        0,
        |document| {
            step(document, 10, |delay| {
                delay.insert("until".into(), json!("now"));
            })
        },
        "oneOf",
    );
    check_refused(
        Workflow,
        0,
        |document| {
            step(document, 14, |end| {
                end.insert("errorCode".into(), json!("X"));
            })
        },
        "oneOf",
    );
    check_refused(
        Workflow,
        0,
        |document| {
            step(document, 15, |end| {
                end.insert("outcome".into(), json!("X"));
            })
        },
        "oneOf",
    );
    check_refused(
        Workflow,
        0,
        |document| {
            step(document, 1, |pass| {
                pass.insert("timeout".into(), json!("PT1S"));
            })
        },
        "oneOf",
    );
    check_refused(Task, 0, |task| task["manual"] = json!({}), "manual");
    check_refused(
        Task,
        1,
        |task| {
            task.as_object_mut().unwrap().remove("manual");
        },
        "required",
    );
    check_refused(
        Task,
        1,
        |task| task["queueTimeout"] = json!("PT1S"),
        "queueTimeout",
    );
    check_refused(
        Task,
        4,
        |task| {
            task["implementation"]["parameters"]["auth"]
                .as_object_mut()
                .unwrap()
                .remove("name");
        },
        "Implementation",
    );
    check_refused(
        Task,
        0,
        |task| task["executionConfig"]["environmentVariables"]["TASK_ID"] = json!("x"),
        "environmentVariables",
    );
    check_refused(
        Trigger,
        2,
        |trigger| {
            trigger.as_object_mut().unwrap().remove("signalType");
        },
        "required",
    );
    check_refused(
        Schedule,
        0,
        |schedule| schedule["timing"]["executeAt"] = json!("2026-01-31T08:00:00Z"),
        "executeAt",
    );
    check_refused(
        Schedule,
        1,
        |schedule| schedule["timing"]["cronExpression"] = json!("* * * * *"),
        "cronExpression",
    );
    check_refused(
        Schedule,
        1,
        |schedule| schedule["timing"] = json!({}),
        "required",
    );
}
