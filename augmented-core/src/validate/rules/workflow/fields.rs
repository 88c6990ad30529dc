//! Every expression and mapping of a workflow, each with what may be read at its place.

use serde_json::{Map, Value};

use super::super::super::expressions::{Expressions, Read};
use super::super::super::graph::{Site, StepIdx, StepNode, Target, list_of};
use super::super::super::place::Place;
use super::super::super::{Finding, PatchOp};
use super::Workflow;
use super::reads::{Reader, Variables, check_read};
use super::shape::at;
use crate::expr::{ExprSite, Shape};
use crate::json::nearest::nearest;
use crate::model::StepType;

/// Older definitions write their default as a condition.
fn is_word_for_default(condition: &Value) -> bool {
    let word = condition
        .as_str()
        .map(|text| text.trim().to_ascii_lowercase());
    word.is_some_and(|word| matches!(word.as_str(), "" | "otherwise" | "else" | "default"))
}

/// The expressions of one workflow on their way through the checks.
struct Fields<'w, 'c, 'd> {
    w: &'w mut Workflow<'c, 'd>,
    expressions: &'w mut Expressions<'c>,
    variables: Variables<'d>,
    /// Which steps a failure leads to directly.
    handlers: Vec<bool>,
}

pub(super) fn check<'c, 'd>(w: &mut Workflow<'c, 'd>, expressions: &mut Expressions<'c>) {
    let variables = Variables::of(w.document, w.graph);
    let mut handlers = vec![false; w.graph.steps.len()];
    for mention in &w.graph.mentions {
        if !matches!(mention.site, Site::Handler(_) | Site::OnError) {
            continue;
        }
        let step = match mention.target {
            Target::Step(step) | Target::OutOfScope(step) => Some(step),
            Target::Unknown => nearest(mention.id, w.graph.steps.iter().map(|s| s.id))
                .and_then(|near| w.graph.by_id.get(near.name))
                .copied(),
        };
        if let Some(handler) = step.and_then(|step| handlers.get_mut(step)) {
            *handler = true;
        }
    }
    let mut fields = Fields {
        w,
        expressions,
        variables,
        handlers,
    };
    fields.top_level();
    for index in 0..fields.w.graph.steps.len() {
        fields.step(index);
    }
    fields.compensation_steps();
    fields.cancellation_triggers();
}

