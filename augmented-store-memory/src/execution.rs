//! Running instances: the [`ExecutionStore`].

use async_trait::async_trait;
use augmented_core::runtime::TimerKey;
use augmented_core::store::{
    CommitOutcome, ExecutionStore, FailedAttempt, InstanceCommit, LoadedInstance, NewInstance,
    NewMessage, NodeInfo, PendingWork, RunningTask, SendOutcome, StoreError, Wakeup,
};
use augmented_core::{InstanceId, NodeId, TenantId, Timestamp};

use crate::MemoryStore;
use crate::node::Gate;
use crate::shard::Content;

#[async_trait]
impl ExecutionStore for MemoryStore {
    async fn register_node(&self, node: NodeId, now: Timestamp) -> Result<(), StoreError> {
        self.nodes.register(node, now);
        Ok(())
    }

    async fn heartbeat(&self, node: NodeId, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self
            .nodes
            .find(node)
            .is_some_and(|node| node.heartbeat(now)))
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        let mut infos = Vec::new();
        for (id, node) in self.nodes.all() {
            let fenced = node.is_fenced();
            if !fenced
                || self
                    .shards
                    .iter()
                    .any(|shard| shard.read(|content| owned_by(content, id).next().is_some()))
            {
                infos.push(NodeInfo {
                    node: id,
                    heartbeat_at: node.heartbeat_at(),
                    fenced,
                });
            }
        }
        Ok(infos)
    }

    async fn fence_node(&self, node: NodeId, silent_since: Timestamp) -> Result<bool, StoreError> {
        Ok(self
            .nodes
            .find(node)
            .is_some_and(|node| node.fence(silent_since)))
    }

    async fn take_over(
        &self,
        from: NodeId,
        to: NodeId,
        limit: usize,
    ) -> Result<Vec<LoadedInstance>, StoreError> {
        let mut taken = Vec::new();
        let Some(heir) = self.nodes.find(to) else {
            return Ok(taken);
        };
        let Some(lost) = self.nodes.find(from).filter(|node| node.is_fenced()) else {
            return Ok(taken);
        };
        let heard_at = lost.heartbeat_at();
        // An heir that is fenced meanwhile would keep what nobody looks for any more.
        let gate = heir.gate.read();
        if *gate == Gate::Shut {
            return Ok(taken);
        }
        for shard in self.shards.iter() {
            let room = limit.saturating_sub(taken.len());
            if room == 0 {
                break;
            }
            shard.change(&self.bell, |content| {
                let ids: Vec<InstanceId> = owned_by(content, from).take(room).collect();
                for id in ids {
                    if let Some((row, indexes)) = content.any_row_mut(id) {
                        row.take_over(to, heard_at, indexes);
                        taken.push(row.load()?);
                    }
                }
                Ok::<_, StoreError>(())
            })?;
        }
        Ok(taken)
    }

    async fn commit(
        &self,
        node: NodeId,
        batch: Vec<InstanceCommit>,
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        self.commit_batch(node, batch)
    }

    async fn accept(&self, new: Vec<NewInstance>) -> Result<Vec<CommitOutcome>, StoreError> {
        let accept = |new: NewInstance| {
            let accepted = self
                .shards
                .of(new.header.instance_id)
                .change(&self.bell, |content| {
                    content.accept(new, &self.keys, &self.arrivals)
                });
            match accepted {
                Ok(()) => CommitOutcome::Applied,
                Err(refusal) => CommitOutcome::Refused(refusal),
            }
        };
        Ok(new.into_iter().map(accept).collect())
    }

    async fn load(
        &self,
        tenant: TenantId,
        ids: &[InstanceId],
    ) -> Result<Vec<Option<LoadedInstance>>, StoreError> {
        ids.iter().map(|id| self.load_one(tenant, *id)).collect()
    }

    async fn send(&self, messages: Vec<NewMessage>) -> Result<Vec<SendOutcome>, StoreError> {
        let deliver = |message: NewMessage| {
            self.shards
                .of(message.instance)
                .change(&self.bell, |content| {
                    content.deliver(message, &self.arrivals)
                })
        };
        Ok(messages.into_iter().map(deliver).collect())
    }

    async fn pending(&self, node: NodeId, limit: usize) -> Result<Vec<PendingWork>, StoreError> {
        let mut oldest: Vec<(u64, InstanceId)> = Vec::new();
        for shard in self.shards.iter().filter(|shard| shard.has_waiting()) {
            shard.read(|content| {
                let mine = content
                    .indexes
                    .waiting
                    .iter()
                    .filter(|(_, id)| may_work_on(content, *id, node));
                oldest.extend(mine.take(limit));
            });
        }
        oldest.sort_unstable();
        oldest.truncate(limit);
        oldest
            .into_iter()
            .filter_map(|(_, id)| {
                self.shards
                    .of(id)
                    .read(|content| pending_work(content, id, node))
                    .transpose()
            })
            .collect()
    }

    async fn fire_due_timers(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let mut due: Vec<(Timestamp, InstanceId, TimerKey)> = Vec::new();
        for shard in self
            .shards
            .iter()
            .filter(|shard| shard.earliest().is_some_and(|at| at <= now))
        {
            shard.read(|content| {
                due.extend(
                    content
                        .indexes
                        .due
                        .iter()
                        .take_while(|(at, ..)| *at <= now)
                        .take(limit),
                )
            });
        }
        due.sort_unstable();
        due.truncate(limit);
        Ok(due
            .into_iter()
            .filter(|(at, id, key)| self.fire_timer(*id, *key, *at))
            .count())
    }

    async fn next_timer(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self
            .shards
            .iter()
            .filter_map(|shard| shard.earliest())
            .min())
    }

    async fn record_attempts(&self, attempts: Vec<FailedAttempt>) -> Result<(), StoreError> {
        for FailedAttempt { attempt, .. } in attempts {
            self.shards
                .of(attempt.instance)
                .change(&self.bell, |content| {
                    if let Some((row, _)) = content
                        .any_row_mut(attempt.instance)
                        .filter(|(row, _)| row.brief.tenant == attempt.tenant)
                    {
                        row.record_attempt(attempt);
                    }
                });
        }
        Ok(())
    }

    async fn record_running(&self, tasks: Vec<RunningTask>) -> Result<(), StoreError> {
        for running in tasks {
            self.shards
                .of(running.instance)
                .change(&self.bell, |content| {
                    if let Some((row, _)) = content
                        .any_row_mut(running.instance)
                        .filter(|(row, _)| row.brief.tenant == running.tenant)
                    {
                        row.record_running(running);
                    }
                });
        }
        Ok(())
    }

    async fn wait_for_work(&self, node: NodeId) -> Wakeup {
        match self.nodes.find(node) {
            Some(node) => self.bell.listen(&node.heard).await,
            // Nothing is known to have been told to a stranger; its next heartbeat tells it to register.
            None => Wakeup::Work,
        }
    }
}

