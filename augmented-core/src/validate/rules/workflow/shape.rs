//! The shape of the graph: ids, targets, scopes, reachability, cycles, ends, limits.

use std::collections::HashSet;

use serde_json::Value;

use super::super::super::graph::{
    Graph, Mention, Site, StepIdx, StepNode, Target, is_conditional, list_of,
};
use super::super::super::place::Place;
use super::super::super::wording;
use super::super::super::{Finding, PatchOp, Related};
use super::Workflow;
use crate::model::StepType;

const MAX_STEPS: usize = 500;
const MAX_DEPTH: usize = 8;

pub(super) fn check(w: &mut Workflow<'_, '_>) {
    limits(w);
    duplicates(w);
    targets(w);
    start(w);
    transitions(w);
    cycles(w);
    ends(w);
    reachability(w);
}

fn limits(w: &mut Workflow<'_, '_>) {
    let count = w.graph.steps.len();
    if count > MAX_STEPS {
        w.findings.push(
            Finding::error(
                "LIMIT_STEPS",
                "/steps",
                format!("{count} steps, nested ones included, are more than {MAX_STEPS}"),
            )
            .with_argument("limit", MAX_STEPS)
            .with_argument("actual", count)
            .with_hint("move a part into a workflow of its own and call it with SUB_WORKFLOW"),
        );
    }
    for scope in w.graph.scopes.iter().filter(|s| s.depth == MAX_DEPTH + 1) {
        w.findings.push(
            Finding::error(
                "LIMIT_DEPTH",
                scope.pointer.as_str(),
                format!(
                    "steps are nested {} deep, at most {MAX_DEPTH} are allowed",
                    scope.depth
                ),
            )
            .with_argument("limit", MAX_DEPTH)
            .with_argument("actual", scope.depth)
            .with_hint(
                "move the inner part into a workflow of its own and call it with SUB_WORKFLOW",
            ),
        );
    }
}

fn duplicates(w: &mut Workflow<'_, '_>) {
    for &(again, first) in &w.graph.duplicates {
        let (Some(step), Some(first)) = (w.graph.steps.get(again), w.graph.steps.get(first)) else {
            continue;
        };
        w.findings.push(
            Finding::error("DUPLICATE_STEP", format!("{}/stepId", step.pointer), format!("the step id `{}` is used twice", wording::cut(step.id)))
                .with_argument("stepId", wording::cut(step.id))
                .with_hint("step ids are unique in the whole definition, nested steps included; rename one of the two")
                .with_related(Related::new(format!("{}/stepId", first.pointer), "first used here")),
        );
    }
}

fn targets(w: &mut Workflow<'_, '_>) {
    for mention in &w.graph.mentions {
        let pointer = || w.graph.pointer_of(mention);
        match mention.target {
            Target::Step(step)
                if matches!(mention.site, Site::Start | Site::OnError)
                    && w.graph.scope_of(step) != 0 =>
            {
                w.findings
                    .push(out_of_scope(w.graph, mention, step, pointer()));
            }
            Target::Step(_) => {}
            Target::Unknown => {
                if let Some(finding) = unknown_step(
                    w.graph,
                    mention.id,
                    mention_scope(w.graph, mention),
                    pointer(),
                ) {
                    w.findings.push(finding);
                }
            }
            Target::OutOfScope(step) => {
                w.findings
                    .push(out_of_scope(w.graph, mention, step, pointer()))
            }
        }
    }
}

fn mention_scope(graph: &Graph<'_>, mention: &Mention<'_>) -> usize {
    mention.from.map_or(0, |step| graph.scope_of(step))
}

/// Names the nearest step, or lists those that could be meant. Says nothing when the id may be that of a step whose
/// own id is missing, since that is the cause and is reported there.
pub(super) fn unknown_step(
    graph: &Graph<'_>,
    id: &str,
    scope: usize,
    pointer: String,
) -> Option<Finding> {
    let mut named = HashSet::new();
    let visible: Vec<&str> = graph
        .steps
        .iter()
        .filter(|s| !s.id.is_empty() && graph.encloses(s.scope, scope))
        .map(|s| s.id)
        // An id that is used twice, which another finding says, is named once.
        .filter(|id| named.insert(*id))
        .collect();
    let near = crate::json::nearest::nearest(
        id,
        graph.steps.iter().map(|s| s.id).filter(|i| !i.is_empty()),
    );
    if near.is_none() && graph.has_nameless {
        return None;
    }
    let finding = Finding::error(
        "UNKNOWN_STEP",
        pointer,
        format!("no step is called `{}`", wording::cut(id)),
    )
    .with_argument("stepId", wording::cut(id))
    .with_optional_argument("nearest", near.as_ref().map(|n| n.name));
    let hint = match near {
        Some(near) => Some(format!("did you mean `{}`?", near.name)),
        None => {
            wording::list(&visible).map(|names| format!("steps that can be named here: {names}"))
        }
    };
    Some(match hint {
        Some(hint) => finding.with_hint(hint),
        None => finding,
    })
}

