//! Canned results that stand for the implementation of a task.

use std::sync::atomic::{AtomicUsize, Ordering};

use augmented_core::error::ErrorInfo;
use augmented_core::expr::{
    ExprSite, ExpressionEngine, FieldClass, JsonBindings, Profile, Shape, Template,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::context::TaskContext;
use super::error::TaskError;
use super::handler::DynTask;
use super::output::TaskOutput;

/// What a mocked task answers, call by call; the last answer is repeated.
///
/// Written as JSON it is one answer, or an array with one answer for each attempt, POLL round or visit. An answer
/// is an output, `{"$error": {…}}` or `{"$outcome": CODE, "output"?}`. Strings of outputs are templates over
/// `input`, `attempt`, `visit` and `now`.
///
/// ```
/// use augmented_engine::MockScript;
/// use serde_json::json;
/// let script = MockScript::from_json(&json!([
///     { "$error": { "code": "LINE_BUSY", "category": "TRANSIENT", "message": "busy" } },
///     { "$outcome": "APPROVED", "output": { "orderId": "${input.orderId}" } },
/// ])).unwrap();
/// assert_eq!(script.len(), 2);
/// assert!(MockScript::from_json(&json!({ "$error": { "category": "TRANSIENT" } })).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct MockScript {
    answers: Vec<MockAnswer>,
}

#[derive(Clone, Debug)]
enum MockAnswer {
    Output {
        output: Value,
        outcome: Option<Arc<str>>,
    },
    Error(ErrorInfo),
}

/// Why a mock cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}, at {pointer}")]
#[non_exhaustive]
pub struct MockError {
    /// Where, as a JSON Pointer.
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl MockError {
    fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
        }
    }
}

impl MockScript {
    /// Always the same output.
    #[must_use]
    pub fn output(output: Value) -> Self {
        Self {
            answers: vec![MockAnswer::Output {
                output,
                outcome: None,
            }],
        }
    }

    /// Always the same error.
    #[must_use]
    pub fn error(error: ErrorInfo) -> Self {
        Self {
            answers: vec![MockAnswer::Error(error)],
        }
    }

    /// Answers with `next` once the answers so far are used up; that one is repeated then.
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        self.answers.extend(next.answers);
        self
    }

    /// Chooses the business outcome of the last answer, if it is an output.
    #[must_use]
    pub fn with_outcome(mut self, code: impl Into<Arc<str>>) -> Self {
        if let Some(MockAnswer::Output { outcome, .. }) = self.answers.last_mut() {
            *outcome = Some(code.into());
        }
        self
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// [`MockError`] for an empty array, and for `$error` or `$outcome` of the wrong shape.
    pub fn from_json(script: &Value) -> Result<Self, MockError> {
        let answers = match script {
            Value::Array(list) if list.is_empty() => {
                return Err(MockError::new("", "a mock needs at least one answer"));
            }
            Value::Array(list) => {
                let read = |(index, answer): (usize, &Value)| {
                    MockAnswer::from_json(answer, &format!("/{index}"))
                };
                list.iter()
                    .enumerate()
                    .map(read)
                    .collect::<Result<_, _>>()?
            }
            single => vec![MockAnswer::from_json(single, "")?],
        };
        Ok(Self { answers })
    }

    /// How many answers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether there are none, which no constructor allows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }
}

impl MockAnswer {
    fn from_json(answer: &Value, at: &str) -> Result<Self, MockError> {
        let Some(members) = answer.as_object() else {
            return Ok(Self::Output {
                output: answer.clone(),
                outcome: None,
            });
        };
        if let Some(error) = members.get("$error") {
            only(members, &["$error"], at)?;
            return read_error(error, &format!("{at}/$error")).map(Self::Error);
        }
        let Some(outcome) = members.get("$outcome") else {
            return Ok(Self::Output {
                output: answer.clone(),
                outcome: None,
            });
        };
        only(members, &["$outcome", "output"], at)?;
        let Some(code) = outcome.as_str().filter(|code| !code.is_empty()) else {
            return Err(MockError::new(
                format!("{at}/$outcome"),
                "an outcome is a non-empty text",
            ));
        };
        let output = members.get("output").cloned().unwrap_or_else(|| json!({}));
        Ok(Self::Output {
            output,
            outcome: Some(code.into()),
        })
    }
}

fn only(members: &Map<String, Value>, known: &[&str], at: &str) -> Result<(), MockError> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(other) => Err(MockError::new(
            format!("{at}/{other}"),
            format!(
                "beside {} there is no member `{other}`",
                known.join(" and ")
            ),
        )),
    }
}

