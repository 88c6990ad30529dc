//! What operators do: hold instances and let them go on.

use std::sync::Arc;
use std::time::Duration;

use augmented_acceptance::{
    Calls, EPOCH, at, count, ended, engine, engine_on, facts, go_on_until, new_store, noting, run,
    start, stored, task, wait_for_signal, workflow,
};
use augmented_core::runtime::{HistoryType, InstanceStatus, Message};
use augmented_engine::{
    CancelRequest, ControlRequest, EngineError, SignalRequest, TaskContext, TaskError,
};
use serde_json::{Value, json};

/// Takes ten seconds of the engine's clock.
async fn slow(ctx: TaskContext, input: Value) -> Result<Value, TaskError> {
    ctx.sleep(Duration::from_secs(10)).await;
    Ok(input)
}

fn wait() -> ControlRequest {
    ControlRequest::new().with_wait(Duration::from_millis(100))
}

#[tokio::test]
async fn w12_of_two_who_saw_the_same_version_one_gets_its_way() {
    let engine = engine(|builder| builder).await;
    let steps = json!([wait_for_signal("go", None)]);
    let handle = start(&engine, workflow("held", steps), json!({})).await;
    engine.idle().await;
    let version = engine
        .instance(handle.id())
        .await
        .unwrap()
        .version()
        .unwrap();
    let ask = |who: &str| {
        let request = ControlRequest::new()
            .with_expected_version(version)
            .with_requester(who);
        engine.pause(handle.id(), request)
    };
    let (ada, bob) = tokio::join!(ask("ada"), ask("bob"));
    let won = [&ada, &bob].map(Result::is_ok);
    assert_ne!(won[0], won[1], "{ada:?} {bob:?}");
    let lost = ada.and(bob).unwrap_err();
    assert_eq!(lost.code(), "VERSION_CONFLICT", "{lost}");
    engine.idle().await;
    let view = engine.instance(handle.id()).await.unwrap();
    let who = ["ada", "bob"][usize::from(won[1])];
    let pause = view.state().paused.as_ref().unwrap();
    assert_eq!(
        (view.status(), pause.requested_by.as_deref()),
        (InstanceStatus::Paused, Some(who))
    );
    let late = ControlRequest::new().with_expected_version(version);
    let late = engine.resume(handle.id(), late).await.unwrap_err();
    assert_eq!(late.code(), "VERSION_CONFLICT");
    assert!(late.to_string().contains("version 1, not 0"), "{late}");
}

