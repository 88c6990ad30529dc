//! The definition kind `workflow`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::retry::RetryPolicy;
use super::shape;
use super::step::Step;
use super::tag::{CompensationType, SchemaLink, WorkflowTag, present};
use super::ui::UiBinding;
use crate::time::IsoDuration;

/// A durable process: a graph of steps that starts at one step and ends where a path ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct WorkflowDefinition {
    /// Address of a JSON Schema for your editor. Accepted anywhere, never stored.
    #[serde(rename = "$schema", default, skip_serializing)]
    #[schemars(extend("examples" = ["aug://schema/core.workflow/1.0.0"]), transform = shape::link)]
    pub schema_link: SchemaLink,
    /// Says that this document defines a workflow.
    #[schemars(extend("examples" = ["workflow"]))]
    pub kind: WorkflowTag,
    /// Business id of the workflow. It stays the same over all versions; triggers, schedules and other workflows refer to it.
    #[schemars(extend("examples" = ["order-processing"]), transform = shape::business_id)]
    pub workflow_id: String,
    /// Semantic version of this definition. Published content never changes, so every change needs a new version.
    #[schemars(extend("examples" = ["1.0.0", "2.3.1"]), transform = shape::version)]
    pub version: String,
    /// Name shown to people.
    #[schemars(extend("examples" = ["Approve order"]), transform = shape::label)]
    pub name: String,
    /// What the workflow is for, in a sentence or two.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Checks the order and ships it."]))]
    pub description: Option<String>,
    /// JSON Schema of the input. A start whose input does not fit is refused. Default: any object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("default" = {"type": "object"}), extend("examples" = [{"type": "object", "required": ["orderId"], "properties": {"orderId": {"type": "string"}}}]), transform = shape::schema)]
    pub input_schema: Option<Value>,
    /// JSON Schema of the output, checked when the workflow completes.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"type": "object", "required": ["status"]}]), transform = shape::schema)]
    pub output_schema: Option<Value>,
    /// Mapping that builds the output of the workflow. Default: the output of the step its path ended with. The `output` of an END step wins over it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"status": "done", "total": "${vars.total}"}]))]
    pub output: Option<Value>,
    /// Variables and their first values, a mapping that may read `input` only. Steps change them with `assign`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"total": 0, "customer": "${input.customer}"}]))]
    pub variables: Option<Map<String, Value>>,
    /// The steps. Nested steps stand inside PARALLEL branches and FOR_EACH bodies; a definition holds at most 500, nested at most 8 deep.
    #[schemars(length(min = 1), extend("examples" = [[{"stepId": "ship", "type": "TASK", "taskId": "ship-order"}]]))]
    pub steps: Vec<Step>,
    /// The step to begin with. Default: the START step, else the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["receive"]), transform = shape::step_id)]
    pub start_step_id: Option<String>,
    /// What undoes completed steps, in reverse order of their completion, when the workflow fails or is cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"stepId": "refund", "compensationFor": "charge", "taskId": "refund-payment"}]]))]
    pub compensation_steps: Option<Vec<CompensationStep>>,
    /// Whether a failure runs the compensation steps. Default: true if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [false]))]
    pub compensate_on_failure: Option<bool>,
    /// Events that cancel a running instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"eventPattern": "order.cancelled", "correlationKey": "event.payload.orderId", "correlationValue": "input.orderId", "reason": "the customer cancelled", "shouldCompensate": true}]]))]
    pub cancellation_triggers: Option<Vec<CancellationTrigger>>,
    /// The signals this workflow accepts, each with the JSON Schema of its payload. Default: any signal with any payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"approve": {"type": "object", "properties": {"comment": {"type": "string"}}}}]), transform = shape::schemas_by_name)]
    pub signals: Option<BTreeMap<String, Value>>,
    /// Retry policy of tasks for which neither the step nor the task definition states one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"maxAttempts": 5}]))]
    pub default_retry_policy: Option<RetryPolicy>,
    /// Handler of errors that no step handled; it runs once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"handlerStepId": "report-failure"}]))]
    pub on_error: Option<OnError>,
    /// The longest an instance may take from start to end. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["P30D"]))]
    pub execution_timeout: Option<IsoDuration>,
    /// Limits how many instances live at once. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"max": 1, "key": "input.customerId"}]))]
    pub concurrency: Option<Concurrency>,
    /// Whose permissions task and integration calls use: `initiator`, or `serviceAccount:` and its name. Default: `initiator`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "initiator"), extend("examples" = ["initiator", "serviceAccount:billing"]), transform = shape::run_as)]
    pub run_as: Option<String>,
    /// UI components of the run view.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"componentId": "order-overview"}]]))]
    pub ui_components: Option<Vec<UiBinding>>,
    /// How much of a run is logged and how long details are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"level": "DEBUG", "retention": "P90D"}]))]
    pub execution_log: Option<ExecutionLog>,
    /// Positions for a graphical designer. The engine does not read it, and it is no part of the content hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"approve-order": {"x": 120, "y": 80}}]))]
    pub layout: Option<Map<String, Value>>,
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"owner": "sales", "reviewedAt": "2026-01-31"}]))]
    pub metadata: Option<Map<String, Value>>,
}

