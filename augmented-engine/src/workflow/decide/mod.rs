//! The pure core: one message in, one transition out.
//!
//! `decide` performs no I/O, reads no clock and draws no random number, so the same function runs live, in replay
//! and in the simulation. It crosses pure steps to a fixed point: one message makes one fact however far it leads.

mod containers;
mod enter;
mod failure;
mod finish;
mod flow_control;
mod hold;
mod work;

pub use work::jitter_unit;

use std::collections::VecDeque;
use std::sync::Arc;

use augmented_core::error::{ErrorCategory, ErrorInfo};
use augmented_core::expr::ExprError;
use augmented_core::ids::Seq;
use augmented_core::runtime::{
    Activity, BranchStatus, CancelRequest, DecideLimits, Fact, Frame, FrameId, GivenUp,
    InstanceState, InstanceStatus, Message, PathRef, SignalMessage, StartMessage, StepIdx,
    TaskDone, TaskStatus, TimerKey, TimerKind, Token, TokenId, TrailEntry,
};
use augmented_core::store::TimerRow;
use augmented_core::time::Timestamp;
use serde_json::{Map, Value};

use super::command::{Command, Transition};
use super::graph::{Body, CompiledStep, CompiledWorkflow, DecisionDetail};
use super::roots::{Roots, StartRoots};
use super::size::{json_bytes, limit_errors, signal_bytes};

/// How many tasks that were given up are remembered; what is forgotten costs a late answer the name of its step.
const MAX_GIVEN_UP: usize = 64;

/// Applies one message to an instance.
///
/// The state is changed in place; a caller whose commit is refused throws it away and loads again. A message for
/// something that is over changes nothing and leaves a fact that says so.
///
/// `limits` count for an instance that begins now: its start pins them in the fact and in the state. Every other
/// message is decided under what the state has pinned.
pub fn decide(
    flow: &CompiledWorkflow,
    state: &mut InstanceState,
    mut message: Message,
    now: Timestamp,
    limits: &DecideLimits,
) -> Transition {
    let seq = state.next_seq();
    if let Message::Start(start) = &mut message
        && state.seq.is_none()
    {
        state.limits = *start.limits.get_or_insert(*limits);
    }
    limit_errors(&mut message);
    let limits = state.limits;
    let mut machine = Machine {
        flow,
        state,
        now,
        seq,
        limits,
        trail: Vec::with_capacity(4),
        commands: Vec::new(),
        work: VecDeque::new(),
    };
    if let Err(fault) = machine.apply(&message).and_then(|()| machine.run()) {
        machine.fail_by_fault(&fault);
    }
    machine.settle();
    let Machine {
        mut trail,
        commands,
        ..
    } = machine;
    if flow.decisions == DecisionDetail::Failures {
        trail.retain(is_worth_keeping);
    }
    state.seq = Some(seq);
    Transition {
        fact: Fact {
            seq,
            at: now,
            message,
            trail,
        },
        commands,
    }
}

/// Whether the state of an instance has the bytes to keep one more signal that no step waits for.
#[must_use]
pub fn has_room_for(state: &InstanceState, signal: &SignalMessage) -> bool {
    state.bytes.saturating_add(signal_bytes(signal)) <= state.limits.max_state_bytes
}

/// Whether a message is a timer of something that is over, which changes nothing and is not worth a fact: whoever
/// takes it from the store drops it there.
#[must_use]
pub fn is_surplus(state: &InstanceState, message: &Message) -> bool {
    let Message::Timer(key) = message else {
        return false;
    };
    match key.kind {
        TimerKind::Execution => state.status.is_terminal(),
        TimerKind::CancelGrace => state.status != InstanceStatus::Cancelling,
        TimerKind::BranchTimeout => !state.tokens.values().any(|token| {
            matches!(&token.activity, Activity::Parallel(fork) if fork.branches.iter().any(|branch| {
                branch.status == BranchStatus::Running
                    && branch.until.is_some_and(|(activation, _)| activation == key.activation)
            }))
        }),
        TimerKind::Delay
        | TimerKind::Wait
        | TimerKind::PollRound
        | TimerKind::PollTimeout
        | TimerKind::ChildRetry
        | TimerKind::ChildTimeout
        | TimerKind::TaskRetry => {
            state.status.is_terminal()
                || !state
                    .tokens
                    .values()
                    .any(|token| token.activation == key.activation)
        }
    }
}

