//! Several nodes on one store: fencing, take-over, poison, shutdown, and who hears of an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use augmented_acceptance::{
    Calls, EPOCH, TokioClock, WatchedStore, at, engine_on, facts, new_store, noting, start, task,
    wait_for_signal, with, workflow,
};
use augmented_core::runtime::{Fact, InstanceStatus, Message};
use augmented_core::store::Store;
use augmented_core::{InstanceId, NodeId, Seq};
use augmented_engine::{
    CancelRequest, Engine, EngineConfig, SignalRequest, StartRequest, TaskContext, TaskError,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

const LEASE: Duration = Duration::from_secs(30);

/// A node on tokio's clock, which the test has paused, with a lease of 30 seconds.
async fn node<H, F>(store: Arc<dyn Store>, begin: Instant, work: H) -> Engine
where
    H: Fn(TaskContext, Value) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Value, TaskError>> + Send + 'static,
{
    let config = EngineConfig::default()
        .with_workers(1)
        .with_node_lease(LEASE)
        .with_shutdown_timeout(Duration::from_secs(300));
    Engine::builder(store)
        .with_clock(Arc::new(TokioClock::since(EPOCH, begin)))
        .with_config(config)
        .with_task("work", work)
        .start()
        .await
        .unwrap()
}

async fn live_nodes(store: &dyn Store) -> Vec<NodeId> {
    let nodes = store.nodes().await.unwrap();
    nodes
        .into_iter()
        .filter(|node| !node.fenced)
        .map(|node| node.node)
        .collect()
}

/// Facts are numbered from 0 without a gap.
async fn assert_gapless(store: &dyn Store, id: InstanceId) {
    let seqs: Vec<Seq> = facts(store, id).await.iter().map(|fact| fact.seq).collect();
    assert_eq!(seqs, (0..seqs.len() as Seq).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn w28_a_node_that_was_stopped_beyond_its_lease_does_no_harm() {
    let begin = Instant::now();
    let store = new_store().await;
    let stopped = Arc::new(WatchedStore::over(Arc::clone(&store)));
    let (asleep, awake) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let first = {
        let (asleep, awake) = (Arc::clone(&asleep), Arc::clone(&awake));
        node(Arc::clone(&stopped) as _, begin, move |_, _| {
            let (asleep, awake) = (Arc::clone(&asleep), Arc::clone(&awake));
            async move {
                asleep.notify_one();
                awake.notified().await;
                Ok(json!({"by": "first"}))
            }
        })
        .await
    };
    let second = node(Arc::clone(&store) as _, begin, |_, _| async {
        Ok(json!({"by": "second"}))
    })
    .await;
    let steps = json!([
        {"stepId": "both", "type": "PARALLEL", "branches": [
            {"branchId": "timer", "steps": [{"stepId": "nap", "type": "DELAY", "duration": "PT40S"}]},
            {"branchId": "task", "steps": [task("work", None)]}
        ]}
    ]);
    let handle = start(&first, workflow("stopped", steps), json!({})).await;
    asleep.notified().await;
    let before = live_nodes(&*store).await;
    stopped.stop();
    let result = second.await_result(handle.id()).await.unwrap();
    assert_eq!(result.status, InstanceStatus::Completed);
    assert_eq!(second.metrics().takeovers, 1);
    let written = facts(&*store, handle.id()).await;

    awake.notify_one();
    stopped.go_on();
    let seen = handle.result().await.unwrap();
    assert_eq!((seen.status, &seen.output), (result.status, &result.output));
    // Something else runs on the first node, which therefore has found its place again.
    awake.notify_one();
    let again = first
        .start(StartRequest::new("stopped"))
        .await
        .unwrap()
        .result()
        .await
        .unwrap();
    assert_eq!(again.status, InstanceStatus::Completed);
    let after = live_nodes(&*store).await;
    assert_eq!((before.len(), after.len()), (2, 2));
    assert_ne!(before, after, "the stopped node goes on under a new id");
    assert_gapless(&*store, handle.id()).await;
    let more = facts(&*store, handle.id()).await;
    assert_eq!(
        more[..written.len()],
        written[..],
        "what the second node wrote stands"
    );
    for node in [first, second] {
        node.shutdown().await;
    }
}

#[tokio::test]
async fn w31_a_task_that_kills_its_process_is_given_up_after_ten_take_overs() {
    let store = new_store().await;
    let entered = Arc::new(AtomicUsize::new(0));
    let mut poisoned = None;
    for life in 0..12 {
        let died = Arc::new(Notify::new());
        let engine = {
            let (died, entered) = (Arc::clone(&died), Arc::clone(&entered));
            engine_on(Arc::clone(&store) as _, at(life * 60), move |builder| {
                builder
                    .with_task("poison", move |_: TaskContext, _: Value| {
                        entered.fetch_add(1, Ordering::SeqCst);
                        died.notify_one();
                        std::future::pending::<Result<Value, TaskError>>()
                    })
                    .with_task("fine", noting(&Calls::default()))
            })
            .await
        };
        let id = match poisoned {
            Some(id) => id,
            None => {
                let poison = workflow("poison", json!([task("poison", None)]));
                engine
                    .publish(workflow("fine", json!([task("fine", None)])))
                    .await
                    .unwrap();
                let id = start(&engine, poison, json!({})).await.id();
                poisoned = Some(id);
                id
            }
        };
        let other = engine.start(StartRequest::new("fine")).await.unwrap();
        assert_eq!(
            other.result().await.unwrap().status,
            InstanceStatus::Completed
        );
        tokio::select! {
            () = died.notified() => engine.kill(),
            result = engine.await_result(id) => {
                let result = result.unwrap();
                let error = result.error.unwrap();
                assert_eq!(
                    (result.status, error.code.as_str(), error.details),
                    (
                        InstanceStatus::Failed,
                        "ENGINE_FAULT",
                        Some(json!({"reason": "TAKEOVERS_WITHOUT_PROGRESS"}))
                    )
                );
                assert_eq!((life, entered.load(Ordering::SeqCst)), (10, 10));
                return;
            }
        }
    }
    panic!("the poisoned task was begun {entered:?} times");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_longer_than_the_lease_keeps_its_instances() {
    let begin = Instant::now();
    let store = new_store().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let begun = Arc::new(Notify::new());
    let slow = |calls: &Arc<AtomicUsize>, begun: &Arc<Notify>| {
        let (calls, begun) = (Arc::clone(calls), Arc::clone(begun));
        move |_: TaskContext, input: Value| {
            calls.fetch_add(1, Ordering::SeqCst);
            begun.notify_one();
            async move {
                tokio::time::sleep(LEASE * 3).await;
                Ok(input)
            }
        }
    };
    let first = node(Arc::clone(&store) as _, begin, slow(&calls, &begun)).await;
    let second = node(Arc::clone(&store) as _, begin, slow(&calls, &begun)).await;
    let document = workflow("slow", json!([task("work", None)]));
    let handle = start(&first, document, json!({})).await;
    begun.notified().await;
    first.shutdown().await;
    let result = second.await_result(handle.id()).await.unwrap();
    assert_eq!(result.status, InstanceStatus::Completed);
    assert_eq!(
        (calls.load(Ordering::SeqCst), second.metrics().takeovers),
        (1, 0)
    );
    second.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_starter_hears_of_an_end_on_another_node() {
    let begin = Instant::now();
    let store = new_store().await;
    let watched = Arc::new(WatchedStore::over(Arc::clone(&store)));
    let echo = |_: TaskContext, input: Value| async { Ok(input) };
    let first = node(Arc::clone(&watched) as _, begin, echo).await;
    let second = node(Arc::clone(&store) as _, begin, echo).await;
    let steps = json!([wait_for_signal("go", Some("work")), task("work", None)]);
    let handle = start(&first, workflow("waiting", steps), json!({})).await;
    first.idle().await;
    watched.stop();
    let signal = SignalRequest::new("go");
    second.signal(handle.id(), signal).await.unwrap();
    let ended = second.await_result(handle.id()).await.unwrap();
    watched.go_on();
    let told = tokio::time::timeout(LEASE, handle.result()).await;
    assert_eq!(told.unwrap().unwrap(), ended);
    assert_eq!(ended.status, InstanceStatus::Completed);
    assert_eq!(second.metrics().instances_completed, 1);
    for node in [first, second] {
        node.shutdown().await;
    }
}

#[tokio::test]
async fn attempts_are_counted_on_while_another_branch_keeps_the_instance_in_memory() {
    let made = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&made);
    let engine = engine_on(new_store().await, EPOCH, |builder| {
        builder
            .with_task("long", |ctx: TaskContext, _: Value| async move {
                ctx.sleep(Duration::from_secs(3600)).await;
                Ok::<_, TaskError>(json!({}))
            })
            .with_task("flaky", move |ctx: TaskContext, _: Value| {
                seen.lock().push((
                    ctx.now().micros_since(EPOCH) / 1_000_000,
                    ctx.attempt(),
                    ctx.last_checkpoint().cloned(),
                ));
                ctx.checkpoint(json!({"after": ctx.attempt()}));
                std::future::ready(Err::<Value, _>(TaskError::retryable("BUSY", "busy")))
            })
    })
    .await;
    let retry = json!({"maxAttempts": 3, "initialInterval": "PT15S", "jitter": 0});
    let steps = json!([{"stepId": "both", "type": "PARALLEL", "onBranchFailure": "WAIT_ALL", "branches": [
        {"branchId": "long", "steps": [task("long", None)]},
        {"branchId": "flaky", "steps": [with(task("flaky", None), json!({"retryPolicy": retry}))]}
    ]}]);
    let handle = start(&engine, workflow("count", steps), json!({})).await;
    let result = handle.result().await.unwrap();
    assert_eq!(result.status, InstanceStatus::Failed);
    assert_eq!(
        *made.lock(),
        [
            (0, 1, None),
            (15, 2, Some(json!({"after": 1}))),
            (45, 3, Some(json!({"after": 2})))
        ]
    );
}

#[tokio::test]
async fn no_more_handlers_run_at_once_than_the_node_allows() {
    let running = Arc::new(Mutex::new((0_usize, 0_usize)));
    let counted = Arc::clone(&running);
    let engine = engine_on(new_store().await, EPOCH, |builder| {
        builder
            .with_config(EngineConfig::default().with_max_running_tasks(4))
            .with_task("work", move |ctx: TaskContext, input: Value| {
                let counted = Arc::clone(&counted);
                async move {
                    {
                        let mut now = counted.lock();
                        now.0 += 1;
                        now.1 = now.1.max(now.0);
                    }
                    ctx.sleep(Duration::from_secs(1)).await;
                    counted.lock().0 -= 1;
                    Ok::<_, TaskError>(input)
                }
            })
    })
    .await;
    let steps = json!([{"stepId": "each", "type": "FOR_EACH", "items": "input.items", "maxConcurrency": 20, "steps": [task("work", None)]}]);
    engine.publish(workflow("crowd", steps)).await.unwrap();
    let hold = engine.hold_time();
    let mut handles = Vec::new();
    for _ in 0..2 {
        let request =
            StartRequest::new("crowd").with_input(json!({"items": (0..10).collect::<Vec<_>>()}));
        handles.push(engine.start(request).await.unwrap());
    }
    drop(hold);
    for handle in handles {
        assert_eq!(
            handle.result().await.unwrap().status,
            InstanceStatus::Completed
        );
    }
    assert_eq!(*running.lock(), (0, 4));
    assert_eq!(engine.now(), at(5), "20 tasks of a second, four at once");
}

#[tokio::test]
async fn starts_are_refused_while_too_many_instances_are_in_memory() {
    let engine = engine_on(new_store().await, EPOCH, |builder| {
        builder
            .with_config(EngineConfig::default().with_max_active_instances(3))
            .with_task("work", |ctx: TaskContext, input: Value| async move {
                ctx.sleep(Duration::from_secs(1)).await;
                Ok::<_, TaskError>(input)
            })
    })
    .await;
    engine
        .publish(workflow("few", json!([task("work", None)])))
        .await
        .unwrap();
    let hold = engine.hold_time();
    let mut handles = Vec::new();
    for _ in 0..3 {
        handles.push(engine.start(StartRequest::new("few")).await.unwrap());
    }
    let refused = engine.start(StartRequest::new("few")).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.reason()),
        ("CAPACITY_EXCEEDED", Some("CONCURRENCY_LIMIT"))
    );
    drop(hold);
    for handle in handles {
        handle.result().await.unwrap();
    }
    engine.idle().await;
    assert!(engine.start(StartRequest::new("few")).await.is_ok());
}

#[tokio::test]
async fn a_cancelled_task_is_told_although_the_answer_of_the_commit_was_lost() {
    let store = Arc::new(WatchedStore::fresh().await);
    let begun = Arc::new(Notify::new());
    let told = Arc::clone(&begun);
    let engine = engine_on(Arc::clone(&store) as _, EPOCH, |builder| {
        builder.with_task("patient", move |ctx: TaskContext, _: Value| {
            told.notify_one();
            async move {
                ctx.cancelled().await;
                Err::<Value, _>(TaskError::permanent("STOPPED", "told to stop"))
            }
        })
    })
    .await;
    let document = workflow("patient", json!([task("patient", None)]));
    let handle = start(&engine, document, json!({})).await;
    begun.notified().await;
    let is_cancel = |fact: &Fact| matches!(fact.message, Message::Cancel(_));
    store.lose_answer(move |commit| commit.facts.iter().any(is_cancel));
    let request = CancelRequest::new("not wanted any more");
    engine.cancel(handle.id(), request).await.unwrap();
    let result = handle.result().await.unwrap();
    assert_eq!(
        (result.status, engine.now()),
        (InstanceStatus::Cancelled, EPOCH),
        "nobody waits for the grace to be over"
    );
}

#[tokio::test]
async fn a_child_that_was_refused_is_found_refused_again_after_a_crash() {
    let store = new_store().await;
    let watched = Arc::new(WatchedStore::over(Arc::clone(&store)));
    let first = engine_on(Arc::clone(&watched) as _, EPOCH, |builder| builder).await;
    let child = with(
        workflow("child", json!([{"stepId": "end", "type": "END"}])),
        json!({"inputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}}}),
    );
    let steps = json!([{"stepId": "call", "type": "SUB_WORKFLOW", "workflowId": "child", "input": {"n": "${input.n}"}}]);
    first.publish(child).await.unwrap();
    watched.die_after(|commit| !commit.facts.is_empty());
    first.publish(workflow("parent", steps)).await.unwrap();
    let died = watched.died();
    let request = StartRequest::new("parent").with_input(json!({"n": "not a number"}));
    tokio::select! {
        () = died => {}
        started = first.start(request) => panic!("{started:?} before the process died"),
    }
    let id = watched.applied()[0].instance;
    first.kill();

    let again = Arc::new(WatchedStore::over(Arc::clone(&store)));
    let second = engine_on(again as _, EPOCH, |builder| builder).await;
    let result = second.await_result(id).await.unwrap();
    assert_eq!(
        (result.status, result.error.unwrap().code.as_str()),
        (InstanceStatus::Failed, "CHILD_FAILED")
    );
}