/// Reads an error whose message and `retryable` may be left out.
fn read_error(error: &Value, at: &str) -> Result<ErrorInfo, MockError> {
    let Some(members) = error.as_object() else {
        return Err(MockError::new(
            at,
            "an error is an object with `code` and `category`",
        ));
    };
    let mut whole = members.clone();
    let category = members
        .get("category")
        .cloned()
        .unwrap_or_else(|| json!("TRANSIENT"));
    let retryable = serde_json::from_value::<augmented_core::ErrorCategory>(category.clone())
        .is_ok_and(|known| known.retryable_by_default());
    whole.insert("category".to_owned(), category);
    whole
        .entry("message")
        .or_insert_with(|| json!("mocked error"));
    whole.entry("retryable").or_insert_with(|| json!(retryable));
    serde_json::from_value(Value::Object(whole))
        .map_err(|wrong| MockError::new(at, wrong.to_string()))
}

/// A mock as a handler.
pub(crate) struct MockTask {
    answers: Vec<Answer>,
    calls: AtomicUsize,
}

enum Answer {
    Output {
        output: Template,
        outcome: Option<Arc<str>>,
    },
    Error(ErrorInfo),
}

/// Mocks take and give anything.
static ANYTHING: Value = Value::Bool(true);

impl MockTask {
    /// Compiles the templates of a script.
    pub(crate) fn compile(
        script: &MockScript,
        expressions: &dyn ExpressionEngine,
    ) -> Result<Self, MockError> {
        let mut site = ExprSite::new("mock", Profile::Strict, FieldClass::Mapping);
        let roots = [
            ("input", Shape::Data),
            ("attempt", Shape::Number),
            ("visit", Shape::Number),
            ("now", Shape::Instant),
        ];
        for (root, shape) in roots {
            site = site.with_root(root, shape);
        }
        let compile = |(index, answer): (usize, &MockAnswer)| match answer {
            MockAnswer::Error(error) => Ok(Answer::Error(error.clone())),
            MockAnswer::Output { output, outcome } => {
                match expressions.compile_template(output, &site) {
                    Ok(output) => Ok(Answer::Output {
                        output,
                        outcome: outcome.clone(),
                    }),
                    Err(problems) => {
                        let (pointer, message) =
                            problems.first().map_or_else(Default::default, |problem| {
                                (problem.pointer.clone(), problem.problem.message.clone())
                            });
                        Err(MockError::new(format!("/{index}{pointer}"), message))
                    }
                }
            }
        };
        let answers = script
            .answers
            .iter()
            .enumerate()
            .map(compile)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            answers,
            calls: AtomicUsize::new(0),
        })
    }

    fn answer(&self, ctx: &TaskContext, input: &Value) -> Result<TaskOutput, TaskError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let last = self.answers.len().saturating_sub(1);
        match self.answers.get(call.min(last)) {
            None => Ok(TaskOutput::new(json!({}))),
            Some(Answer::Error(error)) => Err(TaskError::from_info(error.clone())),
            Some(Answer::Output { output, outcome }) => {
                let roots = JsonBindings::new()
                    .with("input", input.clone())
                    .with("attempt", json!(ctx.attempt()))
                    .with("visit", json!(ctx.visit()))
                    .with_now(ctx.now());
                let output = output.eval(&roots).map_err(|error| {
                    TaskError::validation(
                        error.code,
                        format!("the mock cannot be evaluated: {}", error.message),
                    )
                })?;
                Ok(TaskOutput {
                    output,
                    outcome: outcome.clone(),
                })
            }
        }
    }
}

impl DynTask for MockTask {
    fn call(
        &self,
        ctx: TaskContext,
        input: Arc<Value>,
    ) -> BoxFuture<'static, Result<TaskOutput, TaskError>> {
        let answer = self.answer(&ctx, &input);
        Box::pin(std::future::ready(answer))
    }

    fn input_schema(&self) -> &Value {
        &ANYTHING
    }

    fn output_schema(&self) -> &Value {
        &ANYTHING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(script: Value) -> String {
        match MockScript::from_json(&script) {
            Ok(script) => format!("{:?}", script.answers),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn answers_are_read_in_their_three_forms() {
        assert!(read(json!({"a": 1})).starts_with("[Output"));
        assert!(read(json!({"$outcome": "APPROVED"})).contains("APPROVED"));
        assert!(read(json!([{"$error": {"code": "X"}}, {}])).starts_with("[Error"));
    }

    #[test]
    fn an_error_is_retryable_as_its_category_is() {
        for (category, retryable) in [("TRANSIENT", true), ("BUSINESS", false)] {
            let error = read_error(&json!({"code": "X", "category": category}), "").unwrap();
            assert_eq!(error.retryable, retryable, "{category}");
        }
    }

    #[test]
    fn wrong_forms_say_where_they_are_wrong() {
        for (script, expected) in [
            (json!([]), "a mock needs at least one answer, at "),
            (
                json!([{}, {"$outcome": 1}]),
                "an outcome is a non-empty text, at /1/$outcome",
            ),
            (
                json!({"$error": {"code": "X"}, "output": {}}),
                "beside $error there is no member `output`, at /output",
            ),
            (
                json!({"$error": "X"}),
                "an error is an object with `code` and `category`, at /$error",
            ),
        ] {
            assert_eq!(read(script), expected);
        }
    }
}
