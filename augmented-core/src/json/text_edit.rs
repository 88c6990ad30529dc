//! Repairs of a text: edits at the recorded places.

use std::ops::Range;

use serde_json::{Map, Value};

use super::canonical::{write_number, write_string};
use super::patch;
use super::pointer;
use super::source::{Shape, SourceMap};
use super::{Limits, parse};
use crate::validate::PatchOp;

/// A text after one round of repairs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edited {
    /// The text.
    pub text: String,
    /// Indexes of the fixes that were applied; the others wait for the next round.
    pub applied: Vec<usize>,
}

/// Applies fixes to the text of a document.
///
/// A member that moves within its object is renamed in place, a replaced value changes only its
/// own bytes, removed and added ones take or bring their comma and keep the layout around them;
/// every other byte stays. All fixes refer to the document as it was read. A fix at, inside or above
/// a place that an earlier one changed is left out: read the new text, validate it, go on.
///
/// The pointers are relative to `source`; the whole text is returned, so for a document inside an
/// array of documents pass [`SourceMap::under`] of its place.
///
/// ```
/// use augmented_core::json::{parse, patch::apply_to_text, Limits};
/// use augmented_core::validate::PatchOp;
/// let parsed = parse(b"{ \"stepID\" :1,\n  \"x\": null }", &Limits::document()).unwrap();
/// let rename = [PatchOp::Move { from: "/stepID".into(), path: "/stepId".into() }];
/// let remove = [PatchOp::Remove { path: "/x".into() }];
/// let edited = apply_to_text(&parsed.source, &[&rename, &remove]);
/// assert_eq!(edited.text, "{ \"stepId\" :1 }");
/// assert_eq!(edited.applied, [0, 1]);
/// ```
#[must_use]
pub fn apply_to_text(source: &SourceMap, fixes: &[&[PatchOp]]) -> Edited {
    let mut round = Round {
        source,
        edits: Vec::new(),
        touched: Vec::new(),
    };
    let applied = fixes
        .iter()
        .enumerate()
        .filter(|(_, fix)| round.take(fix))
        .map(|(index, _)| index)
        .collect();
    Edited {
        text: round.finish(),
        applied,
    }
}

/// New text for a range of the old.
#[derive(Clone, Debug)]
struct Edit {
    range: Range<usize>,
    text: String,
}

impl Edit {
    fn new(range: Range<usize>, text: impl Into<String>) -> Self {
        Self {
            range,
            text: text.into(),
        }
    }

    /// Whether both cannot be carried out independently.
    fn meets(&self, other: &Self) -> bool {
        let (a, b) = (&self.range, &other.range);
        if a.is_empty() || b.is_empty() {
            a.start <= b.end && b.start <= a.end
        } else {
            a.start < b.end && b.start < a.end
        }
    }

    /// As [`meets`](Self::meets), for edits of one fix, whose order is known: behind a value that is written anew
    /// something may be inserted.
    fn meets_in_one_fix(&self, other: &Self) -> bool {
        let follows = |insertion: &Self, value: &Self| {
            insertion.range.is_empty()
                && insertion.text.starts_with(',')
                && !value.range.is_empty()
                && !value.text.is_empty()
                && insertion.range.start == value.range.end
        };
        self.meets(other) && !follows(self, other) && !follows(other, self)
    }
}

/// What can be carried out by itself.
enum Unit<'f> {
    Op(&'f PatchOp),
    /// A member becomes another one of its object, with another value.
    Turned {
        from: &'f str,
        path: &'f str,
        name: String,
        value: &'f Value,
    },
}

impl Unit<'_> {
    /// The places it changes; of a turned member where it stood and where it is from then on.
    fn places(&self) -> impl Iterator<Item = &str> {
        let (op, turned) = match self {
            Self::Op(op) => (Some(*op), None),
            Self::Turned { from, path, .. } => (None, Some([*from, *path])),
        };
        op.into_iter()
            .flat_map(places)
            .chain(turned.into_iter().flatten())
    }
}

struct Round<'a> {
    source: &'a SourceMap,
    edits: Vec<Edit>,
    touched: Vec<String>,
}

