//! The definition kind `trigger`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::shape;
use super::tag::{SchemaLink, TriggerTag, present};

/// Lets an event start, cancel or signal instances of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::trigger)]
pub struct TriggerDefinition {
    /// Address of a JSON Schema for your editor. Accepted anywhere, never stored.
    #[serde(rename = "$schema", default, skip_serializing)]
    #[schemars(extend("examples" = ["aug://schema/core.trigger/1.0.0"]), transform = shape::link)]
    pub schema_link: SchemaLink,
    /// Says that this document defines a trigger.
    #[schemars(extend("examples" = ["trigger"]))]
    pub kind: TriggerTag,
    /// Business id of the trigger. It stays the same over all versions; exactly one version is live, the published one.
    #[schemars(extend("examples" = ["start-order"]), transform = shape::business_id)]
    pub trigger_id: String,
    /// Semantic version of this definition. Published content never changes, so every change needs a new version.
    #[schemars(extend("examples" = ["1.0.0", "2.3.1"]), transform = shape::version)]
    pub version: String,
    /// What the trigger is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Checks the order and ships it."]))]
    pub description: Option<String>,
    /// Business id of the workflow.
    #[schemars(extend("examples" = ["order-processing"]), transform = shape::business_id)]
    pub workflow_id: String,
    /// Version of the workflow to start. Default: the highest published one at that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["1.2.0", "^1.2"]), transform = shape::version_range)]
    pub workflow_version: Option<String>,
    /// Pattern of the event names to listen to, with at least one literal segment. `*` stands for one segment, a trailing `**` for one or more.
    #[schemars(extend("examples" = ["order.placed"]), transform = shape::event_pattern)]
    pub event_pattern: String,
    /// SemVer range of event definition versions to listen to. Default: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["^1"]), transform = shape::version_range)]
    pub version_range: Option<String>,
    /// What an event does: START an instance, CANCEL or SIGNAL those with its key.
    #[schemars(extend("examples" = ["START"]))]
    pub trigger_type: TriggerType,
    /// Expression over `event` that must be true; one that cannot be evaluated counts as false. Default: every event counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["event.payload.amount > 1000"]))]
    pub event_condition: Option<String>,
    /// Mapping over `event` that builds the workflow's input, or the payload of the signal. Default: the payload of the event.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"orderId": "${event.payload.id}"}]))]
    pub input_mapping: Option<Value>,
    /// Expression over `event` that gives the key, a text. It becomes the instance's correlation id (START) or selects instances by it (CANCEL, SIGNAL, where it is required). Default for START: the event's own correlation id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["event.payload.orderId"]))]
    pub correlation_key: Option<String>,
    /// Name of the signal to send, with SIGNAL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("examples" = ["approve"]))]
    pub signal_type: Option<String>,
    /// What happens when an instance of the same workflow and key is running: ALLOW starts another one, SKIP_IF_RUNNING does not, CANCEL_RUNNING cancels the running one first. Default: ALLOW.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "ALLOW"), extend("examples" = ["SKIP_IF_RUNNING"]))]
    pub duplicate_policy: Option<DuplicatePolicy>,
    /// Reason recorded with a cancellation. Default: a text that names the pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["the customer cancelled the order"]))]
    pub reason: Option<String>,
    /// Whether a cancellation compensates completed steps. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true), extend("examples" = [false]))]
    pub should_compensate: Option<bool>,
    /// Order among the triggers that fit an event, higher first. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 0), extend("examples" = [10]))]
    pub priority: Option<i32>,
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"owner": "sales", "reviewedAt": "2026-01-31"}]))]
    pub metadata: Option<Map<String, Value>>,
}

/// What an event does.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TriggerType {
    /// Starts an instance.
    Start,
    /// Cancels the instances with its key.
    Cancel,
    /// Sends them a signal.
    Signal,
}

/// What happens when an instance of the same workflow and key is running.
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
pub enum DuplicatePolicy {
    /// Another one is started.
    #[default]
    Allow,
    /// None is started.
    SkipIfRunning,
    /// The running one is cancelled first.
    CancelRunning,
}

impl TriggerDefinition {
    /// What happens when an instance of the same workflow and key is running.
    #[must_use]
    pub fn duplicate_policy(&self) -> DuplicatePolicy {
        self.duplicate_policy.unwrap_or_default()
    }

    /// Whether a cancellation compensates completed steps.
    #[must_use]
    pub fn should_compensate(&self) -> bool {
        self.should_compensate.unwrap_or(true)
    }

    /// Order among the triggers that fit an event, higher first.
    #[must_use]
    pub fn priority(&self) -> i32 {
        self.priority.unwrap_or(0)
    }
}
