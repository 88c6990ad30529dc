//! The short way through the commit door: one plain statement for what most batches consist of.
//!
//! `aug_commit` can do everything a commit may ask for, and has a fixed price for that. Batches of nothing but new
//! instances, finished tasks and snapshots of instances that this node knows go as one statement with the same effect:
//! the fence, then inserts and updates. Everything else, and everything in doubt, takes the function.

use sqlx::Postgres;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::QueryScalar;

use super::rows::RowType;
use crate::SchemaName;

/// What a batch has: starts, finished tasks, updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) starts: bool,
    pub(crate) tasks: bool,
    pub(crate) updates: bool,
    /// One row of each at most, as in a workflow that runs alone: no array has to be taken apart.
    pub(crate) single: bool,
}

/// The statement of each shape, written for one schema.
pub(crate) struct HotStatements {
    by_shape: Vec<(Shape, String)>,
    pub(crate) types: RowTypes,
}

/// The types of the rows of each part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowTypes {
    pub(crate) start: RowType,
    pub(crate) task: RowType,
    pub(crate) update: RowType,
}

impl RowTypes {
    async fn read(connection: &mut PgConnection, schema: &SchemaName) -> Result<Self, sqlx::Error> {
        let sql = "SELECT typname::text, oid, typarray FROM pg_type WHERE typnamespace = $1::text::regnamespace
            AND typname IN ('aug_start_row', 'aug_task_row', 'aug_update_row')";
        let rows: Vec<(String, Oid, Oid)> = sqlx::query_as(sql)
            .persistent(false)
            .bind(schema.to_string())
            .fetch_all(connection)
            .await?;
        let named = |name: &str| {
            let mut rows = rows.iter();
            let (_, row, array) = rows
                .find(|(known, ..)| known == name)
                .ok_or(sqlx::Error::RowNotFound)?;
            Ok::<_, sqlx::Error>(RowType {
                row: *row,
                array: *array,
            })
        };
        Ok(Self {
            start: named("aug_start_row")?,
            task: named("aug_task_row")?,
            update: named("aug_update_row")?,
        })
    }
}

const STARTS: &str = "INSERT INTO $schema.workflow_instances (
        tenant_id, id, workflow_definition_id, workflow_id, definition_version, status, version, owner_node,
        signals_kept, created_at, started_at, updated_at, completed_at, input, output, state, start, trail,
        current_step_id, error, priority, depth, expires_at, correlation_id, trigger_id, trigger_event_id,
        parent_instance_id, parent_activation, parent_step_key, parent_waits, root_instance_id, initiator_id,
        trace_parent, metadata, cancellation)
    SELECT i.tenant, i.id, i.definition, i.workflow, i.vers, i.stat::$schema.instance_status, i.seq, i.owner, i.signals,
        i.created, i.started, i.updated, i.completed, i.input, i.output, i.state, i.begun, i.trail, i.step, i.error,
        coalesce((i.more ->> 'priority')::integer, 0), coalesce((i.more ->> 'depth')::smallint, 0),
        (i.more ->> 'expiresAt')::timestamptz, i.more ->> 'correlationId', i.more ->> 'triggerId',
        (i.more ->> 'triggerEventId')::uuid, (i.more ->> 'parentInstanceId')::uuid,
        (i.more ->> 'parentActivation')::bigint, i.more ->> 'parentStepKey', (i.more ->> 'parentWaits')::boolean,
        (i.more ->> 'rootInstanceId')::uuid, i.more ->> 'initiatorId', i.more ->> 'traceParent', i.more -> 'metadata',
        i.more -> 'cancellation'
    FROM fence, $start AS i";

const TASKS: &str = "INSERT INTO $schema.task_instances (
        tenant_id, id, task_definition_id, workflow_instance_id, workflow_definition_id, seq, activation, visit,
        attempt, status, type, created_at, updated_at, started_at, ended_at, duration_ms, step_id, scope_path, outcome,
        input, output, error, trail)
    SELECT t.tenant, t.id, t.definition, t.instance, t.workflow, t.seq, t.activation, t.visit, t.attempt,
        t.stat::$schema.task_status, t.kind::$schema.task_type, t.created, t.updated, t.started, t.ended, t.duration,
        t.step, t.path, t.outcome, t.input, t.output, t.error, t.trail
    FROM fence, $task AS t";

