//! Runs on a store that fails: what was accepted is neither lost nor applied twice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "everything here is test code, also what stands outside of test functions"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use async_trait::async_trait;
use augmented_core::model::{DefinitionKind, StoredDefinition};
use augmented_core::runtime::{Fact, HistoryType, InstanceStatus};
use augmented_core::store::{
    CommitOutcome, DefinitionFilter, DefinitionStore, DraftDeletion, ExecutionStore, FailedAttempt,
    InstanceCommit, InstanceFilter, InstancePage, LoadedInstance, NewDefinition, NewInstance,
    NewMessage, NodeInfo, Page, PendingWork, PutOutcome, QueryStore, Refusal, RunningTask,
    SendOutcome, StatusChange, StatusMove, Store, StoreError, Wakeup,
};
use augmented_core::{InstanceId, NodeId, Seq, TenantId, Timestamp};
use augmented_engine::{StartRequest, TaskContext, TaskError};
use augmented_store_memory::MemoryStore;
use common::{sequence, virtual_engine, workflow};
use serde_json::{Value, json};
use uuid::Uuid;

/// What happens to a commit.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// It is applied, and the answer is lost.
    AnswerLost,
    /// It never arrives.
    Unreachable,
    /// Every part of it is refused as if somebody else had been faster.
    Conflict,
    /// The node is fenced just before.
    Fenced,
}

/// The memory store, with trouble at every `every`-th commit.
struct TroubledStore {
    inner: MemoryStore,
    trouble: Trouble,
    every: usize,
    commits: AtomicUsize,
}

#[async_trait]
impl ExecutionStore for TroubledStore {
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
        self.inner.take_over(from, to, limit).await
    }
    async fn commit(
        &self,
        node: NodeId,
        batch: Vec<InstanceCommit>,
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        let number = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        if !number.is_multiple_of(self.every) {
            return self.inner.commit(node, batch).await;
        }
        match self.trouble {
            Trouble::AnswerLost => {
                self.inner.commit(node, batch).await?;
                Err(StoreError::unavailable("the answer was lost"))
            }
            Trouble::Unreachable => Err(StoreError::unavailable("no connection")),
            Trouble::Conflict => Ok(vec![CommitOutcome::Refused(Refusal::Conflict); batch.len()]),
            Trouble::Fenced => {
                self.inner.fence_node(node, Timestamp::MAX).await?;
                self.inner.commit(node, batch).await
            }
        }
    }
    async fn accept(&self, new: Vec<NewInstance>) -> Result<Vec<CommitOutcome>, StoreError> {
        self.inner.accept(new).await
    }

    async fn load(
        &self,
        tenant: TenantId,
        ids: &[InstanceId],
    ) -> Result<Vec<Option<LoadedInstance>>, StoreError> {
        self.inner.load(tenant, ids).await
    }
    async fn send(&self, messages: Vec<NewMessage>) -> Result<Vec<SendOutcome>, StoreError> {
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
    async fn record_attempts(&self, attempts: Vec<FailedAttempt>) -> Result<(), StoreError> {
        self.inner.record_attempts(attempts).await
    }
    async fn record_running(&self, tasks: Vec<RunningTask>) -> Result<(), StoreError> {
        self.inner.record_running(tasks).await
    }
    async fn wait_for_work(&self, node: NodeId) -> Wakeup {
        self.inner.wait_for_work(node).await
    }
}

#[async_trait]
impl QueryStore for TroubledStore {
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

#[async_trait]
impl DefinitionStore for TroubledStore {
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
        id: &str,
    ) -> Result<Vec<StoredDefinition>, StoreError> {
        self.inner.definition_versions(tenant, kind, id).await
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
        id: &str,
        version: &str,
        step: StatusMove,
        now: Timestamp,
    ) -> Result<StatusChange, StoreError> {
        self.inner
            .change_definition_status(tenant, kind, id, version, step, now)
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

/// Runs workflows with tasks, a delay and a child while every `every`-th commit meets trouble; answers how often the task ran.
async fn run(trouble: Trouble, every: usize) -> u32 {
    let store: Arc<dyn Store> = Arc::new(TroubledStore {
        inner: MemoryStore::new(),
        trouble,
        every,
        commits: AtomicUsize::new(0),
    });
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let work = move |_: TaskContext, input: Value| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move { Ok::<_, TaskError>(input) }
    };
    let engine = virtual_engine(store)
        .with_task("work", work)
        .start()
        .await
        .unwrap();
    let steps = vec![
        json!({"stepId": "first", "type": "TASK", "taskId": "work", "input": "${input}", "next": [{"nextStepId": "nap"}]}),
        json!({"stepId": "nap", "type": "DELAY", "duration": "PT1M", "next": [{"nextStepId": "call"}]}),
        json!({"stepId": "call", "type": "SUB_WORKFLOW", "workflowId": "inner", "input": "${input}", "next": [{"nextStepId": "last"}]}),
        json!({"stepId": "last", "type": "TASK", "taskId": "work", "input": "${input}"}),
    ];
    engine
        .publish(vec![
            sequence("inner", &["work", "work"]),
            workflow("outer", steps),
        ])
        .await
        .unwrap();
    let hold = engine.hold_time();
    let mut handles = Vec::new();
    for n in 0..5 {
        handles.push(
            engine
                .start(StartRequest::new("outer").with_input(json!({"n": n})))
                .await
                .unwrap(),
        );
    }
    drop(hold);
    for (n, handle) in handles.into_iter().enumerate() {
        let result = handle.result().await.unwrap();
        assert_eq!(
            (result.status, result.output),
            (InstanceStatus::Completed, json!({"n": n})),
            "{trouble:?} at every {every}"
        );
        let history = engine.history(handle.id()).await.unwrap();
        let completed = history
            .iter()
            .filter(|entry| entry.entry_type == HistoryType::StepCompleted)
            .count();
        let stale = history
            .iter()
            .filter(|entry| entry.entry_type == HistoryType::StaleResult)
            .count();
        assert_eq!((completed, stale), (4, 0), "{trouble:?} at every {every}");
    }
    let all = engine
        .list(&InstanceFilter::default(), Page::new(None, 100))
        .await
        .unwrap()
        .instances;
    assert_eq!(all.len(), 10, "five parents, each with one child");
    calls.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_lost_answer_neither_loses_nor_repeats_anything() {
    for every in [2, 3, 5, 7] {
        assert_eq!(run(Trouble::AnswerLost, every).await, 20);
    }
}

#[tokio::test]
async fn results_survive_a_store_that_is_away_and_no_task_runs_twice() {
    for every in [2, 3, 5, 7] {
        assert_eq!(run(Trouble::Unreachable, every).await, 20);
    }
}

#[tokio::test]
async fn a_refused_commit_is_decided_again() {
    for every in [2, 3, 5, 7] {
        assert_eq!(run(Trouble::Conflict, every).await, 20);
    }
}

#[tokio::test]
async fn a_fenced_node_goes_on_under_a_new_identity() {
    for every in [4, 5, 7, 11] {
        let calls = run(Trouble::Fenced, every).await;
        assert!(
            calls >= 20,
            "{calls}: a result in hand when the fence came is made again"
        );
    }
}
