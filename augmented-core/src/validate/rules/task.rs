//! The rules of kind `task`.

use serde_json::{Map, Value};

use super::super::Finding;
use super::super::expressions::{Expressions, Read};
use super::super::graph::list_of;
use super::super::place::Place;
use super::super::wording;
use super::super::{PatchOp, Related};
use super::common::{self, Bound};
use crate::IsoDuration;
use crate::expr::{ExprSite, ExpressionEngine};

pub(super) fn check(document: &Map<String, Value>, engine: &dyn ExpressionEngine) -> Vec<Finding> {
    let mut findings = Vec::new();
    type_and_kind(document, &mut findings);
    times(document, &mut findings);
    contracts(document, &mut findings);
    implementation(document, &mut findings);
    quantities(document, &mut findings);
    if let Some(manual) = document.get("manual").and_then(Value::as_object) {
        manual_rules(document, manual, &mut findings);
    }
    expressions(document, engine, &mut findings);
    findings
}

/// The implementation kinds that belong to a type of task.
fn kinds_of(task_type: &str) -> &'static [&'static str] {
    match task_type {
        "AUTOMATED" => &[
            "NATIVE",
            "WORKER",
            "HTTP",
            "SCRIPT",
            "AI_AGENT",
            "AWS_LAMBDA",
        ],
        "MANUAL" => &["HUMAN"],
        "INTEGRATION" => &["INTEGRATION"],
        _ => &[],
    }
}

fn type_and_kind(document: &Map<String, Value>, findings: &mut Vec<Finding>) {
    let root = Place::ROOT;
    let Some(task_type) = document.get("type").and_then(Value::as_str) else {
        return;
    };
    let manual = task_type == "MANUAL";
    let kind = document
        .get("implementation")
        .and_then(|i| i.get("kind"))
        .and_then(Value::as_str);
    let fitting = kinds_of(task_type);
    if let Some(kind) = kind
        && !fitting.is_empty()
        && !fitting.contains(&kind)
    {
        let owner = ["AUTOMATED", "MANUAL", "INTEGRATION"]
            .into_iter()
            .find(|t| kinds_of(t).contains(&kind));
        // An unknown kind has its finding already.
        let Some(owner) = owner else { return };
        let implementation = root.key("implementation");
        let finding = Finding::error(
            "TASK_TYPE_KIND_MISMATCH",
            implementation.key("kind"),
            format!("a task of type {task_type} cannot have the implementation kind {kind}"),
        )
        .with_argument("type", task_type)
        .with_argument("kind", kind)
        .with_related(Related::new("/type", "the type"));
        findings.push(if task_type == "AUTOMATED" && kind == "INTEGRATION" {
            finding
                .with_hint("set `\"type\": \"INTEGRATION\"`")
                .with_fix(vec![PatchOp::Replace {
                    path: "/type".into(),
                    value: "INTEGRATION".into(),
                }])
        } else {
            finding.with_hint(format!(
                "set `\"type\": \"{owner}\"`, or choose {}",
                wording::list(fitting).unwrap_or_default()
            ))
        });
        return;
    }
    if fitting.is_empty() {
        return;
    }
    if manual && !document.contains_key("manual") {
        findings.push(
            Finding::error(
                "required",
                root.key("manual"),
                "a task of type MANUAL needs `manual`",
            )
            .with_argument("member", "manual")
            .with_hint("add `\"manual\": {}`, or say in it who may do the work"),
        );
    }
    let foreign: &[&str] = if manual {
        &["queueTimeout", "totalTimeout", "heartbeatTimeout"]
    } else {
        &["manual"]
    };
    for member in foreign.iter().filter(|m| document.contains_key(**m)) {
        let hint = if manual {
            "remove it; `timeout` is the hard expiry of a human task"
        } else {
            "remove it, or set `\"type\": \"MANUAL\"`"
        };
        findings.push(
            Finding::error(
                "not",
                root.key(member),
                format!("`{member}` has no meaning for a task of type {task_type}"),
            )
            .with_argument("member", *member)
            .with_hint(hint),
        );
    }
    let attempts = document
        .get("retryPolicy")
        .and_then(|p| p.get("maxAttempts"))
        .and_then(Value::as_i64);
    if manual && attempts.is_some_and(|n| n > 1) {
        let policy = root.key("retryPolicy");
        findings.push(
            Finding::error(
                "maximum",
                policy.key("maxAttempts"),
                "a human task has one attempt",
            )
            .with_argument("limit", 1)
            .with_optional_argument("actual", attempts)
            .with_hint("write 1, or leave `retryPolicy` out"),
        );
    }
}

