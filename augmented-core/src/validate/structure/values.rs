//! Values of the wrong type or spelling: what would be right in their place.

use serde_json::{Value, json};

use super::super::rules::common::{both_readings, malformed_duration};
use super::super::wording;
use super::super::{Arguments, Finding, PatchOp};
use super::context::{Context, object_at, step_type};
use super::import::{category_of, duration_value, holds_duration};
use crate::json::pointer;
use crate::model::DefinitionKind;

/// Improves the finding about a value.
pub(super) fn value(kind: DefinitionKind, document: &Value, finding: &mut Finding) {
    let Some(value) = pointer::resolve(document, &finding.pointer) else {
        return;
    };
    if finding.fix.is_some() {
        return;
    }
    match &*finding.code {
        "pattern" | "minLength" | "const" => text(kind, value, finding),
        "type" => wrong_type(kind, document, value, finding),
        "enum" => word(value, finding),
        _ => {}
    }
}

fn replace(finding: &mut Finding, value: Value) {
    finding.hint = Some(format!("write `{value}`"));
    finding.fix = Some(vec![PatchOp::Replace {
        path: finding.pointer.clone(),
        value,
    }]);
}

/// Gives a finding the code of a form of its own, whose only argument is the text.
fn recode(finding: &mut Finding, code: &'static str, text: &str) {
    finding.code = code.into();
    finding.arguments = Arguments::default();
    finding.arguments.set("actual", wording::cut(text));
}

/// Texts with a form of their own get the code and the hint of that form.
fn text(kind: DefinitionKind, value: &Value, finding: &mut Finding) {
    let Some(text) = value.as_str() else { return };
    let name = finding
        .pointer
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    if finding.code == "const" {
        return;
    }
    if holds_duration(&finding.pointer) {
        let better = malformed_duration(text, finding.pointer.clone());
        let since = name == "since" && better.fix.is_none();
        *finding = better;
        if since {
            finding.message = format!(
                "`{}` is neither INSTANCE nor STEP nor a duration",
                wording::cut(text)
            );
            let word = text.to_ascii_uppercase();
            if matches!(word.as_str(), "INSTANCE" | "STEP") {
                replace(finding, word.into());
            } else {
                finding.hint = Some("`INSTANCE`, `STEP` or a duration such as `PT1H`".into());
            }
        }
        return;
    }
    match name.as_str() {
        "version" if finding.pointer == "/version" => {
            recode(finding, "VERSION_INVALID", text);
            finding.message = format!("`{}` is no semantic version", wording::cut(text));
            finding.hint = Some(version_hint(text));
        }
        "stepId" | "branchId" | "compensationFor" => {
            recode(finding, "ID_INVALID", text);
            finding.message = format!(
                "`{}` is no step id: letters, digits, `_` and `-`, beginning with a letter or `_`, at most 64",
                wording::cut(text)
            );
            finding.hint = Some(format!("for example `{}`", step_id_like(text)));
        }
        id if Some(id) == kind.id_member() || matches!(id, "taskId" | "workflowId") => {
            recode(finding, "ID_INVALID", text);
            finding.message = format!(
                "`{}` is no business id: letters, digits, `_`, `.` and `-`, beginning with a letter or digit, at most 255",
                wording::cut(text)
            );
            finding.hint = Some(format!("for example `{}`", business_id_like(text)));
        }
        _ => {}
    }
}

/// `v1.0` and `1` as `1.0.0`.
fn version_hint(text: &str) -> String {
    let bare = text.trim().trim_start_matches(['v', 'V']);
    let (core, rest) = match bare.find(['-', '+']) {
        Some(at) => bare.split_at(at),
        None => (bare, ""),
    };
    let parts: Vec<&str> = core.split('.').collect();
    let numeric = parts.len() <= 3
        && parts
            .iter()
            .all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    if numeric {
        let numbers: Vec<&str> = parts
            .iter()
            .map(|p| p.trim_start_matches('0'))
            .map(|p| if p.is_empty() { "0" } else { p })
            .collect();
        let padded: Vec<&str> = numbers.into_iter().chain(["0", "0"]).take(3).collect();
        let right = format!("{}{rest}", padded.join("."));
        if semver::Version::parse(&right).is_ok() {
            return format!("write `{right}`");
        }
    }
    "major.minor.patch, for example `1.0.0`".into()
}

