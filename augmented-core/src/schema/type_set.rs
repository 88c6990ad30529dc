//! What kinds of values a schema allows at a place, as far as data flow has to know.

use serde_json::Value;

use super::check::item_schema;
use super::compile::CompiledSchema;
use super::documents::{At, Documents};
use super::types;

/// The JSON types a value may have, and the values themselves where a schema lists them.
///
/// An upper bound: a schema may allow less than its set says, never more.
///
/// ```
/// use augmented_core::schema::{CompiledSchema, Relation, SchemaOptions, relation};
/// use serde_json::json;
/// let compile = |schema| CompiledSchema::compile(&schema, &SchemaOptions::new()).unwrap();
/// let source = compile(json!({"properties": {"total": {"type": "integer"}, "mode": {"enum": ["A", "B"]}}}));
/// let number = compile(json!({"type": "number"})).types_at(&[]).types;
/// assert_eq!(relation(&source.types_at(&["total"]).types, &number), Relation::Fits);
/// assert_eq!(relation(&source.types_at(&["mode"]).types, &number), Relation::Disjoint);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TypeSet {
    types: u8,
    values: Option<Vec<Value>>,
}

const NULL: u8 = 1;
const BOOLEAN: u8 = 2;
const INTEGER: u8 = 4;
/// Numbers that are no integers.
const FRACTION: u8 = 8;
const STRING: u8 = 16;
const ARRAY: u8 = 32;
const OBJECT: u8 = 64;
const ALL: u8 = 127;

fn bits(name: &str) -> u8 {
    match name {
        "null" => NULL,
        "boolean" => BOOLEAN,
        "integer" => INTEGER,
        "number" => INTEGER | FRACTION,
        "string" => STRING,
        "array" => ARRAY,
        "object" => OBJECT,
        _ => 0,
    }
}

fn bits_of(value: &Value) -> u8 {
    match types::type_name(value) {
        "number" => FRACTION,
        name => bits(name),
    }
}

impl TypeSet {
    /// Every value: nothing is known.
    #[must_use]
    pub const fn any() -> Self {
        Self {
            types: ALL,
            values: None,
        }
    }

    /// No value.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            types: 0,
            values: None,
        }
    }

    /// The values of some types, by their names in JSON Schema; unknown names count for nothing.
    #[must_use]
    pub fn of_types(names: &[&str]) -> Self {
        Self {
            types: names.iter().fold(0, |all, name| all | bits(name)),
            values: None,
        }
    }

    /// Exactly these values.
    #[must_use]
    pub fn of_values(values: impl IntoIterator<Item = Value>) -> Self {
        let values: Vec<Value> = values.into_iter().collect();
        Self {
            types: values.iter().fold(0, |all, value| all | bits_of(value)),
            values: Some(values),
        }
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.types == ALL && self.values.is_none()
    }

    /// Whether no value is possible.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.types == 0
    }

    /// The listed values, if the schema lists them.
    #[must_use]
    pub fn values(&self) -> Option<&[Value]> {
        self.values.as_deref()
    }

    /// The names of the types, as JSON Schema writes them.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for name in ["null", "boolean", "string", "array", "object"] {
            if self.types & bits(name) != 0 {
                names.push(name);
            }
        }
        match self.types & (INTEGER | FRACTION) {
            0 => {}
            INTEGER => names.push("integer"),
            _ => names.push("number"),
        }
        names
    }

    /// Whether every type of this set is one of the other's; listed values do not count.
    pub(super) const fn is_within(&self, other: &Self) -> bool {
        self.types & !other.types == 0
    }

    /// The same types, whatever values are listed.
    pub(super) fn without_values(self) -> Self {
        Self {
            types: self.types,
            values: None,
        }
    }

    /// What both allow.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let both = self.types & other.types;
        let values = match (&self.values, &other.values) {
            (Some(own), Some(others)) => Some(
                own.iter()
                    .filter(|value| others.iter().any(|other| types::equal(value, other)))
                    .cloned()
                    .collect::<Vec<_>>(),
            ),
            (Some(values), None) | (None, Some(values)) => Some(values.clone()),
            (None, None) => None,
        };
        match values {
            Some(values) => Self::of_values(
                values
                    .into_iter()
                    .filter(|value| bits_of(value) & both != 0),
            ),
            None => Self {
                types: both,
                values: None,
            },
        }
    }

    /// What either allows.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.is_none() {
            return other.clone();
        }
        if other.is_none() {
            return self.clone();
        }
        let values = match (&self.values, &other.values) {
            (Some(own), Some(others)) => Some(own.iter().chain(others).cloned().collect()),
            _ => None,
        };
        Self {
            types: self.types | other.types,
            values,
        }
    }
}

