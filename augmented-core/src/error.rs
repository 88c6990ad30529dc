//! The one error shape that steps, tasks and instances carry.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why something failed, as far as retries and handlers care.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCategory {
    /// Likely to succeed when repeated, for example a lost connection.
    Transient,
    /// Will fail again in the same way.
    Permanent,
    /// A rule of the business said no.
    Business,
    /// A fault of the machinery, or an unclassified error.
    System,
    /// A limit of time ran out.
    Timeout,
    /// Data did not fit its contract.
    Validation,
    /// Identity or permission was refused.
    Security,
}

impl ErrorCategory {
    /// Every category, in wire order.
    pub const ALL: [Self; 7] = [
        Self::Transient,
        Self::Permanent,
        Self::Business,
        Self::System,
        Self::Timeout,
        Self::Validation,
        Self::Security,
    ];

    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "TRANSIENT",
            Self::Permanent => "PERMANENT",
            Self::Business => "BUSINESS",
            Self::System => "SYSTEM",
            Self::Timeout => "TIMEOUT",
            Self::Validation => "VALIDATION",
            Self::Security => "SECURITY",
        }
    }

    /// Whether an error of this category is retried unless it says otherwise.
    #[must_use]
    pub const fn retryable_by_default(self) -> bool {
        matches!(self, Self::Transient | Self::System | Self::Timeout)
    }
}

impl fmt::Display for ErrorCategory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure as it is recorded, shown to expressions (root `error`) and returned by the API.
///
/// Programs read `code`, never `message`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ErrorInfo {
    /// Stable code, for example `EXECUTION_TIMEOUT`.
    pub code: String,
    /// What kind of failure it is.
    pub category: ErrorCategory,
    /// What happened, for people.
    pub message: String,
    /// Whether another attempt may help.
    pub retryable: bool,
    /// The least wait before another attempt, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Structured context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

impl ErrorInfo {
    /// Makes an error that is retryable as its category is by default.
    pub fn new(
        code: impl Into<String>,
        category: ErrorCategory,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code: code.into(),
            category,
            message: message.into(),
            retryable: category.retryable_by_default(),
            retry_after_ms: None,
            details: None,
        }
    }

    /// Overrides whether another attempt may help.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// Sets the least wait before another attempt.
    #[must_use]
    pub fn with_retry_after_ms(mut self, millis: u64) -> Self {
        self.retry_after_ms = Some(millis);
        self
    }

    /// Attaches structured context.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }
}

impl fmt::Display for ErrorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.category, self.message)
    }
}

impl std::error::Error for ErrorInfo {}
