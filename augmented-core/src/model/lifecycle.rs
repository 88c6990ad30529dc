//! The life of a definition version, and the record a store keeps of it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::DefinitionKind;
use crate::ids::TenantId;
use crate::time::Timestamp;

/// Where a definition version stands in its life.
///
/// ```
/// use augmented_core::model::LifecycleStatus::{Archived, Deprecated, Draft, Published};
/// assert!(Draft.can_move_to(Published) && Deprecated.can_move_to(Published));
/// assert!(!Published.can_move_to(Draft) && !Archived.can_move_to(Published));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LifecycleStatus {
    /// May be edited and deleted; nothing runs it.
    Draft,
    /// Frozen; new work uses it.
    Published,
    /// Frozen; new work uses it only where the exact version is named.
    Deprecated,
    /// Frozen; only work that already pins it goes on.
    Archived,
}

impl LifecycleStatus {
    /// Every status, in the order of life.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Published, Self::Deprecated, Self::Archived];

    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Published => "PUBLISHED",
            Self::Deprecated => "DEPRECATED",
            Self::Archived => "ARCHIVED",
        }
    }

    /// Whether a version may move from here to `to`.
    #[must_use]
    pub const fn can_move_to(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Draft, Self::Published)
                | (Self::Published, Self::Deprecated)
                | (Self::Deprecated, Self::Archived | Self::Published)
        )
    }
}

impl fmt::Display for LifecycleStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A definition version as a store keeps it; the content of one past DRAFT never changes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredDefinition {
    /// Row id; running work pins it.
    pub id: Uuid,
    /// Whose it is.
    pub tenant: TenantId,
    /// Kind.
    pub kind: DefinitionKind,
    /// Business id.
    pub business_id: Arc<str>,
    /// SemVer text.
    pub version: Arc<str>,
    /// Where it stands.
    pub status: LifecycleStatus,
    /// The canonical document.
    pub document: Arc<Value>,
    /// SHA-256 of the canonical JSON without layout.
    pub content_hash: [u8; 32],
    /// When it was stored first.
    pub created_at: Timestamp,
    /// When the row was last written.
    pub updated_at: Timestamp,
    /// When it was published first.
    pub published_at: Option<Timestamp>,
}

impl StoredDefinition {
    /// A version stored at `now`.
    #[expect(clippy::too_many_arguments, reason = "a record of as many columns, built in one place by each store")]
    #[must_use]
    pub fn new(
        id: Uuid,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: Arc<str>,
        version: Arc<str>,
        status: LifecycleStatus,
        document: Arc<Value>,
        content_hash: [u8; 32],
        now: Timestamp,
    ) -> Self {
        let published_at = (status != LifecycleStatus::Draft).then_some(now);
        Self { id, tenant, kind, business_id, version, status, document, content_hash, created_at: now, updated_at: now, published_at }
    }
}
