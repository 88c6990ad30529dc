//! Rules of the tables themselves, read from the catalogue of the database, so that a new table is held to them unasked.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are test code")]

mod support;

use sqlx::PgPool;
use support::Fresh;

/// The columns by which a key belongs to one tenant or one instance.
const OWNERS: &[&str] = &[
    "tenant_id",
    "instance_id",
    "workflow_instance_id",
    "task_instance_id",
];

/// Tables whose keys name no tenant and no instance, each with its reason.
const WITHOUT_TENANT: &[(&str, &str)] = &[
    ("engine_nodes", "processes serve all tenants"),
    (
        "schema_migrations",
        "belongs to the tables, not to anybody's data",
    ),
];

/// All references there are: none from the tables of running work, where they would cost half of the speed.
const REFERENCES: &[(&str, &str)] = &[
    (
        "definition_refs",
        "FOREIGN KEY (tenant_id, from_id) REFERENCES definition_index(tenant_id, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
    ),
    (
        "definition_refs",
        "FOREIGN KEY (tenant_id, to_id) REFERENCES definition_index(tenant_id, id) DEFERRABLE INITIALLY DEFERRED",
    ),
    (
        "event_definitions",
        "FOREIGN KEY (tenant_id, id) REFERENCES definition_index(tenant_id, id) DEFERRABLE INITIALLY DEFERRED",
    ),
    (
        "schedules",
        "FOREIGN KEY (tenant_id, id) REFERENCES definition_index(tenant_id, id) DEFERRABLE INITIALLY DEFERRED",
    ),
    (
        "schema_versions",
        "FOREIGN KEY (tenant_id, id) REFERENCES definition_index(tenant_id, id) DEFERRABLE INITIALLY DEFERRED",
    ),
    (
        "task_definitions",
        "FOREIGN KEY (tenant_id, id) REFERENCES definition_index(tenant_id, id) DEFERRABLE INITIALLY DEFERRED",
    ),
    (
        "workflow_definitions",
        "FOREIGN KEY (tenant_id, id) REFERENCES definition_index(tenant_id, id) DEFERRABLE INITIALLY DEFERRED",
    ),
    (
        "workflow_event_triggers",
        "FOREIGN KEY (tenant_id, id) REFERENCES definition_index(tenant_id, id) DEFERRABLE INITIALLY DEFERRED",
    ),
];

fn with_database<F: Future<Output = ()>>(test: impl FnOnce(PgPool) -> F) {
    support::run(async {
        let fresh = Fresh::new().await;
        test(fresh.pool().await).await;
        drop(fresh);
    });
}

/// Primary keys, unique constraints and unique indexes that name no owner, as `table: key`; slices included.
async fn keys_without_owner(pool: &PgPool) -> Vec<String> {
    let sql = "SELECT c.relname, i.relname, ARRAY(
                   SELECT a.attname::text FROM unnest(x.indkey[0:x.indnkeyatts - 1]) AS k(number)
                   LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number) AS columns
               FROM pg_index x
               JOIN pg_class i ON i.oid = x.indexrelid
               JOIN pg_class c ON c.oid = x.indrelid
               WHERE c.relnamespace = current_schema()::regnamespace AND x.indisunique
               ORDER BY 1, 2";
    let keys: Vec<(String, String, Vec<Option<String>>)> =
        sqlx::query_as(sql).fetch_all(pool).await.unwrap();
    assert!(keys.len() > 20, "the keys were not found: {keys:?}");
    keys.into_iter()
        .filter(|(table, ..)| !WITHOUT_TENANT.iter().any(|(name, _)| name == table))
        .filter(|(.., columns)| {
            !columns
                .iter()
                .flatten()
                .any(|column| OWNERS.contains(&column.as_str()))
        })
        .map(|(table, key, _)| format!("{table}: {key}"))
        .collect()
}

/// Tables without a key, or without the column of the tenant.
async fn tables_without_tenant(pool: &PgPool) -> Vec<String> {
    let sql = "SELECT c.relname::text FROM pg_class c
               WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
                 AND NOT (EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisprimary)
                     AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'
                                   AND a.attnotnull))
               ORDER BY 1";
    let tables: Vec<String> = sqlx::query_scalar(sql).fetch_all(pool).await.unwrap();
    tables
        .into_iter()
        .filter(|table| !WITHOUT_TENANT.iter().any(|(name, _)| name == table))
        .collect()
}

/// Tables, views and columns without a comment; slices are explained by their tables.
async fn unexplained(pool: &PgPool) -> Vec<String> {
    let sql = "SELECT c.relname || coalesce('.' || a.attname, '') FROM pg_class c
               JOIN LATERAL (SELECT NULL::name AS attname, 0 AS attnum UNION ALL
                             SELECT attname, attnum FROM pg_attribute
                             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) a ON true
               WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
                 AND NOT c.relispartition
                 AND coalesce(trim(CASE a.attnum WHEN 0 THEN obj_description(c.oid, 'pg_class')
                                                 ELSE col_description(c.oid, a.attnum) END), '') = ''
               ORDER BY 1";
    sqlx::query_scalar(sql).fetch_all(pool).await.unwrap()
}

async fn execute(pool: &PgPool, sql: &'static str) {
    sqlx::raw_sql(sql).execute(pool).await.unwrap();
}

#[test]
fn every_key_names_its_tenant_or_its_instance() {
    with_database(|pool| async move {
        assert_eq!(keys_without_owner(&pool).await, Vec::<String>::new());
        assert_eq!(tables_without_tenant(&pool).await, Vec::<String>::new());
    });
}

#[test]
fn a_table_that_breaks_the_rule_of_keys_is_found() {
    with_database(|pool| async move {
        execute(
            &pool,
            "CREATE TABLE stray (tenant_id uuid NOT NULL, id uuid PRIMARY KEY, name text);
             CREATE UNIQUE INDEX stray_name ON stray (lower(name)) INCLUDE (tenant_id);
             CREATE TABLE keyless (id uuid)",
        )
        .await;
        assert_eq!(
            keys_without_owner(&pool).await,
            ["stray: stray_name", "stray: stray_pkey"]
        );
        assert_eq!(tables_without_tenant(&pool).await, ["keyless"]);
        assert_eq!(
            unexplained(&pool).await,
            [
                "keyless",
                "keyless.id",
                "stray",
                "stray.id",
                "stray.name",
                "stray.tenant_id"
            ]
        );
    });
}

#[test]
fn tables_without_tenant_exist_and_have_none() {
    with_database(|pool| async move {
        for (table, _) in WITHOUT_TENANT {
            let columns: Vec<String> = sqlx::query_scalar(
                "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0",
            )
            .bind(table)
            .fetch_all(&pool)
            .await
            .unwrap();
            assert!(!columns.is_empty(), "{table} is gone");
            assert!(!columns.contains(&"tenant_id".to_owned()), "{table}");
        }
    });
}

#[test]
fn every_table_and_column_is_explained() {
    with_database(|pool| async move {
        assert_eq!(unexplained(&pool).await, Vec::<String>::new());
    });
}

#[test]
fn references_are_those_intended() {
    with_database(|pool| async move {
        let found: Vec<(String, String)> = sqlx::query_as(
            "SELECT c.relname::text, pg_get_constraintdef(k.oid) FROM pg_constraint k
             JOIN pg_class c ON c.oid = k.conrelid
             WHERE k.connamespace = current_schema()::regnamespace AND k.contype = 'f'
             ORDER BY 1, 2",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        let found: Vec<(&str, &str)> = found.iter().map(|(t, d)| (&**t, &**d)).collect();
        assert_eq!(found, REFERENCES);
    });
}
