//! Where each value of a document stands in its text.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::pointer;
use crate::validate::Finding;

/// A place in a text, both numbers 1-based; columns count Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// What a node of the tree is, as far as finding places needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Scalar,
    String,
    Array,
    Object,
}

/// Marks a node without a member name.
pub(super) const NO_KEY: u32 = u32::MAX;

/// One value of the text. Nodes stand in document order, so the first child of a container is the
/// node after it, and `next` leads past the whole subtree to the next sibling.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// First byte of the value.
    pub(super) start: u32,
    /// First byte after the value.
    pub(super) end: u32,
    /// The opening quote of its member name, or [`NO_KEY`].
    pub(super) key: u32,
    /// First byte after the member name's closing quote.
    pub(super) key_end: u32,
    /// Index of the node after this one's subtree.
    pub(super) next: u32,
    pub(super) shape: Shape,
}

/// The text of a document and the place of each value in it.
///
/// Cheap to clone. [`under`](Self::under) gives the map of a document inside an array of documents.
///
/// ```
/// use augmented_core::json::{parse, Limits, Position};
/// let parsed = parse(b"{\n  \"a\": [1, 2]\n}", &Limits::document()).unwrap();
/// assert_eq!(parsed.source.locate("/a/1", None), Some(Position { line: 2, column: 12 }));
/// ```
#[derive(Clone, Debug)]
pub struct SourceMap {
    inner: Arc<Inner>,
    root: usize,
}

#[derive(Debug)]
struct Inner {
    text: Arc<str>,
    nodes: Vec<Node>,
    /// First byte of each line; filled when the first position is asked for.
    lines: OnceLock<Vec<usize>>,
}

impl SourceMap {
    pub(super) fn new(text: Arc<str>, nodes: Vec<Node>) -> Self {
        Self {
            inner: Arc::new(Inner {
                text,
                nodes,
                lines: OnceLock::new(),
            }),
            root: 0,
        }
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// The map of the value at `base`: pointers are then relative to it. `None` if there is none.
    #[must_use]
    pub fn under(&self, base: &str) -> Option<Self> {
        let root = self.find(base)?;
        Some(Self {
            inner: self.inner.clone(),
            root,
        })
    }

    /// The bytes of the value at a pointer.
    #[must_use]
    pub fn span(&self, pointer: &str) -> Option<Range<usize>> {
        let node = self.node(self.find(pointer)?)?;
        Some(node.start as usize..node.end as usize)
    }

    /// The bytes of the member name at a pointer, quotes included.
    #[must_use]
    pub fn key_span(&self, pointer: &str) -> Option<Range<usize>> {
        let node = self.node(self.find(pointer)?)?;
        (node.key != NO_KEY).then_some(node.key as usize..node.key_end as usize)
    }

    /// The names of the members of the object at a pointer, in the order of the text.
    #[must_use]
    pub fn member_names(&self, pointer: &str) -> Vec<Cow<'_, str>> {
        let Some(at) = self.find(pointer) else {
            return Vec::new();
        };
        self.children(at)
            .filter_map(|child| self.key_text(child))
            .collect()
    }

    /// The position of the value at a pointer, or of a character inside the string there
    /// (`offset_in_string` counts Unicode scalar values, an escape being one).
    #[must_use]
    pub fn locate(&self, pointer: &str, offset_in_string: Option<usize>) -> Option<Position> {
        let node = self.node(self.find(pointer)?)?;
        let mut byte = node.start as usize;
        if let Some(offset) = offset_in_string
            && node.shape == Shape::String
        {
            let raw = self.text().get(byte..node.end as usize)?;
            byte += byte_of_scalar(raw, offset);
        }
        Some(self.position(byte))
    }

    /// The position of the member name at a pointer; of the value where there is no name.
    #[must_use]
    pub fn locate_key(&self, pointer: &str) -> Option<Position> {
        let node = self.node(self.find(pointer)?)?;
        let byte = if node.key == NO_KEY {
            node.start
        } else {
            node.key
        };
        Some(self.position(byte as usize))
    }

