//! Row-level security: what sessions of the host see, and that the engine goes on.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are test code")]

mod support;

use augmented_core::NodeId;
use augmented_core::Timestamp;
use augmented_core::store::ExecutionStore;
use augmented_store_postgres::{PostgresError, PostgresStore, RowSecurity};
use sqlx::types::Uuid;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use support::Fresh;

const MINE: &str = "00000000-0000-0000-0000-0000000000a1";
const OTHER: &str = "00000000-0000-0000-0000-0000000000b2";
const SYSTEM: &str = "00000000-0000-0000-0000-000000000000";

/// Fills every table of a tenant with a row at least.
const FILL: &str = r#"
DO $f$
DECLARE
    tenant uuid := '$tenant';
    instance uuid := gen_random_uuid();
    task uuid := gen_random_uuid();
    target uuid;
BEGIN
    target := aug_put_workflow(tenant, '{"kind": "workflow", "workflowId": "w", "version": "1.0.0", "name": "W"}', 'DRAFT');
    PERFORM aug_put_task(tenant, '{"kind": "task", "taskId": "t", "version": "1.0.0", "name": "T"}', 'DRAFT');
    PERFORM aug_put_event(tenant, '{"kind": "event", "eventId": "e", "version": "1.0.0", "name": "E"}', 'DRAFT');
    PERFORM aug_put_trigger(tenant, '{"kind": "trigger", "triggerId": "g", "version": "1.0.0"}', 'DRAFT');
    PERFORM aug_put_schedule(tenant, '{"kind": "schedule", "scheduleId": "s", "version": "1.0.0"}', 'DRAFT');
    PERFORM aug_put_schema(tenant, '{"kind": "schema", "schemaId": "c", "version": "1.0.0", "name": "C"}', 'DRAFT');
    INSERT INTO definition_refs (tenant_id, from_id, pointer, to_kind, to_business_id) VALUES (tenant, target, '/a', 'task', 't');
    INSERT INTO workflow_instances (tenant_id, id, workflow_definition_id, workflow_id, definition_version, status,
            created_at, updated_at, input)
        VALUES (tenant, instance, target, 'w', '1.0.0', 'RUNNING', now(), now(), '{}');
    INSERT INTO workflow_idempotency_keys VALUES (tenant, 'w', 'k', instance, NULL);
    INSERT INTO task_instances (tenant_id, id, task_definition_id, status, type, created_at, updated_at, input)
        VALUES (tenant, task, target, 'PENDING', 'MANUAL', now(), now(), '{}');
    INSERT INTO task_attempts (tenant_id, task_instance_id, attempt, started_at, ended_at, outcome)
        VALUES (tenant, task, 1, now(), now(), 'FAILED');
    INSERT INTO workflow_history (tenant_id, instance_id, seq, kind, occurred_at, payload, trail)
        VALUES (tenant, instance, 1, 'SIGNAL', now(), '{}', '[]');
    INSERT INTO workflow_mailbox (tenant_id, instance_id, kind, payload) VALUES (tenant, instance, 'SIGNAL', '{}');
    INSERT INTO timers (tenant_id, instance_id, kind, activation, fire_at) VALUES (tenant, instance, 'DELAY', 1, now());
END $f$"#;

async fn execute(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
    sql.execute(connection).await.map(|_| ())
}

/// A transaction of a role of the host, with the tenant set if there is one.
async fn session(
    pool: &PgPool,
    role: &str,
    tenant: Option<&str>,
) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut session = pool.begin().await.unwrap();
    execute(&mut session, &format!("SET LOCAL ROLE {role}"))
        .await
        .unwrap();
    if let Some(tenant) = tenant {
        execute(
            &mut session,
            &format!("SELECT set_config('augmented.tenant_id', '{tenant}', true)"),
        )
        .await
        .unwrap();
    }
    session
}

