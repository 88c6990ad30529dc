//! Definitions made ready to run: versions chosen, compiled once, shared by all instances.

mod cache;
mod draft;
mod known;
mod publish;
mod schemas;
mod unsupported;

use std::hash::Hash;
use std::sync::Arc;

use augmented_core::expr::ExpressionEngine;
use augmented_core::model::{
    DefinitionKind, LifecycleStatus, StoredDefinition, TaskDefinition, WorkflowDefinition,
    select_version,
};
use augmented_core::runtime::{DefinitionPin, TaskPin};
use augmented_core::schema::{SchemaOptions, ValidatorRegistry};
use augmented_core::store::Store;
use augmented_core::validate::{Finding, schema_references};
use augmented_core::{TenantId, Timestamp};
use parking_lot::RwLock;
use serde::Deserialize;
use uuid::Uuid;

use crate::EngineError;
use crate::clock::{Time, micros};
use crate::config::EngineConfig;
use crate::task::{CompiledTask, ExecutionPlan, TaskEnv, TaskRegistry};
use crate::workflow::{CompiledWorkflow, TaskRef};
use cache::Bounded;
pub use draft::DraftReport;
pub(crate) use known::KnownDefinitions;
pub use publish::{Bundle, PublishOutcome, PublishReport, PublishedDefinition};
pub use unsupported::unsupported_findings;

/// A workflow version with its tasks chosen: what a new instance pins.
pub(crate) struct StartPlan {
    pub(crate) pin: Arc<DefinitionPin>,
    pub(crate) plan: Arc<ExecutionPlan>,
    pub(crate) task_pins: Arc<[TaskPin]>,
    pub(crate) execution_micros: Option<i64>,
}

/// Finds and compiles definitions.
pub(crate) struct Definitions {
    store: Arc<dyn Store>,
    registry: Arc<TaskRegistry>,
    expressions: Arc<dyn ExpressionEngine>,
    validators: Arc<ValidatorRegistry>,
    env: Arc<TaskEnv>,
    /// Absent on virtual time, where every choice is made anew.
    resolution_micros: Option<i64>,
    workflows: RwLock<Bounded<Uuid, Arc<CompiledWorkflow>>>,
    tasks: RwLock<Bounded<Uuid, Arc<CompiledTask>>>,
    plans: RwLock<Bounded<PlanKey, Arc<ExecutionPlan>>>,
    starts: RwLock<Bounded<StartKey, ShortLived>>,
    /// Plans of instances that were accepted and have not begun, by their pinned version.
    pinned: RwLock<Bounded<(TenantId, Uuid), ShortLived>>,
}

/// A workflow version and the task versions its instances pin.
type PlanKey = (Uuid, Box<[Uuid]>);

/// A tenant, a workflow and what was asked of its version.
type StartKey = (TenantId, Box<str>, Option<Box<str>>);

/// A plan and until when it may be taken for the current one.
type ShortLived = (Arc<StartPlan>, Timestamp);

/// How long others go on with what they know while one looks whether it is still so.
const LOOKING_MICROS: i64 = 500_000;

/// What is known of a key, unless the caller is the one to look it up again: if all did that at the same moment, the store
/// would be asked the same as often as there are starts.
fn still_good<K: Clone + Eq + Hash>(
    cache: &RwLock<Bounded<K, ShortLived>>,
    key: &K,
    now: Timestamp,
) -> Option<Arc<StartPlan>> {
    if let Some((plan, good_until)) = cache.read().get(key)
        && now < *good_until
    {
        return Some(Arc::clone(plan));
    }
    let mut cache = cache.write();
    let (plan, good_until) = cache.get_mut(key)?;
    if now < *good_until {
        return Some(Arc::clone(plan));
    }
    *good_until = now.plus_micros(LOOKING_MICROS);
    None
}

