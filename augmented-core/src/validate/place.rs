//! A place in a document, written as a JSON Pointer only when a finding needs it.

use std::fmt;

/// A chain of member names and indexes from the root; costs nothing until it is displayed.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// A pointer known as text.
    At(&'a str),
    /// A member of an object.
    Member(&'a Place<'a>, &'a str),
    /// An element of an array.
    Element(&'a Place<'a>, usize),
}

impl<'a> Place<'a> {
    pub(crate) const ROOT: Place<'static> = Place::At("");

    pub(crate) fn key(&'a self, name: &'a str) -> Place<'a> {
        Place::Member(self, name)
    }

    pub(crate) fn index(&'a self, index: usize) -> Place<'a> {
        Place::Element(self, index)
    }

    /// This place followed by a pointer relative to it.
    pub(crate) fn then(&self, pointer: &str) -> String {
        let mut text = self.to_string();
        text.push_str(pointer);
        text
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::At(pointer) => f.write_str(pointer),
            Place::Member(parent, name) => {
                parent.fmt(f)?;
                f.write_str("/")?;
                write_token(f, name)
            }
            Place::Element(parent, index) => {
                parent.fmt(f)?;
                write!(f, "/{index}")
            }
        }
    }
}

impl From<Place<'_>> for String {
    fn from(place: Place<'_>) -> Self {
        place.to_string()
    }
}

impl From<&Place<'_>> for String {
    fn from(place: &Place<'_>) -> Self {
        place.to_string()
    }
}

fn write_token(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    if !name.contains(['~', '/']) {
        return f.write_str(name);
    }
    for c in name.chars() {
        match c {
            '~' => f.write_str("~0")?,
            '/' => f.write_str("~1")?,
            c => fmt::Write::write_char(f, c)?,
        }
    }
    Ok(())
}

/// Whether `pointer` is `prefix` or lies below it.
pub(crate) fn lies_in(pointer: &str, prefix: &str) -> bool {
    pointer
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_a_pointer_with_escapes() {
        let steps = Place::ROOT.key("steps");
        let step = steps.index(3);
        assert_eq!(step.key("a/b~c").to_string(), "/steps/3/a~1b~0c");
        assert_eq!(Place::At("/x").then("/y/0"), "/x/y/0");
    }

    #[test]
    fn lies_in_compares_whole_tokens() {
        assert!(lies_in("/steps/1/next", "/steps/1"));
        assert!(lies_in("/steps/1", "/steps/1"));
        assert!(!lies_in("/steps/10", "/steps/1"));
        assert!(lies_in("/x", ""));
    }
}
