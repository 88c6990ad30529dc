//! The result of a run as JSON.

use augmented_core::Timestamp;
use augmented_core::runtime::{HistoryEntry, HistoryType, InstanceStatus};
use augmented_engine::{InstanceView, StepView, WaitingFor};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// An instance as `augmented run` prints it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunResult {
    instance_id: String,
    pub(crate) workflow_id: String,
    pub(crate) version: String,
    pub(crate) status: InstanceStatus,
    pub(crate) output: Value,
    pub(crate) error: Option<Value>,
    waiting_for: Vec<Value>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) completed_at: Option<Timestamp>,
    steps: Map<String, Value>,
    pub(crate) history: Vec<HistoryEntry>,
}

impl RunResult {
    pub(crate) fn new(view: &InstanceView, history: Vec<HistoryEntry>) -> Self {
        let state = view.state();
        Self {
            instance_id: view.id().to_string(),
            workflow_id: view.flow().workflow_id().to_string(),
            version: view.flow().version().to_string(),
            status: view.status(),
            output: view.output().clone(),
            error: error(view),
            waiting_for: view.waiting_for().iter().map(waiting).collect(),
            started_at: state.started_at,
            completed_at: state.completed_at,
            steps: steps(view, &history),
            history,
        }
    }
}

/// Every step that was ever entered; of those in scopes that are closed only the history knows.
fn steps(view: &InstanceView, history: &[HistoryEntry]) -> Map<String, Value> {
    let mut steps = past_steps(history);
    let known = view.steps();
    let known = known
        .iter()
        .map(|step| (place(&step.scope_path, &step.step_id), step_json(step)));
    steps.extend(known);
    steps
}

/// The steps of a history as their last visit left them; it does not tell what they gave.
fn past_steps(history: &[HistoryEntry]) -> Map<String, Value> {
    let mut steps = Map::new();
    for entry in history {
        let (Some(step), Some(visit)) = (&entry.step_id, entry.visit) else {
            continue;
        };
        let status = match entry.entry_type {
            HistoryType::StepStarted => "RUNNING",
            HistoryType::StepWaiting => "WAITING",
            HistoryType::StepRetryScheduled => "RETRYING",
            HistoryType::StepCompleted => "COMPLETED",
            HistoryType::StepFailed => "FAILED",
            HistoryType::StepSkipped => "SKIPPED",
            HistoryType::StepCancelled => "CANCELLED",
            _ => continue,
        };
        let error = entry
            .details
            .as_ref()
            .and_then(|details| details.get("error"));
        steps.insert(
            place(&entry.scope_path, step),
            json!({
                "status": status,
                "outcome": entry.outcome,
                "visits": visit,
                "attempts": entry.attempt.unwrap_or(0),
                "output": null,
                "error": error,
            }),
        );
    }
    steps
}

/// `stepId`, in front of it the scope if it is not the root.
pub(crate) fn place(scope_path: &str, step_id: &str) -> String {
    if scope_path.is_empty() {
        step_id.to_owned()
    } else {
        format!("{scope_path}/{step_id}")
    }
}

fn error(view: &InstanceView) -> Option<Value> {
    let mut error = serde_json::to_value(view.error()?).ok()?;
    let failed = view
        .state()
        .error
        .as_ref()
        .and_then(|error| error.failed_step_id.as_deref());
    if let (Value::Object(members), Some(step)) = (&mut error, failed) {
        members.insert("failedStepId".to_owned(), step.into());
    }
    Some(error)
}

fn waiting(waiting: &WaitingFor) -> Value {
    let mut value = json!({
        "stepId": waiting.step_id,
        "scopePath": waiting.scope_path,
        "kind": waiting.kind.as_str(),
        "until": waiting.until,
    });
    if let Value::Object(members) = &mut value {
        members.extend(
            waiting
                .signal_type
                .as_ref()
                .map(|signal| ("signalType".to_owned(), json!(signal))),
        );
        members.extend(
            waiting
                .child
                .map(|child| ("childInstanceId".to_owned(), json!(child.to_string()))),
        );
    }
    value
}

fn step_json(step: &StepView) -> Value {
    json!({
        "status": step.status,
        "outcome": step.outcome,
        "visits": step.visits,
        "attempts": step.attempts,
        "output": step.output,
        "error": step.error,
    })
}
