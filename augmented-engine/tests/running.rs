//! Whole runs on the memory store: retries, timeouts, waits, cancellation, crashes.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use augmented_core::runtime::{HistoryEntry, HistoryType, InstanceStatus};
use augmented_core::{IsoDuration, Timestamp};
use augmented_engine::{
    CancelRequest, Engine, EngineConfig, MockScript, Outcome, SignalRequest, StartRequest,
    TaskContext, TaskError, WaitKind,
};
use augmented_store_memory::MemoryStore;
use common::{at, epoch, new_store, sequence, task, virtual_engine, workflow};
use serde_json::{Value, json};

fn of_type(history: &[HistoryEntry], wanted: HistoryType) -> Vec<&HistoryEntry> {
    history
        .iter()
        .filter(|entry| entry.entry_type == wanted)
        .collect()
}

#[tokio::test]
async fn three_steps_run_in_order_and_the_output_of_the_last_is_that_of_the_workflow() {
    let engine = virtual_engine(new_store().await).start().await.unwrap();
    engine
        .publish(sequence("three", &["std.echo", "std.echo", "std.echo"]))
        .await
        .unwrap();
    let handle = engine
        .start(StartRequest::new("three").with_input(json!({"n": 1})))
        .await
        .unwrap();
    let result = handle.result().await.unwrap();
    assert_eq!(
        (result.status, result.output),
        (InstanceStatus::Completed, json!({"n": 1}))
    );
    let history = engine.history(handle.id()).await.unwrap();
    let completed: Vec<_> = of_type(&history, HistoryType::StepCompleted)
        .iter()
        .map(|entry| entry.step_id.clone().unwrap())
        .collect();
    assert_eq!(completed, ["s0", "s1", "s2"]);
    assert_eq!(engine.metrics().facts, 4);
}

#[tokio::test]
async fn a_transient_error_is_retried_at_exact_instants_under_one_idempotency_key() {
    let keys = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let seen = Arc::clone(&keys);
    let flaky = move |ctx: TaskContext, _: Value| {
        seen.lock()
            .push((ctx.now(), ctx.idempotency_key(), ctx.attempt()));
        async move {
            if ctx.attempt() < 3 {
                Err(TaskError::retryable("LINE_BUSY", "busy"))
            } else {
                Ok(json!({"ok": true}))
            }
        }
    };
    let engine = virtual_engine(new_store().await)
        .with_task("flaky", flaky)
        .start()
        .await
        .unwrap();
    let mut step = task("call", "flaky");
    step["retryPolicy"] = json!({"jitter": 0});
    engine.publish(workflow("retry", vec![step])).await.unwrap();
    let handle = engine.start(StartRequest::new("retry")).await.unwrap();
    assert_eq!(
        handle.result().await.unwrap().status,
        InstanceStatus::Completed
    );
    let calls = keys.lock().clone();
    let key = format!("wf:{}:call:#1", handle.id());
    assert_eq!(
        calls,
        [
            (at(0), key.clone(), 1),
            (at(1_000), key.clone(), 2),
            (at(3_000), key, 3)
        ]
    );
    let history = engine.history(handle.id()).await.unwrap();
    let delays: Vec<_> = of_type(&history, HistoryType::StepRetryScheduled)
        .iter()
        .map(|entry| entry.details.clone().unwrap()["delayMs"].clone())
        .collect();
    assert_eq!(delays, [json!(1000), json!(2000)]);
}