fn times(document: &Map<String, Value>, findings: &mut Vec<Finding>) {
    let root = Place::ROOT;
    common::retry_policy(
        document.get("retryPolicy"),
        &root.key("retryPolicy"),
        findings,
    );
    common::duration(
        document.get("queueTimeout"),
        &root.key("queueTimeout"),
        Bound::Positive,
        findings,
    );
    let timeout = common::duration(
        document.get("timeout"),
        &root.key("timeout"),
        Bound::Positive,
        findings,
    );
    let total = common::duration(
        document.get("totalTimeout"),
        &root.key("totalTimeout"),
        Bound::Positive,
        findings,
    );
    let heartbeat = common::duration(
        document.get("heartbeatTimeout"),
        &root.key("heartbeatTimeout"),
        Bound::AtLeast("PT1S"),
        findings,
    );
    let manual = document.get("type").and_then(Value::as_str) == Some("MANUAL");
    let attempt = match timeout {
        Some(stated) => Some(stated),
        None if document.contains_key("timeout") || manual => None,
        None => "PT5M".parse::<IsoDuration>().ok(),
    };
    let Some(attempt) = attempt else { return };
    if let Some(total) = total.filter(|t| *t < attempt) {
        findings.push(
            Finding::error(
                "DURATION_INVALID",
                root.key("totalTimeout"),
                format!("`{total}` for all attempts is shorter than `timeout` {attempt} for one"),
            )
            .with_argument("actual", total.to_string())
            .with_argument("limit", attempt.to_string())
            .with_hint(format!("at least `{attempt}`")),
        );
    }
    if let Some(heartbeat) = heartbeat.filter(|h| *h > attempt) {
        findings.push(
            Finding::error(
                "DURATION_INVALID",
                root.key("heartbeatTimeout"),
                format!("`{heartbeat}` is longer than `timeout` {attempt}, so it never fires"),
            )
            .with_argument("actual", heartbeat.to_string())
            .with_argument("limit", attempt.to_string())
            .with_hint(format!("at most `{attempt}`")),
        );
    }
}

/// Input and output are objects.
fn contracts(document: &Map<String, Value>, findings: &mut Vec<Finding>) {
    for member in ["inputSchema", "outputSchema"] {
        let Some(schema) = document.get(member).and_then(Value::as_object) else {
            continue;
        };
        let root = Place::ROOT;
        let place = root.key(member);
        match schema.get("type") {
            Some(Value::String(kind)) if kind == "object" => {}
            Some(_) => findings.push(
                Finding::error(
                    "const",
                    place.key("type"),
                    format!("the root of `{member}` must be an object"),
                )
                .with_argument("expected", "object")
                .with_optional_argument(
                    "actual",
                    schema.get("type").and_then(Value::as_str).map(wording::cut),
                )
                .with_hint("write `\"type\": \"object\"`"),
            ),
            None if schema.contains_key("$ref") => {}
            None => findings.push(
                Finding::error(
                    "required",
                    place.key("type"),
                    format!("the root of `{member}` must say that it is an object"),
                )
                .with_argument("member", "type")
                .with_hint("add `\"type\": \"object\"`")
                .with_fix(vec![PatchOp::Add {
                    path: place.key("type").to_string(),
                    value: "object".into(),
                }]),
            ),
        }
    }
}

