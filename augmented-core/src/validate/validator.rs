//! The levels in their order, over one document or a bundle of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::expressions::Kept;
use super::host::{HostRegistry, RuleSet};
use super::links::{Links, Member};
use super::published::Published;
use super::report::{Report, set_acknowledged_aside};
use super::resolver::{NoReferences, ReferenceResolver};
use super::structure::{self, Structure};
use super::wording;
use super::{Finding, PatchOp, Related};
use super::{embedded, hosted, linked, rules};
use crate::expr::{CelEngine, ExpressionEngine};
use crate::json::{Limits, SourceMap};
use crate::model::{Definition, DefinitionKind, LifecycleStatus, content_hash, load};
use crate::schema::{CompiledSchema, SchemaOptions, ValidatorRegistry};
use crate::schemas;

/// One document to be validated.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Document<'a> {
    /// The document.
    pub value: &'a Value,
    /// Where its parts stand in its text, if the text is known; of one in an array of documents, the map
    /// [`under`](SourceMap::under) its place.
    pub source: Option<&'a SourceMap>,
    /// The file it came from.
    pub file: Option<&'a str>,
}

impl<'a> Document<'a> {
    /// A document whose text is not known.
    #[must_use]
    pub fn new(value: &'a Value) -> Self {
        Self {
            value,
            source: None,
            file: None,
        }
    }

    /// Says where the parts of the document stand in its text.
    #[must_use]
    pub fn with_source(mut self, source: &'a SourceMap) -> Self {
        self.source = Some(source);
        self
    }

    /// Says which file it came from.
    #[must_use]
    pub fn with_file(mut self, file: &'a str) -> Self {
        self.file = Some(file);
        self
    }
}

/// What validation is for: a missing handler refuses publishing, and is a warning otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// To know what is wrong.
    #[default]
    Check,
    /// To publish when nothing is wrong.
    Publish,
}

/// Validates definitions; cheap to make, shared between threads.
///
/// ```
/// use augmented_core::validate::{DefinitionValidator, Document};
/// use serde_json::json;
/// let workflow = json!({
///     "kind": "workflow", "workflowId": "hello", "version": "1.0.0", "name": "Hello",
///     "steps": [
///         {"stepId": "greet", "type": "TASK", "taskId": "std.echo", "next": [{"nextStepId": "don"}]},
///         {"stepId": "done", "type": "END"},
///     ],
/// });
/// let reports = DefinitionValidator::standard().validate_bundle(&[Document::new(&workflow)], &augmented_core::validate::NoReferences, None);
/// let finding = &reports[0].findings[0];
/// assert_eq!((finding.code.as_ref(), finding.pointer.as_str()), ("UNKNOWN_STEP", "/steps/0/next/0/nextStepId"));
/// assert_eq!(finding.hint.as_deref(), Some("did you mean `done`?"));
/// ```
#[derive(Clone)]
pub struct DefinitionValidator<'e> {
    engine: &'e dyn ExpressionEngine,
    rules: RuleSet,
    purpose: Purpose,
    principal: Value,
    validators: Arc<ValidatorRegistry>,
}

impl std::fmt::Debug for DefinitionValidator<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DefinitionValidator")
            .field("rules", &self.rules)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

impl DefinitionValidator<'static> {
    /// A validator with the expression language as shipped, without functions of a host.
    #[must_use]
    pub fn standard() -> Self {
        Self::new(CelEngine::shared())
    }
}

impl<'e> DefinitionValidator<'e> {
    /// A validator that compiles expressions with the given engine.
    #[must_use]
    pub fn new(engine: &'e dyn ExpressionEngine) -> Self {
        Self {
            engine,
            rules: RuleSet::default(),
            purpose: Purpose::Check,
            principal: Value::Null,
            validators: Arc::default(),
        }
    }

    /// Lets schemas inside definitions use the validators of the host.
    #[must_use]
    pub fn with_validators(mut self, validators: Arc<ValidatorRegistry>) -> Self {
        self.validators = validators;
        self
    }

    /// Adds rules and policies of the host.
    #[must_use]
    pub fn with_rules(mut self, rules: RuleSet) -> Self {
        self.rules = rules;
        self
    }

    /// Says what validation is for.
    #[must_use]
    pub fn with_purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// Says who publishes, for the policies of the host.
    #[must_use]
    pub fn with_principal(mut self, principal: Value) -> Self {
        self.principal = principal;
        self
    }