#[tokio::test]
async fn a_delay_of_thirty_days_takes_no_real_time() {
    let engine = virtual_engine(new_store().await).start().await.unwrap();
    let delay = json!({"stepId": "wait", "type": "DELAY", "duration": "P30D"});
    engine
        .publish(workflow("month", vec![delay]))
        .await
        .unwrap();
    let began = std::time::Instant::now();
    let result = engine
        .start(StartRequest::new("month"))
        .await
        .unwrap()
        .result()
        .await
        .unwrap();
    let month: IsoDuration = "P30D".parse().unwrap();
    assert_eq!(
        result.completed_at,
        Some(epoch().plus_micros(month.as_micros()))
    );
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_panic_becomes_a_failure_that_is_not_retried() {
    async fn explode(_: TaskContext, _: Value) -> Result<Value, TaskError> {
        panic!("no such shelf")
    }
    let engine = virtual_engine(new_store().await)
        .with_task("explode", explode)
        .start()
        .await
        .unwrap();
    engine
        .publish(sequence("panic", &["explode"]))
        .await
        .unwrap();
    let result = engine
        .start(StartRequest::new("panic"))
        .await
        .unwrap()
        .result()
        .await
        .unwrap();
    let error = result.error.unwrap();
    assert_eq!(
        (result.status, error.code.as_str(), error.retryable),
        (InstanceStatus::Failed, "HANDLER_PANIC", false)
    );
    assert!(error.message.contains("no such shelf"));
}

#[tokio::test]
async fn a_blocking_handler_runs_and_its_panic_is_caught() {
    fn halve(_: TaskContext, input: Value) -> Result<Value, TaskError> {
        std::thread::sleep(Duration::from_millis(2));
        let n = input["n"].as_i64().expect("a number");
        Ok(json!({"n": n / 2}))
    }
    let engine = virtual_engine(new_store().await)
        .with_blocking_task("halve", halve)
        .start()
        .await
        .unwrap();
    engine
        .publish(sequence("halves", &["halve"]))
        .await
        .unwrap();
    let run = async |input| {
        engine
            .start(StartRequest::new("halves").with_input(input))
            .await
            .unwrap()
            .result()
            .await
            .unwrap()
    };
    assert_eq!(run(json!({"n": 8})).await.output, json!({"n": 4}));
    assert_eq!(run(json!({})).await.error.unwrap().code, "HANDLER_PANIC");
}

#[tokio::test]
async fn a_late_result_is_recorded_as_stale_and_changes_nothing() {
    let slow = |ctx: TaskContext, _: Value| async move {
        ctx.sleep(Duration::from_secs(31)).await;
        Ok::<_, TaskError>(json!({"late": true}))
    };
    let engine = virtual_engine(new_store().await)
        .with_task("slow", slow)
        .start()
        .await
        .unwrap();
    let mut step = task("slow", "slow");
    step["timeout"] = json!("PT30S");
    step["retryPolicy"] = json!({"maxAttempts": 1});
    step["onFailure"] =
        json!({"handlers": [{"errorCode": "EXECUTION_TIMEOUT", "nextStepId": "apologise"}]});
    let apologise = json!({"stepId": "apologise", "type": "DELAY", "duration": "PT5S"});
    engine
        .publish(workflow("late", vec![step, apologise]))
        .await
        .unwrap();
    let handle = engine.start(StartRequest::new("late")).await.unwrap();
    assert_eq!(
        handle.result().await.unwrap().completed_at,
        Some(at(35_000))
    );
    let history = engine.history(handle.id()).await.unwrap();
    let failed = of_type(&history, HistoryType::StepFailed);
    assert_eq!(
        (failed[0].at, failed[0].step_id.as_deref()),
        (at(30_000), Some("slow"))
    );
    let stale = of_type(&history, HistoryType::StaleResult);
    assert_eq!((stale.len(), stale[0].at), (1, at(31_000)));
}

#[tokio::test]
async fn a_result_after_the_end_of_the_instance_is_recorded_as_stale() {
    let slow = |ctx: TaskContext, _: Value| async move {
        ctx.sleep(Duration::from_secs(31)).await;
        Ok::<_, TaskError>(json!({}))
    };
    let engine = virtual_engine(new_store().await)
        .with_task("slow", slow)
        .start()
        .await
        .unwrap();
    let mut step = task("slow", "slow");
    step["timeout"] = json!("PT30S");
    step["retryPolicy"] = json!({"maxAttempts": 1});
    engine.publish(workflow("over", vec![step])).await.unwrap();
    let handle = engine.start(StartRequest::new("over")).await.unwrap();
    let result = handle.result().await.unwrap();
    assert_eq!(
        (result.status, result.completed_at),
        (InstanceStatus::Failed, Some(at(30_000)))
    );
    engine.idle().await;
    let history = engine.history(handle.id()).await.unwrap();
    assert_eq!(
        of_type(&history, HistoryType::StaleResult)
            .first()
            .map(|entry| entry.at),
        Some(at(31_000))
    );
    assert_eq!(
        engine.instance(handle.id()).await.unwrap().status(),
        InstanceStatus::Failed
    );
}

#[tokio::test]
async fn a_silent_handler_times_out_and_a_beating_one_does_not() {
    let beats = |ctx: TaskContext, input: Value| async move {
        for _ in 0..4 {
            ctx.sleep(Duration::from_secs(4)).await;
            if input["beat"] == true {
                ctx.heartbeat();
            }
        }
        Ok::<_, TaskError>(json!({}))
    };
    let engine = virtual_engine(new_store().await)
        .with_task("beats", beats)
        .start()
        .await
        .unwrap();
    let mut step = task("work", "beats");
    step["heartbeatTimeout"] = json!("PT5S");
    step["retryPolicy"] = json!({"maxAttempts": 1});
    engine
        .publish(workflow("beating", vec![step]))
        .await
        .unwrap();
    let run = async |beat: bool| {
        engine
            .start(StartRequest::new("beating").with_input(json!({"beat": beat})))
            .await
            .unwrap()
            .result()
            .await
            .unwrap()
    };
    assert_eq!(run(true).await.status, InstanceStatus::Completed);
    assert_eq!(run(false).await.error.unwrap().code, "HEARTBEAT_TIMEOUT");
}

#[tokio::test]
async fn a_checkpoint_reaches_the_next_attempt() {
    let resume = |ctx: TaskContext, _: Value| async move {
        match ctx.last_checkpoint() {
            None => {
                ctx.checkpoint(json!({"page": 7}));
                Err(TaskError::retryable("CUT_OFF", "the line was cut"))
            }
            Some(progress) => Ok(progress.clone()),
        }
    };
    let engine = virtual_engine(new_store().await)
        .with_task("resume", resume)
        .start()
        .await
        .unwrap();
    engine
        .publish(sequence("pages", &["resume"]))
        .await
        .unwrap();
    let result = engine
        .start(StartRequest::new("pages"))
        .await
        .unwrap()
        .result()
        .await
        .unwrap();
    assert_eq!(result.output, json!({"page": 7}));
}

#[tokio::test]
async fn a_long_back_off_parks_the_instance_and_attempts_go_on_counting() {
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&attempts);
    let failing = move |ctx: TaskContext, _: Value| {
        counted.store(ctx.attempt(), Ordering::SeqCst);
        async move {
            if ctx.attempt() < 4 {
                Err(TaskError::retryable("LINE_BUSY", "busy"))
            } else {
                Ok(json!({}))
            }
        }
    };
    let store = new_store().await;
    let engine = virtual_engine(store)
        .with_task("failing", failing)
        .start()
        .await
        .unwrap();
    let mut step = task("call", "failing");
    step["retryPolicy"] = json!({"maxAttempts": 5, "initialInterval": "PT1M", "maxInterval": "PT1H", "backoffMultiplier": 1.0, "jitter": 0});
    engine
        .publish(workflow("patient", vec![step]))
        .await
        .unwrap();
    let handle = engine.start(StartRequest::new("patient")).await.unwrap();
    let result = handle.result().await.unwrap();
    assert_eq!(
        (result.status, result.completed_at),
        (InstanceStatus::Completed, Some(at(180_000)))
    );
    assert_eq!(attempts.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn an_outcome_chooses_the_way() {
    let review = |_: TaskContext, input: Value| async move {
        Ok::<_, TaskError>(Outcome::new(
            if input["amount"].as_i64() > Some(1000) {
                "DECLINED"
            } else {
                "APPROVED"
            },
            json!({}),
        ))
    };
    let engine = virtual_engine(new_store().await)
        .with_task("review", review)
        .start()
        .await
        .unwrap();
    let mut step = task("review", "review");
    step["next"] = json!([{"nextStepId": "no", "on": "DECLINED"}, {"nextStepId": "yes"}]);
    let end = |id: &str| json!({"stepId": id, "type": "END", "outcome": id});
    engine
        .publish(workflow("reviews", vec![step, end("no"), end("yes")]))
        .await
        .unwrap();
    for (amount, outcome) in [(750, "yes"), (1500, "no")] {
        let result = engine
            .start(StartRequest::new("reviews").with_input(json!({"amount": amount})))
            .await
            .unwrap()
            .result()
            .await
            .unwrap();
        assert_eq!(result.outcome.as_deref(), Some(outcome));
    }
}

#[tokio::test]
async fn a_signal_is_awaited_taken_once_and_refused_after_the_end() {
    let engine = virtual_engine(new_store().await).start().await.unwrap();
    let wait = json!({"stepId": "wait", "type": "EVENT_WAIT", "signalType": "go"});
    engine
        .publish(workflow("waiting", vec![wait]))
        .await
        .unwrap();
    let handle = engine.start(StartRequest::new("waiting")).await.unwrap();
    engine.idle().await;
    let view = engine.instance(handle.id()).await.unwrap();
    assert_eq!(view.status(), InstanceStatus::WaitingForEvent);
    let waiting = view.waiting_for();
    assert_eq!(
        (
            waiting[0].step_id.as_str(),
            waiting[0].kind,
            waiting[0].signal_type.as_deref()
        ),
        ("wait", WaitKind::Signal, Some("go"))
    );
    let hold = engine.hold_time();
    let go = || {
        SignalRequest::new("go")
            .with_payload(json!({"n": 1}))
            .with_signal_id("s-1")
    };
    let first = engine.signal(handle.id(), go()).await.unwrap();
    let second = engine.signal(handle.id(), go()).await.unwrap();
    drop(hold);
    assert_eq!((first.duplicate, second.duplicate), (false, true));
    let result = handle.result().await.unwrap();
    assert_eq!(result.output["payload"], json!({"n": 1}));
    let refused = engine
        .signal(handle.id(), SignalRequest::new("go"))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "ILLEGAL_STATE");
}

#[tokio::test]
async fn an_undeclared_signal_is_refused_at_the_door() {
    let engine = virtual_engine(new_store().await).start().await.unwrap();
    let mut definition = workflow(
        "declared",
        vec![json!({"stepId": "wait", "type": "EVENT_WAIT", "signalType": "go"})],
    );
    definition["signals"] = json!({"go": {"type": "object", "required": ["n"]}});
    engine.publish(definition).await.unwrap();
    let handle = engine.start(StartRequest::new("declared")).await.unwrap();
    for signal in [
        SignalRequest::new("stop"),
        SignalRequest::new("go").with_payload(json!({})),
    ] {
        let refused = engine.signal(handle.id(), signal).await.unwrap_err();
        assert_eq!(refused.reason(), Some("SIGNAL_INVALID"));
    }
}

#[tokio::test]
async fn cancelling_tells_the_handler_and_waits_for_it() {
    let told = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&told);
    let patient = move |ctx: TaskContext, _: Value| {
        let counted = Arc::clone(&counted);
        async move {
            ctx.cancelled().await;
            counted.fetch_add(1, Ordering::SeqCst);
            Err::<Value, _>(TaskError::permanent("STOPPED", "told to stop"))
        }
    };
    let engine = virtual_engine(new_store().await)
        .with_task("patient", patient)
        .start()
        .await
        .unwrap();
    engine
        .publish(sequence("long", &["patient"]))
        .await
        .unwrap();
    let handle = engine.start(StartRequest::new("long")).await.unwrap();
    let hold = engine.hold_time();
    let accepted = engine
        .cancel(
            handle.id(),
            CancelRequest::new("ordered twice").with_request_id("c-1"),
        )
        .await
        .unwrap();
    assert!(!accepted.duplicate);
    drop(hold);
    let result = handle.result().await.unwrap();
    assert_eq!(
        (result.status, told.load(Ordering::SeqCst)),
        (InstanceStatus::Cancelled, 1)
    );
    assert!(
        engine
            .cancel(
                handle.id(),
                CancelRequest::new("again").with_request_id("c-1")
            )
            .await
            .unwrap()
            .duplicate
    );
    let other = engine
        .cancel(handle.id(), CancelRequest::new("again"))
        .await
        .unwrap_err();
    assert_eq!(other.code(), "ILLEGAL_STATE");
}

