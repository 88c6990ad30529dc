//! The changes between two versions, keyword by keyword.
//!
//! Every keyword is one condition, and a value is accepted when all conditions hold. So a direction
//! is kept when each condition of one side follows from a condition of the other; that is checked
//! for each keyword by itself.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use super::keywords::{LOWER, UPPER};
use super::same::{Assumed, is_annotation, same};
use super::{Change, ChangeType, Effect};
use crate::json::pointer;
use crate::schema::documents::{At, Documents};
use crate::schema::policy::identity;
use crate::schema::{CompiledSchema, Dialect, types};

/// The changes from one version to another, sorted by pointer.
pub(super) fn changes(old: &CompiledSchema, new: &CompiledSchema, strict: bool) -> Vec<Change> {
    let mut walk = Walk {
        old,
        new,
        strict,
        changes: Vec::new(),
        assumed: HashSet::new(),
        steps: 0,
    };
    walk.compare(old.documents().root(), new.documents().root(), "");
    let mut changes = walk.changes;
    changes.sort_by(|a, b| pointer::compare(&a.pointer, &b.pointer));
    changes.dedup();
    changes
}

/// Pairs of schemas compared at most; beyond it nothing is proven.
const MAX_STEPS: usize = 50_000;

pub(super) static TRUE: Value = Value::Bool(true);
static FALSE: Value = Value::Bool(false);

/// Keywords whose change is compared as a whole.
const COMPOSITION: [&str; 18] = [
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "unevaluatedProperties",
    "unevaluatedItems",
    "$dynamicRef",
    "$recursiveRef",
    "contentEncoding",
    "contentMediaType",
    "x-custom-validator",
];

/// Keywords compared by themselves.
const COMPARED: [&str; 14] = [
    "type",
    "enum",
    "const",
    "multipleOf",
    "pattern",
    "format",
    "uniqueItems",
    "properties",
    "patternProperties",
    "additionalProperties",
    "required",
    "items",
    "prefixItems",
    "additionalItems",
];

pub(super) struct Walk<'s> {
    pub(super) old: &'s CompiledSchema,
    pub(super) new: &'s CompiledSchema,
    pub(super) strict: bool,
    pub(super) changes: Vec<Change>,
    assumed: Assumed,
    steps: usize,
}

