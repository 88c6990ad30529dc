//! What publishing knows besides the bundle: stored definitions, definitions of handlers, the handlers themselves.

use std::sync::Arc;

use augmented_core::TenantId;
use augmented_core::model::load::detect_kind;
use augmented_core::model::{DefinitionKind, LifecycleStatus};
use augmented_core::store::{DefinitionFilter, Store, StoreError};
use augmented_core::validate::{
    HandlerContract, HostRegistry, KnownDefinition, ReferenceResolver, Registration, references,
};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use crate::task::TaskRegistry;

/// How many business ids of a kind are read for "did you mean".
const SUGGESTIONS: usize = 1000;

type Key = (DefinitionKind, String);

/// The definitions a bundle refers to, read from the store beforehand.
#[derive(Default)]
pub(super) struct KnownDefinitions {
    versions: FxHashMap<Key, Vec<KnownDefinition>>,
    ids: FxHashMap<DefinitionKind, Vec<String>>,
}

impl KnownDefinitions {
    /// Reads everything the documents refer to, and the other versions of themselves.
    pub(super) async fn read(
        store: &dyn Store,
        tenant: TenantId,
        registry: &TaskRegistry,
        documents: &[&Value],
    ) -> Result<Self, StoreError> {
        let mut known = Self::default();
        let mut own = FxHashSet::default();
        let mut wanted: Vec<Key> = Vec::new();
        for document in documents {
            let Ok(kind) = detect_kind(document) else {
                continue;
            };
            if let Some(id) = kind
                .id_member()
                .and_then(|member| document.get(member))
                .and_then(Value::as_str)
            {
                own.insert((kind, id.to_owned()));
                wanted.push((kind, id.to_owned()));
            }
            wanted.extend(
                references(kind, document)
                    .into_iter()
                    .map(|reference| (reference.kind, reference.id)),
            );
        }
        for key in wanted {
            if known.versions.contains_key(&key) {
                continue;
            }
            let (kind, id) = &key;
            let stored = store.definition_versions(tenant, *kind, id).await?;
            let mut found: Vec<KnownDefinition> = stored
                .into_iter()
                .map(|stored| {
                    KnownDefinition::new(&*stored.version, stored.status, stored.document)
                })
                .collect();
            if found.is_empty() && *kind == DefinitionKind::Task && !own.contains(&key) {
                found.extend(registry.derived(id).map(|derived| {
                    KnownDefinition::new(
                        &*derived.pin.version,
                        LifecycleStatus::Published,
                        Arc::clone(&derived.document),
                    )
                }));
            }
            if found.is_empty() && !own.contains(&key) && !known.ids.contains_key(kind) {
                let ids = known_ids(store, tenant, registry, *kind).await?;
                known.ids.insert(*kind, ids);
            }
            known.versions.insert(key, found);
        }
        Ok(known)
    }
}

/// Business ids of a kind, for "did you mean".
async fn known_ids(
    store: &dyn Store,
    tenant: TenantId,
    registry: &TaskRegistry,
    kind: DefinitionKind,
) -> Result<Vec<String>, StoreError> {
    let mut filter = DefinitionFilter::default();
    filter.kind = Some(kind);
    filter.statuses = vec![LifecycleStatus::Published];
    filter.limit = SUGGESTIONS;
    let stored = store.list_definitions(tenant, &filter).await?;
    let mut ids: Vec<String> = stored
        .into_iter()
        .map(|stored| stored.business_id.to_string())
        .collect();
    if kind == DefinitionKind::Task {
        ids.extend(registry.names());
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

impl ReferenceResolver for KnownDefinitions {
    fn versions(&self, kind: DefinitionKind, id: &str) -> Vec<KnownDefinition> {
        self.versions
            .get(&(kind, id.to_owned()))
            .cloned()
            .unwrap_or_default()
    }

    fn ids(&self, kind: DefinitionKind) -> Vec<String> {
        self.ids.get(&kind).cloned().unwrap_or_default()
    }
}

impl HostRegistry for TaskRegistry {
    fn task_handler(&self, name: &str) -> Option<HandlerContract> {
        let handler = self.handler(name)?;
        let stated = |schema: &Value| schema.is_object().then(|| schema.clone());
        Some(HandlerContract::new(
            stated(handler.input_schema()),
            stated(handler.output_schema()),
        ))
    }

    fn task_handlers(&self) -> Vec<String> {
        self.names()
    }

    fn is_mocked(&self, task_id: &str) -> bool {
        self.has_mock(task_id)
    }

    fn executor(&self, _: &str, _: Option<&str>) -> Registration {
        Registration::Missing
    }

    fn calendar(&self, _: &str) -> Registration {
        Registration::Missing
    }
}
