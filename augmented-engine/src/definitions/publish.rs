//! Publishing: from text to stored, immutable versions, all of a bundle or none.

use std::sync::Arc;

use augmented_core::json::{self, Limits};
use augmented_core::model::load::split_documents;
use augmented_core::model::{
    Definition, DefinitionKind, LifecycleStatus, StoredDefinition, compare_versions, content_hash,
};
use augmented_core::store::{NewDefinition, PutOutcome};
use augmented_core::validate::{DefinitionValidator, Document, Finding, Published, Report};
use augmented_core::{TenantId, Timestamp};
use serde_json::Value;

use super::Definitions;
use super::known::KnownDefinitions;
use super::unsupported::unsupported;
use crate::EngineError;

/// Definition documents to publish together.
///
/// ```
/// use augmented_engine::Bundle;
/// use serde_json::json;
/// let bundle = Bundle::new()
///     .with_text("order.json", r#"{ "kind": "workflow", "workflowId": "order" }"#)
///     .with_document(json!({ "kind": "task", "taskId": "charge" }));
/// assert_eq!(bundle.len(), 2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text { file: Option<String>, text: String },
    Document(Value),
}

impl Bundle {
    /// A bundle without documents.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the JSON text of a file: one document, or an array of them. Findings name the file, line and column.
    #[must_use]
    pub fn with_text(mut self, file: impl Into<String>, text: impl Into<String>) -> Self {
        self.parts.push(Part::Text {
            file: Some(file.into()),
            text: text.into(),
        });
        self
    }

    /// Adds a document.
    #[must_use]
    pub fn with_document(mut self, document: Value) -> Self {
        self.parts.push(Part::Document(document));
        self
    }

    /// How many texts and documents there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

impl From<&str> for Bundle {
    fn from(text: &str) -> Self {
        Self {
            parts: vec![Part::Text {
                file: None,
                text: text.to_owned(),
            }],
        }
    }
}

impl From<String> for Bundle {
    fn from(text: String) -> Self {
        Self {
            parts: vec![Part::Text { file: None, text }],
        }
    }
}

impl From<Value> for Bundle {
    fn from(document: Value) -> Self {
        Self::from(vec![document])
    }
}

impl From<Vec<Value>> for Bundle {
    fn from(documents: Vec<Value>) -> Self {
        Self {
            parts: documents.into_iter().map(Part::Document).collect(),
        }
    }
}

/// What publishing did, and what it found worth a look.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PublishReport {
    /// The definitions, in the order of the bundle.
    pub definitions: Vec<PublishedDefinition>,
    /// Warnings.
    pub findings: Vec<Finding>,
}

/// One published definition.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PublishedDefinition {
    /// The version as it is stored.
    pub stored: StoredDefinition,
    /// Whether it is new.
    pub outcome: PublishOutcome,
}

/// Whether a published version is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are all the cases there are")]
pub enum PublishOutcome {
    /// It was not published before.
    New,
    /// The same version with the same content was published before.
    Unchanged,
}

/// A document that has been read.
pub(super) struct Read {
    file: Option<String>,
    pub(super) value: Value,
    /// Where the parts of this document stand in its text.
    source: Option<json::SourceMap>,
}

impl Definitions {
    /// Validates a bundle and stores it in one transaction.
    pub(crate) async fn publish(
        &self,
        tenant: TenantId,
        bundle: Bundle,
        now: Timestamp,
        new_id: impl Fn() -> uuid::Uuid,
    ) -> Result<PublishReport, EngineError> {
        let documents = read(bundle)?;
        let (definitions, warnings) = self.examine(tenant, &documents).await?;
        let mut items: Vec<(usize, NewDefinition)> = Vec::with_capacity(definitions.len());
        for (index, definition) in definitions.iter().enumerate() {
            items.push((index, new_definition(definition, new_id())?));
        }
        // Versions are published in ascending order, whatever the order of the files.
        items.sort_by(|(_, a), (_, b)| compare_versions(&a.version, &b.version));
        let (order, items): (Vec<usize>, Vec<NewDefinition>) = items.into_iter().unzip();
        let outcomes = self.store.put_definitions(tenant, items, now).await?;
        self.forget_choices();
        let mut published: Vec<(usize, PublishedDefinition)> = Vec::with_capacity(outcomes.len());
        let mut refused = Vec::new();
        for (index, outcome) in order.into_iter().zip(outcomes) {
            match outcome {
                PutOutcome::Stored(stored) => published.push((
                    index,
                    PublishedDefinition {
                        stored,
                        outcome: PublishOutcome::New,
                    },
                )),
                PutOutcome::Unchanged(stored) => published.push((
                    index,
                    PublishedDefinition {
                        stored,
                        outcome: PublishOutcome::Unchanged,
                    },
                )),
                PutOutcome::Frozen(stored) => refused.extend(
                    documents
                        .get(index)
                        .map(|document| document.frozen(&stored)),
                ),
                PutOutcome::VersionTooLow { highest } => refused.extend(
                    documents
                        .get(index)
                        .map(|document| document.too_low(&highest)),
                ),
                PutOutcome::RefusedWithBundle => {}
            }
        }
        if !refused.is_empty() {
            return Err(refusal(refused));
        }
        published.sort_by_key(|(index, _)| *index);
        Ok(PublishReport {
            definitions: published
                .into_iter()
                .map(|(_, definition)| definition)
                .collect(),
            findings: warnings,
        })
    }

