//! One task instance on its way from dispatch to its end: attempts, limits, waits between attempts.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use augmented_core::error::{ErrorCategory, ErrorInfo};
use augmented_core::json::nul_at;
use augmented_core::runtime::{AttemptRecord, TaskDone};
use augmented_core::store::{AttemptRow, FailedAttempt, RunningTask, StoreError};
use augmented_core::validate::Finding;
use augmented_core::{InstanceId, TaskInstanceId, TenantId, Timestamp};
use futures_util::future::BoxFuture;
use futures_util::task::AtomicWaker;
use serde_json::{Value, json};
use tracing::Level;

use super::attempt::{AttemptEnd, Attempts, Next, late_done};
use super::context::{Attempt, TaskCall, TaskContext};
use super::error::TaskError;
use super::output::TaskOutput;
use super::work::StepWork;
use crate::clock::{Sleep, TimeHold};

/// How far a task got when it was polled where it was made.
pub(crate) enum Begun {
    /// It is over already.
    Done(Arc<TaskDone>),
    /// Its next attempt is so far away that its instance may be put away until then.
    Parked(ParkedTask),
    /// It is under way.
    Running(Box<TaskRun>, Arc<RunControl>),
}

/// A task between two attempts that are far apart.
pub(crate) struct ParkedTask {
    pub(crate) task_instance_id: TaskInstanceId,
    pub(crate) next_at: Timestamp,
    /// Its failed attempts, so that counting goes on where its instance stays in memory.
    pub(crate) failed: Vec<AttemptRecord>,
}

/// How a task under way ended.
pub(crate) struct RunEnd {
    pub(crate) tenant: TenantId,
    pub(crate) instance: InstanceId,
    pub(crate) activation: u64,
    pub(crate) outcome: RunOutcome,
    /// Whether the task was shown as running.
    pub(crate) was_shown: bool,
    /// Results of attempts that had been given up, in the order they came.
    pub(crate) late: Vec<Arc<TaskDone>>,
    /// Handlers that are over time and still go on.
    pub(crate) lingering: Vec<Lingering>,
}

/// What became of a task under way.
pub(crate) enum RunOutcome {
    /// It is over.
    Done(Arc<TaskDone>),
    /// Its next attempt is so far away that its instance may be put away until then.
    Parked(ParkedTask),
    /// Nobody wants to know any more.
    Abandoned,
}

/// How the driver reaches a task under way.
#[derive(Default)]
pub(crate) struct RunControl {
    cancelled: AtomicBool,
    abandoned: AtomicBool,
    draining: AtomicBool,
    waker: AtomicWaker,
}

impl RunControl {
    /// Tells the handler to stop, and drops it after the grace.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Drops the handler at once; the instance belongs to somebody else.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Ends the wait for a further attempt; a running one goes on.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.waker.wake();
    }

    fn is_set(flag: &AtomicBool) -> bool {
        flag.load(Ordering::Acquire)
    }
}

/// A handler's future together with its attempt.
struct Handling {
    attempt: Arc<Attempt>,
    future: Option<BoxFuture<'static, Result<TaskOutput, TaskError>>>,
    span: Option<tracing::Span>,
}

impl Handling {
    fn begin(attempt: Arc<Attempt>, input: &Arc<Value>) -> Self {
        let span = attempt_span(&attempt);
        let context = TaskContext::new(Arc::clone(&attempt));
        let call = &attempt.call;
        let made = match &call.work.task.handler {
            Some(handler) => {
                let _entered = span.as_ref().map(tracing::Span::enter);
                catch_unwind(AssertUnwindSafe(|| {
                    handler.call(context, Arc::clone(input))
                }))
            }
            None => Ok(no_handler(&call.work.task.endpoint)),
        };
        let future = made.unwrap_or_else(|panic| {
            Box::pin(std::future::ready(Err(TaskError::panicked(&*panic))))
        });
        Self {
            attempt,
            future: Some(future),
            span,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<TaskOutput, TaskError>> {
        let Some(future) = &mut self.future else {
            return Poll::Pending;
        };
        let polled = {
            let _entered = self.span.as_ref().map(tracing::Span::enter);
            catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)))
        };
        let result = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => result,
            Err(panic) => Err(TaskError::panicked(&*panic)),
        };
        self.drop_future();
        Poll::Ready(result)
    }

    /// Drops the handler's own values, which may panic like the handler itself.
    fn drop_future(&mut self) {
        if let Some(future) = self.future.take()
            && catch_unwind(AssertUnwindSafe(|| drop(future))).is_err()
        {
            tracing::error!(task = %self.attempt.call.work.task.pin.task_id, "a handler panicked while it was dropped");
        }
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        self.drop_future();
        self.attempt.finish();
    }
}

