//! Reading instances.

use augmented_core::runtime::HistoryEntry;
use augmented_core::store::{InstanceFilter, InstancePage, LoadedInstance, Page};
use augmented_core::{InstanceId, Seq};

use super::{Engine, InstanceView};
use crate::EngineError;
use crate::workflow::{CompiledWorkflow, history, replay};
use std::sync::Arc;

/// Facts that are read at once.
const FACTS_PER_READ: usize = 1000;

/// A part of the history of an instance.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct HistoryPage {
    /// The entries, in order.
    pub entries: Vec<HistoryEntry>,
    /// The fact the next page begins at; `None` at the end.
    pub next: Option<Seq>,
}

impl Engine {
    /// An instance as of its last committed fact.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such instance, and errors of the store.
    pub async fn instance(&self, instance: InstanceId) -> Result<InstanceView, EngineError> {
        let loaded = self.loaded(instance).await?;
        self.view(loaded).await
    }

    /// A page of instances, newest first.
    ///
    /// # Errors
    /// `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn list(
        &self,
        filter: &InstanceFilter,
        page: Page,
    ) -> Result<InstancePage, EngineError> {
        Ok(self
            .shared()
            .store
            .list_instances(self.tenant, filter, page)
            .await?)
    }

    /// The whole history of an instance, open work included.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such instance, and errors of the store.
    pub async fn history(&self, instance: InstanceId) -> Result<Vec<HistoryEntry>, EngineError> {
        let mut entries = Vec::new();
        let mut from = Some(0);
        while let Some(seq) = from {
            let page = self.history_page(instance, seq, FACTS_PER_READ).await?;
            entries.extend(page.entries);
            from = page.next;
        }
        Ok(entries)
    }

    /// The history of an instance over up to `limit` facts (1–1000) from fact `from` on; the last page includes open work.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such instance, and errors of the store.
    pub async fn history_page(
        &self,
        instance: InstanceId,
        from: Seq,
        limit: usize,
    ) -> Result<HistoryPage, EngineError> {
        let loaded = self.loaded(instance).await?;
        let limit = limit.clamp(1, FACTS_PER_READ);
        let facts = self
            .shared()
            .store
            .facts(self.tenant, instance, from, limit)
            .await?;
        let flow = self.flow(&loaded).await?;
        let header = Arc::clone(&loaded.header);
        if facts.len() >= limit {
            let next = facts.last().map(|fact| fact.seq + 1);
            return Ok(HistoryPage {
                entries: history(&flow, &header, &facts, None),
                next,
            });
        }
        let attempts = loaded.attempts.clone();
        let view = self.view(loaded).await?;
        let entries = history(&flow, &header, &facts, Some((view.state(), &attempts)));
        Ok(HistoryPage {
            entries,
            next: None,
        })
    }

    pub(super) async fn loaded(&self, instance: InstanceId) -> Result<LoadedInstance, EngineError> {
        let loaded = self.shared().store.instance(self.tenant, instance).await?;
        loaded.ok_or_else(|| {
            EngineError::not_found(
                "WORKFLOW_NOT_FOUND",
                format!("there is no instance {instance}"),
            )
        })
    }

    async fn flow(&self, loaded: &LoadedInstance) -> Result<Arc<CompiledWorkflow>, EngineError> {
        self.shared()
            .definitions
            .workflow(self.tenant, loaded.header.definition.id)
            .await
    }

    async fn view(&self, loaded: LoadedInstance) -> Result<InstanceView, EngineError> {
        let flow = self.flow(&loaded).await?;
        let state = match &loaded.state {
            Some(state) if loaded.facts.is_empty() => Arc::clone(state),
            _ => {
                let state = replay(&flow, &loaded, &self.shared().limits);
                Arc::new(state.map_err(|error| {
                    EngineError::internal(format!("the instance cannot be rebuilt: {error}"))
                })?)
            }
        };
        Ok(InstanceView::new(flow, state, loaded.attempts))
    }
}
