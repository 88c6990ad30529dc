//! The definition kind `schema`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::shape;
use super::tag::{SchemaLink, SchemaTag};
pub use crate::schema::Compatibility;

/// A JSON Schema under a name, for other definitions to refer to as `aug://schema/<schemaId>/<version>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct SchemaDefinition {
    /// Address of a JSON Schema for your editor. Accepted anywhere, never stored.
    #[serde(rename = "$schema", default, skip_serializing)]
    #[schemars(extend("examples" = ["aug://schema/core.schema/1.0.0"]), transform = shape::link)]
    pub schema_link: SchemaLink,
    /// Says that this document defines a schema.
    #[schemars(extend("examples" = ["schema"]))]
    pub kind: SchemaTag,
    /// Business id of the schema. It stays the same over all versions. Ids that begin with `core.` are reserved.
    #[schemars(extend("examples" = ["user-profile"]), transform = shape::business_id)]
    pub schema_id: String,
    /// Semantic version of this definition. Published content never changes, so every change needs a new version.
    #[schemars(extend("examples" = ["1.0.0", "2.3.1"]), transform = shape::version)]
    pub version: String,
    /// Name shown to people.
    #[schemars(extend("examples" = ["User profile"]), transform = shape::label)]
    pub name: String,
    /// What the schema describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Checks the order and ships it."]))]
    pub description: Option<String>,
    /// Heading under which it is listed; no part of its identity. Default: `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("default" = "default"), extend("examples" = ["crm"]))]
    pub namespace: Option<String>,
    /// The JSON Schema itself, an object or a boolean.
    #[schemars(extend("examples" = [{"type": "object", "required": ["email"], "properties": {"email": {"type": "string", "format": "email"}}}]), transform = shape::schema)]
    pub schema: Value,
    /// What a new version may change: BACKWARD accepts all data the old one accepted, FORWARD the other way round, FULL both, NONE anything; with _TRANSITIVE compared with all earlier versions. Default: BACKWARD.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "BACKWARD"), extend("examples" = ["FULL"]))]
    pub compatibility: Option<Compatibility>,
    /// Who is responsible for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("examples" = ["crm-team"]))]
    pub owner: Option<String>,
    /// Words to find it by, at most 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), inner(length(min = 1, max = 50)), extend("examples" = [["customer", "public"]]))]
    pub tags: Option<Vec<String>>,
    /// Why this version should no longer be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["use 2.0.0, which knows several addresses"]))]
    pub deprecation_reason: Option<String>,
    /// The version to use instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["2.0.0"]), transform = shape::version)]
    pub replaced_by: Option<String>,
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"owner": "sales", "reviewedAt": "2026-01-31"}]))]
    pub metadata: Option<Map<String, Value>>,
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
