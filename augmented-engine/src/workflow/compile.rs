//! From a definition to a [`CompiledWorkflow`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use augmented_core::expr::{
    CompiledExpr, ExprProblem, ExprSite, ExpressionEngine, Template, TemplateProblem,
};
use augmented_core::json::pointer;
use augmented_core::model::{
    BranchFailure, EndResult, EventWaitStep, FailureAction, ItemFailure, JoinType, LogLevel,
    ParallelStep, ParentCancel, Step, Transition, WorkflowDefinition,
};
use augmented_core::runtime::StepIdx;
use augmented_core::schema::{CompiledSchema, SchemaOptions};
use augmented_core::validate::Finding;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::graph::{
    Body, BranchDef, CompiledStep, CompiledWorkflow, DecisionDetail, DelayBody, Due, EndBody,
    EndKind, FailurePlan, FailureRule, ForEachBody, GoOn, Handler, ParallelBody, PollBody, Rule,
    Scope, ScopeIdx, SubWorkflowBody, TaskRef, WaitTimeout,
};

impl CompiledWorkflow {
    /// Compiles a definition that passed validation.
    ///
    /// # Errors
    /// Findings, if the definition did not pass validation after all: an expression that does not parse, a step that
    /// does not exist. Nothing is compiled in part.
    pub fn compile(
        definition: &WorkflowDefinition,
        row_id: Uuid,
        expressions: &dyn ExpressionEngine,
    ) -> Result<Self, Vec<Finding>> {
        Self::compile_with(definition, row_id, expressions, &SchemaOptions::default())
    }

    /// As [`compile`](Self::compile), for schemas that refer to registered ones or use validators of the host.
    ///
    /// # Errors
    /// As [`compile`](Self::compile).
    pub fn compile_with(
        definition: &WorkflowDefinition,
        row_id: Uuid,
        expressions: &dyn ExpressionEngine,
        schemas: &SchemaOptions<'_>,
    ) -> Result<Self, Vec<Finding>> {
        let mut index = Indexer::default();
        index.scope(None);
        index.steps(&definition.steps, "/steps", 0, None);
        let root_slots = index.root_slots;
        let handlers = handler_targets(definition);
        let mut compiler = Compiler {
            expressions,
            schemas,
            by_id: index.by_id,
            handlers,
            task_refs: Vec::new(),
            findings: Vec::new(),
        };
        let steps: Vec<CompiledStep> = index
            .places
            .iter()
            .map(|place| compiler.step(place))
            .collect();
        let signals = definition.signals.as_ref().map(|signals| {
            signals
                .iter()
                .filter_map(|(name, schema)| {
                    Some((
                        name.clone(),
                        compiler.schema(schema, &pointer::join("/signals", name))?,
                    ))
                })
                .collect()
        });
        let on_error = definition.on_error.as_ref().and_then(|on_error| {
            Some(Handler {
                target: compiler.target(&on_error.handler_step_id, "/onError/handlerStepId")?,
                input: compiler.template(
                    on_error.input_mapping.as_ref(),
                    &ExprSite::on_error_input(),
                    "/onError/inputMapping",
                ),
            })
        });
        let entry = definition
            .entry_step_id()
            .and_then(|id| compiler.target(id, "/startStepId"));
        let variables = definition.variables.clone().map(Value::Object);
        let mut sorted: Vec<StepIdx> =
            (0..u16::try_from(steps.len()).unwrap_or(u16::MAX)).collect();
        sorted.sort_by(|a, b| {
            let id = |idx: &StepIdx| steps.get(usize::from(*idx)).map(|step| step.id.clone());
            id(a).cmp(&id(b))
        });
        let compiled = Self {
            row_id,
            workflow_id: Arc::from(definition.workflow_id.as_str()),
            version: Arc::from(definition.version.as_str()),
            scopes: index.scopes,
            sorted,
            entry: entry.unwrap_or(0),
            root_slots,
            input_schema: definition
                .input_schema
                .as_ref()
                .and_then(|schema| compiler.schema(schema, "/inputSchema")),
            output_schema: definition
                .output_schema
                .as_ref()
                .and_then(|schema| compiler.schema(schema, "/outputSchema")),
            variables: compiler.template(
                variables.as_ref(),
                &ExprSite::workflow_variable(),
                "/variables",
            ),
            output: compiler.template(
                definition.output.as_ref(),
                &ExprSite::workflow_output(),
                "/output",
            ),
            signals,
            default_retry_policy: definition.default_retry_policy.clone(),
            on_error,
            execution_timeout: definition.execution_timeout.clone(),
            decisions: decision_detail(definition),
            by_id: compiler.by_id,
            task_refs: compiler.task_refs,
            steps,
        };
        if compiler.findings.is_empty() {
            Ok(compiled)
        } else {
            Err(compiler.findings)
        }
    }
}

