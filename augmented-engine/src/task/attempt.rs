//! The retry machine: which attempt comes next, when, and how a task ends. It performs no I/O and reads no clock.

use std::sync::Arc;

use augmented_core::error::{ErrorCategory, ErrorInfo};
use augmented_core::runtime::{AttemptOutcome, AttemptRecord, TaskDone, TaskStatus};
use augmented_core::{TaskInstanceId, Timestamp};
use serde_json::{Value, json};

use super::context::Attempt;
use super::error::TaskError;
use super::output::TaskOutput;
use super::run::ParkedTask;
use super::work::TaskPolicy;
use crate::ids::mix;

/// How an attempt ended.
pub(crate) enum AttemptEnd {
    /// The handler returned an output that passed its check.
    Output(TaskOutput),
    /// The handler reported an error, or its output did not pass.
    Error(TaskError),
    /// It ran over its time.
    OverTime,
    /// It gave no heartbeat.
    Silent,
    /// It was stopped.
    Cancelled,
}

/// What follows.
#[derive(Debug)]
pub(crate) enum Next {
    /// The task is over.
    Done(Arc<TaskDone>),
    /// Another attempt, after this failure has been recorded.
    Retry(Box<AttemptRecord>),
}

/// The attempts of one task instance.
pub(crate) struct Attempts {
    activation: u64,
    task_instance_id: TaskInstanceId,
    dispatched_at: Timestamp,
    seed: u64,
    failed: Vec<AttemptRecord>,
}

impl Attempts {
    /// When the task was dispatched first.
    pub(crate) fn dispatched_at(&self) -> Timestamp {
        self.dispatched_at
    }

    /// A task instance with the failed attempts that were recorded before.
    pub(crate) fn new(
        activation: u64,
        task_instance_id: TaskInstanceId,
        dispatched_at: Timestamp,
        seed: u64,
        mut failed: Vec<AttemptRecord>,
    ) -> Self {
        failed.sort_by_key(|record| record.attempt);
        Self {
            activation,
            task_instance_id,
            dispatched_at,
            seed,
            failed,
        }
    }

    /// The number of the next attempt, from 1.
    pub(crate) fn next_number(&self) -> u32 {
        self.failed
            .last()
            .map_or(1, |record| record.attempt.saturating_add(1))
    }

