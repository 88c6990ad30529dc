//! A step of any kind, and what all kinds have in common.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

use super::retry::RetryPolicy;
use super::steps::{
    DecisionStep, DelayStep, EndStep, EventWaitStep, ForEachStep, HumanTaskStep, ParallelStep,
    PassStep, PollStep, StartStep, SubWorkflowStep, TaskStep,
};
use super::transition::{OnFailure, Transition};
use crate::time::IsoDuration;

/// One step of a workflow. Its `type` says what it does and which members it has.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(
    clippy::large_enum_variant,
    reason = "steps live in the vector of their definition; boxes would cost more than the unused bytes"
)]
pub enum Step {
    /// Where a workflow begins.
    Start(StartStep),
    /// Ends the whole instance.
    End(EndStep),
    /// Maps data without work.
    Pass(PassStep),
    /// Runs a task.
    Task(TaskStep),
    /// Waits for a person's work.
    HumanTask(HumanTaskStep),
    /// Chooses a path.
    Decision(DecisionStep),
    /// Runs branches at once.
    Parallel(ParallelStep),
    /// Runs a body for every element of a list.
    ForEach(ForEachStep),
    /// Waits for an event or a signal.
    EventWait(EventWaitStep),
    /// Waits for time to pass.
    Delay(DelayStep),
    /// Repeats a task until its output is as wanted.
    Poll(PollStep),
    /// Starts another workflow.
    SubWorkflow(SubWorkflowStep),
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StepType {
    /// Where a workflow begins.
    Start,
    /// Ends the whole instance.
    End,
    /// Maps data without work.
    Pass,
    /// Runs a task.
    Task,
    /// Waits for a person's work.
    HumanTask,
    /// Chooses a path.
    Decision,
    /// Runs branches at once.
    Parallel,
    /// Runs a body for every element of a list.
    ForEach,
    /// Waits for an event or a signal.
    EventWait,
    /// Waits for time to pass.
    Delay,
    /// Repeats a task until its output is as wanted.
    Poll,
    /// Starts another workflow.
    SubWorkflow,
}

impl StepType {
    /// Every type, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::Start,
        Self::End,
        Self::Pass,
        Self::Task,
        Self::HumanTask,
        Self::Decision,
        Self::Parallel,
        Self::ForEach,
        Self::EventWait,
        Self::Delay,
        Self::Poll,
        Self::SubWorkflow,
    ];

    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::End => "END",
            Self::Pass => "PASS",
            Self::Task => "TASK",
            Self::HumanTask => "HUMAN_TASK",
            Self::Decision => "DECISION",
            Self::Parallel => "PARALLEL",
            Self::ForEach => "FOR_EACH",
            Self::EventWait => "EVENT_WAIT",
            Self::Delay => "DELAY",
            Self::Poll => "POLL",
            Self::SubWorkflow => "SUB_WORKFLOW",
        }
    }

    /// The type of that wire name.
    #[must_use]
    pub fn from_wire(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|step_type| step_type.as_str() == name)
    }

    /// Whether steps of this type do work that may need to be undone: TASK, HUMAN_TASK, POLL, SUB_WORKFLOW.
    #[must_use]
    pub const fn is_work(self) -> bool {
        matches!(
            self,
            Self::Task | Self::HumanTask | Self::Poll | Self::SubWorkflow
        )
    }
}

impl fmt::Display for StepType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Evaluates an expression for the struct inside the step, whatever its type.
macro_rules! each {
    ($step:expr, $inner:ident => $body:expr) => {
        match $step {
            Step::Start($inner) => $body,
            Step::End($inner) => $body,
            Step::Pass($inner) => $body,
            Step::Task($inner) => $body,
            Step::HumanTask($inner) => $body,
            Step::Decision($inner) => $body,
            Step::Parallel($inner) => $body,
            Step::ForEach($inner) => $body,
            Step::EventWait($inner) => $body,
            Step::Delay($inner) => $body,
            Step::Poll($inner) => $body,
            Step::SubWorkflow($inner) => $body,
        }
    };
    ($step:expr, $inner:ident => $body:expr, end => $end:expr) => {
        match $step {
            Step::End(_) => $end,
            Step::Start($inner) => $body,
            Step::Pass($inner) => $body,
            Step::Task($inner) => $body,
            Step::HumanTask($inner) => $body,
            Step::Decision($inner) => $body,
            Step::Parallel($inner) => $body,
            Step::ForEach($inner) => $body,
            Step::EventWait($inner) => $body,
            Step::Delay($inner) => $body,
            Step::Poll($inner) => $body,
            Step::SubWorkflow($inner) => $body,
        }
    };
}

impl Step {
    /// Id of the step.
    #[must_use]
    pub fn step_id(&self) -> &str {
        each!(self, step => &step.step_id)
    }