/// The owner is compared such that no index helps: all instances of a node are many, those of a batch few. The limit is
/// all of them; without one the planner expects ten rows, and on a table with as few it would rather read that whole, and
/// keep doing so while it grows.
const UPDATES: &str = "UPDATE $schema.workflow_instances AS w SET
        status = u.stat::$schema.instance_status, version = u.seq, owner_node = u.owner, state = u.state,
        signals_kept = u.signals, updated_at = coalesce(u.updated, w.updated_at), completed_at = u.completed,
        output = u.output, error = u.error, paused_from = NULL, current_step_id = coalesce(u.step, w.current_step_id)
    FROM fence, $update AS u
    WHERE w.tenant_id = u.tenant AND w.id = u.id AND w.owner_node IS NOT DISTINCT FROM $1
    RETURNING 1";

impl HotStatements {
    /// The statements for a schema, with its types as they are numbered in this database.
    pub(crate) async fn read(
        connection: &mut PgConnection,
        schema: &SchemaName,
    ) -> Result<Self, sqlx::Error> {
        let types = RowTypes::read(connection, schema).await?;
        let by_shape = (1..16)
            .filter(|bits| bits % 8 > 0)
            .map(|bits: u8| {
                let shape = Shape {
                    starts: bits & 1 > 0,
                    tasks: bits & 2 > 0,
                    updates: bits & 4 > 0,
                    single: bits & 8 > 0,
                };
                (shape, schema.fill(&statement(shape)))
            })
            .collect();
        Ok(Self { by_shape, types })
    }

    pub(crate) fn of(&self, shape: Shape) -> Option<&str> {
        self.by_shape
            .iter()
            .find(|(other, _)| *other == shape)
            .map(|(_, sql)| sql.as_str())
    }
}

/// The statement answers -1 if the node is fenced, and fails with `AU409` if not every row was there to be updated.
fn statement(shape: Shape) -> String {
    let mut sql = "WITH fence AS MATERIALIZED (SELECT 1 FROM $schema.engine_nodes
            WHERE node_id = $1 AND fenced_at IS NULL FOR KEY SHARE)"
        .to_owned();
    if shape.starts {
        sql += ", s AS (";
        sql += STARTS;
        sql += ")";
    }
    if shape.tasks {
        sql += ", t AS (";
        sql += TASKS;
        sql += ")";
    }
    if shape.updates {
        sql += ", u AS (";
        sql += UPDATES;
        sql += ")";
    }
    sql += " SELECT CASE WHEN NOT EXISTS (SELECT FROM fence) THEN -1 ELSE ";
    sql += match shape.updates {
        true => "$schema.aug_expect((SELECT count(*) FROM u), ?)",
        false => "0",
    };
    sql += " END";
    let rows: [(&str, &str); 3] = match shape.single {
        true => [
            ("$start", "(SELECT (?::$schema.aug_start_row).* OFFSET 0)"),
            ("$task", "(SELECT (?::$schema.aug_task_row).* OFFSET 0)"),
            ("$update", "(SELECT (?::$schema.aug_update_row).* LIMIT ?)"),
        ],
        false => [
            ("$start", "unnest(?::$schema.aug_start_row[])"),
            ("$task", "unnest(?::$schema.aug_task_row[])"),
            (
                "$update",
                "(SELECT * FROM unnest(?::$schema.aug_update_row[]) LIMIT ?)",
            ),
        ],
    };
    let sql = rows
        .iter()
        .fold(sql, |sql, (place, rows)| sql.replace(place, rows));
    number(&sql)
}

/// Gives the places of values their numbers, from 2.
fn number(sql: &str) -> String {
    let mut numbered = String::with_capacity(sql.len() + 256);
    let mut next = 2;
    for part in sql.split_inclusive('?') {
        match part.strip_suffix('?') {
            Some(before) => {
                numbered += before;
                numbered += &format!("${next}");
                next += 1;
            }
            None => numbered += part,
        }
    }
    numbered
}

/// The query of a batch in short form.
pub(crate) type HotQuery<'q> = QueryScalar<'q, Postgres, i32, PgArguments>;
