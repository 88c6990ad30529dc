#![deny(missing_docs)]
//! The workflow engine of Augmented: runs JSON-defined workflows durably on any store.
//!
//! ```
//! use std::sync::Arc;
//! use augmented_engine::{Engine, StartRequest, TaskContext, TaskError};
//! use augmented_store_memory::MemoryStore;
//! use serde_json::{Value, json};
//!
//! async fn greet(_ctx: TaskContext, input: Value) -> Result<Value, TaskError> {
//!     Ok(json!({ "text": format!("Hello {}", input["name"].as_str().unwrap_or("stranger")) }))
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let engine = Engine::builder(Arc::new(MemoryStore::new())).with_task("greet", greet).start().await?;
//! engine.publish(json!({
//!     "kind": "workflow", "workflowId": "hello", "version": "1.0.0", "name": "Hello",
//!     "steps": [{ "stepId": "greet", "type": "TASK", "taskId": "greet", "input": { "name": "${input.name}" } }],
//! })).await?;
//! let instance = engine.start(StartRequest::new("hello").with_input(json!({ "name": "Ada" }))).await?;
//! assert_eq!(instance.result().await?.output, json!({ "text": "Hello Ada" }));
//! engine.shutdown().await;
//! # Ok::<(), augmented_engine::EngineError>(()) }).unwrap();
//! ```
//!
//! # Where things are
//!
//! | Module | Concern |
//! |---|---|
//! | [`workflow`] | the pure core: one message in, one transition out |
//! | `driver` | the shell around it: workers, commits, recovery, timers |
//! | `task` | handlers, attempts, limits, retries |
//! | `definitions` | publishing, choosing versions, compiling once |
//! | `schemas` | the schema registry: versions, compatibility, validation of data |
//! | `engine` | the API of this crate |

mod clock;
mod config;
mod definitions;
mod driver;
mod engine;
mod error;
mod ids;
mod metrics;
mod schemas;
mod task;
pub mod workflow;

pub use clock::{SystemClock, TimeHold, VirtualTime};
pub use config::EngineConfig;
pub use definitions::{
    Bundle, DraftReport, PublishOutcome, PublishReport, PublishedDefinition, unsupported_findings,
};
pub use engine::{
    CancelReceipt, CancelRequest, ControlReceipt, ControlRequest, Engine, EngineBuilder,
    HistoryPage, InstanceView, SignalReceipt, SignalRequest, StartRequest, StepView, WaitKind,
    WaitingFor, WorkflowHandle, WorkflowResult,
};
pub use error::EngineError;
pub use ids::Ids;
pub use metrics::MetricsSnapshot;
pub use schemas::{
    BatchItem, BatchOptions, BatchResult, BatchSummary, CompatibilityCheck, ItemOutcome,
    ItemResult, NewSchema, Overrides, RegisteredSchema, ResolvedReference, SchemaDetails,
    SchemaFilter, SchemaPage, SchemaRegistry, SchemaSort, SchemaUpdate, SchemaUse, SchemaVersion,
    ShadowResult, ValidationMeta, ValidationRequest, ValidationResult,
};
pub use task::{
    CancellationToken, Cancelled, DynTask, IntoBlockingTask, IntoTask, IntoTaskOutput, MockError,
    MockScript, Outcome, TaskContext, TaskError, TaskHandler, TaskOutput,
};