    /// When the next attempt is due, if one failed before.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.failed.last().map(|record| record.next_attempt_at)
    }

    /// Puts the task away until its next attempt.
    pub(crate) fn parked(&mut self, next_at: Timestamp) -> ParkedTask {
        ParkedTask {
            task_instance_id: self.task_instance_id,
            next_at,
            failed: std::mem::take(&mut self.failed),
        }
    }

    /// What the last failed attempt left for the next one.
    pub(crate) fn checkpoint(&self) -> Option<Value> {
        self.failed
            .last()
            .and_then(|record| record.checkpoint.clone())
    }

    /// When an attempt that begins at `now` must be over: its own limit, or that of all attempts together.
    pub(crate) fn deadline(&self, policy: &TaskPolicy, now: Timestamp) -> Timestamp {
        let own = now.plus_micros(policy.timeout_micros);
        self.total_deadline(policy)
            .map_or(own, |total| total.min(own))
    }

    /// The end of a task whose time ran out before the attempt that was to begin now; `None` if it may begin.
    pub(crate) fn expired(&self, policy: &TaskPolicy, now: Timestamp) -> Option<Arc<TaskDone>> {
        if self
            .total_deadline(policy)
            .is_some_and(|total| now >= total)
        {
            return Some(self.timed_out("TOTAL_TIMEOUT", "the task is over its totalTimeout", now));
        }
        let queued_until = policy
            .queue_micros
            .map(|length| self.dispatched_at.plus_micros(length));
        if self.failed.is_empty() && queued_until.is_some_and(|until| now > until) {
            return Some(self.timed_out(
                "QUEUE_TIMEOUT",
                "the task did not start within its queueTimeout",
                now,
            ));
        }
        None
    }

    /// The end of a task whose last attempt was lost with its node, if there is none left.
    pub(crate) fn lost_for_good(
        &self,
        policy: &TaskPolicy,
        now: Timestamp,
    ) -> Option<Arc<TaskDone>> {
        let last = self.failed.last()?;
        let failures = u32::try_from(self.failed.len()).unwrap_or(u32::MAX);
        let is_over = last.outcome == AttemptOutcome::WorkerLost
            && !policy.retry.retries(&last.error, failures);
        let error = is_over.then(|| last.error.clone())?;
        let (number, began) = (last.attempt, last.started_at);
        Some(self.done(TaskStatus::Failed, Err(error), number, began, now))
    }

    /// The end of a task whose input its schema refuses: no attempt is made.
    pub(crate) fn input_refused(&self, error: ErrorInfo, now: Timestamp) -> Arc<TaskDone> {
        self.done(TaskStatus::Failed, Err(error), 0, now, now)
    }

    /// The end of a task that was stopped between two attempts.
    pub(crate) fn cancelled(&self, now: Timestamp) -> Arc<TaskDone> {
        let made = self.failed.last().map_or(0, |record| record.attempt);
        self.done(
            TaskStatus::Cancelled,
            Err(cancelled_error()),
            made,
            now,
            now,
        )
    }

    /// The end of a task whose handler did not stop within its grace.
    pub(crate) fn cancelled_at(
        &self,
        number: u32,
        started_at: Timestamp,
        now: Timestamp,
    ) -> Arc<TaskDone> {
        self.done(
            TaskStatus::Cancelled,
            Err(cancelled_error()),
            number,
            started_at,
            now,
        )
    }

    /// What follows the end of attempt `number`.
    pub(crate) fn ended(
        &mut self,
        policy: &TaskPolicy,
        number: u32,
        end: AttemptEnd,
        checkpoint: Option<Value>,
        (started_at, now): (Timestamp, Timestamp),
    ) -> Next {
        let (error, outcome, over_time) = match end {
            AttemptEnd::Output(output) => {
                return Next::Done(self.done(
                    TaskStatus::Completed,
                    Ok(output),
                    number,
                    started_at,
                    now,
                ));
            }
            AttemptEnd::Cancelled => {
                return Next::Done(self.done(
                    TaskStatus::Cancelled,
                    Err(cancelled_error()),
                    number,
                    started_at,
                    now,
                ));
            }
            AttemptEnd::Error(error) if error.is_input_refused() => {
                return Next::Done(self.input_refused(error.into_info(), now));
            }
            AttemptEnd::Error(error) => (error.into_info(), AttemptOutcome::Failed, false),
            AttemptEnd::OverTime => {
                let error = ErrorInfo::new(
                    "EXECUTION_TIMEOUT",
                    ErrorCategory::Timeout,
                    "the attempt ran over its time",
                );
                (error, AttemptOutcome::TimedOut, true)
            }
            AttemptEnd::Silent => {
                let error = ErrorInfo::new(
                    "HEARTBEAT_TIMEOUT",
                    ErrorCategory::Timeout,
                    "the handler gave no heartbeat in its time",
                );
                (error, AttemptOutcome::TimedOut, true)
            }
        };
        let total = self.total_deadline(policy);
        if over_time && total.is_some_and(|total| now >= total) {
            return Next::Done(self.over_total(error, number, started_at, now));
        }
        let failures = u32::try_from(self.failed.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        if !policy.retry.retries(&error, failures) {
            let status = if over_time {
                TaskStatus::TimedOut
            } else {
                TaskStatus::Failed
            };
            return Next::Done(self.done(status, Err(error), number, started_at, now));
        }
        let delay =
            policy
                .retry
                .delay_after(failures, error.retry_after_ms, self.jitter_unit(number));
        let next_attempt_at = now.plus_micros(delay);
        if total.is_some_and(|total| next_attempt_at >= total) {
            return Next::Done(self.over_total(error, number, started_at, now));
        }
        let delay_ms = u64::try_from(delay / 1000).unwrap_or(0);
        let record = AttemptRecord {
            attempt: number,
            started_at,
            ended_at: now,
            outcome,
            error,
            delay_ms,
            next_attempt_at,
            checkpoint,
        };
        self.failed.push(record.clone());
        Next::Retry(Box::new(record))
    }

    fn over_total(
        &self,
        last: ErrorInfo,
        number: u32,
        started_at: Timestamp,
        now: Timestamp,
    ) -> Arc<TaskDone> {
        let error = total_error("another attempt would begin after the totalTimeout of the task")
            .with_details(json!({ "lastError": last }));
        self.done(TaskStatus::TimedOut, Err(error), number, started_at, now)
    }

    fn timed_out(&self, code: &str, message: &str, now: Timestamp) -> Arc<TaskDone> {
        let made = self.failed.last().map_or(0, |record| record.attempt);
        let error = ErrorInfo::new(code, ErrorCategory::Timeout, message).with_retryable(false);
        self.done(TaskStatus::TimedOut, Err(error), made, now, now)
    }

    fn done(
        &self,
        status: TaskStatus,
        result: Result<TaskOutput, ErrorInfo>,
        attempts: u32,
        started_at: Timestamp,
        now: Timestamp,
    ) -> Arc<TaskDone> {
        let (output, outcome, error) = match result {
            Ok(output) => (output.output, output.outcome, None),
            Err(error) => (Value::Null, None, Some(error)),
        };
        Arc::new(TaskDone {
            activation: self.activation,
            task_instance_id: self.task_instance_id,
            status,
            output: Arc::new(output),
            outcome,
            error,
            attempts,
            failed_attempts: self.failed.clone(),
            started_at,
            ended_at: now,
        })
    }

    fn total_deadline(&self, policy: &TaskPolicy) -> Option<Timestamp> {
        policy
            .total_micros
            .map(|length| self.dispatched_at.plus_micros(length))
    }

    /// A number from 0 to 1 that follows from the seed, the task and the attempt, so that a run can be repeated.
    fn jitter_unit(&self, attempt: u32) -> f64 {
        let (high, low) = self.task_instance_id.0.as_u64_pair();
        let bits = mix(mix(mix(self.seed ^ high) ^ low) ^ u64::from(attempt));
        #[expect(
            clippy::cast_precision_loss,
            reason = "53 bits are taken, which a float holds exactly"
        )]
        let unit = (bits >> 11) as f64 / (1_u64 << 53) as f64;
        unit
    }
}