#[tokio::test]
async fn a_key_starts_once_and_refuses_other_input() {
    let engine = virtual_engine(new_store().await).start().await.unwrap();
    engine
        .publish(sequence("once", &["std.echo"]))
        .await
        .unwrap();
    let request = |n: i64| {
        StartRequest::new("once")
            .with_input(json!({"n": n}))
            .with_idempotency_key("k")
    };
    let first = engine.start(request(1)).await.unwrap();
    let again = engine.start(request(1)).await.unwrap();
    assert_eq!(first.id(), again.id());
    assert_eq!(again.result().await.unwrap().output, json!({"n": 1}));
    assert_eq!(
        engine.start(request(2)).await.unwrap_err().code(),
        "IDEMPOTENCY_CONFLICT"
    );
}

#[tokio::test]
async fn an_input_that_does_not_fit_starts_nothing() {
    let engine = virtual_engine(new_store().await).start().await.unwrap();
    let mut definition = sequence("strict", &["std.echo"]);
    definition["inputSchema"] = json!({"type": "object", "required": ["orderId"]});
    engine.publish(definition).await.unwrap();
    let refused = engine.start(StartRequest::new("strict")).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.reason(), refused.findings().len()),
        ("INVALID_ARGUMENT", Some("INPUT_INVALID"), 1)
    );
    assert!(
        engine
            .list(&Default::default(), Default::default())
            .await
            .unwrap()
            .instances
            .is_empty()
    );
}

