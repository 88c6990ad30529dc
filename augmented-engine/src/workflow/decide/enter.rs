//! Entering a step: the visit, its input, and what its kind does first.

use std::sync::Arc;

use augmented_core::error::{ErrorCategory, ErrorInfo};
use augmented_core::runtime::{
    Activity, DecideLimits, Frame, FrameId, StepStatus, TimerKind, TokenId, TrailEntry, Visit,
};
use augmented_core::time::Timestamp;
use serde_json::{Map, Value};

use super::super::graph::{Body, CompiledStep, Due};
use super::super::size::json_bytes;
use super::failure::Takers;
use super::{Entry, Fault, Machine, Step, expression_error};

/// The code of a step that was entered too often.
const VISIT_LIMIT: &str = "STEP_VISIT_LIMIT_EXCEEDED";

impl Machine<'_> {
    pub(super) fn enter(&mut self, entry: Entry) -> Step {
        let Entry {
            token: id,
            step: idx,
            value,
            error,
            extra,
        } = entry;
        let step = self.step(idx)?;
        let activation = self.new_activation();
        let token = self.token_mut(id)?;
        token.step = idx;
        token.activation = activation;
        token.activity = Activity::Frozen;
        let path = token.path.clone();
        match &error {
            Some(error) => {
                self.state.handling.insert(id, error.clone());
            }
            None => {
                self.state.handling.remove(&id);
            }
        }
        self.state.current_step = Some(idx);
        let number = self.open_visit(id, step)?;
        self.trail.push(TrailEntry::Entered {
            step: idx,
            path,
            visit: number,
        });
        if let Some(limit) = self.over_visit_limit(id, step, number)? {
            return self.fail_over_limit(id, step, limit, error.as_deref());
        }
        let input = match self.input(id, step, value, error.as_deref(), extra) {
            Ok(input) => input.and_then(super::finish::known),
            Err(error) => return self.fail_step(id, error, 0),
        };
        if let Some(input) = &input
            && let Err(error) = self.keep_input(id, step, input)?
        {
            return self.fail_step(id, error, 0);
        }
        self.begin(id, step, input)
    }

    /// Opens the next visit of the step in its frame and answers its number.
    fn open_visit(&mut self, id: TokenId, step: &CompiledStep) -> Step<u32> {
        let (now, frame_id) = (self.now, self.token(id)?.frame);
        let frame = self
            .state
            .frames
            .get_mut(&frame_id)
            .ok_or(Fault("a frame is missing"))?;
        let base = frame.visit_base;
        let slot = frame
            .visits
            .get_mut(usize::from(step.slot))
            .ok_or(Fault("a frame has too few slots"))?;
        let (number, freed) = slot
            .as_ref()
            .map_or((base + 1, 0), |visit| (visit.number + 1, visit.bytes));
        *slot = Some(Box::new(Visit {
            number,
            status: StepStatus::Running,
            outcome: None,
            input: None,
            output: None,
            error: None,
            attempt: 0,
            started_at: now,
            completed_at: None,
            completion_seq: None,
            bytes: 0,
        }));
        self.state.bytes = self.state.bytes.saturating_sub(u64::from(freed));
        self.state.total_visits += 1;
        self.token_mut(id)?.visit = number;
        Ok(number)
    }

    /// A step was entered too often. The error takes the way of every other, with two exceptions: the instance as a
    /// whole ends at its own limit, and a step that was to handle this very error and is exhausted itself leaves its
    /// handlers out, because two exhausted steps would hand the error to each other for ever. Passed up, it reaches
    /// the workflow after as many scopes as there are.
    fn fail_over_limit(
        &mut self,
        id: TokenId,
        step: &CompiledStep,
        limit: ErrorInfo,
        handled: Option<&Value>,
    ) -> Step {
        if self.state.total_visits > self.limits.max_total_visits {
            let limit = self.close_failed(id, limit, 0)?;
            self.fail_instance(limit, Some(step.id.clone()));
            return Ok(());
        }
        let again = handled
            .and_then(|error| error.get("code"))
            .and_then(Value::as_str)
            == Some(VISIT_LIMIT);
        let takers = if again {
            Takers::Around
        } else {
            Takers::Handlers
        };
        self.fail_step_for(id, limit, 0, takers)
    }

    fn over_visit_limit(
        &self,
        id: TokenId,
        step: &CompiledStep,
        number: u32,
    ) -> Step<Option<ErrorInfo>> {
        let base = self
            .state
            .frames
            .get(&self.token(id)?.frame)
            .map_or(0, |frame| frame.visit_base);
        let limit = step.max_visits.unwrap_or(self.limits.max_step_visits);
        let message = if number - base > limit {
            format!(
                "step `{}` was entered more than {limit} times in its scope",
                step.id
            )
        } else if self.state.total_visits > self.limits.max_total_visits {
            format!(
                "the instance entered more than {} steps",
                self.limits.max_total_visits
            )
        } else {
            return Ok(None);
        };
        Ok(Some(ErrorInfo::new(
            VISIT_LIMIT,
            ErrorCategory::Validation,
            message,
        )))
    }

    /// The step input: its mapping, else what the path brings for steps that pass it on, else an empty object;
    /// members that a handler's `inputMapping` made replace its own.
    fn input(
        &self,
        id: TokenId,
        step: &CompiledStep,
        value: Option<Arc<Value>>,
        error: Option<&Value>,
        extra: Option<Map<String, Value>>,
    ) -> Result<Option<Arc<Value>>, ErrorInfo> {
        let mapped = match &step.input {
            Some(template) => {
                let Some(token) = self.state.tokens.get(&id) else {
                    return Ok(None);
                };
                Some(
                    template
                        .eval(&self.roots(token, error))
                        .map_err(|error| expression_error(&error))?,
                )
            }
            None => None,
        };
        let passes = matches!(step.body, Body::Pass | Body::End(_));
        Ok(match (mapped, extra) {
            (Some(mapped), None) => Some(Arc::new(mapped)),
            (None, None) if passes => value,
            (None, None) => Some(Arc::new(Value::Object(Map::new()))),
            (Some(Value::Object(mut members)), Some(extra)) => {
                members.extend(extra);
                Some(Arc::new(Value::Object(members)))
            }
            (_, Some(extra)) => Some(Arc::new(Value::Object(extra))),
        })
    }

    /// Records the input on the visit and counts it.
    fn keep_input(
        &mut self,
        id: TokenId,
        step: &CompiledStep,
        input: &Arc<Value>,
    ) -> Step<Result<(), ErrorInfo>> {
        let bytes = json_bytes(input);
        if let Err(error) = self.count(bytes, "the input of the step") {
            return Ok(Err(error));
        }
        let visit = self.visit_mut(id, step)?;
        visit.input = Some(input.clone());
        visit.bytes = visit
            .bytes
            .saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        Ok(Ok(()))
    }

    /// Counts bytes towards the limits of a value and of the state.
    pub(super) fn count(&mut self, bytes: usize, what: &str) -> Result<(), ErrorInfo> {
        self.state.bytes = check_size(&self.limits, self.state.bytes, bytes, what)?;
        Ok(())
    }

    /// Does what the kind of the step does on entry.
    fn begin(&mut self, id: TokenId, step: &CompiledStep, input: Option<Arc<Value>>) -> Step {
        match &self.body(self.token(id)?.step)? {
            Body::Pass => self.complete(id, input, None, 0),
            Body::End(end) => self.end(id, end, input),
            Body::Task { task_ref } => {
                self.dispatch(id, *task_ref, input.unwrap_or_default(), 0, None)
            }
            Body::Parallel(body) => self.fork(id, body, input),
            Body::ForEach(body) => self.begin_loop(id, body),
            Body::Signal {
                signal_type,
                timeout,
            } => self.begin_wait(id, signal_type, timeout.as_ref()),
            Body::Delay(body) => self.begin_delay(id, &body.due, input),
            Body::Poll(body) => self.begin_poll(id, step, body, input.unwrap_or_default()),
            Body::SubWorkflow(body) => self.start_child(id, body, input.unwrap_or_default(), 1),
            Body::Unsupported => self.fail_step(
                id,
                ErrorInfo::new(
                    "EXECUTOR_NOT_REGISTERED",
                    ErrorCategory::System,
                    format!("this engine cannot run steps such as `{}`", step.id),
                )
                .with_retryable(false),
                0,
            ),
        }
    }

    fn begin_delay(&mut self, id: TokenId, due: &Due, input: Option<Arc<Value>>) -> Step {
        let fire_at = match self.instant(id, due)? {
            Ok(fire_at) => fire_at,
            Err(error) => return self.fail_step(id, error, 0),
        };
        if fire_at <= self.now {
            return self.complete(id, input, Some(Arc::from("ELAPSED")), 0);
        }
        let activation = self.token(id)?.activation;
        self.token_mut(id)?.activity = Activity::Delay { fire_at };
        self.mark_waiting(id)?;
        self.set_timer(TimerKind::Delay, activation, fire_at, Some(id));
        Ok(())
    }

    /// Evaluates an instant.
    pub(super) fn instant(&self, id: TokenId, due: &Due) -> Step<Result<Timestamp, ErrorInfo>> {
        let (expr, zone) = match due {
            Due::After(duration) => return Ok(Ok(self.now.plus_micros(duration.as_micros()))),
            Due::At { expr, zone } => (expr, zone),
        };
        let token = self.token(id)?;
        let error = self.state.handling.get(&id).map(Arc::as_ref);
        let value = match expr.eval(&self.roots(token, error)) {
            Ok(value) => value,
            Err(error) => return Ok(Err(expression_error(&error))),
        };
        let parsed = value
            .as_str()
            .and_then(|text| super::flow_control::parse_instant(text, *zone));
        Ok(parsed.ok_or_else(|| {
            let shown: String = value.to_string().chars().take(100).collect();
            ErrorInfo::new(
                "EXPR_EVAL",
                ErrorCategory::Validation,
                format!("`until` must yield a timestamp or RFC 3339 text such as 2026-01-31T08:00:00Z, not {shown}"),
            )
        }))
    }

    /// Marks the visit of a control point as waiting.
    pub(super) fn mark_waiting(&mut self, id: TokenId) -> Step {
        let token = self.token(id)?;
        let entry = TrailEntry::Waiting {
            step: token.step,
            path: token.path.clone(),
            visit: token.visit,
        };
        let step = self.step(token.step)?;
        self.visit_mut(id, step)?.status = StepStatus::Waiting;
        self.trail.push(entry);
        Ok(())
    }

    /// The visit a control point is in.
    pub(super) fn visit_mut(&mut self, id: TokenId, step: &CompiledStep) -> Step<&mut Visit> {
        let frame = self.token(id)?.frame;
        let frame = self
            .state
            .frames
            .get_mut(&frame)
            .ok_or(Fault("a frame is missing"))?;
        frame
            .visits
            .get_mut(usize::from(step.slot))
            .and_then(Option::as_deref_mut)
            .ok_or(Fault("a visit is missing"))
    }

    pub(super) fn new_frame(&mut self, frame: Frame) -> FrameId {
        let id = self.state.next_frame;
        self.state.next_frame += 1;
        self.state.frames.insert(id, frame);
        id
    }
}

/// The bytes of a state that holds `held` bytes and takes a value in, or the error of one that is too large.
pub(super) fn check_size(
    limits: &DecideLimits,
    held: u64,
    bytes: usize,
    what: &str,
) -> Result<u64, ErrorInfo> {
    let total = held.saturating_add(bytes as u64);
    let message = if bytes as u64 > limits.max_value_bytes {
        format!(
            "{what} has about {bytes} bytes, at most {} are kept: pass large data by reference",
            limits.max_value_bytes
        )
    } else if total > limits.max_state_bytes {
        format!(
            "the instance would hold about {total} bytes, at most {} are kept: pass large data by reference",
            limits.max_state_bytes
        )
    } else {
        return Ok(total);
    };
    Err(ErrorInfo::new(
        "STATE_SIZE_EXCEEDED",
        ErrorCategory::Validation,
        message,
    ))
}
