//! One call of the commit function: the columns of everything a batch changes.

use std::sync::Arc;

use augmented_core::runtime::{
    AttemptRecord, Fact, InstanceHeader, InstanceState, InstanceStatus, Message, TaskDone,
};
use augmented_core::store::{Expect, InstanceCommit, NewInstance, NewMessage, StoreError, TaskRow};
use augmented_core::{NodeId, TaskInstanceId, TenantId};
use serde_json::{Map, Value, json};
use sqlx::postgres::PgArguments;
use sqlx::query::QueryScalar;
use sqlx::types::Json;
use sqlx::types::chrono::{DateTime, Utc};
use sqlx::{Postgres, types::Uuid};

use super::hot::{HotQuery, RowTypes, Shape};
use super::ledger::{Claim, owner_after};
use super::rows::{RowType, Rows};
use super::text::{
    attempt_outcome, big, instant, int, json as text, message_kind, task_type, timer_kind,
};
use super::texts::Texts;
use super::trail;

/// How many facts an ended instance may have for its state to be left to them: reading it means to apply them again,
/// and a fact costs well under a microsecond.
const FACTS_WITHOUT_STATE: u64 = 256;

type Time = DateTime<Utc>;

/// The arguments of the function `aug_commit`, in its order.
#[derive(Default)]
pub(crate) struct Batch {
    /// Whether every task may have a row already.
    tasks_known: bool,
    /// Whether something of it needs the whole function.
    needs_function: bool,
    verified: Verified,
    keys: Vec<Value>,
    starts: Starts,
    updates: Updates,
    tasks: Tasks,
    facts: Facts,
    attempts: Vec<Value>,
    consumed: (Vec<Uuid>, Vec<i64>),
    timers: Timers,
    children: Vec<Value>,
    outbox: Outbox,
}

#[derive(Default)]
struct Verified {
    tenant: Vec<Uuid>,
    id: Vec<Uuid>,
    owned: Vec<bool>,
    seq: Vec<i64>,
}

#[derive(Default)]
struct Starts {
    tenant: Vec<Uuid>,
    id: Vec<Uuid>,
    definition: Vec<Uuid>,
    workflow: Texts,
    version: Texts,
    status: Vec<&'static str>,
    seq: Vec<Option<i64>>,
    owner: Vec<Option<Uuid>>,
    signals: Vec<i32>,
    created: Vec<Time>,
    started: Vec<Option<Time>>,
    updated: Vec<Time>,
    completed: Vec<Option<Time>>,
    input: Texts,
    output: Texts,
    state: Texts,
    start: Texts,
    trail: Texts,
    step: Texts,
    error: Texts,
    more: Texts,
}

#[derive(Default)]
struct Updates {
    tenant: Vec<Uuid>,
    id: Vec<Uuid>,
    owned: Vec<bool>,
    snapshot: Vec<bool>,
    status: Vec<Option<&'static str>>,
    seq: Vec<Option<i64>>,
    owner: Vec<Option<Uuid>>,
    signals: Vec<i32>,
    started: Vec<Option<Time>>,
    updated: Vec<Option<Time>>,
    completed: Vec<Option<Time>>,
    output: Texts,
    state: Texts,
    start: Texts,
    trail: Texts,
    step: Texts,
    error: Texts,
    cancellation: Texts,
    progress: Vec<bool>,
}

#[derive(Default)]
struct Tasks {
    tenant: Vec<Uuid>,
    id: Vec<Uuid>,
    definition: Vec<Uuid>,
    instance: Vec<Uuid>,
    workflow: Vec<Option<Uuid>>,
    seq: Vec<i64>,
    activation: Vec<i64>,
    visit: Vec<i32>,
    attempt: Vec<i32>,
    failures: Vec<i32>,
    status: Vec<&'static str>,
    kind: Vec<&'static str>,
    created: Vec<Time>,
    updated: Vec<Time>,
    started: Vec<Time>,
    ended: Vec<Time>,
    duration: Vec<i64>,
    step: Texts,
    path: Texts,
    outcome: Texts,
    input: Texts,
    output: Texts,
    error: Texts,
    trail: Texts,
    known: Vec<bool>,
    any_known: bool,
}

