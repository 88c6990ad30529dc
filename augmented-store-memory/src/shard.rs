//! Shards: instances under one lock, and the indexes over them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use augmented_core::runtime::{InstanceHeader, Message, StartMessage, TimerKey};
use augmented_core::store::{
    Expect, InstanceCommit, NewInstance, NewMessage, Refusal, SendOutcome,
};
use augmented_core::{InstanceId, NodeId, TenantId, Timestamp};
use parking_lot::{Mutex, MutexGuard};
use rustc_hash::FxHashMap;

use crate::bell::Bell;
use crate::keys::IdempotencyKeys;
use crate::record::OpenRecord;
use crate::row::{Row, keys_of};
use crate::timeline::Timeline;

/// How many shards there are; a power of two.
pub(crate) const SHARDS: usize = 64;

/// Stands for "no timer" in [`Shard::earliest`].
const NO_TIMER: i64 = i64::MAX;

pub(crate) struct Shards([Shard; SHARDS]);

impl Default for Shards {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Shard::default()))
    }
}

/// A lock, and what can be known of its content without taking it. Aligned so that neighbours share no cache line.
#[repr(align(128))]
pub(crate) struct Shard {
    content: Mutex<Content>,
    /// How many instances have messages waiting.
    waiting: AtomicUsize,
    /// When the first timer is due.
    earliest: AtomicI64,
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            content: Mutex::default(),
            waiting: AtomicUsize::new(0),
            earliest: AtomicI64::new(NO_TIMER),
        }
    }
}

/// The number of the shard of an instance: the last bits of its id, which are random.
pub(crate) fn shard_of(id: InstanceId) -> usize {
    let [.., last] = *id.0.as_bytes();
    usize::from(last) % SHARDS
}

impl Shards {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Shard> {
        self.0.iter()
    }

    /// The shard of an instance.
    pub(crate) fn of(&self, id: InstanceId) -> &Shard {
        self.numbered(shard_of(id))
    }

    pub(crate) fn numbered(&self, number: usize) -> &Shard {
        // The remainder always is a shard, so nothing here can be out of bounds.
        &self.0[number % SHARDS]
    }

    /// Locks several shards, given by ascending numbers, and runs `work` on them together.
    pub(crate) fn locked<R>(
        &self,
        numbers: &[usize],
        bell: &Bell,
        work: impl FnOnce(&mut LockedShards<'_>) -> R,
    ) -> R {
        let mut locked = LockedShards {
            guards: numbers
                .iter()
                .map(|number| (*number, self.numbered(*number).content.lock()))
                .collect(),
        };
        let result = work(&mut locked);
        let mut news = false;
        let mut replaced = Vec::new();
        for (number, content) in &mut locked.guards {
            news |= self.numbered(*number).publish(content);
            replaced.append(&mut content.replaced);
        }
        drop(locked);
        if news {
            bell.ring();
        }
        result
    }
}

/// Several shards that are locked together.
pub(crate) struct LockedShards<'a> {
    guards: Vec<(usize, MutexGuard<'a, Content>)>,
}

impl LockedShards<'_> {
    /// The content of the shard of an instance, if it is among the locked ones.
    pub(crate) fn of(&mut self, id: InstanceId) -> Option<&mut Content> {
        let number = shard_of(id);
        self.guards
            .iter_mut()
            .find(|(locked, _)| *locked == number)
            .map(|(_, content)| &mut **content)
    }
}

impl Shard {
    /// Changes the content under the lock and rings the bell if somebody should know.
    pub(crate) fn change<R>(&self, bell: &Bell, work: impl FnOnce(&mut Content) -> R) -> R {
        let mut content = self.content.lock();
        let result = work(&mut content);
        let news = self.publish(&mut content);
        let replaced = std::mem::take(&mut content.replaced);
        drop(content);
        drop(replaced);
        if news {
            bell.ring();
        }
        result
    }