impl CompiledWorkflow {
    /// The variables an instance begins with.
    ///
    /// # Errors
    /// The error of the expression that failed, or `STATE_SIZE_EXCEEDED`; the start is refused with it.
    pub fn initial_variables(
        &self,
        input: &Value,
        now: Timestamp,
        limits: &DecideLimits,
    ) -> Result<Value, ErrorInfo> {
        let Some(variables) = &self.variables else {
            return Ok(Value::Object(Map::new()));
        };
        let variables = variables
            .eval(&StartRoots { input, now })
            .map_err(|error| expression_error(&error))?;
        enter::check_size(limits, 0, json_bytes(&variables), "the set of variables")?;
        Ok(variables)
    }
}

/// Whether an entry is kept where a workflow wants failures only. What the message of a fact says anyway, and how the
/// instance ended, is not for a workflow to leave out.
fn is_worth_keeping(entry: &TrailEntry) -> bool {
    match entry {
        TrailEntry::BranchEnded { status, .. } => **status == *"FAILED",
        entry => matches!(
            entry,
            TrailEntry::Failed { .. }
                | TrailEntry::ExpressionError { .. }
                | TrailEntry::RetryScheduled { .. }
                | TrailEntry::Answered { .. }
                | TrailEntry::Stale { .. }
                | TrailEntry::CancelRequested { .. }
                | TrailEntry::Paused { .. }
                | TrailEntry::Resumed { .. }
                | TrailEntry::InstanceCompleted
                | TrailEntry::InstanceFailed { .. }
                | TrailEntry::InstanceCancelled
        ),
    }
}

/// A contradiction between a state and its workflow: never an author's fault, always ours or the storage's.
pub(crate) struct Fault(&'static str);

type Step<T = ()> = Result<T, Fault>;

/// A control point that is about to enter a step.
struct Entry {
    token: TokenId,
    step: StepIdx,
    /// What the path brings along; none is null.
    value: Option<Arc<Value>>,
    /// The value of root `error`, when the step is entered as a handler.
    error: Option<Arc<Value>>,
    /// What a handler's `inputMapping` made.
    extra: Option<Map<String, Value>>,
}

struct Machine<'a> {
    flow: &'a CompiledWorkflow,
    state: &'a mut InstanceState,
    now: Timestamp,
    seq: Seq,
    limits: DecideLimits,
    trail: Vec<TrailEntry>,
    commands: Vec<Command>,
    work: VecDeque<Entry>,
}

impl<'a> Machine<'a> {
    fn apply(&mut self, message: &Message) -> Step {
        if let Message::Start(start) = message {
            return self.on_start(start);
        }
        if self.state.status.is_terminal() {
            match message {
                Message::TaskDone(done) => self.stale_answer(done),
                Message::Start(_)
                | Message::Signal(_)
                | Message::Timer(_)
                | Message::ChildDone(_)
                | Message::Cancel(_)
                | Message::Pause(_)
                | Message::Resume(_) => self.stale(None),
            }
            return Ok(());
        }
        if self.is_held(message) {
            self.hold(message);
            return Ok(());
        }
        match message {
            // Answered above.
            Message::Start(_) => Ok(()),
            Message::TaskDone(done) => self.on_task_done(done),
            Message::Signal(signal) => self.on_signal(signal),
            Message::Timer(key) => self.on_timer(*key),
            Message::ChildDone(done) => self.on_child_done(done),
            Message::Cancel(request) => self.on_cancel(request),
            Message::Pause(request) => self.on_pause(request),
            Message::Resume(request) => self.on_resume(request),
        }
    }

    /// Enters steps until every control point waits for something.
    fn run(&mut self) -> Step {
        while let Some(entry) = self.work.pop_front() {
            self.enter(entry)?;
        }
        Ok(())
    }

    fn on_start(&mut self, start: &StartMessage) -> Step {
        if self.state.seq.is_some() {
            self.stale(None);
            return Ok(());
        }
        self.state.task_pins = start.task_pins.clone();
        self.state.started_at = Some(self.now);
        self.state.status = InstanceStatus::Running;
        let frame = self.new_frame(Frame {
            parent: None,
            owner: None,
            item: None,
            left_bodies: Vec::new(),
            visit_base: 0,
            visits: (0..self.flow.root_slots).map(|_| None).collect(),
        });
        let header = self.state.header.clone();
        match self
            .flow
            .initial_variables(&header.input, self.now, &self.limits)
        {
            Ok(variables) => {
                self.state.bytes = json_bytes(&variables) as u64;
                self.state.vars = Arc::new(variables);
            }
            Err(error) => {
                self.fail_instance(Arc::new(error), None);
                return Ok(());
            }
        }
        if let Some(expires_at) = header.expires_at {
            self.set_timer(TimerKind::Execution, 0, expires_at, None);
        }
        let token = self.new_token(None, 0, frame, None, self.flow.entry);
        self.go(token, self.flow.entry, Some(header.input.clone()));
        Ok(())
    }