impl Definitions {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        registry: Arc<TaskRegistry>,
        expressions: Arc<dyn ExpressionEngine>,
        validators: Arc<ValidatorRegistry>,
        env: Arc<TaskEnv>,
        config: &EngineConfig,
    ) -> Self {
        let size = config.definition_cache;
        let resolution_micros = match env.time {
            Time::Real(_) => Some(micros(config.resolution_ttl)),
            Time::Virtual(_) => None,
        };
        Self {
            store,
            registry,
            expressions,
            validators,
            env,
            resolution_micros,
            workflows: RwLock::new(Bounded::new(size)),
            tasks: RwLock::new(Bounded::new(size)),
            plans: RwLock::new(Bounded::new(size)),
            starts: RwLock::new(Bounded::new(size)),
            pinned: RwLock::new(Bounded::new(size)),
        }
    }

    pub(crate) fn registry(&self) -> &TaskRegistry {
        &self.registry
    }

    /// Chooses the version a new instance runs, and the versions of its tasks.
    pub(crate) async fn start_plan(
        &self,
        tenant: TenantId,
        workflow_id: &str,
        requirement: Option<&str>,
    ) -> Result<Arc<StartPlan>, EngineError> {
        let key: StartKey = (tenant, workflow_id.into(), requirement.map(Into::into));
        let now = self.env.time.now();
        if let Some(plan) = still_good(&self.starts, &key, now) {
            return Ok(plan);
        }
        let versions = self
            .store
            .definition_versions(tenant, DefinitionKind::Workflow, workflow_id)
            .await?;
        let chosen =
            select_version(requirement, &versions).map_err(|_| no_requirement(requirement))?;
        let Some(stored) = chosen else {
            return Err(not_found(&versions, workflow_id, requirement));
        };
        let plan = self.plan_of(tenant, stored).await?;
        if let Some(length) = self.resolution_micros {
            self.starts
                .write()
                .insert(key, (Arc::clone(&plan), now.plus_micros(length)));
        }
        Ok(plan)
    }

    /// Chooses the tasks of an instance that pins its workflow version and has not begun.
    pub(crate) async fn plan_of_pinned(
        &self,
        tenant: TenantId,
        workflow: Uuid,
    ) -> Result<Arc<StartPlan>, EngineError> {
        let now = self.env.time.now();
        if let Some(plan) = still_good(&self.pinned, &(tenant, workflow), now) {
            return Ok(plan);
        }
        let stored = self.stored(tenant, workflow).await?;
        let plan = self.plan_of(tenant, &stored).await?;
        if let Some(length) = self.resolution_micros {
            self.pinned.write().insert(
                (tenant, workflow),
                (Arc::clone(&plan), now.plus_micros(length)),
            );
        }
        Ok(plan)
    }

    /// The plan of an instance that has begun.
    pub(crate) async fn plan(
        &self,
        tenant: TenantId,
        workflow: Uuid,
        pins: &[TaskPin],
    ) -> Result<Arc<ExecutionPlan>, EngineError> {
        if let Some(plan) = self.cached_plan(workflow, pins) {
            return Ok(plan);
        }
        let flow = self.workflow(tenant, workflow).await?;
        let mut tasks = Vec::with_capacity(pins.len());
        for pin in pins {
            tasks.push(self.pinned_task(tenant, pin).await?);
        }
        Ok(self.remember_plan(flow, tasks))
    }

    /// The plan of an instance that has begun, if it is at hand.
    pub(crate) fn cached_plan(
        &self,
        workflow: Uuid,
        pins: &[TaskPin],
    ) -> Option<Arc<ExecutionPlan>> {
        let key: PlanKey = (workflow, pins.iter().map(|pin| pin.id).collect());
        self.plans.read().get(&key).cloned()
    }

    /// A compiled workflow version.
    pub(crate) async fn workflow(
        &self,
        tenant: TenantId,
        id: Uuid,
    ) -> Result<Arc<CompiledWorkflow>, EngineError> {
        if let Some(known) = self.workflows.read().get(&id) {
            return Ok(Arc::clone(known));
        }
        let stored = self.stored(tenant, id).await?;
        self.compile_workflow(&stored).await
    }

    /// Forgets which versions were chosen, because there are new ones.
    pub(crate) fn forget_choices(&self) {
        self.starts.write().clear();
    }

    async fn plan_of(
        &self,
        tenant: TenantId,
        stored: &StoredDefinition,
    ) -> Result<Arc<StartPlan>, EngineError> {
        let known = self.workflows.read().get(&stored.id).cloned();
        let flow = match known {
            Some(known) => known,
            None => self.compile_workflow(stored).await?,
        };
        let mut tasks = Vec::with_capacity(flow.task_refs().len());
        for wanted in flow.task_refs() {
            tasks.push(self.chosen_task(tenant, wanted).await?);
        }
        let plan = self.remember_plan(flow, tasks);
        let pin = Arc::new(DefinitionPin {
            id: stored.id,
            workflow_id: Arc::clone(&stored.business_id),
            version: Arc::clone(&stored.version),
        });
        let task_pins = plan.pins().cloned().collect();
        let execution_micros = plan
            .flow
            .execution_timeout()
            .map(augmented_core::IsoDuration::as_micros);
        Ok(Arc::new(StartPlan {
            pin,
            plan,
            task_pins,
            execution_micros,
        }))
    }

    fn remember_plan(
        &self,
        flow: Arc<CompiledWorkflow>,
        tasks: Vec<Arc<CompiledTask>>,
    ) -> Arc<ExecutionPlan> {
        let key: PlanKey = (
            flow.row_id(),
            tasks.iter().map(|task| task.pin.id).collect(),
        );
        let mut plans = self.plans.write();
        if let Some(known) = plans.get(&key) {
            return Arc::clone(known);
        }
        let plan = Arc::new(ExecutionPlan::new(flow, tasks, Arc::clone(&self.env)));
        plans.insert(key, Arc::clone(&plan));
        plan
    }

    async fn compile_workflow(
        &self,
        stored: &StoredDefinition,
    ) -> Result<Arc<CompiledWorkflow>, EngineError> {
        let definition = WorkflowDefinition::deserialize(&*stored.document)
            .map_err(|error| unreadable(stored, &error))?;
        let schemas = self.schemas_of(stored).await?;
        let compiled = CompiledWorkflow::compile_with(
            &definition,
            stored.id,
            &*self.expressions,
            &self.schema_options(&schemas),
        )
        .map_err(|findings| uncompiled(stored, &findings))?;
        let compiled = Arc::new(compiled);
        self.workflows
            .write()
            .insert(stored.id, Arc::clone(&compiled));
        Ok(compiled)
    }

    /// The registered schemas that the schemas of a stored definition lead to.
    async fn schemas_of(&self, stored: &StoredDefinition) -> Result<KnownDefinitions, EngineError> {
        let references = schema_references(stored.kind, &stored.document);
        Ok(KnownDefinitions::read_schemas(&*self.store, stored.tenant, references).await?)
    }

    fn schema_options<'k>(&self, known: &'k KnownDefinitions) -> SchemaOptions<'k> {
        SchemaOptions::new()
            .with_resolver(known)
            .with_validators(Arc::clone(&self.validators))
    }

    async fn chosen_task(
        &self,
        tenant: TenantId,
        wanted: &TaskRef,
    ) -> Result<Arc<CompiledTask>, EngineError> {
        let versions = self
            .store
            .definition_versions(tenant, DefinitionKind::Task, &wanted.task_id)
            .await?;
        let requirement = wanted.requirement.as_deref();
        if let Some(stored) =
            select_version(requirement, &versions).map_err(|_| no_requirement(requirement))?
        {
            return self.compile_task(stored).await;
        }
        match self.registry.derived(&wanted.task_id) {
            Some(derived) if matches_version(requirement, &derived.pin.version) => {
                self.derived_task(&derived.pin)
            }
            Some(_) | None => {
                let message = format!(
                    "the task `{}` has no published version that fits {}",
                    wanted.task_id,
                    requirement.unwrap_or("*")
                );
                Err(EngineError::not_found("DEFINITION_NOT_FOUND", message))
            }
        }
    }

    async fn pinned_task(
        &self,
        tenant: TenantId,
        pin: &TaskPin,
    ) -> Result<Arc<CompiledTask>, EngineError> {
        if let Some(known) = self.tasks.read().get(&pin.id) {
            return Ok(Arc::clone(known));
        }
        let found = self.store.definitions_by_id(tenant, &[pin.id]).await?;
        match found.into_iter().next().flatten() {
            Some(stored) => self.compile_task(&stored).await,
            // The definition follows from a handler, perhaps of an older build whose types differed.
            None => self.derived_task(pin),
        }
    }

    fn derived_task(&self, pin: &TaskPin) -> Result<Arc<CompiledTask>, EngineError> {
        if let Some(known) = self.tasks.read().get(&pin.id) {
            return Ok(Arc::clone(known));
        }
        let Some(derived) = self.registry.derived(&pin.task_id) else {
            let message = format!(
                "the task `{}` {} is neither stored nor has a handler on this node",
                pin.task_id, pin.version
            );
            return Err(EngineError::not_found("DEFINITION_NOT_FOUND", message));
        };
        let mut compiled = self
            .registry
            .compile_derived(derived)
            .map_err(|findings| broken(&pin.task_id, &pin.version, &findings))?;
        compiled.pin = pin.clone();
        let compiled = Arc::new(compiled);
        self.tasks.write().insert(pin.id, Arc::clone(&compiled));
        Ok(compiled)
    }

    async fn compile_task(
        &self,
        stored: &StoredDefinition,
    ) -> Result<Arc<CompiledTask>, EngineError> {
        if let Some(known) = self.tasks.read().get(&stored.id) {
            return Ok(Arc::clone(known));
        }
        let definition = TaskDefinition::deserialize(&*stored.document)
            .map_err(|error| unreadable(stored, &error))?;
        let pin = TaskPin {
            id: stored.id,
            task_id: Arc::clone(&stored.business_id),
            version: Arc::clone(&stored.version),
        };
        let schemas = self.schemas_of(stored).await?;
        let compiled = Arc::new(
            self.registry
                .compile(&definition, pin, &self.schema_options(&schemas))
                .map_err(|findings| uncompiled(stored, &findings))?,
        );
        self.tasks.write().insert(stored.id, Arc::clone(&compiled));
        Ok(compiled)
    }

    async fn stored(&self, tenant: TenantId, id: Uuid) -> Result<StoredDefinition, EngineError> {
        let found = self.store.definitions_by_id(tenant, &[id]).await?;
        found.into_iter().next().flatten().ok_or_else(|| {
            EngineError::not_found(
                "DEFINITION_NOT_FOUND",
                format!("there is no definition with the row id {id}"),
            )
        })
    }
}

