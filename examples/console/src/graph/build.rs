//! From a workflow definition to what a drawing of it shows.

use std::collections::HashMap;

use augmented_core::model::{
    CompensationStep, DelayStep, EndResult, EndStep, EventWaitStep, JoinType, OnFailure,
    ParallelStep, Step, StepType, Transition, WorkflowDefinition,
};

use super::diagram::{Diagram, Edge, Lane, Line, Node, Scope, Shape};

/// What the definition says, as boxes and arrows. Steps that are referred to and do not exist are shown as such.
pub(super) fn diagram(workflow: &WorkflowDefinition) -> Diagram {
    let mut places = HashMap::new();
    record_places(&workflow.steps, &mut Vec::new(), &mut places);
    let mut builder = Builder {
        places,
        escapes: Vec::new(),
        missing: 0,
    };
    let mut root = builder.scope(&workflow.steps, &mut Vec::new());
    builder.land_escapes(&mut root);
    add_entry(workflow, &mut root);
    add_exit(&mut root);
    add_error_handler(workflow, &mut root, &mut builder);
    for compensation in workflow.compensation_steps.iter().flatten() {
        add_compensation(compensation, &mut root, &builder);
    }
    Diagram {
        title: workflow.name.clone(),
        subtitle: format!("{}@{}", workflow.workflow_id, workflow.version),
        root,
    }
}

/// Where a step stands: for each scope around it, from the root on, the box and branch it is in; last its own box.
type Path = Vec<(usize, usize)>;

fn record_places(steps: &[Step], path: &mut Path, places: &mut HashMap<String, Path>) {
    for (index, step) in steps.iter().enumerate() {
        path.push((index, 0));
        places
            .entry(step.step_id().to_owned())
            .or_insert_with(|| path.clone());
        for (lane, nested) in step.nested_scopes().enumerate() {
            if let Some(last) = path.last_mut() {
                last.1 = lane;
            }
            record_places(nested, path, places);
        }
        path.pop();
    }
}

struct Builder {
    places: HashMap<String, Path>,
    /// Arrows that leave their scope, with the depth of the scope they end in and its place.
    escapes: Vec<(Path, Edge)>,
    missing: usize,
}

impl Builder {
    fn scope(&mut self, steps: &[Step], around: &mut Path) -> Scope {
        let mut scope = Scope::default();
        for (index, step) in steps.iter().enumerate() {
            around.push((index, 0));
            let mut node = node_of(step);
            for (lane, nested) in step.nested_scopes().enumerate() {
                if let Some(last) = around.last_mut() {
                    last.1 = lane;
                }
                let (title, tooltip) = lane_title(step, lane);
                node.lanes.push(Lane {
                    title,
                    tooltip,
                    scope: self.scope(nested, around),
                });
            }
            around.pop();
            scope.nodes.push(node);
        }
        for (index, step) in steps.iter().enumerate() {
            for (target, label, line) in exits_of(step) {
                self.connect(
                    &mut scope,
                    around,
                    index,
                    step.step_id(),
                    target,
                    label,
                    line,
                );
            }
        }
        scope
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "an arrow is this: two ends, a label and a reason"
    )]
    fn connect(
        &mut self,
        scope: &mut Scope,
        around: &Path,
        from: usize,
        source: &str,
        target: &str,
        label: String,
        line: Line,
    ) {
        let edge = |from, to| Edge {
            from,
            to,
            source: source.to_owned(),
            target: target.to_owned(),
            label: label.clone(),
            line,
        };
        let place = self.places.get(target).and_then(|place| place.split_last());
        match place {
            Some(((to, _), outer)) if outer == around.as_slice() => {
                scope.edges.push(edge(from, *to))
            }
            // An enclosing scope: the arrow leaves the frame that stands in that scope.
            Some(((to, _), outer)) if around.starts_with(outer) => {
                let Some((frame, _)) = around.get(outer.len()) else {
                    return;
                };
                let mut lifted = edge(*frame, *to);
                lifted.line = if line == Line::Normal {
                    Line::Escape
                } else {
                    line
                };
                lifted.label = if label.is_empty() {
                    source.to_owned()
                } else {
                    format!("{source}: {label}")
                };
                self.escapes.push((outer.to_vec(), lifted));
            }
            _ => {
                let to = scope.nodes.len();
                self.missing += 1;
                let key = format!("<missing {}>", self.missing);
                scope.nodes.push(Node {
                    key: key.clone(),
                    shape: Shape::Missing,
                    title: target.to_owned(),
                    detail: "no such step here".to_owned(),
                    tooltip: format!("{source} refers to {target}, which does not exist in its scope or one around it"),
                    lanes: Vec::new(),
                });
                let mut dangling = edge(from, to);
                dangling.target = key;
                scope.edges.push(dangling);
            }
        }
    }

    fn land_escapes(&mut self, root: &mut Scope) {
        for (path, edge) in std::mem::take(&mut self.escapes) {
            if let Some(scope) = scope_at(root, &path) {
                scope.edges.push(edge);
            }
        }
    }
}

