//! What the database refuses when the library is passed by.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are test code")]

mod support;

use augmented_core::model::DefinitionKind;
use augmented_store_postgres::{Enforcement, PostgresConfig, PostgresStore};
use serde_json::Value;
use sqlx::PgPool;
use support::Fresh;

const TENANT: &str = "00000000-0000-0000-0000-000000000001";

fn with_database<F: Future<Output = ()>>(test: impl FnOnce(PostgresConfig, PgPool) -> F) {
    support::run(async {
        let fresh = Fresh::new().await;
        let pool = fresh.pool().await;
        // The schema must outlive the test, so it stays here.
        test(fresh.config(), pool).await;
        drop(fresh);
    });
}

/// Runs a statement; the SQLSTATE, the constraint and the text it was refused with.
async fn refusal(pool: &PgPool, sql: &str) -> Option<(String, String, String)> {
    let error = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
        .execute(pool)
        .await
        .err()?;
    let error = error.into_database_error().unwrap();
    let (code, constraint) = (error.code(), error.constraint());
    Some((
        code.unwrap_or_default().into_owned(),
        constraint.unwrap_or_default().to_owned(),
        error.message().to_owned(),
    ))
}

async fn run(pool: &PgPool, sql: &str) {
    assert_eq!(refusal(pool, sql).await, None, "{sql}");
}

async fn refused(pool: &PgPool, sql: &str, code: &str, constraint: &str) -> String {
    let (found, name, text) = refusal(pool, sql).await.unwrap();
    assert_eq!(
        (found.as_str(), name.as_str()),
        (code, constraint),
        "{sql}: {text}"
    );
    text
}

fn workflow(version: &str, steps: &str) -> String {
    format!(
        "INSERT INTO workflow_definitions (tenant_id, id, status, workflow_id, version, name, steps)
         VALUES ('{TENANT}', gen_random_uuid(), 'PUBLISHED', 'w', '{version}', 'W', '{steps}')"
    )
}

const STEP: &str = r#"{"stepId": "a", "type": "TASK", "taskId": "std.echo"}"#;

/// Scenario 11 of the validation sheet.
#[test]
fn raw_rows_are_refused_by_named_checks() {
    with_database(|_, pool| async move {
        let nested = |step: &str| {
            workflow(
                "1.0.0",
                &format!(
                    r#"[{{"stepId": "p", "type": "PARALLEL", "branches": [{{"branchId": "b", "steps": [{step}]}}]}}]"#
                ),
            )
        };
        run(&pool, &workflow("0.1.0", &format!("[{STEP}]"))).await;
        for step in [
            r#"{"type": "TASK", "taskId": "std.echo"}"#,
            r#"{"stepId": 5, "type": "TASK", "taskId": "std.echo"}"#,
            r#"{"stepId": "a", "type": "TASK", "taskId": "std.echo", "surprise": 1}"#,
            r#"{"stepId": "a", "type": "TASKS", "taskId": "std.echo"}"#,
            r#"{"stepId": "a", "type": "TASK"}"#,
            "5",
        ] {
            refused(
                &pool,
                &nested(step),
                "23514",
                "ck_workflow_definitions_step_shapes",
            )
            .await;
        }
        let twice = workflow("1.0.0", &format!("[{STEP}, {STEP}]"));
        refused(&pool, &twice, "23514", "ck_workflow_definitions_step_ids").await;
        // What no CHECK can say, the whole schema says, with the place.
        let deep = workflow(
            "1.0.0",
            &format!("[{}]", STEP.replace("\"std.echo\"", "\"std echo\"")),
        );
        let text = refused(&pool, &deep, "23514", "ck_workflow_definitions_conforms").await;
        assert!(text.contains("/steps/0/taskId: must match"), "{text}");
        let missing = "INSERT INTO event_definitions (tenant_id, id, status, event_id, version, name, payload_schema)
            VALUES ('00000000-0000-0000-0000-000000000001', gen_random_uuid(), 'PUBLISHED', 'e', '1.0.0', 'E', '{\"type\": \"object\"}')";
        refused(&pool, missing, "23514", "ck_event_definitions_pattern").await;
    });
}

