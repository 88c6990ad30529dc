use std::sync::Arc;

use augmented_core::{TaskInstanceId, Timestamp};
use augmented_engine::TaskContext;
use parking_lot::Mutex;
use serde_json::Value;

/// One call of a handler.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub step: String,
    pub attempt: u32,
    pub key: String,
    pub task: TaskInstanceId,
    pub at: Timestamp,
    pub input: Value,
}

/// Records the calls of handlers.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    /// Records a call.
    pub fn note(&self, ctx: &TaskContext, input: &Value) {
        self.0.lock().push(Call {
            step: ctx.step_id().to_owned(),
            attempt: ctx.attempt(),
            key: ctx.idempotency_key(),
            task: ctx.task_instance_id(),
            at: ctx.now(),
            input: input.clone(),
        });
    }

    /// All calls so far.
    pub fn all(&self) -> Vec<Call> {
        self.0.lock().clone()
    }

    /// The steps of all calls so far.
    pub fn steps(&self) -> Vec<String> {
        self.0.lock().iter().map(|call| call.step.clone()).collect()
    }

    /// How many calls there were.
    pub fn count(&self) -> usize {
        self.0.lock().len()
    }
}
