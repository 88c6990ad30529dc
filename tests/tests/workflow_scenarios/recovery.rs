//! Crashes, several engines on one store, replay, and what parked instances cost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use augmented_acceptance::{
    Calls, EPOCH, WatchedStore, count, ended, engine_on, facts, is_in_memory, new_store, noting,
    start, stored, task, visits, wait_for_signal, workflow,
};
use augmented_core::runtime::{HistoryType, InstanceStatus, TrailEntry};
use augmented_core::store::Store;
use augmented_core::{InstanceId, Seq};
use augmented_engine::{Engine, EngineConfig, SignalRequest, StartRequest, TaskContext, TaskError};
use futures_util::future::join_all;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// A handler that acts and then never answers, as if its process died.
fn dying(
    calls: &Calls,
    acted: &Arc<Notify>,
) -> impl Fn(TaskContext, Value) -> futures_util::future::BoxFuture<'static, Result<Value, TaskError>>
+ Send
+ Sync
+ 'static {
    let (calls, acted) = (calls.clone(), Arc::clone(acted));
    move |ctx, input| {
        calls.note(&ctx, &input);
        acted.notify_one();
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn w09_a_task_whose_result_was_lost_is_sent_again_under_the_same_key() {
    let store = new_store().await;
    let (calls, acted) = (Calls::default(), Arc::new(Notify::new()));
    let first = engine_on(Arc::clone(&store) as _, EPOCH, |builder| {
        builder
            .with_task("a", noting(&calls))
            .with_task("b", dying(&calls, &acted))
            .with_task("c", noting(&calls))
    })
    .await;
    let steps = json!([task("a", Some("b")), {"stepId": "b", "type": "TASK", "taskId": "b", "input": {"n": "${input.n}"}, "next": [{"nextStepId": "c"}]}, task("c", None)]);
    let id = start(&first, workflow("crash", steps), json!({"n": 1}))
        .await
        .id();
    acted.notified().await;
    first.kill();

    let second = engine_on(Arc::clone(&store) as _, EPOCH, |builder| {
        ["a", "b", "c"].iter().fold(builder, |builder, name| {
            builder.with_task(*name, noting(&calls))
        })
    })
    .await;
    let result = second.handle(id).await.unwrap().result().await.unwrap();
    assert_eq!(result.status, InstanceStatus::Completed);
    assert_eq!(calls.steps(), ["a", "b", "b", "c"]);
    let made = calls.all();
    assert_eq!(
        (&made[1].key, made[1].task, &made[1].input),
        (&made[2].key, made[2].task, &made[2].input)
    );
    assert_eq!(made[1].key, format!("wf:{id}:b:#1"));
    let history = second.history(id).await.unwrap();
    assert_eq!(
        visits(&history, HistoryType::StepCompleted),
        ["a", "b", "c"].map(|step| (step.to_owned(), 1))
    );
    assert_eq!(second.metrics().takeovers, 1);
    let taken: Vec<_> = history
        .iter()
        .filter(|entry| entry.entry_type == HistoryType::TakenOver)
        .map(|entry| (entry.seq, entry.details.clone()))
        .collect();
    assert_eq!(taken, [(Some(2), Some(json!({"takeovers": 1})))]);
    let seqs: Vec<Seq> = facts(&*store, id)
        .await
        .iter()
        .map(|fact| fact.seq)
        .collect();
    assert_eq!(seqs, [0, 1, 2, 3]);
}

async fn real_engine(
    store: &Arc<dyn Store>,
    calls: &Arc<Mutex<BTreeMap<String, usize>>>,
) -> Engine {
    let counting = || {
        let calls = Arc::clone(calls);
        move |ctx: TaskContext, input: Value| {
            let calls = Arc::clone(&calls);
            async move {
                tokio::task::yield_now().await;
                *calls.lock().entry(ctx.idempotency_key()).or_default() += 1;
                Ok::<_, TaskError>(input)
            }
        }
    };
    let builder = Engine::builder(Arc::clone(store) as _)
        .with_config(EngineConfig::default().with_workers(4));
    ["a", "b", "c"]
        .iter()
        .fold(builder, |builder, name| {
            builder.with_task(*name, counting())
        })
        .start()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn w10_two_engines_do_every_step_of_a_thousand_instances_once() {
    let store = new_store().await;
    let calls = Arc::default();
    let engines = [
        real_engine(&store, &calls).await,
        real_engine(&store, &calls).await,
    ];
    let steps = json!([
        task("a", Some("go")),
        wait_for_signal("go", Some("b")),
        task("b", Some("c")),
        task("c", None)
    ]);
    engines[0].publish(workflow("two", steps)).await.unwrap();
    let started = join_all((0..1000).map(|number| {
        engines[number % 2].start(StartRequest::new("two").with_input(json!({ "n": number })))
    }))
    .await;
    let ids: Vec<InstanceId> = started
        .into_iter()
        .map(|handle| handle.unwrap().id())
        .collect();
    // The other engine may wake what this one parked.
    let sent = join_all(
        ids.iter()
            .enumerate()
            .map(|(number, id)| engines[(number / 2) % 2].signal(*id, SignalRequest::new("go"))),
    )
    .await;
    assert!(sent.into_iter().all(|receipt| !receipt.unwrap().duplicate));
    let results = join_all(
        ids.iter()
            .enumerate()
            .map(|(number, id)| engines[(number / 3) % 2].await_result(*id)),
    )
    .await;
    assert!(
        results
            .into_iter()
            .all(|result| result.unwrap().status == InstanceStatus::Completed)
    );

    for id in &ids {
        let facts = facts(&*store, *id).await;
        let seqs: Vec<Seq> = facts.iter().map(|fact| fact.seq).collect();
        assert_eq!(seqs, (0..facts.len() as Seq).collect::<Vec<_>>());
        let history = engines[0].history(*id).await.unwrap();
        assert_eq!(
            visits(&history, HistoryType::StepCompleted),
            ["a", "go", "b", "c"].map(|step| (step.to_owned(), 1)),
            "{id}"
        );
    }
    let made: Vec<usize> = calls.lock().values().copied().collect();
    assert_eq!((made.len(), made.iter().sum::<usize>()), (3000, 3000));
    let completed = engines
        .iter()
        .map(|engine| engine.metrics().instances_completed)
        .collect::<Vec<_>>();
    assert_eq!(completed.iter().sum::<u64>(), 1000);
    assert!(
        completed.iter().all(|count| *count > 0),
        "both make progress: {completed:?}"
    );
    for engine in engines {
        engine.shutdown().await;
    }
}

/// An instance whose process died in its second task, before its first snapshot.
async fn crashed(calls: &Calls) -> (Arc<dyn Store>, InstanceId) {
    let store = new_store().await;
    let acted = Arc::new(Notify::new());
    let first = engine_on(Arc::clone(&store) as _, EPOCH, |builder| {
        builder
            .with_task("a", noting(calls))
            .with_task("b", dying(calls, &acted))
    })
    .await;
    let id = start(
        &first,
        workflow("replay", json!([task("a", Some("b")), task("b", None)])),
        json!({}),
    )
    .await
    .id();
    acted.notified().await;
    first.kill();
    let loaded = stored(&*store, id).await;
    assert_eq!((loaded.state, loaded.facts.len()), (None, 2));
    (store, id)
}

#[tokio::test]
async fn w29_facts_that_lead_another_way_stop_the_instance() {
    for falsified in [false, true] {
        let calls = Calls::default();
        let (store, id) = crashed(&calls).await;
        let watched = WatchedStore::over(store);
        if falsified {
            watched.falsify(|loaded| {
                for entry in loaded.facts.iter_mut().flat_map(|fact| &mut fact.trail) {
                    if let TrailEntry::Transition { rule, .. } = entry {
                        *rule = Some(7);
                    }
                }
            });
        }
        let second = engine_on(Arc::new(watched), EPOCH, |builder| {
            builder
                .with_task("a", noting(&calls))
                .with_task("b", noting(&calls))
        })
        .await;
        let result = second.handle(id).await.unwrap().result().await.unwrap();
        if falsified {
            let error = result.error.clone().unwrap();
            assert_eq!(
                (result.status, error.code.as_str(), error.details),
                (
                    InstanceStatus::Failed,
                    "ENGINE_FAULT",
                    Some(json!({"reason": "REPLAY_DIVERGED"}))
                )
            );
            assert_eq!(calls.steps(), ["a", "b"], "no step runs again");
        } else {
            assert_eq!(result.status, InstanceStatus::Completed);
            assert_eq!(calls.steps(), ["a", "b", "b"]);
        }
    }
}

#[tokio::test]
async fn w30_parked_instances_are_in_the_store_alone() {
    let store = new_store().await;
    // In a database nothing could be held, so it is enough to see that parked instances are parked.
    let parked = if is_in_memory() { 100_000 } else { 2_000 };
    let engine = engine_on(Arc::clone(&store) as _, EPOCH, |builder| builder).await;
    engine
        .publish(workflow("parked", json!([wait_for_signal("go", None)])))
        .await
        .unwrap();
    let mut ids = Vec::with_capacity(parked);
    for _ in 0..parked {
        ids.push(
            engine
                .start(StartRequest::new("parked"))
                .await
                .unwrap()
                .id(),
        );
    }
    engine.idle().await;
    let (held, owned) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for id in &ids {
        let loaded = stored(&*store, *id).await;
        let state = loaded.state.unwrap();
        assert_eq!(state.status, InstanceStatus::WaitingForEvent);
        owned.fetch_add(usize::from(loaded.owner.is_some()), Ordering::Relaxed);
        // One reference is the store's, one is ours.
        held.fetch_add(
            usize::from(Arc::strong_count(&state) > 2),
            Ordering::Relaxed,
        );
    }
    assert_eq!((owned.into_inner(), held.into_inner()), (0, 0));
    let last = ids[parked - 1];
    engine
        .signal(last, SignalRequest::new("go").with_payload(json!(1)))
        .await
        .unwrap();
    let (status, output) = ended(&engine.await_result(last).await.unwrap());
    assert_eq!(
        (status, &output["payload"]),
        (InstanceStatus::Completed, &json!(1))
    );
    assert_eq!(
        count(
            &engine.history(last).await.unwrap(),
            HistoryType::SignalReceived
        ),
        1
    );
}