impl MemoryStore {
    pub(crate) fn load_one(
        &self,
        tenant: TenantId,
        id: InstanceId,
    ) -> Result<Option<LoadedInstance>, StoreError> {
        self.shards
            .of(id)
            .read(|content| content.row(tenant, id).map(|row| row.load()).transpose())
    }
}

/// The instances of a node, by id.
fn owned_by(content: &Content, node: NodeId) -> impl Iterator<Item = InstanceId> + '_ {
    let first = (node, InstanceId(uuid::Uuid::nil()));
    content
        .indexes
        .owned
        .range(first..)
        .take_while(move |(owner, _)| *owner == node)
        .map(|(_, id)| *id)
}

fn may_work_on(content: &Content, id: InstanceId, node: NodeId) -> bool {
    content
        .any_row(id)
        .is_some_and(|row| row.owner().is_none_or(|owner| owner == node))
}

fn pending_work(
    content: &Content,
    id: InstanceId,
    node: NodeId,
) -> Result<Option<PendingWork>, StoreError> {
    let Some(row) = content
        .any_row(id)
        .filter(|_| may_work_on(content, id, node))
    else {
        return Ok(None);
    };
    let messages = row.messages();
    // Between choosing it and coming back the work may have been done.
    if messages.is_empty() {
        return Ok(None);
    }
    let loaded = row.owner().is_none().then(|| row.load()).transpose()?;
    Ok(Some(PendingWork {
        tenant: row.brief.tenant,
        instance: id,
        loaded,
        messages,
    }))
}
