//! One instance: its facts, its snapshot and its open work.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use augmented_core::runtime::{
    AttemptOutcome, AttemptRecord, DefinitionPin, Fact, InstanceHeader, InstanceStatus, Message,
    TimerKey,
};
use augmented_core::store::{
    AttemptRow, InstanceCommit, InstanceSummary, LoadedInstance, MailboxId, MailboxMessage,
    NewMessage, RunningTask, Snapshot, StoreError, TimerRow, worker_lost,
};
use augmented_core::{InstanceId, NodeId, Seq, TaskInstanceId, TenantId, Timestamp};
use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::record::{OpenRecord, Record};
use crate::shard::Indexes;

/// An instance as it stands.
pub(crate) struct Row {
    pub(crate) brief: Brief,
    record: Record,
    status: InstanceStatus,
    last_seq: Option<Seq>,
    updated_at: Timestamp,
    completed_at: Option<Timestamp>,
    owner: Option<NodeId>,
    takeovers: u16,
    /// Numbers are never used twice, not even after the mailbox was empty.
    next_message: MailboxId,
    /// Signals that the state keeps as of the last commit.
    signals_kept: u32,
    keys: MessageKeys,
    /// Absent where nothing is open, so that an ended instance costs its row alone.
    open: Option<Box<OpenWork>>,
}

/// What is asked of an instance without reading its record.
pub(crate) struct Brief {
    pub(crate) tenant: TenantId,
    pub(crate) instance: InstanceId,
    pub(crate) created_at: Timestamp,
    pub(crate) definition: Arc<DefinitionPin>,
    /// Absent where there is none of it, because millions of instances have none.
    more: Option<Box<More>>,
}

struct More {
    correlation_id: Option<Arc<str>>,
    parent: Option<InstanceId>,
    metadata: Option<Arc<Value>>,
}

impl Brief {
    fn of(header: &InstanceHeader) -> Self {
        Self {
            tenant: header.tenant_id,
            instance: header.instance_id,
            created_at: header.created_at,
            definition: Arc::clone(&header.definition),
            more: More::of(header).map(Box::new),
        }
    }

    pub(crate) fn correlation_id(&self) -> Option<&str> {
        self.more.as_ref()?.correlation_id.as_deref()
    }

    pub(crate) fn parent(&self) -> Option<InstanceId> {
        self.more.as_ref()?.parent
    }

    pub(crate) fn metadata(&self) -> Option<&Value> {
        self.more.as_ref()?.metadata.as_deref()
    }
}

impl More {
    fn of(header: &InstanceHeader) -> Option<Self> {
        let more = Self {
            correlation_id: header.correlation_id.clone(),
            parent: header.parent.as_ref().map(|parent| parent.instance_id),
            metadata: header.metadata.clone(),
        };
        let is_empty =
            more.correlation_id.is_none() && more.parent.is_none() && more.metadata.is_none();
        (!is_empty).then_some(more)
    }
}

#[derive(Default)]
struct OpenWork {
    mailbox: VecDeque<Waiting>,
    timers: BTreeMap<TimerKey, Timestamp>,
    attempts: Vec<AttemptRow>,
    running: Vec<RunningTask>,
}

struct Waiting {
    /// When it came, in the order of the whole store.
    arrival: u64,
    row: MailboxMessage,
}

impl Row {
    pub(crate) fn new(header: Arc<InstanceHeader>) -> Self {
        Self {
            brief: Brief::of(&header),
            updated_at: header.created_at,
            record: Record::new(header),
            status: InstanceStatus::Created,
            last_seq: None,
            completed_at: None,
            owner: None,
            takeovers: 0,
            next_message: 1,
            signals_kept: 0,
            keys: MessageKeys::default(),
            open: None,
        }
    }

    pub(crate) fn owner(&self) -> Option<NodeId> {
        self.owner
    }

    pub(crate) fn last_seq(&self) -> Option<Seq> {
        self.last_seq
    }

    pub(crate) fn status(&self) -> InstanceStatus {
        self.status
    }

    fn is_ended(&self) -> bool {
        self.status.is_terminal()
    }

    pub(crate) fn load(&self) -> Result<LoadedInstance, StoreError> {
        let OpenRecord {
            header,
            state,
            facts,
        } = self.record.load()?;
        let attempts = self.open.as_ref().map(|open| open.attempts.clone());
        Ok(LoadedInstance::new(
            header,
            self.owner,
            self.takeovers,
            state,
            facts,
            attempts.unwrap_or_default(),
        ))
    }