    /// Reads the content under the lock.
    pub(crate) fn read<R>(&self, work: impl FnOnce(&Content) -> R) -> R {
        work(&self.content.lock())
    }

    pub(crate) fn has_waiting(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    pub(crate) fn earliest(&self) -> Option<Timestamp> {
        let earliest = self.earliest.load(Ordering::Acquire);
        (earliest != NO_TIMER).then(|| Timestamp::from_micros(earliest))
    }

    /// Shows what may be known without the lock; tells whether there is news.
    fn publish(&self, content: &mut Content) -> bool {
        let indexes = &mut content.indexes;
        self.waiting.store(indexes.waiting.len(), Ordering::Release);
        let earliest = indexes
            .due
            .first()
            .map_or(NO_TIMER, |(at, ..)| at.as_micros());
        self.earliest.store(earliest, Ordering::Release);
        std::mem::take(&mut indexes.news)
    }
}

/// What a shard holds.
#[derive(Default)]
pub(crate) struct Content {
    rows: FxHashMap<InstanceId, Box<Row>>,
    pub(crate) timelines: FxHashMap<TenantId, Timeline>,
    pub(crate) by_correlation: FxHashMap<(TenantId, Arc<str>), Vec<InstanceId>>,
    pub(crate) by_parent: FxHashMap<InstanceId, Vec<InstanceId>>,
    pub(crate) indexes: Indexes,
    /// Room to pack records in.
    scratch: Vec<u8>,
    /// What packed records were made of, to be dropped after the lock.
    replaced: Vec<OpenRecord>,
}

/// Indexes over open work; rows keep their entries current.
#[derive(Default)]
pub(crate) struct Indexes {
    /// Owned instances by owner.
    pub(crate) owned: BTreeSet<(NodeId, InstanceId)>,
    /// Instances with messages, by the arrival of the oldest.
    pub(crate) waiting: BTreeSet<(u64, InstanceId)>,
    /// Armed timers.
    pub(crate) due: BTreeSet<(Timestamp, InstanceId, TimerKey)>,
    /// Whether waiting engines should look again.
    pub(crate) news: bool,
}

impl Content {
    /// An instance, if it belongs to the tenant.
    pub(crate) fn row(&self, tenant: TenantId, id: InstanceId) -> Option<&Row> {
        self.rows
            .get(&id)
            .map(|row| &**row)
            .filter(|row| row.brief.tenant == tenant)
    }

    /// An instance whatever its tenant, for work the engine does for all of them.
    pub(crate) fn any_row(&self, id: InstanceId) -> Option<&Row> {
        self.rows.get(&id).map(|row| &**row)
    }

    /// An instance whatever its tenant, and the indexes it keeps.
    pub(crate) fn any_row_mut(&mut self, id: InstanceId) -> Option<(&mut Row, &mut Indexes)> {
        let row = self.rows.get_mut(&id)?;
        Some((row, &mut self.indexes))
    }

    /// Applies a commit to its own instance as a whole, or not at all.
    pub(crate) fn apply(
        &mut self,
        node: NodeId,
        commit: &mut InstanceCommit,
        keys: &IdempotencyKeys,
    ) -> Result<(), Refusal> {
        let Some(applied) = keys_of(&commit.facts) else {
            return Err(Refusal::Conflict);
        };
        if let Some(new) = commit.insert.take() {
            if !commit.consumed.is_empty() {
                return Err(Refusal::Conflict);
            }
            self.insert_new(*new, commit.instance, keys)?;
        }
        let Some(row) = self.rows.get_mut(&commit.instance) else {
            return Err(Refusal::Conflict);
        };
        let expected = match commit.expect {
            Expect::New => true,
            Expect::Owned(seq) => row.owner() == Some(node) && row.last_seq() == Some(seq),
            Expect::Parked(seq) => row.owner().is_none() && row.last_seq() == seq,
        };
        if !expected
            || row.brief.tenant != commit.tenant
            || row.has_applied_any(&applied)
            || !row.has_waiting(&commit.consumed)
        {
            return Err(Refusal::Conflict);
        }
        // What cannot be read is not overwritten: the writer reads it again and is told why.
        let replaced = row
            .apply(commit, applied, &mut self.indexes, &mut self.scratch)
            .map_err(|_| Refusal::Conflict)?;
        self.replaced.extend(replaced);
        Ok(())
    }

