//! The result of a run for people.

use augmented_core::Timestamp;
use augmented_core::runtime::{HistoryEntry, HistoryType, InstanceStatus, StepStatus};
use augmented_engine::{InstanceView, StepView, WaitingFor};
use serde_json::Value;

use super::result::{RunResult, place};
use crate::terminal::{Style, Table, Terminal, one_line};

/// Status, output, steps, what is awaited, and the history.
pub(crate) fn render(terminal: Terminal, view: &InstanceView, result: &RunResult) -> String {
    let mut text = headline(terminal, result);
    if let Some(error) = view.error() {
        let failed = view
            .state()
            .error
            .as_ref()
            .and_then(|error| error.failed_step_id.as_deref());
        let at = failed.map_or_else(String::new, |step| format!(" at step {step}"));
        text.push_str(&format!(
            "{} {}{at}\n",
            terminal.paint(Style::Bad, "error"),
            one_line(&error.to_string(), 500)
        ));
    }
    if !result.output.is_null() {
        let output = serde_json::to_string_pretty(&result.output).unwrap_or_default();
        text.push_str(&format!(
            "\n{}\n{output}\n",
            terminal.paint(Style::Bold, "Output")
        ));
    }
    text.push_str(&format!("\n{}\n", terminal.paint(Style::Bold, "Steps")));
    text.push_str(&steps(terminal, &view.steps()));
    let waiting = view.waiting_for();
    if !waiting.is_empty() {
        text.push_str(&format!(
            "\n{}\n",
            terminal.paint(Style::Bold, "Waiting for")
        ));
        text.push_str(&waits(terminal, &waiting));
    }
    text.push_str(&format!("\n{}\n", terminal.paint(Style::Bold, "History")));
    text.push_str(&history(terminal, result.started_at, &result.history));
    text
}

fn headline(terminal: Terminal, result: &RunResult) -> String {
    let style = match result.status {
        InstanceStatus::Completed => Style::Good,
        InstanceStatus::Failed | InstanceStatus::Cancelled => Style::Bad,
        InstanceStatus::Created
        | InstanceStatus::Running
        | InstanceStatus::WaitingForEvent
        | InstanceStatus::Paused
        | InstanceStatus::Cancelling
        | InstanceStatus::Compensating => Style::Warning,
    };
    let name = terminal.paint(
        Style::Bold,
        &format!("{}@{}", result.workflow_id, result.version),
    );
    let took = match (result.started_at, result.completed_at) {
        (Some(from), Some(to)) => format!(" after {}", length(to.micros_since(from))),
        _ => String::new(),
    };
    format!(
        "{name} {}{took}\n",
        terminal.paint(style, result.status.as_str())
    )
}

fn steps(terminal: Terminal, steps: &[StepView]) -> String {
    let mut table = Table::with_header(&[
        "STEP", "TYPE", "STATUS", "OUTCOME", "VISITS", "ATTEMPTS", "TOOK",
    ]);
    for step in steps {
        let style = match step.status {
            StepStatus::Completed => Style::Good,
            StepStatus::Failed => Style::Bad,
            StepStatus::Cancelled | StepStatus::Skipped => Style::Dim,
            StepStatus::Running | StepStatus::Waiting | StepStatus::Retrying => Style::Warning,
        };
        let number = |count: u32| {
            if count == 0 {
                String::new()
            } else {
                count.to_string()
            }
        };
        let took = step
            .completed_at
            .map_or_else(String::new, |end| length(end.micros_since(step.started_at)));
        table.row(vec![
            (
                Style::Plain,
                one_line(&place(&step.scope_path, &step.step_id), 60),
            ),
            (
                Style::Dim,
                step.step_type
                    .map_or_else(String::new, |step_type| step_type.to_string()),
            ),
            (style, step.status.to_string()),
            (
                Style::Plain,
                one_line(step.outcome.as_deref().unwrap_or_default(), 30),
            ),
            (Style::Plain, number(step.visits)),
            (Style::Plain, number(step.attempts)),
            (Style::Dim, took),
        ]);
    }
    table.render(terminal, "  ")
}

fn waits(terminal: Terminal, waiting: &[WaitingFor]) -> String {
    let mut table = Table::default();
    for wait in waiting {
        let what = match &wait.signal_type {
            Some(signal) => format!("signal {signal}"),
            None => wait.kind.as_str().to_lowercase().replace('_', " "),
        };
        table.row(vec![
            (
                Style::Plain,
                one_line(&place(&wait.scope_path, &wait.step_id), 60),
            ),
            (Style::Warning, one_line(&what, 60)),
            (
                Style::Dim,
                wait.until
                    .map_or_else(String::new, |until| format!("until {until}")),
            ),
        ]);
    }
    table.render(terminal, "  ")
}

