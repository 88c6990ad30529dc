//! Static checks: roots, members, functions, positions, references.

use serde_json::json;

use crate::expr::{CelEngine, ExprSite, ExpressionEngine, HostFunction, JsonBindings, Shape};

fn problems(source: &str, site: &ExprSite) -> Vec<String> {
    match CelEngine::shared().compile(source, site) {
        Ok(_) => Vec::new(),
        Err(problems) => {
            crate::codes::assert_problem_arguments(&problems);
            problems.iter().map(ToString::to_string).collect()
        }
    }
}

fn check(site: &ExprSite, source: &str, expected: &str) {
    let found = problems(source, site);
    assert!(
        found
            .first()
            .is_some_and(|found| found.starts_with(expected)),
        "{source}: {found:?} instead of {expected}"
    );
}

#[test]
fn unknown_names_are_reported_with_position_and_nearest_name() {
    let site = ExprSite::transition_condition();
    check(
        &site,
        "inptu.a > 1",
        "EXPR_UNKNOWN_ROOT at character 1: `inptu` may not be read in transition condition (did you mean `input`?)",
    );
    check(
        &site,
        "'ä' == event.payload.x",
        "EXPR_UNKNOWN_ROOT at character 8",
    );
    check(
        &site,
        "workflow.contxt.x == 1",
        "EXPR_UNKNOWN_MEMBER at character 10: `workflow` has no member `contxt`",
    );
    check(
        &site,
        "steps.pay.result.x == 1",
        "EXPR_UNKNOWN_MEMBER at character 11: `steps.<id>` has no member `result`",
    );
    check(
        &site,
        "steps['a-b'].ouput == 1",
        "EXPR_UNKNOWN_MEMBER at character 14: `steps.<id>` has no member `ouput` (did you mean `output`?)",
    );
    check(
        &site,
        "steps[vars.x].ouput == 1",
        "EXPR_UNKNOWN_MEMBER at character 15",
    );
    check(
        &site,
        "has(workflow.cancelation)",
        "EXPR_UNKNOWN_MEMBER at character 14: `workflow` has no member `cancelation` (did you mean `cancellation`?)",
    );
    check(
        &site,
        "workflow.status.code == 'x'",
        "EXPR_UNKNOWN_MEMBER at character 17: `code` is read from a text",
    );
    check(&site, "workflow.?foo.hasValue()", "EXPR_UNKNOWN_MEMBER");
    check(
        &site,
        "sise(input.a) > 1",
        "EXPR_UNKNOWN_FUNCTION at character 1: there is no function sise() (did you mean `size`?)",
    );
    check(
        &site,
        "split(input.a, ',')[0] == ''",
        "EXPR_UNKNOWN_FUNCTION at character 1: there is no split() with 2 arguments (it is called as text.split(separator, limit?))",
    );
    check(
        &site,
        "input.a.split() == []",
        "EXPR_UNKNOWN_FUNCTION at character 9: there is no x.split() with 0 arguments",
    );
    check(
        &site,
        "input.a.coalesce(1) == 1",
        "EXPR_UNKNOWN_FUNCTION at character 9",
    );
    check(
        &site,
        "math.greates(1) == 1",
        "EXPR_UNKNOWN_FUNCTION at character 1: there is no function math.greates() (did you mean `math.greatest`?)",
    );
    check(&site, "Msg{a: 1} == 1", "EXPR_PARSE");
    check(
        &site,
        "",
        "EXPR_PARSE at character 1: the expression is empty",
    );
    check(&site, "// only a comment", "EXPR_PARSE");
    check(&site, "input.a >", "EXPR_PARSE at character 10");
    check(&site, "input.a\n  == == 1", "EXPR_PARSE at character 14");
    check(&site, "has(input)", "EXPR_PARSE");
    check(&site, "input.a.map(1, 2)", "EXPR_PARSE");
    check(
        &site,
        "input.a.sortBy(x.y, 2)",
        "EXPR_PARSE at character 16",
    );
}