fn no_handler(endpoint: &str) -> BoxFuture<'static, Result<TaskOutput, TaskError>> {
    let message = format!("no handler called `{endpoint}` is registered on this node");
    let error = TaskError::from_info(ErrorInfo::new(
        "ENVIRONMENT_SETUP_FAILED",
        ErrorCategory::System,
        message,
    ));
    Box::pin(std::future::ready(Err(error)))
}

fn attempt_span(attempt: &Attempt) -> Option<tracing::Span> {
    tracing::enabled!(Level::DEBUG).then(|| {
        tracing::debug_span!(
            "task_attempt",
            task = %attempt.call.work.task.pin.task_id,
            step = %attempt.call.work.step_id,
            instance = %attempt.call.header.instance_id,
            attempt = attempt.number
        )
    })
}

/// A handler that is over time and may still go on for the buffer.
pub(crate) struct Lingering {
    handling: Handling,
    until: Sleep,
}

impl Future for Lingering {
    type Output = Option<(TenantId, InstanceId, Arc<TaskDone>)>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Poll::Ready(result) = this.handling.poll(cx) {
            let attempt = &this.handling.attempt;
            let (now, header) = (attempt.call.work.env.time.now(), &attempt.call.header);
            return Poll::Ready(result.ok().map(|output| {
                (
                    header.tenant_id,
                    header.instance_id,
                    late_done(attempt, output, now),
                )
            }));
        }
        Pin::new(&mut this.until).poll(cx).map(|()| None)
    }
}

/// A task under way.
pub(crate) struct TaskRun {
    call: TaskCall,
    input: Arc<Value>,
    attempts: Attempts,
    control: Arc<RunControl>,
    phase: Phase,
    grace: Option<Sleep>,
    was_shown: bool,
    /// Shows the attempt under way as running.
    showing: Option<Showing>,
    late: Vec<Arc<TaskDone>>,
    lingering: Vec<Lingering>,
}

/// A write that nobody waits for.
struct Showing {
    write: BoxFuture<'static, Result<(), StoreError>>,
    _hold: Option<TimeHold>,
}

enum Phase {
    Attempt {
        handling: Handling,
        /// Until the handler has run so long that it is shown.
        unseen: Option<Sleep>,
        deadline: Sleep,
        silence: Option<Sleep>,
    },
    Recording {
        write: BoxFuture<'static, Result<(), StoreError>>,
        next_at: Timestamp,
        _hold: Option<TimeHold>,
    },
    Backoff {
        sleep: Sleep,
        next_at: Timestamp,
    },
    Over,
}

/// Begins, or after a crash resumes, a task; polls its handler once on the spot.
pub(crate) fn begin(
    call: TaskCall,
    input: Arc<Value>,
    dispatched_at: Timestamp,
    failed: Vec<AttemptRecord>,
    now: Timestamp,
) -> Begun {
    let env = &call.work.env;
    let mut attempts = Attempts::new(
        call.activation,
        call.task_instance_id,
        dispatched_at,
        env.seed,
        failed,
    );
    if let Some(next_at) = attempts.next_at().filter(|next_at| *next_at > now) {
        if next_at.micros_since(now) > env.park_after_micros {
            return Begun::Parked(attempts.parked(next_at));
        }
        let sleep = env.time.sleep_until(next_at, None);
        return running(call, input, attempts, Phase::Backoff { sleep, next_at });
    }
    if let Some(over) = attempts.expired(&call.work.policy, now) {
        return Begun::Done(over);
    }
    if let Some(over) = attempts.lost_for_good(&call.work.policy, now) {
        return Begun::Done(over);
    }
    let findings = call.work.task.check_input(&input);
    if !findings.is_empty() {
        let error = findings_error(
            "INPUT_VALIDATION_FAILED",
            "the input does not fit the input schema of the task",
            &findings,
        );
        return Begun::Done(attempts.input_refused(error, now));
    }
    let mut handling = begin_attempt(&call, &attempts, &input, now);
    // Handlers that need not wait are done here, without a timer and without a place in a set.
    match handling.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => match end_attempt(&mut attempts, &handling.attempt, result, false) {
            Next::Done(done) => Begun::Done(done),
            Next::Retry(record) => {
                let phase = recording(&call, &input, attempts.dispatched_at(), *record);
                running(call, input, attempts, phase)
            }
        },
        Poll::Pending => {
            let phase = waiting(handling);
            running(call, input, attempts, phase)
        }
    }
}