async fn tenant_tables(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
         ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

async fn tenants_seen(session: &mut PgConnection, table: &str) -> Vec<Uuid> {
    let sql = format!("SELECT DISTINCT tenant_id FROM {table} ORDER BY 1");
    sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_all(session)
        .await
        .unwrap()
}

async fn prepared() -> (Fresh, PgPool, Vec<String>) {
    let fresh = Fresh::new().await;
    let pool = fresh.pool().await;
    for tenant in [MINE, OTHER] {
        let mut connection = pool.acquire().await.unwrap();
        execute(&mut connection, &FILL.replace("$tenant", tenant))
            .await
            .unwrap();
    }
    PostgresStore::enable_row_security(&fresh.config(), &RowSecurity::default())
        .await
        .unwrap();
    let tables = tenant_tables(&pool).await;
    assert!(tables.len() > 14, "{tables:?}");
    (fresh, pool, tables)
}

fn uuid(text: &str) -> Uuid {
    text.parse().unwrap()
}

#[test]
fn a_session_sees_the_rows_of_its_tenant_and_what_is_shipped() {
    support::run(async {
        let (fresh, pool, tables) = prepared().await;
        for role in ["aug_app", "aug_read"] {
            for tenant in [None, Some(""), Some(MINE)] {
                let mut session = session(&pool, role, tenant).await;
                for table in &tables {
                    let mut seen = tenants_seen(&mut session, table).await;
                    let shipped = ["definition_index", "definitions", "schema_versions"];
                    if shipped.contains(&table.as_str()) {
                        assert!(seen.contains(&uuid(SYSTEM)), "{role} in {table}");
                    }
                    seen.retain(|tenant| *tenant != uuid(SYSTEM));
                    let expected: &[Uuid] = match tenant {
                        Some(MINE) => &[uuid(MINE)],
                        _ => &[],
                    };
                    assert_eq!(seen, expected, "{role} as {tenant:?} in {table}");
                }
                let nodes = tables_rows(&mut session, "engine_nodes").await;
                assert_eq!(nodes, 0);
            }
        }
        drop(fresh);
    });
}

async fn tables_rows(session: &mut PgConnection, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(session)
        .await
        .unwrap()
}

/// Copies of what is there under another key, table by table; each must be refused.
const INSERTS: &[&str] = &[
    "INSERT INTO workflow_instances (tenant_id, id, workflow_definition_id, workflow_id, definition_version, status,
         created_at, updated_at, input)
     VALUES ($1, gen_random_uuid(), gen_random_uuid(), 'w', '1.0.0', 'RUNNING', now(), now(), '{}')",
    "INSERT INTO workflow_idempotency_keys VALUES ($1, 'w', 'k2', gen_random_uuid(), NULL)",
    "INSERT INTO task_instances (tenant_id, id, task_definition_id, status, type, created_at, updated_at, input)
     VALUES ($1, gen_random_uuid(), gen_random_uuid(), 'PENDING', 'MANUAL', now(), now(), '{}')",
    "INSERT INTO task_attempts (tenant_id, task_instance_id, attempt, started_at, ended_at, outcome)
     VALUES ($1, gen_random_uuid(), 1, now(), now(), 'FAILED')",
    "INSERT INTO workflow_history (tenant_id, instance_id, seq, kind, occurred_at, payload, trail)
     VALUES ($1, gen_random_uuid(), 1, 'SIGNAL', now(), '{}', '[]')",
    "INSERT INTO workflow_mailbox (tenant_id, instance_id, kind, payload) VALUES ($1, gen_random_uuid(), 'SIGNAL', '{}')",
    "INSERT INTO timers (tenant_id, instance_id, kind, activation, fire_at) VALUES ($1, gen_random_uuid(), 'DELAY', 1, now())",
    "SELECT aug_put_workflow($1, '{\"kind\": \"workflow\", \"workflowId\": \"w2\", \"version\": \"1.0.0\", \"name\": \"W\"}', 'DRAFT')",
    "SELECT aug_put_task($1, '{\"kind\": \"task\", \"taskId\": \"t2\", \"version\": \"1.0.0\", \"name\": \"T\"}', 'DRAFT')",
    "SELECT aug_put_schema($1, '{\"kind\": \"schema\", \"schemaId\": \"c2\", \"version\": \"1.0.0\", \"name\": \"C\"}', 'DRAFT')",
    "INSERT INTO definition_index (tenant_id, id, kind, business_id, version, status)
     VALUES ($1, gen_random_uuid(), 'workflow', 'w3', '1.0.0', 'DRAFT')",
];

#[test]
fn a_session_writes_rows_of_its_tenant_only() {
    support::run(async {
        let (fresh, pool, tables) = prepared().await;
        for insert in INSERTS {
            for (as_tenant, of, allowed) in [
                (Some(MINE), MINE, true),
                (Some(MINE), OTHER, false),
                (Some(MINE), SYSTEM, false),
                (None, MINE, false),
            ] {
                let mut session = session(&pool, "aug_app", as_tenant).await;
                let sql = insert.replace("$1", &format!("'{of}'"));
                let result = execute(&mut session, &sql).await;
                let code = result.err().map(|error| {
                    let error = error.into_database_error().unwrap();
                    error.code().unwrap().into_owned()
                });
                let expected = (!allowed).then(|| "42501".to_owned());
                assert_eq!(code, expected, "as {as_tenant:?}: {sql}");
            }
        }
        // Rows of others can be neither changed nor handed over nor deleted.
        let mut mine = session(&pool, "aug_app", Some(MINE)).await;
        for table in [
            "workflow_instances",
            "task_instances",
            "timers",
            "workflow_mailbox",
            "workflow_idempotency_keys",
        ] {
            let touched = sqlx::query(AssertSqlSafe(format!(
                "DELETE FROM {table} WHERE tenant_id = '{OTHER}'"
            )))
            .execute(&mut *mine)
            .await
            .unwrap();
            assert_eq!(touched.rows_affected(), 0, "{table}");
        }
        let handed = execute(
            &mut mine,
            &format!("UPDATE timers SET tenant_id = '{OTHER}'"),
        )
        .await;
        assert!(handed.is_err());
        assert!(tables.contains(&"timers".to_owned()));
        drop(mine);
        drop(fresh);
    });
}

