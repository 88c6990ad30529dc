//! Where and with which rights and resources a task runs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shape;

/// Where and with which rights and resources a task runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ExecutionConfig {
    /// The executor pool, which is the queue of that name: `standard`, `isolated`, `high-resource`, `integration` or one of the host. Default: derived; stating it always queues the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["isolated"]), transform = shape::step_id)]
    pub executor: Option<String>,
    /// What happens when a worker is lost: AT_LEAST_ONCE runs the task again, AT_MOST_ONCE fails it. Default: AT_LEAST_ONCE.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "AT_LEAST_ONCE"), extend("examples" = ["AT_MOST_ONCE"]))]
    pub delivery_mode: Option<DeliveryMode>,
    /// Rights and protection.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"securityLevel": "HIGH", "dataClassification": "CONFIDENTIAL"}]))]
    pub security_context: Option<SecurityContext>,
    /// Limits of a sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"cpu": "500m", "memory": "256Mi"}]))]
    pub resource_requirements: Option<ResourceRequirements>,
    /// Environment variables of a sandbox; a value may be `secret:` and a name. `TASK_ID` and `WORKFLOW_ID` are reserved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"REGION": "eu", "API_TOKEN": "secret:shop-token"}]), transform = shape::environment)]
    pub environment_variables: Option<BTreeMap<String, String>>,
    /// Limits how many of these tasks run at once; stating it always queues the task. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"key": "${input.accountId}", "max": 1}]))]
    pub concurrency: Option<TaskConcurrency>,
}

/// What happens when a worker is lost.
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
pub enum DeliveryMode {
    /// The task is run again.
    #[default]
    AtLeastOnce,
    /// The task fails, since nobody knows whether its work was done.
    AtMostOnce,
}

/// Rights and protection of a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct SecurityContext {
    /// How strongly it is isolated. Default: LOW.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "LOW"), extend("examples" = ["HIGH"]))]
    pub security_level: Option<SecurityLevel>,
    /// Permissions, as `resource:action`, that the acting principal must hold. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = []), extend("examples" = [["payments:charge"]]), inner(length(min = 1, max = 255)))]
    pub permissions: Option<Vec<String>>,
    /// Service account it runs as. Default: that of the workflow, else who submitted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["billing"]), transform = shape::business_id)]
    pub run_as: Option<String>,
    /// Hosts it may connect to, each with an optional port; `*` as the first label stands for any name. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(length(min = 1, max = 255)), extend("default" = []), extend("examples" = [["api.example.com", "*.example.org:8443"]]))]
    pub allowed_endpoints: Option<Vec<String>>,
    /// How sensitive its data are; decides what is masked. Default: INTERNAL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "INTERNAL"), extend("examples" = ["CONFIDENTIAL"]))]
    pub data_classification: Option<DataClassification>,
}

/// How strongly a task is isolated.
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
pub enum SecurityLevel {
    /// In process.
    #[default]
    Low,
    /// Separated from others.
    Medium,
    /// Sandboxed.
    High,
}

/// How sensitive data are.
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
pub enum DataClassification {
    /// For everybody.
    Public,
    /// For people of the organisation.
    #[default]
    Internal,
    /// For those who need them.
    Confidential,
    /// For named people only.
    Restricted,
}

/// Limits of a sandbox.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ResourceRequirements {
    /// Processor cores: a number, or thousandths with `m`. Default: 0.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "0.1"), extend("examples" = ["0.5", "500m"]), length(min = 1, max = 64))]
    pub cpu: Option<String>,
    /// Memory, with one of the units K, M, G, Ki, Mi, Gi. Default: 128Mi.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "128Mi"), extend("examples" = ["256Mi"]), length(min = 1, max = 64))]
    pub memory: Option<String>,
    /// Disk space, with one of the units K, M, G, Ki, Mi, Gi. Default: 500Mi.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "500Mi"), extend("examples" = ["1Gi"]), length(min = 1, max = 64))]
    pub disk: Option<String>,
}

/// How many tasks run at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct TaskConcurrency {
    /// Template over `input`; tasks with the same text count together.
    #[schemars(length(min = 1), extend("examples" = ["${input.accountId}"]))]
    pub key: String,
    /// How many of them may run at once.
    #[schemars(range(min = 1, max = 1000000), extend("examples" = [1]))]
    pub max: u32,
}

impl ExecutionConfig {
    /// What happens when a worker is lost.
    #[must_use]
    pub fn delivery_mode(&self) -> DeliveryMode {
        self.delivery_mode.unwrap_or_default()
    }
}
