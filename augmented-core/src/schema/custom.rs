//! Validators a host adds: formats, keywords, functions, expressions, asynchronous checks and
//! transformations.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::time::Timestamp;

/// A validator could not answer; never the same as "invalid".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct ValidatorError {
    /// What went wrong.
    pub message: String,
    /// Whether asking again may help.
    pub retryable: bool,
}

impl ValidatorError {
    /// A failure that will happen again.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retryable: false,
        }
    }

    /// A failure that may be gone at the next attempt.
    pub fn transient(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retryable: true,
        }
    }
}

/// What a custom validator has against a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Complaint {
    /// Where, as a JSON Pointer relative to the value that was given; `""` is the value itself.
    pub pointer: String,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// The finding's code; `custom-validator` or the keyword's name without one.
    pub code: Option<String>,
    /// What would be right.
    pub hint: Option<String>,
}

impl Complaint {
    /// A complaint about the value itself.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            pointer: String::new(),
            message: message.into(),
            code: None,
            hint: None,
        }
    }

    /// Names the part of the value that is wrong.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = pointer.into();
        self
    }

    /// Sets the finding's code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Says what would be right.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What surrounds a validation: visible to custom validators, never part of the verdict otherwise.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ValidationContext {
    /// The present instant, if the caller has a clock.
    pub now: Option<Timestamp>,
    /// Principal, tenant, correlation id and the like.
    pub data: Map<String, Value>,
}

impl ValidationContext {
    /// Sets the present instant.
    #[must_use]
    pub fn with_now(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// Adds a value.
    #[must_use]
    pub fn with_value(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.data.insert(name.into(), value.into());
        self
    }
}

/// What a custom validator is given.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CheckInput<'a> {
    /// The value at the place of the schema.
    pub value: &'a Value,
    /// The whole document.
    pub root: &'a Value,
    /// Where the value stands in it.
    pub pointer: &'a str,
    /// The options the schema gives, `null` without any.
    pub options: &'a Value,
    /// What surrounds the validation.
    pub context: &'a ValidationContext,
}

/// A named string format.
///
/// A closure `Fn(&str) -> bool` is one.
pub trait FormatCheck: Send + Sync {
    /// Whether the text has the format.
    ///
    /// # Errors
    ///
    /// When no answer can be given.
    fn check(&self, text: &str) -> Result<bool, ValidatorError>;
}

impl<F: Fn(&str) -> bool + Send + Sync> FormatCheck for F {
    fn check(&self, text: &str) -> Result<bool, ValidatorError> {
        Ok(self(text))
    }
}

/// A new keyword; one check is built for each place a schema uses it.
pub trait KeywordFactory: Send + Sync {
    /// Builds the check for the keyword's value, `parent` being the schema around it.
    ///
    /// # Errors
    ///
    /// What is wrong with the value; it becomes an `INVALID_SCHEMA` finding.
    fn build(
        &self,
        value: &Value,
        parent: &Map<String, Value>,
    ) -> Result<Arc<dyn FunctionValidator>, String>;
}

