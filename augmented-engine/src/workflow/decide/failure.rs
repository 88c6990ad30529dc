//! The error path: handlers of the step, of the containers around it, of the workflow.

use std::sync::Arc;

use augmented_core::error::ErrorInfo;
use augmented_core::runtime::{InstanceError, StepIdx, StepStatus, TokenId, TrailEntry};
use serde_json::{Map, Value};

use super::super::graph::{CompiledStep, GoOn, Handler};
use super::super::size::{error_bytes, limit_error};
use super::{Entry, Machine, Step, expression_error};

/// Who may take an error, from the step outwards.
#[derive(Clone, Copy)]
pub(super) enum Takers {
    /// The handlers of the step, its `CONTINUE`, the scopes around it.
    All,
    /// As before without `CONTINUE`: an exhausted step that goes on regardless would run for ever.
    Handlers,
    /// The scopes around it only.
    Around,
}

impl Machine<'_> {
    /// Ends a step with an error and finds who takes over.
    pub(super) fn fail_step(&mut self, id: TokenId, error: ErrorInfo, attempt: u32) -> Step {
        self.fail_step_for(id, error, attempt, Takers::All)
    }

    pub(super) fn fail_step_for(
        &mut self,
        id: TokenId,
        error: ErrorInfo,
        attempt: u32,
        takers: Takers,
    ) -> Step {
        let step = self.step(self.token(id)?.step)?;
        let input = self.visit_mut(id, step)?.input.clone();
        let error = self.close_failed(id, error, attempt)?;
        let root = error_root(&error, step, input.as_deref(), attempt);
        match takers {
            Takers::All => self.route(id, step, error, root, step.on_failure.go_on),
            Takers::Handlers => self.route(id, step, error, root, None),
            Takers::Around => self.pass_up(id, error, root),
        }
    }

    /// Marks the visit of a control point as failed. The error is kept there and counted like an output; a failure must
    /// always find room, so it is cut to half of what there is: its handler needs some too.
    pub(super) fn close_failed(
        &mut self,
        id: TokenId,
        mut error: ErrorInfo,
        attempt: u32,
    ) -> Step<Arc<ErrorInfo>> {
        self.close_activity(id)?;
        let room = self.limits.max_state_bytes.saturating_sub(self.state.bytes);
        limit_error(&mut error, room / 2);
        let bytes = error_bytes(&error);
        self.state.bytes = self.state.bytes.saturating_add(bytes);
        let token = self.token(id)?;
        let (idx, path, number) = (token.step, token.path.clone(), token.visit);
        let step = self.step(idx)?;
        let error = Arc::new(error);
        let (now, seq) = (self.now, self.seq);
        let visit = self.visit_mut(id, step)?;
        visit.status = StepStatus::Failed;
        visit.error = Some(error.clone());
        let counted = u32::try_from(bytes).unwrap_or(u32::MAX);
        visit.bytes = visit.bytes.saturating_add(counted);
        visit.attempt = attempt;
        visit.completed_at = Some(now);
        visit.completion_seq = Some(seq);
        self.trail.push(TrailEntry::Failed {
            step: idx,
            path,
            visit: number,
            attempt,
            error: error.clone(),
        });
        self.state.handling.remove(&id);
        Ok(error)
    }

    /// Handlers first, then `CONTINUE`, then the container, then the workflow.
    fn route(
        &mut self,
        id: TokenId,
        step: &CompiledStep,
        error: Arc<ErrorInfo>,
        root: Arc<Value>,
        go_on: Option<GoOn>,
    ) -> Step {
        match self.handler(id, step, &error, &root)? {
            Ok(Some((handler, extra))) => return self.hand_over(id, handler.target, root, extra),
            Ok(None) => {}
            // A handler condition that fails is an error of its own and leaves the handlers behind. What it was about
            // stays: the input of the step that failed, and in which attempt.
            Err(failed) => {
                let failed = self.note_expression_error(id, failed)?;
                let visit = self.visit_mut(id, step)?;
                let (input, attempt) = (visit.input.clone(), visit.attempt);
                let root = error_root(&failed, step, input.as_deref(), attempt);
                return self.pass_up(id, failed, root);
            }
        }
        match go_on {
            Some(GoOn::To(target)) => self.hand_over(id, target, root, None),
            Some(GoOn::Default(target)) => {
                let token = self.token(id)?;
                self.trail.push(TrailEntry::Transition {
                    from: token.step,
                    to: target,
                    path: token.path.clone(),
                    rule: None,
                    values: None,
                });
                let id = self.leave_for(id, target)?;
                self.go(id, target, None);
                Ok(())
            }
            Some(GoOn::EndPath) => self.end_path(id, None),
            None => self.pass_up(id, error, root),
        }
    }

    /// Writes down an expression that failed beside the error it was to handle.
    fn note_expression_error(&mut self, id: TokenId, error: ErrorInfo) -> Step<Arc<ErrorInfo>> {
        let error = Arc::new(error);
        let token = self.token(id)?;
        let entry = TrailEntry::ExpressionError {
            step: token.step,
            path: token.path.clone(),
            visit: token.visit,
            error: error.clone(),
        };
        self.trail.push(entry);
        Ok(error)
    }

    /// The first matching handler and the members its `inputMapping` makes.
    #[expect(
        clippy::type_complexity,
        reason = "the parts are taken apart at once by the only caller"
    )]
    fn handler<'s>(
        &self,
        id: TokenId,
        step: &'s CompiledStep,
        error: &ErrorInfo,
        root: &Value,
    ) -> Step<Result<Option<(&'s Handler, Option<Map<String, Value>>)>, ErrorInfo>> {
        let roots = self.roots(self.token(id)?, Some(root));
        for rule in &step.on_failure.handlers {
            let named = rule
                .category
                .is_none_or(|category| category == error.category)
                && rule.code.as_ref().is_none_or(|code| **code == *error.code);
            if !named {
                continue;
            }
            match rule
                .condition
                .as_ref()
                .map(|condition| condition.eval_bool(&roots))
            {
                Some(Ok(false)) => continue,
                Some(Err(error)) => return Ok(Err(expression_error(&error))),
                Some(Ok(true)) | None => {}
            }
            let extra = match rule
                .handler
                .input
                .as_ref()
                .map(|template| template.eval(&roots))
            {
                None => None,
                Some(Ok(Value::Object(members))) => Some(members),
                Some(Ok(_)) => None,
                Some(Err(error)) => return Ok(Err(expression_error(&error))),
            };
            return Ok(Ok(Some((&rule.handler, extra))));
        }
        Ok(Ok(None))
    }

    /// Sends a control point to the step that handles an error.
    pub(super) fn hand_over(
        &mut self,
        id: TokenId,
        target: StepIdx,
        root: Arc<Value>,
        extra: Option<Map<String, Value>>,
    ) -> Step {
        let token = self.token(id)?;
        self.trail.push(TrailEntry::Transition {
            from: token.step,
            to: target,
            path: token.path.clone(),
            rule: None,
            values: None,
        });
        let token = self.leave_for(id, target)?;
        self.work.push_back(Entry {
            token,
            step: target,
            value: None,
            error: Some(root),
            extra,
        });
        Ok(())
    }

    /// Nobody in this scope took the error.
    fn pass_up(&mut self, id: TokenId, error: Arc<ErrorInfo>, root: Arc<Value>) -> Step {
        match self.token(id)?.parent {
            Some(container) => self.scope_ended(id, container, Err(error)),
            None => {
                let step = self.step(self.token(id)?.step)?;
                self.unhandled(id, step, error, root)
            }
        }
    }

    /// The workflow's own output could not be built at the step a control point stands on.
    pub(super) fn fail_root(&mut self, id: TokenId, error: ErrorInfo) -> Step {
        let step = self.step(self.token(id)?.step)?;
        let root = error_root(&error, step, None, 0);
        let mut id = id;
        while let Some(parent) = self.token(id)?.parent {
            id = parent;
        }
        // An END in a nested scope ends the whole instance. The root's control point still stands on the container,
        // and is about to be sent to the handler: nothing may go on inside the container without it.
        self.stop(id, false);
        self.unhandled(id, step, Arc::new(error), root)
    }

    /// The workflow-wide handler runs once; after that the instance fails.
    fn unhandled(
        &mut self,
        id: TokenId,
        step: &CompiledStep,
        error: Arc<ErrorInfo>,
        root: Arc<Value>,
    ) -> Step {
        let failed_step_id = Some(step.id.clone());
        if let Some(handler) = &self.flow.on_error
            && !self.state.on_error_used
        {
            self.state.on_error_used = true;
            let extra = match &handler.input {
                None => None,
                Some(template) => match template.eval(&self.roots(self.token(id)?, Some(&root))) {
                    Ok(Value::Object(members)) => Some(members),
                    Ok(_) => None,
                    Err(failed) => {
                        let failed = self.note_expression_error(id, expression_error(&failed))?;
                        self.fail_instance(failed, failed_step_id);
                        return Ok(());
                    }
                },
            };
            self.state.unhandled = Some(InstanceError {
                error,
                failed_step_id,
            });
            return self.hand_over(id, handler.target, root, extra);
        }
        self.fail_instance(error, failed_step_id);
        Ok(())
    }
}

/// The value of root `error`: the error itself, where it happened, and with what.
pub(super) fn error_root(
    error: &ErrorInfo,
    step: &CompiledStep,
    input: Option<&Value>,
    attempt: u32,
) -> Arc<Value> {
    let mut value = match serde_json::to_value(error) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    };
    value.insert("stepId".to_owned(), Value::String(step.id.to_string()));
    value.insert("stepInput".to_owned(), input.cloned().unwrap_or_default());
    value.insert("attempt".to_owned(), Value::from(attempt));
    Arc::new(Value::Object(value))
}
