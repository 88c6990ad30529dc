//! The API of the crate: build an engine, publish definitions, start instances, follow and steer them.

mod applied;
mod builder;
mod control;
mod handle;
mod operate;
mod query;
mod start;
mod view;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use augmented_core::TenantId;
use augmented_core::Timestamp;
use augmented_core::model::{DefinitionKind, LifecycleStatus, StoredDefinition};
use augmented_core::store::{DefinitionFilter, DraftDeletion, StatusChange};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::task::{AbortHandle, JoinSet};

use crate::EngineError;
use crate::clock::{Rank, TimeHold, VirtualClock, until};
use crate::definitions::{Bundle, DraftReport, PublishReport};
use crate::driver::{Shared, WorkerInput};
use crate::metrics::MetricsSnapshot;
use crate::schemas::SchemaRegistry;

pub use builder::EngineBuilder;
pub use control::{CancelReceipt, CancelRequest, SignalReceipt, SignalRequest};
pub use handle::{WorkflowHandle, WorkflowResult};
pub use operate::{ControlReceipt, ControlRequest};
pub use query::HistoryPage;
pub use start::StartRequest;
pub use view::{InstanceView, StepView, WaitKind, WaitingFor};

/// A running workflow engine; cheap to clone, all clones are the same engine.
///
/// Its work happens in tasks of the runtime it was started on. They end with [`shutdown`](Self::shutdown), or at once
/// when the last clone is dropped.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
    tenant: TenantId,
}

struct Inner {
    shared: Arc<Shared>,
    tasks: Mutex<Tasks>,
    aborts: Vec<AbortHandle>,
}

#[derive(Default)]
struct Tasks {
    workers: JoinSet<()>,
    /// What brings work: useless once nothing new is begun.
    house: JoinSet<()>,
    /// What must go on until the last instance is given away: the lease, or the virtual clock.
    keepers: JoinSet<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.abort();
    }
}

impl Inner {
    fn abort(&self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        for task in &self.aborts {
            task.abort();
        }
    }
}

impl Engine {
    /// Begins to build an engine on a store.
    pub fn builder(store: Arc<dyn augmented_core::store::Store>) -> EngineBuilder {
        EngineBuilder::new(store)
    }