    fn on_signal(&mut self, signal: &SignalMessage) -> Step {
        let waiting = self.state.tokens.iter().find(|(_, token)| {
            matches!(token.activity, Activity::Signal { .. })
                && self
                    .flow
                    .awaited_signal(token.step)
                    .is_some_and(|wanted| **wanted == *signal.signal_type)
        });
        if let Some((&id, token)) = waiting {
            self.trail.push(TrailEntry::SignalReceived {
                step: Some(token.step),
                path: token.path.clone(),
                signal_type: signal.signal_type.clone(),
                buffered: false,
            });
            return self.take_signal(id, signal);
        }
        // Whatever passed the door is kept: its sender was told so. It counts, so that the door refuses the next.
        self.state.bytes = self.state.bytes.saturating_add(signal_bytes(signal));
        self.trail.push(TrailEntry::SignalReceived {
            step: None,
            path: None,
            signal_type: signal.signal_type.clone(),
            buffered: true,
        });
        self.state
            .signals
            .push_back(augmented_core::runtime::BufferedSignal(signal.clone()));
        Ok(())
    }

    fn on_cancel(&mut self, request: &CancelRequest) -> Step {
        if self.state.status == InstanceStatus::Cancelling {
            self.stale(None);
            return Ok(());
        }
        self.trail.push(TrailEntry::CancelRequested {
            reason: Arc::from(request.reason.as_str()),
            actor: request.requested_by.as_deref().map(Arc::from),
        });
        self.state.cancellation = Some(request.clone());
        self.state.status = InstanceStatus::Cancelling;
        let held = self.take_held();
        self.cancel_everything(true);
        if self.state.stopping.is_empty() {
            self.end_cancelled();
        } else {
            let fire_at = self.now.plus_micros(self.limits.cancel_grace_micros);
            self.set_timer(TimerKind::CancelGrace, 0, fire_at, None);
        }
        // Tasks whose results are held will not answer once more.
        for message in held {
            self.apply(&message)?;
        }
        Ok(())
    }

    fn on_timer(&mut self, key: TimerKey) -> Step {
        match key.kind {
            TimerKind::Execution => {
                self.trail.push(TrailEntry::TimerFired {
                    step: None,
                    path: None,
                    key,
                });
                if self.state.status == InstanceStatus::Cancelling {
                    return Ok(());
                }
                self.take_held();
                let error = ErrorInfo::new(
                    "WORKFLOW_TIMEOUT",
                    ErrorCategory::Timeout,
                    "the instance ran over its executionTimeout",
                )
                .with_retryable(false);
                self.fail_instance(Arc::new(error), None);
                Ok(())
            }
            TimerKind::CancelGrace => {
                self.trail.push(TrailEntry::TimerFired {
                    step: None,
                    path: None,
                    key,
                });
                if self.state.status == InstanceStatus::Cancelling {
                    self.end_cancelled();
                }
                Ok(())
            }
            // The driver resumes the task itself; the fact only records that the instance woke.
            TimerKind::TaskRetry => {
                match self.token_of(key.activation) {
                    Some(token) => self.fired(key, Some(token)),
                    None => self.stale(None),
                }
                Ok(())
            }
            TimerKind::BranchTimeout => self.on_branch_timeout(key),
            TimerKind::Delay
            | TimerKind::Wait
            | TimerKind::PollRound
            | TimerKind::PollTimeout
            | TimerKind::ChildRetry
            | TimerKind::ChildTimeout => match self.token_of(key.activation) {
                Some(token) => {
                    self.fired(key, Some(token));
                    self.on_step_timer(token, key.kind)
                }
                None => {
                    self.stale(None);
                    Ok(())
                }
            },
        }
    }

    fn fired(&mut self, key: TimerKey, token: Option<TokenId>) {
        let token = token.and_then(|id| self.state.tokens.get(&id));
        let (step, path) = (
            token.map(|token| token.step),
            token.and_then(|token| token.path.clone()),
        );
        self.trail.push(TrailEntry::TimerFired { step, path, key });
    }

    /// Records that a message came for something that is over.
    fn stale(&mut self, token: Option<TokenId>) {
        let token = token.and_then(|id| self.state.tokens.get(&id));
        self.trail.push(TrailEntry::Stale {
            step: token.map(|token| token.step),
            path: token.and_then(|token| token.path.clone()),
            visit: token.map(|token| token.visit),
        });
    }

    /// Records an answer of a task that does not count any more, and where that task stood.
    fn stale_answer(&mut self, done: &TaskDone) {
        match self.take_given_up(done) {
            Some(GivenUp {
                step, path, visit, ..
            }) => self.trail.push(TrailEntry::Stale {
                step: Some(step),
                path,
                visit: Some(visit),
            }),
            None => self.stale(None),
        }
    }

