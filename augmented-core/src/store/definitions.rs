//! Where definitions are kept: immutable versions under a business id.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use uuid::Uuid;

use super::StoreError;
use crate::ids::TenantId;
use crate::model::{DefinitionKind, Deprecation, LifecycleStatus, StoredDefinition};
use crate::time::Timestamp;

/// One definition to keep.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NewDefinition {
    /// Row id it gets if it is new.
    pub id: Uuid,
    /// Kind.
    pub kind: DefinitionKind,
    /// Business id.
    pub business_id: Arc<str>,
    /// SemVer text.
    pub version: Arc<str>,
    /// DRAFT or PUBLISHED.
    pub status: LifecycleStatus,
    /// The canonical document.
    pub document: Arc<Value>,
    /// SHA-256 of the canonical JSON without layout.
    pub content_hash: [u8; 32],
}

impl NewDefinition {
    /// A definition to keep.
    #[must_use]
    pub fn new(
        id: Uuid,
        kind: DefinitionKind,
        business_id: Arc<str>,
        version: Arc<str>,
        status: LifecycleStatus,
        document: Arc<Value>,
        content_hash: [u8; 32],
    ) -> Self {
        Self {
            id,
            kind,
            business_id,
            version,
            status,
            document,
            content_hash,
        }
    }
}

/// What became of one definition of a bundle.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "these are all the cases there are")]
pub enum PutOutcome {
    /// Stored: a new version, or a draft replaced or promoted.
    Stored(StoredDefinition),
    /// The same version with the same content was there already, with the same status or past DRAFT.
    Unchanged(StoredDefinition),
    /// The version exists, is past DRAFT and has other content; the whole bundle was refused.
    Frozen(StoredDefinition),
    /// A greater or equal version was published already; the whole bundle was refused.
    VersionTooLow {
        /// The highest version published so far.
        highest: Arc<str>,
    },
    /// Refused only because another item of the bundle was.
    RefusedWithBundle,
}

/// Where a version is to go in its life, and what is to be remembered of it.
///
/// ```
/// use augmented_core::model::{Deprecation, LifecycleStatus};
/// use augmented_core::store::StatusMove;
/// assert_eq!(StatusMove::from(LifecycleStatus::Published).to, LifecycleStatus::Published);
/// let deprecate = StatusMove::deprecating(Deprecation::new("use 2.0.0").with_replacement("2.0.0"));
/// assert_eq!(deprecate.to, LifecycleStatus::Deprecated);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusMove {
    /// The status it gets.
    pub to: LifecycleStatus,
    /// Why it is deprecated; only looked at when `to` is DEPRECATED.
    pub deprecation: Option<Deprecation>,
}

impl StatusMove {
    /// A move to DEPRECATED that says why.
    #[must_use]
    pub fn deprecating(deprecation: Deprecation) -> Self {
        Self {
            to: LifecycleStatus::Deprecated,
            deprecation: Some(deprecation),
        }
    }
}

impl From<LifecycleStatus> for StatusMove {
    fn from(to: LifecycleStatus) -> Self {
        Self {
            to,
            deprecation: None,
        }
    }
}

/// What became of a draft that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are all the cases there are")]
pub enum DraftDeletion {
    /// It is gone.
    Deleted,
    /// It is past DRAFT, so it stays.
    NotDraft(LifecycleStatus),
    /// There is no such version.
    NotFound,
}

/// A move in the life cycle.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "these are all the cases there are")]
pub enum StatusChange {
    /// Moved.
    Changed(StoredDefinition),
    /// The move is not allowed from the present status.
    Forbidden(LifecycleStatus),
    /// There is no such version.
    NotFound,
}

/// Which definitions to list.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DefinitionFilter {
    /// Only this kind.
    pub kind: Option<DefinitionKind>,
    /// Only these statuses; empty = all.
    pub statuses: Vec<LifecycleStatus>,
    /// Only names or ids that contain this text, case ignored.
    pub search: Option<String>,
    /// Continue behind the version with this row id.
    pub after: Option<Uuid>,
    /// At most this many, 1–1000.
    pub limit: usize,
}

/// Keeps definitions.
///
/// # Contract
/// - `put_is_all_or_nothing`: if one item of a bundle is refused, none is stored.
/// - `published_content_is_frozen`: a version past DRAFT never changes its content.
/// - `drafts_can_be_replaced_and_published`: a draft keeps its row id when it changes.
/// - `versions_only_grow`: of one business id, a version is published only above every published one.
/// - `status_moves_follow_the_life_cycle`: only the moves of [`LifecycleStatus::can_move_to`] succeed.
/// - `a_deprecation_says_why`: what a move to DEPRECATED says is kept until the version is PUBLISHED again.
/// - `only_drafts_can_be_deleted`: and a deleted one leaves nothing behind.
/// - `versions_come_in_semver_order`: not in the order of their text or of their arrival.
/// - `definitions_are_listed_once_and_in_order`: page by page, by the name of the kind, business id and SemVer.
/// - `definitions_belong_to_their_tenant`: no call with another tenant finds them.
#[async_trait]
pub trait DefinitionStore: Send + Sync {
    /// Stores a bundle in one transaction; answers in the order given.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken; nothing is stored then.
    async fn put_definitions(
        &self,
        tenant: TenantId,
        bundle: Vec<NewDefinition>,
        now: Timestamp,
    ) -> Result<Vec<PutOutcome>, StoreError>;

    /// All versions of one business id, in SemVer order.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn definition_versions(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
    ) -> Result<Vec<StoredDefinition>, StoreError>;

    /// Definitions by row id; absent ones are `None`.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn definitions_by_id(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<Vec<Option<StoredDefinition>>, StoreError>;

    /// A page of definitions ordered by the name of the kind, business id and SemVer.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn list_definitions(
        &self,
        tenant: TenantId,
        filter: &DefinitionFilter,
    ) -> Result<Vec<StoredDefinition>, StoreError>;

    /// Moves one version in its life cycle.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn change_definition_status(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
        version: &str,
        step: StatusMove,
        now: Timestamp,
    ) -> Result<StatusChange, StoreError>;

    /// Removes a version that is still a draft.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn delete_draft(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
        version: &str,
    ) -> Result<DraftDeletion, StoreError>;
}