fn decision_detail(definition: &WorkflowDefinition) -> DecisionDetail {
    match (definition.tracks_decisions(), definition.log_level()) {
        (_, LogLevel::Error) => DecisionDetail::Failures,
        (false, _) => DecisionDetail::None,
        (true, LogLevel::Info) => DecisionDetail::Rule,
        (true, LogLevel::Debug) => DecisionDetail::Values,
    }
}

/// The steps that somebody names as error handler: only they read the root `error`.
fn handler_targets(definition: &WorkflowDefinition) -> HashSet<String> {
    let mut targets = HashSet::new();
    targets.extend(
        definition
            .on_error
            .iter()
            .map(|on_error| on_error.handler_step_id.clone()),
    );
    for step in definition.all_steps() {
        if let Some(plan) = step.on_failure() {
            targets.extend(plan.next_step_id.clone());
            targets.extend(
                plan.handlers()
                    .iter()
                    .map(|handler| handler.next_step_id.clone()),
            );
        }
        if let Step::EventWait(wait) = step {
            targets.extend(
                wait.event_timeout
                    .as_ref()
                    .and_then(|timeout| timeout.timeout_handler_step_id.clone()),
            );
        }
    }
    targets
}

/// A step and where it stands.
struct Place<'a> {
    step: &'a Step,
    pointer: String,
    scope: ScopeIdx,
    slot: u16,
    /// Item names of the loops around it, outermost first.
    items: Vec<&'a str>,
    /// The first step of each branch, or of the body.
    entries: Vec<Option<StepIdx>>,
    /// Slots of the frame, for a FOR_EACH step.
    body_slots: u16,
}

/// Gives every step an index, a scope and a slot in its frame.
#[derive(Default)]
struct Indexer<'a> {
    places: Vec<Place<'a>>,
    by_id: HashMap<Arc<str>, StepIdx>,
    scopes: Vec<Scope>,
    root_slots: u16,
    items: Vec<&'a str>,
}

impl<'a> Indexer<'a> {
    fn scope(&mut self, frame_owner: Option<StepIdx>) -> ScopeIdx {
        let idx = u16::try_from(self.scopes.len()).unwrap_or(u16::MAX);
        self.scopes.push(Scope { frame_owner });
        idx
    }

    /// Adds a list of steps; answers the index of the first one.
    fn steps(
        &mut self,
        steps: &'a [Step],
        base: &str,
        scope: ScopeIdx,
        owner: Option<StepIdx>,
    ) -> Option<StepIdx> {
        let mut first = None;
        for (position, step) in steps.iter().enumerate() {
            let pointer = format!("{base}/{position}");
            let idx = u16::try_from(self.places.len()).unwrap_or(u16::MAX);
            first = first.or(Some(idx));
            let slot = self.take_slot(owner);
            self.by_id.insert(Arc::from(step.step_id()), idx);
            self.places.push(Place {
                step,
                pointer: pointer.clone(),
                scope,
                slot,
                items: self.items.clone(),
                entries: Vec::new(),
                body_slots: 0,
            });
            let entries = self.nested(step, &pointer, idx, owner);
            if let Some(place) = self.places.get_mut(usize::from(idx)) {
                place.entries = entries;
            }
        }
        first
    }

    fn nested(
        &mut self,
        step: &'a Step,
        pointer: &str,
        idx: StepIdx,
        owner: Option<StepIdx>,
    ) -> Vec<Option<StepIdx>> {
        match step {
            Step::Parallel(parallel) => parallel
                .branches
                .iter()
                .enumerate()
                .map(|(position, branch)| {
                    let inner = self.scope(owner);
                    self.steps(
                        &branch.steps,
                        &format!("{pointer}/branches/{position}/steps"),
                        inner,
                        owner,
                    )
                })
                .collect(),
            Step::ForEach(each) => {
                let inner = self.scope(Some(idx));
                self.items.push(each.item_name());
                let entry = self.steps(&each.steps, &format!("{pointer}/steps"), inner, Some(idx));
                self.items.pop();
                vec![entry]
            }
            _ => Vec::new(),
        }
    }

    fn take_slot(&mut self, owner: Option<StepIdx>) -> u16 {
        let slots = match owner.and_then(|owner| self.places.get_mut(usize::from(owner))) {
            Some(place) => &mut place.body_slots,
            None => &mut self.root_slots,
        };
        let slot = *slots;
        *slots = slots.saturating_add(1);
        slot
    }
}

