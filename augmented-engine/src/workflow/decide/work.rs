//! TASK, POLL and SUB_WORKFLOW: dispatching work and taking its results.

use std::sync::Arc;

use augmented_core::error::{ErrorCategory, ErrorInfo};
use augmented_core::ids::{InstanceId, TaskInstanceId, uuid_v7_micros};
use augmented_core::model::RetryPolicy;
use augmented_core::runtime::{
    Activity, AttemptOutcome, AttemptRecord, ChildDone, ChildStatus, GivenUp, ParentRef,
    StepStatus, TaskDone, TaskStatus, TimerKind, TokenId, TrailEntry,
};
use augmented_core::time::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::super::command::{Command, RunTask, StartChild, activation_text};
use super::super::graph::{CompiledStep, PollBody, SubWorkflowBody};
use super::{Fault, Machine, Step, expression_error};
use crate::ids::mix;

impl Machine<'_> {
    /// Hands a task to the driver; `round` is 0 for a TASK step.
    pub(super) fn dispatch(
        &mut self,
        id: TokenId,
        task_ref: u16,
        input: Arc<Value>,
        round: u32,
        until: Option<Timestamp>,
    ) -> Step {
        let dispatched_at = self.now;
        let token = self.token(id)?;
        let task_instance_id = task_id(self.state.header.instance_id, token.activation, round);
        self.commands.push(Command::RunTask(RunTask {
            activation: token.activation,
            task_instance_id,
            task_ref,
            step: token.step,
            visit: token.visit,
            path: token.path.clone(),
            round,
            input: input.clone(),
            dispatched_at,
        }));
        self.token_mut(id)?.activity = Activity::Task {
            task_instance_id,
            input,
            round,
            dispatched_at,
            until,
        };
        Ok(())
    }

    pub(super) fn on_task_done(&mut self, done: &TaskDone) -> Step {
        if self.state.stopping.remove(&done.activation).is_some() {
            if let Some(GivenUp {
                step, path, visit, ..
            }) = self.take_given_up(done)
            {
                self.trail.push(TrailEntry::Answered { step, path, visit });
            }
            if self.state.stopping.is_empty() {
                self.end_cancelled();
            }
            return Ok(());
        }
        let open = self.token_of(done.activation).filter(|id| {
            self.state
                .tokens
                .get(id)
                .is_some_and(|token| matches!(token.activity, Activity::Task { task_instance_id, .. } if task_instance_id == done.task_instance_id))
        });
        let Some(id) = open else {
            self.stale_answer(done);
            return Ok(());
        };
        self.note_attempts(id, done)?;
        let token = self.token_mut(id)?;
        let Activity::Task {
            input,
            round,
            until,
            ..
        } = std::mem::replace(&mut token.activity, Activity::Frozen)
        else {
            return Err(Fault("a task is not open"));
        };
        let step = self.step(self.token(id)?.step)?;
        match (done.status, &step.body) {
            (TaskStatus::Completed, super::super::graph::Body::Poll(body)) => {
                self.round_done(id, body, done, input, round, until)
            }
            (TaskStatus::Completed, _) => self.complete(
                id,
                Some(done.output.clone()),
                done.outcome.clone(),
                done.attempts,
            ),
            (TaskStatus::Failed | TaskStatus::TimedOut | TaskStatus::Cancelled, _) => {
                if until.is_some() {
                    self.clear_timer(TimerKind::PollTimeout, done.activation);
                }
                let error = done.error.clone().unwrap_or_else(|| {
                    ErrorInfo::new(
                        "TASK_CANCELLED",
                        ErrorCategory::Permanent,
                        "the task was cancelled",
                    )
                    .with_retryable(false)
                });
                self.fail_step(id, error, done.attempts)
            }
        }
    }

    /// Disarms the timer behind the next attempt of a task that is over.
    ///
    /// The driver arms it when a back-off parks the instance, and the core does not know when. It is disarmed where it
    /// may exist and a statement more costs nothing that matters: where a task is stopped, and where one ends after
    /// attempts that failed, since another message may have woken the instance and the task gone on before the timer
    /// fired. The hot path, a task that succeeds at once, never pays. What fires nevertheless is surplus: see
    /// [`is_surplus`](super::is_surplus).
    fn forget_retry(&mut self, done: &TaskDone) {
        self.clear_timer(TimerKind::TaskRetry, done.activation);
    }

    /// What attempts before the last one leave to be done: their place in the history, and their timer. An attempt
    /// that ran over its time may answer yet.
    fn note_attempts(&mut self, id: TokenId, done: &TaskDone) -> Step {
        let may_answer = |record: &AttemptRecord| record.outcome != AttemptOutcome::Failed;
        if done.status == TaskStatus::TimedOut || done.failed_attempts.iter().any(may_answer) {
            self.give_up(id);
        }
        if done.failed_attempts.is_empty() {
            return Ok(());
        }
        let token = self.token(id)?;
        let entry = TrailEntry::Answered {
            step: token.step,
            path: token.path.clone(),
            visit: token.visit,
        };
        self.trail.push(entry);
        self.forget_retry(done);
        Ok(())
    }

    /// Opens the first round of a POLL step.
    pub(super) fn begin_poll(
        &mut self,
        id: TokenId,
        step: &CompiledStep,
        body: &PollBody,
        input: Arc<Value>,
    ) -> Step {
        let until = step
            .timeout
            .as_ref()
            .map(|timeout| self.now.plus_micros(timeout.as_micros()));
        if let Some(until) = until {
            let activation = self.token(id)?.activation;
            self.set_timer(TimerKind::PollTimeout, activation, until, Some(id));
        }
        self.dispatch(id, body.task_ref, input, 1, until)
    }

    fn round_done(
        &mut self,
        id: TokenId,
        body: &PollBody,
        done: &TaskDone,
        input: Arc<Value>,
        round: u32,
        until: Option<Timestamp>,
    ) -> Step {
        let error = self.state.handling.get(&id).map(Arc::as_ref);
        let roots = self
            .roots(self.token(id)?, error)
            .with_result(&done.output, done.outcome.as_deref().unwrap_or("SUCCESS"));
        let ready = match body.until.eval_bool(&roots) {
            Ok(ready) => ready,
            Err(error) => {
                let error = expression_error(&error);
                return self.end_poll(id, done.activation, until, Err(error), done);
            }
        };
        if ready {
            return self.end_poll(id, done.activation, until, Ok(()), done);
        }
        if round >= body.max_rounds {
            let error = ErrorInfo::new(
                "POLL_EXHAUSTED",
                ErrorCategory::Timeout,
                format!("`until` did not hold in {round} rounds"),
            );
            return self.end_poll(
                id,
                done.activation,
                until,
                Err(error.with_retryable(false)),
                done,
            );
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "a float cast saturates; a pause needs no more than 53 bits"
        )]
        let pause = (body.interval.as_micros() as f64
            * body
                .multiplier
                .powi(i32::try_from(round - 1).unwrap_or(i32::MAX))) as i64;
        let fire_at = self.now.plus_micros(pause);
        self.token_mut(id)?.activity = Activity::PollPause {
            input,
            round,
            fire_at,
            until,
        };
        self.mark_waiting(id)?;
        self.set_timer(TimerKind::PollRound, done.activation, fire_at, Some(id));
        Ok(())
    }

    fn end_poll(
        &mut self,
        id: TokenId,
        activation: u64,
        until: Option<Timestamp>,
        result: Result<(), ErrorInfo>,
        done: &TaskDone,
    ) -> Step {
        if until.is_some() {
            self.clear_timer(TimerKind::PollTimeout, activation);
        }
        match result {
            Ok(()) => self.complete(
                id,
                Some(done.output.clone()),
                done.outcome.clone(),
                done.attempts,
            ),
            Err(error) => self.fail_step(id, error, done.attempts),
        }
    }

    pub(super) fn next_round(&mut self, id: TokenId, body: &PollBody) -> Step {
        let token = self.token_mut(id)?;
        let Activity::PollPause {
            input,
            round,
            until,
            ..
        } = std::mem::replace(&mut token.activity, Activity::Frozen)
        else {
            return Err(Fault("a poll is not pausing"));
        };
        let step = self.step(self.token(id)?.step)?;
        self.visit_mut(id, step)?.status = StepStatus::Running;
        self.dispatch(id, body.task_ref, input, round + 1, until)
    }

    pub(super) fn poll_over_time(&mut self, id: TokenId) -> Step {
        self.require_open(id)?;
        let token = self.token_mut(id)?;
        let activation = token.activation;
        match std::mem::replace(&mut token.activity, Activity::Frozen) {
            Activity::Task {
                task_instance_id, ..
            } => {
                self.commands.push(Command::CancelTask {
                    activation,
                    task_instance_id,
                });
                self.clear_timer(TimerKind::TaskRetry, activation);
                self.give_up(id);
            }
            Activity::PollPause { .. } => self.clear_timer(TimerKind::PollRound, activation),
            _ => return Err(Fault("a poll is not open")),
        }
        let error = ErrorInfo::new(
            "POLL_EXHAUSTED",
            ErrorCategory::Timeout,
            "`until` did not hold within the step's timeout",
        );
        self.fail_step(id, error.with_retryable(false), 0)
    }

    /// Starts a child; a step that does not wait is done with its id.
    pub(super) fn start_child(
        &mut self,
        id: TokenId,
        body: &SubWorkflowBody,
        input: Arc<Value>,
        attempt: u32,
    ) -> Step {
        let header = self.state.header.clone();
        if header.depth >= self.limits.max_depth {
            let message = format!("sub-workflows nest at most {} deep", self.limits.max_depth);
            return self.fail_step(
                id,
                ErrorInfo::new("CHILD_FAILED", ErrorCategory::Permanent, message),
                attempt,
            );
        }
        let token = self.token(id)?;
        let error = self.state.handling.get(&id).map(Arc::as_ref);
        let correlation_id = match body
            .correlation_id
            .as_ref()
            .map(|template| template.eval(&self.roots(token, error)))
        {
            None | Some(Ok(Value::Null)) => None,
            Some(Ok(Value::String(text))) => Some(Arc::from(text)),
            Some(Ok(other)) => Some(Arc::from(other.to_string())),
            Some(Err(error)) => return self.fail_step(id, expression_error(&error), attempt),
        };
        let step = self.step(token.step)?;
        let step_key = format!(
            "{}:{}.{attempt}",
            step.id,
            activation_text(&token.path, token.visit, 0)
        );
        let instance_id = InstanceId(derived_id(
            self.now,
            &format!("wf:{}:{step_key}", header.instance_id),
        ));
        let (idx, path, visit, activation) = (
            token.step,
            token.path.clone(),
            token.visit,
            token.activation,
        );
        self.trail.push(TrailEntry::ChildStarted {
            step: idx,
            path,
            visit,
            instance_id,
        });
        self.commands.push(Command::StartChild(StartChild {
            activation,
            instance_id,
            workflow_id: body.workflow_id.clone(),
            requirement: body.requirement.clone(),
            input: input.clone(),
            correlation_id: correlation_id.clone(),
            parent: ParentRef {
                instance_id: header.instance_id,
                activation,
                step_key: Arc::from(step_key),
                waits: body.waits,
            },
        }));
        if !body.waits {
            return self.complete(
                id,
                Some(Arc::new(json!({ "instanceId": instance_id }))),
                None,
                attempt,
            );
        }
        let until = step
            .timeout
            .as_ref()
            .map(|timeout| self.now.plus_micros(timeout.as_micros()));
        self.token_mut(id)?.activity = Activity::Child {
            instance_id,
            input,
            correlation_id,
            attempt,
            until,
        };
        self.mark_waiting(id)?;
        if let Some(until) = until {
            self.set_timer(TimerKind::ChildTimeout, activation, until, Some(id));
        }
        Ok(())
    }

    pub(super) fn on_child_done(&mut self, done: &ChildDone) -> Step {
        let open = self.token_of(done.activation).filter(|id| {
            self.state
                .tokens
                .get(id)
                .is_some_and(|token| matches!(token.activity, Activity::Child { instance_id, .. } if instance_id == done.instance_id))
        });
        let Some(id) = open else {
            self.stale(None);
            return Ok(());
        };
        let token = self.token_mut(id)?;
        let Activity::Child {
            input,
            attempt,
            until,
            ..
        } = std::mem::replace(&mut token.activity, Activity::Frozen)
        else {
            return Err(Fault("a child is not open"));
        };
        let token = self.token(id)?;
        let ended = TrailEntry::ChildEnded {
            step: token.step,
            path: token.path.clone(),
            visit: token.visit,
            instance_id: done.instance_id,
        };
        self.trail.push(ended);
        if until.is_some() {
            self.clear_timer(TimerKind::ChildTimeout, done.activation);
        }
        match done.status {
            ChildStatus::Completed => {
                self.complete(id, done.output.clone(), done.outcome.clone(), attempt)
            }
            ChildStatus::Failed => {
                let inner = done.error.as_ref();
                let message = inner.map_or_else(
                    || "the sub-workflow failed".to_owned(),
                    |error| format!("the sub-workflow failed: {}", error.message),
                );
                let error = ErrorInfo::new("CHILD_FAILED", ErrorCategory::Permanent, message)
                    .with_details(json!({"instanceId": done.instance_id, "error": inner}));
                self.child_failed(id, input, attempt, error)
            }
            ChildStatus::Cancelled => {
                let error = ErrorInfo::new(
                    "CHILD_CANCELLED",
                    ErrorCategory::Permanent,
                    "the sub-workflow was cancelled",
                )
                .with_details(json!({ "instanceId": done.instance_id }));
                self.child_failed(id, input, attempt, error)
            }
        }
    }

    pub(super) fn child_over_time(&mut self, id: TokenId, body: &SubWorkflowBody) -> Step {
        let token = self.token_mut(id)?;
        let Activity::Child {
            instance_id,
            input,
            attempt,
            ..
        } = std::mem::replace(&mut token.activity, Activity::Frozen)
        else {
            return Err(Fault("a child is not open"));
        };
        let reason = format!(
            "the step of the parent ran over its timeout ({})",
            body.workflow_id
        );
        self.commands.push(Command::CancelChild {
            instance_id,
            reason: Arc::from(reason),
        });
        let error = ErrorInfo::new(
            "EXECUTION_TIMEOUT",
            ErrorCategory::Timeout,
            "the sub-workflow ran over the step's timeout",
        )
        .with_details(json!({ "instanceId": instance_id }));
        self.child_failed(id, input, attempt, error)
    }

    /// Starts a new child after a pause, or fails the step.
    fn child_failed(
        &mut self,
        id: TokenId,
        input: Arc<Value>,
        attempt: u32,
        error: ErrorInfo,
    ) -> Step {
        let token = self.token(id)?;
        let (activation, step) = (token.activation, self.step(token.step)?);
        let policy = step
            .retry_policy
            .as_ref()
            .or(self.flow.default_retry_policy.as_ref())
            .map(RetryPolicy::resolve)
            .unwrap_or_default();
        if !policy.retries(&error, attempt) {
            return self.fail_step(id, error, attempt);
        }
        let unit = jitter_unit(
            self.limits.seed,
            self.state.header.instance_id.0,
            activation,
            attempt,
        );
        let fire_at = self
            .now
            .plus_micros(policy.delay_after(attempt, error.retry_after_ms, unit));
        let token = self.token(id)?;
        let entry = TrailEntry::RetryScheduled {
            step: token.step,
            path: token.path.clone(),
            visit: token.visit,
            attempt,
            error: Arc::new(error),
            fire_at,
        };
        self.trail.push(entry);
        self.visit_mut(id, step)?.status = StepStatus::Retrying;
        self.token_mut(id)?.activity = Activity::ChildPause {
            input,
            attempt,
            fire_at,
        };
        self.set_timer(TimerKind::ChildRetry, activation, fire_at, Some(id));
        Ok(())
    }

    pub(super) fn next_child(&mut self, id: TokenId, body: &SubWorkflowBody) -> Step {
        let token = self.token_mut(id)?;
        let Activity::ChildPause { input, attempt, .. } =
            std::mem::replace(&mut token.activity, Activity::Frozen)
        else {
            return Err(Fault("a child is not pausing"));
        };
        self.start_child(id, body, input, attempt + 1)
    }
}