fn implementation(document: &Map<String, Value>, findings: &mut Vec<Finding>) {
    let Some(implementation) = document.get("implementation").and_then(Value::as_object) else {
        return;
    };
    let root = Place::ROOT;
    let place = root.key("implementation");
    let endpoint = implementation.get("endpoint").and_then(Value::as_str);
    let parameters = implementation.get("parameters");
    match implementation.get("kind").and_then(Value::as_str) {
        Some("HTTP") => {
            if let Some(url) = endpoint.filter(|url| !is_https(url)) {
                let finding = Finding::error(
                    "INVALID_RUNTIME_CONFIG",
                    place.key("endpoint"),
                    format!("`{}` is no absolute https URL", wording::cut(url)),
                )
                .with_argument("member", "endpoint")
                .with_argument("actual", wording::cut(url));
                let hint = match url.strip_prefix("http://") {
                    Some(rest) => format!("write `https://{rest}`"),
                    None => "for example `https://api.example.com/orders`".to_owned(),
                };
                findings.push(finding.with_hint(hint));
            }
            if let Some(parameters) = parameters {
                let settings = place.key("parameters");
                common::duration(
                    parameters.get("timeout"),
                    &settings.key("timeout"),
                    Bound::Positive,
                    findings,
                );
                let method = parameters
                    .get("method")
                    .and_then(Value::as_str)
                    .unwrap_or("GET");
                if matches!(method, "GET" | "HEAD")
                    && parameters.get("method").is_some()
                    && parameters.get("body").is_some()
                {
                    findings.push(
                        Finding::error(
                            "INVALID_RUNTIME_CONFIG",
                            settings.key("body"),
                            format!("a {method} request has no body"),
                        )
                        .with_argument("member", "body")
                        .with_hint("remove `body`, or set `\"method\": \"POST\"`"),
                    );
                }
            }
        }
        Some("SCRIPT") => script(endpoint, parameters, &place, findings),
        Some("AI_AGENT") => {
            if let Some(prompts) = parameters.and_then(Value::as_object)
                && !prompts.contains_key("systemPrompt")
                && !prompts.contains_key("userPrompt")
            {
                findings.push(
                    Finding::error(
                        "MISSING_RUNTIME_CONFIG",
                        place.key("parameters").key("userPrompt"),
                        "an AI agent needs a prompt",
                    )
                    .with_argument("member", "userPrompt")
                    .with_hint("add `userPrompt`, a template over `input`"),
                );
            }
        }
        _ => {}
    }
}

fn is_https(url: &str) -> bool {
    // A URL may begin with a template, whose value is checked when it is known.
    let rest = url.strip_prefix("https://");
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) || url.starts_with("${")
}

fn script(
    endpoint: Option<&str>,
    parameters: Option<&Value>,
    place: &Place<'_>,
    findings: &mut Vec<Finding>,
) {
    let settings = place.key("parameters");
    let code = parameters.and_then(|p| p.get("code"));
    match (endpoint, code) {
        (None, None) => findings.push(
            Finding::error(
                "MISSING_CODE_SOURCE",
                place.key("endpoint"),
                "a script needs the name of a registered module, or its code",
            )
            .with_argument("kind", "SCRIPT")
            .with_hint("add `endpoint`, or `parameters.code`"),
        ),
        (Some(_), Some(_)) => findings.push(
            Finding::error(
                "INVALID_CODE_SOURCE",
                settings.key("code"),
                "a script has either `endpoint` or `parameters.code`, not both",
            )
            .with_argument("kind", "SCRIPT")
            .with_hint("keep one of the two"),
        ),
        _ => {}
    }
    let runtime = parameters
        .and_then(|p| p.get("runtime"))
        .and_then(Value::as_str);
    if code.is_some() && runtime.is_none() {
        findings.push(
            Finding::error(
                "MISSING_RUNTIME_CONFIG",
                settings.key("runtime"),
                "inline code must say what runs it",
            )
            .with_argument("member", "runtime")
            .with_hint("add `\"runtime\": \"wasm\"`"),
        );
    }
    let text = code.and_then(Value::as_str);
    if let (Some(code), Some("wasm")) = (text, runtime)
        && !code.trim_start().starts_with('(')
        && base64::Engine::decode(&base64::engine::general_purpose::STANDARD, code.trim()).is_err()
    {
        findings.push(
            Finding::error(
                "INVALID_CODE_SOURCE",
                settings.key("code"),
                "the code is neither base64 nor WAT text",
            )
            .with_argument("kind", "SCRIPT")
            .with_hint("encode the module with base64, or write `(module …)`"),
        );
    }
}

