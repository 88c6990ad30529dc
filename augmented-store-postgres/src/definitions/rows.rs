//! Reading a row of the view `definitions`.

use std::sync::Arc;

use augmented_core::model::{
    DefinitionKind, Deprecation, LifecycleStatus, StoredDefinition, content_hash,
};
use augmented_core::store::StoreError;
use augmented_core::{TenantId, Timestamp};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::types::chrono::{DateTime, Utc};

use super::column;

/// The definition of a row.
pub(super) fn read(row: &PgRow) -> Result<StoredDefinition, StoreError> {
    let kind: DefinitionKind = named(column(row, 2)?)?;
    let status: LifecycleStatus = named(column(row, 5)?)?;
    let document: Value = column(row, 12)?;
    let hash: Option<Vec<u8>> = column(row, 6)?;
    // A row that came without the library has no hash yet.
    let hash = match hash {
        Some(hash) => hash
            .try_into()
            .map_err(|_| StoreError::corrupt("a content hash has not 32 bytes"))?,
        None => content_hash(kind, &document),
    };
    let created: DateTime<Utc> = column(row, 7)?;
    let mut stored = StoredDefinition::new(
        column(row, 0)?,
        TenantId(column(row, 1)?),
        kind,
        column::<String>(row, 3)?.into(),
        column::<String>(row, 4)?.into(),
        status,
        Arc::new(document),
        hash,
        Timestamp::from_chrono(created),
    );
    stored.updated_at = Timestamp::from_chrono(column(row, 8)?);
    stored.published_at = column::<Option<DateTime<Utc>>>(row, 9)?.map(Timestamp::from_chrono);
    stored.deprecation = column::<Option<String>>(row, 10)?.map(|reason| {
        let mut said = Deprecation::new(reason);
        said.replaced_by = column::<Option<String>>(row, 11)
            .ok()
            .flatten()
            .map(Arc::from);
        said
    });
    Ok(stored)
}

fn named<T: std::str::FromStr>(name: String) -> Result<T, StoreError> {
    name.parse()
        .map_err(|_| StoreError::corrupt("a row has a kind or status that is not known"))
}