    /// The position of a byte of the text.
    #[must_use]
    pub fn position(&self, byte: usize) -> Position {
        let text = self.text();
        let lines = self.inner.lines.get_or_init(|| {
            let breaks = text
                .bytes()
                .enumerate()
                .filter(|(_, b)| *b == b'\n')
                .map(|(at, _)| at + 1);
            std::iter::once(0).chain(breaks).collect()
        });
        let line = lines.partition_point(|start| *start <= byte).max(1);
        let start = lines.get(line - 1).copied().unwrap_or(0);
        let in_line = text
            .as_bytes()
            .get(start..byte.min(text.len()))
            .unwrap_or_default();
        Position {
            line: to_u32(line),
            column: column_after(in_line, line == 1),
        }
    }

    /// The position of the value at a pointer or, where it is missing, of its nearest ancestor.
    fn locate_or_ancestor(&self, pointer: &str, offset: Option<usize>) -> Option<Position> {
        let mut at = pointer;
        let mut offset = offset;
        loop {
            if let Some(position) = self.locate(at, offset) {
                return Some(position);
            }
            at = pointer::parent(at)?;
            offset = None;
        }
    }

    fn node(&self, index: usize) -> Option<&Node> {
        self.inner.nodes.get(index)
    }

    /// The node at a pointer.
    pub(super) fn find(&self, pointer: &str) -> Option<usize> {
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return None;
        }
        pointer::tokens(pointer).try_fold(self.root, |at, token| self.child(at, &token))
    }

    fn child(&self, parent: usize, token: &str) -> Option<usize> {
        match self.node(parent)?.shape {
            Shape::Array => self.children(parent).nth(pointer::index(token)?),
            Shape::Object => self
                .children(parent)
                .find(|child| self.key_is(*child, token)),
            Shape::Scalar | Shape::String => None,
        }
    }

    /// The children of a container, in the order of the text.
    pub(super) fn children(&self, parent: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self
            .node(parent)
            .map_or(0, |node| node.next as usize)
            .min(self.inner.nodes.len());
        let first = Some(parent + 1).filter(|first| *first < end);
        std::iter::successors(first, move |at| {
            Some(self.node(*at)?.next as usize).filter(|next| *next < end)
        })
    }

    /// The bytes of a node, its member name included.
    pub(super) fn extent(&self, node: usize) -> Option<Range<usize>> {
        let node = self.node(node)?;
        let start = if node.key == NO_KEY {
            node.start
        } else {
            node.key
        };
        Some(start as usize..node.end as usize)
    }

    /// The bytes between a node's member name and its value.
    pub(super) fn colon(&self, node: usize) -> Option<&str> {
        let node = self.node(node).filter(|node| node.key != NO_KEY)?;
        self.text().get(node.key_end as usize..node.start as usize)
    }

    /// The first byte of a node's value.
    pub(super) fn value_start(&self, node: usize) -> Option<usize> {
        self.node(node).map(|node| node.start as usize)
    }

    pub(super) fn shape(&self, node: usize) -> Option<Shape> {
        self.node(node).map(|node| node.shape)
    }

    fn raw_key(&self, node: usize) -> Option<&str> {
        let node = self.node(node).filter(|node| node.key != NO_KEY)?;
        self.text()
            .get(node.key as usize + 1..(node.key_end as usize).checked_sub(1)?)
    }

    fn key_is(&self, node: usize, name: &str) -> bool {
        match self.raw_key(node) {
            Some(raw) if raw.contains('\\') => unescape(raw) == name,
            Some(raw) => raw == name,
            None => false,
        }
    }

    fn key_text(&self, node: usize) -> Option<Cow<'_, str>> {
        let raw = self.raw_key(node)?;
        Some(if raw.contains('\\') {
            Cow::Owned(unescape(raw))
        } else {
            Cow::Borrowed(raw)
        })
    }

    /// The pointer of the innermost value whose text, name included, contains the byte.
    pub(super) fn pointer_at(&self, byte: usize) -> String {
        let mut pointer = String::new();
        let mut at = self.root;
        loop {
            let found = self.children(at).enumerate().find(|(_, child)| {
                self.node(*child).is_some_and(|node| {
                    let start = if node.key == NO_KEY {
                        node.start
                    } else {
                        node.key
                    };
                    (start as usize..node.end as usize).contains(&byte)
                })
            });
            let Some((index, child)) = found else {
                return pointer;
            };
            match self.key_text(child) {
                Some(name) => pointer::push(&mut pointer, &name),
                None => pointer::push_index(&mut pointer, index),
            }
            at = child;
        }
    }
}