    /// Up to `limit` facts, from `seq` on.
    pub(crate) fn facts(&self, seq: Seq, limit: usize) -> Result<Vec<Fact>, StoreError> {
        self.record.facts(seq, limit)
    }

    pub(crate) fn summary(&self) -> Result<InstanceSummary, StoreError> {
        Ok(InstanceSummary::new(
            self.record.header()?,
            self.status,
            self.last_seq,
            self.updated_at,
            self.completed_at,
        ))
    }

    pub(crate) fn messages(&self) -> Vec<MailboxMessage> {
        self.open.as_ref().map_or_else(Vec::new, |open| {
            open.mailbox
                .iter()
                .map(|waiting| waiting.row.clone())
                .collect()
        })
    }

    /// Whether the fact of one of these messages is written already.
    pub(crate) fn has_applied_any(&self, keys: &[Box<str>]) -> bool {
        keys.iter().any(|key| self.keys.is_applied(key))
    }

    /// Writes down a commit that was checked. What it replaces stays in the commit, or is returned, to be dropped by the
    /// caller after the lock.
    ///
    /// # Errors
    /// The record of an ended instance cannot be read; nothing is changed then.
    pub(crate) fn apply(
        &mut self,
        commit: &mut InstanceCommit,
        keys: Vec<Box<str>>,
        indexes: &mut Indexes,
        scratch: &mut Vec<u8>,
    ) -> Result<Option<OpenRecord>, StoreError> {
        self.record.open()?;
        self.add_facts(&mut commit.facts, keys)?;
        self.signals_kept = commit.signals_kept;
        if self.open.is_some() {
            self.consume(&commit.consumed, indexes);
            for key in &commit.timers_cleared {
                self.disarm(*key, indexes);
            }
        }
        for timer in &commit.timers_set {
            self.arm(*timer, indexes);
        }
        if let Some(snapshot) = &mut commit.snapshot {
            self.write(snapshot, indexes)?;
        }
        self.close_if_idle();
        match self.is_ended() {
            true => Ok(self.record.pack(scratch)),
            false => Ok(None),
        }
    }

    fn add_facts(&mut self, facts: &mut Vec<Fact>, keys: Vec<Box<str>>) -> Result<(), StoreError> {
        let Some(last) = facts.last() else {
            return Ok(());
        };
        self.takeovers = 0;
        self.last_seq = Some(last.seq);
        if self.status == InstanceStatus::Created {
            self.status = InstanceStatus::Running;
        }
        for key in keys {
            self.keys.set(key, KeyUse::Applied);
        }
        if let Some(open) = &mut self.open
            && !(open.attempts.is_empty() && open.running.is_empty())
        {
            for fact in &*facts {
                if let Message::TaskDone(done) = &fact.message {
                    open.attempts
                        .retain(|attempt| attempt.task_instance_id != done.task_instance_id);
                    open.running
                        .retain(|running| running.task.task_instance_id != done.task_instance_id);
                }
            }
        }
        let record = self.record.open()?;
        if record.facts.is_empty() {
            record.facts = std::mem::take(facts);
        } else {
            record.facts.append(facts);
        }
        Ok(())
    }

    fn write(&mut self, snapshot: &mut Snapshot, indexes: &mut Indexes) -> Result<(), StoreError> {
        let record = self.record.open()?;
        self.status = snapshot.state.status;
        self.completed_at = snapshot.state.completed_at;
        if let Some(fact) = record.facts.last() {
            self.updated_at = fact.at;
        }
        match &mut record.state {
            Some(state) => std::mem::swap(state, &mut snapshot.state),
            none => *none = Some(Arc::clone(&snapshot.state)),
        }
        self.set_owner(snapshot.owner, indexes);
        if self.is_ended() {
            self.drop_open_work(indexes);
        }
        Ok(())
    }

    pub(crate) fn set_owner(&mut self, owner: Option<NodeId>, indexes: &mut Indexes) {
        if self.owner == owner {
            return;
        }
        let id = self.brief.instance;
        if let Some(node) = self.owner {
            indexes.owned.remove(&(node, id));
        }
        if let Some(node) = owner {
            indexes.owned.insert((node, id));
        }
        self.owner = owner;
        // What waits here was nobody else's business until now.
        if self
            .open
            .as_ref()
            .is_some_and(|open| !open.mailbox.is_empty())
        {
            indexes.news = true;
        }
    }

