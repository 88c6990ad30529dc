//! Rows of the host and steps of a workflow in one transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use augmented_acceptance::{EPOCH, ended, engine_on, workflow};
use augmented_core::runtime::InstanceStatus;
use augmented_core::store::{CommitOutcome, Refusal};
use augmented_engine::{StartRequest, TaskContext, TaskError, TaskOutput};
use augmented_store_postgres::{PostgresStore, Recorded};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::sync::Notify;

use super::{rows, world};

fn failed(error: impl std::fmt::Display) -> TaskError {
    TaskError::retryable("DATABASE", error.to_string())
}

#[tokio::test]
async fn a_workflow_starts_with_the_row_of_the_host_or_not_at_all() {
    let (store, pool, orders) = world("orders").await;
    let engine = engine_on(Arc::clone(&store) as _, EPOCH, |builder| builder).await;
    engine
        .publish(workflow(
            "order",
            json!([{"stepId": "echo", "type": "TASK", "taskId": "std.echo"}]),
        ))
        .await
        .unwrap();
    let insert = format!("INSERT INTO {orders} (what) VALUES ('order')");
    let request = || StartRequest::new("order").with_idempotency_key("order-1");
    for (commits, expected) in [(false, 0), (true, 1)] {
        let prepared = engine.prepare_start(request()).await.unwrap();
        let id = prepared.header.instance_id;
        let mut transaction = pool.begin().await.unwrap();
        sqlx::query(AssertSqlSafe(insert.clone()))
            .execute(&mut *transaction)
            .await
            .unwrap();
        let accepted = store
            .accept_in(&mut transaction, &[prepared])
            .await
            .unwrap();
        assert_eq!(accepted, [CommitOutcome::Applied]);
        if commits {
            transaction.commit().await.unwrap();
            let result = engine.await_result(id).await.unwrap();
            assert_eq!(result.status, InstanceStatus::Completed);
        } else {
            transaction.rollback().await.unwrap();
            assert_eq!(
                engine.await_result(id).await.unwrap_err().code(),
                "NOT_FOUND"
            );
        }
        assert_eq!(rows(&pool, &orders).await, expected);
    }
    // The key is taken now; the transaction of the host goes on.
    let prepared = engine.prepare_start(request()).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    let refused = store
        .accept_in(&mut transaction, &[prepared])
        .await
        .unwrap();
    assert!(
        matches!(
            refused.as_slice(),
            [CommitOutcome::Refused(Refusal::KeyTaken {
                same_input: true,
                ..
            })]
        ),
        "{refused:?}"
    );
    sqlx::query(AssertSqlSafe(insert))
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(rows(&pool, &orders).await, 2);
    engine.shutdown().await;
}

/// Books once: its row and the result of the task in one transaction.
async fn book(
    store: &PostgresStore,
    pool: &PgPool,
    ledger: &str,
    ctx: &TaskContext,
    by: u32,
) -> Result<Value, TaskError> {
    let mut transaction = pool.begin().await.map_err(failed)?;
    sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO {ledger} (what) VALUES ($1)"
    )))
    .bind(ctx.execution_id())
    .execute(&mut *transaction)
    .await
    .map_err(failed)?;
    let output = TaskOutput::new(json!({"by": by}));
    let recorded = store
        .complete_in(&mut transaction, &ctx.completion(&output)?)
        .await
        .map_err(failed)?;
    match recorded {
        Recorded::Now => transaction.commit().await.map_err(failed)?,
        Recorded::Before { output, .. } => return Ok(output),
        _ => return Err(TaskError::permanent("CLOSED", "the task is over")),
    }
    Ok(output.output)
}

