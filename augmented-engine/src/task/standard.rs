//! The tasks every engine has: `std.echo`, `std.fail`, `std.sleep` and `std.log`.

use std::sync::Arc;
use std::time::Duration;

use augmented_core::IsoDuration;
use augmented_core::error::{ErrorCategory, ErrorInfo};
use serde_json::{Map, Value, json};

use super::context::TaskContext;
use super::error::TaskError;
use super::handler::{DynTask, IntoTask};

/// The names and handlers of the tasks every engine has.
pub(crate) fn handlers() -> [(&'static str, Arc<dyn DynTask>); 4] {
    [
        ("std.echo", echo.into_task()),
        ("std.fail", fail.into_task()),
        ("std.sleep", sleep.into_task()),
        ("std.log", log.into_task()),
    ]
}

/// Returns its input.
async fn echo(_: TaskContext, input: Value) -> Result<Value, TaskError> {
    Ok(input)
}

/// Fails as its input says, always or while the attempt is below `untilAttempt`.
async fn fail(ctx: TaskContext, input: Value) -> Result<Value, TaskError> {
    let until = match input.get("untilAttempt") {
        None | Some(Value::Null) => None,
        Some(stated) => Some(
            stated
                .as_u64()
                .ok_or_else(|| refused("untilAttempt", "a whole number"))?,
        ),
    };
    if until.is_some_and(|until| u64::from(ctx.attempt()) >= until) {
        return Ok(input);
    }
    let code = text(&input, "code")?.unwrap_or("STD_FAILED");
    let category = match text(&input, "category")? {
        None => ErrorCategory::Transient,
        Some(name) => ErrorCategory::ALL
            .into_iter()
            .find(|category| category.as_str() == name)
            .ok_or_else(|| refused("category", "an error category such as TRANSIENT"))?,
    };
    let message = text(&input, "message")?.unwrap_or("std.fail was told to fail");
    let mut info = ErrorInfo::new(code, category, message);
    match input.get("retryable") {
        None | Some(Value::Null) => {}
        Some(Value::Bool(retryable)) => info.retryable = *retryable,
        Some(_) => return Err(refused("retryable", "true or false")),
    }
    Err(TaskError::from_info(info))
}

/// Waits on the engine's clock.
async fn sleep(ctx: TaskContext, input: Value) -> Result<Value, TaskError> {
    let length = text(&input, "duration")?
        .ok_or_else(|| refused("duration", "an ISO 8601 duration such as PT10S"))?;
    let length: IsoDuration = length
        .parse()
        .map_err(|_| refused("duration", "an ISO 8601 duration such as PT10S"))?;
    ctx.sleep(Duration::from_micros(
        u64::try_from(length.as_micros()).unwrap_or(0),
    ))
    .await;
    Ok(json!({}))
}

/// Writes a line to the log.
async fn log(ctx: TaskContext, input: Value) -> Result<Value, TaskError> {
    let message = text(&input, "message")?.ok_or_else(|| refused("message", "a text"))?;
    let (instance, step) = (ctx.instance_id(), ctx.step_id());
    match text(&input, "level")?.unwrap_or("INFO") {
        "ERROR" => tracing::error!(target: "augmented::std_log", %instance, step, "{message}"),
        "WARN" | "WARNING" => {
            tracing::warn!(target: "augmented::std_log", %instance, step, "{message}")
        }
        "INFO" => tracing::info!(target: "augmented::std_log", %instance, step, "{message}"),
        "DEBUG" => tracing::debug!(target: "augmented::std_log", %instance, step, "{message}"),
        "TRACE" => tracing::trace!(target: "augmented::std_log", %instance, step, "{message}"),
        _ => return Err(refused("level", "ERROR, WARN, INFO, DEBUG or TRACE")),
    }
    Ok(Value::Object(Map::new()))
}

/// An optional text member.
fn text<'a>(input: &'a Value, name: &str) -> Result<Option<&'a str>, TaskError> {
    match input.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(refused(name, "a text")),
    }
}

fn refused(member: &str, expected: &str) -> TaskError {
    TaskError::validation(
        "INPUT_VALIDATION_FAILED",
        format!("the input member `{member}` must be {expected}"),
    )
}
