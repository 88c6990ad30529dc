//! Registering, updating and publishing one schema.

use augmented_core::json::content_hash;
use augmented_core::model::{Compatibility, LifecycleStatus};
use augmented_core::schema::{Bump, CompatReport};
use serde_json::Value;

use super::release::{
    ACCEPTED, ATTEMPTS, Examined, admitted_bump, lost_race, parsed_version, record_acceptance,
    registered, version_for,
};
use super::request::{NewSchema, Overrides, SchemaUpdate, document};
use super::version::{RegisteredSchema, SchemaVersion};
use super::{SchemaRegistry, schema_not_found, version_not_found};
use crate::EngineError;

/// What becomes of new content.
enum Plan {
    /// The latest version has it already.
    Same(Box<SchemaVersion>),
    /// It becomes a version.
    New(Box<(Examined, Option<CompatReport>)>),
}

impl SchemaRegistry {
    /// Registers a schema that is not there yet. The same content again gives the version that is there.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with all findings if the schema is not legal, the first one's code being the reason;
    /// `ALREADY_EXISTS`, reason `SCHEMA_ALREADY_EXISTS`, if the id has other content, which [`update`](Self::update) may
    /// change; `ILLEGAL_STATE`, reason `BUILTIN_READ_ONLY`, for ids that begin with `core.`; `VERSION_CONFLICT` if others
    /// kept registering at the same time; `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn register(&self, new: NewSchema) -> Result<RegisteredSchema, EngineError> {
        self.check_writable(&new.schema_id)?;
        let _hold = self.shared.time().hold();
        let _turn = self
            .shared
            .schemas
            .writer(self.tenant, &new.schema_id)
            .await;
        let version = new.version.as_deref().unwrap_or("1.0.0");
        for _ in 0..ATTEMPTS {
            let known = self.stored_versions(&new.schema_id).await?;
            if let Some(latest) = known.last() {
                return self.same_or_taken(&new, latest).await;
            }
            let examined = self.examine_one(new.document(version), new.draft).await?;
            if let Some(done) = self.store_one(examined, None).await? {
                return Ok(done);
            }
        }
        Err(lost_race(&new.schema_id))
    }

    /// Gives a schema new content, as its next version. The content of the latest version again gives that version.
    ///
    /// The mode in force is that of the latest published version. Without a version, the latest one moves by the class
    /// of the changes. Updates at the same time without [`expected_version`](SchemaUpdate::expected_version) follow one
    /// another, each compared with the one before.
    ///
    /// # Errors
    /// `NOT_FOUND`, reason `SCHEMA_NOT_FOUND`; `INVALID_ARGUMENT` as [`register`](Self::register) says, and with reason
    /// `INCOMPATIBLE_SCHEMA`, the pointers leading into the schema, or `VERSION_TOO_LOW`; `VERSION_CONFLICT` if the
    /// expected version is not the latest, or others kept registering; `ILLEGAL_STATE`, reason `BUILTIN_READ_ONLY`;
    /// `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn update(&self, update: SchemaUpdate) -> Result<RegisteredSchema, EngineError> {
        self.check_writable(&update.schema_id)?;
        let _hold = self.shared.time().hold();
        let _turn = self
            .shared
            .schemas
            .writer(self.tenant, &update.schema_id)
            .await;
        for _ in 0..ATTEMPTS {
            let known = self.stored_versions(&update.schema_id).await?;
            match self.plan(&update, &known).await? {
                Plan::Same(version) => return self.unchanged(*version).await,
                Plan::New(planned) => {
                    let (examined, report) = *planned;
                    if let Some(done) = self.store_one(examined, report).await? {
                        return Ok(done);
                    }
                }
            }
        }
        Err(lost_race(&update.schema_id))
    }

    /// Publishes a draft, as it is, under the rules of [`update`](Self::update).
    ///
    /// # Errors
    /// As [`update`](Self::update); `NOT_FOUND`, reason `SCHEMA_VERSION_NOT_FOUND`, and `ILLEGAL_STATE`, reason
    /// `NOT_DRAFT`, for a version that is past DRAFT.
    pub async fn publish(
        &self,
        schema_id: &str,
        version: &str,
        overrides: Overrides,
    ) -> Result<RegisteredSchema, EngineError> {
        self.check_writable(schema_id)?;
        let _hold = self.shared.time().hold();
        let _turn = self.shared.schemas.writer(self.tenant, schema_id).await;
        for _ in 0..ATTEMPTS {
            let known = self.stored_versions(schema_id).await?;
            if known.is_empty() {
                return Err(schema_not_found(schema_id));
            }
            let Some(draft) = known.iter().find(|known| known.version() == version) else {
                return Err(version_not_found(schema_id, Some(version), &known));
            };
            if !draft.is_draft() {
                return Err(EngineError::illegal_state(
                    "NOT_DRAFT",
                    format!("the schema `{schema_id}` {version} is {}", draft.status()),
                ));
            }
            let given = parsed_version(version)?;
            let content = Value::clone(&draft.stored.document);
            let mut examined = self.examine_one(content, false).await?;
            let report = self.compare_released(&known, &examined).await?;
            let bump = admitted_bump(report.as_ref(), &overrides)?;
            version_for(&known, Some(&given), bump)?;
            examined = self.accepted(examined, report.as_ref(), &overrides).await?;
            if let Some(done) = self.store_one(examined, report).await? {
                return Ok(done);
            }
        }
        Err(lost_race(schema_id))
    }

    async fn plan(
        &self,
        update: &SchemaUpdate,
        known: &[SchemaVersion],
    ) -> Result<Plan, EngineError> {
        let latest = known.iter().rfind(|known| !known.is_draft());
        let draft = known.last().filter(|known| known.is_draft());
        let Some(predecessor) = latest.or(draft) else {
            return Err(schema_not_found(&update.schema_id));
        };
        // A draft has the content already only where a draft is asked for.
        let same = [latest, draft.filter(|_| update.draft)];
        let hash = content_hash(&update.schema);
        let mut same = same.into_iter().flatten();
        if let Some(version) = same.find(|known| known.content_hash() == hash) {
            return Ok(Plan::Same(Box::new(version.clone())));
        }
        if let Some(expected) = &update.expected_version
            && expected != predecessor.version()
        {
            return Err(EngineError::VersionConflict {
                message: format!(
                    "the schema `{}` is at version {}, not {expected}: reload it and decide again",
                    update.schema_id,
                    predecessor.version()
                ),
            });
        }
        let given = update.version.as_deref().map(parsed_version).transpose()?;
        // The version is not known before the changes are, and the document is not legal without one. It must be none
        // that the schema may refer to.
        let provisional = given
            .clone()
            .map_or_else(|| version_for(known, None, Bump::Major), Ok)?;
        let content =
            |version: &semver::Version| updated(update, predecessor, &version.to_string());
        let examined = self
            .examine_one(content(&provisional), update.draft)
            .await?;
        let report = self.compare_released(known, &examined).await?;
        let bump = admitted_bump(report.as_ref(), &update.overrides)?;
        let version = match (&given, draft.filter(|_| update.draft)) {
            (None, Some(draft)) => {
                let in_place = parsed_version(draft.version())?;
                version_for(known, Some(&in_place), bump)
                    .or_else(|_| version_for(known, None, bump))?
            }
            _ => free_version(
                known,
                version_for(known, given.as_ref(), bump)?,
                update,
                bump,
            )?,
        };
        let mut content = content(&version);
        record_acceptance(&mut content, report.as_ref(), &update.overrides);
        let examined = self.examine_one(content, update.draft).await?;
        Ok(Plan::New(Box::new((examined, report))))
    }

    pub(super) async fn examine_one(
        &self,
        document: Value,
        draft: bool,
    ) -> Result<Examined, EngineError> {
        let status = if draft {
            LifecycleStatus::Draft
        } else {
            LifecycleStatus::Published
        };
        let examined = self.examine(&[document], status).await?;
        examined
            .into_iter()
            .next()
            .ok_or_else(|| EngineError::internal("a schema was examined as nothing"))
    }

    /// The document of a draft, with the reason for accepting it where one was needed.
    async fn accepted(
        &self,
        examined: Examined,
        report: Option<&CompatReport>,
        overrides: &Overrides,
    ) -> Result<Examined, EngineError> {
        let mut content = Value::clone(&examined.version.stored.document);
        record_acceptance(&mut content, report, overrides);
        if content == *examined.version.stored.document {
            return Ok(examined);
        }
        self.examine_one(content, false).await
    }

    /// Compares with the versions released before, under the mode in force.
    pub(super) async fn compare_released(
        &self,
        known: &[SchemaVersion],
        examined: &Examined,
    ) -> Result<Option<CompatReport>, EngineError> {
        let released: Vec<&SchemaVersion> =
            known.iter().filter(|known| known.is_released()).collect();
        let mode = mode_in_force(known);
        self.compare(&released, &examined.compiled, mode).await
    }

    async fn store_one(
        &self,
        examined: Examined,
        report: Option<CompatReport>,
    ) -> Result<Option<RegisteredSchema>, EngineError> {
        let stored = self
            .store_versions(std::slice::from_ref(&examined))
            .await?
            .and_then(|stored| stored.into_iter().next());
        Ok(stored.map(|stored| registered(stored, examined, report)))
    }

    async fn same_or_taken(
        &self,
        new: &NewSchema,
        latest: &SchemaVersion,
    ) -> Result<RegisteredSchema, EngineError> {
        if latest.content_hash() == content_hash(&new.schema) {
            return self.unchanged(latest.clone()).await;
        }
        Err(EngineError::AlreadyExists {
            reason: "SCHEMA_ALREADY_EXISTS",
            message: format!(
                "the schema `{}` exists with other content, at version {}: update it instead",
                new.schema_id,
                latest.version()
            ),
        })
    }

    /// The answer for content that is there already.
    pub(super) async fn unchanged(
        &self,
        version: SchemaVersion,
    ) -> Result<RegisteredSchema, EngineError> {
        let compiled = self
            .shared
            .schemas
            .compile_stored(&*self.shared.store, self.tenant, &version)
            .await?;
        let examined = Examined {
            version: version.clone(),
            compiled,
            warnings: Vec::new(),
        };
        Ok(registered((version, false), examined, None))
    }
}

