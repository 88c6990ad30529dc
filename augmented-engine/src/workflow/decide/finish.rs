//! Finishing a step, choosing its successor, and ending scopes and instances.

use std::sync::Arc;

use augmented_core::error::{ErrorCategory, ErrorInfo};
use augmented_core::runtime::{
    Activity, ChildDone, ChildStatus, InstanceError, InstanceStatus, StepIdx, StepStatus,
    TimerKind, TokenId, TrailEntry,
};
use serde_json::Value;

use super::super::command::Command;
use super::super::graph::{CompiledStep, DecisionDetail, EndBody, EndKind};
use super::super::size::json_bytes;
use super::{Fault, Machine, Step, expression_error};

/// The outcome of a step that names none.
const SUCCESS: &str = "SUCCESS";

static NULL: Value = Value::Null;

/// Null is kept as nothing, so that a state reads back from JSON as it was written.
pub(super) fn known(value: Arc<Value>) -> Option<Arc<Value>> {
    (!value.is_null()).then_some(value)
}

impl Machine<'_> {
    /// Finishes a step: maps its output, writes variables, takes the first matching transition.
    pub(super) fn complete(
        &mut self,
        id: TokenId,
        raw: Option<Arc<Value>>,
        outcome: Option<Arc<str>>,
        attempt: u32,
    ) -> Step {
        let step = self.step(self.token(id)?.step)?;
        let raw = raw.and_then(known);
        // What a failed step mapped and assigned is taken back: output and variables change only with a success.
        let (mark, counted) = (self.trail.len(), self.state.bytes);
        let (output, output_bytes) =
            match self.mapped_output(id, step, raw.as_ref(), outcome.as_deref())? {
                Ok(output) => output,
                Err(error) => return self.fail_step(id, error, attempt),
            };
        let before = match self.assign(id, step, raw.as_deref(), outcome.as_deref())? {
            Ok(before) => before,
            Err(error) => {
                self.state.bytes = counted;
                return self.fail_step(id, error, attempt);
            }
        };
        let chosen = match self.choose(id, step, raw.as_deref(), outcome.as_deref())? {
            Ok(chosen) => chosen,
            Err(error) => {
                if let Some(before) = before {
                    self.state.vars = before;
                    self.trail.truncate(mark);
                }
                self.state.bytes = counted;
                return self.fail_step(id, error, attempt);
            }
        };
        let (now, seq) = (self.now, self.seq);
        let token = self.token(id)?;
        let (idx, path, number) = (token.step, token.path.clone(), token.visit);
        let visit = self.visit_mut(id, step)?;
        visit.status = StepStatus::Completed;
        visit.outcome.clone_from(&outcome);
        visit.output.clone_from(&output);
        visit.bytes = visit.bytes.saturating_add(output_bytes);
        visit.attempt = attempt;
        visit.completed_at = Some(now);
        visit.completion_seq = Some(seq);
        self.trail.push(TrailEntry::Completed {
            step: idx,
            path,
            visit: number,
            attempt,
            outcome,
        });
        self.state.handling.remove(&id);
        match chosen {
            Some((target, rule, values)) => self.take(id, target, rule, values, output),
            None => self.end_path(id, output),
        }
    }

    /// Evaluates `outputMapping`, or hands the raw output on, and counts it. Answers the output and its bytes.
    #[expect(
        clippy::type_complexity,
        reason = "the two parts are taken apart at once by the only caller"
    )]
    fn mapped_output(
        &mut self,
        id: TokenId,
        step: &CompiledStep,
        raw: Option<&Arc<Value>>,
        outcome: Option<&str>,
    ) -> Step<Result<(Option<Arc<Value>>, u32), ErrorInfo>> {
        let output = match &step.output_mapping {
            Some(template) => {
                let token = self.token(id)?;
                let error = self.state.handling.get(&id).map(Arc::as_ref);
                let roots = self
                    .roots(token, error)
                    .with_result(raw.map_or(&NULL, |raw| raw), outcome.unwrap_or(SUCCESS));
                match template.eval(&roots) {
                    Ok(value) => known(Arc::new(value)),
                    Err(error) => return Ok(Err(expression_error(&error))),
                }
            }
            None => raw.cloned(),
        };
        let bytes = output.as_deref().map_or(0, json_bytes);
        if output.is_some()
            && let Err(error) = self.count(bytes, "the output of the step")
        {
            return Ok(Err(error));
        }
        Ok(Ok((output, u32::try_from(bytes).unwrap_or(u32::MAX))))
    }

    /// Writes workflow variables; every entry sees the old values. Answers the old variables if any changed.
    fn assign(
        &mut self,
        id: TokenId,
        step: &CompiledStep,
        raw: Option<&Value>,
        outcome: Option<&str>,
    ) -> Step<Result<Option<Arc<Value>>, ErrorInfo>> {
        if step.assign.is_empty() {
            return Ok(Ok(None));
        }
        let token = self.token(id)?;
        let (idx, path) = (token.step, token.path.clone());
        let mut written = Vec::with_capacity(step.assign.len());
        {
            let error = self.state.handling.get(&id).map(Arc::as_ref);
            let roots = self
                .roots(token, error)
                .with_result(raw.unwrap_or(&NULL), outcome.unwrap_or(SUCCESS));
            for (name, template) in &step.assign {
                match template.eval(&roots) {
                    Ok(value) => written.push((name.clone(), value)),
                    Err(error) => return Ok(Err(expression_error(&error))),
                }
            }
        }
        let before = self.state.vars.clone();
        let old = json_bytes(&before) as u64;
        let mut after = Value::clone(&before);
        let Value::Object(members) = &mut after else {
            return Err(Fault("the variables are no object"));
        };
        for (name, value) in written {
            members.insert(name.to_string(), value);
            self.trail.push(TrailEntry::VariableSet {
                step: idx,
                path: path.clone(),
                name,
            });
        }
        let bytes = json_bytes(&after);
        let counted = self.state.bytes;
        self.state.bytes = counted.saturating_sub(old);
        if let Err(error) = self.count(bytes, "the set of variables") {
            self.state.bytes = counted;
            return Ok(Err(error));
        }
        self.state.vars = Arc::new(after);
        Ok(Ok(Some(before)))
    }

    /// The first matching entry of `next`: its target and index, and what it read if that is recorded.
    #[expect(
        clippy::type_complexity,
        reason = "the three parts are taken apart at once by the only caller"
    )]
    fn choose(
        &self,
        id: TokenId,
        step: &CompiledStep,
        raw: Option<&Value>,
        outcome: Option<&str>,
    ) -> Step<Result<Option<(StepIdx, u16, Option<Box<Value>>)>, ErrorInfo>> {
        if step.next.is_empty() {
            return Ok(Ok(None));
        }
        let token = self.token(id)?;
        let outcome = outcome.unwrap_or(SUCCESS);
        let error = self.state.handling.get(&id).map(Arc::as_ref);
        let roots = self
            .roots(token, error)
            .with_result(raw.unwrap_or(&NULL), outcome);
        let mut values = serde_json::Map::new();
        for (position, rule) in step.next.iter().enumerate() {
            if rule
                .on
                .as_ref()
                .is_some_and(|codes| !codes.iter().any(|code| **code == *outcome))
            {
                continue;
            }
            let holds = match &rule.condition {
                None => true,
                Some(condition) => match condition.eval_bool(&roots) {
                    Ok(holds) => {
                        if self.flow.decisions == DecisionDetail::Values {
                            values.insert(condition.source().to_owned(), Value::Bool(holds));
                        }
                        holds
                    }
                    Err(error) => return Ok(Err(expression_error(&error))),
                },
            };
            if holds {
                let index = u16::try_from(position).unwrap_or(u16::MAX);
                let values = (!values.is_empty()).then(|| Box::new(Value::Object(values)));
                return Ok(Ok(Some((rule.target, index, values))));
            }
        }
        Ok(Err(ErrorInfo::new(
            "NO_MATCHING_TRANSITION",
            ErrorCategory::Validation,
            format!(
                "no entry of `next` of step `{}` matches outcome `{outcome}`: add a default entry",
                step.id
            ),
        )))
    }

    fn take(
        &mut self,
        id: TokenId,
        target: StepIdx,
        rule: u16,
        values: Option<Box<Value>>,
        output: Option<Arc<Value>>,
    ) -> Step {
        let token = self.token(id)?;
        let rule = match self.flow.decisions {
            DecisionDetail::Failures | DecisionDetail::None => None,
            DecisionDetail::Rule | DecisionDetail::Values => Some(rule),
        };
        self.trail.push(TrailEntry::Transition {
            from: token.step,
            to: target,
            path: token.path.clone(),
            rule,
            values,
        });
        let id = self.leave_for(id, target)?;
        self.go(id, target, output);
        Ok(())
    }

    /// Makes the control point that stands in the scope of `target`: the same one, or that of an enclosing container
    /// which is closed and whose other branches or iterations are stopped.
    pub(super) fn leave_for(&mut self, id: TokenId, target: StepIdx) -> Step<TokenId> {
        let wanted = self.step(target)?.scope;
        let mut id = id;
        loop {
            let token = self.token(id)?;
            if self.step(token.step)?.scope == wanted {
                return Ok(id);
            }
            let container = token.parent.ok_or(Fault(
                "a transition leads into a scope that is not around it",
            ))?;
            self.close_escaped(container)?;
            id = container;
        }
    }

    /// The path of a scope ended.
    pub(super) fn end_path(&mut self, id: TokenId, output: Option<Arc<Value>>) -> Step {
        match self.token(id)?.parent {
            None => self.end_root(id, output),
            Some(container) => self.scope_ended(id, container, Ok(output)),
        }
    }

    fn end_root(&mut self, id: TokenId, output: Option<Arc<Value>>) -> Step {
        // The workflow-wide error handler leads to FAILED unless it reaches an END that says otherwise.
        if let Some(unhandled) = self.state.unhandled.clone() {
            self.fail_instance(unhandled.error, unhandled.failed_step_id);
            return Ok(());
        }
        self.complete_instance(id, None, output, None)
    }

    /// An END step.
    pub(super) fn end(&mut self, id: TokenId, end: &EndBody, value: Option<Arc<Value>>) -> Step {
        let step = self.step(self.token(id)?.step)?;
        let token = self.token(id)?;
        let (idx, path, visit) = (token.step, token.path.clone(), token.visit);
        match &end.end {
            EndKind::Completed { outcome } => {
                let own = match &end.output {
                    None => None,
                    Some(template) => {
                        let error = self.state.handling.get(&id).map(Arc::as_ref);
                        match template.eval(&self.roots(self.token(id)?, error)) {
                            Ok(value) => Some(Arc::new(value)),
                            Err(error) => return self.fail_step(id, expression_error(&error), 0),
                        }
                    }
                };
                self.close_end_visit(
                    id,
                    step,
                    own.clone().or_else(|| value.clone()).and_then(known),
                )?;
                self.trail.push(TrailEntry::Completed {
                    step: idx,
                    path,
                    visit,
                    attempt: 0,
                    outcome: outcome.clone(),
                });
                self.complete_instance(id, own, value, outcome.clone())
            }
            EndKind::Failed { code, message } => {
                let error = self.state.handling.get(&id).map(Arc::as_ref);
                let text = match message
                    .as_ref()
                    .map(|template| template.eval(&self.roots(token, error)))
                {
                    None => format!("the workflow ended at `{}`", step.id),
                    Some(Ok(Value::String(text))) => text,
                    Some(Ok(other)) => other.to_string(),
                    Some(Err(error)) => return self.fail_step(id, expression_error(&error), 0),
                };
                self.close_end_visit(id, step, None)?;
                self.trail.push(TrailEntry::Completed {
                    step: idx,
                    path,
                    visit,
                    attempt: 0,
                    outcome: None,
                });
                let error = ErrorInfo::new(code.as_ref(), ErrorCategory::Business, text);
                self.fail_instance(Arc::new(error), Some(step.id.clone()));
                Ok(())
            }
        }
    }

    fn close_end_visit(
        &mut self,
        id: TokenId,
        step: &CompiledStep,
        output: Option<Arc<Value>>,
    ) -> Step {
        let (now, seq) = (self.now, self.seq);
        let visit = self.visit_mut(id, step)?;
        visit.status = StepStatus::Completed;
        visit.output = output;
        visit.completed_at = Some(now);
        visit.completion_seq = Some(seq);
        Ok(())
    }

    /// Builds and checks the instance output and ends the instance.
    fn complete_instance(
        &mut self,
        id: TokenId,
        own: Option<Arc<Value>>,
        value: Option<Arc<Value>>,
        outcome: Option<Arc<str>>,
    ) -> Step {
        let built = match (own, &self.flow.output) {
            (Some(own), _) => Some(own),
            (None, Some(template)) => {
                let roots = super::Roots::in_frame(self.flow, self.state, 0, None, self.now);
                match template.eval(&roots) {
                    Ok(value) => Some(Arc::new(value)),
                    Err(error) => return self.fail_root(id, expression_error(&error)),
                }
            }
            (None, None) => value,
        };
        if let Some(schema) = &self.flow.output_schema {
            let value = built.as_deref().unwrap_or(&NULL);
            if !schema.is_valid(value) {
                let findings = schema.validate(value);
                let first = findings.first().map_or_else(String::new, |finding| {
                    format!(": {} at `{}`", finding.message, finding.pointer)
                });
                let error = ErrorInfo::new(
                    "OUTPUT_INVALID",
                    ErrorCategory::Validation,
                    format!("the output does not fit outputSchema{first}"),
                )
                .with_details(serde_json::json!({ "findings": findings }));
                return self.fail_root(id, error);
            }
        }
        self.cancel_everything(false);
        // Nothing goes on from here; where a failed instance stands is kept for those who retry it.
        self.state.tokens.clear();
        self.state.handling.clear();
        self.state.status = InstanceStatus::Completed;
        self.state.output = built.and_then(known);
        self.state.outcome = outcome;
        self.trail.push(TrailEntry::InstanceCompleted);
        self.finish(ChildStatus::Completed);
        Ok(())
    }

    /// Ends the instance as FAILED; its control points are frozen, not deleted.
    pub(super) fn fail_instance(
        &mut self,
        error: Arc<ErrorInfo>,
        failed_step_id: Option<Arc<str>>,
    ) {
        self.cancel_everything(false);
        self.trail.push(TrailEntry::InstanceFailed {
            error: error.clone(),
        });
        self.state.status = InstanceStatus::Failed;
        self.state.error = Some(InstanceError {
            error,
            failed_step_id,
        });
        self.finish(ChildStatus::Failed);
    }

    /// Ends the instance because state and workflow contradict each other.
    pub(super) fn fail_by_fault(&mut self, fault: &Fault) {
        let error =
            ErrorInfo::new("ENGINE_FAULT", ErrorCategory::System, fault.0).with_retryable(false);
        debug_assert!(false, "engine fault: {}", fault.0);
        self.fail_instance(Arc::new(error), None);
    }

    pub(super) fn end_cancelled(&mut self) {
        self.state.stopping.clear();
        self.state.status = InstanceStatus::Cancelled;
        self.trail.push(TrailEntry::InstanceCancelled);
        self.finish(ChildStatus::Cancelled);
    }

    /// What every end has in common.
    fn finish(&mut self, status: ChildStatus) {
        self.work.clear();
        self.state.completed_at = Some(self.now);
        let header = self.state.header.clone();
        if header.expires_at.is_some() {
            self.clear_timer(TimerKind::Execution, 0);
        }
        if self.state.cancellation.is_some() {
            self.clear_timer(TimerKind::CancelGrace, 0);
        }
        let Some(parent) = header.parent.clone().filter(|parent| parent.waits) else {
            return;
        };
        let done = ChildDone {
            activation: parent.activation,
            instance_id: header.instance_id,
            status,
            output: self.state.output.clone(),
            outcome: self.state.outcome.clone(),
            error: self
                .state
                .error
                .as_ref()
                .map(|failed| ErrorInfo::clone(&failed.error)),
        };
        self.commands.push(Command::NotifyParent {
            parent,
            done: Box::new(done),
        });
    }

    /// Stops all work. On a failure the root's control point stays where it is, frozen.
    pub(super) fn cancel_everything(&mut self, await_tasks: bool) {
        let roots: Vec<TokenId> = self
            .state
            .tokens
            .iter()
            .filter(|(_, token)| token.parent.is_none())
            .map(|(id, _)| *id)
            .collect();
        for id in roots {
            self.stop(id, await_tasks);
            if let Some(token) = self.state.tokens.get_mut(&id) {
                token.activity = Activity::Frozen;
            }
        }
        self.work.clear();
        if self.state.status == InstanceStatus::Cancelling {
            self.state.tokens.clear();
            self.state.handling.clear();
        }
    }
}
