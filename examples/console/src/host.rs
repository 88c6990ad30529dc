//! What this host has: the task handlers every engine has, and the mocks of a run.

use std::collections::BTreeSet;

use augmented_core::model::builtin;
use augmented_core::validate::{HandlerContract, HostRegistry, Registration};
use serde_json::Value;

/// The registry of the command.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommandHost {
    mocked: BTreeSet<String>,
}

impl CommandHost {
    pub(crate) fn with_mocks(mocked: impl IntoIterator<Item = String>) -> Self {
        Self {
            mocked: mocked.into_iter().collect(),
        }
    }

    /// The built-in task definitions that a handler carries out.
    pub(crate) fn handlers() -> impl Iterator<Item = &'static Value> {
        builtin::documents()
            .iter()
            .map(AsRef::as_ref)
            .filter(|task| endpoint(task).is_some())
    }
}

impl HostRegistry for CommandHost {
    fn task_handler(&self, name: &str) -> Option<HandlerContract> {
        Self::handlers()
            .any(|task| endpoint(task) == Some(name))
            .then(HandlerContract::default)
    }

    fn task_handlers(&self) -> Vec<String> {
        Self::handlers()
            .filter_map(endpoint)
            .map(str::to_owned)
            .collect()
    }

    fn is_mocked(&self, task_id: &str) -> bool {
        self.mocked.contains(task_id)
    }

    fn executor(&self, implementation_kind: &str, _: Option<&str>) -> Registration {
        match implementation_kind {
            "NATIVE" => Registration::Unknown,
            _ => Registration::Missing,
        }
    }
}

/// The name of the handler of a built-in task.
pub(crate) fn endpoint(task: &Value) -> Option<&str> {
    let implementation = task.get("implementation").filter(|implementation| {
        implementation.get("kind").and_then(Value::as_str) == Some("NATIVE")
    })?;
    implementation.get("endpoint").and_then(Value::as_str)
}
