//! JSON Patches (RFC 6902), on values and on texts.
//!
//! [`apply`] changes a value.

use serde_json::Value;

use super::pointer;
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
