//! Reading instances: for the first time, after a refused commit, after a crash; and taking broken ones out of service.

use std::collections::VecDeque;
use std::sync::Arc;

use augmented_core::runtime::{
    ChildDone, ChildStatus, InstanceState, Message, StartMessage, TaskDone,
};
use augmented_core::store::{
    InstanceCommit, LoadedInstance, MailboxMessage, NewMessage, Snapshot, StoreError,
};
use augmented_core::{InstanceId, NodeId, TaskInstanceId, TenantId};

use super::children::{ChildVerdict, ResolvedChildren};
use super::commit::{Fate, Prepared, Receipt, faulted, retry_timer};
use super::instance::{Live, Queued, Standing};
use super::worker::{CallHold, Worker};
use super::{Shared, StartAnswer};
use crate::EngineError;
use crate::definitions::StartPlan;
use crate::task::ExecutionPlan;
use crate::workflow::{Command, open_commands, replay};

/// After so many failures in a row that would repeat, an instance is taken out of service.
const MAX_STRIKES: u8 = 10;

/// After so many take-overs without progress an instance is taken out of service: its task may kill its process.
const MAX_TAKEOVERS: u16 = 10;

/// An instance that is being read, and what waits for it.
#[derive(Default)]
pub(crate) struct Loading {
    pub(crate) queue: VecDeque<Queued>,
    pub(crate) mail: Vec<MailboxMessage>,
    /// The copy whose commit was refused or is in doubt.
    pub(crate) old: Option<Box<Live>>,
    pub(crate) strikes: u8,
    /// Why it is taken out of service as soon as its last good state is known.
    pub(crate) condemned: Option<&'static str>,
}

/// The answer of a call that a worker made.
pub(crate) enum CallDone {
    Loaded(Box<Loaded>),
    Children(Box<ResolvedChildren>),
    ChildChecked {
        instance: InstanceId,
        child: InstanceId,
        verdict: Option<Box<ChildVerdict>>,
        _hold: CallHold,
    },
    Renewed {
        renewed: Result<NodeId, StoreError>,
        _hold: CallHold,
    },
}

/// An instance as it was read.
pub(crate) struct Loaded {
    tenant: TenantId,
    instance: InstanceId,
    result: Result<Option<(LoadedInstance, PlanFor)>, EngineError>,
    _hold: CallHold,
}

/// The plan of an instance that was read.
enum PlanFor {
    Begun(Arc<ExecutionPlan>),
    /// It has not begun; its tasks are chosen now.
    Fresh(Arc<StartPlan>),
}

impl Worker {
    /// Reads an instance, unless it is given, and takes it into memory.
    pub(super) fn load(
        &mut self,
        tenant: TenantId,
        instance: InstanceId,
        given: Option<LoadedInstance>,
        loading: Loading,
    ) {
        if let Some(loaded) = given.as_ref()
            && let Some(plan) = self.plan_at_hand(loaded)
            && let Some(loaded) = given
        {
            self.adopt(loaded, PlanFor::Begun(plan), loading);
            return;
        }
        self.loading.insert(instance, loading);
        self.call_load(tenant, instance, given, 0);
    }

    fn plan_at_hand(&self, loaded: &LoadedInstance) -> Option<Arc<ExecutionPlan>> {
        let pins = pins_of(loaded)?;
        self.shared
            .definitions
            .cached_plan(loaded.header.definition.id, &pins)
    }

    fn call_load(
        &mut self,
        tenant: TenantId,
        instance: InstanceId,
        given: Option<LoadedInstance>,
        delay_micros: i64,
    ) {
        let shared = Arc::clone(&self.shared);
        self.calls.push(Box::pin(async move {
            let hold = shared.time().hold();
            leave_alone(delay_micros).await;
            let result = read(&shared, tenant, instance, given).await;
            CallDone::Loaded(Box::new(Loaded {
                tenant,
                instance,
                result,
                _hold: hold,
            }))
        }));
    }

