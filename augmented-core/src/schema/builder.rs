//! Compilation: the documents a schema reaches, the policy over them, the engine for them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

use super::compile::{CompiledSchema, Inner, SchemaOptions};
use super::custom::{ExpressionRule, FunctionValidator};
use super::dialect::{Dialect, is_in_place, subschemas};
use super::documents::{At, Document, Documents};
use super::engine::{self, Leaves};
use super::policy::{self, Identity, Survey, identity};
use super::{message, meta, reference};
use crate::json::nearest::nearest;
use crate::json::pointer;
use crate::validate::Finding;

/// Collects what compilation needs.
pub(super) struct Builder<'o, 'a> {
    options: &'o SchemaOptions<'a>,
    findings: Vec<Finding>,
    patterns: Vec<(String, String)>,
    keywords: HashMap<Identity, Arc<dyn FunctionValidator>>,
    expressions: HashMap<Identity, Arc<dyn ExpressionRule>>,
    deferred: HashMap<Identity, String>,
    required_validators: BTreeSet<String>,
    calls_host: bool,
    has_sensitive: bool,
}

impl<'o, 'a> Builder<'o, 'a> {
    pub(super) fn new(options: &'o SchemaOptions<'a>) -> Self {
        Self {
            options,
            findings: Vec::new(),
            patterns: Vec::new(),
            keywords: HashMap::new(),
            expressions: HashMap::new(),
            deferred: HashMap::new(),
            required_validators: BTreeSet::new(),
            calls_host: false,
            has_sensitive: false,
        }
    }

    pub(super) fn build(
        mut self,
        schema: &Value,
        dialect: Dialect,
    ) -> Result<CompiledSchema, Vec<Finding>> {
        let documents = self.collect(Arc::new(schema.clone()), dialect);
        if self.findings.is_empty() {
            self.check_cycles(&documents);
            self.check_branches(&documents);
        }
        let validator = match self.findings.is_empty().then(|| {
            engine::build(
                &documents,
                &self.required_validators,
                &self.options.validators,
            )
        }) {
            Some(Ok(validator)) if self.findings.is_empty() => validator,
            other => {
                let reason = other.and_then(Result::err);
                return Err(self.refuse(schema, dialect, reason));
            }
        };
        let inner = Inner {
            documents,
            validator,
            validators: self.options.validators.clone(),
            leaves: Leaves::default(),
            keywords: self.keywords,
            expressions: self.expressions,
            required_validators: self.required_validators,
            calls_host: self.calls_host,
            has_sensitive: self.has_sensitive,
            hash: OnceLock::new(),
        };
        Ok(inner.into())
    }

    /// Adds what only a refused schema is checked for, and sorts.
    fn refuse(mut self, schema: &Value, dialect: Dialect, reason: Option<String>) -> Vec<Finding> {
        for (at, pattern) in std::mem::take(&mut self.patterns) {
            if !Leaves::compiles(&pattern) {
                let text = format!("the pattern `{}` does not compile", message::cut(&pattern));
                self.findings.push(
                    Finding::error("PATTERN_UNSUPPORTED", at, text)
                        .with_argument("pattern", message::cut(&pattern))
                        .with_argument("problem", "it does not compile"),
                );
            }
        }
        for finding in meta::findings(schema, dialect) {
            if self
                .findings
                .iter()
                .all(|known| known.pointer != finding.pointer)
            {
                self.findings.push(finding);
            }
        }
        if let Some(reason) = reason.filter(|_| self.findings.is_empty()) {
            self.findings.push(
                Finding::error("COMPILATION_ERROR", "", message::cut(&reason)).with_problem(),
            );
        }
        crate::json::sort_findings(&mut self.findings);
        self.findings
    }

