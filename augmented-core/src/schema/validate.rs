//! One validation: its options, its outcome, and why there may be none.

use serde_json::Value;

use super::check::Mode;
use super::custom::ValidationContext;
use super::documents::At;
use super::prepare::{self, Coercion};
use super::{CompiledSchema, repair, scope};
use crate::json::{pointer, sort_findings};
use crate::validate::{Finding, Severity};

/// What a caller may ask of one validation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ValidateOptions {
    /// Converts scalars where the schema wants another type; for string-typed transports only.
    pub coerce_types: bool,
    /// Fills absent members from `default`.
    pub apply_defaults: bool,
    /// Takes warnings for errors and the root object for closed.
    pub strict_mode: bool,
    /// Findings after which the rest is left out.
    pub max_findings: usize,
    /// Validates only the value at this pointer, against the part of the schema that leads there.
    pub scope: Option<String>,
    /// What surrounds the validation.
    pub context: ValidationContext,
}

impl Default for ValidateOptions {
    fn default() -> Self {
        Self {
            coerce_types: false,
            apply_defaults: false,
            strict_mode: false,
            max_findings: 1000,
            scope: None,
            context: ValidationContext::default(),
        }
    }
}

impl ValidateOptions {
    /// The default options: nothing is changed, at most 1 000 findings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The default options without a limit of findings.
    #[must_use]
    pub fn unbounded() -> Self {
        Self {
            max_findings: usize::MAX,
            ..Self::default()
        }
    }

    /// Sets whether types are coerced.
    #[must_use]
    pub fn with_coercion(mut self, on: bool) -> Self {
        self.coerce_types = on;
        self
    }

    /// Sets whether defaults are filled in.
    #[must_use]
    pub fn with_defaults(mut self, on: bool) -> Self {
        self.apply_defaults = on;
        self
    }

    /// Sets the strict mode.
    #[must_use]
    pub fn with_strict_mode(mut self, on: bool) -> Self {
        self.strict_mode = on;
        self
    }

    /// Sets the number of findings, 1 to 100 000.
    #[must_use]
    pub fn with_max_findings(mut self, max: usize) -> Self {
        self.max_findings = max.clamp(1, 100_000);
        self
    }

    /// Sets the only part to validate.
    #[must_use]
    pub fn with_scope(mut self, pointer: impl Into<String>) -> Self {
        self.scope = Some(pointer.into());
        self
    }

    /// Sets what surrounds the validation.
    #[must_use]
    pub fn with_context(mut self, context: ValidationContext) -> Self {
        self.context = context;
        self
    }
}

/// The answer to one validation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether no finding is an ERROR.
    pub valid: bool,
    /// The coerced and defaulted copy, when it is valid and one of these options was on.
    pub data: Option<Value>,
    /// What is wrong, in order.
    pub findings: Vec<Finding>,
    /// What was converted.
    pub coercions: Vec<Coercion>,
    /// Whether findings were left out.
    pub truncated: bool,
    /// Checks that need I/O, of places that passed everything else.
    pub deferred: Vec<DeferredCheck>,
}

/// A check for a shell with a runtime.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DeferredCheck {
    /// Name of the asynchronous validator.
    pub validator: String,
    /// Where the value stands.
    pub pointer: String,
    /// The value.
    pub value: Value,
    /// Its options, `null` without any.
    pub options: Value,
    /// How much a complaint weighs.
    pub severity: Severity,
}

/// Why no verdict is possible; never the same as "invalid".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidationEngineError {
    /// A custom validator failed or panicked.
    #[error("the validator `{name}` failed: {reason}")]
    ValidatorFailed {
        /// Its name.
        name: String,
        /// What happened.
        reason: String,
        /// Whether asking again may help.
        retryable: bool,
    },
    /// A custom validator is not registered.
    #[error("the validator `{name}` is not registered")]
    ValidatorMissing {
        /// Its name.
        name: String,
    },
    /// More than one part of the schema may decide about the scope.
    #[error("more than one part of the schema may decide about `{pointer}`")]
    ScopeAmbiguous {
        /// The scope.
        pointer: String,
    },
    /// The scope is not in the document, or the schema says nothing about it.
    #[error("neither `properties` nor `items` nor `$ref` leads to `{pointer}`")]
    ScopeUnknown {
        /// The scope.
        pointer: String,
    },
    /// The work exceeds what one validation may cost.
    #[error("the validation exceeds its limit of {what}")]
    ResourceLimit {
        /// The limit.
        what: &'static str,
    },
}

