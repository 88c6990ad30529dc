//! Compatibility of versions.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::agreement::{any_value, plain_keyword};
use super::compile;
use crate::schema::{
    Bump, CompatReport, CompatResult, Compatibility, CompatibilityChecker, CompiledSchema, Effect,
    SchemaOptions,
};

fn compare(old: &Value, new: &Value, mode: Compatibility) -> CompatReport {
    CompatibilityChecker::new(mode).check(&[("1.0.0", &compile(old))], &compile(new))
}

fn mark(effect: Effect) -> char {
    match effect {
        Effect::Ok => '+',
        Effect::Breaks => '-',
        Effect::Unknown => '?',
    }
}

/// Kind, pointer, backward and forward of each change, and the bump they ask for.
fn check(old: Value, new: Value, expected: &[&str], bump: Bump) {
    let report = compare(&old, &new, Compatibility::Full);
    let found: Vec<String> = report
        .changes
        .iter()
        .map(|c| {
            format!(
                "{:?} {} {}{}",
                c.change_type,
                c.pointer,
                mark(c.backward),
                mark(c.forward)
            )
        })
        .collect();
    assert_eq!(found, expected, "{old} {new}");
    assert_eq!(report.required_bump, bump, "{old} {new}");
    let same = compare(&old, &old, Compatibility::Full);
    assert_eq!(
        (same.result, same.changes.len()),
        (CompatResult::Compatible, 0),
        "{old}"
    );
}

