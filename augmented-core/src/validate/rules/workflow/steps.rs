//! What each kind of step demands beyond its JSON Schema.

use serde_json::Value;

use super::super::super::Finding;
use super::super::super::event_pattern::check_pattern;
use super::super::super::graph::{StepNode, is_conditional, list_of};
use super::super::super::wording;
use super::super::super::{PatchOp, Related};
use super::super::common::{self, Bound};
use super::Workflow;
use super::shape::at;
use crate::json::nearest::{nearest, same_letters};
use crate::model::StepType;

pub(super) fn check(w: &mut Workflow<'_, '_>) {
    for (index, step) in w.graph.steps.iter().enumerate() {
        common::retry_policy(
            step.value.get("retryPolicy"),
            &at(step).key("retryPolicy"),
            &mut w.findings,
        );
        positive(step, "timeout", &mut w.findings);
        positive(step, "heartbeatTimeout", &mut w.findings);
        match step.kind {
            Some(StepType::Parallel) => parallel(w, step),
            Some(StepType::ForEach) => for_each(w, index),
            Some(StepType::EventWait) => event_wait(w, step),
            Some(StepType::Delay) => delay(w, step),
            Some(StepType::Poll) => positive(step, "interval", &mut w.findings),
            Some(StepType::End) => end(w, step),
            _ => {}
        }
        outcomes(w, step);
    }
}

fn positive(step: &StepNode<'_>, member: &str, findings: &mut Vec<Finding>) {
    let here = at(step);
    common::duration(
        step.value.get(member),
        &here.key(member),
        Bound::Positive,
        findings,
    );
}

fn text<'a>(step: &StepNode<'a>, member: &str) -> Option<&'a str> {
    step.value.get(member).and_then(Value::as_str)
}

fn parallel(w: &mut Workflow<'_, '_>, step: &StepNode<'_>) {
    let mut seen: Vec<(&str, usize)> = Vec::new();
    for (b, branch) in list_of(step.value, "branches").enumerate() {
        let here = at(step);
        let branches = here.key("branches");
        let place = branches.index(b);
        common::duration(
            branch.get("timeout"),
            &place.key("timeout"),
            Bound::Positive,
            &mut w.findings,
        );
        let Some(id) = branch.get("branchId").and_then(Value::as_str) else {
            continue;
        };
        match seen.iter().find(|(name, _)| *name == id) {
            Some((_, first)) => w.findings.push(
                Finding::error(
                    "BRANCH_DUPLICATE",
                    place.key("branchId"),
                    format!("the branch id `{}` is used twice", wording::cut(id)),
                )
                .with_argument("branchId", wording::cut(id))
                .with_hint("branch ids are unique in their PARALLEL; rename one of the two")
                .with_related(Related::new(
                    branches.index(*first).key("branchId"),
                    "first used here",
                )),
            ),
            None => seen.push((id, b)),
        }
    }
    join(w, step);
    variable_races(w, step);
}

fn join(w: &mut Workflow<'_, '_>, step: &StepNode<'_>) {
    let Some(join) = step.value.get("join").and_then(Value::as_object) else {
        return;
    };
    let branches = list_of(step.value, "branches").count();
    let here = at(step);
    let place = here.key("join");
    let count = join.get("count");
    match (join.get("type").and_then(Value::as_str), count) {
        (Some("N_OF_M"), None) => w.findings.push(
            Finding::error(
                "JOIN_COUNT",
                place.key("count"),
                "an N_OF_M join needs `count`, the number of branches to wait for",
            )
            .with_argument("branches", branches)
            .with_hint(format!("add `\"count\"`, 1 to {branches}")),
        ),
        (Some("N_OF_M"), Some(count)) => {
            let Some(number) = count.as_i64() else { return };
            let most = i64::try_from(branches).unwrap_or(i64::MAX);
            if branches > 0 && !(1..=most).contains(&number) {
                w.findings.push(
                    Finding::error(
                        "JOIN_COUNT",
                        place.key("count"),
                        format!("`count` {number} is not between 1 and the {branches} branches"),
                    )
                    .with_argument("count", number)
                    .with_argument("branches", branches)
                    .with_hint(format!("1 to {branches}")),
                );
            }
        }
        (kind, Some(_)) if matches!(kind, None | Some("ALL" | "FIRST")) => w.findings.push(
            Finding::error(
                "JOIN_COUNT",
                place.key("count"),
                format!(
                    "`count` belongs to a join of type N_OF_M, this one is {}",
                    kind.unwrap_or("ALL")
                ),
            )
            .with_optional_argument("count", count.and_then(Value::as_i64))
            .with_argument("branches", branches)
            .with_hint("set `\"type\": \"N_OF_M\"`, or remove `count`"),
        ),
        _ => {}
    }
}

