//! The validators a host registered, by name.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::custom::{
    CheckInput, CustomValidator, ExpressionCompiler, ValidationContext, ValidatorError,
};
use super::dialect::Dialect;
use super::format;
use super::{CompiledSchema, SchemaOptions, ValidationEngineError};

/// How many validators a registry takes unless told otherwise.
const DEFAULT_MAX: usize = 50;

/// How long one asynchronous check may take unless told otherwise.
const DEFAULT_LIMIT: Duration = Duration::from_millis(500);

/// The most that may be told.
const LONGEST_LIMIT: Duration = Duration::from_secs(5);

/// What a host says about a validator it registers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registration {
    /// Its name: a lower-case letter, then letters, digits and hyphens, at most 64.
    pub name: String,
    /// What it checks, for people.
    pub description: String,
    /// The JSON Schema of its options, or of the keyword's value.
    pub meta_schema: Option<Value>,
    /// The JSON types it is called for; empty means all.
    pub applies_to: Vec<String>,
    /// Validators that must be registered before it.
    pub dependencies: Vec<String>,
    /// Whether it may replace one of the same name.
    pub replaces: bool,
    /// How long one asynchronous check may take before it is cancelled. Default: 500 ms.
    pub limit: Duration,
}

impl Registration {
    /// A validator of this name.
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            meta_schema: None,
            applies_to: Vec::new(),
            dependencies: Vec::new(),
            replaces: false,
            limit: DEFAULT_LIMIT,
        }
    }

    /// Sets how long one asynchronous check may take, at most 5 s.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit.min(LONGEST_LIMIT);
        self
    }

    /// Sets the JSON Schema of its options, or of the keyword's value.
    #[must_use]
    pub fn with_meta_schema(mut self, schema: Value) -> Self {
        self.meta_schema = Some(schema);
        self
    }

    /// Names a JSON type it is called for.
    #[must_use]
    pub fn with_type(mut self, json_type: impl Into<String>) -> Self {
        self.applies_to.push(json_type.into());
        self
    }

    /// Names a validator that must be registered before it.
    #[must_use]
    pub fn with_dependency(mut self, name: impl Into<String>) -> Self {
        self.dependencies.push(name.into());
        self
    }

    /// Lets it replace a registered one of the same name.
    #[must_use]
    pub fn replacing(mut self) -> Self {
        self.replaces = true;
        self
    }
}

/// Why a validator was not registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// The name is taken, by a standard keyword or format or by another validator.
    #[error("`{name}` is taken: choose another name, or say that it replaces the registered one")]
    AlreadyExists {
        /// The name.
        name: String,
    },
    /// The name has not the form of a name.
    #[error(
        "`{name}` is no validator name: a lower-case letter, then letters, digits and hyphens, at most 64"
    )]
    NameInvalid {
        /// The name.
        name: String,
    },
    /// A validator it depends on is not registered yet; so no cycle can arise.
    #[error("`{name}` depends on `{dependency}`, which is not registered")]
    DependencyMissing {
        /// The name.
        name: String,
        /// What is missing.
        dependency: String,
    },
    /// The schema of its options is none.
    #[error("the meta-schema of `{name}` is not a legal schema: {reason}")]
    MetaSchemaInvalid {
        /// The name.
        name: String,
        /// The first finding.
        reason: String,
    },
    /// The expression does not compile, or there is no compiler for it.
    #[error("the expression of `{name}` does not compile: {reason}")]
    ExpressionInvalid {
        /// The name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The registry is full.
    #[error("more than {max} validators")]
    TooMany {
        /// The limit.
        max: usize,
    },
}

impl RegistrationError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists { .. } => "VALIDATOR_ALREADY_EXISTS",
            Self::NameInvalid { .. } => "VALIDATOR_NAME_INVALID",
            Self::DependencyMissing { .. } => "VALIDATOR_MISSING",
            Self::MetaSchemaInvalid { .. } => "INVALID_SCHEMA",
            Self::ExpressionInvalid { .. } => "EXPR_PARSE",
            Self::TooMany { .. } => "RESOURCE_LIMIT_EXCEEDED",
        }
    }
}

/// A registered validator.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) registration: Registration,
    pub(super) validator: CustomValidator,
    pub(super) meta: Option<CompiledSchema>,
    /// The compiled source of an expression validator.
    pub(super) rule: Option<Arc<dyn super::custom::ExpressionRule>>,
}

