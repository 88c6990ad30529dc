//! Writing what a definition refers to, so that the database holds publications and archives to it.

use augmented_core::model::{
    DefinitionKind, LifecycleStatus, StoredDefinition, builtin, select_version,
};
use augmented_core::schemas;
use augmented_core::store::StoreError;
use augmented_core::validate::{references, schema_references};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::{column, refused};
use crate::SchemaName;

/// A reference, and where it leads.
struct Reference {
    pointer: String,
    kind: DefinitionKind,
    business_id: String,
    requirement: Option<String>,
    target: Option<Uuid>,
    /// Whether it leads to what is no row here: shipped with the product, or registered by a host.
    to_system: bool,
}

/// Replaces the references of a definition that is a draft or just became PUBLISHED.
pub(super) async fn write(
    connection: &mut PgConnection,
    schema: &SchemaName,
    stored: &StoredDefinition,
) -> Result<(), StoreError> {
    let mut found = read(stored);
    if stored.status == LifecycleStatus::Published {
        for reference in &mut found {
            resolve(&mut *connection, schema, stored, reference).await?;
        }
    }
    let delete = "DELETE FROM $schema.definition_refs WHERE tenant_id = $1 AND from_id = $2";
    sqlx::query(AssertSqlSafe(schema.fill(delete)))
        .persistent(false)
        .bind(stored.tenant.0)
        .bind(stored.id)
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
    if found.is_empty() {
        return Ok(());
    }
    let insert = "INSERT INTO $schema.definition_refs
            (tenant_id, from_id, pointer, to_kind, to_business_id, version_req, to_id, to_system)
        SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::boolean[])
        ON CONFLICT DO NOTHING";
    let texts = |of: fn(&Reference) -> String| found.iter().map(of).collect::<Vec<_>>();
    let requirements: Vec<_> = found.iter().map(|r| r.requirement.clone()).collect();
    let targets: Vec<_> = found.iter().map(|r| r.target).collect();
    let system: Vec<_> = found.iter().map(|r| r.to_system).collect();
    sqlx::query(AssertSqlSafe(schema.fill(insert)))
        .persistent(false)
        .bind(stored.tenant.0)
        .bind(stored.id)
        .bind(texts(|r| r.pointer.clone()))
        .bind(texts(|r| r.kind.to_string()))
        .bind(texts(|r| r.business_id.clone()))
        .bind(requirements)
        .bind(targets)
        .bind(system)
        .execute(connection)
        .await
        .map_err(refused)?;
    Ok(())
}

/// What the document refers to.
fn read(stored: &StoredDefinition) -> Vec<Reference> {
    let definitions = references(stored.kind, &stored.document);
    let schemas = schema_references(stored.kind, &stored.document);
    let of_definitions = definitions.into_iter().map(|found| Reference {
        pointer: found.pointer,
        kind: found.kind,
        business_id: found.id,
        requirement: found.requirement,
        target: None,
        to_system: false,
    });
    let of_schemas = schemas.into_iter().map(|found| Reference {
        pointer: found.pointer,
        kind: DefinitionKind::Schema,
        business_id: found.schema_id,
        requirement: Some(found.version),
        target: None,
        to_system: false,
    });
    of_definitions.chain(of_schemas).collect()
}

/// Finds the version a reference means; one that means none stays open, and the database refuses it.
///
/// A task without any definition is one that a host registered: the code that answers for it is not in the database, so
/// neither is what could be archived under the reference. The engine has held it against its host before.
async fn resolve(
    connection: &mut PgConnection,
    schema: &SchemaName,
    stored: &StoredDefinition,
    reference: &mut Reference,
) -> Result<(), StoreError> {
    let sql = "SELECT id, version, status FROM $schema.definition_index WHERE tenant_id = $1 AND kind = $2 AND business_id = $3";
    let rows = sqlx::query(AssertSqlSafe(schema.fill(sql)))
        .persistent(false)
        .bind(stored.tenant.0)
        .bind(reference.kind.as_str())
        .bind(&reference.business_id)
        .fetch_all(connection)
        .await
        .map_err(refused)?;
    let mut known: Vec<(String, LifecycleStatus, Option<Uuid>)> = Vec::new();
    for row in &rows {
        let status = column::<String>(row, 2)?
            .parse()
            .map_err(|_| StoreError::corrupt("a row has a status that is not known"))?;
        known.push((column(row, 1)?, status, Some(column(row, 0)?)));
    }
    if let Some(version) = shipped(reference)
        && !known.iter().any(|(own, ..)| own == version)
    {
        known.push((version.to_owned(), LifecycleStatus::Published, None));
    }
    let candidates: Vec<(&str, LifecycleStatus)> = known
        .iter()
        .map(|(version, status, _)| (version.as_str(), *status))
        .collect();
    let chosen = select_version(reference.requirement.as_deref(), &candidates)
        .ok()
        .flatten()
        .and_then(|(version, _)| known.iter().find(|(own, ..)| own == version));
    if let Some((_, _, target)) = chosen {
        reference.target = *target;
        reference.to_system = target.is_none();
    } else if known.is_empty() {
        reference.to_system = reference.kind == DefinitionKind::Task;
    }
    Ok(())
}

/// The version that is shipped under the id a reference names.
fn shipped(reference: &Reference) -> Option<&'static str> {
    match reference.kind {
        DefinitionKind::Task => builtin::task(&reference.business_id).map(|_| builtin::VERSION),
        DefinitionKind::Schema => {
            schemas::shipped_version(&reference.business_id, schemas::SCHEMA_VERSION)
                .map(|_| schemas::SCHEMA_VERSION)
        }
        _ => None,
    }
}