fn scope_at<'a>(root: &'a mut Scope, path: &[(usize, usize)]) -> Option<&'a mut Scope> {
    path.iter().try_fold(root, |scope, (node, lane)| {
        Some(&mut scope.nodes.get_mut(*node)?.lanes.get_mut(*lane)?.scope)
    })
}

fn add_entry(workflow: &WorkflowDefinition, root: &mut Scope) {
    let has_start = workflow
        .steps
        .iter()
        .any(|step| step.step_type() == StepType::Start);
    let entry = workflow
        .entry_step_id()
        .and_then(|id| root.nodes.iter().position(|node| node.key == id));
    if let (false, Some(entry)) = (has_start, entry) {
        // In front of the others, so that the layout begins with it.
        root.nodes
            .insert(0, plain_node("<entry>", Shape::Entry, "Start"));
        for edge in &mut root.edges {
            edge.from += 1;
            edge.to += 1;
        }
        let target = root
            .nodes
            .get(entry + 1)
            .map(|node| node.key.clone())
            .unwrap_or_default();
        root.edges.insert(
            0,
            Edge {
                from: 0,
                to: entry + 1,
                source: "<entry>".to_owned(),
                target,
                label: String::new(),
                line: Line::Normal,
            },
        );
    }
}

/// Leads every path that ends without an END step to one mark.
fn add_exit(root: &mut Scope) {
    let open: Vec<usize> = (0..root.nodes.len())
        .filter(|index| {
            let ends = root.nodes.get(*index).is_some_and(|node| {
                !matches!(
                    node.shape,
                    Shape::Step(StepType::End) | Shape::FailedEnd | Shape::Missing | Shape::Entry
                )
            });
            let goes_on = root
                .edges
                .iter()
                .any(|edge| edge.from == *index && matches!(edge.line, Line::Normal));
            ends && !goes_on
        })
        .collect();
    if open.is_empty() {
        return;
    }
    let exit = root.nodes.len();
    root.nodes.push(plain_node("<exit>", Shape::Exit, "End"));
    for from in open {
        let source = root
            .nodes
            .get(from)
            .map(|node| node.key.clone())
            .unwrap_or_default();
        root.edges.push(Edge {
            from,
            to: exit,
            source,
            target: "<exit>".to_owned(),
            label: String::new(),
            line: Line::Normal,
        });
    }
}

fn add_error_handler(workflow: &WorkflowDefinition, root: &mut Scope, builder: &mut Builder) {
    let Some(on_error) = &workflow.on_error else {
        return;
    };
    let from = root.nodes.len();
    root.nodes.push(plain_node(
        "<any-error>",
        Shape::AnyError,
        "Any unhandled error",
    ));
    let target = on_error.handler_step_id.as_str();
    if let Some(to) = root.nodes.iter().position(|node| node.key == target) {
        root.edges.push(Edge {
            from,
            to,
            source: "<any-error>".to_owned(),
            target: target.to_owned(),
            label: String::new(),
            line: Line::Failure,
        });
    } else {
        builder.connect(
            root,
            &Vec::new(),
            from,
            "<any-error>",
            target,
            String::new(),
            Line::Failure,
        );
    }
}

