//! The rules of kind `trigger`.

use serde_json::{Map, Value};

use super::super::Finding;
use super::super::event_pattern::check_pattern;
use super::super::expressions::Expressions;
use super::super::place::Place;
use crate::expr::{ExprSite, ExpressionEngine};

pub(super) fn check(document: &Map<String, Value>, engine: &dyn ExpressionEngine) -> Vec<Finding> {
    let mut findings = Vec::new();
    let root = Place::ROOT;
    if let Some(pattern) = document.get("eventPattern").and_then(Value::as_str) {
        check_pattern(pattern, &root.key("eventPattern"), &mut findings);
    }
    let mut expressions = Expressions::new(engine);
    let ignore = |_: super::super::expressions::Read<'_>, _: &mut Vec<Finding>| {};
    expressions.bare(
        document.get("eventCondition"),
        &root.key("eventCondition"),
        &ExprSite::trigger_condition(),
        &mut findings,
        ignore,
    );
    expressions.bare(
        document.get("correlationKey"),
        &root.key("correlationKey"),
        &ExprSite::trigger_key(),
        &mut findings,
        ignore,
    );
    expressions.mapping(
        document.get("inputMapping"),
        &root.key("inputMapping"),
        &ExprSite::trigger_mapping(),
        &mut findings,
        ignore,
    );
    members_of_type(document, &mut findings);
    findings
}

/// Members that a type of trigger needs, and those that mean nothing to it.
fn members_of_type(document: &Map<String, Value>, findings: &mut Vec<Finding>) {
    let root = Place::ROOT;
    let Some(kind @ ("START" | "CANCEL" | "SIGNAL")) =
        document.get("triggerType").and_then(Value::as_str)
    else {
        return;
    };
    if kind != "START" && !document.contains_key("correlationKey") {
        findings.push(
            Finding::error("TRIGGER_CORRELATION_MISSING", root.key("correlationKey"), format!("a {kind} trigger must say which instances it means"))
                .with_argument("triggerType", kind)
                .with_hint("add `correlationKey`, an expression over `event` that gives the `correlationId` of the instances"),
        );
    }
    if kind == "SIGNAL" && !document.contains_key("signalType") {
        findings.push(
            Finding::error(
                "required",
                root.key("signalType"),
                "a SIGNAL trigger needs `signalType`",
            )
            .with_argument("member", "signalType")
            .with_hint("add `signalType`, the name of the signal to send"),
        );
    }
    let foreign: &[&str] = match kind {
        "START" => &["signalType", "reason", "shouldCompensate"],
        "CANCEL" => &["signalType", "inputMapping", "duplicatePolicy"],
        _ => &["reason", "shouldCompensate", "duplicatePolicy"],
    };
    for member in foreign.iter().filter(|m| document.contains_key(**m)) {
        findings.push(
            Finding::error(
                "not",
                root.key(member),
                format!("`{member}` has no meaning for a {kind} trigger"),
            )
            .with_argument("member", *member)
            .with_hint("remove it, or change `triggerType`"),
        );
    }
}