#[derive(Default)]
struct Facts {
    tenant: Vec<Uuid>,
    instance: Vec<Uuid>,
    seq: Vec<i64>,
    kind: Vec<&'static str>,
    key: Texts,
    at: Vec<Time>,
    payload: Texts,
    trail: Texts,
}

#[derive(Default)]
struct Timers {
    tenant: Vec<Uuid>,
    instance: Vec<Uuid>,
    kind: Vec<&'static str>,
    activation: Vec<i64>,
    fire: Vec<Option<Time>>,
}

/// Messages as `aug_deliver` takes them.
#[derive(Default)]
pub(crate) struct Outbox {
    pub(crate) tenant: Vec<Uuid>,
    pub(crate) instance: Vec<Uuid>,
    pub(crate) kind: Vec<&'static str>,
    pub(crate) key: Vec<Option<String>>,
    pub(crate) payload: Vec<String>,
    /// Empty if no message has a limit.
    pub(crate) max: Vec<Option<i32>>,
}

impl Outbox {
    pub(crate) fn push(&mut self, message: &NewMessage) -> Result<(), StoreError> {
        self.tenant.push(message.tenant.0);
        self.instance.push(message.instance.0);
        self.kind.push(message_kind(&message.message));
        self.key.push(message.message.message_key());
        self.payload.push(text(&message.message)?);
        if message.max_signals.is_some() || !self.max.is_empty() {
            self.max.resize(self.tenant.len() - 1, None);
            self.max.push(message.max_signals.map(int));
        }
        Ok(())
    }
}

impl Batch {
    /// An empty batch; `tasks_known` says that every task of it may have a row already.
    pub(crate) fn new(tasks_known: bool) -> Self {
        Self {
            tasks_known,
            ..Self::default()
        }
    }

    /// Adds a commit of `node`.
    pub(crate) fn push(
        &mut self,
        node: NodeId,
        commit: &InstanceCommit,
        claim: Claim,
    ) -> Result<(), StoreError> {
        match &commit.insert {
            Some(new) => self.push_start(commit, new)?,
            None => self.push_update(node, commit, claim)?,
        }
        self.push_facts(commit)?;
        for id in &commit.consumed {
            self.consumed.0.push(commit.instance.0);
            self.consumed.1.push(big(*id));
        }
        self.push_timers(commit);
        for child in &commit.children {
            self.children.push(child_row(child));
        }
        for message in &commit.outbox {
            self.outbox.push(message)?;
        }
        Ok(())
    }

    /// What it consists of, if the short statement for that can write it.
    pub(crate) fn shape(&self) -> Option<Shape> {
        let is_plain = !self.needs_function
            && !self.tasks.any_known
            && self.verified.id.is_empty()
            && self.keys.is_empty()
            && self.facts.seq.is_empty()
            && self.attempts.is_empty()
            && self.consumed.1.is_empty()
            && self.timers.instance.is_empty()
            && self.children.is_empty()
            && self.outbox.tenant.is_empty();
        let shape = Shape {
            starts: !self.starts.id.is_empty(),
            tasks: !self.tasks.id.is_empty(),
            updates: !self.updates.id.is_empty(),
            single: self
                .starts
                .id
                .len()
                .max(self.tasks.id.len())
                .max(self.updates.id.len())
                == 1,
        };
        (is_plain && (shape.starts || shape.tasks || shape.updates)).then_some(shape)
    }

