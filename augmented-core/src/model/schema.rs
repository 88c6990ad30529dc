//! The definition kind `schema`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::tag::{SchemaLink, SchemaTag};

/// A JSON Schema under a name, for other definitions to refer to as `aug://schema/<schemaId>/<version>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct SchemaDefinition {
    /// Address of a JSON Schema for your editor. Accepted anywhere, never stored.
    #[serde(rename = "$schema", default, skip_serializing)]
    pub schema_link: SchemaLink,
    /// Says that this document defines a schema.
    pub kind: SchemaTag,
    /// Business id of the schema. It stays the same over all versions. Ids that begin with `core.` are reserved.
    pub schema_id: String,
    /// Semantic version of this definition. Published content never changes, so every change needs a new version.
    pub version: String,
    /// Name shown to people.
    pub name: String,
    /// What the schema describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Heading under which it is listed; no part of its identity. Default: `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The JSON Schema itself, an object or a boolean.
    pub schema: Value,
    /// What a new version may change: BACKWARD accepts all data the old one accepted, FORWARD the other way round, FULL both, NONE anything; with _TRANSITIVE compared with all earlier versions. Default: BACKWARD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compatibility: Option<Compatibility>,
    /// Who is responsible for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Words to find it by, at most 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Why this version should no longer be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecation_reason: Option<String>,
    /// The version to use instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
}

/// What a new version of a schema may change.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Compatibility {
    /// It accepts all data the latest one accepted.
    #[default]
    Backward,
    /// The latest one accepts all data it accepts.
    Forward,
    /// Both.
    Full,
    /// Anything.
    None,
    /// It accepts all data any earlier one accepted.
    BackwardTransitive,
    /// Every earlier one accepts all data it accepts.
    ForwardTransitive,
    /// Both of these.
    FullTransitive,
}

impl SchemaDefinition {
    /// What the next version may change.
    #[must_use]
    pub fn compatibility(&self) -> Compatibility {
        self.compatibility.unwrap_or_default()
    }

    /// Heading under which the schema is listed.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("default")
    }
}