fn matches_version(requirement: Option<&str>, version: &str) -> bool {
    select_version(requirement, &[(version, LifecycleStatus::Published)])
        .is_ok_and(|found| found.is_some())
}

fn no_requirement(requirement: Option<&str>) -> EngineError {
    let text = requirement.unwrap_or_default();
    let finding = Finding::error(
        "VERSION_INVALID",
        "/version",
        format!("`{text}` is neither a version nor a range of versions"),
    )
    .with_argument("actual", text)
    .with_hint("write an exact version such as 1.2.0 or a range such as ^1");
    EngineError::invalid(
        "VERSION_INVALID",
        "the version cannot be read",
        vec![finding],
    )
}

fn not_found(
    versions: &[StoredDefinition],
    workflow_id: &str,
    requirement: Option<&str>,
) -> EngineError {
    if versions.is_empty() {
        return EngineError::not_found(
            "WORKFLOW_NOT_FOUND",
            format!("there is no workflow `{workflow_id}`"),
        );
    }
    let known: Vec<String> = versions
        .iter()
        .map(|found| format!("{} ({})", found.version, found.status))
        .collect();
    let wanted = requirement.map_or_else(String::new, |text| format!(" that fits {text}"));
    let message = format!(
        "the workflow `{workflow_id}` has no startable version{wanted}; there are {}",
        known.join(", ")
    );
    EngineError::not_found("DEFINITION_NOT_FOUND", message)
}

/// A stored definition is valid by promise; one that is not was written past every check.
fn unreadable(stored: &StoredDefinition, error: &serde_json::Error) -> EngineError {
    EngineError::internal(format!(
        "the stored {} `{}` {} cannot be read: {error}",
        stored.kind, stored.business_id, stored.version
    ))
}

fn uncompiled(stored: &StoredDefinition, findings: &[Finding]) -> EngineError {
    broken(&stored.business_id, &stored.version, findings)
}

fn broken(id: &str, version: &str, findings: &[Finding]) -> EngineError {
    let first = findings
        .first()
        .map_or_else(String::new, |finding| format!(": {finding}"));
    EngineError::internal(format!(
        "the stored definition `{id}` {version} cannot be compiled{first}"
    ))
}
