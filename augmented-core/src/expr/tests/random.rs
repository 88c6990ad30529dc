//! Random sources and the agreement of the two parsers.

use cel::parser::Parser;
use proptest::prelude::*;

use super::{Profile, language, roots, site};
use crate::expr::{CelEngine, ExprSite, ExpressionEngine};

fn run(source: &str) {
    for profile in [Profile::Strict, Profile::Lenient] {
        if let Ok(expr) = CelEngine::shared().compile(source, &site(profile)) {
            let first = expr.eval(&roots());
            assert_eq!(first, expr.eval(&roots()), "{source}");
            let _ = expr.eval_bool(&roots());
            let _ = expr.eval_key(&roots());
        }
    }
    let _ = CelEngine::shared().compile_template(
        &serde_json::Value::String(source.to_owned()),
        &ExprSite::step_output(),
    );
}

/// Expressions that mostly compile.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "input.amount",
            "input.list",
            "input.items",
            "input.map",
            "input.name",
            "input.missing",
            "input.nothing",
            "input.big",
            "now",
            "null",
            "true",
            "false",
            "'x'",
            "b'x'",
            "[]",
            "{}",
            "vars",
            "steps.pay",
            "x",
            "int",
            "optional.none()",
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|value| value.to_string()),
        (-1e20..1e20f64).prop_map(|value| format!("{value:?}")),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let op = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in",
        ]);
        let call = prop::sample::select(vec![
            "size",
            "string",
            "int",
            "double",
            "type",
            "json",
            "sum",
            "avg",
            "isEmpty",
            "math.abs",
            "math.round",
            "lists.range",
            "timestamp",
            "duration",
            "coalesce",
            "bool",
            "bytes",
            "parseJson",
        ]);
        let method = prop::sample::select(vec![
            "sort()",
            "distinct()",
            "flatten()",
            "reverse()",
            "trim()",
            "split('')",
            "join('-')",
            "hasValue()",
            "value()",
            "getHours()",
            "lowerAscii()",
        ]);
        let looped = prop::sample::select(vec![
            "map",
            "filter",
            "all",
            "exists",
            "exists_one",
            "sortBy",
        ]);
        prop_oneof![
            (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (call, inner.clone()).prop_map(|(name, a)| format!("{name}({a})")),
            (inner.clone(), method).prop_map(|(a, method)| format!("({a}).{method}")),
            (inner.clone(), looped, inner.clone())
                .prop_map(|(a, name, b)| format!("({a}).{name}(x, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[?{b}]")),
            inner.clone().prop_map(|a| format!("({a}).?amount")),
            inner.clone().prop_map(|a| format!("has(({a}).amount)")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec((inner.clone(), inner), 0..3).prop_map(|pairs| format!(
                "{{{}}}",
                pairs
                    .iter()
                    .map(|(k, v)| format!("{k}: {v}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(source in any::<String>()) {
        run(&source);
    }

    #[test]
    fn any_mix_of_tokens_is_answered(parts in prop::collection::vec(prop::sample::select(vec![
        "input", "output", ".", "?", "[", "]", "(", ")", "{", "}", "'", "\"", "'''", "$", "${", "{{", "}}", "==", "===", "=", "!", "&&", "||", "+", "-", "1",
        "1.5", "0x", "1e", "1u", "null", "in", "has", "map", "x", ",", ":", "\\", "ä", "//", "\n", "`", "r'", "b\"", "data", "$.", "if", "else", " ",
    ]), 0..40)) {
        run(&parts.concat());
    }

    #[test]
    fn any_expression_is_answered_alike_twice(source in expression()) {
        run(&source);
    }

    #[test]
    fn both_parsers_build_the_same_tree(source in expression()) {
        same_tree(&source);
    }
}

/// Writes a tree without the ids of its nodes.
fn shape(tree: &cel::IdedExpr) -> String {
    let text = format!("{:?}", tree.expr);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("id: ") {
        out.push_str(&rest[..at]);
        rest = rest[at + 4..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out + rest
}

fn same_tree(source: &str) {
    let fast = cel::parser::PrattParser::default()
        .enable_optional_syntax(true)
        .parse(source);
    let slow = Parser::default().enable_optional_syntax(true).parse(source);
    match (fast, slow) {
        (Ok(fast), Ok(slow)) => assert_eq!(shape(&fast), shape(&slow), "{source}"),
        (Err(_), Err(_)) => {}
        (fast, slow) => panic!(
            "{source}: one parser accepts it: fast {}, slow {}",
            fast.is_ok(),
            slow.is_ok()
        ),
    }
}

#[test]
fn the_fast_parser_agrees_with_the_reference_parser() {
    let tables = [
        language::NUMBERS,
        language::LOGIC,
        language::PATHS,
        language::LISTS,
        language::TEXTS,
        language::TIMES,
        language::OPTIONALS,
    ];
    for (source, _) in tables.into_iter().flatten() {
        same_tree(source);
    }
}
