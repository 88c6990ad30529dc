//! A worker: one task of the runtime that drives its share of the instances.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use augmented_core::runtime::{InstanceState, InstanceStatus, Message, TaskDone};
use augmented_core::store::{CommitOutcome, InstanceCommit, PendingWork, Refusal, StoreError};
use augmented_core::{InstanceId, NodeId, TenantId, Timestamp};
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, Stream};
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

use super::carry_out::count_task;
use super::commit::{Fate, Prepared, Receipt, Setting, retry_timer};
use super::instance::{Live, Queued, Standing, Starting};
use super::recovery::{CallDone, Loading};
use super::{Shared, StartAnswer, StartInput, WorkerInput, WorkerSeat};
use crate::EngineError;
use crate::clock::TimeHold;
use crate::task::{Lingering, RunEnd, RunOutcome, TaskRun};

/// Commits that are decided before other tasks of the runtime get their turn.
const COMMITS_PER_TURN: usize = 128;

/// Commits that go at least to a store that answers at once, as one in memory does: larger batches would only drive what
/// they are about out of the processor's caches. Any other store gets everything that is ready, because every call has
/// its price.
const ENOUGH_FOR_A_BATCH: usize = 32;

/// How often in a row an instance goes on before those that wait.
const HOT_IN_A_ROW: u8 = 16;

/// Inputs that are read at once.
const INPUTS_PER_READ: usize = 64;

/// Drives the instances of its share.
pub(crate) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) seat: WorkerSeat,
    pub(super) node: NodeId,
    /// Grows with every change of the node's identity.
    pub(super) epoch: u32,
    pub(super) live: FxHashMap<InstanceId, Box<Live>>,
    /// Instances that are being read.
    pub(super) loading: FxHashMap<InstanceId, Loading>,
    /// Instances to look at.
    ready: VecDeque<InstanceId>,
    /// Instances that just went on, to look at before the others.
    hot: VecDeque<InstanceId>,
    commits: Vec<InstanceCommit>,
    receipts: Vec<Receipt>,
    /// The vector of the batch before, emptied, for the receipts of the batch after the next.
    spare_receipts: Vec<Receipt>,
    in_flight: Option<InFlight>,
    /// Commits that go to the store one by one, to find the one it refuses.
    pub(super) one_by_one: usize,
    /// Whether the last commit was answered when it was asked for.
    answers_at_once: bool,
    /// Failures of the store in a row.
    pub(super) troubles: u32,
    /// Whether the node must register anew before anything is written.
    pub(super) fenced: bool,
    pub(super) runs: FuturesUnordered<TaskRun>,
    /// Instances with tasks that wait until others have ended.
    pub(super) crowded: VecDeque<InstanceId>,
    /// How many handlers may run at once.
    pub(super) slots: usize,
    lingering: FuturesUnordered<Lingering>,
    pub(super) calls: FuturesUnordered<BoxFuture<'static, CallDone>>,
    pub(super) watchers: FxHashMap<InstanceId, Vec<oneshot::Sender<Arc<InstanceState>>>>,
    /// How many places in `watchers` are worth a look for empty ones.
    prune_at: usize,
    inputs: Vec<WorkerInput>,
    pub(super) now: Timestamp,
    pub(super) draining: bool,
    /// Holds on virtual time that are let go of once nothing is under way.
    holds: usize,
    /// Instances in hand, as last reported.
    reported: usize,
}