/// Two branches that assign one variable: the last transition wins, which is seldom meant.
fn variable_races(w: &mut Workflow<'_, '_>, step: &StepNode<'_>) {
    let mut writers: Vec<(&str, usize, String)> = Vec::new();
    for (b, scope) in step.inner.iter().enumerate() {
        let inside = w
            .graph
            .steps
            .iter()
            .filter(|s| w.graph.encloses(*scope, s.scope));
        for writer in inside {
            let Some(assign) = writer.value.get("assign").and_then(Value::as_object) else {
                continue;
            };
            for name in assign.keys() {
                let variable = name.strip_suffix('?').unwrap_or(name);
                let here = at(writer);
                let place = here.key("assign").key(name).to_string();
                let other = writers
                    .iter()
                    .find(|(known, branch, _)| *known == variable && *branch != b);
                if let Some((_, _, first)) = other {
                    if writers
                        .iter()
                        .any(|(known, branch, _)| *known == variable && *branch == b)
                    {
                        continue;
                    }
                    w.findings.push(
                        Finding::warning("VARIABLE_RACE", place.as_str(), format!("two parallel branches assign `{variable}`; the last one wins"))
                            .with_argument("variable", variable)
                            .with_hint("assign different variables, or read the branches' outputs after the join")
                            .with_related(Related::new(first.as_str(), "also assigned here")),
                    );
                }
                writers.push((variable, b, place));
            }
        }
    }
}

const ROOTS: [&str; 13] = [
    "input", "vars", "steps", "workflow", "event", "signal", "output", "outcome", "error", "index",
    "schedule", "now", "item",
];

fn for_each(w: &mut Workflow<'_, '_>, index: usize) {
    let Some(step) = w.graph.steps.get(index) else {
        return;
    };
    let stated = text(step, "itemName");
    let name = stated.unwrap_or("item");
    let here = at(step);
    let place = here.key("itemName");
    let taken = if name != "item" && ROOTS.contains(&name) {
        Some(format!("`{name}` is a root of expressions"))
    } else {
        None
    };
    let enclosing = super::enclosing_items(w.graph, step.scope)
        .find(|(outer, _)| *outer == name)
        .map(|(_, container)| container);
    if let Some(reason) = taken {
        w.findings.push(
            Finding::error("ITEM_NAME_INVALID", place, reason)
                .with_argument("itemName", name)
                .with_hint("choose a name of your own, for example `entry`"),
        );
    } else if let Some(container) = enclosing {
        w.findings.push(
            Finding::error(
                "ITEM_NAME_INVALID",
                place,
                format!(
                    "the enclosing loop `{}` calls its item `{name}`, too",
                    container.id
                ),
            )
            .with_argument("itemName", name)
            .with_hint("give this loop an `itemName` of its own")
            .with_related(Related::new(
                container.pointer.as_str(),
                "the enclosing loop",
            )),
        );
    }
}