impl Entry {
    pub(super) fn applies_to(&self, value: &Value) -> bool {
        let types = &self.registration.applies_to;
        types.is_empty() || types.iter().any(|name| super::types::has_type(value, name))
    }
}

/// The validators a host registered at start-up; fixed once schemas are compiled with it.
///
/// ```
/// use augmented_core::schema::{CompiledSchema, CustomValidator, Registration, SchemaOptions, ValidatorRegistry};
/// use serde_json::json;
/// let mut validators = ValidatorRegistry::new();
/// validators.register(Registration::new("even-length", "text of even length"), CustomValidator::format(|text: &str| text.len() % 2 == 0)).unwrap();
/// let options = SchemaOptions::new().with_validators(validators.into());
/// let schema = CompiledSchema::compile(&json!({"format": "even-length"}), &options).unwrap();
/// assert!(schema.is_valid(&json!("ab")) && !schema.is_valid(&json!("abc")));
/// ```
#[derive(Clone)]
pub struct ValidatorRegistry {
    entries: BTreeMap<String, Entry>,
    expressions: Option<Arc<dyn ExpressionCompiler>>,
    max: usize,
}

impl Default for ValidatorRegistry {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for ValidatorRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map()
            .entries(
                self.entries
                    .iter()
                    .map(|(name, entry)| (name, &entry.validator)),
            )
            .finish()
    }
}

impl ValidatorRegistry {
    /// An empty registry; the shipped formats are known without registration.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
            expressions: None,
            max: DEFAULT_MAX,
        }
    }

    /// Sets how many validators it takes (50 without it).
    #[must_use]
    pub fn with_max(mut self, max: usize) -> Self {
        self.max = max;
        self
    }

    /// Sets the expression language of `x-custom-validator` and the format `expression`.
    #[must_use]
    pub fn with_expressions(mut self, compiler: Arc<dyn ExpressionCompiler>) -> Self {
        self.expressions = Some(compiler);
        self
    }

    /// Adds a validator.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`] says which rule it breaks.
    pub fn register(
        &mut self,
        registration: Registration,
        validator: CustomValidator,
    ) -> Result<(), RegistrationError> {
        let name = registration.name.clone();
        if !is_name(&name) {
            return Err(RegistrationError::NameInvalid { name });
        }
        let taken = self.entries.contains_key(&name) && !registration.replaces;
        if taken || is_standard(&name) {
            return Err(RegistrationError::AlreadyExists { name });
        }
        if let Some(dependency) = registration
            .dependencies
            .iter()
            .find(|d| **d == name || !self.entries.contains_key(*d))
        {
            return Err(RegistrationError::DependencyMissing {
                name,
                dependency: dependency.clone(),
            });
        }
        if self.entries.len() >= self.max && !self.entries.contains_key(&name) {
            return Err(RegistrationError::TooMany { max: self.max });
        }
        let meta = match &registration.meta_schema {
            None => None,
            Some(schema) => Some(
                CompiledSchema::compile(schema, &SchemaOptions::new()).map_err(|findings| {
                    let reason = findings
                        .first()
                        .map(ToString::to_string)
                        .unwrap_or_default();
                    RegistrationError::MetaSchemaInvalid {
                        name: name.clone(),
                        reason,
                    }
                })?,
            ),
        };
        let rule = match &validator {
            CustomValidator::Expression { source, .. } => {
                let compiled = match &self.expressions {
                    Some(compiler) => compiler.compile(source),
                    None => Err("no expression language is set".to_owned()),
                };
                Some(
                    compiled.map_err(|reason| RegistrationError::ExpressionInvalid {
                        name: name.clone(),
                        reason,
                    })?,
                )
            }
            _ => None,
        };
        self.entries.insert(
            name,
            Entry {
                registration,
                validator,
                meta,
                rule,
            },
        );
        Ok(())
    }

    /// The registrations, by name.
    pub fn registrations(&self) -> impl Iterator<Item = (&Registration, &'static str)> {
        self.entries
            .values()
            .map(|entry| (&entry.registration, entry.validator.kind()))
    }

    /// What the host said about a validator.
    #[must_use]
    pub fn registration(&self, name: &str) -> Option<&Registration> {
        self.entries.get(name).map(|entry| &entry.registration)
    }

    /// The implementation of a validator.
    #[must_use]
    pub fn validator(&self, name: &str) -> Option<&CustomValidator> {
        self.entries.get(name).map(|entry| &entry.validator)
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    pub(super) fn expressions(&self) -> Option<&Arc<dyn ExpressionCompiler>> {
        self.expressions.as_ref()
    }

    /// Tries a synchronous validator on inputs; one answer per case, in order.
    ///
    /// # Errors
    ///
    /// `VALIDATOR_MISSING` when there is none of that name, or it cannot be called by itself
    /// (keywords and asynchronous checks).
    pub fn try_out(
        &self,
        name: &str,
        cases: &[ValidatorCase],
    ) -> Result<Vec<CaseResult>, ValidationEngineError> {
        let missing = || ValidationEngineError::ValidatorMissing {
            name: name.to_owned(),
        };
        let entry = self.entries.get(name).ok_or_else(missing)?;
        if matches!(
            entry.validator,
            CustomValidator::Keyword(_) | CustomValidator::Remote(_)
        ) {
            return Err(missing());
        }
        Ok(cases.iter().map(|case| try_case(entry, case)).collect())
    }
}

