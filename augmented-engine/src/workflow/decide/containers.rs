//! PARALLEL and FOR_EACH: forking, joining, and stopping what is left.

use std::collections::BTreeMap;
use std::sync::Arc;

use augmented_core::error::{ErrorCategory, ErrorInfo};
use augmented_core::runtime::{
    Activity, BranchState, BranchStatus, ForEachState, Frame, FrameId, ItemResult, ItemStatus,
    ParallelState, PathRef, StepIdx, StepStatus, TimerKey, TimerKind, Token, TokenId, TrailEntry,
};
use serde_json::{Map, Value, json};

use super::super::command::Command;
use super::super::graph::{Body, ForEachBody, ParallelBody};
use super::super::size::{error_bytes, json_bytes};
use super::{Fault, Machine, Step, expression_error};

/// How a scope ended: with the output of its last step, or with an error nobody inside it handled.
type ScopeResult = Result<Option<Arc<Value>>, Arc<ErrorInfo>>;

impl Machine<'_> {
    /// Opens every branch of a PARALLEL step.
    pub(super) fn fork(
        &mut self,
        id: TokenId,
        body: &ParallelBody,
        input: Option<Arc<Value>>,
    ) -> Step {
        let token = self.token(id)?;
        let (idx, frame, path) = (token.step, token.frame, token.path.clone());
        let step = self.step(idx)?;
        let mut branches = Vec::with_capacity(body.branches.len());
        for branch in &body.branches {
            let until = branch.timeout.as_ref().map(|timeout| {
                (
                    self.new_activation(),
                    self.now.plus_micros(timeout.as_micros()),
                )
            });
            branches.push(BranchState {
                status: BranchStatus::Running,
                output: None,
                error: None,
                until,
            });
        }
        let timers: Vec<_> = branches.iter().filter_map(|branch| branch.until).collect();
        self.token_mut(id)?.activity = Activity::Parallel(Box::new(ParallelState {
            branches,
            joined: false,
        }));
        self.mark_waiting(id)?;
        for (activation, fire_at) in timers {
            self.set_timer(TimerKind::BranchTimeout, activation, fire_at, Some(id));
        }
        for (position, branch) in body.branches.iter().enumerate() {
            let path = child_path(&path, &format!("{}/{}", step.id, branch.id));
            self.trail.push(TrailEntry::BranchStarted {
                step: idx,
                path: path.clone(),
            });
            let slot = u32::try_from(position).unwrap_or(u32::MAX);
            let token = self.new_token(Some(id), slot, frame, path, branch.entry);
            // A branch begins with what its container was given.
            self.go(token, branch.entry, input.clone());
        }
        Ok(())
    }

    /// Evaluates the list of a FOR_EACH step and opens the first iterations.
    pub(super) fn begin_loop(&mut self, id: TokenId, body: &ForEachBody) -> Step {
        let token = self.token(id)?;
        let error = self.state.handling.get(&id).map(Arc::as_ref);
        let items = match body.items.eval(&self.roots(token, error)) {
            Ok(Value::Array(items)) => items,
            Ok(other) => {
                let message = format!("`items` must yield a list, not {}", kind_of(&other));
                return self.fail_step(
                    id,
                    ErrorInfo::new("EXPR_EVAL", ErrorCategory::Validation, message),
                    0,
                );
            }
            Err(error) => return self.fail_step(id, expression_error(&error), 0),
        };
        if items.len() > body.max_items as usize {
            let message = format!(
                "the list has {} items, at most {} are allowed: raise maxItems or split the list",
                items.len(),
                body.max_items
            );
            return self.fail_step(
                id,
                ErrorInfo::new("ITEMS_LIMIT", ErrorCategory::Validation, message),
                0,
            );
        }
        let bytes: usize = items.iter().map(json_bytes).sum();
        if let Err(error) = self.count_state(bytes) {
            return self.fail_step(id, error, 0);
        }
        let items: Vec<Arc<Value>> = items.into_iter().map(Arc::new).collect();
        let state = ForEachState {
            items: Arc::new(items),
            next: 0,
            live: 0,
            results: BTreeMap::new(),
            bytes: bytes as u64,
            bases: self.bases(id)?,
        };
        self.token_mut(id)?.activity = Activity::ForEach(Box::new(state));
        self.mark_waiting(id)?;
        self.continue_loop(id, body)
    }

    /// Opens iterations up to the limit, or ends the loop when all are over.
    fn continue_loop(&mut self, id: TokenId, body: &ForEachBody) -> Step {
        loop {
            let token = self.token(id)?;
            let Activity::ForEach(state) = &token.activity else {
                return Err(Fault("a loop is not open"));
            };
            if state.results.len() == state.items.len() {
                return self.end_loop(id);
            }
            let index = state.next;
            if state.live >= body.max_concurrency {
                return Ok(());
            }
            let Some(item) = state.items.get(index as usize).cloned() else {
                return Ok(());
            };
            let (idx, frame, path) = (token.step, token.frame, token.path.clone());
            let own = state.bases.iter().find(|(left, _)| *left == idx);
            let base = own.map_or(0, |(_, base)| *base);
            let nested = state.bases.iter().filter(|(left, _)| *left != idx);
            let left_bodies: Vec<(StepIdx, u32)> = nested.copied().collect();
            if let Activity::ForEach(state) = &mut self.token_mut(id)?.activity {
                state.next += 1;
                state.live += 1;
            }
            let step = self.step(idx)?;
            let path = child_path(&path, &format!("{}[{index}]", step.id));
            self.trail.push(TrailEntry::BranchStarted {
                step: idx,
                path: path.clone(),
            });
            let inner = self.new_frame(Frame {
                parent: Some(frame),
                owner: Some(idx),
                item: Some((index, item.clone())),
                left_bodies,
                visit_base: base,
                visits: (0..body.slots).map(|_| None).collect(),
            });
            let token = self.new_token(Some(id), index, inner, path, body.entry);
            self.go(token, body.entry, Some(item));
        }
    }

    /// How far earlier passes numbered the visits in a loop and in the loops inside it.
    fn bases(&self, id: TokenId) -> Step<Vec<(StepIdx, u32)>> {
        let token = self.token(id)?;
        let frame = self
            .state
            .frames
            .get(&token.frame)
            .ok_or(Fault("a frame is missing"))?;
        let within = |left: StepIdx| left == token.step || self.flow.is_inside(left, token.step);
        Ok(frame
            .left_bodies
            .iter()
            .filter(|(left, _)| within(*left))
            .copied()
            .collect())
    }

    /// A branch or iteration ended.
    pub(super) fn scope_ended(
        &mut self,
        id: TokenId,
        container: TokenId,
        result: ScopeResult,
    ) -> Step {
        let ended = self.token(id)?;
        let (slot, frame, path) = (ended.slot, ended.frame, ended.path.clone());
        let step = self.token(container)?.step;
        let status = if result.is_ok() {
            "COMPLETED"
        } else {
            "FAILED"
        };
        self.trail.push(TrailEntry::BranchEnded {
            step,
            path,
            status: Arc::from(status),
        });
        self.state.tokens.remove(&id);
        self.state.handling.remove(&id);
        match self.body(step)? {
            Body::Parallel(body) => self.branch_ended(container, body, slot, result),
            Body::ForEach(body) => {
                self.leave_frame(container, frame)?;
                self.item_ended(container, body, slot, result)
            }
            _ => Err(Fault("a scope ended inside a step that is no container")),
        }
    }

    fn branch_ended(
        &mut self,
        id: TokenId,
        body: &ParallelBody,
        slot: u32,
        result: ScopeResult,
    ) -> Step {
        let Activity::Parallel(state) = &mut self.token_mut(id)?.activity else {
            return Err(Fault("a fork is not open"));
        };
        let branch = state
            .branches
            .get_mut(slot as usize)
            .ok_or(Fault("a branch is missing"))?;
        match result {
            Ok(output) => {
                branch.status = BranchStatus::Completed;
                branch.output = output;
            }
            Err(error) => {
                branch.status = BranchStatus::Failed;
                branch.error = Some(error);
            }
        }
        if let Some((activation, _)) = branch.until {
            self.clear_timer(TimerKind::BranchTimeout, activation);
        }
        self.judge(id, body)
    }

    /// Decides whether a PARALLEL step is joined, lost, or still going.
    fn judge(&mut self, id: TokenId, body: &ParallelBody) -> Step {
        let Activity::Parallel(state) = &self.token(id)?.activity else {
            return Err(Fault("a fork is not open"));
        };
        match verdict(body, state) {
            Verdict::Open => Ok(()),
            Verdict::Joined => {
                let idx = self.token(id)?.step;
                let path = self.token(id)?.path.clone();
                let Activity::Parallel(state) = &mut self.token_mut(id)?.activity else {
                    return Err(Fault("a fork is not open"));
                };
                let first_time = !std::mem::replace(&mut state.joined, true);
                let running = state
                    .branches
                    .iter()
                    .any(|branch| branch.status == BranchStatus::Running);
                if first_time {
                    self.trail.push(TrailEntry::JoinReached { step: idx, path });
                }
                if running && body.cancel_remaining {
                    self.stop_children(id, false);
                } else if running {
                    return Ok(());
                }
                self.end_fork(id, body)
            }
            Verdict::Lost(error) => {
                self.stop_children(id, false);
                self.fail_step(id, error, 0)
            }
        }
    }

    fn end_fork(&mut self, id: TokenId, body: &ParallelBody) -> Step {
        let Activity::Parallel(state) = &self.token(id)?.activity else {
            return Err(Fault("a fork is not open"));
        };
        let mut branches = Map::new();
        for (def, branch) in body.branches.iter().zip(&state.branches) {
            let output = branch.output.as_deref().cloned().unwrap_or_default();
            let mut shown = json!({"status": branch.status.as_str(), "output": output});
            if let (Some(error), Value::Object(members)) = (&branch.error, &mut shown) {
                members.insert(
                    "error".to_owned(),
                    serde_json::to_value(&**error).unwrap_or_default(),
                );
            }
            branches.insert(def.id.to_string(), shown);
        }
        self.token_mut(id)?.activity = Activity::Frozen;
        self.complete(
            id,
            Some(Arc::new(json!({ "branches": branches }))),
            Some(Arc::from("JOINED")),
            0,
        )
    }

    fn item_ended(
        &mut self,
        id: TokenId,
        body: &ForEachBody,
        index: u32,
        result: ScopeResult,
    ) -> Step {
        let bytes = match &result {
            Ok(output) => output.as_deref().map_or(4, json_bytes),
            Err(error) if body.collect => usize::try_from(error_bytes(error)).unwrap_or(usize::MAX),
            Err(_) => 0,
        };
        if let Err(error) = self.count_state(bytes) {
            self.stop_children(id, false);
            return self.fail_step(id, error, 0);
        }
        let Activity::ForEach(state) = &mut self.token_mut(id)?.activity else {
            return Err(Fault("a loop is not open"));
        };
        state.live = state.live.saturating_sub(1);
        state.bytes = state.bytes.saturating_add(bytes as u64);
        match result {
            Ok(output) => {
                state.results.insert(
                    index,
                    ItemResult {
                        status: ItemStatus::Completed,
                        output,
                        error: None,
                    },
                );
            }
            Err(error) if body.collect => {
                state.results.insert(
                    index,
                    ItemResult {
                        status: ItemStatus::Failed,
                        output: None,
                        error: Some(error),
                    },
                );
            }
            Err(error) => {
                self.stop_children(id, false);
                let mut error = ErrorInfo::clone(&error);
                error.details = Some(json!({"index": index, "details": error.details}));
                return self.fail_step(id, error, 0);
            }
        }
        self.continue_loop(id, body)
    }

    fn end_loop(&mut self, id: TokenId) -> Step {
        // What the results counted is counted again as the output of the step.
        let Activity::ForEach(state) = self.close_activity(id)? else {
            return Err(Fault("a loop is not open"));
        };
        let succeeded = state
            .results
            .values()
            .filter(|result| result.status == ItemStatus::Completed)
            .count();
        let items: Vec<Value> = state
            .results
            .iter()
            .map(|(index, result)| match &result.error {
                None => json!({"index": index, "status": "COMPLETED", "output": result.output.as_deref().unwrap_or(&Value::Null), "error": null}),
                Some(error) => json!({"index": index, "status": "FAILED", "output": null, "error": **error}),
            })
            .collect();
        let failed = items.len() - succeeded;
        self.complete(
            id,
            Some(Arc::new(
                json!({"items": items, "succeeded": succeeded, "failed": failed}),
            )),
            None,
            0,
        )
    }

    /// Ends what a control point is doing. Every way out of a loop comes through here, so that the bytes of its items
    /// and results are given back however it is left.
    pub(super) fn close_activity(&mut self, id: TokenId) -> Step<Activity> {
        let activity = std::mem::replace(&mut self.token_mut(id)?.activity, Activity::Frozen);
        if let Activity::ForEach(state) = &activity {
            self.state.bytes = self.state.bytes.saturating_sub(state.bytes);
        }
        Ok(activity)
    }

    /// Forgets the frame of an iteration but not how far its visits were numbered.
    fn leave_frame(&mut self, container: TokenId, frame: FrameId) -> Step {
        let token = self.token(container)?;
        let (step, outer) = (token.step, token.frame);
        let Some(left) = self.state.frames.remove(&frame) else {
            return Ok(());
        };
        let freed: u64 = left
            .visits
            .iter()
            .flatten()
            .map(|visit| u64::from(visit.bytes))
            .sum();
        self.state.bytes = self.state.bytes.saturating_sub(freed);
        let highest = left
            .visits
            .iter()
            .flatten()
            .map(|visit| visit.number)
            .max()
            .unwrap_or(left.visit_base);
        let frame = self
            .state
            .frames
            .get_mut(&outer)
            .ok_or(Fault("a frame is missing"))?;
        // The loops inside are told apart by the path of this iteration, which the next pass walks again.
        for (body, highest) in left.left_bodies.into_iter().chain([(step, highest)]) {
            match frame
                .left_bodies
                .iter_mut()
                .find(|(known, _)| *known == body)
            {
                Some((_, base)) => *base = highest.max(*base),
                None => frame.left_bodies.push((body, highest)),
            }
        }
        Ok(())
    }

    /// Closes a container that a transition leaves: its other scopes are stopped, its visit is COMPLETED / ESCAPED.
    pub(super) fn close_escaped(&mut self, id: TokenId) -> Step {
        self.stop_children(id, false);
        let token = self.token(id)?;
        let (idx, path, number) = (token.step, token.path.clone(), token.visit);
        let step = self.step(idx)?;
        let outcome: Arc<str> = Arc::from("ESCAPED");
        let (now, seq) = (self.now, self.seq);
        let visit = self.visit_mut(id, step)?;
        visit.status = StepStatus::Completed;
        visit.outcome = Some(outcome.clone());
        visit.completed_at = Some(now);
        visit.completion_seq = Some(seq);
        self.close_activity(id)?;
        self.trail.push(TrailEntry::Completed {
            step: idx,
            path,
            visit: number,
            attempt: 0,
            outcome: Some(outcome),
        });
        Ok(())
    }

    pub(super) fn on_branch_timeout(&mut self, key: TimerKey) -> Step {
        let found = self
            .state
            .tokens
            .iter()
            .find_map(|(id, token)| match &token.activity {
                Activity::Parallel(state) => {
                    let slot = state.branches.iter().position(|branch| {
                        branch
                            .until
                            .is_some_and(|(activation, _)| activation == key.activation)
                    })?;
                    (state.branches.get(slot)?.status == BranchStatus::Running)
                        .then_some((*id, slot))
                }
                _ => None,
            });
        let Some((id, slot)) = found else {
            self.stale(None);
            return Ok(());
        };
        self.fired(key, Some(id));
        let slot = u32::try_from(slot).unwrap_or(u32::MAX);
        let branch = self
            .state
            .tokens
            .iter()
            .find(|(_, token)| token.parent == Some(id) && token.slot == slot)
            .map(|(branch, _)| *branch);
        let branch = branch.ok_or(Fault("a branch is missing"))?;
        self.stop(branch, false);
        let Body::Parallel(body) = self.body(self.token(id)?.step)? else {
            return Err(Fault("a fork is not open"));
        };
        let name = body
            .branches
            .get(slot as usize)
            .map_or("", |branch| &branch.id);
        let error = ErrorInfo::new(
            "EXECUTION_TIMEOUT",
            ErrorCategory::Timeout,
            format!("branch `{name}` ran over its timeout"),
        );
        self.scope_ended(branch, id, Err(Arc::new(error)))
    }

    /// Stops every scope of a container; an open branch is marked CANCELLED.
    pub(super) fn stop_children(&mut self, id: TokenId, await_tasks: bool) {
        let children: Vec<TokenId> = self
            .state
            .tokens
            .iter()
            .filter(|(_, token)| token.parent == Some(id))
            .map(|(child, _)| *child)
            .collect();
        for child in children {
            self.stop(child, await_tasks);
            let Some(Token {
                slot, frame, path, ..
            }) = self.state.tokens.remove(&child)
            else {
                continue;
            };
            self.state.handling.remove(&child);
            let Some(container) = self.state.tokens.get_mut(&id) else {
                continue;
            };
            self.trail.push(TrailEntry::BranchEnded {
                step: container.step,
                path,
                status: Arc::from("CANCELLED"),
            });
            match &mut container.activity {
                Activity::Parallel(state) => {
                    if let Some(branch) = state.branches.get_mut(slot as usize) {
                        branch.status = BranchStatus::Cancelled;
                        if let Some((activation, _)) = branch.until {
                            self.commands.push(Command::ClearTimer(TimerKey {
                                kind: TimerKind::BranchTimeout,
                                activation,
                            }));
                        }
                    }
                }
                Activity::ForEach(_) => {
                    // The container exists, so its outer frame does too.
                    let _ = self.leave_frame(id, frame);
                }
                _ => {}
            }
        }
        self.work
            .retain(|entry| self.state.tokens.contains_key(&entry.token));
    }

    /// Stops what one control point is doing; the control point itself stays.
    pub(super) fn stop(&mut self, id: TokenId, await_tasks: bool) {
        self.stop_children(id, await_tasks);
        let Some(token) = self.state.tokens.get(&id) else {
            return;
        };
        let (idx, path, number, activation) = (
            token.step,
            token.path.clone(),
            token.visit,
            token.activation,
        );
        let Ok(activity) = self.close_activity(id) else {
            return;
        };
        if matches!(activity, Activity::Task { .. }) {
            self.give_up(id);
        }
        let was_open = !matches!(activity, Activity::Frozen);
        self.undo_activity(idx, activation, activity, await_tasks);
        if !was_open {
            return;
        }
        let (now, seq) = (self.now, self.seq);
        let Ok(step) = self.step(idx) else { return };
        if let Ok(visit) = self.visit_mut(id, step) {
            visit.status = StepStatus::Cancelled;
            visit.completed_at = Some(now);
            visit.completion_seq = Some(seq);
        }
        self.trail.push(TrailEntry::Cancelled {
            step: idx,
            path,
            visit: number,
        });
    }

    fn undo_activity(&mut self, idx: u16, activation: u64, activity: Activity, await_tasks: bool) {
        match activity {
            Activity::Task {
                task_instance_id,
                until,
                ..
            } => {
                self.commands.push(Command::CancelTask {
                    activation,
                    task_instance_id,
                });
                self.clear_timer(TimerKind::TaskRetry, activation);
                if await_tasks {
                    self.state.stopping.insert(activation, task_instance_id);
                }
                if until.is_some() {
                    self.clear_timer(TimerKind::PollTimeout, activation);
                }
            }
            Activity::PollPause { until, .. } => {
                self.clear_timer(TimerKind::PollRound, activation);
                if until.is_some() {
                    self.clear_timer(TimerKind::PollTimeout, activation);
                }
            }
            Activity::Signal { until } => {
                if until.is_some() {
                    self.clear_timer(TimerKind::Wait, activation);
                }
            }
            Activity::Delay { .. } => self.clear_timer(TimerKind::Delay, activation),
            Activity::Child {
                instance_id, until, ..
            } => {
                if until.is_some() {
                    self.clear_timer(TimerKind::ChildTimeout, activation);
                }
                if let Ok(Body::SubWorkflow(body)) = self.body(idx)
                    && body.cancel_with_parent
                {
                    self.commands.push(Command::CancelChild {
                        instance_id,
                        reason: Arc::from("the parent step was cancelled"),
                    });
                }
            }
            Activity::ChildPause { .. } => self.clear_timer(TimerKind::ChildRetry, activation),
            Activity::Parallel(_) | Activity::ForEach(_) | Activity::Frozen => {}
        }
    }

    /// Counts bytes towards the limit of the state only.
    fn count_state(&mut self, bytes: usize) -> Result<(), ErrorInfo> {
        let total = self.state.bytes.saturating_add(bytes as u64);
        if total > self.limits.max_state_bytes {
            let message = format!(
                "the instance would hold about {total} bytes, at most {} are kept: pass large data by reference",
                self.limits.max_state_bytes
            );
            return Err(ErrorInfo::new(
                "STATE_SIZE_EXCEEDED",
                ErrorCategory::Validation,
                message,
            ));
        }
        self.state.bytes = total;
        Ok(())
    }
}

