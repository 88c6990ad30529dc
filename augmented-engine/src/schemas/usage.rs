//! Who refers to a schema version.

use augmented_core::model::{DefinitionKind, LifecycleStatus};
use augmented_core::store::DefinitionFilter;
use augmented_core::validate::schema_references;

use super::{SchemaRegistry, schema_not_found, version_not_found};
use crate::EngineError;

/// A definition that refers to a schema version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaUse {
    /// What it defines.
    pub kind: DefinitionKind,
    /// Its business id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Where it stands in its life.
    pub status: LifecycleStatus,
    /// Where the reference stands in its document.
    pub pointer: String,
}

impl SchemaRegistry {
    /// Every definition of the tenant, of any kind and status but ARCHIVED, that refers to a schema version as
    /// `aug://schema/<schemaId>/<version>`.
    ///
    /// Costs one walk over all definitions of the tenant.
    ///
    /// # Errors
    /// `NOT_FOUND`, reason `SCHEMA_NOT_FOUND` or `SCHEMA_VERSION_NOT_FOUND`; `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn usage(
        &self,
        schema_id: &str,
        version: &str,
    ) -> Result<Vec<SchemaUse>, EngineError> {
        self.check_running()?;
        let known = self.stored_versions(schema_id).await?;
        if known.is_empty() {
            return Err(schema_not_found(schema_id));
        }
        if !known.iter().any(|known| known.version() == version) {
            return Err(version_not_found(schema_id, Some(version), &known));
        }
        self.uses(schema_id, version).await
    }

    pub(super) async fn uses(
        &self,
        schema_id: &str,
        version: &str,
    ) -> Result<Vec<SchemaUse>, EngineError> {
        let mut filter = DefinitionFilter::default();
        filter.statuses = vec![
            LifecycleStatus::Draft,
            LifecycleStatus::Published,
            LifecycleStatus::Deprecated,
        ];
        filter.limit = 1000;
        let mut found = Vec::new();
        loop {
            let store = &self.shared.store;
            let page = store.list_definitions(self.tenant, &filter).await?;
            filter.after = page.last().map(|stored| stored.id);
            let is_last = page.len() < filter.limit;
            for stored in page {
                let references = schema_references(stored.kind, &stored.document).into_iter();
                let leads_there = references.filter(|reference| {
                    reference.schema_id == schema_id && reference.version == version
                });
                found.extend(leads_there.map(|reference| SchemaUse {
                    kind: stored.kind,
                    id: stored.business_id.to_string(),
                    version: stored.version.to_string(),
                    status: stored.status,
                    pointer: reference.pointer,
                }));
            }
            if is_last {
                break;
            }
        }
        Ok(found)
    }
}
