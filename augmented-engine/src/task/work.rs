//! What it takes to run the task of a step, worked out once and shared by all its instances.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use augmented_core::model::{
    Implementation, ResolvedRetryPolicy, RetryPolicy, TaskDefinition, TaskType,
};
use augmented_core::runtime::{StepIdx, TaskPin};
use augmented_core::schema::{CompiledSchema, SchemaOptions};
use augmented_core::store::Store;
use augmented_core::validate::Finding;
use serde_json::{Map, Value};

use super::handler::DynTask;
use crate::clock::{Time, micros};
use crate::config::EngineConfig;
use crate::workflow::CompiledWorkflow;

/// What all tasks of an engine share.
pub(crate) struct TaskEnv {
    pub(crate) time: Time,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) park_after_micros: i64,
    pub(crate) visible_after_micros: i64,
    pub(crate) timeout_buffer_micros: i64,
    pub(crate) cancel_grace_micros: i64,
    pub(crate) default_timeout_micros: i64,
    pub(crate) default_retry_policy: RetryPolicy,
    pub(crate) seed: u64,
}

impl TaskEnv {
    pub(crate) fn new(config: &EngineConfig, time: Time, store: Arc<dyn Store>, seed: u64) -> Self {
        let positive = |length: Duration| micros(length).max(0);
        Self {
            time,
            store,
            park_after_micros: positive(config.park_after),
            visible_after_micros: positive(config.visible_after),
            timeout_buffer_micros: positive(config.timeout_buffer),
            cancel_grace_micros: positive(config.cancel_grace),
            default_timeout_micros: positive(config.default_timeout),
            default_retry_policy: config.default_retry_policy.clone(),
            seed,
        }
    }
}

/// A task definition made ready to run.
pub(crate) struct CompiledTask {
    pub(crate) pin: TaskPin,
    pub(crate) task_type: TaskType,
    /// None where this node has no handler of that name.
    pub(crate) handler: Option<Arc<dyn DynTask>>,
    pub(crate) endpoint: Arc<str>,
    pub(crate) parameters: Value,
    input: DataCheck,
    output: DataCheck,
    retry_policy: Option<RetryPolicy>,
    timeout_micros: Option<i64>,
    heartbeat_micros: Option<i64>,
    total_micros: Option<i64>,
    queue_micros: Option<i64>,
}

impl CompiledTask {
    /// Compiles a definition that passed validation; `handler` finds what does the work.
    pub(crate) fn compile(
        definition: &TaskDefinition,
        pin: TaskPin,
        schemas: &SchemaOptions<'_>,
        handler: impl FnOnce(&str) -> Option<Arc<dyn DynTask>>,
    ) -> Result<Self, Vec<Finding>> {
        let (endpoint, parameters) = match &definition.implementation {
            Implementation::Native(native) => (native.endpoint.clone(), native.parameters.clone()),
            // Kinds that need a service this engine does not run are refused at publish; a mock may stand for them.
            _ => (definition.task_id.clone(), None),
        };
        let length = |stated: &Option<augmented_core::IsoDuration>| {
            stated.as_ref().map(augmented_core::IsoDuration::as_micros)
        };
        Ok(Self {
            handler: handler(&endpoint),
            endpoint: endpoint.into(),
            parameters: Value::Object(parameters.unwrap_or_else(Map::new)),
            input: DataCheck::compile(&definition.input_schema, "/inputSchema", schemas)?,
            output: DataCheck::compile(&definition.output_schema, "/outputSchema", schemas)?,
            retry_policy: definition.retry_policy.clone(),
            timeout_micros: length(&definition.timeout),
            heartbeat_micros: length(&definition.heartbeat_timeout),
            total_micros: length(&definition.total_timeout),
            queue_micros: length(&definition.queue_timeout),
            task_type: definition.task_type,
            pin,
        })
    }

    /// What is wrong with an input; empty if nothing is.
    pub(crate) fn check_input(&self, input: &Value) -> Vec<Finding> {
        self.input.check(input)
    }

    /// What is wrong with an output; empty if nothing is.
    pub(crate) fn check_output(&self, output: &Value) -> Vec<Finding> {
        self.output.check(output)
    }
}

/// A JSON Schema, or the two that need no schema engine.
enum DataCheck {
    Anything,
    AnyObject,
    Schema(Box<CompiledSchema>),
}