/// How a source of values stands to a target that takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "two sets stand to each other in no other way"
)]
pub enum Relation {
    /// No value of the source fits.
    Disjoint,
    /// Some values of the source do not fit, as far as types and listed values tell.
    Narrower,
    /// Every value of the source fits, as far as types and listed values tell.
    Fits,
    /// Nothing is known about the source.
    Unknown,
}

/// How a source stands to a target.
#[must_use]
pub fn relation(source: &TypeSet, target: &TypeSet) -> Relation {
    if target.is_any() {
        return Relation::Fits;
    }
    if source.is_any() || source.is_none() || target.is_none() {
        return Relation::Unknown;
    }
    let common = source.intersection(target);
    if common.is_none() {
        return Relation::Disjoint;
    }
    let fits = match (&source.values, &common.values) {
        (Some(all), Some(left)) => all.len() == left.len(),
        (None, Some(_)) => {
            source.types & !(NULL | BOOLEAN) == 0 && covers_small(source.types, &common)
        }
        (_, None) => source.types & !target.types == 0,
    };
    if fits {
        Relation::Fits
    } else {
        Relation::Narrower
    }
}

/// Whether listed values are all there are of null and booleans.
fn covers_small(types: u8, listed: &TypeSet) -> bool {
    let has = |value: &Value| listed.values.iter().flatten().any(|other| other == value);
    (types & NULL == 0 || has(&Value::Null))
        && (types & BOOLEAN == 0 || (has(&Value::Bool(true)) && has(&Value::Bool(false))))
}

/// Whether a place exists in every value a schema allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth answer")]
pub enum Presence {
    /// No value has it.
    Never,
    /// Some values may have it.
    Maybe,
    /// Every value has it.
    Always,
}

/// What a schema says about one place of the values it allows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Place {
    /// What may stand there.
    pub types: TypeSet,
    /// Whether something stands there.
    pub presence: Presence,
}

/// Schemas looked at for one answer; beyond it nothing is known.
const MAX_STEPS: usize = 4096;

impl CompiledSchema {
    /// What the schema says about the place that a path of member names (and array indexes) leads to.
    #[must_use]
    pub fn types_at(&self, path: &[&str]) -> Place {
        let mut walk = Walk {
            documents: self.documents(),
            schema: self,
            steps: 0,
        };
        let place = walk.place(self.documents().root(), path);
        if walk.steps > MAX_STEPS {
            Place {
                types: TypeSet::any(),
                presence: Presence::Maybe,
            }
        } else {
            place
        }
    }

    /// The member names the schema knows at the place a path leads to; `None` where others may
    /// stand there too.
    #[must_use]
    pub fn members_at(&self, path: &[&str]) -> Option<Vec<&str>> {
        let mut walk = Walk {
            documents: self.documents(),
            schema: self,
            steps: 0,
        };
        let mut names = Vec::new();
        let closed = walk.members(self.documents().root(), path, &mut names);
        names.sort_unstable();
        names.dedup();
        (closed && walk.steps <= MAX_STEPS).then_some(names)
    }
}

struct Walk<'s> {
    documents: &'s Documents,
    schema: &'s CompiledSchema,
    steps: usize,
}

