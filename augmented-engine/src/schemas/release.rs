//! From a document to a version: what is checked, which version it gets, and how it is stored without losing a race.

use std::sync::Arc;

use augmented_core::codes;
use augmented_core::model::{
    self, Compatibility, Definition, DefinitionKind, LifecycleStatus, StoredDefinition,
};
use augmented_core::schema::{
    Bump, CompatReport, CompatResult, CompatibilityChecker, CompiledSchema, next_version,
};
use augmented_core::store::{NewDefinition, PutOutcome};
use augmented_core::validate::Finding;
use semver::Version;
use serde_json::{Value, json};

use super::SchemaRegistry;
use super::request::Overrides;
use super::version::{RegisteredSchema, SchemaVersion, resolved_references};
use crate::EngineError;

/// How often a registration is tried when other processes register versions of the same schema. Of N that never pause
/// each wins every N-th time on average, so even one of ten loses so often in a row only once in a thousand times.
pub(super) const ATTEMPTS: usize = 64;

/// A document that passed validation.
pub(super) struct Examined {
    pub(super) version: SchemaVersion,
    pub(super) compiled: CompiledSchema,
    pub(super) warnings: Vec<Finding>,
}

impl SchemaRegistry {
    /// Validates schema documents together and compiles them.
    pub(super) async fn examine(
        &self,
        documents: &[Value],
        status: LifecycleStatus,
    ) -> Result<Vec<Examined>, EngineError> {
        let values: Vec<&Value> = documents.iter().collect();
        let definitions = &self.shared.definitions;
        let (findings, mut known) = definitions.check_schemas(self.tenant, &values).await?;
        if findings.iter().flatten().any(Finding::is_error) {
            return Err(refused(findings.into_iter().flatten().collect()));
        }
        let mut versions = Vec::with_capacity(documents.len());
        for document in documents {
            let version = self.provisional(document, status)?;
            let document = Arc::clone(&version.stored.document);
            known.add_schema(version.schema_id(), version.version(), document);
            versions.push(version);
        }
        let mut examined = Vec::with_capacity(versions.len());
        for (version, warnings) in versions.into_iter().zip(findings) {
            let compiled = self
                .shared
                .schemas
                .compile_new(version.schema(), &known)
                .map_err(refused)?;
            examined.push(Examined {
                version,
                compiled,
                warnings,
            });
        }
        Ok(examined)
    }

    /// A version as it would be stored.
    fn provisional(
        &self,
        document: &Value,
        status: LifecycleStatus,
    ) -> Result<SchemaVersion, EngineError> {
        let unreadable = |error: &dyn std::fmt::Display| {
            EngineError::internal(format!("a validated schema cannot be read: {error}"))
        };
        let definition =
            Definition::from_value(document.clone()).map_err(|error| unreadable(&error))?;
        let document = definition.to_value().map_err(|error| unreadable(&error))?;
        let hash = model::content_hash(DefinitionKind::Schema, &document);
        let now = self.shared.time().now();
        Ok(SchemaVersion::new(StoredDefinition::new(
            self.shared.ids.new_id(now),
            self.tenant,
            DefinitionKind::Schema,
            definition.business_id().into(),
            definition.version().into(),
            status,
            Arc::new(document),
            hash,
            now,
        )))
    }

    /// Compares a new version with those released before it, under a mode.
    pub(super) async fn compare(
        &self,
        before: &[&SchemaVersion],
        new: &CompiledSchema,
        mode: Compatibility,
    ) -> Result<Option<CompatReport>, EngineError> {
        let checker = CompatibilityChecker::new(mode);
        let compared = match before {
            [.., latest] if !mode.is_transitive() => std::slice::from_ref(latest),
            all => all,
        };
        let mut compiled = Vec::with_capacity(compared.len());
        for version in compared {
            let schema = self
                .shared
                .schemas
                .compile_stored(&*self.shared.store, self.tenant, version)
                .await?;
            compiled.push((version.version(), schema));
        }
        if compiled.is_empty() {
            return Ok(None);
        }
        let published: Vec<(&str, &CompiledSchema)> = compiled
            .iter()
            .map(|(version, schema)| (*version, schema))
            .collect();
        Ok(Some(checker.check(&published, new)))
    }

