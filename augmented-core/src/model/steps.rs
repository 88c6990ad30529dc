//! What each kind of step consists of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::manual::{Manual, Priority};
use super::retry::RetryPolicy;
use super::shape;
use super::since::Since;
use super::step::Step;
use super::tag::present;
use super::transition::{OnFailure, Transition};
use crate::time::IsoDuration;

/// Where a workflow begins; it does no work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("type", "START"))]
pub struct StartStep {
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
    /// Mapping whose result is the step's output. Default: the output of the step before it, at the beginning the workflow's input.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"amount": "${input.amount}"}]))]
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

/// A step that does no work: a place to map data, to assign variables or to join paths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("type", "PASS"))]
pub struct PassStep {
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
    /// Mapping whose result is the step's output. Default: the output of the step before it, at the beginning the workflow's input.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"amount": "${input.amount}"}]))]
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

/// Ends the whole instance, also from inside a branch or an iteration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("type", "END"), transform = shape::end_step)]
pub struct EndStep {
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
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"owner": "sales", "reviewedAt": "2026-01-31"}]))]
    pub metadata: Option<Map<String, Value>>,
    /// How the instance ends: COMPLETED, or FAILED with an error. Default: COMPLETED.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "COMPLETED"), extend("examples" = ["FAILED"]))]
    pub result: Option<EndResult>,
    /// Mapping that builds the output of the workflow; it wins over the `output` of the workflow.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"status": "rejected"}]))]
    pub output: Option<Value>,
    /// Outcome code of a completed workflow, for the `next` rules of the SUB_WORKFLOW step that started it. Default: SUCCESS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("examples" = ["Rejected"]))]
    pub outcome: Option<String>,
    /// Code of the error of a failed workflow. Default: WORKFLOW_FAILED.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("default" = "WORKFLOW_FAILED"), extend("examples" = ["ORDER_REJECTED"]))]
    pub error_code: Option<String>,
    /// Message of the error of a failed workflow, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["order ${input.orderId} was rejected"]))]
    pub error_message: Option<String>,
}

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