impl Round<'_> {
    /// Takes a fix into this round, if nothing stands in its way.
    fn take(&mut self, fix: &[PatchOp]) -> bool {
        let places: Vec<&str> = fix.iter().flat_map(places).collect();
        if places.is_empty()
            || places
                .iter()
                .any(|place| self.touched.iter().any(|other| related(place, other)))
        {
            return false;
        }
        let Some(edits) = self.exact(fix).or_else(|| self.rewritten(fix, &places)) else {
            return false;
        };
        if edits
            .iter()
            .any(|edit| self.edits.iter().any(|other| edit.meets(other)))
        {
            return false;
        }
        self.edits.extend(edits);
        self.touched.extend(places.into_iter().map(str::to_owned));
        true
    }

    fn finish(mut self) -> String {
        self.edits.sort_by_key(|edit| edit.range.start);
        let old = self.source.text();
        let mut text = String::with_capacity(old.len());
        let mut at = 0;
        for edit in &self.edits {
            text.push_str(old.get(at..edit.range.start).unwrap_or_default());
            text.push_str(&edit.text);
            at = edit.range.end;
        }
        text.push_str(old.get(at..).unwrap_or_default());
        text
    }

    /// Edits for each operation by itself; `None` where operations depend on each other.
    fn exact(&self, fix: &[PatchOp]) -> Option<Vec<Edit>> {
        let units = self.units(fix);
        for (index, unit) in units.iter().enumerate() {
            let own: Vec<&str> = unit.places().collect();
            let others = units.get(index + 1..)?.iter().flat_map(Unit::places);
            for other in others {
                let same_array = own.iter().any(|place| self.shifts(place, other));
                if same_array || own.iter().any(|place| related(place, other)) {
                    return None;
                }
            }
        }
        let mut edits: Vec<Edit> = Vec::new();
        for unit in units {
            let own = match unit {
                Unit::Op(op) => self.edits_of(op)?,
                Unit::Turned {
                    from, name, value, ..
                } => self.turn(from, &name, value)?,
            };
            for edit in own {
                if edits.iter().any(|other| edit.meets_in_one_fix(other)) {
                    return None;
                }
                edits.push(edit);
            }
        }
        Some(edits)
    }

    /// The operations of a fix, those that turn one member into another of the same object taken together.
    fn units<'f>(&self, fix: &'f [PatchOp]) -> Vec<Unit<'f>> {
        let mut units: Vec<Unit<'f>> = Vec::with_capacity(fix.len());
        for op in fix {
            let turned = units.iter().enumerate().find_map(|(index, unit)| {
                let before: &'f PatchOp = match unit {
                    Unit::Op(before) => before,
                    Unit::Turned { .. } => return None,
                };
                let (from, path, value) = match (before, op) {
                    (PatchOp::Move { from, path }, PatchOp::Replace { path: at, value })
                        if at == path =>
                    {
                        (from, path, value)
                    }
                    (PatchOp::Replace { path: at, value }, PatchOp::Move { from, path })
                        if at == from =>
                    {
                        (from, path, value)
                    }
                    (PatchOp::Remove { path: from }, PatchOp::Add { path, value }) => {
                        (from, path, value)
                    }
                    _ => return None,
                };
                let name = self.sibling(from, path)?;
                Some((
                    index,
                    Unit::Turned {
                        from,
                        path,
                        name,
                        value,
                    },
                ))
            });
            match turned {
                // What came between must not have shifted the place that is taken to be the same.
                Some((index, turned)) if !self.shift(units.iter().skip(index + 1), op) => {
                    if let Some(unit) = units.get_mut(index) {
                        *unit = turned;
                    }
                }
                Some(_) | None => units.push(Unit::Op(op)),
            }
        }
        units
    }

    /// Whether `place` is an element of an array that `other` lies in: behind one that comes or goes the indexes shift.
    fn shifts(&self, place: &str, other: &str) -> bool {
        let parent = pointer::parent(place).unwrap_or_default();
        pointer::is_at_or_below(other, parent) && self.in_array(place)
    }

    /// Whether any of these units may shift the indexes on the way to a place of `op`.
    fn shift<'u, 'f: 'u>(
        &self,
        mut units: impl Iterator<Item = &'u Unit<'f>>,
        op: &PatchOp,
    ) -> bool {
        units.any(|unit| {
            unit.places()
                .any(|place| places(op).any(|other| self.shifts(place, other)))
        })
    }

    /// The name at the end of `path`, if it is a free place in the object that `from` is a member of.
    fn sibling(&self, from: &str, path: &str) -> Option<String> {
        let (parent, _) = pointer::split_last(from)?;
        let (other, name) = pointer::split_last(path)?;
        let same = parent == other && !self.in_array(from);
        (same && self.source.find(from).is_some() && self.source.find(path).is_none())
            .then(|| name.into_owned())
    }

    /// Gives a member another name and another value, in its place.
    fn turn(&self, from: &str, name: &str, value: &Value) -> Option<Vec<Edit>> {
        let mut written = String::new();
        write_string(name, &mut written);
        Some(vec![
            Edit::new(self.source.key_span(from)?, written),
            self.replace(from, value)?,
        ])
    }

    fn in_array(&self, place: &str) -> bool {
        let parent = pointer::parent(place).and_then(|parent| self.source.find(parent));
        parent.and_then(|parent| self.source.shape(parent)) == Some(Shape::Array)
    }

    fn edits_of(&self, op: &PatchOp) -> Option<Vec<Edit>> {
        match op {
            PatchOp::Replace { path, value } => Some(vec![self.replace(path, value)?]),
            PatchOp::Remove { path } => Some(vec![self.remove(path)?]),
            PatchOp::Add { path, value } => Some(vec![self.add(path, value)?]),
            PatchOp::Move { from, path } => self.relocate(from, path),
        }
    }

    fn replace(&self, path: &str, value: &Value) -> Option<Edit> {
        let range = self.source.span(path)?;
        let layout = Layout::at(self.source, range.start);
        Some(Edit::new(range, layout.write(value)))
    }

    fn remove(&self, path: &str) -> Option<Edit> {
        let (parent, _) = pointer::split_last(path)?;
        let (parent, node) = (self.source.find(parent)?, self.source.find(path)?);
        let siblings: Vec<usize> = self.source.children(parent).collect();
        let index = siblings.iter().position(|sibling| *sibling == node)?;
        let own = self.source.extent(node)?;
        let next = siblings
            .get(index + 1)
            .and_then(|next| self.source.extent(*next));
        let previous = index
            .checked_sub(1)
            .and_then(|i| siblings.get(i))
            .and_then(|p| self.source.extent(*p));
        let range = match (next, previous) {
            (Some(next), _) => own.start..next.start,
            (None, Some(previous)) => previous.end..own.end,
            (None, None) => {
                let whole = self.source.extent(parent).map(|extent| extent.end)?;
                let opening = self.opening(parent)?;
                opening..whole.checked_sub(1)?
            }
        };
        Some(Edit::new(range, ""))
    }

    /// The byte after a container's opening bracket.
    fn opening(&self, container: usize) -> Option<usize> {
        self.source.value_start(container).map(|start| start + 1)
    }

    fn add(&self, path: &str, value: &Value) -> Option<Edit> {
        let Some((parent, last)) = pointer::split_last(path) else {
            return self.replace(path, value);
        };
        let container = self.source.find(parent)?;
        match self.source.shape(container)? {
            Shape::Object if self.source.find(path).is_some() => self.replace(path, value),
            Shape::Object => {
                let end = self.source.children(container).count();
                self.insert(container, end, &last, &|layout| layout.write(value))
            }
            Shape::Array => {
                let count = self.source.children(container).count();
                let index = if last == "-" {
                    Some(count)
                } else {
                    pointer::index(&last)
                };
                self.insert(
                    container,
                    index.filter(|index| *index <= count)?,
                    "",
                    &|layout| layout.write(value),
                )
            }
            Shape::Scalar | Shape::String => None,
        }
    }

    /// Inserts before the child at an index, or after the last; `name` counts in objects only.
    fn insert(
        &self,
        container: usize,
        index: usize,
        name: &str,
        value: &dyn Fn(&Layout) -> String,
    ) -> Option<Edit> {
        let children: Vec<usize> = self.source.children(container).collect();
        let is_object = self.source.shape(container)? == Shape::Object;
        let mut text = String::new();
        let Some(last) = children.last() else {
            let start = self.opening(container)?;
            let end = self.source.extent(container)?.end.checked_sub(1)?;
            let layout = Layout::at(self.source, start);
            write_name(is_object, name, ": ", &mut text);
            text.push_str(&value(&layout));
            return Some(Edit::new(start..end, text));
        };
        let (place, before) = match children.get(index) {
            Some(next) => (self.source.extent(*next)?.start, *next),
            None => (self.source.extent(*last)?.end, *last),
        };
        let gap = self.gap(container, &children, before)?;
        let layout = Layout::at(self.source, self.source.extent(before)?.start);
        let colon = self.source.colon(*last).unwrap_or(": ");
        write_name(is_object, name, colon, &mut text);
        text.push_str(&value(&layout));
        let text = if index < children.len() {
            format!("{text},{gap}")
        } else {
            format!(",{gap}{text}")
        };
        Some(Edit::new(place..place, text))
    }

    /// The white space that stands before a child; between children of one line a blank.
    fn gap(&self, container: usize, children: &[usize], child: usize) -> Option<String> {
        let index = children.iter().position(|other| *other == child)?;
        let start = self.source.extent(child)?.start;
        let after = match index.checked_sub(1).and_then(|i| children.get(i)) {
            Some(previous) => self.source.extent(*previous)?.end,
            None => self.opening(container)?,
        };
        let gap = self.source.text().get(after..start)?.replace(',', "");
        let compact = index == 0
            && children.len() == 1
            && gap.is_empty()
            && self.source.colon(child) != Some(":");
        Some(
            if compact || (index == 0 && gap.is_empty() && self.spaced(children)) {
                " ".to_owned()
            } else {
                gap
            },
        )
    }

    /// Whether the second child is set off by a blank.
    fn spaced(&self, children: &[usize]) -> bool {
        let ends = children
            .first()
            .and_then(|first| self.source.extent(*first))
            .map(|extent| extent.end);
        let starts = children
            .get(1)
            .and_then(|second| self.source.extent(*second))
            .map(|extent| extent.start);
        ends.zip(starts).is_some_and(|(end, start)| start > end + 1)
    }

    fn relocate(&self, from: &str, path: &str) -> Option<Vec<Edit>> {
        let (from_parent, from_last) = pointer::split_last(from)?;
        let (to_parent, to_last) = pointer::split_last(path)?;
        let free = self.source.find(path).is_none();
        if from_parent == to_parent && !self.in_array(from) {
            if !free {
                return if from == path { Some(Vec::new()) } else { None };
            }
            let mut name = String::new();
            write_string(&to_last, &mut name);
            return Some(vec![Edit::new(self.source.key_span(from)?, name)]);
        }
        let raw = self.source.text().get(self.source.span(from)?)?;
        let removal = self.remove(from)?;
        if from_parent == to_parent {
            let insertion = self.reorder(from_parent, &from_last, &to_last, raw)?;
            return Some(vec![removal, insertion]);
        }
        // Behind a removed element the indexes of its array shift.
        if self.in_array(from) && pointer::is_at_or_below(to_parent, from_parent) {
            return None;
        }
        let container = self.source.find(to_parent)?;
        let count = self.source.children(container).count();
        let index = match self.source.shape(container)? {
            Shape::Object if free => count,
            Shape::Array if to_last == "-" => count,
            Shape::Array => pointer::index(&to_last).filter(|index| *index <= count)?,
            _ => return None,
        };
        Some(vec![
            removal,
            self.insert(container, index, &to_last, &|_| raw.to_owned())?,
        ])
    }

    /// Puts an element at another place of its array.
    fn reorder(&self, array: &str, from: &str, to: &str, raw: &str) -> Option<Edit> {
        let container = self.source.find(array)?;
        let children: Vec<usize> = self.source.children(container).collect();
        let from = pointer::index(from)?;
        let last = children.len().checked_sub(1)?;
        let to = if to == "-" {
            last
        } else {
            pointer::index(to).filter(|to| *to <= last)?
        };
        let before = if to > from { to + 1 } else { to };
        if to == from || (before < children.len() && before == from + 1) {
            return None;
        }
        self.insert(container, before, "", &|_| raw.to_owned())
    }

    /// The innermost container that holds all places, written anew.
    fn rewritten(&self, fix: &[PatchOp], places: &[&str]) -> Option<Vec<Edit>> {
        let mut common = pointer::parent(places.first()?).unwrap_or("").to_owned();
        let inside =
            |place: &str, above: &str| place != above && pointer::is_at_or_below(place, above);
        while !common.is_empty() && !places.iter().all(|place| inside(place, &common)) {
            common = pointer::parent(&common)?.to_owned();
        }
        let range = self.source.span(&common)?;
        let old = self.source.text().get(range.clone())?;
        let limits = Limits::document()
            .with_max_bytes(Limits::LARGEST)
            .with_max_depth(Limits::DEEPEST);
        let old = parse(old.as_bytes(), &limits).ok()?.value;
        let below = |path: &str| path.strip_prefix(common.as_str()).map(str::to_owned);
        let relative: Option<Vec<PatchOp>> = fix
            .iter()
            .map(|op| {
                Some(match op {
                    PatchOp::Add { path, value } => PatchOp::Add {
                        path: below(path)?,
                        value: value.clone(),
                    },
                    PatchOp::Remove { path } => PatchOp::Remove { path: below(path)? },
                    PatchOp::Replace { path, value } => PatchOp::Replace {
                        path: below(path)?,
                        value: value.clone(),
                    },
                    PatchOp::Move { from, path } => PatchOp::Move {
                        from: below(from)?,
                        path: below(path)?,
                    },
                })
            })
            .collect();
        let new = patch::apply(&old, &relative?).ok()?;
        let layout = Layout::at(self.source, range.start).breaking(old_breaks(self.source, &range));
        Some(vec![Edit::new(range, layout.write(&new))])
    }
}