    pub(super) fn handle_call(&mut self, done: CallDone) {
        match done {
            CallDone::Loaded(loaded) => self.handle_loaded(*loaded),
            CallDone::Children(resolved) => self.handle_children(*resolved),
            CallDone::ChildChecked {
                instance,
                child,
                verdict,
                ..
            } => self.handle_child_checked(instance, child, verdict),
            CallDone::Renewed {
                renewed: Ok(node), ..
            } => self.change_node(node),
            CallDone::Renewed {
                renewed: Err(error),
                ..
            } => {
                tracing::warn!(%error, "the node cannot register anew; trying again");
                self.begin_renewal_after(self.trouble_delay());
            }
        }
    }

    fn handle_loaded(&mut self, loaded: Loaded) {
        let Loaded {
            tenant,
            instance,
            result,
            ..
        } = loaded;
        let mut loading = match self.loading.remove(&instance) {
            Some(loading) => loading,
            // Nobody waits for it any more, unless it was taken over meanwhile and is this node's to drive.
            None if self.live.contains_key(&instance) || !self.is_ours(&result) => return,
            None => Loading::default(),
        };
        match result {
            Ok(Some((loaded, plan))) => self.adopt(loaded, plan, loading),
            Ok(None) => self.begin_again(instance, loading),
            Err(error) => {
                loading.strikes = loading.strikes.saturating_add(1);
                let lasting = !matches!(error, EngineError::Unavailable { .. });
                if lasting {
                    tracing::warn!(%instance, %error, "an instance cannot be read");
                } else {
                    tracing::debug!(%instance, %error, "an instance cannot be read now");
                }
                if lasting && loading.strikes >= MAX_STRIKES {
                    self.give_up(loading, error);
                    return;
                }
                self.troubles = self.troubles.saturating_add(1);
                let delay = self.trouble_delay();
                self.loading.insert(instance, loading);
                self.call_load(tenant, instance, None, delay);
            }
        }
    }

    fn is_ours(&self, result: &Result<Option<(LoadedInstance, PlanFor)>, EngineError>) -> bool {
        matches!(result, Ok(Some((loaded, _))) if loaded.owner == Some(self.shared.node.current()))
    }

    /// Drives an instance that this node took over.
    pub(super) fn handle_taken_over(&mut self, loaded: LoadedInstance) {
        let (tenant, instance) = (loaded.header.tenant_id, loaded.header.instance_id);
        if self.loading.contains_key(&instance) {
            // What is being read may be older than the take-over.
            self.call_load(tenant, instance, Some(loaded), 0);
        } else if !self.live.contains_key(&instance) {
            self.load(tenant, instance, Some(loaded), Loading::default());
        }
    }

    /// Tells whoever waits for the start of an instance that cannot be read.
    fn give_up(&mut self, loading: Loading, error: EngineError) {
        if let Some(mut old) = loading.old {
            old.abandon_tasks();
            if let Some(accepted) = old.starting.and_then(|starting| starting.accepted) {
                let _ = accepted.send(Err(error));
            }
        }
    }

    /// An instance that is not in the store: a start whose commit did not take effect is repeated.
    fn begin_again(&mut self, instance: InstanceId, loading: Loading) {
        let Some(mut live) = loading.old.filter(|old| old.starting.is_some()) else {
            return;
        };
        let header = Arc::clone(&live.state.header);
        live.state = Arc::new(InstanceState::new(header));
        live.standing = Standing::New;
        live.snapshot = None;
        live.busy = false;
        live.listed = false;
        live.queue = loading.queue;
        self.live.insert(instance, live);
        self.list(instance);
    }

