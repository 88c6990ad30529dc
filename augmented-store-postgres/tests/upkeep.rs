//! Slices of time and retention, with instants of the test's own.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are test code")]

mod support;

use std::time::{Duration, Instant};

use augmented_core::Timestamp;
use augmented_store_postgres::{
    PostgresError, PostgresStore, Retention, SliceWidth, UpkeepConfig, UpkeepFault, UpkeepReport,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use support::Fresh;

const DAY: Duration = Duration::from_secs(24 * 3600);

struct Case {
    store: PostgresStore,
    pool: PgPool,
    fresh: Fresh,
}

fn with_store<F: Future<Output = Case>>(test: impl FnOnce(Case) -> F) {
    support::run(async {
        let fresh = Fresh::new().await;
        let case = Case {
            store: fresh.store().await,
            pool: fresh.pool().await,
            fresh,
        };
        // The schema must outlive the test.
        let case = test(case).await;
        case.store.close().await;
        drop(case.fresh);
    });
}

/// Months, 30 days, no pauses, as of an instant.
fn config(now: &str) -> UpkeepConfig {
    UpkeepConfig::default()
        .with_slices(SliceWidth::Month, 2)
        .with_retention(Retention::of(DAY * 30))
        .with_pause(Duration::ZERO)
        .with_chunk(7)
        .at(now.parse::<Timestamp>().unwrap())
}

impl Case {
    async fn maintain(&self, config: UpkeepConfig) -> UpkeepReport {
        self.store.maintain(&config).await.unwrap()
    }

    async fn run(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&self.pool)
            .await
            .unwrap();
    }

    async fn count(&self, sql: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {sql}");
        sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// Makes instances created at an instant, each with two tasks, one of them with a failed attempt, and one fact; they
    /// end an hour later unless they are open.
    async fn instances(&self, count: u32, status: &str, at: &str) {
        self.run(&format!(
            "WITH w AS (
                 INSERT INTO workflow_instances (tenant_id, id, workflow_definition_id, workflow_id, definition_version,
                     status, created_at, updated_at, completed_at, input, idempotency_key)
                 SELECT '00000000-0000-0000-0000-000000000001',
                     (left(aug_first_id('{at}')::text, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid,
                     gen_random_uuid(), 'w', '1.0.0', '{status}', '{at}', '{at}',
                     CASE WHEN '{status}' IN ('COMPLETED', 'FAILED', 'CANCELLED')
                          THEN '{at}'::timestamptz + interval '1 hour' END, '{{}}', gen_random_uuid()::text
                 FROM generate_series(1, {count}) RETURNING *
             ), k AS (
                 INSERT INTO workflow_idempotency_keys SELECT tenant_id, workflow_id, idempotency_key, id, NULL FROM w
             ), t AS (
                 INSERT INTO task_instances (tenant_id, id, task_definition_id, workflow_instance_id, seq, activation,
                     visit, step_id, status, type, created_at, updated_at, ended_at, input, output)
                 SELECT tenant_id, (left(id::text, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid,
                     gen_random_uuid(), id, CASE n WHEN 1 THEN 1 END, n, 1, 's',
                     CASE n WHEN 1 THEN 'COMPLETED' ELSE 'CANCELLED' END::task_status, 'AUTOMATED', created_at, created_at,
                     created_at, '{{}}', '{{}}' FROM w, generate_series(1, 2) n RETURNING *
             ), a AS (
                 INSERT INTO task_attempts (tenant_id, task_instance_id, attempt, started_at, ended_at, outcome)
                 SELECT tenant_id, id, 1, created_at, created_at, 'FAILED' FROM t WHERE seq = 1
             ) INSERT INTO workflow_history (tenant_id, instance_id, seq, kind, occurred_at, payload, trail)
               SELECT tenant_id, id, 2, 'SIGNAL', created_at, '{{}}', '[]' FROM w"
        ))
        .await;
    }

    /// Suffixes of the slices, the default one left out.
    async fn slices(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT suffix FROM aug_slices() WHERE NOT is_default")
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    /// Rows of the four tables that belong to no instance.
    async fn orphans(&self) -> i64 {
        self.count(
            "(SELECT FROM task_instances t WHERE workflow_instance_id IS NOT NULL AND NOT EXISTS
                  (SELECT FROM workflow_instances w WHERE w.id = t.workflow_instance_id)
              UNION ALL SELECT FROM task_attempts a WHERE NOT EXISTS
                  (SELECT FROM task_instances t WHERE t.id = a.task_instance_id)
              UNION ALL SELECT FROM workflow_history h WHERE NOT EXISTS
                  (SELECT FROM workflow_instances w WHERE w.id = h.instance_id)) AS orphans",
        )
        .await
    }
}

#[test]
fn slices_are_made_ahead_and_only_once() {
    with_store(|case| async move {
        let report = case.maintain(config("2030-05-10T00:00:00Z")).await;
        let made = ["_p20300501", "_p20300601", "_p20300701"];
        assert_eq!(report.slices_made, made);
        assert_eq!(case.slices().await, made);
        let again = case.maintain(config("2030-05-10T00:00:00Z")).await;
        assert_eq!(again, UpkeepReport::default());
        let later = case.maintain(config("2030-06-01T00:00:00Z")).await;
        assert_eq!(later.slices_made, ["_p20300801"]);

        case.instances(3, "RUNNING", "2030-06-10T00:00:00Z").await;
        assert_eq!(case.count("workflow_instances_p20300601").await, 3);
        assert_eq!(case.count("task_instances_p20300601").await, 6);
        assert_eq!(case.count("task_attempts_p20300601").await, 3);
        assert_eq!(case.count("workflow_history_p20300601").await, 3);
        case
    });
}

#[test]
fn a_slice_has_the_indexes_checks_and_triggers_of_its_table() {
    with_store(|case| async move {
        case.maintain(config("2030-05-10T00:00:00Z")).await;
        for table in [
            "workflow_instances",
            "task_instances",
            "task_attempts",
            "workflow_history",
        ] {
            let shape = "SELECT array_agg(s ORDER BY s) FROM (
                    SELECT regexp_replace(pg_get_indexdef(indexrelid), '^CREATE (UNIQUE )?INDEX \\S+ ON \\S+', '\\1') AS s
                    FROM pg_index WHERE indrelid = to_regclass($1)
                    UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass($1)
                    UNION ALL SELECT tgname::text FROM pg_trigger WHERE tgrelid = to_regclass($1)) AS shape(s)";
            let mut shapes = Vec::new();
            for suffix in ["_default", "_p20300601"] {
                let parts: Vec<String> = sqlx::query_scalar(shape)
                    .bind(format!("{table}{suffix}"))
                    .fetch_one(&case.pool)
                    .await
                    .unwrap();
                shapes.push(parts);
            }
            assert_eq!(shapes[0], shapes[1], "{table}");
            assert!(shapes[0].len() >= 2, "{:?}", shapes[0]);
        }
        case
    });
}

#[test]
fn a_small_default_slice_is_emptied_into_the_new_ones() {
    with_store(|case| async move {
        case.instances(5, "RUNNING", "2030-05-03T00:00:00Z").await;
        case.instances(2, "COMPLETED", "2030-04-03T00:00:00Z").await;
        let report = case
            .maintain(config("2030-05-10T00:00:00Z").with_retention(Retention::forever()))
            .await;
        assert_eq!(report.rows_moved, 5 * 5);
        assert_eq!(case.count("workflow_instances_p20300501").await, 5);
        assert_eq!(case.count("workflow_instances_default").await, 2);
        assert_eq!(case.count("workflow_instances").await, 7);
        case
    });
}

#[test]
fn a_large_default_slice_is_closed_as_it_stands() {
    with_store(|case| async move {
        case.instances(5, "RUNNING", "2030-05-03T00:00:00Z").await;
        let large = config("2030-05-10T00:00:00Z").with_large_default(1);
        let report = case.maintain(large.clone()).await;
        assert_eq!(
            report.slices_made,
            ["_until20300601", "_p20300601", "_p20300701"]
        );
        assert_eq!(report.rows_moved, 0);
        assert_eq!(case.count("workflow_instances_until20300601").await, 5);
        // What is created now still finds its place, and so does what lies behind all slices.
        case.instances(1, "RUNNING", "2030-05-31T23:59:59Z").await;
        case.instances(1, "RUNNING", "2030-06-01T00:00:00Z").await;
        case.instances(1, "RUNNING", "2031-01-01T00:00:00Z").await;
        assert_eq!(case.count("workflow_instances_until20300601").await, 6);
        assert_eq!(case.count("workflow_instances_p20300601").await, 1);
        assert_eq!(case.count("workflow_instances_default").await, 1);
        case.run("DELETE FROM workflow_instances WHERE created_at > '2031-01-01'; DELETE FROM task_instances").await;
        let again = case.maintain(config("2030-05-10T00:00:00Z")).await;
        assert_eq!(again.slices_made, Vec::<String>::new());
        case
    });
}

#[test]
fn a_closing_that_was_broken_off_is_finished_or_undone() {
    for (begun, now, made) in [
        ("2030-06-01", "2030-05-10T00:00:00Z", "_until20300601"),
        ("2030-06-01", "2030-05-31T22:00:00Z", "_p20300501"),
    ] {
        with_store(|case| async move {
            case.instances(2, "RUNNING", "2030-05-03T00:00:00Z").await;
            case.run(&format!(
                "SELECT aug_begin_closing(NULL, aug_first_id('{begun}T00:00:00Z'), 1000)"
            ))
            .await;
            let report = case.maintain(config(now)).await;
            assert_eq!(
                report.slices_made.first().map(String::as_str),
                Some(made),
                "{report:?}"
            );
            let left = case.count("pg_constraint WHERE conname = 'ck_slice_closing' AND connamespace = current_schema()::regnamespace").await;
            assert_eq!(left, 0);
            assert_eq!(case.count("workflow_instances").await, 2);
            case.instances(1, "RUNNING", "2030-06-02T00:00:00Z").await;
            case
        });
    }
}

#[test]
fn a_slice_goes_when_all_of_it_is_over() {
    with_store(|case| async move {
        case.maintain(config("2030-01-05T00:00:00Z")).await;
        case.instances(20, "COMPLETED", "2030-01-10T00:00:00Z")
            .await;
        case.instances(20, "FAILED", "2030-01-11T00:00:00Z").await;
        case.instances(20, "COMPLETED", "2030-02-10T00:00:00Z")
            .await;
        case.instances(1, "RUNNING", "2030-02-11T00:00:00Z").await;
        case.instances(9, "COMPLETED", "2030-03-10T00:00:00Z").await;

        // The last of January ended on the 11th, but the slice ends with the month, and March is too young.
        let early = case.maintain(config("2030-02-11T12:00:00Z")).await;
        assert_eq!(early.slices_dropped, Vec::<String>::new());
        assert_eq!(early.instances_deleted, 40);
        case.instances(20, "FAILED", "2030-01-11T00:00:00Z").await;
        case.instances(20, "CANCELLED", "2030-01-11T00:00:00Z")
            .await;

        let report = case.maintain(config("2030-04-05T00:00:00Z")).await;
        assert_eq!(report.slices_dropped, ["_p20300101"]);
        // Those of January that failed are deleted before the slice goes; of February all but the one that runs.
        assert_eq!(report.instances_deleted, 20 + 20);
        assert_eq!(report.tasks_deleted, 80);
        assert_eq!(report.attempts_deleted, 40);
        assert_eq!(report.facts_deleted, 40);
        assert_eq!(case.count("workflow_instances_p20300201").await, 1);
        assert_eq!(case.count("workflow_instances").await, 10);
        assert_eq!(case.orphans().await, 0);
        assert_eq!(case.count("workflow_idempotency_keys").await, 1);

        case.run("UPDATE workflow_instances SET status = 'COMPLETED', completed_at = '2030-05-01' WHERE status = 'RUNNING'").await;
        let kept = case.maintain(config("2030-05-30T00:00:00Z")).await;
        assert_eq!(kept.slices_dropped, ["_p20300301"]);
        let gone = case.maintain(config("2030-06-05T00:00:00Z")).await;
        assert_eq!(gone.slices_dropped, ["_p20300201", "_p20300401"]);
        assert_eq!(case.count("workflow_instances").await, 0);
        case
    });
}

#[test]
fn each_status_has_its_own_time() {
    with_store(|case| async move {
        for status in ["COMPLETED", "FAILED", "CANCELLED", "PAUSED"] {
            case.instances(10, status, "2030-01-10T00:00:00Z").await;
        }
        let retention = Retention::of(DAY * 20)
            .with_failed(Some(DAY * 60))
            .with_cancelled(None);
        let config = |now| config(now).without_slices().with_retention(retention);
        let mut deleted = Vec::new();
        for now in [
            "2030-01-29T00:00:00Z",
            "2030-01-31T00:00:00Z",
            "2030-03-20T00:00:00Z",
            "2040-01-01T00:00:00Z",
        ] {
            let report = case.maintain(config(now)).await;
            deleted.push(report.instances_deleted);
            assert_eq!(report.slices_made, Vec::<String>::new());
        }
        assert_eq!(deleted, [0, 10, 10, 0]);
        assert_eq!(
            case.count("workflow_instances WHERE status IN ('CANCELLED', 'PAUSED')")
                .await,
            20
        );
        assert_eq!(case.orphans().await, 0);
        case
    });
}

#[test]
fn an_ended_child_stays_as_long_as_its_parent_is_open() {
    with_store(|case| async move {
        case.instances(1, "PAUSED", "2030-01-10T00:00:00Z").await;
        case.instances(3, "COMPLETED", "2030-01-11T00:00:00Z").await;
        case.run(
            "UPDATE workflow_instances SET parent_instance_id = p.id, parent_activation = 1, parent_step_key = 's'
             FROM (SELECT id FROM workflow_instances WHERE status = 'PAUSED') AS p
             WHERE status = 'COMPLETED'",
        )
        .await;
        let config = |now| config(now).without_slices();
        assert_eq!(
            case.maintain(config("2031-01-01T00:00:00Z"))
                .await
                .instances_deleted,
            0
        );
        case.run("UPDATE workflow_instances SET status = 'CANCELLED', completed_at = '2031-01-02' WHERE status = 'PAUSED'").await;
        assert_eq!(
            case.maintain(config("2031-01-03T00:00:00Z"))
                .await
                .instances_deleted,
            3
        );
        case
    });
}

#[test]
fn tasks_of_no_workflow_go_by_their_own_end_and_hold_their_slice() {
    with_store(|case| async move {
        case.maintain(config("2030-01-05T00:00:00Z")).await;
        case.run(
            "INSERT INTO task_instances (tenant_id, id, task_definition_id, status, type, created_at, updated_at, ended_at,
                 input, output)
             SELECT gen_random_uuid(), (left(aug_first_id('2030-01-10T00:00:00Z')::text, 14) || '7'
                 || substr(gen_random_uuid()::text, 16))::uuid, gen_random_uuid(),
                 CASE WHEN n = 1 THEN 'PENDING' ELSE 'COMPLETED' END::task_status, 'MANUAL', '2030-01-10', '2030-01-10',
                 CASE WHEN n > 1 THEN '2030-01-11'::timestamptz END, '{}', '{}' FROM generate_series(1, 11) n",
        )
        .await;
        let report = case.maintain(config("2030-03-05T00:00:00Z")).await;
        assert_eq!(report.tasks_deleted, 10);
        assert_eq!(report.slices_dropped, Vec::<String>::new());
        case.run("UPDATE task_instances SET status = 'COMPLETED', ended_at = '2030-03-01'")
            .await;
        let report = case.maintain(config("2030-04-05T00:00:00Z")).await;
        assert_eq!(report.slices_dropped, ["_p20300101", "_p20300201"]);
        case
    });
}

#[test]
fn keys_nodes_and_leftovers_go() {
    with_store(|case| async move {
        case.instances(2, "COMPLETED", "2030-01-10T00:00:00Z").await;
        case.instances(1, "RUNNING", "2030-01-10T00:00:00Z").await;
        case.run(
            "INSERT INTO engine_nodes (node_id, started_at, heartbeat_at, fenced_at) VALUES
                 ('00000000-0000-0000-0000-00000000000a', '2030-01-01', '2030-01-01', '2030-01-01'),
                 ('00000000-0000-0000-0000-00000000000b', '2030-01-01', '2030-01-01', '2030-01-01'),
                 ('00000000-0000-0000-0000-00000000000c', '2030-01-01', '2030-01-01', NULL),
                 ('00000000-0000-0000-0000-00000000000d', '2030-01-01', '2030-01-01', '2030-01-19 12:00+00');
             UPDATE workflow_instances SET owner_node = '00000000-0000-0000-0000-00000000000a' WHERE status = 'RUNNING';
             INSERT INTO workflow_mailbox (tenant_id, instance_id, kind, payload)
                 SELECT tenant_id, id, 'SIGNAL', '{}'::jsonb FROM workflow_instances
                 UNION ALL SELECT gen_random_uuid(), gen_random_uuid(), 'SIGNAL', '{}' FROM generate_series(1, 9);
             INSERT INTO timers (tenant_id, instance_id, kind, activation, fire_at)
                 VALUES (gen_random_uuid(), gen_random_uuid(), 'DELAY', 1, '2030-01-01');
             INSERT INTO definition_index (tenant_id, id, kind, business_id, version, status)
                 VALUES (gen_random_uuid(), gen_random_uuid(), 'workflow', 'w', '1.0.0', 'PUBLISHED')",
        )
        .await;
        let before = case.count("definition_index").await;
        let report = case
            .maintain(config("2030-01-20T00:00:00Z").without_slices())
            .await;
        assert_eq!(report.keys_deleted, 2);
        assert_eq!(report.nodes_deleted, 1);
        assert_eq!(report.leftovers_deleted, 9 + 1 + 1);
        assert_eq!(case.count("workflow_mailbox").await, 3);
        assert_eq!(case.count("definition_index").await, before - 1);
        assert_eq!(case.count("workflow_instances").await, 3);
        let again = case
            .maintain(config("2030-01-20T00:00:00Z").without_slices())
            .await;
        assert_eq!(again, UpkeepReport::default());
        case
    });
}

#[test]
fn one_call_works_at_a_time() {
    with_store(|case| async move {
        let mut other = PgConnection::connect(&support::url()).await.unwrap();
        let mut busy = other.begin().await.unwrap();
        let lock =
            "SELECT pg_advisory_xact_lock(hashtextextended('augmented upkeep of ' || $1, 0))::text";
        sqlx::query(lock)
            .bind(case.fresh.schema.as_str())
            .execute(&mut *busy)
            .await
            .unwrap();
        let report = case.maintain(config("2030-05-10T00:00:00Z")).await;
        assert!(report.already_running);
        assert_eq!(case.slices().await, Vec::<String>::new());
        drop(busy);
        other.close().await.unwrap();
        let (one, two) = tokio::join!(
            case.maintain(config("2030-05-10T00:00:00Z")),
            case.maintain(config("2030-05-10T00:00:00Z")),
        );
        assert!(one.already_running != two.already_running || one.slices_made != two.slices_made);
        assert_eq!(case.slices().await.len(), 3);
        case
    });
}

#[test]
fn a_lock_that_is_taken_is_left_for_the_next_call_and_holds_nobody_up() {
    with_store(|case| async move {
        let mut reader = case.pool.begin().await.unwrap();
        sqlx::query("SELECT count(*) FROM workflow_instances")
            .execute(&mut *reader)
            .await
            .unwrap();
        let short = config("2030-05-10T00:00:00Z").with_longest_wait(Duration::from_millis(80));
        let upkeep = case.maintain(short.clone());
        let work = async {
            // Others must get through while upkeep tries in vain.
            let mut longest = Duration::ZERO;
            for _ in 0..50 {
                let began = Instant::now();
                case.instances(1, "RUNNING", "2030-05-03T00:00:00Z").await;
                longest = longest.max(began.elapsed());
            }
            longest
        };
        let (report, longest) = tokio::join!(upkeep, work);
        assert_eq!(report.slices_made, Vec::<String>::new());
        assert_eq!(report.left_for_next_time.len(), 1, "{report:?}");
        assert!(longest < Duration::from_secs(2), "{longest:?}");
        reader.rollback().await.unwrap();
        assert_eq!(case.maintain(short).await.slices_made.len(), 3);
        assert_eq!(case.count("workflow_instances").await, 50);
        case
    });
}

#[test]
fn dropped_half_way_the_next_call_goes_on() {
    with_store(|case| async move {
        case.maintain(config("2030-01-05T00:00:00Z")).await;
        case.instances(60, "COMPLETED", "2030-01-10T00:00:00Z")
            .await;
        case.instances(60, "FAILED", "2030-02-10T00:00:00Z").await;
        case.instances(1, "RUNNING", "2030-02-10T00:00:00Z").await;
        for millis in [1_u64, 5, 10, 20, 30, 40, 60, 80, 120, 160] {
            let cut = config("2030-05-05T00:00:00Z").with_pause(Duration::from_millis(2));
            let upkeep = case.store.maintain(&cut);
            let _ = tokio::time::timeout(Duration::from_millis(millis), upkeep).await;
            assert_eq!(case.orphans().await, 0);
        }
        // The server may still be at the last step of the call that was dropped.
        let mut report = case.maintain(config("2030-05-05T00:00:00Z")).await;
        while report.already_running {
            tokio::time::sleep(Duration::from_millis(10)).await;
            report = case.maintain(config("2030-05-05T00:00:00Z")).await;
        }
        assert_eq!(case.count("workflow_instances").await, 1);
        assert_eq!(case.orphans().await, 0);
        assert_eq!(
            case.slices().await,
            ["_p20300201", "_p20300501", "_p20300601", "_p20300701"]
        );
        case
    });
}

#[test]
fn work_goes_on_while_slices_change() {
    with_store(|case| async move {
        let upkeep = async {
            for month in 1..=9 {
                let now = format!("2030-{month:02}-15T00:00:00Z");
                let report = case.maintain(config(&now)).await;
                assert_eq!(report.left_for_next_time, Vec::<String>::new());
            }
        };
        let work = async {
            for day in 1..=60 {
                let day = day % 28 + 1;
                case.instances(3, "COMPLETED", &format!("2030-12-{day:02}T00:00:00Z"))
                    .await;
            }
        };
        tokio::join!(upkeep, work);
        assert_eq!(case.count("workflow_instances").await, 180);
        assert_eq!(case.orphans().await, 0);
        case
    });
}

#[test]
fn settings_that_make_no_sense_are_refused_in_one_line() {
    with_store(|case| async move {
        let base = UpkeepConfig::default;
        let day = DAY;
        let faults = [
            (
                base().with_slices(SliceWidth::Every(Duration::ZERO), 1),
                "slices of 0ns cannot be made",
            ),
            (
                base().with_slices(SliceWidth::Every(Duration::from_secs(3601)), 1),
                "slices of 3601s",
            ),
            (base().with_slices(SliceWidth::Day, 0), "0 slices ahead"),
            (
                base().with_retention(Retention::of(Duration::from_secs(1))),
                "completed instances cannot be kept for 1s",
            ),
            (
                base().with_retention(Retention::default().with_failed(Some(day * 2))),
                "failed instances would go after",
            ),
            (
                base().with_key_retention(Duration::ZERO),
                "idempotency keys cannot be kept for 0ns",
            ),
            (
                base().with_node_retention(Duration::ZERO),
                "nodes cannot be kept for 0ns",
            ),
            (
                base().with_chunk(0),
                "0 instances cannot be deleted at once",
            ),
            (
                base().with_longest_wait(Duration::ZERO),
                "running work cannot be made to wait 0ns",
            ),
        ];
        for (config, expected) in faults {
            let error = case.store.maintain(&config).await.unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, PostgresError::Upkeep(_)), "{error:?}");
            assert!(
                text.starts_with(expected) && text.contains(": ") && !text.contains('\n'),
                "{text}"
            );
        }
        let width = Duration::ZERO;
        let config = base().with_slices(SliceWidth::Every(width), 1);
        assert_eq!(config.check(), Err(UpkeepFault::SliceWidth { width }));
        case
    });
}