/// Puts a compensation beside the step it undoes, in the same scope.
fn add_compensation(compensation: &CompensationStep, root: &mut Scope, builder: &Builder) {
    let Some(place) = builder.places.get(&compensation.compensation_for) else {
        return;
    };
    let Some(scope) = enclosing_scope(root, &compensation.compensation_for, place.len()) else {
        return;
    };
    let Some(from) = scope
        .nodes
        .iter()
        .position(|node| node.key == compensation.compensation_for)
    else {
        return;
    };
    let to = scope.nodes.len();
    scope.nodes.push(Node {
        key: compensation.step_id.clone(),
        shape: Shape::Compensation,
        title: compensation.step_id.clone(),
        detail: compensation.task_id.clone(),
        tooltip: format!(
            "{} undoes {} with task {}",
            compensation.step_id, compensation.compensation_for, compensation.task_id
        ),
        lanes: Vec::new(),
    });
    scope.edges.push(Edge {
        from,
        to,
        source: compensation.compensation_for.clone(),
        target: compensation.step_id.clone(),
        label: "undo".to_owned(),
        line: Line::Undo,
    });
}

/// The scope that holds the step of that key; `depth` limits the search.
fn enclosing_scope<'a>(scope: &'a mut Scope, key: &str, depth: usize) -> Option<&'a mut Scope> {
    if scope.nodes.iter().any(|node| node.key == key) {
        return Some(scope);
    }
    if depth <= 1 {
        return None;
    }
    let lanes = scope.nodes.iter_mut().flat_map(|node| &mut node.lanes);
    lanes
        .filter_map(|lane| enclosing_scope(&mut lane.scope, key, depth - 1))
        .next()
}

fn plain_node(key: &str, shape: Shape, title: &str) -> Node {
    Node {
        key: key.to_owned(),
        shape,
        title: title.to_owned(),
        detail: String::new(),
        tooltip: title.to_owned(),
        lanes: Vec::new(),
    }
}

fn node_of(step: &Step) -> Node {
    let shape = match step {
        Step::End(end) if end.result() == EndResult::Failed => Shape::FailedEnd,
        _ => Shape::Step(step.step_type()),
    };
    let title = step.name().unwrap_or(step.step_id()).to_owned();
    let detail = detail_of(step);
    let mut tooltip = format!("{} ({})", step.step_id(), step.step_type());
    for part in [step.name(), Some(detail.as_str()), step.description()]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
    {
        tooltip.push('\n');
        tooltip.push_str(part);
    }
    Node {
        key: step.step_id().to_owned(),
        shape,
        title,
        detail,
        tooltip,
        lanes: Vec::new(),
    }
}

fn detail_of(step: &Step) -> String {
    match step {
        Step::Start(_) | Step::Pass(_) | Step::Decision(_) => String::new(),
        Step::End(end) => end_detail(end),
        Step::Task(task) => versioned(&task.task_id, task.task_version.as_deref()),
        Step::HumanTask(human) => human
            .task_id
            .clone()
            .unwrap_or_else(|| "a person decides".to_owned()),
        Step::Parallel(parallel) => join_detail(parallel),
        Step::ForEach(each) => format!("for each {} in {}", each.item_name(), each.items),
        Step::EventWait(wait) => wait_detail(wait),
        Step::Delay(delay) => delay_detail(delay),
        Step::Poll(poll) => format!("{} every {}", poll.task_id, poll.interval),
        Step::SubWorkflow(sub) => versioned(&sub.workflow_id, sub.workflow_version.as_deref()),
    }
}

fn versioned(id: &str, version: Option<&str>) -> String {
    version.map_or_else(|| id.to_owned(), |version| format!("{id}@{version}"))
}

fn end_detail(end: &EndStep) -> String {
    match end.result() {
        EndResult::Failed => end.error_code().to_owned(),
        EndResult::Completed => end.outcome.clone().unwrap_or_default(),
    }
}

fn join_detail(parallel: &ParallelStep) -> String {
    match parallel.join_type() {
        JoinType::All => "all branches".to_owned(),
        JoinType::First => "first branch wins".to_owned(),
        JoinType::NOfM => format!(
            "{} of {} branches",
            parallel.join_count().unwrap_or(0),
            parallel.branches.len()
        ),
    }
}

