//! An instance as people look at it.

use std::sync::Arc;

use augmented_core::error::ErrorInfo;
use augmented_core::model::StepType;
use augmented_core::runtime::{
    Activity, Frame, InstanceHeader, InstanceState, InstanceStatus, StepIdx, StepStatus, Token,
};
use augmented_core::store::AttemptRow;
use augmented_core::{InstanceId, Seq, Timestamp};
use serde_json::Value;

use crate::workflow::CompiledWorkflow;

/// An instance as of its last committed fact.
#[derive(Clone)]
pub struct InstanceView {
    flow: Arc<CompiledWorkflow>,
    state: Arc<InstanceState>,
    attempts: Vec<AttemptRow>,
}

/// The latest visit of a step in its scope.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StepView {
    /// The step.
    pub step_id: String,
    /// Its kind.
    pub step_type: Option<StepType>,
    /// Its scope; empty for the root.
    pub scope_path: String,
    /// How the visit stands.
    pub status: StepStatus,
    /// The outcome once completed.
    pub outcome: Option<String>,
    /// How often the step was entered in its scope.
    pub visits: u32,
    /// Attempts begun in this visit.
    pub attempts: u32,
    /// Its input.
    pub input: Value,
    /// Its output; null until completed.
    pub output: Value,
    /// Its error once failed.
    pub error: Option<ErrorInfo>,
    /// When it was entered.
    pub started_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

/// What an instance waits for at a step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitingFor {
    /// The step.
    pub step_id: String,
    /// Its scope; empty for the root.
    pub scope_path: String,
    /// What is awaited.
    pub kind: WaitKind,
    /// The type of the awaited signal.
    pub signal_type: Option<String>,
    /// The awaited child.
    pub child: Option<InstanceId>,
    /// When the wait ends by itself.
    pub until: Option<Timestamp>,
}

/// What a step waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitKind {
    /// A signal.
    Signal,
    /// An instant.
    Timer,
    /// The next round of a POLL step.
    PollRound,
    /// A child instance.
    Child,
    /// The result of a task, or its next attempt.
    Task,
}

impl WaitKind {
    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signal => "SIGNAL",
            Self::Timer => "TIMER",
            Self::PollRound => "POLL_ROUND",
            Self::Child => "CHILD",
            Self::Task => "TASK",
        }
    }
}

impl InstanceView {
    pub(super) fn new(
        flow: Arc<CompiledWorkflow>,
        state: Arc<InstanceState>,
        attempts: Vec<AttemptRow>,
    ) -> Self {
        Self {
            flow,
            state,
            attempts,
        }
    }

    /// The instance.
    #[must_use]
    pub fn id(&self) -> InstanceId {
        self.state.header.instance_id
    }

    /// What was fixed at its start.
    #[must_use]
    pub fn header(&self) -> &InstanceHeader {
        &self.state.header
    }

    /// The whole state.
    #[must_use]
    pub fn state(&self) -> &InstanceState {
        &self.state
    }

    /// The workflow version it runs.
    #[must_use]
    pub fn flow(&self) -> &CompiledWorkflow {
        &self.flow
    }

