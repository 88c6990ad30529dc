//! What a trigger refers to.

use serde_json::{Map, Value};

use super::super::dataflow::{FlowCodes, Source, follow};
use super::super::event_pattern::{is_wildcard, matches};
use super::super::links::{Links, Reference, definition};
use super::super::place::Place;
use super::super::wording;
use super::super::{Finding, Related};
use super::{check_input, reference_of};
use crate::model::DefinitionKind;

const CODES: FlowCodes = FlowCodes {
    unmapped: "TRIGGER_INPUT_UNMAPPED",
    mismatch: "MAPPING_TYPE",
    sample: "event.payload.",
};

pub(super) fn reference(document: &Map<String, Value>) -> Option<Reference<'_>> {
    reference_of(
        document,
        &Place::ROOT,
        ("workflowId", "workflowVersion"),
        DefinitionKind::Workflow,
        "UNKNOWN_WORKFLOW",
    )
}

pub(super) fn check(document: &Map<String, Value>, links: &Links<'_>, findings: &mut Vec<Finding>) {
    let pattern = document.get("eventPattern").and_then(Value::as_str);
    if let Some(pattern) = pattern {
        event_pattern(pattern, links, findings);
    }
    overlap(document, links, findings);
    let Some(reference) = reference(document) else {
        return;
    };
    let Some(workflow) = links.follow(&reference, findings) else {
        return;
    };
    match document.get("triggerType").and_then(Value::as_str) {
        Some("START") => {
            let event = pattern
                .filter(|p| !is_wildcard(p))
                .and_then(|p| links.event_named(p));
            let payload = event.and_then(|e| e.get("payloadSchema"));
            let source = |path: &[&str]| match (path, payload) {
                (["event", "payload", rest @ ..], Some(schema)) => follow(schema, rest),
                _ => Source::Unknown,
            };
            let mapping = document.get("inputMapping");
            let payload_itself = Value::String("${event.payload}".into());
            let root = Place::ROOT;
            check_input(
                Some(mapping.unwrap_or(&payload_itself)),
                &root.key("inputMapping"),
                workflow.document.get("inputSchema"),
                CODES,
                definition(&reference, &workflow),
                &source,
                findings,
            );
        }
        Some("SIGNAL") => signal(document, &workflow.document, findings),
        _ => {}
    }
}

fn event_pattern(pattern: &str, links: &Links<'_>, findings: &mut Vec<Finding>) {
    let names = links.event_names();
    if names.iter().any(|name| matches(pattern, name)) || is_engine_event(pattern) {
        return;
    }
    if is_wildcard(pattern) {
        findings.push(
            Finding::warning(
                "UNKNOWN_EVENT_PATTERN",
                "/eventPattern",
                format!("no event that is known matches `{}`", wording::cut(pattern)),
            )
            .with_argument("pattern", wording::cut(pattern))
            .with_hint("events may be defined later; a misspelt segment never matches"),
        );
        return;
    }
    let hint = wording::suggest(pattern, names.iter().map(AsRef::as_ref), "known events");
    findings.push(
        Finding::error(
            "UNKNOWN_EVENT_PATTERN",
            "/eventPattern",
            format!("no event `{}` is defined", wording::cut(pattern)),
        )
        .with_argument("pattern", wording::cut(pattern))
        .with_optional_argument(
            "nearest",
            wording::near(pattern, names.iter().map(AsRef::as_ref)),
        )
        .with_hint(
            hint.unwrap_or_else(|| "add a document of kind `event` with that `pattern`".into()),
        ),
    );
}

/// Events of the engine itself need no definition in the bundle.
fn is_engine_event(pattern: &str) -> bool {
    const NAMESPACES: [&str; 18] = [
        "system",
        "event",
        "workflow",
        "task",
        "integration",
        "validation",
        "ui",
        "business_store",
        "observability",
        "testing",
        "user",
        "role",
        "permission",
        "policy",
        "service_account",
        "session",
        "key",
        "audit",
    ];
    pattern
        .split('.')
        .next()
        .is_some_and(|namespace| NAMESPACES.contains(&namespace))
}

fn signal(document: &Map<String, Value>, workflow: &Value, findings: &mut Vec<Finding>) {
    let (Some(name), Some(declared)) = (
        document.get("signalType").and_then(Value::as_str),
        workflow.get("signals").and_then(Value::as_object),
    ) else {
        return;
    };
    if !declared.contains_key(name) {
        let hint = wording::suggest(
            name,
            declared.keys().map(String::as_str),
            "declared signals",
        );
        findings.push(
            Finding::error(
                "UNKNOWN_SIGNAL",
                "/signalType",
                format!("the workflow declares no signal `{}`", wording::cut(name)),
            )
            .with_argument("signalType", wording::cut(name))
            .with_optional_argument(
                "nearest",
                wording::near(name, declared.keys().map(String::as_str)),
            )
            .with_hint(hint.unwrap_or_else(|| "it declares none".into())),
        );
    }
}

/// Another trigger that would do the same.
fn overlap(document: &Map<String, Value>, links: &Links<'_>, findings: &mut Vec<Finding>) {
    let same = |other: &Value, member: &str| other.get(member) == document.get(member);
    let own = document.get("triggerId");
    for other in links.members_of(DefinitionKind::Trigger) {
        let different = other.document.get("triggerId") != own;
        let alike = [
            "workflowId",
            "eventPattern",
            "triggerType",
            "eventCondition",
        ]
        .iter()
        .all(|m| same(other.document, m));
        if different && alike && Some(other.id) < own.and_then(Value::as_str) {
            findings.push(
                Finding::warning(
                    "TRIGGER_OVERLAP",
                    "/eventPattern",
                    format!(
                        "the trigger `{}` reacts to the same events in the same way",
                        other.id
                    ),
                )
                .with_argument("triggerId", other.id)
                .with_hint("remove one of the two, or tell them apart by `eventCondition`")
                .with_related(Related::new("", "the other trigger").with_document(
                    "trigger",
                    other.id,
                    other.version,
                )),
            );
        }
    }
}
