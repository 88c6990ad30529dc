//! The rules of kind `workflow`.

mod compensation;
mod fields;
mod reads;
mod shape;
mod steps;

use serde_json::{Map, Value};

use super::super::Finding;
use super::super::expressions::{Expressions, Kept};
use super::super::flow::Flow;
use super::super::graph::{Graph, ScopeIdx, StepIdx, StepNode};
use super::super::place::Place;
use super::common::{self, Bound};
use crate::expr::ExpressionEngine;
use crate::model::StepType;

pub(crate) use steps::outcome_filter;

/// One workflow document under check.
pub(super) struct Workflow<'c, 'd> {
    pub(super) document: &'d Map<String, Value>,
    pub(super) graph: &'c Graph<'d>,
    pub(super) flow: Flow<'c, 'd>,
    pub(super) findings: Vec<Finding>,
    in_unguarded_cycle: Vec<StepIdx>,
}

/// Checks one workflow document, however broken; gives its expressions for the checks that know other definitions.
pub(crate) fn check(
    document: &Map<String, Value>,
    engine: &dyn ExpressionEngine,
) -> (Vec<Finding>, Vec<Kept>) {
    let graph = Graph::read(document);
    let flow = Flow::new(&graph);
    let mut workflow = Workflow {
        document,
        graph: &graph,
        flow,
        findings: Vec::new(),
        in_unguarded_cycle: Vec::new(),
    };
    shape::check(&mut workflow);
    steps::check(&mut workflow);
    compensation::check(&mut workflow);
    top_level(&mut workflow);
    let mut expressions = Expressions::new(engine);
    expressions.know_steps(graph.steps.iter().map(|s| s.id));
    let inputs = document
        .get("inputSchema")
        .and_then(|schema| schema.get("properties")?.as_object());
    expressions.know_inputs(
        inputs
            .into_iter()
            .flat_map(|members| members.keys().map(String::as_str)),
    );
    fields::check(&mut workflow, &mut expressions);
    (workflow.findings, expressions.into_kept())
}

fn top_level(w: &mut Workflow<'_, '_>) {
    common::duration(
        w.document.get("executionTimeout"),
        &Place::ROOT.key("executionTimeout"),
        Bound::Positive,
        &mut w.findings,
    );
    common::retry_policy(
        w.document.get("defaultRetryPolicy"),
        &Place::ROOT.key("defaultRetryPolicy"),
        &mut w.findings,
    );
    if let Some(log) = w.document.get("executionLog") {
        let place = Place::ROOT.key("executionLog");
        common::duration(
            log.get("retention"),
            &place.key("retention"),
            Bound::Any,
            &mut w.findings,
        );
    }
}

/// The items of the loops around a scope, the innermost first: the name and the FOR_EACH.
pub(crate) fn enclosing_items<'g, 'd>(
    graph: &'g Graph<'d>,
    scope: ScopeIdx,
) -> impl Iterator<Item = (&'d str, &'g StepNode<'d>)> + use<'g, 'd> {
    let mut at = Some(scope);
    std::iter::from_fn(move || {
        loop {
            let own = graph.scopes.get(at?)?;
            at = own.parent;
            let container = own.container.and_then(|c| graph.steps.get(c))?;
            if container.kind == Some(StepType::ForEach) {
                let name = container
                    .value
                    .get("itemName")
                    .and_then(Value::as_str)
                    .unwrap_or("item");
                return Some((name, container));
            }
        }
    })
}

/// Whether a step ends the workflow.
pub(crate) fn is_end(kind: Option<StepType>) -> bool {
    kind == Some(StepType::End)
}
