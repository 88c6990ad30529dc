//! What a handler knows about the attempt it makes, and what it may ask of the engine.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use augmented_core::json::replace_nul;
use augmented_core::runtime::{InstanceHeader, PathRef, TaskDone, TaskStatus};
use augmented_core::store::{TaskCompletion, TaskRow};
use augmented_core::{InstanceId, NodeId, TaskInstanceId, TenantId, Timestamp};
use parking_lot::Mutex;
use serde_json::Value;

use super::cancel::CancellationToken;
use super::error::TaskError;
use super::output::TaskOutput;
use super::run::output_refused;
use super::work::StepWork;
use crate::clock::{EngineWait, HandlerActivity};
use crate::workflow::activation_text;

/// The attempt a handler is making: its identity, its limits, and the engine's services.
///
/// Cheap to clone. A handler that calls other systems hands them [`idempotency_key`](Self::idempotency_key), which
/// is the same for all attempts and after a crash.
#[derive(Clone)]
pub struct TaskContext {
    attempt: Arc<Attempt>,
}

/// What stays the same over all attempts of a task instance.
#[derive(Clone)]
pub(crate) struct TaskCall {
    pub(crate) header: Arc<InstanceHeader>,
    pub(crate) work: Arc<StepWork>,
    pub(crate) activation: u64,
    pub(crate) task_instance_id: TaskInstanceId,
    pub(crate) visit: u32,
    pub(crate) path: PathRef,
    pub(crate) round: u32,
    /// Under which identity this node runs it.
    pub(crate) node: NodeId,
}

impl TaskCall {
    /// What is written of the task besides its attempts and its result.
    pub(crate) fn row(&self, input: &Arc<Value>, dispatched_at: Timestamp) -> TaskRow {
        TaskRow::new(
            self.task_instance_id,
            self.work.task.pin.id,
            Arc::clone(&self.work.step_id),
            Arc::clone(input),
            dispatched_at,
        )
        .with_type(self.work.task.task_type)
        .with_workflow(self.header.definition.id)
        .with_visit(self.path.clone(), self.visit)
    }
}

/// One attempt.
pub(crate) struct Attempt {
    pub(crate) call: TaskCall,
    pub(crate) number: u32,
    pub(crate) started_at: Timestamp,
    pub(crate) deadline: Timestamp,
    pub(crate) activity: Option<Arc<HandlerActivity>>,
    input: Arc<Value>,
    dispatched_at: Timestamp,
    last_checkpoint: Option<Value>,
    checkpoint: Mutex<Option<Value>>,
    heartbeat_at: AtomicI64,
    token: OnceLock<CancellationToken>,
}

impl Attempt {
    pub(crate) fn new(
        call: TaskCall,
        number: u32,
        (input, dispatched_at): (Arc<Value>, Timestamp),
        (started_at, deadline): (Timestamp, Timestamp),
        last_checkpoint: Option<Value>,
    ) -> Self {
        let activity = call
            .work
            .env
            .time
            .virtual_clock()
            .map(HandlerActivity::begin);
        Self {
            call,
            number,
            started_at,
            deadline,
            activity,
            input,
            dispatched_at,
            last_checkpoint,
            checkpoint: Mutex::new(None),
            heartbeat_at: AtomicI64::new(started_at.as_micros()),
            token: OnceLock::new(),
        }
    }

    pub(crate) fn token(&self) -> &CancellationToken {
        self.token.get_or_init(CancellationToken::new)
    }

    pub(crate) fn heartbeat_at(&self) -> Timestamp {
        Timestamp::from_micros(self.heartbeat_at.load(Ordering::Relaxed))
    }

    /// What the next attempt is told: what this one left, else what the one before left.
    pub(crate) fn take_checkpoint(&self) -> Option<Value> {
        self.checkpoint
            .lock()
            .take()
            .or_else(|| self.last_checkpoint.clone())
    }

    /// The handler is over; from now on it does not hold virtual time.
    pub(crate) fn finish(&self) {
        if let Some(activity) = &self.activity {
            activity.finish();
        }
    }

    fn wait(&self) -> Option<EngineWait> {
        self.activity
            .as_ref()
            .map(|activity| EngineWait::new(Arc::clone(activity)))
    }
}

impl TaskContext {
    pub(crate) fn new(attempt: Arc<Attempt>) -> Self {
        Self { attempt }
    }

