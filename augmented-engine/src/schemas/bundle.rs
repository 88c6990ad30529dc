//! Registering schemas that refer to one another.

use augmented_core::json::content_hash;
use augmented_core::model::LifecycleStatus;
use augmented_core::schema::schema_references;
use augmented_core::validate::Finding;
use rustc_hash::FxHashSet;
use serde_json::Value;

use super::SchemaRegistry;
use super::release::{ATTEMPTS, lost_race, refused, registered};
use super::request::NewSchema;
use super::version::RegisteredSchema;
use crate::EngineError;

/// How many schemas a bundle may have.
const LARGEST: usize = 500;

impl SchemaRegistry {
    /// Registers up to 500 schemas that may refer to one another, all or none; answers in the order given.
    ///
    /// # Errors
    /// As [`register`](Self::register), for any of them; `INVALID_ARGUMENT`, reason `BATCH_TOO_LARGE`, for more than 500,
    /// and reason `DUPLICATE_DEFINITION`, if two have one id.
    pub async fn register_bundle(
        &self,
        bundle: Vec<NewSchema>,
    ) -> Result<Vec<RegisteredSchema>, EngineError> {
        check_bundle(&bundle)?;
        self.check_running()?;
        for new in &bundle {
            self.check_writable(&new.schema_id)?;
        }
        let _hold = self.shared.time().hold();
        for _ in 0..ATTEMPTS {
            if let Some(done) = self.try_bundle(&bundle).await? {
                return Ok(done);
            }
        }
        let first = bundle.first().map_or("", |new| new.schema_id.as_str());
        Err(lost_race(first))
    }

    /// `None` if another registration came between.
    async fn try_bundle(
        &self,
        bundle: &[NewSchema],
    ) -> Result<Option<Vec<RegisteredSchema>>, EngineError> {
        let mut known = Vec::with_capacity(bundle.len());
        for new in bundle {
            let latest = self.stored_versions(&new.schema_id).await?.pop();
            let is_other =
                |latest: &super::SchemaVersion| latest.content_hash() != content_hash(&new.schema);
            if let Some(latest) = latest.as_ref().filter(|latest| is_other(latest)) {
                return Err(EngineError::AlreadyExists {
                    reason: "SCHEMA_ALREADY_EXISTS",
                    message: format!(
                        "the schema `{}` exists with other content, at version {}: update it instead",
                        new.schema_id,
                        latest.version()
                    ),
                });
            }
            known.push(latest);
        }
        let new: Vec<&NewSchema> = bundle
            .iter()
            .zip(&known)
            .filter_map(|(new, latest)| latest.is_none().then_some(new))
            .collect();
        let documents: Vec<Value> = new
            .iter()
            .map(|new| new.document(version_of(new)))
            .collect();
        let mut examined = self.examine(&documents, LifecycleStatus::Published).await?;
        check_drafts(&new)?;
        for (examined, new) in examined.iter_mut().zip(new) {
            if new.draft {
                let stored = &mut examined.version.stored;
                stored.status = LifecycleStatus::Draft;
                stored.published_at = None;
            }
        }
        let Some(stored) = self.store_versions(&examined).await? else {
            return Ok(None);
        };
        let mut created = stored
            .into_iter()
            .zip(examined)
            .map(|(stored, examined)| registered(stored, examined, None));
        let mut answers = Vec::with_capacity(bundle.len());
        for latest in known {
            match latest {
                Some(latest) => answers.push(self.unchanged(latest).await?),
                None => answers.extend(created.next()),
            }
        }
        Ok(Some(answers))
    }
}

/// Refuses what would be published and leads to what stays a draft.
fn check_drafts(new: &[&NewSchema]) -> Result<(), EngineError> {
    let drafts: FxHashSet<(&str, &str)> = new
        .iter()
        .filter(|new| new.draft)
        .map(|new| (new.schema_id.as_str(), version_of(new)))
        .collect();
    let mut findings = Vec::new();
    for published in new.iter().filter(|new| !new.draft) {
        let references = schema_references(&published.schema).into_iter();
        let to_drafts =
            references.filter(|to| drafts.contains(&(to.schema_id.as_str(), to.version.as_str())));
        findings.extend(to_drafts.map(|to| {
            let message = format!("the schema `{}` {} stays a draft", to.schema_id, to.version);
            Finding::error(
                "REFERENCE_NOT_PUBLISHED",
                format!("/schema{}", to.pointer),
                message,
            )
            .with_argument("kind", "schema")
            .with_argument("id", to.schema_id.as_str())
            .with_argument("status", "DRAFT")
            .with_hint("publish both, or keep both as drafts")
        }));
    }
    if findings.is_empty() {
        Ok(())
    } else {
        Err(refused(findings))
    }
}

fn version_of(new: &NewSchema) -> &str {
    new.version.as_deref().unwrap_or("1.0.0")
}

fn check_bundle(bundle: &[NewSchema]) -> Result<(), EngineError> {
    if bundle.len() > LARGEST {
        return Err(EngineError::invalid(
            "BATCH_TOO_LARGE",
            format!(
                "a bundle takes at most {LARGEST} schemas, not {}",
                bundle.len()
            ),
            Vec::new(),
        ));
    }
    let mut seen = FxHashSet::default();
    let twice = bundle.iter().enumerate();
    let twice = twice.filter(|(_, new)| !seen.insert(new.schema_id.as_str()));
    let findings: Vec<Finding> = twice
        .map(|(index, new)| {
            Finding::error(
                "DUPLICATE_DEFINITION",
                format!("/{index}/schemaId"),
                format!("`{}` stands twice in the bundle", new.schema_id),
            )
            .with_argument("kind", "schema")
            .with_argument("id", new.schema_id.as_str())
        })
        .collect();
    if findings.is_empty() {
        Ok(())
    } else {
        Err(refused(findings))
    }
}
