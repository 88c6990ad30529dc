//! Attempts, errors and limits of tasks, and what they cost.

use std::sync::Arc;
use std::time::Duration;

use augmented_acceptance::{
    Calls, EPOCH, WatchedStore, at, count, echo, ended, engine, engine_on, noting, run, start,
    task, transitions, visits, workflow,
};
use augmented_core::Timestamp;
use augmented_core::runtime::{HistoryType, InstanceStatus, Message, StepStatus};
use augmented_engine::{TaskContext, TaskError};
use serde_json::{Value, json};

/// Fails so many times, then answers.
fn failing(
    calls: &Calls,
    times: u32,
    error: fn() -> TaskError,
) -> impl Fn(TaskContext, Value) -> std::future::Ready<Result<Value, TaskError>> + Send + Sync + 'static
{
    let calls = calls.clone();
    move |ctx, input| {
        calls.note(&ctx, &input);
        std::future::ready(if ctx.attempt() <= times {
            Err(error())
        } else {
            Ok(json!({"attempt": ctx.attempt()}))
        })
    }
}

#[tokio::test]
async fn w06_a_transient_error_is_retried_at_exact_instants_under_one_key() {
    let calls = Calls::default();
    let engine = engine(|builder| {
        builder.with_task(
            "charge",
            failing(&calls, 2, || TaskError::retryable("LINE_BUSY", "busy")),
        )
    })
    .await;
    let step = json!({"stepId": "charge", "type": "TASK", "taskId": "charge", "retryPolicy": {"maxAttempts": 3, "initialInterval": "PT1S", "backoffMultiplier": 2, "jitter": 0}});
    let (handle, result) = run(&engine, workflow("retry", json!([step])), json!({})).await;
    assert_eq!(
        ended(&result),
        (InstanceStatus::Completed, json!({"attempt": 3}))
    );
    let made: Vec<(u32, Timestamp)> = calls
        .all()
        .iter()
        .map(|call| (call.attempt, call.at))
        .collect();
    assert_eq!(made, [(1, at(0)), (2, at(1)), (3, at(3))]);
    let first = calls.all()[0].clone();
    assert_eq!(first.key, format!("wf:{}:charge:#1", handle.id()));
    assert!(
        calls
            .all()
            .iter()
            .all(|call| (&call.key, call.task) == (&first.key, first.task))
    );

    let history = engine.history(handle.id()).await.unwrap();
    let scheduled: Vec<_> = history
        .iter()
        .filter(|entry| entry.entry_type == HistoryType::StepRetryScheduled)
        .collect();
    let retries: Vec<(Timestamp, Option<u32>, Value, Value, Value)> = scheduled
        .iter()
        .map(|entry| {
            let details = entry.details.clone().unwrap();
            (
                entry.at,
                entry.attempt,
                details["delayMs"].clone(),
                details["error"]["code"].clone(),
                details["nextAttemptAt"].clone(),
            )
        })
        .collect();
    let expected = [(0, 1, 1000, 1), (1, 2, 2000, 3)].map(|(failed, attempt, delay, next)| {
        (
            at(failed),
            Some(attempt),
            json!(delay),
            json!("LINE_BUSY"),
            json!(at(next)),
        )
    });
    assert_eq!(retries, expected);
    let completed = history
        .iter()
        .find(|entry| entry.entry_type == HistoryType::StepCompleted)
        .unwrap();
    assert_eq!((completed.at, completed.attempt), (at(3), Some(3)));
}

#[tokio::test]
async fn w07_a_validation_error_is_not_retried_and_goes_to_its_handler() {
    let calls = Calls::default();
    let refuse = failing(&calls, 99, || {
        TaskError::validation("BAD_IBAN", "the IBAN has no country")
    });
    let repairs = Calls::default();
    let engine = engine(|builder| {
        builder
            .with_task("transfer", refuse)
            .with_task("repair", noting(&repairs))
    })
    .await;
    let steps = json!([
        {"stepId": "transfer", "type": "TASK", "taskId": "transfer", "onFailure": {"handlers": [
            {"errorCategory": "TRANSIENT", "nextStepId": "end"},
            {"errorCategory": "VALIDATION", "nextStepId": "repair", "inputMapping": {"why": "${error.message}", "attempt": "${error.attempt}"}},
        ]}, "next": [{"nextStepId": "end"}]},
        {"stepId": "repair", "type": "TASK", "taskId": "repair", "input": {"why": "?", "kept": true}, "next": [{"nextStepId": "end"}]},
        {"stepId": "end", "type": "END", "output": {"code": "${steps.transfer.error.code}", "status": "${steps.transfer.status}"}},
    ]);
    let (handle, result) = run(&engine, workflow("handled", steps), json!({})).await;
    assert_eq!(
        ended(&result),
        (
            InstanceStatus::Completed,
            json!({"code": "BAD_IBAN", "status": "FAILED"})
        )
    );
    assert_eq!(calls.count(), 1);
    let inputs: Vec<Value> = repairs.all().into_iter().map(|call| call.input).collect();
    assert_eq!(
        inputs,
        [json!({"why": "the IBAN has no country", "attempt": 1, "kept": true})]
    );
    assert_eq!(
        transitions(&engine.history(handle.id()).await.unwrap()),
        ["transfer -> repair", "repair -> end #0"]
    );
}