#[tokio::test]
async fn a_child_runs_and_its_output_comes_back() {
    let engine = virtual_engine(new_store().await).start().await.unwrap();
    let sub = |id: &str, child: &str| json!({"stepId": id, "type": "SUB_WORKFLOW", "workflowId": child, "input": {"n": "${input.n}"}});
    let mut delayed = task("echo", "std.echo");
    delayed["input"] = json!({"n": "${input.n + 1}"});
    let nap = json!({"stepId": "nap", "type": "DELAY", "duration": "PT1H", "next": [{"nextStepId": "echo"}]});
    engine
        .publish(vec![
            workflow("child", vec![nap, delayed]),
            workflow("parent", vec![sub("call", "child")]),
        ])
        .await
        .unwrap();
    let handle = engine
        .start(StartRequest::new("parent").with_input(json!({"n": 1})))
        .await
        .unwrap();
    let result = handle.result().await.unwrap();
    assert_eq!(
        (result.output, result.completed_at),
        (json!({"n": 2}), Some(at(3_600_000)))
    );
}

#[tokio::test]
async fn twenty_branches_that_finish_at_once_all_count() {
    let engine = virtual_engine(new_store().await).start().await.unwrap();
    let branch = |n: usize| json!({"branchId": format!("b{n}"), "steps": [{"stepId": format!("t{n}"), "type": "TASK", "taskId": "std.echo", "assign": {format!("v{n}"): n}}]});
    let fork = json!({"stepId": "fork", "type": "PARALLEL", "branches": (0..20).map(branch).collect::<Vec<_>>()});
    engine.publish(workflow("wide", vec![fork])).await.unwrap();
    let handle = engine.start(StartRequest::new("wide")).await.unwrap();
    assert_eq!(
        handle.result().await.unwrap().status,
        InstanceStatus::Completed
    );
    let view = engine.instance(handle.id()).await.unwrap();
    assert_eq!(view.variables().as_object().unwrap().len(), 20);
    assert!(view.state().seq.unwrap() >= 20);
    let inner = view
        .steps()
        .into_iter()
        .find(|step| step.step_id == "t3")
        .unwrap();
    assert_eq!(inner.scope_path, "fork/b3");
}