/// A result that came after its attempt was given up; it is recorded and changes nothing.
pub(crate) fn late_done(attempt: &Attempt, output: TaskOutput, now: Timestamp) -> Arc<TaskDone> {
    Arc::new(TaskDone {
        activation: attempt.call.activation,
        task_instance_id: attempt.call.task_instance_id,
        status: TaskStatus::Completed,
        output: Arc::new(output.output),
        outcome: output.outcome,
        error: None,
        attempts: attempt.number,
        failed_attempts: Vec::new(),
        started_at: attempt.started_at,
        ended_at: now,
    })
}

fn cancelled_error() -> ErrorInfo {
    ErrorInfo::new(
        "TASK_CANCELLED",
        ErrorCategory::Permanent,
        "the task was cancelled",
    )
}

fn total_error(message: &str) -> ErrorInfo {
    ErrorInfo::new("TOTAL_TIMEOUT", ErrorCategory::Timeout, message).with_retryable(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use augmented_core::model::RetryPolicy;
    use uuid::Uuid;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn policy(retry: &str) -> TaskPolicy {
        TaskPolicy {
            retry: serde_json::from_str::<RetryPolicy>(retry)
                .unwrap()
                .resolve(),
            timeout_micros: 30_000_000,
            heartbeat_micros: None,
            total_micros: None,
            queue_micros: None,
        }
    }

    fn attempts(seed: u64) -> Attempts {
        Attempts::new(
            7,
            TaskInstanceId(Uuid::from_u128(42)),
            at(0),
            seed,
            Vec::new(),
        )
    }

    fn fail(attempts: &mut Attempts, policy: &TaskPolicy, end: AttemptEnd, now: i64) -> Next {
        let number = attempts.next_number();
        attempts.ended(policy, number, end, None, (at(now), at(now)))
    }

    fn transient() -> AttemptEnd {
        AttemptEnd::Error(TaskError::retryable("LINE_BUSY", "busy"))
    }

    #[test]
    fn a_transient_error_is_retried_after_one_and_two_seconds_and_then_ends_the_task() {
        let policy = policy(r#"{"jitter":0}"#);
        let mut task = attempts(0);
        for (now, next) in [(0, 1000), (1000, 3000)] {
            let Next::Retry(record) = fail(&mut task, &policy, transient(), now) else {
                panic!("expected a retry at {now}")
            };
            assert_eq!(record.next_attempt_at, at(next));
            assert_eq!(task.next_at(), Some(at(next)));
        }
        let Next::Done(done) = fail(&mut task, &policy, transient(), 3000) else {
            panic!("expected the end")
        };
        assert_eq!(
            (done.status, done.attempts, done.failed_attempts.len()),
            (TaskStatus::Failed, 3, 2)
        );
        assert_eq!(done.error.as_ref().unwrap().code, "LINE_BUSY");
    }

    #[test]
    fn the_jitter_follows_from_the_seed_and_stays_in_its_range() {
        let policy = policy("{}");
        let delay = |seed| match fail(&mut attempts(seed), &policy, transient(), 0) {
            Next::Retry(record) => record.next_attempt_at.as_micros(),
            Next::Done(_) => panic!("expected a retry"),
        };
        assert_eq!(delay(1), delay(1));
        assert_ne!(delay(1), delay(2));
        assert!((0..100).all(|seed| (800_000..1_200_000).contains(&delay(seed))));
    }

    #[test]
    fn what_the_policy_excludes_ends_the_task_at_once() {
        for (retry, end, status, code) in [
            (
                "{}",
                AttemptEnd::Error(TaskError::business("NO_CREDIT")),
                TaskStatus::Failed,
                "NO_CREDIT",
            ),
            (
                r#"{"nonRetryableErrors":["LINE_BUSY"]}"#,
                transient(),
                TaskStatus::Failed,
                "LINE_BUSY",
            ),
            (
                r#"{"maxAttempts":1}"#,
                AttemptEnd::OverTime,
                TaskStatus::TimedOut,
                "EXECUTION_TIMEOUT",
            ),
            (
                r#"{"maxAttempts":1}"#,
                AttemptEnd::Silent,
                TaskStatus::TimedOut,
                "HEARTBEAT_TIMEOUT",
            ),
            (
                "{}",
                AttemptEnd::Cancelled,
                TaskStatus::Cancelled,
                "TASK_CANCELLED",
            ),
        ] {
            let Next::Done(done) = fail(&mut attempts(0), &policy(retry), end, 5) else {
                panic!("{retry} {code}")
            };
            assert_eq!(
                (
                    done.status,
                    done.attempts,
                    done.error.as_ref().unwrap().code.as_str()
                ),
                (status, 1, code),
                "{retry}"
            );
        }
    }

    #[test]
    fn a_refused_input_makes_no_attempt() {
        let refused = TaskError::input_refused(&serde_json::from_str::<u8>("x").unwrap_err());
        let Next::Done(done) = fail(
            &mut attempts(0),
            &policy("{}"),
            AttemptEnd::Error(refused),
            0,
        ) else {
            panic!("expected the end")
        };
        assert_eq!(
            (done.attempts, done.error.as_ref().unwrap().code.as_str()),
            (0, "INPUT_VALIDATION_FAILED")
        );
    }

    #[test]
    fn no_attempt_begins_after_the_total_timeout() {
        let policy = TaskPolicy {
            total_micros: Some(1_500_000),
            ..policy(r#"{"jitter":0}"#)
        };
        let mut task = attempts(0);
        assert!(matches!(
            fail(&mut task, &policy, transient(), 0),
            Next::Retry(_)
        ));
        assert_eq!(task.deadline(&policy, at(1000)), at(1500));
        let Next::Done(done) = fail(&mut task, &policy, transient(), 1000) else {
            panic!("expected the end")
        };
        let error = done.error.as_ref().unwrap();
        assert_eq!(
            (done.status, error.code.as_str()),
            (TaskStatus::TimedOut, "TOTAL_TIMEOUT")
        );
        assert_eq!(
            error.details.as_ref().unwrap()["lastError"]["code"],
            "LINE_BUSY"
        );
        assert_eq!(
            task.expired(&policy, at(1500))
                .unwrap()
                .error
                .as_ref()
                .unwrap()
                .code,
            "TOTAL_TIMEOUT"
        );
    }

    #[test]
    fn a_task_that_never_started_in_time_is_over() {
        let policy = TaskPolicy {
            queue_micros: Some(1_000_000),
            ..policy("{}")
        };
        let task = attempts(0);
        assert!(task.expired(&policy, at(1000)).is_none());
        assert_eq!(
            task.expired(&policy, at(1001))
                .unwrap()
                .error
                .as_ref()
                .unwrap()
                .code,
            "QUEUE_TIMEOUT"
        );
    }

    #[test]
    fn counting_goes_on_after_a_crash() {
        let policy = policy(r#"{"jitter":0}"#);
        let mut before = attempts(0);
        let Next::Retry(record) = fail(&mut before, &policy, transient(), 0) else {
            panic!("expected a retry")
        };
        let mut after = Attempts::new(7, before.task_instance_id, at(0), 0, vec![*record]);
        assert_eq!(after.next_number(), 2);
        let Next::Retry(record) = fail(&mut after, &policy, transient(), 1000) else {
            panic!("expected a retry")
        };
        assert_eq!((record.attempt, record.next_attempt_at), (2, at(3000)));
    }
}
