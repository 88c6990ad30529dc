//! `augmented catalog`: everything a definition may refer to on this host.

use augmented_core::codes;
use augmented_core::expr::{CelEngine, ExprSite, ExpressionEngine};
use augmented_core::schemas;
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::host::{CommandHost, endpoint};
use crate::terminal::Terminal;

pub(super) fn catalog(terminal: Terminal) -> Result<Exit, Failure> {
    terminal.print_json(&json!({
        "kinds": kinds(),
        "taskHandlers": task_handlers(),
        "adapters": [],
        "uiImplementations": [],
        "validators": [],
        "expression": { "roots": roots(), "functions": functions() },
        "codes": codes::all().collect::<Vec<_>>(),
    }))?;
    Ok(Exit::Done)
}

fn kinds() -> Vec<Value> {
    let kind = |shipped: &schemas::ShippedSchema| {
        let description = shipped
            .schema
            .get("description")
            .cloned()
            .unwrap_or_default();
        json!({
            "kind": shipped.kind,
            "description": description,
            "schema": shipped.schema,
            "example": KIND_EXAMPLES.iter().find(|(kind, _)| *kind == shipped.kind.as_str()).and_then(|(_, text)| serde_json::from_str::<Value>(text).ok()),
        })
    };
    schemas::all().iter().map(kind).collect()
}

fn task_handlers() -> Vec<Value> {
    let handler = |task: &'static Value| {
        let name = endpoint(task)?;
        let example = HANDLER_EXAMPLES
            .iter()
            .find(|(known, _)| *known == name)
            .and_then(|(_, text)| serde_json::from_str::<Value>(text).ok());
        Some(json!({
            "name": name,
            "description": task.get("description"),
            "inputSchema": task.get("inputSchema"),
            "outputSchema": task.get("outputSchema"),
            "example": example,
        }))
    };
    CommandHost::handlers().filter_map(handler).collect()
}

fn roots() -> Vec<Value> {
    let sites = ExprSite::all();
    ROOTS
        .iter()
        .map(|(name, description, example)| {
            let mut legal_in: Vec<&str> = sites.iter().filter(|site| site.allows(name)).map(ExprSite::name).collect();
            legal_in.dedup();
            json!({"name": name, "description": description, "example": example, "legalIn": legal_in})
        })
        .collect()
}

fn functions() -> Vec<Value> {
    let function = |info: augmented_core::expr::FunctionInfo| {
        json!({
            "name": info.name,
            "signature": info.signature,
            "description": info.description,
            "example": example_of(&info.name, &info.signature),
        })
    };
    CelEngine::shared()
        .functions()
        .into_iter()
        .map(function)
        .collect()
}

/// A worked example where there is one; otherwise the signature, which is a call already.
fn example_of(name: &str, signature: &str) -> String {
    FUNCTION_EXAMPLES
        .iter()
        .find(|(known, _)| *known == name)
        .map_or_else(
            || signature.to_owned(),
            |(_, example)| (*example).to_owned(),
        )
}

const ROOTS: [(&str, &str, &str); 14] = [
    (
        "input",
        "the input of the workflow; in a task definition, of the task",
        "input.orderId",
    ),
    ("vars", "the workflow variables", "vars.total > 1000"),
    (
        "steps",
        "the latest visit of each visible step: status, outcome, input, output, error, visit, startedAt, completedAt",
        "steps.reserve.output.reservationId",
    ),
    (
        "workflow",
        "the instance: instanceId, workflowId, version, status, correlationId, startedAt, tenantId, initiatorId and more",
        "workflow.instanceId",
    ),
    (
        "output",
        "the raw result of the step that has just finished",
        "output.approved",
    ),
    (
        "outcome",
        "the outcome of the step that has just finished",
        "outcome == \"Approved\"",
    ),
    (
        "error",
        "the error a handler step was entered with: code, category, message, stepId, stepInput, attempt",
        "error.code == \"OUT_OF_STOCK\"",
    ),
    (
        "item",
        "the element a FOR_EACH body works on; `itemName` gives it another name",
        "item.price * item.quantity",
    ),
    (
        "index",
        "the position of that element, from 0",
        "index == 0",
    ),
    (
        "signal",
        "the signal that was received: type, payload, sentBy",
        "signal.payload.approved",
    ),
    (
        "event",
        "the event that was received: id, pattern, version, source, timestamp, payload, metadata",
        "event.payload.orderId",
    ),
    (
        "schedule",
        "the firing of a schedule: scheduleId, fireTime, previousFireTime",
        "schedule.fireTime",
    ),
    (
        "task",
        "the task being carried out, in templates of its implementation",
        "task.taskId",
    ),
    (
        "now",
        "the instant of the current transition, a timestamp",
        "now + duration(\"1h\")",
    ),
];

