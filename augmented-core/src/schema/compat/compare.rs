//! The changes between two versions, keyword by keyword.
//!
//! Every keyword is one condition, and a value is accepted when all conditions hold. So a direction
//! is kept when each condition of one side follows from a condition of the other; that is checked
//! for each keyword by itself.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Number, Value};

use super::same::{Assumed, is_annotation, same};
use super::{Change, ChangeType, Effect};
use crate::json::pointer;
use crate::schema::check::item_schema;
use crate::schema::documents::{At, Documents};
use crate::schema::policy::identity;
use crate::schema::{CompiledSchema, Dialect, TypeSet, message, types};

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

static TRUE: Value = Value::Bool(true);
static FALSE: Value = Value::Bool(false);

/// Keywords that are counts or limits: those whose greater value is stricter, and those whose smaller is.
const LOWER: [&str; 6] = [
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "minItems",
    "minProperties",
    "minContains",
];
const UPPER: [&str; 6] = [
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
    "maxContains",
];

/// Counts whose absence means 0.
const COUNTS_FROM: [&str; 3] = ["minLength", "minItems", "minProperties"];

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

struct Walk<'s> {
    old: &'s CompiledSchema,
    new: &'s CompiledSchema,
    strict: bool,
    changes: Vec<Change>,
    assumed: Assumed,
    steps: usize,
}