enum Verdict {
    Open,
    Joined,
    Lost(ErrorInfo),
}

/// ALL joins when every required branch completed (with none required: when every branch ended); otherwise `quorum`
/// branches must complete. ALL with FAIL_FAST is lost at the first required branch that failed, a quorum once it is
/// out of reach; with WAIT_ALL both are lost only when every branch ended.
fn verdict(body: &ParallelBody, state: &ParallelState) -> Verdict {
    let count = |status: BranchStatus| {
        state
            .branches
            .iter()
            .filter(|branch| branch.status == status)
            .count()
    };
    let (completed, running) = (count(BranchStatus::Completed), count(BranchStatus::Running));
    if state.joined {
        return if running == 0 {
            Verdict::Joined
        } else {
            Verdict::Open
        };
    }
    let failed: Vec<(&str, &Arc<ErrorInfo>)> = body
        .branches
        .iter()
        .zip(&state.branches)
        .filter(|(def, _)| def.required || body.quorum.is_some())
        .filter_map(|(def, branch)| Some((&*def.id, branch.error.as_ref()?)))
        .collect();
    match body.quorum {
        Some(quorum) => {
            let quorum = quorum as usize;
            if completed >= quorum {
                return Verdict::Joined;
            }
            if completed + running >= quorum || (body.wait_all && running > 0) {
                return Verdict::Open;
            }
            let message = format!(
                "{completed} of {} branches completed, {quorum} must",
                state.branches.len()
            );
            let error = ErrorInfo::new("JOIN_UNSATISFIABLE", ErrorCategory::Validation, message);
            Verdict::Lost(error.with_details(json!({ "errors": branch_errors(&failed) })))
        }
        None => {
            let mut required = body
                .branches
                .iter()
                .zip(&state.branches)
                .filter(|(def, _)| def.required)
                .map(|(_, branch)| branch)
                .peekable();
            if required.peek().is_none() {
                return if running == 0 {
                    Verdict::Joined
                } else {
                    Verdict::Open
                };
            }
            if required.all(|branch| branch.status == BranchStatus::Completed) {
                return Verdict::Joined;
            }
            let Some((_, first)) = failed.first() else {
                return Verdict::Open;
            };
            if body.wait_all && running > 0 {
                return Verdict::Open;
            }
            let mut error = ErrorInfo::clone(first);
            if body.wait_all {
                error.details = Some(json!({ "errors": branch_errors(&failed) }));
            }
            Verdict::Lost(error)
        }
    }
}

fn branch_errors(failed: &[(&str, &Arc<ErrorInfo>)]) -> Vec<Value> {
    failed
        .iter()
        .map(|(branch, error)| json!({"branchId": branch, "error": ***error}))
        .collect()
}

fn child_path(path: &PathRef, segment: &str) -> PathRef {
    Some(match path {
        None => Arc::from(segment),
        Some(path) => Arc::from(format!("{path}/{segment}")),
    })
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
