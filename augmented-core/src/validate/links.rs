//! Following references: through the documents of the bundle, what the caller knows, and what is shipped.

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::resolver::ReferenceResolver;
use super::wording;
use super::{Arguments, Finding, Related};
use crate::model::{
    DefinitionKind, LifecycleStatus, VersionCandidate, VersionRequirement, builtin, select_version,
};
use crate::schema::{SchemaOptions, ValidatorRegistry};

/// A document a reference leads to.
#[derive(Clone)]
pub(super) enum Document<'b> {
    /// One of the same call.
    Here(&'b Value),
    /// One the caller knows.
    Known(Arc<Value>),
}

impl std::ops::Deref for Document<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        match self {
            Self::Here(value) => value,
            Self::Known(value) => value,
        }
    }
}

/// A version of a definition.
#[derive(Clone)]
pub(super) struct Candidate<'b> {
    pub(super) version: Cow<'b, str>,
    pub(super) status: LifecycleStatus,
    pub(super) document: Document<'b>,
}

impl VersionCandidate for Candidate<'_> {
    fn version(&self) -> &str {
        &self.version
    }

    fn status(&self) -> LifecycleStatus {
        self.status
    }
}

/// One document of the call, as far as references care.
pub(super) struct Member<'b> {
    pub(super) kind: DefinitionKind,
    pub(super) id: &'b str,
    pub(super) version: &'b str,
    pub(super) document: &'b Value,
}

/// Everything references may lead to.
pub(super) struct Links<'b> {
    members: &'b [Member<'b>],
    by_id: FxHashMap<(DefinitionKind, &'b str), Vec<usize>>,
    resolver: &'b dyn ReferenceResolver,
    validators: Arc<ValidatorRegistry>,
}

/// A reference as a document states it.
pub(super) struct Reference<'r> {
    pub(super) kind: DefinitionKind,
    pub(super) id: &'r str,
    pub(super) requirement: Option<&'r str>,
    /// Where the id stands.
    pub(super) pointer: String,
    /// Where the version stands.
    pub(super) version_pointer: String,
    /// The code for one that does not resolve.
    pub(super) code: &'static str,
}