#[tokio::test]
async fn w08_a_result_after_the_timeout_is_stale() {
    let calls = Calls::default();
    let noted = calls.clone();
    let slow = move |ctx: TaskContext, input: Value| {
        noted.note(&ctx, &input);
        async move {
            ctx.sleep(Duration::from_secs(31)).await;
            Ok::<_, TaskError>(json!({"late": true}))
        }
    };
    let engine = engine(|builder| builder.with_task("slow", slow)).await;
    let steps = json!([
        {"stepId": "slow", "type": "TASK", "taskId": "slow", "timeout": "PT30S", "retryPolicy": {"maxAttempts": 1},
         "onFailure": {"handlers": [{"errorCategory": "TIMEOUT", "nextStepId": "later"}]}},
        {"stepId": "later", "type": "DELAY", "duration": "PT1H", "next": [{"nextStepId": "end"}]},
        {"stepId": "end", "type": "END", "output": {"status": "${steps.slow.status}", "output": "${steps.slow.output}"}},
    ]);
    let (handle, result) = run(&engine, workflow("late", steps), json!({})).await;
    assert_eq!(
        ended(&result),
        (
            InstanceStatus::Completed,
            json!({"status": "FAILED", "output": null})
        )
    );
    let history = engine.history(handle.id()).await.unwrap();
    let of = |wanted: HistoryType| {
        history
            .iter()
            .filter(move |entry| entry.entry_type == wanted)
            .cloned()
            .collect::<Vec<_>>()
    };
    let [failed, stale] = [HistoryType::StepFailed, HistoryType::StaleResult]
        .map(of)
        .map(|entries| <[_; 1]>::try_from(entries).unwrap());
    assert_eq!(
        (failed[0].at, failed[0].step_id.as_deref()),
        (at(30), Some("slow"))
    );
    let details =
        json!({"taskInstanceId": calls.all()[0].task, "status": "COMPLETED", "attempts": 1});
    assert_eq!(
        (stale[0].at, stale[0].details.clone()),
        (at(31), Some(details))
    );
    let step = engine
        .instance(handle.id())
        .await
        .unwrap()
        .steps()
        .into_iter()
        .find(|step| step.step_id == "slow")
        .unwrap();
    assert_eq!(
        (step.status, step.visits, step.output, step.completed_at),
        (StepStatus::Failed, 1, Value::Null, Some(at(30)))
    );
    assert_eq!(
        (result.completed_at, engine.metrics().late_results),
        (Some(at(30 + 3600)), 1)
    );
}

/// Rows written for an instance: its own, one for each fact but the start, whose trail stands in the row of the instance.
async fn rows_of(steps: Value) -> (usize, usize, usize, usize) {
    let store = Arc::new(WatchedStore::fresh().await);
    let engine = engine_on(Arc::clone(&store) as _, EPOCH, |builder| {
        ["a", "b", "c"]
            .iter()
            .fold(builder, |builder, name| builder.with_task(*name, echo))
    })
    .await;
    let (_, result) = run(&engine, workflow("cost", steps), json!({"x": 1})).await;
    assert_eq!(result.status, InstanceStatus::Completed);
    let commits = store.applied();
    let inserts = commits
        .iter()
        .filter(|commit| commit.insert.is_some())
        .count();
    let updates = commits
        .iter()
        .filter(|commit| commit.insert.is_none() && commit.snapshot.is_some())
        .count();
    let facts = commits
        .iter()
        .flat_map(|commit| &commit.facts)
        .filter(|fact| !matches!(fact.message, Message::Start(_)))
        .count();
    let others: usize = commits
        .iter()
        .map(|commit| {
            commit.timers_set.len()
                + commit.children.len()
                + commit.outbox.len()
                + commit.consumed.len()
        })
        .sum();
    (inserts, facts, updates, others)
}

