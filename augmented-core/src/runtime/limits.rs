//! What a decision depends on besides the workflow, the state and the message.

use serde::{Deserialize, Serialize};

/// The meaning of expressions that this engine implements; raised when an expression comes to mean something else.
const EXPRESSION_SEMANTICS: u16 = 1;

/// The meaning of steps that this engine implements; raised when the same message would lead another way.
const STEP_SEMANTICS: u16 = 1;

/// The limits and settings that decisions depend on.
///
/// An instance takes those of its engine when it begins and keeps them: they are part of its first fact and of its
/// state, so that replay and every later owner decide as the first one did, however they are set.
///
/// On the wire a member that has its default is left out. The defaults are thereby part of the format and never
/// change; an engine that wants others sets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "whoever decides must say all of them; `..DecideLimits::default()` covers the rest"
)]
pub struct DecideLimits {
    /// The meaning of expressions.
    pub expression_semantics: u16,
    /// The meaning of steps.
    pub step_semantics: u16,
    /// Visits of one step in one scope where the step states none (100).
    #[serde(skip_serializing_if = "is_default_step_visits")]
    pub max_step_visits: u32,
    /// Visits over all steps and scopes (100 000).
    #[serde(skip_serializing_if = "is_default_total_visits")]
    pub max_total_visits: u32,
    /// Bytes of variables, and of one step output (256 KiB each).
    #[serde(skip_serializing_if = "is_default_value_bytes")]
    pub max_value_bytes: u64,
    /// Bytes of all inputs, outputs, errors, kept signals and variables of an instance (1 MiB).
    #[serde(skip_serializing_if = "is_default_state_bytes")]
    pub max_state_bytes: u64,
    /// Signals kept for later steps before the door refuses more (1000).
    #[serde(skip_serializing_if = "is_default_signals")]
    pub max_signals: u32,
    /// How deep sub-workflows nest (10).
    #[serde(skip_serializing_if = "is_default_depth")]
    pub max_depth: u16,
    /// How long a cancellation waits for running tasks, in microseconds (30 s).
    #[serde(skip_serializing_if = "is_default_grace")]
    pub cancel_grace_micros: i64,
    /// Seed of the jitter of child retries (0).
    #[serde(skip_serializing_if = "is_default_seed")]
    pub seed: u64,
}

const DEFAULT: DecideLimits = DecideLimits {
    expression_semantics: EXPRESSION_SEMANTICS,
    step_semantics: STEP_SEMANTICS,
    max_step_visits: 100,
    max_total_visits: 100_000,
    max_value_bytes: 256 * 1024,
    max_state_bytes: 1024 * 1024,
    max_signals: 1000,
    max_depth: 10,
    cancel_grace_micros: 30_000_000,
    seed: 0,
};

impl DecideLimits {
    /// Whether this engine gives workflow and expressions the meaning they had for the instance at its start.
    #[must_use]
    pub const fn is_understood(&self) -> bool {
        self.expression_semantics == EXPRESSION_SEMANTICS && self.step_semantics == STEP_SEMANTICS
    }
}

impl Default for DecideLimits {
    fn default() -> Self {
        DEFAULT
    }
}

macro_rules! is_default {
    ($($name:ident => $field:ident: $type:ty),* $(,)?) => {
        $(
            const fn $name(value: &$type) -> bool {
                *value == DEFAULT.$field
            }
        )*
    };
}

is_default! {
    is_default_step_visits => max_step_visits: u32,
    is_default_total_visits => max_total_visits: u32,
    is_default_value_bytes => max_value_bytes: u64,
    is_default_state_bytes => max_state_bytes: u64,
    is_default_signals => max_signals: u32,
    is_default_depth => max_depth: u16,
    is_default_grace => cancel_grace_micros: i64,
    is_default_seed => seed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_written() {
        let text = |limits: &DecideLimits| serde_json::to_string(limits).unwrap();
        assert_eq!(
            text(&DecideLimits::default()),
            r#"{"expressionSemantics":1,"stepSemantics":1}"#
        );
        let limits = DecideLimits {
            max_step_visits: 7,
            seed: u64::MAX,
            ..DecideLimits::default()
        };
        let read: DecideLimits = serde_json::from_str(&text(&limits)).unwrap();
        assert_eq!(read, limits);
        assert!(text(&limits).contains("\"maxStepVisits\":7"));
    }
}
