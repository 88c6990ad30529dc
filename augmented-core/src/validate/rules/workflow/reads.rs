//! What expressions read of the document they stand in: steps and variables.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use super::super::super::expressions::{KeptReader, Read};
use super::super::super::flow::{Flow, Hidden, Precedence};
use super::super::super::graph::{Graph, ScopeIdx, StepIdx};
use super::super::super::wording;
use super::super::super::{Finding, Related};
use crate::json::nearest::nearest;

/// Where an expression is evaluated, as far as it matters for what has run before.
#[derive(Clone, Copy)]
pub(super) enum Reader {
    /// When the step is entered.
    Entering(StepIdx),
    /// After the work of the step: it may read itself.
    Leaving(StepIdx),
    /// At some time in the life of the instance, in that scope; nothing is known of what has run.
    Anytime(ScopeIdx),
    /// When the workflow ends.
    End,
    /// Before any step.
    Start,
}

impl Reader {
    /// What matters of it for the types of what is read.
    pub(super) fn kept(self) -> KeptReader {
        match self {
            Self::Leaving(step) => KeptReader::Behind(step),
            Self::Entering(_) | Self::Anytime(_) | Self::End | Self::Start => KeptReader::Elsewhere,
        }
    }
}

/// The names a definition gives its variables, or nothing if they cannot be known.
pub(super) struct Variables<'d>(Option<FxHashMap<&'d str, ()>>);

impl<'d> Variables<'d> {
    pub(super) fn of(document: &'d Map<String, Value>, graph: &Graph<'d>) -> Self {
        let mut names = FxHashMap::default();
        let assigned = graph.steps.iter().map(|s| s.value.get("assign"));
        for members in std::iter::once(document.get("variables"))
            .chain(assigned)
            .flatten()
        {
            let Some(members) = members.as_object() else {
                return Self(None);
            };
            if members.contains_key("$expr") || members.contains_key("$literal") {
                return Self(None);
            }
            names.extend(
                members
                    .keys()
                    .map(|name| (name.strip_suffix('?').unwrap_or(name), ())),
            );
        }
        Self(Some(names))
    }
}

/// Checks the reads of `steps` and `vars` in one expression.
pub(super) fn check_read(
    read: &Read<'_>,
    reader: Reader,
    graph: &Graph<'_>,
    flow: &Flow<'_, '_>,
    variables: &Variables<'_>,
    findings: &mut Vec<Finding>,
) {
    match &*read.reference.root {
        "vars" => check_variable(read, variables, findings),
        "steps" => check_step(read, reader, graph, flow, findings),
        _ => {}
    }
}

fn at_read(mut finding: Finding, read: &Read<'_>) -> Finding {
    finding.offset_in_string = read.offset;
    finding
}

fn check_variable(read: &Read<'_>, variables: &Variables<'_>, findings: &mut Vec<Finding>) {
    let (Some(name), Some(known)) = (read.reference.first_member(), &variables.0) else {
        return;
    };
    if known.contains_key(name) {
        return;
    }
    let mut names: Vec<&str> = known.keys().copied().collect();
    names.sort_unstable();
    let finding = Finding::error(
        "EXPR_UNKNOWN_MEMBER",
        read.pointer,
        format!(
            "no variable is called `{}`: neither `variables` nor any `assign` names it",
            wording::cut(name)
        ),
    )
    .with_argument("member", wording::cut(name))
    .with_optional_argument("nearest", wording::near(name, names.iter().copied()));
    let hint = wording::suggest(name, names.iter().copied(), "variables");
    let hint = hint.unwrap_or_else(|| {
        format!(
            "declare it: `\"variables\": {{\"{}\": null}}`",
            wording::cut(name)
        )
    });
    findings.push(at_read(finding.with_hint(hint), read));
}

