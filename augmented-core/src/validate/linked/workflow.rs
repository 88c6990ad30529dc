//! What a workflow refers to: tasks, other workflows, and the data that flows to them.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use super::super::dataflow::{Source, TargetSchema, follow, unmapped};
use super::super::expressions::{Kept, KeptReader};
use super::super::graph::{Graph, StepNode, list_of};
use super::super::links::{Candidate, Links, Reference, definition};
use super::super::place::Place;
use super::super::rules::workflow::outcome_filter;
use super::super::{Finding, Related};
use super::{INPUT, check_input, end_outcomes, reference_of, types};
use crate::model::{DefinitionKind, StepType};
use crate::schema::TypeSet;

fn step_reference<'r>(
    kind: Option<StepType>,
    step: &'r Map<String, Value>,
    place: &Place<'_>,
) -> Option<Reference<'r>> {
    match kind? {
        StepType::Task | StepType::Poll | StepType::HumanTask => reference_of(
            step,
            place,
            ("taskId", "taskVersion"),
            DefinitionKind::Task,
            "UNKNOWN_TASK",
        ),
        StepType::SubWorkflow => reference_of(
            step,
            place,
            ("workflowId", "workflowVersion"),
            DefinitionKind::Workflow,
            "UNKNOWN_WORKFLOW",
        ),
        _ => None,
    }
}

fn compensation_reference<'r>(step: &'r Value, place: &Place<'_>) -> Option<Reference<'r>> {
    reference_of(
        step.as_object()?,
        place,
        ("taskId", "taskVersion"),
        DefinitionKind::Task,
        "UNKNOWN_TASK",
    )
}

pub(super) fn references(document: &Map<String, Value>) -> Vec<Reference<'_>> {
    let graph = Graph::read(document);
    let mut found: Vec<Reference<'_>> = graph
        .steps
        .iter()
        .filter_map(|s| step_reference(s.kind, s.value, &Place::At(&s.pointer)))
        .collect();
    let list = Place::ROOT.key("compensationSteps");
    found.extend(
        list_of(document, "compensationSteps")
            .enumerate()
            .filter_map(|(i, s)| compensation_reference(s, &list.index(i))),
    );
    found
}

/// One workflow with the definitions its steps lead to.
struct Linked<'c, 'd, 'b> {
    document: &'d Map<String, Value>,
    graph: &'c Graph<'d>,
    /// What each step with a reference leads to.
    targets: FxHashMap<usize, Candidate<'b>>,
}

pub(super) fn check(
    document: &Map<String, Value>,
    expressions: &[Kept],
    links: &Links<'_>,
    findings: &mut Vec<Finding>,
) {
    let graph = Graph::read(document);
    let mut linked = Linked {
        document,
        graph: &graph,
        targets: FxHashMap::default(),
    };
    // Two passes: what flows into a step may come from one that stands behind it in the document.
    for (index, step) in graph.steps.iter().enumerate() {
        let Some(reference) = step_reference(step.kind, step.value, &Place::At(&step.pointer))
        else {
            continue;
        };
        if let Some(target) = links.follow(&reference, findings) {
            linked.targets.insert(index, target);
        }
    }
    for (index, step) in graph.steps.iter().enumerate() {
        if let Some(target) = linked.targets.get(&index) {
            linked.step(index, step, target, findings);
        }
    }
    for kept in expressions {
        types::check(kept, &|path| linked.described(path, kept.reader), findings);
    }
    linked.compensation_steps(links, findings);
    linked.calls_itself(links, findings);
}