fn quantities(document: &Map<String, Value>, findings: &mut Vec<Finding>) {
    let Some(config) = document.get("executionConfig").and_then(Value::as_object) else {
        return;
    };
    let root = Place::ROOT;
    let place = root.key("executionConfig");
    if let Some(requirements) = config
        .get("resourceRequirements")
        .and_then(Value::as_object)
    {
        let place = place.key("resourceRequirements");
        for (member, legal, example) in [
            ("cpu", is_cpu as fn(&str) -> bool, "500m"),
            ("memory", is_bytes, "512Mi"),
            ("disk", is_bytes, "2Gi"),
        ] {
            if let Some(text) = requirements
                .get(member)
                .and_then(Value::as_str)
                .filter(|t| !legal(t))
            {
                findings.push(
                    Finding::error(
                        "INVALID_RESOURCE_REQUIREMENTS",
                        place.key(member),
                        format!("`{}` is no quantity", wording::cut(text)),
                    )
                    .with_argument("actual", wording::cut(text))
                    .with_hint(format!("for example `{example}`")),
                );
            }
        }
    }
    if let Some(variables) = config
        .get("environmentVariables")
        .and_then(Value::as_object)
    {
        let place = place.key("environmentVariables");
        for name in ["TASK_ID", "WORKFLOW_ID"]
            .into_iter()
            .filter(|n| variables.contains_key(*n))
        {
            findings.push(
                Finding::error(
                    "INVALID_RUNTIME_CONFIG",
                    place.key(name),
                    format!("`{name}` is set by the engine"),
                )
                .with_argument("member", name)
                .with_hint("choose another name"),
            );
        }
    }
}

fn is_cpu(text: &str) -> bool {
    let number = text.strip_suffix('m').unwrap_or(text);
    is_number(number) && (text == number || !number.contains('.'))
}

