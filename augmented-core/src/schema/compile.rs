//! Compiling a schema once, judging values with it many times.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use jsonschema::{PatternOptions, Retrieve, Uri, Validator};
use serde_json::{Map, Value, json};

use super::check::{Checker, Mode};
use super::custom::{CustomValidator, ExpressionRule, FunctionValidator};
use super::dialect::{Dialect, is_in_place, subschemas};
use super::documents::{At, Document, Documents};
use super::policy::{self, Identity, Survey, identity};
use super::reference::{self, Address};
use super::registry::ValidatorRegistry;
use super::validate::{Outcome, ValidateOptions, ValidationEngineError};
use super::{format, message, meta};
use crate::json::nearest::nearest;
use crate::json::{content_hash, pointer};
use crate::validate::Finding;

/// Where registered schemas come from: `aug://schema/{id}/{version}`.
pub trait SchemaResolver: Send + Sync {
    /// The schema of this exact version, if there is one.
    fn schema(&self, id: &str, version: &str) -> Option<Arc<Value>>;
}

/// How a schema is compiled.
#[derive(Clone)]
#[non_exhaustive]
pub struct SchemaOptions<'a> {
    resolver: Option<&'a dyn SchemaResolver>,
    validators: Arc<ValidatorRegistry>,
    max_bytes: usize,
    max_references: usize,
}

impl Default for SchemaOptions<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SchemaOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchemaOptions")
            .field("resolver", &self.resolver.is_some())
            .field("validators", &self.validators)
            .finish_non_exhaustive()
    }
}

impl<'a> SchemaOptions<'a> {
    /// No registered schemas, no custom validators, schemas of at most 1 MiB and 500 references.
    #[must_use]
    pub fn new() -> Self {
        static NONE: OnceLock<Arc<ValidatorRegistry>> = OnceLock::new();
        Self {
            resolver: None,
            validators: NONE.get_or_init(Arc::default).clone(),
            max_bytes: 1024 * 1024,
            max_references: 500,
        }
    }

    /// Sets where registered schemas come from.
    #[must_use]
    pub fn with_resolver(mut self, resolver: &'a dyn SchemaResolver) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// Sets the validators of the host.
    #[must_use]
    pub fn with_validators(mut self, validators: Arc<ValidatorRegistry>) -> Self {
        self.validators = validators;
        self
    }

    /// Sets the largest schema in bytes of its compact text, at most 10 MiB.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes.min(10 * 1024 * 1024);
        self
    }
}

/// A schema that keeps the policy, compiled. Cheap to clone, shared between threads.
///
/// ```
/// use augmented_core::schema::{CompiledSchema, SchemaOptions};
/// use serde_json::json;
/// let schema = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "age": {"minimum": 18}}});
/// let schema = CompiledSchema::compile(&schema, &SchemaOptions::new()).unwrap();
/// let findings = schema.validate(&json!({"age": 15}));
/// let found: Vec<_> = findings.iter().map(|f| (f.code.as_ref(), f.pointer.as_str())).collect();
/// assert_eq!(found, [("minimum", "/age"), ("required", "/name")]);
/// ```
#[derive(Clone)]
pub struct CompiledSchema {
    inner: Arc<Inner>,
}

struct Inner {
    documents: Documents,
    validator: Validator,
    validators: Arc<ValidatorRegistry>,
    leaves: Leaves,
    keywords: HashMap<Identity, Arc<dyn FunctionValidator>>,
    expressions: HashMap<Identity, Arc<dyn ExpressionRule>>,
    required_validators: BTreeSet<String>,
    calls_host: bool,
    has_sensitive: bool,
    hash: OnceLock<[u8; 32]>,
}

impl fmt::Debug for CompiledSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompiledSchema")
            .field("schema", self.schema())
            .finish_non_exhaustive()
    }
}