    /// Gives the instance to another node, its owner having been heard of last at `heard_at`.
    pub(crate) fn take_over(&mut self, to: NodeId, heard_at: Timestamp, indexes: &mut Indexes) {
        self.takeovers = self.takeovers.saturating_add(1);
        let from = self.owner;
        self.set_owner(Some(to), indexes);
        let Some(open) = &mut self.open else { return };
        let lost: Vec<RunningTask> = std::mem::take(&mut open.running);
        for running in lost {
            if Some(running.node) == from {
                self.record_attempt(lost_attempt(running, heard_at));
            }
        }
        self.close_if_idle();
    }

    /// Whether a task is over. This looks through all facts, for calls that are rare.
    fn has_result(&self, task: TaskInstanceId) -> bool {
        let is_it = |fact: &Fact| matches!(&fact.message, Message::TaskDone(done) if done.task_instance_id == task);
        self.record
            .facts(0, usize::MAX)
            .is_ok_and(|facts| facts.iter().any(is_it))
    }

    /// Shows a task as running, unless somebody else owns the instance.
    pub(crate) fn record_running(&mut self, running: RunningTask) {
        let task = running.task.task_instance_id;
        if self.is_ended() || self.owner != Some(running.node) || self.has_result(task) {
            return;
        }
        let open = self.open.get_or_insert_default();
        open.running
            .retain(|other| other.task.task_instance_id != running.task.task_instance_id);
        open.running.push(running);
    }

    /// Whether the instance holds as many signals as a message allows that is not there yet.
    pub(crate) fn is_too_full_for(&self, new: &NewMessage) -> bool {
        let Some(max) = new.max_signals else {
            return false;
        };
        if self.is_ended()
            || new
                .message
                .message_key()
                .is_some_and(|key| self.keys.knows(&key))
        {
            return false;
        }
        let mailbox = self.open.iter().flat_map(|open| &open.mailbox);
        let waiting = mailbox.filter(|waiting| matches!(waiting.row.message, Message::Signal(_)));
        let kept = usize::try_from(self.signals_kept).unwrap_or(usize::MAX);
        waiting.count().saturating_add(kept) >= usize::try_from(max).unwrap_or(usize::MAX)
    }

    /// Puts a message into the mailbox unless the instance ended or accepted its key before.
    pub(crate) fn accept(&mut self, message: Message, arrival: u64, indexes: &mut Indexes) -> bool {
        if self.is_ended() || (matches!(message, Message::Start(_)) && self.last_seq.is_some()) {
            return false;
        }
        if let Some(key) = message.message_key()
            && !self.keys.accept(key)
        {
            return false;
        }
        let mailbox = &mut self.open.get_or_insert_default().mailbox;
        if mailbox.is_empty() {
            indexes.waiting.insert((arrival, self.brief.instance));
        }
        mailbox.push_back(Waiting {
            arrival,
            row: MailboxMessage {
                id: self.next_message,
                message,
            },
        });
        self.next_message += 1;
        indexes.news = true;
        true
    }

    /// Whether all these messages wait, none named twice.
    pub(crate) fn has_waiting(&self, rows: &[MailboxId]) -> bool {
        let waits = |id: &MailboxId| {
            self.open.as_ref().is_some_and(|open| {
                let found = open
                    .mailbox
                    .binary_search_by_key(id, |waiting| waiting.row.id);
                found.is_ok()
            })
        };
        rows.iter()
            .enumerate()
            .all(|(at, id)| waits(id) && !rows.iter().skip(at + 1).any(|other| other == id))
    }

    fn consume(&mut self, consumed: &[MailboxId], indexes: &mut Indexes) {
        let Some(open) = &mut self.open else { return };
        let Some(oldest) = open.mailbox.front().map(|waiting| waiting.arrival) else {
            return;
        };
        for id in consumed {
            if let Ok(at) = open
                .mailbox
                .binary_search_by_key(id, |waiting| waiting.row.id)
            {
                open.mailbox.remove(at);
            }
        }
        let next = open.mailbox.front().map(|waiting| waiting.arrival);
        if next != Some(oldest) {
            indexes.waiting.remove(&(oldest, self.brief.instance));
            if let Some(next) = next {
                indexes.waiting.insert((next, self.brief.instance));
            }
        }
    }

