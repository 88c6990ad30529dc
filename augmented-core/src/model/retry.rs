//! When a failed attempt is repeated, and after which delay.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ErrorInfo;
use crate::time::IsoDuration;

/// How often and how soon failed attempts are repeated; members left out have the shared defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Attempts in total, the first one included. Default: 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100), extend("default" = 3), extend("examples" = [5, 1]))]
    pub max_attempts: Option<u32>,
    /// Delay before the second attempt. Default: PT1S.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "PT1S"), extend("examples" = ["PT1S"]))]
    pub initial_interval: Option<IsoDuration>,
    /// What the delay is multiplied by after each further failure. Default: 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10), extend("default" = 2), extend("examples" = [2, 1.5]))]
    pub backoff_multiplier: Option<f64>,
    /// The longest delay. Default: PT30S.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "PT30S"), extend("examples" = ["PT1M"]))]
    pub max_interval: Option<IsoDuration>,
    /// How far a delay is moved up or down at random, as a fraction of it. Default: 0.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1), extend("default" = 0.2), extend("examples" = [0.2, 0]))]
    pub jitter: Option<f64>,
    /// Error codes or categories to retry; if given, no others are. Default: what the error itself says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(length(min = 1, max = 255)), extend("examples" = [["TRANSIENT", "TIMEOUT"]]))]
    pub retryable_errors: Option<Vec<String>>,
    /// Error codes or categories never to retry; wins over everything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(length(min = 1, max = 255)), extend("default" = []), extend("examples" = [["CARD_DECLINED"]]))]
    pub non_retryable_errors: Option<Vec<String>>,
}

impl RetryPolicy {
    /// Fills in the shared defaults.
    ///
    /// ```
    /// use augmented_core::model::RetryPolicy;
    /// let policy = RetryPolicy::default().resolve();
    /// assert_eq!(policy.max_attempts(), 3);
    /// // Without jitter (0.5 is the middle of the range): 1 s, then 2 s.
    /// assert_eq!(policy.delay_after(1, None, 0.5), 1_000_000);
    /// assert_eq!(policy.delay_after(2, None, 0.5), 2_000_000);
    /// ```
    #[must_use]
    pub fn resolve(&self) -> ResolvedRetryPolicy {
        let micros = |stated: &Option<IsoDuration>, default: i64| {
            stated.as_ref().map_or(default, IsoDuration::as_micros)
        };
        ResolvedRetryPolicy {
            max_attempts: self.max_attempts.unwrap_or(3),
            initial_micros: micros(&self.initial_interval, 1_000_000),
            multiplier: self.backoff_multiplier.unwrap_or(2.0),
            max_micros: micros(&self.max_interval, 30_000_000),
            jitter: self.jitter.unwrap_or(0.2),
            retryable: self.retryable_errors.clone(),
            non_retryable: self.non_retryable_errors.clone().unwrap_or_default(),
        }
    }

    /// The same policy with `attempts` attempts in total where it does not say how many.
    #[must_use]
    pub fn or_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts.get_or_insert(attempts);
        self
    }
}

/// A retry policy with every member known.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedRetryPolicy {
    max_attempts: u32,
    initial_micros: i64,
    multiplier: f64,
    max_micros: i64,
    jitter: f64,
    retryable: Option<Vec<String>>,
    non_retryable: Vec<String>,
}

impl Default for ResolvedRetryPolicy {
    fn default() -> Self {
        RetryPolicy::default().resolve()
    }
}