impl<'s> Walk<'s> {
    fn old_documents(&self) -> &'s Documents {
        self.old.documents()
    }

    fn new_documents(&self) -> &'s Documents {
        self.new.documents()
    }

    fn push(
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

    fn tightened(&mut self, at: String, description: String) {
        self.push(
            ChangeType::TightenedConstraint,
            at,
            description,
            Effect::Breaks,
            Effect::Ok,
        );
    }

    fn relaxed(&mut self, at: String, description: String) {
        self.push(
            ChangeType::RelaxedConstraint,
            at,
            description,
            Effect::Ok,
            Effect::Breaks,
        );
    }

    fn unknown(&mut self, change_type: ChangeType, at: String, description: String) {
        self.push(
            change_type,
            at,
            description,
            Effect::Unknown,
            Effect::Unknown,
        );
    }

    /// Compares two schemas; `at` leads to the newer one.
    fn compare(&mut self, old: At<'s>, new: At<'s>, at: &str) {
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

    /// Compares the types; whether any type is common.
    fn types(&mut self, a: &Map<String, Value>, b: &Map<String, Value>, at: &str) -> bool {
        let (before, after) = (declared(a), declared(b));
        let lost = !before.is_within(&after);
        let won = !after.is_within(&before);
        let place = pointer::join(at, "type");
        let text = format!("{} became {}", words(&before), words(&after));
        match (lost, won) {
            (false, false) => return true,
            (true, false) => self.push(
                ChangeType::NarrowedType,
                place,
                text,
                Effect::Breaks,
                Effect::Ok,
            ),
            (false, true) => self.push(
                ChangeType::WidenedType,
                place,
                text,
                Effect::Ok,
                Effect::Breaks,
            ),
            (true, true) => self.push(
                ChangeType::NarrowedType,
                place,
                text,
                Effect::Breaks,
                Effect::Breaks,
            ),
        }
        !before.intersection(&after).is_none()
    }

    /// Compares `enum` and `const`.
    fn values(&mut self, a: &Map<String, Value>, b: &Map<String, Value>, at: &str) {
        let place = |schema: &Map<String, Value>| {
            pointer::join(
                at,
                if schema.contains_key("const") {
                    "const"
                } else {
                    "enum"
                },
            )
        };
        match (listed(a), listed(b)) {
            (None, None) => {}
            (None, Some(_)) => {
                self.tightened(place(b), "only listed values are accepted".to_owned())
            }
            (Some(_), None) => {
                self.relaxed(place(a), "values need not be listed any more".to_owned())
            }
            (Some(before), Some(after)) => {
                let missing = |from: &[&Value], to: &[&Value]| -> Vec<Value> {
                    from.iter()
                        .filter(|value| !to.iter().any(|other| types::equal(value, other)))
                        .map(|value| (*value).clone())
                        .collect()
                };
                let (gone, added) = (missing(&before, &after), missing(&after, &before));
                if !gone.is_empty() {
                    let text = format!("{} is no longer accepted", message::list(&gone));
                    self.push(
                        ChangeType::RemovedEnumValue,
                        place(b),
                        text,
                        Effect::Breaks,
                        Effect::Ok,
                    );
                }
                if !added.is_empty() {
                    let text = format!("{} is accepted too", message::list(&added));
                    self.push(
                        ChangeType::AddedEnumValue,
                        place(b),
                        text,
                        Effect::Ok,
                        Effect::Breaks,
                    );
                }
            }
        }
    }

    /// Compares limits, `multipleOf` and `uniqueItems`.
    fn limits(&mut self, a: &Map<String, Value>, b: &Map<String, Value>, at: &str) {
        let lower = LOWER.iter().map(|keyword| (*keyword, true));
        for (keyword, is_lower) in lower.chain(UPPER.iter().map(|keyword| (*keyword, false))) {
            let place = pointer::join(at, keyword);
            let limit = |schema: &Map<String, Value>| {
                schema.get(keyword).and_then(Value::as_number).cloned()
            };
            match (limit(a), limit(b)) {
                (None, None) => {}
                (None, Some(new)) if is_zero(&new) && COUNTS_FROM.contains(&keyword) => {}
                (Some(old), None) if is_zero(&old) && COUNTS_FROM.contains(&keyword) => {}
                // Without the keyword one element is demanded, with 0 none.
                (None, Some(_)) | (Some(_), None) if keyword == "minContains" => {
                    self.unknown(
                        ChangeType::ChangedComposition,
                        place,
                        format!("`{keyword}` changed"),
                    );
                }
                (None, Some(new)) => self.tightened(place, format!("`{keyword}` {new} was added")),
                (Some(old), None) => self.relaxed(place, format!("`{keyword}` {old} was removed")),
                (Some(old), Some(new)) => {
                    let text = format!("`{keyword}` went from {old} to {new}");
                    match (types::compare_numbers(&new, &old), is_lower) {
                        (std::cmp::Ordering::Equal, _) => {}
                        (std::cmp::Ordering::Greater, true) | (std::cmp::Ordering::Less, false) => {
                            self.tightened(place, text)
                        }
                        _ => self.relaxed(place, text),
                    }
                }
            }
        }
        self.divisor(a, b, pointer::join(at, "multipleOf"));
        let unique = |schema: &Map<String, Value>| schema.get("uniqueItems") == Some(&TRUE);
        match (unique(a), unique(b)) {
            (false, true) => self.tightened(
                pointer::join(at, "uniqueItems"),
                "elements must differ".to_owned(),
            ),
            (true, false) => self.relaxed(
                pointer::join(at, "uniqueItems"),
                "elements may repeat".to_owned(),
            ),
            _ => {}
        }
    }

    fn divisor(&mut self, a: &Map<String, Value>, b: &Map<String, Value>, place: String) {
        let divisor = |schema: &Map<String, Value>| {
            schema.get("multipleOf").and_then(Value::as_number).cloned()
        };
        match (divisor(a), divisor(b)) {
            (None, None) => {}
            (None, Some(new)) => self.tightened(place, format!("`multipleOf` {new} was added")),
            (Some(old), None) => self.relaxed(place, format!("`multipleOf` {old} was removed")),
            (Some(old), Some(new)) if types::compare_numbers(&old, &new).is_eq() => {}
            (Some(old), Some(new)) => {
                let text = format!("`multipleOf` went from {old} to {new}");
                match (divides(&new, &old), divides(&old, &new)) {
                    (true, _) => self.relaxed(place, text),
                    (_, true) => self.tightened(place, text),
                    _ => self.push(
                        ChangeType::TightenedConstraint,
                        place,
                        text,
                        Effect::Breaks,
                        Effect::Breaks,
                    ),
                }
            }
        }
    }

    /// Compares `pattern` and `format`.
    fn texts(&mut self, a: &Map<String, Value>, b: &Map<String, Value>, at: &str) {
        for keyword in ["pattern", "format"] {
            let place = pointer::join(at, keyword);
            match (a.get(keyword), b.get(keyword)) {
                (None, Some(_)) => self.tightened(place, format!("`{keyword}` was added")),
                (Some(_), None) => self.relaxed(place, format!("`{keyword}` was removed")),
                (Some(old), Some(new)) if old != new => {
                    self.unknown(
                        ChangeType::ChangedPattern,
                        place,
                        format!(
                            "`{keyword}` changed from {} to {}",
                            message::show(old),
                            message::show(new)
                        ),
                    );
                }
                _ => {}
            }
        }
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

    fn object(
        &mut self,
        old: (At<'s>, &'s Map<String, Value>),
        new: (At<'s>, &'s Map<String, Value>),
        at: &str,
    ) {
        let (a, b) = (Model::of(old), Model::of(new));
        self.patterns(&a, &b, at);
        let names: BTreeSet<&str> = a.names().chain(b.names()).collect();
        for name in names {
            let place = pointer::join(&pointer::join(at, "properties"), name);
            match (a.property(name), b.property(name)) {
                (Some(before), Some(after)) => self.compare(before, after, &place),
                (None, Some(after)) => self.added(name, &a, after, place),
                (Some(before), None) => self.removed(name, before, a.requires(name), &b, place),
                (None, None) => {}
            }
        }
        self.required(&a, &b, at);
        self.rest(&a, &b, at);
    }

    fn patterns(&mut self, a: &Model<'s>, b: &Model<'s>, at: &str) {
        let place = pointer::join(at, "patternProperties");
        let keys = |model: &Model<'s>| {
            model
                .patterns
                .into_iter()
                .flat_map(Map::keys)
                .cloned()
                .collect::<BTreeSet<String>>()
        };
        let (before, after) = (keys(a), keys(b));
        if before != after {
            self.unknown(
                ChangeType::ChangedComposition,
                place,
                "the patterns of member names changed".to_owned(),
            );
            return;
        }
        for pattern in before {
            let part = |model: &Model<'s>| {
                model
                    .patterns
                    .and_then(|patterns| patterns.get(&pattern))
                    .map(|below| model.at.with(below))
            };
            if let (Some(before), Some(after)) = (part(a), part(b)) {
                self.compare(before, after, &pointer::join(&place, &pattern));
            }
        }
    }

    /// A member that only the new version describes.
    fn added(&mut self, name: &str, old: &Model<'s>, after: At<'s>, place: String) {
        if self.matches_pattern(self.old, old, name) {
            return self.unknown(
                ChangeType::AddedField,
                place,
                format!("`{name}`, which a pattern covers, is described"),
            );
        }
        match old.rest {
            Some(Value::Bool(false)) => {
                self.push(
                    ChangeType::AddedField,
                    place,
                    format!("`{name}` was added"),
                    Effect::Ok,
                    Effect::Breaks,
                );
            }
            Some(rest) if rest.is_object() => self.compare(old.at.with(rest), after, &place),
            _ => self.open_field(
                ChangeType::AddedField,
                place,
                format!("`{name}` was added"),
                after,
                Effect::Ok,
            ),
        }
    }

    /// A member that only the old version describes.
    fn removed(
        &mut self,
        name: &str,
        before: At<'s>,
        was_required: bool,
        new: &Model<'s>,
        place: String,
    ) {
        if self.matches_pattern(self.new, new, name) {
            return self.unknown(
                ChangeType::RemovedField,
                place,
                format!("`{name}`, which a pattern covers, is no longer described"),
            );
        }
        let text = format!("`{name}` was removed");
        let still_required = new.requires(name);
        let forward = if was_required && !still_required {
            Effect::Breaks
        } else {
            Effect::Ok
        };
        match new.rest {
            Some(Value::Bool(false)) => self.push(
                ChangeType::RemovedField,
                place,
                text,
                Effect::Breaks,
                forward,
            ),
            Some(rest) if rest.is_object() => self.compare(before, new.at.with(rest), &place),
            _ => self.open_field(ChangeType::RemovedField, place, text, before, forward),
        }
    }

    /// A member described on one side only, of an open object: documents of the other may hold
    /// anything under its name.
    fn open_field(
        &mut self,
        change_type: ChangeType,
        place: String,
        text: String,
        described: At<'s>,
        forward: Effect,
    ) {
        let typed = !accepts_all(described.value);
        let lenient = if typed && self.strict {
            Effect::Breaks
        } else {
            Effect::Ok
        };
        let (backward, forward) = match change_type {
            ChangeType::AddedField => (lenient, forward),
            _ => (
                Effect::Ok,
                if forward == Effect::Breaks {
                    forward
                } else {
                    lenient
                },
            ),
        };
        self.push(change_type, place, text, backward, forward);
        if let Some(change) = self.changes.last_mut() {
            change.open_model = typed && !self.strict;
        }
    }

    fn matches_pattern(&self, schema: &CompiledSchema, model: &Model<'s>, name: &str) -> bool {
        let dialect = schema.documents().dialect(model.at.document);
        let name = Value::from(name);
        let mut patterns = model.patterns.into_iter().flat_map(Map::keys);
        patterns.any(|pattern| {
            schema
                .leaves()
                .accepts(dialect, "pattern", &Value::from(pattern.as_str()), &name)
                != Some(false)
        })
    }

    fn required(&mut self, a: &Model<'s>, b: &Model<'s>, at: &str) {
        let place = pointer::join(at, "required");
        for name in b.required.iter().filter(|name| !a.required.contains(name)) {
            self.push(
                ChangeType::AddedRequired,
                place.clone(),
                format!("`{name}` became required"),
                Effect::Breaks,
                Effect::Ok,
            );
        }
        for name in a.required.iter().filter(|name| !b.required.contains(name)) {
            // A removed member is reported once.
            if a.property(name).is_none()
                || b.property(name).is_some()
                || b.rest.is_some_and(Value::is_object)
            {
                self.push(
                    ChangeType::RemovedRequired,
                    place.clone(),
                    format!("`{name}` is no longer required"),
                    Effect::Ok,
                    Effect::Breaks,
                );
            }
        }
    }

    /// Compares what is said about members nobody names.
    fn rest(&mut self, a: &Model<'s>, b: &Model<'s>, at: &str) {
        let place = pointer::join(at, "additionalProperties");
        match (a.rest, b.rest) {
            (Some(Value::Bool(false)), Some(Value::Bool(false))) => {}
            (Some(Value::Bool(false)), _) => {
                self.push(
                    ChangeType::OpenedModel,
                    place,
                    "unknown members are accepted".to_owned(),
                    Effect::Ok,
                    Effect::Breaks,
                );
            }
            (_, Some(Value::Bool(false))) => {
                self.push(
                    ChangeType::ClosedModel,
                    place,
                    "unknown members are refused".to_owned(),
                    Effect::Breaks,
                    Effect::Ok,
                );
            }
            (before, after) => {
                let schema = |model: &Model<'s>, rest: Option<&'s Value>| {
                    model.at.with(rest.unwrap_or(&TRUE))
                };
                self.compare(schema(a, before), schema(b, after), &place);
            }
        }
    }

    fn array(
        &mut self,
        old: (At<'s>, &'s Map<String, Value>),
        new: (At<'s>, &'s Map<String, Value>),
        at: &str,
    ) {
        let dialects = (
            self.old_documents().dialect(old.0.document),
            self.new_documents().dialect(new.0.document),
        );
        let longest = tuple_length(dialects.0, old.1).max(tuple_length(dialects.1, new.1));
        for index in 0..=longest {
            let below = |dialect: Dialect, (at, schema): (At<'s>, &'s Map<String, Value>)| {
                at.with(item_schema(dialect, schema, index).unwrap_or(&TRUE))
            };
            let place = if index == longest {
                pointer::join(at, "items")
            } else {
                format!("{at}/prefixItems/{index}")
            };
            self.compare(below(dialects.0, old), below(dialects.1, new), &place);
        }
    }

    /// Compares `allOf` pair by pair: what follows for each pair follows for all together.
    fn all_of(
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

/// What an object schema says about members.
struct Model<'s> {
    at: At<'s>,
    properties: Option<&'s Map<String, Value>>,
    patterns: Option<&'s Map<String, Value>>,
    required: Vec<&'s str>,
    rest: Option<&'s Value>,
}

impl<'s> Model<'s> {
    fn of((at, schema): (At<'s>, &'s Map<String, Value>)) -> Self {
        Self {
            at,
            properties: schema.get("properties").and_then(Value::as_object),
            patterns: schema.get("patternProperties").and_then(Value::as_object),
            required: schema
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect(),
            rest: schema.get("additionalProperties"),
        }
    }

    fn names(&self) -> impl Iterator<Item = &'s str> + use<'s> {
        self.properties
            .into_iter()
            .flat_map(Map::keys)
            .map(String::as_str)
    }

    fn property(&self, name: &str) -> Option<At<'s>> {
        self.properties
            .and_then(|properties| properties.get(name))
            .map(|below| self.at.with(below))
    }

    fn requires(&self, name: &str) -> bool {
        self.required.contains(&name)
    }
}

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
fn accepts_all(schema: &Value) -> bool {
    match schema {
        Value::Object(schema) => schema.keys().all(|keyword| is_annotation(keyword)),
        other => other == &TRUE,
    }
}

