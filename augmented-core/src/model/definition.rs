//! A definition of any kind, and how one is stored.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::event::EventDefinition;
use super::kind::DefinitionKind;
use super::lifecycle::LifecycleStatus;
use super::load;
use super::schedule::ScheduleDefinition;
use super::schema::SchemaDefinition;
use super::task::TaskDefinition;
use super::trigger::TriggerDefinition;
use super::version::VersionCandidate;
use super::workflow::WorkflowDefinition;
use crate::ids::TenantId;
use crate::json::canonical;
use crate::time::Timestamp;

/// A definition of any kind that has a model.
///
/// ```
/// use augmented_core::model::{Definition, DefinitionKind};
/// use serde_json::json;
/// let definition = Definition::from_value(json!({
///     "kind": "workflow", "workflowId": "hello", "version": "1.0.0", "name": "Hello",
///     "steps": [{"stepId": "greet", "type": "TASK", "taskId": "std.echo"}],
/// })).unwrap();
/// assert_eq!(definition.kind(), DefinitionKind::Workflow);
/// assert_eq!((definition.business_id(), definition.version()), ("hello", "1.0.0"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Definition {
    /// A durable process.
    Workflow(Box<WorkflowDefinition>),
    /// A unit of work.
    Task(Box<TaskDefinition>),
    /// An event type.
    Event(Box<EventDefinition>),
    /// Lets an event start, cancel or signal a workflow.
    Trigger(Box<TriggerDefinition>),
    /// Starts a workflow or task at certain times.
    Schedule(Box<ScheduleDefinition>),
    /// A JSON Schema under a name.
    Schema(Box<SchemaDefinition>),
}

/// Why a value is no definition.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// The member `kind` is missing or names no kind.
    #[error("{message}")]
    Kind {
        /// What is wrong with it, and what was probably meant.
        message: String,
    },
    /// Definitions of this kind have no model.
    #[error("definitions of kind `{0}` are not supported by this version")]
    Unsupported(DefinitionKind),
    /// The document does not have the shape of its kind.
    #[error("the document is no {kind} definition")]
    Malformed {
        /// The kind it says it is.
        kind: DefinitionKind,
        /// What does not fit.
        source: serde_json::Error,
    },
}

impl Definition {
    /// Reads a document.
    ///
    /// A document that passed validation is always read. Validation names every fault of one that did not; this
    /// function names the first.
    ///
    /// # Errors
    /// [`DefinitionError`] if the value is no document of a kind that has a model.
    pub fn from_value(document: Value) -> Result<Self, DefinitionError> {
        let kind = load::detect_kind(&document).map_err(|finding| DefinitionError::Kind {
            message: finding.message,
        })?;
        let read = match kind {
            DefinitionKind::Workflow => read(document).map(Self::Workflow),
            DefinitionKind::Task => read(document).map(Self::Task),
            DefinitionKind::Event => read(document).map(Self::Event),
            DefinitionKind::Trigger => read(document).map(Self::Trigger),
            DefinitionKind::Schedule => read(document).map(Self::Schedule),
            DefinitionKind::Schema => read(document).map(Self::Schema),
            DefinitionKind::Integration
            | DefinitionKind::IntegrationInstance
            | DefinitionKind::UiComponent
            | DefinitionKind::Test
            | DefinitionKind::Role
            | DefinitionKind::Permission
            | DefinitionKind::Policy
            | DefinitionKind::Dashboard
            | DefinitionKind::AlertRule => return Err(DefinitionError::Unsupported(kind)),
        };
        read.map_err(|source| DefinitionError::Malformed { kind, source })
    }

