//! Changes of objects and arrays.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::compare::{TRUE, Walk, accepts_all};
use super::{ChangeType, Effect};
use crate::json::pointer;
use crate::schema::check::item_schema;
use crate::schema::documents::At;
use crate::schema::{CompiledSchema, Dialect};

impl<'s> Walk<'s> {
    pub(super) fn object(
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

    pub(super) fn array(
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
}

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
