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
    /// How the processes end that do not live to the end, one after the other.
    pub ends: Vec<End>,
}

/// How a process stops doing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It dies at so many calls of the store.
    Death(usize),
    /// It is stopped, as by `SIGSTOP`, at so many calls, and goes on when others have made so many.
    Pause(usize, usize),
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
    pub pauses: u64,
}

/// What befalls one call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    UnavailableBefore,
    UnavailableAfter,
    DeathBefore,
    DeathAfter,
    PauseBefore,
    PauseAfter,
}

/// After so many calls a run has no end.
const MOST_CALLS: usize = 60_000;

struct State {
    dice: Dice,
    weather: Weather,
    counts: FaultCounts,
    calls: usize,
    /// Whether a process runs; before the first the store is prepared in peace.
    is_rough: bool,
    /// How often in a row an instance was refused for nothing.
    refused: usize,
}

/// A memory store that processes reach over lines with faults.
pub struct FaultyStore {
    inner: MemoryStore,
    state: Mutex<State>,
    /// Signalled with every call.
    called: Notify,
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
            is_rough: false,
            refused: 0,
        };
        Self {
            inner: MemoryStore::new(),
            state: Mutex::new(state),
            called: Notify::new(),
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

    /// The line of a process that prepares the store in peace.
    #[must_use]
    pub fn quiet_line(self: &Arc<Self>) -> Arc<Line> {
        Arc::new(Line::new(Arc::clone(self), 0, None))
    }

    /// The line of a new process.
    #[must_use]
    pub fn line(self: &Arc<Self>, process: u64) -> Arc<Line> {
        let mut state = self.state.lock();
        state.is_rough = true;
        let end = (!state.weather.ends.is_empty()).then(|| state.weather.ends.remove(0));
        Arc::new(Line::new(Arc::clone(self), process, end))
    }

    /// Writes a line of the trace, for people who look at one seed.
    pub(crate) fn say(&self, line: impl FnOnce() -> String) {
        if self.trace {
            eprintln!("{}", line());
        }
    }
}

/// What leads from one process to the store, and everything that befalls it.
pub struct Line {
    store: Arc<FaultyStore>,
    process: u64,
    /// After how many calls of others it goes on again, once it is stopped.
    patience: usize,
    own: Mutex<Own>,
    changed: Notify,
}

struct Own {
    calls: usize,
    end: Option<End>,
    is_dead: bool,
    is_paused: bool,
    /// How often in a row work was withheld.
    withheld: usize,
}

impl Line {
    fn new(store: Arc<FaultyStore>, process: u64, end: Option<End>) -> Self {
        let patience = match end {
            Some(End::Pause(_, patience)) => patience,
            _ => 0,
        };
        let own = Own {
            calls: 0,
            end,
            is_dead: false,
            is_paused: false,
            withheld: 0,
        };
        Self {
            store,
            process,
            patience,
            own: Mutex::new(own),
            changed: Notify::new(),
        }
    }

    /// Completes when others have made as many calls as the process sleeps.
    pub async fn slept(&self) {
        let until = self.store.state.lock().calls + self.patience;
        loop {
            let called = self.store.called.notified();
            tokio::pin!(called);
            called.as_mut().enable();
            if self.store.state.lock().calls >= until {
                return;
            }
            called.await;
        }
    }

    /// Draws what befalls a call.
    fn draw(&self, call: &str) -> (Fault, usize) {
        let mut state = self.store.state.lock();
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
        let fault = self.fault(&mut state);
        let number = state.calls;
        drop(state);
        self.store.called.notify_waiters();
        self.store.say(|| {
            let name = fault.name();
            format!("    {number} process {}: {call}: {name}", self.process)
        });
        (fault, yields)
    }

