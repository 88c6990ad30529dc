//! One instance in the memory of its worker.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use augmented_core::runtime::{AttemptRecord, InstanceState, InstanceStatus, Message};
use augmented_core::store::{Expect, MailboxId, MailboxMessage, NewInstance, TimerRow};
use augmented_core::{InstanceId, Seq, TaskInstanceId, TenantId, Timestamp};
use tokio::sync::oneshot;

use super::StartAnswer;
use super::commit::retry_timer;
use crate::EngineError;
use crate::task::{ExecutionPlan, ParkedTask, RunControl};
use crate::workflow::RunTask;

/// Mailbox rows that are remembered behind those in the queue: an answer of the store may be older than their commit.
const MAIL_REMEMBERED: usize = 64;

/// A message on its way to the core.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) message: Message,
    /// The mailbox row it came from; none for what happened in this process.
    pub(crate) mail: Option<MailboxId>,
    /// Whether it follows from the state alone. It is made anew whenever the instance is read, and must not outlive a
    /// copy whose commit was refused.
    pub(crate) derived: bool,
}

impl Queued {
    pub(crate) fn local(message: Message) -> Self {
        Self {
            message,
            mail: None,
            derived: false,
        }
    }

    pub(crate) fn derived(message: Message) -> Self {
        Self {
            derived: true,
            ..Self::local(message)
        }
    }
}

/// What the store holds of the instance, as this worker knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing yet.
    New,
    /// This node owns it.
    Owned(Seq),
    /// Nobody owns it.
    Parked(Option<Seq>),
}

impl Standing {
    pub(crate) fn expect(self) -> Expect {
        match self {
            Self::New => Expect::New,
            Self::Owned(seq) => Expect::Owned(seq),
            Self::Parked(seq) => Expect::Parked(seq),
        }
    }

    pub(crate) fn seq(self) -> Option<Seq> {
        match self {
            Self::New => None,
            Self::Owned(seq) => Some(seq),
            Self::Parked(seq) => seq,
        }
    }
}

/// A task under way.
pub(crate) struct OpenTask {
    pub(crate) activation: u64,
    pub(crate) control: Arc<RunControl>,
}

/// What a start still needs: its row, and whom to tell.
pub(crate) struct Starting {
    pub(crate) new: NewInstance,
    pub(crate) accepted: Option<oneshot::Sender<Result<StartAnswer, EngineError>>>,
}

/// An instance in memory.
pub(crate) struct Live {
    pub(crate) tenant: TenantId,
    pub(crate) plan: Arc<ExecutionPlan>,
    pub(crate) state: Arc<InstanceState>,
    pub(crate) standing: Standing,
    /// Messages to decide, in order.
    pub(crate) queue: VecDeque<Queued>,
    /// Whether a commit, or something that must come before it, is under way.
    pub(crate) busy: bool,
    /// Whether it stands in the worker's list of instances to look at.
    pub(crate) listed: bool,
    /// How often in a row it was looked at before others.
    pub(crate) in_a_row: u8,
    /// The fact and the status of the last snapshot; `None` if none was written.
    pub(crate) snapshot: Option<(Option<Seq>, InstanceStatus)>,
    pub(crate) tasks: Vec<OpenTask>,
    /// Activations of tasks that ran so long that they were shown.
    pub(crate) shown: Vec<u64>,
    /// Tasks to begin once this node owns the instance.
    pub(crate) to_begin: Vec<RunTask>,
    /// Failed attempts of open tasks that do not run now.
    pub(crate) attempts: Vec<(TaskInstanceId, AttemptRecord)>,
    /// Children that are being looked for; the instance stays until that is known.
    pub(crate) checking: Vec<InstanceId>,
    /// Whether it stands in the worker's queue of instances whose tasks wait for others to end.
    pub(crate) crowded: bool,
    /// Children that should be in the store and are not; the next commit inserts them.
    pub(crate) missing_children: Vec<NewInstance>,
    /// Timers of the driver's own that the next commit arms.
    pub(crate) timers: Vec<TimerRow>,
    /// Mailbox rows that were put into the queue.
    mail_taken: BTreeSet<MailboxId>,
    /// How often in a row its commit was refused or could not be decided.
    pub(crate) strikes: u8,
    /// How often it was taken over since its last fact; the next one says so.
    pub(crate) takeovers: u16,
    /// Whether the instance had ended when it was read; its end has been told and counted then.
    pub(crate) was_over: bool,
    pub(crate) starting: Option<Box<Starting>>,
    pub(crate) watchers: Vec<oneshot::Sender<Arc<InstanceState>>>,
}

