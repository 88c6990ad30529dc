//! A store that does what a store may do at its worst.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use augmented_core::model::{DefinitionKind, StoredDefinition};
use augmented_core::runtime::Fact;
use augmented_core::store::{
    CommitOutcome, DefinitionFilter, DefinitionStore, DraftDeletion, ExecutionStore, FailedAttempt,
    InstanceCommit, InstanceFilter, InstancePage, LoadedInstance, NewDefinition, NewInstance,
    NewMessage, NodeInfo, Page, PendingWork, PutOutcome, QueryStore, Refusal, RunningTask,
    SendOutcome, StatusChange, StatusMove, StoreError, Wakeup,
};
use augmented_core::{InstanceId, NodeId, Seq, TenantId, Timestamp};
use augmented_store_memory::MemoryStore;
use parking_lot::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;

use super::Dice;
use super::ledger::Ledger;

/// How likely each fault is, per mille of the calls it can befall, and how many there are at most.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each name is the sentence")]
pub struct Weather {
    pub unavailable_before: usize,
    pub unavailable_after: usize,
    pub half_a_batch: usize,
    pub conflict: usize,
    pub reorder: usize,
    pub withhold: usize,
    pub delay: usize,
    pub fence: usize,
    /// Faults altogether; afterwards the store is healthy, so that every run comes to an end.
    pub faults: usize,
    /// After how many calls of the store the process dies, one after the other.
    pub deaths: Vec<usize>,
}

/// How often each fault befell a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name is the sentence")]
pub struct FaultCounts {
    pub unavailable_before: u64,
    pub unavailable_after: u64,
    pub half_batches: u64,
    pub conflicts: u64,
    pub withheld: u64,
    pub fenced: u64,
    pub deaths: u64,
}

/// What befalls one call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    UnavailableBefore,
    UnavailableAfter,
    DeathBefore,
    DeathAfter,
}

/// After so many calls a run has no end.
const MOST_CALLS: usize = 60_000;

struct State {
    dice: Dice,
    weather: Weather,
    counts: FaultCounts,
    calls: usize,
    /// Calls until the process dies.
    fuse: Option<usize>,
    /// How often in a row work was withheld.
    withheld: usize,
    /// Whether a process runs; before the first the store is prepared in peace.
    is_rough: bool,
    /// How often in a row an instance was refused for nothing.
    refused: usize,
    dead: bool,
}

/// A memory store behind a curtain of faults.
pub struct FaultyStore {
    inner: MemoryStore,
    state: Mutex<State>,
    died: Notify,
    ledger: Arc<Ledger>,
    trace: bool,
}

impl FaultyStore {
    /// An empty store.
    #[must_use]
    pub fn new(dice: Dice, weather: Weather, ledger: Arc<Ledger>, trace: bool) -> Self {
        let counts = FaultCounts::default();
        let state = State {
            dice,
            weather,
            counts,
            calls: 0,
            fuse: None,
            withheld: 0,
            is_rough: false,
            refused: 0,
            dead: false,
        };
        Self {
            inner: MemoryStore::new(),
            state: Mutex::new(state),
            died: Notify::new(),
            ledger,
            trace,
        }
    }

    /// The store without faults, as auditors see it.
    #[must_use]
    pub fn calm(&self) -> &MemoryStore {
        &self.inner
    }

    /// How often each fault befell the run so far.
    #[must_use]
    pub fn counts(&self) -> FaultCounts {
        self.state.lock().counts
    }

    /// Completes when the process is to die.
    pub async fn death(&self) {
        while !self.state.lock().dead {
            self.died.notified().await;
        }
    }

    /// A new process begins, and its time runs, if it has to die, too.
    pub fn new_process(&self) {
        let mut state = self.state.lock();
        state.dead = false;
        state.is_rough = true;
        state.fuse = (!state.weather.deaths.is_empty()).then(|| state.weather.deaths.remove(0));
    }

    /// Writes a line of the trace, for people who look at one seed.
    pub(crate) fn say(&self, line: impl FnOnce() -> String) {
        if self.trace {
            eprintln!("{}", line());
        }
    }