    fn fault(&self, state: &mut State) -> Fault {
        let mut own = self.own.lock();
        if own.is_dead {
            // What a dead process still calls for has no effect.
            return Fault::DeathBefore;
        }
        own.calls += 1;
        match own.end {
            Some(End::Death(at)) if own.calls >= at => {
                own.end = None;
                state.counts.deaths += 1;
                return [Fault::DeathBefore, Fault::DeathAfter][state.dice.below(2)];
            }
            Some(End::Pause(at, _)) if own.calls >= at => {
                own.end = None;
                state.counts.pauses += 1;
                return [Fault::PauseBefore, Fault::PauseAfter][state.dice.below(2)];
            }
            _ => {}
        }
        if state.befalls(|weather| weather.unavailable_before) {
            state.counts.unavailable_before += 1;
            return Fault::UnavailableBefore;
        }
        if state.befalls(|weather| weather.unavailable_after) {
            state.counts.unavailable_after += 1;
            return Fault::UnavailableAfter;
        }
        Fault::None
    }

    /// Makes a call with whatever befalls it.
    async fn call<T>(
        &self,
        name: &str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.goes_on().await;
        let (fault, yields) = self.draw(name);
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        match fault {
            Fault::DeathBefore => self.die().await,
            Fault::PauseBefore => self.pause(),
            Fault::UnavailableBefore => return Err(StoreError::unavailable("the line is down")),
            _ => {}
        }
        self.goes_on().await;
        let answer = call.await;
        match fault {
            Fault::DeathAfter => self.die().await,
            Fault::PauseAfter => self.pause(),
            Fault::UnavailableAfter => return Err(StoreError::unavailable("the line went down")),
            _ => {}
        }
        self.goes_on().await;
        answer
    }

    /// The process is dead: the call never returns.
    async fn die<T>(&self) -> T {
        self.own.lock().is_dead = true;
        self.changed.notify_waiters();
        std::future::pending().await
    }

    /// The process is stopped until it is told to go on.
    fn pause(&self) {
        self.store.ledger.may_be_late(self.process);
        self.own.lock().is_paused = true;
        self.changed.notify_waiters();
    }

    /// The process goes on where it was stopped.
    pub fn resume(&self) {
        self.store
            .say(|| format!("process {} goes on", self.process));
        self.own.lock().is_paused = false;
        self.changed.notify_waiters();
    }