impl<'s> Walk<'s> {
    pub(super) fn old_documents(&self) -> &'s Documents {
        self.old.documents()
    }

    pub(super) fn new_documents(&self) -> &'s Documents {
        self.new.documents()
    }

    pub(super) fn push(
        &mut self,
        change_type: ChangeType,
        at: impl Into<String>,
        description: String,
        backward: Effect,
        forward: Effect,
    ) {
        let bump = if change_type == ChangeType::RemovedField && backward == Effect::Breaks {
            super::Bump::Major
        } else {
            change_type.bump()
        };
        self.changes.push(Change {
            change_type,
            pointer: at.into(),
            description,
            backward,
            forward,
            bump,
            open_model: false,
        });
    }

    pub(super) fn tightened(&mut self, at: String, description: String) {
        self.push(
            ChangeType::TightenedConstraint,
            at,
            description,
            Effect::Breaks,
            Effect::Ok,
        );
    }

    pub(super) fn relaxed(&mut self, at: String, description: String) {
        self.push(
            ChangeType::RelaxedConstraint,
            at,
            description,
            Effect::Ok,
            Effect::Breaks,
        );
    }

    pub(super) fn unknown(&mut self, change_type: ChangeType, at: String, description: String) {
        self.push(
            change_type,
            at,
            description,
            Effect::Unknown,
            Effect::Unknown,
        );
    }

    /// Compares two schemas; `at` leads to the newer one.
    pub(super) fn compare(&mut self, old: At<'s>, new: At<'s>, at: &str) {
        let (old, new) = (
            plain(self.old_documents(), old),
            plain(self.new_documents(), new),
        );
        self.steps += 1;
        if self.steps > MAX_STEPS {
            self.unknown(
                ChangeType::ChangedComposition,
                at.to_owned(),
                "too many schemas to compare".to_owned(),
            );
            return;
        }
        if !self
            .assumed
            .insert((identity(old.value), identity(new.value)))
        {
            return;
        }
        match (shut(old), shut(new)) {
            (true, true) => return,
            (false, true) => {
                let text = "no value is accepted any more".to_owned();
                return self.push(
                    ChangeType::NarrowedType,
                    at,
                    text,
                    Effect::Breaks,
                    Effect::Ok,
                );
            }
            (true, false) => {
                let text = "values are accepted where none was".to_owned();
                return self.push(
                    ChangeType::WidenedType,
                    at,
                    text,
                    Effect::Ok,
                    Effect::Breaks,
                );
            }
            (false, false) => {}
        }
        // `true` is the schema without keywords.
        let nothing = EMPTY.get_or_init(Map::new);
        let (a, b) = (
            old.object().unwrap_or(nothing),
            new.object().unwrap_or(nothing),
        );
        if !self.types(a, b, at) {
            return;
        }
        self.values(a, b, at);
        self.limits(a, b, at);
        self.texts(a, b, at);
        self.composition(old, new, at);
        self.object((old, a), (new, b), at);
        self.array((old, a), (new, b), at);
        self.all_of((old, a), (new, b), at);
        self.annotations(a, b, at);
    }

    /// Compares the keywords whose schemas are not looked into, and custom ones.
    fn composition(&mut self, old: At<'s>, new: At<'s>, at: &str) {
        let names = |at: At<'s>| {
            at.object()
                .into_iter()
                .flat_map(Map::keys)
                .map(String::as_str)
                .collect::<BTreeSet<_>>()
        };
        let (before, after) = (names(old), names(new));
        let known = |keyword: &str| {
            is_annotation(keyword)
                || COMPARED.contains(&keyword)
                || LOWER.contains(&keyword)
                || UPPER.contains(&keyword)
                || matches!(keyword, "$ref" | "allOf")
        };
        for keyword in before.union(&after).filter(|keyword| !known(keyword)) {
            let only = |at: At<'s>| at.object().and_then(|schema| schema.get(*keyword));
            let unchanged = match (only(old), only(new)) {
                (Some(a), Some(b)) => self.same_part(keyword, old.with(a), new.with(b)),
                _ => false,
            };
            if !unchanged {
                let place = pointer::join(at, keyword);
                self.unknown(
                    ChangeType::ChangedComposition,
                    place,
                    format!("`{keyword}` changed"),
                );
            }
        }
        // What is left over depends on every other keyword.
        let leftover = ["unevaluatedProperties", "unevaluatedItems"];
        if leftover
            .iter()
            .any(|keyword| before.contains(keyword) || after.contains(keyword))
            && !self.same(old, new)
        {
            self.unknown(
                ChangeType::ChangedComposition,
                at.to_owned(),
                "what counts as unevaluated may have changed".to_owned(),
            );
        }
    }

    /// Whether the values of a keyword mean the same.
    fn same_part(&self, keyword: &str, old: At<'s>, new: At<'s>) -> bool {
        if !COMPOSITION.contains(&keyword) {
            return types::equal(old.value, new.value);
        }
        match (old.value, new.value) {
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b).all(|(a, b)| {
                        if keyword == "x-custom-validator" {
                            a == b
                        } else {
                            self.same(old.with(a), new.with(b))
                        }
                    })
            }
            (Value::Object(a), Value::Object(b))
                if matches!(
                    keyword,
                    "dependentSchemas" | "dependencies" | "dependentRequired"
                ) =>
            {
                a.len() == b.len()
                    && a.iter().all(|(name, a)| {
                        b.get(name).is_some_and(|b| {
                            if a.is_array() {
                                a == b
                            } else {
                                self.same(old.with(a), new.with(b))
                            }
                        })
                    })
            }
            (Value::Object(_), Value::Object(_)) if keyword != "x-custom-validator" => {
                self.same(old, new)
            }
            // Where a dynamic reference leads depends on the whole schema.
            (Value::String(a), Value::String(b)) if keyword.starts_with('$') => {
                a == b && self.same(self.old_documents().root(), self.new_documents().root())
            }
            (a, b) => a == b,
        }
    }

    fn same(&self, old: At<'s>, new: At<'s>) -> bool {
        same(
            (self.old_documents(), old),
            (self.new_documents(), new),
            &mut HashSet::new(),
        )
    }

    /// Compares `allOf` pair by pair: what follows for each pair follows for all together.
    pub(super) fn all_of(
        &mut self,
        old: (At<'s>, &'s Map<String, Value>),
        new: (At<'s>, &'s Map<String, Value>),
        at: &str,
    ) {
        let (before, after) = (
            conjuncts(self.old_documents(), old),
            conjuncts(self.new_documents(), new),
        );
        for index in 0..before.len().max(after.len()) {
            let place = format!("{at}/allOf/{index}");
            match (before.get(index), after.get(index)) {
                (Some(a), Some(b)) => self.compare(*a, *b, &place),
                (None, Some(_)) => self.tightened(place, "a condition was added".to_owned()),
                (Some(_), None) => self.relaxed(place, "a condition was removed".to_owned()),
                (None, None) => {}
            }
        }
    }

    fn annotations(&mut self, a: &Map<String, Value>, b: &Map<String, Value>, at: &str) {
        const WORDS: [&str; 6] = [
            "title",
            "description",
            "default",
            "examples",
            "deprecated",
            "$comment",
        ];
        let extensions = a
            .keys()
            .chain(b.keys())
            .map(String::as_str)
            .filter(|name| name.starts_with("x-") && is_annotation(name));
        let names: BTreeSet<&str> = WORDS
            .into_iter()
            .chain(["readOnly", "writeOnly"])
            .chain(extensions)
            .collect();
        for name in names
            .into_iter()
            .filter(|name| a.get(*name) != b.get(*name))
        {
            self.push(
                ChangeType::AnnotationChanged,
                pointer::join(at, name),
                format!("`{name}` changed"),
                Effect::Ok,
                Effect::Ok,
            );
        }
    }
}

