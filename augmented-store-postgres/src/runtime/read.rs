//! Reads instances and their facts back.

use std::collections::HashMap;
use std::sync::Arc;

use augmented_core::error::ErrorInfo;
use augmented_core::runtime::{
    AttemptOutcome, AttemptRecord, DefinitionPin, Fact, InstanceHeader, InstanceState, Message,
    ParentRef, StartMessage, TaskDone, TaskStatus, TrailEntry,
};
use augmented_core::store::{AttemptRow, LoadedInstance, StoreError};
use augmented_core::{InstanceId, NodeId, Seq, TaskInstanceId, TenantId};
use rustc_hash::FxHashMap;
use serde_json::Value;
use sqlx::postgres::{PgExecutor, PgRow};
use sqlx::types::chrono::{DateTime, Utc};
use sqlx::types::{Json, Uuid};
use sqlx::{AssertSqlSafe, Row};

use super::text::{big, timestamp, unsigned};
use super::trail;
use crate::error::store_error;
use crate::transaction::{SNAPSHOT, Transaction};
use crate::{PostgresStore, SchemaName};

/// What is fixed about an instance.
pub(crate) const HEADER_COLUMNS: &str = "w.tenant_id, w.id, w.workflow_definition_id, w.workflow_id, w.definition_version, \
     w.input, w.correlation_id, w.idempotency_key, w.initiator_id, w.trigger_id, w.trigger_event_id, w.parent_instance_id, \
     w.parent_activation, w.parent_step_key, w.parent_waits, w.root_instance_id, w.depth, w.priority, w.trace_parent, \
     w.metadata, w.created_at, w.expires_at";

/// What an instance is besides.
const STATE_COLUMNS: &str =
    "w.owner_node, w.takeovers, w.version, w.state, w.start, w.trail, w.started_at";

/// The statements of this module, written for one schema.
///
/// Where rows are looked up for values of a call, `OFFSET 0` keeps the planner from turning the join around: on a table
/// that just began to fill it would read that whole, and keep doing so while it grows.
pub(crate) struct ReadStatements {
    instances: String,
    tasks: String,
    history: String,
    attempts_of_tasks: String,
    open_attempts: String,
    recorded: String,
}

impl ReadStatements {
    pub(crate) fn new(schema: &SchemaName) -> Self {
        let fill = |sql: &str| schema.fill(sql);
        Self {
            instances: fill(&format!(
                "SELECT {HEADER_COLUMNS}, {STATE_COLUMNS} FROM unnest($1::uuid[], $2::uuid[]) AS i(tenant, id) \
                 CROSS JOIN LATERAL (SELECT * FROM $schema.workflow_instances w \
                     WHERE w.tenant_id = i.tenant AND w.id = i.id OFFSET 0) AS w"
            )),
            tasks: fill(
                "SELECT t.workflow_instance_id, t.seq, t.updated_at, t.trail, t.activation, t.id, t.status::text, t.output, \
                 t.outcome, t.error, t.attempt, t.failures, t.started_at, t.ended_at \
                 FROM unnest($1::uuid[], $2::bigint[]) AS i(id, seq) \
                 CROSS JOIN LATERAL (SELECT * FROM $schema.task_instances t \
                     WHERE t.workflow_instance_id = i.id AND t.seq >= i.seq \
                       AND t.id >= $schema.aug_low_id(i.id) AND t.id <= $schema.aug_high_id(i.id) \
                     ORDER BY t.seq LIMIT $3) AS t",
            ),
            history: fill(
                "SELECT h.instance_id, h.seq, h.occurred_at, h.trail, h.payload \
                 FROM unnest($1::uuid[], $2::bigint[]) AS i(id, seq) \
                 CROSS JOIN LATERAL (SELECT * FROM $schema.workflow_history h \
                     WHERE h.instance_id = i.id AND h.seq >= i.seq ORDER BY h.seq LIMIT $3) AS h",
            ),
            attempts_of_tasks: fill(
                "SELECT a.task_instance_id, a.attempt, a.started_at, a.ended_at, a.outcome, a.error, a.delay_ms, \
                 a.next_attempt_at, a.checkpoint \
                 FROM unnest($1::uuid[], $2::uuid[]) AS t(tenant, id) \
                 CROSS JOIN LATERAL (SELECT * FROM $schema.task_attempts a \
                     WHERE a.tenant_id = t.tenant AND a.task_instance_id = t.id OFFSET 0) AS a \
                 ORDER BY a.task_instance_id, a.attempt",
            ),
            open_attempts: fill(
                "SELECT a.task_instance_id, a.attempt, a.started_at, a.ended_at, a.outcome, a.error, a.delay_ms, \
                 a.next_attempt_at, a.checkpoint, t.tenant_id, t.workflow_instance_id, t.activation \
                 FROM $schema.task_instances t \
                 CROSS JOIN LATERAL (SELECT * FROM $schema.task_attempts a \
                     WHERE a.tenant_id = t.tenant_id AND a.task_instance_id = t.id OFFSET 0) AS a \
                 WHERE t.workflow_instance_id = ANY ($1) AND t.ended_at IS NULL \
                 ORDER BY a.task_instance_id, a.attempt",
            ),
            recorded: fill(
                "SELECT t.workflow_instance_id, 0::bigint AS seq, t.updated_at, t.trail, t.activation, t.id, t.status::text, \
                 t.output, t.outcome, t.error, t.attempt, t.failures, t.started_at, t.ended_at \
                 FROM unnest($1::uuid[]) AS i(id) \
                 CROSS JOIN LATERAL (SELECT * FROM $schema.task_instances t \
                     WHERE t.workflow_instance_id = i.id AND t.seq IS NULL AND t.status = 'COMPLETED' \
                       AND t.id >= $schema.aug_low_id(i.id) AND t.id <= $schema.aug_high_id(i.id) OFFSET 0) AS t \
                 ORDER BY t.activation",
            ),
        }
    }
}

