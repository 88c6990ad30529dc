//! What can be wrong with an expression: statically (a problem) and at evaluation (an error).

use serde_json::Value;

use crate::error::{ErrorCategory, ErrorInfo};
use crate::validate::Arguments;

/// Text that is no expression.
pub const EXPR_PARSE: &str = "EXPR_PARSE";
/// A root that is not legal at the place of the expression.
pub const EXPR_UNKNOWN_ROOT: &str = "EXPR_UNKNOWN_ROOT";
/// A member that the record does not have.
pub const EXPR_UNKNOWN_MEMBER: &str = "EXPR_UNKNOWN_MEMBER";
/// A function that does not exist, or not in this form.
pub const EXPR_UNKNOWN_FUNCTION: &str = "EXPR_UNKNOWN_FUNCTION";
/// A limit of size, depth or cost was passed.
pub const EXPR_LIMIT: &str = "EXPR_LIMIT";
/// Types that certainly do not fit.
pub const EXPR_TYPE: &str = "EXPR_TYPE";
/// An evaluation failed.
pub const EXPR_EVAL: &str = "EXPR_EVAL";
/// A condition yielded something else than a bool.
pub const EXPR_NOT_BOOL: &str = "EXPR_NOT_BOOL";
/// A list or an object stands inside a text template.
pub const EXPR_TEMPLATE_TYPE: &str = "EXPR_TEMPLATE_TYPE";
/// `name` and `name?` stand beside each other.
pub const DUPLICATE_KEY: &str = "DUPLICATE_KEY";

/// Something wrong with an expression, found before it ever runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExprProblem {
    /// Stable code, one of the `EXPR_*` constants.
    pub code: &'static str,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// Where, in Unicode scalar values from the start of the source.
    pub offset: Option<usize>,
    /// What would be right.
    pub hint: Option<String>,
    /// The whole source repaired, given only where the repair is certain.
    pub replacement: Option<String>,
    pub(crate) arguments: Arguments,
}

impl ExprProblem {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut arguments = Arguments::default();
        // The parser and the types have their own words, which no argument can take apart.
        if matches!(code, EXPR_PARSE | EXPR_TYPE) {
            arguments.set("problem", message.as_str());
        }
        Self {
            code,
            message,
            offset: None,
            hint: None,
            replacement: None,
            arguments,
        }
    }

    pub(crate) fn argument(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.arguments.set(name, value);
        self
    }

    pub(crate) fn optional_argument(
        self,
        name: &'static str,
        value: Option<impl Into<Value>>,
    ) -> Self {
        match value {
            Some(value) => self.argument(name, value),
            None => self,
        }
    }

    /// The arguments of the message, as the code declares them for findings.
    #[must_use]
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    pub(crate) fn at(mut self, offset: Option<usize>) -> Self {
        self.offset = offset;
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl std::fmt::Display for ExprProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(offset) = self.offset {
            write!(f, " at character {}", offset + 1)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

/// A problem inside a mapping or template tree.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TemplateProblem {
    /// The place inside the tree, as a JSON Pointer; `""` is the tree itself.
    pub pointer: String,
    /// The problem; its offset and replacement concern the whole string at the pointer.
    pub problem: ExprProblem,
}

/// A failed evaluation: never worth a retry, because the same data fails again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
#[non_exhaustive]
pub struct ExprError {
    /// `EXPR_EVAL`, `EXPR_NOT_BOOL`, `EXPR_LIMIT` or `EXPR_TEMPLATE_TYPE`.
    pub code: &'static str,
    /// What happened; lower case, no full stop.
    pub message: String,
}

impl ExprError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub(crate) fn eval(message: impl Into<String>) -> Self {
        Self::new(EXPR_EVAL, message)
    }
}

impl From<ExprError> for ErrorInfo {
    fn from(error: ExprError) -> Self {
        Self::new(error.code, ErrorCategory::Validation, error.message)
    }
}
