use std::sync::Arc;

use async_trait::async_trait;
use augmented_core::model::{DefinitionKind, StoredDefinition};
use augmented_core::runtime::Fact;
use augmented_core::store::{
    CommitOutcome, DefinitionFilter, DefinitionStore, DraftDeletion, ExecutionStore, FailedAttempt,
    InstanceCommit, InstanceFilter, InstancePage, LoadedInstance, NewDefinition, NewInstance,
    NewMessage, NodeInfo, Page, PendingWork, PutOutcome, QueryStore, RunningTask, SendOutcome,
    StatusChange, StatusMove, Store, StoreError, Wakeup,
};
use augmented_core::{InstanceId, NodeId, Seq, TenantId, Timestamp};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

type Wanted = Box<dyn Fn(&InstanceCommit) -> bool + Send + Sync>;
type Change = Box<dyn Fn(&mut LoadedInstance) + Send + Sync>;

/// A store that notes every applied commit, can die at a chosen commit, can falsify what a take-over reads, and
/// can be stopped for a while, as a process is by SIGSTOP: no call gets through, none is answered.
pub struct WatchedStore {
    inner: Arc<dyn Store>,
    applied: Mutex<Vec<InstanceCommit>>,
    last: Mutex<Option<Wanted>>,
    lost: Mutex<Option<Wanted>>,
    falsify: Mutex<Option<Change>>,
    died: Notify,
    stopped: watch::Sender<bool>,
    /// Whether the store needs real time to answer.
    is_remote: bool,
}

/// Keeps the paused clock of a runtime where it is: it moves on when all tasks wait, and would not wait for a database.
struct ClockHold {
    _release: std::sync::mpsc::Sender<()>,
}

impl ClockHold {
    fn new() -> Self {
        let (release, released) = std::sync::mpsc::channel::<()>();
        // The clock stays while a blocking task runs; this one ends when the sender is gone.
        tokio::task::spawn_blocking(move || released.recv());
        Self { _release: release }
    }
}

/// The store for one call.
struct Reached<'a> {
    store: &'a dyn Store,
    _hold: Option<ClockHold>,
}

impl<'a> std::ops::Deref for Reached<'a> {
    type Target = dyn Store + 'a;

    fn deref(&self) -> &Self::Target {
        self.store
    }
}

impl WatchedStore {
    /// A watched store over a fresh one.
    pub async fn fresh() -> Self {
        Self::over(crate::new_store().await)
    }

    /// A watched store over one in a database: the clock of a paused runtime stands still while it is asked.
    pub(crate) fn over_remote(inner: Arc<dyn Store>) -> Self {
        Self {
            is_remote: true,
            ..Self::over(inner)
        }
    }

    /// Opens a store while the clock of a paused runtime stands still.
    pub(crate) async fn open_remote<S: Store + 'static>(opening: impl Future<Output = S>) -> Self {
        let _hold = ClockHold::new();
        Self::over_remote(Arc::new(opening.await))
    }

    /// A watched store over the given one.
    pub fn over(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            is_remote: false,
            applied: Mutex::default(),
            last: Mutex::default(),
            lost: Mutex::default(),
            falsify: Mutex::default(),
            died: Notify::new(),
            stopped: watch::Sender::default(),
        }
    }

    /// What outlives the process: the store itself.
    pub fn inner(&self) -> Arc<dyn Store> {
        Arc::clone(&self.inner)
    }

    /// The commits applied so far.
    pub fn applied(&self) -> Vec<InstanceCommit> {
        self.applied.lock().clone()
    }

    /// The first commit that `is_last` picks is applied, but nobody is told any more.
    pub fn die_after(&self, is_last: impl Fn(&InstanceCommit) -> bool + Send + Sync + 'static) {
        *self.last.lock() = Some(Box::new(is_last));
    }

    /// The first commit that `is_lost` picks is applied, but its writer hears that the store is away.
    pub fn lose_answer(&self, is_lost: impl Fn(&InstanceCommit) -> bool + Send + Sync + 'static) {
        *self.lost.lock() = Some(Box::new(is_lost));
    }

    /// Returns once the commit chosen by [`die_after`](Self::die_after) is applied.
    pub async fn died(&self) {
        self.died.notified().await;
    }

    /// Lets no call through any more.
    pub fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Lets calls through again, also those that wait.
    pub fn go_on(&self) {
        self.stopped.send_replace(false);
    }

    /// The store, once it is not stopped.
    async fn reached(&self) -> Reached<'_> {
        self.let_through().await;
        Reached {
            store: &*self.inner,
            _hold: self.is_remote.then(ClockHold::new),
        }
    }

    async fn let_through(&self) {
        // The sender lives as long as the store, so the wait ends only when it may go on.
        let _ = self.stopped.subscribe().wait_for(|stopped| !stopped).await;
    }

    /// Changes every instance that a take-over reads.
    pub fn falsify(&self, change: impl Fn(&mut LoadedInstance) + Send + Sync + 'static) {
        *self.falsify.lock() = Some(Box::new(change));
    }
}

#[async_trait]
impl ExecutionStore for WatchedStore {
    async fn register_node(&self, node: NodeId, now: Timestamp) -> Result<(), StoreError> {
        self.reached().await.register_node(node, now).await
    }

