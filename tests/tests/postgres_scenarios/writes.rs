//! What a workflow costs in rows.

use std::sync::Arc;
use std::time::Duration;

use augmented_acceptance::{EPOCH, engine_on, workflow};
use augmented_core::runtime::InstanceStatus;
use augmented_engine::{StartRequest, TaskContext, TaskError};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::world;

/// Counts every row written to any table of the schema but those of nodes.
const COUNT: &str = "
    CREATE FUNCTION $schema.count_write() RETURNS trigger LANGUAGE plpgsql AS $f$
    BEGIN
        INSERT INTO $schema.writes (what) VALUES (TG_OP || ' ' || regexp_replace(TG_TABLE_NAME, '_default$', ''));
        RETURN NULL;
    END $f$;
    DO $f$
    DECLARE
        name regclass;
    BEGIN
        FOR name IN SELECT oid::regclass FROM pg_class
            WHERE relnamespace = '$schema'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
              AND relname NOT IN ('writes', 'engine_nodes') LOOP
            EXECUTE format('CREATE TRIGGER count_write AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW
                            EXECUTE FUNCTION $schema.count_write()', name);
        END LOOP;
    END $f$;";

/// One row at the start, one for each task, one at the end: a fact is written once.
#[tokio::test]
async fn a_workflow_of_three_tasks_costs_five_row_writes() {
    let (store, pool, writes) = world("writes").await;
    let schema = store.schema().to_string();
    let engine = engine_on(Arc::clone(&store) as _, EPOCH, |builder| builder).await;
    let step =
        |id: &str, next| json!({"stepId": id, "type": "TASK", "taskId": "std.echo", "next": next});
    let steps = json!([
        step("a", json!([{"nextStepId": "b"}])),
        step("b", json!([{"nextStepId": "c"}])),
        step("c", json!([])),
    ]);
    engine.publish(workflow("three", steps)).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(COUNT.replace("$schema", &schema)))
        .execute(&pool)
        .await
        .unwrap();
    for _ in 0..10 {
        let handle = engine.start(StartRequest::new("three")).await.unwrap();
        let result = handle.result().await.unwrap();
        assert_eq!(result.status, InstanceStatus::Completed);
    }
    let sql = format!("SELECT what, count(*) FROM {writes} GROUP BY what ORDER BY what");
    let counted: Vec<(String, i64)> = sqlx::query_as(AssertSqlSafe(sql))
        .fetch_all(&pool)
        .await
        .unwrap();
    let expected = [
        ("INSERT task_instances", 30),
        ("INSERT workflow_instances", 10),
        ("UPDATE workflow_instances", 10),
    ];
    assert_eq!(
        counted,
        expected.map(|(what, count)| (what.to_owned(), count))
    );
    engine.shutdown().await;
}

/// A task is written once, with its result; one that runs for long is seen meanwhile, for one write more (task sheet, 26).
#[tokio::test]
async fn t26_a_task_is_seen_once_it_has_run_for_a_second() {
    let (store, pool, writes) = world("writes").await;
    let schema = store.schema().to_string();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (seen_, pool_, schema_) = (Arc::clone(&seen), pool.clone(), schema.clone());
    let engine = engine_on(Arc::clone(&store) as _, EPOCH, |builder| {
        builder.with_task("long", move |ctx: TaskContext, input: Value| {
            let (seen, pool, schema) = (Arc::clone(&seen_), pool_.clone(), schema_.clone());
            async move {
                ctx.sleep(Duration::from_millis(input["ms"].as_u64().unwrap() / 2)).await;
                let sql = format!(
                    "SELECT status::text, attempt, executor_id IS NOT NULL FROM {schema}.task_instances WHERE id = $1"
                );
                let row: Option<(String, i32, bool)> = sqlx::query_as(AssertSqlSafe(sql))
                    .bind(ctx.task_instance_id().0)
                    .fetch_optional(&pool)
                    .await
                    .unwrap();
                seen.lock().push(row);
                ctx.sleep(Duration::from_millis(input["ms"].as_u64().unwrap() / 2)).await;
                Ok::<_, TaskError>(json!({}))
            }
        })
    })
    .await;
    let steps =
        json!([{"stepId": "a", "type": "TASK", "taskId": "long", "input": {"ms": "${input.ms}"}}]);
    engine.publish(workflow("long", steps)).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(COUNT.replace("$schema", &schema)))
        .execute(&pool)
        .await
        .unwrap();
    let running = Some(("RUNNING".to_owned(), 1, true));
    for (ms, expected, writes_of_task) in [(200, None, 1_i64), (3000, running, 2)] {
        let request = StartRequest::new("long").with_input(json!({ "ms": ms }));
        let handle = engine.start(request).await.unwrap();
        let result = handle.result().await.unwrap();
        assert_eq!(result.status, InstanceStatus::Completed, "{result:?}");
        assert_eq!(seen.lock().pop(), Some(expected), "{ms} ms");
        let sql = format!(
            "WITH gone AS (DELETE FROM {writes} RETURNING what) SELECT count(*) FROM gone WHERE what LIKE '%task%'"
        );
        let counted: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(counted, writes_of_task, "{ms} ms");
        let sql = format!(
            "SELECT count(*) FROM {schema}.task_instances WHERE status <> 'COMPLETED' OR executor_id IS NOT NULL"
        );
        let open: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(open, 0);
    }
    engine.shutdown().await;
}
