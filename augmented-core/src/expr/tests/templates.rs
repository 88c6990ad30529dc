//! Mappings and templates.

use serde_json::{Value, json};

use super::roots;
use crate::expr::{CelEngine, ExprSite, ExpressionEngine, Template};

fn compile(tree: &Value) -> Result<Template, Vec<String>> {
    CelEngine::shared()
        .compile_template(tree, &ExprSite::step_output())
        .map_err(|problems| {
            problems
                .iter()
                .map(|found| format!("{} {}", found.pointer, found.problem))
                .collect()
        })
}

fn check(tree: Value, expected: Value) {
    let template = compile(&tree).unwrap();
    assert_eq!(template.eval(&roots()).unwrap(), expected, "{tree}");
}

fn fails(tree: Value, code: &str) {
    assert_eq!(
        compile(&tree).unwrap().eval(&roots()).unwrap_err().code,
        code,
        "{tree}"
    );
}

fn refused(tree: Value, expected: &[&str]) {
    let found = compile(&tree).unwrap_err();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found} instead of {expected}");
    }
}

#[test]
fn a_sole_expression_keeps_its_type() {
    check(json!("${input.amount}"), json!(1200));
    check(json!("${input.list}"), json!([3, 1, 2]));
    check(json!("${input.nothing}"), json!(null));
    check(json!("${input.?missing}"), json!(null));
    check(json!("${ input.amount > 1 }"), json!(true));
    check(json!({"$expr": "input.amount + 1"}), json!(1201));
}

#[test]
fn a_text_around_expressions_yields_a_text() {
    check(
        json!("Order ${input.amount} of ${input.name}${input.nothing}${input.?missing}!"),
        json!("Order 1200 of Ada Lovelace!"),
    );
    check(
        json!("${input.flag}/${input.whole}/${input.price}/${now}"),
        json!("true/3/10.5/2026-01-31T08:30:15.250Z"),
    );
    check(json!(" ${input.amount}"), json!(" 1200"));
    check(json!("${json(input.list)} "), json!("[3,1,2] "));
    fails(json!("x ${input.list}"), "EXPR_TEMPLATE_TYPE");
    fails(json!("x ${input.map}"), "EXPR_TEMPLATE_TYPE");
    fails(json!("x ${input.missing}"), "EXPR_EVAL");
}

#[test]
fn the_scanner_respects_quotes_braces_and_escapes() {
    check(json!("$${input.amount}"), json!("${input.amount}"));
    check(json!("a $${x} ${input.amount}"), json!("a ${x} 1200"));
    check(json!("cost: $5, {} and }"), json!("cost: $5, {} and }"));
    check(json!("${ {'a': {'b': '}'}}['a'].b }"), json!("}"));
    check(json!("${'}' + \"${\"}"), json!("}${"));
    check(json!("${ {'O':'open'}[\"O\"] }"), json!("open"));
    refused(
        json!({"a": ["x ${input.amount"]}),
        &["/a/0 EXPR_PARSE at character 3: `${` is not closed"],
    );
    refused(json!("${}"), &[" EXPR_PARSE"]);
}

#[test]
fn optional_members_are_left_out_when_null() {
    check(
        json!({"a?": "${input.nothing}", "b?": "${input.?missing}", "c?": "${input.amount}", "d": "${input.?missing}"}),
        json!({"c": 1200, "d": null}),
    );
    check(json!({"a?": null, "b": null}), json!({"b": null}));
    check(
        json!({"x": [{"a?": "${input.?missing}"}]}),
        json!({"x": [{}]}),
    );
    refused(json!({"a": 1, "a?": 2}), &["/a? DUPLICATE_KEY"]);
}

#[test]
fn literals_pass_untouched_and_results_are_data() {
    check(
        json!({"$literal": {"q": "${input.amount}", "r?": null}}),
        json!({"q": "${input.amount}", "r?": null}),
    );
    check(
        json!({"v": "${'$' + '{input.amount}'}"}),
        json!({"v": "${input.amount}"}),
    );
    refused(json!({"$literal": 1, "b": 2}), &["/$literal EXPR_PARSE"]);
    refused(json!({"x": {"$expr": 5}}), &["/x/$expr EXPR_PARSE"]);
    check(json!({"${input.amount}": 1}), json!({"${input.amount}": 1}));
}

#[test]
fn problems_carry_pointer_and_position() {
    refused(
        json!({"a/b": {"c~": "ä ${inptu.x} ${foo(1)}"}}),
        &[
            "/a~1b/c~0 EXPR_UNKNOWN_ROOT at character 5",
            "/a~1b/c~0 EXPR_UNKNOWN_FUNCTION at character 16",
        ],
    );
}

#[test]
fn constants_are_built_once() {
    let template = compile(&json!({"a": [1, {"b": "x"}], "n?": null})).unwrap();
    assert_eq!(template.constant(), Some(&json!({"a": [1, {"b": "x"}]})));
    assert!(
        !compile(&json!({"a": "${input.amount}"}))
            .unwrap()
            .is_constant()
    );
}

#[test]
fn nesting_is_limited() {
    let deep =
        |levels: usize| (0..levels).fold(json!("${input.amount}"), |inner, _| json!([inner]));
    assert!(compile(&deep(32)).is_ok());
    let problems = compile(&deep(33)).unwrap_err();
    assert!(problems[0].contains("EXPR_LIMIT"), "{problems:?}");
}

#[test]
fn references_point_into_the_strings() {
    let template =
        compile(&json!({"a": "x ${vars.limit}", "b": {"$expr": "steps.pay.output.id"}})).unwrap();
    let found: Vec<String> = template
        .references()
        .map(|read| format!("{} {:?} {}", read.pointer, read.offset, read.reference))
        .collect();
    assert_eq!(
        found,
        [
            "/a Some(4) vars.limit",
            "/b/$expr Some(0) steps.pay.output.id"
        ]
    );
}

#[test]
fn a_template_yields_a_text_where_one_is_needed() {
    let text = |tree: Value| compile(&tree).unwrap().eval_string(&roots());
    assert_eq!(text(json!("${input.amount}")).unwrap(), "1200");
    assert_eq!(text(json!("${input.nothing}")).unwrap(), "");
    assert_eq!(text(json!("x")).unwrap(), "x");
    assert_eq!(
        text(json!("${input.list}")).unwrap_err().code,
        "EXPR_TEMPLATE_TYPE"
    );
}