impl<'d> Fields<'_, '_, 'd> {
    fn bare(&mut self, value: Option<&Value>, place: &Place<'_>, site: &ExprSite, reader: Reader) {
        let (graph, flow, variables) = (self.w.graph, &self.w.flow, &self.variables);
        let check = |read: Read<'_>, findings: &mut Vec<Finding>| {
            check_read(&read, reader, graph, flow, variables, findings)
        };
        self.expressions.read_by(Some(reader.kept()));
        self.expressions
            .bare(value, place, site, &mut self.w.findings, check);
        self.expressions.read_by(None);
    }

    fn mapping(
        &mut self,
        value: Option<&Value>,
        place: &Place<'_>,
        site: &ExprSite,
        reader: Reader,
    ) {
        let (graph, flow, variables) = (self.w.graph, &self.w.flow, &self.variables);
        let check = |read: Read<'_>, findings: &mut Vec<Finding>| {
            check_read(&read, reader, graph, flow, variables, findings)
        };
        self.expressions.read_by(Some(reader.kept()));
        self.expressions
            .mapping(value, place, site, &mut self.w.findings, check);
        self.expressions.read_by(None);
    }

    fn top_level(&mut self) {
        let document = self.w.document;
        let root = Place::ROOT;
        self.members(
            document.get("variables"),
            &root.key("variables"),
            &ExprSite::workflow_variable(),
            Reader::Start,
        );
        self.mapping(
            document.get("output"),
            &root.key("output"),
            &ExprSite::workflow_output(),
            Reader::End,
        );
        if let Some(concurrency) = document.get("concurrency") {
            let place = root.key("concurrency");
            self.bare(
                concurrency.get("key"),
                &place.key("key"),
                &ExprSite::concurrency_key(),
                Reader::Start,
            );
        }
        if let Some(handler) = document.get("onError") {
            let place = root.key("onError");
            self.mapping(
                handler.get("inputMapping"),
                &place.key("inputMapping"),
                &ExprSite::on_error_input(),
                Reader::Anytime(0),
            );
        }
        let list = root.key("uiComponents");
        for (i, component) in list_of(document, "uiComponents").enumerate() {
            let place = list.index(i);
            self.bare(
                component.get("condition"),
                &place.key("condition"),
                &ExprSite::ui_condition(),
                Reader::Anytime(0),
            );
            self.mapping(
                component.get("data"),
                &place.key("data"),
                &ExprSite::ui_data(),
                Reader::Anytime(0),
            );
        }
    }

    /// The values of an object whose names are the author's.
    fn members(
        &mut self,
        members: Option<&Value>,
        place: &Place<'_>,
        site: &ExprSite,
        reader: Reader,
    ) {
        let Some(members) = members.and_then(Value::as_object) else {
            return;
        };
        for (name, value) in members {
            self.mapping(Some(value), &place.key(name), site, reader);
        }
    }

    /// The site inside the loops around a step; a step that handles errors reads `error` as well.
    fn inside(&self, index: StepIdx, site: ExprSite) -> ExprSite {
        let graph = self.w.graph;
        let items = super::enclosing_items(graph, graph.scope_of(index));
        let site = items.fold(site, |site, (name, _)| {
            if site.allows(name) {
                site.with_root("index", Shape::Number)
            } else {
                site.with_item(name)
            }
        });
        if self.handlers.get(index) == Some(&true) {
            site.with_error()
        } else {
            site
        }
    }

    fn step(&mut self, index: StepIdx) {
        let graph = self.w.graph;
        let Some(step) = graph.steps.get(index) else {
            return;
        };
        let here = at(step);
        let value = step.value;
        self.entry(index, step, value, &here);
        self.exit(index, step, value, &here);
        if let Some(failure) = value.get("onFailure").and_then(Value::as_object) {
            self.failure(index, failure, &here.key("onFailure"));
        }
    }

    /// What is evaluated when the step is entered.
    fn entry(
        &mut self,
        index: StepIdx,
        step: &StepNode<'d>,
        value: &'d Map<String, Value>,
        here: &Place<'_>,
    ) {
        let reader = Reader::Entering(index);
        if value.contains_key("input") {
            let site = self.inside(index, ExprSite::step_input());
            self.mapping(value.get("input"), &here.key("input"), &site, reader);
        }
        match step.kind {
            Some(StepType::End) => self.end(index, value, here),
            Some(StepType::HumanTask) => self.human_task(index, value, here),
            Some(StepType::ForEach) => {
                let site = self.inside(index, ExprSite::for_each_items());
                self.bare(value.get("items"), &here.key("items"), &site, reader);
            }
            Some(StepType::EventWait) => self.event_wait(index, value, here),
            Some(StepType::Delay) => {
                let site = self.inside(index, ExprSite::delay_until());
                self.bare(value.get("until"), &here.key("until"), &site, reader);
            }
            Some(StepType::Poll) => {
                let site = self.inside(index, ExprSite::poll_until());
                self.bare(
                    value.get("until"),
                    &here.key("until"),
                    &site,
                    Reader::Leaving(index),
                );
            }
            Some(StepType::SubWorkflow) => {
                let site = self.inside(index, ExprSite::step_template());
                self.mapping(
                    value.get("correlationId"),
                    &here.key("correlationId"),
                    &site,
                    reader,
                );
            }
            _ => {}
        }
    }

    fn end(&mut self, index: StepIdx, value: &Map<String, Value>, here: &Place<'_>) {
        if !value.contains_key("output") && !value.contains_key("errorMessage") {
            return;
        }
        let reader = Reader::Entering(index);
        let site = self.inside(index, ExprSite::end_output());
        for member in ["output", "errorMessage"] {
            self.mapping(value.get(member), &here.key(member), &site, reader);
        }
    }

    fn human_task(&mut self, index: StepIdx, value: &Map<String, Value>, here: &Place<'_>) {
        let site = self.inside(index, ExprSite::step_template());
        self.mapping(
            value.get("instructions"),
            &here.key("instructions"),
            &site,
            Reader::Entering(index),
        );
        if let Some(manual) = value.get("manual").and_then(Value::as_object) {
            // The templates of `manual` read the task's input and the workflow, wherever the object stands.
            let (expressions, findings) = (&mut *self.expressions, &mut self.w.findings);
            super::super::task::manual_fields(manual, &here.key("manual"), expressions, findings);
        }
    }

    fn event_wait(&mut self, index: StepIdx, value: &Map<String, Value>, here: &Place<'_>) {
        let reader = Reader::Entering(index);
        if value.contains_key("correlationKey") {
            self.bare(
                value.get("correlationKey"),
                &here.key("correlationKey"),
                &ExprSite::correlation_key(),
                reader,
            );
        }
        if value.contains_key("correlationValue") {
            let site = self.inside(index, ExprSite::correlation_value());
            self.bare(
                value.get("correlationValue"),
                &here.key("correlationValue"),
                &site,
                reader,
            );
        }
        if value.contains_key("eventCondition") {
            let site = self.inside(index, ExprSite::event_condition());
            self.bare(
                value.get("eventCondition"),
                &here.key("eventCondition"),
                &site,
                reader,
            );
        }
        if let Some(until) = value.get("eventTimeout").and_then(|t| t.get("until")) {
            let site = self.inside(index, ExprSite::delay_until());
            let place = here.key("eventTimeout");
            self.bare(Some(until), &place.key("until"), &site, reader);
        }
    }

    /// What is evaluated when the step has done its work: the mapping of its output, `assign`, `next`.
    fn exit(
        &mut self,
        index: StepIdx,
        step: &StepNode<'d>,
        value: &'d Map<String, Value>,
        here: &Place<'_>,
    ) {
        let reader = Reader::Leaving(index);
        let waits_for_signal = value.contains_key("signalType");
        let (output, transition) = match step.kind {
            Some(StepType::EventWait) if waits_for_signal => {
                (ExprSite::signal_output(), ExprSite::signal_transition())
            }
            Some(StepType::EventWait) => (ExprSite::event_output(), ExprSite::event_transition()),
            _ => (ExprSite::step_output(), ExprSite::transition_condition()),
        };
        if value.contains_key("outputMapping") {
            let site = self.inside(index, output.clone());
            self.mapping(
                value.get("outputMapping"),
                &here.key("outputMapping"),
                &site,
                reader,
            );
        }
        if value.contains_key("assign") {
            let site = self.inside(
                index,
                if step.kind == Some(StepType::EventWait) {
                    output
                } else {
                    ExprSite::assign()
                },
            );
            self.members(value.get("assign"), &here.key("assign"), &site, reader);
        }
        let next = here.key("next");
        let mut site = None;
        for (i, entry) in list_of(value, "next").enumerate() {
            if let Some(condition) = entry.get("condition") {
                let site = site
                    .get_or_insert_with(|| self.inside(index, transition.clone()))
                    .clone();
                let before = self.w.findings.len();
                self.bare(
                    Some(condition),
                    &next.index(i).key("condition"),
                    &site,
                    reader,
                );
                let last = list_of(value, "next").nth(i + 1).is_none();
                if last && is_word_for_default(condition) {
                    self.leave_out(before, &next.index(i).key("condition"));
                }
            }
        }
    }

    /// A word for the default is repaired by leaving the condition out.
    fn leave_out(&mut self, before: usize, place: &Place<'_>) {
        self.w.findings.truncate(before);
        let pointer = place.to_string();
        self.w.findings.push(
            Finding::error("EXPR_PARSE", pointer.as_str(), "a word is no expression").with_problem()
                .with_hint("leave `condition` out: a last entry with neither `on` nor `condition` is the default")
                .with_fix(vec![PatchOp::Remove { path: pointer }]),
        );
    }

    fn failure(&mut self, index: StepIdx, failure: &Map<String, Value>, here: &Place<'_>) {
        let reader = Reader::Leaving(index);
        let handlers = here.key("handlers");
        for (i, handler) in list_of(failure, "handlers").enumerate() {
            let place = handlers.index(i);
            if let Some(condition) = handler.get("condition") {
                let site = self.inside(index, ExprSite::failure_condition());
                self.bare(Some(condition), &place.key("condition"), &site, reader);
            }
            if let Some(mapping) = handler.get("inputMapping") {
                let site = self.inside(index, ExprSite::failure_input());
                self.mapping(Some(mapping), &place.key("inputMapping"), &site, reader);
            }
        }
    }

    fn compensation_steps(&mut self) {
        let list = Place::ROOT.key("compensationSteps");
        for (i, step) in list_of(self.w.document, "compensationSteps").enumerate() {
            let place = list.index(i);
            let target = step.get("compensationFor").and_then(Value::as_str);
            let target = target.and_then(|id| self.w.graph.by_id.get(id)).copied();
            let scope = target.map_or(0, |t| self.w.graph.scope_of(t));
            let (mut input, mut condition) = (
                ExprSite::compensation_input(),
                ExprSite::compensation_condition(),
            );
            if let Some(target) = target {
                input = self.inside(target, input);
                condition = self.inside(target, condition);
            }
            self.mapping(
                step.get("input"),
                &place.key("input"),
                &input,
                Reader::Anytime(scope),
            );
            self.bare(
                step.get("condition"),
                &place.key("condition"),
                &condition,
                Reader::Anytime(scope),
            );
        }
    }

    fn cancellation_triggers(&mut self) {
        let list = Place::ROOT.key("cancellationTriggers");
        for (i, trigger) in list_of(self.w.document, "cancellationTriggers").enumerate() {
            let place = list.index(i);
            self.bare(
                trigger.get("correlationKey"),
                &place.key("correlationKey"),
                &ExprSite::correlation_key(),
                Reader::Start,
            );
            self.bare(
                trigger.get("correlationValue"),
                &place.key("correlationValue"),
                &ExprSite::correlation_value(),
                Reader::Start,
            );
            self.bare(
                trigger.get("eventCondition"),
                &place.key("eventCondition"),
                &ExprSite::cancellation_condition(),
                Reader::Anytime(0),
            );
        }
    }
}
