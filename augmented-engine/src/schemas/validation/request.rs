//! What a validation is asked with, and what it answers.

use std::time::Duration;

use augmented_core::schema::{Coercion, ValidateOptions};
use augmented_core::validate::Finding;
use serde_json::Value;

use super::judge::Verdict;

/// The longest a validation may be given.
const LONGEST: Duration = Duration::from_secs(60);

/// How a document is validated.
///
/// ```
/// use augmented_core::schema::ValidateOptions;
/// use augmented_engine::ValidationRequest;
/// use std::time::Duration;
/// let request = ValidationRequest::new()
///     .with_version("1.1.0")
///     .with_options(ValidateOptions::new().with_coercion(true))
///     .with_timeout(Duration::from_secs(1));
/// assert_eq!(request.version.as_deref(), Some("1.1.0"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ValidationRequest {
    /// The version. Default: the highest published one.
    pub version: Option<String>,
    /// The options of the engine.
    pub options: ValidateOptions,
    /// How long it may take, asynchronous validators included, 10 ms to 60 s. Default: 5 s.
    pub timeout: Duration,
    /// A candidate version to judge by, too, without an effect on the verdict. It may be a draft.
    pub shadow_version: Option<String>,
}

impl Default for ValidationRequest {
    fn default() -> Self {
        Self {
            version: None,
            options: ValidateOptions::default(),
            timeout: Duration::from_secs(5),
            shadow_version: None,
        }
    }
}

impl ValidationRequest {
    /// By the highest published version, within 5 s.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the version.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the options of the engine.
    #[must_use]
    pub fn with_options(mut self, options: ValidateOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets how long it may take, 10 ms to 60 s.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = limited(timeout);
        self
    }

    /// Sets a candidate version to judge by, too.
    #[must_use]
    pub fn with_shadow_version(mut self, version: impl Into<String>) -> Self {
        self.shadow_version = Some(version.into());
        self
    }
}

pub(super) fn limited(timeout: Duration) -> Duration {
    timeout.clamp(Duration::from_millis(10), LONGEST)
}

/// The verdict about a document.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ValidationResult {
    /// Whether no finding is an ERROR.
    pub valid: bool,
    /// The coerced and defaulted copy, when it is valid and one of these options was on.
    pub data: Option<Value>,
    /// What is wrong, in order.
    pub findings: Vec<Finding>,
    /// What was converted.
    pub coercions: Vec<Coercion>,
    /// How the verdict came about.
    pub meta: ValidationMeta,
}

/// How a verdict came about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValidationMeta {
    /// The schema; none for one that is not registered.
    pub schema_id: Option<String>,
    /// The exact version that was used; none for one that is not registered.
    pub version: Option<String>,
    /// SHA-256 of the canonical form of the schema.
    pub content_hash: [u8; 32],
    /// How long it took on the engine's clock; 0 on virtual time, which stands still meanwhile.
    pub duration_ms: u64,
    /// How many findings there are.
    pub finding_count: usize,
    /// Whether findings were left out.
    pub truncated: bool,
    /// What the candidate version said.
    pub shadow: Option<ShadowResult>,
}

/// What a candidate version said about a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShadowResult {
    /// The candidate.
    pub version: String,
    /// Its verdict without asynchronous checks; none if it could not judge.
    pub valid: Option<bool>,
    /// Whether its verdict is another than that of the version in use, both without asynchronous checks.
    pub diverges: bool,
    /// How many findings it has.
    pub finding_count: usize,
    /// Why it could not judge, for example `SCHEMA_VERSION_NOT_FOUND`.
    pub failure: Option<&'static str>,
}

impl ShadowResult {
    pub(super) fn new(
        version: String,
        in_use: bool,
        verdict: Result<Verdict, &'static str>,
    ) -> Self {
        match verdict {
            Ok(verdict) => Self {
                version,
                valid: Some(verdict.valid),
                diverges: verdict.valid != in_use,
                finding_count: verdict.findings.len(),
                failure: None,
            },
            Err(reason) => Self {
                version,
                valid: None,
                diverges: false,
                finding_count: 0,
                failure: Some(reason),
            },
        }
    }
}

impl ValidationResult {
    pub(super) fn new(verdict: Verdict, content_hash: [u8; 32]) -> Self {
        Self {
            valid: verdict.valid,
            data: verdict.data,
            meta: ValidationMeta {
                schema_id: None,
                version: None,
                content_hash,
                duration_ms: 0,
                finding_count: verdict.findings.len(),
                truncated: verdict.truncated,
                shadow: None,
            },
            findings: verdict.findings,
            coercions: verdict.coercions,
        }
    }
}
