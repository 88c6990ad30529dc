//! Partial evaluation.

use serde_json::json;

use super::{Profile, compiled, language, roots, site};
use crate::expr::{CelEngine, ExprError, ExpressionEngine, JsonBindings};

fn freeze(source: &str, profile: Profile) -> Result<String, ExprError> {
    compiled(source, profile).freeze(&roots(), &["event"])
}

#[test]
fn what_is_known_becomes_constants() {
    for (source, expected) in [
        (
            "event.payload.id == input.amount",
            "(event.payload.id == 1200)",
        ),
        (
            "event.payload.id == input.missing",
            "(event.payload.id == null)",
        ),
        ("input.amount > 1000", "true"),
        (
            "event.payload['a-b'][0] in input.names",
            "(event.payload[\"a-b\"][0] in [\"b\", \"a\", \"c\"])",
        ),
        (
            "event.timestamp > now - duration('1h')",
            "(event.timestamp > timestamp(\"2026-01-31T07:30:15.250Z\"))",
        ),
        (
            "event.payload.items.exists(i, i.price > input.price)",
            "(event.payload.items).exists(_v0, (_v0[\"price\"] > 10.5))",
        ),
        (
            "[1].all(x, event.payload.list.all(y, x == y))",
            "([1]).all(_v0, (event.payload.list).all(_v1, (_v0 == _v1)))",
        ),
        (
            "event.payload.?a.orValue(vars.limit) == 1",
            "((event.payload.?a).orValue(1000) == 1)",
        ),
        (
            "event.payload.name.matches('^a') && has(event.payload.x)",
            "(matches(event.payload.name, \"^a\") && has(event.payload.x))",
        ),
        (
            "input.name + 1 == 2 || event.payload.a",
            "(((dyn(\"Ada Lovelace\") + dyn(1)) == dyn(2)) || event.payload.a)",
        ),
    ] {
        let frozen = freeze(source, Profile::Lenient).unwrap();
        assert_eq!(frozen, expected, "{source}");
        let again = CelEngine::shared().compile(&frozen, &site(Profile::Lenient));
        assert!(again.is_ok(), "{frozen}: {again:?}");
    }
}

/// Freezing everything, or nothing, changes no outcome.
#[test]
fn frozen_expressions_have_the_outcome_of_the_original() {
    let tables = [
        language::NUMBERS,
        language::LOGIC,
        language::PATHS,
        language::LISTS,
        language::TIMES,
        language::OPTIONALS,
    ];
    let nothing = JsonBindings::new();
    for (source, _) in tables.into_iter().flatten() {
        for profile in [Profile::Strict, Profile::Lenient] {
            let Ok(expr) = CelEngine::shared().compile(source, &site(profile)) else {
                continue;
            };
            let expected = expr.eval(&roots()).map_err(|error| error.code);
            for (live, later) in [
                (&[][..], &nothing),
                (
                    &["input", "vars", "output", "steps", "event", "now"][..],
                    &roots(),
                ),
            ] {
                let frozen = match expr.freeze(&roots(), live) {
                    Ok(frozen) => frozen,
                    Err(error) => {
                        assert_eq!(
                            (error.code, source.contains("lists.range(")),
                            ("EXPR_LIMIT", true),
                            "{source}"
                        );
                        continue;
                    }
                };
                match CelEngine::shared().compile(&frozen, &site(profile)) {
                    Ok(again) => assert_eq!(
                        again.eval(later).map_err(|error| error.code),
                        expected,
                        "{source} became {frozen}"
                    ),
                    Err(problems) => {
                        assert!(expected.is_err(), "{source} became {frozen}: {problems:?}")
                    }
                }
            }
        }
    }
}

#[test]
fn large_values_cannot_be_frozen() {
    let many: Vec<_> = (0..5000).collect();
    let roots = JsonBindings::new().with("input", json!({"many": many}));
    let error = compiled("event.payload.id in input.many", Profile::Lenient)
        .freeze(&roots, &["event"])
        .unwrap_err();
    assert_eq!(error.code, "EXPR_LIMIT");
}
