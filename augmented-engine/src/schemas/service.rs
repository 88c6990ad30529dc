//! What all handles of a registry share: the host's validators and upcasters, and the caches.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use augmented_core::model::{DefinitionKind, LifecycleStatus};
use augmented_core::schema::{
    CompiledSchema, SchemaOptions, SchemaResolver, UpcastChain, ValidatorRegistry,
    schema_references,
};
use augmented_core::store::{DefinitionFilter, Store};
use augmented_core::validate::Finding;
use augmented_core::{TenantId, Timestamp};
use parking_lot::Mutex;
use rustc_hash::FxBuildHasher;
use serde_json::Value;
use tokio::sync::MutexGuard;

use super::lru::Lru;
use super::version::SchemaVersion;
use crate::EngineError;
use crate::clock::{Time, micros};
use crate::config::EngineConfig;
use crate::definitions::KnownDefinitions;

/// How many choices of a version are remembered.
const CHOICES: usize = 4096;

/// How many groups of schemas are written at the same time.
const WRITERS: usize = 16;

/// A schema version ready to judge values.
pub(super) struct ReadySchema {
    pub(super) version: SchemaVersion,
    pub(super) compiled: CompiledSchema,
}

/// A tenant, a schema and the version that was asked for.
type ChoiceKey = (TenantId, Box<str>, Option<Box<str>>);

/// A content hash; with the tenant where the schema leads to others, which are the tenant's own.
type CompiledKey = (Option<TenantId>, [u8; 32]);

/// Validators, upcasters and caches of an engine.
pub(crate) struct SchemaService {
    pub(crate) validators: Arc<ValidatorRegistry>,
    pub(super) upcasters: UpcastChain,
    compiled: Mutex<Lru<CompiledKey, CompiledSchema>>,
    choices: Mutex<Choices>,
    /// Absent on virtual time, where every choice is made anew.
    choice_micros: Option<i64>,
    /// Writers of one schema in this process go one after another, so that they lose races only to other processes.
    writers: [tokio::sync::Mutex<()>; WRITERS],
    shadow_divergences: AtomicU64,
}

struct Choices {
    known: Lru<ChoiceKey, (Arc<ReadySchema>, Timestamp)>,
    /// Grows when choices are forgotten, so that what was read before is not remembered after.
    generation: u64,
}

impl SchemaService {
    pub(crate) fn new(
        validators: ValidatorRegistry,
        upcasters: UpcastChain,
        config: &EngineConfig,
        time: &Time,
    ) -> Self {
        Self {
            validators: Arc::new(validators),
            upcasters,
            compiled: Mutex::new(Lru::new(config.schema_cache)),
            choices: Mutex::new(Choices {
                known: Lru::new(CHOICES),
                generation: 0,
            }),
            choice_micros: match time {
                Time::Real(_) => Some(micros(config.schema_ttl)),
                Time::Virtual(_) => None,
            },
            writers: Default::default(),
            shadow_divergences: AtomicU64::new(0),
        }
    }

    /// Forgets which versions were chosen, because there are new ones.
    pub(crate) fn forget_choices(&self) {
        let mut choices = self.choices.lock();
        choices.known.clear();
        choices.generation += 1;
    }

    /// The choice that was made for a request, and the generation in which another one may be remembered.
    pub(super) fn choice(
        &self,
        tenant: TenantId,
        id: &str,
        version: Option<&str>,
        now: Timestamp,
    ) -> (Option<Arc<ReadySchema>>, u64) {
        let key: ChoiceKey = (tenant, id.into(), version.map(Into::into));
        let mut choices = self.choices.lock();
        let known = choices.known.get(&key);
        let known = known.filter(|(_, good_until)| now < *good_until);
        (known.map(|(ready, _)| ready), choices.generation)
    }

    /// Remembers a choice made from what was read in a generation.
    pub(super) fn remember(
        &self,
        (tenant, id, version): (TenantId, &str, Option<&str>),
        ready: &Arc<ReadySchema>,
        now: Timestamp,
        generation: u64,
    ) {
        let Some(length) = self.choice_micros else {
            return;
        };
        let mut choices = self.choices.lock();
        if choices.generation == generation {
            let key: ChoiceKey = (tenant, id.into(), version.map(Into::into));
            let entry = (Arc::clone(ready), now.plus_micros(length));
            choices.known.insert(key, entry);
        }
    }