    /// Validates one document by itself, levels L1–L3: everything but references and the host.
    #[must_use]
    pub fn validate(&self, document: &Document<'_>) -> Report {
        let checked = self.check_alone(document, &NoReferences);
        self.report(document, checked)
    }

    /// Validates documents as if published together, levels L1–L4 and, with a host, L5; one report each, in order.
    #[must_use]
    pub fn validate_bundle(
        &self,
        documents: &[Document<'_>],
        resolver: &dyn ReferenceResolver,
        host: Option<&dyn HostRegistry>,
    ) -> Vec<Report> {
        let checked: Vec<Checked<'_>> = {
            let schemas = SchemaMembers::of(documents, resolver);
            documents
                .iter()
                .map(|document| self.check_alone(document, &schemas))
                .collect()
        };
        let members: Vec<Member<'_>> = checked.iter().filter_map(Checked::member).collect();
        let links = Links::new(&members, resolver).with_validators(Arc::clone(&self.validators));
        let identities = Identities::of(&checked, documents);
        let more: Vec<Vec<Finding>> = checked
            .iter()
            .enumerate()
            .map(|(i, c)| self.check_together(i, c, &links, &identities, host))
            .collect();
        drop(links);
        drop(members);
        let mut reports = Vec::with_capacity(documents.len());
        for ((document, mut checked), more) in documents.iter().zip(checked).zip(more) {
            checked.later.extend(more);
            reports.push(self.report(document, checked));
        }
        reports
    }

    /// Validates one document completely and gives it as published if it has no errors.
    ///
    /// # Errors
    ///
    /// The report, when it has an ERROR.
    pub fn publish(
        &self,
        document: &Document<'_>,
        resolver: &dyn ReferenceResolver,
        host: Option<&dyn HostRegistry>,
    ) -> Result<Published<Definition>, Box<Report>> {
        let publishing = self.clone().with_purpose(Purpose::Publish);
        let report = publishing
            .validate_bundle(std::slice::from_ref(document), resolver, host)
            .pop()
            .unwrap_or_default();
        admit(document.value, report)
    }