#[tokio::test]
async fn mocks_stand_for_tasks_and_repeat_their_last_answer() {
    let script = MockScript::from_json(&json!([
        {"$error": {"code": "LINE_BUSY", "category": "TRANSIENT"}},
        {"$outcome": "DONE", "output": {"id": "${input.id}"}},
    ]));
    let engine = virtual_engine(new_store().await)
        .with_mock("std.echo", script.unwrap())
        .start()
        .await
        .unwrap();
    engine
        .publish(sequence("mocked", &["std.echo", "std.echo"]))
        .await
        .unwrap();
    let handle = engine
        .start(StartRequest::new("mocked").with_input(json!({"id": 7})))
        .await
        .unwrap();
    assert_eq!(handle.result().await.unwrap().output, json!({"id": 7}));
    let view = engine.instance(handle.id()).await.unwrap();
    let steps = view.steps();
    assert_eq!((steps[0].attempts, steps[1].attempts), (2, 1));
    assert_eq!(steps[1].outcome.as_deref(), Some("DONE"));
}

#[tokio::test]
async fn standing_still_is_idle() {
    let engine = virtual_engine(new_store().await).start().await.unwrap();
    engine
        .publish(workflow(
            "stuck",
            vec![json!({"stepId": "wait", "type": "EVENT_WAIT", "signalType": "go"})],
        ))
        .await
        .unwrap();
    let handle = engine.start(StartRequest::new("stuck")).await.unwrap();
    tokio::select! {
        _ = handle.result() => panic!("nothing can end it"),
        () = engine.idle() => {}
    }
}

