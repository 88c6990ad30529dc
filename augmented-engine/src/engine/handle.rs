//! Following one instance to its end.

use std::sync::Arc;
use std::time::Duration;

use augmented_core::error::ErrorInfo;
use augmented_core::runtime::{InstanceState, InstanceStatus};
use augmented_core::{InstanceId, Timestamp};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::oneshot;

use super::Engine;
use crate::EngineError;
use crate::driver::WorkerInput;

/// How long the end of an instance on another node may go unnoticed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// An instance, as its starter holds it.
pub struct WorkflowHandle {
    engine: Engine,
    instance: InstanceId,
    end: Mutex<Option<oneshot::Receiver<Arc<InstanceState>>>>,
}

/// How an instance ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WorkflowResult {
    /// The instance.
    pub instance_id: InstanceId,
    /// COMPLETED, FAILED or CANCELLED.
    pub status: InstanceStatus,
    /// Its output; null unless it completed.
    pub output: Value,
    /// The outcome that its END step named.
    pub outcome: Option<String>,
    /// Why it failed.
    pub error: Option<ErrorInfo>,
    /// The step that failed, if one did.
    pub failed_step_id: Option<String>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

impl WorkflowResult {
    fn of(state: &InstanceState) -> Self {
        Self {
            instance_id: state.header.instance_id,
            status: state.status,
            output: state.output.as_deref().cloned().unwrap_or(Value::Null),
            outcome: state.outcome.as_deref().map(str::to_owned),
            error: state.error.as_ref().map(|error| (*error.error).clone()),
            failed_step_id: state
                .error
                .as_ref()
                .and_then(|error| error.failed_step_id.as_deref())
                .map(str::to_owned),
            started_at: state.started_at,
            completed_at: state.completed_at,
        }
    }
}

impl WorkflowHandle {
    pub(super) fn new(
        engine: Engine,
        instance: InstanceId,
        end: Option<oneshot::Receiver<Arc<InstanceState>>>,
    ) -> Self {
        Self {
            engine,
            instance,
            end: Mutex::new(end),
        }
    }

    /// The instance.
    #[must_use]
    pub fn id(&self) -> InstanceId {
        self.instance
    }

    /// Waits until the instance has ended, on whatever node.
    ///
    /// # Errors
    /// `NOT_FOUND` if the instance is gone, `UNAVAILABLE` if the engine was stopped, and errors of the store.
    ///
    /// # Cancel safety
    /// May be dropped at any time; the instance goes on.
    pub async fn result(&self) -> Result<WorkflowResult, EngineError> {
        let end = self.end.lock().take();
        // The sender is dropped as soon as the instance leaves the memory of this engine before its end.
        if let Some(end) = end
            && let Ok(state) = end.await
        {
            return Ok(WorkflowResult::of(&state));
        }
        self.engine.await_result(self.instance).await
    }

    /// The present status.
    ///
    /// # Errors
    /// `NOT_FOUND` if the instance is gone, and errors of the store.
    pub async fn status(&self) -> Result<InstanceStatus, EngineError> {
        Ok(self.engine.instance(self.instance).await?.status())
    }
}

impl std::fmt::Debug for WorkflowHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkflowHandle")
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// A handle on an instance that was started before.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such instance, and errors of the store.
    pub async fn handle(&self, instance: InstanceId) -> Result<WorkflowHandle, EngineError> {
        self.loaded(instance).await?;
        Ok(WorkflowHandle::new(self.clone(), instance, None))
    }

    /// Waits until an instance has ended, on whatever node.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such instance, `UNAVAILABLE` if the engine was stopped, and errors of the store.
    ///
    /// # Cancel safety
    /// May be dropped at any time; the instance goes on.
    pub async fn await_result(&self, instance: InstanceId) -> Result<WorkflowResult, EngineError> {
        let is_virtual = self.shared().time().virtual_clock().is_some();
        loop {
            self.check_running()?;
            let (watcher, mut end) = oneshot::channel();
            self.shared()
                .send(instance, WorkerInput::Watch(instance, watcher));
            // Looked up after the watcher is on its way, so that no end slips through between the two.
            let view = self.instance(instance).await?;
            if view.state().status.is_terminal() {
                return Ok(WorkflowResult::of(view.state()));
            }
            let ended = if self.shared().is_client() {
                tokio::time::sleep(LOOK_AGAIN).await;
                None
            } else if is_virtual {
                end.await.ok()
            } else {
                tokio::select! {
                    ended = &mut end => ended.ok(),
                    () = tokio::time::sleep(LOOK_AGAIN) => None,
                }
            };
            if let Some(state) = ended {
                return Ok(WorkflowResult::of(&state));
            }
        }
    }
}
