//! From queued messages to one commit of an instance, and what follows its outcome.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use augmented_core::runtime::{
    Activity, CancelRequest, CancelSource, InstanceState, InstanceStatus, Message, TimerKey,
    TimerKind, TrailEntry,
};
use augmented_core::store::{InstanceCommit, NewMessage, Snapshot, TaskRow, TimerRow};
use augmented_core::{InstanceId, NodeId, Seq, TaskInstanceId, Timestamp};

use super::instance::{Live, Queued, Standing};
use crate::config::EngineConfig;
use crate::workflow::{Command, DecideLimits, StartChild, decide, is_surplus, open_commands};

/// Messages of one instance that share a commit at most.
const MESSAGES_PER_COMMIT: usize = 64;

/// What the preparation of a commit depends on besides the instance.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) limits: &'a DecideLimits,
    pub(crate) config: &'a EngineConfig,
    pub(crate) node: NodeId,
    pub(crate) now: Timestamp,
    /// Whether nothing new may begin.
    pub(crate) draining: bool,
}

/// A commit that is ready but for its children.
pub(crate) struct Prepared {
    pub(crate) commit: InstanceCommit,
    pub(crate) receipt: Receipt,
    /// Children to insert with it.
    pub(crate) children: Vec<StartChild>,
}

/// What is needed once the outcome of a commit is known.
pub(crate) struct Receipt {
    pub(crate) instance: InstanceId,
    /// The messages of this process it applied, in case it is not applied.
    pub(crate) messages: Vec<Queued>,
    /// What to carry out after it: only [`Command::RunTask`] and [`Command::CancelTask`].
    pub(crate) after: Vec<Command>,
    pub(crate) fate: Fate,
    /// The last fact after it.
    pub(crate) seq: Option<Seq>,
    pub(crate) facts: u64,
    /// The identity of the node it was made under.
    pub(crate) epoch: u32,
}

/// What becomes of the copy in memory after a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Something goes on in this process.
    Keep,
    /// Nothing goes on in this process; the instance waits in the store alone.
    Park,
    /// The instance is over.
    End,
}

/// The core could not decide a message.
pub(crate) struct Undecidable;

impl Live {
    /// Lets the core decide what is queued, and collects the commit.
    pub(crate) fn prepare(
        &mut self,
        instance: InstanceId,
        setting: Setting<'_>,
        epoch: u32,
    ) -> Result<Prepared, Undecidable> {
        let mut commit = InstanceCommit::new(self.tenant, instance, self.standing.expect());
        if let (Standing::New, Some(starting)) = (self.standing, &self.starting) {
            commit.insert = Some(Box::new(starting.new.clone()));
        }
        let receipt = Receipt {
            instance,
            messages: Vec::new(),
            after: Vec::new(),
            fate: Fate::Keep,
            seq: None,
            facts: 0,
            epoch,
        };
        let mut prepared = Prepared {
            commit,
            receipt,
            children: Vec::new(),
        };
        let decided = catch_unwind(AssertUnwindSafe(|| {
            self.decide_queue(&mut prepared, setting)
        }));
        self.busy = true;
        decided.map_err(|_| Undecidable)?;
        Ok(prepared)
    }

    fn decide_queue(&mut self, prepared: &mut Prepared, setting: Setting<'_>) {
        for _ in 0..MESSAGES_PER_COMMIT {
            let Some(Queued {
                message,
                mail,
                derived,
            }) = self.queue.pop_front()
            else {
                break;
            };
            prepared.commit.consumed.extend(mail);
            // A start that waited in the mailbox of a child may have been applied from memory, after a refused commit.
            let has_begun = matches!(message, Message::Start(_)) && self.state.seq.is_some();
            // A timer of something that is over is dropped with its row, without a fact.
            if has_begun
                || (self.state.status.is_terminal() && !is_late_result(&message))
                || is_surplus(&self.state, &message)
            {
                continue;
            }
            let resumed = match &message {
                Message::Timer(TimerKey {
                    kind: TimerKind::TaskRetry,
                    activation,
                }) => Some(*activation),
                _ => None,
            };
            if mail.is_none() && !derived {
                prepared
                    .receipt
                    .messages
                    .push(Queued::local(message.clone()));
            }
            let task = match &message {
                Message::TaskDone(done) => self.task_row(done.activation, done.task_instance_id),
                _ => None,
            };
            if let (Some(_), Message::TaskDone(done)) = (&task, &message) {
                self.stop_others(done.activation);
                self.shown
                    .retain(|activation| *activation != done.activation);
            }
            prepared.commit.tasks.extend(task);
            let state = Arc::make_mut(&mut self.state);
            let transition = decide(&self.plan.flow, state, message, setting.now, setting.limits);
            let mut fact = transition.fact;
            if self.takeovers > 0 {
                let count = std::mem::take(&mut self.takeovers);
                fact.trail.insert(0, TrailEntry::TakenOver { count });
            }
            prepared.commit.facts.push(fact);
            if let Some(activation) = resumed {
                self.resume_task(activation);
            }
            if prepared.receipt.after.is_empty()
                && transition
                    .commands
                    .iter()
                    .all(|command| matches!(command, Command::RunTask(_)))
            {
                prepared.receipt.after = transition.commands;
            } else {
                for command in transition.commands {
                    self.sort_command(command, prepared, setting.now);
                }
            }
        }
    }

