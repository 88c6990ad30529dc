//! Where references lead: the definitions of the same bundle, then whatever the caller knows.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::model::{DefinitionKind, LifecycleStatus};

/// One version of a definition that references may lead to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KnownDefinition {
    /// Its version.
    pub version: String,
    /// Where it is in its life.
    pub status: LifecycleStatus,
    /// The whole document.
    pub document: Arc<Value>,
}

impl KnownDefinition {
    /// A version with its status and document.
    pub fn new(version: impl Into<String>, status: LifecycleStatus, document: Arc<Value>) -> Self {
        Self {
            version: version.into(),
            status,
            document,
        }
    }
}

/// Looks definitions up by kind and business id; synchronous, so a store answers from what it fetched before.
///
/// [`references`](super::references) lists what a document refers to, so that one query can fetch all of it.
pub trait ReferenceResolver: Send + Sync {
    /// Every known version of a definition, of any status and in any order.
    fn versions(&self, kind: DefinitionKind, id: &str) -> Vec<KnownDefinition>;

    /// Business ids of a kind, for "did you mean"; may be incomplete.
    fn ids(&self, kind: DefinitionKind) -> Vec<String> {
        let _ = kind;
        Vec::new()
    }

    /// Names of the published events, for patterns; may be empty when none is known.
    fn event_names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Knows nothing: every reference must resolve inside the bundle.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoReferences;

impl ReferenceResolver for NoReferences {
    fn versions(&self, _: DefinitionKind, _: &str) -> Vec<KnownDefinition> {
        Vec::new()
    }
}

/// A resolver over definitions held in memory.
///
/// ```
/// use augmented_core::model::{DefinitionKind, LifecycleStatus};
/// use augmented_core::validate::{DefinitionCatalogue, ReferenceResolver};
/// use serde_json::json;
/// let mut catalogue = DefinitionCatalogue::default();
/// catalogue.add(json!({"kind": "task", "taskId": "charge", "version": "1.0.0"}), LifecycleStatus::Published);
/// assert_eq!(catalogue.versions(DefinitionKind::Task, "charge").len(), 1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct DefinitionCatalogue {
    known: FxHashMap<(DefinitionKind, String), Vec<KnownDefinition>>,
    event_names: Vec<String>,
}

impl DefinitionCatalogue {
    /// Adds a document; one without a known kind, id and version is passed over.
    pub fn add(&mut self, document: Value, status: LifecycleStatus) {
        let kind = document
            .get("kind")
            .and_then(Value::as_str)
            .and_then(|k| k.parse::<DefinitionKind>().ok());
        let Some(kind) = kind else { return };
        let id = DefinitionKind::id_member(kind).and_then(|member| document.get(member)?.as_str());
        let Some(id) = id.map(str::to_owned) else {
            return;
        };
        let Some(version) = document
            .get("version")
            .and_then(Value::as_str)
            .map(str::to_owned)
        else {
            return;
        };
        if kind == DefinitionKind::Event
            && status == LifecycleStatus::Published
            && let Some(name) = document.get("pattern").and_then(Value::as_str)
        {
            self.event_names.push(name.to_owned());
        }
        self.known
            .entry((kind, id))
            .or_default()
            .push(KnownDefinition {
                version,
                status,
                document: Arc::new(document),
            });
    }
}

impl ReferenceResolver for DefinitionCatalogue {
    fn versions(&self, kind: DefinitionKind, id: &str) -> Vec<KnownDefinition> {
        self.known
            .get(&(kind, id.to_owned()))
            .cloned()
            .unwrap_or_default()
    }

    fn ids(&self, kind: DefinitionKind) -> Vec<String> {
        let mut ids: Vec<String> = self
            .known
            .keys()
            .filter(|(k, _)| *k == kind)
            .map(|(_, id)| id.clone())
            .collect();
        ids.sort_unstable();
        ids
    }

    fn event_names(&self) -> Vec<String> {
        self.event_names.clone()
    }
}
