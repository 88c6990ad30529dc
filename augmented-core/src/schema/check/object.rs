//! Keywords of objects, and what a misspelt member was meant to be.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::scalar::limit;
use super::{Checker, Members, Mode, argue, argue_limit, type_names};
use crate::json::nearest::nearest;
use crate::json::pointer;
use crate::schema::dialect::Dialect;
use crate::schema::documents::At;
use crate::schema::message;
use crate::schema::policy::identity;
use crate::validate::PatchOp;

/// What an unknown member was probably meant to be.
#[derive(Clone, Copy)]
pub(super) struct Guess<'n> {
    pub(super) name: &'n str,
    /// Whether nothing else can have been meant, and nobody else was meant by it.
    pub(super) certain: bool,
}

/// More known names than this are not listed in a hint.
const LISTED_NAMES: usize = 24;

impl<'a> Checker<'a> {
    pub(super) fn object(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        members: &Map<String, Value>,
    ) -> bool {
        let unknown = self.closed_out(at, schema, members);
        let known: Vec<&'a str> = match schema.get("properties") {
            Some(Value::Object(properties)) => properties.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        if !unknown.is_empty() && self.mode == Mode::Test {
            return false;
        }
        let guesses = guess(&known, members, &unknown);
        let mut ok = self.required(at, schema, members, &guesses)
            & self.counted(schema, members)
            & self.dependent(at, schema, members);
        if !ok && self.mode == Mode::Test {
            return false;
        }
        ok &= self.members(at, schema, members, &unknown);
        for name in &unknown {
            ok = false;
            let target = guesses
                .get(name)
                .and_then(|guess| Some((*guess, schema.get("properties")?.get(guess.name)?)));
            self.unknown_member(
                schema,
                "additionalProperties",
                members,
                name,
                target.map(|(guess, below)| (guess, at.with(below))),
                &known,
            );
        }
        ok
    }