    /// Hands everything to the short statement of its shape.
    pub(crate) fn bind_hot<'q>(
        self,
        node: NodeId,
        shape: Shape,
        types: RowTypes,
        query: HotQuery<'q>,
    ) -> HotQuery<'q> {
        let mut query = query.bind(node.0);
        if shape.starts {
            query = query.bind(self.starts.rows(types.start).single_if(shape.single));
        }
        if shape.tasks {
            query = query.bind(self.tasks.rows(types.task).single_if(shape.single));
        }
        if shape.updates {
            let expected = i64::try_from(self.updates.id.len()).unwrap_or(i64::MAX);
            query = query
                .bind(self.updates.rows(types.update).single_if(shape.single))
                .bind(expected)
                .bind(expected);
        }
        query
    }

    /// About how many bytes the call has: texts as long as they are, and what the other columns of a row take.
    pub(crate) fn bytes(&self) -> usize {
        const START: usize = 330;
        const UPDATE: usize = 200;
        const TASK: usize = 330;
        const FACT: usize = 90;
        const OTHER: usize = 80;
        let all = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
        let (starts, updates, tasks, facts) =
            (&self.starts, &self.updates, &self.tasks, &self.facts);
        starts.id.len() * START
            + starts.input.bytes()
            + starts.output.bytes()
            + starts.state.bytes()
            + starts.start.bytes()
            + starts.trail.bytes()
            + updates.id.len() * UPDATE
            + updates.output.bytes()
            + updates.state.bytes()
            + updates.start.bytes()
            + updates.trail.bytes()
            + updates.error.bytes()
            + tasks.id.len() * TASK
            + tasks.input.bytes()
            + tasks.output.bytes()
            + tasks.error.bytes()
            + tasks.trail.bytes()
            + facts.seq.len() * FACT
            + facts.payload.bytes()
            + facts.trail.bytes()
            + (self.consumed.1.len() + self.timers.instance.len()) * OTHER
            + (self.outbox.tenant.len() + self.children.len()) * START
            + all(&self.outbox.payload)
    }

    /// Whether nodes should look for work once it is applied: rows of mailboxes, or timers.
    pub(crate) fn makes_work(&self) -> bool {
        !self.children.is_empty()
            || !self.outbox.tenant.is_empty()
            || self.timers.fire.iter().any(Option::is_some)
            || is_any_parked(&self.starts.owner, &self.starts.completed)
            || is_any_parked(&self.updates.owner, &self.updates.completed)
    }

    fn push_start(&mut self, commit: &InstanceCommit, new: &NewInstance) -> Result<(), StoreError> {
        let header = &*new.header;
        if let Some(key) = &header.idempotency_key {
            self.keys.push(key_row(key, new));
        }
        let first = start_of(&commit.facts);
        let snapshot = commit.snapshot.as_ref();
        let state = snapshot.map(|snapshot| &*snapshot.state);
        let rows = &mut self.starts;
        rows.tenant.push(header.tenant_id.0);
        rows.id.push(header.instance_id.0);
        rows.definition.push(header.definition.id);
        rows.workflow.push(Some(&header.definition.workflow_id))?;
        rows.version.push(Some(&header.definition.version))?;
        rows.status.push(match (state, commit.facts.is_empty()) {
            (Some(state), _) => state.status.as_str(),
            (None, false) => "RUNNING",
            (None, true) => "CREATED",
        });
        rows.seq.push(state.and_then(|state| state.seq).map(big));
        rows.owner.push(match snapshot {
            Some(snapshot) => snapshot.owner.map(|owner| owner.0),
            None => new.owner.map(|owner| owner.0),
        });
        rows.signals.push(int(commit.signals_kept));
        rows.created.push(instant(header.created_at));
        rows.started.push(first.map(|first| instant(first.at)));
        let updated = commit
            .facts
            .last()
            .map_or(header.created_at, |fact| fact.at);
        rows.updated.push(instant(updated));
        rows.completed
            .push(state.and_then(|state| state.completed_at).map(instant));
        rows.input.push_json(Some(&header.input))?;
        let state_columns = (&mut rows.output, &mut rows.state, &mut rows.error);
        push_state(commit, state_columns)?;
        push_start_fact(first, (&mut rows.start, &mut rows.trail))?;
        rows.step
            .push(snapshot.and_then(|snapshot| snapshot.current_step.as_deref()))?;
        rows.more.push_json(more(header, state).as_ref())?;
        Ok(())
    }

    fn push_update(
        &mut self,
        node: NodeId,
        commit: &InstanceCommit,
        claim: Claim,
    ) -> Result<(), StoreError> {
        let owned = matches!(commit.expect, Expect::Owned(_));
        let known = match claim {
            Claim::Known {
                signals,
                taken_over,
                is_plain,
            } => Some((signals, taken_over, is_plain)),
            Claim::Unknown | Claim::Busy => {
                self.verify(commit, owned);
                None
            }
        };
        let first = start_of(&commit.facts);
        let row_stays = known.is_some_and(|(signals, taken_over, _)| {
            signals == commit.signals_kept && (!taken_over || commit.facts.is_empty())
        });
        if commit.snapshot.is_none() && first.is_none() && row_stays {
            return Ok(());
        }
        // The short statement writes snapshots; what may be open in other tables is closed with the end.
        self.needs_function |= commit.snapshot.is_none()
            || first.is_some()
            || known
                .is_none_or(|(_, taken_over, is_plain)| taken_over || (commit.ends() && !is_plain));
        let snapshot = commit.snapshot.as_ref();
        let state = snapshot.map(|snapshot| &*snapshot.state);
        let rows = &mut self.updates;
        rows.tenant.push(commit.tenant.0);
        rows.id.push(commit.instance.0);
        rows.owned.push(owned);
        rows.snapshot.push(snapshot.is_some());
        rows.status.push(state.map(|state| state.status.as_str()));
        rows.seq.push(state.and_then(|state| state.seq).map(big));
        rows.owner
            .push(owner_after(commit, node).map(|owner| owner.0));
        rows.signals.push(int(commit.signals_kept));
        rows.started.push(first.map(|first| instant(first.at)));
        rows.updated.push(match snapshot {
            Some(_) => commit.facts.last().map(|fact| instant(fact.at)),
            None => None,
        });
        rows.completed
            .push(state.and_then(|state| state.completed_at).map(instant));
        let state_columns = (&mut rows.output, &mut rows.state, &mut rows.error);
        push_state(commit, state_columns)?;
        push_start_fact(first, (&mut rows.start, &mut rows.trail))?;
        rows.step
            .push(snapshot.and_then(|snapshot| snapshot.current_step.as_deref()))?;
        let cancellation = state.and_then(|state| state.cancellation.as_ref());
        // Whence it was paused is not for the short statement.
        let is_paused = state.is_some_and(|state| state.status == InstanceStatus::Paused);
        self.needs_function |= cancellation.is_some() || is_paused;
        rows.cancellation.push_json(cancellation)?;
        rows.progress.push(!commit.facts.is_empty());
        Ok(())
    }

    fn verify(&mut self, commit: &InstanceCommit, owned: bool) {
        let seq = match commit.expect {
            Expect::Owned(seq) => Some(seq),
            Expect::Parked(seq) => seq,
            Expect::New => None,
        };
        self.verified.tenant.push(commit.tenant.0);
        self.verified.id.push(commit.instance.0);
        self.verified.owned.push(owned);
        self.verified.seq.push(seq.map_or(-1, big));
    }

    fn push_facts(&mut self, commit: &InstanceCommit) -> Result<(), StoreError> {
        for fact in &commit.facts {
            match &fact.message {
                // It stands on the row of the instance.
                Message::Start(_) if fact.seq == 0 => {}
                Message::TaskDone(done) => match task_of(&commit.tasks, done.task_instance_id) {
                    Some(task) => self.push_task(commit, fact, done, task)?,
                    None => self.push_fact(commit, fact)?,
                },
                Message::Start(_)
                | Message::Signal(_)
                | Message::Timer(_)
                | Message::ChildDone(_)
                | Message::Cancel(_)
                | Message::Pause(_)
                | Message::Resume(_) => self.push_fact(commit, fact)?,
            }
        }
        Ok(())
    }

    fn push_fact(&mut self, commit: &InstanceCommit, fact: &Fact) -> Result<(), StoreError> {
        let rows = &mut self.facts;
        rows.tenant.push(commit.tenant.0);
        rows.instance.push(commit.instance.0);
        rows.seq.push(big(fact.seq));
        rows.kind.push(message_kind(&fact.message));
        rows.key.push(fact.message.message_key().as_deref())?;
        rows.at.push(instant(fact.at));
        rows.payload.push_json(Some(&fact.message))?;
        rows.trail
            .push_with(|cells| trail::write(&fact.trail, cells))?;
        Ok(())
    }

    fn push_task(
        &mut self,
        commit: &InstanceCommit,
        fact: &Fact,
        done: &TaskDone,
        task: &TaskRow,
    ) -> Result<(), StoreError> {
        // A task that failed before, or ran for long, has a row that says so.
        let known = self.tasks_known || task.was_shown || !done.failed_attempts.is_empty();
        let rows = &mut self.tasks;
        rows.tenant.push(commit.tenant.0);
        rows.id.push(done.task_instance_id.0);
        rows.definition.push(task.definition);
        rows.instance.push(commit.instance.0);
        rows.workflow.push(task.workflow_definition);
        rows.seq.push(big(fact.seq));
        rows.activation.push(big(done.activation));
        rows.visit.push(int(task.visit));
        rows.attempt.push(int(done.attempts));
        rows.failures
            .push(i32::try_from(done.failed_attempts.len()).unwrap_or(i32::MAX));
        rows.status.push(done.status.as_str());
        rows.kind.push(task_type(task.task_type));
        rows.created.push(instant(task.created_at));
        rows.updated.push(instant(fact.at));
        rows.started.push(instant(done.started_at));
        rows.ended.push(instant(done.ended_at));
        rows.duration
            .push(done.ended_at.micros_since(done.started_at).max(0) / 1000);
        rows.step.push(Some(&task.step_id))?;
        rows.path.push(task.path.as_deref())?;
        rows.outcome.push(done.outcome.as_deref())?;
        rows.input.push_json(Some(&task.input))?;
        let has_output = done.error.is_none() || !done.output.is_null();
        rows.output.push_json(has_output.then_some(&done.output))?;
        rows.error.push_json(done.error.as_ref())?;
        rows.trail
            .push_with(|cells| trail::write(&fact.trail, cells))?;
        rows.known.push(known);
        rows.any_known |= known;
        for record in &done.failed_attempts {
            self.attempts
                .push(attempt(commit.tenant, done.task_instance_id, record));
        }
        Ok(())
    }

    fn push_timers(&mut self, commit: &InstanceCommit) {
        let rows = &mut self.timers;
        let mut push = |kind, activation, fire: Option<Time>| {
            rows.tenant.push(commit.tenant.0);
            rows.instance.push(commit.instance.0);
            rows.kind.push(timer_kind(kind));
            rows.activation.push(big(activation));
            rows.fire.push(fire);
        };
        for key in &commit.timers_cleared {
            push(key.kind, key.activation, None);
        }
        for (at, timer) in commit.timers_set.iter().enumerate() {
            let set_again = commit
                .timers_set
                .iter()
                .skip(at + 1)
                .any(|later| later.key == timer.key);
            if !set_again {
                push(
                    timer.key.kind,
                    timer.key.activation,
                    Some(instant(timer.fire_at)),
                );
            }
        }
    }

    /// Hands everything to a call of the function.
    pub(crate) fn bind<'q>(
        self,
        node: NodeId,
        query: QueryScalar<'q, Postgres, Option<Json<Value>>, PgArguments>,
    ) -> QueryScalar<'q, Postgres, Option<Json<Value>>, PgArguments> {
        let (v, i, u, t, h) = (
            self.verified,
            self.starts,
            self.updates,
            self.tasks,
            self.facts,
        );
        let known = if t.any_known { t.known } else { Vec::new() };
        query
            .bind(node.0)
            .bind(v.tenant)
            .bind(v.id)
            .bind(v.owned)
            .bind(v.seq)
            .bind(list(self.keys))
            .bind(i.tenant)
            .bind(i.id)
            .bind(i.definition)
            .bind(i.workflow)
            .bind(i.version)
            .bind(i.status)
            .bind(sparse(i.seq))
            .bind(sparse(i.owner))
            .bind(i.signals)
            .bind(i.created)
            .bind(sparse(i.started))
            .bind(i.updated)
            .bind(sparse(i.completed))
            .bind(i.input)
            .bind(i.output)
            .bind(i.state)
            .bind(i.start)
            .bind(i.trail)
            .bind(i.step)
            .bind(i.error)
            .bind(i.more)
            .bind(u.tenant)
            .bind(u.id)
            .bind(u.owned)
            .bind(u.snapshot)
            .bind(sparse(u.status))
            .bind(sparse(u.seq))
            .bind(sparse(u.owner))
            .bind(u.signals)
            .bind(sparse(u.started))
            .bind(sparse(u.updated))
            .bind(sparse(u.completed))
            .bind(u.output)
            .bind(u.state)
            .bind(u.start)
            .bind(u.trail)
            .bind(u.step)
            .bind(u.error)
            .bind(u.cancellation)
            .bind(u.progress)
            .bind(t.tenant)
            .bind(t.id)
            .bind(t.definition)
            .bind(t.instance)
            .bind(sparse(t.workflow))
            .bind(t.seq)
            .bind(t.activation)
            .bind(t.visit)
            .bind(t.attempt)
            .bind(t.failures)
            .bind(t.status)
            .bind(t.kind)
            .bind(t.created)
            .bind(t.updated)
            .bind(t.started)
            .bind(t.ended)
            .bind(t.duration)
            .bind(t.step)
            .bind(t.path)
            .bind(t.outcome)
            .bind(t.input)
            .bind(t.output)
            .bind(t.error)
            .bind(t.trail)
            .bind(known)
            .bind(h.tenant)
            .bind(h.instance)
            .bind(h.seq)
            .bind(h.kind)
            .bind(h.key)
            .bind(h.at)
            .bind(h.payload)
            .bind(h.trail)
            .bind(list(self.attempts))
            .bind(self.consumed.0)
            .bind(self.consumed.1)
            .bind(self.timers.tenant)
            .bind(self.timers.instance)
            .bind(self.timers.kind)
            .bind(self.timers.activation)
            .bind(self.timers.fire)
            .bind(list(self.children))
            .bind(self.outbox.tenant)
            .bind(self.outbox.instance)
            .bind(self.outbox.kind)
            .bind(sparse(self.outbox.key))
            .bind(self.outbox.payload)
    }
}

