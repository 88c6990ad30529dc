//! Import forms: each row of the table.

use serde_json::{Value, json};

use crate::expr::import::{
    ImportContext, canonical_expression, canonical_template, rewrite_dashed_step,
};
use crate::expr::{CelEngine, ExprSite, ExpressionEngine};

/// Checks form and replacement; `~` before the expected text: only the hint says it.
fn check(site: &ExprSite, text: &str, form: u8, expected: &str) {
    let context = ImportContext::new(CelEngine::shared(), site);
    let found =
        canonical_expression(text, &context).unwrap_or_else(|| panic!("{text} is not recognised"));
    match expected.strip_prefix('~') {
        Some(hint) => {
            assert!(found.hint.contains(hint), "{text}: {found:?}");
            assert_eq!(found.replacement, None, "{text}");
        }
        None => {
            assert_eq!(
                found.replacement.as_deref(),
                Some(expected),
                "{text}: {found:?}"
            );
            assert!(
                CelEngine::shared().compile(expected, site).is_ok(),
                "{expected}"
            );
        }
    }
    assert_eq!(found.form, form, "{text}: {found:?}");
}

#[test]
fn conditions_of_transitions_are_rewritten() {
    let site = ExprSite::transition_condition();
    for (text, form, expected) in [
        ("data.amount > 1000", 1, "output.amount > 1000"),
        ("$.amount > 1000", 1, "output.amount > 1000"),
        ("${data.orderAmount} > 1000", 2, "output.orderAmount > 1000"),
        (
            "${task.output.decision} == \"approved\"",
            2,
            "output.decision == \"approved\"",
        ),
        (
            "${orderAmount} > 1000",
            2,
            "~write `output.orderAmount > 1000`",
        ),
        ("${step.orderAmount} > 1000", 2, "output.orderAmount > 1000"),
        ("otherwise", 5, "~leave `condition` out"),
        ("true", 5, "~leave `condition` out"),
        ("", 5, "~leave `condition` out"),
        ("output.passed = true", 6, "output.passed == true"),
        ("passed = true", 6, "~write `output.passed == true`"),
        ("High Risk", 6, "~`on`"),
        (
            "status == 'running'",
            7,
            "~write `workflow.status == \"RUNNING\"`",
        ),
        ("exists(output.a)", 9, "has(output.a)"),
        (
            "output.status === 'shipped'",
            10,
            "output.status == 'shipped'",
        ),
        ("output.a !== undefined", 10, "has(output.a)"),
        (
            "output.a.b === undefined && output.c !== 1",
            10,
            "!has(output.a.b) && output.c != 1",
        ),
        ("workflow.context.orderId == 1", 12, "vars.orderId == 1"),
        (
            "workflow.variables.x > workflow.input.y",
            13,
            "vars.x > input.y",
        ),
        ("workflow.state.steps.s.output.f", 13, "steps.s.output.f"),
        (
            "${ a < 30 && b < 500000 }",
            14,
            "~write `output.a < 30 && output.b < 500000`",
        ),
        (
            "${ output.a < 30 && output.b < 500000 }",
            14,
            "output.a < 30 && output.b < 500000",
        ),
        (
            "workflow.instance.state.steps.s.status === 'COMPLETED'",
            10,
            "steps.s.status == 'COMPLETED'",
        ),
        (
            "workflow.instance.state.steps.s.status == 'COMPLETED'",
            16,
            "steps.s.status == 'COMPLETED'",
        ),
        ("if (output.a > 1) return 'x'", 23, "~ordered `next` list"),
        (
            "switch (output.a) { case 1: return 'x' }",
            23,
            "~ordered `next` list",
        ),
        (
            "amount > 1000 AND region = \"EU\"",
            6,
            "~write `output.amount > 1000 && output.region == \"EU\"`",
        ),
        (
            "output.amount > 1000 AND NOT output.vip OR output.x",
            24,
            "output.amount > 1000 && !output.vip || output.x",
        ),
        (
            "not output.a == 1 and output.b",
            24,
            "!(output.a == 1) && output.b",
        ),
        (
            "response.status === \"shipped\"",
            10,
            "output.status == \"shipped\"",
        ),
        (
            "response.status == \"shipped\"",
            25,
            "output.status == \"shipped\"",
        ),
        (
            "lower(output.name) == 'x'",
            29,
            "output.name.lowerAscii() == 'x'",
        ),
        ("length(output.items) > 2", 29, "size(output.items) > 2"),
        ("output.items.length > 2", 29, "~size(output.items) > 2"),
        ("output.items.length === 2", 10, "size(output.items) == 2"),
        ("output.items.length() > 2", 29, "size(output.items) > 2"),
        (
            "concat(output.a, 'x') == 'ax'",
            29,
            "(output.a + 'x') == 'ax'",
        ),
        (
            "toNumber(output.a) > 2 && toString(output.b) == '2'",
            29,
            "double(output.a) > 2 && string(output.b) == '2'",
        ),
        (
            "sum(output.items, \"price\") > 10",
            29,
            "sum(output.items.map(i, i.price)) > 10",
        ),
        (
            "output.name.toLowerCase() == 'x'",
            29,
            "output.name.lowerAscii() == 'x'",
        ),
        ("output.tags.includes('x')", 9, "~contains"),
        ("output.a <> 5", 10, "output.a != 5"),
        ("{{output.a}} > 5", 20, "output.a > 5"),
    ] {
        check(&site, text, form, expected);
    }
}

