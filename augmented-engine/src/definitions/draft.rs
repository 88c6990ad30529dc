//! Drafts: kept with their errors, under an identity that is right.

use std::sync::Arc;

use augmented_core::model::load::detect_kind;
use augmented_core::model::{Definition, DefinitionKind, LifecycleStatus, StoredDefinition};
use augmented_core::model::{compare_versions, content_hash};
use augmented_core::store::{NewDefinition, PutOutcome};
use augmented_core::validate::{Document, Finding, Report};
use augmented_core::{TenantId, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use super::publish::{Bundle, Read, read, refusal};
use super::{Definitions, KnownDefinitions};
use crate::EngineError;

/// The drafts that were saved, and what still has to be repaired before they can be published.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DraftReport {
    /// The definitions as they are stored, in the order of the bundle. One that was published before with the same
    /// content stays published.
    pub definitions: Vec<StoredDefinition>,
    /// Everything that validation has to say about them, errors included.
    pub findings: Vec<Finding>,
}

impl Definitions {
    /// Stores a bundle as drafts in one transaction, whatever is wrong with them but their identity.
    pub(crate) async fn save_draft(
        &self,
        tenant: TenantId,
        bundle: Bundle,
        now: Timestamp,
        new_id: impl Fn() -> Uuid,
    ) -> Result<DraftReport, EngineError> {
        let documents = read(bundle)?;
        let reports = self.reports(tenant, &documents).await?;
        let mut blocking = Vec::new();
        let mut findings = Vec::new();
        for (document, report) in documents.iter().zip(reports) {
            let is_readable = identity(&document.value).is_some();
            let id_member = report
                .kind
                .as_deref()
                .and_then(|kind| kind.parse::<DefinitionKind>().ok())
                .and_then(DefinitionKind::id_member);
            let about_identity = |finding: &&Finding| {
                finding.is_error() && (!is_readable || is_about_identity(finding, id_member))
            };
            blocking.extend(report.findings.iter().filter(about_identity).cloned());
            findings.extend(report.findings);
        }
        if !blocking.is_empty() {
            return Err(refusal(blocking));
        }
        let mut items = Vec::with_capacity(documents.len());
        for (index, document) in documents.iter().enumerate() {
            items.push((index, draft(&document.value, new_id())?));
        }
        items.sort_by(|(_, a), (_, b)| compare_versions(&a.version, &b.version));
        let (order, items): (Vec<usize>, Vec<NewDefinition>) = items.into_iter().unzip();
        let outcomes = self.store.put_definitions(tenant, items, now).await?;
        let mut saved = Vec::with_capacity(outcomes.len());
        let mut frozen = Vec::new();
        for (index, outcome) in order.into_iter().zip(outcomes) {
            match outcome {
                PutOutcome::Stored(stored) | PutOutcome::Unchanged(stored) => {
                    saved.push((index, stored));
                }
                PutOutcome::Frozen(stored) => {
                    frozen.extend(documents.get(index).map(|read| read.frozen(&stored)));
                }
                // Drafts may stand below published versions.
                PutOutcome::VersionTooLow { .. } | PutOutcome::RefusedWithBundle => {}
            }
        }
        if !frozen.is_empty() {
            return Err(refusal(frozen));
        }
        saved.sort_by_key(|(index, _)| *index);
        Ok(DraftReport {
            definitions: saved.into_iter().map(|(_, stored)| stored).collect(),
            findings,
        })
    }

    async fn reports(
        &self,
        tenant: TenantId,
        documents: &[Read],
    ) -> Result<Vec<Report>, EngineError> {
        let values: Vec<&Value> = documents.iter().map(|document| &document.value).collect();
        let known = KnownDefinitions::read(&*self.store, tenant, &self.registry, &values).await?;
        let bundle: Vec<Document<'_>> = documents.iter().map(Read::document).collect();
        Ok(self
            .validator()
            .validate_bundle(&bundle, &known, Some(&*self.registry)))
    }
}

/// Whether a finding keeps a document from being stored at all: its kind, id or version cannot be told, or is taken.
fn is_about_identity(finding: &Finding, id_member: Option<&str>) -> bool {
    let at_identity = match finding.pointer.strip_prefix('/') {
        None => id_member.is_none(),
        Some("kind" | "version") => true,
        Some(member) => Some(member) == id_member,
    };
    // That a version comes too late for publishing says nothing against a draft.
    at_identity && finding.code != "VERSION_TOO_LOW"
}

/// Kind, business id and version of a document as it is written.
fn identity(document: &Value) -> Option<(DefinitionKind, &str, &str)> {
    let kind = detect_kind(document).ok()?;
    let text = |member: &str| document.get(member).and_then(Value::as_str);
    Some((kind, text(kind.id_member()?)?, text("version")?))
}

fn draft(document: &Value, id: Uuid) -> Result<NewDefinition, EngineError> {
    let Some((kind, business_id, version)) = identity(document) else {
        return Err(EngineError::internal(
            "a document without identity passed validation",
        ));
    };
    let written = canonical(document);
    let hash = content_hash(kind, &written);
    Ok(NewDefinition::new(
        id,
        kind,
        business_id.into(),
        version.into(),
        LifecycleStatus::Draft,
        Arc::new(written),
        hash,
    ))
}

/// The document as its model writes it; as it is where it has not the shape of its kind.
fn canonical(document: &Value) -> Value {
    let modelled = Definition::from_value(document.clone())
        .ok()
        .and_then(|definition| definition.to_value().ok());
    modelled.unwrap_or_else(|| {
        let mut document = document.clone();
        if let Some(members) = document.as_object_mut() {
            members.remove("$schema");
        }
        document
    })
}