    /// Takes an instance into memory as it was read.
    fn adopt(&mut self, loaded: LoadedInstance, plan: PlanFor, loading: Loading) {
        let instance = loaded.header.instance_id;
        let tenant = loaded.header.tenant_id;
        let last = loaded.last_seq();
        let current = self.shared.node.current();
        if loaded.owner == Some(current) {
            // The news of a changed identity may come behind the first instance taken over under it.
            self.change_node(current);
        }
        let is_another =
            |old: &Live| old.standing == Standing::New && *old.state.header != *loaded.header;
        if loading.old.as_deref().is_some_and(is_another) {
            self.give_up(
                loading,
                EngineError::internal("the source of ids gave an id that is in use"),
            );
            return;
        }
        let standing = match (loaded.owner, last) {
            (Some(owner), Some(seq)) if owner == self.node => Standing::Owned(seq),
            (None, last) => Standing::Parked(last),
            (Some(_), _) => {
                leave_to_owner(loading);
                return;
            }
        };
        let (plan, fresh_pins) = match plan {
            PlanFor::Begun(plan) => (plan, None),
            PlanFor::Fresh(start) => (Arc::clone(&start.plan), Some(Arc::clone(&start.task_pins))),
        };
        let base = loaded
            .state
            .clone()
            .unwrap_or_else(|| Arc::new(InstanceState::new(Arc::clone(&loaded.header))));
        let state = match replay(&plan.flow, &loaded, &self.shared.limits) {
            Ok(state) => Arc::new(state),
            Err(error) => {
                tracing::error!(%instance, %error, "an instance cannot be rebuilt from its facts");
                let live = Live::new(tenant, plan, base, standing);
                self.take_out(instance, live, "REPLAY_DIVERGED");
                return;
            }
        };
        let mut live = Live::new(tenant, plan, state, standing);
        live.takeovers = loaded.takeovers;
        live.snapshot = loaded.state.as_ref().map(|state| (state.seq, state.status));
        let attempts = loaded.attempts.into_iter();
        live.attempts = attempts
            .map(|row| (row.task_instance_id, row.record))
            .collect();
        live.watchers = self.watchers.remove(&instance).unwrap_or_default();
        let (in_doubt, condemned) = (loading.old.is_some(), loading.condemned);
        self.carry_over(&mut live, loading, last);
        let recorded = loaded.recorded;
        if !recorded.is_empty() {
            // What a handler recorded is the result, whatever this process made of it.
            live.queue.retain(|queued| match &queued.message {
                Message::TaskDone(done) => !is_recorded(&recorded, done.task_instance_id),
                _ => true,
            });
        }
        if live.state.status.is_terminal() {
            // The commit in doubt had ended it, or it ended elsewhere long ago.
            if in_doubt {
                self.tell_end(instance, &mut live);
            }
            live.was_over = true;
        }
        if let Some(task_pins) = fresh_pins {
            put_start(&mut live.queue, StartMessage::new(task_pins));
        }
        let reason = if let Some(reason) = condemned {
            Some(reason)
        } else if live.strikes >= MAX_STRIKES {
            Some("COMMIT_REFUSED")
        } else if loaded.takeovers >= MAX_TAKEOVERS {
            Some("TAKEOVERS_WITHOUT_PROGRESS")
        } else {
            None
        };
        if let Some(reason) = reason
            && !live.was_over
        {
            self.take_out(instance, live, reason);
            return;
        }
        if last.is_some() {
            self.resume(instance, &mut live, &recorded);
        }
        self.live.insert(instance, Box::new(live));
        self.begin_waiting_tasks(instance);
        self.list(instance);
    }

    /// What was in memory before goes on: running tasks, those who wait, results that were not written yet.
    fn carry_over(&mut self, live: &mut Live, loading: Loading, last: Option<u64>) {
        let Loading {
            mut queue,
            mail,
            old,
            strikes,
            condemned: _,
        } = loading;
        live.strikes = strikes;
        if let Some(old) = old {
            // The commit in doubt was applied if the store has more than the old copy knew of.
            if last > old.standing.seq() || (old.standing == Standing::New && last.is_some()) {
                queue.clear();
                live.strikes = 0;
            } else {
                live.strikes = live.strikes.max(old.strikes);
            }
            let old = *old;
            if let Some(starting) = old.starting {
                self.seat.counters.instances_started.add(1);
                if let Some(accepted) = starting.accepted {
                    let _ = accepted.send(Ok(StartAnswer::Created));
                }
            }
            live.tasks = old.tasks;
            live.timers = old.timers;
            live.watchers.extend(old.watchers);
            let lasting = |queued: &Queued| queued.mail.is_none() && !queued.derived;
            queue.extend(old.queue.into_iter().filter(lasting));
        }
        live.queue = queue;
        live.take_mail(mail);
        // Rows that were read before the copy was dropped are still in the mailbox.
        self.shared.nudge.notify_one();
    }

