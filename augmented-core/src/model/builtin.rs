//! The task definitions that every engine knows without anybody publishing them.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

/// Version of the built-in definitions.
pub const VERSION: &str = "1.0.0";

/// The documents of the built-in task definitions: `std.echo`, `std.fail`, `std.sleep`, `std.log` and `system.human-task`.
///
/// They count as PUBLISHED and belong to the system tenant.
///
/// ```
/// use augmented_core::model::builtin;
/// assert!(builtin::documents().iter().any(|task| task["taskId"] == "std.echo"));
/// ```
#[must_use]
pub fn documents() -> &'static [Arc<Value>] {
    static DOCUMENTS: LazyLock<Vec<Arc<Value>>> = LazyLock::new(|| {
        let native = [
            ("std.echo", "Echo", "Returns its input."),
            (
                "std.fail",
                "Fail",
                "Fails with the error its input describes: `code` (STD_FAILED), `category` (TRANSIENT), `message` and `retryable`. With \
                 `untilAttempt` it fails while the attempt is below that number and then returns its input.",
            ),
            (
                "std.sleep",
                "Sleep",
                "Waits for the `duration` in its input, on the engine's clock, and returns an empty object.",
            ),
            (
                "std.log",
                "Log",
                "Writes the `message` in its input to the log, at the `level` in it, and returns an empty object.",
            ),
        ];
        let mut documents: Vec<Arc<Value>> = native
            .into_iter()
            .map(|(id, name, description)| Arc::new(native_task(id, name, description)))
            .collect();
        documents.push(Arc::new(human_task()));
        documents
    });
    &DOCUMENTS
}

/// The built-in document of a task id, if there is one.
#[must_use]
pub fn task(task_id: &str) -> Option<&'static Arc<Value>> {
    documents()
        .iter()
        .find(|document| document.get("taskId").and_then(Value::as_str) == Some(task_id))
}

fn native_task(id: &str, name: &str, description: &str) -> Value {
    json!({
        "kind": "task",
        "taskId": id,
        "version": VERSION,
        "name": name,
        "description": description,
        "type": "AUTOMATED",
        "implementation": {"kind": "NATIVE", "endpoint": id},
        "inputSchema": {"type": "object"},
        "outputSchema": {"type": "object"},
    })
}

fn human_task() -> Value {
    json!({
        "kind": "task",
        "taskId": "system.human-task",
        "version": VERSION,
        "name": "Human task",
        "description": "The work of a HUMAN_TASK step that names no task of its own.",
        "type": "MANUAL",
        "implementation": {"kind": "HUMAN"},
        "inputSchema": {"type": "object"},
        "outputSchema": {
            "type": "object",
            "properties": {
                "decision": {"type": "string", "description": "The chosen outcome."},
                "comment": {"type": "string", "description": "What the person had to say."},
            },
        },
        "manual": {},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Definition, DefinitionKind};
    use crate::schemas;

    #[test]
    fn built_in_documents_are_valid_tasks_in_canonical_form() {
        let schema =
            jsonschema::validator_for(schemas::schema_for(DefinitionKind::Task).unwrap()).unwrap();
        for document in documents() {
            assert!(schema.is_valid(document), "{document}");
            let definition = Definition::from_value((**document).clone()).unwrap();
            assert_eq!(definition.to_value().unwrap(), **document);
            assert_eq!(definition.version(), VERSION);
            assert_eq!(task(definition.business_id()), Some(document));
        }
        assert_eq!(task("std.nothing"), None);
        assert_eq!(documents().len(), 5);
    }
}