fn step_id_like(text: &str) -> String {
    let cleaned = cleaned(text, false);
    let prefixed = if cleaned.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        format!("s_{}", cleaned.trim_start_matches('-'))
    } else {
        cleaned
    };
    let short: String = prefixed.chars().take(64).collect();
    if short.is_empty() {
        "review".into()
    } else {
        short
    }
}

fn business_id_like(text: &str) -> String {
    let cleaned = cleaned(text, true);
    let short: String = cleaned
        .trim_start_matches(['-', '_', '.'])
        .chars()
        .take(255)
        .collect();
    if short.is_empty() {
        "order-processing".into()
    } else {
        short
    }
}

fn cleaned(text: &str, dots: bool) -> String {
    let mut id = String::new();
    for c in text.trim().chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') || (dots && c == '.') {
            id.push(c);
        } else if !id.ends_with('-') {
            id.push('-');
        }
    }
    id.trim_end_matches('-').to_owned()
}

/// A value of another JSON type, where it is clear what was meant.
fn wrong_type(kind: DefinitionKind, document: &Value, value: &Value, finding: &mut Finding) {
    let at = finding.pointer.clone();
    let Some((parent, name)) = pointer::split_last(&at) else {
        return;
    };
    let context = Context::of(kind, parent);
    if let Value::Number(number) = value
        && holds_duration(&at)
    {
        return number_as_duration(number, finding);
    }
    match (context, name.as_ref(), value) {
        (_, "version", Value::Number(number)) if parent.is_empty() => {
            recode(finding, "VERSION_INVALID", &number.to_string());
            finding.hint = Some(version_hint(&number.to_string()));
        }
        (Context::Step, "next", Value::String(_)) => {
            replace(finding, json!([{"nextStepId": value}]))
        }
        (Context::Step, "next", Value::Object(_)) => replace(finding, json!([value])),
        (Context::Step, "join", Value::String(_)) => replace(finding, json!({"type": value})),
        (Context::Step, "onFailure", Value::String(word))
            if matches!(word.to_ascii_uppercase().as_str(), "STOP" | "CONTINUE") =>
        {
            replace(finding, json!({"action": word.to_ascii_uppercase()}));
        }
        (Context::Step, "eventTimeout", Value::String(_)) => {
            replace(finding, json!({"duration": value}))
        }
        (Context::Root(DefinitionKind::Workflow), "onError", Value::String(_)) => {
            replace(finding, json!({"handlerStepId": value}))
        }
        (Context::Root(_), "uiComponents", Value::Object(components)) => {
            ui_components(components, finding)
        }
        (Context::Step, "assign", Value::Array(_)) => {
            finding.hint = Some("an object: `{\"total\": \"${output.total}\"}`".into())
        }
        (_, "retryPolicy" | "defaultRetryPolicy", Value::Number(attempts)) => {
            finding.hint = Some(format!(
                "write `{{\"maxAttempts\": {attempts}}}`; the first attempt counts"
            ));
        }
        (Context::Root(_), "steps", Value::Object(_)) => {
            finding.hint = Some("a list: `[{\"stepId\": …, \"type\": …}]`".into())
        }
        _ if in_list_of_transitions(parent) => transition_text(document, parent, value, finding),
        _ => quoted_scalar(value, finding),
    }
}

fn in_list_of_transitions(parent: &str) -> bool {
    parent.ends_with("/next")
}