    /// The members a closed object does not know.
    fn closed_out<'v>(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        members: &'v Map<String, Value>,
    ) -> Vec<&'v str> {
        let strict =
            self.closed_root && self.depth == 1 && !schema.contains_key("unevaluatedProperties");
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => {}
            None if strict => {
                let known = self.known_names(at);
                return members
                    .keys()
                    .map(String::as_str)
                    .filter(|name| !known.contains(name))
                    .collect();
            }
            _ => return Vec::new(),
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        let names = members.keys().map(String::as_str);
        names
            .filter(|name| {
                !properties.is_some_and(|p| p.contains_key(*name))
                    && self.patterned(at, schema, name).is_empty()
            })
            .collect()
    }

    /// The schemas `patternProperties` has for a name.
    pub(super) fn patterned(&self, at: At<'a>, schema: Members<'a>, name: &str) -> Vec<&'a Value> {
        let Some(Value::Object(patterns)) = schema.get("patternProperties") else {
            return Vec::new();
        };
        let name = Value::from(name);
        let matching = patterns
            .iter()
            .filter(|(pattern, _)| self.leaf(at, "pattern", &Value::from(pattern.as_str()), &name));
        matching.map(|(_, below)| below).collect()
    }

    /// Judges the values of the members, unknown ones left out.
    fn members(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        members: &Map<String, Value>,
        unknown: &[&str],
    ) -> bool {
        let properties = schema.get("properties").and_then(Value::as_object);
        let additional = schema
            .get("additionalProperties")
            .filter(|additional| additional.is_object());
        let names = schema.get("propertyNames");
        let mut ok = true;
        for (name, value) in members {
            if let Some(rule) = names {
                ok &= self.member_name(at.with(rule), schema, name);
            }
            if unknown.contains(&name.as_str()) {
                continue;
            }
            let own = properties.and_then(|properties| properties.get(name));
            let patterned = self.patterned(at, schema, name);
            if let Some(below) = own {
                ok &= self.property(at.with(below), schema, name, value);
            }
            for below in &patterned {
                ok &= self.member(at.with(below), name, value);
            }
            if own.is_none()
                && patterned.is_empty()
                && let Some(below) = additional
            {
                ok &= self.member(at.with(below), name, value);
            }
            if !ok && self.mode == Mode::Test {
                return false;
            }
        }
        ok
    }

    /// Judges a named member; an explicit null of an optional one is better left out.
    fn property(&mut self, below: At<'a>, schema: Members<'a>, name: &str, value: &Value) -> bool {
        let optional_null =
            value.is_null() && self.mode == Mode::Collect && !requires(schema, name);
        if !optional_null || self.accepts_member(below, name, value) {
            return self.member(below, name, value);
        }
        let path = pointer::join(&self.path, name);
        let resolved = self.documents.through_references(below).object();
        let wanted = resolved
            .and_then(|schema| schema.get("type"))
            .map(type_names)
            .unwrap_or_default();
        let finding = self.report_at(path.clone(), below.object(), "type", |_| {
            format!(
                "`{}` is null, expected a value or no member",
                message::cut(name)
            )
        });
        if let Some(finding) = finding {
            finding.arguments.set("expected", wanted);
            finding.arguments.set("actual", "null");
            finding.hint = Some("leave an optional member out".to_owned());
            finding.fix = Some(vec![PatchOp::Remove { path }]);
        }
        false
    }

    fn accepts_member(&mut self, at: At<'a>, name: &str, value: &Value) -> bool {
        let mode = std::mem::replace(&mut self.mode, Mode::Test);
        let ok = self.member(at, name, value);
        self.mode = mode;
        ok
    }

    fn member_name(&mut self, rule: At<'a>, schema: Members<'a>, name: &str) -> bool {
        if self.accepts(rule, &Value::from(name)) {
            return true;
        }
        let reason = self.reason(rule, &Value::from(name));
        let at = pointer::join(&self.path, name);
        let finding = self.report_at(at, Some(schema), "propertyNames", |_| {
            format!(
                "the member name `{}` is not allowed: {reason}",
                message::cut(name)
            )
        });
        if let Some(finding) = finding {
            finding.arguments.set("member", message::cut(name));
        }
        false
    }

    /// The first thing a schema has against a value.
    fn reason(&mut self, at: At<'a>, value: &Value) -> String {
        if self.mode == Mode::Test {
            return String::new();
        }
        let findings = std::mem::take(&mut self.findings);
        let path = std::mem::replace(&mut self.path, "/name".to_owned());
        self.check(at, value);
        self.path = path;
        let found = std::mem::replace(&mut self.findings, findings);
        found
            .into_iter()
            .next()
            .map(|finding| finding.message)
            .unwrap_or_default()
    }

    fn required(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        members: &Map<String, Value>,
        guesses: &HashMap<&str, Guess<'_>>,
    ) -> bool {
        let Some(Value::Array(names)) = schema.get("required") else {
            return true;
        };
        let mut ok = true;
        for name in names
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| !members.contains_key(*name))
        {
            ok = false;
            // Whoever misspelt it did not forget it.
            if !guesses.values().any(|guess| guess.name == name) {
                self.missing(at, schema, name);
            }
            if self.mode == Mode::Test {
                return false;
            }
        }
        ok
    }

    pub(super) fn missing(&mut self, at: At<'a>, schema: Members<'a>, name: &str) {
        if self.mode == Mode::Test {
            return;
        }
        let property = schema
            .get("properties")
            .and_then(|properties| properties.get(name));
        let resolved = property.map(|below| self.documents.through_references(at.with(below)));
        let own = property.and_then(Value::as_object).filter(|own| {
            own.get("x-messages")
                .is_some_and(|m| m.get("required").is_some())
        });
        let pointer = pointer::join(&self.path, name);
        let finding = self.report_at(pointer, own.or(Some(schema)), "required", |_| {
            format!("`{}` is missing", message::cut(name))
        });
        let Some(finding) = finding else { return };
        finding.arguments.set("member", message::cut(name));
        if let Some(example) = resolved.and_then(|at| example(at.value)) {
            finding.hint = Some(format!("for example `{}: {example}`", Value::from(name)));
        }
    }

    fn counted(&mut self, schema: Members<'a>, members: &Map<String, Value>) -> bool {
        let count = members.len() as u64;
        let mut ok = true;
        if let Some(min) = limit(schema, "minProperties").filter(|min| count < *min) {
            ok = false;
            let finding = self.report(Some(schema), "minProperties", |this| {
                format!(
                    "{} has {}, expected at least {min}",
                    this.name(Some(schema)),
                    message::count(count, "member")
                )
            });
            argue_limit(finding, min, Some(count));
        }
        if let Some(max) = limit(schema, "maxProperties").filter(|max| count > *max) {
            ok = false;
            let finding = self.report(Some(schema), "maxProperties", |this| {
                format!(
                    "{} has {}, expected at most {max}",
                    this.name(Some(schema)),
                    message::count(count, "member")
                )
            });
            argue_limit(finding, max, Some(count));
        }
        ok
    }

    /// `dependentRequired`, `dependentSchemas` and the older `dependencies`.
    fn dependent(&mut self, at: At<'a>, schema: Members<'a>, members: &Map<String, Value>) -> bool {
        let old = schema
            .get("dependencies")
            .filter(|_| self.documents.dialect(at.document) == Dialect::Draft7);
        let rules = [schema.get("dependentRequired"), old]
            .into_iter()
            .flatten()
            .filter_map(Value::as_object);
        let mut ok = true;
        for (name, wanted) in rules
            .flatten()
            .filter(|(name, _)| members.contains_key(*name))
        {
            for other in wanted
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                if !members.contains_key(other) {
                    ok = false;
                    let at = pointer::join(&self.path, other);
                    let finding = self.report_at(at, Some(schema), "dependentRequired", |_| {
                        format!(
                            "`{}` is missing, and `{}` needs it",
                            message::cut(other),
                            message::cut(name)
                        )
                    });
                    if let Some(finding) = finding {
                        finding.arguments.set("member", message::cut(name));
                        finding.arguments.set("missing", message::cut(other));
                    }
                }
            }
        }
        ok
    }

    /// Reports a member that no schema knows, and judges its value as that of the member meant.
    pub(super) fn unknown_member(
        &mut self,
        schema: Members<'a>,
        code: &'static str,
        members: &Map<String, Value>,
        name: &str,
        meant: Option<(Guess<'_>, At<'a>)>,
        known: &[&str],
    ) {
        if self.mode == Mode::Test {
            return;
        }
        let path = pointer::join(&self.path, name);
        let target = meant.map(|(guess, _)| pointer::join(&self.path, guess.name));
        let value = members.get(name).unwrap_or(&Value::Null);
        if let Some((_, below)) = meant {
            // Under a wrong name it is as secret as under the right one.
            self.hide(below, value, &path);
        }
        let hidden = self.is_hidden_at(&path);
        let fits = meant.is_none_or(|(_, below)| self.accepts_member(below, name, value));
        let parent = self.name(None);
        let finding = self.report_at(path.clone(), Some(schema), code, |_| {
            let place = if parent == "the document" {
                "the document".to_owned()
            } else {
                format!("{parent} here")
            };
            format!(
                "`{}` is not a member {} may have",
                message::cut(name),
                place
            )
        });
        let Some(finding) = finding else {
            return;
        };
        finding.arguments.set("member", message::cut(name));
        argue(finding, "nearest", meant.map(|(guess, _)| guess.name));
        match (meant, target) {
            (Some((guess, below)), Some(target)) => {
                finding.hint = Some(format!("did you mean `{}`?", guess.name));
                if guess.certain && fits {
                    finding.fix = Some(vec![PatchOp::Move {
                        from: path,
                        path: target,
                    }]);
                } else if guess.certain && !hidden {
                    self.member(below, name, value);
                }
            }
            _ => finding.hint = names_hint(name, known, members),
        }
    }

    /// Every member name the schemas that judge this object name, whichever of them apply.
    pub(super) fn known_names(&self, at: At<'a>) -> Vec<&'a str> {
        let mut names = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            let Some(schema) = at.object().filter(|_| seen.insert(identity(at.value))) else {
                continue;
            };
            names.extend(
                schema
                    .get("properties")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flat_map(Map::keys)
                    .map(String::as_str),
            );
            open.extend(self.same_place(at, schema));
        }
        names
    }

    /// The schemas that judge the same value beside this one.
    pub(super) fn same_place(&self, at: At<'a>, schema: Members<'a>) -> Vec<At<'a>> {
        use crate::schema::dialect::{is_in_place, subschemas};
        let below = subschemas(schema)
            .into_iter()
            .filter(|below| is_in_place(below.keyword) && below.keyword != "not");
        let mut found: Vec<At<'a>> = below.map(|below| at.with(below.value)).collect();
        for keyword in ["$ref", "$dynamicRef"] {
            let target = schema
                .get(keyword)
                .and_then(Value::as_str)
                .and_then(|text| self.documents.follow(at.document, text));
            found.extend(target);
        }
        found
    }
}

