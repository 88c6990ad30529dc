//! A workflow version made ready to run: indices for names, programs for texts.

use std::collections::HashMap;
use std::sync::Arc;

use augmented_core::error::ErrorCategory;
use augmented_core::expr::{CompiledExpr, Template};
use augmented_core::model::{RetryPolicy, StepType};
use augmented_core::runtime::StepIdx;
use augmented_core::schema::CompiledSchema;
use augmented_core::time::IsoDuration;
use serde_json::Value;
use uuid::Uuid;

/// The index of a scope: the root, a branch, or a FOR_EACH body.
pub(crate) type ScopeIdx = u16;

/// One version of a workflow, compiled once and shared by all its instances.
///
/// It holds no text that is parsed later: every expression is a program, every step reference an index.
#[derive(Debug)]
pub struct CompiledWorkflow {
    pub(crate) row_id: Uuid,
    pub(crate) workflow_id: Arc<str>,
    pub(crate) version: Arc<str>,
    pub(crate) steps: Vec<CompiledStep>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) by_id: HashMap<Arc<str>, StepIdx>,
    /// Step indices ordered by step id, for reading `steps` as a whole.
    pub(crate) sorted: Vec<StepIdx>,
    pub(crate) entry: StepIdx,
    pub(crate) root_slots: u16,
    pub(crate) task_refs: Vec<TaskRef>,
    pub(crate) input_schema: Option<CompiledSchema>,
    pub(crate) output_schema: Option<CompiledSchema>,
    pub(crate) variables: Option<Template>,
    pub(crate) output: Option<Template>,
    pub(crate) signals: Option<HashMap<String, CompiledSchema>>,
    pub(crate) default_retry_policy: Option<RetryPolicy>,
    pub(crate) on_error: Option<Handler>,
    pub(crate) execution_timeout: Option<IsoDuration>,
    pub(crate) decisions: DecisionDetail,
}

/// A task a workflow names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TaskRef {
    /// Business id of the task.
    pub task_id: Arc<str>,
    /// Exact version or SemVer range; `None` is the highest published version.
    pub requirement: Option<Arc<str>>,
}

/// How much of what happened, and of a decision in particular, is kept in trails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecisionDetail {
    /// Failures, cancellations and ends only.
    Failures,
    /// Only that a transition was taken.
    None,
    /// The index of the rule.
    Rule,
    /// The index and what the rule read.
    Values,
}

/// A scope: its place in the tree of containers.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The FOR_EACH step whose iterations record its steps; none if the root frame does.
    pub(crate) frame_owner: Option<StepIdx>,
}

/// One step.
#[derive(Debug)]
pub(crate) struct CompiledStep {
    pub(crate) id: Arc<str>,
    pub(crate) kind: StepType,
    pub(crate) scope: ScopeIdx,
    /// Its position in its frame.
    pub(crate) slot: u16,
    pub(crate) input: Option<Template>,
    pub(crate) output_mapping: Option<Template>,
    pub(crate) assign: Vec<(Arc<str>, Template)>,
    pub(crate) next: Vec<Rule>,
    pub(crate) on_failure: FailurePlan,
    pub(crate) max_visits: Option<u32>,
    pub(crate) retry_policy: Option<RetryPolicy>,
    pub(crate) timeout: Option<IsoDuration>,
    pub(crate) heartbeat_timeout: Option<IsoDuration>,
    pub(crate) body: Body,
}

/// One entry of `next`.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) target: StepIdx,
    pub(crate) on: Option<Vec<Box<str>>>,
    pub(crate) condition: Option<CompiledExpr>,
}

/// What to do when a step failed.
#[derive(Debug, Default)]
pub(crate) struct FailurePlan {
    pub(crate) handlers: Vec<FailureRule>,
    /// `Some` for `CONTINUE`.
    pub(crate) go_on: Option<GoOn>,
}

/// Where `CONTINUE` leads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GoOn {
    /// To the step named.
    To(StepIdx),
    /// To the default entry of `next`.
    Default(StepIdx),
    /// Nowhere: the path ends.
    EndPath,
}