impl Starts {
    /// The rows as the short statement takes them, in the order of the columns of `aug_start_row`.
    fn rows(&self, row_type: RowType) -> Rows {
        let mut rows = Rows::new(row_type, self.id.len() * 512);
        let (mut workflow, mut version) = (self.workflow.cells(), self.version.cells());
        let (mut input, mut output) = (self.input.cells(), self.output.cells());
        let (mut state, mut start) = (self.state.cells(), self.start.cells());
        let (mut trail, mut step) = (self.trail.cells(), self.step.cells());
        let (mut error, mut more) = (self.error.cells(), self.more.cells());
        for (at, id) in self.id.iter().enumerate() {
            rows.push(|row| {
                row.uuid(self.tenant.get(at));
                row.uuid(Some(id));
                row.uuid(self.definition.get(at));
                row.text(workflow.take());
                row.text(version.take());
                row.text(self.status.get(at).map(|status| status.as_bytes()));
                row.big(self.seq.get(at).copied().flatten());
                row.uuid(self.owner.get(at).and_then(Option::as_ref));
                row.int(self.signals.get(at).copied().unwrap_or(0));
                row.time(self.created.get(at).copied());
                row.time(self.started.get(at).copied().flatten());
                row.time(self.updated.get(at).copied());
                row.time(self.completed.get(at).copied().flatten());
                row.json(input.take());
                row.json(output.take());
                row.json(state.take());
                row.json(start.take());
                row.json(trail.take());
                row.text(step.take());
                row.json(error.take());
                row.json(more.take());
            });
        }
        rows
    }
}