const FUNCTION_EXAMPLES: [(&str, &str); 16] = [
    ("size", "size(input.lines) > 0"),
    ("sum", "sum(input.lines.map(l, l.price * l.quantity))"),
    ("avg", "avg(input.scores)"),
    ("coalesce", "coalesce(input.nickname, input.name)"),
    ("isEmpty", "isEmpty(input.comment)"),
    ("json", "json(input.lines)"),
    ("parseJson", "parseJson(output.body).status"),
    ("merge", "merge(vars.defaults, input.settings)"),
    ("isoDuration", "now + isoDuration(\"P1D\")"),
    (
        "formatTime",
        "formatTime(now, \"%d.%m.%Y\", \"Europe/Berlin\")",
    ),
    ("split", "input.tags.split(\",\")"),
    ("join", "input.tags.join(\", \")"),
    ("contains", "input.email.contains(\"@\")"),
    ("matches", "input.orderId.matches(\"^[A-Z]{3}-[0-9]+$\")"),
    ("timestamp", "timestamp(input.dueAt) < now"),
    ("duration", "duration(\"90m\")"),
];

const HANDLER_EXAMPLES: [(&str, &str); 4] = [
    ("std.echo", r#"{"input": {"a": 1}, "output": {"a": 1}}"#),
    (
        "std.fail",
        r#"{"input": {"code": "LINE_BUSY", "category": "TRANSIENT", "untilAttempt": 3}}"#,
    ),
    (
        "std.sleep",
        r#"{"input": {"duration": "PT10S"}, "output": {}}"#,
    ),
    (
        "std.log",
        r#"{"input": {"message": "shipped", "level": "INFO"}, "output": {}}"#,
    ),
];

const KIND_EXAMPLES: [(&str, &str); 6] = [
    (
        "workflow",
        r#"{"kind": "workflow", "workflowId": "greet", "version": "1.0.0", "name": "Greet",
            "steps": [{"stepId": "hello", "type": "TASK", "taskId": "std.echo", "input": {"text": "Hello ${input.name}"}}]}"#,
    ),
    (
        "task",
        r#"{"kind": "task", "taskId": "reserve-stock", "version": "1.0.0", "name": "Reserve stock", "type": "AUTOMATED",
            "implementation": {"kind": "NATIVE", "endpoint": "reserve-stock"},
            "inputSchema": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}},
            "outputSchema": {"type": "object"}}"#,
    ),
    (
        "event",
        r#"{"kind": "event", "eventId": "order-created", "version": "1.0.0", "name": "Order created", "pattern": "order.created",
            "payloadSchema": {"type": "object", "required": ["orderId"], "properties": {"orderId": {"type": "string"}}}}"#,
    ),
    (
        "trigger",
        r#"{"kind": "trigger", "triggerId": "start-on-order", "version": "1.0.0", "triggerType": "START", "eventPattern": "order.created",
            "workflowId": "greet", "inputMapping": {"name": "${event.payload.customer}"}}"#,
    ),
    (
        "schedule",
        r#"{"kind": "schedule", "scheduleId": "nightly-greeting", "version": "1.0.0", "type": "RECURRING",
            "target": {"type": "WORKFLOW", "id": "greet"}, "timing": {"cronExpression": "0 2 * * *", "timezone": "Europe/Berlin"},
            "input": {"name": "night shift"}}"#,
    ),
    (
        "schema",
        r#"{"kind": "schema", "schemaId": "address", "version": "1.0.0", "name": "Address",
            "schema": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}}"#,
    ),
];

#[cfg(test)]
mod tests {
    use augmented_core::validate::{DefinitionValidator, Document, Finding};

    use super::*;

    #[test]
    fn every_example_of_a_kind_is_a_valid_document_of_it() {
        for (kind, text) in KIND_EXAMPLES {
            let document: Value = serde_json::from_str(text).unwrap();
            let report = DefinitionValidator::standard().validate(&Document::new(&document));
            let errors: Vec<&Finding> = report
                .findings
                .iter()
                .filter(|finding| finding.is_error())
                .collect();
            assert!(errors.is_empty(), "{kind}: {errors:?}");
            assert_eq!(document["kind"], kind);
        }
        assert_eq!(
            kinds()
                .iter()
                .filter(|kind| kind["example"].is_null())
                .count(),
            0
        );
    }

    #[test]
    fn every_root_of_a_site_and_every_handler_is_described() {
        for site in ExprSite::all() {
            for root in site.roots() {
                assert!(
                    ROOTS.iter().any(|(name, ..)| *name == root),
                    "{root} of {} is not described",
                    site.name()
                );
            }
        }
        for handler in task_handlers() {
            assert!(
                handler["example"].is_object() && handler["description"].is_string(),
                "{handler}"
            );
        }
    }

    #[test]
    fn examples_of_functions_name_functions_there_are() {
        let known: Vec<String> = CelEngine::shared()
            .functions()
            .into_iter()
            .map(|info| info.name)
            .collect();
        for (name, _) in FUNCTION_EXAMPLES {
            assert!(
                known.iter().any(|one| one == name),
                "there is no function {name}"
            );
        }
    }
}