#[tokio::test]
async fn w23_what_comes_during_a_pause_moves_the_instance_when_it_goes_on() {
    let store = new_store().await;
    let calls = Calls::default();
    let engine = engine_on(Arc::clone(&store) as _, EPOCH, |builder| {
        builder
            .with_task("slow", slow)
            .with_task("after", noting(&calls))
    })
    .await;
    let branch = |id: &str, step: Value| json!({"branchId": id, "steps": [step, task(&format!("after-{id}"), None)]});
    let mut branches = vec![
        branch(
            "timer",
            json!({"stepId": "nap", "type": "DELAY", "duration": "PT20S", "next": [{"nextStepId": "after-timer"}]}),
        ),
        branch(
            "work",
            json!({"stepId": "work", "type": "TASK", "taskId": "slow", "input": {"n": 1}, "next": [{"nextStepId": "after-work"}]}),
        ),
        branch("signal", wait_for_signal("go", Some("after-signal"))),
    ];
    for branch in &mut branches {
        branch["steps"][1]["taskId"] = json!("after");
    }
    let steps = json!([{"stepId": "all", "type": "PARALLEL", "branches": branches}]);
    let hold = engine.hold_time();
    let handle = start(&engine, workflow("pause", steps), json!({})).await;
    let hold = go_on_until(&engine, hold, at(5)).await;
    let request = ControlRequest::new()
        .with_reason("the bank is closed")
        .with_requester("ada")
        .with_request_id("hold-1");
    let paused = engine.pause(handle.id(), request.clone()).await.unwrap();
    assert_eq!(
        (paused.request_id.as_str(), paused.duplicate),
        ("hold-1", false)
    );
    let hold = go_on_until(&engine, hold, at(6)).await;
    assert!(engine.pause(handle.id(), request).await.unwrap().duplicate);
    engine
        .signal(handle.id(), SignalRequest::new("go").with_payload(json!(7)))
        .await
        .unwrap();
    // The task ends at 10, the timer is due at 20; nothing moves.
    let hold = go_on_until(&engine, hold, at(30)).await;
    let view = engine.instance(handle.id()).await.unwrap();
    assert_eq!(view.status(), InstanceStatus::Paused);
    assert_eq!(calls.steps(), Vec::<String>::new());
    let loaded = stored(&*store, handle.id()).await;
    assert_eq!(loaded.owner, None, "nothing of it is in memory");
    let kept = facts(&*store, handle.id()).await;
    assert!(
        matches!(
            kept.iter().map(|fact| &fact.message).collect::<Vec<_>>()[..],
            [
                Message::Start(_),
                Message::Pause(_),
                Message::Signal(_),
                Message::TaskDone(_),
                Message::Timer(_)
            ]
        ),
        "{kept:?}"
    );
    let again = engine
        .pause(handle.id(), ControlRequest::new())
        .await
        .unwrap_err();
    assert_eq!(again.code(), "ILLEGAL_STATE");

    engine
        .resume(handle.id(), ControlRequest::new().with_requester("bob"))
        .await
        .unwrap();
    drop(hold);
    let result = handle.result().await.unwrap();
    assert_eq!(
        (result.status, result.completed_at),
        (InstanceStatus::Completed, Some(at(30)))
    );
    assert_eq!(calls.steps(), ["after-signal", "after-work", "after-timer"]);
    let history = engine.history(handle.id()).await.unwrap();
    let of = |entry_type| {
        let entry = history
            .iter()
            .find(|entry| entry.entry_type == entry_type)
            .unwrap();
        (entry.at, entry.actor.clone(), entry.details.clone())
    };
    assert_eq!(
        of(HistoryType::Paused),
        (
            at(5),
            Some("ada".to_owned()),
            Some(json!({"reason": "the bank is closed"}))
        )
    );
    assert_eq!(
        of(HistoryType::Resumed),
        (at(30), Some("bob".to_owned()), None)
    );
    let late = engine
        .resume(handle.id(), ControlRequest::new())
        .await
        .unwrap_err();
    assert!(
        matches!(
            late,
            EngineError::IllegalState {
                reason: "STATUS_FORBIDS",
                ..
            }
        ),
        "{late}"
    );
}

#[tokio::test]
async fn a_paused_instance_outlives_its_node_and_keeps_its_held_results() {
    let store = new_store().await;
    let calls = Calls::default();
    let first = engine_on(Arc::clone(&store) as _, EPOCH, |builder| {
        builder
            .with_task("slow", slow)
            .with_task("next", noting(&calls))
    })
    .await;
    let steps = json!([
        {"stepId": "slow", "type": "TASK", "taskId": "slow", "input": {"n": 1}, "next": [{"nextStepId": "next"}]},
        task("next", None)
    ]);
    let hold = first.hold_time();
    let handle = start(&first, workflow("outlive", steps), json!({})).await;
    first
        .pause(handle.id(), ControlRequest::new())
        .await
        .unwrap();
    let hold = go_on_until(&first, hold, at(20)).await;
    first.kill();
    drop(hold);
    let second = engine_on(Arc::clone(&store) as _, at(20), |builder| {
        builder
            .with_task("slow", |_: TaskContext, _: Value| async {
                Err::<Value, _>(TaskError::permanent("AGAIN", "its result is held"))
            })
            .with_task("next", noting(&calls))
    })
    .await;
    second.idle().await;
    assert_eq!(
        second.instance(handle.id()).await.unwrap().status(),
        InstanceStatus::Paused
    );
    let receipt = second.resume(handle.id(), wait()).await.unwrap();
    assert_eq!(receipt.applied, Some(true));
    let result = second.await_result(handle.id()).await.unwrap();
    assert_eq!(result.status, InstanceStatus::Completed);
    assert_eq!(calls.steps(), ["next"]);
}

