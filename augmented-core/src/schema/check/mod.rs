//! Our own walk over schema and value.
//!
//! The engine gives the verdict on the fast path; this walk explains a refusal in our own words,
//! with hints and repairs, and gives the verdict itself where host code takes part. Both agree on
//! every value; a property test holds them to it.

mod array;
mod branch;
mod custom;
mod evaluated;
mod object;
mod scalar;
mod sensitive;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::OnceLock;

use serde_json::{Map, Value};

pub(in crate::schema) use self::array::item_schema;
use self::branch::Tag;
use super::custom::ValidationContext;
use super::dialect::Dialect;
use super::documents::{At, Documents};
use super::engine::Leaves;
use super::policy::Identity;
use super::validate::{DeferredCheck, ValidateOptions, ValidationEngineError};
use super::{CompiledSchema, message, types};
use crate::json::nearest::{Nearest, nearest};
use crate::json::pointer;
use crate::validate::{Finding, PatchOp, Severity};

/// Schemas entered inside each other beyond this end the walk.
const MAX_DEPTH: usize = 512;
/// Schemas entered in one walk beyond this end it.
const MAX_STEPS: u64 = 20_000_000;

/// Whether only the verdict counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Stop at the first thing that is wrong.
    Test,
    /// Collect findings.
    Collect,
}

/// A schema and the keywords in it.
pub(super) type Members<'a> = &'a Map<String, Value>;

