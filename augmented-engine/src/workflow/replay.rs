//! The state after a crash: the last snapshot, the facts behind it, and what has to be carried out again.

use std::sync::Arc;

use augmented_core::ids::Seq;
use augmented_core::runtime::{
    Activity, DecideLimits, InstanceState, Message, ParentRef, TrailEntry,
};
use augmented_core::store::LoadedInstance;

use super::command::{Command, RunTask, StartChild, activation_text};
use super::decide::decide;
use super::graph::{Body, CompiledWorkflow};

/// Why a state could not be rebuilt; the instance must not go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Applying a fact again led another way than it did the first time.
    #[error(
        "fact {seq} led another way than it did before: the instance must not go on under this version of the engine"
    )]
    Diverged {
        /// The fact.
        seq: Seq,
    },
    /// The instance began under another meaning of expressions or steps than this engine gives them.
    #[error(
        "the instance runs under version {expressions} of expressions and {steps} of steps, which this engine does not know"
    )]
    UnknownSemantics {
        /// The meaning of expressions.
        expressions: u16,
        /// The meaning of steps.
        steps: u16,
    },
    /// A fact is missing.
    #[error("fact {expected} is missing, the next one stored is {found}")]
    Gap {
        /// The number that should follow.
        expected: Seq,
        /// The number that does.
        found: Seq,
    },
}

/// Rebuilds the state of an instance, under what it pinned at its start; `limits` count for one that pinned nothing.
///
/// # Errors
/// [`ReplayError`] if the facts do not lead where they led before, one is missing, or they mean something else here.
pub fn replay(
    flow: &CompiledWorkflow,
    loaded: &LoadedInstance,
    limits: &DecideLimits,
) -> Result<InstanceState, ReplayError> {
    let mut state = match &loaded.state {
        Some(state) => InstanceState::clone(state),
        None => InstanceState::new(loaded.header.clone()),
    };
    understood(&state.limits)?;
    for fact in &loaded.facts {
        if let Message::Start(start) = &fact.message {
            understood(start.limits.as_ref().unwrap_or(limits))?;
        }
        let expected = state.next_seq();
        if fact.seq != expected {
            return Err(ReplayError::Gap {
                expected,
                found: fact.seq,
            });
        }
        let again = decide(flow, &mut state, fact.message.clone(), fact.at, limits);
        let followed = match fact.trail.split_first() {
            Some((TrailEntry::TakenOver { .. }, followed)) => followed,
            _ => fact.trail.as_slice(),
        };
        if again.fact.trail != followed {
            return Err(ReplayError::Diverged { seq: fact.seq });
        }
    }
    Ok(state)
}

fn understood(limits: &DecideLimits) -> Result<(), ReplayError> {
    if limits.is_understood() {
        return Ok(());
    }
    Err(ReplayError::UnknownSemantics {
        expressions: limits.expression_semantics,
        steps: limits.step_semantics,
    })
}

/// What has to be carried out again for an instance that was just loaded: its open tasks and children, and tasks whose
/// end a cancellation still awaits.
///
/// Timers and messages to other instances are rows of their own and are not repeated.
#[must_use]
pub fn open_commands(flow: &CompiledWorkflow, state: &InstanceState) -> Vec<Command> {
    let mut commands: Vec<Command> = state
        .stopping
        .iter()
        .map(|(activation, task)| Command::CancelTask {
            activation: *activation,
            task_instance_id: *task,
        })
        .collect();
    if state.status.is_terminal() {
        return commands;
    }
    for token in state.tokens.values() {
        if state.is_answered(token.activation) {
            continue;
        }
        let Some(step) = flow.steps.get(usize::from(token.step)) else {
            continue;
        };
        match (&token.activity, &step.body) {
            (
                Activity::Task {
                    task_instance_id,
                    input,
                    round,
                    dispatched_at,
                    ..
                },
                Body::Task { task_ref } | Body::Poll(super::graph::PollBody { task_ref, .. }),
            ) => commands.push(Command::RunTask(RunTask {
                activation: token.activation,
                task_instance_id: *task_instance_id,
                task_ref: *task_ref,
                step: token.step,
                visit: token.visit,
                path: token.path.clone(),
                round: *round,
                input: input.clone(),
                dispatched_at: *dispatched_at,
            })),
            (
                Activity::Child {
                    instance_id,
                    input,
                    correlation_id,
                    attempt,
                    ..
                },
                Body::SubWorkflow(body),
            ) => {
                let step_key = format!(
                    "{}:{}.{attempt}",
                    step.id,
                    activation_text(&token.path, token.visit, 0)
                );
                commands.push(Command::StartChild(StartChild {
                    activation: token.activation,
                    instance_id: *instance_id,
                    workflow_id: body.workflow_id.clone(),
                    requirement: body.requirement.clone(),
                    input: input.clone(),
                    correlation_id: correlation_id.clone(),
                    parent: ParentRef {
                        instance_id: state.header.instance_id,
                        activation: token.activation,
                        step_key: Arc::from(step_key),
                        waits: body.waits,
                    },
                }));
            }
            _ => {}
        }
    }
    commands
}