impl<'s> Walk<'s> {
    fn place(&mut self, at: At<'s>, path: &[&str]) -> Place {
        self.steps += 1;
        let anything = Place {
            types: TypeSet::any(),
            presence: Presence::Maybe,
        };
        if self.steps > MAX_STEPS {
            return anything;
        }
        let Some(schema) = at.object() else {
            return match at.value {
                Value::Bool(false) => Place {
                    types: TypeSet::none(),
                    presence: Presence::Never,
                },
                _ if path.is_empty() => Place {
                    types: TypeSet::any(),
                    presence: Presence::Always,
                },
                _ => anything,
            };
        };
        let mut place = match path {
            [] => Place {
                types: own_types(schema),
                presence: Presence::Always,
            },
            [first, rest @ ..] => self.step(at, schema, first, rest),
        };
        let reference = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|text| self.documents.follow(at.document, text));
        let all = schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|below| at.with(below));
        for beside in reference.into_iter().chain(all) {
            let other = self.place(beside, path);
            place = both(&place, &other);
        }
        for keyword in ["anyOf", "oneOf"] {
            let Some(branches) = schema.get(keyword).and_then(Value::as_array) else {
                continue;
            };
            let mut either: Option<Place> = None;
            for below in branches {
                let other = self.place(at.with(below), path);
                either = Some(match either {
                    None => other,
                    Some(known) => Place {
                        types: known.types.union(&other.types),
                        presence: if known.presence == other.presence {
                            known.presence
                        } else {
                            Presence::Maybe
                        },
                    },
                });
            }
            if let Some(either) = either {
                place = both(&place, &either);
            }
        }
        place
    }

    /// What one schema, without those beside it, says about a path below it.
    fn step(
        &mut self,
        at: At<'s>,
        schema: &'s serde_json::Map<String, Value>,
        first: &str,
        rest: &[&str],
    ) -> Place {
        let names = schema.get("required").and_then(Value::as_array);
        let required = names.is_some_and(|names| names.iter().any(|name| name == first));
        let Some(below) = self.below(at, schema, first) else {
            let presence = if required && rest.is_empty() {
                Presence::Always
            } else {
                Presence::Maybe
            };
            return Place {
                types: TypeSet::any(),
                presence,
            };
        };
        let mut place = self.place(at.with(below), rest);
        if !required && place.presence == Presence::Always {
            place.presence = Presence::Maybe;
        }
        place
    }

    fn below(
        &self,
        at: At<'s>,
        schema: &'s serde_json::Map<String, Value>,
        token: &str,
    ) -> Option<&'s Value> {
        let dialect = self.documents.dialect(at.document);
        if let Some(below) = schema
            .get("properties")
            .and_then(|properties| properties.get(token))
        {
            return Some(below);
        }
        let patterns = schema
            .get("patternProperties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        let name = Value::from(token);
        for (pattern, below) in patterns {
            if self.schema.leaves().accepts(
                dialect,
                "pattern",
                &Value::from(pattern.as_str()),
                &name,
            ) == Some(true)
            {
                return Some(below);
            }
        }
        let rest = schema.get("additionalProperties");
        let is_index = crate::json::pointer::index(token);
        let item = item_schema(dialect, schema, is_index.unwrap_or(usize::MAX));
        let array_only = own_types(schema).names() == ["array"];
        match (rest, item) {
            (_, Some(item)) if is_index.is_some() || array_only => Some(item),
            (Some(rest), _) if !array_only => Some(rest),
            _ => None,
        }
    }

    /// Collects known names; whether no others are possible.
    fn members(&mut self, at: At<'s>, path: &[&str], names: &mut Vec<&'s str>) -> bool {
        self.steps += 1;
        let Some(schema) = at.object().filter(|_| self.steps <= MAX_STEPS) else {
            return at.value == &Value::Bool(false);
        };
        let mut closed = match path {
            [] => {
                let properties = schema.get("properties").and_then(Value::as_object);
                names.extend(
                    properties
                        .into_iter()
                        .flat_map(serde_json::Map::keys)
                        .map(String::as_str),
                );
                let no_patterns = schema.get("patternProperties").is_none();
                let shut = ["additionalProperties", "unevaluatedProperties"];
                no_patterns
                    && shut
                        .iter()
                        .any(|keyword| schema.get(*keyword) == Some(&Value::Bool(false)))
            }
            [first, rest @ ..] => match self.below(at, schema, first) {
                Some(below) => self.members(at.with(below), rest, names),
                None => false,
            },
        };
        let reference = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|text| self.documents.follow(at.document, text));
        let all = schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|below| at.with(below));
        for beside in reference.into_iter().chain(all) {
            closed |= self.members(beside, path, names);
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(branches) = schema
                .get(keyword)
                .and_then(Value::as_array)
                .filter(|branches| !branches.is_empty())
            {
                let mut each = true;
                for below in branches {
                    each &= self.members(at.with(below), path, names) || cannot_be_object(below);
                }
                closed |= each;
            }
        }
        closed
    }
}

fn cannot_be_object(schema: &Value) -> bool {
    schema
        .as_object()
        .is_some_and(|schema| own_types(schema).types & OBJECT == 0)
}

fn both(a: &Place, b: &Place) -> Place {
    let presence = match (a.presence, b.presence) {
        (Presence::Never, _) | (_, Presence::Never) => Presence::Never,
        (a, b) => a.max(b),
    };
    Place {
        types: a.types.intersection(&b.types),
        presence,
    }
}

