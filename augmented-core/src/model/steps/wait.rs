//! Steps that wait: for an event, a signal, time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::shape;
use crate::model::since::Since;
use crate::model::tag::present;
use crate::model::transition::{OnFailure, Transition};
use crate::time::IsoDuration;

/// Waits for an event or a signal. Exactly one of `eventPattern`, `eventPatterns` and `signalType` says for which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("type", "EVENT_WAIT"), transform = shape::event_wait)]
pub struct EventWaitStep {
    /// Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.
    #[schemars(extend("examples" = ["approve-order", "ship"]), transform = shape::step_id)]
    pub step_id: String,
    /// Name shown to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Approve order"]), transform = shape::label)]
    pub name: Option<String>,
    /// What the step is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Checks the order and ships it."]))]
    pub description: Option<String>,
    /// Pattern of the event names to wait for, with at least one literal segment. `*` stands for one segment, a trailing `**` for one or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["payment.received"]), transform = shape::event_pattern)]
    pub event_pattern: Option<String>,
    /// Several patterns, 2 to 8; the first event that fits any of them is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [["payment.received", "payment.refused"]]), transform = shape::event_patterns)]
    pub event_patterns: Option<Vec<String>>,
    /// Name of the signal to wait for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("examples" = ["approve"]))]
    pub signal_type: Option<String>,
    /// Expression over `event` that gives the key of an event. Needs `correlationValue`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["event.payload.orderId"]))]
    pub correlation_key: Option<String>,
    /// Expression over the instance that gives the key to wait for, evaluated when the step is entered. Needs `correlationKey`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["input.orderId"]))]
    pub correlation_value: Option<String>,
    /// Expression that must be true for an event to be taken. Values of the instance are those at entry; one that cannot be evaluated counts as false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["event.payload.amount > 1000"]))]
    pub event_condition: Option<String>,
    /// How old an event may be: INSTANCE accepts events since the instance began, STEP since the step was entered, a duration (at most P7D) reaches back that far before the entry. Default: INSTANCE.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "INSTANCE"), extend("examples" = ["STEP", "PT1H"]), transform = shape::since)]
    pub since: Option<Since>,
    /// How long to wait. Default: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"duration": "P3D", "timeoutHandlerStepId": "remind"}]))]
    pub event_timeout: Option<EventTimeout>,
    /// Mapping evaluated when the step is entered; its result is the step's input. Default: an empty object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"orderId": "${input.orderId}", "total": "${sum(input.items.map(i, i.price))}"}]))]
    pub input: Option<Value>,
    /// Mapping that turns the raw result, read as `output`, into the step's output. Default: the raw result.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"approved": "${output.decision == 'approved'}"}]))]
    pub output_mapping: Option<Value>,
    /// Workflow variables to write after success, each with a mapping. All of them see the old values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"approvedBy": "${output.userId}", "rounds": "${vars.rounds + 1}"}]))]
    pub assign: Option<Map<String, Value>>,
    /// Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"nextStepId": "ship", "on": "Approved"}, {"nextStepId": "reject"}]]))]
    pub next: Option<Vec<Transition>>,
    /// What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"action": "CONTINUE", "nextStepId": "report"}, {"handlers": [{"errorCategory": "BUSINESS", "nextStepId": "reject"}]}]))]
    pub on_failure: Option<OnFailure>,
    /// How often the step may be entered in one scope, a guard against endless loops. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100000), extend("default" = 100), extend("examples" = [10]))]
    pub max_visits: Option<u32>,
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"owner": "sales", "reviewedAt": "2026-01-31"}]))]
    pub metadata: Option<Map<String, Value>>,
}

impl EventWaitStep {
    /// The event patterns, one or several; empty when the step waits for a signal.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        match (&self.event_pattern, &self.event_patterns) {
            (Some(one), _) => std::slice::from_ref(one),
            (None, Some(many)) => many,
            (None, None) => &[],
        }
    }

    /// How old an event may be.
    #[must_use]
    pub fn since(&self) -> Since {
        self.since.clone().unwrap_or_default()
    }
}

/// How long an EVENT_WAIT waits. Exactly one of `duration` and `until` says it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::event_timeout)]
pub struct EventTimeout {
    /// How long to wait, counted from the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["P3D"]))]
    pub duration: Option<IsoDuration>,
    /// Expression that gives the instant until which to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["timestamp(input.dueAt)"]))]
    pub until: Option<String>,
    /// The step to go on at when nothing came. Default: the step fails with EVENT_WAIT_TIMEOUT.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["remind"]), transform = shape::step_id)]
    pub timeout_handler_step_id: Option<String>,
}

/// Waits for a length of time or until an instant. Exactly one of `duration` and `until` says how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("type", "DELAY"), transform = shape::delay)]
pub struct DelayStep {
    /// Id of the step, unique in the whole definition, nested steps included. Expressions read its result as `steps.<stepId>.output`.
    #[schemars(extend("examples" = ["approve-order", "ship"]), transform = shape::step_id)]
    pub step_id: String,
    /// Name shown to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Approve order"]), transform = shape::label)]
    pub name: Option<String>,
    /// What the step is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Checks the order and ships it."]))]
    pub description: Option<String>,
    /// How long to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["PT10M"]))]
    pub duration: Option<IsoDuration>,
    /// Expression that gives the instant to wait for, a timestamp or an RFC 3339 text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["timestamp(input.dueAt)", "now + duration('24h')"]))]
    pub until: Option<String>,
    /// IANA time zone for an instant without offset and for the calendar. Default: UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), extend("default" = "UTC"), extend("examples" = ["Europe/Berlin"]))]
    pub timezone: Option<String>,
    /// Business calendar of the host; the delay ends at its next working instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["german-holidays"]), transform = shape::business_id)]
    pub calendar_id: Option<String>,
    /// Mapping evaluated when the step is entered; its result is the step's input. Default: an empty object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"orderId": "${input.orderId}", "total": "${sum(input.items.map(i, i.price))}"}]))]
    pub input: Option<Value>,
    /// Mapping that turns the raw result, read as `output`, into the step's output. Default: the raw result.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"approved": "${output.decision == 'approved'}"}]))]
    pub output_mapping: Option<Value>,
    /// Workflow variables to write after success, each with a mapping. All of them see the old values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"approvedBy": "${output.userId}", "rounds": "${vars.rounds + 1}"}]))]
    pub assign: Option<Map<String, Value>>,
    /// Where to go after success: rules in order, the first that holds is taken. Default: the path ends here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"nextStepId": "ship", "on": "Approved"}, {"nextStepId": "reject"}]]))]
    pub next: Option<Vec<Transition>>,
    /// What happens when the step fails for good. Default: the error goes on to the enclosing container, then to the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"action": "CONTINUE", "nextStepId": "report"}, {"handlers": [{"errorCategory": "BUSINESS", "nextStepId": "reject"}]}]))]
    pub on_failure: Option<OnFailure>,
    /// How often the step may be entered in one scope, a guard against endless loops. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100000), extend("default" = 100), extend("examples" = [10]))]
    pub max_visits: Option<u32>,
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"owner": "sales", "reviewedAt": "2026-01-31"}]))]
    pub metadata: Option<Map<String, Value>>,
}

impl DelayStep {
    /// IANA time zone for an instant without offset and for the calendar.
    #[must_use]
    pub fn timezone(&self) -> &str {
        self.timezone.as_deref().unwrap_or("UTC")
    }
}