impl Linked<'_, '_, '_> {
    fn step(
        &self,
        index: usize,
        step: &StepNode<'_>,
        target: &Candidate<'_>,
        findings: &mut Vec<Finding>,
    ) {
        let place = Place::At(&step.pointer);
        let Some(reference) = step_reference(step.kind, step.value, &place) else {
            return;
        };
        let related = definition(&reference, target);
        if step.kind == Some(StepType::HumanTask)
            && let Some(kind) = target
                .document
                .get("type")
                .and_then(Value::as_str)
                .filter(|t| *t != "MANUAL")
        {
            findings.push(
                Finding::error(
                    "REFERENCE_WRONG_KIND",
                    reference.pointer.as_str(),
                    format!(
                        "`{}` is a task of type {kind}, a HUMAN_TASK needs one of type MANUAL",
                        reference.id
                    ),
                )
                .with_argument("expected", "MANUAL")
                .with_argument("actual", kind)
                .with_hint("name a MANUAL task, leave `taskId` out, or use a TASK step")
                .with_related(related),
            );
            return;
        }
        check_input(
            step.value.get("input"),
            &place.key("input"),
            target.document.get("inputSchema"),
            INPUT,
            related,
            &|path| self.source(path, index),
            findings,
        );
        self.outcomes(step, target, findings);
    }

    /// `on` against the outcomes the other definition states.
    fn outcomes(&self, step: &StepNode<'_>, target: &Candidate<'_>, findings: &mut Vec<Finding>) {
        let possible: Vec<String> = match step.kind {
            Some(StepType::HumanTask) => {
                let own = step.value.get("manual").and_then(|m| m.get("outcomes"));
                let stated = if own.is_some() {
                    None
                } else {
                    target
                        .document
                        .get("manual")
                        .and_then(|m| m.get("outcomes"))
                };
                let ids = stated
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(|o| o.get("id")?.as_str());
                ids.map(str::to_owned).collect()
            }
            Some(StepType::SubWorkflow) => {
                let waits = step
                    .value
                    .get("waitForCompletion")
                    .is_none_or(|w| w.as_bool() == Some(true));
                if waits {
                    end_outcomes(&target.document)
                } else {
                    vec!["SUCCESS".to_owned()]
                }
            }
            _ => Vec::new(),
        };
        if possible.is_empty() {
            return;
        }
        let names: Vec<&str> = possible.iter().map(String::as_str).collect();
        for (i, entry) in list_of(step.value, "next").enumerate() {
            outcome_filter(
                entry.get("on"),
                &names,
                step,
                &format!("{}/next/{i}/on", step.pointer),
                findings,
            );
        }
    }

    /// The schema of what a root, or the output of a step, holds; and how many members of the path lead to it.
    fn described(&self, path: &[&str], reader: KeptReader) -> Option<(TargetSchema<'_>, usize)> {
        let (schema, taken) = match (path, reader) {
            (["input", ..], _) => (self.document.get("inputSchema")?, 1),
            (["output", ..], KeptReader::Behind(step)) => (self.result_schema(step)?, 1),
            (["steps", id, "output", ..], _) => {
                let step = *self.graph.by_id.get(id)?;
                let mapped = self
                    .graph
                    .steps
                    .get(step)?
                    .value
                    .contains_key("outputMapping");
                (self.result_schema(step).filter(|_| !mapped)?, 3)
            }
            _ => return None,
        };
        Some((TargetSchema::new(schema), taken))
    }

    /// The schema of what a step of work itself gives.
    fn result_schema(&self, index: usize) -> Option<&Value> {
        let step = self.graph.steps.get(index)?;
        let works = match step.kind? {
            StepType::Task | StepType::Poll => true,
            StepType::SubWorkflow => {
                step.value.get("waitForCompletion") != Some(&Value::Bool(false))
            }
            _ => false,
        };
        let target = self.targets.get(&index).filter(|_| works)?;
        target.document.get("outputSchema")
    }

    /// What a path of an expression is known to give.
    fn source(&self, path: &[&str], reader: usize) -> Source<'_> {
        match path {
            ["input", rest @ ..] => match self.document.get("inputSchema") {
                Some(schema) => follow(schema, rest),
                None => Source::Unknown,
            },
            ["steps", id, "output", rest @ ..] => self.step_output(id, rest),
            ["steps", _, "status" | "outcome"]
            | [
                "workflow",
                "instanceId" | "workflowId" | "version" | "status",
            ]
            | ["now"] => Source::Types(TypeSet::of_types(&["string"])),
            ["steps", _, "visit"] => Source::Types(TypeSet::of_types(&["integer"])),
            ["index"] if self.is_in_loop(reader) => Source::Types(TypeSet::of_types(&["integer"])),
            _ => Source::Unknown,
        }
    }

    fn is_in_loop(&self, step: usize) -> bool {
        let scope = self.graph.scope_of(step);
        super::super::rules::workflow::enclosing_items(self.graph, scope)
            .next()
            .is_some()
    }

    fn step_output(&self, id: &str, rest: &[&str]) -> Source<'_> {
        let Some(&index) = self.graph.by_id.get(id) else {
            return Source::Unknown;
        };
        let mapped = self
            .graph
            .steps
            .get(index)
            .is_none_or(|s| s.value.contains_key("outputMapping"));
        let polls_or_waits = self
            .graph
            .steps
            .get(index)
            .is_some_and(|s| s.value.get("waitForCompletion") == Some(&Value::Bool(false)));
        if mapped || polls_or_waits {
            return Source::Unknown;
        }
        match self
            .targets
            .get(&index)
            .and_then(|t| t.document.get("outputSchema"))
        {
            Some(schema) => follow(schema, rest),
            None => Source::Unknown,
        }
    }

    fn compensation_steps(&self, links: &Links<'_>, findings: &mut Vec<Finding>) {
        const DEFAULT_INPUT: [&str; 6] = [
            "originalInput",
            "originalOutput",
            "workflowInput",
            "variables",
            "cancellation",
            "error",
        ];
        let list = Place::ROOT.key("compensationSteps");
        for (i, step) in list_of(self.document, "compensationSteps").enumerate() {
            let place = list.index(i);
            let Some(reference) = compensation_reference(step, &place) else {
                continue;
            };
            let Some(target) = links.follow(&reference, findings) else {
                continue;
            };
            let Some(schema) = target.document.get("inputSchema") else {
                continue;
            };
            let related = definition(&reference, &target);
            let Some(mapping) = step.get("input") else {
                let missing = TargetSchema::new(schema)
                    .required()
                    .filter(|name| !DEFAULT_INPUT.contains(name));
                findings.extend(missing.map(|name| {
                    unmapped(name, &place.key("input"), INPUT).with_related(related.clone())
                }));
                continue;
            };
            check_input(
                Some(mapping),
                &place.key("input"),
                Some(schema),
                INPUT,
                related,
                &|path| self.source(path, 0),
                findings,
            );
        }
    }

    /// Static recursion over SUB_WORKFLOW steps.
    fn calls_itself(&self, links: &Links<'_>, findings: &mut Vec<Finding>) {
        let Some(own) = self.document.get("workflowId").and_then(Value::as_str) else {
            return;
        };
        for (index, step) in self
            .graph
            .steps
            .iter()
            .enumerate()
            .filter(|(_, s)| s.kind == Some(StepType::SubWorkflow))
        {
            let Some(first) = step.value.get("workflowId").and_then(Value::as_str) else {
                continue;
            };
            let Some(way) = way_back(own, first, self.targets.get(&index), links) else {
                continue;
            };
            let shown = way
                .iter()
                .map(|id| format!("`{id}`"))
                .collect::<Vec<_>>()
                .join(" → ");
            findings.push(
                Finding::warning(
                    "SUBWORKFLOW_CYCLE",
                    format!("{}/workflowId", step.pointer),
                    format!("the workflow calls itself: {shown}"),
                )
                .with_argument(
                    "path",
                    way.iter().map(ToString::to_string).collect::<Vec<_>>(),
                )
                .with_hint(
                    "make sure that a condition ends the recursion; the depth is limited to 10",
                )
                .with_related(Related::new("/workflowId", "this workflow")),
            );
        }
    }
}

/// The way from `own` over `first` back to `own`, if there is one.
fn way_back(
    own: &str,
    first: &str,
    target: Option<&Candidate<'_>>,
    links: &Links<'_>,
) -> Option<Vec<String>> {
    const MAX_WORKFLOWS: usize = 200;
    if own == first {
        return Some(vec![own.to_owned(), own.to_owned()]);
    }
    let mut open: Vec<(Vec<String>, Candidate<'_>)> =
        vec![(vec![own.to_owned(), first.to_owned()], target?.clone())];
    let mut seen = vec![first.to_owned()];
    while let Some((way, workflow)) = open.pop() {
        let Some(document) = workflow.document.as_object() else {
            continue;
        };
        for call in references(document)
            .into_iter()
            .filter(|r| r.kind == DefinitionKind::Workflow)
        {
            let mut next = way.clone();
            next.push(call.id.to_owned());
            if call.id == own {
                return Some(next);
            }
            if seen.len() < MAX_WORKFLOWS && !seen.iter().any(|s| s == call.id) {
                seen.push(call.id.to_owned());
                if let Some(found) = links.find(DefinitionKind::Workflow, call.id, call.requirement)
                {
                    open.push((next, found));
                }
            }
        }
    }
    None
}
