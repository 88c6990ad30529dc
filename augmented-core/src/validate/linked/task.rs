//! What a task definition refers to.

use serde_json::{Map, Value};

use super::super::links::{Links, Reference};
use super::super::place::Place;
use super::super::wording;
use super::super::{Finding, Related};
use crate::model::DefinitionKind;

/// The tools of an AI agent.
pub(super) fn references(document: &Map<String, Value>) -> Vec<Reference<'_>> {
    let implementation = document.get("implementation");
    let agent = implementation
        .and_then(|i| i.get("kind"))
        .and_then(Value::as_str)
        == Some("AI_AGENT");
    let tools = implementation
        .and_then(|i| i.get("parameters"))
        .and_then(|p| p.get("tools"))
        .and_then(Value::as_array);
    let list = Place::At("/implementation/parameters/tools");
    tools
        .into_iter()
        .flatten()
        .enumerate()
        .filter(|_| agent)
        .filter_map(|(i, tool)| {
            let pointer = list.index(i).to_string();
            Some(Reference {
                kind: DefinitionKind::Task,
                id: tool.as_str()?,
                requirement: None,
                version_pointer: pointer.clone(),
                pointer,
                code: "TOOL_UNKNOWN",
            })
        })
        .collect()
}

pub(super) fn check(document: &Map<String, Value>, links: &Links<'_>, findings: &mut Vec<Finding>) {
    for reference in references(document) {
        let Some(tool) = links.follow(&reference, findings) else {
            continue;
        };
        let kind = tool
            .document
            .get("implementation")
            .and_then(|i| i.get("kind"))
            .and_then(Value::as_str);
        if let Some(kind) = kind.filter(|k| !matches!(*k, "NATIVE" | "HTTP")) {
            findings.push(
                Finding::error(
                    "TOOL_UNKNOWN",
                    reference.pointer.as_str(),
                    format!(
                        "`{}` has the implementation kind {kind}; a tool is a NATIVE or HTTP task",
                        wording::cut(reference.id)
                    ),
                )
                .with_argument("taskId", wording::cut(reference.id))
                .with_hint("name a NATIVE or HTTP task")
                .with_related(Related::new("", "the definition").with_document(
                    "task",
                    reference.id,
                    tool.version.as_ref(),
                )),
            );
        }
    }
}