impl ResolvedRetryPolicy {
    /// Attempts in total, the first one included.
    #[must_use]
    pub const fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// Microseconds to wait after `failures` failed attempts.
    ///
    /// `jitter_unit` is a random number from 0 (inclusive) to 1 (exclusive) and comes from the caller, so that the
    /// answer is reproducible. The delay is never below what the error asked for, and never negative.
    #[must_use]
    pub fn delay_after(&self, failures: u32, retry_after_ms: Option<u64>, jitter_unit: f64) -> i64 {
        let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a delay needs no more than 53 bits"
        )]
        let (initial, cap) = (self.initial_micros as f64, self.max_micros as f64);
        // 0 × ∞ is NaN, which `min` would turn into the cap.
        let grown = if initial == 0.0 {
            0.0
        } else {
            initial * self.multiplier.powi(exponent)
        };
        let spread = 1.0 - self.jitter + 2.0 * self.jitter * jitter_unit;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float cast saturates, and the cap keeps it small"
        )]
        let delay = (grown.min(cap) * spread).round() as i64;
        let floor = retry_after_ms.map_or(0, |ms| {
            i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1000)
        });
        delay.max(floor)
    }

    /// Whether to try again after `error`, which ended attempt number `failures`.
    #[must_use]
    pub fn retries(&self, error: &ErrorInfo, failures: u32) -> bool {
        let named = |names: &[String]| {
            names
                .iter()
                .any(|name| *name == error.code || name == error.category.as_str())
        };
        failures < self.max_attempts
            && !named(&self.non_retryable)
            && self.retryable.as_deref().map_or(error.retryable, named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCategory;

    fn policy(json: &str) -> ResolvedRetryPolicy {
        serde_json::from_str::<RetryPolicy>(json).unwrap().resolve()
    }

    #[test]
    fn delays_grow_to_the_cap_and_spread_by_the_jitter() {
        for (json, failures, unit, micros) in [
            ("{}", 1, 0.5, 1_000_000),
            ("{}", 2, 0.5, 2_000_000),
            ("{}", 3, 0.5, 4_000_000),
            ("{}", 6, 0.5, 30_000_000),
            ("{}", u32::MAX, 0.5, 30_000_000),
            ("{}", 1, 0.0, 800_000),
            ("{}", 1, 0.75, 1_100_000),
            (r#"{"jitter":0,"backoffMultiplier":1}"#, 9, 0.9, 1_000_000),
            (r#"{"jitter":1,"initialInterval":"PT2S"}"#, 1, 0.0, 0),
            (r#"{"initialInterval":"PT0S"}"#, u32::MAX, 0.9, 0),
            (
                r#"{"initialInterval":"PT1M","maxInterval":"PT1S","jitter":0}"#,
                1,
                0.3,
                1_000_000,
            ),
        ] {
            assert_eq!(
                policy(json).delay_after(failures, None, unit),
                micros,
                "{json} after {failures} at {unit}"
            );
        }
    }

    #[test]
    fn a_delay_is_never_below_what_the_error_asked_for() {
        assert_eq!(policy("{}").delay_after(1, Some(5_000), 0.5), 5_000_000);
        assert_eq!(policy("{}").delay_after(1, Some(10), 0.5), 1_000_000);
        assert_eq!(policy("{}").delay_after(1, Some(u64::MAX), 0.5), i64::MAX);
    }

    #[test]
    fn codes_and_categories_decide_what_is_retried() {
        let transient = ErrorInfo::new("LINE_BUSY", ErrorCategory::Transient, "busy");
        let business = ErrorInfo::new("NO_CREDIT", ErrorCategory::Business, "no");
        for (json, error, failures, expected) in [
            ("{}", &transient, 1, true),
            ("{}", &transient, 2, true),
            ("{}", &transient, 3, false),
            ("{}", &business, 1, false),
            (r#"{"retryableErrors":["NO_CREDIT"]}"#, &business, 1, true),
            (r#"{"retryableErrors":["BUSINESS"]}"#, &business, 1, true),
            (r#"{"retryableErrors":["BUSINESS"]}"#, &transient, 1, false),
            (r#"{"retryableErrors":[]}"#, &transient, 1, false),
            (
                r#"{"nonRetryableErrors":["TRANSIENT"]}"#,
                &transient,
                1,
                false,
            ),
            (
                r#"{"retryableErrors":["LINE_BUSY"],"nonRetryableErrors":["LINE_BUSY"]}"#,
                &transient,
                1,
                false,
            ),
            (r#"{"maxAttempts":1}"#, &transient, 1, false),
        ] {
            assert_eq!(
                policy(json).retries(error, failures),
                expected,
                "{json} {} after {failures}",
                error.code
            );
        }
    }

    #[test]
    fn attempts_are_filled_in_only_where_absent() {
        assert_eq!(
            RetryPolicy::default()
                .or_attempts(5)
                .resolve()
                .max_attempts(),
            5
        );
        assert_eq!(
            RetryPolicy {
                max_attempts: Some(2),
                ..RetryPolicy::default()
            }
            .or_attempts(5)
            .resolve()
            .max_attempts(),
            2
        );
    }
}