fn check_step(
    read: &Read<'_>,
    reader: Reader,
    graph: &Graph<'_>,
    flow: &Flow<'_, '_>,
    findings: &mut Vec<Finding>,
) {
    let Some(id) = read.reference.first_member() else {
        return;
    };
    let Some(&step) = graph.by_id.get(id) else {
        if graph.has_nameless && nearest(id, graph.steps.iter().map(|s| s.id)).is_none() {
            return;
        }
        let finding = Finding::error(
            "UNKNOWN_STEP",
            read.pointer,
            format!("no step is called `{}`", wording::cut(id)),
        )
        .with_argument("stepId", wording::cut(id))
        .with_optional_argument(
            "nearest",
            wording::near(
                id,
                graph.steps.iter().map(|s| s.id).filter(|i| !i.is_empty()),
            ),
        );
        let ids = graph.steps.iter().map(|s| s.id).filter(|i| !i.is_empty());
        let hint = wording::suggest(id, ids, "steps");
        findings.push(at_read(finding.with_hint(hint.unwrap_or_default()), read));
        return;
    };
    let Some(node) = graph.steps.get(step).filter(|_| !graph.is_ambiguous(step)) else {
        return;
    };
    let related = || Related::new(node.pointer.as_str(), "the step that is read");
    let scope = match reader {
        Reader::Entering(at) | Reader::Leaving(at) => graph.scope_of(at),
        Reader::Anytime(scope) => scope,
        Reader::End | Reader::Start => 0,
    };
    if let Some(hidden) = flow.hidden_from(step, scope) {
        findings.push(at_read(
            hidden_step(read.pointer, id, hidden, graph).with_related(related()),
            read,
        ));
        return;
    }
    let order = match reader {
        Reader::Entering(at) => flow.order(step, at),
        Reader::Leaving(at) if at == step => Precedence::Always,
        Reader::Leaving(at) if graph.encloses_step(at, step) => flow.order_inside(step, at),
        Reader::Leaving(at) => flow.order(step, at),
        Reader::End => flow.order_at_end(step),
        Reader::Anytime(_) => Precedence::Always,
        Reader::Start => Precedence::Never,
    };
    match order {
        Precedence::Always => {}
        Precedence::Sometimes if read.reference.guards(0) || read.reference.guards(1) => {}
        Precedence::Sometimes => findings.push(at_read(
            Finding::warning(
                "STEP_MAYBE_MISSING",
                read.pointer,
                format!(
                    "`{id}` may not have run when this is evaluated; it is not on every way here"
                ),
            )
            .with_argument("stepId", id)
            .with_hint(format!(
                "write `coalesce({}, …)` or test `has(…)` first",
                read.reference
            ))
            .with_related(related()),
            read,
        )),
        Precedence::Never => findings.push(at_read(
            Finding::error(
                "STEP_NEVER_BEFORE",
                read.pointer,
                format!("`{id}` cannot have run when this is evaluated; it is on no way here"),
            )
            .with_argument("stepId", id)
            .with_hint("read a step that comes before, or move this to a step after it")
            .with_related(related()),
            read,
        )),
    }
}

fn hidden_step(pointer: &str, id: &str, hidden: Hidden, graph: &Graph<'_>) -> Finding {
    let name = |step: StepIdx| graph.steps.get(step).map(|s| s.id).unwrap_or_default();
    match hidden {
        Hidden::SiblingBranch(parallel) => Finding::error(
            "STEP_OUT_OF_SCOPE",
            pointer,
            format!(
                "`{id}` runs in another branch of `{}`, which may still be running",
                name(parallel)
            ),
        )
        .with_argument("stepId", id)
        .with_hint(format!(
            "read it after `{}` has joined its branches",
            name(parallel)
        )),
        Hidden::Iteration(each) => Finding::error(
            "STEP_OUT_OF_SCOPE",
            pointer,
            format!(
                "`{id}` runs once for each item of `{}` and cannot be read from outside",
                name(each)
            ),
        )
        .with_argument("stepId", id)
        .with_hint(format!(
            "read the results as `steps.{}.output.items`",
            name(each)
        )),
    }
}
