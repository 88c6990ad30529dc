//! Steps that do no work: where a workflow begins, branches and ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::shape;
use crate::model::tag::present;
use crate::model::transition::{OnFailure, Transition};

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
