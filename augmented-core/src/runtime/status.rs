//! The states of an instance and of a step visit.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of a workflow instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InstanceStatus {
    /// Accepted, not yet running.
    Created,
    /// Work is going on, or an attempt, a person or a child is awaited.
    Running,
    /// Every control point waits for an event, a signal or an instant.
    WaitingForEvent,
    /// Held by an operator.
    Paused,
    /// Work is being stopped.
    Cancelling,
    /// Completed work is being undone.
    Compensating,
    /// Reached its end.
    Completed,
    /// Ended by an error nobody handled.
    Failed,
    /// Ended by a cancellation.
    Cancelled,
}

impl InstanceStatus {
    /// Every status, in wire order.
    pub const ALL: [Self; 9] = [
        Self::Created,
        Self::Running,
        Self::WaitingForEvent,
        Self::Paused,
        Self::Cancelling,
        Self::Compensating,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Whether nothing moves any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Running => "RUNNING",
            Self::WaitingForEvent => "WAITING_FOR_EVENT",
            Self::Paused => "PAUSED",
            Self::Cancelling => "CANCELLING",
            Self::Compensating => "COMPENSATING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl fmt::Display for InstanceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The state of one visit of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StepStatus {
    /// Entered; its work is going on.
    Running,
    /// Waiting for a signal, an event, an instant or a child.
    Waiting,
    /// Between two attempts.
    Retrying,
    /// Done.
    Completed,
    /// Ended with an error.
    Failed,
    /// Stopped because its scope or the instance ended.
    Cancelled,
    /// Passed over by an operator.
    Skipped,
}

impl StepStatus {
    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Waiting => "WAITING",
            Self::Retrying => "RETRYING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Skipped => "SKIPPED",
        }
    }
}

impl fmt::Display for StepStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
