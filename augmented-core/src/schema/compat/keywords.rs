//! Changes of the keywords that hold no schemas.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::compare::{TRUE, Walk};
use super::{ChangeType, Effect};
use crate::json::pointer;
use crate::schema::{TypeSet, message, types};

/// Keywords that are counts or limits: those whose greater value is stricter, and those whose smaller is.
pub(super) const LOWER: [&str; 6] = [
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "minItems",
    "minProperties",
    "minContains",
];
pub(super) const UPPER: [&str; 6] = [
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
    "maxContains",
];

/// Counts whose absence means 0.
const COUNTS_FROM: [&str; 3] = ["minLength", "minItems", "minProperties"];

impl Walk<'_> {
    /// Compares the types; whether any type is common.
    pub(super) fn types(
        &mut self,
        a: &Map<String, Value>,
        b: &Map<String, Value>,
        at: &str,
    ) -> bool {
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
    pub(super) fn values(&mut self, a: &Map<String, Value>, b: &Map<String, Value>, at: &str) {
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
    pub(super) fn limits(&mut self, a: &Map<String, Value>, b: &Map<String, Value>, at: &str) {
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
                        (Ordering::Equal, _) => {}
                        (Ordering::Greater, true) | (Ordering::Less, false) => {
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
    pub(super) fn texts(&mut self, a: &Map<String, Value>, b: &Map<String, Value>, at: &str) {
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