    /// As [`publish`](Self::publish) for documents that are published together: all or none.
    ///
    /// # Errors
    ///
    /// All reports, when any has an ERROR.
    pub fn publish_bundle(
        &self,
        documents: &[Document<'_>],
        resolver: &dyn ReferenceResolver,
        host: Option<&dyn HostRegistry>,
    ) -> Result<Vec<(Published<Definition>, Report)>, Vec<Report>> {
        let publishing = self.clone().with_purpose(Purpose::Publish);
        let reports = publishing.validate_bundle(documents, resolver, host);
        if reports.iter().any(|r| !r.is_ok()) {
            return Err(reports);
        }
        let mut published = Vec::with_capacity(documents.len());
        for (document, report) in documents.iter().zip(reports) {
            match admit(document.value, report.clone()) {
                Ok(definition) => published.push((definition, report)),
                Err(report) => return Err(vec![*report]),
            }
        }
        Ok(published)
    }

    /// Validates a stored, published version by itself (L1–L3) when it is loaded to be compiled.
    ///
    /// # Errors
    ///
    /// The report, when it has an ERROR: the row was not written by this library.
    pub fn admit_stored(&self, document: &Value) -> Result<Published<Definition>, Box<Report>> {
        let report = self.validate(&Document::new(document));
        admit(document, report)
    }

    /// Levels L1–L3 of one document.
    fn check_alone<'d>(&self, document: &Document<'d>, schemas: &dyn SchemaSource) -> Checked<'d> {
        if let Some(finding) = too_large(document, self.purpose) {
            return Checked::unreadable(finding);
        }
        let document = document.value;
        let (kind, preliminary) = match detect_kind(document) {
            Ok(found) => found,
            Err(finding) => return Checked::unreadable(*finding),
        };
        let document = match &preliminary {
            None => Cow::Borrowed(document),
            Some(finding) => match super::fix::apply(document, std::slice::from_ref(finding)) {
                Ok((repaired, _)) => Cow::Owned(repaired),
                Err(_) => return Checked::unreadable(finding.clone()),
            },
        };
        let Some(schema) = compiled_schema(kind) else {
            let finding = Finding::error(
                "KIND_UNKNOWN",
                "/kind",
                format!("documents of kind `{kind}` are not supported by this version"),
            )
            .with_argument("actual", kind.to_string())
            .with_hint(format!("supported: {}", kinds()));
            return Checked::unreadable(finding);
        };
        let structure = structure::check(kind, document, schema);
        let mut later = Vec::new();
        let mut expressions = Vec::new();
        if let Some(members) = structure.value.as_object() {
            let (findings, kept) = rules::check(kind, members, self.engine);
            later.extend(findings);
            expressions = kept;
            let options = SchemaOptions::new().with_validators(Arc::clone(&self.validators));
            later.extend(schemas.check_embedded(kind, &structure.value, options));
            for rule in self.rules.rules_of(kind) {
                later.extend(rule.check(&structure.value));
            }
        }
        Checked {
            kind: Some(kind),
            first: preliminary.into_iter().collect(),
            structure: Some(structure),
            later,
            expressions,
        }
    }

    /// Levels L4 and L5 of one document of a bundle.
    fn check_together(
        &self,
        index: usize,
        checked: &Checked<'_>,
        links: &Links<'_>,
        identities: &Identities<'_, '_>,
        host: Option<&dyn HostRegistry>,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let (Some(kind), Some(structure)) = (checked.kind, &checked.structure) else {
            return findings;
        };
        let Some(members) = structure.value.as_object() else {
            return findings;
        };
        findings.extend(identities.duplicate(index));
        if let Some(member) = checked.member() {
            findings.extend(frozen(&member, links));
        }
        findings.extend(linked::check(kind, members, &checked.expressions, links));
        findings.extend(linked::check_schemas(kind, &structure.value, links));
        if let Some(host) = host {
            findings.extend(hosted::check(kind, members, host, self.purpose));
        }
        for policy in self.rules.policies() {
            findings.extend(policy.check(kind, &structure.value, &self.principal));
        }
        findings
    }

    fn report(&self, document: &Document<'_>, checked: Checked<'_>) -> Report {
        let mut report = Report {
            file: document.file.map(str::to_owned),
            kind: checked.kind.map(|k| k.to_string()),
            ..Report::default()
        };
        if let Some(structure) = &checked.structure {
            let text = |member: &str| {
                structure
                    .value
                    .get(member)
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            };
            report.id = checked
                .kind
                .and_then(DefinitionKind::id_member)
                .and_then(text);
            report.version = text("version");
        }
        let mut findings = checked.into_findings();
        report.acknowledged = set_acknowledged_aside(document.value, &mut findings);
        match document.source {
            Some(source) => {
                crate::json::place(&mut findings, source, document.file);
                crate::json::place(&mut report.acknowledged, source, document.file);
            }
            None => {
                for finding in &mut findings {
                    finding.file = document.file.map(str::to_owned);
                }
                crate::json::sort_findings(&mut findings);
            }
        }
        report.findings = findings;
        report
    }
}

/// A document after the levels that concern it alone.
struct Checked<'d> {
    kind: Option<DefinitionKind>,
    /// What was found before its kind was known.
    first: Vec<Finding>,
    structure: Option<Structure<'d>>,
    /// Findings of the later levels, with pointers into the repaired document.
    later: Vec<Finding>,
    /// The expressions of a workflow, for the checks that know the schemas of what they read.
    expressions: Vec<Kept>,
}

impl Checked<'_> {
    fn unreadable(finding: Finding) -> Self {
        Self {
            kind: None,
            first: vec![finding],
            structure: None,
            later: Vec::new(),
            expressions: Vec::new(),
        }
    }

    fn member(&self) -> Option<Member<'_>> {
        let (kind, structure) = (self.kind?, self.structure.as_ref()?);
        let document = structure.value.as_ref();
        Some(Member {
            kind,
            id: document.get(kind.id_member()?)?.as_str()?,
            version: document
                .get("version")
                .and_then(Value::as_str)
                .unwrap_or("0.0.0"),
            document,
        })
    }

    /// All findings, with pointers into the document as written; one for each cause.
    fn into_findings(self) -> Vec<Finding> {
        let mut findings = self.first;
        let Some(mut structure) = self.structure else {
            return findings;
        };
        let mut later: Vec<Finding> = self
            .later
            .into_iter()
            .map(|f| structure.as_written(f))
            .collect();
        structure.give_way(&later);
        later.retain(|f| {
            let about_absence = matches!(
                &*f.code,
                "required"
                    | "WAIT_UNCONFIGURED"
                    | "dependentRequired"
                    | "TIMEOUT_MISSING"
                    | "TRIGGER_CORRELATION_MISSING"
            );
            let told = about_absence && structure.is_misspelt(&f.pointer);
            !told && !structure.is_broken_at(&f.pointer)
        });
        findings.append(&mut structure.findings);
        for finding in later {
            // Another level may have seen the same thing.
            if !findings.iter().any(|f| {
                f.pointer == finding.pointer
                    && (same_thing(f, &finding) || (f.fix.is_some() && finding.fix == f.fix))
            }) {
                findings.push(finding);
            }
        }
        findings
    }
}

