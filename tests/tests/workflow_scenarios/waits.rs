//! Delays, timers and signals.

use std::time::{Duration, Instant};

use augmented_acceptance::{
    EPOCH, at, count, ended, engine, engine_on, facts, go_on_until, new_store, run, start, visits,
    wait_for_signal, workflow,
};
use augmented_core::runtime::{HistoryType, InstanceStatus, Message};
use augmented_engine::{EngineError, SignalRequest, WaitKind};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::sync::Arc;

const DAY: i64 = 86_400;

#[tokio::test]
async fn a_delay_of_thirty_days_takes_no_real_time() {
    let engine = engine(|builder| builder).await;
    let began = Instant::now();
    let (_, result) = run(
        &engine,
        workflow(
            "month",
            json!([{"stepId": "d", "type": "DELAY", "duration": "P30D"}]),
        ),
        json!({}),
    )
    .await;
    assert_eq!(
        (
            result.status,
            result.started_at,
            result.completed_at,
            engine.now()
        ),
        (
            InstanceStatus::Completed,
            Some(at(0)),
            Some(at(30 * DAY)),
            at(30 * DAY)
        )
    );
    assert!(began.elapsed().as_secs() < 1, "{:?}", began.elapsed());
}

#[tokio::test]
async fn w27_a_fulfilled_wait_disarms_its_own_timer_only() {
    let store = new_store().await;
    let engine = engine_on(Arc::clone(&store) as _, EPOCH, |builder| builder).await;
    let branch = |id: &str, timeout: &str| {
        let step = json!({"stepId": id, "type": "EVENT_WAIT", "signalType": id, "eventTimeout": {"duration": timeout}, "onFailure": {"action": "CONTINUE"}});
        json!({"branchId": id, "name": id, "steps": [step]})
    };
    let steps = json!([
        {"stepId": "fork", "type": "PARALLEL", "branches": [branch("one", "PT1H"), branch("two", "PT2H")], "next": [{"nextStepId": "end"}]},
        {"stepId": "end", "type": "END", "output": {"one": "${steps.one.status}", "two": "${steps.two.error.code}"}},
    ]);
    let hold = engine.hold_time();
    let handle = start(&engine, workflow("timers", steps), json!({})).await;
    let hold = go_on_until(&engine, hold, at(60)).await;
    assert_eq!(store.next_timer().await.unwrap(), Some(at(3600)));
    engine
        .signal(handle.id(), SignalRequest::new("one"))
        .await
        .unwrap();
    let hold = go_on_until(&engine, hold, at(61)).await;
    assert_eq!(store.next_timer().await.unwrap(), Some(at(7200)));
    drop(hold);
    let result = handle.result().await.unwrap();
    assert_eq!(
        ended(&result),
        (
            InstanceStatus::Completed,
            json!({"one": "COMPLETED", "two": "EVENT_WAIT_TIMEOUT"})
        )
    );
    assert_eq!(result.completed_at, Some(at(7200)));
    let history = engine.history(handle.id()).await.unwrap();
    assert_eq!(count(&history, HistoryType::TimerFired), 1);
    assert_eq!(store.next_timer().await.unwrap(), None);
}

fn two_waits() -> Value {
    let wait = |id: &str, next: &str| json!({"stepId": id, "type": "EVENT_WAIT", "signalType": "go", "next": [{"nextStepId": next}]});
    workflow(
        "waits",
        json!([
            wait_for_signal("open", Some("first")),
            wait("first", "second"),
            wait("second", "end"),
            {"stepId": "end", "type": "END", "output": {"first": "${steps.first.output.payload}", "second": "${steps.second.output.payload}"}},
        ]),
    )
}

#[tokio::test]
async fn w32_one_signal_sent_twenty_times_is_taken_once() {
    let store = new_store().await;
    let engine = engine_on(Arc::clone(&store) as _, EPOCH, |builder| builder).await;
    let handle = start(&engine, two_waits(), json!({})).await;
    engine
        .signal(handle.id(), SignalRequest::new("open"))
        .await
        .unwrap();
    let receipts = join_all((0..20).map(|_| {
        engine.signal(
            handle.id(),
            SignalRequest::new("go")
                .with_signal_id("s-1")
                .with_payload(json!(1)),
        )
    }))
    .await;
    let receipts: Vec<_> = receipts.into_iter().map(Result::unwrap).collect();
    assert!(
        receipts
            .iter()
            .all(|receipt| receipt.accepted && receipt.signal_id == "s-1")
    );
    assert_eq!(
        receipts.iter().filter(|receipt| !receipt.duplicate).count(),
        1
    );
    engine.idle().await;
    // Once it is consumed, too.
    assert!(
        engine
            .signal(handle.id(), SignalRequest::new("go").with_signal_id("s-1"))
            .await
            .unwrap()
            .duplicate
    );
    engine.idle().await;
    let signals = facts(&*store, handle.id())
        .await
        .into_iter()
        .filter(
            |fact| matches!(&fact.message, Message::Signal(signal) if &*signal.signal_id == "s-1"),
        )
        .count();
    assert_eq!(signals, 1);
    let waiting = engine.instance(handle.id()).await.unwrap().waiting_for();
    let shown: Vec<_> = waiting
        .iter()
        .map(|wait| {
            (
                wait.step_id.as_str(),
                wait.kind,
                wait.signal_type.as_deref(),
            )
        })
        .collect();
    assert_eq!(shown, [("second", WaitKind::Signal, Some("go"))]);
    engine
        .signal(handle.id(), SignalRequest::new("go").with_payload(json!(2)))
        .await
        .unwrap();
    assert_eq!(
        ended(&handle.result().await.unwrap()),
        (InstanceStatus::Completed, json!({"first": 1, "second": 2}))
    );
}

