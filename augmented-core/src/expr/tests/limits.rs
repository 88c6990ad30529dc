//! Nothing grows without limit.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Profile, compiled, outcome, roots, site};
use crate::expr::{CelEngine, ExprSite, ExpressionEngine, JsonBindings};

fn refused(source: &str) {
    let started = Instant::now();
    let problems = CelEngine::shared()
        .compile(source, &site(Profile::Strict))
        .map(|_| ())
        .unwrap_err();
    crate::codes::assert_problem_arguments(&problems);
    let shown: String = source.chars().take(40).collect();
    assert_eq!(problems[0].code, "EXPR_LIMIT", "{shown}: {problems:?}");
    assert!(
        started.elapsed() < Duration::from_millis(500),
        "{shown} took {:?}",
        started.elapsed()
    );
}

fn accepted(source: &str) {
    if let Err(problems) = CelEngine::shared().compile(source, &site(Profile::Strict)) {
        panic!(
            "{}: {problems:?}",
            source.chars().take(40).collect::<String>()
        );
    }
}

#[test]
fn sources_are_limited_in_length_nodes_and_depth() {
    accepted(&format!("'{}'", "ä".repeat(4094)));
    refused(&format!("'{}'", "ä".repeat(4095)));
    refused(&"x".repeat(10_000_000));
    accepted(&format!("[{}]", vec!["1"; 999].join(",")));
    refused(&format!("[{}]", vec!["1"; 1000].join(",")));
    accepted(&vec!["1"; 64].join("+"));
    refused(&vec!["1"; 65].join("+"));
    refused(&vec!["1"; 2000].join("+"));
    accepted(&vec!["true"; 400].join("&&"));
    refused(&format!("{}1{}", "(".repeat(1000), ")".repeat(1000)));
    refused(&format!("{}1{}", "[".repeat(64), "]".repeat(64)));
    accepted(&format!("{}1{}", "[".repeat(63), "]".repeat(63)));
    refused(&format!("input{}", ".a".repeat(2000)));
    refused(&format!("input{}", ".a()".repeat(1000)));
    refused(&format!("input{}", ".a(1)[0]".repeat(500)));
    refused(&format!("{}1", "true?1:".repeat(500)));
    refused(&format!("{}1{}", "true?".repeat(500), ":1".repeat(500)));
    refused(&format!("{}1", "-!".repeat(1000)));
    refused(&format!("{}1{}", "{'a':".repeat(500), "}".repeat(500)));
    refused(&format!("{}1{}", "size(".repeat(500), ")".repeat(500)));
}

#[test]
fn regular_expressions_are_limited() {
    accepted(&format!("'a'.matches('{}')", "a".repeat(256)));
    refused(&format!("'a'.matches('{}')", "a".repeat(257)));
    refused("'a'.matches('((\\\\w{100}){100}){100}')");
}

/// The evaluation stops with `EXPR_LIMIT`, and soon.
fn stops(source: &str, roots: &JsonBindings) {
    let expr = compiled(source, Profile::Strict);
    let started = Instant::now();
    let error = expr.eval(roots).unwrap_err();
    assert_eq!(error.code, "EXPR_LIMIT", "{source}: {error}");
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{source} took {:?}",
        started.elapsed()
    );
}

#[test]
fn costly_evaluations_stop() {
    let many: Vec<Value> = (0..10_000).map(Value::from).collect();
    let texts: Vec<Value> = (0..2_000).map(|_| json!("x".repeat(20_000))).collect();
    let roots = JsonBindings::new().with("input", json!({"many": many, "text": "x".repeat(20_000), "texts": texts, "huge": "x".repeat(10_000_000)}));
    for source in [
        "input.many.all(a, input.many.all(b, a + b >= 0))",
        "input.many.map(a, input.many.map(b, b))",
        "input.many.exists(a, input.many.exists(b, b < 0))",
        "size(input.text.replace('', input.text)) > 0",
        "size(input.text.replace('x', input.text)) > 0",
        "size(input.texts.join(input.text)) > 0",
        "lists.range(900000).map(x, x)",
        "lists.range(400000).map(x, string(x))",
        "lists.range(300000).sort().reverse()",
        "lists.range(2000).map(x, input.many + input.many)",
        "lists.range(5000).map(x, input.huge.contains('y'))",
        "lists.range(5000).map(x, input.huge.matches('y'))",
        "lists.range(5000).map(x, input.text + input.text)",
        "lists.range(5000).map(x, input.many == input.many.map(y, y))",
        "lists.range(5000).map(x, json(input.many))",
        "lists.range(5000).map(x, input.text.split(''))",
        "input.many.distinct()",
        "lists.range(500).map(a, lists.range(500).map(b, lists.range(500)))",
    ] {
        stops(source, &roots);
    }
}

