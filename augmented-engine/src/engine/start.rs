//! Starting instances.

use std::sync::Arc;

use augmented_core::json::{canonical, nul_at};
use augmented_core::runtime::{DecideLimits, InstanceHeader, StartMessage};
use augmented_core::store::{CommitOutcome, NewInstance, Refusal, StoreError};
use augmented_core::validate::Finding;
use augmented_core::{InstanceId, Timestamp};
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::{Engine, WorkflowHandle};
use crate::EngineError;
use crate::definitions::StartPlan;
use crate::driver::{StartAnswer, StartInput, WorkerInput};

/// What to start, and with what.
///
/// ```
/// use augmented_engine::StartRequest;
/// use serde_json::json;
/// let request = StartRequest::new("order")
///     .with_version("^1")
///     .with_input(json!({ "orderId": 7 }))
///     .with_idempotency_key("order-7");
/// # let _ = request;
/// ```
#[derive(Clone, Debug)]
#[must_use = "it starts nothing by itself"]
pub struct StartRequest {
    workflow_id: String,
    version: Option<String>,
    input: Value,
    correlation_id: Option<String>,
    idempotency_key: Option<String>,
    initiator_id: Option<String>,
    trace_parent: Option<String>,
    priority: i32,
    metadata: Option<Value>,
}

impl StartRequest {
    /// Asks for the highest published version of a workflow, with an empty input.
    pub fn new(workflow_id: impl Into<String>) -> Self {
        Self {
            workflow_id: workflow_id.into(),
            version: None,
            input: Value::Object(Map::new()),
            correlation_id: None,
            idempotency_key: None,
            initiator_id: None,
            trace_parent: None,
            priority: 0,
            metadata: None,
        }
    }

    /// Asks for an exact version, or the highest published one of a range such as `^1`.
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the input.
    pub fn with_input(mut self, input: Value) -> Self {
        self.input = augmented_core::json::normalise_numbers(input);
        self
    }

    /// Sets the business key by which the instance can be found.
    pub fn with_correlation_id(mut self, correlation_id: impl Into<String>) -> Self {
        self.correlation_id = Some(correlation_id.into());
        self
    }

    /// Makes the start take effect once: repeated with the same key and input, it answers with the same instance.
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Says who starts it.
    pub fn with_initiator(mut self, initiator_id: impl Into<String>) -> Self {
        self.initiator_id = Some(initiator_id.into());
        self
    }

    /// Links the instance to a W3C trace context.
    pub fn with_trace_parent(mut self, trace_parent: impl Into<String>) -> Self {
        self.trace_parent = Some(trace_parent.into());
        self
    }

    /// Sets the priority; higher first, default 0.
    pub fn with_priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Attaches free data, an object of at most 16 KiB.
    pub fn with_metadata(mut self, metadata: Value) -> Self {
        self.metadata = Some(metadata);
        self
    }

    fn check(&self) -> Result<(), EngineError> {
        let findings = self.findings();
        if findings.is_empty() {
            return Ok(());
        }
        Err(EngineError::invalid(
            "REQUEST_INVALID",
            "the start request is not right",
            findings,
        ))
    }

    /// What is wrong with the request itself.
    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let limits = [
            ("correlationId", &self.correlation_id),
            ("idempotencyKey", &self.idempotency_key),
            ("initiatorId", &self.initiator_id),
        ];
        for (member, text) in limits {
            if let Some(text) = text
                && (text.is_empty() || text.chars().count() > MAX_KEY)
            {
                findings.push(Finding::error(
                    "LENGTH",
                    format!("/{member}"),
                    format!("`{member}` must have 1 to {MAX_KEY} characters"),
                ));
            }
        }
        if let Some(metadata) = &self.metadata {
            if !metadata.is_object() {
                findings.push(
                    Finding::error("type", "/metadata", "`metadata` must be an object")
                        .with_argument("expected", vec!["object"])
                        .with_argument("actual", augmented_core::schema::type_name(metadata)),
                );
            }
            let size = canonical::to_string(metadata).len();
            if size > MAX_METADATA {
                findings.push(
                    Finding::error(
                        "METADATA_TOO_LARGE",
                        "/metadata",
                        "`metadata` is larger than 16 KiB",
                    )
                    .with_argument("limit", MAX_METADATA)
                    .with_argument("actual", size),
                );
            }
        }
        findings
    }
}

/// Characters of a caller's key.
const MAX_KEY: usize = 255;

/// Bytes of the caller's free data.
const MAX_METADATA: usize = 16 * 1024;