    /// Validates all documents as one bundle, on all levels; gives the definitions and the warnings.
    async fn examine(
        &self,
        tenant: TenantId,
        documents: &[Read],
    ) -> Result<(Vec<Published<Definition>>, Vec<Finding>), EngineError> {
        let values: Vec<&Value> = documents.iter().map(|document| &document.value).collect();
        let known = KnownDefinitions::read(&*self.store, tenant, &self.registry, &values).await?;
        let bundle: Vec<Document<'_>> = documents.iter().map(Read::document).collect();
        let validator = self.validator();
        let published = validator.publish_bundle(&bundle, &known, Some(&*self.registry));
        let published =
            published.map_err(|reports| refusal(self.with_unsupported(documents, reports)))?;
        let mut definitions = Vec::with_capacity(published.len());
        let mut findings = Vec::new();
        for (document, (definition, report)) in documents.iter().zip(published) {
            findings.extend(report.findings);
            findings.extend(
                unsupported(&definition, &self.registry)
                    .into_iter()
                    .map(|finding| document.place(finding)),
            );
            definitions.push(definition);
        }
        if findings.iter().any(Finding::is_error) {
            return Err(refusal(findings));
        }
        Ok((definitions, findings))
    }

    pub(super) fn validator(&self) -> DefinitionValidator<'_> {
        DefinitionValidator::new(&*self.expressions).with_validators(Arc::clone(&self.validators))
    }

    /// All findings of a refused bundle, with what this engine cannot run of the documents that can be read.
    fn with_unsupported(&self, documents: &[Read], reports: Vec<Report>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (document, report) in documents.iter().zip(reports) {
            findings.extend(report.findings);
            if let Ok(definition) = Definition::from_value(document.value.clone()) {
                findings.extend(
                    unsupported(&definition, &self.registry)
                        .into_iter()
                        .map(|finding| document.place(finding)),
                );
            }
        }
        findings
    }
}

pub(super) fn refusal(findings: Vec<Finding>) -> EngineError {
    EngineError::invalid(
        "DEFINITION_INVALID",
        "nothing was stored, because the definitions have errors",
        findings,
    )
}

/// Reads all texts; a text that is no JSON refuses the bundle.
pub(super) fn read(bundle: Bundle) -> Result<Vec<Read>, EngineError> {
    let mut documents = Vec::new();
    let mut findings = Vec::new();
    for part in bundle.parts {
        match part {
            Part::Document(value) => documents.push(Read {
                file: None,
                value,
                source: None,
            }),
            Part::Text { file, text } => match json::parse(text.as_bytes(), &Limits::default()) {
                Ok(parsed) => {
                    documents.extend(split_documents(&parsed.value).map(|document| Read {
                        file: file.clone(),
                        value: document.value.clone(),
                        source: parsed.source.under(&document.base()),
                    }));
                }
                Err(mut broken) => {
                    for finding in &mut broken {
                        finding.file = finding.file.take().or_else(|| file.clone());
                    }
                    findings.append(&mut broken);
                }
            },
        }
    }
    if findings.is_empty() {
        Ok(documents)
    } else {
        Err(refusal(findings))
    }
}

impl Read {
    pub(super) fn document(&self) -> Document<'_> {
        let mut document = Document::new(&self.value);
        document.source = self.source.as_ref();
        document.file = self.file.as_deref();
        document
    }

    /// Gives a finding inside this document its place in the text.
    fn place(&self, finding: Finding) -> Finding {
        let mut placed = [finding];
        if let Some(source) = &self.source {
            json::place(&mut placed, source, self.file.as_deref());
        }
        let [finding] = placed;
        finding
    }

    pub(super) fn frozen(&self, stored: &StoredDefinition) -> Finding {
        let message = format!(
            "{} `{}` {} is {} with other content, and published content never changes",
            stored.kind, stored.business_id, stored.version, stored.status
        );
        self.place(
            Finding::error("VERSION_FROZEN", "/version", message)
                .with_argument("kind", stored.kind.to_string())
                .with_argument("id", stored.business_id.to_string())
                .with_argument("version", stored.version.to_string())
                .with_hint("give the new content a higher version"),
        )
    }

    fn too_low(&self, highest: &str) -> Finding {
        let message =
            format!("version {highest} is published already, and a new version must be higher");
        self.place(
            Finding::error("VERSION_TOO_LOW", "/version", message)
                .with_optional_argument("actual", self.value.get("version").cloned())
                .with_argument("highest", highest)
                .with_hint(format!("choose a version above {highest}")),
        )
    }
}

fn new_definition(definition: &Definition, id: uuid::Uuid) -> Result<NewDefinition, EngineError> {
    let kind: DefinitionKind = definition.kind();
    let document = definition.to_value().map_err(|error| {
        EngineError::internal(format!("a definition cannot be written: {error}"))
    })?;
    let hash = content_hash(kind, &document);
    Ok(NewDefinition::new(
        id,
        kind,
        definition.business_id().into(),
        definition.version().into(),
        LifecycleStatus::Published,
        Arc::new(document),
        hash,
    ))
}
