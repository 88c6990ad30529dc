//! What must be written once a family has decided what becomes of a version.

use augmented_core::TenantId;
use augmented_core::Timestamp;
use augmented_core::model::StoredDefinition;
use augmented_core::store::{
    Family, NewDefinition, PutOutcome, StatusChange, StatusMove, StoreError, is_refusal,
};

/// A row to write.
pub(super) enum Write {
    /// A new version.
    Insert(StoredDefinition),
    /// A draft with other content, or published.
    Content(StoredDefinition),
    /// A move in the life cycle.
    Status(StoredDefinition),
}

impl Write {
    /// The version as it is to be.
    pub(super) fn stored(&self) -> &StoredDefinition {
        match self {
            Self::Insert(stored) | Self::Content(stored) | Self::Status(stored) => stored,
        }
    }
}

/// Puts one definition of a bundle.
pub(super) fn put(
    family: &mut Family,
    tenant: TenantId,
    new: NewDefinition,
    now: Timestamp,
) -> Result<(PutOutcome, Option<Write>), StoreError> {
    let was_there = family.find(&new.version).is_some();
    let outcome = family.put(tenant, new, now)?;
    let write = match &outcome {
        PutOutcome::Stored(stored) if was_there => Some(Write::Content(stored.clone())),
        PutOutcome::Stored(stored) => Some(Write::Insert(stored.clone())),
        PutOutcome::Unchanged(_)
        | PutOutcome::Frozen(_)
        | PutOutcome::VersionTooLow { .. }
        | PutOutcome::RefusedWithBundle => None,
    };
    Ok((outcome, write))
}

/// Moves one version in its life cycle.
pub(super) fn change(
    family: &mut Family,
    version: &str,
    step: StatusMove,
    now: Timestamp,
) -> (StatusChange, Option<Write>) {
    let change = family.change_status(version, step, now);
    let write = match &change {
        StatusChange::Changed(stored) => Some(Write::Status(stored.clone())),
        StatusChange::Forbidden(_) | StatusChange::NotFound => None,
    };
    (change, write)
}

/// Whether one item is refused, and with it all the others.
pub(super) fn refuse_all(outcomes: &mut [PutOutcome]) -> bool {
    let refused = outcomes.iter().any(is_refusal);
    if refused {
        for outcome in outcomes.iter_mut().filter(|outcome| !is_refusal(outcome)) {
            *outcome = PutOutcome::RefusedWithBundle;
        }
    }
    refused
}