#[test]
fn members_come_and_go_in_open_and_closed_objects() {
    let open = json!({"properties": {"a": {"type": "string"}}});
    let open_more = json!({"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}});
    let closed = json!({"additionalProperties": false, "properties": {"a": {"type": "string"}}});
    let closed_more = json!({"additionalProperties": false, "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}});
    check(
        closed.clone(),
        closed_more.clone(),
        &["AddedField /properties/b +-"],
        Bump::Minor,
    );
    check(
        open.clone(),
        open_more.clone(),
        &["AddedField /properties/b ++"],
        Bump::Minor,
    );
    check(
        closed_more,
        closed.clone(),
        &["RemovedField /properties/b -+"],
        Bump::Major,
    );
    check(
        open_more.clone(),
        open.clone(),
        &["RemovedField /properties/b ++"],
        Bump::Minor,
    );
    let required = json!({"required": ["b"], "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}});
    check(
        required,
        open.clone(),
        &["RemovedField /properties/b +-"],
        Bump::Minor,
    );
    check(
        open.clone(),
        closed.clone(),
        &["ClosedModel /additionalProperties -+"],
        Bump::Major,
    );
    check(
        closed,
        open,
        &["OpenedModel /additionalProperties +-"],
        Bump::Minor,
    );
}

#[test]
fn every_kind_of_change_has_its_effects() {
    for (old, new, change, bump) in [
        (
            json!({}),
            json!({"required": ["a"]}),
            "AddedRequired /required -+",
            Bump::Major,
        ),
        (
            json!({"required": ["a"]}),
            json!({}),
            "RemovedRequired /required +-",
            Bump::Minor,
        ),
        (
            json!({"type": ["string", "null"]}),
            json!({"type": "string"}),
            "NarrowedType /type -+",
            Bump::Major,
        ),
        (
            json!({"type": "integer"}),
            json!({"type": "number"}),
            "WidenedType /type +-",
            Bump::Minor,
        ),
        (
            json!({"type": "integer"}),
            json!({"type": "string"}),
            "NarrowedType /type --",
            Bump::Major,
        ),
        (
            json!({"enum": ["a", "b"]}),
            json!({"enum": ["a"]}),
            "RemovedEnumValue /enum -+",
            Bump::Major,
        ),
        (
            json!({"enum": ["a"]}),
            json!({"enum": ["a", "b"]}),
            "AddedEnumValue /enum +-",
            Bump::Minor,
        ),
        (
            json!({"minimum": 1}),
            json!({"minimum": 2}),
            "TightenedConstraint /minimum -+",
            Bump::Major,
        ),
        (
            json!({"maxLength": 1}),
            json!({"maxLength": 2}),
            "RelaxedConstraint /maxLength +-",
            Bump::Minor,
        ),
        (
            json!({"multipleOf": 4}),
            json!({"multipleOf": 2}),
            "RelaxedConstraint /multipleOf +-",
            Bump::Minor,
        ),
        (
            json!({"multipleOf": 3}),
            json!({"multipleOf": 2}),
            "TightenedConstraint /multipleOf --",
            Bump::Major,
        ),
        (
            json!({}),
            json!({"format": "email"}),
            "TightenedConstraint /format -+",
            Bump::Major,
        ),
        (
            json!({"pattern": "a"}),
            json!({}),
            "RelaxedConstraint /pattern +-",
            Bump::Minor,
        ),
        (
            json!({"pattern": "a"}),
            json!({"pattern": "b"}),
            "ChangedPattern /pattern ??",
            Bump::Major,
        ),
        (
            json!({"anyOf": [{}]}),
            json!({"anyOf": [{"type": "null"}]}),
            "ChangedComposition /anyOf ??",
            Bump::Major,
        ),
        (
            json!({"title": "a"}),
            json!({"title": "b"}),
            "AnnotationChanged /title ++",
            Bump::Patch,
        ),
        (
            json!({"items": {"minimum": 1}}),
            json!({"items": {}}),
            "RelaxedConstraint /items/minimum +-",
            Bump::Minor,
        ),
        (
            json!({"prefixItems": [{"minimum": 1}]}),
            json!({"prefixItems": [{}]}),
            "RelaxedConstraint /prefixItems/0/minimum +-",
            Bump::Minor,
        ),
        (
            json!({"additionalProperties": {"minimum": 1}}),
            json!({"additionalProperties": {}}),
            "RelaxedConstraint /additionalProperties/minimum +-",
            Bump::Minor,
        ),
        (
            json!({"allOf": [{"minimum": 1}]}),
            json!({"allOf": [{"minimum": 0}]}),
            "RelaxedConstraint /allOf/0/minimum +-",
            Bump::Minor,
        ),
        (
            json!({"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"minimum": 1}}}),
            json!({"properties": {"a": {"minimum": 0}}}),
            "RelaxedConstraint /properties/a/minimum +-",
            Bump::Minor,
        ),
        (
            json!({"patternProperties": {"^a": {}}}),
            json!({}),
            "ChangedComposition /patternProperties ??",
            Bump::Major,
        ),
    ] {
        check(old, new, &[change], bump);
    }
}

#[test]
fn rewriting_without_a_change_is_none() {
    let old = json!({"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}], "$defs": {"a": {"description": "x", "properties": {"b": {"$ref": "#/$defs/a"}}}}});
    let new = json!({"anyOf": [{"$ref": "#/$defs/b"}, {"type": "null"}], "$defs": {"b": {"description": "y", "properties": {"b": {"$ref": "#/$defs/b"}}}}});
    let report = compare(&old, &new, Compatibility::Full);
    assert_eq!(
        (report.result, report.changes),
        (CompatResult::Compatible, vec![])
    );
}

#[test]
fn modes_demand_their_directions() {
    let optional = json!({"properties": {"email": {}}});
    let required = json!({"required": ["email"], "properties": {"email": {}}});
    let result = |old, new, mode| compare(old, new, mode).result;
    use CompatResult::{Compatible, Incompatible, Unknown};
    use Compatibility::{Backward, Forward, Full, None};
    assert_eq!(result(&required, &optional, Forward), Incompatible);
    assert_eq!(result(&required, &optional, Backward), Compatible);
    assert_eq!(result(&optional, &required, Backward), Incompatible);
    assert_eq!(result(&optional, &required, Full), Incompatible);
    assert_eq!(result(&optional, &required, None), Compatible);
    assert_eq!(
        result(&json!({"pattern": "a"}), &json!({"pattern": "b"}), Backward),
        Unknown
    );
    let finding = &compare(&optional, &required, Backward).findings[0];
    assert_eq!(
        (
            finding.code.as_ref(),
            finding.pointer.as_str(),
            finding.hint.as_deref()
        ),
        (
            "INCOMPATIBLE_SCHEMA",
            "/required",
            Some("make it optional or give a default")
        )
    );
    assert!(
        finding
            .message
            .starts_with("ADDED_REQUIRED breaks backward"),
        "{}",
        finding.message
    );
}

#[test]
fn transitive_modes_compare_with_every_version() {
    let (one, two, three) = (
        compile(&json!({"type": "string"})),
        compile(&json!({"type": ["string", "null"]})),
        compile(&json!({"type": ["null"]})),
    );
    let published = [("1.0.0", &one), ("1.1.0", &two)];
    let check = |mode| CompatibilityChecker::new(mode).check(&published, &two);
    assert_eq!(
        (
            check(Compatibility::Forward).result,
            check(Compatibility::Forward).compared_with
        ),
        (CompatResult::Compatible, vec!["1.1.0".to_owned()])
    );
    assert_eq!(
        check(Compatibility::ForwardTransitive).result,
        CompatResult::Incompatible
    );
    assert_eq!(
        CompatibilityChecker::new(Compatibility::Forward)
            .check(&published, &three)
            .result,
        CompatResult::Compatible
    );
    let report = CompatibilityChecker::new(Compatibility::Backward).check(&[], &one);
    assert_eq!(
        (report.result, report.required_bump),
        (CompatResult::Compatible, Bump::None)
    );
}

#[test]
fn open_objects_are_trusted_unless_told_otherwise() {
    let (old, new) = (
        compile(&json!({})),
        compile(&json!({"properties": {"a": {"type": "string"}}})),
    );
    let lenient =
        CompatibilityChecker::new(Compatibility::Backward).check(&[("1.0.0", &old)], &new);
    assert_eq!(lenient.result, CompatResult::Compatible);
    assert_eq!(lenient.findings[0].code, "OPEN_MODEL_FIELD_TYPED");
    let strict = CompatibilityChecker::new(Compatibility::Backward)
        .with_strict_open_models(true)
        .check(&[("1.0.0", &old)], &new);
    assert_eq!(strict.result, CompatResult::Incompatible);
}

/// Schemas of the keywords the checker proves things about.
fn any_schema() -> impl Strategy<Value = Value> {
    let object = |members: Vec<(&'static str, Value)>| {
        Value::Object(
            members
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect(),
        )
    };
    let leaf = prop::collection::vec(plain_keyword(), 0..3).prop_map(object);
    leaf.prop_recursive(2, 12, 3, move |inner| {
        let named = || prop::collection::btree_map("[ab]", inner.clone(), 0..3).prop_map(|m| Value::Object(m.into_iter().collect()));
        let keyword = prop_oneof![
            3 => named().prop_map(|m| ("properties", m)),
            2 => prop_oneof![any::<bool>().prop_map(Value::from), inner.clone()].prop_map(|s| ("additionalProperties", s)),
            1 => inner.clone().prop_map(|s| ("items", s)),
            1 => prop::collection::vec(inner.clone(), 1..3).prop_map(|s| ("prefixItems", json!(s))),
            1 => prop::collection::vec(inner.clone(), 1..3).prop_map(|s| ("allOf", json!(s))),
            1 => prop::collection::vec(inner.clone(), 1..3).prop_map(|s| ("anyOf", json!(s))),
            1 => inner.clone().prop_map(|s| ("patternProperties", json!({"^a": s}))),
            3 => plain_keyword(),
        ];
        prop::collection::vec(keyword, 1..4).prop_map(object)
    })
}

fn related_schemas() -> impl Strategy<Value = (Value, Value)> {
    (
        any_schema(),
        any_schema(),
        0..6u8,
        any::<prop::sample::Index>(),
    )
        .prop_map(|(old, other, how, index)| {
            let mut new = old.clone();
            let members = new.as_object_mut().unwrap();
            let keys: Vec<String> = members.keys().cloned().collect();
            match (how, keys.is_empty()) {
                (0, false) => {
                    members.remove(index.get(&keys));
                }
                (1, _) => members.extend(other.as_object().cloned().unwrap_or_default()),
                (2..=4, false) => {
                    for key in &keys {
                        if let Some(value) = other.get(key) {
                            members.insert(key.clone(), value.clone());
                        }
                    }
                }
                _ => return (old, other),
            }
            (old, new)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn compatible_versions_accept_what_they_promise((old, new) in related_schemas(), values in prop::collection::vec(any_value(), 24)) {
        let options = SchemaOptions::new();
        let (Ok(a), Ok(b)) = (CompiledSchema::compile(&old, &options), CompiledSchema::compile(&new, &options)) else {
            return Ok(());
        };
        let result = |mode| CompatibilityChecker::new(mode).with_strict_open_models(true).check(&[("1.0.0", &a)], &b).result;
        let backward = result(Compatibility::Backward) == CompatResult::Compatible;
        let forward = result(Compatibility::Forward) == CompatResult::Compatible;
        for value in &values {
            prop_assert!(!(backward && a.is_valid(value) && !b.is_valid(value)), "backward: {} to {} with {}", old, new, value);
            prop_assert!(!(forward && b.is_valid(value) && !a.is_valid(value)), "forward: {} to {} with {}", old, new, value);
        }
    }

    #[test]
    fn compatible_is_never_what_the_canonical_form_disproves((old, new) in related_schemas()) {
        use jsonschema::canonical::Containment;
        let options = SchemaOptions::new();
        let (Ok(a), Ok(b)) = (CompiledSchema::compile(&old, &options), CompiledSchema::compile(&new, &options)) else {
            return Ok(());
        };
        let canonical = |schema: &Value| {
            jsonschema::canonical::options().offline().should_validate_formats(true).with_pattern_options(jsonschema::PatternOptions::regex()).canonicalize(schema)
        };
        let (Ok(before), Ok(after)) = (canonical(&old), canonical(&new)) else {
            return Ok(());
        };
        let result = |mode| CompatibilityChecker::new(mode).with_strict_open_models(true).check(&[("1.0.0", &a)], &b).result;
        if result(Compatibility::Backward) == CompatResult::Compatible {
            prop_assert_ne!(after.covers(&before).unwrap_or(Containment::Unknown), Containment::No, "{} to {}", old, new);
        }
        if result(Compatibility::Forward) == CompatResult::Compatible {
            prop_assert_ne!(before.covers(&after).unwrap_or(Containment::Unknown), Containment::No, "{} to {}", old, new);
        }
    }
}