impl ValidationEngineError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ValidatorFailed { .. } => "VALIDATOR_FAILED",
            Self::ValidatorMissing { .. } => "VALIDATOR_MISSING",
            Self::ScopeAmbiguous { .. } => "SCOPE_AMBIGUOUS",
            Self::ScopeUnknown { .. } => "SCOPE_UNKNOWN",
            Self::ResourceLimit { .. } => "RESOURCE_LIMIT_EXCEEDED",
        }
    }
}

/// Carries out one validation.
pub(super) fn run(
    schema: &CompiledSchema,
    value: &Value,
    options: &ValidateOptions,
) -> Result<Outcome, ValidationEngineError> {
    let (at, part, base) = match &options.scope {
        None => (schema.documents().root(), value, ""),
        Some(scope) => (
            scope::find(schema.documents(), scope)?,
            part_at(value, scope)?,
            scope.as_str(),
        ),
    };
    let prepared = prepare::prepare(schema, at, part, options)?;
    let part = prepared.as_ref().map_or(part, |prepared| &prepared.value);
    let root = if base.is_empty() { part } else { value };
    let verdict = judge(schema, at, (root, part), base, options)?;
    let valid = !verdict.findings.iter().any(Finding::is_error);
    let (data, coercions) = match prepared {
        Some(prepared) => (valid.then_some(prepared.value), prepared.coercions),
        None => (None, Vec::new()),
    };
    let Verdict {
        findings,
        truncated,
        deferred,
    } = verdict;
    Ok(Outcome {
        valid,
        data,
        findings,
        coercions,
        truncated,
        deferred,
    })
}

fn part_at<'v>(value: &'v Value, scope: &str) -> Result<&'v Value, ValidationEngineError> {
    pointer::resolve(value, scope).ok_or_else(|| ValidationEngineError::ScopeUnknown {
        pointer: scope.to_owned(),
    })
}

struct Verdict {
    findings: Vec<Finding>,
    truncated: bool,
    deferred: Vec<DeferredCheck>,
}

fn judge(
    schema: &CompiledSchema,
    at: At<'_>,
    (root, value): (&Value, &Value),
    base: &str,
    options: &ValidateOptions,
) -> Result<Verdict, ValidationEngineError> {
    let whole = base.is_empty();
    let plain = whole && !options.strict_mode && !schema.calls_host();
    if plain && schema.engine().is_valid(value) {
        return Ok(Verdict {
            findings: Vec::new(),
            truncated: false,
            deferred: Vec::new(),
        });
    }
    let mut checker = schema.checker(root, Mode::Collect).within(base, options);
    checker.check(at, value);
    if let Some(failure) = checker.take_failure() {
        // The engine has a verdict where our own checker gave up.
        let over_limit = matches!(failure, ValidationEngineError::ResourceLimit { .. });
        if !(over_limit && plain) {
            return Err(failure);
        }
    }
    let (mut findings, truncated, deferred) = checker.finish();
    if plain && findings.is_empty() {
        findings = engine_findings(schema, value, options.max_findings);
    }
    repair::keep_lawful(&mut findings, value, base, &|changed| {
        if plain && schema.engine().is_valid(changed) {
            return Vec::new();
        }
        let mut checker = schema.checker(root, Mode::Collect).within(base, options);
        checker.check(at, changed);
        checker.finish().0
    });
    if options.strict_mode {
        findings
            .iter_mut()
            .for_each(|finding| finding.severity = Severity::Error);
    }
    sort_findings(&mut findings);
    Ok(Verdict {
        findings,
        truncated,
        deferred,
    })
}

/// The engine's own words, for the rare value that only the engine refuses. No value is shown.
fn engine_findings(schema: &CompiledSchema, value: &Value, max: usize) -> Vec<Finding> {
    let errors = schema.engine().iter_errors(value).take(max.min(100));
    let mut findings: Vec<Finding> = errors
        .map(|error| {
            let keyword = error.kind().keyword().to_owned();
            Finding::error(
                keyword,
                error.instance_path().as_str(),
                super::message::cut(&error.masked().to_string()),
            )
        })
        .collect();
    if findings.is_empty() {
        findings.push(Finding::error("falseSchema", "", "the value is not valid"));
    }
    findings
}