/// A step id where a transition is expected; several of them would be a fork.
fn transition_text(document: &Value, parent: &str, value: &Value, finding: &mut Finding) {
    if !value.is_string() {
        return;
    }
    let alone = pointer::resolve(document, parent)
        .and_then(Value::as_array)
        .is_some_and(|list| list.len() == 1);
    let right = json!({"nextStepId": value});
    if alone {
        replace(finding, right);
    } else {
        finding.hint = Some(format!(
            "write `{right}`; only one entry is taken, PARALLEL runs several"
        ));
    }
}

fn number_as_duration(number: &serde_json::Number, finding: &mut Finding) {
    recode(finding, "DURATION_INVALID", &number.to_string());
    finding.message = format!("{number} is a number, durations are ISO 8601 texts");
    // The name does not say the unit, so that a repair would be a guess.
    finding.hint = Some(unit_hint(&Value::Number(number.clone())));
}

/// Both readings of a number whose unit nobody told.
pub(super) fn unit_hint(value: &Value) -> String {
    let text = |millis| match duration_value(value, millis) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    match (text(1000), text(1)) {
        (Some(seconds), Some(millis)) => both_readings(&seconds, &millis),
        _ => "for example `PT30S`".into(),
    }
}

/// `{primaryComponent, conditionalComponents{…}}` of older definitions.
fn ui_components(components: &serde_json::Map<String, Value>, finding: &mut Finding) {
    let mut list = Vec::new();
    if let Some(primary) = components.get("primaryComponent").filter(|c| c.is_string()) {
        list.push(json!({"componentId": primary}));
    }
    if let Some(ids) = components.get("componentIds").and_then(Value::as_array) {
        list.extend(
            ids.iter()
                .filter(|id| id.is_string())
                .map(|id| json!({"componentId": id})),
        );
    }
    let conditional = components
        .get("conditionalComponents")
        .and_then(Value::as_object);
    for (component, condition) in conditional
        .into_iter()
        .flatten()
        .filter(|(_, c)| c.is_string())
    {
        list.push(json!({"componentId": component, "condition": condition}));
    }
    if list.is_empty() {
        finding.hint = Some("a list: `[{\"componentId\": …}]`".into());
    } else {
        replace(finding, Value::Array(list));
    }
}

/// `"3"` where a number stands, `"true"` where a boolean does, a lone value where a list does.
fn quoted_scalar(value: &Value, finding: &mut Finding) {
    let message = finding.message.to_lowercase();
    let expects = |word: &str| message.contains(word);
    match value {
        Value::String(text) => {
            let text = text.trim();
            let numeric =
                text.parse::<i64>().is_ok() || text.parse::<f64>().is_ok_and(f64::is_finite);
            if numeric && (expects("integer") || expects("number")) {
                finding.hint = Some(format!("write {text} without quotes"));
            } else if matches!(
                text.to_ascii_lowercase().as_str(),
                "true" | "false" | "yes" | "no"
            ) && expects("boolean")
            {
                let right = matches!(text.to_ascii_lowercase().as_str(), "true" | "yes");
                finding.hint = Some(format!("write {right} without quotes"));
            } else if expects("array") {
                finding
                    .hint
                    .get_or_insert_with(|| format!("write a list: `[{value}]`"));
            }
        }
        Value::Number(number) if expects("string") => {
            finding
                .hint
                .get_or_insert_with(|| format!("write `\"{number}\"`"));
        }
        Value::Bool(_) if expects("string") => {
            finding
                .hint
                .get_or_insert_with(|| format!("write it as a string: `\"{value}\"`"));
        }
        Value::Object(_) if expects("array") => {
            finding
                .hint
                .get_or_insert_with(|| "write a list: `[{…}]`".into());
        }
        _ => {}
    }
}

