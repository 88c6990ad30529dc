//! The built-in schemas in the tables are those of this program.

use augmented_core::schemas::{self, SCHEMA_VERSION};
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use crate::{PostgresError, SchemaName};

/// Refuses tables whose built-in schemas were changed: rows would be held to rules nobody knows.
pub(crate) async fn check(
    connection: &mut PgConnection,
    schema: &SchemaName,
) -> Result<(), PostgresError> {
    let sql = "SELECT schema_id, schema FROM $schema.schema_versions WHERE tenant_id = $1 AND version = $2";
    let rows = sqlx::query(AssertSqlSafe(schema.fill(sql)))
        .persistent(false)
        .bind(Uuid::nil())
        .bind(SCHEMA_VERSION)
        .fetch_all(connection)
        .await?;
    let mut stored: Vec<(String, Value)> = Vec::with_capacity(rows.len());
    for row in &rows {
        stored.push((row.try_get(0)?, row.try_get(1)?));
    }
    for shipped in schemas::all() {
        let is_there = stored
            .iter()
            .any(|(id, schema)| *id == shipped.schema_id && *schema == shipped.schema);
        if !is_there {
            return Err(PostgresError::BuiltinSchemaDrift {
                schema_id: shipped.schema_id.clone(),
                version: SCHEMA_VERSION.to_owned(),
            });
        }
    }
    Ok(())
}