impl Engine {
    /// Starts an instance, and returns once it is stored.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, reason `INPUT_INVALID`, with all findings if the input does not fit, and nothing is stored;
    /// `NOT_FOUND` if there is no such workflow or version; `IDEMPOTENCY_CONFLICT` if the key was used with other input;
    /// `CAPACITY_EXCEEDED`, reason `CONCURRENCY_LIMIT`, if
    /// [`max_active_instances`](crate::EngineConfig::max_active_instances) are in memory; `UNAVAILABLE` and `INTERNAL` from the store.
    ///
    /// # Cancel safety
    /// Dropped half-way, the instance may or may not be started; an idempotency key makes a repetition safe.
    pub async fn start(&self, request: StartRequest) -> Result<WorkflowHandle, EngineError> {
        self.check_running()?;
        let shared = self.shared();
        let _hold = shared.time().hold();
        if shared.is_client() {
            return self.accept(request).await;
        }
        request.check()?;
        if shared.is_full() {
            return Err(EngineError::CapacityExceeded {
                reason: "CONCURRENCY_LIMIT",
                message: format!(
                    "this engine has {} instances in memory already; start again when some have ended",
                    shared.config.max_active_instances
                ),
            });
        }
        let plan = shared
            .definitions
            .start_plan(
                self.tenant,
                &request.workflow_id,
                request.version.as_deref(),
            )
            .await?;
        let now = self.now();
        check_input(&plan, &request.input, now, &shared.limits)?;
        if let Some(metadata) = &request.metadata {
            refuse_nul("INPUT_INVALID", "the metadata", metadata)?;
        }
        let new = self.new_instance(request, &plan, now);
        let instance = new.header.instance_id;
        let message = StartMessage::new(Arc::clone(&plan.task_pins));
        let (accepted, answer) = oneshot::channel();
        let (ended, end) = oneshot::channel();
        let input = StartInput {
            new,
            message,
            plan: Arc::clone(&plan.plan),
            accepted,
            ended,
        };
        if !shared.send(instance, WorkerInput::Start(Box::new(input))) {
            return Err(EngineError::stopped());
        }
        match answer.await {
            Ok(Ok(StartAnswer::Created)) => {
                Ok(WorkflowHandle::new(self.clone(), instance, Some(end)))
            }
            Ok(Ok(StartAnswer::Existing(existing))) => {
                Ok(WorkflowHandle::new(self.clone(), existing, None))
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(EngineError::stopped()),
        }
    }

    /// Makes everything ready for a start without starting it: resolves the version and checks the input. A store that
    /// takes part in transactions of the host writes what this returns, so that rows of the host and the workflow commit
    /// together; a node begins it behind the commit.
    ///
    /// # Errors
    /// Those of [`start`](Self::start), except that nobody knows yet whether an idempotency key is taken.
    pub async fn prepare_start(&self, request: StartRequest) -> Result<NewInstance, EngineError> {
        self.check_running()?;
        request.check()?;
        let shared = self.shared();
        let plan = shared
            .definitions
            .start_plan(
                self.tenant,
                &request.workflow_id,
                request.version.as_deref(),
            )
            .await?;
        let now = self.now();
        check_input(&plan, &request.input, now, &shared.limits)?;
        if let Some(metadata) = &request.metadata {
            refuse_nul("INPUT_INVALID", "the metadata", metadata)?;
        }
        Ok(self.new_instance(request, &plan, now))
    }

    /// Leaves a start to the nodes on the same store.
    async fn accept(&self, request: StartRequest) -> Result<WorkflowHandle, EngineError> {
        let key = request.idempotency_key.clone();
        let new = self.prepare_start(request).await?;
        let instance = new.header.instance_id;
        let outcomes = self.shared().store.accept(vec![new]).await?;
        match outcomes.into_iter().next() {
            Some(CommitOutcome::Refused(Refusal::KeyTaken {
                instance: existing,
                same_input: true,
            })) => Ok(WorkflowHandle::new(self.clone(), existing, None)),
            Some(CommitOutcome::Refused(Refusal::KeyTaken { .. })) => {
                Err(EngineError::IdempotencyConflict {
                    key: key.unwrap_or_default(),
                })
            }
            Some(CommitOutcome::Applied) => Ok(WorkflowHandle::new(self.clone(), instance, None)),
            Some(CommitOutcome::Refused(Refusal::Fenced | Refusal::Conflict)) | None => {
                Err(StoreError::corrupt("the store did not accept a new instance").into())
            }
        }
    }

    fn new_instance(&self, request: StartRequest, plan: &StartPlan, now: Timestamp) -> NewInstance {
        let instance_id = InstanceId(self.shared().ids.new_id(now));
        let input_hash = request
            .idempotency_key
            .is_some()
            .then(|| canonical::content_hash(&request.input));
        let header = InstanceHeader {
            tenant_id: self.tenant,
            instance_id,
            definition: plan.pin.clone(),
            input: Arc::new(request.input),
            correlation_id: request.correlation_id.map(Into::into),
            idempotency_key: request.idempotency_key.map(Into::into),
            initiator_id: request.initiator_id.map(Into::into),
            trigger_id: None,
            trigger_event_id: None,
            parent: None,
            root_instance_id: instance_id,
            depth: 0,
            priority: request.priority,
            trace_parent: request.trace_parent.map(Into::into),
            metadata: request.metadata.map(Arc::new),
            created_at: now,
            expires_at: plan.execution_micros.map(|length| now.plus_micros(length)),
        };
        NewInstance::new(Arc::new(header), input_hash)
    }
}

/// Refuses the character that databases do not keep.
pub(super) fn refuse_nul(
    reason: &'static str,
    what: &str,
    value: &Value,
) -> Result<(), EngineError> {
    let Some(place) = nul_at(value) else {
        return Ok(());
    };
    let message = format!(
        "{what} holds the character U+0000 at `{}`, which no text may have: take it out",
        place.escape_debug()
    );
    Err(EngineError::invalid(reason, message, Vec::new()))
}

fn check_input(
    plan: &StartPlan,
    input: &Value,
    now: Timestamp,
    limits: &DecideLimits,
) -> Result<(), EngineError> {
    let flow = &plan.plan.flow;
    refuse_nul("INPUT_INVALID", "the input", input)?;
    let mut findings = flow.check_input(input);
    if findings.is_empty()
        && let Err(error) = flow.initial_variables(input, now, limits)
    {
        findings.push(Finding::error(
            error.code,
            "",
            format!(
                "a variable of the workflow cannot be made from this input: {}",
                error.message
            ),
        ));
    }
    if findings.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the input does not fit workflow `{}` {}",
        flow.workflow_id(),
        flow.version()
    );
    Err(EngineError::invalid("INPUT_INVALID", message, findings))
}
