//! Makes the tables: forward only, one at a time, safe when several processes begin at once.

use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};

use crate::{PostgresError, SchemaName};

/// One step of the tables' history; once released, it never changes.
struct Migration {
    version: i32,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "definitions",
        sql: include_str!("../migrations/0001_definitions.sql"),
    },
    Migration {
        version: 2,
        name: "runtime",
        sql: include_str!("../migrations/0002_runtime.sql"),
    },
    Migration {
        version: 3,
        name: "partitions",
        sql: include_str!("../migrations/0003_partitions.sql"),
    },
    Migration {
        version: 4,
        name: "commit",
        sql: include_str!("../migrations/0004_commit.sql"),
    },
    Migration {
        version: 5,
        name: "upkeep",
        sql: include_str!("../migrations/0005_upkeep.sql"),
    },
    Migration {
        version: 6,
        name: "grants",
        sql: include_str!("../migrations/0006_grants.sql"),
    },
];

/// The version of the tables this program works with.
pub(crate) fn current_version() -> i32 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// Brings the tables up to date. Each migration is a transaction of its own; a process that dies in the middle leaves
/// those before it, and the next call goes on from there.
pub(crate) async fn migrate(
    connection: &mut PgConnection,
    schema: &SchemaName,
) -> Result<(), PostgresError> {
    prepare(connection, schema).await?;
    loop {
        if !apply_next(connection, schema).await? {
            return Ok(());
        }
    }
}

/// Makes the schema and the list of migrations.
async fn prepare(connection: &mut PgConnection, schema: &SchemaName) -> Result<(), PostgresError> {
    let mut transaction = connection.begin().await?;
    lock(&mut transaction, schema).await?;
    let sql = schema.fill(
        "CREATE SCHEMA IF NOT EXISTS $schema;
         CREATE TABLE IF NOT EXISTS $schema.schema_migrations (
             version integer PRIMARY KEY,
             name text NOT NULL,
             checksum bytea NOT NULL,
             applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
         );
         COMMENT ON TABLE $schema.schema_migrations IS 'The migrations that made these tables';",
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Applies the first migration that was not applied; `false` if there is none.
async fn apply_next(
    connection: &mut PgConnection,
    schema: &SchemaName,
) -> Result<bool, PostgresError> {
    let mut transaction = connection.begin().await?;
    lock(&mut transaction, schema).await?;
    let applied = applied(&mut transaction, schema).await?;
    check(schema, &applied)?;
    let Some(next) = MIGRATIONS.get(applied.len()) else {
        return Ok(false);
    };
    let sql = schema.fill(&format!(
        "SET LOCAL search_path = $schema, pg_temp;\n{}",
        next.sql
    ));
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut *transaction)
        .await?;
    let insert = schema.fill(
        "INSERT INTO $schema.schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
    );
    sqlx::query(AssertSqlSafe(insert))
        .persistent(false)
        .bind(next.version)
        .bind(next.name)
        .bind(checksum(next))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    tracing::info!(version = next.version, name = next.name, "migrated");
    Ok(true)
}

/// Lets one process migrate a schema at a time, until the end of the transaction.
async fn lock(connection: &mut PgConnection, schema: &SchemaName) -> Result<(), PostgresError> {
    let digest = Sha256::digest(format!("augmented migrations of {schema}"));
    let key = digest
        .iter()
        .take(8)
        .fold(0_i64, |key, byte| (key << 8) | i64::from(*byte));
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .persistent(false)
        .bind(key)
        .execute(connection)
        .await?;
    Ok(())
}

type Applied = Vec<(i32, Vec<u8>)>;

async fn applied(
    connection: &mut PgConnection,
    schema: &SchemaName,
) -> Result<Applied, PostgresError> {
    let sql =
        schema.fill("SELECT version, checksum FROM $schema.schema_migrations ORDER BY version");
    let rows = sqlx::query(AssertSqlSafe(sql))
        .persistent(false)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

fn check(schema: &SchemaName, applied: &Applied) -> Result<(), PostgresError> {
    for (index, (version, sum)) in applied.iter().enumerate() {
        let Some(migration) = MIGRATIONS.get(index) else {
            return Err(PostgresError::SchemaTooNew {
                schema: schema.to_string(),
                found: applied.last().map_or(0, |(version, _)| *version),
                known: current_version(),
            });
        };
        if migration.version != *version || checksum(migration) != *sum {
            return Err(PostgresError::MigrationChanged {
                schema: schema.to_string(),
                version: *version,
            });
        }
    }
    Ok(())
}

/// Refuses tables that this program does not know or that it has outgrown.
pub(crate) async fn check_version(
    connection: &mut PgConnection,
    schema: &SchemaName,
) -> Result<(), PostgresError> {
    let too_old = |found| PostgresError::SchemaTooOld {
        schema: schema.to_string(),
        found,
        needed: current_version(),
    };
    let table: Option<String> = sqlx::query_scalar("SELECT to_regclass($1)::text")
        .persistent(false)
        .bind(format!("{schema}.schema_migrations"))
        .fetch_one(&mut *connection)
        .await?;
    if table.is_none() {
        return Err(too_old(0));
    }
    let applied = applied(connection, schema).await?;
    check(schema, &applied)?;
    match applied.last().map_or(0, |(version, _)| *version) {
        found if found < current_version() => Err(too_old(found)),
        _ => Ok(()),
    }
}

fn checksum(migration: &Migration) -> Vec<u8> {
    Sha256::digest(migration.sql).to_vec()
}