/// Scenario 12 of the validation sheet.
#[test]
fn raw_updates_keep_to_the_life_cycle() {
    with_database(|_, pool| async move {
        run(&pool, &workflow("1.0.0", &format!("[{STEP}]"))).await;
        for change in [
            "name = 'other'",
            "steps = '[]'",
            "version = '2.0.0'",
            "content_hash = sha256('')",
            "published_at = now() - interval '1 day'",
            "status = 'DRAFT'",
            "status = 'ARCHIVED'",
        ] {
            refused(
                &pool,
                &format!("UPDATE workflow_definitions SET {change}"),
                "AU001",
                "",
            )
            .await;
        }
        refused(&pool, "DELETE FROM workflow_definitions", "AU001", "").await;
        let low = workflow("0.9.0", &format!("[{STEP}]"));
        let text = refused(&pool, &low, "AU001", "").await;
        assert!(text.contains("0.9.0") && text.contains("1.0.0"), "{text}");
        for status in ["DEPRECATED", "PUBLISHED", "DEPRECATED", "ARCHIVED"] {
            run(
                &pool,
                &format!("UPDATE workflow_definitions SET status = '{status}'"),
            )
            .await;
        }
        for status in ["DRAFT", "PUBLISHED", "DEPRECATED"] {
            let sql = format!("UPDATE workflow_definitions SET status = '{status}'");
            refused(&pool, &sql, "AU001", "").await;
        }
        let switch =
            "SET ROLE aug_app; ALTER TABLE workflow_definitions DISABLE TRIGGER aug_2_guard";
        refused(&pool, switch, "42501", "").await;
    });
}

/// Scenario 30 of the validation sheet.
#[test]
fn a_published_row_names_a_usable_schema_version() {
    with_database(|config, pool| async move {
        let named = workflow("1.0.0", &format!("[{STEP}]"))
            .replace("name, steps", "schema_version, name, steps")
            .replace("'W'", "'9.9.9', 'W'");
        refused(
            &pool,
            &named,
            "23514",
            "ck_workflow_definitions_schema_version",
        )
        .await;
        run(&pool, &workflow("1.0.0", &format!("[{STEP}]"))).await;
        for status in ["DEPRECATED", "ARCHIVED"] {
            let sql = format!(
                "UPDATE schema_versions SET status = '{status}' WHERE schema_id = 'core.workflow'"
            );
            run(&pool, &sql).await;
        }
        let later = workflow("1.1.0", &format!("[{STEP}]"));
        refused(
            &pool,
            &later,
            "23514",
            "ck_workflow_definitions_schema_version",
        )
        .await;
        // The owner of the tables may switch triggers off; the program notices at its next start.
        run(
            &pool,
            "ALTER TABLE schema_versions DISABLE TRIGGER USER;
            UPDATE schema_versions SET schema = 'true' WHERE schema_id = 'core.task'",
        )
        .await;
        let error = augmented_store_postgres::PostgresStore::connect(config)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("core.task"), "{error}");
    });
}

const TASK: &str = r#"{"kind": "task", "taskId": "t", "version": "1.0.0", "name": "T", "type": "AUTOMATED", "implementation": {"kind": "NATIVE", "endpoint": "t"}, "inputSchema": {"type": "object"}, "outputSchema": {"type": "object"}}"#;

fn referring(version: &str, target: &str) -> String {
    let id = format!("(SELECT id FROM workflow_definitions WHERE version = '{version}')");
    format!(
        "{}; INSERT INTO definition_refs (tenant_id, from_id, pointer, to_kind, to_business_id, to_id)
         VALUES ('{TENANT}', {id}, '/steps/0/taskId', 'task', 't', {target})",
        workflow(version, &format!("[{STEP}]"))
    )
}