/// An instance row as it was read.
struct InstanceRow {
    header: Arc<InstanceHeader>,
    owner: Option<NodeId>,
    takeovers: u16,
    state: Option<Arc<InstanceState>>,
    start: Option<Fact>,
}

impl InstanceRow {
    /// The first fact behind the state.
    fn first(&self) -> Seq {
        self.state
            .as_ref()
            .and_then(|state| state.seq)
            .map_or(0, |seq| seq + 1)
    }
}

impl PostgresStore {
    /// Loads instances, in no particular order; those that do not exist are left out.
    pub(crate) async fn load_instances(
        &self,
        ids: &[(TenantId, InstanceId)],
    ) -> Result<Vec<LoadedInstance>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (tenants, instances): (Vec<Uuid>, Vec<Uuid>) = ids
            .iter()
            .map(|(tenant, instance)| (tenant.0, instance.0))
            .unzip();
        // One snapshot for all parts, or a commit in between would tear an instance apart.
        let mut transaction = Transaction::begin(&self.pool, SNAPSHOT)
            .await
            .map_err(store_error)?;
        let rows = sqlx::query(AssertSqlSafe(self.read.instances.clone()))
            .persistent(self.persistent)
            .bind(tenants)
            .bind(instances)
            .fetch_all(&mut *transaction)
            .await
            .map_err(store_error)?;
        let rows: Vec<InstanceRow> = rows.iter().map(instance_row).collect::<Result<_, _>>()?;
        let behind: Vec<(TenantId, InstanceId, Seq)> = rows
            .iter()
            .map(|row| (row.header.tenant_id, row.header.instance_id, row.first()))
            .collect();
        let mut facts = self
            .facts_behind(&mut transaction, &behind, i64::MAX)
            .await?;
        let open: Vec<Uuid> = rows.iter().map(|row| row.header.instance_id.0).collect();
        let mut attempts = self.open_attempts(&mut *transaction, open.clone()).await?;
        let mut recorded = self.recorded(&mut transaction, &behind, open).await?;
        transaction.commit().await.map_err(store_error)?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let id = row.header.instance_id;
                let mut behind = facts.remove(&id).unwrap_or_default();
                if row.first() == 0
                    && let Some(start) = row.start
                {
                    behind.insert(0, start);
                }
                LoadedInstance::new(
                    row.header,
                    row.owner,
                    row.takeovers,
                    row.state,
                    behind,
                    attempts.remove(&id).unwrap_or_default(),
                )
                .with_recorded(recorded.remove(&id).unwrap_or_default())
            })
            .collect())
    }

    /// The start fact of an instance, if it has begun.
    pub(crate) async fn start_fact(
        &self,
        connection: &mut sqlx::PgConnection,
        tenant: TenantId,
        id: InstanceId,
    ) -> Result<Option<Option<Fact>>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(self.read.instances.clone()))
            .persistent(self.persistent)
            .bind(vec![tenant.0])
            .bind(vec![id.0])
            .fetch_optional(connection)
            .await
            .map_err(store_error)?;
        row.as_ref()
            .map(|row| instance_row(row).map(|row| row.start))
            .transpose()
    }

    /// Up to `limit` facts of each instance from a number on, by number, start facts left out.
    pub(crate) async fn facts_behind(
        &self,
        connection: &mut sqlx::PgConnection,
        behind: &[(TenantId, InstanceId, Seq)],
        limit: i64,
    ) -> Result<FxHashMap<InstanceId, Vec<Fact>>, StoreError> {
        let ids: Vec<Uuid> = behind.iter().map(|(_, id, _)| id.0).collect();
        let from: Vec<i64> = behind.iter().map(|(.., seq)| big(*seq)).collect();
        let tenants: HashMap<InstanceId, TenantId> = behind
            .iter()
            .map(|(tenant, id, _)| (*id, *tenant))
            .collect();
        let rows = sqlx::query(AssertSqlSafe(self.read.tasks.clone()))
            .persistent(self.persistent)
            .bind(&ids)
            .bind(&from)
            .bind(limit)
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
        let tasks = self.task_facts(&mut *connection, &rows, &tenants).await?;
        let mut facts: FxHashMap<InstanceId, Vec<Fact>> = FxHashMap::default();
        for task in tasks {
            facts.entry(task.instance).or_default().push(Fact {
                seq: task.seq,
                at: task.at,
                message: Message::TaskDone(Arc::new(task.done)),
                trail: task.trail,
            });
        }
        let history = sqlx::query(AssertSqlSafe(self.read.history.clone()))
            .persistent(self.persistent)
            .bind(&ids)
            .bind(&from)
            .bind(limit)
            .fetch_all(connection)
            .await
            .map_err(store_error)?;
        for row in &history {
            let (instance, fact) = history_fact(row)?;
            facts.entry(instance).or_default().push(fact);
        }
        for facts in facts.values_mut() {
            facts.sort_by_key(|fact| fact.seq);
        }
        Ok(facts)
    }

    /// Results of tasks that handlers recorded and no fact has taken up.
    async fn recorded(
        &self,
        connection: &mut sqlx::PgConnection,
        behind: &[(TenantId, InstanceId, Seq)],
        instances: Vec<Uuid>,
    ) -> Result<FxHashMap<InstanceId, Vec<Arc<TaskDone>>>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(self.read.recorded.clone()))
            .persistent(self.persistent)
            .bind(instances)
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
        let tenants = behind
            .iter()
            .map(|(tenant, id, _)| (*id, *tenant))
            .collect();
        let mut recorded: FxHashMap<InstanceId, Vec<Arc<TaskDone>>> = FxHashMap::default();
        for task in self.task_facts(connection, &rows, &tenants).await? {
            let of_instance = recorded.entry(task.instance).or_default();
            of_instance.push(Arc::new(task.done));
        }
        Ok(recorded)
    }

    /// Finished tasks with the attempts that failed before.
    async fn task_facts(
        &self,
        connection: &mut sqlx::PgConnection,
        rows: &[PgRow],
        tenants: &HashMap<InstanceId, TenantId>,
    ) -> Result<Vec<TaskFact>, StoreError> {
        let mut tasks = rows.iter().map(task_fact).collect::<Result<Vec<_>, _>>()?;
        let failed = tasks
            .iter()
            .filter(|task| task.failures > 0)
            .filter_map(|task| {
                let tenant = tenants.get(&task.instance)?;
                Some((tenant.0, task.done.task_instance_id.0))
            })
            .unzip();
        let mut attempts = self.attempts_of_tasks(connection, failed).await?;
        for task in &mut tasks {
            if let Some(records) = attempts.remove(&task.done.task_instance_id) {
                task.done.failed_attempts = records;
            }
        }
        Ok(tasks)
    }

    async fn attempts_of_tasks(
        &self,
        connection: &mut sqlx::PgConnection,
        (tenants, tasks): (Vec<Uuid>, Vec<Uuid>),
    ) -> Result<FxHashMap<TaskInstanceId, Vec<AttemptRecord>>, StoreError> {
        let mut attempts: FxHashMap<TaskInstanceId, Vec<AttemptRecord>> = FxHashMap::default();
        if tasks.is_empty() {
            return Ok(attempts);
        }
        let rows = sqlx::query(AssertSqlSafe(self.read.attempts_of_tasks.clone()))
            .persistent(self.persistent)
            .bind(tenants)
            .bind(tasks)
            .fetch_all(connection)
            .await
            .map_err(store_error)?;
        for row in &rows {
            let (task, record) = attempt_record(row)?;
            attempts.entry(task).or_default().push(record);
        }
        Ok(attempts)
    }

    async fn open_attempts<'e>(
        &self,
        executor: impl PgExecutor<'e>,
        instances: Vec<Uuid>,
    ) -> Result<FxHashMap<InstanceId, Vec<AttemptRow>>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(self.read.open_attempts.clone()))
            .persistent(self.persistent)
            .bind(instances)
            .fetch_all(executor)
            .await
            .map_err(store_error)?;
        let mut attempts: FxHashMap<InstanceId, Vec<AttemptRow>> = FxHashMap::default();
        for row in &rows {
            let (task_instance_id, record) = attempt_record(row)?;
            let instance = InstanceId(get(row, "workflow_instance_id")?);
            attempts.entry(instance).or_default().push(AttemptRow {
                tenant: TenantId(get(row, "tenant_id")?),
                instance,
                activation: unsigned(get(row, "activation")?),
                task_instance_id,
                record,
            });
        }
        Ok(attempts)
    }
}

