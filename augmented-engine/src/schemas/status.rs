//! The life of a version after its registration.

use augmented_core::model::{DefinitionKind, Deprecation, LifecycleStatus};
use augmented_core::store::{DraftDeletion, StatusChange, StatusMove};
use augmented_core::validate::{Finding, Related};

use super::usage::SchemaUse;
use super::version::SchemaVersion;
use super::{SchemaRegistry, schema_not_found, version_not_found};
use crate::EngineError;

impl SchemaRegistry {
    /// Says that a published version should no longer be used, and why. It still validates, with the warning
    /// `SCHEMA_DEPRECATED`, where it is named.
    ///
    /// # Errors
    /// `NOT_FOUND`, reason `SCHEMA_NOT_FOUND` or `SCHEMA_VERSION_NOT_FOUND`; `ILLEGAL_STATE`, reason `STATUS_FORBIDS`, if
    /// it is not published, or `BUILTIN_READ_ONLY`; `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn deprecate(
        &self,
        schema_id: &str,
        version: &str,
        deprecation: Deprecation,
    ) -> Result<SchemaVersion, EngineError> {
        let step = StatusMove::deprecating(deprecation);
        self.move_version(schema_id, version, step).await
    }

    /// Takes a deprecation back.
    ///
    /// # Errors
    /// As [`deprecate`](Self::deprecate); `STATUS_FORBIDS` if it is not deprecated.
    pub async fn undeprecate(
        &self,
        schema_id: &str,
        version: &str,
    ) -> Result<SchemaVersion, EngineError> {
        self.check_writable(schema_id)?;
        let known = self.stored_versions(schema_id).await?;
        let found = known.iter().find(|known| known.version() == version);
        // A draft goes the same way, but is published, with all its checks.
        if found.is_some_and(SchemaVersion::is_draft) {
            return Err(forbidden(schema_id, version, LifecycleStatus::Draft));
        }
        let step = LifecycleStatus::Published.into();
        self.move_version(schema_id, version, step).await
    }

    /// Closes a deprecated version: nothing new may refer to it; what names it still validates.
    ///
    /// The check for referrers and the move are two steps: a definition that is published in between keeps its
    /// reference, which goes on working.
    ///
    /// # Errors
    /// As [`deprecate`](Self::deprecate); `ILLEGAL_STATE`, reason `REFERENCED_BY`, with a finding for each definition
    /// that is not archived and refers to it.
    pub async fn archive(
        &self,
        schema_id: &str,
        version: &str,
    ) -> Result<SchemaVersion, EngineError> {
        self.check_writable(schema_id)?;
        let uses = self.usage(schema_id, version).await?;
        if !uses.is_empty() {
            let message = format!("the schema `{schema_id}` {version} is still referred to");
            return Err(EngineError::IllegalState {
                reason: "REFERENCED_BY",
                message,
                findings: uses.iter().map(referrer).collect(),
            });
        }
        let step = LifecycleStatus::Archived.into();
        self.move_version(schema_id, version, step).await
    }

    /// Deletes a draft; nothing else is ever deleted.
    ///
    /// # Errors
    /// `NOT_FOUND`, reason `SCHEMA_NOT_FOUND` or `SCHEMA_VERSION_NOT_FOUND`; `ILLEGAL_STATE`, reason `NOT_DRAFT` or
    /// `BUILTIN_READ_ONLY`; `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn delete_draft(&self, schema_id: &str, version: &str) -> Result<(), EngineError> {
        self.check_writable(schema_id)?;
        let _hold = self.shared.time().hold();
        let store = &self.shared.store;
        let kind = DefinitionKind::Schema;
        match store
            .delete_draft(self.tenant, kind, schema_id, version)
            .await?
        {
            DraftDeletion::Deleted => {
                self.shared.schemas.forget_choices();
                Ok(())
            }
            DraftDeletion::NotDraft(status) => Err(EngineError::illegal_state(
                "NOT_DRAFT",
                format!(
                    "the schema `{schema_id}` {version} is {status}, and only a draft can be deleted"
                ),
            )),
            DraftDeletion::NotFound => Err(self.missing(schema_id, version).await?),
        }
    }

    async fn move_version(
        &self,
        schema_id: &str,
        version: &str,
        step: StatusMove,
    ) -> Result<SchemaVersion, EngineError> {
        self.check_writable(schema_id)?;
        let shared = &self.shared;
        let _hold = shared.time().hold();
        let kind = DefinitionKind::Schema;
        let now = shared.time().now();
        let moved = shared
            .store
            .change_definition_status(self.tenant, kind, schema_id, version, step, now)
            .await;
        shared.schemas.forget_choices();
        match moved? {
            StatusChange::Changed(stored) => Ok(SchemaVersion::new(stored)),
            StatusChange::Forbidden(from) => Err(forbidden(schema_id, version, from)),
            StatusChange::NotFound => Err(self.missing(schema_id, version).await?),
        }
    }

    /// Why a version was not found.
    async fn missing(&self, schema_id: &str, version: &str) -> Result<EngineError, EngineError> {
        let known = self.stored_versions(schema_id).await?;
        Ok(if known.is_empty() {
            schema_not_found(schema_id)
        } else {
            version_not_found(schema_id, Some(version), &known)
        })
    }
}

fn forbidden(schema_id: &str, version: &str, from: LifecycleStatus) -> EngineError {
    EngineError::illegal_state(
        "STATUS_FORBIDS",
        format!("the schema `{schema_id}` {version} is {from}, which forbids this move"),
    )
}

fn referrer(found: &SchemaUse) -> Finding {
    let message = format!(
        "the {} `{}` {} refers to it at {}",
        found.kind, found.id, found.version, found.pointer
    );
    let place = Related::new(found.pointer.clone(), "the reference").with_document(
        found.kind.as_str(),
        found.id.clone(),
        found.version.clone(),
    );
    let referrer = format!("{} {} {}", found.kind, found.id, found.version);
    Finding::error("REFERENCED_BY", "", message)
        .with_argument("referrer", referrer)
        .with_related(place)
}
