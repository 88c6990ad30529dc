//! Whether what a mapping gives can be what a schema takes.

use serde_json::{Map, Value};

use super::place::Place;
use super::wording;
use super::{Finding, Severity};
use crate::schema::{Relation, TypeSet, relation};

/// Schemas are followed this deep, which also ends recursion.
const MAX_DEPTH: usize = 16;

/// What a schema inside the document `root` admits, read without compiling it: an upper bound.
pub(super) fn types_of(schema: &Value, root: &Value) -> TypeSet {
    read_types(schema, root, 0)
}

fn read_types(schema: &Value, root: &Value, depth: usize) -> TypeSet {
    let Some(members) = schema.as_object() else {
        return if schema == &Value::Bool(false) {
            TypeSet::none()
        } else {
            TypeSet::any()
        };
    };
    if depth > MAX_DEPTH {
        return TypeSet::any();
    }
    let mut types = match members.get("type") {
        Some(Value::String(name)) => TypeSet::of_types(&[name]),
        Some(Value::Array(names)) => {
            TypeSet::of_types(&names.iter().filter_map(Value::as_str).collect::<Vec<_>>())
        }
        _ => TypeSet::any(),
    };
    if let Some(values) = members.get("enum").and_then(Value::as_array) {
        types = types.intersection(&TypeSet::of_values(values.iter().cloned()));
    }
    if let Some(value) = members.get("const") {
        types = types.intersection(&TypeSet::of_values([value.clone()]));
    }
    if let Some(target) = members.get("$ref").and_then(Value::as_str) {
        match target
            .strip_prefix('#')
            .and_then(|pointer| crate::json::pointer::resolve(root, pointer))
        {
            Some(target) => types = types.intersection(&read_types(target, root, depth + 1)),
            None => return types,
        }
    }
    for part in members
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        types = types.intersection(&read_types(part, root, depth + 1));
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(parts) = members.get(keyword).and_then(Value::as_array) {
            let all = parts.iter().map(|part| read_types(part, root, depth + 1));
            types =
                types.intersection(&all.reduce(|a, b| a.union(&b)).unwrap_or_else(TypeSet::any));
        }
    }
    types
}

/// The types in words.
fn words(types: &TypeSet) -> String {
    if let Some(values) = types.values() {
        let shown: Vec<String> = values
            .iter()
            .take(6)
            .map(|v| wording::cut(&v.to_string()))
            .collect();
        return format!(
            "{}{}",
            shown.join(", "),
            if values.len() > 6 { ", …" } else { "" }
        );
    }
    types.names().join(" or ")
}

/// What is known of a value before anything runs.
pub(super) enum Source<'s> {
    Unknown,
    Types(TypeSet),
    /// A value described by a schema inside a document.
    Schema(&'s Value, &'s Value),
}

/// A schema that values are mapped to.
#[derive(Clone, Copy)]
pub(super) struct TargetSchema<'s> {
    pub(super) schema: &'s Value,
    /// The document its local references lead through.
    pub(super) root: &'s Value,
}

impl<'s> TargetSchema<'s> {
    pub(super) fn new(schema: &'s Value) -> Self {
        Self {
            schema,
            root: schema,
        }
    }

    pub(super) fn at(self, schema: &'s Value) -> Self {
        Self {
            schema,
            root: self.root,
        }
    }

    /// The schema itself or what it refers to, if it is an object.
    pub(super) fn members(self) -> Option<&'s Map<String, Value>> {
        let mut schema = self.schema;
        for _ in 0..MAX_DEPTH {
            match schema
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|t| t.strip_prefix('#'))
            {
                Some(pointer) => schema = crate::json::pointer::resolve(self.root, pointer)?,
                None => return schema.as_object(),
            }
        }
        None
    }

    pub(super) fn property(self, name: &str) -> Option<Self> {
        self.members()?
            .get("properties")?
            .get(name)
            .map(|schema| self.at(schema))
    }

    pub(super) fn properties(self) -> impl Iterator<Item = &'s str> {
        let properties = self
            .members()
            .and_then(|m| m.get("properties"))
            .and_then(Value::as_object);
        properties
            .into_iter()
            .flat_map(Map::keys)
            .map(String::as_str)
    }

    pub(super) fn required(self) -> impl Iterator<Item = &'s str> {
        let required = self
            .members()
            .and_then(|m| m.get("required"))
            .and_then(Value::as_array);
        required.into_iter().flatten().filter_map(Value::as_str)
    }

    pub(super) fn is_closed(self) -> bool {
        let Some(members) = self.members() else {
            return false;
        };
        members.get("additionalProperties") == Some(&Value::Bool(false))
            && ![
                "patternProperties",
                "allOf",
                "anyOf",
                "oneOf",
                "if",
                "unevaluatedProperties",
            ]
            .iter()
            .any(|k| members.contains_key(*k))
    }
}

