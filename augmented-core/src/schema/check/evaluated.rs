//! `unevaluatedProperties` and `unevaluatedItems`: what no other keyword looked at.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::object::guess;
use super::{Checker, Members, Mode};
use crate::json::pointer;
use crate::schema::dialect::Dialect;
use crate::schema::documents::At;

/// The parts of a value that keywords looked at.
#[derive(Default)]
struct Evaluated {
    all_names: bool,
    names: HashSet<String>,
    all_items: bool,
    items: HashSet<usize>,
}

impl<'a> Checker<'a> {
    /// Judges what the other keywords left over; `ok` is their verdict.
    pub(super) fn unevaluated(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        value: &Value,
        ok: bool,
    ) -> bool {
        let rule = match value {
            Value::Object(_) => schema.get("unevaluatedProperties"),
            Value::Array(_) => schema.get("unevaluatedItems"),
            _ => None,
        };
        let Some(rule) = rule.filter(|_| self.documents.dialect(at.document) != Dialect::Draft7)
        else {
            return true;
        };
        let mut seen = Evaluated::default();
        self.evaluate(at, value, &mut seen, true);
        match value {
            Value::Object(members) => self.left_members(at, schema, rule, members, &seen, ok),
            Value::Array(items) => self.left_items(at, schema, rule, items, &seen),
            _ => true,
        }
    }

    fn left_members(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        rule: &'a Value,
        members: &Map<String, Value>,
        seen: &Evaluated,
        ok: bool,
    ) -> bool {
        if seen.all_names {
            return true;
        }
        let known = self.known_names(at);
        let mut left: Vec<&str> = members
            .keys()
            .map(String::as_str)
            .filter(|name| !seen.names.contains(*name))
            .collect();
        if !ok && self.mode == Mode::Collect {
            // A branch that failed evaluated nothing; its names are no second cause.
            left.retain(|name| !known.contains(name));
        }
        let mut valid = true;
        if *rule != Value::Bool(false) {
            for name in left {
                valid &= members
                    .get(name)
                    .is_none_or(|value| self.member(at.with(rule), name, value));
            }
            return valid;
        }
        let guesses = guess(&known, members, &left);
        for name in left {
            valid = false;
            let below = guesses
                .get(name)
                .and_then(|guess| Some((*guess, self.property_anywhere(at, guess.name)?)));
            self.unknown_member(
                schema,
                "unevaluatedProperties",
                members,
                name,
                below,
                &known,
            );
        }
        valid
    }

    /// The first schema that judges this object and names the member.
    fn property_anywhere(&self, at: At<'a>, name: &str) -> Option<At<'a>> {
        let mut seen = HashSet::new();
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            let Some(schema) = at
                .object()
                .filter(|_| seen.insert(crate::schema::policy::identity(at.value)))
            else {
                continue;
            };
            if let Some(below) = schema
                .get("properties")
                .and_then(|properties| properties.get(name))
            {
                return Some(at.with(below));
            }
            open.extend(self.same_place(at, schema));
        }
        None
    }

    fn left_items(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        rule: &'a Value,
        items: &[Value],
        seen: &Evaluated,
    ) -> bool {
        if seen.all_items {
            return true;
        }
        let mut valid = true;
        for (index, item) in items
            .iter()
            .enumerate()
            .filter(|(index, _)| !seen.items.contains(index))
        {
            if *rule == Value::Bool(false) {
                valid = false;
                let place = pointer::join_index(&self.path, index);
                let finding = self.report_at(place, Some(schema), "unevaluatedItems", |this| {
                    format!(
                        "element {index} is not one {} may have",
                        this.name(Some(schema))
                    )
                });
                if let Some(finding) = finding {
                    finding.arguments.set("index", index);
                }
            } else {
                valid &= self.element(at.with(rule), index, item);
            }
        }
        valid
    }

    /// Notes what a schema and those beside it look at; `own` leaves the schema's own rule out.
    fn evaluate(&mut self, at: At<'a>, value: &Value, seen: &mut Evaluated, own: bool) {
        let Some(schema) = at.object() else {
            return;
        };
        if self.depth >= super::MAX_DEPTH {
            return;
        }
        self.depth += 1;
        let dialect = self.documents.dialect(at.document);
        if !own {
            seen.all_names |= schema.contains_key("unevaluatedProperties");
            seen.all_items |= schema.contains_key("unevaluatedItems");
        }
        match value {
            Value::Object(members) => self.evaluate_members(at, schema, members, seen),
            Value::Array(items) => self.evaluate_items(at, schema, dialect, items, seen),
            _ => {}
        }
        self.evaluate_beside(at, schema, value, seen);
        self.depth -= 1;
    }

    fn evaluate_members(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        members: &Map<String, Value>,
        seen: &mut Evaluated,
    ) {
        seen.all_names |= schema.contains_key("additionalProperties");
        let properties = schema.get("properties").and_then(Value::as_object);
        for name in members.keys() {
            if properties.is_some_and(|properties| properties.contains_key(name))
                || !self.patterned(at, schema, name).is_empty()
            {
                seen.names.insert(name.clone());
            }
        }
        for (name, below) in schema
            .get("dependentSchemas")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            if members.contains_key(name) {
                self.evaluate(at.with(below), &Value::Object(members.clone()), seen, false);
            }
        }
    }

    fn evaluate_items(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        dialect: Dialect,
        items: &[Value],
        seen: &mut Evaluated,
    ) {
        for index in 0..items.len() {
            if super::array::item_schema(dialect, schema, index).is_some() {
                seen.items.insert(index);
            }
        }
        if let Some(wanted) = schema
            .get("contains")
            .filter(|_| dialect == Dialect::Draft202012)
        {
            for (index, item) in items.iter().enumerate() {
                if self.accepts(at.with(wanted), item) {
                    seen.items.insert(index);
                }
            }
        }
    }

    fn evaluate_beside(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        value: &Value,
        seen: &mut Evaluated,
    ) {
        let reference = |keyword: &str| schema.get(keyword).and_then(Value::as_str);
        if let Some(target) =
            reference("$ref").and_then(|text| self.documents.follow(at.document, text))
        {
            self.evaluate(target, value, seen, false);
        }
        if let Some(text) = reference("$dynamicRef")
            && let Some(target) = self
                .documents
                .follow_dynamic(at.document, text, &self.scope)
        {
            self.evaluate(target, value, seen, false);
        }
        if schema.contains_key("$recursiveRef")
            && let Some(target) = self.documents.follow_recursive(at.document, &self.scope)
        {
            self.evaluate(target, value, seen, false);
        }
        for below in schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            self.evaluate(at.with(below), value, seen, false);
        }
        for keyword in ["anyOf", "oneOf"] {
            for below in schema
                .get(keyword)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                if self.accepts(at.with(below), value) {
                    self.evaluate(at.with(below), value, seen, false);
                }
            }
        }
        if let Some(condition) = schema.get("if") {
            let holds = self.accepts(at.with(condition), value);
            if holds {
                self.evaluate(at.with(condition), value, seen, false);
            }
            if let Some(below) = schema.get(if holds { "then" } else { "else" }) {
                self.evaluate(at.with(below), value, seen, false);
            }
        }
    }
}
