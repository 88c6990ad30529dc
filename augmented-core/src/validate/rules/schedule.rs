//! The rules of kind `schedule`.

use serde_json::{Map, Value};

use super::super::Finding;
use super::super::expressions::Expressions;
use super::super::place::Place;
use super::super::wording;
use super::common::{self, Bound};
use crate::expr::{ExprSite, ExpressionEngine};
use crate::time::Timestamp;

pub(super) fn check(document: &Map<String, Value>, engine: &dyn ExpressionEngine) -> Vec<Finding> {
    let mut findings = Vec::new();
    let root = Place::ROOT;
    common::duration(
        document.get("catchupWindow"),
        &root.key("catchupWindow"),
        Bound::Any,
        &mut findings,
    );
    let mut expressions = Expressions::new(engine);
    expressions.mapping(
        document.get("input"),
        &root.key("input"),
        &ExprSite::schedule_input(),
        &mut findings,
        |_, _| {},
    );
    if let Some(timing) = document.get("timing").and_then(Value::as_object) {
        check_timing(
            document.get("type").and_then(Value::as_str),
            timing,
            &mut findings,
        );
    }
    findings
}

fn check_timing(kind: Option<&str>, timing: &Map<String, Value>, findings: &mut Vec<Finding>) {
    let place = Place::ROOT.key("timing");
    let (needed, foreign): (&str, &[&str]) = match kind {
        Some("ONE_TIME") => ("executeAt", &["cronExpression", "startDate", "endDate"]),
        Some("RECURRING") => ("cronExpression", &["executeAt"]),
        _ => ("", &[]),
    };
    let kind = kind.unwrap_or_default();
    if !needed.is_empty() && !timing.contains_key(needed) {
        let example = if needed == "executeAt" {
            "2026-01-31T08:00:00Z"
        } else {
            "0 2 * * *"
        };
        findings.push(
            Finding::error(
                "required",
                place.key(needed),
                format!("a schedule of type {kind} needs `{needed}`"),
            )
            .with_argument("member", needed)
            .with_hint(format!("add `\"{needed}\": \"{example}\"`")),
        );
    }
    for member in foreign.iter().filter(|m| timing.contains_key(**m)) {
        findings.push(
            Finding::error(
                "not",
                place.key(member),
                format!("`{member}` has no meaning for a schedule of type {kind}"),
            )
            .with_argument("member", *member)
            .with_hint("remove it, or change `type`"),
        );
    }
    if let Some(cron) = timing.get("cronExpression").and_then(Value::as_str) {
        check_cron(cron, &place.key("cronExpression"), findings);
    }
    if let Some(zone) = timing.get("timezone").and_then(Value::as_str) {
        common::time_zone(zone, &place.key("timezone"), findings);
    }
    let start = instant(timing, "startDate", findings);
    let end = instant(timing, "endDate", findings);
    instant(timing, "executeAt", findings);
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        findings.push(
            Finding::error(
                "TIMESTAMP_INVALID",
                place.key("endDate"),
                format!("the schedule ends at {end}, not after it starts at {start}"),
            )
            .with_argument("actual", end.to_string())
            .with_hint("give an `endDate` after `startDate`"),
        );
    }
}

fn instant(
    timing: &Map<String, Value>,
    member: &str,
    findings: &mut Vec<Finding>,
) -> Option<Timestamp> {
    let text = timing.get(member)?.as_str()?;
    let place = Place::ROOT.key("timing");
    let whole = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    match whole.parse() {
        Ok(at) => Some(at),
        Err(_) => {
            findings.push(
                Finding::error(
                    "TIMESTAMP_INVALID",
                    place.key(member),
                    format!("`{}` is no instant", wording::cut(text)),
                )
                .with_argument("actual", wording::cut(text))
                .with_hint("write an RFC 3339 instant such as `2026-01-31T08:00:00Z`"),
            );
            None
        }
    }
}

/// Five fields, optionally preceded by seconds.
fn check_cron(text: &str, place: &Place<'_>, findings: &mut Vec<Finding>) {
    let fields = text.split_whitespace().count();
    let problem = if text.starts_with('@') {
        Some("names such as `@daily` are not used here".to_owned())
    } else if !(5..=6).contains(&fields) {
        Some(format!(
            "it has {fields} fields, not 5 (minute hour day month weekday) or 6 (second first)"
        ))
    } else {
        croner::parser::CronParser::builder()
            .seconds(croner::parser::Seconds::Optional)
            .build()
            .parse(text)
            .err()
            .map(|e| e.to_string())
    };
    if let Some(problem) = problem {
        findings.push(
            Finding::error(
                "CRON_INVALID",
                place,
                format!("`{}` is no cron expression: {problem}", wording::cut(text)),
            )
            .with_argument("actual", wording::cut(text))
            .with_hint(cron_hint(text)),
        );
    }
}

fn cron_hint(text: &str) -> String {
    let named = match text.trim() {
        "@yearly" | "@annually" => Some("0 0 1 1 *"),
        "@monthly" => Some("0 0 1 * *"),
        "@weekly" => Some("0 0 * * 0"),
        "@daily" | "@midnight" => Some("0 0 * * *"),
        "@hourly" => Some("0 * * * *"),
        _ => None,
    };
    match named {
        Some(cron) => format!("write `{cron}`"),
        None => {
            "minute hour day month weekday, for example `0 2 * * *` for every day at two".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cron(text: &str) -> usize {
        let mut findings = Vec::new();
        check_cron(text, &Place::ROOT, &mut findings);
        findings.len()
    }

    #[test]
    fn cron_has_five_fields_or_six() {
        assert_eq!(cron("0 2 * * *"), 0);
        assert_eq!(cron("*/15 0 2 * * MON-FRI"), 0);
        assert_eq!(cron("61 * * * *"), 1);
        assert_eq!(cron("* * *"), 1);
        assert_eq!(cron("@daily"), 1);
        assert_eq!(cron("0 0 0 1 1 ? 2030"), 1);
    }

    fn check_document(document: Value) -> Vec<(String, String)> {
        let timing = document["timing"].as_object().unwrap();
        let mut findings = Vec::new();
        check_timing(document["type"].as_str(), timing, &mut findings);
        crate::codes::assert_arguments(&findings);
        findings
            .into_iter()
            .map(|f| (f.code.into_owned(), f.pointer))
            .collect()
    }

    #[test]
    fn timing_fits_the_type() {
        use serde_json::json;
        assert_eq!(
            check_document(json!({"type": "ONE_TIME", "timing": {"cronExpression": "0 2 * * *"}})),
            [
                ("required".into(), "/timing/executeAt".into()),
                ("not".into(), "/timing/cronExpression".to_owned())
            ]
        );
        assert_eq!(
            check_document(
                json!({"type": "RECURRING", "timing": {"cronExpression": "0 2 * * *", "startDate": "2026-02-01", "endDate": "2026-01-01"}})
            ),
            [("TIMESTAMP_INVALID".to_owned(), "/timing/endDate".to_owned())]
        );
    }
}