    /// The number of this attempt, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt.number
    }

    /// The key that makes the effect of all attempts one effect: `wf:{instanceId}:{stepId}:{activation}`.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!(
            "wf:{}:{}:{}",
            self.instance_id(),
            self.step_id(),
            self.activation()
        )
    }

    /// The name of this attempt: `{taskInstanceId}#{attempt}`.
    #[must_use]
    pub fn execution_id(&self) -> String {
        format!("{}#{}", self.task_instance_id(), self.attempt())
    }

    /// The task instance; equal over all attempts and after a crash.
    #[must_use]
    pub fn task_instance_id(&self) -> TaskInstanceId {
        self.attempt.call.task_instance_id
    }

    /// Business id of the task.
    #[must_use]
    pub fn task_id(&self) -> &str {
        &self.attempt.call.work.task.pin.task_id
    }

    /// Exact version of the task.
    #[must_use]
    pub fn task_version(&self) -> &str {
        &self.attempt.call.work.task.pin.version
    }

    /// The static settings of the task definition (`implementation.parameters`); an empty object if it has none.
    #[must_use]
    pub fn parameters(&self) -> &Value {
        &self.attempt.call.work.task.parameters
    }

    /// The tenant.
    #[must_use]
    pub fn tenant_id(&self) -> TenantId {
        self.attempt.call.header.tenant_id
    }

    /// The workflow instance.
    #[must_use]
    pub fn instance_id(&self) -> InstanceId {
        self.attempt.call.header.instance_id
    }

    /// Business id of the workflow.
    #[must_use]
    pub fn workflow_id(&self) -> &str {
        &self.attempt.call.header.definition.workflow_id
    }

    /// Exact version of the workflow.
    #[must_use]
    pub fn workflow_version(&self) -> &str {
        &self.attempt.call.header.definition.version
    }

    /// The step.
    #[must_use]
    pub fn step_id(&self) -> &str {
        &self.attempt.call.work.step_id
    }

    /// The visit of the step in its scope, from 1.
    #[must_use]
    pub fn visit(&self) -> u32 {
        self.attempt.call.visit
    }

    /// The POLL round, from 1; 0 for a TASK step.
    #[must_use]
    pub fn round(&self) -> u32 {
        self.attempt.call.round
    }

    /// The activation of the step: `scopePath#visit`, for a POLL round `scopePath#visit.round`.
    #[must_use]
    pub fn activation(&self) -> String {
        let call = &self.attempt.call;
        activation_text(&call.path, call.visit, call.round)
    }

    /// The correlation id of the instance.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.attempt.call.header.correlation_id.as_deref()
    }

    /// Who started the instance.
    #[must_use]
    pub fn initiator_id(&self) -> Option<&str> {
        self.attempt.call.header.initiator_id.as_deref()
    }

    /// The W3C trace context of the start.
    #[must_use]
    pub fn trace_parent(&self) -> Option<&str> {
        self.attempt.call.header.trace_parent.as_deref()
    }

    /// When this attempt is over time.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.attempt.deadline
    }

    /// The present instant of the engine's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.attempt.call.work.env.time.now()
    }

    /// Waits on the engine's clock, which may be virtual.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub async fn sleep(&self, length: Duration) {
        self.attempt
            .call
            .work
            .env
            .time
            .sleep(length, self.attempt.wait())
            .await;
    }

    /// Whether the work is to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.attempt.token().is_cancelled()
    }

    /// Returns once the work is to stop: the step or instance is cancelled, or the attempt is over time.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub async fn cancelled(&self) {
        match self.attempt.wait() {
            Some(wait) => self.attempt.token().cancelled_while(wait).await,
            None => self.attempt.token().cancelled().await,
        }
    }

    /// The signal behind [`cancelled`](Self::cancelled), to hand to other code.
    #[must_use]
    pub fn cancellation(&self) -> CancellationToken {
        self.attempt.token().clone()
    }

    /// Says that the handler is alive; needed at least once in each `heartbeatTimeout`, if there is one.
    pub fn heartbeat(&self) {
        self.attempt
            .heartbeat_at
            .fetch_max(self.now().as_micros(), Ordering::Relaxed);
    }

    /// Says that the handler is alive, and leaves what the next attempt should know if this one fails.
    ///
    /// The character U+0000, which databases do not keep, is replaced by U+FFFD.
    pub fn checkpoint(&self, mut progress: Value) {
        replace_nul(&mut progress);
        *self.attempt.checkpoint.lock() = Some(progress);
        self.heartbeat();
    }

    /// The result of this task, for a store that records it in a transaction of the handler's.
    ///
    /// The handler writes its own rows and the result in one transaction, commits it, and returns the same output: its
    /// effect on the database then happens exactly once, whenever the process dies. `complete_in` of the PostgreSQL store
    /// takes it and shows the whole pattern.
    ///
    /// # Errors
    /// The error to return if the output does not fit the output schema of the task; nothing should be written then.
    pub fn completion(&self, output: &TaskOutput) -> Result<TaskCompletion, TaskError> {
        let call = &self.attempt.call;
        if let Some(refused) = output_refused(&call.work, output) {
            return Err(refused);
        }
        Ok(TaskCompletion {
            tenant: self.tenant_id(),
            instance: self.instance_id(),
            task: call.row(&self.attempt.input, self.attempt.dispatched_at),
            done: TaskDone {
                activation: call.activation,
                task_instance_id: call.task_instance_id,
                status: TaskStatus::Completed,
                output: Arc::new(output.output.clone()),
                outcome: output.outcome.clone(),
                error: None,
                attempts: self.attempt.number,
                failed_attempts: Vec::new(),
                started_at: self.attempt.started_at,
                ended_at: self.now(),
            },
        })
    }

    /// What the last failed attempt left.
    #[must_use]
    pub fn last_checkpoint(&self) -> Option<&Value> {
        self.attempt.last_checkpoint.as_ref()
    }
}

impl fmt::Debug for TaskContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskContext")
            .field("task", &self.task_id())
            .field("step", &self.step_id())
            .field("instance", &self.instance_id())
            .field("attempt", &self.attempt())
            .finish_non_exhaustive()
    }
}
