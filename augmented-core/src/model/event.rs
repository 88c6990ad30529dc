//! The definition kind `event`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use super::shape;
use super::tag::{EventTag, SchemaLink};
use crate::time::IsoDuration;

/// Declares an event: its name, who may emit it and what its payload looks like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct EventDefinition {
    /// Address of a JSON Schema for your editor. Accepted anywhere, never stored.
    #[serde(rename = "$schema", default, skip_serializing)]
    #[schemars(extend("examples" = ["aug://schema/core.event/1.0.0"]), transform = shape::link)]
    pub schema_link: SchemaLink,
    /// Says that this document defines an event.
    #[schemars(extend("examples" = ["event"]))]
    pub kind: EventTag,
    /// Business id of the event. It stays the same over all versions.
    #[schemars(extend("examples" = ["Orders.placed"]), transform = shape::business_id)]
    pub event_id: String,
    /// Semantic version of this definition. Published content never changes, so every change needs a new version.
    #[schemars(extend("examples" = ["1.0.0", "2.3.1"]), transform = shape::version)]
    pub version: String,
    /// Name shown to people.
    #[schemars(extend("examples" = ["Order placed"]), transform = shape::label)]
    pub name: String,
    /// When the event happens and what it means.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Checks the order and ships it."]))]
    pub description: Option<String>,
    /// The exact name events are published under, the same for all versions: 2 to 6 segments joined by dots, no wildcards.
    #[schemars(extend("examples" = ["order.placed"]), transform = shape::event_name)]
    pub pattern: String,
    /// Who may emit it. Default: all but EXTERNAL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("default" = ["WORKFLOW", "TASK", "INTEGRATION", "SYSTEM", "SERVICE"]), extend("examples" = [["SERVICE", "EXTERNAL"]]), transform = shape::unique)]
    pub source_types: Option<Vec<SourceType>>,
    /// JSON Schema of the payload; its `type` is `object`.
    #[schemars(extend("examples" = [{"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}]), transform = shape::object_schema)]
    pub payload_schema: Value,
    /// Example payloads; each must fit the schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = []), extend("examples" = [[{"id": "o-1"}]]))]
    pub examples: Option<Vec<Value>>,
    /// How designers show the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"icon": "cart", "color": "#2266AA", "category": "Orders", "priority": "HIGH"}]))]
    pub ui_metadata: Option<EventUiMetadata>,
    /// Expression over `event` that gives the ordering key: events with the same key are handled in the order they came. Default: no order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["event.payload.orderId"]))]
    pub stream_key: Option<String>,
    /// How long such events are kept: a duration, or FOREVER. Default: that of the host, P30D.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["P90D", "FOREVER"]), transform = shape::retention)]
    pub retention: Option<Retention>,
    /// Which members of the payload are personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"subjectPath": "/customerId", "fields": {"/email": {"classification": "PII", "mask": "HASH"}}}]))]
    pub privacy: Option<EventPrivacy>,
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"owner": "sales", "reviewedAt": "2026-01-31"}]))]
    pub metadata: Option<Map<String, Value>>,
}

/// Who emits an event.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SourceType {
    /// A workflow instance.
    Workflow,
    /// A task.
    Task,
    /// An integration.
    Integration,
    /// Somebody outside, over the API.
    External,
    /// The engine itself.
    System,
    /// A service of the host.
    Service,
}

/// How designers show an event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct EventUiMetadata {
    /// Name of an icon.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("examples" = ["cart"]))]
    pub icon: Option<String>,
    /// A colour, `#RRGGBB` or a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["#2266AA", "teal"]), transform = shape::color)]
    pub color: Option<String>,
    /// Heading under which it is listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("examples" = ["Orders"]))]
    pub category: Option<String>,
    /// How much it stands out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["HIGH"]))]
    pub priority: Option<EventUiPriority>,
}

/// How much an event stands out.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventUiPriority {
    /// Much.
    High,
    /// As usual.
    Medium,
    /// Little.
    Low,
}

/// Which members of a payload are personal data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct EventPrivacy {
    /// JSON Pointer to the member of the payload that names the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["/customerId"]), transform = shape::json_pointer)]
    pub subject_path: Option<String>,
    /// The members, each by its JSON Pointer into the payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"/email": {"classification": "PII", "encrypt": true}}]))]
    pub fields: Option<BTreeMap<String, FieldPrivacy>>,
}

/// How one member of a payload is protected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct FieldPrivacy {
    /// What sort of data it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "NONE"), extend("examples" = ["PII"]))]
    pub classification: Option<PrivacyClass>,
    /// Whether it is stored encrypted. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false), extend("examples" = [true]))]
    pub encrypt: Option<bool>,
    /// How it is shown to those who may not see it in full: FULL hides all, LAST4 all but four characters, HASH shows a hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "FULL"), extend("examples" = ["LAST4"]))]
    pub mask: Option<Mask>,
}

/// What sort of data a member holds.
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
pub enum PrivacyClass {
    /// Nothing special.
    #[default]
    None,
    /// Personal data.
    Pii,
    /// Card data.
    Pci,
    /// A secret.
    Secret,
}

/// How a member is shown to those who may not see it in full.
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
pub enum Mask {
    /// Not at all.
    #[default]
    Full,
    /// Its last four characters.
    #[serde(rename = "LAST4")]
    Last4,
    /// A hash of it.
    Hash,
}

/// How long events are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retention {
    /// For ever.
    Forever,
    /// This long.
    For(IsoDuration),
}

impl Serialize for Retention {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Forever => "FOREVER",
            Self::For(length) => length.as_str(),
        })
    }
}

impl<'de> Deserialize<'de> for Retention {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "FOREVER" {
            return Ok(Self::Forever);
        }
        text.parse().map(Self::For).map_err(de::Error::custom)
    }
}

impl EventDefinition {
    /// Whether this sort of source may emit the event.
    #[must_use]
    pub fn allows_source(&self, source: SourceType) -> bool {
        self.source_types
            .as_ref()
            .map_or(source != SourceType::External, |allowed| {
                allowed.contains(&source)
            })
    }
}
