//! Many documents in one call.

use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use augmented_core::schema::{CompiledSchema, ValidateOptions};
use augmented_core::validate::Finding;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;
use tokio::time::Instant;

use super::deferred::{Pending, carry_out, over_time};
use super::judge::{LARGE, Verdict, judge, panicked, weight};
use super::request::{ValidationResult, limited};
use super::{SchemaRegistry, Target, ValidationRequest};
use crate::EngineError;

/// How many items a batch may have.
const LARGEST: usize = 1000;

/// A document of a batch.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BatchItem {
    /// Tells it from the others of the batch.
    pub id: String,
    /// The schema it is judged by.
    pub schema_id: String,
    /// The version. Default: the highest published one, the same for the whole batch.
    pub version: Option<String>,
    /// The document.
    pub data: Value,
}

impl BatchItem {
    /// A document to judge by the highest published version of a schema.
    #[must_use]
    pub fn new(id: impl Into<String>, schema_id: impl Into<String>, data: Value) -> Self {
        Self {
            id: id.into(),
            schema_id: schema_id.into(),
            version: None,
            data,
        }
    }

    /// Sets the version.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }
}

/// How a batch is validated.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchOptions {
    /// The options of the engine, for all items.
    pub options: ValidateOptions,
    /// How long the whole batch may take, 10 ms to 60 s. Default: 5 s. What is not done by then has FAILED.
    pub timeout: Duration,
    /// Whether everything behind the first item that is not VALID, in the order given, is skipped. Default: no.
    pub fail_fast: bool,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            options: ValidateOptions::default(),
            timeout: Duration::from_secs(5),
            fail_fast: false,
        }
    }
}

impl BatchOptions {
    /// All items, within 5 s.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the options of the engine.
    #[must_use]
    pub fn with_options(mut self, options: ValidateOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets how long the whole batch may take, 10 ms to 60 s.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = limited(timeout);
        self
    }

    /// Sets whether everything behind the first item that is not VALID is skipped.
    #[must_use]
    pub fn with_fail_fast(mut self, fail_fast: bool) -> Self {
        self.fail_fast = fail_fast;
        self
    }
}

/// The verdicts about a batch.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchResult {
    /// One for each item, in the order given.
    pub items: Vec<ItemResult>,
    /// How many of each there are.
    pub summary: BatchSummary,
}

/// The verdict about one item.
#[derive(Debug)]
#[non_exhaustive]
pub struct ItemResult {
    /// Which item.
    pub id: String,
    /// What became of it.
    pub outcome: ItemOutcome,
}

/// What became of an item.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "these are all the cases there are")]
pub enum ItemOutcome {
    /// It conforms.
    Valid(Box<ValidationResult>),
    /// It does not.
    Invalid(Box<ValidationResult>),
    /// There is no verdict.
    Failed(Arc<EngineError>),
    /// An item before it was not VALID.
    Skipped,
}

/// How many items of a batch there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchSummary {
    /// All of them.
    pub total: usize,
    /// Those that conform.
    pub valid: usize,
    /// Those that do not.
    pub invalid: usize,
    /// Those without a verdict.
    pub failed: usize,
    /// Those that were skipped.
    pub skipped: usize,
    /// How long it took on the engine's clock.
    pub duration_ms: u64,
}

/// An item on its way: its schema, and its verdict once there is one.
type Resolved = Result<Target, Arc<EngineError>>;
type Judged = Result<Verdict, Arc<EngineError>>;

