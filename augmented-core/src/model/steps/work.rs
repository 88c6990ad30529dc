//! Steps that do work: tasks, people, polls, other workflows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::manual::{Manual, Priority};
use crate::model::retry::RetryPolicy;
use crate::model::shape;
use crate::model::tag::present;
use crate::model::transition::{OnFailure, Transition};
use crate::time::IsoDuration;

/// Runs a task: code, a remote call, a worker, whatever the task definition says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("type", "TASK"))]
pub struct TaskStep {
    /// Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.
    #[schemars(extend("examples" = ["approve-order", "ship"]), transform = shape::step_id)]
    pub step_id: String,
    /// Name shown to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Approve order"]), transform = shape::label)]
    pub name: Option<String>,
    /// What the step is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Checks the order and ships it."]))]
    pub description: Option<String>,
    /// Business id of the task to run.
    #[schemars(extend("examples" = ["charge-card"]), transform = shape::business_id)]
    pub task_id: String,
    /// Version of the task, exact or a SemVer range. Default: the highest published one when the instance starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["1.2.0", "^1.2"]), transform = shape::version_range)]
    pub task_version: Option<String>,
    /// The integration instance to use, for tasks of type INTEGRATION. Default: what the task definition selects.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["stripe-production"]), transform = shape::business_id)]
    pub integration_instance_id: Option<String>,
    /// Mapping evaluated when the step is entered; its result is the step's input. Default: an empty object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"orderId": "${input.orderId}", "total": "${sum(input.items.map(i, i.price))}"}]))]
    pub input: Option<Value>,
    /// Mapping that turns the raw result, read as `output`, into the step's output. Default: the raw result.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"approved": "${output.decision == 'approved'}"}]))]
    pub output_mapping: Option<Value>,
    /// Workflow variables to write after success, each with a mapping. All of them see the old values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"approvedBy": "${output.userId}", "rounds": "${vars.rounds + 1}"}]))]
    pub assign: Option<Map<String, Value>>,
    /// Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"nextStepId": "ship", "on": "Approved"}, {"nextStepId": "reject"}]]))]
    pub next: Option<Vec<Transition>>,
    /// How failed attempts are repeated. Default: the policy of the task definition, else that of the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"maxAttempts": 5, "initialInterval": "PT2S"}]))]
    pub retry_policy: Option<RetryPolicy>,
    /// Limit of one attempt, from its start to its result. Default: that of the task definition, else PT5M.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["PT30S", "PT5M"]))]
    pub timeout: Option<IsoDuration>,
    /// Longest silence of the task's handler before the attempt counts as failed. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["PT30S"]))]
    pub heartbeat_timeout: Option<IsoDuration>,
    /// What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"action": "CONTINUE", "nextStepId": "report"}, {"handlers": [{"errorCategory": "BUSINESS", "nextStepId": "reject"}]}]))]
    pub on_failure: Option<OnFailure>,
    /// How often the step may be entered in one scope, a guard against endless loops. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100000), extend("default" = 100), extend("examples" = [10]))]
    pub max_visits: Option<u32>,
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"owner": "sales", "reviewedAt": "2026-01-31"}]))]
    pub metadata: Option<Map<String, Value>>,
}

