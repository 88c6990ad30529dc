//! What is read of instances from outside.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::{LoadedInstance, StoreError};
use crate::ids::{InstanceId, Seq, TenantId};
use crate::runtime::{Fact, InstanceHeader, InstanceStatus};
use crate::time::Timestamp;

/// Which instances to list; every given member must hold.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct InstanceFilter {
    /// Of this workflow.
    pub workflow_id: Option<String>,
    /// Of this exact version.
    pub version: Option<String>,
    /// In one of these statuses; empty = any.
    pub statuses: Vec<InstanceStatus>,
    /// With this correlation id.
    pub correlation_id: Option<String>,
    /// Children of this instance.
    pub parent: Option<InstanceId>,
    /// Created at or after.
    pub created_from: Option<Timestamp>,
    /// Created before.
    pub created_before: Option<Timestamp>,
    /// With these members in their metadata.
    pub metadata: Option<Value>,
}

/// Where a page begins and how long it is; newest first.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Page {
    /// Continue behind this (createdAt, id) key of the page before.
    pub after: Option<(Timestamp, InstanceId)>,
    /// At most this many, 1–1000.
    pub limit: usize,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            after: None,
            limit: 50,
        }
    }
}

impl Page {
    /// The first `limit` rows behind `after`; `limit` is clamped to 1–1000.
    #[must_use]
    pub fn new(after: Option<(Timestamp, InstanceId)>, limit: usize) -> Self {
        Self {
            after,
            limit: limit.clamp(1, 1000),
        }
    }
}

/// One row of a list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InstanceSummary {
    /// What was fixed at the start.
    pub header: Arc<InstanceHeader>,
    /// The status as of the last written row.
    pub status: InstanceStatus,
    /// The last committed fact; `None` if it was accepted and never begun.
    pub version: Option<Seq>,
    /// When the row was last written.
    pub updated_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

impl InstanceSummary {
    /// One row of a list.
    #[must_use]
    pub fn new(
        header: Arc<InstanceHeader>,
        status: InstanceStatus,
        version: Option<Seq>,
        updated_at: Timestamp,
        completed_at: Option<Timestamp>,
    ) -> Self {
        Self {
            header,
            status,
            version,
            updated_at,
            completed_at,
        }
    }
}

/// A page of instances.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct InstancePage {
    /// The rows, newest first.
    pub instances: Vec<InstanceSummary>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<(Timestamp, InstanceId)>,
}

impl InstancePage {
    /// A page of instances.
    #[must_use]
    pub fn new(instances: Vec<InstanceSummary>, next: Option<(Timestamp, InstanceId)>) -> Self {
        Self { instances, next }
    }
}

/// Reads instances without changing them.
///
/// # Contract
/// - `pages_are_complete_and_disjoint`: following `next` visits every matching instance that existed at the first page exactly once.
/// - `lists_keep_to_their_filter`: every given member holds for every row.
/// - `facts_come_in_order`: facts are returned by `seq` without gaps.
/// - `tenants_do_not_see_each_other`: no call with one tenant shows or changes what belongs to another.
#[async_trait]
pub trait QueryStore: Send + Sync {
    /// One instance with everything behind its last snapshot.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn instance(
        &self,
        tenant: TenantId,
        id: InstanceId,
    ) -> Result<Option<LoadedInstance>, StoreError>;

    /// A page of instances, newest first.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn list_instances(
        &self,
        tenant: TenantId,
        filter: &InstanceFilter,
        page: Page,
    ) -> Result<InstancePage, StoreError>;

    /// Up to `limit` facts of an instance from `from` on, by `seq`.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn facts(
        &self,
        tenant: TenantId,
        id: InstanceId,
        from: Seq,
        limit: usize,
    ) -> Result<Vec<Fact>, StoreError>;
}