/// A definition is judged only up to a size, which counts for each document of a text by itself.
fn too_large(document: &Document<'_>, purpose: Purpose) -> Option<Finding> {
    let limit = Limits::definition().max_bytes;
    let bytes = match document.source.and_then(|source| source.span("")) {
        Some(span) => span.len(),
        None if purpose == Purpose::Publish => serde_json::to_vec(document.value).ok()?.len(),
        None => return None,
    };
    (bytes > limit).then(|| {
        Finding::error(
            "DOCUMENT_TOO_LARGE",
            "",
            format!("the document has {bytes} bytes, a definition has at most {limit}"),
        )
        .with_argument("limit", limit)
        .with_argument("actual", bytes)
        .with_hint("keep large data elsewhere and refer to it, or split the definition")
    })
}

/// Whether two findings of one place say the same.
fn same_thing(a: &Finding, b: &Finding) -> bool {
    a.code == b.code && a.offset_in_string == b.offset_in_string
}

/// The compiled schema of a kind, made once.
fn compiled_schema(kind: DefinitionKind) -> Option<&'static CompiledSchema> {
    static COMPILED: OnceLock<BTreeMap<DefinitionKind, CompiledSchema>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        let each = schemas::all().iter().filter_map(|shipped| {
            let compiled = CompiledSchema::compile(&shipped.schema, &SchemaOptions::new()).ok()?;
            Some((shipped.kind, compiled))
        });
        each.collect()
    });
    compiled.get(&kind)
}

fn kinds() -> String {
    let names: Vec<&str> = DefinitionKind::MODELLED
        .iter()
        .map(|k| k.as_str())
        .collect();
    wording::list(&names).unwrap_or_default()
}

/// The kind of a document, with the repair that makes it readable where it lacks one.
fn detect_kind(document: &Value) -> Result<(DefinitionKind, Option<Finding>), Box<Finding>> {
    let finding = match load::detect_kind(document) {
        Ok(kind) => return Ok((kind, None)),
        Err(finding) => Box::new(finding),
    };
    if let Some(fix) = &finding.fix
        && let Ok((repaired, _)) = super::fix::apply(document, std::slice::from_ref(&*finding))
        && let Ok(kind) = load::detect_kind(&repaired)
        && !fix.is_empty()
    {
        return Ok((kind, Some(*finding)));
    }
    let Some(members) = document.as_object() else {
        return Err(finding);
    };
    if members.contains_key("kind") {
        return Err(finding);
    }
    // Older documents do not say their kind; the member that holds the id tells it.
    let has = |name: &str| {
        members
            .keys()
            .any(|key| crate::json::nearest::same_letters(key, name))
    };
    let likely = [
        DefinitionKind::Trigger,
        DefinitionKind::Schedule,
        DefinitionKind::Event,
        DefinitionKind::Schema,
        DefinitionKind::Task,
        DefinitionKind::Workflow,
    ]
    .into_iter()
    .filter(|kind| kind.id_member().is_some_and(has));
    let likely: Vec<DefinitionKind> = likely.collect();
    let certain = match likely.as_slice() {
        [kind] => Some(*kind),
        // A trigger names a workflow, too.
        [kind @ DefinitionKind::Trigger, DefinitionKind::Workflow] => Some(*kind),
        _ => None,
    };
    match certain {
        Some(kind) => {
            let finding = finding
                .with_hint(format!("add `\"kind\": \"{kind}\"`"))
                .with_fix(vec![PatchOp::Add {
                    path: "/kind".into(),
                    value: kind.as_str().into(),
                }]);
            Ok((kind, Some(finding)))
        }
        None => Err(finding),
    }
}

/// Content that differs from what is stored as published under the same version.
fn frozen(member: &Member<'_>, links: &Links<'_>) -> Option<Finding> {
    let stored = links
        .stored(member.kind, member.id)
        .into_iter()
        .find(|k| k.version == member.version)?;
    if stored.status == LifecycleStatus::Draft
        || content_hash(member.kind, &stored.document) == content_hash(member.kind, member.document)
    {
        return None;
    }
    Some(
        Finding::error(
            "VERSION_FROZEN",
            "/version",
            format!(
                "{} `{}` {} is {} with other content",
                member.kind, member.id, member.version, stored.status
            ),
        )
        .with_argument("kind", member.kind.to_string())
        .with_argument("id", wording::cut(member.id))
        .with_argument("version", member.version.to_string())
        .with_hint("published content never changes: give the document a higher version"),
    )
}

