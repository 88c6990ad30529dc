//! Behaviour of the pure core, driven without a driver: messages in, trails and states out.

mod containers;
mod errors;
mod histories;
mod paths;
mod random;
mod replays;
mod waits;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use augmented_core::error::{ErrorCategory, ErrorInfo};
use augmented_core::expr::CelEngine;
use augmented_core::ids::{InstanceId, TenantId};
use augmented_core::model::{StepType, WorkflowDefinition};
use augmented_core::runtime::{
    Activity, ChildDone, ChildStatus, DefinitionPin, Fact, HistoryEntry, HistoryType,
    InstanceHeader, InstanceState, InstanceStatus, ItemResult, Message, SignalMessage,
    StartMessage, TaskDone, TaskStatus, TimerKey,
};
use augmented_core::store::LoadedInstance;
use augmented_core::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::size::{error_bytes, json_bytes, signal_bytes};
use super::{
    Command, CompiledWorkflow, DecideLimits, RunTask, StartChild, activation_text, decide, history,
    replay,
};

/// The instant every play begins at.
const EPOCH: &str = "2026-01-01T00:00:00Z";

/// One instance played by hand: commands are collected, answers are given by the test.
struct Play {
    flow: CompiledWorkflow,
    state: InstanceState,
    facts: Vec<Fact>,
    now: Timestamp,
    tasks: VecDeque<RunTask>,
    children: VecDeque<StartChild>,
    timers: Vec<(Timestamp, TimerKey)>,
    cancelled_tasks: usize,
    cancelled_children: usize,
    limits: DecideLimits,
    /// The idempotency keys under which work was handed out, none twice.
    keys: BTreeSet<String>,
}

impl Play {
    fn new(definition: Value, input: Value) -> Self {
        Self::with_limits(definition, input, DecideLimits::default())
    }

    fn with_limits(definition: Value, input: Value, limits: DecideLimits) -> Self {
        let definition: WorkflowDefinition = serde_json::from_value(definition).unwrap();
        let flow =
            CompiledWorkflow::compile(&definition, Uuid::nil(), CelEngine::shared()).unwrap();
        let now: Timestamp = EPOCH.parse().unwrap();
        let instance_id = InstanceId(Uuid::from_u128(7));
        let header = InstanceHeader {
            tenant_id: TenantId::DEFAULT,
            instance_id,
            definition: Arc::new(DefinitionPin {
                id: Uuid::nil(),
                workflow_id: flow.workflow_id().clone(),
                version: flow.version().clone(),
            }),
            input: Arc::new(input),
            correlation_id: None,
            idempotency_key: None,
            initiator_id: None,
            trigger_id: None,
            trigger_event_id: None,
            parent: None,
            root_instance_id: instance_id,
            depth: 0,
            priority: 0,
            trace_parent: None,
            metadata: None,
            created_at: now,
            expires_at: flow
                .execution_timeout()
                .map(|timeout| now.plus_micros(timeout.as_micros())),
        };
        let mut play = Self {
            flow,
            state: InstanceState::new(Arc::new(header)),
            facts: Vec::new(),
            now,
            tasks: VecDeque::new(),
            children: VecDeque::new(),
            timers: Vec::new(),
            cancelled_tasks: 0,
            cancelled_children: 0,
            limits,
            keys: BTreeSet::new(),
        };
        play.send(Message::Start(StartMessage::new(Arc::from([]))));
        play
    }

    fn send(&mut self, message: Message) {
        let transition = decide(&self.flow, &mut self.state, message, self.now, &self.limits);
        self.facts.push(transition.fact);
        for command in transition.commands {
            match command {
                Command::RunTask(task) => {
                    let activation = activation_text(&task.path, task.visit, task.round);
                    self.hand_out(format!("{}:{activation}", task.step));
                    self.tasks.push_back(task);
                }
                Command::CancelTask {
                    task_instance_id, ..
                } => {
                    self.tasks
                        .retain(|task| task.task_instance_id != task_instance_id);
                    self.cancelled_tasks += 1;
                }
                Command::SetTimer(timer) => self.timers.push((timer.fire_at, timer.key)),
                Command::ClearTimer(key) => self.timers.retain(|(_, armed)| *armed != key),
                Command::StartChild(child) => {
                    self.hand_out(child.parent.step_key.to_string());
                    self.children.push_back(child);
                }
                Command::CancelChild { .. } => self.cancelled_children += 1,
                Command::NotifyParent { .. } => {}
            }
        }
    }