/// The mode of the latest published version; that of the latest deprecated one where none is published.
pub(super) fn mode_in_force(known: &[SchemaVersion]) -> Compatibility {
    let published = known
        .iter()
        .rfind(|known| known.status() == LifecycleStatus::Published);
    let in_force = published.or_else(|| known.iter().rfind(|known| known.is_released()));
    in_force.map_or_else(Compatibility::default, SchemaVersion::compatibility)
}

/// A version that no draft has taken: new content never takes the place of somebody's draft.
fn free_version(
    known: &[SchemaVersion],
    wanted: semver::Version,
    update: &SchemaUpdate,
    bump: Bump,
) -> Result<semver::Version, EngineError> {
    let highest = known.last().map(|known| parsed_version(known.version()));
    match highest.transpose()? {
        Some(highest) if highest >= wanted && !update.draft => match &update.version {
            None => Ok(bump.max(Bump::Patch).after(&highest)),
            Some(_) => Err(EngineError::invalid(
                "VERSION_TOO_LOW",
                format!(
                    "version {wanted} is too low: there is version {highest}, which is a draft; publish or delete it"
                ),
                Vec::new(),
            )),
        },
        _ => Ok(wanted),
    }
}

/// The document of an update: what is not set is that of the version before.
fn updated(update: &SchemaUpdate, predecessor: &SchemaVersion, version: &str) -> Value {
    let mut members = match &*predecessor.stored.document {
        Value::Object(members) => members.clone(),
        _ => serde_json::Map::new(),
    };
    // These spoke of the version before.
    for name in ["deprecationReason", "replacedBy"] {
        members.remove(name);
    }
    let metadata = members.get_mut("metadata").and_then(Value::as_object_mut);
    if let Some(metadata) = metadata {
        metadata.remove(ACCEPTED);
    }
    members.extend(update.members.clone());
    document(&update.schema_id, version, &update.schema, &members)
}
