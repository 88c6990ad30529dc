//! Where instances run: the one commit door, the mailbox, timers and nodes.

use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;
use crate::error::{ErrorCategory, ErrorInfo};
use crate::ids::{InstanceId, NodeId, Seq, TaskInstanceId, TenantId};
use crate::model::TaskType;
use crate::runtime::{
    AttemptRecord, Fact, InstanceHeader, InstanceState, Message, PathRef, TaskDone, TimerKey,
};
use crate::time::Timestamp;

/// What the writer believes about the instance it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are all the cases there are")]
pub enum Expect {
    /// It does not exist yet.
    New,
    /// The writing node owns it, and this is its last committed fact.
    Owned(Seq),
    /// Nobody owns it, and this is its last committed fact; the commit takes or leaves ownership by its snapshot.
    Parked(Option<Seq>),
}

/// An instance to insert.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewInstance {
    /// What is fixed about it.
    pub header: Arc<InstanceHeader>,
    /// SHA-256 of the canonical input, to tell a repeated idempotent start from a conflicting one.
    pub input_hash: Option<[u8; 32]>,
    /// The node that goes on with it, which must be the writer; `None` if nobody does. A snapshot in the same commit says
    /// it anew.
    pub owner: Option<NodeId>,
}

impl NewInstance {
    /// An instance to insert that nobody owns.
    #[must_use]
    pub fn new(header: Arc<InstanceHeader>, input_hash: Option<[u8; 32]>) -> Self {
        Self {
            header,
            input_hash,
            owner: None,
        }
    }

    /// Says which node goes on with it.
    #[must_use]
    pub fn with_owner(mut self, owner: NodeId) -> Self {
        self.owner = Some(owner);
        self
    }
}

/// The instance row written anew: the state as of its last fact, and who owns it from now on.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a snapshot is these things")]
pub struct Snapshot {
    /// The state; status, output, error and instants of the row are read off it.
    pub state: Arc<InstanceState>,
    /// The owner from now on; `None` parks the instance.
    pub owner: Option<NodeId>,
    /// The step entered last, for display.
    pub current_step: Option<Arc<str>>,
}

impl Snapshot {
    /// A snapshot of an instance that `owner` goes on with, or that is parked.
    #[must_use]
    pub fn new(state: Arc<InstanceState>, owner: Option<NodeId>) -> Self {
        Self {
            state,
            owner,
            current_step: None,
        }
    }
}

/// A durable timer of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a timer is these two things")]
pub struct TimerRow {
    /// Its identity within the instance.
    pub key: TimerKey,
    /// When it is due.
    pub fire_at: Timestamp,
}

/// The number of a mailbox row within its instance.
pub type MailboxId = u64;

/// A message for the mailbox of an instance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewMessage {
    /// Whose tenant.
    pub tenant: TenantId,
    /// To which instance.
    pub instance: InstanceId,
    /// The message; its [`Message::message_key`] makes it take effect at most once.
    pub message: Message,
    /// How many signals the instance may hold, waiting in its mailbox or kept in its state, before this one is refused.
    pub max_signals: Option<u32>,
}

impl NewMessage {
    /// A message for the mailbox of an instance.
    #[must_use]
    pub fn new(tenant: TenantId, instance: InstanceId, message: Message) -> Self {
        Self {
            tenant,
            instance,
            message,
            max_signals: None,
        }
    }

    /// Refuses the message where the instance holds so many signals.
    #[must_use]
    pub fn with_max_signals(mut self, max: u32) -> Self {
        self.max_signals = Some(max);
        self
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are all the cases there are")]
pub enum SendOutcome {
    /// It is in the mailbox.
    Stored,
    /// It was accepted before, or the instance is unknown or ended.
    Ignored,
    /// The instance holds as many signals as the message allows.
    Full,
}

/// A message read from a mailbox.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a mailbox row is these two things"
)]
pub struct MailboxMessage {
    /// Its number; rows of one instance are applied in this order.
    pub id: MailboxId,
    /// The message.
    pub message: Message,
}