struct InFlight {
    commit: BoxFuture<'static, Result<Vec<CommitOutcome>, StoreError>>,
    receipts: Vec<Receipt>,
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, seat: WorkerSeat) -> Self {
        let (node, now) = (shared.node.current(), shared.time().now());
        let slots = shared.slots_per_worker();
        Self {
            shared,
            seat,
            node,
            epoch: 0,
            live: FxHashMap::default(),
            loading: FxHashMap::default(),
            ready: VecDeque::new(),
            hot: VecDeque::new(),
            commits: Vec::new(),
            receipts: Vec::new(),
            spare_receipts: Vec::new(),
            in_flight: None,
            one_by_one: 0,
            answers_at_once: true,
            troubles: 0,
            fenced: false,
            runs: FuturesUnordered::new(),
            crowded: VecDeque::new(),
            slots,
            lingering: FuturesUnordered::new(),
            calls: FuturesUnordered::new(),
            watchers: FxHashMap::default(),
            prune_at: 1024,
            inputs: Vec::with_capacity(INPUTS_PER_READ),
            now,
            draining: false,
            holds: 0,
            reported: 0,
        }
    }

    /// Drives until it was told to drain and has given everything away.
    pub(crate) async fn run(mut self) {
        poll_fn(|cx| self.turn(cx)).await;
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(clock) = self.shared.time().virtual_clock() {
            clock.begin();
            self.holds += 1;
        }
        let mut decided = 0;
        let over = loop {
            self.now = self.shared.time().now();
            let mut progress = self.read_inputs(cx);
            progress |= self.poll_runs(cx);
            progress |= self.poll_calls(cx);
            progress |= self.poll_commit(cx);
            // Handlers that ended meanwhile ended later than this turn began.
            self.now = self.shared.time().now();
            let calls = self.calls.len();
            let newly_decided = self.decide_ready();
            decided += newly_decided;
            progress |= newly_decided > 0;
            // A call that was just begun, to look up a child for example, is polled once, or nothing would ever wake it.
            progress |= self.calls.len() > calls;
            progress |= self.send_batch(cx);
            if self.draining && self.has_given_all_away() {
                break true;
            }
            if decided >= COMMITS_PER_TURN {
                cx.waker().wake_by_ref();
                break false;
            }
            // What is ready but may not be decided now, of a fenced node for example, waits for what wakes this task.
            if !progress {
                break false;
            }
        };
        self.report();
        if over { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Says how much is in hand, and lets go of virtual time if only waits are left.
    fn report(&mut self) {
        let in_hand = self.live.len() + self.loading.len();
        if in_hand > self.reported {
            self.seat
                .in_hand
                .fetch_add(in_hand - self.reported, Ordering::SeqCst);
        } else {
            self.seat
                .in_hand
                .fetch_sub(self.reported - in_hand, Ordering::SeqCst);
        }
        self.reported = in_hand;
        let is_quiet = self.ready.is_empty()
            && self.hot.is_empty()
            && self.commits.is_empty()
            && self.in_flight.is_none();
        if is_quiet {
            self.let_go();
        }
    }

    fn let_go(&mut self) {
        if let Some(clock) = self.shared.time().virtual_clock() {
            clock.end(std::mem::take(&mut self.holds));
        }
    }

    fn has_given_all_away(&self) -> bool {
        self.live.is_empty()
            && self.loading.is_empty()
            && self.commits.is_empty()
            && self.in_flight.is_none()
    }

    fn read_inputs(&mut self, cx: &mut Context<'_>) -> bool {
        let mut inputs = std::mem::take(&mut self.inputs);
        let count = match self
            .seat
            .inputs
            .poll_recv_many(cx, &mut inputs, INPUTS_PER_READ)
        {
            Poll::Ready(count) => count,
            Poll::Pending => 0,
        };
        if self.shared.time().virtual_clock().is_some() {
            self.holds += count;
        }
        for input in inputs.drain(..) {
            self.handle_input(input);
        }
        self.inputs = inputs;
        if count > 0 {
            // The instances themselves are counted from here on.
            let in_hand = self.live.len() + self.loading.len();
            if in_hand > self.reported {
                self.seat
                    .in_hand
                    .fetch_add(in_hand - self.reported, Ordering::SeqCst);
                self.reported = in_hand;
            }
            self.seat.in_hand.fetch_sub(count, Ordering::SeqCst);
        }
        count > 0
    }

    fn handle_input(&mut self, input: WorkerInput) {
        match input {
            WorkerInput::Start(start) => self.handle_start(*start),
            WorkerInput::Mail(work) => self.handle_mail(work),
            WorkerInput::TakenOver(loaded) => {
                self.seat.counters.takeovers.add(1);
                self.handle_taken_over(loaded);
            }
            WorkerInput::Watch(instance, watcher) => self.watch(instance, watcher),
            WorkerInput::NodeChanged(node) => self.change_node(node),
            WorkerInput::Drain => self.drain(),
            WorkerInput::Release => self.release(),
        }
    }

    fn handle_start(&mut self, start: StartInput) {
        let StartInput {
            new,
            message,
            plan,
            accepted,
            ended,
        } = start;
        if self.draining {
            // Nobody waits for the answer if sending fails.
            let _ = accepted.send(Err(EngineError::stopped()));
            return;
        }
        let header = Arc::clone(&new.header);
        let mut live = Live::new(
            header.tenant_id,
            plan,
            Arc::new(InstanceState::new(Arc::clone(&header))),
            Standing::New,
        );
        live.queue.push_back(Queued::local(Message::Start(message)));
        live.starting = Some(Box::new(Starting {
            new,
            accepted: Some(accepted),
        }));
        live.watchers.push(ended);
        live.listed = true;
        self.live.insert(header.instance_id, Box::new(live));
        self.ready.push_back(header.instance_id);
    }

    fn handle_mail(&mut self, work: PendingWork) {
        if self.draining {
            return;
        }
        let PendingWork {
            tenant,
            instance,
            loaded,
            messages,
        } = work;
        if let Some(live) = self.live.get_mut(&instance) {
            live.take_mail(messages);
            self.list(instance);
        } else if let Some(loading) = self.loading.get_mut(&instance) {
            loading.mail = messages;
        } else {
            self.load(
                tenant,
                instance,
                loaded,
                Loading {
                    mail: messages,
                    ..Loading::default()
                },
            );
        }
    }

    fn watch(&mut self, instance: InstanceId, watcher: oneshot::Sender<Arc<InstanceState>>) {
        let watchers = match self.live.get_mut(&instance) {
            Some(live) => &mut live.watchers,
            None => self.watchers.entry(instance).or_default(),
        };
        watchers.retain(|other| !other.is_closed());
        watchers.push(watcher);
        // Whoever stopped waiting for an instance that never comes back here left an empty place.
        if self.watchers.len() >= self.prune_at {
            self.watchers
                .retain(|_, waiting| waiting.iter().any(|watcher| !watcher.is_closed()));
            self.prune_at = self.watchers.len().saturating_mul(2).max(1024);
        }
    }

    /// Begins nothing new, and lets waits between attempts end.
    fn drain(&mut self) {
        self.draining = true;
        let now = self.now;
        for live in self.live.values_mut() {
            for task in &live.tasks {
                task.control.drain();
            }
            let waiting = live.to_begin.drain(..);
            live.timers
                .extend(waiting.map(|run| retry_timer(run.activation, now)));
        }
        self.list_all();
    }

    /// Gives up what still runs; the next owner begins it again.
    fn release(&mut self) {
        self.draining = true;
        let now = self.now;
        for live in self.live.values_mut() {
            let activations: Vec<u64> = live.tasks.iter().map(|task| task.activation).collect();
            live.abandon_tasks();
            live.timers.extend(
                activations
                    .into_iter()
                    .map(|activation| retry_timer(activation, now)),
            );
        }
        self.lingering = FuturesUnordered::new();
        self.list_all();
    }

    fn list_all(&mut self) {
        let all: Vec<InstanceId> = self.live.keys().copied().collect();
        for instance in all {
            self.list(instance);
        }
    }

    /// Has an instance looked at.
    pub(super) fn list(&mut self, instance: InstanceId) {
        if let Some(live) = self.live.get_mut(&instance)
            && !live.listed
        {
            live.listed = true;
            self.ready.push_back(instance);
        }
    }

    /// Has an instance looked at before others, because it just was: what it consists of is still in the processor's
    /// caches. One that goes on like this for ever lets the others pass now and then.
    pub(super) fn list_hot(&mut self, instance: InstanceId) {
        let Some(live) = self.live.get_mut(&instance) else {
            return;
        };
        live.in_a_row = live.in_a_row.wrapping_add(1) % HOT_IN_A_ROW;
        if live.in_a_row == 0 {
            self.list(instance);
        } else if !live.listed {
            live.listed = true;
            self.hot.push_back(instance);
        }
    }

    /// Puts a message that arose in this process to those of its instance.
    fn enqueue(&mut self, tenant: TenantId, instance: InstanceId, message: Message) {
        if let Some(live) = self.live.get_mut(&instance) {
            live.queue.push_back(Queued::local(message));
            self.list(instance);
        } else if let Some(loading) = self.loading.get_mut(&instance) {
            loading.queue.push_back(Queued::local(message));
        } else if matches!(&message, Message::TaskDone(done) if done.error.is_none())
            && !self.draining
        {
            // A result for an instance that was put away or ended meanwhile is still recorded.
            let queue = VecDeque::from([Queued::local(message)]);
            self.load(
                tenant,
                instance,
                None,
                Loading {
                    queue,
                    ..Loading::default()
                },
            );
        }
    }

    fn poll_runs(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        while let Poll::Ready(Some(end)) = Pin::new(&mut self.runs).poll_next(cx) {
            progress = true;
            self.handle_run_end(end);
        }
        self.begin_crowded_tasks();
        while let Poll::Ready(Some(late)) = Pin::new(&mut self.lingering).poll_next(cx) {
            progress = true;
            if let Some((tenant, instance, done)) = late {
                self.seat.counters.late_results.add(1);
                self.enqueue(tenant, instance, Message::TaskDone(done));
            }
        }
        progress
    }

    fn handle_run_end(&mut self, end: RunEnd) {
        let RunEnd {
            tenant,
            instance,
            activation,
            outcome,
            was_shown,
            late,
            lingering,
        } = end;
        self.lingering.extend(lingering);
        if let RunOutcome::Abandoned = outcome {
            // Its copy was given up, and another run of the same task may have begun since.
            return;
        }
        let live = match self.live.get_mut(&instance) {
            Some(live) => Some(live),
            None => self
                .loading
                .get_mut(&instance)
                .and_then(|loading| loading.old.as_mut()),
        };
        if let Some(live) = live {
            live.remove_task(activation);
            if was_shown {
                live.shown.push(activation);
            }
            if let RunOutcome::Parked(parked) = &outcome {
                live.park_task(activation, parked);
            }
        }
        match outcome {
            RunOutcome::Done(done) => self.enqueue_done(tenant, instance, done),
            RunOutcome::Parked(_) => self.list(instance),
            RunOutcome::Abandoned => {}
        }
        for done in late {
            self.seat.counters.late_results.add(1);
            self.enqueue(tenant, instance, Message::TaskDone(done));
        }
    }

    fn enqueue_done(&mut self, tenant: TenantId, instance: InstanceId, done: Arc<TaskDone>) {
        count_task(&self.seat.counters, &done);
        self.enqueue(tenant, instance, Message::TaskDone(done));
    }

    fn poll_calls(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        while let Poll::Ready(Some(done)) = Pin::new(&mut self.calls).poll_next(cx) {
            progress = true;
            self.handle_call(done);
        }
        progress
    }

    /// Decides what is queued; answers for how many instances.
    fn decide_ready(&mut self) -> usize {
        let mut decided = 0;
        let enough = match self.in_flight {
            None if self.answers_at_once => ENOUGH_FOR_A_BATCH,
            None | Some(_) => usize::MAX,
        }
        .min(self.shared.config.commit_batch.max(1));
        while decided < COMMITS_PER_TURN
            && !self.fenced
            && self.commits.len() < enough
            && let Some(instance) = self.hot.pop_front().or_else(|| self.ready.pop_front())
        {
            decided += 1;
            self.decide_one(instance);
        }
        decided
    }

    fn decide_one(&mut self, instance: InstanceId) {
        let setting = Setting {
            limits: &self.shared.limits,
            config: &self.shared.config,
            node: self.node,
            now: self.now,
            draining: self.draining,
        };
        let Some(live) = self.live.get_mut(&instance) else {
            return;
        };
        live.listed = false;
        if live.busy {
            return;
        }
        if !live.wants_commit() {
            if !live.is_active() {
                self.put_away(instance);
            }
            return;
        }
        match live.prepare(instance, setting, self.epoch) {
            Ok(mut prepared) if prepared.children.is_empty() => {
                live.settle(&mut prepared, setting);
                self.push(prepared);
            }
            Ok(prepared) => self.resolve_children(prepared),
            Err(_) => self.contain(instance, "the core could not decide a message"),
        }
    }

    /// Drops what was to be written under another identity of the node.
    pub(super) fn forget_batch(&mut self) {
        self.commits.clear();
        self.receipts.clear();
        self.ready.clear();
        self.hot.clear();
    }

    /// Adds a commit to the batch that is being formed.
    pub(super) fn push(&mut self, prepared: Prepared) {
        self.commits.push(prepared.commit);
        self.receipts.push(prepared.receipt);
    }

    fn send_batch(&mut self, cx: &mut Context<'_>) -> bool {
        if self.in_flight.is_some() || self.commits.is_empty() || self.fenced || self.gathers_more()
        {
            return false;
        }
        let (batch, receipts) = if self.one_by_one > 0 {
            self.one_by_one -= 1;
            (
                self.commits.drain(..1).collect(),
                self.receipts.drain(..1).collect(),
            )
        } else {
            // The next batch will be about as large: growing to that again and again costs more than filling it.
            let next = Vec::with_capacity(self.commits.len().next_power_of_two());
            (
                std::mem::replace(&mut self.commits, next),
                std::mem::replace(&mut self.receipts, std::mem::take(&mut self.spare_receipts)),
            )
        };
        self.seat.counters.batches.add(1);
        let (store, node) = (Arc::clone(&self.shared.store), self.node);
        let commit = Box::pin(async move { store.commit(node, batch).await });
        self.in_flight = Some(InFlight { commit, receipts });
        self.answers_at_once = self.poll_commit(cx);
        self.answers_at_once
    }

    /// Whether the batch waits for what is ready and will be decided in the next turn, which is due already.
    fn gathers_more(&self) -> bool {
        let is_more_ready = !self.ready.is_empty() || !self.hot.is_empty();
        is_more_ready
            && !self.answers_at_once
            && self.commits.len() < self.shared.config.commit_batch
    }

    fn poll_commit(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(in_flight) = &mut self.in_flight else {
            return false;
        };
        let Poll::Ready(answer) = in_flight.commit.as_mut().poll(cx) else {
            return false;
        };
        let Some(InFlight { mut receipts, .. }) = self.in_flight.take() else {
            return false;
        };
        match answer {
            Ok(outcomes) => {
                self.troubles = 0;
                for (receipt, outcome) in receipts.drain(..).zip(outcomes) {
                    self.handle_outcome(receipt, outcome);
                }
                self.spare_receipts = receipts;
            }
            Err(error) => self.handle_broken_store(receipts, &error),
        }
        true
    }

    fn handle_outcome(&mut self, receipt: Receipt, outcome: CommitOutcome) {
        if receipt.epoch != self.epoch {
            return;
        }
        match outcome {
            CommitOutcome::Applied => self.handle_applied(receipt),
            CommitOutcome::Refused(refusal) => {
                self.seat.counters.commits_refused.add(1);
                match refusal {
                    Refusal::Fenced => self.begin_renewal(),
                    Refusal::Conflict => self.handle_conflict(receipt),
                    Refusal::KeyTaken {
                        instance,
                        same_input,
                    } => self.handle_key_taken(&receipt, instance, same_input),
                }
            }
        }
    }

    fn handle_key_taken(&mut self, receipt: &Receipt, existing: InstanceId, same_input: bool) {
        let Some(mut live) = self.live.remove(&receipt.instance) else {
            return;
        };
        let Some(starting) = live.starting.take() else {
            return;
        };
        let key = starting
            .new
            .header
            .idempotency_key
            .as_deref()
            .unwrap_or_default()
            .to_owned();
        let answer = if same_input {
            Ok(StartAnswer::Existing(existing))
        } else {
            Err(EngineError::IdempotencyConflict { key })
        };
        if let Some(accepted) = starting.accepted {
            let _ = accepted.send(answer);
        }
    }

    fn handle_applied(&mut self, receipt: Receipt) {
        let Receipt {
            instance,
            after,
            fate,
            seq,
            facts,
            ..
        } = receipt;
        self.seat.counters.facts.add(facts);
        let Some(live) = self.live.get_mut(&instance) else {
            return;
        };
        live.busy = false;
        live.strikes = 0;
        live.standing = match (fate, seq) {
            (Fate::Keep, Some(seq)) => Standing::Owned(seq),
            (Fate::Keep | Fate::Park | Fate::End, _) => Standing::Parked(seq),
        };
        if let Some(starting) = live.starting.take() {
            self.seat.counters.instances_started.add(1);
            if let Some(accepted) = starting.accepted {
                let _ = accepted.send(Ok(StartAnswer::Created));
            }
        }
        match fate {
            Fate::End => self.finish(instance),
            Fate::Park => {
                self.cancel_tasks(instance, after);
                self.put_away(instance);
            }
            Fate::Keep => {
                self.carry_out(instance, after);
                self.begin_waiting_tasks(instance);
                if self
                    .live
                    .get(&instance)
                    .is_some_and(|live| live.wants_commit())
                {
                    self.list(instance);
                }
            }
        }
    }

    /// Forgets an instance that ended.
    fn finish(&mut self, instance: InstanceId) {
        let Some(mut live) = self.live.remove(&instance) else {
            return;
        };
        if !live.was_over {
            // Counted where the end was committed, not where it was only read.
            match live.state.status {
                InstanceStatus::Completed => self.seat.counters.instances_completed.add(1),
                InstanceStatus::Cancelled => self.seat.counters.instances_cancelled.add(1),
                _ => self.seat.counters.instances_failed.add(1),
            }
            self.tell_end(instance, &mut live);
        }
    }

    /// Tells everybody who waits that an instance ended, and what still runs of it to stop.
    pub(super) fn tell_end(&mut self, instance: InstanceId, live: &mut Live) {
        live.was_over = true;
        for task in &live.tasks {
            task.control.cancel();
        }
        let others = if self.watchers.is_empty() {
            Vec::new()
        } else {
            self.watchers.remove(&instance).unwrap_or_default()
        };
        for watcher in std::mem::take(&mut live.watchers).into_iter().chain(others) {
            // Whoever dropped the other end does not wait any more.
            let _ = watcher.send(Arc::clone(&live.state));
        }
    }

    /// Forgets an instance that waits in the store alone, unless there is more to do for it.
    pub(super) fn put_away(&mut self, instance: InstanceId) {
        let Some(live) = self.live.get(&instance) else {
            return;
        };
        let has_more =
            live.is_active() || !live.timers.is_empty() || !live.missing_children.is_empty();
        if live.busy || has_more {
            self.list(instance);
            return;
        }
        // Another node may wake it and bring it to its end, so whoever waits is sent off to look for itself.
        self.live.remove(&instance);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// Keeps virtual time where it is while a call to the store is under way and until its answer is dealt with.
pub(super) type CallHold = Option<TimeHold>;