pub(crate) fn get<'r, T>(row: &'r PgRow, column: &str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(column)
        .map_err(|error| StoreError::corrupt(format!("column `{column}` cannot be read: {error}")))
}

pub(crate) fn header_of(row: &PgRow) -> Result<InstanceHeader, StoreError> {
    let instance_id = InstanceId(get(row, "id")?);
    let parent: Option<Uuid> = get(row, "parent_instance_id")?;
    let parent = match parent {
        None => None,
        Some(parent) => Some(ParentRef {
            instance_id: InstanceId(parent),
            activation: unsigned(get(row, "parent_activation")?),
            step_key: get::<Option<String>>(row, "parent_step_key")?
                .unwrap_or_default()
                .into(),
            waits: get::<Option<bool>>(row, "parent_waits")?.unwrap_or(true),
        }),
    };
    let shared = |column| get::<Option<String>>(row, column).map(|text| text.map(Arc::from));
    let definition = DefinitionPin {
        id: get(row, "workflow_definition_id")?,
        workflow_id: get::<String>(row, "workflow_id")?.into(),
        version: get::<String>(row, "definition_version")?.into(),
    };
    Ok(InstanceHeader {
        tenant_id: TenantId(get(row, "tenant_id")?),
        instance_id,
        definition: Arc::new(definition),
        input: Arc::new(get::<Json<Value>>(row, "input")?.0),
        correlation_id: shared("correlation_id")?,
        idempotency_key: shared("idempotency_key")?,
        initiator_id: shared("initiator_id")?,
        trigger_id: shared("trigger_id")?,
        trigger_event_id: get(row, "trigger_event_id")?,
        parent,
        root_instance_id: get::<Option<Uuid>>(row, "root_instance_id")?
            .map_or(instance_id, InstanceId),
        depth: u16::try_from(get::<i16>(row, "depth")?).unwrap_or_default(),
        priority: get(row, "priority")?,
        trace_parent: shared("trace_parent")?,
        metadata: get::<Option<Json<Value>>>(row, "metadata")?.map(|json| Arc::new(json.0)),
        created_at: timestamp(get(row, "created_at")?),
        expires_at: get::<Option<DateTime<Utc>>>(row, "expires_at")?.map(timestamp),
    })
}

