//! The versions of one business id, and the rules of what may be put beside them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use semver::Version;

use super::{DraftDeletion, NewDefinition, PutOutcome, StatusChange, StatusMove, StoreError};
use crate::ids::TenantId;
use crate::model::{LifecycleStatus, StoredDefinition};
use crate::time::Timestamp;

/// All versions of one business id of one kind, in SemVer order.
///
/// It is what a [`DefinitionStore`](super::DefinitionStore) decides with: read the versions under a lock, ask the family,
/// write what changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Family(BTreeMap<Version, StoredDefinition>);

impl Family {
    /// The family of stored versions.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if a version is not SemVer.
    pub fn new(versions: impl IntoIterator<Item = StoredDefinition>) -> Result<Self, StoreError> {
        let mut family = Self::default();
        for stored in versions {
            family.add(stored)?;
        }
        Ok(family)
    }

    /// The versions, the lowest first.
    pub fn versions(&self) -> impl Iterator<Item = &StoredDefinition> {
        self.0.values()
    }

    /// The versions with their parsed numbers, the lowest first.
    pub fn entries(&self) -> impl Iterator<Item = (&Version, &StoredDefinition)> {
        self.0.iter()
    }

    /// The version of a text; none if it is not SemVer.
    #[must_use]
    pub fn find(&self, version: &str) -> Option<&StoredDefinition> {
        self.0.get(&Version::parse(version).ok()?)
    }

    /// Adds a version as it is stored.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the version is not SemVer.
    pub fn add(&mut self, stored: StoredDefinition) -> Result<(), StoreError> {
        let version = parse(&stored.version, &stored.business_id)?;
        self.0.insert(version, stored);
        Ok(())
    }

    /// One version.
    #[must_use]
    pub fn get(&self, version: &Version) -> Option<&StoredDefinition> {
        self.0.get(version)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts a version beside the others, replaces or publishes a draft, or says why not.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the version is not SemVer.
    pub fn put(
        &mut self,
        tenant: TenantId,
        new: NewDefinition,
        now: Timestamp,
    ) -> Result<PutOutcome, StoreError> {
        let version = parse(&new.version, &new.business_id)?;
        Ok(put_one(&mut self.0, tenant, version, new, now))
    }

    /// Moves a version in its life.
    pub fn change_status(
        &mut self,
        version: &str,
        step: StatusMove,
        now: Timestamp,
    ) -> StatusChange {
        let Ok(version) = Version::parse(version) else {
            return StatusChange::NotFound;
        };
        let to = step.to;
        let too_low = highest_published(&self.0)
            .is_some_and(|(highest, _)| version.cmp_precedence(highest) != Ordering::Greater);
        let Some(stored) = self.0.get_mut(&version) else {
            return StatusChange::NotFound;
        };
        let publishes_below = stored.status == LifecycleStatus::Draft && too_low;
        if !stored.status.can_move_to(to) || publishes_below {
            return StatusChange::Forbidden(stored.status);
        }
        set_status(stored, to, now);
        match to {
            LifecycleStatus::Deprecated => stored.deprecation = step.deprecation,
            LifecycleStatus::Published => stored.deprecation = None,
            LifecycleStatus::Draft | LifecycleStatus::Archived => {}
        }
        StatusChange::Changed(stored.clone())
    }

    /// Removes a version that is still a draft.
    pub fn delete_draft(&mut self, version: &str) -> DraftDeletion {
        let Ok(version) = Version::parse(version) else {
            return DraftDeletion::NotFound;
        };
        match self.0.get(&version).map(|stored| stored.status) {
            None => DraftDeletion::NotFound,
            Some(LifecycleStatus::Draft) => {
                self.0.remove(&version);
                DraftDeletion::Deleted
            }
            Some(status) => DraftDeletion::NotDraft(status),
        }
    }
}

/// Whether a bundle is refused because of this outcome.
#[must_use]
pub fn is_refusal(outcome: &PutOutcome) -> bool {
    match outcome {
        PutOutcome::Frozen(_)
        | PutOutcome::VersionTooLow { .. }
        | PutOutcome::RefusedWithBundle => true,
        PutOutcome::Stored(_) | PutOutcome::Unchanged(_) => false,
    }
}

type Versions = BTreeMap<Version, StoredDefinition>;

fn parse(version: &str, business_id: &str) -> Result<Version, StoreError> {
    Version::parse(version).map_err(|_| {
        StoreError::corrupt(format!(
            "`{version}`, the version of `{business_id}`, is not SemVer"
        ))
    })
}

/// The highest version that ever was published.
fn highest_published(family: &Versions) -> Option<(&Version, &StoredDefinition)> {
    family
        .iter()
        .rev()
        .find(|(_, stored)| stored.status != LifecycleStatus::Draft)
}

fn put_one(
    family: &mut Versions,
    tenant: TenantId,
    version: Version,
    new: NewDefinition,
    now: Timestamp,
) -> PutOutcome {
    let publishes = new.status != LifecycleStatus::Draft;
    let too_low = highest_published(family)
        .filter(|(highest, _)| version.cmp_precedence(highest) != Ordering::Greater)
        .map(|(_, highest)| PutOutcome::VersionTooLow {
            highest: Arc::clone(&highest.version),
        });
    let Some(stored) = family.get_mut(&version) else {
        if publishes && let Some(refusal) = too_low {
            return refusal;
        }
        let stored = StoredDefinition::new(
            new.id,
            tenant,
            new.kind,
            new.business_id,
            new.version,
            new.status,
            new.document,
            new.content_hash,
            now,
        );
        family.insert(version, stored.clone());
        return PutOutcome::Stored(stored);
    };
    let same_content = stored.content_hash == new.content_hash;
    // What is past DRAFT is moved by its life cycle alone, so the same content again changes nothing.
    if stored.status != LifecycleStatus::Draft {
        return if same_content {
            PutOutcome::Unchanged(stored.clone())
        } else {
            PutOutcome::Frozen(stored.clone())
        };
    }
    // The hash leaves the layout out, which a draft may change.
    if same_content && !publishes && stored.document == new.document {
        return PutOutcome::Unchanged(stored.clone());
    }
    if publishes && let Some(refusal) = too_low {
        return refusal;
    }
    stored.document = new.document;
    stored.content_hash = new.content_hash;
    set_status(stored, new.status, now);
    PutOutcome::Stored(stored.clone())
}

fn set_status(stored: &mut StoredDefinition, to: LifecycleStatus, now: Timestamp) {
    if to != LifecycleStatus::Draft && stored.published_at.is_none() {
        stored.published_at = Some(now);
    }
    stored.status = to;
    stored.updated_at = now;
}