/// How often at most a workflow runs at the same time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Concurrency {
    /// How many instances may live at once, for each key if there is one. Further starts wait as CREATED.
    #[schemars(range(min = 1, max = 1000000), extend("examples" = [1]))]
    pub max: u32,
    /// Expression over `input` whose value the instances are counted by. Default: all instances count together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["input.customerId"]))]
    pub key: Option<String>,
}

/// The handler of errors that no step handled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct OnError {
    /// The step to go on at. It reads the error as `error`.
    #[schemars(extend("examples" = ["report-failure"]), transform = shape::step_id)]
    pub handler_step_id: String,
    /// Mapping whose members replace those of the handler step's own `input`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"code": "${error.code}"}]))]
    pub input_mapping: Option<Value>,
}

/// A task that undoes a completed step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct CompensationStep {
    /// Id of this compensation step, unique in the definition.
    #[schemars(extend("examples" = ["refund"]), transform = shape::step_id)]
    pub step_id: String,
    /// The step it undoes: a TASK, HUMAN_TASK, POLL or SUB_WORKFLOW. A step has at most one compensation.
    #[schemars(extend("examples" = ["charge"]), transform = shape::step_id)]
    pub compensation_for: String,
    /// Always TASK.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["TASK"]))]
    pub step_type: Option<CompensationType>,
    /// Business id of the task that does the undoing.
    #[schemars(extend("examples" = ["charge-card"]), transform = shape::business_id)]
    pub task_id: String,
    /// Mapping that builds the task's input. Default: `originalInput`, `originalOutput`, `workflowInput`, `variables`, `cancellation` and `error`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"paymentId": "${steps.charge.output.paymentId}"}]))]
    pub input: Option<Value>,
    /// Expression that must be true for the compensation to run. Default: it always runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["steps.charge.output.amount > 0"]))]
    pub condition: Option<String>,
    /// Retry policy of this task. Default: 5 attempts, the rest as usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"maxAttempts": 5, "initialInterval": "PT2S"}]))]
    pub retry_policy: Option<RetryPolicy>,
    /// Limit of one attempt. Default: that of the task definition, else PT5M.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["PT30S", "PT5M"]))]
    pub timeout: Option<IsoDuration>,
    /// Whether to run also when the step itself failed without anybody knowing whether its work was done (a timeout, a lost worker). Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false), extend("examples" = [true]))]
    pub compensate_on_timeout: Option<bool>,
}

impl CompensationStep {
    /// Whether an ambiguous failure of the step is undone, too.
    #[must_use]
    pub fn compensates_on_timeout(&self) -> bool {
        self.compensate_on_timeout.unwrap_or(false)
    }
}

