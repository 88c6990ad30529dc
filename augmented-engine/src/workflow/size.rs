//! How many bytes a value counts towards the limits.

use augmented_core::runtime::SignalMessage;
use serde_json::Value;

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