fn running(call: TaskCall, input: Arc<Value>, attempts: Attempts, phase: Phase) -> Begun {
    let control = Arc::new(RunControl::default());
    let run = TaskRun {
        call,
        input,
        attempts,
        control: Arc::clone(&control),
        phase,
        grace: None,
        was_shown: false,
        showing: None,
        late: Vec::new(),
        lingering: Vec::new(),
    };
    Begun::Running(Box::new(run), control)
}

fn begin_attempt(
    call: &TaskCall,
    attempts: &Attempts,
    input: &Arc<Value>,
    now: Timestamp,
) -> Handling {
    let deadline = attempts.deadline(&call.work.policy, now);
    let attempt = Attempt::new(
        call.clone(),
        attempts.next_number(),
        (Arc::clone(input), attempts.dispatched_at()),
        (now, deadline),
        attempts.checkpoint(),
    );
    Handling::begin(Arc::new(attempt), input)
}

/// The phase of an attempt whose handler is not ready.
fn waiting(handling: Handling) -> Phase {
    let attempt = &handling.attempt;
    let env = &attempt.call.work.env;
    let deadline = env.time.sleep_until(attempt.deadline, None);
    let silence = attempt.call.work.policy.heartbeat_micros;
    let silence = silence.map(|length| {
        env.time
            .sleep_until(attempt.heartbeat_at().plus_micros(length), None)
    });
    let shown_at = attempt.started_at.plus_micros(env.visible_after_micros);
    let unseen = env.time.sleep_until(shown_at, None);
    Phase::Attempt {
        handling,
        unseen: Some(unseen),
        deadline,
        silence,
    }
}

fn recording(
    call: &TaskCall,
    input: &Arc<Value>,
    dispatched_at: Timestamp,
    record: AttemptRecord,
) -> Phase {
    let env = &call.work.env;
    let store = Arc::clone(&env.store);
    let next_at = record.next_attempt_at;
    let attempt = AttemptRow {
        tenant: call.header.tenant_id,
        instance: call.header.instance_id,
        activation: call.activation,
        task_instance_id: call.task_instance_id,
        record,
    };
    let row = FailedAttempt {
        attempt,
        task: call.row(input, dispatched_at),
    };
    Phase::Recording {
        write: Box::pin(async move { store.record_attempts(vec![row]).await }),
        next_at,
        _hold: env.time.hold(),
    }
}

/// Begins to show an attempt as running. What comes behind the end of its task is passed over by the store.
fn showing(call: &TaskCall, input: &Arc<Value>, attempt: &Attempt, attempts: &Attempts) -> Showing {
    let env = &call.work.env;
    let store = Arc::clone(&env.store);
    let running = RunningTask {
        tenant: call.header.tenant_id,
        instance: call.header.instance_id,
        activation: call.activation,
        node: call.node,
        attempt: attempt.number,
        started_at: attempt.started_at,
        now: env.time.now(),
        task: call.row(input, attempts.dispatched_at()),
    };
    Showing {
        write: Box::pin(async move { store.record_running(vec![running]).await }),
        _hold: env.time.hold(),
    }
}

/// What follows the answer of a handler.
fn end_attempt(
    attempts: &mut Attempts,
    attempt: &Attempt,
    result: Result<TaskOutput, TaskError>,
    cancelled: bool,
) -> Next {
    let work = &attempt.call.work;
    let end = match result {
        Ok(output) => match output_refused(work, &output) {
            None => AttemptEnd::Output(output),
            Some(error) => AttemptEnd::Error(error),
        },
        Err(_) if cancelled => AttemptEnd::Cancelled,
        Err(error) => AttemptEnd::Error(error.storable()),
    };
    let now = work.env.time.now();
    attempts.ended(
        &work.policy,
        attempt.number,
        end,
        attempt.take_checkpoint(),
        (attempt.started_at, now),
    )
}