fn old_breaks(source: &SourceMap, range: &Range<usize>) -> bool {
    source
        .text()
        .get(range.clone())
        .is_some_and(|text| text.contains('\n'))
}

fn write_name(is_object: bool, name: &str, colon: &str, text: &mut String) {
    if is_object {
        write_string(name, text);
        text.push_str(colon);
    }
}

fn places(op: &PatchOp) -> impl Iterator<Item = &str> {
    let (first, second) = match op {
        PatchOp::Add { path, .. } | PatchOp::Remove { path } | PatchOp::Replace { path, .. } => {
            (path, None)
        }
        PatchOp::Move { from, path } => (from, Some(path)),
    };
    std::iter::once(first).chain(second).map(String::as_str)
}

/// Whether one place is the other, inside it or above it.
fn related(a: &str, b: &str) -> bool {
    pointer::is_at_or_below(a, b) || pointer::is_at_or_below(b, a)
}

/// How values are written at a place.
struct Layout {
    /// The white space the line begins with.
    indent: String,
    /// One level more.
    unit: String,
    /// Whether containers are broken over lines.
    breaks: bool,
    /// How the document ends its lines.
    newline: &'static str,
}

impl Layout {
    fn at(source: &SourceMap, byte: usize) -> Self {
        let text = source.text();
        let before = text.get(..byte).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let indent: String = line
            .chars()
            .take_while(|c| *c == ' ' || *c == '\t')
            .collect();
        // The first line that is indented shows the unit of the document.
        let unit = text.split('\n').skip(1).find_map(|line| {
            let unit: String = line
                .chars()
                .take_while(|c| *c == ' ' || *c == '\t')
                .collect();
            Some(unit).filter(|unit| !unit.is_empty() && unit.len() < line.trim_end().len())
        });
        let breaks = unit.is_some()
            && line
                .chars()
                .all(|c| c.is_whitespace() || c == '"' || !"{[".contains(c));
        Self {
            indent,
            unit: unit.unwrap_or_else(|| "  ".to_owned()),
            breaks,
            newline: if text.contains("\r\n") { "\r\n" } else { "\n" },
        }
    }