    /// What is open goes on, once this node owns the instance.
    fn resume(&mut self, instance: InstanceId, live: &mut Live, recorded: &[Arc<TaskDone>]) {
        let open = open_commands(&live.plan.flow, &live.state);
        stop_closed(live, &open);
        for command in open {
            match command {
                Command::RunTask(run) => {
                    let answered = live.queue.iter().any(|queued| matches!(&queued.message, Message::TaskDone(done) if done.activation == run.activation));
                    if answered || live.is_running(run.activation) {
                        continue;
                    }
                    if let Some(done) = recorded
                        .iter()
                        .find(|done| done.task_instance_id == run.task_instance_id)
                    {
                        let done = Message::TaskDone(Arc::clone(done));
                        live.queue.push_back(Queued::derived(done));
                        continue;
                    }
                    let next_at = live.next_attempt(run.task_instance_id).unwrap_or(self.now);
                    if next_at.micros_since(self.now) <= self.shared.env.park_after_micros {
                        live.to_begin.push(run);
                    } else if let Standing::Owned(_) = live.standing {
                        // Whoever parks an instance arms the timer, but an owner that was lost before it parked did not.
                        live.timers.push(retry_timer(run.activation, next_at));
                    }
                }
                Command::CancelTask {
                    activation,
                    task_instance_id,
                } => {
                    // The command itself may be lost with the answer of the commit that recorded it.
                    match live.tasks.iter().find(|task| task.activation == activation) {
                        Some(task) => task.control.cancel(),
                        None => match recorded
                            .iter()
                            .find(|done| done.task_instance_id == task_instance_id)
                        {
                            Some(done) => {
                                let done = Message::TaskDone(Arc::clone(done));
                                live.queue.push_back(Queued::derived(done));
                            }
                            None => live.answer_cancelled(activation, task_instance_id, self.now),
                        },
                    }
                }
                Command::StartChild(child) => {
                    live.checking.push(child.instance_id);
                    self.check_child(instance, live, child);
                }
                // Rows of their own, which were written with the fact.
                Command::SetTimer(_)
                | Command::ClearTimer(_)
                | Command::CancelChild { .. }
                | Command::NotifyParent { .. } => {}
            }
        }
    }

    /// The commit of one instance was refused: the copy is dropped, the instance read and decided again.
    pub(super) fn handle_conflict(&mut self, receipt: Receipt) {
        let Some(live) = self.live.get_mut(&receipt.instance) else {
            return;
        };
        live.strikes = live.strikes.saturating_add(1);
        self.reload(receipt, 0);
    }

    /// Whether the batch was applied is unknown, or the store cannot take it.
    pub(super) fn handle_broken_store(&mut self, receipts: Vec<Receipt>, error: &StoreError) {
        self.troubles = self.troubles.saturating_add(1);
        let lasting = !matches!(error, StoreError::Unavailable { .. });
        if lasting || self.troubles == 1 {
            tracing::warn!(%error, instances = receipts.len(), "a batch of commits failed; trying again");
        }
        if lasting && receipts.len() > 1 {
            // One of them is at fault; alone it shows which.
            self.one_by_one = self.one_by_one.saturating_add(receipts.len());
        }
        let delay = if lasting { 0 } else { self.trouble_delay() };
        let alone = receipts.len() == 1;
        for receipt in receipts {
            if receipt.epoch != self.epoch {
                continue;
            }
            if lasting
                && alone
                && let Some(live) = self.live.get_mut(&receipt.instance)
            {
                live.strikes = live.strikes.saturating_add(1);
            }
            self.reload(receipt, delay);
        }
    }

    fn reload(&mut self, receipt: Receipt, delay_micros: i64) {
        let Receipt {
            instance, messages, ..
        } = receipt;
        let Some(live) = self.live.remove(&instance) else {
            return;
        };
        let tenant = live.tenant;
        let loading = Loading {
            queue: messages.into(),
            old: Some(live),
            ..Loading::default()
        };
        self.loading.insert(instance, loading);
        self.call_load(tenant, instance, None, delay_micros);
    }

