//! The short way through the commit door: one plain statement for what most batches consist of.
//!
//! `aug_commit` can do everything a commit may ask for, and has a fixed price for that. Batches of nothing but new
//! instances, finished tasks and snapshots of instances that this node knows go as one statement with the same effect:
//! the fence, then inserts and updates. Everything else, and everything in doubt, takes the function.

use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryScalar;

use crate::SchemaName;

/// What a batch has: starts, finished tasks, updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) starts: bool,
    pub(crate) tasks: bool,
    pub(crate) updates: bool,
}

/// The statement of each shape, written for one schema.
pub(crate) struct HotStatements {
    by_shape: Vec<(Shape, String)>,
}

const STARTS: &str = "INSERT INTO $schema.workflow_instances (
        tenant_id, id, workflow_definition_id, workflow_id, definition_version, status, version, owner_node,
        signals_kept, created_at, started_at, updated_at, completed_at, input, output, state, start, trail,
        current_step_id, error, priority, depth, expires_at, correlation_id, trigger_id, trigger_event_id,
        parent_instance_id, parent_activation, parent_step_key, parent_waits, root_instance_id, initiator_id,
        trace_parent, metadata, cancellation)
    SELECT i.tenant, i.id, i.definition, i.workflow, i.vers, i.stat::$schema.instance_status, i.seq, i.owner,
        coalesce(i.signals, 0), i.created, i.started, i.updated, i.completed, i.input::jsonb, i.output::jsonb,
        i.state::jsonb, i.begun::jsonb, i.trail::jsonb, i.step, i.error::jsonb,
        coalesce((i.more ->> 'priority')::integer, 0), coalesce((i.more ->> 'depth')::smallint, 0),
        (i.more ->> 'expiresAt')::timestamptz, i.more ->> 'correlationId', i.more ->> 'triggerId',
        (i.more ->> 'triggerEventId')::uuid, (i.more ->> 'parentInstanceId')::uuid,
        (i.more ->> 'parentActivation')::bigint, i.more ->> 'parentStepKey', (i.more ->> 'parentWaits')::boolean,
        (i.more ->> 'rootInstanceId')::uuid, i.more ->> 'initiatorId', i.more ->> 'traceParent', i.more -> 'metadata',
        i.more -> 'cancellation'
    FROM (SELECT n.*, n.rare::jsonb AS more
          FROM fence, unnest(?::uuid[], ?::uuid[], ?::uuid[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::uuid[],
            ?::integer[], ?::timestamptz[], ?::timestamptz[], ?::timestamptz[], ?::timestamptz[], ?::text[], ?::text[],
            ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[])
          AS n(tenant, id, definition, workflow, vers, stat, seq, owner, signals, created, started, updated, completed,
               input, output, state, begun, trail, step, error, rare)) AS i";

const TASKS: &str = "INSERT INTO $schema.task_instances (
        tenant_id, id, task_definition_id, workflow_instance_id, workflow_definition_id, seq, activation, visit,
        attempt, status, type, created_at, updated_at, started_at, ended_at, duration_ms, step_id, scope_path, outcome,
        input, output, error, trail)
    SELECT t.tenant, t.id, t.definition, t.instance, t.workflow, t.seq, t.activation, t.visit, t.attempt,
        t.stat::$schema.task_status, t.kind::$schema.task_type, t.created, t.updated, t.started, t.ended, t.duration,
        t.step, t.path, t.outcome, t.input::jsonb, t.output::jsonb, t.error::jsonb, t.trail::jsonb
    FROM fence, unnest(?::uuid[], ?::uuid[], ?::uuid[], ?::uuid[], ?::uuid[], ?::bigint[], ?::bigint[], ?::integer[],
        ?::integer[], ?::text[], ?::text[], ?::timestamptz[], ?::timestamptz[], ?::timestamptz[], ?::timestamptz[],
        ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[])
      AS t(tenant, id, definition, instance, workflow, seq, activation, visit, attempt, stat, kind, created, updated,
           started, ended, duration, step, path, outcome, input, output, error, trail)";

/// The owner is compared such that no index helps: all instances of a node are many, those of a batch few. The limit is
/// all of them; without one the planner expects ten rows, and on a table with as few it would rather read that whole, and
/// keep doing so while it grows.
const UPDATES: &str = "UPDATE $schema.workflow_instances AS w SET
        status = u.stat::$schema.instance_status, version = u.seq, owner_node = u.owner, state = u.state::jsonb,
        signals_kept = u.signals, updated_at = coalesce(u.updated, w.updated_at), completed_at = u.completed,
        output = u.output::jsonb, error = u.error::jsonb, paused_from = NULL, current_step_id = coalesce(u.step, w.current_step_id)
    FROM fence, (
        SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::text[], ?::bigint[], ?::uuid[], ?::integer[], ?::timestamptz[],
            ?::timestamptz[], ?::text[], ?::text[], ?::text[], ?::text[])
          AS u(tenant, id, stat, seq, owner, signals, updated, completed, output, state, step, error)
        LIMIT ?) AS u
    WHERE w.tenant_id = u.tenant AND w.id = u.id AND w.owner_node IS NOT DISTINCT FROM $1
    RETURNING 1";

impl HotStatements {
    pub(crate) fn new(schema: &SchemaName) -> Self {
        let by_shape = (1..8)
            .map(|bits: u8| {
                let shape = Shape {
                    starts: bits & 1 > 0,
                    tasks: bits & 2 > 0,
                    updates: bits & 4 > 0,
                };
                (shape, schema.fill(&statement(shape)))
            })
            .collect();
        Self { by_shape }
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