/// Chooses a path. It does no work; its output is what the path brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("type", "DECISION"))]
pub struct DecisionStep {
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
    /// Mapping whose result is the step's output. Default: the output of the step before it, at the beginning the workflow's input.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"amount": "${input.amount}"}]))]
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
    /// The decision: rules in order, the first that holds is taken. At least one has a condition.
    #[schemars(length(min = 1), extend("examples" = [[{"nextStepId": "review", "condition": "input.amount > 1000"}, {"nextStepId": "ship"}]]))]
    pub next: Vec<Transition>,
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

/// Runs several branches at once and joins them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("type", "PARALLEL"))]
pub struct ParallelStep {
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
    /// The branches, 1 to 64.
    #[schemars(length(min = 1, max = 64), extend("examples" = [[{"branchId": "credit", "steps": [{"stepId": "check-credit", "type": "TASK", "taskId": "check-credit"}]}, {"branchId": "stock", "steps": [{"stepId": "check-stock", "type": "TASK", "taskId": "check-stock"}]}]]))]
    pub branches: Vec<Branch>,
    /// When the branches are joined. Default: when all required ones have completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"type": "N_OF_M", "count": 2}]))]
    pub join: Option<Join>,
    /// Whether branches still running at the join are cancelled; otherwise they are waited for and their failures ignored. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true), extend("examples" = [false]))]
    pub cancel_remaining: Option<bool>,
    /// What a failing required branch does: FAIL_FAST cancels the others at once, WAIT_ALL lets them finish first. Default: FAIL_FAST.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "FAIL_FAST"), extend("examples" = ["WAIT_ALL"]))]
    pub on_branch_failure: Option<BranchFailure>,
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

/// Runs a body of steps once for every element of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("type", "FOR_EACH"))]
pub struct ForEachStep {
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
    /// Expression that gives the list; it is evaluated once.
    #[schemars(extend("examples" = ["input.items"]))]
    pub items: String,
    /// Name by which expressions in the body read the element. Default: `item`. Its position is `index`, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "item"), extend("examples" = ["line"]), transform = shape::identifier)]
    pub item_name: Option<String>,
    /// The body, which begins at its first step.
    #[schemars(length(min = 1), extend("examples" = [[{"stepId": "reserve", "type": "TASK", "taskId": "reserve-item", "input": {"sku": "${item.sku}"}}]]))]
    pub steps: Vec<Step>,
    /// How many elements are worked on at once; 1 means one after the other. Default: 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000), extend("default" = 5), extend("examples" = [10, 1]))]
    pub max_concurrency: Option<u32>,
    /// The longest list allowed. Default: 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000), extend("default" = 1000), extend("examples" = [500]))]
    pub max_items: Option<u32>,
    /// What a failing iteration does: FAIL_FAST fails the step at once, COLLECT goes on and reports the failures in the output. Default: FAIL_FAST.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "FAIL_FAST"), extend("examples" = ["COLLECT"]))]
    pub on_item_failure: Option<ItemFailure>,
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

/// Waits for an event or a signal. Exactly one of `eventPattern`, `eventPatterns` and `signalType` says for which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("type", "EVENT_WAIT"), transform = shape::event_wait)]
pub struct EventWaitStep {
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
    /// Pattern of the event names to wait for, with at least one literal segment. `*` stands for one segment, a trailing `**` for one or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["payment.received"]), transform = shape::event_pattern)]
    pub event_pattern: Option<String>,
    /// Several patterns, 2 to 8; the first event that fits any of them is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [["payment.received", "payment.refused"]]), transform = shape::event_patterns)]
    pub event_patterns: Option<Vec<String>>,
    /// Name of the signal to wait for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("examples" = ["approve"]))]
    pub signal_type: Option<String>,
    /// Expression over `event` that gives the key of an event. Needs `correlationValue`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["event.payload.orderId"]))]
    pub correlation_key: Option<String>,
    /// Expression over the instance that gives the key to wait for, evaluated when the step is entered. Needs `correlationKey`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["input.orderId"]))]
    pub correlation_value: Option<String>,
    /// Expression that must be true for an event to be taken. Values of the instance are those at entry; one that cannot be evaluated counts as false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["event.payload.amount > 1000"]))]
    pub event_condition: Option<String>,
    /// How old an event may be: INSTANCE accepts events since the instance began, STEP since the step was entered, a duration (at most P7D) reaches back that far before the entry. Default: INSTANCE.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "INSTANCE"), extend("examples" = ["STEP", "PT1H"]), transform = shape::since)]
    pub since: Option<Since>,
    /// How long to wait. Default: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"duration": "P3D", "timeoutHandlerStepId": "remind"}]))]
    pub event_timeout: Option<EventTimeout>,
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

/// Waits for a length of time or until an instant. Exactly one of `duration` and `until` says how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("type", "DELAY"), transform = shape::delay)]
pub struct DelayStep {
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
    /// How long to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["PT10M"]))]
    pub duration: Option<IsoDuration>,
    /// Expression that gives the instant to wait for, a timestamp or an RFC 3339 text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["timestamp(input.dueAt)", "now + duration('24h')"]))]
    pub until: Option<String>,
    /// IANA time zone for an instant without offset and for the calendar. Default: UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), extend("default" = "UTC"), extend("examples" = ["Europe/Berlin"]))]
    pub timezone: Option<String>,
    /// Business calendar of the host; the delay ends at its next working instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["german-holidays"]), transform = shape::business_id)]
    pub calendar_id: Option<String>,
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

/// One branch of a PARALLEL step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Branch {
    /// Id of the branch, unique in its step; the output names the branch by it.
    #[schemars(extend("examples" = ["credit"]), transform = shape::step_id)]
    pub branch_id: String,
    /// Name shown to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Credit check"]), transform = shape::label)]
    pub name: Option<String>,
    /// The steps of the branch, which begins at its first one.
    #[schemars(length(min = 1), extend("examples" = [[{"stepId": "check-credit", "type": "TASK", "taskId": "check-credit"}]]))]
    pub steps: Vec<Step>,
    /// Whether the join and the failure rule count this branch. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true), extend("examples" = [false]))]
    pub required: Option<bool>,
    /// Limit of the branch; beyond it the branch fails with a TIMEOUT error. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["PT30S", "PT5M"]))]
    pub timeout: Option<IsoDuration>,
}

/// When the branches of a PARALLEL step are joined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Join {
    /// ALL waits for every required branch, N_OF_M for `count` branches, FIRST for one. Default: ALL.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "ALL"), extend("examples" = ["N_OF_M"]))]
    pub join_type: Option<JoinType>,
    /// How many branches N_OF_M waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64), extend("examples" = [2]))]
    pub count: Option<u32>,
}

/// How long an EVENT_WAIT waits. Exactly one of `duration` and `until` says it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::event_timeout)]
pub struct EventTimeout {
    /// How long to wait, counted from the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["P3D"]))]
    pub duration: Option<IsoDuration>,
    /// Expression that gives the instant until which to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["timestamp(input.dueAt)"]))]
    pub until: Option<String>,
    /// The step to go on at when nothing came. Default: the step fails with EVENT_WAIT_TIMEOUT.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["remind"]), transform = shape::step_id)]
    pub timeout_handler_step_id: Option<String>,
}

/// How an END step ends the instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EndResult {
    /// The instance is COMPLETED.
    #[default]
    Completed,
    /// The instance fails with the error of the step.
    Failed,
}

/// When branches are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JoinType {
    /// When every required branch has completed.
    #[default]
    All,
    /// When `count` branches have completed.
    #[serde(rename = "N_OF_M")]
    NOfM,
    /// When one branch has completed.
    First,
}

/// What a failing required branch does to the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BranchFailure {
    /// The others are cancelled at once.
    #[default]
    FailFast,
    /// The others finish first.
    WaitAll,
}