/// A check of any value, called through `x-custom-validator` or made by a [`KeywordFactory`].
///
/// A closure `Fn(&CheckInput) -> Result<Vec<Complaint>, ValidatorError>` is one.
pub trait FunctionValidator: Send + Sync {
    /// Checks a value; no complaint means that it is valid.
    ///
    /// # Errors
    ///
    /// When no answer can be given.
    fn validate(&self, input: &CheckInput<'_>) -> Result<Vec<Complaint>, ValidatorError>;
}

impl<F> FunctionValidator for F
where
    F: Fn(&CheckInput<'_>) -> Result<Vec<Complaint>, ValidatorError> + Send + Sync,
{
    fn validate(&self, input: &CheckInput<'_>) -> Result<Vec<Complaint>, ValidatorError> {
        self(input)
    }
}

/// A check that needs I/O, for example uniqueness. The pure engine returns such checks as
/// [`DeferredCheck`](super::DeferredCheck)s; a shell with a runtime carries them out.
#[async_trait]
pub trait AsyncValidator: Send + Sync {
    /// Checks a value that passed its structural checks.
    ///
    /// # Errors
    ///
    /// When no answer can be given.
    async fn validate(
        &self,
        value: &Value,
        options: &Value,
        context: &ValidationContext,
    ) -> Result<Vec<Complaint>, ValidatorError>;
}

/// A change of a value before it is checked, for example trimming.
///
/// A closure `Fn(Value, &Value) -> Result<Value, ValidatorError>` is one.
pub trait Transformation: Send + Sync {
    /// Returns the changed value.
    ///
    /// # Errors
    ///
    /// When the value cannot be changed.
    fn transform(&self, value: Value, options: &Value) -> Result<Value, ValidatorError>;
}

impl<F: Fn(Value, &Value) -> Result<Value, ValidatorError> + Send + Sync> Transformation for F {
    fn transform(&self, value: Value, options: &Value) -> Result<Value, ValidatorError> {
        self(value, options)
    }
}

/// Compiles the expressions of `x-custom-validator` and checks the format `expression`; the
/// expression language stays unknown to the schema engine.
pub trait ExpressionCompiler: Send + Sync {
    /// Compiles an expression over `value`, `root`, `options` and `now`.
    ///
    /// # Errors
    ///
    /// What is wrong with the source.
    fn compile(&self, source: &str) -> Result<Arc<dyn ExpressionRule>, String>;

    /// Whether a text is an expression at all, whatever names it reads.
    fn is_expression(&self, source: &str) -> bool;
}

/// A compiled expression.
pub trait ExpressionRule: Send + Sync {
    /// Whether it holds.
    ///
    /// # Errors
    ///
    /// When it cannot be evaluated.
    fn holds(&self, input: &CheckInput<'_>) -> Result<bool, ValidatorError>;
}

/// Where the implementation of a named validator lives.
#[derive(Clone)]
#[non_exhaustive]
pub enum CustomValidator {
    /// A string format.
    Format(Arc<dyn FormatCheck>),
    /// A keyword.
    Keyword(Arc<dyn KeywordFactory>),
    /// A function.
    Function(Arc<dyn FunctionValidator>),
    /// A named expression and the message when it does not hold.
    Expression {
        /// The source.
        source: String,
        /// What is wrong when it does not hold.
        message: String,
    },
    /// An asynchronous check.
    Remote(Arc<dyn AsyncValidator>),
    /// A transformation.
    Transformation(Arc<dyn Transformation>),
}

impl CustomValidator {
    /// A string format.
    pub fn format(check: impl FormatCheck + 'static) -> Self {
        Self::Format(Arc::new(check))
    }

    /// A keyword.
    pub fn keyword(factory: impl KeywordFactory + 'static) -> Self {
        Self::Keyword(Arc::new(factory))
    }

    /// A function.
    pub fn function(validator: impl FunctionValidator + 'static) -> Self {
        Self::Function(Arc::new(validator))
    }

    /// A named expression and the message when it does not hold.
    pub fn expression(source: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Expression {
            source: source.into(),
            message: message.into(),
        }
    }

    /// An asynchronous check.
    pub fn remote(validator: impl AsyncValidator + 'static) -> Self {
        Self::Remote(Arc::new(validator))
    }

    /// A transformation.
    pub fn transformation(transformation: impl Transformation + 'static) -> Self {
        Self::Transformation(Arc::new(transformation))
    }

    /// Its kind's name.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Format(_) => "format",
            Self::Keyword(_) => "keyword",
            Self::Function(_) => "function",
            Self::Expression { .. } => "expression",
            Self::Remote(_) => "remote",
            Self::Transformation(_) => "transformation",
        }
    }
}

impl std::fmt::Debug for CustomValidator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}