    /// The turn to write schemas of the same group.
    pub(super) async fn writer(&self, tenant: TenantId, id: &str) -> MutexGuard<'_, ()> {
        let hash = FxBuildHasher.hash_one((tenant, id));
        // The remainder always is a writer, so nothing here can be out of bounds.
        let writer = &self.writers[(hash % WRITERS as u64) as usize];
        writer.lock().await
    }

    pub(super) fn count_divergence(&self) {
        self.shadow_divergences.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn divergences(&self) -> u64 {
        self.shadow_divergences.load(Ordering::Relaxed)
    }

    /// Compiles a schema, or finds it compiled. Two calls at once may both compile it; the later one is kept.
    pub(super) fn compile(
        &self,
        tenant: TenantId,
        schema: &Value,
        hash: [u8; 32],
        resolver: &dyn SchemaResolver,
    ) -> Result<CompiledSchema, Vec<Finding>> {
        let key = compiled_key(tenant, schema, hash);
        if let Some(known) = self.compiled.lock().get(&key) {
            return Ok(known);
        }
        let compiled = self.compile_new(schema, resolver)?;
        self.compiled.lock().insert(key, compiled.clone());
        Ok(compiled)
    }

    /// Compiles a schema that leads to others which may never be stored; so it is not remembered.
    pub(super) fn compile_new(
        &self,
        schema: &Value,
        resolver: &dyn SchemaResolver,
    ) -> Result<CompiledSchema, Vec<Finding>> {
        let options = SchemaOptions::new()
            .with_resolver(resolver)
            .with_validators(Arc::clone(&self.validators));
        CompiledSchema::compile(schema, &options)
    }

    /// Compiles a stored version, with the stored schemas it leads to.
    pub(super) async fn compile_stored(
        &self,
        store: &dyn Store,
        tenant: TenantId,
        version: &SchemaVersion,
    ) -> Result<CompiledSchema, EngineError> {
        let (schema, hash) = (version.schema(), version.content_hash());
        let key = compiled_key(tenant, schema, hash);
        if let Some(known) = self.compiled.lock().get(&key) {
            return Ok(known);
        }
        let references = schema_references(schema);
        let known = KnownDefinitions::read_schemas(store, tenant, references).await?;
        self.compile(tenant, schema, hash, &known)
            .map_err(|findings| uncompiled(version, &findings))
    }

    /// Checks that this host has every validator that the published schemas of a tenant need.
    pub(crate) async fn check_stored(
        &self,
        store: &dyn Store,
        tenant: TenantId,
    ) -> Result<(), EngineError> {
        let mut filter = DefinitionFilter::default();
        filter.kind = Some(DefinitionKind::Schema);
        filter.statuses = vec![LifecycleStatus::Published];
        filter.limit = 1000;
        loop {
            let page = store.list_definitions(tenant, &filter).await?;
            filter.after = page.last().map(|stored| stored.id);
            let is_last = page.len() < filter.limit;
            for stored in page {
                let version = SchemaVersion::new(stored);
                match self.compile_stored(store, tenant, &version).await {
                    Err(error) if error.reason() == Some("VALIDATOR_MISSING") => return Err(error),
                    Err(error @ EngineError::Unavailable { .. }) => return Err(error),
                    // What cannot be compiled for another reason is told to whoever uses it.
                    Ok(_) | Err(_) => {}
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

fn compiled_key(tenant: TenantId, schema: &Value, hash: [u8; 32]) -> CompiledKey {
    let leads_elsewhere = !schema_references(schema).is_empty();
    (leads_elsewhere.then_some(tenant), hash)
}

/// A stored version was legal when it was registered; what is unknown now is a validator of the host.
fn uncompiled(version: &SchemaVersion, findings: &[Finding]) -> EngineError {
    let missing = findings.iter().find(|finding| {
        matches!(
            &*finding.code,
            "VALIDATOR_MISSING" | "UNKNOWN_KEYWORD" | "UNKNOWN_FORMAT"
        )
    });
    let (id, number) = (version.schema_id(), version.version());
    match (missing, findings.first()) {
        (Some(finding), _) => EngineError::internal_because(
            "VALIDATOR_MISSING",
            format!(
                "the schema `{id}` {number} needs a validator that is not registered: {finding}; register it with `with_validators`"
            ),
        ),
        (None, Some(finding)) => EngineError::internal(format!(
            "the stored schema `{id}` {number} cannot be compiled: {finding}"
        )),
        (None, None) => EngineError::internal(format!(
            "the stored schema `{id}` {number} cannot be compiled"
        )),
    }
}
