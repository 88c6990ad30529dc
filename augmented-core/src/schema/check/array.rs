//! Keywords of arrays.

use std::collections::HashMap;

use serde_json::Value;

use super::scalar::limit;
use super::{Checker, Members, Mode, argue_limit};
use crate::json::{canonical, pointer};
use crate::schema::dialect::Dialect;
use crate::schema::documents::At;
use crate::schema::message;
use crate::validate::Related;

impl<'a> Checker<'a> {
    pub(super) fn array(&mut self, at: At<'a>, schema: Members<'a>, items: &[Value]) -> bool {
        let mut ok = self.item_count(schema, items.len() as u64);
        ok &= self.unique(schema, items);
        if !ok && self.mode == Mode::Test {
            return false;
        }
        for (index, item) in items.iter().enumerate() {
            if let Some(below) = item_schema(self.documents.dialect(at.document), schema, index) {
                ok &= self.element(at.with(below), index, item);
            }
            if !ok && self.mode == Mode::Test {
                return false;
            }
        }
        ok & self.contains(at, schema, items)
    }

    fn item_count(&mut self, schema: Members<'a>, count: u64) -> bool {
        let mut ok = true;
        if let Some(min) = limit(schema, "minItems").filter(|min| count < *min) {
            ok = false;
            let finding = self.report(Some(schema), "minItems", |this| {
                format!(
                    "{} has {}, expected at least {min}",
                    this.name(Some(schema)),
                    message::count(count, "element")
                )
            });
            argue_limit(finding, min, Some(count));
        }
        if let Some(max) = limit(schema, "maxItems").filter(|max| count > *max) {
            ok = false;
            let finding = self.report(Some(schema), "maxItems", |this| {
                format!(
                    "{} has {}, expected at most {max}",
                    this.name(Some(schema)),
                    message::count(count, "element")
                )
            });
            argue_limit(finding, max, Some(count));
        }
        ok
    }

    fn unique(&mut self, schema: Members<'a>, items: &[Value]) -> bool {
        if schema.get("uniqueItems") != Some(&Value::Bool(true)) {
            return true;
        }
        let mut seen: HashMap<String, usize> = HashMap::with_capacity(items.len());
        let mut ok = true;
        for (index, item) in items.iter().enumerate() {
            let first = *seen.entry(canonical::to_string(item)).or_insert(index);
            if first == index {
                continue;
            }
            ok = false;
            let at = pointer::join_index(&self.path, index);
            let related = Related::new(pointer::join_index(&self.path, first), "the same element");
            let finding = self.report_at(at, Some(schema), "uniqueItems", |this| {
                format!(
                    "elements {first} and {index} of {} are equal, expected each once",
                    this.name(Some(schema))
                )
            });
            match finding {
                Some(finding) => {
                    finding.arguments.set("first", first);
                    finding.arguments.set("second", index);
                    finding.related.push(related);
                }
                None => return false,
            }
        }
        ok
    }

    fn contains(&mut self, at: At<'a>, schema: Members<'a>, items: &[Value]) -> bool {
        let Some(wanted) = schema.get("contains") else {
            return true;
        };
        let counted = self.documents.dialect(at.document) != Dialect::Draft7;
        let min = limit(schema, "minContains")
            .filter(|_| counted)
            .unwrap_or(1);
        let max = limit(schema, "maxContains").filter(|_| counted);
        let found = items
            .iter()
            .filter(|item| self.accepts(at.with(wanted), item))
            .count() as u64;
        let too_few = found < min;
        if !too_few && max.is_none_or(|max| found <= max) {
            return true;
        }
        let expected = match max {
            Some(max) if !too_few => format!("at most {max}"),
            _ => format!("at least {min}"),
        };
        let finding = self.report(Some(schema), "contains", |this| {
            format!(
                "{} has {} of the required kind, expected {expected}",
                this.name(Some(schema)),
                message::count(found, "element")
            )
        });
        if let Some(finding) = finding {
            match max {
                Some(max) if !too_few => finding.arguments.set("maximum", max),
                _ => finding.arguments.set("minimum", min),
            }
            finding.arguments.set("actual", found);
        }
        false
    }
}

/// The schema of the element at an index, as the dialect spells tuples.
pub(in crate::schema) fn item_schema(
    dialect: Dialect,
    schema: Members<'_>,
    index: usize,
) -> Option<&Value> {
    let (tuple, rest) = match (dialect, schema.get("items")) {
        (Dialect::Draft202012, items) => (schema.get("prefixItems"), items),
        (_, tuple @ Some(Value::Array(_))) => (tuple, schema.get("additionalItems")),
        (_, items) => (None, items),
    };
    tuple
        .and_then(|tuple| tuple.get(index))
        .or(rest.filter(|rest| !rest.is_array()))
}