    /// Whether the process is stopped.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.own.lock().is_paused
    }

    /// Completes when the process is to die.
    pub async fn death(&self) {
        self.until(|own| own.is_dead).await;
    }

    /// Completes when the process is stopped.
    pub async fn paused(&self) {
        self.until(|own| own.is_paused).await;
    }

    async fn goes_on(&self) {
        self.until(|own| !own.is_paused).await;
    }

    async fn until(&self, holds: impl Fn(&Own) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if holds(&self.own.lock()) {
                return;
            }
            changed.await;
        }
    }

    async fn commit_inner(
        &self,
        node: NodeId,
        batch: Vec<InstanceCommit>,
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        let facts = batch.clone();
        let outcomes = self.store.inner.commit(node, batch).await?;
        for (commit, outcome) in facts.iter().zip(&outcomes) {
            if *outcome == CommitOutcome::Applied {
                self.store.ledger.is_current(self.process);
                self.store.ledger.take_facts(commit);
            }
            self.store.say(|| describe(commit, outcome));
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
            let mut state = self.store.state.lock();
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
            self.store.say(|| format!("    {node} is fenced"));
            self.store.inner.fence_node(node, Timestamp::MAX).await?;
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
            Self::PauseBefore => "the process is stopped, nothing done",
            Self::PauseAfter => "the process is stopped, but it is done",
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
impl ExecutionStore for Line {
    async fn register_node(&self, node: NodeId, now: Timestamp) -> Result<(), StoreError> {
        self.call("register_node", async {
            self.store.inner.register_node(node, now).await?;
            self.store.ledger.is_current(self.process);
            Ok(())
        })
        .await
    }

    async fn heartbeat(&self, node: NodeId, now: Timestamp) -> Result<bool, StoreError> {
        self.call("heartbeat", self.store.inner.heartbeat(node, now))
            .await
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        self.call("nodes", self.store.inner.nodes()).await
    }

    async fn fence_node(&self, node: NodeId, silent_since: Timestamp) -> Result<bool, StoreError> {
        self.call(
            "fence_node",
            self.store.inner.fence_node(node, silent_since),
        )
        .await
    }

    async fn take_over(
        &self,
        from: NodeId,
        to: NodeId,
        limit: usize,
    ) -> Result<Vec<LoadedInstance>, StoreError> {
        let limit = limit.min(2);
        self.call("take_over", self.store.inner.take_over(from, to, limit))
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
        self.call("accept", self.store.inner.accept(new)).await
    }

    async fn load(
        &self,
        tenant: TenantId,
        ids: &[InstanceId],
    ) -> Result<Vec<Option<LoadedInstance>>, StoreError> {
        self.call("load", self.store.inner.load(tenant, ids)).await
    }

    async fn send(&self, messages: Vec<NewMessage>) -> Result<Vec<SendOutcome>, StoreError> {
        self.call("send", self.store.inner.send(messages)).await
    }

    async fn pending(&self, node: NodeId, limit: usize) -> Result<Vec<PendingWork>, StoreError> {
        let mut work = self
            .call("pending", self.store.inner.pending(node, limit))
            .await?;
        let mut state = self.store.state.lock();
        let mut own = self.own.lock();
        if state.rolls(|weather| weather.reorder) {
            state.dice.shuffle(&mut work);
        }
        let before = work.len();
        // Rows that come late come in their order: an instance is offered a prefix of them, or nothing.
        if before > 0 && own.withheld < 3 && state.befalls(|weather| weather.withhold) {
            work.retain_mut(|item| {
                let kept = state.dice.below(item.messages.len() + 1);
                item.messages.truncate(kept);
                kept > 0
            });
        }
        own.withheld = if work.len() < before {
            own.withheld + 1
        } else {
            0
        };
        state.counts.withheld += u64::from(work.len() < before);
        drop((own, state));
        Ok(work)
    }

    async fn fire_due_timers(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.call(
            "fire_due_timers",
            self.store.inner.fire_due_timers(now, limit),
        )
        .await
    }

    async fn next_timer(&self) -> Result<Option<Timestamp>, StoreError> {
        self.call("next_timer", self.store.inner.next_timer()).await
    }

    async fn record_attempts(&self, attempts: Vec<FailedAttempt>) -> Result<(), StoreError> {
        self.call(
            "record_attempts",
            self.store.inner.record_attempts(attempts),
        )
        .await
    }

    async fn record_running(&self, tasks: Vec<RunningTask>) -> Result<(), StoreError> {
        self.call("record_running", self.store.inner.record_running(tasks))
            .await
    }

    async fn wait_for_work(&self, node: NodeId) -> Wakeup {
        self.goes_on().await;
        if self.own.lock().withheld > 0 {
            return Wakeup::Work;
        }
        let wakeup = self.store.inner.wait_for_work(node).await;
        self.goes_on().await;
        wakeup
    }
}

#[async_trait]
impl QueryStore for Line {
    async fn instance(
        &self,
        tenant: TenantId,
        id: InstanceId,
    ) -> Result<Option<LoadedInstance>, StoreError> {
        self.call("instance", self.store.inner.instance(tenant, id))
            .await
    }

    async fn list_instances(
        &self,
        tenant: TenantId,
        filter: &InstanceFilter,
        page: Page,
    ) -> Result<InstancePage, StoreError> {
        self.call(
            "list_instances",
            self.store.inner.list_instances(tenant, filter, page),
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
        self.call("facts", self.store.inner.facts(tenant, id, from, limit))
            .await
    }
}

#[async_trait]
impl DefinitionStore for Line {
    async fn put_definitions(
        &self,
        tenant: TenantId,
        bundle: Vec<NewDefinition>,
        now: Timestamp,
    ) -> Result<Vec<PutOutcome>, StoreError> {
        self.call(
            "put_definitions",
            self.store.inner.put_definitions(tenant, bundle, now),
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
            self.store
                .inner
                .definition_versions(tenant, kind, business_id),
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
            self.store.inner.definitions_by_id(tenant, ids),
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
            self.store.inner.list_definitions(tenant, filter),
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
            self.store.inner.change_definition_status(
                tenant,
                kind,
                business_id,
                version,
                step,
                now,
            ),
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
            self.store
                .inner
                .delete_draft(tenant, kind, business_id, version),
        )
        .await
    }
}
