//! Asynchronous checks: a few at a time, each within its limit.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use augmented_core::schema::{
    Complaint, CustomValidator, DeferredCheck, ValidationContext, ValidatorError, ValidatorRegistry,
};
use augmented_core::validate::Finding;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::time::Instant;

use crate::EngineError;

/// How many checks of a call run at the same time.
const AT_ONCE: usize = 8;

/// A check that is to be made.
pub(super) struct Pending {
    /// The item of the batch it belongs to.
    pub(super) item: usize,
    pub(super) check: DeferredCheck,
}

/// What became of a check.
pub(super) struct Answer {
    pub(super) item: usize,
    /// Its place among the checks.
    pub(super) place: usize,
    pub(super) findings: Result<Vec<Finding>, EngineError>,
}

/// Makes checks, eight at a time; the answers come in the order of the checks. What the deadline cuts off has no verdict.
pub(super) async fn carry_out(
    validators: &ValidatorRegistry,
    checks: Vec<Pending>,
    context: &ValidationContext,
    deadline: Instant,
) -> Vec<Answer> {
    let work = checks
        .into_iter()
        .enumerate()
        .map(|(place, pending)| async move {
            Answer {
                item: pending.item,
                place,
                findings: make(validators, &pending.check, context, deadline).await,
            }
        });
    let mut answers: Vec<Answer> = stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
    answers.sort_by_key(|answer| answer.place);
    answers
}

async fn make(
    validators: &ValidatorRegistry,
    check: &DeferredCheck,
    context: &ValidationContext,
    deadline: Instant,
) -> Result<Vec<Finding>, EngineError> {
    let registered = validators
        .validator(&check.validator)
        .zip(validators.registration(&check.validator));
    let Some((CustomValidator::Remote(validator), registration)) = registered else {
        return Err(EngineError::internal_because(
            "VALIDATOR_MISSING",
            format!("the validator `{}` is not registered", check.validator),
        ));
    };
    // The call itself is the host's code, too.
    let call = async {
        validator
            .validate(&check.value, &check.options, context)
            .await
    };
    let own_end = Instant::now() + registration.limit;
    let guarded = AssertUnwindSafe(call).catch_unwind();
    let complaints = match tokio::time::timeout_at(own_end.min(deadline), guarded).await {
        Ok(Ok(Ok(complaints))) => complaints,
        Ok(Ok(Err(error))) => return Err(failed(check, &error)),
        Ok(Err(_)) => return Err(failed(check, &ValidatorError::new("it panicked"))),
        Err(_) if own_end <= deadline => {
            return Err(failed(check, &too_slow(registration.limit)));
        }
        Err(_) => return Err(over_time()),
    };
    Ok(complaints
        .into_iter()
        .map(|complaint| finding(check, complaint))
        .collect())
}

fn finding(check: &DeferredCheck, complaint: Complaint) -> Finding {
    let pointer = format!("{}{}", check.pointer, complaint.pointer);
    let code = complaint
        .code
        .unwrap_or_else(|| "custom-validator".to_owned());
    let mut finding = Finding::new(check.severity, code, pointer, complaint.message)
        .with_argument("validator", check.validator.as_str());
    finding.hint = complaint.hint;
    finding
}

fn too_slow(limit: Duration) -> ValidatorError {
    ValidatorError::transient(format!("it took longer than {} ms", limit.as_millis()))
}

fn failed(check: &DeferredCheck, error: &ValidatorError) -> EngineError {
    let again = if error.retryable {
        "; trying again may help"
    } else {
        ""
    };
    EngineError::internal_because(
        "VALIDATOR_FAILED",
        format!(
            "the validator `{}` failed at `{}`: {error}{again}",
            check.validator, check.pointer
        ),
    )
}

/// The call as a whole took too long.
pub(super) fn over_time() -> EngineError {
    EngineError::Unavailable {
        reason: "VALIDATION_TIMEOUT",
        message: "the validation did not end in time, so there is no verdict; try again later"
            .to_owned(),
        source: None,
    }
}