/// What each unknown member was probably meant to be, among the names whose place is free.
pub(super) fn guess<'n, 'v>(
    known: &[&'n str],
    members: &Map<String, Value>,
    unknown: &[&'v str],
) -> HashMap<&'v str, Guess<'n>> {
    let free: Vec<&'n str> = known
        .iter()
        .copied()
        .filter(|name| !members.contains_key(*name))
        .collect();
    let mut guesses: HashMap<&'v str, Guess<'n>> = HashMap::new();
    for name in unknown {
        if let Some(found) = nearest(name, free.iter().copied()) {
            guesses.insert(
                *name,
                Guess {
                    name: found.name,
                    certain: found.unique,
                },
            );
        }
    }
    let targets: Vec<&str> = guesses.values().map(|guess| guess.name).collect();
    for guess in guesses.values_mut() {
        guess.certain &= targets
            .iter()
            .filter(|target| **target == guess.name)
            .count()
            == 1;
    }
    guesses
}

/// The hint for a member nobody can guess: a taken name, or the names there are.
fn names_hint(name: &str, known: &[&str], members: &Map<String, Value>) -> Option<String> {
    if let Some(found) = nearest(name, known.iter().copied()) {
        return Some(format!("`{}` is there already", found.name));
    }
    let free: Vec<&str> = known
        .iter()
        .copied()
        .filter(|name| !members.contains_key(*name))
        .collect();
    match free.len() {
        0 => None,
        1..=LISTED_NAMES => Some(format!("it may also have {}", message::names(free))),
        _ => None,
    }
}

fn requires(schema: Members<'_>, name: &str) -> bool {
    schema
        .get("required")
        .and_then(Value::as_array)
        .is_some_and(|names| names.iter().any(|one| one == name))
}

/// A value the schema itself shows: its constant, first example, default or first listed value.
fn example(schema: &Value) -> Option<String> {
    if schema
        .get("writeOnly")
        .or_else(|| schema.get("x-sensitive"))
        == Some(&Value::Bool(true))
    {
        return None;
    }
    let shown = schema
        .get("const")
        .or_else(|| schema.get("examples")?.get(0))
        .or_else(|| schema.get("default"))
        .or_else(|| schema.get("enum")?.get(0))?;
    let text = shown.to_string();
    (text.chars().count() <= 80).then_some(text)
}
