//! What is written down: one fact for each message.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::{Message, TimerKey};
use super::state::{PathRef, StepIdx};
use crate::error::ErrorInfo;
use crate::ids::{InstanceId, Seq};
use crate::time::Timestamp;

/// One applied message, when it was applied, and the way it led through the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Its number within the instance, without gaps; the start fact is 0.
    pub seq: Seq,
    /// The instant at which it was applied: `now` of its transition.
    pub at: Timestamp,
    /// What was applied.
    pub message: Message,
    /// What followed from it, in order. Replay must arrive at the same trail.
    pub trail: Vec<TrailEntry>,
}

/// One thing that happened inside a transition.
///
/// Steps are named by their index in the compiled workflow of the pinned version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "the fields are the same everywhere: step, its scope path, its visit"
)]
pub enum TrailEntry {
    /// A step was entered.
    Entered {
        step: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        visit: u32,
    },
    /// A step began to wait for a signal, an instant or a child.
    Waiting {
        step: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        visit: u32,
    },
    /// A step was done.
    Completed {
        step: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        visit: u32,
        attempt: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        outcome: Option<Arc<str>>,
    },
    /// A step ended with an error.
    Failed {
        step: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        visit: u32,
        attempt: u32,
        error: Arc<ErrorInfo>,
    },
    /// An expression of the error path failed, for example the condition of a handler; what it was about is recorded
    /// beside it.
    ExpressionError {
        step: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        visit: u32,
        error: Arc<ErrorInfo>,
    },
    /// A step was stopped.
    Cancelled {
        step: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        visit: u32,
    },
    /// A transition was taken; `rule` is its index in `next`, absent for handlers and for the end of a path.
    Transition {
        from: StepIdx,
        to: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        #[serde(skip_serializing_if = "Option::is_none")]
        rule: Option<u16>,
        #[serde(skip_serializing_if = "Option::is_none")]
        values: Option<Box<Value>>,
    },
    /// A branch or iteration began.
    BranchStarted {
        step: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
    },
    /// A branch or iteration ended.
    BranchEnded {
        step: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        status: Arc<str>,
    },
    /// A container's join condition was met.
    JoinReached {
        step: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
    },
    /// A workflow variable was written.
    VariableSet {
        step: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        name: Arc<str>,
    },
    /// A durable timer was armed.
    TimerSet {
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<StepIdx>,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        key: TimerKey,
        fire_at: Timestamp,
    },
    /// A timer was applied.
    TimerFired {
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<StepIdx>,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        key: TimerKey,
    },
    /// A signal was taken by a step, or kept for a later one.
    SignalReceived {
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<StepIdx>,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        signal_type: Arc<str>,
        buffered: bool,
    },
    /// A child was started.
    ChildStarted {
        step: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        visit: u32,
        instance_id: InstanceId,
    },
    /// A child ended.
    ChildEnded {
        step: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        visit: u32,
        instance_id: InstanceId,
    },
    /// A cancellation was accepted.
    CancelRequested {
        reason: Arc<str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        actor: Option<Arc<str>>,
    },
    /// An operator held the instance.
    Paused {
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        actor: Option<Arc<str>>,
    },
    /// An operator let it go on; what had come meanwhile is applied behind this.
    Resumed {
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        actor: Option<Arc<str>>,
    },
    /// A message came for something that is over; it changed nothing.
    Stale {
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<StepIdx>,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        #[serde(skip_serializing_if = "Option::is_none")]
        visit: Option<u32>,
    },
    /// A task answered whose attempts before the last one are worth telling, or whose end a cancellation awaited.
    Answered {
        step: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        visit: u32,
    },
    /// A step begins its work again after a pause.
    RetryScheduled {
        step: StepIdx,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: PathRef,
        visit: u32,
        attempt: u32,
        error: Arc<ErrorInfo>,
        fire_at: Timestamp,
    },
    /// Another node had taken the instance over; the `count`th time since the fact before. Written by the driver in
    /// front of what the message led to, and no part of what replay compares.
    TakenOver { count: u16 },
    /// The instance reached its end.
    InstanceCompleted,
    /// The instance failed.
    InstanceFailed { error: Arc<ErrorInfo> },
    /// The instance was cancelled.
    InstanceCancelled,
}