    async fn heartbeat(&self, node: NodeId, now: Timestamp) -> Result<bool, StoreError> {
        self.reached().await.heartbeat(node, now).await
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        self.reached().await.nodes().await
    }

    async fn fence_node(&self, node: NodeId, silent_since: Timestamp) -> Result<bool, StoreError> {
        self.reached().await.fence_node(node, silent_since).await
    }

    async fn take_over(
        &self,
        from: NodeId,
        to: NodeId,
        limit: usize,
    ) -> Result<Vec<LoadedInstance>, StoreError> {
        let mut taken = self.reached().await.take_over(from, to, limit).await?;
        if let Some(change) = &*self.falsify.lock() {
            taken.iter_mut().for_each(change);
        }
        Ok(taken)
    }

    async fn commit(
        &self,
        node: NodeId,
        batch: Vec<InstanceCommit>,
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        let outcomes = self.reached().await.commit(node, batch.clone()).await?;
        let (mut dies, mut is_lost) = (false, false);
        for (commit, outcome) in batch.into_iter().zip(&outcomes) {
            if matches!(outcome, CommitOutcome::Applied) {
                dies |= self
                    .last
                    .lock()
                    .as_ref()
                    .is_some_and(|is_last| is_last(&commit));
                let mut lost = self.lost.lock();
                if lost.as_ref().is_some_and(|wanted| wanted(&commit)) {
                    *lost = None;
                    is_lost = true;
                }
                self.applied.lock().push(commit);
            }
        }
        self.let_through().await;
        if dies {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
        if is_lost {
            return Err(StoreError::unavailable("the answer was lost"));
        }
        Ok(outcomes)
    }

    async fn accept(&self, new: Vec<NewInstance>) -> Result<Vec<CommitOutcome>, StoreError> {
        self.reached().await.accept(new).await
    }

    async fn load(
        &self,
        tenant: TenantId,
        ids: &[InstanceId],
    ) -> Result<Vec<Option<LoadedInstance>>, StoreError> {
        // Others get their turn before a store answers.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        self.reached().await.load(tenant, ids).await
    }

    async fn send(&self, messages: Vec<NewMessage>) -> Result<Vec<SendOutcome>, StoreError> {
        self.reached().await.send(messages).await
    }

    async fn pending(&self, node: NodeId, limit: usize) -> Result<Vec<PendingWork>, StoreError> {
        self.reached().await.pending(node, limit).await
    }

    async fn fire_due_timers(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.reached().await.fire_due_timers(now, limit).await
    }

    async fn next_timer(&self) -> Result<Option<Timestamp>, StoreError> {
        self.reached().await.next_timer().await
    }

    async fn record_attempts(&self, attempts: Vec<FailedAttempt>) -> Result<(), StoreError> {
        self.reached().await.record_attempts(attempts).await
    }

    async fn record_running(&self, tasks: Vec<RunningTask>) -> Result<(), StoreError> {
        self.reached().await.record_running(tasks).await
    }

    async fn wait_for_work(&self, node: NodeId) -> Wakeup {
        // Waiting for work is no work: time may pass meanwhile.
        self.let_through().await;
        self.inner.wait_for_work(node).await
    }
}

#[async_trait]
impl DefinitionStore for WatchedStore {
    async fn put_definitions(
        &self,
        tenant: TenantId,
        bundle: Vec<NewDefinition>,
        now: Timestamp,
    ) -> Result<Vec<PutOutcome>, StoreError> {
        self.reached()
            .await
            .put_definitions(tenant, bundle, now)
            .await
    }

    async fn definition_versions(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
    ) -> Result<Vec<StoredDefinition>, StoreError> {
        self.reached()
            .await
            .definition_versions(tenant, kind, business_id)
            .await
    }

    async fn definitions_by_id(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<Vec<Option<StoredDefinition>>, StoreError> {
        self.reached().await.definitions_by_id(tenant, ids).await
    }

    async fn list_definitions(
        &self,
        tenant: TenantId,
        filter: &DefinitionFilter,
    ) -> Result<Vec<StoredDefinition>, StoreError> {
        self.reached().await.list_definitions(tenant, filter).await
    }

    async fn change_definition_status(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
        version: &str,
        step: StatusMove,
        now: Timestamp,
    ) -> Result<StatusChange, StoreError> {
        self.reached()
            .await
            .change_definition_status(tenant, kind, business_id, version, step, now)
            .await
    }

    async fn delete_draft(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
        version: &str,
    ) -> Result<DraftDeletion, StoreError> {
        self.reached()
            .await
            .delete_draft(tenant, kind, business_id, version)
            .await
    }
}

#[async_trait]
impl QueryStore for WatchedStore {
    async fn instance(
        &self,
        tenant: TenantId,
        id: InstanceId,
    ) -> Result<Option<LoadedInstance>, StoreError> {
        self.reached().await.instance(tenant, id).await
    }

    async fn list_instances(
        &self,
        tenant: TenantId,
        filter: &InstanceFilter,
        page: Page,
    ) -> Result<InstancePage, StoreError> {
        self.reached()
            .await
            .list_instances(tenant, filter, page)
            .await
    }

    async fn facts(
        &self,
        tenant: TenantId,
        id: InstanceId,
        from: Seq,
        limit: usize,
    ) -> Result<Vec<Fact>, StoreError> {
        self.reached().await.facts(tenant, id, from, limit).await
    }
}