fn instance_row(row: &PgRow) -> Result<InstanceRow, StoreError> {
    let header = Arc::new(header_of(row)?);
    let state = get::<Option<Json<InstanceState>>>(row, "state")?
        .map(|state| Arc::new(state.0.with_header(Arc::clone(&header))));
    let start = get::<Option<Json<StartMessage>>>(row, "start")?;
    let start = match start {
        None => None,
        Some(start) => Some(Fact {
            seq: 0,
            at: get::<Option<DateTime<Utc>>>(row, "started_at")?
                .map_or(header.created_at, timestamp),
            message: Message::Start(start.0),
            trail: trail::read(get::<Option<Json<Vec<Value>>>>(row, "trail")?)?,
        }),
    };
    Ok(InstanceRow {
        owner: get::<Option<Uuid>>(row, "owner_node")?.map(NodeId),
        takeovers: u16::try_from(get::<i16>(row, "takeovers")?).unwrap_or_default(),
        state,
        start,
        header,
    })
}

/// A finished task as it was read.
struct TaskFact {
    instance: InstanceId,
    seq: Seq,
    at: augmented_core::Timestamp,
    trail: Vec<TrailEntry>,
    done: TaskDone,
    failures: i32,
}

fn task_fact(row: &PgRow) -> Result<TaskFact, StoreError> {
    let status = match get::<&str>(row, "status")? {
        "COMPLETED" => TaskStatus::Completed,
        "FAILED" => TaskStatus::Failed,
        "TIMED_OUT" => TaskStatus::TimedOut,
        "CANCELLED" => TaskStatus::Cancelled,
        other => {
            return Err(StoreError::corrupt(format!(
                "a task that is {other} counts as a fact"
            )));
        }
    };
    let at = timestamp(get(row, "updated_at")?);
    let ended_at = get::<Option<DateTime<Utc>>>(row, "ended_at")?.map_or(at, timestamp);
    Ok(TaskFact {
        instance: InstanceId(get(row, "workflow_instance_id")?),
        seq: unsigned(get(row, "seq")?),
        at,
        trail: trail::read(get::<Option<Json<Vec<Value>>>>(row, "trail")?)?,
        done: TaskDone {
            activation: unsigned(get(row, "activation")?),
            task_instance_id: TaskInstanceId(get(row, "id")?),
            status,
            output: Arc::new(
                get::<Option<Json<Value>>>(row, "output")?
                    .map(|output| output.0)
                    .unwrap_or_default(),
            ),
            outcome: get::<Option<String>>(row, "outcome")?.map(Arc::from),
            error: get::<Option<Json<ErrorInfo>>>(row, "error")?.map(|error| error.0),
            attempts: u32::try_from(get::<i32>(row, "attempt")?).unwrap_or_default(),
            failed_attempts: Vec::new(),
            started_at: get::<Option<DateTime<Utc>>>(row, "started_at")?
                .map_or(ended_at, timestamp),
            ended_at,
        },
        failures: get(row, "failures")?,
    })
}