impl CompiledSchema {
    /// Checks a schema against its dialect and the keyword policy and compiles it.
    ///
    /// # Errors
    ///
    /// All findings, in the order of their pointers: `INVALID_SCHEMA`, `UNKNOWN_KEYWORD`,
    /// `UNKNOWN_FORMAT`, `PATTERN_UNSUPPORTED`, `FLOATING_REFERENCE`, `REMOTE_REFERENCE_FORBIDDEN`,
    /// `REFERENCE_UNRESOLVED`, `SCHEMA_TOO_LARGE`, `SCHEMA_TOO_COMPLEX`, `VALIDATOR_MISSING`,
    /// `ASYNC_IN_BRANCH`, `COMPILATION_ERROR`.
    pub fn compile(schema: &Value, options: &SchemaOptions<'_>) -> Result<Self, Vec<Finding>> {
        if !schema.is_object() && !schema.is_boolean() {
            let text = format!(
                "a schema is an object, true or false, not {}",
                message::show(schema)
            );
            return Err(vec![Finding::error("INVALID_SCHEMA", "", text)]);
        }
        let size = text_size(schema, options.max_bytes);
        if size > options.max_bytes {
            let text = format!("the schema has more than {} bytes", options.max_bytes);
            return Err(vec![Finding::error("SCHEMA_TOO_LARGE", "", text)]);
        }
        let dialect = Dialect::of(schema).map_err(|name| vec![unknown_dialect(name)])?;
        Builder::new(options).build(schema, dialect)
    }

    /// Whether a value is valid, without saying why not; the fastest answer.
    ///
    /// A value about which a custom validator could not answer is not valid.
    #[must_use]
    pub fn is_valid(&self, value: &Value) -> bool {
        if self.inner.calls_host {
            let mut checker = self.checker(value, Mode::Test);
            return checker.check(self.inner.documents.root(), value)
                && checker.failure().is_none();
        }
        self.inner.validator.is_valid(value)
    }

    /// Everything that is wrong with a value, sorted by pointer; nothing when it is valid.
    ///
    /// A custom validator that could not answer gives the finding `VALIDATOR_FAILED`; use
    /// [`validate_with`](Self::validate_with) to tell that from an invalid value.
    #[must_use]
    pub fn validate(&self, value: &Value) -> Vec<Finding> {
        if !self.inner.calls_host && self.inner.validator.is_valid(value) {
            return Vec::new();
        }
        match self.validate_with(value, &ValidateOptions::unbounded()) {
            Ok(outcome) => outcome.findings,
            Err(error) => vec![Finding::error(error.code(), "", error.to_string())],
        }
    }

    /// Judges a value as the options say.
    ///
    /// # Errors
    ///
    /// When no verdict is possible, which is never the same as "invalid".
    pub fn validate_with(
        &self,
        value: &Value,
        options: &ValidateOptions,
    ) -> Result<Outcome, ValidationEngineError> {
        super::validate::run(self, value, options)
    }

    /// Where examples and defaults of the schema do not conform to it: `EXAMPLE_INVALID` and
    /// `DEFAULT_INVALID`.
    #[must_use]
    pub fn check_annotations(&self) -> Vec<Finding> {
        super::embedded::annotation_findings(self)
    }

    /// The schema as it was given.
    #[must_use]
    pub fn schema(&self) -> &Value {
        self.inner.documents.root().value
    }

