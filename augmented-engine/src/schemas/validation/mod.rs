//! Validation of data by registered schemas.
//!
//! A document passes the pure engine first; what that cannot decide comes back as deferred checks, which are carried
//! out here, with limits.
//!
//! Limits of time are measured by the timer of the runtime, also on virtual time: they guard against I/O of the host,
//! which virtual time cannot hurry. Virtual time stands still meanwhile.

mod batch;
mod deferred;
mod judge;
mod request;

use std::sync::Arc;

use augmented_core::json::{self, Limits};
use augmented_core::model::LifecycleStatus;
use augmented_core::schema::ValidateOptions;
use augmented_core::validate::Finding;
use serde_json::Value;
use tokio::time::Instant;

pub use batch::{BatchItem, BatchOptions, BatchResult, BatchSummary, ItemOutcome, ItemResult};
pub use request::{ShadowResult, ValidationMeta, ValidationRequest, ValidationResult};

use super::service::ReadySchema;
use super::version::SchemaVersion;
use super::{SchemaRegistry, latest_published, schema_not_found, version_not_found};
use crate::EngineError;
use deferred::{Pending, carry_out, over_time};
use judge::{Verdict, judge_anywhere};

/// What a document is judged by.
#[derive(Clone)]
pub(super) struct Target {
    ready: Arc<ReadySchema>,
    shadow: Option<Shadow>,
}

/// The candidate version of a shadow validation.
#[derive(Clone)]
struct Shadow {
    version: String,
    ready: Result<Arc<ReadySchema>, &'static str>,
}

impl SchemaRegistry {
    /// Validates a value by a registered schema.
    ///
    /// # Errors
    /// Only when there is no verdict, which is never the same as "invalid": `NOT_FOUND`, reason `SCHEMA_NOT_FOUND` or
    /// `SCHEMA_VERSION_NOT_FOUND`; `UNAVAILABLE`, reason `VALIDATION_TIMEOUT`; `INTERNAL`, reason `VALIDATOR_FAILED`,
    /// `VALIDATOR_MISSING` or `RESOURCE_LIMIT_EXCEEDED`; `INVALID_ARGUMENT`, reason `SCOPE_AMBIGUOUS` or `SCOPE_UNKNOWN`;
    /// `UNAVAILABLE` and `INTERNAL` from the store.
    ///
    /// # Cancel safety
    /// Changes nothing, so it may be dropped at any time; a large document may be judged to its end on its thread.
    pub async fn validate(
        &self,
        schema_id: &str,
        value: &Value,
        request: ValidationRequest,
    ) -> Result<ValidationResult, EngineError> {
        self.check_running()?;
        let _hold = self.shared.time().hold();
        let deadline = Instant::now() + request.timeout;
        let within = tokio::time::timeout_at(deadline, async {
            let target = self.target(schema_id, &request).await?;
            self.judge_one(target, value, &request, deadline).await
        });
        within.await.unwrap_or_else(|_| Err(over_time()))
    }

