//! JSON Patches (RFC 6902), on values and on texts.
//!
//! [`apply`] changes a value; [`apply_to_text`] edits a text at the recorded places, so that whatever
//! a repair does not touch stays byte for byte.

use serde_json::Value;

use super::pointer;
pub use super::text_edit::{Edited, apply_to_text};
use crate::validate::PatchOp;

/// Why a patch does not apply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// There is nothing at the place, or the place above it is no container.
    #[error("there is nothing at `{pointer}`")]
    Missing {
        /// The place.
        pointer: String,
    },
    /// A value would be moved into itself.
    #[error("`{from}` cannot be moved into itself, to `{path}`")]
    IntoItself {
        /// From where.
        from: String,
        /// To where.
        path: String,
    },
}

/// Applies a patch; the value itself is not changed.
///
/// # Errors
///
/// When an operation names a place that is not there.
///
/// ```
/// use augmented_core::json::patch;
/// use augmented_core::validate::PatchOp;
/// use serde_json::json;
/// let rename = [PatchOp::Move { from: "/stepID".into(), path: "/stepId".into() }];
/// assert_eq!(patch::apply(&json!({"stepID": 1}), &rename).unwrap(), json!({"stepId": 1}));
/// ```
pub fn apply(value: &Value, patch: &[PatchOp]) -> Result<Value, PatchError> {
    let mut value = value.clone();
    for op in patch {
        apply_op(&mut value, op)?;
    }
    Ok(value)
}

fn apply_op(value: &mut Value, op: &PatchOp) -> Result<(), PatchError> {
    match op {
        PatchOp::Add { path, value: new } => add(value, path, new.clone()),
        PatchOp::Remove { path } => remove(value, path).map(drop),
        PatchOp::Replace { path, value: new } => {
            let place = pointer::resolve_mut(value, path).ok_or_else(|| missing(path))?;
            *place = new.clone();
            Ok(())
        }
        PatchOp::Move { from, path } if from == path => pointer::resolve(value, from)
            .map(|_| ())
            .ok_or_else(|| missing(from)),
        PatchOp::Move { from, path } if pointer::is_at_or_below(path, from) => {
            Err(PatchError::IntoItself {
                from: from.clone(),
                path: path.clone(),
            })
        }
        PatchOp::Move { from, path } => {
            let moved = remove(value, from)?;
            add(value, path, moved)
        }
    }
}

fn add(value: &mut Value, path: &str, new: Value) -> Result<(), PatchError> {
    let Some((parent, last)) = pointer::split_last(path) else {
        *value = new;
        return Ok(());
    };
    match pointer::resolve_mut(value, parent) {
        Some(Value::Object(members)) => {
            members.insert(last.into_owned(), new);
            Ok(())
        }
        Some(Value::Array(items)) => {
            let index = if last == "-" {
                Some(items.len())
            } else {
                pointer::index(&last)
            };
            let index = index
                .filter(|index| *index <= items.len())
                .ok_or_else(|| missing(path))?;
            items.insert(index, new);
            Ok(())
        }
        _ => Err(missing(path)),
    }
}

fn remove(value: &mut Value, path: &str) -> Result<Value, PatchError> {
    let Some((parent, last)) = pointer::split_last(path) else {
        return Ok(std::mem::take(value));
    };
    let removed = match pointer::resolve_mut(value, parent) {
        Some(Value::Object(members)) => members.remove(last.as_ref()),
        Some(Value::Array(items)) => pointer::index(&last)
            .filter(|index| *index < items.len())
            .map(|index| items.remove(index)),
        _ => None,
    };
    removed.ok_or_else(|| missing(path))
}

fn missing(pointer: &str) -> PatchError {
    PatchError::Missing {
        pointer: pointer.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(document: &str, patch: Value, expected: &str) {
        let document: Value = serde_json::from_str(document).unwrap();
        let patch: Vec<PatchOp> = serde_json::from_value(patch).unwrap();
        let found = match apply(&document, &patch) {
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn operations_do_what_the_rfc_says() {
        check(
            r#"{"foo":"bar"}"#,
            json!([{"op": "add", "path": "/baz", "value": 1}]),
            r#"{"baz":1,"foo":"bar"}"#,
        );
        check(
            r#"{"a":[1,3]}"#,
            json!([{"op": "add", "path": "/a/1", "value": 2}]),
            r#"{"a":[1,2,3]}"#,
        );
        check(
            r#"{"a":[1]}"#,
            json!([{"op": "add", "path": "/a/-", "value": 2}]),
            r#"{"a":[1,2]}"#,
        );
        check(
            r#"{"a":[1,2]}"#,
            json!([{"op": "remove", "path": "/a/0"}]),
            r#"{"a":[2]}"#,
        );
        check(
            r#"{"a":1}"#,
            json!([{"op": "replace", "path": "/a", "value": null}]),
            r#"{"a":null}"#,
        );
        check(
            r#"{"a":[1,2,3]}"#,
            json!([{"op": "move", "from": "/a/0", "path": "/a/2"}]),
            r#"{"a":[2,3,1]}"#,
        );
        check(
            r#"{"a":{"b":1},"c":{}}"#,
            json!([{"op": "move", "from": "/a/b", "path": "/c/d"}]),
            r#"{"a":{},"c":{"d":1}}"#,
        );
        check("{}", json!([{"op": "add", "path": "", "value": []}]), "[]");
    }

    #[test]
    fn places_that_are_not_there_are_refused() {
        check(
            "{}",
            json!([{"op": "remove", "path": "/a"}]),
            "there is nothing at `/a`",
        );
        check(
            "{}",
            json!([{"op": "replace", "path": "/a", "value": 1}]),
            "there is nothing at `/a`",
        );
        check(
            "[]",
            json!([{"op": "add", "path": "/1", "value": 1}]),
            "there is nothing at `/1`",
        );
        check(
            "{}",
            json!([{"op": "add", "path": "/a/b", "value": 1}]),
            "there is nothing at `/a/b`",
        );
        check(
            r#"{"a":{}}"#,
            json!([{"op": "move", "from": "/a", "path": "/a/b"}]),
            "`/a` cannot be moved into itself, to `/a/b`",
        );
    }
}