/// One input of [`ValidatorRegistry::try_out`] with the answer that is expected.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ValidatorCase {
    /// The value.
    pub input: Value,
    /// Whether it should be valid.
    pub expected: bool,
    /// Options of the validator.
    pub options: Value,
    /// What surrounds the validation.
    pub context: ValidationContext,
}

impl ValidatorCase {
    /// A value and whether it should be valid.
    #[must_use]
    pub fn new(input: Value, expected: bool) -> Self {
        Self {
            input,
            expected,
            options: Value::Null,
            context: ValidationContext::default(),
        }
    }
}

/// The answer to one case.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CaseResult {
    /// Whether the answer is the expected one.
    pub passed: bool,
    /// Whether the value was valid; `None` when the validator failed.
    pub valid: Option<bool>,
    /// Complaints, or why the validator failed.
    pub messages: Vec<String>,
}

fn try_case(entry: &Entry, case: &ValidatorCase) -> CaseResult {
    let input = CheckInput {
        value: &case.input,
        root: &case.input,
        pointer: "",
        options: &case.options,
        context: &case.context,
    };
    let answer = guarded(|| match (&entry.validator, &entry.rule) {
        (CustomValidator::Format(check), _) => {
            let valid = case
                .input
                .as_str()
                .map_or(Ok(true), |text| check.check(text))?;
            Ok(if valid {
                Vec::new()
            } else {
                vec!["the text has not the format".to_owned()]
            })
        }
        (CustomValidator::Function(function), _) => Ok(function
            .validate(&input)?
            .into_iter()
            .map(|complaint| complaint.message)
            .collect()),
        (CustomValidator::Transformation(change), _) => change
            .transform(case.input.clone(), &case.options)
            .map(|_| Vec::new()),
        (CustomValidator::Expression { message, .. }, Some(rule)) => Ok(if rule.holds(&input)? {
            Vec::new()
        } else {
            vec![message.clone()]
        }),
        _ => Err(ValidatorError::new("cannot be called by itself")),
    });
    match answer {
        Ok(messages) => {
            let valid = messages.is_empty();
            CaseResult {
                passed: valid == case.expected,
                valid: Some(valid),
                messages,
            }
        }
        Err(error) => CaseResult {
            passed: false,
            valid: None,
            messages: vec![error.message],
        },
    }
}

/// Calls foreign code; its panic becomes an error.
pub(super) fn guarded<T>(
    call: impl FnOnce() -> Result<T, ValidatorError>,
) -> Result<T, ValidatorError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(ValidatorError::new(format!("panicked: {text}")))
    })
}

fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Whether the name is a keyword of any draft, or a standard or shipped format.
fn is_standard(name: &str) -> bool {
    let dialects = [Dialect::Draft7, Dialect::Draft201909, Dialect::Draft202012];
    dialects
        .iter()
        .any(|dialect| dialect.has_keyword(name) || format::is_standard(*dialect, name))
        || matches!(name, "id" | "extends" | "disallow" | "divisibleBy")
        || format::is_shipped(name)
}