    /// Validates the text of a document by a registered schema. What is wrong with the text as such, for example a
    /// duplicate member, makes it invalid with the findings of intake; all findings name line and column.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub async fn validate_text(
        &self,
        schema_id: &str,
        text: &str,
        request: ValidationRequest,
    ) -> Result<ValidationResult, EngineError> {
        self.check_running()?;
        match json::parse(text.as_bytes(), &Limits::default()) {
            Ok(parsed) => {
                let mut result = self.validate(schema_id, &parsed.value, request).await?;
                json::place(&mut result.findings, &parsed.source, None);
                Ok(result)
            }
            Err(findings) => {
                let _hold = self.shared.time().hold();
                let target = self.target(schema_id, &request).await?;
                Ok(self.result(&target, Verdict::refused(findings), None, 0))
            }
        }
    }

    /// Validates a value by a schema that is not registered. The result's meta data name neither id nor version.
    ///
    /// # Errors
    /// As [`validate`](Self::validate); `INVALID_ARGUMENT` with all findings, their pointers leading into the schema, if
    /// that is not legal.
    pub async fn validate_inline(
        &self,
        schema: &Value,
        value: &Value,
        request: ValidationRequest,
    ) -> Result<ValidationResult, EngineError> {
        self.check_running()?;
        let _hold = self.shared.time().hold();
        let deadline = Instant::now() + request.timeout;
        let within = tokio::time::timeout_at(deadline, async {
            let schema = json::normalise_numbers(schema.clone());
            let (hash, compiled) = self.compile_inline(&schema).await?;
            let begun = self.shared.time().now();
            let options = self.options(&request.options);
            let mut verdict = judge_anywhere(&compiled, value, &options).await?;
            self.settle(&mut verdict, &options, deadline).await?;
            let mut result = ValidationResult::new(verdict, hash);
            result.meta.duration_ms = self.millis_since(begun);
            Ok(result)
        });
        within.await.unwrap_or_else(|_| Err(over_time()))
    }

    /// How often a shadow validation gave another verdict than the version in use, since the engine started.
    #[must_use]
    pub fn shadow_divergences(&self) -> u64 {
        self.shared.schemas.divergences()
    }

    async fn judge_one(
        &self,
        target: Target,
        value: &Value,
        request: &ValidationRequest,
        deadline: Instant,
    ) -> Result<ValidationResult, EngineError> {
        let begun = self.shared.time().now();
        let options = self.options(&request.options);
        let mut verdict = judge_anywhere(&target.ready.compiled, value, &options).await?;
        let shadow = self.shadow(&target, value, verdict.valid, &options).await;
        self.settle(&mut verdict, &options, deadline).await?;
        Ok(self.result(&target, verdict, shadow, self.millis_since(begun)))
    }

    /// The options of a call; validators see the engine's instant unless the caller sets one.
    fn options(&self, options: &ValidateOptions) -> ValidateOptions {
        let mut options = options.clone();
        let now = self.shared.time().now();
        options.context.now.get_or_insert(now);
        options
    }

    /// Carries out what the verdict left open.
    async fn settle(
        &self,
        verdict: &mut Verdict,
        options: &ValidateOptions,
        deadline: Instant,
    ) -> Result<(), EngineError> {
        let deferred = std::mem::take(&mut verdict.deferred).into_iter();
        let checks = deferred.map(|check| Pending { item: 0, check });
        let validators = &self.shared.schemas.validators;
        let answers = carry_out(validators, checks.collect(), &options.context, deadline).await;
        let mut complaints = Vec::new();
        for answer in answers {
            complaints.extend(answer.findings?);
        }
        verdict.add(complaints, options);
        Ok(())
    }

    /// Judges by the candidate version, too; whatever comes of that does not touch the verdict. Asynchronous checks are
    /// not made a second time.
    async fn shadow(
        &self,
        target: &Target,
        value: &Value,
        in_use: bool,
        options: &ValidateOptions,
    ) -> Option<ShadowResult> {
        let shadow = target.shadow.as_ref()?;
        let verdict = match &shadow.ready {
            Err(reason) => Err(*reason),
            Ok(ready) => judge_anywhere(&ready.compiled, value, options)
                .await
                .map_err(|error| error.reason().unwrap_or(error.code())),
        };
        let result = ShadowResult::new(shadow.version.clone(), in_use, verdict);
        if result.diverges {
            self.shared.schemas.count_divergence();
        }
        Some(result)
    }

    fn result(
        &self,
        target: &Target,
        verdict: Verdict,
        shadow: Option<ShadowResult>,
        duration_ms: u64,
    ) -> ValidationResult {
        let version = &target.ready.version;
        let mut result = ValidationResult::new(verdict, version.content_hash());
        if version.status() == LifecycleStatus::Deprecated {
            result.findings.push(deprecated(version));
            result.meta.finding_count = result.findings.len();
        }
        result.meta.schema_id = Some(version.schema_id().to_owned());
        result.meta.version = Some(version.version().to_owned());
        result.meta.duration_ms = duration_ms;
        result.meta.shadow = shadow;
        result
    }

    /// Chooses the version to judge by, and the candidate to judge by besides.
    pub(super) async fn target(
        &self,
        schema_id: &str,
        request: &ValidationRequest,
    ) -> Result<Target, EngineError> {
        let version = request.version.as_deref();
        let ready = self.ready(schema_id, version, false).await?;
        let shadow = match &request.shadow_version {
            None => None,
            Some(version) => Some(Shadow {
                version: version.clone(),
                ready: self
                    .ready(schema_id, Some(version), true)
                    .await
                    .map_err(|error| error.reason().unwrap_or(error.code())),
            }),
        };
        Ok(Target { ready, shadow })
    }

    /// A version ready to judge: the highest published one, or the one that is named. Only a candidate may be a draft.
    async fn ready(
        &self,
        schema_id: &str,
        version: Option<&str>,
        candidate: bool,
    ) -> Result<Arc<ReadySchema>, EngineError> {
        let service = &self.shared.schemas;
        let now = self.shared.time().now();
        let (known, generation) = service.choice(self.tenant, schema_id, version, now);
        if let Some(ready) = known {
            return Ok(ready);
        }
        let versions = self.stored_versions(schema_id).await?;
        if versions.is_empty() {
            return Err(schema_not_found(schema_id));
        }
        let found = match version {
            None => latest_published(&versions),
            Some(version) => versions
                .iter()
                .find(|known| known.version() == version && (candidate || !known.is_draft())),
        };
        let Some(found) = found else {
            return Err(version_not_found(schema_id, version, &versions));
        };
        let compiled = service
            .compile_stored(&*self.shared.store, self.tenant, found)
            .await?;
        let ready = Arc::new(ReadySchema {
            version: found.clone(),
            compiled,
        });
        // A draft may change at any time, and is not remembered.
        if !found.is_draft() {
            service.remember((self.tenant, schema_id, version), &ready, now, generation);
        }
        Ok(ready)
    }

    fn millis_since(&self, begun: augmented_core::Timestamp) -> u64 {
        let micros = self.shared.time().now().micros_since(begun);
        u64::try_from(micros / 1000).unwrap_or(0)
    }
}

/// The warning about the version itself; not about the document, so strict mode leaves it a warning.
fn deprecated(version: &SchemaVersion) -> Finding {
    let mut message = format!(
        "the schema `{}` {} is deprecated",
        version.schema_id(),
        version.version()
    );
    let said = version.deprecation();
    if let Some(said) = &said {
        message.push_str(": ");
        message.push_str(&said.reason);
    }
    let finding = Finding::warning("SCHEMA_DEPRECATED", "", message)
        .with_argument("version", version.version());
    match said.and_then(|said| said.replaced_by) {
        Some(version) => finding.with_hint(format!("use version {version}")),
        None => finding,
    }
}