fn event_wait(w: &mut Workflow<'_, '_>, step: &StepNode<'_>) {
    let here = at(step);
    let stated: Vec<&str> = ["eventPattern", "eventPatterns", "signalType"]
        .into_iter()
        .filter(|m| step.value.contains_key(*m))
        .collect();
    match stated.as_slice() {
        [] => w.findings.push(
            Finding::error(
                "WAIT_UNCONFIGURED",
                here.key("eventPattern"),
                format!("`{}` does not say what it waits for", step.id),
            )
            .with_argument("stepId", step.id)
            .with_hint("give exactly one of `eventPattern`, `eventPatterns` and `signalType`"),
        ),
        [_] => {}
        [first, others @ ..] => {
            for extra in others {
                w.findings.push(
                    Finding::error(
                        "oneOf",
                        here.key(extra),
                        format!(
                            "`{extra}` stands beside `{first}`, a wait has exactly one of them"
                        ),
                    )
                    .with_argument("members", vec![(*first).to_owned(), (*extra).to_owned()])
                    .with_hint("keep one of `eventPattern`, `eventPatterns` and `signalType`")
                    .with_related(Related::new(here.key(first), "the other one")),
                );
            }
        }
    }
    if let Some(pattern) = text(step, "eventPattern") {
        check_pattern(pattern, &here.key("eventPattern"), &mut w.findings);
    }
    for (i, pattern) in list_of(step.value, "eventPatterns").enumerate() {
        if let Some(pattern) = pattern.as_str() {
            check_pattern(
                pattern,
                &here.key("eventPatterns").index(i),
                &mut w.findings,
            );
        }
    }
    common::both_or_none(
        step.value,
        &here,
        "correlationKey",
        "correlationValue",
        &mut w.findings,
    );
    since(step, &mut w.findings);
    event_timeout(w, step);
    signal(w, step);
}

fn signal(w: &mut Workflow<'_, '_>, step: &StepNode<'_>) {
    let (Some(name), Some(declared)) = (
        text(step, "signalType"),
        w.document.get("signals").and_then(Value::as_object),
    ) else {
        return;
    };
    let here = at(step);
    if !declared.contains_key(name) {
        let finding = Finding::error(
            "UNKNOWN_SIGNAL",
            here.key("signalType"),
            format!("the workflow declares no signal `{}`", wording::cut(name)),
        )
        .with_argument("signalType", wording::cut(name))
        .with_optional_argument(
            "nearest",
            wording::near(name, declared.keys().map(String::as_str)),
        );
        let hint = wording::suggest(
            name,
            declared.keys().map(String::as_str),
            "declared signals",
        );
        w.findings
            .push(finding.with_hint(hint.unwrap_or_else(|| "declare it under `signals`".into())));
    }
    let foreign: &[&str] =
        if step.value.contains_key("eventPattern") || step.value.contains_key("eventPatterns") {
            // Which of the two is meant is not known yet.
            &[]
        } else {
            &["correlationKey", "eventCondition", "since"]
        };
    for member in foreign {
        if step.value.contains_key(*member) {
            w.findings.push(
                Finding::error(
                    "not",
                    here.key(member),
                    format!(
                        "`{member}` has no meaning for a signal, which is sent to this instance"
                    ),
                )
                .with_argument("member", *member)
                .with_hint("remove it"),
            );
        }
    }
}

fn since(step: &StepNode<'_>, findings: &mut Vec<Finding>) {
    let here = at(step);
    let Some(text) = text(step, "since").filter(|s| !matches!(*s, "INSTANCE" | "STEP")) else {
        return;
    };
    let value = Value::String(text.to_owned());
    common::duration(
        Some(&value),
        &here.key("since"),
        Bound::AtMost("P7D"),
        findings,
    );
}

fn event_timeout(w: &mut Workflow<'_, '_>, step: &StepNode<'_>) {
    let here = at(step);
    let Some(timeout) = step.value.get("eventTimeout") else {
        w.findings.push(
            Finding::warning("TIMEOUT_MISSING", here.key("eventTimeout"), format!("`{}` may wait for ever", step.id))
                .with_argument("stepId", step.id)
                .with_hint("add `\"eventTimeout\": {\"duration\": \"P7D\"}`, with a `timeoutHandlerStepId` if something should follow"),
        );
        return;
    };
    let Some(timeout) = timeout.as_object() else {
        return;
    };
    let place = here.key("eventTimeout");
    common::exactly_one(
        timeout,
        &place,
        "duration",
        "until",
        "an eventTimeout",
        &mut w.findings,
    );
    common::duration(
        timeout.get("duration"),
        &place.key("duration"),
        Bound::Positive,
        &mut w.findings,
    );
}

fn delay(w: &mut Workflow<'_, '_>, step: &StepNode<'_>) {
    let here = at(step);
    common::exactly_one(
        step.value,
        &here,
        "duration",
        "until",
        "a DELAY",
        &mut w.findings,
    );
    common::duration(
        step.value.get("duration"),
        &here.key("duration"),
        Bound::Any,
        &mut w.findings,
    );
    if let Some(zone) = text(step, "timezone") {
        common::time_zone(zone, &here.key("timezone"), &mut w.findings);
    }
}