/// Why an output is not one of the task.
pub(crate) fn output_refused(work: &StepWork, output: &TaskOutput) -> Option<TaskError> {
    let outcome = output.outcome.as_deref().unwrap_or_default();
    let in_outcome = || outcome.contains('\0').then(|| "its outcome".to_owned());
    let in_output = nul_at(&output.output).map(|place| format!("`{}`", place.escape_debug()));
    if let Some(place) = in_output.or_else(in_outcome) {
        let message =
            format!("the output holds the character U+0000 at {place}, which no text may have");
        let info = ErrorInfo::new(
            "OUTPUT_VALIDATION_FAILED",
            ErrorCategory::Validation,
            message,
        );
        return Some(TaskError::from_info(info));
    }
    let findings = work.task.check_output(&output.output);
    let message = "the output does not fit the output schema of the task";
    (!findings.is_empty()).then(|| {
        TaskError::from_info(findings_error(
            "OUTPUT_VALIDATION_FAILED",
            message,
            &findings,
        ))
    })
}

fn findings_error(code: &str, message: &str, findings: &[Finding]) -> ErrorInfo {
    let message = match findings.first() {
        Some(first) => format!("{message}: {first}"),
        None => message.to_owned(),
    };
    ErrorInfo::new(code, ErrorCategory::Validation, message)
        .with_details(json!({ "findings": findings }))
}

impl TaskRun {
    fn end(&mut self, outcome: RunOutcome) -> Poll<RunEnd> {
        self.phase = Phase::Over;
        Poll::Ready(RunEnd {
            tenant: self.call.header.tenant_id,
            instance: self.call.header.instance_id,
            activation: self.call.activation,
            outcome,
            was_shown: self.was_shown,
            late: std::mem::take(&mut self.late),
            lingering: std::mem::take(&mut self.lingering),
        })
    }

    fn now(&self) -> Timestamp {
        self.call.work.env.time.now()
    }

    fn poll_lingering(&mut self, cx: &mut Context<'_>) {
        let late = &mut self.late;
        self.lingering
            .retain_mut(|lingering| match Pin::new(lingering).poll(cx) {
                Poll::Pending => true,
                Poll::Ready(result) => {
                    late.extend(result.map(|(_, _, done)| done));
                    false
                }
            });
    }

    /// Gives the attempt up: its handler is told, and may go on for the buffer.
    fn give_up(&mut self, end: AttemptEnd) -> Next {
        let Phase::Attempt { handling, .. } = std::mem::replace(&mut self.phase, Phase::Over)
        else {
            debug_assert!(false, "only a running attempt can be given up");
            return Next::Done(self.attempts.cancelled(self.now()));
        };
        let attempt = Arc::clone(&handling.attempt);
        let env = &attempt.call.work.env;
        attempt.token().cancel();
        let now = env.time.now();
        let checkpoint = attempt.take_checkpoint();
        let until = env
            .time
            .sleep_until(now.plus_micros(env.timeout_buffer_micros), None);
        self.lingering.push(Lingering { handling, until });
        self.attempts.ended(
            &attempt.call.work.policy,
            attempt.number,
            end,
            checkpoint,
            (attempt.started_at, now),
        )
    }