#[test]
fn results_are_limited_to_256_kib() {
    let roots = JsonBindings::new().with(
        "input",
        json!({"huge": "x".repeat(10_000_000), "fits": "x".repeat(200_000)}),
    );
    stops("input.huge", &roots);
    stops("[input.fits, input.fits]", &roots);
    assert!(compiled("input.fits", Profile::Strict).eval(&roots).is_ok());
    let template = CelEngine::shared()
        .compile_template(
            &json!("a ${input.fits} ${input.fits}"),
            &ExprSite::step_input(),
        )
        .unwrap();
    assert_eq!(template.eval(&roots).unwrap_err().code, "EXPR_LIMIT");
}

#[test]
fn a_limit_is_never_absorbed() {
    let many: Vec<Value> = (0..10_000).map(Value::from).collect();
    let roots = JsonBindings::new().with("input", json!({"many": many}));
    stops(
        "input.many.all(a, input.many.all(b, a + b >= 0)) || true",
        &roots,
    );
    stops(
        "coalesce(input.many.all(a, input.many.all(b, a + b >= 0)), 1)",
        &roots,
    );
    stops(
        "[1].exists(x, input.many.all(a, input.many.all(b, a + b >= 0)))",
        &roots,
    );
}

#[test]
fn cost_is_counted_and_repeats_exactly() {
    for (source, cost) in [
        ("1 + 1", 3),
        ("input.amount > 1000 && output.status == 'approved'", 9),
        ("input.list.map(x, x * 2)", 15),
    ] {
        let expr = compiled(source, Profile::Strict);
        let first = expr.eval_counted(&roots()).unwrap();
        assert_eq!(
            (first.cost, expr.eval_counted(&roots()).unwrap()),
            (cost, first),
            "{source}"
        );
    }
}

#[test]
fn nested_data_does_not_overflow_the_stack() {
    let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
    let roots = JsonBindings::new().with(
        "input",
        json!({"deep": deep.clone(), "text": "[".repeat(200_000)}),
    );
    assert_eq!(
        compiled("input.deep", Profile::Strict)
            .eval(&roots)
            .unwrap(),
        deep
    );
    assert_eq!(
        compiled("input.deep == input.deep.map(x, x)", Profile::Strict)
            .eval(&roots)
            .unwrap(),
        json!(true)
    );
    assert!(
        compiled("parseJson(input.text)", Profile::Strict)
            .eval(&roots)
            .is_err()
    );
    let deeper = (0..2_000).fold(json!(1), |inner, _| json!([inner]));
    let roots = JsonBindings::new().with("input", json!({"deep": deeper}));
    for source in [
        "input.deep",
        "json(input.deep)",
        "input.deep == [input.deep]",
        "input.deep.flatten(64)",
        "[input.deep]",
    ] {
        assert_eq!(
            compiled(source, Profile::Strict)
                .eval(&roots)
                .map_err(|error| error.code),
            Err("EXPR_LIMIT"),
            "{source}"
        );
    }
}

#[test]
fn outcomes_are_the_same_in_every_run() {
    for (source, _) in super::language::LISTS.iter().chain(super::language::TEXTS) {
        assert_eq!(
            outcome(source, Profile::Strict),
            outcome(source, Profile::Strict),
            "{source}"
        );
    }
}

#[test]
fn the_deepest_expression_runs_on_a_small_stack() {
    let nested = |open: &str, inner: &str, close: &str, levels: usize| {
        format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
    };
    let sources = [
        nested("[1].map(x, ", "x", ")", 62),
        nested("(true ? ", "1", " : 2)", 62),
        nested("size([", "1", "])", 31),
        nested("coalesce(null, ", "1", ")", 62),
        nested("{'a': ", "1", "}", 62),
        nested("-(", "1", " + 1)", 31),
        nested("input.list[", "0", "]", 31),
    ];
    let run = move || {
        for source in &sources {
            let _ = compiled(source, Profile::Strict).eval(&roots());
        }
    };
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
}
