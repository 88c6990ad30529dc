//! What a transition wants done.

use std::sync::Arc;

use augmented_core::ids::{InstanceId, TaskInstanceId};
use augmented_core::runtime::{ChildDone, Fact, ParentRef, PathRef, StepIdx, TimerKey};
use augmented_core::store::TimerRow;
use augmented_core::time::Timestamp;
use serde_json::Value;

/// What one message led to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Transition {
    /// What is written down.
    pub fact: Fact,
    /// What is to be done, in order. Rows of the same tenant go into the commit of the fact; the rest is carried
    /// out after it.
    pub commands: Vec<Command>,
}

/// One thing to do.
///
/// Every command can be carried out again after a crash: it carries an identity that makes a repetition harmless.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the driver must carry out every one of them"
)]
pub enum Command {
    /// Run a task instance to its end and answer with `TaskDone`.
    RunTask(RunTask),
    /// Stop a running task instance; its answer still counts as an acknowledgement.
    CancelTask {
        /// The activation it was dispatched under.
        activation: u64,
        /// The task instance.
        task_instance_id: TaskInstanceId,
    },
    /// Arm a durable timer, in the commit.
    SetTimer(TimerRow),
    /// Disarm a durable timer, in the commit.
    ClearTimer(TimerKey),
    /// Insert a child instance, in the commit; if it cannot be started, answer with `ChildDone`.
    StartChild(StartChild),
    /// Ask a child to stop, in the commit.
    CancelChild {
        /// The child.
        instance_id: InstanceId,
        /// Why.
        reason: Arc<str>,
    },
    /// Tell the parent how this instance ended, in the commit.
    NotifyParent {
        /// The parent.
        parent: ParentRef,
        /// How it ended.
        done: Box<ChildDone>,
    },
}

/// A task instance to run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RunTask {
    /// The activation its answer names.
    pub activation: u64,
    /// Its derived id, the same after a crash.
    pub task_instance_id: TaskInstanceId,
    /// Index into the task references and pins.
    pub task_ref: u16,
    /// The step.
    pub step: StepIdx,
    /// The visit of that step.
    pub visit: u32,
    /// The scope of that step.
    pub path: PathRef,
    /// The POLL round, from 1; 0 for a TASK step.
    pub round: u32,
    /// Its input.
    pub input: Arc<Value>,
    /// When it was dispatched first.
    pub dispatched_at: Timestamp,
}

/// A child to start.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StartChild {
    /// The activation its end answers.
    pub activation: u64,
    /// Its derived id, the same after a crash.
    pub instance_id: InstanceId,
    /// The workflow to run.
    pub workflow_id: Arc<str>,
    /// Exact version or SemVer range; `None` is the highest published version at the call.
    pub requirement: Option<Arc<str>>,
    /// Its input.
    pub input: Arc<Value>,
    /// Its correlation id.
    pub correlation_id: Option<Arc<str>>,
    /// The open step of the parent.
    pub parent: ParentRef,
}

/// The text that names an activation: `scopePath#visit`, for a POLL round `scopePath#visit.round`.
///
/// Together with instance and step it is the idempotency key of a task: `wf:{instanceId}:{stepId}:{activation}`.
#[must_use]
pub fn activation_text(path: &PathRef, visit: u32, round: u32) -> String {
    let path = path.as_deref().unwrap_or_default();
    if round == 0 {
        format!("{path}#{visit}")
    } else {
        format!("{path}#{visit}.{round}")
    }
}
