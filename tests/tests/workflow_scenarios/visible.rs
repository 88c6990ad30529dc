//! Tasks that run for long, and what is known of them when their node dies. The numbers are those of the task sheet.

use std::sync::Arc;
use std::time::Duration;

use augmented_acceptance::{EPOCH, ended, engine_on, new_store, task, workflow};
use augmented_core::runtime::InstanceStatus;
use augmented_engine::{StartRequest, TaskContext, TaskError};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// Runs a task that dies with its node after `length`, and again on a second one; answers which attempts were made under
/// which keys, and how the instance ended.
async fn killed_after(
    length: Duration,
    retry: Value,
) -> (Vec<(u32, String)>, InstanceStatus, Value) {
    let store = new_store().await;
    let made: Arc<Mutex<Vec<(u32, String)>>> = Arc::default();
    let died = Arc::new(Notify::new());
    let mut id = None;
    for life in 0..2_i64 {
        let (made_, died_) = (Arc::clone(&made), Arc::clone(&died));
        let engine = engine_on(
            Arc::clone(&store),
            EPOCH.plus_millis(life * 120_000),
            |builder| {
                builder.with_task("long", move |ctx: TaskContext, _: Value| {
                    let (made, died) = (Arc::clone(&made_), Arc::clone(&died_));
                    async move {
                        made.lock().push((ctx.attempt(), ctx.idempotency_key()));
                        if life == 0 {
                            ctx.sleep(length).await;
                            died.notify_one();
                            std::future::pending::<()>().await;
                        }
                        Ok::<_, TaskError>(json!({ "by": ctx.attempt() }))
                    }
                })
            },
        )
        .await;
        let id = match id {
            Some(id) => id,
            None => {
                let mut step = task("long", None);
                step["retryPolicy"] = retry.clone();
                engine
                    .publish(workflow("long", json!([step])))
                    .await
                    .unwrap();
                let handle = engine.start(StartRequest::new("long")).await.unwrap();
                id = Some(handle.id());
                handle.id()
            }
        };
        if life == 0 {
            died.notified().await;
            engine.kill();
            continue;
        }
        let result = engine.await_result(id).await.unwrap();
        let (status, output) = ended(&result);
        engine.shutdown().await;
        let made = made.lock().clone();
        return (made, status, output);
    }
    unreachable!("the second life answers")
}

#[tokio::test]
async fn t27_a_task_killed_before_it_was_seen_is_repeated_as_the_same_attempt() {
    let (made, status, output) =
        killed_after(Duration::from_millis(500), json!({"maxAttempts": 3})).await;
    assert_eq!(
        made.iter().map(|(attempt, _)| *attempt).collect::<Vec<_>>(),
        [1, 1]
    );
    assert_eq!(made[0].1, made[1].1);
    assert_eq!(
        (status, output),
        (InstanceStatus::Completed, json!({ "by": 1 }))
    );
}

#[tokio::test]
async fn t27_a_task_killed_when_it_was_seen_has_lost_an_attempt() {
    let (made, status, output) =
        killed_after(Duration::from_secs(3), json!({"maxAttempts": 3})).await;
    assert_eq!(
        made.iter().map(|(attempt, _)| *attempt).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(made[0].1, made[1].1);
    assert_eq!(
        (status, output),
        (InstanceStatus::Completed, json!({ "by": 2 }))
    );
}

#[tokio::test]
async fn t27_a_task_whose_only_attempt_was_lost_has_failed() {
    let (made, status, error) =
        killed_after(Duration::from_secs(3), json!({"maxAttempts": 1})).await;
    assert_eq!(made.len(), 1);
    assert_eq!(
        (status, error),
        (InstanceStatus::Failed, json!("WORKER_LOST"))
    );
}