    /// What the step does.
    #[must_use]
    pub const fn step_type(&self) -> StepType {
        match self {
            Self::Start(_) => StepType::Start,
            Self::End(_) => StepType::End,
            Self::Pass(_) => StepType::Pass,
            Self::Task(_) => StepType::Task,
            Self::HumanTask(_) => StepType::HumanTask,
            Self::Decision(_) => StepType::Decision,
            Self::Parallel(_) => StepType::Parallel,
            Self::ForEach(_) => StepType::ForEach,
            Self::EventWait(_) => StepType::EventWait,
            Self::Delay(_) => StepType::Delay,
            Self::Poll(_) => StepType::Poll,
            Self::SubWorkflow(_) => StepType::SubWorkflow,
        }
    }

    /// Name shown to people.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        each!(self, step => step.name.as_deref())
    }

    /// What the step is for.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        each!(self, step => step.description.as_deref())
    }

    /// Free data.
    #[must_use]
    pub fn metadata(&self) -> Option<&Map<String, Value>> {
        each!(self, step => step.metadata.as_ref())
    }

    /// Mapping of the step's input.
    #[must_use]
    pub fn input(&self) -> Option<&Value> {
        each!(self, step => step.input.as_ref(), end => None)
    }

    /// Mapping from the raw result to the step's output.
    #[must_use]
    pub fn output_mapping(&self) -> Option<&Value> {
        each!(self, step => step.output_mapping.as_ref(), end => None)
    }

    /// Variables written after success, each with its mapping.
    #[must_use]
    pub fn assign(&self) -> Option<&Map<String, Value>> {
        each!(self, step => step.assign.as_ref(), end => None)
    }

    /// The rules of `next`, in order; empty when the path ends here.
    #[must_use]
    pub fn next(&self) -> &[Transition] {
        match self {
            Self::End(_) => &[],
            Self::Decision(step) => &step.next,
            Self::Start(StartStep { next, .. })
            | Self::Pass(PassStep { next, .. })
            | Self::Task(TaskStep { next, .. })
            | Self::HumanTask(HumanTaskStep { next, .. })
            | Self::Parallel(ParallelStep { next, .. })
            | Self::ForEach(ForEachStep { next, .. })
            | Self::EventWait(EventWaitStep { next, .. })
            | Self::Delay(DelayStep { next, .. })
            | Self::Poll(PollStep { next, .. })
            | Self::SubWorkflow(SubWorkflowStep { next, .. }) => {
                next.as_deref().unwrap_or_default()
            }
        }
    }

    /// The step's own retry policy (TASK, POLL, SUB_WORKFLOW).
    #[must_use]
    pub fn retry_policy(&self) -> Option<&RetryPolicy> {
        match self {
            Self::Task(step) => step.retry_policy.as_ref(),
            Self::Poll(step) => step.retry_policy.as_ref(),
            Self::SubWorkflow(step) => step.retry_policy.as_ref(),
            Self::Start(_)
            | Self::End(_)
            | Self::Pass(_)
            | Self::HumanTask(_)
            | Self::Decision(_)
            | Self::Parallel(_)
            | Self::ForEach(_)
            | Self::EventWait(_)
            | Self::Delay(_) => None,
        }
    }

    /// The step's own time limit (TASK, HUMAN_TASK, POLL, SUB_WORKFLOW).
    #[must_use]
    pub fn timeout(&self) -> Option<&IsoDuration> {
        match self {
            Self::Task(step) => step.timeout.as_ref(),
            Self::HumanTask(step) => step.timeout.as_ref(),
            Self::Poll(step) => step.timeout.as_ref(),
            Self::SubWorkflow(step) => step.timeout.as_ref(),
            Self::Start(_)
            | Self::End(_)
            | Self::Pass(_)
            | Self::Decision(_)
            | Self::Parallel(_)
            | Self::ForEach(_)
            | Self::EventWait(_)
            | Self::Delay(_) => None,
        }
    }

    /// The longest silence of the handler (TASK, POLL).
    #[must_use]
    pub fn heartbeat_timeout(&self) -> Option<&IsoDuration> {
        match self {
            Self::Task(step) => step.heartbeat_timeout.as_ref(),
            Self::Poll(step) => step.heartbeat_timeout.as_ref(),
            Self::Start(_)
            | Self::End(_)
            | Self::Pass(_)
            | Self::HumanTask(_)
            | Self::Decision(_)
            | Self::Parallel(_)
            | Self::ForEach(_)
            | Self::EventWait(_)
            | Self::Delay(_)
            | Self::SubWorkflow(_) => None,
        }
    }

    /// What happens when the step fails for good.
    #[must_use]
    pub fn on_failure(&self) -> Option<&OnFailure> {
        each!(self, step => step.on_failure.as_ref(), end => None)
    }

    /// How often the step may be entered in one scope.
    #[must_use]
    pub fn max_visits(&self) -> Option<u32> {
        each!(self, step => step.max_visits, end => None)
    }

    /// The task the step runs and the version it asks for (TASK, HUMAN_TASK, POLL).
    #[must_use]
    pub fn task_reference(&self) -> Option<(&str, Option<&str>)> {
        match self {
            Self::Task(step) => Some((&step.task_id, step.task_version.as_deref())),
            Self::HumanTask(step) => Some((step.task_id(), step.task_version.as_deref())),
            Self::Poll(step) => Some((&step.task_id, step.task_version.as_deref())),
            Self::Start(_)
            | Self::End(_)
            | Self::Pass(_)
            | Self::Decision(_)
            | Self::Parallel(_)
            | Self::ForEach(_)
            | Self::EventWait(_)
            | Self::Delay(_)
            | Self::SubWorkflow(_) => None,
        }
    }

    /// The lists of steps nested in this one: each branch of a PARALLEL, the body of a FOR_EACH.
    pub fn nested_scopes(&self) -> impl Iterator<Item = &[Self]> {
        let (branches, body) = match self {
            Self::Parallel(step) => (step.branches.as_slice(), None),
            Self::ForEach(step) => (&[][..], Some(step.steps.as_slice())),
            Self::Start(_)
            | Self::End(_)
            | Self::Pass(_)
            | Self::Task(_)
            | Self::HumanTask(_)
            | Self::Decision(_)
            | Self::EventWait(_)
            | Self::Delay(_)
            | Self::Poll(_)
            | Self::SubWorkflow(_) => (&[][..], None),
        };
        branches
            .iter()
            .map(|branch| branch.steps.as_slice())
            .chain(body)
    }
}

