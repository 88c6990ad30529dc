//! Keeping definitions: the [`DefinitionStore`].

pub(crate) mod builtins;
mod family;
mod references;
mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use augmented_core::model::{DefinitionKind, LifecycleStatus, StoredDefinition};
use augmented_core::store::{
    DefinitionFilter, DefinitionStore, DraftDeletion, Family, NewDefinition, PutOutcome,
    StatusChange, StatusMove, StoreError,
};
use augmented_core::{TenantId, Timestamp};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use crate::constraints::{rule, table_name};
use crate::error::store_error;
use crate::transaction::{Transaction, WRITE};
use crate::{PostgresStore, SchemaName};
use family::Write;

/// The columns of the view `definitions`, in the order of [`rows::read`].
const COLUMNS: &str = "d.id, d.tenant_id, d.kind, d.business_id, d.version, d.status, d.content_hash, d.created_at, \
     d.updated_at, d.published_at, d.deprecation_note, d.deprecation_replacement, d.document";

#[async_trait]
impl DefinitionStore for PostgresStore {
    async fn put_definitions(
        &self,
        tenant: TenantId,
        bundle: Vec<NewDefinition>,
        now: Timestamp,
    ) -> Result<Vec<PutOutcome>, StoreError> {
        for new in &bundle {
            table_of(new.kind)?;
        }
        let mut transaction = Transaction::begin(&self.pool, WRITE)
            .await
            .map_err(refused)?;
        let keys = bundle
            .iter()
            .map(|new| (new.kind, Arc::clone(&new.business_id)));
        let mut families = self.lock(&mut transaction, tenant, keys).await?;
        let mut outcomes = Vec::with_capacity(bundle.len());
        let mut writes = Vec::new();
        for new in bundle {
            let family = families
                .entry((new.kind.as_str(), Arc::clone(&new.business_id)))
                .or_default();
            let (outcome, write) = family::put(family, tenant, new, now)?;
            outcomes.push(outcome);
            writes.extend(write);
        }
        if family::refuse_all(&mut outcomes) {
            transaction.roll_back().await.map_err(refused)?;
            return Ok(outcomes);
        }
        for write in &writes {
            write_row(&mut transaction, &self.schema, write).await?;
        }
        for write in &writes {
            let stored = write.stored();
            references::write(&mut transaction, &self.schema, stored).await?;
        }
        transaction.commit().await.map_err(refused)?;
        Ok(outcomes)
    }