/// Puts a task into the inbox of people and waits for one of them to finish it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("type", "HUMAN_TASK"))]
pub struct HumanTaskStep {
    /// Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.
    #[schemars(extend("examples" = ["approve-order", "ship"]), transform = shape::step_id)]
    pub step_id: String,
    /// Name shown to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Approve order"]), transform = shape::label)]
    pub name: Option<String>,
    /// What the step is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Checks the order and ships it."]))]
    pub description: Option<String>,
    /// Business id of a task of type MANUAL. Default: `system.human-task`, which takes any input and gives `decision` and `comment`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "system.human-task"), extend("examples" = ["approve-order"]), transform = shape::business_id)]
    pub task_id: Option<String>,
    /// Version of the task, exact or a SemVer range. Default: the highest published one when the instance starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["1.2.0", "^1.2"]), transform = shape::version_range)]
    pub task_version: Option<String>,
    /// Settings of the human work. They are merged over those of the task definition member by member, lists as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"assignment": {"candidates": {"roles": ["approver"]}}, "due": {"duration": "P2D"}}]))]
    pub manual: Option<Manual>,
    /// How urgent the task is. Default: MEDIUM.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "MEDIUM"), extend("examples" = ["HIGH"]))]
    pub priority: Option<Priority>,
    /// UI component that shows the task; it wins over those of the task definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["order-approval"]), transform = shape::component_reference)]
    pub ui_component_id: Option<String>,
    /// What to do, shown with the task; a template. It wins over the instructions in `manual`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Check order ${input.orderId} and decide."]))]
    pub instructions: Option<String>,
    /// Mapping evaluated when the step is entered; its result is the step's input. Default: an empty object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"orderId": "${input.orderId}", "total": "${sum(input.items.map(i, i.price))}"}]))]
    pub input: Option<Value>,
    /// Mapping that turns the raw result, read as `output`, into the step's output. Default: the raw result.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"approved": "${output.decision == 'approved'}"}]))]
    pub output_mapping: Option<Value>,
    /// Workflow variables to write after success, each with a mapping. All of them see the old values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"approvedBy": "${output.userId}", "rounds": "${vars.rounds + 1}"}]))]
    pub assign: Option<Map<String, Value>>,
    /// Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"nextStepId": "ship", "on": "Approved"}, {"nextStepId": "reject"}]]))]
    pub next: Option<Vec<Transition>>,
    /// Hard expiry, counted from the creation of the task. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["P14D"]))]
    pub timeout: Option<IsoDuration>,
    /// What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"action": "CONTINUE", "nextStepId": "report"}, {"handlers": [{"errorCategory": "BUSINESS", "nextStepId": "reject"}]}]))]
    pub on_failure: Option<OnFailure>,
    /// How often the step may be entered in one scope, a guard against endless loops. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100000), extend("default" = 100), extend("examples" = [10]))]
    pub max_visits: Option<u32>,
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"owner": "sales", "reviewedAt": "2026-01-31"}]))]
    pub metadata: Option<Map<String, Value>>,
}

impl HumanTaskStep {
    /// Business id of the task when the step names none.
    pub const DEFAULT_TASK_ID: &'static str = "system.human-task";

    /// Business id of the task.
    #[must_use]
    pub fn task_id(&self) -> &str {
        self.task_id.as_deref().unwrap_or(Self::DEFAULT_TASK_ID)
    }

    /// How urgent the task is.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.priority.unwrap_or_default()
    }
}

/// Repeats a task in intervals until its output is as wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("type", "POLL"))]
pub struct PollStep {
    /// Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.
    #[schemars(extend("examples" = ["approve-order", "ship"]), transform = shape::step_id)]
    pub step_id: String,
    /// Name shown to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Approve order"]), transform = shape::label)]
    pub name: Option<String>,
    /// What the step is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Checks the order and ships it."]))]
    pub description: Option<String>,
    /// Business id of the task that is run in each round.
    #[schemars(extend("examples" = ["charge-card"]), transform = shape::business_id)]
    pub task_id: String,
    /// Version of the task, exact or a SemVer range. Default: the highest published one when the instance starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["1.2.0", "^1.2"]), transform = shape::version_range)]
    pub task_version: Option<String>,
    /// Expression over `output` that is true when the polling is done.
    #[schemars(extend("examples" = ["output.status == 'shipped'"]))]
    pub until: String,
    /// Pause between two rounds.
    #[schemars(extend("examples" = ["PT30S"]))]
    pub interval: IsoDuration,
    /// What the pause is multiplied by after each round. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10), extend("default" = 1), extend("examples" = [1.5]))]
    pub backoff_multiplier: Option<f64>,
    /// How many rounds at most; then the step fails with POLL_EXHAUSTED. Default: 12.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000), extend("default" = 12), extend("examples" = [20]))]
    pub max_attempts: Option<u32>,
    /// Mapping evaluated when the step is entered; its result is the step's input. Default: an empty object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"orderId": "${input.orderId}", "total": "${sum(input.items.map(i, i.price))}"}]))]
    pub input: Option<Value>,
    /// Mapping that turns the raw result, read as `output`, into the step's output. Default: the raw result.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"approved": "${output.decision == 'approved'}"}]))]
    pub output_mapping: Option<Value>,
    /// Workflow variables to write after success, each with a mapping. All of them see the old values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"approvedBy": "${output.userId}", "rounds": "${vars.rounds + 1}"}]))]
    pub assign: Option<Map<String, Value>>,
    /// Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"nextStepId": "ship", "on": "Approved"}, {"nextStepId": "reject"}]]))]
    pub next: Option<Vec<Transition>>,
    /// How failed attempts of a round are repeated. Default: the policy of the task definition, else that of the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"maxAttempts": 5, "initialInterval": "PT2S"}]))]
    pub retry_policy: Option<RetryPolicy>,
    /// Limit over all rounds; then the step fails with POLL_EXHAUSTED. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["PT1H"]))]
    pub timeout: Option<IsoDuration>,
    /// Longest silence of the task's handler before the attempt counts as failed. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["PT30S"]))]
    pub heartbeat_timeout: Option<IsoDuration>,
    /// What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"action": "CONTINUE", "nextStepId": "report"}, {"handlers": [{"errorCategory": "BUSINESS", "nextStepId": "reject"}]}]))]
    pub on_failure: Option<OnFailure>,
    /// How often the step may be entered in one scope, a guard against endless loops. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100000), extend("default" = 100), extend("examples" = [10]))]
    pub max_visits: Option<u32>,
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"owner": "sales", "reviewedAt": "2026-01-31"}]))]
    pub metadata: Option<Map<String, Value>>,
}