/// The codes a flow is reported with.
#[derive(Clone, Copy)]
pub(super) struct FlowCodes {
    pub(super) unmapped: &'static str,
    pub(super) mismatch: &'static str,
    /// The path that a source for a missing member would begin with at that place; empty where none is likely.
    pub(super) sample: &'static str,
}

/// Checks a mapping against the schema of what it builds; `source` tells what a path gives.
pub(super) fn check_mapping<'s>(
    mapping: &Value,
    place: &Place<'_>,
    target: TargetSchema<'_>,
    codes: FlowCodes,
    source: &dyn Fn(&[Segment<'_>]) -> Source<'s>,
    findings: &mut Vec<Finding>,
) {
    match mapping {
        Value::Object(members) if is_plain(members) => {
            let types = types_of(target.schema, target.root);
            if compare(
                &TypeSet::of_types(&["object"]),
                &types,
                place,
                codes,
                findings,
            ) {
                check_members(members, place, target, codes, source, findings);
            }
        }
        // Whoever mixes a long form with other members is told so by the expressions.
        Value::Object(members) if members.len() > 1 => {}
        Value::Object(members) => match (
            members.get("$literal"),
            members.get("$expr").and_then(Value::as_str),
        ) {
            (Some(literal), _) => {
                compare(
                    &TypeSet::of_values([literal.clone()]),
                    &types_of(target.schema, target.root),
                    place,
                    codes,
                    findings,
                );
            }
            (None, Some(expression)) => {
                from_path(expression, place, target, codes, source, findings)
            }
            (None, None) => {}
        },
        Value::String(text) => match single_expression(text) {
            Some(expression) => from_path(expression, place, target, codes, source, findings),
            None if text.contains("${") => {
                compare(
                    &TypeSet::of_types(&["string"]),
                    &types_of(target.schema, target.root),
                    place,
                    codes,
                    findings,
                );
            }
            None => {
                compare(
                    &TypeSet::of_values([mapping.clone()]),
                    &types_of(target.schema, target.root),
                    place,
                    codes,
                    findings,
                );
            }
        },
        Value::Array(elements) => {
            let types = types_of(target.schema, target.root);
            let fits = compare(
                &TypeSet::of_types(&["array"]),
                &types,
                place,
                codes,
                findings,
            );
            if let Some(items) = target
                .members()
                .and_then(|m| m.get("items"))
                .filter(|_| fits)
            {
                for (i, element) in elements.iter().enumerate() {
                    check_mapping(
                        element,
                        &place.index(i),
                        target.at(items),
                        codes,
                        source,
                        findings,
                    );
                }
            }
        }
        scalar => {
            compare(
                &TypeSet::of_values([scalar.clone()]),
                &types_of(target.schema, target.root),
                place,
                codes,
                findings,
            );
        }
    }
}

fn is_plain(members: &Map<String, Value>) -> bool {
    !members.contains_key("$literal") && !members.contains_key("$expr")
}

fn check_members<'s>(
    members: &Map<String, Value>,
    place: &Place<'_>,
    target: TargetSchema<'_>,
    codes: FlowCodes,
    source: &dyn Fn(&[Segment<'_>]) -> Source<'s>,
    findings: &mut Vec<Finding>,
) {
    let closed = target.is_closed();
    let mut taken: Vec<&str> = Vec::new();
    for (key, value) in members {
        let name = key.strip_suffix('?').unwrap_or(key);
        match target.property(name) {
            Some(property) => {
                check_mapping(value, &place.key(key), property, codes, source, findings)
            }
            None if closed => {
                let near = crate::json::nearest::nearest(name, target.properties());
                if let Some(near) = near.filter(|n| !members.contains_key(n.name)) {
                    taken.push(near.name);
                }
                let names: Vec<&str> = target.properties().collect();
                let hint = wording::suggest(name, names.iter().copied(), "its members");
                findings.push(
                    Finding::error(
                        codes.mismatch,
                        place.key(key),
                        format!("the input has no member `{}`", wording::cut(name)),
                    )
                    .with_argument("member", wording::cut(name))
                    .with_optional_argument("nearest", near.map(|near| near.name))
                    .with_hint(hint.unwrap_or_else(|| "remove it".into())),
                );
            }
            None => {
                // An open schema takes any member; one that is nearly a missing required one is meant for it.
                let missing = target.required().filter(|r| !members.contains_key(*r));
                if let Some(near) = crate::json::nearest::nearest(name, missing) {
                    taken.push(near.name);
                    findings.push(
                        Finding::error(
                            codes.unmapped,
                            place.key(key),
                            format!("the required member `{}` has no source", near.name),
                        )
                        .with_argument("member", near.name)
                        .with_hint(format!("did you mean `{}`?", near.name)),
                    );
                }
            }
        }
    }
    for name in target.required() {
        let given = members
            .keys()
            .any(|key| key.strip_suffix('?').unwrap_or(key) == name);
        if !given && !taken.contains(&name) {
            findings.push(unmapped(name, place, codes));
        }
    }
}

/// A required member that nothing gives.
pub(super) fn unmapped(name: &str, place: &Place<'_>, codes: FlowCodes) -> Finding {
    Finding::error(
        codes.unmapped,
        place.key(name),
        format!("the required member `{}` has no source", wording::cut(name)),
    )
    .with_argument("member", wording::cut(name))
    .with_hint(match codes.sample {
        "" => format!("add `\"{}\"` with a value of its own", wording::cut(name)),
        sample => format!(
            "add `\"{}\": \"${{{sample}{}}}\"`, or whatever gives it",
            wording::cut(name),
            wording::cut(name)
        ),
    })
}

fn from_path<'s>(
    expression: &str,
    place: &Place<'_>,
    target: TargetSchema<'_>,
    codes: FlowCodes,
    source: &dyn Fn(&[Segment<'_>]) -> Source<'s>,
    findings: &mut Vec<Finding>,
) {
    let Some(path) = plain_path(expression) else {
        return;
    };
    match source(&path) {
        Source::Unknown => {}
        Source::Types(types) => {
            compare(
                &types,
                &types_of(target.schema, target.root),
                place,
                codes,
                findings,
            );
        }
        Source::Schema(schema, root) => {
            check_schema(
                TargetSchema { schema, root },
                target,
                place,
                codes,
                findings,
                0,
            );
        }
    }
}

/// Checks values of one schema against another: types, and members of objects that both describe.
pub(super) fn check_schema(
    source: TargetSchema<'_>,
    target: TargetSchema<'_>,
    place: &Place<'_>,
    codes: FlowCodes,
    findings: &mut Vec<Finding>,
    depth: usize,
) {
    let (given, wanted) = (
        types_of(source.schema, source.root),
        types_of(target.schema, target.root),
    );
    if !compare(&given, &wanted, place, codes, findings)
        || depth >= MAX_DEPTH
        || given != TypeSet::of_types(&["object"])
    {
        return;
    }
    let before = findings.len();
    for name in target.properties() {
        if let (Some(from), Some(to)) = (source.property(name), target.property(name)) {
            check_schema(from, to, place, codes, findings, depth + 1);
        }
    }
    for name in target.required() {
        if source.property(name).is_none() && source.is_closed() {
            findings.push(
                Finding::error(
                    codes.unmapped,
                    place,
                    format!("the required member `{}` has no source", wording::cut(name)),
                )
                .with_argument("member", wording::cut(name))
                .with_hint(format!(
                    "build the object member by member and add `{}`",
                    wording::cut(name)
                )),
            );
        }
    }
    // All of them stand at one place: the first names the cause.
    findings.truncate(findings.len().min(before + 1));
}

/// Reports types that cannot or may not fit; true if the details below are worth a look.
fn compare(
    given: &TypeSet,
    wanted: &TypeSet,
    place: &Place<'_>,
    codes: FlowCodes,
    findings: &mut Vec<Finding>,
) -> bool {
    match relation(given, wanted) {
        Relation::Fits | Relation::Unknown => true,
        Relation::Disjoint => {
            findings.push(mismatch(Severity::Error, given, wanted, place, codes));
            false
        }
        Relation::Narrower => {
            findings.push(mismatch(Severity::Warning, given, wanted, place, codes));
            true
        }
    }
}

fn mismatch(
    severity: Severity,
    given: &TypeSet,
    wanted: &TypeSet,
    place: &Place<'_>,
    codes: FlowCodes,
) -> Finding {
    let (given_words, wanted_words) = (words(given), words(wanted));
    let text = match severity {
        Severity::Error => format!("{given_words} is given where {wanted_words} is expected"),
        Severity::Warning => format!(
            "{given_words} is given where only {wanted_words} is expected; not every value fits"
        ),
    };
    let hint =
        conversion(given, wanted).unwrap_or_else(|| format!("map a value that is {wanted_words}"));
    Finding::new(severity, codes.mismatch, place, text)
        .with_argument("expected", wanted_words)
        .with_argument("actual", given_words)
        .with_hint(hint)
}

/// The function that makes one of the other.
fn conversion(given: &TypeSet, wanted: &TypeSet) -> Option<String> {
    if wanted.values().is_some() {
        return None;
    }
    let has = |name: &str| given.names().contains(&name);
    let function = match wanted.names().as_slice() {
        ["string"] if has("integer") || has("number") || has("boolean") => "string(…)",
        ["integer"] if has("string") || has("number") => "int(…)",
        ["number"] if has("string") => "double(…)",
        _ => return None,
    };
    Some(format!("convert it: `${{{function}}}`"))
}

/// One step of a plain path.
pub(super) type Segment<'p> = &'p str;

/// The expression of a string that is exactly one `${…}`.
fn single_expression(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    (!inner.contains("${") && !inner.contains('}')).then_some(inner)
}

/// `a.b["c"].d` as its names; `None` for anything that is more than a path.
pub(super) fn plain_path(expression: &str) -> Option<Vec<Segment<'_>>> {
    let mut rest = expression.trim();
    let mut path = Vec::new();
    let name_end = |text: &str| {
        text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(text.len())
    };
    let (root, after) = rest.split_at(name_end(rest));
    if root.is_empty() || root.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    path.push(root);
    rest = after;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[\"") {
            let (name, after) = after.split_once("\"]")?;
            path.push(name);
            rest = after;
        } else {
            let after = rest.strip_prefix('.')?;
            let (name, after) = after.split_at(name_end(after));
            if name.is_empty() {
                return None;
            }
            path.push(name);
            rest = after;
        }
    }
    Some(path)
}

/// What a path of members leads to inside a schema.
pub(super) fn follow<'s>(schema: &'s Value, path: &[Segment<'_>]) -> Source<'s> {
    let mut at = TargetSchema::new(schema);
    for name in path {
        match at.property(name) {
            Some(next) => at = next,
            None => return Source::Unknown,
        }
    }
    Source::Schema(at.schema, at.root)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CODES: FlowCodes = FlowCodes {
        unmapped: "REQUIRED_INPUT_UNMAPPED",
        mismatch: "MAPPING_TYPE",
        sample: "input.",
    };

    fn check(mapping: Value, target: Value, expected: &[(&str, &str, Severity)]) {
        let input = json!({"properties": {
            "text": {"type": "string"}, "count": {"type": "integer"}, "price": {"type": "number"},
            "maybe": {"type": ["string", "null"]}, "status": {"enum": ["A", "B"]},
            "customer": {"type": "object", "properties": {"age": {"type": "string"}}}
        }});
        let source = |path: &[&str]| match path {
            ["input", rest @ ..] => follow(&input, rest),
            _ => Source::Unknown,
        };
        let mut findings = Vec::new();
        check_mapping(
            &mapping,
            &Place::ROOT,
            TargetSchema::new(&target),
            CODES,
            &source,
            &mut findings,
        );
        crate::codes::assert_arguments(&findings);
        let found: Vec<_> = findings
            .iter()
            .map(|f| (f.code.as_ref(), f.pointer.as_str(), f.severity))
            .collect();
        assert_eq!(found, expected, "{mapping} into {target}");
    }

    #[test]
    fn disjoint_types_are_errors_and_narrower_ones_warnings() {
        let target = |kind: &str| json!({"type": "object", "properties": {"x": {"type": kind}}});
        check(
            json!({"x": "${input.text}"}),
            target("integer"),
            &[("MAPPING_TYPE", "/x", Severity::Error)],
        );
        check(
            json!({"x": "${input.price}"}),
            target("integer"),
            &[("MAPPING_TYPE", "/x", Severity::Warning)],
        );
        check(json!({"x": "${input.count}"}), target("number"), &[]);
        check(
            json!({"x": "${input.maybe}"}),
            target("string"),
            &[("MAPPING_TYPE", "/x", Severity::Warning)],
        );
        check(
            json!({"x": "No ${input.count}"}),
            target("integer"),
            &[("MAPPING_TYPE", "/x", Severity::Error)],
        );
        check(
            json!({"x": 3}),
            target("string"),
            &[("MAPPING_TYPE", "/x", Severity::Error)],
        );
        check(json!({"x": "${input.count + 1}"}), target("string"), &[]);
        check(json!({"x": "${vars.y}"}), target("string"), &[]);
    }

    #[test]
    fn listed_values_are_compared() {
        let target = json!({"properties": {"x": {"enum": ["B", "C"]}}});
        check(
            json!({"x": "${input.status}"}),
            target.clone(),
            &[("MAPPING_TYPE", "/x", Severity::Warning)],
        );
        check(
            json!({"x": "D"}),
            target.clone(),
            &[("MAPPING_TYPE", "/x", Severity::Error)],
        );
        check(json!({"x": "B"}), target, &[]);
    }

    #[test]
    fn required_members_need_a_source() {
        let target = json!({"type": "object", "required": ["orderId", "total"], "properties": {"orderId": {}, "total": {}}});
        check(
            json!({"orderId": "${input.text}"}),
            target.clone(),
            &[("REQUIRED_INPUT_UNMAPPED", "/total", Severity::Error)],
        );
        check(
            json!({"orderId?": "${input.text}", "total": 1}),
            target.clone(),
            &[],
        );
        check(
            json!({"ordreId": "${input.text}", "total": 1}),
            target,
            &[("REQUIRED_INPUT_UNMAPPED", "/ordreId", Severity::Error)],
        );
    }

    #[test]
    fn closed_objects_take_no_other_members() {
        let target = json!({"type": "object", "additionalProperties": false, "required": ["total"], "properties": {"total": {}}});
        check(
            json!({"totl": 1}),
            target.clone(),
            &[("MAPPING_TYPE", "/totl", Severity::Error)],
        );
        check(
            json!({"total": 1, "more": 1}),
            target,
            &[("MAPPING_TYPE", "/more", Severity::Error)],
        );
    }

    #[test]
    fn references_and_nested_objects_are_followed() {
        let target = json!({"properties": {"c": {"$ref": "#/$defs/c"}}, "$defs": {"c": {"type": "object", "properties": {"age": {"type": "integer"}}}}});
        check(
            json!({"c": "${input.customer}"}),
            target.clone(),
            &[("MAPPING_TYPE", "/c", Severity::Error)],
        );
        check(
            json!({"c": {"age": "${input.text}"}}),
            target,
            &[("MAPPING_TYPE", "/c/age", Severity::Error)],
        );
    }

    #[test]
    fn paths_are_told_from_other_expressions() {
        assert_eq!(
            plain_path(" steps[\"a-b\"].output.x "),
            Some(vec!["steps", "a-b", "output", "x"])
        );
        assert_eq!(plain_path("a + b"), None);
        assert_eq!(plain_path("a.b()"), None);
        assert_eq!(plain_path("1"), None);
    }
}