    /// Remembers where a task stands that is given up.
    fn give_up(&mut self, id: TokenId) {
        let Some(token) = self.state.tokens.get(&id) else {
            return;
        };
        if self.state.given_up.len() >= MAX_GIVEN_UP {
            self.state.given_up.pop_front();
        }
        self.state.given_up.push_back(GivenUp {
            activation: token.activation,
            step: token.step,
            path: token.path.clone(),
            visit: token.visit,
        });
    }

    /// Where a task stood that answers after it was given up. One that says it was stopped says no more.
    fn take_given_up(&mut self, done: &TaskDone) -> Option<GivenUp> {
        let given_up = &mut self.state.given_up;
        let position = given_up
            .iter()
            .position(|task| task.activation == done.activation)?;
        match done.status {
            TaskStatus::Cancelled => given_up.remove(position),
            TaskStatus::Completed | TaskStatus::Failed | TaskStatus::TimedOut => {
                given_up.get(position).cloned()
            }
        }
    }

    /// The control point that is in the given activation now.
    fn token_of(&self, activation: u64) -> Option<TokenId> {
        self.state
            .tokens
            .iter()
            .find(|(_, token)| token.activation == activation)
            .map(|(id, _)| *id)
    }

    fn token(&self, id: TokenId) -> Step<&Token> {
        self.state
            .tokens
            .get(&id)
            .ok_or(Fault("a control point is missing"))
    }

    fn token_mut(&mut self, id: TokenId) -> Step<&mut Token> {
        self.state
            .tokens
            .get_mut(&id)
            .ok_or(Fault("a control point is missing"))
    }

    fn step(&self, step: StepIdx) -> Step<&'a CompiledStep> {
        self.flow
            .steps
            .get(usize::from(step))
            .ok_or(Fault("a step index is out of range"))
    }

    fn body(&self, step: StepIdx) -> Step<&'a Body> {
        Ok(&self.step(step)?.body)
    }

    fn roots<'b>(&'b self, token: &'b Token, error: Option<&'b Value>) -> Roots<'b> {
        Roots::at(self.flow, self.state, token, error, self.now)
    }

    fn new_token(
        &mut self,
        parent: Option<TokenId>,
        slot: u32,
        frame: FrameId,
        path: PathRef,
        step: StepIdx,
    ) -> TokenId {
        let id = self.state.next_token;
        self.state.next_token += 1;
        let token = Token {
            parent,
            slot,
            frame,
            path,
            step,
            visit: 0,
            activation: 0,
            activity: Activity::Frozen,
        };
        self.state.tokens.insert(id, token);
        id
    }

    fn new_activation(&mut self) -> u64 {
        let activation = self.state.next_activation;
        self.state.next_activation += 1;
        activation
    }

    /// Sends a control point to a step.
    fn go(&mut self, token: TokenId, step: StepIdx, value: Option<Arc<Value>>) {
        self.work.push_back(Entry {
            token,
            step,
            value,
            error: None,
            extra: None,
        });
    }

    fn set_timer(
        &mut self,
        kind: TimerKind,
        activation: u64,
        fire_at: Timestamp,
        token: Option<TokenId>,
    ) {
        let key = TimerKey { kind, activation };
        let token = token.and_then(|id| self.state.tokens.get(&id));
        let (step, path) = (
            token.map(|token| token.step),
            token.and_then(|token| token.path.clone()),
        );
        self.trail.push(TrailEntry::TimerSet {
            step,
            path,
            key,
            fire_at,
        });
        self.commands
            .push(Command::SetTimer(TimerRow { key, fire_at }));
    }

    fn clear_timer(&mut self, kind: TimerKind, activation: u64) {
        self.commands
            .push(Command::ClearTimer(TimerKey { kind, activation }));
    }

    /// Derives the status from what the control points wait for.
    fn settle(&mut self) {
        if self.state.status.is_terminal()
            || matches!(
                self.state.status,
                InstanceStatus::Cancelling | InstanceStatus::Paused
            )
        {
            return;
        }
        let waits = |activity: &Activity| {
            matches!(
                activity,
                Activity::Signal { .. } | Activity::Delay { .. } | Activity::PollPause { .. }
            )
        };
        let mut leaves = self.state.tokens.values().filter(|token| {
            !matches!(token.activity, Activity::Parallel(_) | Activity::ForEach(_))
        });
        let waiting = leaves.all(|token| waits(&token.activity));
        self.state.status = if waiting {
            InstanceStatus::WaitingForEvent
        } else {
            InstanceStatus::Running
        };
    }
}

/// An expression that failed, as the error of a step.
fn expression_error(error: &ExprError) -> ErrorInfo {
    ErrorInfo::new(error.code, ErrorCategory::Validation, error.message.clone())
}