#[test]
fn references_of_published_rows_resolve() {
    with_database(|_, pool| async move {
        let text = refused(
            &pool,
            &referring("1.0.0", "NULL"),
            "23503",
            "ck_definition_refs_resolved",
        )
        .await;
        assert!(text.contains("/steps/0/taskId"), "{text}");
        run(&pool, &format!("SELECT aug_put_task('{TENANT}', '{TASK}')")).await;
        let task = "(SELECT id FROM task_definitions)";
        run(&pool, &referring("1.0.0", task)).await;
        run(&pool, "UPDATE task_definitions SET status = 'DEPRECATED'").await;
        let archive = "UPDATE task_definitions SET status = 'ARCHIVED'";
        refused(&pool, archive, "23503", "ck_definition_refs_archived").await;
        for status in ["DEPRECATED", "ARCHIVED"] {
            run(
                &pool,
                &format!("UPDATE workflow_definitions SET status = '{status}'"),
            )
            .await;
        }
        let repeatable = format!("BEGIN ISOLATION LEVEL SERIALIZABLE; {archive}; COMMIT");
        refused(&pool, &repeatable, "AU001", "").await;
        run(&pool, archive).await;
        refused(
            &pool,
            &referring("2.0.0", task),
            "23503",
            "ck_definition_refs_resolved",
        )
        .await;
    });
}

/// Scenario 14 of the validation sheet.
#[test]
fn of_a_publication_and_an_archive_one_fails() {
    with_database(|_, pool| async move {
        let mut won = [0, 0];
        for round in 0..1000_u32 {
            let task = TASK.replace("\"t\", \"version\"", &format!("\"t{round}\", \"version\""));
            let of_task = format!("task_id = 't{round}'");
            run(
                &pool,
                &format!(
                    "SELECT aug_put_task('{TENANT}', '{task}');
                     UPDATE task_definitions SET status = 'DEPRECATED' WHERE {of_task}"
                ),
            )
            .await;
            let target = format!("(SELECT id FROM task_definitions WHERE {of_task})");
            let publish = referring(&format!("1.{round}.0"), &target);
            // A third of the publishers see a snapshot; either side is held back a little in turn.
            let isolation = ["", "", "ISOLATION LEVEL SERIALIZABLE"][(round % 3) as usize];
            let (late, later) = (f64::from(round % 3) / 2e3, f64::from(round % 11) / 1e3);
            let publish = format!("BEGIN {isolation}; SELECT pg_sleep({late}); {publish}; COMMIT");
            let archive = format!(
                "SELECT pg_sleep({later}); UPDATE task_definitions SET status = 'ARCHIVED' WHERE {of_task}"
            );
            let (published, archived) = tokio::join!(one(&pool, &publish), one(&pool, &archive));
            assert!(
                published.is_none() != archived.is_none(),
                "round {round}: {published:?} {archived:?}"
            );
            won[usize::from(published.is_none())] += 1;
            let broken: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM definition_refs AS r
                    JOIN definition_index AS f ON f.id = r.from_id AND f.status = 'PUBLISHED'
                    JOIN definition_index AS t ON t.id = r.to_id AND t.status = 'ARCHIVED'",
            )
            .fetch_one(&pool)
            .await
            .unwrap();
            assert_eq!(broken, 0, "round {round}");
        }
        assert!(won.iter().all(|count| *count > 50), "{won:?}");
    });
}

/// A statement on a connection that is given back clean.
async fn one(pool: &PgPool, sql: &str) -> Option<(String, String, String)> {
    let refused = refusal(pool, sql).await;
    if refused.is_some() {
        // Whatever connection it was: a rollback outside of a transaction only warns.
        for _ in 0..4 {
            let _ = sqlx::raw_sql("ROLLBACK").execute(pool).await;
        }
    }
    refused
}