/// What is written of a task besides its result: which it is, where it stands in its workflow, and what it was given.
///
/// A store that shows tasks to people keeps it; what decides is the fact alone.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TaskRow {
    /// The task instance; its id is a UUIDv7 with the time of its workflow instance.
    pub task_instance_id: TaskInstanceId,
    /// Row id of the exact version of its definition.
    pub definition: Uuid,
    /// Row id of the version of the workflow it belongs to.
    pub workflow_definition: Option<Uuid>,
    /// What kind of task it is.
    pub task_type: TaskType,
    /// The step.
    pub step_id: Arc<str>,
    /// The scope of that step.
    pub path: PathRef,
    /// The visit of that step.
    pub visit: u32,
    /// Its input.
    pub input: Arc<serde_json::Value>,
    /// When it was dispatched first.
    pub created_at: Timestamp,
    /// Whether it was shown as running, so that it has a row already. It may have one also if this is false.
    pub was_shown: bool,
}

impl TaskRow {
    /// The row of a task of step `step_id`, entered the first time, in the root scope.
    #[must_use]
    pub fn new(
        task_instance_id: TaskInstanceId,
        definition: Uuid,
        step_id: Arc<str>,
        input: Arc<serde_json::Value>,
        created_at: Timestamp,
    ) -> Self {
        Self {
            task_instance_id,
            definition,
            workflow_definition: None,
            task_type: TaskType::Automated,
            step_id,
            path: None,
            visit: 1,
            input,
            created_at,
            was_shown: false,
        }
    }

    /// Says whether it was shown as running.
    #[must_use]
    pub fn with_shown(mut self, was_shown: bool) -> Self {
        self.was_shown = was_shown;
        self
    }

    /// Says which version of a workflow it belongs to.
    #[must_use]
    pub fn with_workflow(mut self, definition: Uuid) -> Self {
        self.workflow_definition = Some(definition);
        self
    }

    /// Says which kind of task it is.
    #[must_use]
    pub fn with_type(mut self, task_type: TaskType) -> Self {
        self.task_type = task_type;
        self
    }

    /// Says which visit of the step it belongs to, and in which scope.
    #[must_use]
    pub fn with_visit(mut self, path: PathRef, visit: u32) -> Self {
        self.path = path;
        self.visit = visit;
        self
    }
}

/// The result of a task as its handler records it itself, in a transaction with rows of its own.
///
/// The fact that lets the workflow go on follows from it, also when the process dies before it is written.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "these are the parts")]
pub struct TaskCompletion {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Which instance.
    pub instance: InstanceId,
    /// The task.
    pub task: TaskRow,
    /// Its result; it is completed.
    pub done: TaskDone,
}

/// A failed attempt together with the task it belongs to.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "these are the two things")]
pub struct FailedAttempt {
    /// The attempt.
    pub attempt: AttemptRow,
    /// Its task.
    pub task: TaskRow,
}

/// An attempt that failed with budget left, written at once so that the count survives a crash.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "an attempt row is these things")]
pub struct AttemptRow {
    /// Whose tenant.
    pub tenant: TenantId,
    /// The instance of the task.
    pub instance: InstanceId,
    /// The activation of the task.
    pub activation: u64,
    /// The task.
    pub task_instance_id: TaskInstanceId,
    /// The attempt.
    pub record: AttemptRecord,
}

/// An attempt under way whose handler has been running for a while.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a running task is these things")]
pub struct RunningTask {
    /// Whose tenant.
    pub tenant: TenantId,
    /// The instance of the task.
    pub instance: InstanceId,
    /// The activation of the task.
    pub activation: u64,
    /// The node that runs the handler.
    pub node: NodeId,
    /// The number of the attempt.
    pub attempt: u32,
    /// When the attempt began.
    pub started_at: Timestamp,
    /// When this is written.
    pub now: Timestamp,
    /// What else is known of the task.
    pub task: TaskRow,
}