impl Tasks {
    /// The rows as the short statement takes them, in the order of the columns of `aug_task_row`.
    fn rows(&self, row_type: RowType) -> Rows {
        let mut rows = Rows::new(row_type, self.id.len() * 512);
        let (mut step, mut path) = (self.step.cells(), self.path.cells());
        let (mut outcome, mut input) = (self.outcome.cells(), self.input.cells());
        let (mut output, mut error) = (self.output.cells(), self.error.cells());
        let mut trail = self.trail.cells();
        for (at, id) in self.id.iter().enumerate() {
            rows.push(|row| {
                row.uuid(self.tenant.get(at));
                row.uuid(Some(id));
                row.uuid(self.definition.get(at));
                row.uuid(self.instance.get(at));
                row.uuid(self.workflow.get(at).and_then(Option::as_ref));
                row.big(self.seq.get(at).copied());
                row.big(self.activation.get(at).copied());
                row.int(self.visit.get(at).copied().unwrap_or(0));
                row.int(self.attempt.get(at).copied().unwrap_or(0));
                row.text(self.status.get(at).map(|status| status.as_bytes()));
                row.text(self.kind.get(at).map(|kind| kind.as_bytes()));
                row.time(self.created.get(at).copied());
                row.time(self.updated.get(at).copied());
                row.time(self.started.get(at).copied());
                row.time(self.ended.get(at).copied());
                row.big(self.duration.get(at).copied());
                row.text(step.take());
                row.text(path.take());
                row.text(outcome.take());
                row.json(input.take());
                row.json(output.take());
                row.json(error.take());
                row.json(trail.take());
            });
        }
        rows
    }
}