    /// A result is there, possibly a late one of an attempt that was given up: no other attempt begins any more, and one
    /// that did is dropped.
    fn stop_others(&mut self, activation: u64) {
        self.to_begin.retain(|run| run.activation != activation);
        self.timers
            .retain(|row| row.key.kind != TimerKind::TaskRetry || row.key.activation != activation);
        for task in self
            .tasks
            .extract_if(.., |task| task.activation == activation)
        {
            task.control.abandon();
        }
    }

    /// What is written of an open task besides its result; a result for anything else is late.
    fn task_row(&self, activation: u64, task: TaskInstanceId) -> Option<TaskRow> {
        if self.state.is_answered(activation) {
            return None;
        }
        self.state.tokens.values().find_map(|token| {
            let Activity::Task {
                task_instance_id,
                input,
                dispatched_at,
                ..
            } = &token.activity
            else {
                return None;
            };
            if token.activation != activation || *task_instance_id != task {
                return None;
            }
            let work = self.plan.work_of(token.step)?;
            Some(
                TaskRow::new(
                    task,
                    work.task.pin.id,
                    Arc::clone(&work.step_id),
                    Arc::clone(input),
                    *dispatched_at,
                )
                .with_type(work.task.task_type)
                .with_workflow(self.state.header.definition.id)
                .with_visit(token.path.clone(), token.visit)
                .with_shown(self.shown.contains(&activation)),
            )
        })
    }

    /// Puts a command where it belongs: a row of the commit, or something to carry out after it.
    fn sort_command(
        &mut self,
        command: Command,
        Prepared {
            commit,
            receipt,
            children,
        }: &mut Prepared,
        now: Timestamp,
    ) {
        match command {
            Command::SetTimer(row) => {
                commit.timers_set.retain(|other| other.key != row.key);
                commit.timers_set.push(row);
            }
            Command::ClearTimer(key) => {
                commit.timers_set.retain(|row| row.key != key);
                // A retry that this process was about to arm is off, too.
                self.timers.retain(|row| row.key != key);
                commit.timers_cleared.push(key);
            }
            Command::CancelTask {
                activation,
                task_instance_id,
            } => {
                // What has not begun never will.
                let before = receipt.after.len() + self.to_begin.len();
                receipt.after.retain(|command| !matches!(command, Command::RunTask(run) if run.activation == activation));
                self.to_begin.retain(|run| run.activation != activation);
                if receipt.after.len() + self.to_begin.len() < before {
                    self.answer_cancelled(activation, task_instance_id, now);
                } else {
                    receipt.after.push(Command::CancelTask {
                        activation,
                        task_instance_id,
                    });
                }
            }
            Command::StartChild(child) => children.push(child),
            Command::CancelChild {
                instance_id,
                reason,
            } => {
                let request = CancelRequest {
                    request_id: format!("parent:{}", receipt.instance).into(),
                    reason: reason.to_string(),
                    source: CancelSource::Parent,
                    requested_by: None,
                };
                commit.outbox.push(NewMessage::new(
                    commit.tenant,
                    instance_id,
                    Message::Cancel(request),
                ));
            }
            Command::NotifyParent { parent, done } => {
                commit.outbox.push(NewMessage::new(
                    commit.tenant,
                    parent.instance_id,
                    Message::ChildDone(done),
                ));
            }
            Command::RunTask(_) => receipt.after.push(command),
        }
    }