/// One walk.
pub(super) struct Checker<'a> {
    schema: &'a CompiledSchema,
    documents: &'a Documents,
    leaves: &'a Leaves,
    root: &'a Value,
    context: &'a ValidationContext,
    mode: Mode,
    /// Pointer of the value at hand.
    path: String,
    findings: Vec<Finding>,
    max: usize,
    truncated: bool,
    /// Whether the root object is taken for closed.
    closed_root: bool,
    depth: usize,
    steps: u64,
    /// Documents entered, outermost first.
    scope: Vec<usize>,
    failure: Option<ValidationEngineError>,
    deferred: Vec<DeferredCheck>,
    /// Pointers of values that must not be shown.
    sensitive: HashSet<String>,
    /// Values a certain repair would put in place.
    repaired: HashMap<String, Value>,
    tags: HashMap<Identity, Option<Rc<Tag<'a>>>>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(schema: &'a CompiledSchema, root: &'a Value, mode: Mode) -> Self {
        static NOTHING: OnceLock<ValidationContext> = OnceLock::new();
        let documents = schema.documents();
        let leaves = schema.leaves();
        let hides = mode == Mode::Collect && schema.has_sensitive();
        let sensitive = if hides {
            sensitive::places(documents, leaves, documents.root(), root)
        } else {
            HashSet::new()
        };
        Self {
            schema,
            documents,
            leaves,
            root,
            context: NOTHING.get_or_init(ValidationContext::default),
            mode,
            path: String::new(),
            findings: Vec::new(),
            max: usize::MAX,
            truncated: false,
            closed_root: false,
            depth: 0,
            steps: 0,
            scope: vec![0],
            failure: None,
            deferred: Vec::new(),
            sensitive,
            repaired: HashMap::new(),
            tags: HashMap::new(),
        }
    }

    /// Judges the part of a document at `base`, as the options say.
    pub(super) fn within(mut self, base: &str, options: &'a ValidateOptions) -> Self {
        base.clone_into(&mut self.path);
        self.max = options.max_findings;
        self.closed_root = options.strict_mode && base.is_empty();
        self.context = &options.context;
        self
    }

    /// Whether the value at the current path is valid under a schema.
    pub(super) fn check(&mut self, at: At<'a>, value: &Value) -> bool {
        if self.failure.is_some() || self.truncated {
            return false;
        }
        self.steps += 1;
        if self.depth >= MAX_DEPTH || self.steps > MAX_STEPS {
            self.failure = Some(ValidationEngineError::ResourceLimit {
                what: "schemas entered",
            });
            return false;
        }
        let repaired = if self.repaired.is_empty() {
            None
        } else {
            self.repaired.get(&self.path).cloned()
        };
        let value = repaired.as_ref().unwrap_or(value);
        match at.value {
            Value::Bool(true) => true,
            Value::Bool(false) => {
                self.report(None, "falseSchema", |this| {
                    format!("{} is not allowed here", this.name(None))
                });
                false
            }
            Value::Object(schema) => self.enter(at, schema, value),
            _ => true,
        }
    }

    fn enter(&mut self, at: At<'a>, schema: Members<'a>, value: &Value) -> bool {
        self.depth += 1;
        let foreign = self.scope.last() != Some(&at.document);
        if foreign {
            self.scope.push(at.document);
        }
        let ok = self.keywords(at, schema, value);
        if foreign {
            self.scope.pop();
        }
        self.depth -= 1;
        ok
    }

    fn keywords(&mut self, at: At<'a>, schema: Members<'a>, value: &Value) -> bool {
        // In draft 7 nothing beside `$ref` counts.
        if self.documents.dialect(at.document) == Dialect::Draft7 && schema.contains_key("$ref") {
            return self.references(at, schema, value);
        }
        // A wrong type silences every other keyword of the place.
        if !self.type_fits(schema, value) {
            return false;
        }
        type Part<'a> = fn(&mut Checker<'a>, At<'a>, Members<'a>, &Value) -> bool;
        let parts: [Part<'a>; 6] = [
            Self::listed,
            Self::by_type,
            Self::references,
            Self::combined,
            Self::conditional,
            Self::negated,
        ];
        let mut ok = true;
        for part in parts {
            ok &= part(self, at, schema, value);
            if !ok && self.mode == Mode::Test {
                return false;
            }
        }
        ok &= self.unevaluated(at, schema, value, ok);
        // Host code sees only values that passed everything else.
        ok && self.custom(at, schema, value)
    }

    fn by_type(&mut self, at: At<'a>, schema: Members<'a>, value: &Value) -> bool {
        match value {
            Value::Number(number) => self.number(at, schema, value, number),
            Value::String(text) => self.string(at, schema, value, text),
            Value::Array(items) => self.array(at, schema, items),
            Value::Object(members) => self.object(at, schema, members),
            Value::Null | Value::Bool(_) => true,
        }
    }

    fn type_fits(&mut self, schema: Members<'a>, value: &Value) -> bool {
        let Some(wanted) = schema.get("type") else {
            return true;
        };
        let names = type_names(wanted);
        if names.iter().any(|name| types::has_type(value, name)) {
            return true;
        }
        self.wrong_type(Some(schema), &names, value);
        false
    }

    fn wrong_type(&mut self, schema: Option<Members<'a>>, names: &[&str], value: &Value) {
        let finding = self.report(schema, "type", |this| {
            let wanted: Vec<String> = names.iter().map(|name| message::typed(name)).collect();
            let found = match value {
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    message::typed(types::type_name(value))
                }
                _ if this.is_hidden() => message::typed(types::type_name(value)),
                scalar => format!(
                    "{} {}",
                    message::typed(types::type_name(scalar)),
                    message::show(scalar)
                ),
            };
            let found = found.replacen("a boolean ", "", 1);
            format!(
                "{} is {found}, expected {}",
                this.name(schema),
                message::either(&wanted)
            )
        });
        if let Some(finding) = finding {
            finding.arguments.set("expected", names.to_vec());
            finding.arguments.set("actual", types::type_name(value));
        }
    }

    /// `enum` and `const`.
    fn listed(&mut self, _: At<'a>, schema: Members<'a>, value: &Value) -> bool {
        let mut ok = true;
        if let Some(Value::Array(allowed)) = schema.get("enum")
            && !allowed.iter().any(|one| types::equal(one, value))
        {
            self.not_listed(Some(schema), "enum", allowed.iter().collect(), value);
            ok = false;
        }
        if let Some(wanted) = schema.get("const")
            && !types::equal(wanted, value)
        {
            self.not_listed(Some(schema), "const", vec![wanted], value);
            ok = false;
        }
        ok
    }

    /// Reports a value that is none of those listed; returns the listed one that is certain to be meant.
    fn not_listed(
        &mut self,
        schema: Option<Members<'a>>,
        code: &'static str,
        allowed: Vec<&Value>,
        value: &Value,
    ) -> Option<Value> {
        if self.mode == Mode::Test {
            return None;
        }
        let names = allowed.iter().filter_map(|one| one.as_str());
        let meant: Option<Nearest<'_>> = value
            .as_str()
            .filter(|_| !self.is_hidden())
            .and_then(|text| nearest(text, names));
        let path = self.path.clone();
        let expected = match allowed.as_slice() {
            [only] => message::list([*only]),
            several => format!("one of {}", message::list(several.iter().copied())),
        };
        let actual = self.actual(value);
        let finding = self.report(schema, code, |this| this.is_but(schema, value, &expected))?;
        match (code, allowed.as_slice()) {
            ("const", [only]) => {
                finding
                    .arguments
                    .set("expected", message::expected_argument(only));
            }
            (_, several) => {
                finding
                    .arguments
                    .set("allowed", message::expected_arguments(several));
            }
        }
        argue(finding, "actual", actual);
        let meant = meant?;
        if code != "const" {
            finding.arguments.set("nearest", meant.name);
        }
        finding.hint = Some(format!(
            "did you mean {}?",
            message::show(&Value::from(meant.name))
        ));
        if !(meant.same_letters && meant.unique) {
            return None;
        }
        let meant = Value::from(meant.name);
        finding.fix = Some(vec![PatchOp::Replace {
            path,
            value: meant.clone(),
        }]);
        Some(meant)
    }

    fn references(&mut self, at: At<'a>, schema: Members<'a>, value: &Value) -> bool {
        let mut ok = true;
        if let Some(text) = schema.get("$ref").and_then(Value::as_str) {
            ok &= self
                .documents
                .follow(at.document, text)
                .is_none_or(|target| self.check(target, value));
        }
        if let Some(text) = schema.get("$dynamicRef").and_then(Value::as_str) {
            let target = self
                .documents
                .follow_dynamic(at.document, text, &self.scope);
            ok &= target.is_none_or(|target| self.check(target, value));
        }
        if schema.contains_key("$recursiveRef") {
            let target = self.documents.follow_recursive(at.document, &self.scope);
            ok &= target.is_none_or(|target| self.check(target, value));
        }
        ok
    }

    /// Tests without reporting.
    fn accepts(&mut self, at: At<'a>, value: &Value) -> bool {
        let mode = std::mem::replace(&mut self.mode, Mode::Test);
        let ok = self.check(at, value);
        self.mode = mode;
        ok
    }

    /// Judges a member of the object at the current path.
    fn member(&mut self, at: At<'a>, name: &str, value: &Value) -> bool {
        let length = self.path.len();
        pointer::push(&mut self.path, name);
        let ok = self.check(at, value);
        self.path.truncate(length);
        ok
    }

    /// Judges an element of the array at the current path.
    fn element(&mut self, at: At<'a>, index: usize, value: &Value) -> bool {
        let length = self.path.len();
        pointer::push_index(&mut self.path, index);
        let ok = self.check(at, value);
        self.path.truncate(length);
        ok
    }

    /// Adds a finding at the current path; its text is made only when findings are collected.
    fn report(
        &mut self,
        schema: Option<&Map<String, Value>>,
        code: &'static str,
        text: impl FnOnce(&Self) -> String,
    ) -> Option<&mut Finding> {
        self.report_at(self.path.clone(), schema, code, text)
    }

    fn report_at(
        &mut self,
        pointer: String,
        schema: Option<&Map<String, Value>>,
        code: &'static str,
        text: impl FnOnce(&Self) -> String,
    ) -> Option<&mut Finding> {
        if self.mode == Mode::Test {
            return None;
        }
        if self.findings.len() >= self.max {
            self.truncated = true;
            return None;
        }
        let own = schema.and_then(|schema| schema.get("x-messages")?.get(code)?.as_str());
        let text = own.map_or_else(|| text(self), str::to_owned);
        self.findings.push(Finding::error(code, pointer, text));
        self.findings.last_mut()
    }

    /// What a message calls the value at the current path.
    fn name(&self, schema: Option<&Map<String, Value>>) -> String {
        if let Some(title) = schema.and_then(|schema| schema.get("title")?.as_str()) {
            return format!("`{}`", message::cut(title));
        }
        match pointer::split_last(&self.path) {
            None => "the document".to_owned(),
            Some((_, last)) if pointer::index(&last).is_some() => format!("element {last}"),
            Some((_, last)) => format!("`{}`", message::cut(&last)),
        }
    }

    /// "`age` is 15, expected at least 18", without the value where it must not be shown.
    fn is_but(&self, schema: Option<&Map<String, Value>>, value: &Value, expected: &str) -> String {
        let name = self.name(schema);
        if self.is_hidden() {
            format!("{name} has a value that is not shown, expected {expected}")
        } else {
            format!("{name} is {}, expected {expected}", message::show(value))
        }
    }

    /// The value as an argument of a message; none where it must not be shown, or nobody would see it.
    fn actual(&self, value: &Value) -> Option<Value> {
        let shown = self.mode != Mode::Test && !self.is_hidden();
        shown.then(|| message::argument(value))
    }

    /// Hides what another schema than that of the root says must not be shown of a value at a path.
    pub(super) fn hide(&mut self, at: At<'_>, value: &Value, path: &str) {
        if self.mode == Mode::Collect && self.schema.has_sensitive() {
            let places = sensitive::places(self.documents, self.leaves, at, value);
            self.sensitive
                .extend(places.into_iter().map(|place| format!("{path}{place}")));
        }
    }

    /// Hides everything.
    pub(super) fn hide_all(&mut self) {
        self.sensitive.insert(String::new());
    }

    /// Whether the value at the current path must not be shown.
    fn is_hidden(&self) -> bool {
        self.is_hidden_at(&self.path)
    }

    /// Whether the value at a path must not be shown.
    fn is_hidden_at(&self, path: &str) -> bool {
        if self.sensitive.is_empty() {
            return false;
        }
        let mut at = Some(path);
        while let Some(path) = at {
            if self.sensitive.contains(path) {
                return true;
            }
            at = pointer::parent(path);
        }
        false
    }

    pub(super) fn failure(&self) -> Option<&ValidationEngineError> {
        self.failure.as_ref()
    }

    pub(super) fn take_failure(&mut self) -> Option<ValidationEngineError> {
        self.failure.take()
    }

    /// The findings, one for each cause; whether some were left out; the deferred checks.
    pub(super) fn finish(self) -> (Vec<Finding>, bool, Vec<DeferredCheck>) {
        let mut findings = self.findings;
        let wrong_types: HashSet<String> = findings
            .iter()
            .filter(|f| f.code == "type")
            .map(|f| f.pointer.clone())
            .collect();
        let mut seen = HashSet::new();
        findings.retain(|finding| {
            let silenced = finding.code != "type"
                && is_about_value(&finding.code)
                && wrong_types.contains(&finding.pointer);
            !silenced
                && seen.insert((
                    finding.code.clone(),
                    finding.pointer.clone(),
                    finding.message.clone(),
                ))
        });
        let errors: Vec<&str> = findings
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .map(|f| f.pointer.as_str())
            .collect();
        let mut deferred = self.deferred;
        deferred.retain(|check| {
            !errors
                .iter()
                .any(|at| pointer::is_at_or_below(at, &check.pointer))
        });
        (findings, self.truncated, deferred)
    }
}

/// Whether findings of the code judge the value at their pointer, rather than its being there.
fn is_about_value(code: &str) -> bool {
    !matches!(
        code,
        "additionalProperties"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "propertyNames"
            | "required"
    )
}

/// The types a `type` keyword names.
fn type_names(wanted: &Value) -> Vec<&str> {
    match wanted {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Attaches an argument that is not always known.
fn argue(finding: &mut Finding, name: &'static str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        finding.arguments.set(name, value);
    }
}

/// Attaches the limit that a value passes, and the value where it may be shown.
fn argue_limit(
    finding: Option<&mut Finding>,
    limit: impl Into<Value>,
    actual: Option<impl Into<Value>>,
) {
    if let Some(finding) = finding {
        finding.arguments.set("limit", limit);
        argue(finding, "actual", actual);
    }
}
