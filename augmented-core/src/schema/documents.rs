//! The documents a compiled schema consists of, and how references lead through them.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::dialect::{Dialect, subschemas};
use super::reference::{self, Address};
use crate::json::pointer;

/// One document: the schema itself or a registered schema it refers to.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) value: Arc<Value>,
    pub(super) dialect: Dialect,
    /// Anchor name to its place.
    anchors: HashMap<String, Anchor>,
}

#[derive(Debug)]
struct Anchor {
    pointer: String,
    dynamic: bool,
}

impl Document {
    pub(super) fn new(value: Arc<Value>, dialect: Dialect) -> Self {
        let mut anchors = HashMap::new();
        collect_anchors(&value, &mut String::new(), &mut anchors);
        Self {
            value,
            dialect,
            anchors,
        }
    }

    fn own_id(&self) -> Option<&str> {
        self.value.get("$id").and_then(Value::as_str)
    }
}

fn collect_anchors(schema: &Value, at: &mut String, anchors: &mut HashMap<String, Anchor>) {
    let Some(schema) = schema.as_object() else {
        return;
    };
    // In draft 7 a fragment-only `$id` is an anchor.
    let named = [
        (schema.get("$anchor").and_then(Value::as_str), false),
        (schema.get("$dynamicAnchor").and_then(Value::as_str), true),
        (
            schema
                .get("$id")
                .and_then(Value::as_str)
                .and_then(|id| id.strip_prefix('#')),
            false,
        ),
    ];
    for (name, dynamic) in named {
        if let Some(name) = name {
            anchors.entry(name.to_owned()).or_insert_with(|| Anchor {
                pointer: at.clone(),
                dynamic,
            });
        }
    }
    let length = at.len();
    for below in subschemas(schema) {
        at.push_str(&below.pointer);
        collect_anchors(below.value, at, anchors);
        at.truncate(length);
    }
}

/// A schema inside one of the documents.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'s> {
    /// Index of the document.
    pub(super) document: usize,
    pub(super) value: &'s Value,
}

impl<'s> At<'s> {
    /// Another schema of the same document.
    pub(super) fn with(self, value: &'s Value) -> Self {
        Self {
            document: self.document,
            value,
        }
    }

    pub(super) fn object(self) -> Option<&'s Map<String, Value>> {
        self.value.as_object()
    }
}

/// The documents of a compiled schema; the first is the schema itself.
#[derive(Debug)]
pub(super) struct Documents {
    documents: Vec<Document>,
    by_address: HashMap<Address, usize>,
}

impl Documents {
    pub(super) fn new(root: Document) -> Self {
        Self {
            documents: vec![root],
            by_address: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, address: Address, document: Document) {
        self.by_address.insert(address, self.documents.len());
        self.documents.push(document);
    }

    pub(super) fn get(&self, index: usize) -> Option<&Document> {
        self.documents.get(index)
    }

    pub(super) fn contains(&self, address: &Address) -> bool {
        self.by_address.contains_key(address)
    }

    /// The registered schemas among the documents.
    pub(super) fn registered(&self) -> impl Iterator<Item = (&Address, &Document)> {
        self.by_address
            .iter()
            .filter_map(|(address, index)| Some((address, self.documents.get(*index)?)))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &Document)> {
        self.documents.iter().enumerate()
    }

    pub(super) fn root(&self) -> At<'_> {
        static NOTHING: Value = Value::Bool(true);
        At {
            document: 0,
            value: self.documents.first().map_or(&NOTHING, |root| &root.value),
        }
    }

    pub(super) fn dialect(&self, document: usize) -> Dialect {
        self.documents
            .get(document)
            .map_or(Dialect::Draft202012, |document| document.dialect)
    }

    /// The schema a reference in a document leads to.
    pub(super) fn follow(&self, document: usize, text: &str) -> Option<At<'_>> {
        let here = self.documents.get(document)?;
        let reference = reference::parse(text, here.own_id(), "").ok()?;
        let target = match &reference.address {
            None => document,
            Some(address) => *self.by_address.get(address)?,
        };
        self.at_fragment(target, &reference.fragment)
    }

    pub(super) fn at_fragment(&self, document: usize, fragment: &str) -> Option<At<'_>> {
        let target = self.documents.get(document)?;
        let at = if fragment.is_empty() || fragment.starts_with('/') {
            fragment
        } else {
            &target.anchors.get(fragment)?.pointer
        };
        Some(At {
            document,
            value: pointer::resolve(&target.value, at)?,
        })
    }

    /// The schema a `$dynamicRef` leads to, `scope` being the documents entered, outermost first.
    pub(super) fn follow_dynamic(
        &self,
        document: usize,
        text: &str,
        scope: &[usize],
    ) -> Option<At<'_>> {
        let initial = self.follow(document, text)?;
        let Some((_, anchor)) = text
            .split_once('#')
            .filter(|(_, anchor)| !anchor.is_empty() && !anchor.starts_with('/'))
        else {
            return Some(initial);
        };
        let is_dynamic = |document: usize| {
            self.documents
                .get(document)
                .and_then(|d| d.anchors.get(anchor))
                .is_some_and(|anchor| anchor.dynamic)
        };
        if !is_dynamic(initial.document) {
            return Some(initial);
        }
        let outermost = scope.iter().copied().find(|document| is_dynamic(*document));
        outermost
            .and_then(|document| self.at_fragment(document, anchor))
            .or(Some(initial))
    }

    /// The schema a `$recursiveRef` leads to.
    pub(super) fn follow_recursive(&self, document: usize, scope: &[usize]) -> Option<At<'_>> {
        let recursive = |document: &usize| {
            self.documents
                .get(*document)
                .and_then(|d| d.value.get("$recursiveAnchor"))
                == Some(&Value::Bool(true))
        };
        let target = if recursive(&document) {
            scope
                .iter()
                .copied()
                .find(|document| recursive(document))
                .unwrap_or(document)
        } else {
            document
        };
        self.at_fragment(target, "")
    }

    /// The schema that alone decides at this place, when it only refers to another one; itself otherwise.
    pub(super) fn through_references<'s>(&'s self, at: At<'s>) -> At<'s> {
        let mut at = at;
        for _ in 0..64 {
            let Some(target) = at.value.get("$ref").and_then(Value::as_str) else {
                break;
            };
            match self.follow(at.document, target) {
                Some(next) => at = next,
                None => break,
            }
        }
        at
    }
}
