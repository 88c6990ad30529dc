//! Bringing documents of an older major version of a schema to a newer one.

use std::cell::RefCell;
use std::collections::BTreeMap;

use augmented_core::json::normalise_numbers;
use augmented_core::model::LifecycleStatus;
use augmented_core::schema::{CompiledSchema, UpcastError};
use augmented_core::validate::Finding;
use semver::Version;
use serde_json::Value;

use super::version::SchemaVersion;
use super::{SchemaRegistry, version_not_found};
use crate::EngineError;

impl SchemaRegistry {
    /// Brings a document from one major version of a schema to a later one, by the upcasters of the host. The output of
    /// every hop is validated against the highest published version of its major version. Nothing is stored.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use augmented_engine::{Engine, NewSchema};
    /// # use serde_json::{Value, json};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let engine = Engine::builder(Arc::new(augmented_store_memory::MemoryStore::new()))
    ///     .with_upcaster("user", 1, 2, |user: Value| Ok(json!({ "fullName": user["name"] })))
    ///     .start()
    ///     .await?;
    /// let second = json!({ "type": "object", "required": ["fullName"] });
    /// engine.schemas().register(NewSchema::new("user", "User", second).with_version("2.0.0")).await?;
    /// let upgraded = engine.schemas().upgrade("user", json!({ "name": "Ann" }), 1, 2).await?;
    /// assert_eq!(upgraded, json!({ "fullName": "Ann" }));
    /// # engine.shutdown().await;
    /// # Ok::<(), augmented_engine::EngineError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// `NOT_FOUND`, reason `SCHEMA_NOT_FOUND`, or `SCHEMA_VERSION_NOT_FOUND` if the wanted major version has no published
    /// version; `INVALID_ARGUMENT`, reason `UPCAST_FAILED`, if a hop is missing, fails, panics, or gives what its schema
    /// refuses, with the findings about that; `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn upgrade(
        &self,
        schema_id: &str,
        document: Value,
        from_major: u64,
        to_major: u64,
    ) -> Result<Value, EngineError> {
        let known = self.versions(schema_id).await?;
        let mut schemas: BTreeMap<u64, CompiledSchema> = BTreeMap::new();
        for (major, version) in highest_published(&known) {
            if major > from_major && major <= to_major {
                let compiled = self
                    .shared
                    .schemas
                    .compile_stored(&*self.shared.store, self.tenant, version)
                    .await?;
                schemas.insert(major, compiled);
            }
        }
        if from_major < to_major && !schemas.contains_key(&to_major) {
            let wanted = format!("{to_major}.x");
            return Err(version_not_found(schema_id, Some(&wanted), &known));
        }
        self.chained(schema_id, document, (from_major, to_major), &schemas)
    }

    fn chained(
        &self,
        schema_id: &str,
        document: Value,
        (from, to): (u64, u64),
        schemas: &BTreeMap<u64, CompiledSchema>,
    ) -> Result<Value, EngineError> {
        if from > to {
            return Err(failed(
                format!("a document of major version {from} cannot go back to {to}"),
                Vec::new(),
            ));
        }
        // The chain does not check a hop without a schema, and an unchecked hop is none.
        let unchecked = RefCell::new(None);
        let target = |major: u64| {
            let schema = schemas.get(&major).cloned();
            if schema.is_none() {
                unchecked.borrow_mut().get_or_insert(major);
            }
            schema
        };
        let document = normalise_numbers(document);
        let upcasters = &self.shared.schemas.upcasters;
        let upgraded = upcasters
            .upgrade(schema_id, document, from, to, &target)
            .map_err(|error: UpcastError| failed(error.to_string(), error.findings))?;
        match unchecked.into_inner() {
            None => Ok(upgraded),
            Some(major) => Err(failed(
                format!(
                    "the schema `{schema_id}` has no published version of major version {major}, by which the hop to it could be checked"
                ),
                Vec::new(),
            )),
        }
    }
}

fn highest_published(known: &[SchemaVersion]) -> BTreeMap<u64, &SchemaVersion> {
    let published = known
        .iter()
        .filter(|known| known.status() == LifecycleStatus::Published);
    // They come in ascending order, so the highest is the last to be inserted.
    published
        .filter_map(|known| Some((Version::parse(known.version()).ok()?.major, known)))
        .collect()
}

fn failed(message: String, findings: Vec<Finding>) -> EngineError {
    EngineError::invalid("UPCAST_FAILED", message, findings)
}