static EMPTY: std::sync::OnceLock<Map<String, Value>> = std::sync::OnceLock::new();

/// The schema itself, or the one it merely refers to.
fn plain<'s>(documents: &'s Documents, at: At<'s>) -> At<'s> {
    let mut at = at;
    for _ in 0..64 {
        let Some(schema) = at.object() else {
            break;
        };
        let draft7 = documents.dialect(at.document) == Dialect::Draft7;
        let alone = draft7
            || schema
                .keys()
                .all(|keyword| keyword == "$ref" || is_annotation(keyword));
        match schema
            .get("$ref")
            .and_then(Value::as_str)
            .filter(|_| alone)
            .and_then(|text| documents.follow(at.document, text))
        {
            Some(target) => at = target,
            None => break,
        }
    }
    at
}

/// The schemas that must hold beside the keywords: the one referred to, then those of `allOf`.
fn conjuncts<'s>(
    documents: &'s Documents,
    (at, schema): (At<'s>, &'s Map<String, Value>),
) -> Vec<At<'s>> {
    let reference = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|text| documents.follow(at.document, text));
    let all = schema
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|below| at.with(below));
    reference.into_iter().chain(all).collect()
}

fn shut(at: At<'_>) -> bool {
    at.value == &FALSE
}

/// Whether a schema says nothing.
pub(super) fn accepts_all(schema: &Value) -> bool {
    match schema {
        Value::Object(schema) => schema.keys().all(|keyword| is_annotation(keyword)),
        other => other == &TRUE,
    }
}