impl SchemaRegistry {
    /// Validates up to 1000 documents. An item whose schema is not known has FAILED; the others are judged.
    ///
    /// Which version is the latest is settled once for the whole batch. Asynchronous checks run eight at a time over all
    /// items.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, reason `BATCH_TOO_LARGE` or `BATCH_ITEM_ID_DUPLICATE`; `UNAVAILABLE`, reason
    /// `VALIDATION_TIMEOUT`, if the schemas themselves could not be read in time.
    ///
    /// # Cancel safety
    /// Changes nothing, so it may be dropped at any time; large batches may be judged to their end on their threads.
    pub async fn validate_batch(
        &self,
        items: Vec<BatchItem>,
        options: BatchOptions,
    ) -> Result<BatchResult, EngineError> {
        self.check_running()?;
        check_items(&items)?;
        let _hold = self.shared.time().hold();
        let begun = self.shared.time().now();
        let deadline = Instant::now() + options.timeout;
        let resolved = tokio::time::timeout_at(deadline, self.resolve(&items))
            .await
            .map_err(|_| over_time())?;
        let context = self.options(&options.options);
        let (ids, documents): (Vec<String>, Vec<Value>) =
            items.into_iter().map(|item| (item.id, item.data)).unzip();
        let mut judged = judge_all(&resolved, documents, &context, deadline).await;
        // Behind the first item that is not valid, nothing is asked of the host.
        let open = match judged.iter().position(is_refused) {
            Some(first) if options.fail_fast => first,
            _ => judged.len(),
        };
        self.settle_all(&mut judged, open, &context, deadline).await;
        let mut outcomes: Vec<ItemOutcome> = judged
            .into_iter()
            .zip(&resolved)
            .map(|(judged, resolved)| self.item_outcome(judged, resolved))
            .collect();
        if options.fail_fast {
            let first = outcomes
                .iter()
                .position(|outcome| !matches!(outcome, ItemOutcome::Valid(_)));
            let behind = first.map_or(outcomes.len(), |first| first + 1);
            outcomes
                .iter_mut()
                .skip(behind)
                .for_each(|outcome| *outcome = ItemOutcome::Skipped);
        }
        let summary = summary(&outcomes, self.millis_since(begun));
        let items = ids.into_iter().zip(outcomes);
        Ok(BatchResult {
            items: items
                .map(|(id, outcome)| ItemResult { id, outcome })
                .collect(),
            summary,
        })
    }

    /// The schema of each item; each version is chosen once.
    async fn resolve(&self, items: &[BatchItem]) -> Vec<Resolved> {
        let mut chosen: FxHashMap<(&str, Option<&str>), Resolved> = FxHashMap::default();
        let mut resolved = Vec::with_capacity(items.len());
        for item in items {
            let key = (item.schema_id.as_str(), item.version.as_deref());
            let target = match chosen.entry(key) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(place) => {
                    let mut request = ValidationRequest::new();
                    request.version.clone_from(&item.version);
                    let target = self.target(&item.schema_id, &request).await;
                    place.insert(target.map_err(Arc::new)).clone()
                }
            };
            resolved.push(target);
        }
        resolved
    }

    /// Makes the deferred checks of the first `open` items.
    async fn settle_all(
        &self,
        judged: &mut [Judged],
        open: usize,
        options: &ValidateOptions,
        deadline: Instant,
    ) {
        let mut checks = Vec::new();
        for (item, judged) in judged.iter_mut().enumerate().take(open) {
            if let Ok(verdict) = judged {
                let deferred = std::mem::take(&mut verdict.deferred).into_iter();
                checks.extend(deferred.map(|check| Pending { item, check }));
            }
        }
        let validators = &self.shared.schemas.validators;
        let answers = carry_out(validators, checks, &options.context, deadline).await;
        for answer in answers {
            let Some(judged) = judged.get_mut(answer.item) else {
                continue;
            };
            match (&mut *judged, answer.findings) {
                (Ok(verdict), Ok(complaints)) => verdict.add(complaints, options),
                (Ok(_), Err(error)) => *judged = Err(Arc::new(error)),
                (Err(_), _) => {}
            }
        }
    }

    fn item_outcome(&self, judged: Judged, resolved: &Resolved) -> ItemOutcome {
        match (judged, resolved) {
            (Ok(verdict), Ok(target)) => {
                let result = Box::new(self.result(target, verdict, None, 0));
                if result.valid {
                    ItemOutcome::Valid(result)
                } else {
                    ItemOutcome::Invalid(result)
                }
            }
            (Err(error), _) => ItemOutcome::Failed(error),
            (_, Err(error)) => ItemOutcome::Failed(Arc::clone(error)),
        }
    }
}