    /// Polls the running attempt; `Some` once it ended in whatever way.
    fn poll_attempt(&mut self, cx: &mut Context<'_>, cancelled: bool) -> Option<Next> {
        let Phase::Attempt {
            handling,
            unseen,
            deadline,
            silence,
        } = &mut self.phase
        else {
            return None;
        };
        if cancelled && self.grace.is_none() {
            handling.attempt.token().cancel();
            let env = &self.call.work.env;
            self.grace = Some(
                env.time
                    .sleep_until(env.time.now().plus_micros(env.cancel_grace_micros), None),
            );
        }
        if let Poll::Ready(result) = handling.poll(cx) {
            return Some(end_attempt(
                &mut self.attempts,
                &handling.attempt,
                result,
                cancelled,
            ));
        }
        if unseen
            .as_mut()
            .is_some_and(|unseen| Pin::new(unseen).poll(cx).is_ready())
        {
            *unseen = None;
            self.was_shown = true;
            self.showing = Some(showing(
                &self.call,
                &self.input,
                &handling.attempt,
                &self.attempts,
            ));
        }
        if let Some(Showing { write, .. }) = &mut self.showing
            && let Poll::Ready(written) = write.as_mut().poll(cx)
        {
            self.showing = None;
            if let Err(error) = written {
                // It is shown with its end at the latest.
                tracing::debug!(%error, "a running task could not be shown");
            }
        }
        if let Some(grace) = &mut self.grace
            && Pin::new(grace).poll(cx).is_ready()
        {
            return Some(Next::Done(self.attempts.cancelled_at(
                handling.attempt.number,
                handling.attempt.started_at,
                self.call.work.env.time.now(),
            )));
        }
        if Pin::new(deadline).poll(cx).is_ready() {
            return Some(self.give_up(if cancelled {
                AttemptEnd::Cancelled
            } else {
                AttemptEnd::OverTime
            }));
        }
        let (Some(sleep), Some(length)) =
            (silence.as_mut(), self.call.work.policy.heartbeat_micros)
        else {
            return None;
        };
        while Pin::new(&mut *sleep).poll(cx).is_ready() {
            let heard_until = handling.attempt.heartbeat_at().plus_micros(length);
            if heard_until <= self.call.work.env.time.now() {
                return Some(self.give_up(if cancelled {
                    AttemptEnd::Cancelled
                } else {
                    AttemptEnd::Silent
                }));
            }
            *sleep = self.call.work.env.time.sleep_until(heard_until, None);
        }
        None
    }

    /// Begins the next attempt; `Some` if the task is over instead.
    fn begin_next(&mut self) -> Option<Arc<TaskDone>> {
        let now = self.now();
        if let Some(over) = self.attempts.expired(&self.call.work.policy, now) {
            return Some(over);
        }
        self.phase = waiting(begin_attempt(&self.call, &self.attempts, &self.input, now));
        None
    }
}

impl Future for TaskRun {
    type Output = RunEnd;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<RunEnd> {
        let this = self.get_mut();
        this.control.waker.register(cx.waker());
        if RunControl::is_set(&this.control.abandoned) {
            return this.end(RunOutcome::Abandoned);
        }
        this.poll_lingering(cx);
        loop {
            let cancelled = RunControl::is_set(&this.control.cancelled);
            match &mut this.phase {
                Phase::Attempt { .. } => match this.poll_attempt(cx, cancelled) {
                    None => return Poll::Pending,
                    Some(Next::Done(done)) => return this.end(RunOutcome::Done(done)),
                    Some(Next::Retry(record)) => {
                        let since = this.attempts.dispatched_at();
                        this.phase = recording(&this.call, &this.input, since, *record);
                    }
                },
                Phase::Recording { write, next_at, .. } => match write.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(written) => {
                        let next_at = *next_at;
                        if let Err(error) = written {
                            // The count goes on in memory and is written again with the end of the task.
                            tracing::warn!(%error, "a failed attempt could not be recorded");
                        }
                        if next_at.micros_since(this.now()) > this.call.work.env.park_after_micros
                            && !cancelled
                        {
                            let parked = this.attempts.parked(next_at);
                            return this.end(RunOutcome::Parked(parked));
                        }
                        this.phase = Phase::Backoff {
                            sleep: this.call.work.env.time.sleep_until(next_at, None),
                            next_at,
                        };
                    }
                },
                Phase::Backoff { sleep, next_at } => {
                    if cancelled {
                        let done = this.attempts.cancelled(this.now());
                        return this.end(RunOutcome::Done(done));
                    }
                    if RunControl::is_set(&this.control.draining) {
                        let parked = this.attempts.parked(*next_at);
                        return this.end(RunOutcome::Parked(parked));
                    }
                    if Pin::new(sleep).poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    if let Some(over) = this.begin_next() {
                        return this.end(RunOutcome::Done(over));
                    }
                }
                Phase::Over => return this.end(RunOutcome::Abandoned),
            }
        }
    }
}