/// What `type`, `enum` and `const` of one schema allow.
fn own_types(schema: &serde_json::Map<String, Value>) -> TypeSet {
    let mut set = match schema.get("type") {
        Some(Value::String(name)) => TypeSet::of_types(&[name]),
        Some(Value::Array(names)) => {
            TypeSet::of_types(&names.iter().filter_map(Value::as_str).collect::<Vec<_>>())
        }
        _ => TypeSet::any(),
    };
    if let Some(Value::Array(values)) = schema.get("enum") {
        set = set.intersection(&TypeSet::of_values(values.iter().cloned()));
    }
    if let Some(value) = schema.get("const") {
        set = set.intersection(&TypeSet::of_values([value.clone()]));
    }
    set
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::SchemaOptions;

    fn at(schema: &Value, path: &[&str]) -> Place {
        CompiledSchema::compile(schema, &SchemaOptions::new())
            .unwrap()
            .types_at(path)
    }

    fn stands(source: &Value, target: &Value) -> Relation {
        relation(&at(source, &[]).types, &at(target, &[]).types)
    }

    #[test]
    fn sources_and_targets_are_related_by_type_and_value() {
        use Relation::{Disjoint, Fits, Narrower, Unknown};
        for (source, target, expected) in [
            (json!({"type": "integer"}), json!({"type": "number"}), Fits),
            (
                json!({"type": "number"}),
                json!({"type": "integer"}),
                Narrower,
            ),
            (
                json!({"type": "string"}),
                json!({"type": "integer"}),
                Disjoint,
            ),
            (
                json!({"type": ["string", "null"]}),
                json!({"type": "string"}),
                Narrower,
            ),
            (json!({}), json!({"type": "string"}), Unknown),
            (json!({"type": "string"}), json!({}), Fits),
            (
                json!({"enum": ["a", "b"]}),
                json!({"enum": ["b", "c"]}),
                Narrower,
            ),
            (json!({"enum": ["a"]}), json!({"enum": ["a", "c"]}), Fits),
            (json!({"enum": ["a"]}), json!({"const": "x"}), Disjoint),
            (json!({"type": "string"}), json!({"const": "x"}), Narrower),
            (json!({"const": 1.0}), json!({"type": "integer"}), Fits),
            (
                json!({"type": "boolean"}),
                json!({"enum": [true, false]}),
                Fits,
            ),
            (
                json!({"anyOf": [{"type": "string"}, {"const": 5}]}),
                json!({"type": "integer"}),
                Narrower,
            ),
            (
                json!({"allOf": [{"type": ["string", "integer"]}, {"type": "string"}]}),
                json!({"type": "integer"}),
                Disjoint,
            ),
            (
                json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array"}}}),
                json!({"type": "object"}),
                Disjoint,
            ),
        ] {
            assert_eq!(stands(&source, &target), expected, "{source} {target}");
        }
    }

    #[test]
    fn places_are_found_through_references_and_combinations() {
        let schema = json!({
            "$ref": "#/$defs/base", "required": ["b"], "properties": {"b": {"type": "integer"}},
            "anyOf": [{"required": ["c"], "properties": {"c": {"type": "null"}}}, {"properties": {"c": {"type": "string"}}}],
            "$defs": {"base": {"required": ["a"], "properties": {"a": {"type": "object", "required": ["x"], "properties": {"x": {"enum": [1]}}, "additionalProperties": false},
                "list": {"type": "array", "prefixItems": [{"type": "boolean"}], "items": {"type": "string"}}}}},
        });
        for (path, names, presence) in [
            (&["a", "x"][..], &["integer"][..], Presence::Always),
            (&["a", "y"], &[], Presence::Never),
            (&["b"], &["integer"], Presence::Always),
            (&["c"], &["null", "string"], Presence::Maybe),
            (&["list", "0"], &["boolean"], Presence::Maybe),
            (&["list", "7"], &["string"], Presence::Maybe),
        ] {
            let place = at(&schema, path);
            assert_eq!(
                (place.types.names().as_slice(), place.presence),
                (names, presence),
                "{path:?}"
            );
        }
        assert!(at(&schema, &["nowhere", "deep"]).types.is_any());
    }

    #[test]
    fn names_are_known_where_an_object_is_closed() {
        let schema = json!({"properties": {"a": {"oneOf": [
            {"additionalProperties": false, "properties": {"x": true}},
            {"additionalProperties": false, "properties": {"y": true}},
            {"type": "null"},
        ]}, "b": {"properties": {"z": true}}}});
        let schema = CompiledSchema::compile(&schema, &SchemaOptions::new()).unwrap();
        assert_eq!(schema.members_at(&["a"]), Some(vec!["x", "y"]));
        assert_eq!(
            (schema.members_at(&["b"]), schema.members_at(&[])),
            (None, None)
        );
    }
}