fn history(terminal: Terminal, started: Option<Timestamp>, entries: &[HistoryEntry]) -> String {
    let mut table = Table::with_header(&["SEQ", "AT", "WHAT", "STEP", "DETAILS"]);
    for entry in entries {
        let style = match entry.entry_type {
            HistoryType::StepFailed | HistoryType::WorkflowFailed => Style::Bad,
            HistoryType::StepRetryScheduled
            | HistoryType::StaleResult
            | HistoryType::CancelRequested
            | HistoryType::Paused
            | HistoryType::TakenOver => Style::Warning,
            HistoryType::StepCompleted | HistoryType::WorkflowCompleted => Style::Good,
            _ => Style::Plain,
        };
        let at = started.map_or_else(
            || entry.at.to_string(),
            |start| format!("+{}", length(entry.at.micros_since(start))),
        );
        let step = entry.step_id.as_ref().map_or_else(
            || entry.scope_path.clone(),
            |step| place(&entry.scope_path, step),
        );
        table.row(vec![
            (
                Style::Dim,
                entry
                    .seq
                    .map_or_else(|| "…".to_owned(), |seq| seq.to_string()),
            ),
            (Style::Dim, at),
            (style, name_of(entry.entry_type)),
            (Style::Plain, one_line(&step, 60)),
            (Style::Dim, one_line(&details(entry), 90)),
        ]);
    }
    table.render(terminal, "  ")
}

fn name_of(entry_type: HistoryType) -> String {
    let name = serde_json::to_value(entry_type).ok();
    name.as_ref()
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn details(entry: &HistoryEntry) -> String {
    let mut parts = Vec::new();
    if let Some(visit) = entry.visit.filter(|visit| *visit > 1) {
        parts.push(format!("visit {visit}"));
    }
    if let Some(attempt) = entry
        .attempt
        .filter(|attempt| *attempt > 1 || entry.entry_type == HistoryType::StepRetryScheduled)
    {
        parts.push(format!("attempt {attempt}"));
    }
    if let Some(outcome) = entry
        .outcome
        .as_deref()
        .filter(|outcome| *outcome != "SUCCESS")
    {
        parts.push(outcome.to_owned());
    }
    parts.extend(entry.actor.as_ref().map(|actor| format!("by {actor}")));
    match (entry.entry_type, entry.details.as_ref()) {
        (_, None) => {}
        (HistoryType::TransitionTaken, Some(details)) => {
            let text = |name: &str| {
                details
                    .get(name)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            parts.push(format!("to {}", text("to")));
            parts.extend(details.get("rule").map(|rule| format!("rule {rule}")));
        }
        (_, Some(details)) => parts.push(match details.get("error") {
            Some(error) => {
                let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
                let next = details
                    .get("nextAttemptAt")
                    .and_then(Value::as_str)
                    .map_or_else(String::new, |at| format!(", next {at}"));
                format!("{}: {}{next}", text("code"), text("message"))
            }
            None => pairs(details),
        }),
    }
    parts.join(", ")
}

/// `name value` for every member.
fn pairs(details: &Value) -> String {
    let Value::Object(members) = details else {
        return details.to_string();
    };
    let pair = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name} {text}"),
        other => format!("{name} {other}"),
    };
    members.iter().map(pair).collect::<Vec<_>>().join(", ")
}

/// A length of time in the largest units that matter.
fn length(micros: i64) -> String {
    // An instance is created a moment before it begins.
    let micros = micros.max(0);
    let (days, hours) = (micros / 86_400_000_000, micros / 3_600_000_000 % 24);
    let (minutes, seconds) = (micros / 60_000_000 % 60, micros / 1_000_000 % 60);
    match (days, hours, minutes, seconds) {
        (0, 0, 0, 0) => format!("{}.{:03} ms", micros / 1000, micros % 1000),
        (0, 0, 0, seconds) => format!("{seconds}.{:03} s", micros / 1000 % 1000),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn lengths_are_told_in_their_largest_units() {
        for (micros, expected) in [
            (0, "0.000 ms"),
            (1_500, "1.500 ms"),
            (2_250_000, "2.250 s"),
            (61_000_000, "1 min 1 s"),
            (7_260_000_000, "2 h 1 min"),
            (93_600_000_000, "1 d 2 h"),
        ] {
            assert_eq!(length(micros), expected);
        }
    }
}