#[tokio::test]
async fn a_paused_instance_can_be_cancelled_and_runs_out_of_time() {
    let engine = engine(|builder| builder.with_task("slow", slow)).await;
    let steps = json!([
        {"stepId": "slow", "type": "TASK", "taskId": "slow", "input": {"n": 1}, "next": [{"nextStepId": "nap"}]},
        {"stepId": "nap", "type": "DELAY", "duration": "PT1H"}
    ]);
    let hold = engine.hold_time();
    let handle = start(&engine, workflow("stopped", steps.clone()), json!({})).await;
    engine
        .pause(handle.id(), ControlRequest::new())
        .await
        .unwrap();
    let hold = go_on_until(&engine, hold, at(15)).await;
    engine
        .cancel(handle.id(), CancelRequest::new("no more"))
        .await
        .unwrap();
    drop(hold);
    // The held result is the answer of the task: nobody waits for its grace to run out.
    let result = handle.result().await.unwrap();
    assert_eq!(
        (result.status, result.completed_at),
        (InstanceStatus::Cancelled, Some(at(15)))
    );

    let mut limited = workflow("limited", steps);
    limited["executionTimeout"] = json!("PT1M");
    let hold = engine.hold_time();
    let handle = start(&engine, limited, json!({})).await;
    engine
        .pause(handle.id(), ControlRequest::new())
        .await
        .unwrap();
    drop(hold);
    let result = handle.result().await.unwrap();
    assert_eq!(
        (result.status, result.error.unwrap().code.as_str()),
        (InstanceStatus::Failed, "WORKFLOW_TIMEOUT")
    );
}

#[tokio::test]
async fn signals_during_a_pause_count_against_the_limit() {
    let engine = engine(|builder| builder).await;
    let steps = json!([{"stepId": "nap", "type": "DELAY", "duration": "PT1H"}]);
    let hold = engine.hold_time();
    let handle = start(&engine, workflow("full", steps), json!({})).await;
    engine
        .pause(handle.id(), ControlRequest::new())
        .await
        .unwrap();
    let mut hold = go_on_until(&engine, hold, at(1)).await;
    let limit = engine
        .instance(handle.id())
        .await
        .unwrap()
        .state()
        .limits
        .max_signals;
    for number in 0..limit {
        let signal = SignalRequest::new("x").with_signal_id(format!("s-{number}"));
        engine.signal(handle.id(), signal).await.unwrap();
        if number % 100 == 0 {
            let next = at(2 + i64::from(number));
            hold = go_on_until(&engine, hold, next).await;
        }
    }
    let full = engine
        .signal(handle.id(), SignalRequest::new("x"))
        .await
        .unwrap_err();
    assert_eq!(full.code(), "CAPACITY_EXCEEDED", "{full}");
    engine
        .resume(handle.id(), ControlRequest::new())
        .await
        .unwrap();
    drop(hold);
    let result = handle.result().await.unwrap();
    assert_eq!(ended(&result).0, InstanceStatus::Completed);
    let history = engine.history(handle.id()).await.unwrap();
    assert_eq!(
        count(&history, HistoryType::SignalReceived),
        2 * limit as usize
    );
}

#[tokio::test]
async fn an_instance_that_ended_is_not_held() {
    let engine = engine(|builder| builder).await;
    let (handle, _) = run(
        &engine,
        workflow("over", json!([{"stepId": "p", "type": "PASS"}])),
        json!({}),
    )
    .await;
    let refused = engine
        .pause(handle.id(), ControlRequest::new())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "ILLEGAL_STATE");
    assert!(
        refused.to_string().contains("COMPLETED and cannot pause"),
        "{refused}"
    );
    let nul = ControlRequest::new().with_reason("a\0b");
    let refused = engine.pause(handle.id(), nul).await.unwrap_err();
    assert_eq!(refused.code(), "INVALID_ARGUMENT");
    let nobody = engine
        .pause(
            augmented_core::InstanceId(uuid::Uuid::from_u128(1)),
            ControlRequest::new(),
        )
        .await
        .unwrap_err();
    assert_eq!(nobody.code(), "NOT_FOUND");
}
