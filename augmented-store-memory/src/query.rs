//! Reading instances: the [`QueryStore`].

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use augmented_core::runtime::Fact;
use augmented_core::store::{
    InstanceFilter, InstancePage, InstanceSummary, LoadedInstance, Page, QueryStore, StoreError,
};
use augmented_core::{InstanceId, Seq, TenantId};
use serde_json::Value;

use crate::MemoryStore;
use crate::row::Row;
use crate::shard::Content;
use crate::timeline::CreationKey;

#[async_trait]
impl QueryStore for MemoryStore {
    async fn instance(
        &self,
        tenant: TenantId,
        id: InstanceId,
    ) -> Result<Option<LoadedInstance>, StoreError> {
        self.load_one(tenant, id)
    }

    async fn list_instances(
        &self,
        tenant: TenantId,
        filter: &InstanceFilter,
        page: Page,
    ) -> Result<InstancePage, StoreError> {
        let limit = page.limit.clamp(1, 1000);
        // One more than asked for tells whether there is a next page.
        let mut newest = Newest {
            rows: BTreeMap::new(),
            limit: limit + 1,
        };
        for shard in self.shards.iter() {
            shard.read(|content| collect(content, tenant, filter, page.after, &mut newest))?;
        }
        let mut instances: Vec<InstanceSummary> = newest.rows.into_values().rev().collect();
        let more = instances.len() > limit;
        instances.truncate(limit);
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
        self.shards.of(id).read(|content| {
            content
                .row(tenant, id)
                .map_or_else(|| Ok(Vec::new()), |row| row.facts(from, limit))
        })
    }
}

/// The newest matches found so far over all shards.
struct Newest {
    rows: BTreeMap<CreationKey, InstanceSummary>,
    limit: usize,
}

impl Newest {
    /// Whether a row of this age can still be among the newest.
    fn wants(&self, key: CreationKey) -> bool {
        self.rows.len() < self.limit
            || self
                .rows
                .first_key_value()
                .is_some_and(|(oldest, _)| *oldest < key)
    }

    fn add(&mut self, key: CreationKey, row: &Row) -> Result<(), StoreError> {
        self.rows.insert(key, row.summary()?);
        if self.rows.len() > self.limit {
            self.rows.pop_first();
        }
        Ok(())
    }
}

/// Adds the matches of one shard, through the narrowest index that serves the filter.
fn collect(
    content: &Content,
    tenant: TenantId,
    filter: &InstanceFilter,
    before: Option<CreationKey>,
    newest: &mut Newest,
) -> Result<(), StoreError> {
    let few = match (&filter.parent, &filter.correlation_id) {
        (Some(parent), _) => Some(content.by_parent.get(parent)),
        (None, Some(correlation_id)) => Some(
            content
                .by_correlation
                .get(&(tenant, Arc::from(correlation_id.as_str()))),
        ),
        (None, None) => None,
    };
    if let Some(ids) = few {
        for row in ids
            .into_iter()
            .flatten()
            .filter_map(|id| content.row(tenant, *id))
        {
            let key = (row.brief.created_at, row.brief.instance);
            if before.is_none_or(|before| key < before) && newest.wants(key) && matches(row, filter)
            {
                newest.add(key, row)?;
            }
        }
        return Ok(());
    }
    let Some(timeline) = content.timelines.get(&tenant) else {
        return Ok(());
    };
    for key in timeline.newest_before(before) {
        if !newest.wants(key) || filter.created_from.is_some_and(|from| key.0 < from) {
            return Ok(());
        }
        if let Some(row) = content
            .row(tenant, key.1)
            .filter(|row| matches(row, filter))
        {
            newest.add(key, row)?;
        }
    }
    Ok(())
}

fn matches(row: &Row, filter: &InstanceFilter) -> bool {
    let brief = &row.brief;
    filter
        .workflow_id
        .as_deref()
        .is_none_or(|id| *brief.definition.workflow_id == *id)
        && filter
            .version
            .as_deref()
            .is_none_or(|version| *brief.definition.version == *version)
        && (filter.statuses.is_empty() || filter.statuses.contains(&row.status()))
        && filter
            .correlation_id
            .as_deref()
            .is_none_or(|id| brief.correlation_id() == Some(id))
        && filter
            .parent
            .is_none_or(|parent| brief.parent() == Some(parent))
        && filter
            .created_from
            .is_none_or(|from| brief.created_at >= from)
        && filter
            .created_before
            .is_none_or(|before| brief.created_at < before)
        && filter.metadata.as_ref().is_none_or(|wanted| {
            brief
                .metadata()
                .is_some_and(|metadata| contains(metadata, wanted))
        })
}

/// Whether a value has everything that is wanted of it: objects member by member, lists element by element.
fn contains(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, wanted)| value.get(name).is_some_and(|value| contains(value, wanted))),
        (Value::Array(value), Value::Array(wanted)) => wanted
            .iter()
            .all(|wanted| value.iter().any(|value| contains(value, wanted))),
        (value, wanted) => value == wanted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_matches_by_what_it_contains() {
        let metadata = json!({"region": "eu", "tags": ["a", {"b": 1, "c": 2}], "n": 1});
        for (wanted, expected) in [
            (json!({}), true),
            (json!({"region": "eu"}), true),
            (json!({"region": "us"}), false),
            (json!({"tags": [{"b": 1}]}), true),
            (json!({"tags": ["z"]}), false),
            (json!({"missing": null}), false),
        ] {
            assert_eq!(contains(&metadata, &wanted), expected, "{wanted}");
        }
    }
}
