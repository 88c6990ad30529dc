//! What the tests of whole runs share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its own part; a failing helper fails its test"
)]

use std::sync::Arc;

use augmented_core::Timestamp;
use augmented_core::store::Store;
use augmented_engine::{Engine, EngineBuilder};
use augmented_store_memory::MemoryStore;
use augmented_store_postgres::PostgresStore;
use serde_json::{Value, json};

/// Where virtual time begins.
pub(crate) fn epoch() -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000)
}

/// That many milliseconds later.
pub(crate) fn at(millis: i64) -> Timestamp {
    epoch().plus_millis(millis)
}

/// A fresh store of the kind that `AUGMENTED_TEST_STORE` names: `memory`, which is the default, or the URL of a PostgreSQL
/// database, in which it has a schema of its own.
pub(crate) async fn new_store() -> Arc<dyn Store> {
    match std::env::var("AUGMENTED_TEST_STORE") {
        Ok(url) if url != "memory" => Arc::new(PostgresStore::scratch(&url).await.unwrap()),
        _ => Arc::new(MemoryStore::new()),
    }
}

pub(crate) fn virtual_engine(store: Arc<dyn Store>) -> EngineBuilder {
    Engine::builder(store).with_virtual_time(epoch())
}

pub(crate) fn workflow(id: &str, steps: Vec<Value>) -> Value {
    json!({"kind": "workflow", "workflowId": id, "version": "1.0.0", "name": id, "steps": steps})
}

/// A TASK step that hands on the input of the workflow.
pub(crate) fn task(step_id: &str, task_id: &str) -> Value {
    json!({"stepId": step_id, "type": "TASK", "taskId": task_id, "input": "${input}"})
}

/// Tasks one after the other, in the steps `s0`, `s1` and so on.
pub(crate) fn sequence(id: &str, tasks: &[&str]) -> Value {
    let last = tasks.len() - 1;
    let steps = tasks.iter().enumerate().map(|(index, task_id)| {
        let mut step = task(&format!("s{index}"), task_id);
        if index < last {
            step["next"] = json!([{"nextStepId": format!("s{}", index + 1)}]);
        }
        step
    });
    workflow(id, steps.collect())
}