    /// Its dialect.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.inner.documents.dialect(0)
    }

    /// The hash of its canonical form.
    #[must_use]
    pub fn content_hash(&self) -> [u8; 32] {
        *self.inner.hash.get_or_init(|| content_hash(self.schema()))
    }

    /// Id, version and content hash of every registered schema it reaches, sorted.
    #[must_use]
    pub fn resolved_references(&self) -> Vec<(String, String, [u8; 32])> {
        let registered = self.inner.documents.registered();
        let mut found: Vec<_> = registered
            .map(|(a, document)| {
                (
                    a.id.clone(),
                    a.version.clone(),
                    content_hash(&document.value),
                )
            })
            .collect();
        found.sort();
        found
    }

    /// Names of the custom keywords, formats and validators it uses, sorted.
    pub fn required_validators(&self) -> impl Iterator<Item = &str> {
        self.inner.required_validators.iter().map(String::as_str)
    }

    pub(super) fn documents(&self) -> &Documents {
        &self.inner.documents
    }

    pub(super) fn validators(&self) -> &ValidatorRegistry {
        &self.inner.validators
    }

    pub(super) fn leaves(&self) -> &Leaves {
        &self.inner.leaves
    }

    pub(super) fn engine(&self) -> &Validator {
        &self.inner.validator
    }

    pub(super) fn calls_host(&self) -> bool {
        self.inner.calls_host
    }

    pub(super) fn has_sensitive(&self) -> bool {
        self.inner.has_sensitive
    }

    /// The check of a custom keyword, by the keyword's value.
    pub(super) fn keyword_check(&self, value: &Value) -> Option<&Arc<dyn FunctionValidator>> {
        self.inner.keywords.get(&identity(value))
    }

    /// The compiled expression of an `x-custom-validator` entry.
    pub(super) fn expression_rule(&self, entry: &Value) -> Option<&Arc<dyn ExpressionRule>> {
        self.inner.expressions.get(&identity(entry))
    }

    pub(super) fn checker<'a>(&'a self, root: &'a Value, mode: Mode) -> Checker<'a> {
        Checker::new(self, root, mode)
    }
}

fn unknown_dialect(name: &str) -> Finding {
    let text = format!("the dialect `{}` is not supported", message::cut(name));
    let dialects = [Dialect::Draft202012, Dialect::Draft201909, Dialect::Draft7];
    let hint = format!(
        "use {}",
        message::either(&dialects.map(|dialect| dialect.uri().to_owned()))
    );
    Finding::error("INVALID_SCHEMA", "/$schema", text).with_hint(hint)
}

/// The size of a value's compact text, counted no further than a limit.
fn text_size(value: &Value, limit: usize) -> usize {
    struct Counter {
        size: usize,
        limit: usize,
    }
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.size += bytes.len();
            if self.size > self.limit {
                Err(std::io::ErrorKind::WriteZero.into())
            } else {
                Ok(bytes.len())
            }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter { size: 0, limit };
    // The only error is the one that stops the counting.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.size
}

/// Collects what compilation needs.
struct Builder<'o, 'a> {
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
    fn new(options: &'o SchemaOptions<'a>) -> Self {
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

    fn build(mut self, schema: &Value, dialect: Dialect) -> Result<CompiledSchema, Vec<Finding>> {
        let documents = self.collect(Arc::new(schema.clone()), dialect);
        if self.findings.is_empty() {
            self.check_cycles(&documents);
            self.check_branches(&documents);
        }
        let validator = match self
            .findings
            .is_empty()
            .then(|| self.build_engine(&documents))
        {
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
        Ok(CompiledSchema {
            inner: Arc::new(inner),
        })
    }

    /// Adds what only a refused schema is checked for, and sorts.
    fn refuse(mut self, schema: &Value, dialect: Dialect, reason: Option<String>) -> Vec<Finding> {
        for (at, pattern) in std::mem::take(&mut self.patterns) {
            if !Leaves::compiles(&pattern) {
                let text = format!("the pattern `{}` does not compile", message::cut(&pattern));
                self.findings
                    .push(Finding::error("PATTERN_UNSUPPORTED", at, text));
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
            self.findings.push(Finding::error(
                "COMPILATION_ERROR",
                "",
                message::cut(&reason),
            ));
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
                    self.findings
                        .push(Finding::error("SCHEMA_TOO_COMPLEX", "", text));
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
            self.findings
                .push(Finding::error(first.code.clone(), "", text));
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
                    let text = format!(
                        "no schema `{}` of version {} is registered",
                        message::cut(&address.id),
                        address.version
                    );
                    return self
                        .findings
                        .push(Finding::error("REFERENCE_UNRESOLVED", at, text));
                }
            }
        }
        if documents.follow(from, text).is_none() {
            let mut finding = Finding::error(
                "REFERENCE_UNRESOLVED",
                at,
                format!("the reference `{}` leads nowhere", message::cut(text)),
            );
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
                        .push(Finding::error("INVALID_SCHEMA", pointer, text));
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
                let text = "an asynchronous check or a transformation cannot stand below anyOf, oneOf, not, if or contains";
                self.findings
                    .push(Finding::error("ASYNC_IN_BRANCH", at, text));
            }
        }
    }