/// The types `type` names, and those of listed values.
fn declared(schema: &Map<String, Value>) -> TypeSet {
    let names: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let set = if schema.contains_key("type") {
        TypeSet::of_types(&names)
    } else {
        TypeSet::any()
    };
    match listed(schema) {
        Some(values) => set
            .intersection(&TypeSet::of_values(values.into_iter().cloned()))
            .without_values(),
        None => set,
    }
}

fn listed(schema: &Map<String, Value>) -> Option<Vec<&Value>> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(only), None) => Some(vec![only]),
        (None, Some(Value::Array(values))) => Some(values.iter().collect()),
        (Some(only), Some(Value::Array(values))) => Some(
            values
                .iter()
                .filter(|value| types::equal(value, only))
                .collect(),
        ),
        _ => None,
    }
}

fn words(set: &TypeSet) -> String {
    if set.is_any() {
        return "any type".to_owned();
    }
    message::either(
        &set.names()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    )
}

fn tuple_length(dialect: Dialect, schema: &Map<String, Value>) -> usize {
    let keyword = if dialect == Dialect::Draft202012 {
        "prefixItems"
    } else {
        "items"
    };
    schema
        .get(keyword)
        .and_then(Value::as_array)
        .map_or(0, Vec::len)
}

fn is_zero(number: &Number) -> bool {
    number.as_f64() == Some(0.0)
}

/// Whether one divisor divides another exactly; only integers are decided.
fn divides(divisor: &Number, of: &Number) -> bool {
    match (divisor.as_i64(), of.as_i64()) {
        (Some(divisor), Some(of)) if divisor > 0 => of % divisor == 0,
        _ => false,
    }
}