/// What a failing iteration does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ItemFailure {
    /// The step fails at once.
    #[default]
    FailFast,
    /// The failure is reported in the output.
    Collect,
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

impl EndStep {
    /// How the instance ends.
    #[must_use]
    pub fn result(&self) -> EndResult {
        self.result.unwrap_or_default()
    }

    /// Code of the error of a failed workflow.
    #[must_use]
    pub fn error_code(&self) -> &str {
        self.error_code.as_deref().unwrap_or("WORKFLOW_FAILED")
    }
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

impl ParallelStep {
    /// When the branches are joined.
    #[must_use]
    pub fn join_type(&self) -> JoinType {
        self.join
            .as_ref()
            .and_then(|join| join.join_type)
            .unwrap_or_default()
    }

    /// How many branches N_OF_M waits for.
    #[must_use]
    pub fn join_count(&self) -> Option<u32> {
        self.join.as_ref().and_then(|join| join.count)
    }

    /// Whether branches still running at the join are cancelled.
    #[must_use]
    pub fn cancels_remaining(&self) -> bool {
        self.cancel_remaining.unwrap_or(true)
    }

    /// What a failing required branch does to the others.
    #[must_use]
    pub fn on_branch_failure(&self) -> BranchFailure {
        self.on_branch_failure.unwrap_or_default()
    }
}

impl Branch {
    /// Whether the join and the failure rule count this branch.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required.unwrap_or(true)
    }
}

impl ForEachStep {
    /// Name by which expressions in the body read the element.
    #[must_use]
    pub fn item_name(&self) -> &str {
        self.item_name.as_deref().unwrap_or("item")
    }

    /// How many elements are worked on at once.
    #[must_use]
    pub fn max_concurrency(&self) -> u32 {
        self.max_concurrency.unwrap_or(5)
    }

    /// The longest list allowed.
    #[must_use]
    pub fn max_items(&self) -> u32 {
        self.max_items.unwrap_or(1000)
    }

    /// What a failing iteration does.
    #[must_use]
    pub fn on_item_failure(&self) -> ItemFailure {
        self.on_item_failure.unwrap_or_default()
    }
}

impl EventWaitStep {
    /// The event patterns, one or several; empty when the step waits for a signal.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        match (&self.event_pattern, &self.event_patterns) {
            (Some(one), _) => std::slice::from_ref(one),
            (None, Some(many)) => many,
            (None, None) => &[],
        }
    }

    /// How old an event may be.
    #[must_use]
    pub fn since(&self) -> Since {
        self.since.clone().unwrap_or_default()
    }
}

impl DelayStep {
    /// IANA time zone for an instant without offset and for the calendar.
    #[must_use]
    pub fn timezone(&self) -> &str {
        self.timezone.as_deref().unwrap_or("UTC")
    }
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