impl Updates {
    /// The rows as the short statement takes them, in the order of the columns of `aug_update_row`.
    fn rows(&self, row_type: RowType) -> Rows {
        let mut rows = Rows::new(row_type, self.id.len() * 256);
        let (mut output, mut state) = (self.output.cells(), self.state.cells());
        let (mut step, mut error) = (self.step.cells(), self.error.cells());
        for (at, id) in self.id.iter().enumerate() {
            rows.push(|row| {
                row.uuid(self.tenant.get(at));
                row.uuid(Some(id));
                row.text(
                    self.status
                        .get(at)
                        .and_then(|status| Some(status.as_ref()?.as_bytes())),
                );
                row.big(self.seq.get(at).copied().flatten());
                row.uuid(self.owner.get(at).and_then(Option::as_ref));
                row.int(self.signals.get(at).copied().unwrap_or(0));
                row.time(self.updated.get(at).copied().flatten());
                row.time(self.completed.get(at).copied().flatten());
                row.json(output.take());
                row.json(state.take());
                row.text(step.take());
                row.json(error.take());
            });
        }
        rows
    }
}

/// The number of arguments of `aug_commit`.
pub(crate) const ARGUMENTS: usize = 93;

/// Whether an instance goes on that nobody owns: what waits for it was nobody else's business until now.
fn is_any_parked(owners: &[Option<Uuid>], completed: &[Option<Time>]) -> bool {
    owners
        .iter()
        .zip(completed)
        .any(|(owner, completed)| owner.is_none() && completed.is_none())
}

