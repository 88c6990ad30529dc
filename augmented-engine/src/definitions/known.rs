//! What publishing knows besides the bundle: stored definitions, definitions of handlers, the handlers themselves.

use std::sync::Arc;

use augmented_core::TenantId;
use augmented_core::model::load::detect_kind;
use augmented_core::model::{DefinitionKind, LifecycleStatus};
use augmented_core::schema::{SchemaReference, SchemaResolver};
use augmented_core::schemas::shipped_version;
use augmented_core::store::{DefinitionFilter, Store, StoreError};
use augmented_core::validate::{
    HandlerContract, HostRegistry, KnownDefinition, ReferenceResolver, Registration, references,
    schema_references,
};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use crate::task::TaskRegistry;

/// How many business ids of a kind are read for "did you mean".
const SUGGESTIONS: usize = 1000;

type Key = (DefinitionKind, String);

/// The definitions a bundle refers to, read from the store beforehand.
#[derive(Default)]
pub(crate) struct KnownDefinitions {
    versions: FxHashMap<Key, Vec<KnownDefinition>>,
    ids: FxHashMap<DefinitionKind, Vec<String>>,
}

impl KnownDefinitions {
    /// Reads everything the documents refer to, and the other versions of themselves.
    pub(crate) async fn read(
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
                schema_references(kind, document)
                    .into_iter()
                    .map(schema_key),
            );
            wanted.extend(
                references(kind, document)
                    .into_iter()
                    .map(|reference| (reference.kind, reference.id)),
            );
        }
        known
            .follow(store, tenant, Some(registry), &own, wanted)
            .await?;
        Ok(known)
    }

    /// Reads registered schemas and all that they lead to.
    pub(crate) async fn read_schemas(
        store: &dyn Store,
        tenant: TenantId,
        references: Vec<SchemaReference>,
    ) -> Result<Self, StoreError> {
        let mut known = Self::default();
        let wanted = references.into_iter().map(schema_key).collect();
        known
            .follow(store, tenant, None, &FxHashSet::default(), wanted)
            .await?;
        Ok(known)
    }

    /// Adds a schema document that is about to be published.
    pub(crate) fn add_schema(&mut self, id: &str, version: &str, document: Arc<Value>) {
        let versions = self
            .versions
            .entry((DefinitionKind::Schema, id.to_owned()))
            .or_default();
        versions.retain(|known| known.version != version);
        versions.push(KnownDefinition::new(
            version,
            LifecycleStatus::Published,
            document,
        ));
    }

    /// Reads what is wanted, and the schemas that found schemas refer to.
    async fn follow(
        &mut self,
        store: &dyn Store,
        tenant: TenantId,
        registry: Option<&TaskRegistry>,
        own: &FxHashSet<Key>,
        mut wanted: Vec<Key>,
    ) -> Result<(), StoreError> {
        while let Some(key) = wanted.pop() {
            if self.versions.contains_key(&key) {
                continue;
            }
            let (kind, id) = &key;
            let stored = store.definition_versions(tenant, *kind, id).await?;
            if *kind == DefinitionKind::Schema {
                let further = stored
                    .iter()
                    .flat_map(|stored| schema_references(*kind, &stored.document));
                wanted.extend(further.map(schema_key));
            }
            let mut found: Vec<KnownDefinition> = stored
                .into_iter()
                .map(|stored| {
                    KnownDefinition::new(&*stored.version, stored.status, stored.document)
                })
                .collect();
            if let Some(registry) = registry
                && found.is_empty()
                && !own.contains(&key)
            {
                if *kind == DefinitionKind::Task {
                    found.extend(registry.derived(id).map(|derived| {
                        KnownDefinition::new(
                            &*derived.pin.version,
                            LifecycleStatus::Published,
                            Arc::clone(&derived.document),
                        )
                    }));
                }
                if found.is_empty() && !self.ids.contains_key(kind) {
                    let ids = known_ids(store, tenant, registry, *kind).await?;
                    self.ids.insert(*kind, ids);
                }
            }
            self.versions.insert(key, found);
        }
        Ok(())
    }
}

fn schema_key(reference: SchemaReference) -> Key {
    (DefinitionKind::Schema, reference.schema_id)
}

impl SchemaResolver for KnownDefinitions {
    fn schema(&self, id: &str, version: &str) -> Option<Arc<Value>> {
        let versions = self.versions.get(&(DefinitionKind::Schema, id.to_owned()));
        let known = versions
            .into_iter()
            .flatten()
            .find(|known| known.version == version && known.status != LifecycleStatus::Draft);
        match known {
            Some(known) => known.document.get("schema").cloned(),
            None => shipped_version(id, version).cloned(),
        }
        .map(Arc::new)
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
