//! A version of a schema, as the registry gives it.

use std::sync::{Arc, LazyLock};

use augmented_core::ids::uuid_v7;
use augmented_core::json::content_hash;
use augmented_core::model::{
    self, Compatibility, DefinitionKind, Deprecation, LifecycleStatus, StoredDefinition,
};
use augmented_core::schema::{Bump, Change, CompatReport, CompiledSchema};
use augmented_core::validate::Finding;
use augmented_core::{TenantId, Timestamp, schemas};
use serde_json::{Value, json};

/// One version of a schema.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SchemaVersion {
    /// The version as it is stored, with its document and status.
    pub stored: StoredDefinition,
    content_hash: [u8; 32],
}

impl SchemaVersion {
    pub(super) fn new(stored: StoredDefinition) -> Self {
        let content_hash = content_hash(schema_of(&stored.document));
        Self {
            stored,
            content_hash,
        }
    }

    /// Its business id.
    #[must_use]
    pub fn schema_id(&self) -> &str {
        &self.stored.business_id
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.stored.version
    }

    /// Where it stands in its life.
    #[must_use]
    pub fn status(&self) -> LifecycleStatus {
        self.stored.status
    }

    /// The JSON Schema itself.
    #[must_use]
    pub fn schema(&self) -> &Value {
        schema_of(&self.stored.document)
    }

    /// SHA-256 of the canonical form of [`schema`](Self::schema), by which equal content is noticed.
    #[must_use]
    pub fn content_hash(&self) -> [u8; 32] {
        self.content_hash
    }

    /// The name shown to people.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("name").unwrap_or_default()
    }

    /// What it describes.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.text("description")
    }

    /// The heading under which it is listed.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.text("namespace").unwrap_or("default")
    }

    /// Who is responsible for it.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.text("owner")
    }

    /// The words to find it by.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        let tags = self.stored.document.get("tags").and_then(Value::as_array);
        tags.into_iter().flatten().filter_map(Value::as_str)
    }

    /// What the next version may change.
    #[must_use]
    pub fn compatibility(&self) -> Compatibility {
        let stated = self.stored.document.get("compatibility");
        stated
            .and_then(|mode| serde_json::from_value(mode.clone()).ok())
            .unwrap_or_default()
    }

    /// Why it should no longer be used: what was said when it was deprecated, else what its document says.
    #[must_use]
    pub fn deprecation(&self) -> Option<Deprecation> {
        self.stored.deprecation.clone().or_else(|| {
            let said = Deprecation::new(self.text("deprecationReason")?);
            Some(match self.text("replacedBy") {
                Some(version) => said.with_replacement(version),
                None => said,
            })
        })
    }

    /// Whether it was published once and may still be referred to.
    pub(super) fn is_released(&self) -> bool {
        matches!(
            self.status(),
            LifecycleStatus::Published | LifecycleStatus::Deprecated
        )
    }

    pub(super) fn is_draft(&self) -> bool {
        self.status() == LifecycleStatus::Draft
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.stored.document.get(member).and_then(Value::as_str)
    }
}

fn schema_of(document: &Value) -> &Value {
    document.get("schema").unwrap_or(&Value::Null)
}

/// What a registration did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegisteredSchema {
    /// The version.
    pub version: SchemaVersion,
    /// Whether it is new; otherwise the latest version had this content already.
    pub created: bool,
    /// How it differs from the latest version released before it.
    pub changes: Vec<Change>,
    /// The comparison with the versions before it, if there were any.
    pub report: Option<CompatReport>,
    /// The registered schemas it leads to, by exact version.
    pub references: Vec<ResolvedReference>,
    /// The custom keywords, formats and validators it uses, sorted.
    pub required_validators: Vec<String>,
    /// Warnings about the document.
    pub findings: Vec<Finding>,
}

/// What follows from a version and the versions around it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SchemaDetails {
    /// The version.
    pub version: SchemaVersion,
    /// How it differs from the version released before it.
    pub changes: Vec<Change>,
    /// The class of version that these changes ask for.
    pub required_bump: Bump,
    /// The registered schemas it leads to, by exact version.
    pub references: Vec<ResolvedReference>,
    /// The custom keywords, formats and validators it uses, sorted.
    pub required_validators: Vec<String>,
}

/// A registered schema that another one leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResolvedReference {
    /// Its business id.
    pub schema_id: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its canonical form.
    pub content_hash: [u8; 32],
}

pub(super) fn resolved_references(compiled: &CompiledSchema) -> Vec<ResolvedReference> {
    let resolved = compiled.resolved_references().into_iter();
    resolved
        .map(|(schema_id, version, content_hash)| ResolvedReference {
            schema_id,
            version,
            content_hash,
        })
        .collect()
}

/// Whether an id belongs to the shipped schemas.
pub(super) fn is_builtin(schema_id: &str) -> bool {
    schema_id.starts_with("core.")
}

/// The shipped schema of an id.
pub(super) fn builtin(schema_id: &str) -> Option<&'static SchemaVersion> {
    static SHIPPED: LazyLock<Vec<SchemaVersion>> =
        LazyLock::new(|| schemas::all().iter().map(shipped_version).collect());
    SHIPPED
        .iter()
        .find(|version| version.schema_id() == schema_id)
}

fn shipped_version(shipped: &schemas::ShippedSchema) -> SchemaVersion {
    let title = shipped.schema.get("title").cloned().unwrap_or_default();
    let document = json!({
        "kind": "schema",
        "schemaId": shipped.schema_id,
        "version": schemas::SCHEMA_VERSION,
        "name": title,
        "namespace": "core",
        "schema": shipped.schema,
    });
    let hash = model::content_hash(DefinitionKind::Schema, &document);
    let mut random = [0; 10];
    for (byte, of_hash) in random.iter_mut().zip(hash) {
        *byte = of_hash;
    }
    SchemaVersion::new(StoredDefinition::new(
        uuid_v7(Timestamp::from_micros(0), &random),
        TenantId::SYSTEM,
        DefinitionKind::Schema,
        shipped.schema_id.as_str().into(),
        schemas::SCHEMA_VERSION.into(),
        LifecycleStatus::Published,
        Arc::new(document),
        hash,
        Timestamp::from_micros(0),
    ))
}