fn history_fact(row: &PgRow) -> Result<(InstanceId, Fact), StoreError> {
    Ok((
        InstanceId(get(row, "instance_id")?),
        Fact {
            seq: unsigned(get(row, "seq")?),
            at: timestamp(get(row, "occurred_at")?),
            message: get::<Json<Message>>(row, "payload")?.0,
            trail: trail::read(get(row, "trail")?)?,
        },
    ))
}

fn attempt_record(row: &PgRow) -> Result<(TaskInstanceId, AttemptRecord), StoreError> {
    let outcome = match get::<&str>(row, "outcome")? {
        "FAILED" => AttemptOutcome::Failed,
        "TIMED_OUT" => AttemptOutcome::TimedOut,
        "WORKER_LOST" => AttemptOutcome::WorkerLost,
        _ => AttemptOutcome::Cancelled,
    };
    let ended_at = timestamp(get(row, "ended_at")?);
    let error = get::<Option<Json<ErrorInfo>>>(row, "error")?
        .ok_or_else(|| StoreError::corrupt("a failed attempt has no error"))?;
    Ok((
        TaskInstanceId(get(row, "task_instance_id")?),
        AttemptRecord {
            attempt: u32::try_from(get::<i32>(row, "attempt")?).unwrap_or_default(),
            started_at: timestamp(get(row, "started_at")?),
            ended_at,
            outcome,
            error: error.0,
            delay_ms: unsigned(get(row, "delay_ms")?),
            next_attempt_at: get::<Option<DateTime<Utc>>>(row, "next_attempt_at")?
                .map_or(ended_at, timestamp),
            checkpoint: get::<Option<Json<Value>>>(row, "checkpoint")?.map(|json| json.0),
        },
    ))
}
