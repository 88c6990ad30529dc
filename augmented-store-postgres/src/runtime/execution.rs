//! Running instances: the [`ExecutionStore`].

use std::collections::HashMap;

use async_trait::async_trait;
use augmented_core::runtime::Message;
use augmented_core::store::{
    CommitOutcome, ExecutionStore, FailedAttempt, InstanceCommit, LoadedInstance, MailboxMessage,
    NewInstance, NewMessage, NodeInfo, PendingWork, RunningTask, SendOutcome, StoreError, TaskRow,
    Wakeup, worker_lost,
};
use augmented_core::{InstanceId, NodeId, TenantId, Timestamp};
use serde_json::{Map, Value, json};
use sqlx::types::chrono::{DateTime, Utc};
use sqlx::types::{Json, Uuid};
use sqlx::{AssertSqlSafe, Row};

use super::batch::{Outbox, attempt};
use super::read::get;
use super::text::{instant, task_type, timestamp, unsigned};
use crate::error::store_error;
use crate::{PostgresStore, SchemaName};

/// Mailbox rows that are looked at for each instance asked for.
const ROWS_PER_INSTANCE: usize = 8;

/// The statements of this module, written for one schema.
pub(crate) struct ExecutionStatements {
    register: String,
    heartbeat: String,
    nodes: String,
    fence: String,
    take_over: String,
    send: String,
    pending: String,
    fire: String,
    next_timer: String,
    record: String,
    show: String,
    close: String,
}

impl ExecutionStatements {
    pub(crate) fn new(schema: &SchemaName) -> Self {
        let fill = |sql: &str| schema.fill(sql);
        Self {
            register: fill(
                "INSERT INTO $schema.engine_nodes AS n (node_id, started_at, heartbeat_at) VALUES ($1, $2, $2) \
                 ON CONFLICT (node_id) DO UPDATE SET heartbeat_at = greatest(n.heartbeat_at, excluded.heartbeat_at) \
                 WHERE n.fenced_at IS NULL",
            ),
            heartbeat: fill(
                "UPDATE $schema.engine_nodes SET heartbeat_at = greatest(heartbeat_at, $2) \
                 WHERE node_id = $1 AND fenced_at IS NULL",
            ),
            nodes: fill(
                "SELECT n.node_id, n.heartbeat_at, n.fenced_at IS NOT NULL AS fenced FROM $schema.engine_nodes n \
                 WHERE n.fenced_at IS NULL \
                    OR EXISTS (SELECT FROM $schema.workflow_instances w WHERE w.owner_node = n.node_id) \
                 ORDER BY n.node_id",
            ),
            fence: fill("SELECT $schema.aug_fence_node($1, $2)"),
            take_over: fill("SELECT tenant_id, id FROM $schema.aug_take_over($1, $2, $3, $4)"),
            send: fill("SELECT $schema.aug_send($1, $2, $3, $4, $5, $6)"),
            pending: fill(
                "SELECT m.tenant_id, m.instance_id, m.id, m.payload, w.owner_node IS NULL AS parked \
                 FROM $schema.workflow_mailbox m \
                 CROSS JOIN LATERAL (SELECT w.owner_node FROM $schema.workflow_instances w \
                     WHERE w.tenant_id = m.tenant_id AND w.id = m.instance_id OFFSET 0) AS w \
                 WHERE w.owner_node IS NULL OR w.owner_node = $1 ORDER BY m.id LIMIT $2",
            ),
            fire: fill("SELECT $schema.aug_fire_timers($1, $2)"),
            next_timer: fill("SELECT min(fire_at) FROM $schema.timers"),
            record: fill("SELECT $schema.aug_record_attempts($1, $2)"),
            show: fill("SELECT $schema.aug_record_running($1)"),
            close: fill("SELECT $schema.aug_close_ended($1)"),
        }
    }
}

#[async_trait]
impl ExecutionStore for PostgresStore {
    async fn register_node(&self, node: NodeId, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(AssertSqlSafe(self.execution.register.clone()))
            .persistent(self.persistent)
            .bind(node.0)
            .bind(instant(now))
            .execute(&self.lease)
            .await
            .map_err(store_error)?;
        self.bell.register(node);
        Ok(())
    }

