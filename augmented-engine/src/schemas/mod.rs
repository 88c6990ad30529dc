//! The schema registry: versions of schemas, what a new version may change, and validation of data.
//!
//! The pure parts, compiling, comparing and judging, belong to `augmented_core::schema`. What is added here needs a
//! store, a clock or a runtime: choosing versions, concurrent registration, caches, asynchronous checks, limits of time.

mod bundle;
mod compatibility;
mod list;
mod lru;
mod release;
mod request;
mod service;
mod status;
mod upgrade;
mod usage;
mod validation;
mod version;
mod write;

use std::sync::Arc;

use augmented_core::TenantId;
use augmented_core::model::{DefinitionKind, select_version};

use crate::EngineError;
use crate::driver::Shared;
pub(crate) use service::SchemaService;
use version::{builtin, is_builtin};

pub use compatibility::CompatibilityCheck;
pub use list::{SchemaFilter, SchemaPage, SchemaSort};
pub use request::{NewSchema, Overrides, SchemaUpdate};
pub use usage::SchemaUse;
pub use validation::{
    BatchItem, BatchOptions, BatchResult, BatchSummary, ItemOutcome, ItemResult, ShadowResult,
    ValidationMeta, ValidationRequest, ValidationResult,
};
pub use version::{RegisteredSchema, ResolvedReference, SchemaDetails, SchemaVersion};

/// The schemas of a tenant, and validation of data by them; given by [`Engine::schemas`](crate::Engine::schemas).
///
/// Cheap to make and to clone. It does not keep its engine running: once that is shut down, calls are refused.
///
/// Whoever may call is decided by the host: nothing here knows a principal.
///
/// ```
/// # use std::sync::Arc;
/// # use augmented_engine::{Engine, NewSchema, SchemaUpdate, ValidationRequest};
/// # use serde_json::json;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let engine = Engine::builder(Arc::new(augmented_store_memory::MemoryStore::new())).start().await?;
/// let schemas = engine.schemas();
/// let profile = json!({ "type": "object", "required": ["email"], "properties": { "email": { "type": "string", "format": "email" } } });
/// schemas.register(NewSchema::new("user-profile", "User profile", profile.clone())).await?;
///
/// let mut with_phone = profile;
/// with_phone["properties"]["phone"] = json!({ "type": "string" });
/// let updated = schemas.update(SchemaUpdate::new("user-profile", with_phone)).await?;
/// assert_eq!(updated.version.version(), "1.1.0");
///
/// let result = schemas.validate("user-profile", &json!({ "email": "nope" }), ValidationRequest::new()).await?;
/// assert!(!result.valid);
/// assert_eq!((result.findings[0].code.as_ref(), result.findings[0].pointer.as_str()), ("format", "/email"));
/// # engine.shutdown().await;
/// # Ok::<(), augmented_engine::EngineError>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct SchemaRegistry {
    shared: Arc<Shared>,
    tenant: TenantId,
}

impl std::fmt::Debug for SchemaRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SchemaRegistry")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl SchemaRegistry {
    pub(crate) fn new(shared: Arc<Shared>, tenant: TenantId) -> Self {
        Self { shared, tenant }
    }

    /// The tenant whose schemas these are.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// A version of a schema; without a version the highest published one.
    ///
    /// A version that is named is given whatever its status.
    ///
    /// # Errors
    /// `NOT_FOUND`, reason `SCHEMA_NOT_FOUND` or `SCHEMA_VERSION_NOT_FOUND`; `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn get(
        &self,
        schema_id: &str,
        version: Option<&str>,
    ) -> Result<SchemaVersion, EngineError> {
        self.check_running()?;
        let versions = self.versions(schema_id).await?;
        chosen(schema_id, versions, version)
    }

    /// All versions of a schema, drafts included, in SemVer order.
    ///
    /// # Errors
    /// `NOT_FOUND`, reason `SCHEMA_NOT_FOUND`; `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn versions(&self, schema_id: &str) -> Result<Vec<SchemaVersion>, EngineError> {
        self.check_running()?;
        let versions = self.stored_versions(schema_id).await?;
        if versions.is_empty() {
            return Err(schema_not_found(schema_id));
        }
        Ok(versions)
    }

    async fn stored_versions(&self, schema_id: &str) -> Result<Vec<SchemaVersion>, EngineError> {
        if is_builtin(schema_id) {
            return Ok(builtin(schema_id).cloned().into_iter().collect());
        }
        let stored = self
            .shared
            .store
            .definition_versions(self.tenant, DefinitionKind::Schema, schema_id)
            .await?;
        Ok(stored.into_iter().map(SchemaVersion::new).collect())
    }

    fn check_running(&self) -> Result<(), EngineError> {
        if self.shared.is_stopped() {
            Err(EngineError::stopped())
        } else {
            Ok(())
        }
    }

    /// Refuses what would change a shipped schema.
    fn check_writable(&self, schema_id: &str) -> Result<(), EngineError> {
        self.check_running()?;
        if is_builtin(schema_id) {
            return Err(EngineError::illegal_state(
                "BUILTIN_READ_ONLY",
                format!(
                    "`{schema_id}` belongs to the shipped schemas, which never change: ids that begin with `core.` are reserved"
                ),
            ));
        }
        Ok(())
    }
}

/// The version that is named, or the highest published one.
fn chosen(
    schema_id: &str,
    versions: Vec<SchemaVersion>,
    version: Option<&str>,
) -> Result<SchemaVersion, EngineError> {
    let found = match version {
        Some(version) => versions.iter().find(|known| known.version() == version),
        None => latest_published(&versions),
    };
    found
        .cloned()
        .ok_or_else(|| version_not_found(schema_id, version, &versions))
}

fn latest_published(versions: &[SchemaVersion]) -> Option<&SchemaVersion> {
    let stored: Vec<(&str, _)> = versions
        .iter()
        .map(|known| (known.version(), known.status()))
        .collect();
    let (latest, _) = select_version(None, &stored).ok().flatten()?;
    versions.iter().find(|known| known.version() == *latest)
}

fn schema_not_found(schema_id: &str) -> EngineError {
    EngineError::not_found(
        "SCHEMA_NOT_FOUND",
        format!("there is no schema `{schema_id}`"),
    )
}

fn version_not_found(
    schema_id: &str,
    wanted: Option<&str>,
    versions: &[SchemaVersion],
) -> EngineError {
    let known: Vec<String> = versions
        .iter()
        .map(|known| format!("{} ({})", known.version(), known.status()))
        .collect();
    let wanted = wanted.map_or_else(
        || "published version".to_owned(),
        |text| format!("version {text}"),
    );
    EngineError::not_found(
        "SCHEMA_VERSION_NOT_FOUND",
        format!(
            "the schema `{schema_id}` has no such {wanted}; there are {}",
            known.join(", ")
        ),
    )
}