#[tokio::test]
async fn a_stimulus_comes_at_its_instant_before_timers() {
    let engine = virtual_engine(new_store().await).start().await.unwrap();
    let wait = json!({"stepId": "wait", "type": "EVENT_WAIT", "signalType": "go", "eventTimeout": {"duration": "PT10M"}});
    engine.publish(workflow("race", vec![wait])).await.unwrap();
    let hold = engine.hold_time();
    let handle = engine.start(StartRequest::new("race")).await.unwrap();
    let stimulus = {
        let (engine, id) = (engine.clone(), handle.id());
        async move {
            let _moment = engine.wait_until(at(600_000)).await;
            assert_eq!(engine.now(), at(600_000));
            engine.signal(id, SignalRequest::new("go")).await.unwrap();
        }
    };
    let (_, result) = tokio::join!(stimulus, async {
        drop(hold);
        handle.result().await.unwrap()
    });
    assert_eq!(
        (result.status, result.completed_at),
        (InstanceStatus::Completed, Some(at(600_000)))
    );
}

#[tokio::test]
async fn equal_seeds_give_equal_runs() {
    async fn run(seed: u64) -> (String, Vec<HistoryEntry>) {
        let engine = virtual_engine(new_store().await)
            .with_seed(seed)
            .start()
            .await
            .unwrap();
        let mut step = task("fail", "std.fail");
        step["input"] = json!({"untilAttempt": 3});
        engine
            .publish(workflow("jittery", vec![step]))
            .await
            .unwrap();
        let handle = engine.start(StartRequest::new("jittery")).await.unwrap();
        handle.result().await.unwrap();
        (
            handle.id().to_string(),
            engine.history(handle.id()).await.unwrap(),
        )
    }
    assert_eq!(run(7).await, run(7).await);
    assert_ne!(run(7).await.1, run(8).await.1);
}

#[tokio::test]
async fn another_engine_goes_on_after_a_crash_under_the_same_key() {
    let keys = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let store = new_store().await;
    let hang = {
        let keys = Arc::clone(&keys);
        move |ctx: TaskContext, _: Value| {
            keys.lock().push(ctx.idempotency_key());
            async move { std::future::pending::<Result<Value, TaskError>>().await }
        }
    };
    let first = virtual_engine(Arc::clone(&store))
        .with_task("work", hang)
        .start()
        .await
        .unwrap();
    first
        .publish(sequence("resumed", &["std.echo", "work"]))
        .await
        .unwrap();
    let id = first
        .start(StartRequest::new("resumed"))
        .await
        .unwrap()
        .id();
    while keys.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    first.kill();
    let done = {
        let keys = Arc::clone(&keys);
        move |ctx: TaskContext, input: Value| {
            keys.lock().push(ctx.idempotency_key());
            async move { Ok::<_, TaskError>(input) }
        }
    };
    let second = virtual_engine(store)
        .with_task("work", done)
        .start()
        .await
        .unwrap();
    let result = second.await_result(id).await.unwrap();
    assert_eq!(result.status, InstanceStatus::Completed);
    let keys = keys.lock().clone();
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
    assert_eq!(second.metrics().takeovers, 1);
}