/// Scenario 31 of the validation sheet.
#[test]
fn what_is_restored_unchecked_is_found() {
    with_database(|config, pool| async move {
        run(&pool, &workflow("1.0.0", &format!("[{STEP}]"))).await;
        let broken = workflow(
            "1.1.0",
            &format!("[{}]", STEP.replace("\"std.echo\"", "\"std echo\"")),
        );
        refused(&pool, &broken, "23514", "ck_workflow_definitions_conforms").await;
        let store = PostgresStore::connect(config.clone()).await.unwrap();
        assert_eq!(store.verify_all().await.unwrap(), []);
        PostgresStore::set_enforcement(&config, Enforcement::Structural)
            .await
            .unwrap();
        run(&pool, &broken).await;
        // What needs no schema is refused all the same.
        let nameless = workflow("1.2.0", r#"[{"type": "TASK"}]"#);
        assert!(refusal(&pool, &nameless).await.is_some());
        PostgresStore::set_enforcement(&config, Enforcement::Full)
            .await
            .unwrap();
        let again = broken.replace("1.1.0", "1.3.0");
        refused(&pool, &again, "23514", "ck_workflow_definitions_conforms").await;
        let found = store.verify_all().await.unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].business_id.as_str(), found[0].version.as_str()),
            ("w", "1.1.0")
        );
        assert!(
            found[0].fault.starts_with("/steps/0/taskId: must match"),
            "{found:?}"
        );
    });
}

/// Scenario 32 of the validation sheet.
#[test]
fn exactly_the_moves_of_the_life_cycle_succeed() {
    const STATUSES: [&str; 4] = ["DRAFT", "PUBLISHED", "DEPRECATED", "ARCHIVED"];
    with_database(|_, pool| async move {
        for kind in DefinitionKind::MODELLED {
            let path = format!(
                "{}/../augmented-core/tests/data/definitions/{kind}.json",
                env!("CARGO_MANIFEST_DIR")
            );
            let seeds: Value =
                serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            let mut document = seeds.get(0).unwrap_or(&seeds).clone();
            let mut version = 0;
            for from in STATUSES {
                for to in STATUSES.into_iter().filter(|to| *to != from) {
                    version += 1;
                    document["version"] = Value::from(format!("7.0.{version}"));
                    let id: sqlx::types::Uuid = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                        "SELECT aug_put_{kind}('{TENANT}', $1, 'DRAFT')"
                    )))
                    .bind(&document)
                    .fetch_one(&pool)
                    .await
                    .unwrap();
                    let move_to = |status: &str| {
                        format!(
                            "UPDATE {} SET status = '{status}' WHERE id = '{id}'",
                            table(kind)
                        )
                    };
                    let way = STATUSES.iter().position(|status| *status == from).unwrap();
                    for status in &STATUSES[1..=way] {
                        run(&pool, &move_to(status)).await;
                    }
                    let is_legal = [
                        ("DRAFT", "PUBLISHED"),
                        ("PUBLISHED", "DEPRECATED"),
                        ("DEPRECATED", "PUBLISHED"),
                        ("DEPRECATED", "ARCHIVED"),
                    ]
                    .contains(&(from, to));
                    match is_legal {
                        true => run(&pool, &move_to(to)).await,
                        false => drop(refused(&pool, &move_to(to), "AU001", "").await),
                    }
                }
            }
        }
    });
}

#[expect(clippy::panic, reason = "a helper of tests")]
fn table(kind: DefinitionKind) -> &'static str {
    match kind {
        DefinitionKind::Workflow => "workflow_definitions",
        DefinitionKind::Task => "task_definitions",
        DefinitionKind::Event => "event_definitions",
        DefinitionKind::Trigger => "workflow_event_triggers",
        DefinitionKind::Schedule => "schedules",
        DefinitionKind::Schema => "schema_versions",
        other => panic!("{other} has no table"),
    }
}
