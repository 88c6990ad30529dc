//! The definition kind `task`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::execution::ExecutionConfig;
use super::implementation::Implementation;
use super::manual::Manual;
use super::retry::RetryPolicy;
use super::shape;
use super::tag::{SchemaLink, TaskTag};
use super::ui::UiBinding;
use crate::time::IsoDuration;

/// A reusable unit of work, done by code, by a remote system or by people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::task)]
pub struct TaskDefinition {
    /// Address of a JSON Schema for your editor. Accepted anywhere, never stored.
    #[serde(rename = "$schema", default, skip_serializing)]
    #[schemars(extend("examples" = ["aug://schema/core.task/1.0.0"]), transform = shape::link)]
    pub schema_link: SchemaLink,
    /// Says that this document defines a task.
    #[schemars(extend("examples" = ["task"]))]
    pub kind: TaskTag,
    /// Business id of the task. It stays the same over all versions; workflow steps refer to it.
    #[schemars(extend("examples" = ["charge-card"]), transform = shape::business_id)]
    pub task_id: String,
    /// Semantic version of this definition. Published content never changes, so every change needs a new version.
    #[schemars(extend("examples" = ["1.0.0", "2.3.1"]), transform = shape::version)]
    pub version: String,
    /// Name shown to people; the inbox shows it where no title is given.
    #[schemars(extend("examples" = ["Charge card"]), transform = shape::name)]
    pub name: String,
    /// What the task does, and what people who work on it need to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Checks the order and ships it."]))]
    pub description: Option<String>,
    /// Who does the work: AUTOMATED a program, MANUAL people, INTEGRATION a remote system through an integration.
    #[serde(rename = "type")]
    #[schemars(extend("examples" = ["AUTOMATED"]))]
    pub task_type: TaskType,
    /// How the work is done.
    #[schemars(extend("examples" = [{"kind": "NATIVE", "endpoint": "payments.charge"}]))]
    pub implementation: Implementation,
    /// JSON Schema of the input; its `type` is `object`.
    #[schemars(extend("examples" = [{"type": "object", "required": ["amount"], "properties": {"amount": {"type": "integer"}}}]), transform = shape::object_schema)]
    pub input_schema: Value,
    /// JSON Schema of the output; its `type` is `object`.
    #[schemars(extend("examples" = [{"type": "object", "required": ["paymentId"]}]), transform = shape::object_schema)]
    pub output_schema: Value,
    /// Limit of one attempt. Default: PT5M; for MANUAL tasks the hard expiry since creation, by default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["PT30S"]))]
    pub timeout: Option<IsoDuration>,
    /// The longest wait for the first start. Not for MANUAL tasks. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["PT1H"]))]
    pub queue_timeout: Option<IsoDuration>,
    /// Limit over all attempts and the delays between them. Not for MANUAL tasks. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["P1D"]))]
    pub total_timeout: Option<IsoDuration>,
    /// Longest silence of the handler before the attempt counts as failed. Not for MANUAL tasks. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["PT30S"]))]
    pub heartbeat_timeout: Option<IsoDuration>,
    /// How failed attempts are repeated; a step may state its own policy instead. Default: 3 attempts, for MANUAL tasks 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"maxAttempts": 5, "initialInterval": "PT2S"}]))]
    pub retry_policy: Option<RetryPolicy>,
    /// Where and with which rights and resources the task runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"deliveryMode": "AT_MOST_ONCE"}]))]
    pub execution_config: Option<ExecutionConfig>,
    /// Settings of human work; exactly the tasks of type MANUAL have them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"interaction": "APPROVAL", "outcomes": [{"id": "approved"}, {"id": "rejected"}]}]))]
    pub manual: Option<Manual>,
    /// UI components that show the task. Default: a form generated from the output schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"componentId": "order-form"}]]))]
    pub ui_components: Option<Vec<UiBinding>>,
    /// What happens after the last failed attempt: FAIL, or RAISE_EXCEPTION to hand the case to people as an exception task. Default: FAIL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "FAIL"), extend("examples" = ["RAISE_EXCEPTION"]))]
    pub on_exhausted: Option<OnExhausted>,
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"owner": "sales", "reviewedAt": "2026-01-31"}]))]
    pub metadata: Option<Map<String, Value>>,
}

/// Who does the work of a task.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskType {
    /// A program.
    Automated,
    /// People.
    Manual,
    /// A remote system through an integration.
    Integration,
}

/// What happens after the last failed attempt.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OnExhausted {
    /// The task fails.
    #[default]
    Fail,
    /// An exception task asks people what to do.
    RaiseException,
}

impl TaskType {
    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Automated => "AUTOMATED",
            Self::Manual => "MANUAL",
            Self::Integration => "INTEGRATION",
        }
    }
}

impl TaskDefinition {
    /// Limit of one attempt in microseconds: the stated one, else PT5M, and none for MANUAL tasks.
    #[must_use]
    pub fn attempt_timeout_micros(&self) -> Option<i64> {
        match (&self.timeout, self.task_type) {
            (Some(stated), _) => Some(stated.as_micros()),
            (None, TaskType::Manual) => None,
            (None, TaskType::Automated | TaskType::Integration) => Some(300_000_000),
        }
    }

    /// What happens after the last failed attempt.
    #[must_use]
    pub fn on_exhausted(&self) -> OnExhausted {
        self.on_exhausted.unwrap_or_default()
    }
}
