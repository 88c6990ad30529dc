//! The definition kind `trigger`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::tag::{SchemaLink, TriggerTag, present};

/// Lets an event start, cancel or signal instances of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct TriggerDefinition {
    /// Address of a JSON Schema for your editor. Accepted anywhere, never stored.
    #[serde(rename = "$schema", default, skip_serializing)]
    pub schema_link: SchemaLink,
    /// Says that this document defines a trigger.
    pub kind: TriggerTag,
    /// Business id of the trigger. It stays the same over all versions; exactly one version is live, the published one.
    pub trigger_id: String,
    /// Semantic version of this definition. Published content never changes, so every change needs a new version.
    pub version: String,
    /// What the trigger is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Business id of the workflow.
    pub workflow_id: String,
    /// Version of the workflow to start. Default: the highest published one at that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_version: Option<String>,
    /// Pattern of the event names to listen to, with at least one literal segment. `*` stands for one segment, a trailing `**` for one or more.
    pub event_pattern: String,
    /// SemVer range of event definition versions to listen to. Default: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_range: Option<String>,
    /// What an event does: START an instance, CANCEL or SIGNAL those with its key.
    pub trigger_type: TriggerType,
    /// Expression over `event` that must be true; one that cannot be evaluated counts as false. Default: every event counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_condition: Option<String>,
    /// Mapping over `event` that builds the workflow's input, or the payload of the signal. Default: the payload of the event.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub input_mapping: Option<Value>,
    /// Expression over `event` that gives the key, a text. It becomes the instance's correlation id (START) or selects instances by it (CANCEL, SIGNAL, where it is required). Default for START: the event's own correlation id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_key: Option<String>,
    /// Name of the signal to send, with SIGNAL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal_type: Option<String>,
    /// What happens when an instance of the same workflow and key is running: ALLOW starts another one, SKIP_IF_RUNNING does not, CANCEL_RUNNING cancels the running one first. Default: ALLOW.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_policy: Option<DuplicatePolicy>,
    /// Reason recorded with a cancellation. Default: a text that names the pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether a cancellation compensates completed steps. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub should_compensate: Option<bool>,
    /// Order among the triggers that fit an event, higher first. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
}

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
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