#[tokio::test]
async fn shutdown_lets_handlers_finish_and_leaves_the_rest_to_the_next_engine() {
    let store = new_store().await;
    let slow = |ctx: TaskContext, input: Value| async move {
        ctx.sleep(Duration::from_secs(5)).await;
        Ok::<_, TaskError>(input)
    };
    let first = virtual_engine(Arc::clone(&store))
        .with_task("slow", slow)
        .start()
        .await
        .unwrap();
    first
        .publish(sequence("drained", &["slow", "std.echo"]))
        .await
        .unwrap();
    let hold = first.hold_time();
    let id = first
        .start(StartRequest::new("drained").with_input(json!({"n": 1})))
        .await
        .unwrap()
        .id();
    drop(hold);
    first.shutdown().await;
    assert_eq!(
        first
            .start(StartRequest::new("drained"))
            .await
            .unwrap_err()
            .code(),
        "UNAVAILABLE"
    );
    let second = virtual_engine(store)
        .with_task("slow", slow)
        .start()
        .await
        .unwrap();
    let result = second.await_result(id).await.unwrap();
    assert_eq!(
        (result.status, result.output),
        (InstanceStatus::Completed, json!({"n": 1}))
    );
    let history = second.history(id).await.unwrap();
    let completed = of_type(&history, HistoryType::StepCompleted);
    assert_eq!(
        (completed.len(), completed[0].at),
        (2, at(5_000)),
        "the first task ran once, on the first engine"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_engines_on_one_store_do_every_step_once() {
    let store = Arc::new(MemoryStore::new());
    let calls = Arc::new(AtomicU32::new(0));
    let mut engines = Vec::new();
    for _ in 0..2 {
        let calls = Arc::clone(&calls);
        let work = move |_: TaskContext, input: Value| {
            calls.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::task::yield_now().await;
                Ok::<_, TaskError>(input)
            }
        };
        let config = EngineConfig::default().with_workers(2);
        engines.push(
            Engine::builder(Arc::clone(&store) as _)
                .with_config(config)
                .with_task("work", work)
                .start()
                .await
                .unwrap(),
        );
    }
    engines[0]
        .publish(sequence("busy", &["work", "work", "work"]))
        .await
        .unwrap();
    let mut runs = tokio::task::JoinSet::new();
    for n in 0..400 {
        let engine = engines[n % 2].clone();
        runs.spawn(async move {
            engine
                .start(StartRequest::new("busy").with_input(json!({"n": n})))
                .await
                .unwrap()
                .result()
                .await
                .unwrap()
        });
    }
    while let Some(result) = runs.join_next().await {
        assert_eq!(result.unwrap().status, InstanceStatus::Completed);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1200);
    for engine in engines {
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn on_real_time_a_short_delay_passes_and_idle_follows() {
    let engine = Engine::builder(new_store().await).start().await.unwrap();
    engine
        .publish(workflow(
            "short",
            vec![json!({"stepId": "wait", "type": "DELAY", "duration": "PT0.05S"})],
        ))
        .await
        .unwrap();
    let before = engine.now();
    let result = engine
        .start(StartRequest::new("short"))
        .await
        .unwrap()
        .result()
        .await
        .unwrap();
    assert!(result.completed_at.unwrap() >= before.plus_millis(50));
    engine.idle().await;
    engine.shutdown().await;
}

#[tokio::test]
async fn what_this_engine_cannot_run_is_refused_at_publish() {
    let engine = virtual_engine(new_store().await).start().await.unwrap();
    let human = json!({"stepId": "ask", "type": "HUMAN_TASK"});
    let refused = engine
        .publish(workflow("human", vec![human]))
        .await
        .unwrap_err();
    let finding = refused
        .findings()
        .iter()
        .find(|finding| finding.code == "EXECUTOR_NOT_REGISTERED")
        .unwrap();
    assert_eq!(
        (finding.pointer.as_str(), finding.message.contains("`ask`")),
        ("/steps/0", true)
    );
    let unknown = engine
        .publish(sequence("typo", &["std.ehco"]))
        .await
        .unwrap_err();
    assert!(
        unknown
            .findings()
            .iter()
            .any(|finding| finding.code == "UNKNOWN_TASK"),
        "{:?}",
        unknown.findings()
    );
}

#[tokio::test]
async fn a_published_version_is_frozen_and_the_highest_one_starts() {
    let engine = virtual_engine(new_store().await).start().await.unwrap();
    let version = |version: &str, tasks: &[&str]| {
        let mut definition = sequence("versions", tasks);
        definition["version"] = json!(version);
        definition
    };
    engine
        .publish(version("1.0.0", &["std.echo"]))
        .await
        .unwrap();
    engine
        .publish(version("1.10.0", &["std.echo", "std.echo"]))
        .await
        .unwrap();
    let refused = engine
        .publish(version("1.0.0", &["std.echo", "std.echo"]))
        .await
        .unwrap_err();
    assert!(
        refused
            .findings()
            .iter()
            .any(|finding| finding.code == "VERSION_FROZEN"),
        "{:?}",
        refused.findings()
    );
    let started = async |requirement: Option<&str>| {
        let request = StartRequest::new("versions");
        let request = match requirement {
            Some(requirement) => request.with_version(requirement),
            None => request,
        };
        let handle = engine.start(request).await.unwrap();
        engine
            .instance(handle.id())
            .await
            .unwrap()
            .header()
            .definition
            .version
            .to_string()
    };
    assert_eq!(
        (started(None).await, started(Some("1.0.0")).await),
        ("1.10.0".to_owned(), "1.0.0".to_owned())
    );
    assert_eq!(
        engine
            .start(StartRequest::new("nothing"))
            .await
            .unwrap_err()
            .reason(),
        Some("WORKFLOW_NOT_FOUND")
    );
    let _: Timestamp = engine.now();
}

/// PostgreSQL keeps no text with this character, so it is refused where it comes in, on every store.
#[tokio::test]
async fn the_character_u_0000_is_refused_wherever_data_comes_in() {
    let engine = virtual_engine(new_store().await)
        .with_task("spoil", async |_: TaskContext, _: Value| {
            Ok::<_, TaskError>(json!({"text": ["fine", "a\0b"]}))
        })
        .start()
        .await
        .unwrap();
    let wait = json!({"stepId": "wait", "type": "EVENT_WAIT", "signalType": "go", "next": [{"nextStepId": "spoil"}]});
    let texts = workflow("texts", vec![wait, task("spoil", "spoil")]);
    engine.publish(texts).await.unwrap();
    let start = |input| StartRequest::new("texts").with_input(input);
    let refused = engine.start(start(json!({"a": "\0"}))).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.reason()),
        ("INVALID_ARGUMENT", Some("INPUT_INVALID"))
    );
    assert!(refused.to_string().contains("at `/a`"), "{refused}");
    let with_metadata = start(json!({})).with_metadata(json!({"b\0": 1}));
    assert!(engine.start(with_metadata).await.is_err());

    let handle = engine.start(start(json!({}))).await.unwrap();
    let spoilt = SignalRequest::new("go").with_payload(json!(["\0"]));
    let refused = engine.signal(handle.id(), spoilt).await.unwrap_err();
    assert_eq!(refused.reason(), Some("SIGNAL_INVALID"));
    engine
        .signal(handle.id(), SignalRequest::new("go"))
        .await
        .unwrap();
    let result = handle.result().await.unwrap();
    assert_eq!(result.status, InstanceStatus::Failed);
    let error = result.error.unwrap();
    assert_eq!(error.code, "OUTPUT_VALIDATION_FAILED");
    assert!(error.message.contains("`/text/1`"), "{}", error.message);
}