/// One failure handler.
#[derive(Debug)]
pub(crate) struct FailureRule {
    pub(crate) category: Option<ErrorCategory>,
    pub(crate) code: Option<Box<str>>,
    pub(crate) condition: Option<CompiledExpr>,
    pub(crate) handler: Handler,
}

/// A step that takes over after an error, and what it is given besides its own input.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) target: StepIdx,
    pub(crate) input: Option<Template>,
}

/// What is peculiar to a kind of step.
#[derive(Debug)]
pub(crate) enum Body {
    /// START, PASS, DECISION: the value passes through.
    Pass,
    End(EndBody),
    Task {
        task_ref: u16,
    },
    Parallel(ParallelBody),
    ForEach(ForEachBody),
    Signal {
        signal_type: Arc<str>,
        timeout: Option<WaitTimeout>,
    },
    Delay(DelayBody),
    Poll(PollBody),
    SubWorkflow(SubWorkflowBody),
    /// A kind that needs a service this engine does not run; publishing refuses it.
    Unsupported,
}

#[derive(Debug)]
pub(crate) struct EndBody {
    pub(crate) output: Option<Template>,
    pub(crate) end: EndKind,
}

#[derive(Debug)]
pub(crate) enum EndKind {
    Completed {
        outcome: Option<Arc<str>>,
    },
    Failed {
        code: Box<str>,
        message: Option<Template>,
    },
}

#[derive(Debug)]
pub(crate) struct ParallelBody {
    pub(crate) branches: Vec<BranchDef>,
    /// How many branches must complete; `None` means every required one.
    pub(crate) quorum: Option<u32>,
    pub(crate) cancel_remaining: bool,
    pub(crate) wait_all: bool,
}

#[derive(Debug)]
pub(crate) struct BranchDef {
    pub(crate) id: Arc<str>,
    pub(crate) entry: StepIdx,
    pub(crate) required: bool,
    pub(crate) timeout: Option<IsoDuration>,
}

#[derive(Debug)]
pub(crate) struct ForEachBody {
    pub(crate) items: CompiledExpr,
    pub(crate) item_name: Arc<str>,
    pub(crate) entry: StepIdx,
    pub(crate) slots: u16,
    pub(crate) max_concurrency: u32,
    pub(crate) max_items: u32,
    pub(crate) collect: bool,
}

#[derive(Debug)]
pub(crate) struct WaitTimeout {
    pub(crate) due: Due,
    pub(crate) handler: Option<StepIdx>,
}

/// An instant given as a length or as an expression.
#[derive(Debug)]
pub(crate) enum Due {
    After(IsoDuration),
    At {
        expr: CompiledExpr,
        zone: chrono_tz::Tz,
    },
}

#[derive(Debug)]
pub(crate) struct DelayBody {
    pub(crate) due: Due,
}

#[derive(Debug)]
pub(crate) struct PollBody {
    pub(crate) task_ref: u16,
    pub(crate) until: CompiledExpr,
    pub(crate) interval: IsoDuration,
    pub(crate) multiplier: f64,
    pub(crate) max_rounds: u32,
}

#[derive(Debug)]
pub(crate) struct SubWorkflowBody {
    pub(crate) workflow_id: Arc<str>,
    pub(crate) requirement: Option<Arc<str>>,
    pub(crate) waits: bool,
    pub(crate) cancel_with_parent: bool,
    pub(crate) correlation_id: Option<Template>,
}

impl CompiledWorkflow {
    /// Row id of the version.
    #[must_use]
    pub fn row_id(&self) -> Uuid {
        self.row_id
    }

    /// Business id.
    #[must_use]
    pub fn workflow_id(&self) -> &Arc<str> {
        &self.workflow_id
    }

    /// Exact version.
    #[must_use]
    pub fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// The tasks it names, each once; the index is that of `InstanceState::task_pins`.
    #[must_use]
    pub fn task_refs(&self) -> &[TaskRef] {
        &self.task_refs
    }