    /// The schema and every registered schema it reaches.
    fn collect(&mut self, schema: Arc<Value>, dialect: Dialect) -> Documents {
        let mut documents = Documents::new(Document::new(schema, dialect));
        let mut targets = HashSet::new();
        let mut next = 0;
        while let Some(document) = documents.get(next) {
            let survey =
                policy::survey(&document.value, document.dialect, &self.options.validators);
            let own = document
                .value
                .get("$id")
                .and_then(Value::as_str)
                .map(str::to_owned);
            let references = self.take(survey, next == 0);
            for (at, text) in references {
                targets.insert((next, text.clone()));
                if targets.len() > self.options.max_references {
                    let text = format!("more than {} references", self.options.max_references);
                    self.findings.push(
                        Finding::error("SCHEMA_TOO_COMPLEX", "", text)
                            .with_argument("limit", self.options.max_references),
                    );
                    return documents;
                }
                self.resolve(&mut documents, next, own.as_deref(), &at, &text);
            }
            next += 1;
        }
        documents
    }

    /// Keeps what a survey found; findings inside registered schemas were reported at their registration.
    fn take(&mut self, survey: Survey, root: bool) -> Vec<(String, String)> {
        if root {
            self.findings.extend(survey.findings);
            self.patterns = survey.patterns;
            self.deferred = survey.deferred;
        } else if let Some(first) = survey.findings.first() {
            let text = format!(
                "a registered schema it refers to is not usable: {}",
                first.message
            );
            self.findings.push(
                Finding::error(first.code.clone(), "", text)
                    .with_arguments(first.arguments.clone()),
            );
        }
        self.keywords.extend(survey.keywords);
        self.expressions.extend(survey.expressions);
        self.required_validators.extend(survey.validators);
        self.calls_host |= survey.calls_host;
        self.has_sensitive |= survey.has_sensitive;
        survey.references
    }

    fn resolve(
        &mut self,
        documents: &mut Documents,
        from: usize,
        own: Option<&str>,
        at: &str,
        text: &str,
    ) {
        let at = if from == 0 { at } else { "" };
        let reference = match reference::parse(text, own, at) {
            Ok(reference) => reference,
            Err(finding) => return self.findings.push(*finding),
        };
        if let Some(address) = &reference.address
            && !documents.contains(address)
        {
            let found = self
                .options
                .resolver
                .and_then(|resolver| resolver.schema(&address.id, &address.version));
            match found.map(|schema| (Dialect::of(&schema).ok(), schema)) {
                Some((Some(dialect), schema)) => {
                    documents.add(address.clone(), Document::new(schema, dialect))
                }
                _ => {
                    let problem = format!(
                        "no schema `{}` of version {} is registered",
                        message::cut(&address.id),
                        address.version
                    );
                    return self.findings.push(
                        Finding::error("REFERENCE_UNRESOLVED", at, problem)
                            .with_argument("reference", message::cut(text)),
                    );
                }
            }
        }
        if documents.follow(from, text).is_none() {
            let mut finding = Finding::error(
                "REFERENCE_UNRESOLVED",
                at,
                format!("the reference `{}` leads nowhere", message::cut(text)),
            )
            .with_argument("reference", message::cut(text));
            let definitions = ["$defs", "definitions"].into_iter().filter_map(|name| {
                let target = documents.get(from)?.value.get(name)?.as_object()?;
                Some(target.keys().map(String::as_str))
            });
            let last = pointer::split_last(&reference.fragment).map(|(_, last)| last.into_owned());
            if reference.address.is_none()
                && let Some(found) = last.and_then(|last| {
                    nearest(&last, definitions.flatten()).map(|n| n.name.to_owned())
                })
            {
                finding.hint = Some(format!("did you mean `{found}`?"));
            }
            self.findings.push(finding);
        }
    }