/// An event that cancels a running instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::correlation)]
pub struct CancellationTrigger {
    /// Pattern of the event names to listen to, with at least one literal segment. `*` stands for one segment, a trailing `**` for one or more.
    #[schemars(extend("examples" = ["order.cancelled", "order.*", "order.**"]), transform = shape::event_pattern)]
    pub event_pattern: String,
    /// Expression over `event` that gives the key of an event. Needs `correlationValue`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["event.payload.orderId"]))]
    pub correlation_key: Option<String>,
    /// Expression over the instance that gives the key it listens for, evaluated at its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["input.orderId"]))]
    pub correlation_value: Option<String>,
    /// Expression that must be true for the event to count. It may read `event`, `input`, `vars` and `steps`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["event.payload.amount > 1000"]))]
    pub event_condition: Option<String>,
    /// Reason recorded with the cancellation.
    #[schemars(length(min = 1), extend("examples" = ["the customer cancelled the order"]))]
    pub reason: String,
    /// Whether completed steps are compensated.
    #[schemars(extend("examples" = [true]))]
    pub should_compensate: bool,
}

/// How much of a run is logged and how long details are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ExecutionLog {
    /// Level of log lines and of the detail kept in the history: ERROR failures only, INFO types and decisions, DEBUG evaluated values as well. Default: INFO.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "INFO"), extend("examples" = ["INFO"]))]
    pub level: Option<LogLevel>,
    /// How long inputs, outputs and trails of a finished instance are kept. Default: P30D.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "P30D"), extend("examples" = ["P30D"]))]
    pub retention: Option<IsoDuration>,
    /// Names of members of the instance's metadata that are copied to each log line. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(length(min = 1)), extend("examples" = [["tenant", "channel"]]))]
    pub metadata: Option<Vec<String>>,
    /// Whether the history shows which rule of a step was taken. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true), extend("examples" = [false]))]
    pub track_decisions: Option<bool>,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LogLevel {
    /// Failures only.
    Error,
    /// What happened and which rules were taken.
    #[default]
    Info,
    /// Evaluated values as well.
    Debug,
}

impl WorkflowDefinition {
    /// Whether a failure runs the compensation steps.
    #[must_use]
    pub fn compensates_on_failure(&self) -> bool {
        self.compensate_on_failure
            .unwrap_or_else(|| !self.compensation_steps().is_empty())
    }

    /// The compensation steps.
    #[must_use]
    pub fn compensation_steps(&self) -> &[CompensationStep] {
        self.compensation_steps.as_deref().unwrap_or_default()
    }

    /// The events that cancel an instance.
    #[must_use]
    pub fn cancellation_triggers(&self) -> &[CancellationTrigger] {
        self.cancellation_triggers.as_deref().unwrap_or_default()
    }

    /// Id of the step to begin with: the stated one, else the START step, else the first one.
    #[must_use]
    pub fn entry_step_id(&self) -> Option<&str> {
        self.start_step_id.as_deref().or_else(|| {
            let start = self
                .steps
                .iter()
                .find(|step| matches!(step, Step::Start(_)));
            start.or_else(|| self.steps.first()).map(Step::step_id)
        })
    }

    /// Every step of the definition, nested ones after their container.
    ///
    /// Compensation steps are not among them.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        let mut stack: Vec<&Step> = self.steps.iter().rev().collect();
        std::iter::from_fn(move || {
            let step = stack.pop()?;
            let mark = stack.len();
            stack.extend(step.nested_scopes().flatten());
            if let Some(pushed) = stack.get_mut(mark..) {
                pushed.reverse();
            }
            Some(step)
        })
    }

    /// Level of log lines and of the detail kept in the history.
    #[must_use]
    pub fn log_level(&self) -> LogLevel {
        self.execution_log
            .as_ref()
            .and_then(|log| log.level)
            .unwrap_or_default()
    }

    /// Whether the history shows which rule of a step was taken.
    #[must_use]
    pub fn tracks_decisions(&self) -> bool {
        self.execution_log
            .as_ref()
            .and_then(|log| log.track_decisions)
            .unwrap_or(true)
    }
}