/// A column without any value is left out: the function fills it up.
fn sparse<T>(column: Vec<Option<T>>) -> Vec<Option<T>> {
    match column.iter().any(Option::is_some) {
        true => column,
        false => Vec::new(),
    }
}

/// Rare rows go as one JSON value, or as nothing.
fn list(rows: Vec<Value>) -> Option<Json<Value>> {
    (!rows.is_empty()).then_some(Json(Value::Array(rows)))
}

fn task_of(tasks: &[TaskRow], id: TaskInstanceId) -> Option<&TaskRow> {
    tasks.iter().find(|task| task.task_instance_id == id)
}

/// The start fact, if it is among these.
fn start_of(facts: &[Fact]) -> Option<&Fact> {
    facts
        .first()
        .filter(|fact| fact.seq == 0 && matches!(fact.message, Message::Start(_)))
}

/// Writes the columns of the start fact.
fn push_start_fact(
    fact: Option<&Fact>,
    (start, trail): (&mut Texts, &mut Texts),
) -> Result<(), StoreError> {
    let Some((fact, Message::Start(message))) = fact.map(|fact| (fact, &fact.message)) else {
        start.push(None)?;
        return trail.push(None);
    };
    start.push_json(Some(message))?;
    trail.push_with(|cells| trail::write(&fact.trail, cells))
}

