//! Everything that can reach an instance.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::limits::DecideLimits;
use super::state::TaskPin;
use crate::error::ErrorInfo;
use crate::ids::{InstanceId, Seq, TaskInstanceId};
use crate::time::Timestamp;

/// One message to an instance; applying it makes one fact.
///
/// Messages that answer an open command name its *activation number*, which is unique within the instance
/// and never reused, so a late or repeated answer is recognised by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Message {
    /// The instance begins; always the first message.
    Start(StartMessage),
    /// A task instance ended: all its attempts are over.
    TaskDone(Arc<TaskDone>),
    /// A signal from outside.
    Signal(SignalMessage),
    /// A timer of the instance is due.
    Timer(TimerKey),
    /// A child instance ended.
    ChildDone(Box<ChildDone>),
    /// Somebody wants the instance stopped.
    Cancel(CancelRequest),
    /// An operator holds the instance.
    Pause(ControlRequest),
    /// An operator lets it go on.
    Resume(ControlRequest),
}

impl Message {
    /// The key under which a message takes effect at most once, for messages from outside.
    ///
    /// Results of tasks have none, their activation is unique. Timers have none either: the row of a timer is
    /// turned into its message, and a timer of one key may be armed again, for example for the next poll round.
    #[must_use]
    pub fn message_key(&self) -> Option<String> {
        match self {
            Self::Start(_) => Some("start".to_owned()),
            Self::TaskDone(_) | Self::Timer(_) => None,
            Self::Signal(signal) => Some(format!("signal:{}", signal.signal_id)),
            Self::ChildDone(done) => Some(format!("child:{}", done.instance_id)),
            Self::Cancel(request) => Some(format!("cancel:{}", request.request_id)),
            Self::Pause(request) => Some(request.message_key("pause")),
            Self::Resume(request) => Some(request.message_key("resume")),
        }
    }
}

/// The first message: what the instance pins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartMessage {
    /// The exact task versions in use, in the order of the compiled workflow's task references.
    pub task_pins: Arc<[TaskPin]>,
    /// What decisions depend on, for as long as the instance lives; none until it is decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<DecideLimits>,
}

impl StartMessage {
    /// A start with the given tasks, under the limits of the engine that decides it.
    #[must_use]
    pub fn new(task_pins: Arc<[TaskPin]>) -> Self {
        Self {
            task_pins,
            limits: None,
        }
    }
}

/// How a task instance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskStatus {
    /// With an accepted output.
    Completed,
    /// With an error that is not retried, or out of attempts.
    Failed,
    /// Out of attempts, the last one over time.
    TimedOut,
    /// Stopped.
    Cancelled,
}

impl TaskStatus {
    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// How one attempt that did not end the task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AttemptOutcome {
    /// The handler reported an error.
    Failed,
    /// It ran over its time or fell silent.
    TimedOut,
    /// Its node was lost.
    WorkerLost,
    /// It was stopped.
    Cancelled,
}

/// One attempt that did not end the task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptRecord {
    /// The attempt number, from 1.
    pub attempt: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// Why.
    pub error: ErrorInfo,
    /// The wait before the next attempt, in milliseconds.
    pub delay_ms: u64,
    /// When the next attempt was due.
    pub next_attempt_at: Timestamp,
    /// What the handler wants its next attempt to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Value>,
}

/// The end of a task instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskDone {
    /// The activation it answers.
    pub activation: u64,
    /// The task instance.
    pub task_instance_id: TaskInstanceId,
    /// How it ended.
    pub status: TaskStatus,
    /// What it returned; null unless completed.
    pub output: Arc<Value>,
    /// The business outcome the handler chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Arc<str>>,
    /// Why it did not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
    /// How many attempts were begun; 0 if the input was refused.
    pub attempts: u32,
    /// The attempts before the last one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_attempts: Vec<AttemptRecord>,
    /// When the last attempt began.
    pub started_at: Timestamp,
    /// When the last attempt ended.
    pub ended_at: Timestamp,
}

/// A signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalMessage {
    /// The sender's identity of this signal; the same id takes effect once.
    pub signal_id: Arc<str>,
    /// Its type, which a step waits for.
    #[serde(rename = "signalType")]
    pub signal_type: Arc<str>,
    /// Its data.
    pub payload: Arc<Value>,
    /// Who sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_by: Option<String>,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TimerKind {
    /// The end of a DELAY step.
    Delay,
    /// The timeout of a wait.
    Wait,
    /// The next round of a POLL step.
    PollRound,
    /// The time limit of a POLL step over all rounds.
    PollTimeout,
    /// The next child of a SUB_WORKFLOW step.
    ChildRetry,
    /// The time limit of a child.
    ChildTimeout,
    /// The time limit of a PARALLEL branch.
    BranchTimeout,
    /// The time limit of the instance.
    Execution,
    /// The end of the grace that a cancellation leaves to running work.
    CancelGrace,
    /// The next attempt of a task whose back-off is long enough to park the instance.
    TaskRetry,
}

impl TimerKind {
    /// The name used in timer keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::Wait => "wait",
            Self::PollRound => "poll-round",
            Self::PollTimeout => "poll-timeout",
            Self::ChildRetry => "child-retry",
            Self::ChildTimeout => "child-timeout",
            Self::BranchTimeout => "branch-timeout",
            Self::Execution => "execution",
            Self::CancelGrace => "cancel-grace",
            Self::TaskRetry => "task-retry",
        }
    }
}

/// The exact identity of a timer within its instance; timers are disarmed by it and never wholesale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimerKey {
    /// What it is for.
    pub kind: TimerKind,
    /// The activation it belongs to; 0 for timers of the whole instance.
    pub activation: u64,
}

impl std::fmt::Display for TimerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.activation)
    }
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChildStatus {
    /// Reached its end.
    Completed,
    /// Failed, or could not be started.
    Failed,
    /// Was cancelled.
    Cancelled,
}

/// The end of a child instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChildDone {
    /// The activation it answers.
    pub activation: u64,
    /// The child.
    pub instance_id: InstanceId,
    /// How it ended.
    pub status: ChildStatus,
    /// Its output; none is null.
    pub output: Option<Arc<Value>>,
    /// The outcome its END step named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Arc<str>>,
    /// Its error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
}

/// Who asked for a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CancelSource {
    /// A person or a caller of the API.
    User,
    /// An event.
    Event,
    /// The engine.
    System,
    /// The parent instance.
    Parent,
}

/// A request to stop an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelRequest {
    /// The caller's identity of this request; repeated, it succeeds without effect.
    pub request_id: Arc<str>,
    /// Why.
    pub reason: String,
    /// What kind of party asked.
    pub source: CancelSource,
    /// Who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
}

/// What an operator asks of an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlRequest {
    /// The caller's identity of this request; repeated, it succeeds without effect.
    pub request_id: Arc<str>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// Who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<Arc<str>>,
    /// The last fact the operator knew of, who wants to change nothing else. Of two requests on one, the first counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<Seq>,
}

impl ControlRequest {
    fn message_key(&self, what: &str) -> String {
        match self.expected_version {
            Some(version) => format!("{what}@{version}"),
            None => format!("{what}:{}", self.request_id),
        }
    }
}