    /// One key must never stand for two pieces of work: whoever receives the second would take it for the first.
    #[track_caller]
    fn hand_out(&mut self, key: String) {
        assert!(self.keys.insert(key.clone()), "{key} was handed out before");
    }

    fn done(
        &self,
        task: &RunTask,
        status: TaskStatus,
        output: Value,
        outcome: Option<&str>,
        error: Option<ErrorInfo>,
    ) -> Message {
        Message::TaskDone(Arc::new(TaskDone {
            activation: task.activation,
            task_instance_id: task.task_instance_id,
            status,
            output: Arc::new(output),
            outcome: outcome.map(Arc::from),
            error,
            attempts: 1,
            failed_attempts: Vec::new(),
            started_at: self.now,
            ended_at: self.now,
        }))
    }

    /// The open task of a step.
    #[track_caller]
    fn open(&self, step: &str) -> RunTask {
        let found = self
            .tasks
            .iter()
            .find(|task| self.flow.step_id(task.step).is_some_and(|id| **id == *step));
        found
            .unwrap_or_else(|| panic!("no open task of `{step}`; open: {:?}", self.open_steps()))
            .clone()
    }

    fn open_steps(&self) -> Vec<String> {
        self.tasks
            .iter()
            .map(|task| {
                format!(
                    "{}@{}",
                    self.flow.step_id(task.step).unwrap(),
                    task.path.as_deref().unwrap_or("")
                )
            })
            .collect()
    }

    #[track_caller]
    fn ok(&mut self, step: &str, output: Value) {
        self.answer(step, TaskStatus::Completed, output, None, None);
    }

    #[track_caller]
    fn outcome(&mut self, step: &str, outcome: &str) {
        self.answer(step, TaskStatus::Completed, json!({}), Some(outcome), None);
    }

    #[track_caller]
    fn fail(&mut self, step: &str, code: &str, category: ErrorCategory) {
        self.answer(
            step,
            TaskStatus::Failed,
            Value::Null,
            None,
            Some(ErrorInfo::new(code, category, "as the test wants")),
        );
    }

    #[track_caller]
    fn answer(
        &mut self,
        step: &str,
        status: TaskStatus,
        output: Value,
        outcome: Option<&str>,
        error: Option<ErrorInfo>,
    ) {
        let task = self.open(step);
        self.tasks
            .retain(|open| open.task_instance_id != task.task_instance_id);
        let message = self.done(&task, status, output, outcome, error);
        self.send(message);
    }

    fn signal(&mut self, id: &str, signal_type: &str, payload: Value) {
        self.send(Message::Signal(SignalMessage {
            signal_id: Arc::from(id),
            signal_type: Arc::from(signal_type),
            payload: Arc::new(payload),
            sent_by: None,
        }));
    }

    /// Moves time to the earliest timer and applies it.
    #[track_caller]
    fn fire(&mut self) {
        self.timers.sort();
        assert!(!self.timers.is_empty(), "no timer is armed");
        let (at, key) = self.timers.remove(0);
        self.now = at.max(self.now);
        self.send(Message::Timer(key));
    }

    #[track_caller]
    fn child_done(
        &mut self,
        status: ChildStatus,
        output: Value,
        outcome: Option<&str>,
        error: Option<ErrorInfo>,
    ) {
        let child = self.children.pop_front().expect("a child was started");
        self.send(Message::ChildDone(Box::new(ChildDone {
            activation: child.activation,
            instance_id: child.instance_id,
            status,
            output: Some(Arc::new(output)),
            outcome: outcome.map(Arc::from),
            error,
        })));
    }