    /// Stores examined versions in one transaction; `None` if a version of another process came first.
    pub(super) async fn store_versions(
        &self,
        examined: &[Examined],
    ) -> Result<Option<Vec<(SchemaVersion, bool)>>, EngineError> {
        let items = examined.iter().map(|examined| {
            let stored = &examined.version.stored;
            NewDefinition::new(
                stored.id,
                stored.kind,
                Arc::clone(&stored.business_id),
                Arc::clone(&stored.version),
                stored.status,
                Arc::clone(&stored.document),
                stored.content_hash,
            )
        });
        let shared = &self.shared;
        let outcomes = shared
            .store
            .put_definitions(self.tenant, items.collect(), shared.time().now())
            .await;
        // Whatever the answer, what was chosen before may be out of date.
        shared.definitions.forget_choices();
        shared.schemas.forget_choices();
        let mut stored = Vec::with_capacity(examined.len());
        for outcome in outcomes? {
            match outcome {
                PutOutcome::Stored(version) => stored.push((SchemaVersion::new(version), true)),
                PutOutcome::Unchanged(version) => stored.push((SchemaVersion::new(version), false)),
                PutOutcome::Frozen(_)
                | PutOutcome::VersionTooLow { .. }
                | PutOutcome::RefusedWithBundle => return Ok(None),
            }
        }
        Ok(Some(stored))
    }
}

/// What a version that was stored, or was there already, is answered with.
pub(super) fn registered(
    (version, created): (SchemaVersion, bool),
    examined: Examined,
    report: Option<CompatReport>,
) -> RegisteredSchema {
    RegisteredSchema {
        version,
        created,
        changes: report
            .as_ref()
            .map_or_else(Vec::new, |report| report.changes.clone()),
        report,
        references: resolved_references(&examined.compiled),
        required_validators: examined
            .compiled
            .required_validators()
            .map(str::to_owned)
            .collect(),
        findings: examined.warnings,
    }
}

/// The class of version that a comparison asks for, if it lets the new version pass.
pub(super) fn admitted_bump(
    report: Option<&CompatReport>,
    overrides: &Overrides,
) -> Result<Bump, EngineError> {
    let Some(report) = report else {
        return Ok(Bump::None);
    };
    match report.result {
        CompatResult::Compatible => Ok(report.required_bump),
        CompatResult::Unknown if overrides.accept_unknown.is_some() => Ok(report.required_bump),
        CompatResult::Unknown | CompatResult::Incompatible if overrides.allow_breaking => {
            Ok(Bump::Major)
        }
        CompatResult::Unknown | CompatResult::Incompatible => Err(EngineError::invalid(
            "INCOMPATIBLE_SCHEMA",
            "the schema breaks the promise made to its users",
            report.findings.clone(),
        )),
    }
}

/// Keeps why changes were accepted that cannot be proven compatible, where that was needed.
pub(super) fn record_acceptance(
    document: &mut Value,
    report: Option<&CompatReport>,
    overrides: &Overrides,
) {
    let needed = report.is_some_and(|report| report.result == CompatResult::Unknown);
    if let (true, Some(reason), Some(report)) = (needed, &overrides.accept_unknown, report)
        && let Some(members) = document.as_object_mut()
    {
        let metadata = members.entry("metadata").or_insert_with(|| json!({}));
        metadata[ACCEPTED] = json!({"reason": reason, "comparedWith": report.compared_with});
    }
}

/// The member of the metadata that says why unproven changes were accepted.
pub(super) const ACCEPTED: &str = "acceptedUnknown";

/// The version of new content: above every version that was ever published, by the class of the changes.
pub(super) fn version_for(
    known: &[SchemaVersion],
    given: Option<&Version>,
    bump: Bump,
) -> Result<Version, EngineError> {
    let parse = |version: &SchemaVersion| Version::parse(version.version()).ok();
    let published = known.iter().filter(|version| !version.is_draft());
    let latest = published.filter_map(parse).max();
    next_version(latest.as_ref(), given, bump).map_err(|too_low| {
        let finding = Finding::error("VERSION_TOO_LOW", "/version", too_low.to_string())
            .with_optional_argument("actual", given.map(Version::to_string))
            .with_argument("required", too_low.least.to_string())
            .with_hint(format!("at least `{}`", too_low.least));
        EngineError::invalid(
            "VERSION_TOO_LOW",
            "the version cannot be given",
            vec![finding],
        )
    })
}

/// Reads a version that the caller gave.
pub(super) fn parsed_version(text: &str) -> Result<Version, EngineError> {
    Version::parse(text).map_err(|_| {
        let finding = Finding::error(
            "VERSION_INVALID",
            "/version",
            format!("`{text}` is not a semantic version"),
        )
        .with_argument("actual", text)
        .with_hint("write it like 1.2.0");
        EngineError::invalid(
            "VERSION_INVALID",
            "the version cannot be read",
            vec![finding],
        )
    })
}

pub(super) fn refused(findings: Vec<Finding>) -> EngineError {
    let first = findings.iter().find(|finding| finding.is_error());
    let reason = first
        .and_then(|finding| codes::find(&finding.code))
        .map_or("INVALID_SCHEMA", |code| code.code);
    EngineError::invalid(
        reason,
        "the schema is not registered, because it has errors",
        findings,
    )
}

pub(super) fn lost_race(schema_id: &str) -> EngineError {
    EngineError::VersionConflict {
        message: format!(
            "others kept registering versions of `{schema_id}` at the same time: reload it and decide again"
        ),
    }
}