fn is_bytes(text: &str) -> bool {
    let number = ["Ki", "Mi", "Gi", "Ti", "K", "M", "G", "T"]
        .iter()
        .find_map(|unit| text.strip_suffix(unit))
        .unwrap_or(text);
    is_number(number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.parse::<f64>().is_ok_and(|n| n > 0.0)
}

/// Rules inside `manual` that concern the definition: its outcomes, deadlines, escalations.
fn manual_rules(
    document: &Map<String, Value>,
    manual: &Map<String, Value>,
    findings: &mut Vec<Finding>,
) {
    let root = Place::ROOT;
    let place = root.key("manual");
    manual_times(manual, &place, findings);
    let outcomes: Vec<&str> = list_of(manual, "outcomes")
        .filter_map(|o| o.get("id")?.as_str())
        .collect();
    let field = manual.get("outcomeField").and_then(Value::as_str);
    let properties = document
        .get("outputSchema")
        .and_then(|s| s.get("properties"))
        .and_then(Value::as_object);
    if !outcomes.is_empty()
        && let Some(properties) = properties
    {
        outcome_field(
            field.unwrap_or("decision"),
            &outcomes,
            properties,
            &place,
            findings,
        );
    }
    auto_complete(document, manual, &place, findings);
}

fn outcome_field(
    field: &str,
    outcomes: &[&str],
    properties: &Map<String, Value>,
    place: &Place<'_>,
    findings: &mut Vec<Finding>,
) {
    let Some(schema) = properties.get(field) else {
        let finding = Finding::error(
            "OUTCOME_FIELD_INVALID",
            place.key("outcomeField"),
            format!(
                "the output schema has no member `{}`, which is to hold the outcome",
                wording::cut(field)
            ),
        )
        .with_argument("member", wording::cut(field));
        let hint = wording::suggest(
            field,
            properties.keys().map(String::as_str),
            "members of the output",
        );
        findings.push(
            finding.with_hint(hint.unwrap_or_else(|| format!("add `{field}` to `outputSchema`"))),
        );
        return;
    };
    let Some(allowed) = schema.get("enum").and_then(Value::as_array) else {
        return;
    };
    if let Some(refused) = outcomes
        .iter()
        .find(|o| !allowed.iter().any(|a| a.as_str() == Some(o)))
    {
        findings.push(
            Finding::error(
                "OUTCOME_FIELD_INVALID",
                place.key("outcomes"),
                format!("the output schema does not allow `{refused}` in `{field}`"),
            )
            .with_argument("member", wording::cut(field))
            .with_hint(format!("add it to the `enum` of `{field}`"))
            .with_related(Related::new(
                format!(
                    "/outputSchema/properties/{}",
                    crate::json::pointer::escape(field)
                ),
                "the member that holds the outcome",
            )),
        );
    }
}

fn auto_complete(
    document: &Map<String, Value>,
    manual: &Map<String, Value>,
    place: &Place<'_>,
    findings: &mut Vec<Finding>,
) {
    let Some(levels) = manual.get("escalation").and_then(Value::as_object) else {
        return;
    };
    let escalation = place.key("escalation");
    let list = escalation.key("levels");
    for (i, level) in list_of(levels, "levels").enumerate() {
        if level.get("action").and_then(Value::as_str) != Some("AUTO_COMPLETE") {
            continue;
        }
        let place = list.index(i);
        let Some(output) = level.get("output") else {
            findings.push(
                Finding::error(
                    "AUTO_COMPLETE_OUTPUT_INVALID",
                    place.key("output"),
                    "AUTO_COMPLETE needs the output to complete with",
                )
                .with_problem()
                .with_hint("add `output`, a literal object that the output schema accepts"),
            );
            continue;
        };
        let Some(schema) = document.get("outputSchema") else {
            continue;
        };
        for problem in super::super::embedded::violations(schema, output) {
            findings.push(
                Finding::error(
                    "AUTO_COMPLETE_OUTPUT_INVALID",
                    place.key("output").then(&problem.pointer),
                    format!("the output schema refuses it: {}", problem.message),
                )
                .with_argument("problem", problem.message.as_str())
                .with_hint(
                    problem
                        .hint
                        .unwrap_or_else(|| "give an output that `outputSchema` accepts".into()),
                ),
            );
        }
    }
}

fn manual_times(manual: &Map<String, Value>, place: &Place<'_>, findings: &mut Vec<Finding>) {
    if let Some(due) = manual.get("due").and_then(Value::as_object) {
        let place = place.key("due");
        common::duration(
            due.get("duration"),
            &place.key("duration"),
            Bound::Positive,
            findings,
        );
        if let Some(by_priority) = due.get("byPriority").and_then(Value::as_object) {
            let place = place.key("byPriority");
            for (priority, length) in by_priority {
                common::duration(
                    Some(length),
                    &place.key(priority),
                    Bound::Positive,
                    findings,
                );
            }
        }
    }
    let reminders: Vec<f64> = list_of(manual, "reminders")
        .filter_map(Value::as_f64)
        .collect();
    if let Some(i) = reminders
        .windows(2)
        .position(|pair| matches!(pair, [a, b] if a >= b))
    {
        let list = place.key("reminders");
        findings.push(
            Finding::error(
                "minimum",
                list.index(i + 1),
                "reminders are fractions in ascending order",
            )
            .with_optional_argument("limit", reminders.get(i).copied())
            .with_optional_argument("actual", reminders.get(i + 1).copied())
            .with_hint("for example `[0.5, 0.75, 0.9]`"),
        );
    }
    if let Some(escalation) = manual.get("escalation").and_then(Value::as_object) {
        let place = place.key("escalation");
        let list = place.key("levels");
        for (i, level) in list_of(escalation, "levels").enumerate() {
            let place = list.index(i);
            common::duration(
                level.get("after"),
                &place.key("after"),
                Bound::Any,
                findings,
            );
            if let Some(level) = level.as_object()
                && level.contains_key("after")
                && level.contains_key("atFraction")
            {
                findings.push(
                    Finding::error(
                        "oneOf",
                        place.key("after"),
                        "`after` stands beside `atFraction`, a level has one of them",
                    )
                    .with_argument("members", vec!["atFraction", "after"])
                    .with_hint("keep `atFraction` or `after`"),
                );
            }
        }
    }
}

fn expressions(
    document: &Map<String, Value>,
    engine: &dyn ExpressionEngine,
    findings: &mut Vec<Finding>,
) {
    let root = Place::ROOT;
    let mut expressions = Expressions::new(engine);
    let ignore = |_: Read<'_>, _: &mut Vec<Finding>| {};
    if let Some(implementation) = document.get("implementation").and_then(Value::as_object) {
        let place = root.key("implementation");
        implementation_templates(implementation, &place, &mut expressions, findings);
    }
    if let Some(concurrency) = document
        .get("executionConfig")
        .and_then(|c| c.get("concurrency"))
    {
        let config = root.key("executionConfig");
        let place = config.key("concurrency");
        expressions.mapping(
            concurrency.get("key"),
            &place.key("key"),
            &ExprSite::task_template(),
            findings,
            ignore,
        );
    }
    if let Some(manual) = document.get("manual").and_then(Value::as_object) {
        manual_fields(manual, &root.key("manual"), &mut expressions, findings);
    }
    // Conditions of `uiComponents` read the roots of the UI, which belong to that area.
}

/// The settings of an implementation that are templates.
fn implementation_templates(
    implementation: &Map<String, Value>,
    place: &Place<'_>,
    expressions: &mut Expressions<'_>,
    findings: &mut Vec<Finding>,
) {
    let ignore = |_: Read<'_>, _: &mut Vec<Finding>| {};
    let site = ExprSite::task_template();
    let parameters = implementation.get("parameters");
    let settings = place.key("parameters");
    let members: &[&str] = match implementation.get("kind").and_then(Value::as_str) {
        Some("HTTP") => {
            expressions.mapping(
                implementation.get("endpoint"),
                &place.key("endpoint"),
                &site,
                findings,
                ignore,
            );
            &["headers", "body"]
        }
        Some("AI_AGENT") => &["systemPrompt", "userPrompt"],
        _ => &[],
    };
    for member in members {
        expressions.mapping(
            parameters.and_then(|p| p.get(member)),
            &settings.key(member),
            &site,
            findings,
            ignore,
        );
    }
}

/// The templates and expressions of a `manual` object, of a task definition or of a step.
pub(crate) fn manual_fields(
    manual: &Map<String, Value>,
    place: &Place<'_>,
    expressions: &mut Expressions<'_>,
    findings: &mut Vec<Finding>,
) {
    let ignore = |_: Read<'_>, _: &mut Vec<Finding>| {};
    let site = ExprSite::manual_template();
    for member in ["title", "reference", "instructions"] {
        expressions.mapping(
            manual.get(member),
            &place.key(member),
            &site,
            findings,
            ignore,
        );
    }
    if let Some(assignment) = manual.get("assignment") {
        let place = place.key("assignment");
        for member in ["candidates", "excludeUsers"] {
            expressions.mapping(
                assignment.get(member),
                &place.key(member),
                &site,
                findings,
                ignore,
            );
        }
    }
    if let Some(due) = manual.get("due") {
        let place = place.key("due");
        expressions.bare(
            due.get("expression"),
            &place.key("expression"),
            &ExprSite::due_expression(),
            findings,
            ignore,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_a_number_and_a_unit() {
        for text in ["0.5", "500m", "2"] {
            assert!(is_cpu(text), "{text}");
        }
        for text in ["", "m", "0.5m", "lots", "-1", "0"] {
            assert!(!is_cpu(text), "{text}");
        }
        for text in ["128Mi", "2Gi", "500K", "1024"] {
            assert!(is_bytes(text), "{text}");
        }
        for text in ["128MB", "lots", "Mi", ""] {
            assert!(!is_bytes(text), "{text}");
        }
    }

    #[test]
    fn an_endpoint_is_https_or_a_template() {
        assert!(is_https("https://api.example.com/${input.id}") && is_https("${input.url}"));
        assert!(
            !is_https("http://api.example.com") && !is_https("/orders") && !is_https("https://")
        );
    }
}
