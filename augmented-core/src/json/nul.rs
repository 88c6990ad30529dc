//! The one character that databases do not keep.

use serde_json::Value;

use super::pointer;

/// Where the first string or member name with the character U+0000 stands, as a JSON Pointer; `None` if there is none.
///
/// PostgreSQL keeps no such text, so data is refused where it comes in, on every store alike.
///
/// ```
/// use augmented_core::json::nul_at;
/// use serde_json::json;
/// assert_eq!(nul_at(&json!({"a": ["x", "y\0"]})), Some("/a/1".to_owned()));
/// assert_eq!(nul_at(&json!({"a": "x"})), None);
/// ```
#[must_use]
pub fn nul_at(value: &Value) -> Option<String> {
    if !has_nul(value) {
        return None;
    }
    let mut place = String::new();
    find(value, &mut place);
    Some(place)
}

/// Puts U+FFFD in the place of every U+0000, in strings and member names.
///
/// For what must be kept whatever it holds, such as the text of an error.
pub fn replace_nul(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = text.replace('\0', "\u{FFFD}"),
        Value::Array(items) => items.iter_mut().for_each(replace_nul),
        Value::Object(members) => {
            if members.keys().any(|name| name.contains('\0')) {
                *members = std::mem::take(members)
                    .into_iter()
                    .map(|(name, value)| (name.replace('\0', "\u{FFFD}"), value))
                    .collect();
            }
            members.values_mut().for_each(replace_nul);
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Walks to the first such text.
fn find(value: &Value, place: &mut String) {
    match value {
        Value::Array(items) => {
            if let Some((index, item)) = items.iter().enumerate().find(|(_, item)| has_nul(item)) {
                pointer::push_index(place, index);
                find(item, place);
            }
        }
        Value::Object(members) => {
            if let Some((name, value)) = members
                .iter()
                .find(|(name, value)| name.contains('\0') || has_nul(value))
            {
                pointer::push(place, name);
                find(value, place);
            }
        }
        _ => {}
    }
}
