//! What the acceptance tests share: engines on virtual time, short forms of definitions, recorders.

mod calls;
pub mod simulation;
mod tokio_clock;
mod watched;

use std::sync::Arc;

use augmented_core::runtime::{Fact, HistoryEntry, HistoryType, InstanceStatus};
use augmented_core::store::{LoadedInstance, QueryStore, Store};
use augmented_core::validate::Finding;
use augmented_core::{InstanceId, TenantId, Timestamp};
use augmented_engine::{
    Engine, EngineBuilder, StartRequest, TaskContext, TaskError, TimeHold, WorkflowHandle,
    WorkflowResult,
};
use augmented_store_memory::MemoryStore;
use augmented_store_postgres::PostgresStore;
use futures_util::future::{Ready, join, ready};
use serde_json::{Value, json};

pub use calls::{Call, Calls};
pub use tokio_clock::TokioClock;
pub use watched::WatchedStore;

/// The instant at which virtual time begins: 2026-01-05T09:00:00Z.
pub const EPOCH: Timestamp = Timestamp::from_millis(1_767_603_600_000);

/// So many seconds after the epoch.
pub fn at(seconds: i64) -> Timestamp {
    EPOCH.plus_millis(seconds * 1000)
}

/// A fresh store of the kind that `AUGMENTED_TEST_STORE` names: `memory`, which is the default, or the URL of a PostgreSQL
/// database, in which it has a schema of its own.
pub async fn new_store() -> Arc<dyn Store> {
    match std::env::var("AUGMENTED_TEST_STORE") {
        Ok(url) if url != "memory" => {
            let opening = async { PostgresStore::scratch(&url).await.unwrap() };
            Arc::new(WatchedStore::open_remote(opening).await)
        }
        _ => Arc::new(MemoryStore::new()),
    }
}

/// Whether [`new_store`] makes stores in memory.
pub fn is_in_memory() -> bool {
    std::env::var("AUGMENTED_TEST_STORE").map_or(true, |store| store == "memory")
}

/// An engine on virtual time and a fresh store.
pub async fn engine(prepare: impl FnOnce(EngineBuilder) -> EngineBuilder) -> Engine {
    engine_on(new_store().await, EPOCH, prepare).await
}

/// An engine on virtual time that begins at `epoch`, and the given store.
pub async fn engine_on(
    store: Arc<dyn Store>,
    epoch: Timestamp,
    prepare: impl FnOnce(EngineBuilder) -> EngineBuilder,
) -> Engine {
    prepare(Engine::builder(store).with_virtual_time(epoch))
        .start()
        .await
        .unwrap()
}

/// A workflow of version 1.0.0.
pub fn workflow(id: &str, steps: Value) -> Value {
    json!({"kind": "workflow", "workflowId": id, "version": "1.0.0", "name": id, "steps": steps})
}

/// `document` with the members of `more`, which win.
pub fn with(mut document: Value, more: Value) -> Value {
    document
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    document
}

/// A TASK step of the task of the same name.
pub fn task(id: &str, next: Option<&str>) -> Value {
    with(
        json!({"stepId": id, "type": "TASK", "taskId": id}),
        next_of(next),
    )
}

/// An EVENT_WAIT step for the signal of the same name.
pub fn wait_for_signal(id: &str, next: Option<&str>) -> Value {
    with(
        json!({"stepId": id, "type": "EVENT_WAIT", "signalType": id}),
        next_of(next),
    )
}

fn next_of(next: Option<&str>) -> Value {
    next.map_or(json!({}), |next| json!({"next": [{"nextStepId": next}]}))
}

/// Publishes a workflow, starts it and waits for its end.
pub async fn run(
    engine: &Engine,
    workflow: Value,
    input: Value,
) -> (WorkflowHandle, WorkflowResult) {
    let handle = start(engine, workflow, input).await;
    let result = handle.result().await.unwrap();
    (handle, result)
}

/// Publishes a workflow and starts it.
pub async fn start(engine: &Engine, workflow: Value, input: Value) -> WorkflowHandle {
    let id = workflow["workflowId"].as_str().unwrap().to_owned();
    engine.publish(workflow).await.unwrap();
    engine
        .start(StartRequest::new(id).with_input(input))
        .await
        .unwrap()
}

/// A handler that answers with its input.
pub async fn echo(_: TaskContext, input: Value) -> Result<Value, TaskError> {
    Ok(input)
}

/// A handler that records its calls and answers with its input.
pub fn noting(
    calls: &Calls,
) -> impl Fn(TaskContext, Value) -> Ready<Result<Value, TaskError>> + Send + Sync + 'static {
    let calls = calls.clone();
    move |ctx, input| {
        calls.note(&ctx, &input);
        ready(Ok(input))
    }
}

/// Lets virtual time go on to `instant`, and holds it there.
pub async fn go_on_until(engine: &Engine, held: TimeHold, instant: Timestamp) -> TimeHold {
    let (there, ()) = join(engine.wait_until(instant), async { drop(held) }).await;
    there
}

/// Status and output; the error if there is one, so that a failing assertion shows it.
pub fn ended(result: &WorkflowResult) -> (InstanceStatus, Value) {
    let output = result
        .error
        .as_ref()
        .map_or_else(|| result.output.clone(), |error| json!(error.code));
    (result.status, output)
}

/// Code and pointer of findings.
pub fn places(findings: &[Finding]) -> Vec<(String, String)> {
    findings
        .iter()
        .map(|finding| (finding.code.to_string(), finding.pointer.clone()))
        .collect()
}

/// The transitions taken, as `from -> to #rule`.
pub fn transitions(history: &[HistoryEntry]) -> Vec<String> {
    let taken = history
        .iter()
        .filter(|entry| entry.entry_type == HistoryType::TransitionTaken);
    taken
        .map(|entry| {
            let details = entry.details.as_ref().unwrap();
            let rule = details
                .get("rule")
                .map_or_else(String::new, |rule| format!(" #{rule}"));
            format!(
                "{} -> {}{rule}",
                details["from"].as_str().unwrap(),
                details["to"].as_str().unwrap()
            )
        })
        .collect()
}

/// The entries of one type, as (step, visit).
pub fn visits(history: &[HistoryEntry], entry_type: HistoryType) -> Vec<(String, u32)> {
    let of_type = history
        .iter()
        .filter(|entry| entry.entry_type == entry_type);
    of_type
        .map(|entry| {
            (
                entry.step_id.clone().unwrap_or_default(),
                entry.visit.unwrap_or(0),
            )
        })
        .collect()
}

/// How many entries of one type there are.
pub fn count(history: &[HistoryEntry], entry_type: HistoryType) -> usize {
    history
        .iter()
        .filter(|entry| entry.entry_type == entry_type)
        .count()
}

/// All facts of an instance.
pub async fn facts(store: &dyn QueryStore, instance: InstanceId) -> Vec<Fact> {
    store
        .facts(TenantId::DEFAULT, instance, 0, 100_000)
        .await
        .unwrap()
}

/// An instance as it is stored.
pub async fn stored(store: &dyn QueryStore, instance: InstanceId) -> LoadedInstance {
    store
        .instance(TenantId::DEFAULT, instance)
        .await
        .unwrap()
        .unwrap()
}
