//! Our walk and the engine give the same verdict on every value.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::json::patch;
use crate::schema::check::Mode;
use crate::schema::{CompiledSchema, SchemaOptions};
use crate::validate::Severity;

/// Small values, often near what the schemas below speak of.
pub(super) fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-2..4i64).prop_map(Value::from),
        prop::sample::select(vec![json!(0.5), json!(1.5), json!(2.0)]),
        prop::sample::select(vec!["", "a", "b", "A", "ab", "abc", "2026-01-31"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..4)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "A", "ab", "t", "T"]).prop_map(str::to_owned)
}

fn object(members: Vec<(&'static str, Value)>) -> Value {
    Value::Object(
        members
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v))
            .collect(),
    )
}

/// A keyword that stands for itself.
pub(super) fn plain_keyword() -> impl Strategy<Value = (&'static str, Value)> {
    let type_name = || {
        prop::sample::select(vec![
            "null", "boolean", "integer", "number", "string", "array", "object",
        ])
    };
    prop_oneof![
        type_name().prop_map(|t| ("type", json!(t))),
        prop::collection::btree_set(type_name(), 1..4).prop_map(|t| ("type", json!(t))),
        prop::collection::vec(any_value(), 1..3).prop_map(|mut v| {
            v.dedup();
            ("enum", json!(v))
        }),
        any_value().prop_map(|v| ("const", v)),
        (-1..3i64).prop_map(|n| ("minimum", json!(n))),
        (-1..3i64).prop_map(|n| ("exclusiveMaximum", json!(n))),
        prop::sample::select(vec![json!(1), json!(2), json!(0.5)]).prop_map(|n| ("multipleOf", n)),
        (0..3u32).prop_map(|n| ("minLength", json!(n))),
        (0..3u32).prop_map(|n| ("maxLength", json!(n))),
        prop::sample::select(vec!["^a", "b$", "^[ab]+$", "\\d"])
            .prop_map(|p| ("pattern", json!(p))),
        prop::sample::select(vec!["date", "business-id", "email"])
            .prop_map(|f| ("format", json!(f))),
        (0..3u32).prop_map(|n| ("maxItems", json!(n))),
        Just(("uniqueItems", json!(true))),
        (0..3u32).prop_map(|n| ("minProperties", json!(n))),
        prop::collection::btree_set(name(), 0..3).prop_map(|n| ("required", json!(n))),
        prop::collection::btree_map(name(), prop::collection::btree_set(name(), 0..2), 0..2)
            .prop_map(|d| ("dependentRequired", json!(d))),
    ]
}

fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => prop::collection::vec(plain_keyword(), 0..3).prop_map(object),
        1 => any::<bool>().prop_map(Value::from),
        1 => prop::sample::select(vec!["#/$defs/x", "#/$defs/y", "#anchor"]).prop_map(|r| json!({"properties": {"a": {"$ref": r}}})),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        let schemas = || prop::collection::vec(inner.clone(), 1..4).prop_map(Value::from);
        let named = || {
            prop::collection::btree_map(name(), inner.clone(), 0..3)
                .prop_map(|m| Value::Object(m.into_iter().collect()))
        };
        let keyword = prop_oneof![
            3 => named().prop_map(|m| ("properties", m)),
            1 => inner.clone().prop_map(|s| ("patternProperties", json!({"^a": s}))),
            1 => inner.clone().prop_map(|s| ("additionalProperties", s)),
            1 => inner.clone().prop_map(|s| ("propertyNames", s)),
            1 => inner.clone().prop_map(|s| ("items", s)),
            1 => schemas().prop_map(|s| ("prefixItems", s)),
            1 => inner.clone().prop_map(|s| ("contains", s)),
            1 => (0..3u32).prop_map(|n| ("minContains", json!(n))),
            1 => (0..3u32).prop_map(|n| ("maxContains", json!(n))),
            2 => schemas().prop_map(|s| ("allOf", s)),
            2 => schemas().prop_map(|s| ("anyOf", s)),
            2 => schemas().prop_map(|s| ("oneOf", s)),
            1 => inner.clone().prop_map(|s| ("not", s)),
            1 => inner.clone().prop_map(|s| ("if", s)),
            1 => inner.clone().prop_map(|s| ("then", s)),
            1 => inner.clone().prop_map(|s| ("else", s)),
            1 => named().prop_map(|m| ("dependentSchemas", m)),
            1 => inner.clone().prop_map(|s| ("unevaluatedProperties", s)),
            1 => inner.clone().prop_map(|s| ("unevaluatedItems", s)),
            3 => plain_keyword(),
            1 => tagged(inner.clone().boxed()).prop_map(|s| ("oneOf", s)),
        ];
        prop::collection::vec(keyword, 1..4).prop_map(object)
    })
}

/// Branches told apart by a member.
fn tagged(inner: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec(inner, 2..4).prop_map(|below| {
        let branches = below.into_iter().zip(["a", "b", "abc"]);
        branches.map(|(below, tag)| json!({"required": ["t"], "additionalProperties": false, "properties": {"t": {"const": tag}, "ab": below}})).collect()
    })
}

fn document(root: Value, x: Value, y: Value) -> Value {
    let mut root = match root {
        Value::Object(members) => members,
        other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
    };
    let anchored = match x {
        Value::Object(mut members) => {
            members.insert("$anchor".to_owned(), json!("anchor"));
            Value::Object(members)
        }
        other => json!({"$anchor": "anchor", "not": {"not": other}}),
    };
    root.insert("$defs".to_owned(), json!({"x": anchored, "y": y}));
    Value::Object(root)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_walk_agrees_with_the_engine(root in any_schema(), x in any_schema(), y in any_schema(), values in prop::collection::vec(any_value(), 12)) {
        let Ok(schema) = CompiledSchema::compile(&document(root, x, y), &SchemaOptions::new()) else {
            return Ok(());
        };
        for value in &values {
            let verdict = schema.is_valid(value);
            let mut test = schema.checker(value, Mode::Test);
            prop_assert_eq!(test.check(schema.documents().root(), value), verdict, "{} {}", schema.schema(), value);
            let mut collect = schema.checker(value, Mode::Collect);
            prop_assert_eq!(collect.check(schema.documents().root(), value), verdict, "collecting {} {}", schema.schema(), value);
            let (findings, ..) = collect.finish();
            prop_assert_eq!(findings.is_empty(), verdict, "{} {} {:?}", schema.schema(), value, findings);
        }
    }

    #[test]
    fn a_single_fix_ends_its_finding_and_starts_no_error(root in any_schema(), x in any_schema(), y in any_schema(), values in prop::collection::vec(any_value(), 6)) {
        let Ok(schema) = CompiledSchema::compile(&document(root, x, y), &SchemaOptions::new()) else {
            return Ok(());
        };
        for value in &values {
            let before = schema.validate(value);
            for finding in &before {
                let Some(fix) = &finding.fix else { continue };
                let repaired = patch::apply(value, fix);
                prop_assert!(repaired.is_ok(), "{:?}", finding);
                let after = schema.validate(&repaired.unwrap());
                let key = |f: &crate::validate::Finding| (f.code.clone(), f.pointer.clone());
                prop_assert!(after.iter().all(|f| key(f) != key(finding)), "{} {} {:?}", schema.schema(), value, finding);
                let known: Vec<_> = before.iter().map(key).collect();
                let new: Vec<_> = after.iter().filter(|f| f.severity == Severity::Error && !known.contains(&key(f))).collect();
                prop_assert!(new.is_empty(), "{} {} {:?} brings {:?}", schema.schema(), value, finding, new);
            }
        }
    }
}