    /// Draws what befalls a call.
    fn draw(&self, call: &str) -> (Fault, usize) {
        let mut state = self.state.lock();
        state.calls += 1;
        assert!(
            state.calls < MOST_CALLS,
            "the run has no end: {MOST_CALLS} calls of the store"
        );
        let yields = if state.rolls(|weather| weather.delay) {
            state.dice.between(1, 4)
        } else {
            0
        };
        let fault = state.fault();
        drop(state);
        self.say(|| format!("    {call}: {}", fault.name()));
        (fault, yields)
    }

    /// Makes a call with whatever befalls it.
    async fn call<T>(
        &self,
        name: &str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let (fault, yields) = self.draw(name);
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        match fault {
            Fault::DeathBefore => self.die().await,
            Fault::UnavailableBefore => return Err(StoreError::unavailable("the line is down")),
            Fault::None | Fault::UnavailableAfter | Fault::DeathAfter => {}
        }
        let answer = call.await;
        match fault {
            Fault::DeathAfter => self.die().await,
            Fault::UnavailableAfter => return Err(StoreError::unavailable("the line went down")),
            Fault::None | Fault::UnavailableBefore | Fault::DeathBefore => {}
        }
        answer
    }

    /// The process is dead: the call never returns.
    async fn die<T>(&self) -> T {
        self.state.lock().dead = true;
        self.died.notify_one();
        std::future::pending().await
    }

    async fn commit_inner(
        &self,
        node: NodeId,
        batch: Vec<InstanceCommit>,
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        let facts = batch.clone();
        let outcomes = self.inner.commit(node, batch).await?;
        for (commit, outcome) in facts.iter().zip(&outcomes) {
            if *outcome == CommitOutcome::Applied {
                self.ledger.take_facts(commit);
            }
            self.say(|| describe(commit, outcome));
        }
        Ok(outcomes)
    }

    /// Refuses some of a batch for nothing, applies the rest in any order, perhaps only half of it.
    async fn commit_badly(
        &self,
        node: NodeId,
        batch: Vec<InstanceCommit>,
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        let mut outcomes = vec![CommitOutcome::Refused(Refusal::Conflict); batch.len()];
        let mut order: Vec<(usize, InstanceCommit)> = batch.into_iter().enumerate().collect();
        let (fence, half) = {
            let mut state = self.state.lock();
            if state.rolls(|weather| weather.reorder) {
                state.dice.shuffle(&mut order);
            }
            order.retain(|_| !state.refuses());
            let half = state
                .befalls(|weather| weather.half_a_batch)
                .then(|| state.dice.below(order.len() + 1));
            let fence = state.befalls(|weather| weather.fence);
            state.counts.half_batches += u64::from(half.is_some());
            state.counts.fenced += u64::from(fence);
            (fence, half)
        };
        if fence {
            self.say(|| format!("    {node} is fenced"));
            self.inner.fence_node(node, Timestamp::MAX).await?;
        }
        if let Some(count) = half {
            order.truncate(count);
        }
        let (places, batch): (Vec<usize>, Vec<InstanceCommit>) = order.into_iter().unzip();
        for (place, outcome) in places
            .into_iter()
            .zip(self.commit_inner(node, batch).await?)
        {
            if let Some(answer) = outcomes.get_mut(place) {
                *answer = outcome;
            }
        }
        if half.is_some() {
            Err(StoreError::unavailable(
                "the line went down in the middle of a batch",
            ))
        } else {
            Ok(outcomes)
        }
    }
}

impl State {
    fn rolls(&mut self, chance: impl Fn(&Weather) -> usize) -> bool {
        let chance = chance(&self.weather);
        self.dice.chance(chance)
    }

    /// Like [`rolls`](Self::rolls), for what counts as a fault.
    fn befalls(&mut self, chance: impl Fn(&Weather) -> usize) -> bool {
        let befalls = self.is_rough && self.weather.faults > 0 && self.rolls(chance);
        if befalls {
            self.weather.faults -= 1;
        }
        befalls
    }

