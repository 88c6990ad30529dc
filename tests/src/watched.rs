use std::sync::Arc;

use async_trait::async_trait;
use augmented_core::model::{DefinitionKind, StoredDefinition};
use augmented_core::runtime::Fact;
use augmented_core::store::{
    AttemptRow, CommitOutcome, DefinitionFilter, DefinitionStore, DraftDeletion, ExecutionStore,
    InstanceCommit, InstanceFilter, InstancePage, LoadedInstance, NewDefinition, NewMessage,
    NodeInfo, Page, PendingWork, PutOutcome, QueryStore, StatusChange, StatusMove, StoreError,
    Wakeup,
};
use augmented_core::{InstanceId, NodeId, Seq, TenantId, Timestamp};
use augmented_store_memory::MemoryStore;
use parking_lot::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;

type Wanted = Box<dyn Fn(&InstanceCommit) -> bool + Send + Sync>;
type Change = Box<dyn Fn(&mut LoadedInstance) + Send + Sync>;

/// A memory store that notes every applied commit, can die at a chosen commit, and can falsify what a take-over reads.
#[derive(Default)]
pub struct WatchedStore {
    inner: Arc<MemoryStore>,
    applied: Mutex<Vec<InstanceCommit>>,
    last: Mutex<Option<Wanted>>,
    falsify: Mutex<Option<Change>>,
    died: Notify,
}

impl WatchedStore {
    /// A watched store over a fresh memory store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A watched store over the given one.
    pub fn over(inner: Arc<MemoryStore>) -> Self {
        Self {
            inner,
            ..Self::default()
        }
    }

    /// What outlives the process: the store itself.
    pub fn inner(&self) -> Arc<MemoryStore> {
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

    /// Returns once the commit chosen by [`die_after`](Self::die_after) is applied.
    pub async fn died(&self) {
        self.died.notified().await;
    }

    /// Changes every instance that a take-over reads.
    pub fn falsify(&self, change: impl Fn(&mut LoadedInstance) + Send + Sync + 'static) {
        *self.falsify.lock() = Some(Box::new(change));
    }
}

#[async_trait]
impl ExecutionStore for WatchedStore {
    async fn register_node(&self, node: NodeId, now: Timestamp) -> Result<(), StoreError> {
        self.inner.register_node(node, now).await
    }

    async fn heartbeat(&self, node: NodeId, now: Timestamp) -> Result<bool, StoreError> {
        self.inner.heartbeat(node, now).await
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        self.inner.nodes().await
    }

    async fn fence_node(&self, node: NodeId, silent_since: Timestamp) -> Result<bool, StoreError> {
        self.inner.fence_node(node, silent_since).await
    }

    async fn take_over(
        &self,
        from: NodeId,
        to: NodeId,
        limit: usize,
    ) -> Result<Vec<LoadedInstance>, StoreError> {
        let mut taken = self.inner.take_over(from, to, limit).await?;
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
        let outcomes = self.inner.commit(node, batch.clone()).await?;
        let mut dies = false;
        for (commit, outcome) in batch.into_iter().zip(&outcomes) {
            if matches!(outcome, CommitOutcome::Applied) {
                dies |= self
                    .last
                    .lock()
                    .as_ref()
                    .is_some_and(|is_last| is_last(&commit));
                self.applied.lock().push(commit);
            }
        }
        if dies {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(outcomes)
    }

    async fn load(
        &self,
        tenant: TenantId,
        ids: &[InstanceId],
    ) -> Result<Vec<Option<LoadedInstance>>, StoreError> {
        self.inner.load(tenant, ids).await
    }

    async fn send(&self, messages: Vec<NewMessage>) -> Result<Vec<bool>, StoreError> {
        self.inner.send(messages).await
    }

    async fn pending(&self, node: NodeId, limit: usize) -> Result<Vec<PendingWork>, StoreError> {
        self.inner.pending(node, limit).await
    }

    async fn fire_due_timers(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.inner.fire_due_timers(now, limit).await
    }

    async fn next_timer(&self) -> Result<Option<Timestamp>, StoreError> {
        self.inner.next_timer().await
    }

    async fn record_attempts(&self, attempts: Vec<AttemptRow>) -> Result<(), StoreError> {
        self.inner.record_attempts(attempts).await
    }

    async fn wait_for_work(&self, node: NodeId) -> Wakeup {
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
        self.inner.put_definitions(tenant, bundle, now).await
    }

    async fn definition_versions(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
    ) -> Result<Vec<StoredDefinition>, StoreError> {
        self.inner
            .definition_versions(tenant, kind, business_id)
            .await
    }

    async fn definitions_by_id(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<Vec<Option<StoredDefinition>>, StoreError> {
        self.inner.definitions_by_id(tenant, ids).await
    }

    async fn list_definitions(
        &self,
        tenant: TenantId,
        filter: &DefinitionFilter,
    ) -> Result<Vec<StoredDefinition>, StoreError> {
        self.inner.list_definitions(tenant, filter).await
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
        self.inner
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
        self.inner
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
        self.inner.instance(tenant, id).await
    }

    async fn list_instances(
        &self,
        tenant: TenantId,
        filter: &InstanceFilter,
        page: Page,
    ) -> Result<InstancePage, StoreError> {
        self.inner.list_instances(tenant, filter, page).await
    }

    async fn facts(
        &self,
        tenant: TenantId,
        id: InstanceId,
        from: Seq,
        limit: usize,
    ) -> Result<Vec<Fact>, StoreError> {
        self.inner.facts(tenant, id, from, limit).await
    }
}