#[test]
fn other_places_read_their_own_data() {
    check(
        &ExprSite::trigger_condition(),
        "$.payload.x > 1",
        1,
        "event.payload.x > 1",
    );
    check(
        &ExprSite::trigger_condition(),
        "$.x > 1",
        1,
        "event.payload.x > 1",
    );
    check(
        &ExprSite::trigger_condition(),
        "amount > 1000",
        19,
        "event.payload.amount > 1000",
    );
    check(
        &ExprSite::event_condition(),
        "event.payload.id === workflow.input.id",
        10,
        "event.payload.id == input.id",
    );
    check(
        &ExprSite::event_condition(),
        "message.orderId === \"{{input.orderId}}\"",
        25,
        "event.payload.orderId == input.orderId",
    );
    check(
        &ExprSite::delay_until(),
        "{{execution.startTime + 30m}}",
        20,
        "workflow.startedAt + duration(\"30m\")",
    );
    check(
        &ExprSite::delay_until(),
        "workflow.startedAt + 2d",
        22,
        "workflow.startedAt + duration(\"48h\")",
    );
    check(
        &ExprSite::failure_input(),
        "step.input.paymentId",
        18,
        "error.stepInput.paymentId",
    );
    check(
        &ExprSite::trigger_mapping(),
        "event.metadata.p || 'normal'",
        15,
        "coalesce(event.metadata.p, 'normal')",
    );
    check(
        &ExprSite::step_input(),
        "input.x ?? vars.y ?? 0",
        15,
        "coalesce(input.x, vars.y, 0)",
    );
    check(
        &ExprSite::trigger_mapping(),
        "event.payload.items.reduce((s,i)=>s+i.price,0)",
        17,
        "sum(event.payload.items.map(i, i.price))",
    );
    check(
        &ExprSite::step_input(),
        "{{env.API_KEY}}",
        21,
        "~secret reference",
    );
    check(&ExprSite::step_input(), "REGION:-eu", 30, "~configuration");
    check(&ExprSite::step_input(), "input?.a", 15, "~write `input.a`");
}

