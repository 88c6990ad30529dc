//! The one door: batches of commits.

use augmented_core::runtime::TimerKey;
use augmented_core::store::{CommitOutcome, InstanceCommit, Refusal, StoreError};
use augmented_core::{InstanceId, NodeId, Timestamp};

use crate::MemoryStore;
use crate::node::Gate;
use crate::shard::{SHARDS, next, shard_of};

impl MemoryStore {
    pub(crate) fn commit_batch(
        &self,
        node: NodeId,
        mut batch: Vec<InstanceCommit>,
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        for commit in &batch {
            commit.check(node)?;
        }
        let fenced =
            |batch: &[InstanceCommit]| vec![CommitOutcome::Refused(Refusal::Fenced); batch.len()];
        let Some(writer) = self.nodes.find(node) else {
            return Ok(fenced(&batch));
        };
        // Held until the last change is made: fencing the node waits for it.
        let gate = writer.gate.read();
        if *gate == Gate::Shut {
            return Ok(fenced(&batch));
        }
        let mut outcomes = vec![CommitOutcome::Applied; batch.len()];
        match batch.as_slice() {
            [] => {}
            [only] => self.commit_group(
                shard_of(only.instance),
                node,
                &mut batch,
                &Groups::single(),
                &mut outcomes,
            ),
            _ => {
                let groups = Groups::of(&batch);
                for shard in groups.shards() {
                    self.commit_group(shard, node, &mut batch, &groups, &mut outcomes);
                }
            }
        }
        drop(gate);
        // What the commits replaced is dropped here, behind all locks.
        Ok(outcomes)
    }

    /// Applies the commits of one shard in their order, under one lock as long as they stay within it.
    fn commit_group(
        &self,
        shard: usize,
        node: NodeId,
        batch: &mut [InstanceCommit],
        groups: &Groups,
        outcomes: &mut [CommitOutcome],
    ) {
        let mut record = |at: usize, result: Result<(), Refusal>| {
            if let (Err(refusal), Some(outcome)) = (result, outcomes.get_mut(at)) {
                *outcome = CommitOutcome::Refused(refusal);
            }
        };
        let mut cursor = groups.first(shard);
        while let Some(at) = cursor {
            let Some(commit) = batch.get_mut(at) else {
                return;
            };
            if reaches_others(commit) {
                record(at, self.commit_across(node, commit));
                cursor = groups.after(at);
                continue;
            }
            self.shards.numbered(shard).change(&self.bell, |content| {
                while let Some(at) = cursor
                    && let Some(commit) = batch.get_mut(at)
                    && !reaches_others(commit)
                {
                    record(at, content.apply(node, commit, &self.keys));
                    cursor = groups.after(at);
                }
            });
        }
    }

    /// Applies a commit that also changes other instances, with all their shards locked.
    fn commit_across(&self, node: NodeId, commit: &mut InstanceCommit) -> Result<(), Refusal> {
        let others = commit
            .children
            .iter()
            .map(|child| child.header.instance_id)
            .chain(commit.outbox.iter().map(|message| message.instance));
        let mut shards: Vec<usize> = others.chain([commit.instance]).map(shard_of).collect();
        shards.sort_unstable();
        shards.dedup();
        self.shards.locked(&shards, &self.bell, |locked| {
            let Some(own) = locked.of(commit.instance) else {
                return Err(Refusal::Conflict);
            };
            own.apply(node, commit, &self.keys)?;
            for child in std::mem::take(&mut commit.children) {
                if let Some(content) = locked.of(child.header.instance_id) {
                    content.insert_child(child, &self.arrivals);
                }
            }
            for message in std::mem::take(&mut commit.outbox) {
                if let Some(content) = locked.of(message.instance) {
                    content.deliver(message, &self.arrivals);
                }
            }
            Ok(())
        })
    }

    /// Turns one timer into a message if it still is armed for that instant.
    pub(crate) fn fire_timer(&self, instance: InstanceId, key: TimerKey, due: Timestamp) -> bool {
        self.shards.of(instance).change(&self.bell, |content| {
            let armed = content.indexes.due.contains(&(due, instance, key));
            armed
                && content
                    .any_row_mut(instance)
                    .is_some_and(|(row, indexes)| row.fire(key, next(&self.arrivals), indexes))
        })
    }
}

fn reaches_others(commit: &InstanceCommit) -> bool {
    !commit.children.is_empty() || !commit.outbox.is_empty()
}

/// The commits of a batch by shard, each shard's in the order of the batch: a linked list per shard.
struct Groups {
    first: [u32; SHARDS],
    after: Vec<u32>,
}

/// Ends a list.
const NONE: u32 = u32::MAX;

impl Groups {
    fn single() -> Self {
        Self {
            first: [0; SHARDS],
            after: Vec::new(),
        }
    }

    fn of(batch: &[InstanceCommit]) -> Self {
        let mut groups = Self {
            first: [NONE; SHARDS],
            after: vec![NONE; batch.len()],
        };
        for (at, commit) in batch.iter().enumerate().rev() {
            let Ok(at) = u32::try_from(at) else { continue };
            if let (Some(first), Some(after)) = (
                groups.first.get_mut(shard_of(commit.instance)),
                groups.after.get_mut(at as usize),
            ) {
                *after = std::mem::replace(first, at);
            }
        }
        groups
    }

    fn shards(&self) -> impl Iterator<Item = usize> + '_ {
        (0..SHARDS).filter(|shard| self.first(*shard).is_some())
    }

    fn first(&self, shard: usize) -> Option<usize> {
        self.first
            .get(shard)
            .copied()
            .filter(|at| *at != NONE)
            .map(|at| at as usize)
    }

    fn after(&self, at: usize) -> Option<usize> {
        self.after
            .get(at)
            .copied()
            .filter(|at| *at != NONE)
            .map(|at| at as usize)
    }
}