impl<'b> Links<'b> {
    pub(super) fn new(members: &'b [Member<'b>], resolver: &'b dyn ReferenceResolver) -> Self {
        let mut by_id: FxHashMap<_, Vec<usize>> = FxHashMap::default();
        for (i, member) in members.iter().enumerate() {
            by_id.entry((member.kind, member.id)).or_default().push(i);
        }
        Self {
            members,
            by_id,
            resolver,
            validators: Arc::default(),
        }
    }

    /// Lets schemas use the validators of the host.
    pub(super) fn with_validators(mut self, validators: Arc<ValidatorRegistry>) -> Self {
        self.validators = validators;
        self
    }

    /// How schemas are compiled that may lead anywhere here.
    pub(super) fn schema_options(&self) -> SchemaOptions<'_> {
        SchemaOptions::new()
            .with_resolver(self)
            .with_validators(Arc::clone(&self.validators))
    }

    /// Every version of a definition; those of the call count as published and hide stored ones of the same version.
    pub(super) fn versions(&self, kind: DefinitionKind, id: &str) -> Vec<Candidate<'b>> {
        let here = self
            .by_id
            .get(&(kind, id))
            .into_iter()
            .flatten()
            .filter_map(|i| self.members.get(*i));
        let mut found: Vec<Candidate<'b>> = here
            .map(|m| Candidate {
                version: m.version.into(),
                status: LifecycleStatus::Published,
                document: Document::Here(m.document),
            })
            .collect();
        for known in self.resolver.versions(kind, id) {
            if !found.iter().any(|f| f.version == known.version) {
                found.push(Candidate {
                    version: known.version.into(),
                    status: known.status,
                    document: Document::Known(known.document),
                });
            }
        }
        if kind == DefinitionKind::Task
            && let Some(shipped) = builtin::task(id)
            && !found.iter().any(|f| f.version == builtin::VERSION)
        {
            found.push(Candidate {
                version: builtin::VERSION.into(),
                status: LifecycleStatus::Published,
                document: Document::Known(Arc::clone(shipped)),
            });
        }
        found
    }

    /// Follows a reference without a word about it.
    pub(super) fn find(
        &self,
        kind: DefinitionKind,
        id: &str,
        requirement: Option<&str>,
    ) -> Option<Candidate<'b>> {
        select_version(requirement, &self.versions(kind, id))
            .ok()
            .flatten()
            .cloned()
    }

    /// Follows a reference and reports where it leads wrong.
    pub(super) fn follow(
        &self,
        reference: &Reference<'_>,
        findings: &mut Vec<Finding>,
    ) -> Option<Candidate<'b>> {
        if let Err(problem) = VersionRequirement::of(reference.requirement) {
            findings.push(
                Finding::error("VERSION_INVALID", reference.version_pointer.as_str(), problem.to_string())
                    .with_optional_argument("actual", reference.requirement.map(wording::cut))
                    .with_hint("an exact version such as `1.2.0`, a range such as `^1.2`, or leave it out for the highest published one"),
            );
            return None;
        }
        let candidates = self.versions(reference.kind, reference.id);
        let chosen = select_version(reference.requirement, &candidates)
            .ok()
            .flatten()
            .cloned();
        let Some(chosen) = chosen else {
            findings.push(self.unresolved(reference, &candidates));
            return None;
        };
        if chosen.status == LifecycleStatus::Deprecated {
            findings.push(
                Finding::warning(
                    "REFERENCE_DEPRECATED",
                    reference.version_pointer.as_str(),
                    format!(
                        "the {} `{}` {} is deprecated",
                        reference.kind,
                        wording::cut(reference.id),
                        chosen.version
                    ),
                )
                .with_argument("kind", reference.kind.to_string())
                .with_argument("id", wording::cut(reference.id))
                .with_argument("version", chosen.version.as_ref())
                .with_hint("name a published version, or leave the version out")
                .with_related(definition(reference, &chosen)),
            );
        }
        Some(chosen)
    }

    fn unresolved(&self, reference: &Reference<'_>, candidates: &[Candidate<'_>]) -> Finding {
        let (kind, id) = (reference.kind, wording::cut(reference.id));
        if candidates.is_empty() {
            return self.unknown(reference);
        }
        let fitting = VersionRequirement::of(reference.requirement)
            .ok()
            .and_then(|requirement| {
                candidates.iter().find(|c| {
                    semver::Version::parse(&c.version)
                        .is_ok_and(|v| requirement.accepts(&v, LifecycleStatus::Published))
                })
            });
        if let Some(candidate) = fitting {
            let code = if reference.code == "REFERENCE_UNKNOWN" {
                "REFERENCE_NOT_PUBLISHED"
            } else {
                reference.code
            };
            return Finding::error(
                code,
                reference.pointer.as_str(),
                format!(
                    "the {kind} `{id}` {} is {}, not PUBLISHED",
                    candidate.version, candidate.status
                ),
            )
            .with_arguments(named(code, reference, Some(&candidate.status.to_string())))
            .with_hint("publish it, or name a published version")
            .with_related(definition(reference, candidate));
        }
        let mut versions: Vec<&str> = candidates.iter().map(|c| c.version.as_ref()).collect();
        versions.sort_by(|a, b| crate::model::compare_versions(b, a));
        let wanted = reference.requirement.unwrap_or("(any release)");
        let place = if reference.requirement.is_some() {
            &reference.version_pointer
        } else {
            &reference.pointer
        };
        Finding::error(
            reference.code,
            place.as_str(),
            format!("no version of the {kind} `{id}` fits {wanted}"),
        )
        .with_arguments(named(reference.code, reference, None))
        .with_hint(format!(
            "known versions: {}",
            wording::list(&versions).unwrap_or_default()
        ))
    }

    fn unknown(&self, reference: &Reference<'_>) -> Finding {
        let (kind, id) = (reference.kind, wording::cut(reference.id));
        let finding = |code: &'static str, text: String| {
            Finding::error(code, reference.pointer.as_str(), text)
        };
        let other = DefinitionKind::MODELLED
            .into_iter()
            .find(|k| *k != kind && !self.versions(*k, reference.id).is_empty());
        if let Some(other) = other {
            let code = if reference.code == "REFERENCE_UNKNOWN" {
                "REFERENCE_WRONG_KIND"
            } else {
                reference.code
            };
            let arguments = if code == "REFERENCE_WRONG_KIND" {
                wrong_kind(kind, other)
            } else {
                named(code, reference, None)
            };
            return finding(code, format!("`{id}` is a {other}, not a {kind}"))
                .with_arguments(arguments)
                .with_hint(format!("name a {kind}"));
        }
        let ids = self.ids(kind);
        let hint = wording::suggest(
            reference.id,
            ids.iter().map(AsRef::as_ref),
            &format!("known {kind}s"),
        );
        let near = wording::near(reference.id, ids.iter().map(AsRef::as_ref));
        finding(reference.code, format!("no {kind} `{id}` is known"))
            .with_arguments(named(reference.code, reference, None))
            .with_optional_argument("nearest", near)
            .with_hint(
                hint.unwrap_or_else(|| format!("add a document of kind `{kind}` with that id")),
            )
    }

    /// Known ids of a kind, those of the call first.
    pub(super) fn ids(&self, kind: DefinitionKind) -> Vec<Cow<'b, str>> {
        let mut ids: Vec<Cow<'b, str>> = self
            .members
            .iter()
            .filter(|m| m.kind == kind)
            .map(|m| m.id.into())
            .collect();
        ids.extend(self.resolver.ids(kind).into_iter().map(Cow::Owned));
        if kind == DefinitionKind::Task {
            let shipped = builtin::documents()
                .iter()
                .filter_map(|d| d.get("taskId")?.as_str());
            ids.extend(shipped.map(|id| Cow::Owned(id.to_owned())));
        }
        let mut seen = rustc_hash::FxHashSet::default();
        ids.retain(|id| seen.insert(id.clone()));
        ids
    }

    /// Names of the events that are defined.
    pub(super) fn event_names(&self) -> Vec<Cow<'b, str>> {
        let here = self
            .members
            .iter()
            .filter(|m| m.kind == DefinitionKind::Event);
        let mut names: Vec<Cow<'b, str>> = here
            .filter_map(|m| m.document.get("pattern")?.as_str())
            .map(Cow::Borrowed)
            .collect();
        names.extend(self.resolver.event_names().into_iter().map(Cow::Owned));
        names
    }

    /// The event definition of an exact name, if it is one of the call.
    pub(super) fn event_named(&self, name: &str) -> Option<&'b Value> {
        let mut events = self
            .members
            .iter()
            .filter(|m| m.kind == DefinitionKind::Event);
        events
            .find(|m| m.document.get("pattern").and_then(Value::as_str) == Some(name))
            .map(|m| m.document)
    }

    /// Stored versions of a definition.
    pub(super) fn stored(
        &self,
        kind: DefinitionKind,
        id: &str,
    ) -> Vec<super::resolver::KnownDefinition> {
        self.resolver.versions(kind, id)
    }

    /// Other documents of the call of a kind.
    pub(super) fn members_of(&self, kind: DefinitionKind) -> impl Iterator<Item = &'b Member<'b>> {
        self.members.iter().filter(move |m| m.kind == kind)
    }
}

