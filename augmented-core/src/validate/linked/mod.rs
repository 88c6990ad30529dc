//! Level L4: what a document refers to exists, is published, and takes what it is given.

mod schedule;
mod task;
mod trigger;
mod types;
mod versions;
mod workflow;

use serde_json::{Map, Value};

use super::dataflow::{FlowCodes, Source, TargetSchema, check_mapping, unmapped};
use super::embedded::schema_references;
use super::expressions::Kept;
use super::links::{Links, Reference};
use super::place::Place;
use super::rules::workflow::is_end;
use super::{Finding, Related, wording};
use crate::model::{DefinitionKind, LifecycleStatus};

/// Checks the references of one document.
pub(super) fn check(
    kind: DefinitionKind,
    document: &Map<String, Value>,
    expressions: &[Kept],
    links: &Links<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    match kind {
        DefinitionKind::Workflow => {
            workflow::check(document, expressions, links, &mut findings);
        }
        DefinitionKind::Task => task::check(document, links, &mut findings),
        DefinitionKind::Trigger => trigger::check(document, links, &mut findings),
        DefinitionKind::Schedule => schedule::check(document, links, &mut findings),
        DefinitionKind::Event => versions::check_event(document, links, &mut findings),
        DefinitionKind::Schema => versions::check_schema(document, links, &mut findings),
        _ => {}
    }
    findings
}

/// Checks the life of the registered schemas that the schemas of a document lead to. Those that do not exist have their
/// finding from the compiler.
pub(super) fn check_schemas(
    kind: DefinitionKind,
    document: &Value,
    links: &Links<'_>,
) -> Vec<Finding> {
    let found = schema_references(kind, document).into_iter();
    found
        .filter_map(|reference| {
            let versions = links.versions(DefinitionKind::Schema, &reference.schema_id);
            let target = versions
                .into_iter()
                .find(|candidate| candidate.version == reference.version)?;
            let text = format!(
                "the schema `{}` {} is {}",
                reference.schema_id, reference.version, target.status
            );
            match target.status {
                LifecycleStatus::Archived => Some(
                    Finding::error("REFERENCE_NOT_PUBLISHED", reference.pointer, text)
                        .with_argument("kind", "schema")
                        .with_argument("id", wording::cut(&reference.schema_id))
                        .with_argument("status", target.status.to_string())
                        .with_hint("name a published version"),
                ),
                LifecycleStatus::Deprecated => Some(
                    Finding::warning("REFERENCE_DEPRECATED", reference.pointer, text)
                        .with_argument("kind", "schema")
                        .with_argument("id", wording::cut(&reference.schema_id))
                        .with_argument("version", reference.version.to_string())
                        .with_hint("name a published version"),
                ),
                LifecycleStatus::Draft | LifecycleStatus::Published => None,
            }
        })
        .collect()
}

/// A definition that a document refers to, for fetching all of them at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefinitionReference {
    /// Kind of the definition.
    pub kind: DefinitionKind,
    /// Its business id.
    pub id: String,
    /// The version that is asked for, exact or a range; absent = the highest published one.
    pub requirement: Option<String>,
    /// Where the document names it.
    pub pointer: String,
}

/// Everything a document refers to, in document order; read from the JSON tree, so that a broken document has references too.
///
/// ```
/// use augmented_core::model::DefinitionKind;
/// use augmented_core::validate::references;
/// use serde_json::json;
/// let workflow = json!({"kind": "workflow", "steps": [{"stepId": "a", "type": "TASK", "taskId": "charge", "taskVersion": "^1"}]});
/// let found = references(DefinitionKind::Workflow, &workflow);
/// assert_eq!((found[0].id.as_str(), found[0].requirement.as_deref()), ("charge", Some("^1")));
/// assert_eq!(found[0].pointer, "/steps/0/taskId");
/// ```
#[must_use]
pub fn references(kind: DefinitionKind, document: &Value) -> Vec<DefinitionReference> {
    let Some(members) = document.as_object() else {
        return Vec::new();
    };
    let found = match kind {
        DefinitionKind::Workflow => workflow::references(members),
        DefinitionKind::Task => task::references(members),
        DefinitionKind::Trigger => trigger::reference(members).into_iter().collect(),
        DefinitionKind::Schedule => schedule::reference(members).into_iter().collect(),
        _ => Vec::new(),
    };
    found
        .into_iter()
        .map(|r| DefinitionReference {
            kind: r.kind,
            id: r.id.to_owned(),
            requirement: r.requirement.map(str::to_owned),
            pointer: r.pointer,
        })
        .collect()
}

/// The reference of an object that names an id and perhaps a version.
fn reference_of<'r>(
    object: &'r Map<String, Value>,
    place: &Place<'_>,
    members: (&'static str, &'static str),
    kind: DefinitionKind,
    code: &'static str,
) -> Option<Reference<'r>> {
    let (id_member, version_member) = members;
    let id = object.get(id_member)?.as_str()?;
    Some(Reference {
        kind,
        id,
        requirement: object.get(version_member).and_then(Value::as_str),
        pointer: place.key(id_member).to_string(),
        version_pointer: place
            .key(if object.contains_key(version_member) {
                version_member
            } else {
                id_member
            })
            .to_string(),
        code,
    })
}

const INPUT: FlowCodes = FlowCodes {
    unmapped: "REQUIRED_INPUT_UNMAPPED",
    mismatch: "MAPPING_TYPE",
    sample: "input.",
};

/// As [`INPUT`], where nothing but the instant of firing is known.
const FIRED_INPUT: FlowCodes = FlowCodes {
    sample: "",
    ..INPUT
};

/// Checks what is mapped to the input of a definition.
fn check_input<'s>(
    mapping: Option<&Value>,
    place: &Place<'_>,
    schema: Option<&Value>,
    codes: FlowCodes,
    definition: Related,
    source: &dyn Fn(&[&str]) -> Source<'s>,
    findings: &mut Vec<Finding>,
) {
    let Some(schema) = schema else { return };
    let target = TargetSchema::new(schema);
    let before = findings.len();
    match mapping {
        Some(mapping) => check_mapping(mapping, place, target, codes, source, findings),
        None => findings.extend(target.required().map(|name| unmapped(name, place, codes))),
    }
    for finding in findings.iter_mut().skip(before) {
        finding.related.push(definition.clone());
    }
}

/// Outcomes the END steps of a workflow document state.
fn end_outcomes(workflow: &Value) -> Vec<String> {
    let mut outcomes = vec!["SUCCESS".to_owned()];
    let Some(members) = workflow.as_object() else {
        return outcomes;
    };
    let graph = super::graph::Graph::read(members);
    let stated = graph
        .steps
        .iter()
        .filter(|s| is_end(s.kind))
        .filter_map(|s| s.value.get("outcome")?.as_str());
    outcomes.extend(stated.map(str::to_owned));
    outcomes
}
