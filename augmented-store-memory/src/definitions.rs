//! Keeping definitions: the [`DefinitionStore`].

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use augmented_core::model::{DefinitionKind, StoredDefinition};
use augmented_core::store::{
    DefinitionFilter, DefinitionStore, DraftDeletion, Family, NewDefinition, PutOutcome,
    StatusChange, StatusMove, StoreError, is_refusal,
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
        Ok(family.map_or_else(Vec::new, |family| family.versions().cloned().collect()))
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
        let mut shelf = self.definitions.write();
        let family = shelf
            .families
            .get_mut(&family_key(tenant, kind, business_id));
        Ok(family.map_or(StatusChange::NotFound, |family| {
            family.change_status(version, step, now)
        }))
    }

    async fn delete_draft(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
        version: &str,
    ) -> Result<DraftDeletion, StoreError> {
        let mut shelf = self.definitions.write();
        Ok(shelf.delete_draft(family_key(tenant, kind, business_id), version))
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
            let key = (tenant, new.kind.as_str(), Arc::clone(&new.business_id));
            let family = touched
                .entry(key)
                .or_insert_with_key(|key| self.families.get(key).cloned().unwrap_or_default());
            outcomes.push(family.put(tenant, new, now)?);
        }
        if outcomes.iter().any(is_refusal) {
            for outcome in outcomes.iter_mut().filter(|outcome| !is_refusal(outcome)) {
                *outcome = PutOutcome::RefusedWithBundle;
            }
            return Ok(outcomes);
        }
        for (key, family) in touched {
            for (version, stored) in family.entries() {
                self.places
                    .insert(stored.id, (key.clone(), version.clone()));
            }
            self.families.insert(key, family);
        }
        Ok(outcomes)
    }

    fn delete_draft(&mut self, key: FamilyKey, version: &str) -> DraftDeletion {
        let Some(family) = self.families.get_mut(&key) else {
            return DraftDeletion::NotFound;
        };
        let id = Version::parse(version)
            .ok()
            .and_then(|version| family.get(&version))
            .map(|stored| stored.id);
        let deletion = family.delete_draft(version);
        if deletion == DraftDeletion::Deleted {
            if let Some(id) = id {
                self.places.remove(&id);
            }
            if family.is_empty() {
                self.families.remove(&key);
            }
        }
        deletion
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
                    .entries()
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