impl Live {
    pub(crate) fn new(
        tenant: TenantId,
        plan: Arc<ExecutionPlan>,
        state: Arc<InstanceState>,
        standing: Standing,
    ) -> Self {
        Self {
            tenant,
            plan,
            state,
            standing,
            queue: VecDeque::new(),
            busy: false,
            listed: false,
            in_a_row: 0,
            snapshot: None,
            tasks: Vec::new(),
            shown: Vec::new(),
            to_begin: Vec::new(),
            attempts: Vec::new(),
            checking: Vec::new(),
            crowded: false,
            missing_children: Vec::new(),
            timers: Vec::new(),
            mail_taken: BTreeSet::new(),
            strikes: 0,
            takeovers: 0,
            was_over: false,
            starting: None,
            watchers: Vec::new(),
        }
    }

    /// Adds mailbox rows that were not taken before. A store may show a row behind one with a higher number.
    ///
    /// What is forgotten here is found by the store, which lets no row be consumed twice.
    pub(crate) fn take_mail(&mut self, messages: Vec<MailboxMessage>) {
        for MailboxMessage { id, message } in messages {
            if self.mail_taken.insert(id) {
                self.queue.push_back(Queued {
                    message,
                    mail: Some(id),
                    derived: false,
                });
            }
        }
        while self.mail_taken.len() > self.queue.len() + MAIL_REMEMBERED {
            self.mail_taken.pop_first();
        }
    }

    /// Whether something of it goes on in this process.
    pub(crate) fn is_active(&self) -> bool {
        !self.tasks.is_empty()
            || !self.to_begin.is_empty()
            || !self.queue.is_empty()
            || !self.checking.is_empty()
    }

    /// Whether there is a reason to commit.
    pub(crate) fn wants_commit(&self) -> bool {
        let may_be_put_away = matches!(self.standing, Standing::Owned(_)) && !self.is_active();
        !self.queue.is_empty()
            || !self.timers.is_empty()
            || !self.missing_children.is_empty()
            || may_be_put_away
    }

    /// Keeps the count of a task until its next attempt, for which a durable timer is armed.
    pub(crate) fn park_task(&mut self, activation: u64, parked: &ParkedTask) {
        self.timers.push(retry_timer(activation, parked.next_at));
        let failed = parked.failed.iter().cloned();
        self.attempts
            .extend(failed.map(|record| (parked.task_instance_id, record)));
    }

    /// The failed attempts of a task, the earliest first.
    pub(crate) fn take_attempts(&mut self, task: TaskInstanceId) -> Vec<AttemptRecord> {
        if self.attempts.is_empty() {
            return Vec::new();
        }
        let mut of_task: Vec<AttemptRecord> = self
            .attempts
            .extract_if(.., |(owner, _)| *owner == task)
            .map(|(_, record)| record)
            .collect();
        of_task.sort_by_key(|record| record.attempt);
        of_task
    }

    /// When the next attempt of a task is due, if one failed before.
    pub(crate) fn next_attempt(&self, task: TaskInstanceId) -> Option<Timestamp> {
        let of_task = self.attempts.iter().filter(|(owner, _)| *owner == task);
        of_task
            .max_by_key(|(_, record)| record.attempt)
            .map(|(_, record)| record.next_attempt_at)
    }

    pub(crate) fn remove_task(&mut self, activation: u64) {
        self.tasks.retain(|task| task.activation != activation);
    }

    pub(crate) fn is_running(&self, activation: u64) -> bool {
        self.tasks.iter().any(|task| task.activation == activation)
    }

    /// Forgets everything under way; handlers are dropped.
    pub(crate) fn abandon_tasks(&mut self) {
        for task in self.tasks.drain(..) {
            task.control.abandon();
        }
        self.to_begin.clear();
    }
}
