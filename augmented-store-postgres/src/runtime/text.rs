//! Values as the database takes them.

use augmented_core::Timestamp;
use augmented_core::model::TaskType;
use augmented_core::runtime::{AttemptOutcome, Message, TimerKind};
use augmented_core::store::StoreError;
use serde::Serialize;
use sqlx::types::chrono::{DateTime, Utc};

/// JSON as text.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::corrupt(format!("a value cannot be written: {error}")))
}

/// A number for a `bigint`; what does not fit is as good as endless.
pub(crate) fn big(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number for an `integer`.
pub(crate) fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

pub(crate) fn instant(at: Timestamp) -> DateTime<Utc> {
    at.to_chrono()
}

pub(crate) fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_chrono(at)
}

pub(crate) const fn message_kind(message: &Message) -> &'static str {
    match message {
        Message::Start(_) => "START",
        Message::TaskDone(_) => "TASK_DONE",
        Message::Signal(_) => "SIGNAL",
        Message::Timer(_) => "TIMER",
        Message::ChildDone(_) => "CHILD_DONE",
        Message::Cancel(_) => "CANCEL",
        Message::Pause(_) => "PAUSE",
        Message::Resume(_) => "RESUME",
    }
}

/// The name of a timer kind in its column, which is also the one in messages.
pub(crate) const fn timer_kind(kind: TimerKind) -> &'static str {
    match kind {
        TimerKind::Delay => "DELAY",
        TimerKind::Wait => "WAIT",
        TimerKind::PollRound => "POLL_ROUND",
        TimerKind::PollTimeout => "POLL_TIMEOUT",
        TimerKind::ChildRetry => "CHILD_RETRY",
        TimerKind::ChildTimeout => "CHILD_TIMEOUT",
        TimerKind::BranchTimeout => "BRANCH_TIMEOUT",
        TimerKind::Execution => "EXECUTION",
        TimerKind::CancelGrace => "CANCEL_GRACE",
        TimerKind::TaskRetry => "TASK_RETRY",
    }
}

pub(crate) const fn task_type(task_type: TaskType) -> &'static str {
    match task_type {
        TaskType::Automated => "AUTOMATED",
        TaskType::Manual => "MANUAL",
        TaskType::Integration => "INTEGRATION",
    }
}

pub(crate) const fn attempt_outcome(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Failed => "FAILED",
        AttemptOutcome::TimedOut => "TIMED_OUT",
        AttemptOutcome::WorkerLost => "WORKER_LOST",
        AttemptOutcome::Cancelled => "CANCELLED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timer_kinds_have_the_names_of_messages() {
        for kind in [
            TimerKind::Delay,
            TimerKind::Wait,
            TimerKind::PollRound,
            TimerKind::PollTimeout,
            TimerKind::ChildRetry,
            TimerKind::ChildTimeout,
            TimerKind::BranchTimeout,
            TimerKind::Execution,
            TimerKind::CancelGrace,
            TimerKind::TaskRetry,
        ] {
            let written = serde_json::to_value(kind).unwrap();
            assert_eq!(written.as_str(), Some(timer_kind(kind)));
        }
    }
}