    fn insert_new(
        &mut self,
        new: NewInstance,
        id: InstanceId,
        keys: &IdempotencyKeys,
    ) -> Result<(), Refusal> {
        let exists = self.rows.contains_key(&id);
        if let Some(key) = &new.header.idempotency_key {
            let key = (
                new.header.tenant_id,
                Arc::clone(&new.header.definition.workflow_id),
                Arc::clone(key),
            );
            if exists {
                return Err(keys
                    .holder(&key, new.input_hash)
                    .unwrap_or(Refusal::Conflict));
            }
            // The key becomes visible a moment before the row does; whoever looks the row up waits for this shard.
            keys.claim(key, id, new.input_hash)?;
        } else if exists {
            return Err(Refusal::Conflict);
        }
        self.insert(new.header);
        if let Some((row, indexes)) = self.any_row_mut(id) {
            row.set_owner(new.owner, indexes);
        }
        Ok(())
    }

    fn insert(&mut self, header: Arc<InstanceHeader>) {
        let (tenant, id) = (header.tenant_id, header.instance_id);
        self.timelines
            .entry(tenant)
            .or_default()
            .insert((header.created_at, id));
        if let Some(correlation_id) = &header.correlation_id {
            self.by_correlation
                .entry((tenant, Arc::clone(correlation_id)))
                .or_default()
                .push(id);
        }
        if let Some(parent) = &header.parent {
            self.by_parent
                .entry(parent.instance_id)
                .or_default()
                .push(id);
        }
        self.rows.insert(id, Box::new(Row::new(header)));
    }

    /// Inserts a child whose start waits in its mailbox, unless it is there already.
    pub(crate) fn insert_child(&mut self, child: NewInstance, arrivals: &AtomicU64) {
        let id = child.header.instance_id;
        if self.rows.contains_key(&id) {
            return;
        }
        self.insert(child.header);
        if let Some((row, indexes)) = self.any_row_mut(id) {
            row.accept(
                Message::Start(StartMessage::default()),
                next(arrivals),
                indexes,
            );
        }
    }

    /// Inserts an instance that nobody owns, with its start waiting.
    pub(crate) fn accept(
        &mut self,
        new: NewInstance,
        keys: &IdempotencyKeys,
        arrivals: &AtomicU64,
    ) -> Result<(), Refusal> {
        if self.rows.contains_key(&new.header.instance_id) {
            return Ok(());
        }
        if let Some(key) = &new.header.idempotency_key {
            let key = (
                new.header.tenant_id,
                Arc::clone(&new.header.definition.workflow_id),
                Arc::clone(key),
            );
            keys.claim(key, new.header.instance_id, new.input_hash)?;
        }
        self.insert_child(new, arrivals);
        Ok(())
    }

    /// Puts a message into a mailbox; `false` if it is repeated or nobody can take it.
    pub(crate) fn deliver(&mut self, message: NewMessage, arrivals: &AtomicU64) -> SendOutcome {
        let row = self.rows.get_mut(&message.instance);
        let Some(row) = row.filter(|row| row.brief.tenant == message.tenant) else {
            return SendOutcome::Ignored;
        };
        if row.is_too_full_for(&message) {
            return SendOutcome::Full;
        }
        match row.accept(message.message, next(arrivals), &mut self.indexes) {
            true => SendOutcome::Stored,
            false => SendOutcome::Ignored,
        }
    }
}

/// The next place in the order of arrival.
pub(crate) fn next(arrivals: &AtomicU64) -> u64 {
    arrivals.fetch_add(1, Ordering::Relaxed)
}