    /// A task whose back-off is over goes on once this node owns the instance.
    fn resume_task(&mut self, activation: u64) {
        if self.is_running(activation)
            || self.to_begin.iter().any(|run| run.activation == activation)
        {
            return;
        }
        let open = open_commands(&self.plan.flow, &self.state);
        self.to_begin
            .extend(open.into_iter().find_map(|command| match command {
                Command::RunTask(run) if run.activation == activation => Some(run),
                _ => None,
            }));
    }

    /// Settles what becomes of the instance after the commit, and takes a snapshot where that asks for one.
    pub(crate) fn settle(&mut self, prepared: &mut Prepared, setting: Setting<'_>) {
        let Prepared {
            commit, receipt, ..
        } = prepared;
        if setting.draining {
            self.put_off_tasks(receipt, setting.now);
        }
        let is_over = self.state.status.is_terminal();
        if is_over {
            self.timers.clear();
            self.to_begin.clear();
            self.missing_children.clear();
        }
        commit.children.append(&mut self.missing_children);
        commit.timers_set.append(&mut self.timers);
        let runs = receipt
            .after
            .iter()
            .any(|command| matches!(command, Command::RunTask(_)));
        receipt.fate = match is_over {
            true => Fate::End,
            false if runs || self.is_active() => Fate::Keep,
            false => Fate::Park,
        };
        commit.signals_kept = u32::try_from(self.state.kept_signals()).unwrap_or(u32::MAX);
        receipt.seq = self.state.seq;
        receipt.facts = commit.facts.len() as u64;
        let owner = match receipt.fate {
            Fate::Keep if self.needs_no_snapshot(setting.config) => {
                if let Some(new) = &mut commit.insert {
                    new.owner = Some(setting.node);
                }
                return;
            }
            Fate::Keep => Some(setting.node),
            Fate::Park | Fate::End => None,
        };
        self.snapshot = Some((self.state.seq, self.state.status));
        let mut snapshot = Snapshot::new(Arc::clone(&self.state), owner);
        let current = self.state.current_step;
        snapshot.current_step = current.and_then(|step| self.plan.flow.step_id(step).cloned());
        commit.snapshot = Some(snapshot);
    }

    /// Tasks that may not begin any more are left to the next owner.
    fn put_off_tasks(&mut self, receipt: &mut Receipt, now: Timestamp) {
        let timers = &mut self.timers;
        let mut put_off = |activation| timers.push(retry_timer(activation, now));
        receipt.after.retain(|command| match command {
            Command::RunTask(run) => {
                put_off(run.activation);
                false
            }
            _ => true,
        });
        for run in self.to_begin.drain(..) {
            put_off(run.activation);
        }
    }

    fn needs_no_snapshot(&self, config: &EngineConfig) -> bool {
        // Waking an instance changes its owner, and that is said by a snapshot.
        if matches!(self.standing, Standing::Parked(_)) {
            return false;
        }
        let (seq, status) = self.snapshot.unwrap_or((None, InstanceStatus::Running));
        let folded = seq.map_or(0, |seq| seq + 1);
        let behind = self.state.next_seq().saturating_sub(folded);
        status == self.state.status && behind < config.snapshot_interval
    }
}

/// The durable timer behind the next attempt of a task.
pub(crate) fn retry_timer(activation: u64, fire_at: Timestamp) -> TimerRow {
    TimerRow {
        key: TimerKey {
            kind: TimerKind::TaskRetry,
            activation,
        },
        fire_at,
    }
}

/// Whether a message to an ended instance is worth a fact.
fn is_late_result(message: &Message) -> bool {
    matches!(message, Message::TaskDone(done) if done.error.is_none())
}

/// The state of an instance that is taken out of service.
pub(crate) fn faulted(
    state: &InstanceState,
    last: Option<Seq>,
    reason: &'static str,
    now: Timestamp,
) -> InstanceState {
    use augmented_core::error::{ErrorCategory, ErrorInfo};
    use augmented_core::runtime::InstanceError;
    let mut state = state.clone();
    let error = ErrorInfo::new(
        "ENGINE_FAULT",
        ErrorCategory::System,
        format!("the engine took the instance out of service: {reason}"),
    )
    .with_retryable(false)
    .with_details(serde_json::json!({ "reason": reason }));
    state.status = InstanceStatus::Failed;
    state.paused = None;
    state.completed_at = Some(now);
    state.error = Some(InstanceError {
        error: Arc::new(error),
        failed_step_id: None,
    });
    state.seq = last;
    state
}
