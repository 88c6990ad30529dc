//! The history people read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::Seq;
use crate::time::Timestamp;

/// What a history entry reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
#[expect(missing_docs, reason = "each name is the sentence")]
pub enum HistoryType {
    WorkflowCreated,
    WorkflowStarted,
    StepStarted,
    StepWaiting,
    StepRetryScheduled,
    StepCompleted,
    StepFailed,
    StepSkipped,
    StepCancelled,
    TransitionTaken,
    BranchStarted,
    BranchEnded,
    JoinReached,
    TimerSet,
    TimerFired,
    SignalReceived,
    VariableSet,
    ChildStarted,
    ChildEnded,
    CancelRequested,
    Paused,
    Resumed,
    StaleResult,
    ExpressionError,
    TakenOver,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowCancelled,
}

/// One line of the history of an instance, in the order of what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HistoryEntry {
    /// The fact it stands in; absent for work that is still open.
    pub seq: Option<Seq>,
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(rename = "type")]
    pub entry_type: HistoryType,
    /// The step concerned.
    pub step_id: Option<String>,
    /// The scope of that step; empty for the root.
    pub scope_path: String,
    /// The visit of that step in its scope, from 1.
    pub visit: Option<u32>,
    /// The attempt concerned, from 1.
    pub attempt: Option<u32>,
    /// The outcome of the step.
    pub outcome: Option<String>,
    /// Who caused it, where a person or caller did.
    pub actor: Option<String>,
    /// More, by type.
    pub details: Option<Value>,
}

impl HistoryEntry {
    /// An entry without a step.
    #[must_use]
    pub fn new(seq: Option<Seq>, at: Timestamp, entry_type: HistoryType) -> Self {
        Self {
            seq,
            at,
            entry_type,
            step_id: None,
            scope_path: String::new(),
            visit: None,
            attempt: None,
            outcome: None,
            actor: None,
            details: None,
        }
    }
}
