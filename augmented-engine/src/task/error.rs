//! What a handler says when it cannot do its work.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use augmented_core::json::replace_nul;
use augmented_core::{ErrorCategory, ErrorInfo};
use serde_json::Value;

/// Why an attempt failed, and whether another one may help.
///
/// A handler builds one of the kinds below, or uses `?` on any standard error, which becomes
/// `RUNTIME_ERROR` (category SYSTEM, retried).
///
/// ```
/// use augmented_engine::TaskError;
/// use std::time::Duration;
///
/// fn stock_left(answer: &str) -> Result<u32, TaskError> {
///     match answer {
///         "busy" => Err(TaskError::retryable("WAREHOUSE_BUSY", "the warehouse answers later").with_retry_after(Duration::from_secs(5))),
///         "gone" => Err(TaskError::business("OUT_OF_STOCK").with_message("nothing left on any shelf")),
///         number => Ok(number.parse()?),
///     }
/// }
/// assert_eq!(stock_left("7").unwrap(), 7);
/// assert!(stock_left("busy").unwrap_err().is_retryable());
/// assert_eq!(stock_left("gone").unwrap_err().code(), "OUT_OF_STOCK");
/// assert_eq!(stock_left("many").unwrap_err().code(), "RUNTIME_ERROR");
/// ```
pub struct TaskError {
    info: Box<ErrorInfo>,
    input_refused: bool,
}

impl TaskError {
    /// A rule of the business said no (category BUSINESS, not retried); handlers of the step match the code.
    pub fn business(code: impl Into<String>) -> Self {
        let code = code.into();
        let message = format!("the task reported {code}");
        Self::from_info(ErrorInfo::new(code, ErrorCategory::Business, message))
    }

    /// Likely to succeed when repeated (category TRANSIENT).
    pub fn retryable(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::from_info(ErrorInfo::new(code, ErrorCategory::Transient, message))
    }

    /// Will fail again in the same way (category PERMANENT, not retried).
    pub fn permanent(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::from_info(ErrorInfo::new(code, ErrorCategory::Permanent, message))
    }

    /// Data the task was given, or got from elsewhere, does not fit its contract (category VALIDATION, not retried).
    pub fn validation(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::from_info(ErrorInfo::new(code, ErrorCategory::Validation, message))
    }

    /// Identity or permission was refused (category SECURITY, not retried).
    pub fn security(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::from_info(ErrorInfo::new(code, ErrorCategory::Security, message))
    }

    /// Exactly this error.
    #[must_use]
    pub fn from_info(info: ErrorInfo) -> Self {
        Self {
            info: Box::new(info),
            input_refused: false,
        }
    }

    /// The input does not have the handler's type; no attempt is counted.
    pub(crate) fn input_refused(error: &serde_json::Error) -> Self {
        let message = format!("the input does not have the type the handler takes: {error}");
        Self {
            info: Box::new(ErrorInfo::new(
                "INPUT_VALIDATION_FAILED",
                ErrorCategory::Validation,
                message,
            )),
            input_refused: true,
        }
    }

    /// The output cannot be written as JSON.
    pub(crate) fn output_refused(error: &serde_json::Error) -> Self {
        Self::validation(
            "OUTPUT_VALIDATION_FAILED",
            format!("the output cannot be written as JSON: {error}"),
        )
    }

    /// The handler panicked.
    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let said = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::permanent(
            "HANDLER_PANIC",
            format!("the handler panicked: {}", said.unwrap_or("no message")),
        )
    }

    /// Says in words what happened.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.info.message = message.into();
        self
    }

    /// Attaches structured context, which error handlers of the workflow can read.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.info.details = Some(details);
        self
    }

    /// Sets the least wait before another attempt.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.info.retry_after_ms = Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Overrides whether another attempt may help.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.info.retryable = retryable;
        self
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.info.code
    }

    /// Whether another attempt may help, unless the retry policy says otherwise.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.info.retryable
    }

    /// The error as it is recorded.
    #[must_use]
    pub fn info(&self) -> &ErrorInfo {
        &self.info
    }

    /// The error as it is recorded, by value.
    #[must_use]
    pub fn into_info(self) -> ErrorInfo {
        *self.info
    }

    /// The same without the character U+0000, which databases do not keep: an error must be told whatever it says.
    pub(crate) fn storable(mut self) -> Self {
        for text in [&mut self.info.code, &mut self.info.message] {
            if text.contains('\0') {
                *text = text.replace('\0', "\u{FFFD}");
            }
        }
        if let Some(details) = &mut self.info.details {
            replace_nul(details);
        }
        self
    }

    pub(crate) fn is_input_refused(&self) -> bool {
        self.input_refused
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for TaskError {
    fn from(error: E) -> Self {
        if let Some(info) = (&error as &dyn Any).downcast_ref::<ErrorInfo>() {
            return Self::from_info(info.clone());
        }
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::from_info(ErrorInfo::new(
            "RUNTIME_ERROR",
            ErrorCategory::System,
            message,
        ))
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.info, f)
    }
}

// The details of an error are payload, which stays out of logs.
impl fmt::Debug for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskError")
            .field("code", &self.info.code)
            .field("category", &self.info.category)
            .field("retryable", &self.info.retryable)
            .field("message", &self.info.message)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standard_error_becomes_a_retryable_system_error_with_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("saving failed")]
        struct Saving(#[source] std::num::ParseIntError);
        let error = TaskError::from(Saving("x".parse::<u8>().unwrap_err()));
        let info = error.info();
        assert_eq!(
            (info.code.as_str(), info.category, info.retryable),
            ("RUNTIME_ERROR", ErrorCategory::System, true)
        );
        assert_eq!(info.message, "saving failed: invalid digit found in string");
    }

    #[test]
    fn an_error_info_passes_through_unchanged() {
        let info =
            ErrorInfo::new("LINE_BUSY", ErrorCategory::Transient, "busy").with_retry_after_ms(7);
        assert_eq!(*TaskError::from(info.clone()).info(), info);
    }

    #[test]
    fn a_business_error_is_not_retried_and_details_stay_out_of_debug() {
        let error =
            TaskError::business("NO_CREDIT").with_details(serde_json::json!({"card": "4711"}));
        assert!(!error.is_retryable());
        assert!(!format!("{error:?}").contains("4711"));
    }
}