/// The error of an attempt whose node was lost.
#[must_use]
pub fn worker_lost() -> ErrorInfo {
    ErrorInfo::new(
        "WORKER_LOST",
        ErrorCategory::System,
        "the node was lost while the handler ran",
    )
    .with_retryable(true)
}

/// Everything one instance changes in one commit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InstanceCommit {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Which instance.
    pub instance: InstanceId,
    /// What the writer believes.
    pub expect: Expect,
    /// For a new instance, its row.
    pub insert: Option<Box<NewInstance>>,
    /// The facts, consecutive from the one after the expected.
    pub facts: Vec<Fact>,
    /// What else is known of the tasks that these facts end; a late result of a task has none.
    pub tasks: Vec<TaskRow>,
    /// The row written anew.
    pub snapshot: Option<Snapshot>,
    /// Mailbox rows whose effect this commit records; all of them must be there.
    pub consumed: Vec<MailboxId>,
    /// Timers armed.
    pub timers_set: Vec<TimerRow>,
    /// Timers disarmed.
    pub timers_cleared: Vec<TimerKey>,
    /// Children to insert, unowned, each with its start waiting in its mailbox.
    pub children: Vec<NewInstance>,
    /// Messages to other instances of the same tenant.
    pub outbox: Vec<NewMessage>,
    /// Signals that the state keeps after these facts.
    pub signals_kept: u32,
}

impl InstanceCommit {
    /// A commit that changes nothing yet.
    #[must_use]
    pub fn new(tenant: TenantId, instance: InstanceId, expect: Expect) -> Self {
        Self {
            tenant,
            instance,
            expect,
            insert: None,
            facts: Vec::new(),
            tasks: Vec::new(),
            snapshot: None,
            consumed: Vec::new(),
            timers_set: Vec::new(),
            timers_cleared: Vec::new(),
            children: Vec::new(),
            outbox: Vec::new(),
            signals_kept: 0,
        }
    }

    /// Whether the instance is over with it.
    #[must_use]
    pub fn ends(&self) -> bool {
        let snapshot = self.snapshot.as_ref();
        snapshot.is_some_and(|snapshot| snapshot.state.status.is_terminal())
    }

    /// Refuses what no correct writer sends; a store asks before it applies anything of a batch.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the facts do not follow the expected one, the snapshot is of another fact or names
    /// another owner than the writer, or the commit contradicts itself in another way.
    pub fn check(&self, writer: NodeId) -> Result<(), StoreError> {
        let (node, commit) = (writer, self);
        let mut last = match commit.expect {
            Expect::New => None,
            Expect::Owned(seq) => Some(seq),
            Expect::Parked(seq) => seq,
        };
        for fact in &commit.facts {
            if fact.seq != last.map_or(0, |seq| seq.saturating_add(1)) {
                return Err(StoreError::corrupt(format!(
                    "fact {} of instance {} does not follow the one before",
                    fact.seq, commit.instance
                )));
            }
            last = Some(fact.seq);
        }
        if let Some(snapshot) = &commit.snapshot {
            if snapshot.state.seq != last {
                return Err(StoreError::corrupt(format!(
                    "the snapshot of instance {} is not of its last fact",
                    commit.instance
                )));
            }
            if snapshot.owner.is_some_and(|owner| owner != node) {
                return Err(StoreError::corrupt(format!(
                    "the snapshot of instance {} names another owner than the writer",
                    commit.instance
                )));
            }
        }
        let inserts = match (&commit.insert, commit.expect) {
            (Some(new), Expect::New) => {
                new.header.instance_id == commit.instance
                    && new.header.tenant_id == commit.tenant
                    && new.owner.is_none_or(|owner| owner == node)
            }
            (None, Expect::Owned(_) | Expect::Parked(_)) => true,
            (Some(_), Expect::Owned(_) | Expect::Parked(_)) | (None, Expect::New) => false,
        };
        let children = commit
            .children
            .iter()
            .all(|child| child.header.tenant_id == commit.tenant && child.owner.is_none());
        let outbox = commit
            .outbox
            .iter()
            .all(|message| message.tenant == commit.tenant);
        if inserts && children && outbox {
            Ok(())
        } else {
            Err(StoreError::corrupt(format!(
                "the commit of instance {} contradicts itself",
                commit.instance
            )))
        }
    }
}