fn out_of_scope(
    graph: &Graph<'_>,
    mention: &Mention<'_>,
    step: StepIdx,
    pointer: String,
) -> Finding {
    let target = graph.steps.get(step);
    let container = target
        .and_then(|t| graph.scopes.get(t.scope))
        .and_then(|s| s.container)
        .and_then(|c| graph.steps.get(c));
    let inside = container
        .map(|c| format!("inside `{}`", c.id))
        .unwrap_or_default();
    let finding = Finding::error(
        "STEP_OUT_OF_SCOPE",
        pointer,
        format!(
            "the step `{}` stands {inside}; a target lies in the same scope or in an enclosing one",
            mention.id
        ),
    )
    .with_argument("stepId", mention.id);
    let finding = match container {
        Some(container) => finding.with_hint(format!("go to `{}`, which enters it", container.id)),
        None => finding,
    };
    match target {
        Some(target) => finding.with_related(Related::new(target.pointer.as_str(), "the step")),
        None => finding,
    }
}

/// A START that is not where the workflow begins.
fn start(w: &mut Workflow<'_, '_>) {
    for (index, step) in w.graph.steps.iter().enumerate() {
        if step.kind != Some(StepType::Start) || w.graph.start == Some(index) {
            continue;
        }
        let entry = w.graph.start.and_then(|s| w.graph.steps.get(s));
        let mut finding = Finding::error(
            "START_MISPLACED",
            format!("{}/type", step.pointer),
            match entry {
                Some(entry) => format!("the workflow begins at `{}`; `{}` cannot be a START", entry.id, step.id),
                None => format!("the workflow does not begin at `{}`", step.id),
            },
        ).with_argument("stepId", step.id)
        .with_hint("a definition has one entry point; use PASS here, and branch on `workflow.triggerId` to tell ways of starting apart");
        if let Some(entry) = entry {
            finding = finding.with_related(Related::new(entry.pointer.as_str(), "the entry point"));
        }
        w.findings.push(finding);
    }
}

fn transitions(w: &mut Workflow<'_, '_>) {
    for step in &w.graph.steps {
        let Some(next) = step.value.get("next").and_then(Value::as_array) else {
            continue;
        };
        default_last(step, next, &mut w.findings);
        let has_default = next.iter().any(|t| !is_conditional(t));
        if step.kind == Some(StepType::Decision) && !next.is_empty() {
            if next.iter().all(|t| !is_conditional(t)) {
                w.findings.push(
                    Finding::error("contains", format!("{}/next", step.pointer), format!("the decision `{}` has no condition", step.id))
                        .with_argument("minimum", 1)
                        .with_argument("actual", 0)
                        .with_hint("at least one entry of `next` needs a `condition`; a step that only goes on is a PASS"),
                );
            } else if !has_default {
                w.findings.push(
                    Finding::warning(
                        "DECISION_WITHOUT_DEFAULT",
                        format!("{}/next", step.pointer),
                        format!("the decision `{}` has no default: if no condition holds, it fails with NO_MATCHING_TRANSITION", step.id),
                    ).with_argument("stepId", step.id)
                    .with_hint("add a last entry with `nextStepId` only"),
                );
            }
        }
    }
}

/// An entry that always matches must stand last; one such entry is moved there.
fn default_last(step: &StepNode<'_>, next: &[Value], findings: &mut Vec<Finding>) {
    let last = next.len().saturating_sub(1);
    let defaults: Vec<usize> = next
        .iter()
        .enumerate()
        .filter(|(_, t)| t.is_object() && !is_conditional(t))
        .map(|(i, _)| i)
        .collect();
    let Some(&first) = defaults.first() else {
        return;
    };
    if first == last {
        return;
    }
    let from = format!("{}/next/{first}", step.pointer);
    let finding = Finding::error(
        "DEFAULT_NOT_LAST",
        from.as_str(),
        "an entry without `on` and `condition` always matches, so the entries after it are never reached",
    ).with_argument("index", first);
    let only = defaults.len() == 1;
    findings.push(if only {
        finding
            .with_hint("move it to the end of `next`")
            .with_fix(vec![PatchOp::Move { from, path: format!("{}/next/{last}", step.pointer) }])
    } else {
        finding.with_hint("keep one default, as the last entry, and give the others a condition; `next` never forks, PARALLEL does")
    });
}

