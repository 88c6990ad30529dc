//! Lists of schemas: one row for each id.

use augmented_core::model::{DefinitionKind, LifecycleStatus};
use augmented_core::store::DefinitionFilter;
use serde_json::{Value, json};

use super::SchemaRegistry;
use super::version::SchemaVersion;
use crate::EngineError;

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaSort {
    /// By name.
    #[default]
    Name,
    /// The one changed last comes first.
    UpdatedAt,
    /// By business id.
    SchemaId,
}

/// Which schemas to list.
///
/// ```
/// use augmented_engine::{SchemaFilter, SchemaSort};
/// let filter = SchemaFilter::new().with_namespace("crm").with_sort(SchemaSort::UpdatedAt).with_limit(10);
/// assert_eq!(filter.limit, 10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaFilter {
    /// Only this namespace.
    pub namespace: Option<String>,
    /// Only those with this tag.
    pub tag: Option<String>,
    /// Only those of this owner.
    pub owner: Option<String>,
    /// Whether those without a published version are listed, too, by their latest deprecated one. Default: no.
    pub deprecated: bool,
    /// Only those whose name or description contains this text, case ignored.
    pub search: Option<String>,
    /// The order. Default: by name.
    pub sort: SchemaSort,
    /// Where to go on, as [`SchemaPage::next`] says.
    pub cursor: Option<String>,
    /// At most this many, 1–1000. Default: 50.
    pub limit: usize,
}

impl Default for SchemaFilter {
    fn default() -> Self {
        Self {
            namespace: None,
            tag: None,
            owner: None,
            deprecated: false,
            search: None,
            sort: SchemaSort::default(),
            cursor: None,
            limit: 50,
        }
    }
}

impl SchemaFilter {
    /// The first 50 schemas by name.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the only namespace.
    #[must_use]
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Sets the tag that all have.
    #[must_use]
    pub fn with_tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Sets the only owner.
    #[must_use]
    pub fn with_owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// Sets whether those without a published version are listed, too.
    #[must_use]
    pub fn with_deprecated(mut self, deprecated: bool) -> Self {
        self.deprecated = deprecated;
        self
    }

    /// Sets a text that name or description contain.
    #[must_use]
    pub fn with_search(mut self, text: impl Into<String>) -> Self {
        self.search = Some(text.into());
        self
    }

    /// Sets the order.
    #[must_use]
    pub fn with_sort(mut self, sort: SchemaSort) -> Self {
        self.sort = sort;
        self
    }

    /// Goes on behind an earlier page.
    #[must_use]
    pub fn with_cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// Sets how many a page has at most, 1–1000.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit.clamp(1, 1000);
        self
    }

    fn admits(&self, head: &SchemaVersion) -> bool {
        let is = |wanted: &Option<String>, actual: Option<&str>| {
            wanted
                .as_deref()
                .is_none_or(|wanted| actual == Some(wanted))
        };
        let contains = |text: &str| {
            let search = self.search.as_deref().unwrap_or_default().to_lowercase();
            text.to_lowercase().contains(&search)
        };
        is(&self.namespace, Some(head.namespace()))
            && is(&self.owner, head.owner())
            && self
                .tag
                .as_ref()
                .is_none_or(|tag| head.tags().any(|own| own == tag))
            && (contains(head.name()) || contains(head.description().unwrap_or_default()))
    }
}

/// A page of schemas.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SchemaPage {
    /// The latest published version of each schema.
    pub schemas: Vec<SchemaVersion>,
    /// The cursor of the next page; none after the last.
    pub next: Option<String>,
}

/// Where a schema stands in a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    number: i64,
    text: String,
    id: String,
}

impl Key {
    fn of(head: &SchemaVersion, sort: SchemaSort) -> Self {
        let (number, text) = match sort {
            SchemaSort::Name => (0, head.name().to_owned()),
            SchemaSort::UpdatedAt => (-head.stored.updated_at.as_micros(), String::new()),
            SchemaSort::SchemaId => (0, String::new()),
        };
        Self {
            number,
            text,
            id: head.schema_id().to_owned(),
        }
    }

    fn write(&self) -> String {
        json!([self.number, self.text, self.id]).to_string()
    }

    fn read(cursor: &str) -> Option<Self> {
        let parts: Value = serde_json::from_str(cursor).ok()?;
        let [number, text, id] = parts.as_array()?.as_slice() else {
            return None;
        };
        Some(Self {
            number: number.as_i64()?,
            text: text.as_str()?.to_owned(),
            id: id.as_str()?.to_owned(),
        })
    }
}

impl SchemaRegistry {
    /// A page of the tenant's schemas, each by its latest published version. Shipped schemas are not listed.
    ///
    /// The store orders definitions by id; so a page costs one walk over all schemas of the tenant.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, reason `CURSOR_INVALID`, for a cursor that no page gave; `UNAVAILABLE` and `INTERNAL` from the
    /// store.
    pub async fn list(&self, filter: &SchemaFilter) -> Result<SchemaPage, EngineError> {
        self.check_running()?;
        let after = filter.cursor.as_deref().map(|cursor| {
            Key::read(cursor).ok_or_else(|| {
                EngineError::invalid(
                    "CURSOR_INVALID",
                    "the cursor is none that a page gave",
                    Vec::new(),
                )
            })
        });
        let after = after.transpose()?;
        let mut heads: Vec<(Key, SchemaVersion)> = self
            .heads(filter.deprecated)
            .await?
            .into_iter()
            .filter(|head| filter.admits(head))
            .map(|head| (Key::of(&head, filter.sort), head))
            .filter(|(key, _)| after.as_ref().is_none_or(|after| key > after))
            .collect();
        heads.sort_by(|(a, _), (b, _)| a.cmp(b));
        let limit = filter.limit.clamp(1, 1000);
        let is_last = heads.len() <= limit;
        heads.truncate(limit);
        let last = heads.last().filter(|_| !is_last);
        Ok(SchemaPage {
            next: last.map(|(key, _)| key.write()),
            schemas: heads.into_iter().map(|(_, head)| head).collect(),
        })
    }

    /// The latest published version of each schema; where there is none and it is wanted, the latest deprecated one.
    async fn heads(&self, deprecated: bool) -> Result<Vec<SchemaVersion>, EngineError> {
        let mut filter = DefinitionFilter::default();
        filter.kind = Some(DefinitionKind::Schema);
        filter.statuses = vec![LifecycleStatus::Published, LifecycleStatus::Deprecated];
        filter.limit = 1000;
        let mut heads: Vec<SchemaVersion> = Vec::new();
        loop {
            let store = &self.shared.store;
            let page = store.list_definitions(self.tenant, &filter).await?;
            filter.after = page.last().map(|stored| stored.id);
            let is_last = page.len() < filter.limit;
            // Versions of one id come together, in ascending order.
            for version in page.into_iter().map(SchemaVersion::new) {
                let published =
                    |version: &SchemaVersion| version.status() == LifecycleStatus::Published;
                match heads.last_mut() {
                    Some(head) if head.schema_id() == version.schema_id() => {
                        if published(&version) || !published(head) {
                            *head = version;
                        }
                    }
                    _ => heads.push(version),
                }
            }
            if is_last {
                break;
            }
        }
        heads.retain(|head| deprecated || head.status() == LifecycleStatus::Published);
        Ok(heads)
    }
}
