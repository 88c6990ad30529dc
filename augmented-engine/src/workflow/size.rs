//! How many bytes a value counts towards the limits.

use std::sync::Arc;

use augmented_core::error::ErrorInfo;
use augmented_core::runtime::{Message, SignalMessage};
use serde_json::{Value, json};

/// The length of a value written as compact JSON, escapes and number digits estimated; never allocates.
pub(crate) fn json_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(true) => 4,
        Value::Bool(false) => 5,
        Value::Number(number) => number.as_u64().map_or(12, |n| {
            n.checked_ilog10().map_or(1, |digits| digits as usize + 1)
        }),
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().fold(2, |sum, item| sum + json_bytes(item) + 1),
        Value::Object(members) => members.iter().fold(2, |sum, (name, item)| {
            sum + name.len() + 4 + json_bytes(item)
        }),
    }
}

/// The largest error that is kept.
const MAX_ERROR_BYTES: u64 = 1024 * 1024;

/// What is kept of an error however full the state is: its code, and as much of its text.
const MIN_ERROR_BYTES: u64 = 4096;

/// The size of an error.
pub(crate) fn error_bytes(error: &ErrorInfo) -> u64 {
    let details = error.details.as_ref().map_or(0, json_bytes);
    (error.code.len() + error.message.len() + details) as u64
}

/// Cuts an error to what may be kept of it where there is room for `room` bytes. The same error is cut alike each time,
/// and one that was cut is left as it is.
pub(crate) fn limit_error(error: &mut ErrorInfo, room: u64) {
    let limit = room.clamp(MIN_ERROR_BYTES, MAX_ERROR_BYTES);
    if error_bytes(error) <= limit {
        return;
    }
    // Small details are kept: they are context, or what an earlier cut left.
    let details = error.details.as_ref().map_or(0, json_bytes);
    if details > 256 {
        error.details = Some(json!({ "omittedBytes": details }));
    }
    cut(&mut error.code, 256);
    let rest = limit.saturating_sub(1024);
    cut(
        &mut error.message,
        usize::try_from(rest).unwrap_or(usize::MAX),
    );
}

/// Shortens a text to at most `limit` bytes, at the end of a character.
fn cut(text: &mut String, limit: usize) {
    if text.len() > limit {
        let end = (0..=limit)
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or(0);
        text.truncate(end);
    }
}

/// Cuts the errors that a message brings, before anything is written down of it.
pub(crate) fn limit_errors(message: &mut Message) {
    match message {
        // Most results bring none, and are shared with whoever may have to decide them again.
        Message::TaskDone(done) if done.error.is_none() && done.failed_attempts.is_empty() => {}
        Message::TaskDone(done) => {
            let done = Arc::make_mut(done);
            let failed = done
                .failed_attempts
                .iter_mut()
                .map(|record| &mut record.error);
            for error in done.error.iter_mut().chain(failed) {
                limit_error(error, MAX_ERROR_BYTES);
            }
        }
        Message::ChildDone(done) => {
            if let Some(error) = &mut done.error {
                limit_error(error, MAX_ERROR_BYTES);
            }
        }
        Message::Start(_)
        | Message::Signal(_)
        | Message::Timer(_)
        | Message::Cancel(_)
        | Message::Pause(_)
        | Message::Resume(_) => {}
    }
}

/// What a kept signal counts.
pub(crate) fn signal_bytes(signal: &SignalMessage) -> u64 {
    let names = signal.signal_id.len() + signal.signal_type.len();
    (names + signal.sent_by.as_ref().map_or(0, String::len) + json_bytes(&signal.payload)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_estimate_is_close_to_the_text() {
        for value in [
            json!(null),
            json!(0),
            json!(12_345),
            json!("text"),
            json!([1, 2, 3]),
            json!({"a": {"b": [true, false, "x"]}}),
        ] {
            let exact = value.to_string().len();
            let estimate = json_bytes(&value);
            assert!(
                estimate >= exact && estimate <= exact + 8,
                "{value}: {estimate} for {exact}"
            );
        }
    }
}
