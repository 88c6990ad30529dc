//! Where a step goes next, after success and after failure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::shape;
use super::tag::present;
use crate::error::{ErrorCategory, ErrorInfo};

/// One rule of `next`: the step to go to, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Transition {
    /// The step to go to, in the same scope or in an enclosing one.
    #[schemars(extend("examples" = ["ship"]), transform = shape::step_id)]
    pub next_step_id: String,
    /// Outcome code, or list of codes, for which the rule holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Approved", ["Approved", "Accepted"]]))]
    pub on: Option<OutcomeFilter>,
    /// Expression that must be true for the rule to hold. With `on`, both must hold; with neither the rule is the default and stands last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["output.amount > 1000"]))]
    pub condition: Option<String>,
}

impl Transition {
    /// Whether this is the rule that always holds.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.on.is_none() && self.condition.is_none()
    }
}

/// One outcome code or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OutcomeFilter {
    /// One code.
    One(String),
    /// Any of several codes.
    Many(Vec<String>),
}

impl OutcomeFilter {
    /// The codes.
    #[must_use]
    pub fn codes(&self) -> &[String] {
        match self {
            Self::One(code) => std::slice::from_ref(code),
            Self::Many(codes) => codes,
        }
    }

    /// Whether `outcome` is one of the codes.
    #[must_use]
    pub fn contains(&self, outcome: &str) -> bool {
        self.codes().iter().any(|code| code == outcome)
    }
}

/// What happens when a step fails for good.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct OnFailure {
    /// What to do when no handler fits: STOP passes the error on to the enclosing container and then to the workflow, CONTINUE goes on as if the step had succeeded. Default: STOP.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "STOP"), extend("examples" = ["CONTINUE"]))]
    pub action: Option<FailureAction>,
    /// The step to go on at with CONTINUE. Default: the last rule of `next` if it has no condition, else the path ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["report"]), transform = shape::step_id)]
    pub next_step_id: Option<String>,
    /// Handlers, tried in order; the first that fits wins over `action`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"errorCode": "CARD_DECLINED", "nextStepId": "ask-for-other-card"}]]))]
    pub handlers: Option<Vec<FailureHandler>>,
}

impl OnFailure {
    /// What to do when no handler fits.
    #[must_use]
    pub fn action(&self) -> FailureAction {
        self.action.unwrap_or_default()
    }

    /// The handlers, in order.
    #[must_use]
    pub fn handlers(&self) -> &[FailureHandler] {
        self.handlers.as_deref().unwrap_or_default()
    }
}

/// What to do with an error that no handler took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailureAction {
    /// The error goes on to the enclosing container, then to the workflow.
    #[default]
    Stop,
    /// The path goes on.
    Continue,
}

/// The step to go to for certain errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct FailureHandler {
    /// Category of the errors it takes. Default: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["BUSINESS"]))]
    pub error_category: Option<ErrorCategory>,
    /// Code of the errors it takes. Default: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("examples" = ["CARD_DECLINED"]))]
    pub error_code: Option<String>,
    /// Expression over `error` and the usual roots that must be true. Default: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["error.attempt > 1"]))]
    pub condition: Option<String>,
    /// The step to go to. It reads the error as `error`.
    #[schemars(extend("examples" = ["ask-for-other-card"]), transform = shape::step_id)]
    pub next_step_id: String,
    /// Mapping whose members replace those of the handler step's own `input`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"code": "${error.code}"}]))]
    pub input_mapping: Option<Value>,
}

impl FailureHandler {
    /// Whether category and code fit; a `condition` is the caller's to evaluate.
    #[must_use]
    pub fn takes(&self, error: &ErrorInfo) -> bool {
        self.error_category
            .is_none_or(|category| category == error.category)
            && self
                .error_code
                .as_ref()
                .is_none_or(|code| *code == error.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn outcomes_are_one_code_or_a_list() {
        for (filter, codes) in [(json!("A"), vec!["A"]), (json!(["A", "B"]), vec!["A", "B"])] {
            let read: OutcomeFilter = serde_json::from_value(filter.clone()).unwrap();
            assert_eq!(read.codes(), codes);
            assert!(read.contains("A") && !read.contains("C"));
            assert_eq!(serde_json::to_value(&read).unwrap(), filter);
        }
    }

    #[test]
    fn handlers_take_errors_by_category_and_code() {
        let declined = ErrorInfo::new("CARD_DECLINED", ErrorCategory::Business, "no");
        for (handler, takes) in [
            (json!({"nextStepId": "a"}), true),
            (
                json!({"nextStepId": "a", "errorCode": "CARD_DECLINED"}),
                true,
            ),
            (json!({"nextStepId": "a", "errorCode": "OTHER"}), false),
            (
                json!({"nextStepId": "a", "errorCategory": "BUSINESS", "errorCode": "CARD_DECLINED"}),
                true,
            ),
            (
                json!({"nextStepId": "a", "errorCategory": "TIMEOUT", "errorCode": "CARD_DECLINED"}),
                false,
            ),
        ] {
            let read: FailureHandler = serde_json::from_value(handler.clone()).unwrap();
            assert_eq!(read.takes(&declined), takes, "{handler}");
        }
    }

    #[test]
    fn only_a_rule_without_conditions_is_the_default() {
        for (rule, default) in [
            (json!({"nextStepId": "a"}), true),
            (json!({"nextStepId": "a", "on": "X"}), false),
            (json!({"nextStepId": "a", "condition": "true"}), false),
        ] {
            assert_eq!(
                serde_json::from_value::<Transition>(rule)
                    .unwrap()
                    .is_default(),
                default
            );
        }
    }
}
