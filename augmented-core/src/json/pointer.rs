//! JSON Pointers (RFC 6901): build them, take them apart, follow them.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

/// Appends a member name to a pointer, escaped.
///
/// ```
/// use augmented_core::json::pointer;
/// let mut at = String::from("/steps");
/// pointer::push(&mut at, "a/b~c");
/// assert_eq!(at, "/steps/a~1b~0c");
/// ```
pub fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    if token.bytes().any(|b| b == b'~' || b == b'/') {
        for c in token.chars() {
            match c {
                '~' => pointer.push_str("~0"),
                '/' => pointer.push_str("~1"),
                other => pointer.push(other),
            }
        }
    } else {
        pointer.push_str(token);
    }
}

/// Appends an array index to a pointer.
pub fn push_index(pointer: &mut String, index: usize) {
    use std::fmt::Write as _;
    // Writing to a String cannot fail.
    let _ = write!(pointer, "/{index}");
}

/// The pointer of a member of the value at `base`.
#[must_use]
pub fn join(base: &str, token: &str) -> String {
    let mut pointer = String::with_capacity(base.len() + token.len() + 1);
    pointer.push_str(base);
    push(&mut pointer, token);
    pointer
}

/// The pointer of an element of the array at `base`.
#[must_use]
pub fn join_index(base: &str, index: usize) -> String {
    let mut pointer = String::with_capacity(base.len() + 4);
    pointer.push_str(base);
    push_index(&mut pointer, index);
    pointer
}

/// Escapes one reference token.
#[must_use]
pub fn escape(token: &str) -> Cow<'_, str> {
    if token.bytes().any(|b| b == b'~' || b == b'/') {
        Cow::Owned(token.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(token)
    }
}

/// Undoes [`escape`].
#[must_use]
pub fn unescape(token: &str) -> Cow<'_, str> {
    if token.contains('~') {
        Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(token)
    }
}

/// The tokens of a pointer, unescaped; a pointer that does not begin with `/` has none.
pub fn tokens(pointer: &str) -> impl DoubleEndedIterator<Item = Cow<'_, str>> {
    let rest = pointer.strip_prefix('/');
    rest.into_iter()
        .flat_map(|rest| rest.split('/'))
        .map(unescape)
}

/// Whether the text is a pointer at all: empty or beginning with `/`, `~` only as `~0` and `~1`.
#[must_use]
pub fn is_pointer(text: &str) -> bool {
    if !text.is_empty() && !text.starts_with('/') {
        return false;
    }
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'~' && !matches!(bytes.next(), Some(b'0' | b'1')) {
            return false;
        }
    }
    true
}

/// A pointer's parent and last token; `None` for the root.
///
/// ```
/// use augmented_core::json::pointer;
/// assert_eq!(pointer::split_last("/a/b~1c"), Some(("/a", "b/c".into())));
/// assert_eq!(pointer::split_last(""), None);
/// ```
#[must_use]
pub fn split_last(pointer: &str) -> Option<(&str, Cow<'_, str>)> {
    let (parent, last) = pointer.rsplit_once('/')?;
    Some((parent, unescape(last)))
}

/// The parent of a pointer; `None` for the root.
#[must_use]
pub fn parent(pointer: &str) -> Option<&str> {
    pointer.rsplit_once('/').map(|(parent, _)| parent)
}

/// Reads a token as an array index: digits without a leading zero.
#[must_use]
pub fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with('0');
    (canonical && !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit()))
        .then(|| token.parse().ok())
        .flatten()
}

/// The value at a pointer.
#[must_use]
pub fn resolve<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return None;
    }
    tokens(pointer).try_fold(value, |at, token| match at {
        Value::Object(members) => members.get(token.as_ref()),
        Value::Array(items) => items.get(index(&token)?),
        _ => None,
    })
}

/// The value at a pointer, to be changed.
#[must_use]
pub fn resolve_mut<'a>(value: &'a mut Value, pointer: &str) -> Option<&'a mut Value> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return None;
    }
    tokens(pointer).try_fold(value, |at, token| match at {
        Value::Object(members) => members.get_mut(token.as_ref()),
        Value::Array(items) => items.get_mut(index(&token)?),
        _ => None,
    })
}

/// Whether `pointer` is `ancestor` or lies below it.
#[must_use]
pub fn is_at_or_below(pointer: &str, ancestor: &str) -> bool {
    pointer
        .strip_prefix(ancestor)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The order of places when no text is known: token by token, array indexes as numbers, names by
/// code point, an ancestor before what lies below it.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (tokens(a), tokens(b));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(l), Some(r)) => {
                let order = match (index(&l), index(&r)) {
                    (Some(l), Some(r)) => l.cmp(&r),
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (None, None) => l.cmp(&r),
                };
                if order.is_ne() {
                    return order;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_of_the_rfc_resolve() {
        let doc = json!({"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, " ": 7});
        for (pointer, expected) in [
            ("/foo", json!(["bar", "baz"])),
            ("/foo/0", json!("bar")),
            ("/", json!(0)),
            ("/a~1b", json!(1)),
            ("/m~0n", json!(8)),
            ("/ ", json!(7)),
        ] {
            assert_eq!(resolve(&doc, pointer), Some(&expected), "{pointer}");
        }
        for pointer in ["foo", "/foo/2", "/foo/00", "/foo/-", "/foo/bar", "/nope"] {
            assert_eq!(resolve(&doc, pointer), None, "{pointer}");
        }
        assert_eq!(resolve(&doc, ""), Some(&doc));
    }

    #[test]
    fn building_and_splitting_are_inverse() {
        for token in ["", "a", "a/b", "~", "~1", "0"] {
            let pointer = join("/x", token);
            assert_eq!(split_last(&pointer), Some(("/x", Cow::Borrowed(token))));
            assert!(is_pointer(&pointer));
        }
        assert!(!is_pointer("x") && !is_pointer("/a~2") && !is_pointer("/a~"));
    }

    #[test]
    fn places_are_ordered_by_number_and_name() {
        let mut places = vec!["/b", "/a/10", "/a/9", "/a", "", "/a/x", "/B"];
        places.sort_by(|a, b| compare(a, b));
        assert_eq!(places, ["", "/B", "/a", "/a/9", "/a/10", "/a/x", "/b"]);
    }

    #[test]
    fn a_longer_name_is_not_below_a_shorter_one() {
        assert!(
            is_at_or_below("/a/b", "/a") && is_at_or_below("/a", "/a") && is_at_or_below("/a", "")
        );
        assert!(!is_at_or_below("/ab", "/a") && !is_at_or_below("/a", "/a/b"));
    }
}