/// Whether the item is not valid, whatever its deferred checks will say.
fn is_refused(judged: &Judged) -> bool {
    judged.as_ref().map_or(true, |verdict| !verdict.valid)
}

/// Judges all items; a large batch on as many threads as there are cores.
async fn judge_all(
    resolved: &[Resolved],
    documents: Vec<Value>,
    options: &ValidateOptions,
    deadline: Instant,
) -> Vec<Judged> {
    let mut total = 0;
    for document in &documents {
        total += weight(document, LARGE);
        if total > LARGE {
            break;
        }
    }
    let work: Vec<(Result<CompiledSchema, Arc<EngineError>>, Value)> = resolved
        .iter()
        .map(|resolved| match resolved {
            Ok(target) => Ok(target.ready.compiled.clone()),
            Err(error) => Err(Arc::clone(error)),
        })
        .zip(documents)
        .collect();
    if total <= LARGE {
        return judge_some(work, options, deadline);
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = work.len().div_ceil(cores).max(1);
    let mut work = work.into_iter();
    let mut threads = Vec::with_capacity(cores);
    loop {
        let part: Vec<_> = work.by_ref().take(share).collect();
        if part.is_empty() {
            break;
        }
        let options = options.clone();
        let count = part.len();
        let thread = tokio::task::spawn_blocking(move || judge_some(part, &options, deadline));
        threads.push((count, thread));
    }
    let mut judged = Vec::with_capacity(resolved.len());
    for (count, thread) in threads {
        match thread.await {
            Ok(part) => judged.extend(part),
            Err(_) => judged.extend((0..count).map(|_| Err(Arc::new(panicked())))),
        }
    }
    judged
}

fn judge_some(
    work: Vec<(Result<CompiledSchema, Arc<EngineError>>, Value)>,
    options: &ValidateOptions,
    deadline: Instant,
) -> Vec<Judged> {
    let judge_one = |(schema, document): (Result<CompiledSchema, _>, Value)| {
        let schema = schema?;
        if Instant::now() >= deadline {
            return Err(Arc::new(over_time()));
        }
        judge(&schema, &document, options).map_err(Arc::new)
    };
    work.into_iter().map(judge_one).collect()
}

fn check_items(items: &[BatchItem]) -> Result<(), EngineError> {
    if items.len() > LARGEST {
        return Err(EngineError::invalid(
            "BATCH_TOO_LARGE",
            format!("a batch takes at most {LARGEST} items, not {}", items.len()),
            Vec::new(),
        ));
    }
    let mut seen = FxHashSet::default();
    let twice = items
        .iter()
        .enumerate()
        .filter(|(_, item)| !seen.insert(item.id.as_str()));
    let findings: Vec<Finding> = twice
        .map(|(index, item)| {
            Finding::error(
                "BATCH_ITEM_ID_DUPLICATE",
                format!("/items/{index}/id"),
                format!("`{}` stands twice in the batch", item.id),
            )
        })
        .collect();
    if findings.is_empty() {
        return Ok(());
    }
    Err(EngineError::invalid(
        "BATCH_ITEM_ID_DUPLICATE",
        "the items of a batch need ids of their own",
        findings,
    ))
}

fn summary(outcomes: &[ItemOutcome], duration_ms: u64) -> BatchSummary {
    let mut summary = BatchSummary {
        total: outcomes.len(),
        duration_ms,
        ..BatchSummary::default()
    };
    for outcome in outcomes {
        *match outcome {
            ItemOutcome::Valid(_) => &mut summary.valid,
            ItemOutcome::Invalid(_) => &mut summary.invalid,
            ItemOutcome::Failed(_) => &mut summary.failed,
            ItemOutcome::Skipped => &mut summary.skipped,
        } += 1;
    }
    summary
}