    /// The document, without what was only for editors.
    ///
    /// # Errors
    /// An error of the JSON serializer; the models give it no cause.
    pub fn to_value(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    /// What it defines.
    #[must_use]
    pub const fn kind(&self) -> DefinitionKind {
        match self {
            Self::Workflow(_) => DefinitionKind::Workflow,
            Self::Task(_) => DefinitionKind::Task,
            Self::Event(_) => DefinitionKind::Event,
            Self::Trigger(_) => DefinitionKind::Trigger,
            Self::Schedule(_) => DefinitionKind::Schedule,
            Self::Schema(_) => DefinitionKind::Schema,
        }
    }

    /// Its business id.
    #[must_use]
    pub fn business_id(&self) -> &str {
        match self {
            Self::Workflow(workflow) => &workflow.workflow_id,
            Self::Task(task) => &task.task_id,
            Self::Event(event) => &event.event_id,
            Self::Trigger(trigger) => &trigger.trigger_id,
            Self::Schedule(schedule) => &schedule.schedule_id,
            Self::Schema(schema) => &schema.schema_id,
        }
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &str {
        match self {
            Self::Workflow(workflow) => &workflow.version,
            Self::Task(task) => &task.version,
            Self::Event(event) => &event.version,
            Self::Trigger(trigger) => &trigger.version,
            Self::Schedule(schedule) => &schedule.version,
            Self::Schema(schema) => &schema.version,
        }
    }

    /// The name shown to people, where the kind has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Workflow(workflow) => Some(&workflow.name),
            Self::Task(task) => Some(&task.name),
            Self::Event(event) => Some(&event.name),
            Self::Trigger(_) => None,
            Self::Schedule(schedule) => schedule.name.as_deref(),
            Self::Schema(schema) => Some(&schema.name),
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(document: Value) -> serde_json::Result<Box<T>> {
    T::deserialize(document).map(Box::new)
}

/// The SHA-256 of a document's canonical form, by which a change of content is noticed.
///
/// What changes nothing of the definition is left out: `$schema`, and the `layout` of a workflow.
///
/// ```
/// use augmented_core::model::{DefinitionKind, content_hash};
/// use serde_json::json;
/// let plain = json!({"kind": "workflow", "workflowId": "a"});
/// let drawn = json!({"kind": "workflow", "workflowId": "a", "layout": {"x": 1}, "$schema": "…"});
/// assert_eq!(content_hash(DefinitionKind::Workflow, &plain), content_hash(DefinitionKind::Workflow, &drawn));
/// ```
#[must_use]
pub fn content_hash(kind: DefinitionKind, document: &Value) -> [u8; 32] {
    let ignored =
        |name: &str| name == "$schema" || (name == "layout" && kind == DefinitionKind::Workflow);
    match document {
        Value::Object(members) if members.keys().any(|name| ignored(name)) => {
            let mut kept = members.clone();
            kept.remove("$schema");
            if kind == DefinitionKind::Workflow {
                kept.remove("layout");
            }
            canonical::content_hash(&Value::Object(kept))
        }
        _ => canonical::content_hash(document),
    }
}

/// One version of a definition as a store keeps it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredDefinition {
    /// Row id; running work pins it.
    pub id: Uuid,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it defines.
    pub kind: DefinitionKind,
    /// Its business id.
    pub business_id: Arc<str>,
    /// Its version.
    pub version: Arc<str>,
    /// Where it stands in its life.
    pub status: LifecycleStatus,
    /// The canonical document.
    pub document: Arc<Value>,
    /// What [`content_hash`] gives for the document.
    pub content_hash: [u8; 32],
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was first published.
    pub published_at: Option<Timestamp>,
    /// What was said when it was deprecated.
    pub deprecation: Option<Deprecation>,
}

/// Why a version should no longer be used. Kept beside the document, whose content never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deprecation {
    /// Why, for people.
    pub reason: Arc<str>,
    /// The version to use instead.
    pub replaced_by: Option<Arc<str>>,
}

impl Deprecation {
    /// A reason, without a version to use instead.
    #[must_use]
    pub fn new(reason: impl Into<Arc<str>>) -> Self {
        Self {
            reason: reason.into(),
            replaced_by: None,
        }
    }

    /// Names the version to use instead.
    #[must_use]
    pub fn with_replacement(mut self, version: impl Into<Arc<str>>) -> Self {
        self.replaced_by = Some(version.into());
        self
    }
}

impl StoredDefinition {
    /// A version that is stored for the first time at `now`; past DRAFT it counts as published then.
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the columns of the row"
    )]
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
        Self {
            id,
            tenant,
            kind,
            business_id,
            version,
            status,
            document,
            content_hash,
            created_at: now,
            updated_at: now,
            published_at,
            deprecation: None,
        }
    }
}

impl VersionCandidate for StoredDefinition {
    fn version(&self) -> &str {
        &self.version
    }

    fn status(&self) -> LifecycleStatus {
        self.status
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fault(document: Value) -> String {
        Definition::from_value(document).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_definition_says_why() {
        assert_eq!(
            fault(json!({"kind": "workflw"})),
            "`workflw` is no kind of definition"
        );
        assert_eq!(
            fault(json!({"kind": "role"})),
            "definitions of kind `role` are not supported by this version"
        );
        assert_eq!(
            fault(json!({"kind": "event"})),
            "the document is no event definition"
        );
    }

    #[test]
    fn the_editor_link_is_accepted_and_dropped() {
        let document = json!({"kind": "schema", "schemaId": "a", "version": "1.0.0", "name": "A", "schema": true});
        let mut linked = document.clone();
        linked["$schema"] = json!("aug://schema/core.schema/1.0.0");
        assert_eq!(
            Definition::from_value(linked).unwrap().to_value().unwrap(),
            document
        );
    }

    #[test]
    fn only_content_changes_the_hash() {
        let hash = |kind, document: Value| content_hash(kind, &document);
        let plain = json!({"kind": "workflow", "name": "A"});
        let same = [
            json!({"name": "A", "kind": "workflow"}),
            json!({"kind": "workflow", "name": "A", "layout": {}}),
            json!({"kind": "workflow", "name": "A", "$schema": "x", "layout": {"a": 1}}),
        ];
        for document in same {
            assert_eq!(
                hash(DefinitionKind::Workflow, plain.clone()),
                hash(DefinitionKind::Workflow, document)
            );
        }
        let other = json!({"kind": "workflow", "name": "B"});
        assert_ne!(
            hash(DefinitionKind::Workflow, plain.clone()),
            hash(DefinitionKind::Workflow, other)
        );
        let drawn = json!({"kind": "workflow", "name": "A", "layout": {}});
        assert_ne!(
            hash(DefinitionKind::Task, plain),
            hash(DefinitionKind::Task, drawn),
            "only workflows have a layout"
        );
    }

    #[test]
    fn a_draft_is_not_published_yet() {
        let stored = |status| {
            let (id, text) = (Uuid::nil(), Arc::from("a"));
            let document = Arc::new(json!({}));
            StoredDefinition::new(
                id,
                TenantId::default(),
                DefinitionKind::Task,
                text,
                Arc::from("1.0.0"),
                status,
                document,
                [0; 32],
                Timestamp::MIN,
            )
        };
        assert_eq!(stored(LifecycleStatus::Draft).published_at, None);
        assert_eq!(
            stored(LifecycleStatus::Published).published_at,
            Some(Timestamp::MIN)
        );
    }
}