/// Which documents of a bundle define the same version of the same thing.
struct Identities<'b, 'd> {
    first: FxHashMap<(DefinitionKind, &'b str, &'b str), usize>,
    keys: Vec<Option<(DefinitionKind, &'b str, &'b str)>>,
    documents: &'d [Document<'b>],
}

impl<'b, 'd> Identities<'b, 'd> {
    fn of(checked: &'b [Checked<'_>], documents: &'d [Document<'b>]) -> Self {
        let keys: Vec<_> = checked
            .iter()
            .map(|c| c.member().map(|m| (m.kind, m.id, m.version)))
            .collect();
        let mut first = FxHashMap::default();
        for (i, key) in keys.iter().enumerate() {
            if let Some(key) = key {
                first.entry(*key).or_insert(i);
            }
        }
        Self {
            first,
            keys,
            documents,
        }
    }

    fn duplicate(&self, index: usize) -> Option<Finding> {
        let (kind, id, version) = (*self.keys.get(index)?)?;
        let first = *self.first.get(&(kind, id, version))?;
        if first == index {
            return None;
        }
        let mut related = Related::new("/version", "first defined here").with_document(
            kind.as_str(),
            id,
            version,
        );
        if let Some(document) = self.documents.get(first) {
            let position = document
                .source
                .and_then(|source| source.locate("/version", None));
            related.file = document.file.map(str::to_owned);
            related.line = position.map(|p| p.line);
            related.column = position.map(|p| p.column);
        }
        Some(
            Finding::error(
                "DUPLICATE_DEFINITION",
                "/version",
                format!("{kind} `{}` {version} is defined twice", wording::cut(id)),
            )
            .with_argument("kind", kind.to_string())
            .with_argument("id", wording::cut(id))
            .with_argument("version", version.to_string())
            .with_hint("remove one of the two, or give it another version or id")
            .with_related(related),
        )
    }
}

/// Where registered schemas come from while documents are checked by themselves.
trait SchemaSource {
    fn check_embedded(
        &self,
        kind: DefinitionKind,
        document: &Value,
        options: SchemaOptions<'_>,
    ) -> Vec<Finding>;
}

impl SchemaSource for NoReferences {
    fn check_embedded(
        &self,
        kind: DefinitionKind,
        document: &Value,
        options: SchemaOptions<'_>,
    ) -> Vec<Finding> {
        embedded::check(kind, document, &options)
    }
}

/// The schema documents of a bundle, before anything in it has been repaired.
struct SchemaMembers<'b> {
    members: Vec<Member<'b>>,
    resolver: &'b dyn ReferenceResolver,
}

impl<'b> SchemaMembers<'b> {
    fn of(documents: &[Document<'b>], resolver: &'b dyn ReferenceResolver) -> Self {
        let members = documents
            .iter()
            .filter(|d| d.value.get("kind").and_then(Value::as_str) == Some("schema"))
            .filter_map(|d| {
                Some(Member {
                    kind: DefinitionKind::Schema,
                    id: d.value.get("schemaId")?.as_str()?,
                    version: d.value.get("version")?.as_str()?,
                    document: d.value,
                })
            });
        Self {
            members: members.collect(),
            resolver,
        }
    }
}

impl SchemaSource for SchemaMembers<'_> {
    fn check_embedded(
        &self,
        kind: DefinitionKind,
        document: &Value,
        options: SchemaOptions<'_>,
    ) -> Vec<Finding> {
        let links = Links::new(&self.members, self.resolver);
        embedded::check(kind, document, &options.with_resolver(&links))
    }
}

/// Builds the published form of a document without errors.
fn admit(document: &Value, report: Report) -> Result<Published<Definition>, Box<Report>> {
    if !report.is_ok() {
        return Err(Box::new(report));
    }
    let mut report = Box::new(report);
    match Definition::from_value(document.clone()) {
        Ok(definition) => Ok(Published::new(definition)),
        Err(problem) => {
            // The schema and the model disagree: a fault of the library, told like any other.
            report.findings.push(Finding::error(
                "INTERNAL",
                "",
                format!("the validated document cannot be read: {problem}"),
            ));
            Err(report)
        }
    }
}
