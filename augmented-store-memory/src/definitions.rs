//! Keeping definitions: the [`DefinitionStore`].

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use augmented_core::model::{DefinitionKind, LifecycleStatus, StoredDefinition};
use augmented_core::store::{
    DefinitionFilter, DefinitionStore, DraftDeletion, NewDefinition, PutOutcome, StatusChange,
    StatusMove, StoreError,
};
use augmented_core::{TenantId, Timestamp};
use rustc_hash::FxHashMap;
use semver::Version;
use uuid::Uuid;

use crate::MemoryStore;

/// One business id of one kind, given by its name, in the order of lists.
type FamilyKey = (TenantId, &'static str, Arc<str>);

fn family_key(tenant: TenantId, kind: DefinitionKind, business_id: &str) -> FamilyKey {
    (tenant, kind.as_str(), Arc::from(business_id))
}

/// All versions of one business id.
type Family = BTreeMap<Version, StoredDefinition>;

/// All definitions. Read often and written seldom, so one lock for readers and writers guards it.
#[derive(Default)]
pub(crate) struct Shelf {
    families: BTreeMap<FamilyKey, Family>,
    places: FxHashMap<Uuid, (FamilyKey, Version)>,
}

#[async_trait]
impl DefinitionStore for MemoryStore {
    async fn put_definitions(
        &self,
        tenant: TenantId,
        bundle: Vec<NewDefinition>,
        now: Timestamp,
    ) -> Result<Vec<PutOutcome>, StoreError> {
        self.definitions.write().put(tenant, bundle, now)
    }

    async fn definition_versions(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
    ) -> Result<Vec<StoredDefinition>, StoreError> {
        let shelf = self.definitions.read();
        let family = shelf.families.get(&family_key(tenant, kind, business_id));
        Ok(family.map_or_else(Vec::new, |family| family.values().cloned().collect()))
    }

    async fn definitions_by_id(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<Vec<Option<StoredDefinition>>, StoreError> {
        let shelf = self.definitions.read();
        Ok(ids
            .iter()
            .map(|id| shelf.by_id(tenant, *id).cloned())
            .collect())
    }

    async fn list_definitions(
        &self,
        tenant: TenantId,
        filter: &DefinitionFilter,
    ) -> Result<Vec<StoredDefinition>, StoreError> {
        Ok(self.definitions.read().list(tenant, filter))
    }

    async fn change_definition_status(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
        version: &str,
        step: StatusMove,
        now: Timestamp,
    ) -> Result<StatusChange, StoreError> {
        let to = step.to;
        let Ok(version) = Version::parse(version) else {
            return Ok(StatusChange::NotFound);
        };
        let mut shelf = self.definitions.write();
        let Some(family) = shelf
            .families
            .get_mut(&family_key(tenant, kind, business_id))
        else {
            return Ok(StatusChange::NotFound);
        };
        let too_low = highest_published(family)
            .is_some_and(|(highest, _)| version.cmp_precedence(highest) != Ordering::Greater);
        let Some(stored) = family.get_mut(&version) else {
            return Ok(StatusChange::NotFound);
        };
        let publishes_below = stored.status == LifecycleStatus::Draft && too_low;
        if !stored.status.can_move_to(to) || publishes_below {
            return Ok(StatusChange::Forbidden(stored.status));
        }
        set_status(stored, to, now);
        match to {
            LifecycleStatus::Deprecated => stored.deprecation = step.deprecation,
            LifecycleStatus::Published => stored.deprecation = None,
            LifecycleStatus::Draft | LifecycleStatus::Archived => {}
        }
        Ok(StatusChange::Changed(stored.clone()))
    }

    async fn delete_draft(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
        version: &str,
    ) -> Result<DraftDeletion, StoreError> {
        let Ok(version) = Version::parse(version) else {
            return Ok(DraftDeletion::NotFound);
        };
        let mut shelf = self.definitions.write();
        Ok(shelf.delete_draft(family_key(tenant, kind, business_id), &version))
    }
}

impl Shelf {
    /// Puts a bundle into copies of the families it touches, and those in place if nothing was refused.
    fn put(
        &mut self,
        tenant: TenantId,
        bundle: Vec<NewDefinition>,
        now: Timestamp,
    ) -> Result<Vec<PutOutcome>, StoreError> {
        let mut touched: BTreeMap<FamilyKey, Family> = BTreeMap::new();
        let mut outcomes = Vec::with_capacity(bundle.len());
        for new in bundle {
            let version = Version::parse(&new.version).map_err(|_| {
                StoreError::corrupt(format!(
                    "`{}`, the version of `{}`, is not SemVer",
                    new.version, new.business_id
                ))
            })?;
            let key = (tenant, new.kind.as_str(), Arc::clone(&new.business_id));
            let family = touched
                .entry(key)
                .or_insert_with_key(|key| self.families.get(key).cloned().unwrap_or_default());
            outcomes.push(put_one(family, tenant, version, new, now));
        }
        if outcomes.iter().any(is_refusal) {
            for outcome in outcomes.iter_mut().filter(|outcome| !is_refusal(outcome)) {
                *outcome = PutOutcome::RefusedWithBundle;
            }
            return Ok(outcomes);
        }
        for (key, family) in touched {
            for (version, stored) in &family {
                self.places
                    .insert(stored.id, (key.clone(), version.clone()));
            }
            self.families.insert(key, family);
        }
        Ok(outcomes)
    }

    fn delete_draft(&mut self, key: FamilyKey, version: &Version) -> DraftDeletion {
        let Some(family) = self.families.get_mut(&key) else {
            return DraftDeletion::NotFound;
        };
        match family.get(version) {
            None => return DraftDeletion::NotFound,
            Some(stored) if stored.status != LifecycleStatus::Draft => {
                return DraftDeletion::NotDraft(stored.status);
            }
            Some(stored) => self.places.remove(&stored.id),
        };
        family.remove(version);
        if family.is_empty() {
            self.families.remove(&key);
        }
        DraftDeletion::Deleted
    }

    fn by_id(&self, tenant: TenantId, id: Uuid) -> Option<&StoredDefinition> {
        let (key, version) = self.places.get(&id)?;
        self.families
            .get(key)?
            .get(version)
            .filter(|stored| stored.tenant == tenant)
    }

    fn list(&self, tenant: TenantId, filter: &DefinitionFilter) -> Vec<StoredDefinition> {
        let after = filter
            .after
            .and_then(|id| self.by_id(tenant, id))
            .and_then(|stored| self.places.get(&stored.id));
        let first = match after {
            Some((key, _)) => key.clone(),
            None => (tenant, "", Arc::from("")),
        };
        let search = filter.search.as_ref().map(|text| text.to_lowercase());
        let of_tenant = self
            .families
            .range(first..)
            .take_while(|((owner, ..), _)| *owner == tenant);
        of_tenant
            .flat_map(|(key, family)| {
                family
                    .iter()
                    .map(move |(version, stored)| (key, version, stored))
            })
            .filter(|(key, version, _)| {
                after.is_none_or(|(last, last_version)| (*key, *version) > (last, last_version))
            })
            .map(|(_, _, stored)| stored)
            .filter(|stored| filter.kind.is_none_or(|kind| stored.kind == kind))
            .filter(|stored| filter.statuses.is_empty() || filter.statuses.contains(&stored.status))
            .filter(|stored| search.as_ref().is_none_or(|text| is_found(stored, text)))
            .take(filter.limit.clamp(1, 1000))
            .cloned()
            .collect()
    }
}

/// Whether the id or the name contains a text that is in lower case.
fn is_found(stored: &StoredDefinition, text: &str) -> bool {
    let name = stored
        .document
        .get("name")
        .and_then(|name| name.as_str())
        .unwrap_or_default();
    stored.business_id.to_lowercase().contains(text) || name.to_lowercase().contains(text)
}

fn is_refusal(outcome: &PutOutcome) -> bool {
    match outcome {
        PutOutcome::Frozen(_)
        | PutOutcome::VersionTooLow { .. }
        | PutOutcome::RefusedWithBundle => true,
        PutOutcome::Stored(_) | PutOutcome::Unchanged(_) => false,
    }
}

/// The highest version that ever was published.
fn highest_published(family: &Family) -> Option<(&Version, &StoredDefinition)> {
    family
        .iter()
        .rev()
        .find(|(_, stored)| stored.status != LifecycleStatus::Draft)
}

fn put_one(
    family: &mut Family,
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
