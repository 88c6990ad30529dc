//! Combinations of schemas, and which branch a finding speaks of.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use super::{Checker, Members, Mode, argue, type_names};
use crate::json::nearest::nearest;
use crate::json::pointer;
use crate::schema::documents::At;
use crate::schema::policy::identity;
use crate::schema::{message, types};
use crate::validate::{Finding, PatchOp};

/// The member that tells the branches of a choice apart.
pub(super) struct Tag<'a> {
    key: String,
    /// For each branch the values of the member it takes.
    values: Vec<Vec<&'a Value>>,
    /// Whether every branch demands the member.
    required: bool,
}

impl<'a> Checker<'a> {
    /// `allOf`, `anyOf` and `oneOf`.
    pub(super) fn combined(&mut self, at: At<'a>, schema: Members<'a>, value: &Value) -> bool {
        let mut ok = true;
        for below in schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            ok &= self.check(at.with(below), value);
            if !ok && self.mode == Mode::Test {
                return false;
            }
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(Value::Array(branches)) = schema.get(keyword) {
                ok &= self.choice(at, schema, keyword, branches, value);
            }
        }
        ok
    }

    /// `if`, `then`, `else` and `dependentSchemas`.
    pub(super) fn conditional(&mut self, at: At<'a>, schema: Members<'a>, value: &Value) -> bool {
        let mut ok = true;
        if let Some(condition) = schema.get("if") {
            let holds = self.accepts(at.with(condition), value);
            if let Some(below) = schema.get(if holds { "then" } else { "else" }) {
                ok &= self.check(at.with(below), value);
            }
        }
        let Some(members) = value.as_object() else {
            return ok;
        };
        let old = schema
            .get("dependencies")
            .filter(|_| self.documents.dialect(at.document) == crate::schema::Dialect::Draft7);
        let rules = [schema.get("dependentSchemas"), old]
            .into_iter()
            .flatten()
            .filter_map(Value::as_object);
        for (name, below) in rules.flatten().filter(|(_, below)| !below.is_array()) {
            if members.contains_key(name) {
                ok &= self.check(at.with(below), value);
            }
        }
        ok
    }

    pub(super) fn negated(&mut self, at: At<'a>, schema: Members<'a>, value: &Value) -> bool {
        let Some(below) = schema.get("not") else {
            return true;
        };
        if !self.accepts(at.with(below), value) {
            return true;
        }
        let actual = self.actual(value);
        let finding = self.report(Some(schema), "not", |this| {
            let title = below
                .get("title")
                .or_else(|| below.get("description"))
                .and_then(Value::as_str);
            let what = title.map_or_else(|| "what it must not be".to_owned(), message::cut);
            format!("{} is {what}", this.name(Some(schema)))
        });
        if let Some(finding) = finding {
            argue(finding, "actual", actual);
        }
        false
    }

    fn choice(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        keyword: &'static str,
        branches: &'a [Value],
        value: &Value,
    ) -> bool {
        if let Some(ok) = self.tagged(at, schema, branches, value) {
            return ok;
        }
        let mut fitting = Vec::new();
        for (index, below) in branches.iter().enumerate() {
            if self.accepts(at.with(below), value) {
                fitting.push(index);
                if keyword == "anyOf" {
                    break;
                }
            }
        }
        match fitting.len() {
            1 => {
                // A deferred check or a warning of the branch is collected only now.
                let chosen = fitting.first().and_then(|index| branches.get(*index));
                if self.mode == Mode::Collect && self.schema.calls_host() {
                    return chosen.is_none_or(|below| self.check(at.with(below), value));
                }
                true
            }
            0 => {
                if self.mode == Mode::Collect {
                    self.explain(at, schema, keyword, branches, value);
                }
                false
            }
            several => {
                let finding = self.report(Some(schema), "oneOf", |this| {
                    let which: Vec<String> = fitting
                        .iter()
                        .filter_map(|index| Some(branch_name(branches.get(*index)?, *index)))
                        .collect();
                    format!(
                        "{} fits {several} alternatives ({}), expected exactly one",
                        this.name(Some(schema)),
                        which.join(", ")
                    )
                });
                if let Some(finding) = finding {
                    finding.arguments.set("branches", branches.len());
                }
                false
            }
        }
    }

    /// Decides by the member that tells the branches apart; `None` where there is none.
    fn tagged(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        branches: &'a [Value],
        value: &Value,
    ) -> Option<bool> {
        let tag = self.tag(at, schema, branches)?;
        let members = value.as_object()?;
        let path = pointer::join(&self.path, &tag.key);
        let found = self
            .repaired
            .get(&path)
            .cloned()
            .or_else(|| members.get(&tag.key).cloned());
        if let Some(found) = found {
            return Some(self.by_tag(at, &tag, branches, value, &found));
        }
        if !tag.required {
            return None;
        }
        if self.mode == Mode::Test {
            return Some(false);
        }
        // A misspelt tag still picks its branch, where the misspelling is reported.
        let known = self.known_names(at);
        let unknown = members
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()));
        let candidates: Vec<(&str, &Value)> = unknown
            .map(|(name, value)| (name.as_str(), value))
            .collect();
        let meant = nearest(&tag.key, candidates.iter().map(|(name, _)| *name))
            .filter(|meant| meant.unique);
        let meant = meant.and_then(|meant| candidates.iter().find(|(name, _)| *name == meant.name));
        if let Some((_, found)) = meant
            && let Some(below) = tag.branch(branches, found)
        {
            self.check(at.with(below), value);
            return Some(false);
        }
        let all: Vec<&Value> = tag.values.iter().flatten().copied().collect();
        let key = message::cut(&tag.key);
        let finding = self.report_at(path, Some(schema), "required", |_| {
            format!("`{key}` is missing, expected one of {}", message::list(all))
        });
        if let Some(finding) = finding {
            finding.arguments.set("member", key);
        }
        Some(false)
    }

    fn by_tag(
        &mut self,
        at: At<'a>,
        tag: &Tag<'a>,
        branches: &'a [Value],
        value: &Value,
        found: &Value,
    ) -> bool {
        if let Some(below) = tag.branch(branches, found) {
            return self.check(at.with(below), value);
        }
        if self.mode == Mode::Test {
            return false;
        }
        let all: Vec<&Value> = tag.values.iter().flatten().copied().collect();
        let length = self.path.len();
        pointer::push(&mut self.path, &tag.key);
        let meant = self.not_listed(None, "enum", all, found);
        let path = self.path.clone();
        self.path.truncate(length);
        // What the repair would put there picks the branch.
        if let Some(meant) = meant
            && let Some(below) = tag.branch(branches, &meant)
        {
            let fixed = self.with_repair(path.clone(), meant, |this| {
                this.findings_of(at.with(below), value)
            });
            self.findings.extend(fixed);
        }
        false
    }

    /// Runs with a value that a certain repair would put in place.
    fn with_repair<T>(
        &mut self,
        path: String,
        value: Value,
        run: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.repaired.insert(path.clone(), value);
        let result = run(self);
        self.repaired.remove(&path);
        result
    }

    /// What a schema has against the value at the current path, not added to the findings.
    fn findings_of(&mut self, at: At<'a>, value: &Value) -> Vec<Finding> {
        let before = std::mem::take(&mut self.findings);
        self.check(at, value);
        std::mem::replace(&mut self.findings, before)
    }

    /// Reports why no branch fits.
    fn explain(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        keyword: &'static str,
        branches: &'a [Value],
        value: &Value,
    ) {
        let finite: Option<Vec<Vec<&'a Value>>> = branches
            .iter()
            .map(|below| self.finite(at.with(below)))
            .collect();
        if let Some(values) = finite {
            self.not_listed(
                Some(schema),
                "enum",
                values.into_iter().flatten().collect(),
                value,
            );
            return;
        }
        let named: Vec<Option<Vec<&'a str>>> = branches
            .iter()
            .map(|below| self.types_of(at.with(below)))
            .collect();
        let fits = |names: &Option<Vec<&str>>| {
            names
                .as_ref()
                .is_none_or(|names| names.iter().any(|name| types::has_type(value, name)))
        };
        let fitting: Vec<&'a Value> = branches
            .iter()
            .zip(&named)
            .filter(|(_, names)| fits(names))
            .map(|(below, _)| below)
            .collect();
        if fitting.is_empty() {
            let mut names: Vec<&str> = named.into_iter().flatten().flatten().collect();
            names.sort_unstable();
            names.dedup();
            self.wrong_type(Some(schema), &names, value);
            return;
        }
        let alternatives = fitting.len();
        let mut best: Option<(usize, Vec<Finding>)> = None;
        for below in fitting {
            let found = self.findings_of(at.with(below), value);
            let depth = found
                .iter()
                .map(|finding| finding.pointer.matches('/').count())
                .max()
                .unwrap_or(0);
            let better = best.as_ref().is_none_or(|(deepest, least)| {
                depth > *deepest || (depth == *deepest && found.len() < least.len())
            });
            if better && !found.is_empty() {
                best = Some((depth, found));
            }
        }
        let Some((_, mut found)) = best else {
            let finding = self.report(Some(schema), keyword, |this| {
                format!(
                    "{} fits none of {} alternatives",
                    this.name(Some(schema)),
                    branches.len()
                )
            });
            if let Some(finding) = finding {
                finding.arguments.set("branches", branches.len());
            }
            return;
        };
        if alternatives > 1
            && let Some(first) = found.first_mut()
        {
            first
                .message
                .push_str(&format!(" (closest of {alternatives} alternatives)"));
            // Another alternative may have been meant, so no repair is certain.
            found.iter_mut().for_each(|finding| {
                finding.fix = finding.fix.take().filter(|fix| only_removes_null(fix))
            });
        }
        self.findings.extend(found);
    }

    /// The values a schema lists, if it only lists values.
    fn finite(&self, at: At<'a>) -> Option<Vec<&'a Value>> {
        let schema = self.documents.through_references(at).object()?;
        match (schema.get("const"), schema.get("enum")) {
            (Some(only), _) => Some(vec![only]),
            (None, Some(Value::Array(values))) => Some(values.iter().collect()),
            _ if schema.get("type") == Some(&Value::from("null")) => Some(vec![&Value::Null]),
            _ => None,
        }
    }

    /// The types a schema names.
    fn types_of(&self, at: At<'a>) -> Option<Vec<&'a str>> {
        let schema = self.documents.through_references(at).object()?;
        match (schema.get("type"), schema.get("const")) {
            (Some(wanted), _) => Some(type_names(wanted)),
            (None, Some(only)) => Some(vec![types::type_name(only)]),
            _ => None,
        }
    }

    /// The member that tells the branches of a choice apart, worked out once.
    fn tag(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        branches: &'a [Value],
    ) -> Option<Rc<Tag<'a>>> {
        let key = branches.first().map(identity)?;
        if let Some(known) = self.tags.get(&key) {
            return known.clone();
        }
        let tag = self.find_tag(at, schema, branches).map(Rc::new);
        self.tags.insert(key, tag.clone());
        tag
    }

    fn find_tag(&self, at: At<'a>, schema: Members<'a>, branches: &'a [Value]) -> Option<Tag<'a>> {
        if branches.len() < 2 {
            return None;
        }
        let pins: Vec<Pins<'a>> = branches
            .iter()
            .map(|below| self.pins(at.with(below)))
            .collect();
        let wanted = schema.get("x-discriminator").and_then(Value::as_str);
        let candidates = pins
            .first()?
            .values
            .keys()
            .copied()
            .filter(|key| wanted.is_none_or(|wanted| wanted == *key));
        let mut tags: Vec<Tag<'a>> = candidates.filter_map(|key| tag_of(key, &pins)).collect();
        tags.sort_by_key(|tag| !tag.required);
        tags.into_iter().next()
    }

    /// The members a branch fixes to listed strings.
    fn pins(&self, at: At<'a>) -> Pins<'a> {
        let mut pins = Pins::default();
        let mut open = vec![at];
        let mut steps = 0;
        while let Some(at) = open.pop() {
            steps += 1;
            let Some(schema) = at.object().filter(|_| steps <= 64) else {
                continue;
            };
            for (name, below) in schema
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                if let Some(values) = self
                    .finite(at.with(below))
                    .filter(|values| values.iter().all(|value| value.is_string()))
                {
                    pins.values.entry(name).or_insert(values);
                }
            }
            pins.required.extend(
                schema
                    .get("required")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str),
            );
            open.extend(
                schema
                    .get("$ref")
                    .and_then(Value::as_str)
                    .and_then(|text| self.documents.follow(at.document, text)),
            );
            open.extend(
                schema
                    .get("allOf")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .map(|below| at.with(below)),
            );
        }
        pins
    }
}