    fn trouble_delay(&self) -> i64 {
        delay_after(self.troubles.saturating_sub(1))
    }

    pub(super) fn begin_renewal(&mut self) {
        if !self.fenced {
            self.begin_renewal_after(0);
        }
    }

    fn begin_renewal_after(&mut self, delay_micros: i64) {
        self.fenced = true;
        let (shared, node) = (Arc::clone(&self.shared), self.node);
        self.calls.push(Box::pin(async move {
            let hold = shared.time().hold();
            leave_alone(delay_micros).await;
            let renewed = shared.renew_node(node).await;
            CallDone::Renewed {
                renewed,
                _hold: hold,
            }
        }));
    }

    /// The node writes under a new identity: all copies are void but those of starts that were never written.
    pub(super) fn change_node(&mut self, node: NodeId) {
        if node == self.node {
            return;
        }
        self.node = node;
        self.fenced = false;
        self.epoch = self.epoch.wrapping_add(1);
        self.forget_batch();
        let loading = std::mem::take(&mut self.loading);
        let loaded = loading
            .into_iter()
            .filter_map(|(instance, loading)| Some((instance, loading.old?)));
        let all: Vec<(InstanceId, Box<Live>)> = std::mem::take(&mut self.live)
            .into_iter()
            .chain(loaded)
            .collect();
        for (instance, mut live) in all {
            live.abandon_tasks();
            if live.starting.is_some() {
                let tenant = live.tenant;
                // Its commit may have taken effect before the node was fenced, so it is looked up first.
                let start = live.start_again();
                self.loading.insert(
                    instance,
                    Loading {
                        queue: start,
                        old: Some(live),
                        ..Loading::default()
                    },
                );
                self.call_load(tenant, instance, None, 0);
            }
            // Those who wait for the others are dropped with the copies, and look for the end elsewhere.
        }
    }

    /// Takes an instance out of service, because going on would fail for ever or go wrong.
    ///
    /// The copy in memory may be changed half-way, so the last good state is read from the store.
    pub(super) fn contain(&mut self, instance: InstanceId, reason: &'static str) {
        let Some(live) = self.live.remove(&instance) else {
            return;
        };
        if live.standing == Standing::New {
            tracing::error!(%instance, reason, "an instance cannot be begun");
            if let Some(accepted) = live.starting.and_then(|starting| starting.accepted) {
                let _ = accepted.send(Err(EngineError::internal(reason)));
            }
            return;
        }
        let tenant = live.tenant;
        let loading = Loading {
            old: Some(live),
            condemned: Some(reason),
            ..Loading::default()
        };
        self.loading.insert(instance, loading);
        self.call_load(tenant, instance, None, 0);
    }

    fn take_out(&mut self, instance: InstanceId, mut live: Live, reason: &'static str) {
        tracing::error!(%instance, reason, "the instance is taken out of service with ENGINE_FAULT");
        live.abandon_tasks();
        live.queue.clear();
        live.timers.clear();
        let last = live.standing.seq();
        let state = Arc::new(faulted(&live.state, last, reason, self.now));
        let mut commit = InstanceCommit::new(live.tenant, instance, live.standing.expect());
        commit.outbox.extend(fault_notice(&state, live.tenant));
        commit.snapshot = Some(Snapshot::new(Arc::clone(&state), None));
        live.state = state;
        live.busy = true;
        self.live.insert(instance, Box::new(live));
        let receipt = Receipt {
            instance,
            messages: Vec::new(),
            after: Vec::new(),
            fate: Fate::End,
            seq: last,
            facts: 0,
            epoch: self.epoch,
        };
        self.push(Prepared {
            commit,
            receipt,
            children: Vec::new(),
        });
    }
}

/// Somebody else owns the instance; what this process knows of it is void.
fn leave_to_owner(loading: Loading) {
    let Some(old) = loading.old else { return };
    let mut old = *old;
    old.abandon_tasks();
    if let Some(accepted) = old.starting.and_then(|starting| starting.accepted) {
        let _ = accepted.send(Ok(StartAnswer::Created));
    }
    // Those who wait are dropped with the copy, and look for the end elsewhere.
}

