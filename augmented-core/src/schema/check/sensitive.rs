//! Which values must not be shown, whichever branch of the schema says so.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::array::item_schema;
use crate::json::pointer;
use crate::schema::dialect::{is_in_place, subschemas};
use crate::schema::documents::{At, Documents};
use crate::schema::engine::Leaves;
use crate::schema::policy::{Identity, identity};

/// Pointers of the values marked `x-sensitive` or `writeOnly`.
pub(super) fn places(
    documents: &Documents,
    leaves: &Leaves,
    root: At<'_>,
    value: &Value,
) -> HashSet<String> {
    let mut walk = Walk {
        documents,
        leaves,
        seen: HashSet::new(),
        found: HashSet::new(),
    };
    walk.visit(root, value, &mut String::new());
    walk.found
}

struct Walk<'a> {
    documents: &'a Documents,
    leaves: &'a Leaves,
    seen: HashSet<(Identity, Identity)>,
    found: HashSet<String>,
}

impl Walk<'_> {
    fn visit(&mut self, at: At<'_>, value: &Value, path: &mut String) {
        let Some(schema) = at
            .object()
            .filter(|_| self.seen.insert((identity(at.value), identity(value))))
        else {
            return;
        };
        if ["x-sensitive", "writeOnly"]
            .iter()
            .any(|mark| schema.get(*mark) == Some(&Value::Bool(true)))
        {
            self.found.insert(path.clone());
        }
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let target = schema
                .get(keyword)
                .and_then(Value::as_str)
                .and_then(|text| self.documents.follow(at.document, text));
            if let Some(target) = target {
                self.visit(target, value, path);
            }
        }
        for below in subschemas(schema)
            .into_iter()
            .filter(|below| is_in_place(below.keyword))
        {
            self.visit(at.with(below.value), value, path);
        }
        match value {
            Value::Object(members) => self.visit_members(at, schema, members, path),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let dialect = self.documents.dialect(at.document);
                    let rules = [
                        item_schema(dialect, schema, index),
                        schema.get("contains"),
                        schema.get("unevaluatedItems"),
                    ];
                    let length = path.len();
                    pointer::push_index(path, index);
                    rules
                        .into_iter()
                        .flatten()
                        .for_each(|rule| self.visit(at.with(rule), item, path));
                    path.truncate(length);
                }
            }
            _ => {}
        }
    }

    fn visit_members(
        &mut self,
        at: At<'_>,
        schema: &Map<String, Value>,
        members: &Map<String, Value>,
        path: &mut String,
    ) {
        let dialect = self.documents.dialect(at.document);
        for (name, value) in members {
            let mut rules: Vec<&Value> = Vec::new();
            rules.extend(
                schema
                    .get("properties")
                    .and_then(|properties| properties.get(name)),
            );
            for (pattern, below) in schema
                .get("patternProperties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                let matches = self.leaves.accepts(
                    dialect,
                    "pattern",
                    &Value::from(pattern.as_str()),
                    &Value::from(name.as_str()),
                );
                rules.extend(Some(below).filter(|_| matches == Some(true)));
            }
            rules.extend(
                ["additionalProperties", "unevaluatedProperties"]
                    .iter()
                    .filter_map(|keyword| schema.get(*keyword)),
            );
            let length = path.len();
            pointer::push(path, name);
            rules
                .into_iter()
                .for_each(|rule| self.visit(at.with(rule), value, path));
            path.truncate(length);
        }
    }
}