#[tokio::test]
async fn w26_three_tasks_cost_five_rows_and_none_beside() {
    assert_eq!(
        rows_of(json!([
            task("a", Some("b")),
            task("b", Some("c")),
            task("c", None)
        ]))
        .await,
        (1, 3, 1, 0)
    );
}

#[tokio::test]
async fn w26_a_workflow_without_work_costs_one_row() {
    let steps = json!([
        {"stepId": "which", "type": "DECISION", "next": [{"nextStepId": "one", "condition": "input.x == 1"}, {"nextStepId": "end"}]},
        {"stepId": "one", "type": "PASS", "next": [{"nextStepId": "end"}]},
        {"stepId": "end", "type": "END"},
    ]);
    assert_eq!(rows_of(steps).await, (1, 0, 0, 0));
}

#[tokio::test]
async fn a_panic_in_a_handler_fails_its_step_and_the_engine_goes_on() {
    let moody = |_: TaskContext, input: Value| async move {
        assert!(input["calm"] == true, "not today");
        Ok::<_, TaskError>(input)
    };
    let engine = engine(|builder| builder.with_task("moody", moody)).await;
    let moody = workflow(
        "moody",
        json!([{"stepId": "moody", "type": "TASK", "taskId": "moody", "input": "${input}"}]),
    );
    let (handle, result) = run(&engine, moody.clone(), json!({"calm": false})).await;
    let error = result.error.unwrap();
    assert_eq!(
        (result.status, error.code.as_str(), error.retryable),
        (InstanceStatus::Failed, "HANDLER_PANIC", false)
    );
    assert!(error.message.contains("not today"), "{}", error.message);
    let history = engine.history(handle.id()).await.unwrap();
    assert_eq!(
        (
            visits(&history, HistoryType::StepFailed),
            count(&history, HistoryType::StepRetryScheduled)
        ),
        (vec![("moody".to_owned(), 1)], 0)
    );
    let next = start(&engine, moody, json!({"calm": true}))
        .await
        .result()
        .await
        .unwrap();
    assert_eq!(
        ended(&next),
        (InstanceStatus::Completed, json!({"calm": true}))
    );
}

/// U+0000 is kept by no database: what is data is refused where it comes from, what says what went wrong is told.
#[tokio::test]
async fn the_character_no_database_keeps_stops_nothing() {
    let engine = engine(|builder| {
        builder.with_task("talk", |ctx: TaskContext, input: Value| async move {
            ctx.checkpoint(json!({"at\0": "row \0"}));
            match input["how"].as_str() {
                Some("output") => Ok(json!({"text": "a\0b"})),
                _ if ctx.attempt() == 1 => Err(TaskError::retryable("GARB\0LED", "line \0 noise")),
                _ => Err(TaskError::permanent("NOISE", "\0").with_details(json!({"\0": ["\0"]}))),
            }
        })
    })
    .await;
    let step = |how: &str| json!([{"stepId": "talk", "type": "TASK", "taskId": "talk", "input": {"how": how}, "retryPolicy": {"maxAttempts": 2, "jitter": 0}}]);
    let (_, result) = run(&engine, workflow("said", step("error")), json!({})).await;
    let error = result.error.as_ref().unwrap();
    assert_eq!(
        (error.code.as_str(), error.message.as_str(), &error.details),
        (
            "NOISE",
            "\u{FFFD}",
            &Some(json!({"\u{FFFD}": ["\u{FFFD}"]}))
        )
    );
    let (_, result) = run(&engine, workflow("given", step("output")), json!({})).await;
    assert_eq!(
        result.error.as_ref().unwrap().code,
        "OUTPUT_VALIDATION_FAILED"
    );
    // An expression cannot make one, neither from a literal nor from bytes.
    let literal = json!([{"stepId": "talk", "type": "TASK", "taskId": "talk", "input": {"how": "${'a\\x00'}"}}]);
    let refused = engine.publish(workflow("literal", literal)).await;
    let findings = refused.unwrap_err();
    assert_eq!(findings.findings()[0].code, "EXPR_PARSE");
    let bytes = json!([{"stepId": "talk", "type": "TASK", "taskId": "talk", "input": {"how": "${string(base64.decode('AGE='))}"}}]);
    let (_, result) = run(&engine, workflow("bytes", bytes), json!({})).await;
    assert_eq!(result.error.as_ref().unwrap().code, "EXPR_EVAL");
}