impl crate::schema::SchemaResolver for Links<'_> {
    fn schema(&self, id: &str, version: &str) -> Option<Arc<Value>> {
        let found = self
            .versions(DefinitionKind::Schema, id)
            .into_iter()
            .find(|c| c.version == version && c.status != LifecycleStatus::Draft);
        let schema = found.and_then(|c| c.document.get("schema").cloned());
        schema.map(Arc::new).or_else(|| {
            crate::schemas::shipped_version(id, version)
                .cloned()
                .map(Arc::new)
        })
    }
}

/// The definition a reference leads to, as a related place.
pub(super) fn definition(reference: &Reference<'_>, candidate: &Candidate<'_>) -> Related {
    Related::new("", "the definition").with_document(
        reference.kind.as_str(),
        reference.id,
        candidate.version.as_ref(),
    )
}
/// The arguments of a finding about a reference: each code names the definition in its own way.
fn named(code: &str, reference: &Reference<'_>, status: Option<&str>) -> Arguments {
    let id = wording::cut(reference.id);
    let mut arguments = Arguments::default();
    let member = match code {
        "UNKNOWN_TASK" | "TOOL_UNKNOWN" => "taskId",
        "UNKNOWN_WORKFLOW" => "workflowId",
        "UNKNOWN_COMPONENT" | "TASK_UI_UNKNOWN" => "componentId",
        "TASK_INTEGRATION_UNKNOWN" => "integrationId",
        _ => {
            arguments.set("kind", reference.kind.to_string());
            "id"
        }
    };
    arguments.set(member, id);
    match (code, status) {
        ("REFERENCE_NOT_PUBLISHED", Some(status)) => arguments.set("status", status),
        ("REFERENCE_UNKNOWN", _) => {
            if let Some(requirement) = reference.requirement {
                arguments.set("requirement", wording::cut(requirement));
            }
        }
        _ => {}
    }
    arguments
}

fn wrong_kind(expected: DefinitionKind, actual: DefinitionKind) -> Arguments {
    let mut arguments = Arguments::default();
    arguments.set("expected", expected.to_string());
    arguments.set("actual", actual.to_string());
    arguments
}
