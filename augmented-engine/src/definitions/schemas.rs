//! What the schema registry needs of validation: the reports about schema documents.

use augmented_core::TenantId;
use augmented_core::validate::{Document, Finding};
use serde_json::Value;

use super::{Definitions, KnownDefinitions};
use crate::EngineError;

/// What the registry decides itself, by the rules of registration.
const DECIDED_THERE: [&str; 4] = [
    "INCOMPATIBLE_SCHEMA",
    "OPEN_MODEL_FIELD_TYPED",
    "VERSION_FROZEN",
    "VERSION_TOO_LOW",
];

impl Definitions {
    /// Validates schema documents together; gives what is wrong with each, and all that they lead to.
    pub(crate) async fn check_schemas(
        &self,
        tenant: TenantId,
        documents: &[&Value],
    ) -> Result<(Vec<Vec<Finding>>, KnownDefinitions), EngineError> {
        let known = KnownDefinitions::read(&*self.store, tenant, &self.registry, documents).await?;
        let bundle: Vec<Document<'_>> = documents
            .iter()
            .map(|document| Document::new(document))
            .collect();
        let reports = self.validator().validate_bundle(&bundle, &known, None);
        let left = |finding: &Finding| !DECIDED_THERE.contains(&&*finding.code);
        let findings = reports
            .into_iter()
            .map(|report| report.findings.into_iter().filter(left).collect());
        Ok((findings.collect(), known))
    }
}
