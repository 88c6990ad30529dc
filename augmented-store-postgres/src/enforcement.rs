//! How much the database enforces by itself, and what it holds nevertheless.

use augmented_core::TenantId;
use augmented_core::model::DefinitionKind;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use uuid::Uuid;

use crate::{PostgresConfig, PostgresError, PostgresStore, SchemaName, constraints};

/// The trigger that holds a published definition against the whole JSON Schema of its kind.
const FULL_CHECK: &str = "aug_4_check";

/// How much of a definition's JSON Schema the database enforces when a row is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are all the cases there are")]
pub enum Enforcement {
    /// All of it.
    #[default]
    Full,
    /// Types, containers, required and known members, references, the life cycle: what restoring many rows needs no
    /// schema for. Whatever was published meanwhile is checked by [`PostgresStore::verify_all`].
    Structural,
}

/// A published definition that its JSON Schema refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Nonconforming {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its kind.
    pub kind: DefinitionKind,
    /// Its business id.
    pub business_id: String,
    /// Its version.
    pub version: String,
    /// The first thing that is wrong: a JSON Pointer and what the schema demands there.
    pub fault: String,
}

impl PostgresStore {
    /// Sets how much the database enforces, for all who write to these tables, until it is set again.
    ///
    /// Needs the owner of the tables, and waits for transactions that write definitions. While it is
    /// [`Enforcement::Structural`], [`connect`](Self::connect) warns.
    ///
    /// # Errors
    /// [`PostgresError`], which says what to do; nothing is changed then.
    pub async fn set_enforcement(
        config: &PostgresConfig,
        enforcement: Enforcement,
    ) -> Result<(), PostgresError> {
        let switch = match enforcement {
            Enforcement::Full => "ENABLE",
            Enforcement::Structural => "DISABLE",
        };
        let mut sql = String::from("BEGIN;");
        for (_, table, _) in constraints::kinds() {
            sql += &format!("ALTER TABLE $schema.{table} {switch} TRIGGER {FULL_CHECK};");
        }
        sql += "COMMIT";
        let mut connection = config.options()?.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(config.schema.fill(&sql)))
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        Ok(())
    }

    /// Holds every published definition of every tenant against the schema version it names, and lists those it refuses.
    ///
    /// Reads all of them: about 10 ms for a workflow of ten steps.
    ///
    /// # Errors
    /// [`PostgresError`] if the database cannot be read.
    pub async fn verify_all(&self) -> Result<Vec<Nonconforming>, PostgresError> {
        let mut transaction = self.pool.begin().await?;
        let mut refused = Vec::new();
        for (kind, table, id_column) in constraints::kinds() {
            let sql = self.schema.fill(&verification(kind, table, &id_column));
            // It takes as long as it takes.
            sqlx::raw_sql("SET LOCAL statement_timeout = 0")
                .execute(&mut *transaction)
                .await?;
            let rows = sqlx::query(AssertSqlSafe(sql))
                .persistent(false)
                .fetch_all(&mut *transaction)
                .await?;
            for row in rows {
                refused.push(Nonconforming {
                    tenant: TenantId(row.try_get::<Uuid, _>(0)?),
                    kind,
                    business_id: row.try_get(1)?,
                    version: row.try_get(2)?,
                    fault: row.try_get(3)?,
                });
            }
        }
        transaction.commit().await?;
        Ok(refused)
    }
}

fn verification(kind: DefinitionKind, table: &str, id_column: &str) -> String {
    let (schema_id, system) = (format!("core.{kind}"), Uuid::nil());
    format!(
        "SELECT tenant_id, business_id, version, coalesce(fault, 'its schema_version is no version of {schema_id}')
         FROM (SELECT d.tenant_id, d.{id_column} AS business_id, d.version, s.schema IS NULL AS unknown,
                      $schema.aug_document_fault(s.schema || '{{}}', $schema.aug_{kind}_document(d)) AS fault
               FROM $schema.{table} AS d LEFT JOIN $schema.schema_versions AS s
                   ON s.tenant_id = '{system}' AND s.schema_id = '{schema_id}' AND s.version = d.schema_version
               WHERE d.status <> 'DRAFT') AS checked
         WHERE unknown OR fault IS NOT NULL ORDER BY tenant_id, business_id, version"
    )
}

/// What the database enforces now.
pub(crate) async fn current(
    connection: &mut PgConnection,
    schema: &SchemaName,
) -> Result<Enforcement, PostgresError> {
    let is_off: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND t.tgname = $2 AND t.tgenabled = 'D')",
    )
    .persistent(false)
    .bind(schema.to_string())
    .bind(FULL_CHECK)
    .fetch_one(connection)
    .await?;
    Ok(match is_off {
        true => Enforcement::Structural,
        false => Enforcement::Full,
    })
}