fn wait_detail(wait: &EventWaitStep) -> String {
    match &wait.signal_type {
        Some(signal) => format!("signal {signal}"),
        None => format!("event {}", wait.patterns().join(" or ")),
    }
}

fn delay_detail(delay: &DelayStep) -> String {
    match (&delay.duration, &delay.until) {
        (Some(duration), _) => duration.to_string(),
        (None, Some(until)) => format!("until {until}"),
        (None, None) => String::new(),
    }
}

fn lane_title(step: &Step, lane: usize) -> (Option<String>, String) {
    let Step::Parallel(parallel) = step else {
        return (None, String::new());
    };
    let Some(branch) = parallel.branches.get(lane) else {
        return (None, String::new());
    };
    let mut title = branch
        .name
        .clone()
        .unwrap_or_else(|| branch.branch_id.clone());
    if !branch.is_required() {
        title.push_str(" (optional)");
    }
    let tooltip = match &branch.timeout {
        Some(timeout) => format!("branch {}, at most {timeout}", branch.branch_id),
        None => format!("branch {}", branch.branch_id),
    };
    (Some(title), tooltip)
}

/// Where a step may lead: target, label and reason of each arrow, in the order of the document.
fn exits_of(step: &Step) -> Vec<(&str, String, Line)> {
    let mut exits: Vec<(&str, String, Line)> = Vec::new();
    let alone = step.next().len() == 1;
    for rule in step.next() {
        exits.push((&rule.next_step_id, rule_label(rule, alone), Line::Normal));
    }
    if let Step::EventWait(wait) = step
        && let Some(timeout) = &wait.event_timeout
        && let Some(handler) = &timeout.timeout_handler_step_id
    {
        let after = timeout
            .duration
            .as_ref()
            .map(ToString::to_string)
            .or_else(|| timeout.until.clone());
        exits.push((
            handler,
            after.map_or_else(|| "timeout".to_owned(), |after| format!("timeout {after}")),
            Line::Timeout,
        ));
    }
    if let Some(plan) = step.on_failure() {
        failure_exits(plan, &mut exits);
    }
    merge_parallel_arrows(exits)
}

fn rule_label(rule: &Transition, alone: bool) -> String {
    let outcomes = rule.on.as_ref().map(|on| on.codes().join(" | "));
    match (outcomes, &rule.condition) {
        (Some(outcomes), Some(condition)) => format!("{outcomes}, {condition}"),
        (Some(outcomes), None) => outcomes,
        (None, Some(condition)) => condition.clone(),
        (None, None) if alone => String::new(),
        (None, None) => "else".to_owned(),
    }
}

fn failure_exits<'a>(plan: &'a OnFailure, exits: &mut Vec<(&'a str, String, Line)>) {
    for handler in plan.handlers() {
        let category = handler
            .error_category
            .map(|category| category.as_str().to_owned());
        let parts: Vec<String> = [
            handler.error_code.clone(),
            category,
            handler.condition.clone(),
        ]
        .into_iter()
        .flatten()
        .collect();
        let label = if parts.is_empty() {
            "any error".to_owned()
        } else {
            parts.join(", ")
        };
        exits.push((&handler.next_step_id, label, Line::Failure));
    }
    if let Some(target) = &plan.next_step_id {
        let label = if plan.handlers().is_empty() {
            "any error"
        } else {
            "other error"
        };
        exits.push((target, label.to_owned(), Line::Failure));
    }
}

/// Makes one arrow of several with the same target and reason, with all their labels.
fn merge_parallel_arrows(exits: Vec<(&str, String, Line)>) -> Vec<(&str, String, Line)> {
    let mut merged: Vec<(&str, String, Line)> = Vec::with_capacity(exits.len());
    for (target, label, line) in exits {
        match merged
            .iter_mut()
            .find(|(known, _, reason)| *known == target && *reason == line)
        {
            Some((_, labels, _)) => {
                labels.push_str(" or ");
                labels.push_str(&label);
            }
            None => merged.push((target, label, line)),
        }
    }
    merged
}
