//! The pure engine, on this thread or, for large documents, on one that may block.

use augmented_core::json::sort_findings;
use augmented_core::schema::{
    Coercion, CompiledSchema, DeferredCheck, Outcome, ValidateOptions, ValidationEngineError,
};
use augmented_core::validate::{Finding, Severity};
use serde_json::Value;

use crate::EngineError;

/// Documents above this size are judged where blocking does no harm.
pub(super) const LARGE: usize = 256 * 1024;

/// What is known about a document so far.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) valid: bool,
    pub(super) data: Option<Value>,
    pub(super) findings: Vec<Finding>,
    pub(super) coercions: Vec<Coercion>,
    pub(super) truncated: bool,
    /// Checks that are still to be made.
    pub(super) deferred: Vec<DeferredCheck>,
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        Self {
            valid: outcome.valid,
            data: outcome.data,
            findings: outcome.findings,
            coercions: outcome.coercions,
            truncated: outcome.truncated,
            deferred: outcome.deferred,
        }
    }
}

impl Verdict {
    /// About a text that is no document.
    pub(super) fn refused(findings: Vec<Finding>) -> Self {
        Self {
            valid: false,
            data: None,
            findings,
            coercions: Vec::new(),
            truncated: false,
            deferred: Vec::new(),
        }
    }

    /// Adds what deferred checks had to say.
    pub(super) fn add(&mut self, mut complaints: Vec<Finding>, options: &ValidateOptions) {
        if options.strict_mode {
            for complaint in &mut complaints {
                complaint.severity = Severity::Error;
            }
        }
        self.findings.append(&mut complaints);
        sort_findings(&mut self.findings);
        self.valid = !self.findings.iter().any(Finding::is_error);
        if !self.valid {
            self.data = None;
        }
        if self.findings.len() > options.max_findings {
            self.findings.truncate(options.max_findings);
            self.truncated = true;
        }
    }
}

/// Judges a value by the pure engine.
pub(super) fn judge(
    schema: &CompiledSchema,
    value: &Value,
    options: &ValidateOptions,
) -> Result<Verdict, EngineError> {
    let outcome = schema.validate_with(value, options);
    outcome.map(Verdict::from).map_err(engine_error)
}

/// Judges a value, on a thread of its own if it is large.
pub(super) async fn judge_anywhere(
    schema: &CompiledSchema,
    value: &Value,
    options: &ValidateOptions,
) -> Result<Verdict, EngineError> {
    if weight(value, LARGE) <= LARGE {
        return judge(schema, value, options);
    }
    let (schema, value, options) = (schema.clone(), value.clone(), options.clone());
    let judged = tokio::task::spawn_blocking(move || judge(&schema, &value, &options));
    judged.await.unwrap_or_else(|_| Err(panicked()))
}

/// The pure engine catches what panics in the host's code; so this is a fault of ours, or the runtime is going down.
pub(super) fn panicked() -> EngineError {
    EngineError::internal("the validation broke off")
}

/// About how many bytes a value has as text, counted no further than a limit.
pub(super) fn weight(value: &Value, limit: usize) -> usize {
    let mut total = 0;
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        total += 4 + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 4,
            Value::String(text) => text.len(),
            Value::Array(items) => {
                open.extend(items);
                0
            }
            Value::Object(members) => {
                open.extend(members.values());
                members.keys().map(|name| name.len() + 4).sum()
            }
        };
        if total > limit {
            break;
        }
    }
    total
}

fn engine_error(error: ValidationEngineError) -> EngineError {
    let message = error.to_string();
    match error {
        ValidationEngineError::ValidatorFailed { .. } => {
            EngineError::internal_because("VALIDATOR_FAILED", message)
        }
        ValidationEngineError::ValidatorMissing { .. } => {
            EngineError::internal_because("VALIDATOR_MISSING", message)
        }
        ValidationEngineError::ScopeAmbiguous { .. } => {
            EngineError::invalid("SCOPE_AMBIGUOUS", message, Vec::new())
        }
        ValidationEngineError::ScopeUnknown { .. } => {
            EngineError::invalid("SCOPE_UNKNOWN", message, Vec::new())
        }
        ValidationEngineError::ResourceLimit { .. } => {
            EngineError::internal_because("RESOURCE_LIMIT_EXCEEDED", message)
        }
        _ => EngineError::internal(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn complaints_are_put_in_order_and_decide() {
        let options = ValidateOptions::new().with_max_findings(2);
        let mut verdict = Verdict::refused(vec![Finding::warning("W", "/b", "b")]);
        verdict.valid = true;
        verdict.data = Some(json!(1));
        verdict.add(vec![Finding::warning("W", "/a", "a")], &options);
        assert!(verdict.valid && verdict.data.is_some());
        verdict.add(vec![Finding::error("E", "/a", "a")], &options);
        assert!(!verdict.valid && verdict.data.is_none() && verdict.truncated);
        let codes: Vec<_> = verdict.findings.iter().map(|f| f.code.as_ref()).collect();
        assert_eq!(codes, ["E", "W"]);
    }

    #[test]
    fn the_weight_is_about_the_size_of_the_text() {
        let value = json!({"name": "Ann", "tags": ["a", "b"], "age": 7});
        let text = value.to_string().len();
        assert!((text / 2..text * 2).contains(&weight(&value, LARGE)));
        assert!(weight(&json!("x".repeat(LARGE)), LARGE) > LARGE);
    }
}