    /// The same engine, acting for another tenant.
    #[must_use]
    pub fn for_tenant(&self, tenant: TenantId) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            tenant,
        }
    }

    /// The tenant this engine acts for.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The present instant of the engine's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared().time().now()
    }

    /// What the engine counted since it started.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        self.shared().metrics.snapshot()
    }

    /// The names of the registered task handlers, in order.
    #[must_use]
    pub fn task_handlers(&self) -> Vec<String> {
        self.shared().definitions.registry().names()
    }

    /// Validates definitions and stores them as PUBLISHED, all or none.
    ///
    /// Takes JSON text (one document or an array), documents as values, or a [`Bundle`] of files.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, reason `DEFINITION_INVALID`, with all findings of all documents, if one has an error; nothing
    /// is stored then. `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn publish(&self, bundle: impl Into<Bundle>) -> Result<PublishReport, EngineError> {
        self.check_running()?;
        let _hold = self.shared().time().hold();
        let now = self.now();
        let published = self
            .shared()
            .definitions
            .publish(self.tenant, bundle.into(), now, || {
                self.shared().ids.new_id(now)
            })
            .await;
        self.shared().schemas.forget_choices();
        published
    }

    /// Stores definitions as DRAFT, all or none, whatever is still wrong with them.
    ///
    /// A draft of the same version is replaced. It becomes PUBLISHED, once nothing is wrong with it any more, by
    /// [`publish`](Self::publish) or [`change_definition_status`](Self::change_definition_status).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use augmented_engine::Engine;
    /// # use serde_json::json;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let engine = Engine::builder(Arc::new(augmented_store_memory::MemoryStore::new())).start().await?;
    /// let report = engine.save_draft(json!({
    ///     "kind": "workflow", "workflowId": "hello", "version": "1.0.0", "name": "Hello",
    ///     "steps": [{ "stepId": "greet", "type": "TASK", "taskId": "nobody-wrote-it-yet" }],
    /// })).await?;
    /// assert_eq!((report.definitions.len(), report.findings[0].code.as_ref()), (1, "UNKNOWN_TASK"));
    /// # engine.shutdown().await;
    /// # Ok::<(), augmented_engine::EngineError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, reason `DEFINITION_INVALID`, for text that is no JSON, a kind, id or version that cannot be
    /// told, a definition that stands twice in the bundle, or a version that is published with other content; nothing
    /// is stored then. `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn save_draft(&self, bundle: impl Into<Bundle>) -> Result<DraftReport, EngineError> {
        self.check_running()?;
        let _hold = self.shared().time().hold();
        let now = self.now();
        self.shared()
            .definitions
            .save_draft(self.tenant, bundle.into(), now, || {
                self.shared().ids.new_id(now)
            })
            .await
    }

    /// Deletes a version that is still a draft; nothing else is ever deleted.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such version, `ILLEGAL_STATE`, reason `NOT_DRAFT`, if it is past DRAFT; `UNAVAILABLE`
    /// and `INTERNAL` from the store.
    pub async fn delete_draft(
        &self,
        kind: DefinitionKind,
        business_id: &str,
        version: &str,
    ) -> Result<(), EngineError> {
        self.check_running()?;
        let _hold = self.shared().time().hold();
        let deleted = self
            .shared()
            .store
            .delete_draft(self.tenant, kind, business_id, version)
            .await?;
        match deleted {
            DraftDeletion::Deleted => Ok(()),
            DraftDeletion::NotDraft(status) => Err(EngineError::illegal_state(
                "NOT_DRAFT",
                format!(
                    "{kind} `{business_id}` {version} is {status}, and only a draft can be deleted"
                ),
            )),
            DraftDeletion::NotFound => Err(EngineError::not_found(
                "DEFINITION_NOT_FOUND",
                format!("there is no {kind} `{business_id}` {version}"),
            )),
        }
    }

    /// The schema registry, acting for the same tenant.
    #[must_use]
    pub fn schemas(&self) -> SchemaRegistry {
        SchemaRegistry::new(Arc::clone(self.shared()), self.tenant)
    }

    /// All stored versions of a definition, in SemVer order.
    ///
    /// # Errors
    /// `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn definition_versions(
        &self,
        kind: DefinitionKind,
        business_id: &str,
    ) -> Result<Vec<StoredDefinition>, EngineError> {
        Ok(self
            .shared()
            .store
            .definition_versions(self.tenant, kind, business_id)
            .await?)
    }

    /// A page of definitions, ordered by kind, business id and version.
    ///
    /// # Errors
    /// `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn definitions(
        &self,
        filter: &DefinitionFilter,
    ) -> Result<Vec<StoredDefinition>, EngineError> {
        Ok(self
            .shared()
            .store
            .list_definitions(self.tenant, filter)
            .await?)
    }

    /// Moves a version in its life cycle, for example to DEPRECATED. A draft is validated like any other document before
    /// it becomes PUBLISHED.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a draft with errors, as [`publish`](Self::publish) says; `NOT_FOUND` if there is no such version, `ILLEGAL_STATE` if the life cycle has no such move, `UNAVAILABLE` and
    /// `INTERNAL` from the store.
    pub async fn change_definition_status(
        &self,
        kind: DefinitionKind,
        business_id: &str,
        version: &str,
        to: LifecycleStatus,
    ) -> Result<StoredDefinition, EngineError> {
        self.check_running()?;
        let _hold = self.shared().time().hold();
        if to == LifecycleStatus::Published
            && let Some(draft) = self.draft(kind, business_id, version).await?
        {
            let report = self.publish(Value::clone(&draft.document)).await?;
            let published = report
                .definitions
                .into_iter()
                .next()
                .map(|definition| definition.stored);
            return published
                .ok_or_else(|| EngineError::internal("a draft was published as nothing"));
        }
        let changed = self
            .shared()
            .store
            .change_definition_status(
                self.tenant,
                kind,
                business_id,
                version,
                to.into(),
                self.now(),
            )
            .await?;
        self.shared().definitions.forget_choices();
        self.shared().schemas.forget_choices();
        match changed {
            StatusChange::Changed(stored) => Ok(stored),
            StatusChange::Forbidden(from) => Err(EngineError::illegal_state(
                "STATUS_FORBIDS",
                format!("{kind} `{business_id}` {version} is {from} and cannot become {to}"),
            )),
            StatusChange::NotFound => Err(EngineError::not_found(
                "DEFINITION_NOT_FOUND",
                format!("there is no {kind} `{business_id}` {version}"),
            )),
        }
    }

    /// A version that is still a draft.
    async fn draft(
        &self,
        kind: DefinitionKind,
        business_id: &str,
        version: &str,
    ) -> Result<Option<StoredDefinition>, EngineError> {
        let versions = self.definition_versions(kind, business_id).await?;
        Ok(versions
            .into_iter()
            .find(|stored| *stored.version == *version && stored.status == LifecycleStatus::Draft))
    }

    /// Returns when nothing more can ever happen without a call from outside: no work is under way, no timer is set.
    ///
    /// Instances may then still wait, for a signal for example.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub async fn idle(&self) {
        let shared = self.shared();
        if let Some(clock) = shared.time().virtual_clock() {
            clock.idle().await;
            return;
        }
        loop {
            if is_idle(shared).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Keeps virtual time from moving on until the guard is dropped, so that several calls happen at one instant.
    ///
    /// Without effect on real time.
    pub fn hold_time(&self) -> TimeHold {
        self.shared().time().hold().unwrap_or(TimeHold::none())
    }

    /// Waits for an instant of the engine's clock.
    ///
    /// On virtual time it comes after all work that is ready and before timers that are due at the same instant, and
    /// time stands still until the guard is dropped.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub async fn wait_until(&self, at: Timestamp) -> TimeHold {
        match self.shared().time().virtual_clock() {
            Some(clock) => clock.sleep_until(at, Rank::Stimulus, None).held().await,
            None => {
                tokio::time::sleep(until(self.now(), at)).await;
                TimeHold::none()
            }
        }
    }

    /// Takes no more calls, lets running handlers finish, then gives all instances away for other engines to go on with.
    ///
    /// Handlers that run longer than [`shutdown_timeout`](crate::EngineConfig::shutdown_timeout) are dropped and begun
    /// again by the next owner.
    pub async fn shutdown(&self) {
        let shared = self.shared();
        if shared.stopped.swap(true, Ordering::SeqCst) {
            return;
        }
        let Tasks {
            mut workers,
            mut house,
            mut keepers,
        } = std::mem::take(&mut *self.inner.tasks.lock());
        house.abort_all();
        shared.broadcast(|| WorkerInput::Drain);
        let drained = tokio::time::timeout(shared.config.shutdown_timeout, async {
            while workers.join_next().await.is_some() {}
        })
        .await;
        if drained.is_err() {
            tracing::warn!("handlers still run after the shutdown timeout and are dropped");
            shared.broadcast(|| WorkerInput::Release);
            // A store that does not answer must not keep the host from ending; others take over what is left.
            let released = tokio::time::timeout(shared.config.shutdown_timeout, async {
                while workers.join_next().await.is_some() {}
            })
            .await;
            if released.is_err() {
                tracing::warn!(
                    "the instances could not be given away; they are taken over when the lease ends"
                );
                workers.shutdown().await;
            }
        }
        keepers.shutdown().await;
        if shared.is_client() {
            return;
        }
        // Nothing is owned any more, so nobody needs to wait for the lease to run out.
        if let Err(error) = shared
            .store
            .fence_node(shared.node.current(), Timestamp::MAX)
            .await
        {
            tracing::warn!(%error, "the node could not be signed off");
        }
    }

    /// Stops at once without finishing anything, as a crash would.
    ///
    /// Other engines take the instances over once the lease of this node has run out.
    pub fn kill(&self) {
        self.inner.abort();
    }

    pub(crate) fn virtual_clock(&self) -> Option<&Arc<VirtualClock>> {
        self.shared().time().virtual_clock()
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    fn check_running(&self) -> Result<(), EngineError> {
        if self.shared().is_stopped() {
            Err(EngineError::stopped())
        } else {
            Ok(())
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("node", &self.shared().node.current())
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// Whether nothing is in hand, in a mailbox or on a timer. A store in trouble does not count as idle.
async fn is_idle(shared: &Shared) -> bool {
    if !shared.is_quiet() {
        return false;
    }
    let nothing_waits = shared
        .store
        .pending(shared.node.current(), 1)
        .await
        .is_ok_and(|work| work.is_empty());
    let nothing_is_due = nothing_waits
        && shared
            .store
            .next_timer()
            .await
            .is_ok_and(|next| next.is_none());
    nothing_is_due && shared.is_quiet()
}
