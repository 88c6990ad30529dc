//! Level L5, the half that asks the host's registries.

use serde_json::{Map, Value};

use super::dataflow::{FlowCodes, TargetSchema, check_schema};
use super::host::{HostRegistry, Registration};
use super::place::Place;
use super::validator::Purpose;
use super::wording;
use super::{Finding, Severity};
use crate::model::DefinitionKind;

const CODES: FlowCodes = FlowCodes {
    unmapped: "HANDLER_SCHEMA",
    mismatch: "HANDLER_SCHEMA",
    sample: "input.",
};

/// Checks a document against what the host has registered.
pub(super) fn check(
    kind: DefinitionKind,
    document: &Map<String, Value>,
    host: &dyn HostRegistry,
    purpose: Purpose,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    match kind {
        DefinitionKind::Task => task(document, host, purpose, &mut findings),
        DefinitionKind::Workflow => {
            let graph = super::graph::Graph::read(document);
            for step in &graph.steps {
                calendar(
                    step.value.get("calendarId"),
                    &Place::At(&step.pointer).key("calendarId"),
                    host,
                    &mut findings,
                );
            }
        }
        DefinitionKind::Schedule => {
            let timing = Place::ROOT.key("timing");
            calendar(
                document.get("timing").and_then(|t| t.get("calendarId")),
                &timing.key("calendarId"),
                host,
                &mut findings,
            );
        }
        _ => {}
    }
    findings
}

fn calendar(
    id: Option<&Value>,
    place: &Place<'_>,
    host: &dyn HostRegistry,
    findings: &mut Vec<Finding>,
) {
    let Some(id) = id.and_then(Value::as_str) else {
        return;
    };
    if host.calendar(id) == Registration::Missing {
        findings.push(
            Finding::error(
                "CALENDAR_UNKNOWN",
                place,
                format!("no calendar `{}` is registered", wording::cut(id)),
            )
            .with_argument("calendarId", wording::cut(id))
            .with_hint("register it with the host, or leave `calendarId` out"),
        );
    }
}

fn task(
    document: &Map<String, Value>,
    host: &dyn HostRegistry,
    purpose: Purpose,
    findings: &mut Vec<Finding>,
) {
    let due = document.get("manual").and_then(|m| m.get("due"));
    calendar(
        due.and_then(|d| d.get("calendarId")),
        &Place::At("/manual/due/calendarId"),
        host,
        findings,
    );
    let task_id = document
        .get("taskId")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let Some(implementation) = document
        .get("implementation")
        .filter(|_| !host.is_mocked(task_id))
    else {
        return;
    };
    let kind = implementation
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let endpoint = implementation.get("endpoint").and_then(Value::as_str);
    let severity = match purpose {
        Purpose::Publish => Severity::Error,
        Purpose::Check => Severity::Warning,
    };
    match (kind, endpoint) {
        // Workers come and go; people and built-in mechanisms are always there.
        ("WORKER" | "HUMAN" | "", _) => {}
        ("NATIVE", Some(name)) => native(document, name, host, severity, findings),
        ("NATIVE", None) => {}
        (kind, endpoint) => {
            if host.executor(kind, endpoint) == Registration::Missing {
                findings.push(
                    Finding::new(
                        severity,
                        "EXECUTOR_NOT_REGISTERED",
                        "/implementation/kind",
                        format!("this host has nothing that executes {kind} tasks as this one"),
                    )
                    .with_argument("kind", kind)
                    .with_optional_argument("endpoint", endpoint.map(wording::cut))
                    .with_hint("register an executor for it, or use another implementation kind"),
                );
            }
        }
    }
}

fn native(
    document: &Map<String, Value>,
    name: &str,
    host: &dyn HostRegistry,
    severity: Severity,
    findings: &mut Vec<Finding>,
) {
    let Some(contract) = host.task_handler(name) else {
        let names = host.task_handlers();
        let hint = wording::suggest(
            name,
            names.iter().map(String::as_str),
            "registered handlers",
        );
        findings.push(
            Finding::new(
                severity,
                "EXECUTOR_NOT_REGISTERED",
                "/implementation/endpoint",
                format!(
                    "no handler `{}` is registered on this host",
                    wording::cut(name)
                ),
            )
            .with_argument("kind", "NATIVE")
            .with_argument("endpoint", wording::cut(name))
            .with_optional_argument(
                "nearest",
                wording::near(name, names.iter().map(String::as_str)),
            )
            .with_hint(
                hint.unwrap_or_else(|| "register a task handler of that name at start-up".into()),
            ),
        );
        return;
    };
    let pairs = [
        (
            document.get("inputSchema"),
            contract.input_schema.as_ref(),
            "/inputSchema",
        ),
        (
            contract.output_schema.as_ref(),
            document.get("outputSchema"),
            "/outputSchema",
        ),
    ];
    for (given, wanted, pointer) in pairs {
        let (Some(given), Some(wanted)) = (given, wanted) else {
            continue;
        };
        let before = findings.len();
        check_schema(
            TargetSchema::new(given),
            TargetSchema::new(wanted),
            &Place::At(pointer),
            CODES,
            findings,
            0,
        );
        for finding in findings.iter_mut().skip(before) {
            finding.hint = Some(format!(
                "make `{}` agree with the types of the handler `{}`",
                pointer.trim_start_matches('/'),
                wording::cut(name)
            ));
            if severity == Severity::Warning {
                finding.severity = Severity::Warning;
            }
        }
    }
}