    async fn definition_versions(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
    ) -> Result<Vec<StoredDefinition>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM $schema.definitions AS d WHERE d.tenant_id = $1 AND d.kind = $2 AND d.business_id = $3
             ORDER BY $schema.aug_semver_order(d.version) COLLATE \"C\""
        );
        let rows = sqlx::query(AssertSqlSafe(self.schema.fill(&sql)))
            .persistent(self.persistent)
            .bind(tenant.0)
            .bind(kind.as_str())
            .bind(business_id)
            .fetch_all(&self.pool)
            .await;
        read_all(&rows.map_err(refused)?)
    }

    async fn definitions_by_id(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<Vec<Option<StoredDefinition>>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM $schema.definitions AS d WHERE d.tenant_id = $1 AND d.id = ANY ($2)"
        );
        let rows = sqlx::query(AssertSqlSafe(self.schema.fill(&sql)))
            .persistent(self.persistent)
            .bind(tenant.0)
            .bind(ids)
            .fetch_all(&self.pool)
            .await;
        let found = read_all(&rows.map_err(refused)?)?;
        let of = |id: &Uuid| found.iter().find(|stored| stored.id == *id).cloned();
        Ok(ids.iter().map(of).collect())
    }

    async fn list_definitions(
        &self,
        tenant: TenantId,
        filter: &DefinitionFilter,
    ) -> Result<Vec<StoredDefinition>, StoreError> {
        // The page is cut from the index; documents are built for its rows only.
        let sql = format!(
            "SELECT {COLUMNS} FROM (
                 SELECT i.tenant_id, i.id, i.kind, i.business_id, i.version_order FROM $schema.definition_index AS i
                 LEFT JOIN $schema.definition_index AS a ON a.tenant_id = $1 AND a.id = $5
                 WHERE i.tenant_id = $1 AND ($2::text IS NULL OR i.kind = $2)
                   AND (cardinality($3::text[]) = 0 OR i.status = ANY ($3))
                   AND ($4::text IS NULL OR position(lower($4) IN lower(i.business_id)) > 0
                        OR position(lower($4) IN lower(coalesce(i.name, ''))) > 0)
                   AND (a.id IS NULL OR (i.kind COLLATE \"C\", i.business_id COLLATE \"C\", i.version_order)
                        > (a.kind COLLATE \"C\", a.business_id COLLATE \"C\", a.version_order))
                 ORDER BY i.kind COLLATE \"C\", i.business_id COLLATE \"C\", i.version_order LIMIT $6
             ) AS page JOIN $schema.definitions AS d ON d.tenant_id = page.tenant_id AND d.kind = page.kind AND d.id = page.id
             ORDER BY page.kind COLLATE \"C\", page.business_id COLLATE \"C\", page.version_order"
        );
        let statuses: Vec<&str> = filter
            .statuses
            .iter()
            .map(|status| status.as_str())
            .collect();
        let limit = i64::try_from(filter.limit.clamp(1, 1000)).unwrap_or(1000);
        let rows = sqlx::query(AssertSqlSafe(self.schema.fill(&sql)))
            .persistent(false)
            .bind(tenant.0)
            .bind(filter.kind.map(DefinitionKind::as_str))
            .bind(statuses)
            .bind(filter.search.as_deref())
            .bind(filter.after)
            .bind(limit)
            .fetch_all(&self.pool)
            .await;
        read_all(&rows.map_err(refused)?)
    }

    async fn change_definition_status(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
        version: &str,
        step: StatusMove,
        now: Timestamp,
    ) -> Result<StatusChange, StoreError> {
        let mut transaction = Transaction::begin(&self.pool, WRITE)
            .await
            .map_err(refused)?;
        let key = (kind, Arc::from(business_id));
        let mut families = self.lock(&mut transaction, tenant, [key]).await?;
        let mut family = families
            .pop_first()
            .map(|(_, family)| family)
            .unwrap_or_default();
        let was_draft = family
            .find(version)
            .is_some_and(|stored| stored.status == LifecycleStatus::Draft);
        let (change, write) = family::change(&mut family, version, step, now);
        if let Some(write) = write {
            write_row(&mut transaction, &self.schema, &write).await?;
            // What a publication was resolved to is not resolved again by later moves.
            if was_draft {
                references::write(&mut transaction, &self.schema, write.stored()).await?;
            }
            transaction.commit().await.map_err(refused)?;
        } else {
            transaction.roll_back().await.map_err(refused)?;
        }
        Ok(change)
    }

    async fn delete_draft(
        &self,
        tenant: TenantId,
        kind: DefinitionKind,
        business_id: &str,
        version: &str,
    ) -> Result<DraftDeletion, StoreError> {
        let mut transaction = Transaction::begin(&self.pool, WRITE)
            .await
            .map_err(refused)?;
        let key = (kind, Arc::from(business_id));
        let mut families = self.lock(&mut transaction, tenant, [key]).await?;
        let family = families
            .pop_first()
            .map(|(_, family)| family)
            .unwrap_or_default();
        let refusal = match family.find(version) {
            None => Some(DraftDeletion::NotFound),
            Some(stored) if stored.status != LifecycleStatus::Draft => {
                Some(DraftDeletion::NotDraft(stored.status))
            }
            Some(_) => None,
        };
        let (None, Some(stored)) = (&refusal, family.find(version)) else {
            transaction.roll_back().await.map_err(refused)?;
            return Ok(refusal.unwrap_or(DraftDeletion::NotFound));
        };
        let sql = format!(
            "DELETE FROM $schema.{} WHERE tenant_id = $1 AND id = $2",
            table_of(kind)?
        );
        sqlx::query(AssertSqlSafe(self.schema.fill(&sql)))
            .persistent(false)
            .bind(tenant.0)
            .bind(stored.id)
            .execute(&mut *transaction)
            .await
            .map_err(refused)?;
        transaction.commit().await.map_err(refused)?;
        Ok(DraftDeletion::Deleted)
    }
}

/// Families by the name of the kind and the business id.
type Families = BTreeMap<(&'static str, Arc<str>), Family>;

impl PostgresStore {
    /// Waits for the other writers of some business ids, then reads all their versions.
    async fn lock(
        &self,
        connection: &mut PgConnection,
        tenant: TenantId,
        keys: impl IntoIterator<Item = (DefinitionKind, Arc<str>)>,
    ) -> Result<Families, StoreError> {
        let mut families: Families = keys
            .into_iter()
            .map(|(kind, id)| ((kind.as_str(), id), Family::default()))
            .collect();
        let (kinds, ids): (Vec<&str>, Vec<&str>) = families
            .keys()
            .map(|(kind, id)| (*kind, id.as_ref()))
            .unzip();
        // Locks are taken in one order by everybody, so that two bundles never wait for each other.
        let lock = "SELECT pg_advisory_xact_lock(key) FROM (
                SELECT DISTINCT $schema.aug_family_key($1, kind, id) AS key FROM unnest($2::text[], $3::text[]) AS f(kind, id)
                ORDER BY key) AS keys";
        sqlx::query(AssertSqlSafe(self.schema.fill(lock)))
            .persistent(false)
            .bind(tenant.0)
            .bind(&kinds)
            .bind(&ids)
            .execute(&mut *connection)
            .await
            .map_err(refused)?;
        let sql = format!(
            "SELECT {COLUMNS} FROM unnest($2::text[], $3::text[]) AS f(kind, business_id)
             JOIN $schema.definitions AS d ON d.tenant_id = $1 AND d.kind = f.kind AND d.business_id = f.business_id"
        );
        let rows = sqlx::query(AssertSqlSafe(self.schema.fill(&sql)))
            .persistent(false)
            .bind(tenant.0)
            .bind(&kinds)
            .bind(&ids)
            .fetch_all(connection)
            .await
            .map_err(refused)?;
        for stored in read_all(&rows)? {
            let key = (stored.kind.as_str(), Arc::clone(&stored.business_id));
            families.entry(key).or_default().add(stored)?;
        }
        Ok(families)
    }
}

/// Writes one version as it is to be.
async fn write_row(
    connection: &mut PgConnection,
    schema: &SchemaName,
    write: &Write,
) -> Result<(), StoreError> {
    let stored = write.stored();
    let sql = match write {
        Write::Insert(_) => format!(
            "SELECT $schema.aug_put_{}($1, $2, $3, $4, $5, $6)",
            stored.kind
        ),
        Write::Content(_) => format!(
            "UPDATE $schema.{} SET draft = $2, status = $3, content_hash = $5, updated_at = $6,
                 published_at = CASE $3 WHEN 'DRAFT' THEN NULL ELSE $6 END WHERE tenant_id = $1 AND id = $4",
            table_of(stored.kind)?
        ),
        Write::Status(_) => format!(
            "UPDATE $schema.{} SET status = $2, updated_at = $4, published_at = $5, deprecation_note = $6,
                 deprecation_replacement = $7 WHERE tenant_id = $1 AND id = $3",
            table_of(stored.kind)?
        ),
    };
    let query = sqlx::query(AssertSqlSafe(schema.fill(&sql)))
        .persistent(false)
        .bind(stored.tenant.0);
    let query = match write {
        Write::Insert(_) | Write::Content(_) => query
            .bind(stored.document.as_ref())
            .bind(stored.status.as_str())
            .bind(stored.id)
            .bind(stored.content_hash.to_vec())
            .bind(stored.updated_at.to_chrono()),
        Write::Status(_) => query
            .bind(stored.status.as_str())
            .bind(stored.id)
            .bind(stored.updated_at.to_chrono())
            .bind(stored.published_at.map(Timestamp::to_chrono))
            .bind(stored.deprecation.as_ref().map(|said| said.reason.as_ref()))
            .bind(
                stored
                    .deprecation
                    .as_ref()
                    .and_then(|said| said.replaced_by.as_deref()),
            ),
    };
    query.execute(connection).await.map_err(refused)?;
    Ok(())
}

fn read_all(rows: &[PgRow]) -> Result<Vec<StoredDefinition>, StoreError> {
    rows.iter().map(rows::read).collect()
}

/// The table of a kind, or why there is none.
fn table_of(kind: DefinitionKind) -> Result<&'static str, StoreError> {
    table_name(kind).ok_or_else(|| {
        StoreError::corrupt(format!(
            "definitions of kind `{kind}` cannot be stored by this version"
        ))
    })
}

/// What a driver error means, with the rule that was broken where the database names one.
fn refused(error: sqlx::Error) -> StoreError {
    let broken = error
        .as_database_error()
        .and_then(|database| database.constraint())
        .and_then(rule);
    match (broken, store_error(error)) {
        (Some(rule), StoreError::Corrupt { reason }) => {
            let place = match rule.pointer.is_empty() {
                true => String::new(),
                false => format!(" at `{}`", rule.pointer),
            };
            StoreError::corrupt(format!("{}{place}: {reason}", rule.code))
        }
        (_, error) => error,
    }
}

/// A column of a row, or that the row cannot be read.
fn column<'r, T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>>(
    row: &'r PgRow,
    index: usize,
) -> Result<T, StoreError> {
    row.try_get(index).map_err(store_error)
}
