//! From facts to the history people read.

use augmented_core::runtime::{
    Activity, Fact, HistoryEntry, HistoryType, InstanceHeader, InstanceState, Message, PathRef,
    StepIdx, TaskDone, TrailEntry,
};
use augmented_core::store::AttemptRow;
use serde_json::{Value, json};

use super::graph::CompiledWorkflow;

/// Expands facts into history entries, ordered by `seq` and then by what happened first inside each.
///
/// `open` adds what is under way: failed attempts of open tasks, and the attempts themselves as entries without `seq`.
#[must_use]
pub fn history(
    flow: &CompiledWorkflow,
    header: &InstanceHeader,
    facts: &[Fact],
    open: Option<(&InstanceState, &[AttemptRow])>,
) -> Vec<HistoryEntry> {
    let mut writer = Writer {
        flow,
        entries: Vec::with_capacity(facts.len() * 4),
    };
    for fact in facts {
        writer.fact(header, fact);
    }
    if let Some((state, attempts)) = open {
        writer.open_work(state, attempts);
    }
    writer.entries
}

struct Writer<'a> {
    flow: &'a CompiledWorkflow,
    entries: Vec<HistoryEntry>,
}

impl Writer<'_> {
    fn fact(&mut self, header: &InstanceHeader, fact: &Fact) {
        let entry = |entry_type| HistoryEntry::new(Some(fact.seq), fact.at, entry_type);
        match &fact.message {
            Message::Start(_) => {
                let mut created = entry(HistoryType::WorkflowCreated);
                created.at = header.created_at;
                created.actor = header.initiator_id.as_ref().map(ToString::to_string);
                self.entries.push(created);
                self.entries.push(entry(HistoryType::WorkflowStarted));
            }
            Message::TaskDone(done) => self.failed_attempts(fact, done),
            Message::Signal(_)
            | Message::Timer(_)
            | Message::ChildDone(_)
            | Message::Cancel(_)
            | Message::Pause(_)
            | Message::Resume(_) => {}
        }
        for step in &fact.trail {
            self.trail(fact, step);
        }
    }

    fn failed_attempts(&mut self, fact: &Fact, done: &TaskDone) {
        let place = fact.trail.iter().find_map(place_of);
        let visit = fact.trail.iter().find_map(visit_of);
        for attempt in &done.failed_attempts {
            let mut entry = HistoryEntry::new(
                Some(fact.seq),
                attempt.ended_at,
                HistoryType::StepRetryScheduled,
            );
            if let Some((step, path)) = place {
                self.put_place(&mut entry, step, path);
            }
            entry.visit = visit;
            entry.attempt = Some(attempt.attempt);
            entry.details = Some(json!({
                "attempt": attempt.attempt,
                "error": attempt.error,
                "delayMs": attempt.delay_ms,
                "nextAttemptAt": attempt.next_attempt_at,
            }));
            self.entries.push(entry);
        }
    }

    fn put_place(&self, entry: &mut HistoryEntry, step: StepIdx, path: &PathRef) {
        entry.step_id = self.flow.step_id(step).map(ToString::to_string);
        entry.scope_path = path.as_deref().unwrap_or_default().to_owned();
    }

    fn trail(&mut self, fact: &Fact, from: &TrailEntry) {
        let Some(entry_type) = type_of(fact, from) else {
            return;
        };
        let mut entry = HistoryEntry::new(Some(fact.seq), fact.at, entry_type);
        if let Some((step, path)) = place_of(from) {
            self.put_place(&mut entry, step, path);
        }
        entry.visit = visit_of(from);
        match from {
            TrailEntry::Completed {
                attempt, outcome, ..
            } => {
                entry.attempt = (*attempt > 0).then_some(*attempt);
                entry.outcome = Some(outcome.as_deref().unwrap_or("SUCCESS").to_owned());
            }
            TrailEntry::Failed { attempt, error, .. } => {
                entry.attempt = (*attempt > 0).then_some(*attempt);
                entry.details = Some(json!({ "error": **error }));
            }
            TrailEntry::ExpressionError { error, .. } => {
                entry.details = Some(json!({ "error": **error }));
            }
            TrailEntry::RetryScheduled {
                attempt,
                error,
                fire_at,
                ..
            } => {
                entry.attempt = Some(*attempt);
                entry.details = Some(json!({
                    "attempt": attempt,
                    "error": **error,
                    "delayMs": fire_at.micros_since(fact.at) / 1000,
                    "nextAttemptAt": fire_at,
                }));
            }
            TrailEntry::CancelRequested { actor, .. } => {
                entry.actor = actor.as_ref().map(ToString::to_string)
            }
            TrailEntry::Paused { reason, actor } | TrailEntry::Resumed { reason, actor } => {
                entry.actor = actor.as_ref().map(ToString::to_string);
                entry.details = reason.as_ref().map(|reason| json!({ "reason": reason }));
            }
            _ => {}
        }
        entry.details = entry.details.or_else(|| self.details(fact, from));
        self.entries.push(entry);
    }

    fn details(&self, fact: &Fact, from: &TrailEntry) -> Option<Value> {
        let id = |step: StepIdx| self.flow.step_id(step).map(ToString::to_string);
        Some(match from {
            TrailEntry::Transition {
                from,
                to,
                rule,
                values,
                ..
            } => {
                let mut details = json!({"from": id(*from), "to": id(*to)});
                if let Value::Object(members) = &mut details {
                    members.extend(rule.map(|rule| ("rule".to_owned(), json!(rule))));
                    members.extend(
                        values
                            .as_ref()
                            .map(|values| ("values".to_owned(), Value::clone(values))),
                    );
                }
                details
            }
            TrailEntry::TakenOver { count } => json!({ "takeovers": count }),
            TrailEntry::BranchEnded { status, .. } => json!({ "status": status }),
            TrailEntry::VariableSet { name, .. } => json!({ "variable": name }),
            TrailEntry::TimerSet { key, fire_at, .. } => {
                json!({"timer": key.to_string(), "fireAt": fire_at})
            }
            TrailEntry::TimerFired { key, .. } => json!({ "timer": key.to_string() }),
            TrailEntry::SignalReceived {
                signal_type,
                buffered,
                ..
            } => {
                let mut details = json!({"signalType": signal_type, "buffered": buffered});
                if let (Message::Signal(signal), Value::Object(members)) =
                    (&fact.message, &mut details)
                {
                    members.insert("signalId".to_owned(), json!(signal.signal_id));
                }
                details
            }
            TrailEntry::ChildStarted { instance_id, .. }
            | TrailEntry::ChildEnded { instance_id, .. } => json!({ "instanceId": instance_id }),
            TrailEntry::CancelRequested { reason, .. } => json!({ "reason": reason }),
            TrailEntry::InstanceFailed { error } => json!({ "error": **error }),
            TrailEntry::Stale { .. } => match &fact.message {
                Message::TaskDone(done) => {
                    json!({"taskInstanceId": done.task_instance_id, "status": done.status, "attempts": done.attempts})
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    fn open_work(&mut self, state: &InstanceState, attempts: &[AttemptRow]) {
        for token in state.tokens.values() {
            let Activity::Task { dispatched_at, .. } = &token.activity else {
                continue;
            };
            if state.is_answered(token.activation) {
                continue;
            }
            let mut next_attempt = 1;
            for row in attempts
                .iter()
                .filter(|row| row.activation == token.activation)
            {
                let record = &row.record;
                let mut entry =
                    HistoryEntry::new(None, record.ended_at, HistoryType::StepRetryScheduled);
                self.put_place(&mut entry, token.step, &token.path);
                entry.visit = Some(token.visit);
                entry.attempt = Some(record.attempt);
                entry.details = Some(json!({
                    "attempt": record.attempt,
                    "error": record.error,
                    "delayMs": record.delay_ms,
                    "nextAttemptAt": record.next_attempt_at,
                }));
                next_attempt = record.attempt + 1;
                self.entries.push(entry);
            }
            let mut entry = HistoryEntry::new(None, *dispatched_at, HistoryType::StepStarted);
            self.put_place(&mut entry, token.step, &token.path);
            entry.visit = Some(token.visit);
            entry.attempt = Some(next_attempt);
            self.entries.push(entry);
        }
    }
}

fn type_of(fact: &Fact, entry: &TrailEntry) -> Option<HistoryType> {
    Some(match entry {
        TrailEntry::Entered { .. } => HistoryType::StepStarted,
        TrailEntry::Waiting { .. } => HistoryType::StepWaiting,
        TrailEntry::Completed { .. } => HistoryType::StepCompleted,
        TrailEntry::Failed { .. } => HistoryType::StepFailed,
        TrailEntry::ExpressionError { .. } => HistoryType::ExpressionError,
        TrailEntry::Cancelled { .. } => HistoryType::StepCancelled,
        TrailEntry::Transition { .. } => HistoryType::TransitionTaken,
        TrailEntry::BranchStarted { .. } => HistoryType::BranchStarted,
        TrailEntry::BranchEnded { .. } => HistoryType::BranchEnded,
        TrailEntry::JoinReached { .. } => HistoryType::JoinReached,
        TrailEntry::VariableSet { .. } => HistoryType::VariableSet,
        TrailEntry::TimerSet { .. } => HistoryType::TimerSet,
        TrailEntry::TimerFired { .. } => HistoryType::TimerFired,
        TrailEntry::SignalReceived { .. } => HistoryType::SignalReceived,
        TrailEntry::ChildStarted { .. } => HistoryType::ChildStarted,
        TrailEntry::ChildEnded { .. } => HistoryType::ChildEnded,
        TrailEntry::CancelRequested { .. } => HistoryType::CancelRequested,
        TrailEntry::Paused { .. } => HistoryType::Paused,
        TrailEntry::Resumed { .. } => HistoryType::Resumed,
        // Surplus timers and signals are only counted; a result that came too late is worth a line.
        TrailEntry::Stale { .. } => match fact.message {
            Message::TaskDone(_) => HistoryType::StaleResult,
            _ => return None,
        },
        TrailEntry::RetryScheduled { .. } => HistoryType::StepRetryScheduled,
        TrailEntry::TakenOver { .. } => HistoryType::TakenOver,
        TrailEntry::InstanceCompleted => HistoryType::WorkflowCompleted,
        TrailEntry::InstanceFailed { .. } => HistoryType::WorkflowFailed,
        TrailEntry::InstanceCancelled => HistoryType::WorkflowCancelled,
        _ => return None,
    })
}

fn place_of(entry: &TrailEntry) -> Option<(StepIdx, &PathRef)> {
    match entry {
        TrailEntry::Entered { step, path, .. }
        | TrailEntry::Waiting { step, path, .. }
        | TrailEntry::Completed { step, path, .. }
        | TrailEntry::Failed { step, path, .. }
        | TrailEntry::ExpressionError { step, path, .. }
        | TrailEntry::Cancelled { step, path, .. }
        | TrailEntry::Transition {
            from: step, path, ..
        }
        | TrailEntry::BranchStarted { step, path }
        | TrailEntry::BranchEnded { step, path, .. }
        | TrailEntry::JoinReached { step, path }
        | TrailEntry::VariableSet { step, path, .. }
        | TrailEntry::ChildStarted { step, path, .. }
        | TrailEntry::ChildEnded { step, path, .. }
        | TrailEntry::Answered { step, path, .. }
        | TrailEntry::RetryScheduled { step, path, .. } => Some((*step, path)),
        TrailEntry::TimerSet { step, path, .. }
        | TrailEntry::TimerFired { step, path, .. }
        | TrailEntry::SignalReceived { step, path, .. }
        | TrailEntry::Stale { step, path, .. } => step.map(|step| (step, path)),
        _ => None,
    }
}

fn visit_of(entry: &TrailEntry) -> Option<u32> {
    match entry {
        TrailEntry::Entered { visit, .. }
        | TrailEntry::Waiting { visit, .. }
        | TrailEntry::Completed { visit, .. }
        | TrailEntry::Failed { visit, .. }
        | TrailEntry::ExpressionError { visit, .. }
        | TrailEntry::Cancelled { visit, .. }
        | TrailEntry::ChildStarted { visit, .. }
        | TrailEntry::ChildEnded { visit, .. }
        | TrailEntry::Answered { visit, .. }
        | TrailEntry::RetryScheduled { visit, .. } => Some(*visit),
        TrailEntry::Stale { visit, .. } => *visit,
        _ => None,
    }
}