/// Fills file, line and column of findings from a document's text and brings them into the order
/// of the text.
///
/// A missing member stands where its object stands, an unknown one where its name stands, and a
/// finding with an offset inside the string. Related places of the same document are filled too.
/// For a document inside an array of documents pass [`SourceMap::under`] of its place.
pub fn place(findings: &mut [Finding], source: &SourceMap, file: Option<&str>) {
    for finding in findings.iter_mut() {
        if finding.line.is_none() {
            let position = if concerns_name(&finding.code) {
                source.locate_key(&finding.pointer)
            } else {
                None
            };
            let position = position
                .or_else(|| source.locate_or_ancestor(&finding.pointer, finding.offset_in_string));
            finding.line = position.map(|p| p.line);
            finding.column = position.map(|p| p.column);
        }
        if finding.file.is_none() {
            finding.file = file.map(str::to_owned);
        }
        for related in &mut finding.related {
            if related.kind.is_none() && related.id.is_none() && related.line.is_none() {
                let position = source.locate_or_ancestor(&related.pointer, None);
                related.line = position.map(|p| p.line);
                related.column = position.map(|p| p.column);
                if related.file.is_none() {
                    related.file = file.map(str::to_owned);
                }
            }
        }
    }
    sort_findings(findings);
}

/// Whether a finding of this code is about a member's name rather than its value.
fn concerns_name(code: &str) -> bool {
    matches!(
        code,
        "additionalProperties"
            | "unevaluatedProperties"
            | "propertyNames"
            | "UNKNOWN_KEYWORD"
            | "DUPLICATE_KEY"
    )
}

/// Brings findings into their order: file, then position in the text and code; without text
/// pointer and code.
pub fn sort_findings(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        a.file
            .cmp(&b.file)
            .then_with(|| (a.line, a.column).cmp(&(b.line, b.column)))
            .then_with(|| {
                let (by_pointer, by_code) = (
                    pointer::compare(&a.pointer, &b.pointer),
                    a.code.cmp(&b.code),
                );
                if a.line.is_some() {
                    by_code.then(by_pointer)
                } else {
                    by_pointer.then(by_code)
                }
            })
    });
}