fn cycles(w: &mut Workflow<'_, '_>) {
    let cycles = w.flow.unguarded_cycles();
    for (members, closing) in &cycles {
        let Some(mention) = w.graph.mentions.get(*closing) else {
            continue;
        };
        let names: Vec<&str> = members
            .iter()
            .filter_map(|m| w.graph.steps.get(*m))
            .map(|s| s.id)
            .collect();
        let way = names
            .iter()
            .chain(names.first())
            .map(|n| format!("`{n}`"))
            .collect::<Vec<_>>()
            .join(" → ");
        let mut finding = Finding::error(
            "UNGUARDED_CYCLE",
            w.graph.pointer_of(mention),
            format!("{way} goes round without a step that waits, works or decides"),
        ).with_argument("steps", names.clone())
        .with_hint("put a TASK, a wait, a DELAY or a DECISION with a way out into the cycle, or remove this transition");
        for member in members.iter().filter_map(|m| w.graph.steps.get(*m)) {
            finding = finding.with_related(Related::new(
                member.pointer.as_str(),
                format!("`{}` is part of the cycle", member.id),
            ));
        }
        w.findings.push(finding);
    }
    w.in_unguarded_cycle = cycles
        .into_iter()
        .flat_map(|(members, _)| members)
        .collect();
}

/// One finding for each scope in which a reached step leads to no end; a cycle reported already is that cause.
fn ends(w: &mut Workflow<'_, '_>) {
    for scope in 0..w.graph.scopes.len() {
        let stuck = w.flow.stuck_in(scope);
        if stuck.iter().any(|s| w.in_unguarded_cycle.contains(s)) {
            continue;
        }
        // Nobody knows where a transition without a target was to lead.
        let is_unfinished = |s: &StepIdx| {
            w.graph.steps.get(*s).is_some_and(|step| {
                list_of(step.value, "next").any(|entry| {
                    entry.is_object() && !entry.get("nextStepId").is_some_and(Value::is_string)
                })
            })
        };
        if stuck.iter().any(is_unfinished) {
            continue;
        }
        let Some(step) = stuck.first().and_then(|s| w.graph.steps.get(*s)) else {
            continue;
        };
        w.findings.push(
            Finding::error(
                "NO_TERMINAL",
                step.pointer.as_str(),
                format!("no path from `{}` leads to an end", step.id),
            )
            .with_argument("stepId", step.id)
            .with_hint("let a path end: a step without `next`, or an END step"),
        );
    }
}

/// Steps no path leads to. A step that an unknown id was probably meant for counts as reached.
fn reachability(w: &mut Workflow<'_, '_>) {
    for mention in 0..w.graph.mentions.len() {
        let Some(m) = w.graph.mentions.get(mention) else {
            continue;
        };
        let meant = match m.target {
            Target::Unknown => {
                let near = crate::json::nearest::nearest(m.id, w.graph.steps.iter().map(|s| s.id));
                near.and_then(|n| w.graph.by_id.get(n.name)).copied()
            }
            Target::OutOfScope(step) => Some(step),
            Target::Step(step) if m.from.is_none() => Some(step),
            Target::Step(_) => None,
        };
        let from_reached = m.from.is_none_or(|f| w.flow.is_reached(f));
        if let (Some(step), true) = (meant, from_reached) {
            w.flow.reach(step);
        }
    }
    if w.graph.start.is_none() {
        return;
    }
    for (index, step) in w.graph.steps.iter().enumerate() {
        let container = w.graph.scopes.get(step.scope).and_then(|s| s.container);
        let container_reached = container.is_none_or(|c| w.flow.is_reached(c));
        let duplicate = w
            .graph
            .by_id
            .get(step.id)
            .is_some_and(|first| *first != index);
        // A step without an id cannot be named; that is reported at the id.
        if w.flow.is_reached(index) || !container_reached || duplicate || step.id.is_empty() {
            continue;
        }
        // Only the first step of an unreached stretch: the others follow from it.
        let led_to = w.graph.edges.iter().enumerate().any(|(from, edges)| {
            from != index
                && !w.flow.is_reached(from)
                && from < index
                && edges.iter().any(|e| e.to == index && !e.implied)
        });
        if led_to {
            continue;
        }
        w.findings.push(
            Finding::warning(
                "UNREACHABLE_STEP",
                step.pointer.as_str(),
                format!("no path leads to `{}`", step.id),
            )
            .with_argument("stepId", step.id)
            .with_hint("name it in the `next` of a step, or remove it"),
        );
    }
}

/// The place of a step.
pub(super) fn at<'a>(step: &'a StepNode<'_>) -> Place<'a> {
    Place::At(&step.pointer)
}