#[tokio::test]
async fn w32_a_sender_may_wait_until_its_signal_is_applied() {
    let engine = engine(|builder| builder).await;
    let handle = start(&engine, two_waits(), json!({})).await;
    let send = async |signal_type: &str, signal_id: &str| {
        let request = SignalRequest::new(signal_type)
            .with_signal_id(signal_id)
            .with_wait(Duration::from_secs(60));
        engine.signal(handle.id(), request).await.unwrap()
    };
    let early = send("go", "s-1").await;
    assert_eq!((early.processed, early.buffered), (Some(true), Some(true)));
    let taken = send("open", "s-2").await;
    assert_eq!((taken.processed, taken.buffered), (Some(true), Some(false)));
    let again = send("go", "s-1").await;
    assert_eq!(
        (again.duplicate, again.processed, again.buffered),
        (true, Some(true), Some(true))
    );
    // Without a wait nothing is said of it.
    let other = start(&engine, two_waits(), json!({})).await;
    let sent = engine
        .signal(other.id(), SignalRequest::new("open"))
        .await
        .unwrap();
    assert_eq!((sent.processed, sent.buffered), (None, None));
}

#[tokio::test]
async fn w32_signals_before_their_wait_are_taken_in_order() {
    let engine = engine(|builder| builder).await;
    let handle = start(&engine, two_waits(), json!({})).await;
    for payload in ["a", "b"] {
        engine
            .signal(
                handle.id(),
                SignalRequest::new("go").with_payload(json!(payload)),
            )
            .await
            .unwrap();
    }
    engine.idle().await;
    assert_eq!(
        engine
            .instance(handle.id())
            .await
            .unwrap()
            .state()
            .signals
            .len(),
        2
    );
    engine
        .signal(handle.id(), SignalRequest::new("open"))
        .await
        .unwrap();
    assert_eq!(
        ended(&handle.result().await.unwrap()),
        (
            InstanceStatus::Completed,
            json!({"first": "a", "second": "b"})
        )
    );
    let history = engine.history(handle.id()).await.unwrap();
    assert_eq!(
        visits(&history, HistoryType::StepCompleted),
        ["open", "first", "second", "end"].map(|step| (step.to_owned(), 1))
    );
    let late = engine
        .signal(handle.id(), SignalRequest::new("go"))
        .await
        .unwrap_err();
    assert_eq!(
        (late.code(), late.reason()),
        ("ILLEGAL_STATE", Some("STATUS_FORBIDS"))
    );
}

#[tokio::test]
async fn w32_the_thousand_and_first_kept_signal_is_refused() {
    let engine = engine(|builder| builder).await;
    let handle = start(&engine, two_waits(), json!({})).await;
    let send = |number: usize| {
        engine.signal(
            handle.id(),
            SignalRequest::new("go").with_payload(json!(number)),
        )
    };
    for number in 0..1000 {
        send(number).await.unwrap();
    }
    engine.idle().await;
    let refused: EngineError = send(1000).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.reason()),
        ("CAPACITY_EXCEEDED", Some("SIGNAL_QUEUE_FULL"))
    );
    assert_eq!(
        engine
            .instance(handle.id())
            .await
            .unwrap()
            .state()
            .signals
            .len(),
        1000
    );
    // A signal that a step waits for needs no place, or nothing could ever free one.
    engine
        .signal(handle.id(), SignalRequest::new("open"))
        .await
        .unwrap();
    assert_eq!(
        ended(&handle.result().await.unwrap()),
        (InstanceStatus::Completed, json!({"first": 0, "second": 1}))
    );
}

#[tokio::test]
async fn w32_of_a_burst_of_signals_as_many_are_accepted_as_are_kept() {
    let engine = engine(|builder| builder).await;
    let handle = start(&engine, two_waits(), json!({})).await;
    engine.idle().await;
    let hold = engine.hold_time();
    let mut refused = Vec::new();
    let send = |number: usize| {
        let signal = SignalRequest::new("other")
            .with_payload(json!(number))
            .with_signal_id(format!("s-{number}"));
        engine.signal(handle.id(), signal)
    };
    for number in 0..1100 {
        if let Err(error) = send(number).await {
            assert_eq!(
                (error.code(), error.reason()),
                ("CAPACITY_EXCEEDED", Some("SIGNAL_QUEUE_FULL"))
            );
            refused.push(number);
        }
    }
    assert_eq!(refused, (1000..1100).collect::<Vec<_>>());
    assert!(send(7).await.unwrap().duplicate, "it is there already");
    drop(hold);
    engine.idle().await;
    let view = engine.instance(handle.id()).await.unwrap();
    assert_eq!(view.state().signals.len(), 1000);
    assert!(send(1100).await.is_err());
    assert!(send(7).await.unwrap().duplicate, "it is still there");
}