impl DataCheck {
    fn compile(
        schema: &Value,
        at: &str,
        schemas: &SchemaOptions<'_>,
    ) -> Result<Self, Vec<Finding>> {
        if *schema == Value::Bool(true) {
            return Ok(Self::Anything);
        }
        if let Some(members) = schema.as_object() {
            let describing =
                |name: &str| matches!(name, "$schema" | "title" | "description" | "type");
            if members.keys().all(|name| describing(name)) {
                match members.get("type") {
                    None => return Ok(Self::Anything),
                    Some(Value::String(only)) if only == "object" => return Ok(Self::AnyObject),
                    Some(_) => {}
                }
            }
        }
        let compiled = CompiledSchema::compile(schema, schemas).map_err(|mut findings| {
            for finding in &mut findings {
                finding.pointer.insert_str(0, at);
            }
            findings
        })?;
        Ok(Self::Schema(Box::new(compiled)))
    }

    fn check(&self, data: &Value) -> Vec<Finding> {
        match self {
            Self::Anything => Vec::new(),
            Self::AnyObject if data.is_object() => Vec::new(),
            Self::AnyObject => vec![
                Finding::error("type", "", "expected an object")
                    .with_argument("expected", vec!["object"])
                    .with_argument("actual", augmented_core::schema::type_name(data))
                    .with_hint("the schema says `\"type\": \"object\"`"),
            ],
            Self::Schema(schema) if schema.is_valid(data) => Vec::new(),
            Self::Schema(schema) => schema.validate(data),
        }
    }
}

/// How the task of one step is limited and repeated; stated by the step, else the task, else the workflow, else the engine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TaskPolicy {
    pub(crate) retry: ResolvedRetryPolicy,
    pub(crate) timeout_micros: i64,
    pub(crate) heartbeat_micros: Option<i64>,
    pub(crate) total_micros: Option<i64>,
    pub(crate) queue_micros: Option<i64>,
}

/// Everything about running the task of one step that does not depend on the instance.
pub(crate) struct StepWork {
    pub(crate) step_id: Arc<str>,
    pub(crate) task: Arc<CompiledTask>,
    pub(crate) policy: TaskPolicy,
    pub(crate) env: Arc<TaskEnv>,
}

/// A compiled workflow together with the exact tasks its instances pin.
pub(crate) struct ExecutionPlan {
    pub(crate) flow: Arc<CompiledWorkflow>,
    tasks: Box<[Arc<CompiledTask>]>,
    steps: Box<[OnceLock<Arc<StepWork>>]>,
    env: Arc<TaskEnv>,
}

impl ExecutionPlan {
    /// The plan of an instance that pins `tasks`, in the order of the workflow's task references.
    pub(crate) fn new(
        flow: Arc<CompiledWorkflow>,
        tasks: Vec<Arc<CompiledTask>>,
        env: Arc<TaskEnv>,
    ) -> Self {
        let steps = (0..flow.step_count()).map(|_| OnceLock::new()).collect();
        Self {
            flow,
            tasks: tasks.into(),
            steps,
            env,
        }
    }

    /// The task pins of instances of this plan.
    pub(crate) fn pins(&self) -> impl Iterator<Item = &TaskPin> {
        self.tasks.iter().map(|task| &task.pin)
    }

    /// How the task of a step is run; `None` if the step has none.
    pub(crate) fn work_of(&self, step: StepIdx) -> Option<&Arc<StepWork>> {
        self.work(step, self.flow.task_ref(step)?)
    }

    /// How to run the task of a step; `None` if the indices belong to another version.
    pub(crate) fn work(&self, step: StepIdx, task_ref: u16) -> Option<&Arc<StepWork>> {
        let cell = self.steps.get(usize::from(step))?;
        if let Some(work) = cell.get() {
            return Some(work);
        }
        let task = self.tasks.get(usize::from(task_ref))?;
        let step_id = self.flow.step_id(step)?;
        Some(cell.get_or_init(|| {
            Arc::new(StepWork {
                step_id: Arc::clone(step_id),
                task: Arc::clone(task),
                policy: self.policy(step, task),
                env: Arc::clone(&self.env),
            })
        }))
    }

    fn policy(&self, step: StepIdx, task: &CompiledTask) -> TaskPolicy {
        let flow = &self.flow;
        let retry = flow
            .step_policy(step)
            .or(task.retry_policy.as_ref())
            .or(flow.default_retry_policy())
            .unwrap_or(&self.env.default_retry_policy);
        let stated = flow
            .step_timeout(step)
            .map(augmented_core::IsoDuration::as_micros);
        TaskPolicy {
            retry: retry.resolve(),
            timeout_micros: stated
                .or(task.timeout_micros)
                .unwrap_or(self.env.default_timeout_micros),
            heartbeat_micros: flow
                .heartbeat_timeout(step)
                .map(augmented_core::IsoDuration::as_micros)
                .or(task.heartbeat_micros),
            total_micros: task.total_micros,
            queue_micros: task.queue_micros,
        }
    }
}