    fn breaking(mut self, breaks: bool) -> Self {
        self.breaks = breaks;
        self
    }

    fn write(&self, value: &Value) -> String {
        let mut text = String::new();
        self.value(value, 1, &mut text);
        text
    }

    fn value(&self, value: &Value, level: usize, out: &mut String) {
        match value {
            Value::String(text) => write_string(text, out),
            Value::Number(number) => write_number(number, out),
            Value::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.next(index, level, out);
                    self.value(item, level + 1, out);
                }
                self.close(items.is_empty(), level, out);
                out.push(']');
            }
            Value::Object(members) => self.object(members, level, out),
            Value::Null | Value::Bool(_) => out.push_str(&value.to_string()),
        }
    }

    fn object(&self, members: &Map<String, Value>, level: usize, out: &mut String) {
        out.push('{');
        for (index, (name, value)) in members.iter().enumerate() {
            self.next(index, level, out);
            write_string(name, out);
            out.push_str(": ");
            self.value(value, level + 1, out);
        }
        self.close(members.is_empty(), level, out);
        out.push('}');
    }

    fn next(&self, index: usize, level: usize, out: &mut String) {
        if index > 0 {
            out.push(',');
        }
        if self.breaks {
            self.line(level, out);
        } else if index > 0 {
            out.push(' ');
        }
    }

    fn close(&self, empty: bool, level: usize, out: &mut String) {
        if self.breaks && !empty {
            self.line(level - 1, out);
        }
    }

    fn line(&self, level: usize, out: &mut String) {
        out.push_str(self.newline);
        out.push_str(&self.indent);
        (0..level).for_each(|_| out.push_str(&self.unit));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn edit(text: &str, fixes: &[Value]) -> (String, Vec<usize>) {
        let source = parse(text.as_bytes(), &Limits::document()).unwrap().source;
        let fixes: Vec<Vec<PatchOp>> = fixes
            .iter()
            .map(|fix| serde_json::from_value(fix.clone()).unwrap())
            .collect();
        let fixes: Vec<&[PatchOp]> = fixes.iter().map(Vec::as_slice).collect();
        let edited = apply_to_text(&source, &fixes);
        (edited.text, edited.applied)
    }

    fn check(text: &str, op: Value, expected: &str) {
        assert_eq!(edit(text, &[json!([op])]).0, expected);
    }

    #[test]
    fn single_operations_keep_the_layout() {
        let text = "{\n    \"a\" : 1,\n    \"b\": [ 1,2 ],\n    \"c\": {\"x\":  true}\n}\n";
        check(
            text,
            json!({"op": "move", "from": "/a", "path": "/\"n\""}),
            &text.replace("\"a\"", "\"\\\"n\\\"\""),
        );
        check(
            text,
            json!({"op": "replace", "path": "/b/1", "value": "two"}),
            &text.replace(",2", ",\"two\""),
        );
        check(
            text,
            json!({"op": "remove", "path": "/a"}),
            &text.replace("\"a\" : 1,\n    ", ""),
        );
        check(
            text,
            json!({"op": "remove", "path": "/c"}),
            &text.replace(",\n    \"c\": {\"x\":  true}", ""),
        );
        check(
            text,
            json!({"op": "remove", "path": "/c/x"}),
            &text.replace("{\"x\":  true}", "{}"),
        );
        check(
            text,
            json!({"op": "add", "path": "/d", "value": {"k": [1]}}),
            &text.replace(
                "true}",
                "true},\n    \"d\": {\n        \"k\": [\n            1\n        ]\n    }",
            ),
        );
        check(
            text,
            json!({"op": "add", "path": "/b/0", "value": 0}),
            &text.replace("[ 1,2", "[ 0, 1,2"),
        );
        check(
            text,
            json!({"op": "add", "path": "/b/-", "value": 3}),
            &text.replace("1,2 ]", "1,2,3 ]"),
        );
        check(
            text,
            json!({"op": "add", "path": "/c/y", "value": false}),
            &text.replace("true}", "true, \"y\":  false}"),
        );
        check(
            text,
            json!({"op": "move", "from": "/c/x", "path": "/d"}),
            &text.replace("{\"x\":  true}", "{},\n    \"d\": true"),
        );
        check(
            text,
            json!({"op": "replace", "path": "", "value": []}),
            "[]\n",
        );
    }

    #[test]
    fn an_element_moves_with_its_own_text() {
        let text = "[\n  {\"default\":   true},\n  {\"a\": 1},\n  2\n]";
        check(
            text,
            json!({"op": "move", "from": "/0", "path": "/2"}),
            "[\n  {\"a\": 1},\n  2,\n  {\"default\":   true}\n]",
        );
        check(
            text,
            json!({"op": "move", "from": "/2", "path": "/0"}),
            "[\n  2,\n  {\"default\":   true},\n  {\"a\": 1}\n]",
        );
        check(
            "[1,2]",
            json!({"op": "move", "from": "/0", "path": "/1"}),
            "[2,1]",
        );
    }

    #[test]
    fn a_fix_at_a_changed_place_waits_for_the_next_round() {
        let text = r#"{"a": {"b": 1, "c": 2}, "d": 3}"#;
        let rename = |from: &str, path: &str| json!([{"op": "move", "from": from, "path": path}]);
        let fixes = [
            rename("/a/b", "/a/x"),
            rename("/a", "/y"),
            rename("/a/b", "/a/z"),
            rename("/d", "/e"),
            json!([{"op": "remove", "path": "/a/c"}]),
        ];
        assert_eq!(
            edit(text, &fixes),
            (r#"{"a": {"x": 1}, "e": 3}"#.to_owned(), vec![0, 3, 4])
        );
        // All members of an object in one round: the last two would meet.
        let all = [
            json!([{"op": "remove", "path": "/a"}]),
            json!([{"op": "remove", "path": "/d"}]),
        ];
        assert_eq!(edit(text, &all), (r#"{"d": 3}"#.to_owned(), vec![0]));
    }

    #[test]
    fn operations_that_depend_on_each_other_rewrite_their_container() {
        let both = |ops: Value| edit("[1, {\"a\": [null, []]}]", &[ops]).0;
        let ops = json!([{"op": "remove", "path": "/1/a/0"}, {"op": "add", "path": "/1/a/0/0", "value": 5}]);
        assert_eq!(both(ops), "[1, {\"a\": [[5]]}]");
        let ops = json!([{"op": "replace", "path": "/1", "value": []}, {"op": "add", "path": "/1/0", "value": 2}]);
        assert_eq!(both(ops), "[1, [2]]");
        let ops = json!([{"op": "add", "path": "/1/a/0", "value": 2}, {"op": "replace", "path": "", "value": 3}]);
        assert_eq!(both(ops), "3");
    }

    #[test]
    fn a_member_is_turned_into_another_in_its_place() {
        let text = "{ \"p\":1.50,\n  \"delay\" : 100 , \"q\":\"\\u00e9\" }";
        let turned = text.replace("\"delay\" : 100", "\"initialInterval\" : \"PT0.1S\"");
        let rename = json!({"op": "move", "from": "/delay", "path": "/initialInterval"});
        let after = json!({"op": "replace", "path": "/initialInterval", "value": "PT0.1S"});
        let before = json!({"op": "replace", "path": "/delay", "value": "PT0.1S"});
        let taken = json!({"op": "remove", "path": "/delay"});
        let put = json!({"op": "add", "path": "/initialInterval", "value": "PT0.1S"});
        for ops in [
            json!([rename, after]),
            json!([before, rename]),
            json!([taken, put]),
        ] {
            assert_eq!(edit(text, &[ops]).0, turned);
        }
        // One more member behind the last one, which is turned.
        let more = json!([{"op": "remove", "path": "/q"}, {"op": "add", "path": "/r", "value": 2}, {"op": "add", "path": "/s", "value": 3}]);
        assert_eq!(
            edit(text, &[more]).0,
            text.replace("\"q\":\"\\u00e9\"", "\"r\":2,  \"s\":3")
        );
    }

    #[test]
    fn fixes_that_do_not_apply_change_nothing() {
        let text = r#"{"a": 1}"#;
        for op in [
            json!({"op": "remove", "path": "/x"}),
            json!({"op": "add", "path": "/a/b", "value": 1}),
            json!({"op": "move", "from": "/x", "path": "/y"}),
        ] {
            assert_eq!(edit(text, &[json!([op])]), (text.to_owned(), vec![]));
        }
    }

    #[test]
    fn a_document_inside_an_array_is_edited_in_its_file() {
        let source = parse(b"[{\"a\":1},\n {\"a\":2}]", &Limits::document())
            .unwrap()
            .source
            .under("/1")
            .unwrap();
        let fix = [PatchOp::Move {
            from: "/a".into(),
            path: "/b".into(),
        }];
        assert_eq!(
            apply_to_text(&source, &[&fix]).text,
            "[{\"a\":1},\n {\"b\":2}]"
        );
    }

    /// All pointers of a value.
    fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(i, item)| pointers(item, pointer::join_index(&at, i), found)),
            Value::Object(members) => members
                .iter()
                .for_each(|(name, member)| pointers(member, pointer::join(&at, name), found)),
            _ => {}
        }
        found.push(at);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            (0..99i32).prop_map(Value::from),
            "[a-c\"\\\\é]{0,3}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-d/~]{1,2}", inner, 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    fn any_op(places: Vec<String>) -> impl Strategy<Value = PatchOp> {
        let place = prop::sample::select(places.clone());
        let target = (
            prop::sample::select(places),
            prop_oneof![
                Just(String::new()),
                Just("/new".into()),
                Just("/0".into()),
                Just("/-".into())
            ],
        )
            .prop_map(|(place, more)| place + &more);
        (0..4, place, target, any_value()).prop_map(|(kind, place, target, value)| match kind {
            0 => PatchOp::Add {
                path: target,
                value,
            },
            1 => PatchOp::Remove { path: place },
            2 => PatchOp::Replace { path: place, value },
            _ => PatchOp::Move {
                from: place,
                path: target,
            },
        })
    }

    fn any_document_and_fix() -> impl Strategy<Value = (Value, Vec<PatchOp>, u8)> {
        any_value().prop_flat_map(|value| {
            let mut places = Vec::new();
            pointers(&value, String::new(), &mut places);
            let fix = prop::collection::vec(any_op(places), 1..4);
            (Just(value), fix, 0..3u8)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]

        #[test]
        fn an_edited_text_reads_as_the_patched_value((value, fix, style) in any_document_and_fix()) {
            let text = match style {
                0 => serde_json::to_string(&value).unwrap(),
                1 => serde_json::to_string_pretty(&value).unwrap(),
                _ => value.to_string().replace(',', " ,  ").replace(':', " : "),
            };
            let Ok(parsed) = parse(text.as_bytes(), &Limits::document()) else { return Ok(()) };
            let edited = apply_to_text(&parsed.source, &[&fix]);
            match patch::apply(&parsed.value, &fix) {
                // Removing the document itself has no text.
                Ok(_) if fix.iter().any(|op| matches!(op, PatchOp::Remove { path } | PatchOp::Move { from: path, .. } if path.is_empty())) => {}
                Ok(patched) => {
                    prop_assert_eq!(&edited.applied, &[0], "{} {:?}", text, fix);
                    let read = parse(edited.text.as_bytes(), &Limits::document());
                    prop_assert!(read.is_ok(), "{} {:?} {}", text, fix, edited.text);
                    prop_assert_eq!(read.unwrap().value, patched, "{} {:?} {}", text, fix, edited.text);
                }
                Err(_) => prop_assert_eq!(edited.text, text),
            }
        }
    }
}