    /// The bytes of everything the state holds and counts, counted anew.
    fn recount(&self) -> u64 {
        let value = |value: &Option<Arc<Value>>| value.as_deref().map_or(0, json_bytes) as u64;
        let mut sum = json_bytes(&self.state.vars) as u64;
        for frame in self.state.frames.values() {
            for place in self.flow.frame_steps(frame.owner) {
                let Some(Some(visit)) = frame.visits.get(usize::from(place.slot)) else {
                    continue;
                };
                sum += value(&visit.input) + visit.error.as_deref().map_or(0, error_bytes);
                // What an END gives is the output of the instance.
                if self.flow.step_type(place.step) != Some(StepType::End) {
                    sum += value(&visit.output);
                }
            }
        }
        sum += self
            .state
            .signals
            .iter()
            .map(|kept| signal_bytes(&kept.0))
            .sum::<u64>();
        for token in self.state.tokens.values() {
            let Activity::ForEach(each) = &token.activity else {
                continue;
            };
            sum += each
                .items
                .iter()
                .map(|item| json_bytes(item) as u64)
                .sum::<u64>();
            let result = |result: &ItemResult| match &result.error {
                Some(error) => error_bytes(error),
                None => result.output.as_deref().map_or(4, json_bytes) as u64,
            };
            sum += each.results.values().map(result).sum::<u64>();
        }
        sum
    }

    fn history(&self) -> Vec<HistoryEntry> {
        history(&self.flow, &self.state.header, &self.facts, None)
    }

    /// Steps in the order they were entered, as `step` or `path/step`.
    fn entered(&self) -> Vec<String> {
        let entries = self.history();
        let started = entries
            .iter()
            .filter(|entry| serde_json::to_value(entry.entry_type).unwrap() == "STEP_STARTED");
        started
            .map(|entry| {
                let step = entry.step_id.as_deref().unwrap();
                if entry.scope_path.is_empty() {
                    step.to_owned()
                } else {
                    format!("{}/{step}", entry.scope_path)
                }
            })
            .collect()
    }

    #[track_caller]
    fn completed(&self) -> &Value {
        assert_eq!(
            self.state.status,
            InstanceStatus::Completed,
            "error: {:?}",
            self.state.error
        );
        assert!(self.timers.is_empty(), "timers left: {:?}", self.timers);
        self.state.output.as_deref().unwrap_or(&Value::Null)
    }

    #[track_caller]
    fn failed(&self) -> &ErrorInfo {
        assert_eq!(self.state.status, InstanceStatus::Failed);
        assert!(self.timers.is_empty(), "timers left: {:?}", self.timers);
        &self.state.error.as_ref().unwrap().error
    }

    /// Replaying the facts, also through JSON, gives this very state.
    #[track_caller]
    fn replays(&self) {
        let facts: Vec<Fact> = self
            .facts
            .iter()
            .map(|fact| serde_json::from_str(&serde_json::to_string(fact).unwrap()).unwrap())
            .collect();
        let loaded =
            LoadedInstance::new(self.state.header.clone(), None, 0, None, facts, Vec::new());
        assert_eq!(
            replay(&self.flow, &loaded, &self.limits).unwrap(),
            self.state
        );
        let text = serde_json::to_string(&self.state).unwrap();
        assert_eq!(
            serde_json::from_str::<InstanceState>(&text).unwrap(),
            self.state
        );
    }
}

fn workflow(steps: Value) -> Value {
    json!({"kind": "workflow", "workflowId": "w", "version": "1.0.0", "name": "W", "steps": steps})
}

fn workflow_with(steps: Value, more: Value) -> Value {
    let mut definition = workflow(steps);
    definition
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    definition
}

fn task(id: &str, next: Option<&str>) -> Value {
    let mut step = json!({"stepId": id, "type": "TASK", "taskId": "t"});
    if let Some(next) = next {
        step["next"] = json!([{ "nextStepId": next }]);
    }
    step
}