impl PollStep {
    /// What the pause is multiplied by after each round.
    #[must_use]
    pub fn backoff_multiplier(&self) -> f64 {
        self.backoff_multiplier.unwrap_or(1.0)
    }

    /// How many rounds at most.
    #[must_use]
    pub fn max_attempts(&self) -> u32 {
        self.max_attempts.unwrap_or(12)
    }
}

/// Starts another workflow and, as a rule, waits for its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("type", "SUB_WORKFLOW"))]
pub struct SubWorkflowStep {
    /// Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.
    #[schemars(extend("examples" = ["approve-order", "ship"]), transform = shape::step_id)]
    pub step_id: String,
    /// Name shown to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Approve order"]), transform = shape::label)]
    pub name: Option<String>,
    /// What the step is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Checks the order and ships it."]))]
    pub description: Option<String>,
    /// Business id of the workflow to start.
    #[schemars(extend("examples" = ["ship-order"]), transform = shape::business_id)]
    pub workflow_id: String,
    /// Version of the workflow, exact or a SemVer range. Default: the highest published one at the time of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["1.2.0", "^1.2"]), transform = shape::version_range)]
    pub workflow_version: Option<String>,
    /// Whether to wait for its end. Otherwise the output is `{instanceId}` at once. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true), extend("examples" = [false]))]
    pub wait_for_completion: Option<bool>,
    /// What happens to the child when this instance is cancelled: CANCEL or ABANDON. Default: CANCEL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "CANCEL"), extend("examples" = ["ABANDON"]))]
    pub on_parent_cancel: Option<ParentCancel>,
    /// Correlation id of the child, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["${input.orderId}"]))]
    pub correlation_id: Option<String>,
    /// Mapping evaluated when the step is entered; its result is the input of the child. Default: an empty object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"orderId": "${input.orderId}", "total": "${sum(input.items.map(i, i.price))}"}]))]
    pub input: Option<Value>,
    /// Mapping that turns the raw result, read as `output`, into the step's output. Default: the raw result.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"approved": "${output.decision == 'approved'}"}]))]
    pub output_mapping: Option<Value>,
    /// Workflow variables to write after success, each with a mapping. All of them see the old values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"approvedBy": "${output.userId}", "rounds": "${vars.rounds + 1}"}]))]
    pub assign: Option<Map<String, Value>>,
    /// Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"nextStepId": "ship", "on": "Approved"}, {"nextStepId": "reject"}]]))]
    pub next: Option<Vec<Transition>>,
    /// How a failed child is repeated, each time as a new instance. Default: that of the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"maxAttempts": 5, "initialInterval": "PT2S"}]))]
    pub retry_policy: Option<RetryPolicy>,
    /// Limit of the child, which is then cancelled. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["P1D"]))]
    pub timeout: Option<IsoDuration>,
    /// What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"action": "CONTINUE", "nextStepId": "report"}, {"handlers": [{"errorCategory": "BUSINESS", "nextStepId": "reject"}]}]))]
    pub on_failure: Option<OnFailure>,
    /// How often the step may be entered in one scope, a guard against endless loops. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100000), extend("default" = 100), extend("examples" = [10]))]
    pub max_visits: Option<u32>,
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"owner": "sales", "reviewedAt": "2026-01-31"}]))]
    pub metadata: Option<Map<String, Value>>,
}

impl SubWorkflowStep {
    /// Whether to wait for the child's end.
    #[must_use]
    pub fn waits_for_completion(&self) -> bool {
        self.wait_for_completion.unwrap_or(true)
    }

    /// What happens to the child when this instance is cancelled.
    #[must_use]
    pub fn on_parent_cancel(&self) -> ParentCancel {
        self.on_parent_cancel.unwrap_or_default()
    }
}

/// What the cancellation of a parent does to its child.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ParentCancel {
    /// The child is cancelled, too.
    #[default]
    Cancel,
    /// The child goes on alone.
    Abandon,
}
