//! The proof that a definition passed validation.

use std::ops::Deref;

use crate::model::{
    Definition, EventDefinition, ScheduleDefinition, SchemaDefinition, TaskDefinition,
    TriggerDefinition, WorkflowDefinition,
};

/// A definition that passed validation, the only form the engine takes.
///
/// Only [`DefinitionValidator`](super::DefinitionValidator) makes one, so nobody after it checks again.
///
/// ```
/// use augmented_core::model::WorkflowDefinition;
/// use augmented_core::validate::{DefinitionValidator, Published};
/// use serde_json::json;
/// let stored = json!({
///     "kind": "workflow", "workflowId": "hello", "version": "1.0.0", "name": "Hello",
///     "steps": [{"stepId": "greet", "type": "TASK", "taskId": "std.echo"}],
/// });
/// let published = DefinitionValidator::standard().admit_stored(&stored).unwrap();
/// let workflow: Published<WorkflowDefinition> = published.into_workflow().unwrap();
/// assert_eq!(workflow.workflow_id, "hello");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Published<D>(D);

impl<D> Published<D> {
    pub(super) fn new(definition: D) -> Self {
        Self(definition)
    }

    /// The definition itself, without the proof.
    pub fn into_inner(self) -> D {
        self.0
    }
}

impl<D> Deref for Published<D> {
    type Target = D;

    fn deref(&self) -> &D {
        &self.0
    }
}

macro_rules! narrowing {
    ($($(#[$doc:meta])* $name:ident: $variant:ident => $definition:ty;)*) => {
        impl Published<Definition> {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(self) -> Option<Published<$definition>> {
                match self.0 {
                    Definition::$variant(definition) => Some(Published(*definition)),
                    _ => None,
                }
            })*
        }
    };
}

narrowing! {
    /// The workflow, if it is one.
    into_workflow: Workflow => WorkflowDefinition;
    /// The task, if it is one.
    into_task: Task => TaskDefinition;
    /// The event, if it is one.
    into_event: Event => EventDefinition;
    /// The trigger, if it is one.
    into_trigger: Trigger => TriggerDefinition;
    /// The schedule, if it is one.
    into_schedule: Schedule => ScheduleDefinition;
    /// The schema, if it is one.
    into_schema: Schema => SchemaDefinition;
}