    /// The number of its last fact, which grows with everything that happens to it; none before it begins.
    #[must_use]
    pub fn version(&self) -> Option<Seq> {
        self.state.seq
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> InstanceStatus {
        self.state.status
    }

    /// The output; null unless completed.
    #[must_use]
    pub fn output(&self) -> &Value {
        self.state.output.as_deref().unwrap_or(&Value::Null)
    }

    /// The workflow variables, an object.
    #[must_use]
    pub fn variables(&self) -> &Value {
        &self.state.vars
    }

    /// Why it failed.
    #[must_use]
    pub fn error(&self) -> Option<&ErrorInfo> {
        self.state.error.as_ref().map(|error| &*error.error)
    }

    /// The step entered last.
    #[must_use]
    pub fn current_step_id(&self) -> Option<&str> {
        self.state
            .current_step
            .and_then(|step| self.flow.step_id(step))
            .map(AsRef::as_ref)
    }

    /// The latest visit of every step that was entered, in the order of the definition; iterations of a FOR_EACH step
    /// that has ended are in its output.
    #[must_use]
    pub fn steps(&self) -> Vec<StepView> {
        let mut views = Vec::new();
        for frame in self.state.frames.values() {
            for place in self.flow.frame_steps(frame.owner) {
                let Some(Some(visit)) = frame.visits.get(usize::from(place.slot)) else {
                    continue;
                };
                let recorded = self.recorded_attempts(place.step, frame);
                views.push(StepView {
                    step_id: place.step_id.to_string(),
                    step_type: self.flow.step_type(place.step),
                    scope_path: self.scope_path(place.step, frame),
                    status: visit.status,
                    outcome: visit.outcome.as_deref().map(str::to_owned),
                    visits: visit.number.saturating_sub(frame.visit_base),
                    attempts: visit.attempt.max(recorded),
                    input: visit.input.as_deref().cloned().unwrap_or(Value::Null),
                    output: visit.output.as_deref().cloned().unwrap_or(Value::Null),
                    error: visit.error.as_deref().cloned(),
                    started_at: visit.started_at,
                    completed_at: visit.completed_at,
                });
            }
        }
        views
    }

    /// What the instance waits for, in the order in which its paths began. While it is PAUSED, that is what could still
    /// come; what came already waits with it.
    #[must_use]
    pub fn waiting_for(&self) -> Vec<WaitingFor> {
        if self.status().is_terminal() {
            return Vec::new();
        }
        self.state
            .tokens
            .values()
            .filter(|token| !self.state.is_answered(token.activation))
            .filter_map(|token| self.waiting(token))
            .collect()
    }

    fn waiting(&self, token: &Token) -> Option<WaitingFor> {
        let (kind, child, until) = match &token.activity {
            Activity::Signal { until } => (WaitKind::Signal, None, *until),
            Activity::Delay { fire_at } | Activity::ChildPause { fire_at, .. } => {
                (WaitKind::Timer, None, Some(*fire_at))
            }
            Activity::PollPause { fire_at, .. } => (WaitKind::PollRound, None, Some(*fire_at)),
            Activity::Child {
                instance_id, until, ..
            } => (WaitKind::Child, Some(*instance_id), *until),
            Activity::Task { until, .. } => (
                WaitKind::Task,
                None,
                self.next_attempt(token.activation).or(*until),
            ),
            Activity::Parallel(_) | Activity::ForEach(_) | Activity::Frozen => return None,
        };
        let signal_type = (kind == WaitKind::Signal)
            .then(|| {
                self.flow
                    .awaited_signal(token.step)
                    .map(ToString::to_string)
            })
            .flatten();
        Some(WaitingFor {
            step_id: self.flow.step_id(token.step)?.to_string(),
            scope_path: token.path.as_deref().unwrap_or_default().to_owned(),
            kind,
            signal_type,
            child,
            until,
        })
    }

    fn next_attempt(&self, activation: u64) -> Option<Timestamp> {
        self.attempts
            .iter()
            .filter(|row| row.activation == activation)
            .map(|row| row.record.next_attempt_at)
            .max()
    }

    /// Attempts of an open task that failed so far, and the one under way.
    fn recorded_attempts(&self, step: StepIdx, frame: &Frame) -> u32 {
        let token = self.state.tokens.values().find(|token| {
            let in_frame = self
                .state
                .frames
                .get(&token.frame)
                .is_some_and(|other| std::ptr::eq(other, frame));
            in_frame && token.step == step && matches!(token.activity, Activity::Task { .. })
        });
        let Some(token) = token else { return 0 };
        let failed = self
            .attempts
            .iter()
            .filter(|row| row.activation == token.activation)
            .map(|row| row.record.attempt)
            .max();
        failed.unwrap_or(0)
    }

    fn scope_path(&self, step: StepIdx, frame: &Frame) -> String {
        // Frames nest as deep as FOR_EACH steps do, which validation limits.
        let outer = match (
            frame.owner,
            frame
                .parent
                .and_then(|parent| self.state.frames.get(&parent)),
        ) {
            (Some(owner), Some(parent)) => {
                let index = frame.item.as_ref().map_or(0, |(index, _)| *index);
                let around = self.scope_path(owner, parent);
                let own = format!(
                    "{}[{index}]",
                    self.flow.step_id(owner).map_or("", AsRef::as_ref)
                );
                if around.is_empty() {
                    own
                } else {
                    format!("{around}/{own}")
                }
            }
            _ => String::new(),
        };
        let inner = self.flow.branch_path(step);
        match (outer.is_empty(), inner.is_empty()) {
            (true, _) => inner,
            (false, true) => outer,
            (false, false) => format!("{outer}/{inner}"),
        }
    }
}

impl std::fmt::Debug for InstanceView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstanceView")
            .field("id", &self.id())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