// Written by hand: serde's own tagged enums buffer their content in a form that numbers of arbitrary precision (a
// feature any host may switch on) do not survive.
impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (tag, members) = split_tag(deserializer, "type")?;
        let Some(step_type) = StepType::from_wire(&tag) else {
            return Err(de::Error::custom(format!("`{tag}` is no step type")));
        };
        let result = match step_type {
            StepType::Start => StartStep::deserialize(members).map(Self::Start),
            StepType::End => EndStep::deserialize(members).map(Self::End),
            StepType::Pass => PassStep::deserialize(members).map(Self::Pass),
            StepType::Task => TaskStep::deserialize(members).map(Self::Task),
            StepType::HumanTask => HumanTaskStep::deserialize(members).map(Self::HumanTask),
            StepType::Decision => DecisionStep::deserialize(members).map(Self::Decision),
            StepType::Parallel => ParallelStep::deserialize(members).map(Self::Parallel),
            StepType::ForEach => ForEachStep::deserialize(members).map(Self::ForEach),
            StepType::EventWait => EventWaitStep::deserialize(members).map(Self::EventWait),
            StepType::Delay => DelayStep::deserialize(members).map(Self::Delay),
            StepType::Poll => PollStep::deserialize(members).map(Self::Poll),
            StepType::SubWorkflow => SubWorkflowStep::deserialize(members).map(Self::SubWorkflow),
        };
        result.map_err(de::Error::custom)
    }
}

/// Reads an object and takes the member that tells its type out of it.
pub(super) fn split_tag<'de, D: Deserializer<'de>>(
    deserializer: D,
    name: &'static str,
) -> Result<(String, Value), D::Error> {
    let mut members = Map::deserialize(deserializer)?;
    match members.remove(name) {
        Some(Value::String(tag)) => Ok((tag, Value::Object(members))),
        Some(_) => Err(de::Error::custom(format!("`{name}` must be text"))),
        None => Err(de::Error::missing_field(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(step: Value, expected: &str) {
        let found = match serde_json::from_value::<Step>(step.clone()) {
            Ok(step) => format!("{} {}", step.step_type(), step.step_id()),
            Err(error) => error.to_string(),
        };
        assert!(found.starts_with(expected), "{step}: {found}");
    }

    #[test]
    fn the_type_decides_which_members_a_step_has() {
        check(
            json!({"type": "DELAY", "stepId": "a", "duration": "PT1S"}),
            "DELAY a",
        );
        check(
            json!({"type": "PASS", "stepId": "a", "duration": "PT1S"}),
            "unknown field `duration`",
        );
        check(
            json!({"type": "END", "stepId": "a", "next": []}),
            "unknown field `next`",
        );
        check(
            json!({"type": "DECISION", "stepId": "a"}),
            "missing field `next`",
        );
        check(
            json!({"type": "SLEEP", "stepId": "a"}),
            "`SLEEP` is no step type",
        );
        check(json!({"type": 1, "stepId": "a"}), "`type` must be text");
        check(json!({"stepId": "a"}), "missing field `type`");
    }

    #[test]
    fn an_explicit_null_mapping_is_not_an_absent_one() {
        let step = json!({"type": "PASS", "stepId": "a", "input": null});
        let read: Step = serde_json::from_value(step.clone()).unwrap();
        assert_eq!(read.input(), Some(&Value::Null));
        assert_eq!(serde_json::to_value(&read).unwrap(), step);
    }

    #[test]
    fn step_types_round_trip_through_their_names() {
        for step_type in StepType::ALL {
            assert_eq!(StepType::from_wire(step_type.as_str()), Some(step_type));
            assert_eq!(serde_json::to_value(step_type).unwrap(), step_type.as_str());
        }
    }
}
