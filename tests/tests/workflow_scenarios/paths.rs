//! Which way an instance takes: decisions, loops, definitions and their versions.

use augmented_acceptance::{
    Calls, ended, engine, noting, places, run, start, task, transitions, visits, wait_for_signal,
    with, workflow,
};
use augmented_core::runtime::{HistoryType, InstanceStatus};
use augmented_core::store::{InstanceFilter, Page};
use augmented_engine::{Outcome, SignalRequest, StartRequest, TaskContext, TaskError};
use serde_json::{Value, json};

const ORDER_TASKS: [&str; 6] = [
    "get-order",
    "check-stock",
    "approve",
    "update-status",
    "fill-document",
    "send-email",
];

/// Orders over 1000 want an approval first.
fn order() -> Value {
    with(
        workflow(
            "order",
            json!([
                task("get-order", Some("check-stock")),
                task("check-stock", Some("is-large")),
                {"stepId": "is-large", "type": "DECISION", "next": [{"nextStepId": "approve", "condition": "input.amount > 1000"}, {"nextStepId": "update-status"}]},
                task("approve", Some("update-status")),
                task("update-status", Some("fill-document")),
                task("fill-document", Some("send-email")),
                {"stepId": "send-email", "type": "TASK", "taskId": "send-email", "input": {"orderId": "${input.orderId}"}, "next": [{"nextStepId": "end"}]},
                {"stepId": "end", "type": "END", "output": {"mailed": "${steps['send-email'].output.orderId}"}},
            ]),
        ),
        json!({"inputSchema": {"type": "object", "required": ["orderId", "amount"], "properties": {"orderId": {"type": "string"}, "amount": {"type": "number"}}}}),
    )
}

async fn order_with(amount: i64) -> (Vec<String>, Vec<String>) {
    let calls = Calls::default();
    let engine = engine(|builder| {
        ORDER_TASKS.iter().fold(builder, |builder, name| {
            builder.with_task(*name, noting(&calls))
        })
    })
    .await;
    let (handle, result) = run(
        &engine,
        order(),
        json!({"orderId": "o-1", "amount": amount}),
    )
    .await;
    assert_eq!(
        ended(&result),
        (InstanceStatus::Completed, json!({"mailed": "o-1"}))
    );
    (
        calls.steps(),
        transitions(&engine.history(handle.id()).await.unwrap()),
    )
}

#[tokio::test]
async fn w01_order_low_value_takes_the_default_rule() {
    let (called, taken) = order_with(750).await;
    assert_eq!(
        called,
        [
            "get-order",
            "check-stock",
            "update-status",
            "fill-document",
            "send-email"
        ]
    );
    assert_eq!(
        taken,
        [
            "get-order -> check-stock #0",
            "check-stock -> is-large #0",
            "is-large -> update-status #1",
            "update-status -> fill-document #0",
            "fill-document -> send-email #0",
            "send-email -> end #0"
        ]
    );
}

#[tokio::test]
async fn w02_order_high_value_takes_the_conditional_rule() {
    let (called, taken) = order_with(1500).await;
    assert_eq!(called, ORDER_TASKS);
    assert_eq!(
        taken[2..4],
        ["is-large -> approve #0", "approve -> update-status #0"]
    );
}

#[tokio::test]
async fn w04_bad_input_starts_nothing() {
    let calls = Calls::default();
    let engine = engine(|builder| {
        ORDER_TASKS.iter().fold(builder, |builder, name| {
            builder.with_task(*name, noting(&calls))
        })
    })
    .await;
    engine.publish(order()).await.unwrap();
    let refused = engine
        .start(StartRequest::new("order").with_input(json!({"amount": "much"})))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), refused.reason()),
        ("INVALID_ARGUMENT", Some("INPUT_INVALID"))
    );
    let mut found = places(refused.findings());
    found.sort();
    assert_eq!(
        found,
        [
            ("required".to_owned(), "/orderId".to_owned()),
            ("type".to_owned(), "/amount".to_owned())
        ]
    );
    let listed = engine
        .list(&InstanceFilter::default(), Page::new(None, 10))
        .await
        .unwrap();
    assert_eq!(
        (
            listed.instances.len(),
            calls.count(),
            engine.metrics().instances_started
        ),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn w05_a_bad_definition_is_refused_with_all_findings() {
    let engine = engine(|builder| builder).await;
    let bad = workflow(
        "bad",
        json!([
            {"stepId": "check", "type": "DECISION", "next": [{"nextStepId": "pay", "condition": "input.a === input.b"}, {"nextStepId": "ping"}]},
            {"stepId": "pay", "type": "TASK", "taskId": "std.echo", "next": [{"nextStepId": "end"}, {"nextStepId": "ghost", "condition": "input.a == 1"}]},
            {"stepId": "ping", "type": "PASS", "next": [{"nextStepId": "pong"}]},
            {"stepId": "pong", "type": "PASS", "next": [{"nextStepId": "ping"}]},
            {"stepId": "end", "type": "END"},
        ]),
    );
    let refused = engine.publish(bad).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.reason()),
        ("INVALID_ARGUMENT", Some("DEFINITION_INVALID"))
    );
    let errors: Vec<_> = refused
        .findings()
        .iter()
        .filter(|finding| finding.is_error())
        .cloned()
        .collect();
    let place = |code: &str, pointer: &str| (code.to_owned(), pointer.to_owned());
    assert_eq!(
        places(&errors),
        [
            place("EXPR_PARSE", "/steps/0/next/0/condition"),
            place("DEFAULT_NOT_LAST", "/steps/1/next/0"),
            place("UNKNOWN_STEP", "/steps/1/next/1/nextStepId"),
            place("UNGUARDED_CYCLE", "/steps/3/next/0/nextStepId"),
        ],
        "{errors:#?}"
    );
    assert!(
        errors[0]
            .hint
            .as_deref()
            .unwrap()
            .contains("input.a == input.b"),
        "{:?}",
        errors[0].hint
    );
    let unknown = engine.start(StartRequest::new("bad")).await.unwrap_err();
    assert_eq!(
        (unknown.code(), unknown.reason()),
        ("NOT_FOUND", Some("WORKFLOW_NOT_FOUND"))
    );
}