/// A UUIDv7 with the time of `at` and the first 62 bits of the SHA-256 of `key` as its random part.
fn derived_id(at: Timestamp, key: &str) -> Uuid {
    let digest = Sha256::digest(key.as_bytes());
    let mut random = [0; 8];
    for (to, from) in random.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    uuid_v7_micros(at, &random)
}

/// The id of a task instance, which replay finds again: an activation is dispatched once, or once a round.
///
/// A UUIDv7 with the time of its instance, so that everything of one instance lies together wherever rows are kept by id
/// or split by time. The 62 bits behind it are those of the instance, mixed with the activation and the round by the
/// finaliser of SplitMix64.
fn task_id(instance: InstanceId, activation: u64, round: u32) -> TaskInstanceId {
    let (high, low) = instance.0.as_u64_pair();
    let mixed = mix(low ^ mix(activation ^ u64::from(round).rotate_left(40)));
    let variant = 0b10 << 62;
    TaskInstanceId(Uuid::from_u64_pair(high, variant | mixed >> 2))
}

/// A number in [0, 1) that depends on nothing but its arguments, so that replay agrees.
#[must_use]
pub fn jitter_unit(seed: u64, id: Uuid, activation: u64, attempt: u32) -> f64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(id.as_bytes());
    hash.update(activation.to_be_bytes());
    hash.update(attempt.to_be_bytes());
    let digest = hash.finalize();
    let bits = digest
        .iter()
        .take(8)
        .fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
    #[expect(clippy::cast_precision_loss, reason = "53 bits are kept on purpose")]
    let unit = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    unit
}
