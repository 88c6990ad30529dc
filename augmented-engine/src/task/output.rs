//! What a handler returns when it did its work.

use std::any::Any;
use std::sync::Arc;

use augmented_core::json::normalise_numbers;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

use super::error::TaskError;

/// The result of a successful attempt: data, and the outcome that transitions may name in `on`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TaskOutput {
    /// The data.
    pub output: Value,
    /// The business outcome; absent = `SUCCESS`.
    pub outcome: Option<Arc<str>>,
}

impl TaskOutput {
    /// Data without a particular outcome; integral doubles in it become integers, the one form of a number.
    #[must_use]
    pub fn new(output: Value) -> Self {
        Self {
            output: normalise_numbers(output),
            outcome: None,
        }
    }

    /// Chooses the outcome.
    #[must_use]
    pub fn with_outcome(mut self, outcome: impl Into<Arc<str>>) -> Self {
        self.outcome = Some(outcome.into());
        self
    }
}

/// A typed output together with the business outcome the handler chose.
///
/// ```
/// use augmented_engine::{Outcome, TaskContext, TaskError};
/// use serde_json::{Value, json};
///
/// async fn review(_ctx: TaskContext, order: Value) -> Result<Outcome<Value>, TaskError> {
///     let outcome = if order["amount"].as_i64() > Some(1000) { "DECLINED" } else { "APPROVED" };
///     Ok(Outcome::new(outcome, json!({ "checked": true })))
/// }
/// # let _ = review;
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outcome<T> {
    /// The data.
    pub output: T,
    /// The business outcome.
    pub outcome: Arc<str>,
}

impl<T> Outcome<T> {
    /// `output` under the business outcome `outcome`.
    pub fn new(outcome: impl Into<Arc<str>>, output: T) -> Self {
        Self {
            output,
            outcome: outcome.into(),
        }
    }
}

/// Types a handler may return: anything that serializes and has a JSON Schema, bare or in an [`Outcome`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the output of a task",
    note = "derive `serde::Serialize` and `schemars::JsonSchema` for it, or return `serde_json::Value`, `Outcome<T>` or `TaskOutput`"
)]
pub trait IntoTaskOutput: Send + 'static {
    /// Turns the value into JSON and an outcome.
    ///
    /// # Errors
    /// [`TaskError`] with `OUTPUT_VALIDATION_FAILED` if it cannot be written as JSON.
    fn into_task_output(self) -> Result<TaskOutput, TaskError>;

    /// The JSON Schema of the data.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

impl<T: Serialize + JsonSchema + Send + 'static> IntoTaskOutput for T {
    fn into_task_output(self) -> Result<TaskOutput, TaskError> {
        to_value(self).map(TaskOutput::new)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.root_schema_for::<T>()
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> IntoTaskOutput for Outcome<T> {
    fn into_task_output(self) -> Result<TaskOutput, TaskError> {
        Ok(TaskOutput::new(to_value(self.output)?).with_outcome(self.outcome))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.root_schema_for::<T>()
    }
}

impl IntoTaskOutput for TaskOutput {
    fn into_task_output(self) -> Result<TaskOutput, TaskError> {
        Ok(self)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.root_schema_for::<Value>()
    }
}

/// JSON as it is, everything else serialized.
fn to_value<T: Serialize + 'static>(output: T) -> Result<Value, TaskError> {
    let mut output = Some(output);
    // A handler that already returns JSON is spared a rebuild of the whole tree.
    if let Some(json) = (&mut output as &mut dyn Any).downcast_mut::<Option<Value>>() {
        return Ok(json.take().unwrap_or(Value::Null));
    }
    match output {
        Some(output) => {
            serde_json::to_value(output).map_err(|error| TaskError::output_refused(&error))
        }
        None => Ok(Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Serialize, JsonSchema)]
    struct Reserved {
        left: u32,
    }

    #[test]
    fn typed_json_and_outcome_outputs_become_the_same_shape() {
        assert_eq!(
            Reserved { left: 3 }.into_task_output().unwrap(),
            TaskOutput::new(json!({"left": 3}))
        );
        assert_eq!(
            json!({"left": 3}).into_task_output().unwrap(),
            TaskOutput::new(json!({"left": 3}))
        );
        assert_eq!(
            Outcome::new("LOW", Reserved { left: 3 })
                .into_task_output()
                .unwrap(),
            TaskOutput::new(json!({"left": 3})).with_outcome("LOW")
        );
    }

    #[test]
    fn an_output_without_json_form_is_refused() {
        let keyed_by_lists = std::collections::BTreeMap::from([(vec![1], 1)]);
        assert_eq!(
            keyed_by_lists.into_task_output().unwrap_err().code(),
            "OUTPUT_VALIDATION_FAILED"
        );
    }
}
