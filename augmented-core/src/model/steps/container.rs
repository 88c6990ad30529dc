//! Steps that hold other steps: branches at once, a body for each element of a list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::shape;
use crate::model::step::Step;
use crate::model::tag::present;
use crate::model::transition::{OnFailure, Transition};
use crate::time::IsoDuration;

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

impl Branch {
    /// Whether the join and the failure rule count this branch.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required.unwrap_or(true)
    }
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