#[test]
fn slices_cannot_be_read_past_their_table() {
    support::run(async {
        let (fresh, pool, _) = prepared().await;
        let store = fresh.store().await;
        let config = augmented_store_postgres::UpkeepConfig::default();
        assert!(
            !store
                .maintain(&config)
                .await
                .unwrap()
                .slices_made
                .is_empty()
        );
        let slices: Vec<String> = sqlx::query_scalar(
            "SELECT c.relname::text FROM pg_class c
             WHERE c.relnamespace = current_schema()::regnamespace AND c.relispartition AND c.relkind = 'r'",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        assert!(slices.len() >= 20);
        for slice in slices {
            let mut session = session(&pool, "aug_read", Some(MINE)).await;
            let read = execute(&mut session, &format!("SELECT FROM {slice}")).await;
            assert!(read.is_err(), "{slice}");
            drop(session);
            // Even granted, it shows nothing.
            let mut owner = pool.begin().await.unwrap();
            execute(
                &mut owner,
                &format!("GRANT SELECT ON {slice} TO aug_read; SET LOCAL ROLE aug_read"),
            )
            .await
            .unwrap();
            assert_eq!(tables_rows(&mut owner, &slice).await, 0, "{slice}");
        }
        store.close().await;
        drop(fresh);
    });
}

#[test]
fn the_engine_sees_all_tenants_and_goes_on() {
    support::run(async {
        let (fresh, pool, tables) = prepared().await;
        let store = fresh.store().await;
        let node = NodeId(Uuid::from_u128(7));
        let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        store.register_node(node, now).await.unwrap();
        assert!(store.heartbeat(node, now).await.unwrap());
        // The raw rows are no messages an engine could read, so the timers stand for the rest: they become messages.
        sqlx::query("DELETE FROM workflow_mailbox")
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(store.fire_due_timers(now, 10).await.unwrap(), 2);
        let mut owner = pool.acquire().await.unwrap();
        assert_eq!(
            tenants_seen(&mut owner, "workflow_mailbox").await,
            [uuid(MINE), uuid(OTHER)]
        );

        // Off again, a session sees what its rights allow.
        PostgresStore::disable_row_security(&fresh.config())
            .await
            .unwrap();
        let mut session = session(&pool, "aug_read", None).await;
        for table in &tables {
            assert!(
                tenants_seen(&mut session, table)
                    .await
                    .contains(&uuid(OTHER))
                    || table == "timers",
                "{table}"
            );
        }
        drop(session);
        store.close().await;
        drop(owner);
        drop(fresh);
    });
}

#[test]
fn it_can_be_enabled_again_and_again() {
    support::run(async {
        let (fresh, pool, _) = prepared().await;
        PostgresStore::enable_row_security(&fresh.config(), &RowSecurity::of(["aug_app"]))
            .await
            .unwrap();
        let mut session = session(&pool, "aug_read", Some(MINE)).await;
        assert_eq!(tables_rows(&mut session, "workflow_instances").await, 0);
        drop(session);
        drop(fresh);
    });
}

#[test]
fn a_role_that_policies_do_not_bind_is_refused() {
    support::run(async {
        let fresh = Fresh::new().await;
        for (roles, expected) in [
            (
                vec![],
                "row-level security: `` is no role: name at least one",
            ),
            (
                vec!["no_such_role"],
                "row-level security: `no_such_role` is not there: create it, or name another one",
            ),
            (
                vec!["aug_app", "postgres"],
                "row-level security: `postgres` passes by all policies: take SUPERUSER and BYPASSRLS from it",
            ),
        ] {
            let error =
                PostgresStore::enable_row_security(&fresh.config(), &RowSecurity::of(roles))
                    .await
                    .unwrap_err();
            assert!(
                matches!(error, PostgresError::RowSecurity { .. }),
                "{error:?}"
            );
            assert_eq!(error.to_string(), expected);
        }
        drop(fresh);
    });
}