/// Why a commit was not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are all the cases there are")]
pub enum Refusal {
    /// The writing node is fenced or unknown; it must register anew and drop all its copies.
    Fenced,
    /// Somebody else owns the instance, or the expected fact is not the last one; the copy must be dropped.
    Conflict,
    /// An instance of the same workflow was started under the same idempotency key before.
    KeyTaken {
        /// That instance.
        instance: InstanceId,
        /// Whether its input was the same.
        same_input: bool,
    },
}

/// What became of one instance's commit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are all the cases there are")]
pub enum CommitOutcome {
    /// Applied as a whole.
    Applied,
    /// Not applied at all.
    Refused(Refusal),
}

/// An instance as it stands in the store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoadedInstance {
    /// What was fixed at the start.
    pub header: Arc<InstanceHeader>,
    /// Its owner.
    pub owner: Option<NodeId>,
    /// How often it was taken over since its last fact.
    pub takeovers: u16,
    /// The last snapshot; `None` if it was inserted and never begun.
    pub state: Option<Arc<InstanceState>>,
    /// The facts behind the snapshot, in order.
    pub facts: Vec<Fact>,
    /// Failed attempts of its open tasks.
    pub attempts: Vec<AttemptRow>,
    /// Results that handlers recorded themselves, and that no fact has taken up yet.
    pub recorded: Vec<Arc<TaskDone>>,
}

impl LoadedInstance {
    /// An instance as it stands in the store.
    #[must_use]
    pub fn new(
        header: Arc<InstanceHeader>,
        owner: Option<NodeId>,
        takeovers: u16,
        state: Option<Arc<InstanceState>>,
        facts: Vec<Fact>,
        attempts: Vec<AttemptRow>,
    ) -> Self {
        Self {
            header,
            owner,
            takeovers,
            state,
            facts,
            attempts,
            recorded: Vec::new(),
        }
    }

    /// The same with results that handlers recorded.
    #[must_use]
    pub fn with_recorded(mut self, recorded: Vec<Arc<TaskDone>>) -> Self {
        self.recorded = recorded;
        self
    }

    /// The last committed fact.
    #[must_use]
    pub fn last_seq(&self) -> Option<Seq> {
        self.facts
            .last()
            .map(|fact| fact.seq)
            .or_else(|| self.state.as_ref().and_then(|state| state.seq))
    }
}

/// An instance with messages waiting in its mailbox.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "pending work is these things")]
pub struct PendingWork {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Which instance.
    pub instance: InstanceId,
    /// The instance, for one that nobody owns; an owner has its own copy.
    pub loaded: Option<LoadedInstance>,
    /// Its messages in order.
    pub messages: Vec<MailboxMessage>,
}

/// A node as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a node is these things")]
pub struct NodeInfo {
    /// Its id.
    pub node: NodeId,
    /// When it was last heard of.
    pub heartbeat_at: Timestamp,
    /// Whether it may no longer write.
    pub fenced: bool,
}

/// Why a waiting engine was woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are all the cases there are")]
pub enum Wakeup {
    /// Mailbox rows, timers or new instances have been committed since the last call.
    Work,
    /// The store was closed.
    Closed,
}

