//! Tests of the language as a whole.

mod frozen;
mod imports;
mod language;
mod limits;
mod random;
mod sites;
mod templates;

use serde_json::{Value, json};

use super::{
    CelEngine, CompiledExpr, ExprSite, ExpressionEngine, FieldClass, JsonBindings, Profile, Shape,
};

/// A site where a bit of everything may be read.
pub(super) fn site(profile: Profile) -> ExprSite {
    let mut site = ExprSite::new("test", profile, FieldClass::Value);
    for root in ["input", "vars", "output"] {
        site = site.with_root(root, Shape::Data);
    }
    let typical = ExprSite::event_transition();
    for root in ["steps", "workflow", "event", "outcome", "now"] {
        if let Some(shape) = typical.shape(root) {
            site = site.with_root(root, shape.clone());
        }
    }
    site
}

pub(super) fn roots() -> JsonBindings {
    JsonBindings::new()
        .with(
            "input",
            json!({
                "amount": 1200,
                "price": 10.5,
                "whole": 3.0,
                "big": 18_446_744_073_709_551_615_u64,
                "name": "Ada Lovelace",
                "empty": "",
                "nothing": null,
                "flag": true,
                "text": "grüße",
                "at": "2026-03-29T00:30:00Z",
                "list": [3, 1, 2],
                "names": ["b", "a", "c"],
                "nested": [[1, 2], [3, [4]]],
                "items": [{"sku": "x", "price": 7, "qty": 2}, {"sku": "y", "price": 10.5, "qty": 1}],
                "map": {"b": 1, "a": 2, "ä": 3, "B": 4},
                "a-b": {"c": 5},
                "doc": "{\"z\":1,\"a\":[1,2.5,null]}"
            }),
        )
        .with("vars", json!({"limit": 1000}))
        .with("output", json!({"status": "approved", "score": 712.5}))
        .with("outcome", json!("SUCCESS"))
        .with("steps", json!({"pay": {"status": "COMPLETED", "output": {"id": 7}}, "a-b": {"output": {"x": 1}}}))
        .with_now("2026-01-31T08:30:15.250Z".parse().unwrap())
}

pub(super) fn compiled(source: &str, profile: Profile) -> CompiledExpr {
    CelEngine::shared()
        .compile(source, &site(profile))
        .unwrap_or_else(|problems| panic!("{source}: {problems:?}"))
}

/// Evaluates in a profile; an error is `CODE: message`, a problem found before evaluation too.
pub(super) fn outcome(source: &str, profile: Profile) -> Result<Value, String> {
    match CelEngine::shared().compile(source, &site(profile)) {
        Ok(expr) => expr.eval(&roots()).map_err(|error| error.to_string()),
        Err(problems) => Err(problems[0].to_string()),
    }
}

/// Checks a value (as JSON) or an error (`!` and a part of its text).
pub(super) fn check(profile: Profile, source: &str, expected: &str) {
    let found = outcome(source, profile);
    match expected.strip_prefix('!') {
        Some(part) => match found {
            Ok(value) => panic!("{source} gives {value}, not an error with `{part}`"),
            Err(text) => assert!(text.contains(part), "{source} gives `{text}`, not `{part}`"),
        },
        None => {
            let expected: Value =
                serde_json::from_str(expected).unwrap_or_else(|_| panic!("{expected}"));
            assert_eq!(found.as_ref(), Ok(&expected), "{source}");
            assert_eq!(
                found.map(|value| value.to_string()),
                Ok(expected.to_string()),
                "{source}"
            );
        }
    }
}

pub(super) fn strict(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        check(Profile::Strict, source, expected);
    }
}

pub(super) fn lenient(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        check(Profile::Lenient, source, expected);
    }
}
