//! Compensation steps and cancellation triggers.

use serde_json::Value;

use super::super::super::event_pattern::check_pattern;
use super::super::super::graph::list_of;
use super::super::super::place::Place;
use super::super::super::wording;
use super::super::super::{Finding, Related};
use super::super::common::{self, Bound};
use super::Workflow;
use super::shape::unknown_step;

pub(super) fn check(w: &mut Workflow<'_, '_>) {
    compensation_steps(w);
    cancellation_triggers(w);
}

fn compensation_steps(w: &mut Workflow<'_, '_>) {
    let list = Place::ROOT.key("compensationSteps");
    let mut ids: Vec<(&str, usize)> = Vec::new();
    let mut compensated: Vec<(&str, usize)> = Vec::new();
    for (i, step) in list_of(w.document, "compensationSteps").enumerate() {
        let place = list.index(i);
        common::retry_policy(
            step.get("retryPolicy"),
            &place.key("retryPolicy"),
            &mut w.findings,
        );
        common::duration(
            step.get("timeout"),
            &place.key("timeout"),
            Bound::Positive,
            &mut w.findings,
        );
        if let Some(id) = step.get("stepId").and_then(Value::as_str) {
            let first = match (
                ids.iter().find(|(known, _)| *known == id),
                w.graph.by_id.get(id).and_then(|s| w.graph.steps.get(*s)),
            ) {
                (Some((_, first)), _) => Some(list.index(*first).key("stepId").to_string()),
                (None, Some(step)) => Some(format!("{}/stepId", step.pointer)),
                (None, None) => None,
            };
            match first {
                Some(first) => w.findings.push(
                    Finding::error("DUPLICATE_STEP", place.key("stepId"), format!("the step id `{}` is used twice", wording::cut(id)))
                        .with_argument("stepId", wording::cut(id))
                        .with_hint("step ids are unique in the whole definition, compensation steps included; rename one of the two")
                        .with_related(Related::new(first, "first used here")),
                ),
                None => ids.push((id, i)),
            }
        }
        let Some(target) = step.get("compensationFor").and_then(Value::as_str) else {
            continue;
        };
        let pointer = place.key("compensationFor");
        let Some(node) = w
            .graph
            .by_id
            .get(target)
            .and_then(|s| w.graph.steps.get(*s))
        else {
            w.findings
                .extend(unknown_step(w.graph, target, 0, pointer.to_string()));
            continue;
        };
        if let Some((_, first)) = compensated.iter().find(|(known, _)| *known == target) {
            w.findings.push(
                Finding::error("COMPENSATION_TARGET", pointer, format!("`{target}` has a compensation step already"))
                    .with_argument("stepId", target)
                    .with_hint("a step has at most one compensation; let one task do both, or give the other its own step")
                    .with_related(Related::new(list.index(*first), "the other compensation step")),
            );
        } else if let Some(kind) = node.kind.filter(|k| !k.is_work()) {
            w.findings.push(
                Finding::error(
                    "COMPENSATION_TARGET",
                    pointer,
                    format!("`{target}` is a {kind}, which does nothing that could be undone"),
                )
                .with_argument("stepId", target)
                .with_hint("name a TASK, HUMAN_TASK, POLL or SUB_WORKFLOW step")
                .with_related(Related::new(node.pointer.as_str(), "the step")),
            );
        }
        compensated.push((target, i));
    }
}

fn cancellation_triggers(w: &mut Workflow<'_, '_>) {
    let list = Place::ROOT.key("cancellationTriggers");
    for (i, trigger) in list_of(w.document, "cancellationTriggers").enumerate() {
        let Some(trigger) = trigger.as_object() else {
            continue;
        };
        let place = list.index(i);
        if let Some(pattern) = trigger.get("eventPattern").and_then(Value::as_str) {
            check_pattern(pattern, &place.key("eventPattern"), &mut w.findings);
        }
        common::both_or_none(
            trigger,
            &place,
            "correlationKey",
            "correlationValue",
            &mut w.findings,
        );
    }
}
