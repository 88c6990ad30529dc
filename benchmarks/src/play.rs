//! Runs of an instance through the pure core alone, recorded once and played as often as needed.

use std::sync::Arc;

use augmented_core::expr::CelEngine;
use augmented_core::ids::{InstanceId, TenantId};
use augmented_core::model::WorkflowDefinition;
use augmented_core::runtime::{
    DefinitionPin, InstanceHeader, InstanceState, InstanceStatus, Message, StartMessage, TaskDone,
    TaskStatus,
};
use augmented_core::time::Timestamp;
use augmented_engine::workflow::{Command, CompiledWorkflow, DecideLimits, Transition, decide};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::contestant::ContestantError;

/// One recorded run: the messages that take a new instance to its end.
pub struct Play {
    flow: CompiledWorkflow,
    header: Arc<InstanceHeader>,
    messages: Vec<Message>,
    limits: DecideLimits,
    now: Timestamp,
}

impl Play {
    /// Compiles `document` and runs it with `input`, every task answering with what `handler` makes of its input.
    ///
    /// # Errors
    ///
    /// The definition does not compile, or the instance does not complete.
    pub fn record(
        document: &Value,
        input: Value,
        handler: impl Fn(&Value) -> Value,
    ) -> Result<Self, ContestantError> {
        let definition = WorkflowDefinition::deserialize(document).map_err(ContestantError::new)?;
        let flow = CompiledWorkflow::compile(&definition, Uuid::nil(), CelEngine::shared())
            .map_err(|findings| ContestantError::new(format!("{findings:?}")))?;
        let now = Timestamp::from_micros(1_767_225_600_000_000);
        let mut play = Self {
            header: Arc::new(header(&flow, input, now)),
            flow,
            messages: Vec::new(),
            limits: DecideLimits::default(),
            now,
        };
        play.run(handler)?;
        Ok(play)
    }

    /// How many messages the run takes.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether the run takes no message; it never does.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// A new instance and the messages that take it to its end.
    pub fn instance(&self) -> (InstanceState, Vec<Message>) {
        (
            InstanceState::new(self.header.clone()),
            self.messages.clone(),
        )
    }

    /// Applies one message.
    pub fn decide(&self, state: &mut InstanceState, message: Message) -> Transition {
        decide(&self.flow, state, message, self.now, &self.limits)
    }

    /// Applies all messages and returns the state they lead to.
    pub fn play(&self, (mut state, messages): (InstanceState, Vec<Message>)) -> InstanceState {
        for message in messages {
            std::hint::black_box(self.decide(&mut state, message));
        }
        state
    }

    fn run(&mut self, handler: impl Fn(&Value) -> Value) -> Result<(), ContestantError> {
        let mut state = InstanceState::new(self.header.clone());
        let mut next = Some(Message::Start(StartMessage::new(Arc::from([]))));
        while let Some(message) = next.take() {
            self.messages.push(message.clone());
            for command in self.decide(&mut state, message).commands {
                if let Command::RunTask(task) = command {
                    next = Some(Message::TaskDone(Arc::new(TaskDone {
                        activation: task.activation,
                        task_instance_id: task.task_instance_id,
                        status: TaskStatus::Completed,
                        output: Arc::new(handler(&task.input)),
                        outcome: None,
                        error: None,
                        attempts: 1,
                        failed_attempts: Vec::new(),
                        started_at: self.now,
                        ended_at: self.now,
                    })));
                }
            }
        }
        match state.status {
            InstanceStatus::Completed => Ok(()),
            other => Err(ContestantError::new(format!(
                "the instance is {other:?}: {:?}",
                state.error
            ))),
        }
    }
}

fn header(flow: &CompiledWorkflow, input: Value, now: Timestamp) -> InstanceHeader {
    let instance_id = InstanceId(Uuid::from_u128(7));
    InstanceHeader {
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
        expires_at: None,
    }
}
