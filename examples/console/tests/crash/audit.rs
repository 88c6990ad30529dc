//! What must hold in the tables once everything is over, whatever happened on the way.

use crate::load::{FAILURES, MAX_ATTEMPTS};
use crate::server::Server;

/// Counts what breaks each rule; panics with all rules that are broken.
#[track_caller]
pub(crate) fn audit(server: &Server, database: &str, instances: usize) {
    server.execute(database, "ANALYZE");
    let broken: Vec<String> = rules(instances)
        .into_iter()
        .filter_map(|(rule, sql)| match server.count(database, &sql) {
            0 => None,
            count => Some(format!("{count} × {rule}")),
        })
        .collect();
    let ends = "SELECT concat_ws(' ', count(*), status, error ->> 'code', error ->> 'message', error -> 'details', 'take-overs', max(takeovers))
                FROM workflow_instances WHERE status <> 'COMPLETED'
                GROUP BY status, error ->> 'code', error ->> 'message', error -> 'details' ORDER BY count(*) DESC LIMIT 10";
    let ends = server.rows::<(String,)>(database, ends);
    assert!(
        broken.is_empty(),
        "the audit found:\n{}\n{ends:?}",
        broken.join("\n")
    );
}

fn rules(instances: usize) -> Vec<(&'static str, String)> {
    let mut rules: Vec<(&'static str, String)> = RULES
        .iter()
        .map(|(rule, sql)| (*rule, (*sql).to_owned()))
        .collect();
    rules.push((
        "a start that was answered is missing, or there twice",
        format!(
            "SELECT count(*) FROM generate_series(0, {instances} - 1) AS n
             LEFT JOIN (SELECT idempotency_key AS key, count(*) AS times FROM workflow_instances
                        WHERE idempotency_key = 'survivor-' || (input ->> 'number') GROUP BY 1) AS found
               ON found.key = 'survivor-' || n
             WHERE times IS DISTINCT FROM 1"
        ),
    ));
    rules.push((
        "an instance that nobody started",
        format!("SELECT abs(count(*) - {instances}) FROM workflow_instances"),
    ));
    rules.push((
        "a flaky step with another number of failures",
        format!(
            "SELECT count(*) FROM task_instances t WHERE step_id = 'flaky' AND
             (failures <> {FAILURES} OR (SELECT count(*) FROM task_attempts a
               WHERE a.tenant_id = t.tenant_id AND a.task_instance_id = t.id AND a.outcome = 'FAILED') <> {FAILURES})"
        ),
    ));
    rules.push((
        "more attempts than allowed and lost",
        format!(
            "SELECT count(*) FROM task_instances t WHERE attempt > {MAX_ATTEMPTS} + (
               SELECT count(*) FROM task_attempts a
               WHERE a.tenant_id = t.tenant_id AND a.task_instance_id = t.id AND a.outcome = 'WORKER_LOST')"
        ),
    ));
    rules
}

/// Each counts the rows that break a rule.
const RULES: &[(&str, &str)] = &[
    (
        "not completed",
        "SELECT count(*) FROM workflow_instances WHERE status <> 'COMPLETED' OR completed_at IS NULL",
    ),
    (
        "a wrong output",
        "SELECT count(*) FROM workflow_instances
         WHERE output IS DISTINCT FROM jsonb_build_object('number', (input ->> 'number')::bigint + 2)",
    ),
    (
        "an ended instance with an owner",
        "SELECT count(*) FROM workflow_instances WHERE owner_node IS NOT NULL",
    ),
    (
        "facts with a gap, a number used twice, or a version that is not the last",
        "WITH facts AS (
             SELECT workflow_instance_id AS id, seq FROM task_instances WHERE seq IS NOT NULL
             UNION ALL SELECT instance_id, seq FROM workflow_history)
         SELECT count(*) FROM (
             SELECT FROM workflow_instances w LEFT JOIN facts f USING (id)
             GROUP BY w.id, w.version, w.start
             HAVING w.start IS NULL OR count(f.seq) <> count(DISTINCT f.seq) OR min(f.seq) IS DISTINCT FROM 1
                 OR max(f.seq) IS DISTINCT FROM count(f.seq) OR w.version IS DISTINCT FROM max(f.seq)) AS broken",
    ),
    (
        "a step without exactly one accepted result",
        "SELECT count(*) FROM workflow_instances w
         CROSS JOIN unnest(ARRAY['take', 'flaky', 'work', 'last']) AS step
         WHERE (SELECT count(*) FROM task_instances t WHERE t.workflow_instance_id = w.id AND t.step_id = step
                AND t.status = 'COMPLETED' AND t.seq IS NOT NULL) <> 1",
    ),
    (
        "a task that is not a result",
        "SELECT count(*) FROM task_instances WHERE status <> 'COMPLETED' OR seq IS NULL
             OR executor_id IS NOT NULL OR workflow_instance_id NOT IN (SELECT id FROM workflow_instances)",
    ),
    (
        "a result that does not follow from its input",
        "SELECT count(*) FROM task_instances WHERE step_id <> 'work' AND output <> input",
    ),
    (
        "an instance whose timer did not fire exactly once",
        "SELECT count(*) FROM workflow_instances w
         WHERE (SELECT count(*) FROM workflow_history h WHERE h.instance_id = w.id
                AND h.payload -> 'TIMER' ->> 'kind' = 'DELAY') <> 1",
    ),
    (
        "a fact of another kind than a delay, or the wait for an attempt of an instance that was given away",
        "SELECT count(*) FROM workflow_history
         WHERE coalesce(payload -> 'TIMER' ->> 'kind', '') NOT IN ('DELAY', 'TASK_RETRY')",
    ),
    (
        "a timer that fired too early",
        "SELECT count(*) FROM workflow_history h
         JOIN task_instances t ON t.workflow_instance_id = h.instance_id AND t.step_id = 'flaky'
         WHERE h.payload -> 'TIMER' ->> 'kind' = 'DELAY' AND h.occurred_at < t.updated_at + interval '1 second'",
    ),
    (
        "a result that was applied before its task ended",
        "SELECT count(*) FROM task_instances WHERE updated_at < ended_at OR ended_at < started_at",
    ),
    (
        "a message that nobody read",
        "SELECT count(*) FROM workflow_mailbox",
    ),
    ("a timer that is still armed", "SELECT count(*) FROM timers"),
    (
        "a task whose earlier attempts are not numbered 1, 2, …",
        "SELECT count(*) FROM task_instances t
         WHERE (SELECT array_agg(a.attempt ORDER BY a.attempt) FROM task_attempts a WHERE a.tenant_id = t.tenant_id AND a.task_instance_id = t.id)
             IS DISTINCT FROM (SELECT array_agg(n::integer) FROM generate_series(1, t.attempt - 1) AS n)",
    ),
    (
        "an attempt without its task",
        "SELECT count(*) FROM task_attempts WHERE task_instance_id NOT IN (SELECT id FROM task_instances)",
    ),
    (
        "steps out of order",
        "SELECT count(*) FROM (
             SELECT workflow_instance_id, array_agg(step_id::text ORDER BY seq) AS steps FROM task_instances
             GROUP BY 1) AS way WHERE steps <> ARRAY['take', 'flaky', 'work', 'last']",
    ),
];