    fn fault(&mut self) -> Fault {
        if self.dead {
            // What a dead process still calls for has no effect.
            return Fault::DeathBefore;
        }
        if let Some(fuse) = &mut self.fuse {
            *fuse = fuse.saturating_sub(1);
            if *fuse == 0 {
                self.fuse = None;
                self.counts.deaths += 1;
                return if self.dice.chance(500) {
                    Fault::DeathBefore
                } else {
                    Fault::DeathAfter
                };
            }
        }
        if self.befalls(|weather| weather.unavailable_before) {
            self.counts.unavailable_before += 1;
            return Fault::UnavailableBefore;
        }
        if self.befalls(|weather| weather.unavailable_after) {
            self.counts.unavailable_after += 1;
            return Fault::UnavailableAfter;
        }
        Fault::None
    }

    /// Whether an instance is refused for nothing; not more often in a row than an engine bears.
    fn refuses(&mut self) -> bool {
        let refuses = self.refused < 3 && self.befalls(|weather| weather.conflict);
        self.refused = if refuses { self.refused + 1 } else { 0 };
        self.counts.conflicts += u64::from(refuses);
        refuses
    }
}

impl Fault {
    const fn name(self) -> &'static str {
        match self {
            Self::None => "no fault",
            Self::UnavailableBefore => "unavailable, nothing done",
            Self::UnavailableAfter => "unavailable, but done",
            Self::DeathBefore => "the process dies, nothing done",
            Self::DeathAfter => "the process dies, but it is done",
        }
    }
}

fn describe(commit: &InstanceCommit, outcome: &CommitOutcome) -> String {
    let facts: Vec<String> = commit
        .facts
        .iter()
        .map(|fact| format!("{} {:?} {:?}", fact.seq, fact.message, fact.trail))
        .collect();
    let snapshot = commit
        .snapshot
        .as_ref()
        .map(|snapshot| (snapshot.state.seq, snapshot.state.status, snapshot.owner));
    format!(
        "commit {} expecting {:?}: {outcome:?}; snapshot {snapshot:?}, consumed {:?}, timers {:?} minus {:?}, {} children, {} messages\n        {}",
        commit.instance,
        commit.expect,
        commit.consumed,
        commit.timers_set,
        commit.timers_cleared,
        commit.children.len(),
        commit.outbox.len(),
        facts.join("\n        ")
    )
}

#[async_trait]
impl ExecutionStore for FaultyStore {
    async fn register_node(&self, node: NodeId, now: Timestamp) -> Result<(), StoreError> {
        self.call("register_node", self.inner.register_node(node, now))
            .await
    }

    async fn heartbeat(&self, node: NodeId, now: Timestamp) -> Result<bool, StoreError> {
        self.call("heartbeat", self.inner.heartbeat(node, now))
            .await
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        self.call("nodes", self.inner.nodes()).await
    }

    async fn fence_node(&self, node: NodeId, silent_since: Timestamp) -> Result<bool, StoreError> {
        self.call("fence_node", self.inner.fence_node(node, silent_since))
            .await
    }

    async fn take_over(
        &self,
        from: NodeId,
        to: NodeId,
        limit: usize,
    ) -> Result<Vec<LoadedInstance>, StoreError> {
        let limit = limit.min(2);
        self.call("take_over", self.inner.take_over(from, to, limit))
            .await
    }

    async fn commit(
        &self,
        node: NodeId,
        batch: Vec<InstanceCommit>,
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        self.call("commit", self.commit_badly(node, batch)).await
    }

    async fn accept(&self, new: Vec<NewInstance>) -> Result<Vec<CommitOutcome>, StoreError> {
        self.call("accept", self.inner.accept(new)).await
    }

    async fn load(
        &self,
        tenant: TenantId,
        ids: &[InstanceId],
    ) -> Result<Vec<Option<LoadedInstance>>, StoreError> {
        self.call("load", self.inner.load(tenant, ids)).await
    }

    async fn send(&self, messages: Vec<NewMessage>) -> Result<Vec<SendOutcome>, StoreError> {
        self.call("send", self.inner.send(messages)).await
    }

