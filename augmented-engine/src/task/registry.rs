//! The handlers of a node, the mocks that stand for them, and the task definitions that follow from them.

use std::sync::Arc;

use augmented_core::Timestamp;
use augmented_core::ids::uuid_v7;
use augmented_core::model::{
    DefinitionKind, Implementation, TaskDefinition, builtin, content_hash,
};
use augmented_core::runtime::TaskPin;
use augmented_core::schema::SchemaOptions;
use augmented_core::validate::Finding;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::handler::DynTask;
use super::mock::MockTask;
use super::work::CompiledTask;

/// What this node can run; fixed once the engine has started.
#[derive(Default)]
pub(crate) struct TaskRegistry {
    handlers: FxHashMap<String, Arc<dyn DynTask>>,
    mocks: FxHashMap<String, Arc<dyn DynTask>>,
    derived: FxHashMap<String, DerivedTask>,
}

/// The task definition of a handler nobody wrote one for.
#[derive(Clone)]
pub(crate) struct DerivedTask {
    pub(crate) pin: TaskPin,
    pub(crate) document: Arc<Value>,
    definition: Arc<TaskDefinition>,
}

/// The version of every derived definition.
const DERIVED_VERSION: &str = "1.0.0";

impl TaskRegistry {
    /// Registers a handler; one of the same name is replaced.
    pub(crate) fn add(
        &mut self,
        name: &str,
        handler: Arc<dyn DynTask>,
    ) -> Result<(), Vec<Finding>> {
        let derived = DerivedTask::of(name, &*handler)?;
        self.handlers.insert(name.to_owned(), handler);
        self.derived.insert(name.to_owned(), derived);
        Ok(())
    }

    /// Lets a mock stand for the implementation of a task definition.
    pub(crate) fn mock(&mut self, task_id: &str, mock: MockTask) {
        self.mocks.insert(task_id.to_owned(), Arc::new(mock));
    }

    pub(crate) fn handler(&self, name: &str) -> Option<&Arc<dyn DynTask>> {
        self.handlers.get(name)
    }

    pub(crate) fn has_mock(&self, task_id: &str) -> bool {
        self.mocks.contains_key(task_id)
    }

    /// The names of all handlers, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.handlers.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn derived(&self, task_id: &str) -> Option<&DerivedTask> {
        self.derived.get(task_id)
    }

    /// Compiles a stored definition with whatever does its work on this node.
    pub(crate) fn compile(
        &self,
        definition: &TaskDefinition,
        pin: TaskPin,
        schemas: &SchemaOptions<'_>,
    ) -> Result<CompiledTask, Vec<Finding>> {
        let is_native = matches!(definition.implementation, Implementation::Native(_));
        CompiledTask::compile(definition, pin, schemas, |endpoint| {
            let mock = self.mocks.get(definition.task_id.as_str());
            mock.or_else(|| self.handlers.get(endpoint).filter(|_| is_native))
                .cloned()
        })
    }

    /// Compiles the definition that follows from a handler.
    pub(crate) fn compile_derived(
        &self,
        derived: &DerivedTask,
    ) -> Result<CompiledTask, Vec<Finding>> {
        self.compile(
            &derived.definition,
            derived.pin.clone(),
            &SchemaOptions::new(),
        )
    }
}

impl DerivedTask {
    fn of(name: &str, handler: &dyn DynTask) -> Result<Self, Vec<Finding>> {
        if let Some(built_in) = builtin::task(name) {
            return Self::from_document(name, Arc::clone(built_in));
        }
        let document = json!({
            "kind": "task",
            "taskId": name,
            "version": DERIVED_VERSION,
            "name": name,
            "type": "AUTOMATED",
            "implementation": { "kind": "NATIVE", "endpoint": name },
            "inputSchema": object_schema(handler.input_schema()),
            "outputSchema": object_schema(handler.output_schema()),
        });
        Self::from_document(name, Arc::new(document))
    }

    fn from_document(name: &str, document: Arc<Value>) -> Result<Self, Vec<Finding>> {
        let definition = TaskDefinition::deserialize(&*document).map_err(|error| {
            vec![
                Finding::error(
                    "TASK_INVALID",
                    "",
                    format!("the handler `{name}` gives no legal task definition: {error}"),
                )
                .with_argument("handler", name),
            ]
        })?;
        // Equal on every node that has the same handler, so that an instance may move between them.
        let digest = content_hash(DefinitionKind::Task, &document);
        let mut random = [0; 10];
        random.copy_from_slice(&digest[..10]);
        let pin = TaskPin {
            id: uuid_v7(Timestamp::from_micros(0), &random),
            task_id: name.into(),
            version: DERIVED_VERSION.into(),
        };
        Ok(Self {
            pin,
            document,
            definition: Arc::new(definition),
        })
    }
}

/// The schema of a handler's type, if it is one of objects; tasks take and give objects only.
fn object_schema(schema: &Value) -> Value {
    let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
    if !is_object {
        return json!({ "type": "object" });
    }
    let mut schema = schema.clone();
    if let Some(members) = schema.as_object_mut() {
        members.remove("$schema");
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::standard;

    #[test]
    fn a_handler_gives_the_same_definition_everywhere() {
        let mut registries = [TaskRegistry::default(), TaskRegistry::default()];
        for registry in &mut registries {
            for (name, handler) in standard::handlers() {
                registry.add(name, handler).unwrap();
            }
        }
        let [one, other] =
            registries.map(|registry| registry.derived("std.echo").unwrap().pin.clone());
        assert_eq!(one, other);
        assert_eq!((&*one.task_id, &*one.version), ("std.echo", "1.0.0"));
    }

    #[test]
    fn json_handlers_take_any_object() {
        let (_, echo) = standard::handlers()[0].clone();
        let derived = DerivedTask::of("std.echo", &*echo).unwrap();
        assert_eq!(derived.document["inputSchema"], json!({"type": "object"}));
    }
}