/// Writes what the row of an instance says of its state: output, state, error.
fn push_state(
    commit: &InstanceCommit,
    (output, kept, error): (&mut Texts, &mut Texts, &mut Texts),
) -> Result<(), StoreError> {
    let state = commit.snapshot.as_ref().map(|snapshot| &*snapshot.state);
    output.push_json(state.and_then(|state| state.output.as_ref()))?;
    error.push_json(state.and_then(|state| state.error.as_ref()))?;
    let said = state.filter(|state| !is_told_by_facts(commit, state));
    kept.push_json(said.map(InstanceState::without_header).as_ref())
}

/// Whether the facts of an instance that ended say everything about it: there are few, and the last one ended it. Where
/// it was taken out of service, or a late result came, the state says more than they.
fn is_told_by_facts(commit: &InstanceCommit, state: &InstanceState) -> bool {
    state.status.is_terminal()
        && !commit.facts.is_empty()
        && !matches!(commit.expect, Expect::Parked(_))
        && state.seq.is_some_and(|seq| seq < FACTS_WITHOUT_STATE)
}

/// The columns of an instance that most instances leave empty, as one JSON object.
fn more(header: &InstanceHeader, state: Option<&InstanceState>) -> Option<Map<String, Value>> {
    let mut more = rare(header);
    if let Some(cancellation) = state.and_then(|state| state.cancellation.as_ref()) {
        more.insert("cancellation".to_owned(), json!(cancellation));
    }
    (!more.is_empty()).then_some(more)
}

fn rare(header: &InstanceHeader) -> Map<String, Value> {
    let mut more = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            more.insert(name.to_owned(), value);
        }
    };
    if header.priority != 0 {
        put("priority", json!(header.priority));
    }
    if header.depth != 0 {
        put("depth", json!(header.depth));
    }
    put("expiresAt", json!(header.expires_at));
    put("correlationId", json!(header.correlation_id));
    put("idempotencyKey", json!(header.idempotency_key));
    put("initiatorId", json!(header.initiator_id));
    put("triggerId", json!(header.trigger_id));
    put("triggerEventId", json!(header.trigger_event_id));
    put("traceParent", json!(header.trace_parent));
    put("metadata", json!(header.metadata));
    if header.root_instance_id != header.instance_id {
        put("rootInstanceId", json!(header.root_instance_id));
    }
    if let Some(parent) = &header.parent {
        put("parentInstanceId", json!(parent.instance_id));
        put("parentActivation", json!(parent.activation));
        put("parentStepKey", json!(parent.step_key));
        put("parentWaits", json!(parent.waits));
    }
    more
}

/// A key of a start as `aug_commit` and `aug_accept` take it.
fn key_row(key: &str, new: &NewInstance) -> Value {
    let header = &*new.header;
    json!({
        "tenant": header.tenant_id,
        "workflow": header.definition.workflow_id,
        "key": key,
        "instance": header.instance_id,
        "hash": new.input_hash.map(|hash| hex(&hash)),
    })
}

/// The arguments of `aug_accept`.
pub(crate) fn accepted(new: &[NewInstance]) -> (Option<Json<Value>>, Json<Value>) {
    let key = |new: &NewInstance| {
        let key = new.header.idempotency_key.as_deref()?;
        Some(key_row(key, new))
    };
    let keys = list(new.iter().filter_map(key).collect());
    (
        keys,
        Json(Value::Array(new.iter().map(child_row).collect())),
    )
}

fn child_row(child: &NewInstance) -> Value {
    let header: &Arc<InstanceHeader> = &child.header;
    json!({
        "tenant": header.tenant_id,
        "id": header.instance_id,
        "definition": header.definition.id,
        "workflow": header.definition.workflow_id,
        "version": header.definition.version,
        "created": header.created_at,
        "input": header.input,
        "more": rare(header),
    })
}

/// A failed attempt as `aug_insert_attempts` takes it.
pub(crate) fn attempt(tenant: TenantId, task: TaskInstanceId, record: &AttemptRecord) -> Value {
    json!({
        "tenant": tenant,
        "task": task,
        "attempt": record.attempt,
        "started": record.started_at,
        "ended": record.ended_at,
        "outcome": attempt_outcome(record.outcome),
        "error": record.error,
        "delay": record.delay_ms,
        "next": record.next_attempt_at,
        "checkpoint": record.checkpoint,
    })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