/// A word that is none of the allowed ones.
fn word(value: &Value, finding: &mut Finding) {
    let Some(text) = value.as_str() else { return };
    if finding.pointer.ends_with("/errorCategory")
        && let Some(category) = category_of(text)
    {
        return replace(finding, category.into());
    }
    let meant = match (
        finding.pointer.rsplit('/').next().unwrap_or_default(),
        text.to_ascii_uppercase().as_str(),
    ) {
        ("result", "SUCCESS" | "SUCCEEDED" | "OK" | "DONE") => Some("COMPLETED"),
        ("result", "FAILURE" | "ERROR" | "FAIL") => Some("FAILED"),
        ("type", "WAIT" | "EVENT" | "WAIT_FOR_EVENT" | "SIGNAL") => Some("EVENT_WAIT"),
        ("type", "TIMER" | "SLEEP" | "WAIT_TIMER") => Some("DELAY"),
        ("type", "CHOICE" | "SWITCH" | "GATEWAY" | "IF" | "CONDITION") => Some("DECISION"),
        ("type", "LOOP" | "MAP" | "FOREACH" | "ITERATE") => Some("FOR_EACH"),
        ("type", "USER_TASK" | "MANUAL" | "MANUAL_TASK" | "APPROVAL" | "HUMAN") => {
            Some("HUMAN_TASK")
        }
        ("type", "FORK" | "SPLIT") => Some("PARALLEL"),
        (
            "type",
            "CALL" | "SUBPROCESS" | "SUB_PROCESS" | "CHILD_WORKFLOW" | "WORKFLOW" | "CALL_ACTIVITY",
        ) => Some("SUB_WORKFLOW"),
        ("type", "STOP" | "FINISH" | "TERMINATE" | "SUCCEED") => Some("END"),
        ("type", "NOOP" | "SET" | "ASSIGN" | "TRANSFORM") => Some("PASS"),
        ("type", "SERVICE_TASK" | "ACTIVITY" | "ACTION" | "SCRIPT_TASK") => Some("TASK"),
        ("action", "IGNORE" | "SKIP") => Some("CONTINUE"),
        ("action", "FAIL" | "ABORT") => Some("STOP"),
        ("level", "WARNING") => Some("WARN"),
        ("level", "TRACE") => Some("DEBUG"),
        _ => None,
    };
    let offered = meant.filter(|word| finding.message.contains(word));
    if let Some(meant) = offered {
        finding.hint = Some(format!("write `{meant}`"));
    } else if finding.hint.is_none()
        && let Some((_, expected)) = finding.message.split_once("expected ")
    {
        finding.hint = Some(expected.to_owned());
    }
}

/// The type a step without `type` probably has.
pub(super) fn likely_type(document: &Value, step: &str) -> Option<&'static str> {
    let step = object_at(document, step)?;
    if !step_type(step).is_empty() {
        return None;
    }
    let has = |member: &str| step.contains_key(member);
    Some(if has("branches") {
        "PARALLEL"
    } else if has("items") {
        "FOR_EACH"
    } else if has("eventPattern") || has("eventPatterns") || has("signalType") {
        "EVENT_WAIT"
    } else if has("workflowId") {
        "SUB_WORKFLOW"
    } else if has("interval") {
        "POLL"
    } else if has("manual") || has("instructions") || has("uiComponentId") {
        "HUMAN_TASK"
    } else if has("taskId") {
        "TASK"
    } else if has("duration") {
        "DELAY"
    } else if has("result") || !has("next") {
        "END"
    } else if step
        .get("next")
        .and_then(Value::as_array)
        .is_some_and(|n| n.iter().any(|t| t.get("condition").is_some()))
    {
        "DECISION"
    } else {
        "PASS"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_completed() {
        for (written, right) in [
            ("1", "1.0.0"),
            ("1.2", "1.2.0"),
            ("v1.2.3", "1.2.3"),
            ("01.2.0", "1.2.0"),
            ("1.0-beta", "1.0.0-beta"),
        ] {
            assert_eq!(
                version_hint(written),
                format!("write `{right}`"),
                "{written}"
            );
        }
        assert!(version_hint("latest").contains("major.minor.patch"));
    }

    #[test]
    fn ids_are_cleaned() {
        assert_eq!(step_id_like("1 approve order!"), "s_1-approve-order");
        assert_eq!(business_id_like("Order Processing"), "Order-Processing");
        assert_eq!(business_id_like("-x"), "x");
    }
}