/// The column that follows the bytes of a line.
fn column_after(in_line: &[u8], first_line: bool) -> u32 {
    // A scalar value has exactly one byte that is no continuation byte; a byte order mark is no column.
    let columns = in_line.iter().filter(|b| **b & 0xC0 != 0x80).count();
    let mark = usize::from(first_line && in_line.starts_with(b"\xEF\xBB\xBF"));
    to_u32(columns - mark + 1)
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The byte of the scalar value at `offset` inside a raw string literal, quotes included.
fn byte_of_scalar(raw: &str, offset: usize) -> usize {
    let mut at = 1;
    for _ in 0..offset {
        let Some(rest) = raw
            .get(at..)
            .filter(|rest| !rest.is_empty() && *rest != "\"")
        else {
            break;
        };
        at += scalar_len(rest);
    }
    at
}

/// How many bytes of a raw string the next scalar value takes.
fn scalar_len(rest: &str) -> usize {
    match rest.as_bytes() {
        [b'\\', b'u', ..] => match code_unit(rest) {
            Some(0xD800..=0xDBFF)
                if rest
                    .get(6..)
                    .and_then(code_unit)
                    .is_some_and(|low| (0xDC00..=0xDFFF).contains(&low)) =>
            {
                12
            }
            _ => 6,
        },
        [b'\\', ..] => 2,
        _ => rest.chars().next().map_or(1, char::len_utf8),
    }
}

/// The code unit of a `\uXXXX` escape at the beginning of the text.
fn code_unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// Undoes the escapes of a raw string that passed intake.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while !rest.is_empty() {
        let length = scalar_len(rest).min(rest.len());
        let (scalar, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match scalar.as_bytes() {
            [b'\\', b'u', ..] => {
                let units = [code_unit(scalar), scalar.get(6..).and_then(code_unit)];
                text.extend(
                    char::decode_utf16(units.into_iter().flatten())
                        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)),
                );
            }
            [b'\\', b'b'] => text.push('\u{8}'),
            [b'\\', b'f'] => text.push('\u{c}'),
            [b'\\', b'n'] => text.push('\n'),
            [b'\\', b'r'] => text.push('\r'),
            [b'\\', b't'] => text.push('\t'),
            [b'\\', ..] => text.push_str(scalar.get(1..).unwrap_or_default()),
            _ => text.push_str(scalar),
        }
        rest = after;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, parse};

    fn source(text: &str) -> SourceMap {
        parse(text.as_bytes(), &Limits::document()).unwrap().source
    }

    #[test]
    fn places_are_found_by_pointer() {
        let text = "{\n \"é\": [true, {\"a\\u0062\": \"x\"}],\n \"n\": -1.5 }";
        let map = source(text);
        for (pointer, expected) in [
            ("", text),
            ("/é", "[true, {\"a\\u0062\": \"x\"}]"),
            ("/é/1/ab", "\"x\""),
            ("/n", "-1.5"),
        ] {
            assert_eq!(&text[map.span(pointer).unwrap()], expected);
        }
        assert_eq!(&text[map.key_span("/é/1/ab").unwrap()], "\"a\\u0062\"");
        assert_eq!(map.member_names(""), ["é", "n"]);
        assert_eq!(
            map.locate("/é/1", None),
            Some(Position {
                line: 2,
                column: 14
            })
        );
        for missing in ["/x", "/é/2", "/n/0", "é"] {
            assert_eq!(map.span(missing), None, "{missing}");
        }
    }

    #[test]
    fn offsets_count_scalar_values_through_escapes() {
        let map = source(r#"{"e": "a\n\u0041\uD83D\uDE00é=x"}"#);
        for (offset, column) in [
            (0, 8),
            (1, 9),
            (2, 11),
            (3, 17),
            (4, 29),
            (5, 30),
            (6, 31),
            (7, 32),
            (99, 32),
        ] {
            assert_eq!(
                map.locate("/e", Some(offset)),
                Some(Position { line: 1, column }),
                "{offset}"
            );
        }
    }

    #[test]
    fn findings_are_placed_and_sorted() {
        let map = source("[{}, {\n  \"nmae\": 1,\n  \"steps\": [{}]\n}]");
        let document = map.under("/1").unwrap();
        let mut findings = vec![
            Finding::error("type", "/steps/0/x/y", ""),
            Finding::error("required", "/steps/0/stepId", ""),
            Finding::error("additionalProperties", "/nmae", ""),
            Finding::error("required", "/name", "")
                .with_related(crate::validate::Related::new("/steps", "")),
        ];
        place(&mut findings, &document, Some("w.json"));
        let places: Vec<_> = findings
            .iter()
            .map(|f| (f.code.as_ref(), f.line.unwrap(), f.column.unwrap()))
            .collect();
        assert_eq!(
            places,
            [
                ("required", 1, 6),
                ("additionalProperties", 2, 3),
                ("required", 3, 13),
                ("type", 3, 13)
            ]
        );
        assert_eq!(findings[0].related[0].line, Some(3));
        assert!(findings.iter().all(|f| f.file.as_deref() == Some("w.json")));
    }

    #[test]
    fn without_text_findings_are_sorted_by_pointer() {
        let mut findings: Vec<_> = ["/b", "/a/10", "/a/2"]
            .map(|p| Finding::error("type", p, ""))
            .into();
        findings.push(Finding::error("const", "/b", ""));
        sort_findings(&mut findings);
        let order: Vec<_> = findings
            .iter()
            .map(|f| format!("{} {}", f.pointer, f.code))
            .collect();
        assert_eq!(order, ["/a/2 type", "/a/10 type", "/b const", "/b type"]);
    }
}