    fn build_engine(&self, documents: &Documents) -> Result<Validator, String> {
        let registered = documents.registered().map(|(address, document)| {
            let mut value = (*document.value).clone();
            if let Some(members) = value.as_object_mut() {
                members.insert("$schema".to_owned(), Value::from(document.dialect.uri()));
            }
            (address.clone(), value)
        });
        let retriever = Registered(registered.collect());
        let mut options = engine_options(documents.dialect(0)).with_retriever(retriever);
        // Schemas with host code are judged by our own checker; the engine only must not stumble.
        for name in &self.required_validators {
            match self.options.validators.validator(name) {
                Some(CustomValidator::Format(_)) => {
                    options = options.with_format(name.clone(), |_: &str| true)
                }
                Some(CustomValidator::Keyword(_)) => {
                    options = options.with_keyword(name.clone(), |_, _, _| Ok(Box::new(Passive)))
                }
                _ => {}
            }
        }
        options
            .build(documents.root().value)
            .map_err(|error| error.masked().to_string())
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

/// The engine's settings that every validator of ours shares.
fn engine_options<'i>(dialect: Dialect) -> jsonschema::ValidationOptions<'i> {
    let mut options = jsonschema::options()
        .with_draft(dialect.draft())
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex())
        .offline()
        .with_format("idn-email", format::is_idn_email)
        .with_format("idn-hostname", format::is_idn_hostname)
        .with_format("json-schema", is_schema_text)
        .with_format("expression", |_: &str| true);
    for (name, check, _) in format::SHIPPED {
        options = options.with_format(*name, check);
    }
    options
}

/// Whether a text is a legal schema written as JSON.
fn is_schema_text(text: &str) -> bool {
    crate::json::parse(text.as_bytes(), &crate::json::Limits::definition())
        .is_ok_and(|parsed| CompiledSchema::compile(&parsed.value, &SchemaOptions::new()).is_ok())
}

/// Hands the registered schemas, collected before, to the engine.
struct Registered(HashMap<Address, Value>);

impl Retrieve for Registered {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let found = self
            .0
            .iter()
            .find(|(address, _)| address.uri() == uri.as_str());
        found
            .map(|(_, schema)| schema.clone())
            .ok_or_else(|| format!("`{uri}` is not registered").into())
    }
}

/// A custom keyword as the engine sees it when our own checker decides.
struct Passive;

impl jsonschema::Keyword<'_> for Passive {
    fn validate(&self, _: &Value) -> Result<(), jsonschema::ValidationError<'static>> {
        Ok(())
    }

    fn is_valid(&self, _: &Value) -> bool {
        true
    }
}

/// Validators of single keywords, built when the checker first needs them, so that it agrees with
/// the engine on patterns, formats and divisibility.
#[derive(Default)]
pub(super) struct Leaves {
    built: std::sync::Mutex<HashMap<Leaf, Option<Arc<Validator>>>>,
}

/// Dialect, keyword and the keyword's value as text.
type Leaf = (Dialect, &'static str, String);

impl Leaves {
    /// Whether the engine accepts the value under the keyword; `None` if it cannot be built.
    pub(super) fn accepts(
        &self,
        dialect: Dialect,
        keyword: &'static str,
        argument: &Value,
        value: &Value,
    ) -> Option<bool> {
        let key = (dialect, keyword, argument.to_string());
        let mut built = self
            .built
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let validator = built
            .entry(key)
            .or_insert_with(|| {
                engine_options(dialect)
                    .build(&json!({ keyword: argument }))
                    .ok()
                    .map(Arc::new)
            })
            .clone();
        drop(built);
        Some(validator?.is_valid(value))
    }

    /// Whether the linear engine can run the pattern.
    fn compiles(pattern: &str) -> bool {
        engine_options(Dialect::Draft202012)
            .build(&json!({ "pattern": pattern }))
            .is_ok()
    }
}