/// Sent back by the reviewer until the third review.
fn review(more: Value) -> Value {
    let review = json!({"stepId": "review", "type": "TASK", "taskId": "review", "next": [{"nextStepId": "revise", "on": "REVISE"}, {"nextStepId": "end", "on": "APPROVED"}]});
    workflow(
        "review",
        json!([with(review, more), task("revise", Some("review")), {"stepId": "end", "type": "END", "output": {"visits": "${steps.review.visit}"}}]),
    )
}

async fn reviewed(more: Value) -> (augmented_engine::WorkflowResult, Vec<(String, u32)>) {
    let reviewer = |ctx: TaskContext, _: Value| async move {
        let outcome = if ctx.visit() < 3 {
            "REVISE"
        } else {
            "APPROVED"
        };
        Ok::<_, TaskError>(Outcome::new(outcome, json!({"visit": ctx.visit()})))
    };
    let engine = engine(|builder| {
        builder
            .with_task("review", reviewer)
            .with_task("revise", noting(&Calls::default()))
    })
    .await;
    let (handle, result) = run(&engine, review(more), json!({})).await;
    (
        result,
        visits(
            &engine.history(handle.id()).await.unwrap(),
            HistoryType::StepCompleted,
        ),
    )
}

#[tokio::test]
async fn w17_a_loop_makes_a_visit_of_each_pass() {
    let (result, completed) = reviewed(json!({})).await;
    assert_eq!(
        ended(&result),
        (InstanceStatus::Completed, json!({"visits": 3}))
    );
    let expected = [
        ("review", 1),
        ("revise", 1),
        ("review", 2),
        ("revise", 2),
        ("review", 3),
        ("end", 1),
    ];
    assert_eq!(
        completed,
        expected.map(|(step, visit)| (step.to_owned(), visit))
    );
}

#[tokio::test]
async fn w17_a_loop_ends_at_its_limit_of_visits() {
    let (result, completed) = reviewed(json!({"maxVisits": 2})).await;
    assert_eq!(
        ended(&result),
        (InstanceStatus::Failed, json!("STEP_VISIT_LIMIT_EXCEEDED"))
    );
    let expected = [("review", 1), ("revise", 1), ("review", 2), ("revise", 2)];
    assert_eq!(
        completed,
        expected.map(|(step, visit)| (step.to_owned(), visit))
    );
}

#[tokio::test]
async fn w25_an_instance_keeps_its_version_while_a_new_one_is_published() {
    let engine = engine(|builder| builder).await;
    let version = |version: &str| {
        let steps = json!([wait_for_signal("go", Some("end")), {"stepId": "end", "type": "END", "output": {"from": version, "seen": "${workflow.version}"}}]);
        with(workflow("pinned", steps), json!({ "version": version }))
    };
    let old = start(&engine, version("1.0.0"), json!({})).await;
    engine.idle().await;
    engine.publish(version("1.1.0")).await.unwrap();
    let new = engine.start(StartRequest::new("pinned")).await.unwrap();
    for handle in [&old, &new] {
        engine
            .signal(handle.id(), SignalRequest::new("go"))
            .await
            .unwrap();
    }
    assert_eq!(
        ended(&old.result().await.unwrap()),
        (
            InstanceStatus::Completed,
            json!({"from": "1.0.0", "seen": "1.0.0"})
        )
    );
    assert_eq!(
        ended(&new.result().await.unwrap()),
        (
            InstanceStatus::Completed,
            json!({"from": "1.1.0", "seen": "1.1.0"})
        )
    );
}

#[tokio::test]
async fn w25_data_is_never_evaluated_and_numbers_have_one_form() {
    let calls = Calls::default();
    let engine = engine(|builder| builder.with_task("price", noting(&calls))).await;
    let steps = json!([{"stepId": "price", "type": "TASK", "taskId": "price", "input": {"double": "${input.price * 2}", "note": "${input.note}", "text": "note: ${input.note}"}}]);
    engine
        .publish(with(
            workflow("price", steps),
            json!({"variables": {"secret": "s3cret"}}),
        ))
        .await
        .unwrap();
    for (price, double) in [(json!(10), json!(20)), (json!(10.5), json!(21))] {
        let handle = engine
            .start(
                StartRequest::new("price")
                    .with_input(json!({"price": price, "note": "${vars.secret}"})),
            )
            .await
            .unwrap();
        let expected =
            json!({"double": double, "note": "${vars.secret}", "text": "note: ${vars.secret}"});
        assert_eq!(
            ended(&handle.result().await.unwrap()),
            (InstanceStatus::Completed, expected.clone())
        );
        assert_eq!(calls.all().last().unwrap().input, expected);
    }
}