/// Members that belong to the other result of an END.
fn end(w: &mut Workflow<'_, '_>, step: &StepNode<'_>) {
    let here = at(step);
    let failed = match text(step, "result") {
        None | Some("COMPLETED") => false,
        Some("FAILED") => true,
        // Another word has a finding of its own.
        Some(_) => return,
    };
    let foreign: &[&str] = if failed {
        &["outcome"]
    } else {
        &["errorCode", "errorMessage"]
    };
    for member in foreign.iter().filter(|m| step.value.contains_key(**m)) {
        let (is, needs) = if failed {
            ("FAILED", "COMPLETED")
        } else {
            ("COMPLETED", "FAILED")
        };
        w.findings.push(
            Finding::error(
                "not",
                here.key(member),
                format!("`{member}` belongs to an END with result {needs}, this one has {is}"),
            )
            .with_argument("member", *member)
            .with_hint(format!(
                "set `\"result\": \"{needs}\"`, or remove `{member}`"
            )),
        );
    }
}

/// `on` against the outcomes a step can have.
fn outcomes(w: &mut Workflow<'_, '_>, step: &StepNode<'_>) {
    let Some(possible) = possible_outcomes(step) else {
        return;
    };
    let names: Vec<&str> = possible.iter().map(String::as_str).collect();
    for (i, entry) in list_of(step.value, "next").enumerate() {
        if is_conditional(entry) {
            let here = at(step);
            let next = here.key("next");
            let place = next.index(i);
            outcome_filter(
                entry.get("on"),
                &names,
                step,
                &place.key("on").to_string(),
                &mut w.findings,
            );
        }
    }
}

/// The outcomes of a step, where they are fixed by its kind or by the outcomes it declares.
fn possible_outcomes(step: &StepNode<'_>) -> Option<Vec<String>> {
    let fixed = match step.kind? {
        StepType::Parallel => "JOINED",
        StepType::EventWait => "RECEIVED",
        StepType::Delay => "ELAPSED",
        StepType::Start | StepType::Pass | StepType::Decision | StepType::ForEach => "SUCCESS",
        StepType::HumanTask => {
            let outcomes = step.value.get("manual")?.get("outcomes")?.as_array()?;
            let ids: Vec<String> = outcomes
                .iter()
                .filter_map(|o| o.get("id")?.as_str())
                .map(str::to_owned)
                .collect();
            return (!ids.is_empty()).then_some(ids);
        }
        StepType::Task | StepType::Poll | StepType::SubWorkflow | StepType::End => return None,
    };
    Some(vec![fixed.to_owned()])
}

pub(crate) fn outcome_filter(
    on: Option<&Value>,
    possible: &[&str],
    step: &StepNode<'_>,
    pointer: &str,
    findings: &mut Vec<Finding>,
) {
    let Some(on) = on else { return };
    let codes: Vec<&str> = match on {
        Value::String(code) => vec![code.as_str()],
        Value::Array(codes) => codes.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    if codes.is_empty() || codes.iter().any(|code| possible.contains(code)) {
        return;
    }
    let written = codes.first().copied().unwrap_or_default();
    let all = wording::list(possible).unwrap_or_default();
    let finding = Finding::error(
        "OUTCOME_IMPOSSIBLE",
        pointer,
        format!(
            "`{}` never ends with {}; its outcome is {all}",
            step.id,
            wording::list(&codes).unwrap_or_default()
        ),
    )
    .with_argument("outcome", wording::cut(written))
    .with_argument("possible", possible.to_vec());
    let near = nearest(written, possible.iter().copied());
    let finding = match (near, possible) {
        (Some(near), _) => finding.with_hint(format!("did you mean `{}`?", near.name)),
        (None, [only]) => finding.with_hint(format!("`{only}`, or a `condition` on `output`")),
        (None, _) => finding.with_hint(format!("one of {all}")),
    };
    let certain = near.filter(|n| on.is_string() && same_letters(n.name, written));
    findings.push(match certain {
        Some(near) => finding.with_fix(vec![PatchOp::Replace {
            path: pointer.to_owned(),
            value: near.name.into(),
        }]),
        None => finding,
    });
}