    async fn pending(&self, node: NodeId, limit: usize) -> Result<Vec<PendingWork>, StoreError> {
        let mut work = self
            .call("pending", self.inner.pending(node, limit))
            .await?;
        let mut state = self.state.lock();
        if state.rolls(|weather| weather.reorder) {
            state.dice.shuffle(&mut work);
        }
        let before = work.len();
        // Rows that come late come in their order: an instance is offered a prefix of them, or nothing.
        if before > 0 && state.withheld < 3 && state.befalls(|weather| weather.withhold) {
            work.retain_mut(|item| {
                let kept = state.dice.below(item.messages.len() + 1);
                item.messages.truncate(kept);
                kept > 0
            });
        }
        state.withheld = if work.len() < before {
            state.withheld + 1
        } else {
            0
        };
        state.counts.withheld += u64::from(work.len() < before);
        drop(state);
        Ok(work)
    }

    async fn fire_due_timers(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.call("fire_due_timers", self.inner.fire_due_timers(now, limit))
            .await
    }

    async fn next_timer(&self) -> Result<Option<Timestamp>, StoreError> {
        self.call("next_timer", self.inner.next_timer()).await
    }

    async fn record_attempts(&self, attempts: Vec<FailedAttempt>) -> Result<(), StoreError> {
        self.call("record_attempts", self.inner.record_attempts(attempts))
            .await
    }

    async fn record_running(&self, tasks: Vec<RunningTask>) -> Result<(), StoreError> {
        self.call("record_running", self.inner.record_running(tasks))
            .await
    }

    async fn wait_for_work(&self, node: NodeId) -> Wakeup {
        if self.state.lock().withheld > 0 {
            return Wakeup::Work;
        }
        self.inner.wait_for_work(node).await
    }
}

#[async_trait]
impl QueryStore for FaultyStore {
    async fn instance(
        &self,
        tenant: TenantId,
        id: InstanceId,
    ) -> Result<Option<LoadedInstance>, StoreError> {
        self.call("instance", self.inner.instance(tenant, id)).await
    }

    async fn list_instances(
        &self,
        tenant: TenantId,
        filter: &InstanceFilter,
        page: Page,
    ) -> Result<InstancePage, StoreError> {
        self.call(
            "list_instances",
            self.inner.list_instances(tenant, filter, page),
        )
        .await
    }

    async fn facts(
        &self,
        tenant: TenantId,
        id: InstanceId,
        from: Seq,
        limit: usize,
    ) -> Result<Vec<Fact>, StoreError> {
        self.call("facts", self.inner.facts(tenant, id, from, limit))
            .await
    }
}

#[async_trait]
impl DefinitionStore for FaultyStore {
    async fn put_definitions(
        &self,
        tenant: TenantId,
        bundle: Vec<NewDefinition>,
        now: Timestamp,
    ) -> Result<Vec<PutOutcome>, StoreError> {
        self.call(
            "put_definitions",
            self.inner.put_definitions(tenant, bundle, now),
        )
        .await
    }

    async fn definition_versions(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
    ) -> Result<Vec<StoredDefinition>, StoreError> {
        self.call(
            "definition_versions",
            self.inner.definition_versions(tenant, kind, business_id),
        )
        .await
    }

    async fn definitions_by_id(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<Vec<Option<StoredDefinition>>, StoreError> {
        self.call(
            "definitions_by_id",
            self.inner.definitions_by_id(tenant, ids),
        )
        .await
    }

    async fn list_definitions(
        &self,
        tenant: TenantId,
        filter: &DefinitionFilter,
    ) -> Result<Vec<StoredDefinition>, StoreError> {
        self.call(
            "list_definitions",
            self.inner.list_definitions(tenant, filter),
        )
        .await
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
        self.call(
            "change_definition_status",
            self.inner
                .change_definition_status(tenant, kind, business_id, version, step, now),
        )
        .await
    }

    async fn delete_draft(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
        version: &str,
    ) -> Result<DraftDeletion, StoreError> {
        self.call(
            "delete_draft",
            self.inner.delete_draft(tenant, kind, business_id, version),
        )
        .await
    }
}