#[derive(Default)]
struct Pins<'a> {
    values: BTreeMap<&'a str, Vec<&'a Value>>,
    required: Vec<&'a str>,
}

impl<'a> Tag<'a> {
    /// The branch that takes a value of the member.
    fn branch(&self, branches: &'a [Value], value: &Value) -> Option<&'a Value> {
        let index = self
            .values
            .iter()
            .position(|values| values.contains(&value))?;
        branches.get(index)
    }
}

/// The member as a tag, if every branch fixes it and no two to the same value.
fn tag_of<'a>(key: &'a str, pins: &[Pins<'a>]) -> Option<Tag<'a>> {
    let values: Vec<Vec<&'a Value>> = pins
        .iter()
        .map(|pins| pins.values.get(key).cloned())
        .collect::<Option<_>>()?;
    let mut all: Vec<&str> = values
        .iter()
        .flatten()
        .filter_map(|value| value.as_str())
        .collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    let required = pins.iter().all(|pins| pins.required.contains(&key));
    (all.len() == count).then(|| Tag {
        key: key.to_owned(),
        values,
        required,
    })
}

fn branch_name(branch: &Value, index: usize) -> String {
    branch.get("title").and_then(Value::as_str).map_or_else(
        || format!("number {}", index + 1),
        |title| format!("`{}`", message::cut(title)),
    )
}

fn only_removes_null(fix: &[PatchOp]) -> bool {
    fix.iter().all(|op| matches!(op, PatchOp::Remove { .. }))
}
