//! Questions about a schema that is not registered yet, and about the steps between versions.

use augmented_core::json::{content_hash, normalise_numbers};
use augmented_core::model::Compatibility;
use augmented_core::schema::{Bump, CompatReport, CompiledSchema, schema_references};
use augmented_core::validate::Finding;
use serde_json::Value;

use super::release::refused;
use super::version::{SchemaDetails, SchemaVersion, resolved_references};
use super::write::mode_in_force;
use super::{SchemaRegistry, chosen, version_not_found};
use crate::EngineError;
use crate::definitions::KnownDefinitions;

/// Under which mode a schema is compared, and with what.
///
/// ```
/// use augmented_core::model::Compatibility;
/// use augmented_engine::CompatibilityCheck;
/// let check = CompatibilityCheck::new().with_mode(Compatibility::Full).with_version("1.0.0");
/// assert_eq!(check.version.as_deref(), Some("1.0.0"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompatibilityCheck {
    /// The mode. Default: that of the latest published version.
    pub mode: Option<Compatibility>,
    /// The only version to compare with. Default: the latest one, for transitive modes all.
    pub version: Option<String>,
}

impl CompatibilityCheck {
    /// What registering the schema would check.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the mode.
    #[must_use]
    pub fn with_mode(mut self, mode: Compatibility) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Sets the only version to compare with.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }
}

impl SchemaRegistry {
    /// Everything that would keep a schema from being registered, and what is worth a look; writes nothing.
    ///
    /// # Errors
    /// `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn check_schema(&self, schema: &Value) -> Result<Vec<Finding>, EngineError> {
        self.check_running()?;
        match self
            .compile_inline(&normalise_numbers(schema.clone()))
            .await
        {
            Ok((_, compiled)) => Ok(compiled.check_annotations()),
            Err(EngineError::InvalidArgument { findings, .. }) => Ok(findings),
            Err(error) => Err(error),
        }
    }

    /// Compares a schema with the versions of a registered one; writes nothing. Pointers lead into the schema.
    ///
    /// # Errors
    /// `NOT_FOUND`, reason `SCHEMA_NOT_FOUND` or `SCHEMA_VERSION_NOT_FOUND`; `INVALID_ARGUMENT` if the schema is not
    /// legal; `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn check_compatibility(
        &self,
        schema_id: &str,
        schema: &Value,
        check: CompatibilityCheck,
    ) -> Result<CompatReport, EngineError> {
        let known = self.versions(schema_id).await?;
        let mode = check.mode.unwrap_or_else(|| mode_in_force(&known));
        let (_, compiled) = self
            .compile_inline(&normalise_numbers(schema.clone()))
            .await?;
        let released: Vec<&SchemaVersion> = match &check.version {
            None => known.iter().filter(|known| known.is_released()).collect(),
            Some(version) => {
                let found = known.iter().find(|known| known.version() == version);
                vec![found.ok_or_else(|| version_not_found(schema_id, Some(version), &known))?]
            }
        };
        let report = self.compare(&released, &compiled, mode).await?;
        report.ok_or_else(|| version_not_found(schema_id, None, &known))
    }

    /// A version with what follows from it and the version released before it; without a version the highest published.
    ///
    /// # Errors
    /// As [`get`](Self::get); `INTERNAL` if the version, or the one before, cannot be compiled, for example with reason
    /// `VALIDATOR_MISSING`.
    pub async fn details(
        &self,
        schema_id: &str,
        version: Option<&str>,
    ) -> Result<SchemaDetails, EngineError> {
        let known = self.versions(schema_id).await?;
        let place = |version: &SchemaVersion| {
            known
                .iter()
                .position(|known| known.version() == version.version())
        };
        let version = chosen(schema_id, known.clone(), version)?;
        let compiled = self
            .shared
            .schemas
            .compile_stored(&*self.shared.store, self.tenant, &version)
            .await?;
        let before = known.iter().take(place(&version).unwrap_or(0));
        let before: Vec<&SchemaVersion> = before.filter(|known| !known.is_draft()).collect();
        // Which changes there are does not depend on the mode.
        let report = self
            .compare(&before, &compiled, Compatibility::None)
            .await?;
        let (changes, required_bump) = report.map_or_else(
            || (Vec::new(), Bump::None),
            |report| (report.changes, report.required_bump),
        );
        Ok(SchemaDetails {
            version,
            changes,
            required_bump,
            references: resolved_references(&compiled),
            required_validators: compiled.required_validators().map(str::to_owned).collect(),
        })
    }

    /// Compiles a schema that is not registered; gives its content hash, too.
    pub(super) async fn compile_inline(
        &self,
        schema: &Value,
    ) -> Result<([u8; 32], CompiledSchema), EngineError> {
        let hash = content_hash(schema);
        let references = schema_references(schema);
        let shared = &self.shared;
        let known = KnownDefinitions::read_schemas(&*shared.store, self.tenant, references).await?;
        let compiled = shared.schemas.compile(self.tenant, schema, hash, &known);
        Ok((hash, compiled.map_err(refused)?))
    }
}