    fn arm(&mut self, timer: TimerRow, indexes: &mut Indexes) {
        let open = self.open.get_or_insert_default();
        if let Some(before) = open.timers.insert(timer.key, timer.fire_at) {
            indexes
                .due
                .remove(&(before, self.brief.instance, timer.key));
        }
        if indexes
            .due
            .first()
            .is_none_or(|(earliest, ..)| timer.fire_at < *earliest)
        {
            indexes.news = true;
        }
        indexes
            .due
            .insert((timer.fire_at, self.brief.instance, timer.key));
    }

    /// Removes a timer; tells whether it was armed.
    fn disarm(&mut self, key: TimerKey, indexes: &mut Indexes) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        let Some(fire_at) = open.timers.remove(&key) else {
            return false;
        };
        indexes.due.remove(&(fire_at, self.brief.instance, key))
    }

    /// Turns an armed timer into a message.
    pub(crate) fn fire(&mut self, key: TimerKey, arrival: u64, indexes: &mut Indexes) -> bool {
        let fired = self.disarm(key, indexes) && self.accept(Message::Timer(key), arrival, indexes);
        self.close_if_idle();
        fired
    }

    pub(crate) fn record_attempt(&mut self, attempt: AttemptRow) {
        if self.is_ended() {
            return;
        }
        let attempts = &mut self.open.get_or_insert_default().attempts;
        let known = attempts.iter().any(|other| {
            other.task_instance_id == attempt.task_instance_id
                && other.record.attempt == attempt.record.attempt
        });
        if !known {
            let task = attempt.task_instance_id;
            attempts.push(attempt);
            if let Some(open) = &mut self.open {
                open.running
                    .retain(|running| running.task.task_instance_id != task);
            }
        }
    }

    fn drop_open_work(&mut self, indexes: &mut Indexes) {
        let Some(open) = self.open.take() else { return };
        let id = self.brief.instance;
        if let Some(waiting) = open.mailbox.front() {
            indexes.waiting.remove(&(waiting.arrival, id));
        }
        for (key, fire_at) in open.timers {
            indexes.due.remove(&(fire_at, id, key));
        }
    }

    fn close_if_idle(&mut self) {
        if self.open.as_ref().is_some_and(|open| {
            open.mailbox.is_empty()
                && open.timers.is_empty()
                && open.attempts.is_empty()
                && open.running.is_empty()
        }) {
            self.open = None;
        }
    }
}

/// The keys of the messages these facts apply, or `None` if one is applied twice.
pub(crate) fn keys_of(facts: &[Fact]) -> Option<Vec<Box<str>>> {
    let mut keys: Vec<Box<str>> = Vec::new();
    for fact in facts {
        // A start needs no entry: it is fact 0 and only that.
        let key = match &fact.message {
            Message::Start(_) => None,
            other => other.message_key(),
        };
        let Some(key) = key else { continue };
        if keys.iter().any(|other| **other == *key) {
            return None;
        }
        keys.push(key.into());
    }
    Some(keys)
}

/// The message keys an instance ever saw; most instances never see one.
#[derive(Default)]
struct MessageKeys(Option<Box<FxHashMap<Box<str>, KeyUse>>>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyUse {
    /// Accepted into the mailbox.
    Accepted,
    /// Its fact is written.
    Applied,
}

impl MessageKeys {
    fn is_applied(&self, key: &str) -> bool {
        self.0
            .as_ref()
            .is_some_and(|keys| keys.get(key) == Some(&KeyUse::Applied))
    }

    fn knows(&self, key: &str) -> bool {
        self.0.as_ref().is_some_and(|keys| keys.contains_key(key))
    }

    fn set(&mut self, key: Box<str>, key_use: KeyUse) {
        self.0.get_or_insert_default().insert(key, key_use);
    }

    /// Takes a new key; `false` if it is known.
    fn accept(&mut self, key: String) -> bool {
        if self.knows(&key) {
            return false;
        }
        self.set(key.into(), KeyUse::Accepted);
        true
    }
}

/// The attempt of a running task whose node was lost.
fn lost_attempt(running: RunningTask, heard_at: Timestamp) -> AttemptRow {
    let ended_at = heard_at.max(running.started_at);
    AttemptRow {
        tenant: running.tenant,
        instance: running.instance,
        activation: running.activation,
        task_instance_id: running.task.task_instance_id,
        record: AttemptRecord {
            attempt: running.attempt,
            started_at: running.started_at,
            ended_at,
            outcome: AttemptOutcome::WorkerLost,
            error: worker_lost(),
            delay_ms: 0,
            next_attempt_at: ended_at,
            checkpoint: None,
        },
    }
}
