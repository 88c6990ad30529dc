//! What is read of instances from outside: the [`QueryStore`].

use std::sync::Arc;

use async_trait::async_trait;
use augmented_core::ids::uuid_v7;
use augmented_core::runtime::{Fact, InstanceStatus};
use augmented_core::store::{
    InstanceFilter, InstancePage, InstanceSummary, LoadedInstance, Page, QueryStore, StoreError,
};
use augmented_core::{InstanceId, Seq, TenantId, Timestamp};
use rustc_hash::FxHashMap;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::types::Uuid;
use sqlx::types::chrono::{DateTime, Utc};

use super::read::{HEADER_COLUMNS, get, header_of};
use super::text::{instant, timestamp};
use crate::error::store_error;
use crate::transaction::{SNAPSHOT, Transaction};
use crate::{PostgresStore, SchemaName};

/// How far the instant in the id of an instance and that of its creation may lie apart: an id is made first, and the
/// row of a child when its parent was decided.
const ID_SLACK_MILLIS: i64 = 60_000;

/// The statements of this module, written for one schema.
pub(crate) struct QueryStatements {
    /// Everything before the conditions.
    list: String,
}

impl QueryStatements {
    pub(crate) fn new(schema: &SchemaName) -> Self {
        Self {
            list: schema.fill(&format!(
                "SELECT {HEADER_COLUMNS}, w.status::text, w.updated_at, w.completed_at, \
                 $schema.aug_last_seq(w.id, w.version, w.start IS NOT NULL) AS last_seq \
                 FROM $schema.workflow_instances w WHERE w.tenant_id = $1"
            )),
        }
    }
}

#[async_trait]
impl QueryStore for PostgresStore {
    async fn instance(
        &self,
        tenant: TenantId,
        id: InstanceId,
    ) -> Result<Option<LoadedInstance>, StoreError> {
        Ok(self.load_instances(&[(tenant, id)]).await?.pop())
    }

    async fn list_instances(
        &self,
        tenant: TenantId,
        filter: &InstanceFilter,
        page: Page,
    ) -> Result<InstancePage, StoreError> {
        let page = Page::new(page.after, page.limit);
        let sql = self.list_statement(filter, page);
        let mut query = sqlx::query(AssertSqlSafe(sql))
            .persistent(self.persistent)
            .bind(tenant.0);
        if let Some(workflow) = &filter.workflow_id {
            query = query.bind(workflow);
        }
        if let Some(version) = &filter.version {
            query = query.bind(version);
        }
        if !filter.statuses.is_empty() {
            let names: Vec<&str> = filter
                .statuses
                .iter()
                .map(|status| status.as_str())
                .collect();
            query = query.bind(names);
        }
        if let Some(correlation) = &filter.correlation_id {
            query = query.bind(correlation);
        }
        if let Some(parent) = filter.parent {
            query = query.bind(parent.0);
        }
        if let Some(from) = filter.created_from {
            query = query
                .bind(instant(from))
                .bind(first_id(from.plus_millis(-ID_SLACK_MILLIS)));
        }
        if let Some(before) = filter.created_before {
            query = query
                .bind(instant(before))
                .bind(first_id(before.plus_millis(ID_SLACK_MILLIS)));
        }
        if let Some(metadata) = &filter.metadata {
            query = query.bind(Json(metadata));
        }
        if let Some((_, id)) = page.after {
            query = query.bind(id.0);
        }
        let rows = query
            .bind(
                i64::try_from(page.limit)
                    .unwrap_or(i64::MAX)
                    .saturating_add(1),
            )
            .fetch_all(&self.pool)
            .await
            .map_err(store_error)?;
        let more = rows.len() > page.limit;
        let instances = rows
            .iter()
            .take(page.limit)
            .map(summary)
            .collect::<Result<Vec<_>, _>>()?;
        let next = instances
            .last()
            .filter(|_| more)
            .map(|last| (last.header.created_at, last.header.instance_id));
        Ok(InstancePage::new(instances, next))
    }

    async fn facts(
        &self,
        tenant: TenantId,
        id: InstanceId,
        from: Seq,
        limit: usize,
    ) -> Result<Vec<Fact>, StoreError> {
        // One snapshot for both journals, or a fact could be missing between two that are there.
        let mut transaction = Transaction::begin(&self.pool, SNAPSHOT)
            .await
            .map_err(store_error)?;
        let start = self.start_fact(&mut transaction, tenant, id).await?;
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut behind = match &start {
            Some(_) => {
                self.facts_behind(&mut transaction, &[(tenant, id, from)], most)
                    .await?
            }
            None => FxHashMap::default(),
        };
        transaction.commit().await.map_err(store_error)?;
        let Some(start) = start else {
            return Ok(Vec::new());
        };
        let mut facts = behind.remove(&id).unwrap_or_default();
        if from == 0
            && let Some(start) = start
        {
            facts.insert(0, start);
        }
        facts.truncate(limit);
        Ok(facts)
    }
}

impl PostgresStore {
    /// The statement for a filter: only the conditions it has, so that each gets the plan it deserves.
    fn list_statement(&self, filter: &InstanceFilter, page: Page) -> String {
        use std::fmt::Write as _;
        let mut sql = self.query.list.clone();
        let statuses = self
            .schema
            .fill("AND w.status = ANY (?::text[]::$schema.instance_status[])");
        let mut number = 1;
        let mut add = |condition: &str, count: usize| {
            let mut condition = condition.to_owned();
            for _ in 0..count {
                number += 1;
                condition = condition.replacen('?', &format!("${number}"), 1);
            }
            let _ = write!(sql, " {condition}");
        };
        if filter.workflow_id.is_some() {
            add("AND w.workflow_id = ?", 1);
        }
        if filter.version.is_some() {
            add("AND w.definition_version = ?", 1);
        }
        if !filter.statuses.is_empty() {
            add(&statuses, 1);
        }
        if filter.correlation_id.is_some() {
            add("AND w.correlation_id = ?", 1);
        }
        if filter.parent.is_some() {
            add("AND w.parent_instance_id = ?", 1);
        }
        if filter.created_from.is_some() {
            add("AND w.created_at >= ? AND w.id >= ?", 2);
        }
        if filter.created_before.is_some() {
            add("AND w.created_at < ? AND w.id < ?", 2);
        }
        if filter.metadata.is_some() {
            add("AND w.metadata @> ?", 1);
        }
        if page.after.is_some() {
            add("AND w.id < ?", 1);
        }
        add("ORDER BY w.id DESC LIMIT ?", 1);
        sql
    }
}

/// The lowest id of an instant.
fn first_id(at: Timestamp) -> Uuid {
    uuid_v7(Timestamp::from_millis(at.as_millis()), &[0; 10])
}

fn summary(row: &PgRow) -> Result<InstanceSummary, StoreError> {
    let name: &str = get(row, "status")?;
    let status = InstanceStatus::ALL
        .into_iter()
        .find(|status| status.as_str() == name)
        .ok_or_else(|| StoreError::corrupt(format!("an instance is {name}, which is no status")))?;
    let last: i64 = get(row, "last_seq")?;
    Ok(InstanceSummary::new(
        Arc::new(header_of(row)?),
        status,
        u64::try_from(last).ok(),
        timestamp(get(row, "updated_at")?),
        get::<Option<DateTime<Utc>>>(row, "completed_at")?.map(timestamp),
    ))
}
