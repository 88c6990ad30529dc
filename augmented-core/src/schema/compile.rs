//! Compiling a schema once, judging values with it many times.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};

use jsonschema::Validator;
use serde_json::Value;

use super::builder::Builder;
use super::check::{Checker, Mode};
use super::custom::{ExpressionRule, FunctionValidator};
use super::dialect::Dialect;
use super::documents::Documents;
use super::engine::Leaves;
use super::message;
use super::policy::{Identity, identity};
use super::registry::ValidatorRegistry;
use super::validate::{Outcome, ValidateOptions, ValidationEngineError};
use crate::json::content_hash;
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
    pub(super) resolver: Option<&'a dyn SchemaResolver>,
    pub(super) validators: Arc<ValidatorRegistry>,
    max_bytes: usize,
    pub(super) max_references: usize,
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

/// What a compiled schema consists of.
pub(super) struct Inner {
    pub(super) documents: Documents,
    pub(super) validator: Validator,
    pub(super) validators: Arc<ValidatorRegistry>,
    pub(super) leaves: Leaves,
    pub(super) keywords: HashMap<Identity, Arc<dyn FunctionValidator>>,
    pub(super) expressions: HashMap<Identity, Arc<dyn ExpressionRule>>,
    pub(super) required_validators: BTreeSet<String>,
    pub(super) calls_host: bool,
    pub(super) has_sensitive: bool,
    pub(super) hash: OnceLock<[u8; 32]>,
}

impl From<Inner> for CompiledSchema {
    fn from(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }
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
            return Err(vec![
                Finding::error("INVALID_SCHEMA", "", text).with_problem(),
            ]);
        }
        let size = text_size(schema, options.max_bytes);
        if size > options.max_bytes {
            let text = format!("the schema has more than {} bytes", options.max_bytes);
            return Err(vec![
                Finding::error("SCHEMA_TOO_LARGE", "", text)
                    .with_argument("limit", options.max_bytes),
            ]);
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
    Finding::error("INVALID_SCHEMA", "/$schema", text)
        .with_problem()
        .with_hint(hint)
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