fn is_recorded(recorded: &[Arc<TaskDone>], task: TaskInstanceId) -> bool {
    recorded.iter().any(|done| done.task_instance_id == task)
}

/// Stops what still runs for activations that are closed: the command to do so may be lost with an answer of the store.
fn stop_closed(live: &Live, open: &[Command]) {
    for task in &live.tasks {
        let is_open = open.iter().any(|command| match command {
            Command::RunTask(run) => run.activation == task.activation,
            Command::CancelTask { activation, .. } => *activation == task.activation,
            _ => false,
        });
        if !is_open {
            task.control.cancel();
        }
    }
}

/// How long to leave a store in trouble alone: 50 ms, then doubled each time, up to 6.4 s.
pub(super) fn delay_after(troubles: u32) -> i64 {
    50_000 << troubles.min(7)
}

/// Leaves a store in trouble alone for a while. In real time, because a store in trouble does not follow the virtual
/// clock, and whoever waits for the answer of a call holds that clock.
pub(super) async fn leave_alone(micros: i64) {
    if let Some(length) = u64::try_from(micros).ok().filter(|micros| *micros > 0) {
        tokio::time::sleep(std::time::Duration::from_micros(length)).await;
    }
}

/// Reads an instance and the plan it needs.
async fn read(
    shared: &Shared,
    tenant: TenantId,
    instance: InstanceId,
    given: Option<LoadedInstance>,
) -> Result<Option<(LoadedInstance, PlanFor)>, EngineError> {
    let loaded = match given {
        Some(loaded) => loaded,
        None => match shared
            .store
            .load(tenant, &[instance])
            .await?
            .pop()
            .flatten()
        {
            Some(loaded) => loaded,
            None => return Ok(None),
        },
    };
    let definition = loaded.header.definition.id;
    let plan = match pins_of(&loaded) {
        Some(pins) => PlanFor::Begun(shared.definitions.plan(tenant, definition, &pins).await?),
        None => PlanFor::Fresh(
            shared
                .definitions
                .plan_of_pinned(tenant, definition)
                .await?,
        ),
    };
    Ok(Some((loaded, plan)))
}

/// The task versions an instance pins; none if it has not begun.
fn pins_of(loaded: &LoadedInstance) -> Option<Arc<[augmented_core::runtime::TaskPin]>> {
    if let Some(state) = loaded.state.as_ref().filter(|state| state.seq.is_some()) {
        return Some(Arc::clone(&state.task_pins));
    }
    match &loaded.facts.first()?.message {
        Message::Start(start) => Some(Arc::clone(&start.task_pins)),
        _ => None,
    }
}

/// Puts the chosen tasks into the start that waits, or adds one.
fn put_start(queue: &mut VecDeque<Queued>, start: StartMessage) {
    let waiting = queue
        .iter_mut()
        .find(|queued| matches!(queued.message, Message::Start(_)));
    match waiting {
        Some(queued) => queued.message = Message::Start(start),
        None => queue.push_front(Queued::local(Message::Start(start))),
    }
}

/// What the parent of a faulted instance is told.
fn fault_notice(state: &InstanceState, tenant: TenantId) -> Option<NewMessage> {
    let parent = state.header.parent.as_ref().filter(|parent| parent.waits)?;
    let done = ChildDone {
        activation: parent.activation,
        instance_id: state.header.instance_id,
        status: ChildStatus::Failed,
        output: None,
        outcome: None,
        error: state.error.as_ref().map(|error| (*error.error).clone()),
    };
    Some(NewMessage::new(
        tenant,
        parent.instance_id,
        Message::ChildDone(Box::new(done)),
    ))
}

impl Live {
    /// The queue of a start that is made again.
    fn start_again(&mut self) -> VecDeque<Queued> {
        let task_pins = self.plan.pins().cloned().collect();
        VecDeque::from([Queued::local(Message::Start(StartMessage::new(task_pins)))])
    }
}
