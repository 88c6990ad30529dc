//! What the engine answers when it does not do what it was asked.

use std::borrow::Cow;

use augmented_core::store::StoreError;
use augmented_core::validate::Finding;

/// Why a call of the engine was refused or failed.
///
/// Programs read [`code`](Self::code) and [`reason`](Self::reason), never the text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The request is not right; the findings say what, where, and how to repair it.
    #[error("{message}{}", first_of(findings))]
    InvalidArgument {
        /// The more specific code, for example `INPUT_INVALID`.
        reason: &'static str,
        /// What was refused.
        message: String,
        /// Everything that is wrong.
        findings: Vec<Finding>,
    },
    /// There is no such thing, or the caller may not see it.
    #[error("{message}")]
    NotFound {
        /// The more specific code, for example `WORKFLOW_NOT_FOUND`.
        reason: &'static str,
        /// What was looked for.
        message: String,
    },
    /// Such a thing exists already.
    #[error("{message}")]
    AlreadyExists {
        /// The more specific code, for example `SCHEMA_ALREADY_EXISTS`.
        reason: &'static str,
        /// What exists.
        message: String,
    },
    /// The thing has changed since the caller read it: reload it and decide again.
    #[error("{message}")]
    VersionConflict {
        /// What was expected, and what there is.
        message: String,
    },
    /// The state of the thing does not allow this.
    #[error("{message}{}", first_of(findings))]
    IllegalState {
        /// The more specific code, for example `STATUS_FORBIDS`.
        reason: &'static str,
        /// What does not go, and why.
        message: String,
        /// What stands in the way, where that can be listed.
        findings: Vec<Finding>,
    },
    /// The same idempotency key was used with other input.
    #[error(
        "the idempotency key `{key}` was used before with other input: use a new key, or the same input"
    )]
    IdempotencyConflict {
        /// The key.
        key: String,
    },
    /// A limit is reached.
    #[error("{message}")]
    CapacityExceeded {
        /// The more specific code, for example `SIGNAL_QUEUE_FULL`.
        reason: &'static str,
        /// Which limit.
        message: String,
    },
    /// The engine or its store cannot serve the call now; trying again later may help.
    #[error("{message}")]
    Unavailable {
        /// The more specific code, for example `STORE_UNAVAILABLE`.
        reason: &'static str,
        /// What is not there.
        message: String,
        /// The store's error.
        #[source]
        source: Option<StoreError>,
    },
    /// A fault of the engine or a contradiction in the store.
    #[error("{message}")]
    Internal {
        /// The more specific code, where there is one, for example `VALIDATOR_FAILED`.
        reason: Option<&'static str>,
        /// What went wrong.
        message: Cow<'static, str>,
        /// The store's error.
        #[source]
        source: Option<StoreError>,
    },
}

impl EngineError {
    /// The code shared by all areas, for example `INVALID_ARGUMENT`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidArgument { .. } => "INVALID_ARGUMENT",
            Self::NotFound { .. } => "NOT_FOUND",
            Self::AlreadyExists { .. } => "ALREADY_EXISTS",
            Self::VersionConflict { .. } => "VERSION_CONFLICT",
            Self::IllegalState { .. } => "ILLEGAL_STATE",
            Self::IdempotencyConflict { .. } => "IDEMPOTENCY_CONFLICT",
            Self::CapacityExceeded { .. } => "CAPACITY_EXCEEDED",
            Self::Unavailable { .. } => "UNAVAILABLE",
            Self::Internal { .. } => "INTERNAL",
        }
    }

    /// The more specific code, where there is one.
    #[must_use]
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::InvalidArgument { reason, .. }
            | Self::NotFound { reason, .. }
            | Self::AlreadyExists { reason, .. }
            | Self::IllegalState { reason, .. }
            | Self::CapacityExceeded { reason, .. }
            | Self::Unavailable { reason, .. } => Some(reason),
            Self::Internal { reason, .. } => *reason,
            Self::VersionConflict { .. } | Self::IdempotencyConflict { .. } => None,
        }
    }

    /// Everything that is wrong with the request, or stands in its way.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::InvalidArgument { findings, .. } | Self::IllegalState { findings, .. } => {
                findings
            }
            _ => &[],
        }
    }

    pub(crate) fn invalid(
        reason: &'static str,
        message: impl Into<String>,
        findings: Vec<Finding>,
    ) -> Self {
        Self::InvalidArgument {
            reason,
            message: message.into(),
            findings,
        }
    }

    pub(crate) fn not_found(reason: &'static str, message: impl Into<String>) -> Self {
        Self::NotFound {
            reason,
            message: message.into(),
        }
    }

    pub(crate) fn illegal_state(reason: &'static str, message: impl Into<String>) -> Self {
        Self::IllegalState {
            reason,
            message: message.into(),
            findings: Vec::new(),
        }
    }

    pub(crate) fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Internal {
            reason: None,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn internal_because(
        reason: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Internal {
            reason: Some(reason),
            message: message.into(),
            source: None,
        }
    }

    /// The engine is shut down, or about to be.
    pub(crate) fn stopped() -> Self {
        Self::Unavailable {
            reason: "ENGINE_STOPPED",
            message: "the engine is shut down and takes no calls".to_owned(),
            source: None,
        }
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } => Self::Unavailable {
                reason: "STORE_UNAVAILABLE",
                message: "the store cannot be reached, and whether the call took effect is unknown; try again later".to_owned(),
                source: Some(error),
            },
            _ => Self::Internal { reason: None, message: Cow::Borrowed("the store is inconsistent"), source: Some(error) },
        }
    }
}

/// The first finding, for people who see only the text.
fn first_of(findings: &[Finding]) -> String {
    match findings {
        [] => String::new(),
        [only] => format!(": {only}"),
        [first, rest @ ..] => format!(": {first} (and {} more)", rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_reasons_and_findings_are_read_without_the_text() {
        let findings = vec![
            Finding::error("REQUIRED", "", "`orderId` is missing"),
            Finding::error("TYPE", "/amount", "not a number"),
        ];
        let error = EngineError::invalid("INPUT_INVALID", "the input does not fit", findings);
        assert_eq!(
            (error.code(), error.reason(), error.findings().len()),
            ("INVALID_ARGUMENT", Some("INPUT_INVALID"), 2)
        );
        assert_eq!(
            error.to_string(),
            "the input does not fit: ERROR REQUIRED at the root: `orderId` is missing (and 1 more)"
        );
        let error = EngineError::from(StoreError::unavailable("connection refused"));
        assert_eq!(
            (error.code(), error.reason()),
            ("UNAVAILABLE", Some("STORE_UNAVAILABLE"))
        );
    }
}
