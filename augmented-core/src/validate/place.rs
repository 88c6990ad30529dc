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

    /// About how long its text is, so that it is written without growing.
    fn bytes(&self) -> usize {
        match self {
            Place::At(pointer) => pointer.len(),
            Place::Member(parent, name) => parent.bytes() + 1 + name.len(),
            Place::Element(parent, _) => parent.bytes() + 4,
        }
    }

    fn write(&self, text: &mut String) {
        match self {
            Place::At(pointer) => text.push_str(pointer),
            Place::Member(parent, name) => {
                parent.write(text);
                text.push('/');
                write_token(text, name);
            }
            Place::Element(parent, index) => {
                parent.write(text);
                text.push('/');
                text.push_str(&index.to_string());
            }
        }
    }

    /// This place followed by a pointer relative to it.
    pub(crate) fn then(&self, pointer: &str) -> String {
        let mut text = String::with_capacity(self.bytes() + pointer.len());
        self.write(&mut text);
        text.push_str(pointer);
        text
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.then(""))
    }
}

impl From<Place<'_>> for String {
    fn from(place: Place<'_>) -> Self {
        place.then("")
    }
}

impl From<&Place<'_>> for String {
    fn from(place: &Place<'_>) -> Self {
        place.then("")
    }
}

fn write_token(text: &mut String, name: &str) {
    if !name.contains(['~', '/']) {
        return text.push_str(name);
    }
    for c in name.chars() {
        match c {
            '~' => text.push_str("~0"),
            '/' => text.push_str("~1"),
            c => text.push(c),
        }
    }
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