#[test]
fn valid_expressions_are_no_import_forms() {
    let site = ExprSite::transition_condition();
    let context = ImportContext::new(CelEngine::shared(), &site);
    for text in [
        "output.amount > 1000",
        "event.payload.x > 1000 || !output.b",
        "output.items.exists(i, i.price > 3) && size(output.items) > 2",
        "output.a ? output.b : output.c",
        "output.?a.orValue(1) == 1",
        "{'a': 1}['a'] == 1",
        "output.list.map(x, {'v': x}) == []",
        "coalesce(output.a, 'x') in ['x', 'y']",
        "ouptut.amount > 1000",
    ] {
        let found = canonical_expression(text, &context);
        assert!(
            found.is_none() || text.starts_with("event"),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn compile_carries_hint_and_replacement() {
    let site = ExprSite::transition_condition();
    let problems = CelEngine::shared()
        .compile("data.a > 1 && data.b === 2", &site)
        .unwrap_err();
    assert_eq!(
        problems[0].replacement.as_deref(),
        Some("output.a > 1 && output.b == 2")
    );
    let problems = CelEngine::shared().compile("true", &site).unwrap_err();
    assert_eq!(
        (problems[0].code, problems[0].replacement.as_deref()),
        ("EXPR_PARSE", None)
    );
    let problems = CelEngine::shared()
        .compile("output.p || 'normal'", &ExprSite::step_output())
        .unwrap_err();
    assert_eq!(
        problems[0].replacement.as_deref(),
        Some("coalesce(output.p, 'normal')")
    );
    assert!(
        CelEngine::shared()
            .compile("true", &ExprSite::poll_until())
            .is_ok()
    );
}

fn template(site: &ExprSite, text: &str) -> Option<(u8, Option<String>)> {
    canonical_template(text, &ImportContext::new(CelEngine::shared(), site))
        .map(|form| (form.form, form.replacement))
}

#[test]
fn templates_know_mustache_and_bare_paths() {
    let site = ExprSite::step_input();
    let rewritten = |text: &str| Some((20, Some(text.to_owned())));
    assert_eq!(
        template(&site, "{{input.query}}"),
        rewritten("${input.query}")
    );
    assert_eq!(
        template(
            &site,
            "a {{ input.items[0].description }} b {{workflow.variables.x}}"
        ),
        rewritten("a ${input.items[0].description} b ${vars.x}")
    );
    assert_eq!(
        template(&site, "{{context.policies}}"),
        rewritten("${vars.policies}")
    );
    assert_eq!(
        template(&site, "{{input.a ? 'x' : 'y'}}"),
        rewritten("${input.a ? 'x' : 'y'}")
    );
    assert_eq!(template(&site, "{{#if x}}"), Some((20, None)));
    assert_eq!(template(&site, "{{env.API_KEY}}"), Some((21, None)));
    assert_eq!(template(&site, "input.orderId"), Some((18, None)));
    assert_eq!(
        template(&site, "workflow.variables.orderId"),
        Some((18, None))
    );
    assert_eq!(
        template(&ExprSite::trigger_mapping(), "$.payload.x"),
        Some((18, None))
    );
    for plain in [
        "input.csv",
        "workflow.completed",
        "event.payload.x",
        "hello",
        "input",
        "e.g. this",
        "1.5",
        "{ {",
        "www.example.com",
        "${ {'a': {'b': 1}}['a'] }",
        "data.csv",
    ] {
        assert_eq!(template(&site, plain), None, "{plain}");
    }
    let tree = json!({"a": "{{input.x}}", "b": {"$literal": "{{input.x}}"}, "c": "input.x"});
    let problems = CelEngine::shared()
        .compile_template(&tree, &site)
        .unwrap_err();
    let found: Vec<(&str, Option<&str>)> = problems
        .iter()
        .map(|found| (found.pointer.as_str(), found.problem.replacement.as_deref()))
        .collect();
    assert_eq!(found, [("/a", Some("${input.x}")), ("/c", None)]);
}

#[test]
fn a_replacement_inside_a_template_is_the_whole_string() {
    let tree = Value::String("Total: ${workflow.input.a === 1} of ${input.b}".to_owned());
    let problems = CelEngine::shared()
        .compile_template(&tree, &ExprSite::step_input())
        .unwrap_err();
    assert_eq!(
        problems[0].problem.replacement.as_deref(),
        Some("Total: ${input.a == 1} of ${input.b}")
    );
}

#[test]
fn dashed_steps_are_rewritten_where_they_exist() {
    let ids = ["check-credit", "check-credit-2", "plain"];
    for (source, expected) in [
        (
            "steps.check-credit.output.a",
            Some("steps[\"check-credit\"].output.a"),
        ),
        (
            "steps.check-credit-2.output.a - steps.plain.output.b",
            Some("steps[\"check-credit-2\"].output.a - steps.plain.output.b"),
        ),
        (
            "has(steps.check-credit) && steps.check-credit.outcome == 'x'",
            Some("has(steps[\"check-credit\"]) && steps[\"check-credit\"].outcome == 'x'"),
        ),
        ("steps.check-creditor.output.a", None),
        ("'steps.check-credit'", None),
        ("input.steps.check-credit", None),
        ("steps.plain.output", None),
    ] {
        assert_eq!(
            rewrite_dashed_step(source, &ids).as_deref(),
            expected,
            "{source}"
        );
    }
}

#[test]
fn names_that_a_loop_declares_are_never_rewritten() {
    let context_site = ExprSite::transition_condition();
    let context = ImportContext::new(CelEngine::shared(), &context_site);
    for (source, right) in [
        (
            "$.l.exists(data, data.x > 1)",
            "output.l.exists(data, data.x > 1)",
        ),
        (
            "data.l.exists(data, data.x > 1) && data.y == 2",
            "output.l.exists(data, data.x > 1) && output.y == 2",
        ),
        (
            "data.l.exists(step, step.x === 1)",
            "output.l.exists(step, step.x == 1)",
        ),
    ] {
        let form = canonical_expression(source, &context).unwrap();
        assert_eq!(form.replacement.as_deref(), Some(right), "{source}");
    }
}

#[test]
fn what_may_mean_two_things_is_told_and_not_repaired() {
    let check = |site: ExprSite, source: &str, hint: &str| {
        let context = ImportContext::new(CelEngine::shared(), &site);
        let form = canonical_expression(source, &context).unwrap();
        assert_eq!(form.replacement, None, "{source}");
        assert!(form.hint.contains(hint), "{source}: {}", form.hint);
    };
    let condition = ExprSite::transition_condition;
    check(condition(), "step.output.x > 1", "`output.x > 1`");
    check(condition(), "step.input.x > 1", "steps.<id>.input");
    check(condition(), "a == $.input.x", "input.x");
    check(ExprSite::step_input(), "data.orderId", "input.orderId");
    check(ExprSite::step_input(), "$.orderId", "input.orderId");
}