struct Compiler<'e> {
    expressions: &'e dyn ExpressionEngine,
    schemas: &'e SchemaOptions<'e>,
    by_id: HashMap<Arc<str>, StepIdx>,
    handlers: HashSet<String>,
    task_refs: Vec<TaskRef>,
    findings: Vec<Finding>,
}

impl Compiler<'_> {
    fn step(&mut self, place: &Place<'_>) -> CompiledStep {
        let step = place.step;
        let at = |member: &str| format!("{}/{member}", place.pointer);
        let signal = matches!(
            step,
            Step::EventWait(EventWaitStep {
                signal_type: Some(_),
                ..
            })
        );
        let event = matches!(step, Step::EventWait(_)) && !signal;
        let output_site = match (signal, event) {
            (true, _) => ExprSite::signal_output(),
            (_, true) => ExprSite::event_output(),
            _ => ExprSite::step_output(),
        };
        let output_site = self.site(output_site, place);
        let assign = step
            .assign()
            .map(|assign| self.assign(assign, &output_site, &at("assign")))
            .unwrap_or_default();
        CompiledStep {
            id: Arc::from(step.step_id()),
            kind: step.step_type(),
            scope: place.scope,
            slot: place.slot,
            input: self.template(
                step.input(),
                &self.site(ExprSite::step_input(), place),
                &at("input"),
            ),
            output_mapping: self.template(
                step.output_mapping(),
                &output_site,
                &at("outputMapping"),
            ),
            assign,
            next: self.rules(step.next(), place, signal, event),
            on_failure: self.failure_plan(place),
            max_visits: step.max_visits(),
            retry_policy: step.retry_policy().cloned(),
            timeout: step.timeout().cloned(),
            heartbeat_timeout: step.heartbeat_timeout().cloned(),
            body: self.body(place),
        }
    }

    fn assign(
        &mut self,
        assign: &Map<String, Value>,
        site: &ExprSite,
        base: &str,
    ) -> Vec<(Arc<str>, Template)> {
        assign
            .iter()
            .filter_map(|(name, value)| {
                Some((
                    Arc::from(name.as_str()),
                    self.template(Some(value), site, &pointer::join(base, name))?,
                ))
            })
            .collect()
    }

    fn rules(
        &mut self,
        next: &[Transition],
        place: &Place<'_>,
        signal: bool,
        event: bool,
    ) -> Vec<Rule> {
        let site = match (signal, event) {
            (true, _) => ExprSite::signal_transition(),
            (_, true) => ExprSite::event_transition(),
            _ => ExprSite::transition_condition(),
        };
        let site = self.site(site, place);
        next.iter()
            .enumerate()
            .filter_map(|(position, transition)| {
                let base = format!("{}/next/{position}", place.pointer);
                let on = transition.on.as_ref().map(|on| {
                    on.codes()
                        .iter()
                        .map(|code| Box::from(code.as_str()))
                        .collect()
                });
                let condition = self.expr(
                    transition.condition.as_deref(),
                    &site,
                    &format!("{base}/condition"),
                );
                Some(Rule {
                    target: self.target(&transition.next_step_id, &format!("{base}/nextStepId"))?,
                    on,
                    condition,
                })
            })
            .collect()
    }

    fn failure_plan(&mut self, place: &Place<'_>) -> FailurePlan {
        let Some(plan) = place.step.on_failure() else {
            return FailurePlan::default();
        };
        let condition_site = self.site(ExprSite::failure_condition(), place);
        let input_site = self.site(ExprSite::failure_input(), place);
        let base = format!("{}/onFailure", place.pointer);
        let handlers = plan
            .handlers()
            .iter()
            .enumerate()
            .filter_map(|(position, handler)| {
                let base = format!("{base}/handlers/{position}");
                Some(FailureRule {
                    category: handler.error_category,
                    code: handler.error_code.as_deref().map(Box::from),
                    condition: self.expr(
                        handler.condition.as_deref(),
                        &condition_site,
                        &format!("{base}/condition"),
                    ),
                    handler: Handler {
                        target: self
                            .target(&handler.next_step_id, &format!("{base}/nextStepId"))?,
                        input: self.template(
                            handler.input_mapping.as_ref(),
                            &input_site,
                            &format!("{base}/inputMapping"),
                        ),
                    },
                })
            })
            .collect();
        let go_on = (plan.action() == FailureAction::Continue)
            .then(|| self.go_on(place, plan.next_step_id.as_deref(), &base));
        FailurePlan { handlers, go_on }
    }

    fn go_on(&mut self, place: &Place<'_>, next_step_id: Option<&str>, base: &str) -> GoOn {
        if let Some(target) =
            next_step_id.and_then(|id| self.target(id, &format!("{base}/nextStepId")))
        {
            return GoOn::To(target);
        }
        let default = place
            .step
            .next()
            .iter()
            .find(|transition| transition.is_default());
        match default.and_then(|transition| self.by_id.get(transition.next_step_id.as_str())) {
            Some(target) => GoOn::Default(*target),
            None => GoOn::EndPath,
        }
    }

    fn body(&mut self, place: &Place<'_>) -> Body {
        let at = |member: &str| format!("{}/{member}", place.pointer);
        match place.step {
            Step::Start(_) | Step::Pass(_) | Step::Decision(_) => Body::Pass,
            Step::End(end) => {
                let site = self.site(ExprSite::end_output(), place);
                let kind = match end.result() {
                    EndResult::Completed => EndKind::Completed {
                        outcome: end.outcome.as_deref().map(Arc::from),
                    },
                    EndResult::Failed => {
                        let message = end.error_message.clone().map(Value::String);
                        EndKind::Failed {
                            code: end.error_code().into(),
                            message: self.template(message.as_ref(), &site, &at("errorMessage")),
                        }
                    }
                };
                Body::End(EndBody {
                    output: self.template(end.output.as_ref(), &site, &at("output")),
                    end: kind,
                })
            }
            Step::Task(task) => Body::Task {
                task_ref: self.task_ref(&task.task_id, task.task_version.as_deref()),
            },
            Step::HumanTask(_) => Body::Unsupported,
            Step::Parallel(parallel) => parallel_body(parallel, &place.entries),
            Step::ForEach(each) => {
                let site = self.site(ExprSite::for_each_items(), place);
                let entry = place.entries.first().copied().flatten();
                match (self.expr(Some(&each.items), &site, &at("items")), entry) {
                    (Some(items), Some(entry)) => Body::ForEach(ForEachBody {
                        items,
                        item_name: Arc::from(each.item_name()),
                        entry,
                        slots: place.body_slots,
                        max_concurrency: each.max_concurrency().max(1),
                        max_items: each.max_items(),
                        collect: each.on_item_failure() == ItemFailure::Collect,
                    }),
                    _ => Body::Unsupported,
                }
            }
            Step::EventWait(wait) => self.wait(wait, place),
            Step::Delay(delay) => {
                let site = self.site(ExprSite::delay_until(), place);
                match self.due(
                    delay.duration.as_ref(),
                    delay.until.as_deref(),
                    delay.timezone(),
                    &site,
                    &at("until"),
                ) {
                    Some(due) => Body::Delay(DelayBody { due }),
                    None => Body::Unsupported,
                }
            }
            Step::Poll(poll) => {
                let task_ref = self.task_ref(&poll.task_id, poll.task_version.as_deref());
                let site = self.site(ExprSite::poll_until(), place);
                match self.expr(Some(&poll.until), &site, &at("until")) {
                    Some(until) => Body::Poll(PollBody {
                        task_ref,
                        until,
                        interval: poll.interval.clone(),
                        multiplier: poll.backoff_multiplier(),
                        max_rounds: poll.max_attempts(),
                    }),
                    None => Body::Unsupported,
                }
            }
            Step::SubWorkflow(sub) => {
                let site = self.site(ExprSite::step_template(), place);
                let correlation = sub.correlation_id.clone().map(Value::String);
                Body::SubWorkflow(SubWorkflowBody {
                    workflow_id: Arc::from(sub.workflow_id.as_str()),
                    requirement: sub.workflow_version.as_deref().map(Arc::from),
                    waits: sub.waits_for_completion(),
                    cancel_with_parent: sub.on_parent_cancel() == ParentCancel::Cancel,
                    correlation_id: self.template(
                        correlation.as_ref(),
                        &site,
                        &at("correlationId"),
                    ),
                })
            }
        }
    }

    fn wait(&mut self, wait: &EventWaitStep, place: &Place<'_>) -> Body {
        let Some(signal_type) = wait.signal_type.as_deref() else {
            return Body::Unsupported;
        };
        let site = self.site(ExprSite::delay_until(), place);
        let timeout = wait.event_timeout.as_ref().and_then(|timeout| {
            let base = format!("{}/eventTimeout", place.pointer);
            let due = self.due(
                timeout.duration.as_ref(),
                timeout.until.as_deref(),
                "UTC",
                &site,
                &format!("{base}/until"),
            )?;
            let handler = timeout.timeout_handler_step_id.as_deref();
            Some(WaitTimeout {
                due,
                handler: handler
                    .and_then(|id| self.target(id, &format!("{base}/timeoutHandlerStepId"))),
            })
        });
        Body::Signal {
            signal_type: Arc::from(signal_type),
            timeout,
        }
    }

    fn due(
        &mut self,
        duration: Option<&augmented_core::IsoDuration>,
        until: Option<&str>,
        zone: &str,
        site: &ExprSite,
        at: &str,
    ) -> Option<Due> {
        if let Some(duration) = duration {
            return Some(Due::After(duration.clone()));
        }
        let zone = match zone.parse() {
            Ok(zone) => zone,
            Err(_) => {
                self.findings.push(Finding::error(
                    "TIMEZONE_UNKNOWN",
                    at,
                    format!("`{zone}` is no IANA time zone"),
                ));
                return None;
            }
        };
        Some(Due::At {
            expr: self.expr(until, site, at)?,
            zone,
        })
    }

    /// The site as it is inside the loops around a step, with `error` if the step is a handler.
    fn site(&self, site: ExprSite, place: &Place<'_>) -> ExprSite {
        let site = if self.handlers.contains(place.step.step_id()) {
            site.with_error()
        } else {
            site
        };
        place
            .items
            .iter()
            .fold(site, |site, item| site.with_item(*item))
    }

    fn task_ref(&mut self, task_id: &str, requirement: Option<&str>) -> u16 {
        let wanted = TaskRef {
            task_id: Arc::from(task_id),
            requirement: requirement.map(Arc::from),
        };
        let position = self
            .task_refs
            .iter()
            .position(|known| *known == wanted)
            .unwrap_or_else(|| {
                self.task_refs.push(wanted);
                self.task_refs.len() - 1
            });
        u16::try_from(position).unwrap_or(u16::MAX)
    }

    fn target(&mut self, step_id: &str, at: &str) -> Option<StepIdx> {
        let found = self.by_id.get(step_id).copied();
        if found.is_none() {
            self.findings.push(
                Finding::error("UNKNOWN_STEP", at, format!("no step is called `{step_id}`"))
                    .with_argument("stepId", step_id),
            );
        }
        found
    }

    fn expr(&mut self, source: Option<&str>, site: &ExprSite, at: &str) -> Option<CompiledExpr> {
        match self.expressions.compile(source?, site) {
            Ok(compiled) => Some(compiled),
            Err(problems) => {
                self.findings.extend(
                    problems
                        .into_iter()
                        .map(|problem| expression_finding(problem, at)),
                );
                None
            }
        }
    }

    fn template(&mut self, tree: Option<&Value>, site: &ExprSite, at: &str) -> Option<Template> {
        match self.expressions.compile_template(tree?, site) {
            Ok(compiled) => Some(compiled),
            Err(problems) => {
                self.findings.extend(problems.into_iter().map(
                    |TemplateProblem {
                         pointer, problem, ..
                     }| expression_finding(problem, &format!("{at}{pointer}")),
                ));
                None
            }
        }
    }

    /// Compiles a schema; one that accepts every object costs nothing at run time and is left out by the caller's check.
    fn schema(&mut self, schema: &Value, at: &str) -> Option<CompiledSchema> {
        match CompiledSchema::compile(schema, self.schemas) {
            Ok(compiled) => Some(compiled),
            Err(findings) => {
                self.findings
                    .extend(findings.into_iter().map(|mut finding| {
                        finding.pointer = format!("{at}{}", finding.pointer);
                        finding
                    }));
                None
            }
        }
    }
}

fn expression_finding(problem: ExprProblem, at: &str) -> Finding {
    let arguments = problem.arguments().clone();
    let mut finding = Finding::error(problem.code, at, problem.message).with_arguments(arguments);
    finding.hint = problem.hint;
    finding.offset_in_string = problem.offset;
    finding
}

fn parallel_body(parallel: &ParallelStep, entries: &[Option<StepIdx>]) -> Body {
    let branches = parallel
        .branches
        .iter()
        .zip(entries)
        .filter_map(|(branch, entry)| {
            Some(BranchDef {
                id: Arc::from(branch.branch_id.as_str()),
                entry: (*entry)?,
                required: branch.is_required(),
                timeout: branch.timeout.clone(),
            })
        })
        .collect();
    let quorum = match parallel.join_type() {
        JoinType::All => None,
        JoinType::First => Some(1),
        JoinType::NOfM => Some(parallel.join_count().unwrap_or(1)),
    };
    Body::Parallel(ParallelBody {
        branches,
        quorum,
        cancel_remaining: parallel.cancels_remaining(),
        wait_all: parallel.on_branch_failure() == BranchFailure::WaitAll,
    })
}