    async fn heartbeat(&self, node: NodeId, now: Timestamp) -> Result<bool, StoreError> {
        let renewed = sqlx::query(AssertSqlSafe(self.execution.heartbeat.clone()))
            .persistent(self.persistent)
            .bind(node.0)
            .bind(instant(now))
            .execute(&self.lease)
            .await
            .map_err(store_error)?
            .rows_affected();
        if renewed == 0 {
            self.ledger.forget_node(node);
            self.bell.forget(node);
        }
        Ok(renewed > 0)
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(self.execution.nodes.clone()))
            .persistent(self.persistent)
            .fetch_all(&self.lease)
            .await
            .map_err(store_error)?;
        rows.iter()
            .map(|row| {
                Ok(NodeInfo {
                    node: NodeId(get(row, "node_id")?),
                    heartbeat_at: timestamp(get(row, "heartbeat_at")?),
                    fenced: get(row, "fenced")?,
                })
            })
            .collect()
    }

    async fn fence_node(&self, node: NodeId, silent_since: Timestamp) -> Result<bool, StoreError> {
        let fenced: Option<bool> = sqlx::query_scalar(AssertSqlSafe(self.execution.fence.clone()))
            .persistent(self.persistent)
            .bind(node.0)
            .bind(instant(silent_since))
            .fetch_one(&self.lease)
            .await
            .map_err(store_error)?;
        let fenced = fenced.unwrap_or(false);
        if fenced {
            self.ledger.forget_node(node);
        }
        Ok(fenced)
    }

    async fn take_over(
        &self,
        from: NodeId,
        to: NodeId,
        limit: usize,
    ) -> Result<Vec<LoadedInstance>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(self.execution.take_over.clone()))
            .persistent(self.persistent)
            .bind(from.0)
            .bind(to.0)
            .bind(i32::try_from(limit).unwrap_or(i32::MAX))
            .bind(Json(worker_lost()))
            .fetch_all(&self.pool)
            .await
            .map_err(store_error)?;
        let taken = rows
            .iter()
            .map(|row| {
                Ok((
                    TenantId(get(row, "tenant_id")?),
                    InstanceId(get(row, "id")?),
                ))
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        self.load_instances(&taken).await
    }

    async fn commit(
        &self,
        node: NodeId,
        batch: Vec<InstanceCommit>,
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        self.commit_batch(node, &batch).await
    }

    async fn accept(&self, new: Vec<NewInstance>) -> Result<Vec<CommitOutcome>, StoreError> {
        self.accept_all(&new).await
    }

    async fn load(
        &self,
        tenant: TenantId,
        ids: &[InstanceId],
    ) -> Result<Vec<Option<LoadedInstance>>, StoreError> {
        let keys: Vec<_> = ids.iter().map(|id| (tenant, *id)).collect();
        let loaded = self.load_instances(&keys).await?;
        let mut by_id: HashMap<InstanceId, LoadedInstance> = loaded
            .into_iter()
            .map(|loaded| (loaded.header.instance_id, loaded))
            .collect();
        Ok(ids.iter().map(|id| by_id.remove(id)).collect())
    }

    async fn send(&self, messages: Vec<NewMessage>) -> Result<Vec<SendOutcome>, StoreError> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        self.ledger
            .is_not_plain(messages.iter().map(|message| message.instance));
        let mut outbox = Outbox::default();
        for message in &messages {
            outbox.push(message)?;
        }
        let mut tries = 0;
        let answers: Vec<i16> = loop {
            let answer = sqlx::query_scalar(AssertSqlSafe(self.execution.send.clone()))
                .persistent(self.persistent)
                .bind(&outbox.tenant)
                .bind(&outbox.instance)
                .bind(&outbox.kind)
                .bind(&outbox.key)
                .bind(&outbox.payload)
                .bind(&outbox.max)
                .fetch_one(&self.pool)
                .await;
            match answer {
                Ok(answers) => break answers,
                Err(error) if tries < 5 && is_race(&error) => tries += 1,
                Err(error) => return Err(store_error(error)),
            }
        };
        if answers.contains(&1) {
            self.bell.ring();
        }
        Ok(answers
            .into_iter()
            .map(|answer| match answer {
                1 => SendOutcome::Stored,
                2 => SendOutcome::Full,
                _ => SendOutcome::Ignored,
            })
            .collect())
    }

    async fn pending(&self, node: NodeId, limit: usize) -> Result<Vec<PendingWork>, StoreError> {
        let rows = limit.saturating_mul(ROWS_PER_INSTANCE).max(64);
        let rows = sqlx::query(AssertSqlSafe(self.execution.pending.clone()))
            .persistent(self.persistent)
            .bind(node.0)
            .bind(i64::try_from(rows).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await
            .map_err(store_error)?;
        let mut work: Vec<PendingWork> = Vec::new();
        let mut places: HashMap<InstanceId, usize> = HashMap::new();
        let mut parked = Vec::new();
        for row in &rows {
            let instance = InstanceId(get(row, "instance_id")?);
            let message = MailboxMessage {
                id: unsigned(get(row, "id")?),
                message: get::<Json<Message>>(row, "payload")?.0,
            };
            let place = match places.get(&instance) {
                Some(place) => *place,
                None if work.len() >= limit => continue,
                None => {
                    let tenant = TenantId(get(row, "tenant_id")?);
                    if get(row, "parked")? {
                        parked.push((tenant, instance));
                    }
                    work.push(PendingWork {
                        tenant,
                        instance,
                        loaded: None,
                        messages: Vec::new(),
                    });
                    places.insert(instance, work.len() - 1);
                    work.len() - 1
                }
            };
            if let Some(item) = work.get_mut(place) {
                item.messages.push(message);
            }
        }
        for loaded in self.load_instances(&parked).await? {
            if let Some(item) = places
                .get(&loaded.header.instance_id)
                .and_then(|place| work.get_mut(*place))
            {
                item.loaded = Some(loaded);
            }
        }
        // One that somebody woke between the two looks is not this node's to work on any more.
        let is_parked = |item: &PendingWork| parked.contains(&(item.tenant, item.instance));
        work.retain(|item| match &item.loaded {
            Some(loaded) => loaded.owner.is_none(),
            None => !is_parked(item),
        });
        Ok(work)
    }

    async fn fire_due_timers(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let fired: i64 = sqlx::query_scalar(AssertSqlSafe(self.execution.fire.clone()))
            .persistent(self.persistent)
            .bind(instant(now))
            .bind(i32::try_from(limit).unwrap_or(i32::MAX))
            .fetch_one(&self.pool)
            .await
            .map_err(store_error)?;
        if fired > 0 {
            self.bell.ring();
        }
        Ok(usize::try_from(fired).unwrap_or_default())
    }

    async fn next_timer(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(self.execution.next_timer.clone()))
            .persistent(self.persistent)
            .fetch_one(&self.pool)
            .await
            .map_err(store_error)?;
        let at: Option<DateTime<Utc>> = row.try_get(0).map_err(store_error)?;
        Ok(at.map(timestamp))
    }

    async fn record_attempts(&self, attempts: Vec<FailedAttempt>) -> Result<(), StoreError> {
        if attempts.is_empty() {
            return Ok(());
        }
        self.ledger
            .is_not_plain(attempts.iter().map(|failed| failed.attempt.instance));
        let rows: Vec<Value> = attempts
            .iter()
            .map(|failed| {
                let attempt_row = &failed.attempt;
                attempt(
                    attempt_row.tenant,
                    attempt_row.task_instance_id,
                    &attempt_row.record,
                )
            })
            .collect();
        sqlx::query(AssertSqlSafe(self.execution.record.clone()))
            .persistent(self.persistent)
            .bind(Json(Value::Array(retrying_tasks(&attempts))))
            .bind(Json(Value::Array(rows)))
            .execute(&self.pool)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn record_running(&self, tasks: Vec<RunningTask>) -> Result<(), StoreError> {
        if tasks.is_empty() {
            return Ok(());
        }
        self.ledger
            .is_not_plain(tasks.iter().map(|running| running.instance));
        let rows: Vec<Value> = tasks.iter().map(running_task).collect();
        sqlx::query(AssertSqlSafe(self.execution.show.clone()))
            .persistent(self.persistent)
            .bind(Json(Value::Array(rows)))
            .execute(&self.pool)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn wait_for_work(&self, node: NodeId) -> Wakeup {
        self.bell.wait(node).await
    }
}

impl PostgresStore {
    /// Closes what was opened of instances while the short statement that ended them was under way.
    pub(crate) async fn close_ended(&self, ended: Vec<Uuid>) -> Result<(), sqlx::Error> {
        sqlx::query(AssertSqlSafe(self.execution.close.clone()))
            .persistent(self.persistent)
            .bind(ended)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn is_race(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|code| matches!(&*code, "40001" | "40P01"))
}

/// The rows of the tasks that will be tried again, one for each task: that of its latest attempt.
fn retrying_tasks(attempts: &[FailedAttempt]) -> Vec<Value> {
    let mut latest: HashMap<Uuid, &FailedAttempt> = HashMap::new();
    for failed in attempts {
        let entry = latest
            .entry(failed.attempt.task_instance_id.0)
            .or_insert(failed);
        if entry.attempt.record.attempt < failed.attempt.record.attempt {
            *entry = failed;
        }
    }
    let row = |failed: &FailedAttempt| {
        let FailedAttempt { attempt, task } = failed;
        let mut row = task_row(attempt.tenant, attempt.instance, attempt.activation, task);
        row.insert("attempt".to_owned(), json!(attempt.record.attempt));
        row.insert("updated".to_owned(), json!(attempt.record.ended_at));
        row.insert("started".to_owned(), json!(attempt.record.started_at));
        row.insert("error".to_owned(), json!(attempt.record.error));
        Value::Object(row)
    };
    latest.into_values().map(row).collect()
}

/// A running task as `aug_record_running` takes it.
fn running_task(running: &RunningTask) -> Value {
    let RunningTask {
        tenant,
        instance,
        activation,
        ..
    } = running;
    let mut row = task_row(*tenant, *instance, *activation, &running.task);
    row.insert("node".to_owned(), json!(running.node));
    row.insert("attempt".to_owned(), json!(running.attempt));
    row.insert("updated".to_owned(), json!(running.now));
    row.insert("started".to_owned(), json!(running.started_at));
    Value::Object(row)
}

/// What the row of an open task says besides how far it is.
fn task_row(
    tenant: TenantId,
    instance: InstanceId,
    activation: u64,
    task: &TaskRow,
) -> Map<String, Value> {
    let row = json!({
        "tenant": tenant,
        "task": task.task_instance_id,
        "definition": task.definition,
        "instance": instance,
        "activation": activation,
        "visit": task.visit,
        "type": task_type(task.task_type),
        "created": task.created_at,
        "step": task.step_id,
        "path": task.path,
        "input": task.input,
    });
    match row {
        Value::Object(row) => row,
        _ => Map::new(),
    }
}