    /// Refuses references that lead back to themselves without consuming a part of the value.
    fn check_cycles(&mut self, documents: &Documents) {
        let mut marks: HashMap<Identity, Mark> = HashMap::new();
        for (index, document) in documents.all() {
            let mut open = vec![At {
                document: index,
                value: &document.value,
            }];
            while let Some(at) = open.pop() {
                if let Some(back) = cycle(documents, at, &mut marks, 0) {
                    let text = "a reference leads back to this schema without consuming a part of the value";
                    let pointer = match documents.get(0) {
                        Some(own) if back.document == 0 => pointer_of(&own.value, back.value),
                        _ => String::new(),
                    };
                    self.findings
                        .push(Finding::error("INVALID_SCHEMA", pointer, text).with_problem());
                    return;
                }
                open.extend(
                    at.object()
                        .into_iter()
                        .flat_map(subschemas)
                        .map(|below| at.with(below.value)),
                );
            }
        }
    }

    /// Refuses deferred checks where the outcome of a branch would depend on them.
    fn check_branches(&mut self, documents: &Documents) {
        if self.deferred.is_empty() {
            return;
        }
        let mut seen = HashSet::new();
        let mut open = vec![(documents.root(), false)];
        while let Some((at, in_branch)) = open.pop() {
            let Some(schema) = at
                .object()
                .filter(|_| seen.insert((identity(at.value), in_branch)))
            else {
                continue;
            };
            if in_branch {
                self.refuse_deferred(schema);
            }
            if let Some(target) = schema
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|text| documents.follow(at.document, text))
            {
                open.push((target, in_branch));
            }
            for below in subschemas(schema) {
                let branch = matches!(below.keyword, "anyOf" | "oneOf" | "not" | "if" | "contains");
                open.push((at.with(below.value), in_branch || branch));
            }
        }
    }

    fn refuse_deferred(&mut self, schema: &Map<String, Value>) {
        for entry in custom_entries(schema) {
            if let Some(at) = self.deferred.remove(&identity(entry)) {
                let validator = entry
                    .get("validator")
                    .and_then(Value::as_str)
                    .map(message::cut);
                let text = "an asynchronous check or a transformation cannot stand below anyOf, oneOf, not, if or contains";
                self.findings.push(
                    Finding::error("ASYNC_IN_BRANCH", at, text)
                        .with_optional_argument("validator", validator),
                );
            }
        }
    }
}

/// The entries of `x-custom-validator`, which is one or a list of them.
pub(super) fn custom_entries(schema: &Map<String, Value>) -> &[Value] {
    match schema.get("x-custom-validator") {
        None => &[],
        Some(Value::Array(entries)) => entries,
        Some(entry) => std::slice::from_ref(entry),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Open,
    Done,
}

/// Deeper chains of references and combinations are taken for a cycle.
const MAX_CHAIN: usize = 2000;

/// The schema that a chain of references and combinations leads back to.
fn cycle<'s>(
    documents: &'s Documents,
    at: At<'s>,
    marks: &mut HashMap<Identity, Mark>,
    depth: usize,
) -> Option<At<'s>> {
    match marks.get(&identity(at.value)) {
        Some(Mark::Open) => return Some(at),
        Some(Mark::Done) => return None,
        None if depth > MAX_CHAIN => return Some(at),
        None => {}
    }
    let schema = at.object()?;
    marks.insert(identity(at.value), Mark::Open);
    let references = ["$ref", "$dynamicRef", "$recursiveRef"].into_iter();
    let targets = references
        .filter_map(|keyword| schema.get(keyword)?.as_str())
        .filter_map(|text| documents.follow(at.document, text));
    let in_place = subschemas(schema)
        .into_iter()
        .filter(|below| is_in_place(below.keyword));
    let mut next = targets.chain(in_place.map(|below| at.with(below.value)));
    let found = next.find_map(|next| cycle(documents, next, marks, depth + 1));
    marks.insert(identity(at.value), Mark::Done);
    found
}

/// The pointer of a schema inside a document.
fn pointer_of(document: &Value, wanted: &Value) -> String {
    let mut open = vec![(String::new(), document)];
    while let Some((at, schema)) = open.pop() {
        if std::ptr::eq(schema, wanted) {
            return at;
        }
        let below = schema.as_object().into_iter().flat_map(subschemas);
        open.extend(below.map(|below| (format!("{at}{}", below.pointer), below.value)));
    }
    String::new()
}
