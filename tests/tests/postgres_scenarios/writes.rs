//! What a workflow costs in rows.

use std::sync::Arc;

use augmented_acceptance::{EPOCH, engine_on, workflow};
use augmented_core::runtime::InstanceStatus;
use augmented_engine::StartRequest;
use serde_json::json;
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