#[test]
fn all_problems_are_reported_not_the_first_only() {
    let found = problems(
        "foo.a == bar.b && sise(1) > workflow.x",
        &ExprSite::step_input(),
    );
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn loop_variables_are_no_roots() {
    let site = ExprSite::step_input();
    assert!(problems("input.items.map(item, item.price).sortBy(p, -p)", &site).is_empty());
    check(
        &site,
        "input.items.map(item, item.price) + item",
        "EXPR_UNKNOWN_ROOT at character 37",
    );
    assert!(problems("item.price * index", &site.with_item("item")).is_empty());
}

fn references(source: &str) -> Vec<String> {
    let expr = CelEngine::shared()
        .compile(source, &ExprSite::event_transition())
        .unwrap();
    expr.references()
        .iter()
        .map(|read| {
            format!(
                "{read} @{}{}",
                read.offset.unwrap(),
                if read.guards(0) { " guarded" } else { "" }
            )
        })
        .collect()
}

#[test]
fn references_list_every_read_with_its_static_path() {
    assert_eq!(
        references(
            "steps.pay.output.a.b == vars.limit && steps['a-b'].output.x > input.items[0].price"
        ),
        [
            "steps.pay.output.a.b @0",
            "vars.limit @24",
            "steps[\"a-b\"].output.x @38",
            "input.items[0].price @62"
        ]
    );
    assert_eq!(
        references("input.items.exists(i, i.price > vars.max)"),
        ["input.items @0", "input.items[].price @22", "vars.max @32"]
    );
    assert_eq!(
        references("steps[input.which].output == 1"),
        ["steps[?] @0", "input.which @6"]
    );
    assert_eq!(
        references("has(steps.pay) && steps.pay.output.ok"),
        ["steps.pay @4 guarded", "steps.pay.output.ok @18 guarded"]
    );
    assert_eq!(
        references("has(steps.pay.output) ? steps.pay.output.ok : steps.pay.status == ''")[1..],
        ["steps.pay.output.ok @24 guarded", "steps.pay.status @46"]
    );
    assert_eq!(
        references("!has(steps.pay) || steps.pay.output.ok")[1],
        "steps.pay.output.ok @19 guarded"
    );
    assert_eq!(
        references("coalesce(steps.pay.output.ok, false)"),
        ["steps.pay.output.ok @9 guarded"]
    );
    assert_eq!(
        references("steps.?pay.output.ok.orValue(false)"),
        ["steps.pay.output.ok @0 guarded"]
    );
    assert_eq!(
        references("steps.pay.output.?ok.orValue(false)"),
        ["steps.pay.output.ok @0"]
    );
    assert_eq!(
        references("input.?a.optMap(x, x.b > 1).orValue(false)"),
        ["input.a @0 guarded", "input.a.b @19"]
    );
    assert_eq!(
        references("'ä' == event.payload.ok"),
        ["event.payload.ok @7"]
    );
    assert_eq!(
        references("{input.a: input.b}[input.c] == [input.d, -input.e, 3][0]"),
        [
            "input.a @1",
            "input.b @10",
            "input.c @19",
            "input.d @32",
            "input.e @42"
        ]
    );
}

#[test]
fn sites_of_other_areas_bring_roots_and_functions() {
    let in_range = HostFunction::new("ipIn", 2, |args| {
        Ok(json!(
            args[1]
                .as_array()
                .is_some_and(|list| list.contains(&args[0]))
        ))
    });
    let site = ExprSite::new(
        "policy",
        crate::expr::Profile::Strict,
        crate::expr::FieldClass::Condition,
    )
    .with_root(
        "principal",
        Shape::record("principal", [("id", Shape::Text), ("attr", Shape::Data)]),
    )
    .with_root("context", Shape::record("context", [("ip", Shape::Text)]))
    .with_function(in_range);
    let roots = JsonBindings::new()
        .with("context", json!({"ip": "::1"}))
        .with("principal", json!({"id": "u", "attr": {"d": 1}}));
    let expr = CelEngine::shared()
        .compile("ipIn(context.ip, ['::1']) && principal.attr.d == 1", &site)
        .unwrap();
    assert!(expr.eval_bool(&roots).unwrap());
    check(
        &site,
        "principal.nam == 'x'",
        "EXPR_UNKNOWN_MEMBER at character 11: `principal` has no member `nam`",
    );
    check(
        &site,
        "ipIn(context.ip)",
        "EXPR_UNKNOWN_FUNCTION at character 1: there is no ipIn() with 1 arguments (it is called as ipIn(a, b))",
    );
    assert_eq!(
        problems("ipIn('a', [])", &ExprSite::transition_condition()).len(),
        1
    );
}

#[test]
fn a_failing_host_function_is_an_evaluation_error() {
    let engine = CelEngine::new().with_function(
        HostFunction::new("boom", 1, |_| Err("no luck".into()))
            .with_receiver_form()
            .with_description("fails"),
    );
    let expr = engine
        .compile("input.a.boom()", &ExprSite::concurrency_key())
        .unwrap();
    let error = expr
        .eval(&JsonBindings::new().with("input", json!({"a": 1})))
        .unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        ("EXPR_EVAL", "boom(): no luck")
    );
    assert!(
        engine
            .functions()
            .iter()
            .any(|function| function.host && function.name == "boom")
    );
}

#[test]
fn the_catalogue_names_every_function_once_or_by_form() {
    let all = CelEngine::shared().functions();
    for name in [
        "size",
        "coalesce",
        "has",
        "map",
        "formatTime",
        "math.round",
        "base64.encode",
        "optional.none",
        "isoDuration",
    ] {
        assert_eq!(
            all.iter().filter(|function| function.name == name).count(),
            1,
            "{name}"
        );
    }
    assert!(
        all.iter()
            .all(|function| !function.description.is_empty() && function.signature.contains('('))
    );
}