/// Runs instances durably.
///
/// # Contract
/// The door:
/// - `commit_applies_whole_or_not_at_all`: no part of a refused commit is visible.
/// - `each_item_of_a_batch_stands_alone`: in one batch some are applied and some refused, answers come in order.
/// - `same_seq_commits_once`: of two commits with one `(instance, seq)`, exactly one is applied.
/// - `facts_follow_without_a_gap`: a commit whose facts do not follow the expected one, or whose snapshot is of another
///   fact, is not applied; it is answered with a refusal or [`StoreError::Corrupt`].
/// - `only_the_owner_commits`: a commit with [`Expect::Owned`] of a node that is not the owner is refused.
/// - `a_parked_instance_is_woken_by_one`: of several nodes that wake one parked instance, exactly one becomes its owner.
/// - `an_instance_is_inserted_once`: inserting an instance whose id exists is refused.
/// - `an_idempotency_key_starts_once`: of two inserts with one (tenant, workflow, key), exactly one is applied.
/// - `a_message_key_is_applied_once`: a commit with a fact whose message key has a fact already is refused.
/// - `a_snapshot_stands_for_the_facts_before_it`: an instance is loaded as its last snapshot and the facts behind it; one
///   that has no snapshot yet, as its facts.
/// - `running_tasks_are_lost_with_their_node`: a task shown as running by a node that is fenced is loaded by its heir with
///   an attempt that was lost; shown by anybody but the owner, or over, it is none.
/// - `attempts_are_kept_once_until_the_task_is_done`: a failed attempt is loaded with its instance until a fact ends its
///   task, by the id of the task instance.
///
/// Messages and children:
/// - `a_message_key_is_accepted_once`: a message whose key waits in the mailbox or was applied is not stored again.
/// - `mailbox_order_is_kept`: messages of one instance are returned in the order they were accepted.
/// - `work_waits_until_it_is_consumed`: rows are offered until an applied commit consumes them.
/// - `a_row_is_consumed_once`: a commit that consumes a row that is not there, or one twice, is refused.
/// - `work_is_offered_to_its_owner_or_to_all`: to the owner without the instance; if there is none, to all with it.
/// - `the_oldest_work_comes_first`: by the oldest message that waits.
/// - `messages_arrive_with_the_commit_that_sends_them`: the outbox is delivered if the commit is applied.
/// - `a_child_is_inserted_once`: with its start waiting; inserting a child whose id exists changes nothing.
/// - `accepted_instances_wait_for_a_node`: unowned, with their start waiting; accepted again, nothing changes. A taken
///   idempotency key is answered as in a commit.
/// - `ended_instances_take_no_messages`: a message to an unknown or ended instance is answered [`SendOutcome::Ignored`].
/// - `signals_are_counted_where_they_wait_and_where_they_are_kept`: a message is refused as [`SendOutcome::Full`] exactly
///   when the signals in the mailbox and those of [`InstanceCommit::signals_kept`] reach its limit.
/// - `the_end_clears_open_work`: messages, timers and attempts go with the snapshot that ends the instance.
///
/// Timers:
/// - `due_timers_become_messages_once`: a due timer leaves exactly one Timer message; armed again, one more.
/// - `a_cleared_timer_never_fires`: nor does another timer go with it.
/// - `a_timer_set_again_moves`: of one commit, disarming is done before arming.
/// - `the_next_timer_is_the_earliest`: of all instances.
///
/// Nodes:
/// - `an_unknown_node_cannot_commit`: it is answered [`Refusal::Fenced`].
/// - `a_fenced_node_cannot_commit`: after [`fence_node`](Self::fence_node) returned, every commit of that node is refused,
///   also one that was under way.
/// - `a_fence_is_final`: neither a heartbeat nor registering the same id again lifts it.
/// - `a_node_that_is_heard_of_is_not_fenced`: after `silent_since`, that is.
/// - `nodes_are_listed_while_they_matter`: while they are not fenced or own an instance.
/// - `take_over_moves_only_fenced_owners`: to a node that is not, and each instance to one.
/// - `take_overs_are_counted_until_the_next_fact`: on each instance.
///
/// Waking:
/// - `every_node_hears_of_every_change`: of messages, children, accepted instances and nearer timers.
/// - `a_dropped_wait_loses_no_wake_up`: what was not heard of wakes the next wait.
#[async_trait]
pub trait ExecutionStore: Send + Sync {
    /// Registers a node, not fenced.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn register_node(&self, node: NodeId, now: Timestamp) -> Result<(), StoreError>;