    /// Number of steps, nested ones included.
    #[must_use]
    pub fn step_count(&self) -> usize {
        self.steps.len()
    }

    /// The id of a step, or `None` for an index of another version.
    #[must_use]
    pub fn step_id(&self, step: StepIdx) -> Option<&Arc<str>> {
        self.steps.get(usize::from(step)).map(|step| &step.id)
    }

    /// The index of the task reference of a step that runs a task.
    #[must_use]
    pub fn task_ref(&self, step: StepIdx) -> Option<u16> {
        match &self.steps.get(usize::from(step))?.body {
            Body::Task { task_ref } | Body::Poll(PollBody { task_ref, .. }) => Some(*task_ref),
            _ => None,
        }
    }

    /// The index of a step.
    #[must_use]
    pub fn step_index(&self, step_id: &str) -> Option<StepIdx> {
        self.by_id.get(step_id).copied()
    }

    /// The kind of a step.
    #[must_use]
    pub fn step_type(&self, step: StepIdx) -> Option<StepType> {
        self.steps.get(usize::from(step)).map(|step| step.kind)
    }

    /// The retry policy a step states for itself.
    #[must_use]
    pub fn step_policy(&self, step: StepIdx) -> Option<&RetryPolicy> {
        self.steps.get(usize::from(step))?.retry_policy.as_ref()
    }

    /// The time limit a step states for one attempt; of a POLL step it bounds all rounds and is not an attempt limit.
    #[must_use]
    pub fn step_timeout(&self, step: StepIdx) -> Option<&IsoDuration> {
        let step = self.steps.get(usize::from(step))?;
        match step.body {
            Body::Poll(_) => None,
            _ => step.timeout.as_ref(),
        }
    }

    /// The longest silence a step allows its handler.
    #[must_use]
    pub fn heartbeat_timeout(&self, step: StepIdx) -> Option<&IsoDuration> {
        self.steps
            .get(usize::from(step))?
            .heartbeat_timeout
            .as_ref()
    }

    /// The policy for tasks without one of their own.
    #[must_use]
    pub fn default_retry_policy(&self) -> Option<&RetryPolicy> {
        self.default_retry_policy.as_ref()
    }

    /// The limit of a whole instance.
    #[must_use]
    pub fn execution_timeout(&self) -> Option<&IsoDuration> {
        self.execution_timeout.as_ref()
    }

    /// The type of signal a step waits for.
    #[must_use]
    pub fn awaited_signal(&self, step: StepIdx) -> Option<&Arc<str>> {
        match &self.steps.get(usize::from(step))?.body {
            Body::Signal { signal_type, .. } => Some(signal_type),
            _ => None,
        }
    }

    /// What is wrong with an input, by the input schema; empty if nothing is.
    #[must_use]
    pub fn check_input(&self, input: &Value) -> Vec<augmented_core::validate::Finding> {
        match &self.input_schema {
            Some(schema) if !schema.is_valid(input) => schema.validate(input),
            Some(_) | None => Vec::new(),
        }
    }

    /// What is wrong with a signal: an undeclared type, or a payload its schema refuses; empty if nothing is.
    #[must_use]
    pub fn check_signal(
        &self,
        signal_type: &str,
        payload: &Value,
    ) -> Vec<augmented_core::validate::Finding> {
        let Some(signals) = &self.signals else {
            return Vec::new();
        };
        match signals.get(signal_type) {
            Some(schema) => schema.validate(payload),
            None => {
                let mut known: Vec<&str> = signals.keys().map(String::as_str).collect();
                known.sort_unstable();
                vec![
                    augmented_core::validate::Finding::error(
                        "UNKNOWN_SIGNAL",
                        "",
                        format!(
                            "the workflow declares no signal `{signal_type}`; it declares {}",
                            known.join(", ")
                        ),
                    )
                    .with_argument("signalType", signal_type),
                ]
            }
        }
    }
}