/// The process dies at each point around the transaction; the ledger has one row in the end, and the workflow its result.
#[tokio::test]
async fn the_rows_of_a_handler_are_written_exactly_once() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Dies {
        Never,
        BeforeTheCommit,
        BehindTheCommit,
    }
    for dies in [Dies::Never, Dies::BeforeTheCommit, Dies::BehindTheCommit] {
        let (store, pool, ledger) = world("ledger").await;
        let calls = Arc::new(AtomicU32::new(0));
        let died = Arc::new(Notify::new());
        let mut instance = None;
        for life in 0..2 {
            let (store_, pool_, ledger_) = (Arc::clone(&store), pool.clone(), ledger.clone());
            let (calls_, died_) = (Arc::clone(&calls), Arc::clone(&died));
            let engine = engine_on(
                Arc::clone(&store) as _,
                EPOCH.plus_millis(life * 60_000),
                move |builder| {
                    builder.with_task("book", move |ctx: TaskContext, _: Value| {
                        let (store, pool, ledger) =
                            (Arc::clone(&store_), pool_.clone(), ledger_.clone());
                        let (calls, died) = (Arc::clone(&calls_), Arc::clone(&died_));
                        async move {
                            let call = calls.fetch_add(1, Ordering::SeqCst) + 1;
                            if dies == Dies::BeforeTheCommit && call == 1 {
                                died.notify_one();
                                std::future::pending::<()>().await;
                            }
                            let output = book(&store, &pool, &ledger, &ctx, call).await?;
                            if dies == Dies::BehindTheCommit && call == 1 {
                                died.notify_one();
                                std::future::pending::<()>().await;
                            }
                            Ok::<_, TaskError>(output)
                        }
                    })
                },
            )
            .await;
            let id = match instance {
                Some(id) => id,
                None => {
                    let steps = json!([{"stepId": "book", "type": "TASK", "taskId": "book"}]);
                    engine.publish(workflow("booking", steps)).await.unwrap();
                    let handle = engine.start(StartRequest::new("booking")).await.unwrap();
                    instance = Some(handle.id());
                    handle.id()
                }
            };
            if dies != Dies::Never && life == 0 {
                died.notified().await;
                engine.kill();
                continue;
            }
            let (status, output) = ended(&engine.await_result(id).await.unwrap());
            let (by, made) = match dies {
                Dies::Never => (1, 1),
                Dies::BeforeTheCommit => (2, 2),
                // The result is found; nothing runs a second time.
                Dies::BehindTheCommit => (1, 1),
            };
            assert_eq!(
                (status, &output["by"]),
                (InstanceStatus::Completed, &json!(by)),
                "{dies:?}"
            );
            assert_eq!(calls.load(Ordering::SeqCst), made, "{dies:?}");
            assert_eq!(rows(&pool, &ledger).await, 1, "{dies:?}");
            let history = engine.history(id).await.unwrap();
            assert!(history.len() > 2);
            engine.shutdown().await;
            break;
        }
    }
}

/// Two attempts at once, as when a node was thought dead: one books, the other one is told what was booked.
#[tokio::test]
async fn of_two_attempts_at_once_one_records_its_result() {
    let (store, pool, ledger) = world("ledger").await;
    let engine = {
        let (store, pool, ledger) = (Arc::clone(&store), pool.clone(), ledger.clone());
        engine_on(Arc::clone(&store) as _, EPOCH, move |builder| {
            builder.with_task("book", move |ctx: TaskContext, _: Value| {
                let (store, pool, ledger) = (Arc::clone(&store), pool.clone(), ledger.clone());
                async move {
                    let both = futures_util::future::join(
                        book(&store, &pool, &ledger, &ctx, 1),
                        book(&store, &pool, &ledger, &ctx, 2),
                    );
                    let (first, second) = both.await;
                    let (first, second) = (first?, second?);
                    Ok::<_, TaskError>(json!({"agree": first == second, "by": first["by"]}))
                }
            })
        })
        .await
    };
    let steps = json!([{"stepId": "book", "type": "TASK", "taskId": "book"}]);
    engine.publish(workflow("booking", steps)).await.unwrap();
    let result = engine
        .start(StartRequest::new("booking"))
        .await
        .unwrap()
        .result()
        .await
        .unwrap();
    assert_eq!(result.output["agree"], json!(true), "{:?}", result.error);
    assert_eq!(rows(&pool, &ledger).await, 1);
    engine.shutdown().await;
}