    /// Renews a node's lease; `false` if it is fenced or unknown.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn heartbeat(&self, node: NodeId, now: Timestamp) -> Result<bool, StoreError>;

    /// The nodes that still own instances or are not fenced.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError>;

    /// Fences a node if it was last heard of at or before `silent_since`; `true` if it is fenced now.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn fence_node(&self, node: NodeId, silent_since: Timestamp) -> Result<bool, StoreError>;

    /// Moves up to `limit` instances of a fenced node to `to` and counts the take-over on each.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn take_over(
        &self,
        from: NodeId,
        to: NodeId,
        limit: usize,
    ) -> Result<Vec<LoadedInstance>, StoreError>;

    /// The one door: applies a batch, each instance as a whole or not at all; answers in the order given.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] leaves open whether the batch was applied: the caller drops its copies and loads again.
    async fn commit(
        &self,
        node: NodeId,
        batch: Vec<InstanceCommit>,
    ) -> Result<Vec<CommitOutcome>, StoreError>;

    /// Accepts new instances that no node owns yet, each with its start waiting in its mailbox: for callers that run no
    /// node. Answers in the order given: applied, also where the same instance was accepted before, or refused because of
    /// its idempotency key.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] leaves open what was accepted; accepting the same instances again is harmless.
    async fn accept(&self, new: Vec<NewInstance>) -> Result<Vec<CommitOutcome>, StoreError>;

    /// Loads instances; absent ones are `None`.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn load(
        &self,
        tenant: TenantId,
        ids: &[InstanceId],
    ) -> Result<Vec<Option<LoadedInstance>>, StoreError>;

    /// Puts messages into mailboxes; answers in the order given.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn send(&self, messages: Vec<NewMessage>) -> Result<Vec<SendOutcome>, StoreError>;

    /// Up to `limit` instances that have mailbox rows and are owned by `node` or by nobody, oldest waiting first.
    ///
    /// Rows stay until a commit consumes them, so the same work is returned again until then.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn pending(&self, node: NodeId, limit: usize) -> Result<Vec<PendingWork>, StoreError>;

    /// Turns up to `limit` timers due at `now` into mailbox messages; answers how many.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn fire_due_timers(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError>;

    /// The earliest instant at which a timer is due.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn next_timer(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Writes failed attempts of open tasks; a repeated (task, attempt) changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn record_attempts(&self, attempts: Vec<FailedAttempt>) -> Result<(), StoreError>;

    /// Shows tasks as running. One is passed over if its instance is not owned by its node, or if it is over.
    ///
    /// Whoever takes such an instance over finds the attempt among the failed ones, as lost with its node
    /// ([`worker_lost`]), ended when the node was last heard of, the next one due at once.
    ///
    /// # Errors
    /// [`StoreError`] if the storage is broken.
    async fn record_running(&self, tasks: Vec<RunningTask>) -> Result<(), StoreError>;

    /// Returns when there may be something for `node` in [`pending`](Self::pending) or a nearer timer, possibly without cause.
    ///
    /// Dropping the future loses no wake-up: a change committed since the last return to that node wakes its next call
    /// at once. It is asked per node because several may share one store object, and each must hear of every change.
    async fn wait_for_work(&self, node: NodeId) -> Wakeup;
}

/// Row ids of definitions an instance pins, for callers that load them together.
#[must_use]
pub fn pinned_definitions(state: &InstanceState) -> Vec<Uuid> {
    let mut ids = vec![state.header.definition.id];
    ids.extend(state.task_pins.iter().map(|pin| pin.id));
    ids
}
