//! The state of an instance: everything that decides what happens next.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::by_id::ById;
use super::limits::DecideLimits;
use super::message::{CancelRequest, Message, SignalMessage};
use super::status::{InstanceStatus, StepStatus};
use crate::error::ErrorInfo;
use crate::ids::{InstanceId, Seq, TaskInstanceId, TenantId};
use crate::time::Timestamp;

/// The index of a step in the compiled workflow of the pinned version.
pub type StepIdx = u16;

/// The path of a scope, for example `verify/appraisal` or `each[3]`; `None` is the root.
pub type PathRef = Option<Arc<str>>;

/// The exact definition an instance runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DefinitionPin {
    /// Row id of the version.
    pub id: Uuid,
    /// Business id.
    pub workflow_id: Arc<str>,
    /// Exact version.
    pub version: Arc<str>,
}

/// The exact task version behind one task reference of the workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskPin {
    /// Row id of the version.
    pub id: Uuid,
    /// Business id.
    pub task_id: Arc<str>,
    /// Exact version.
    pub version: Arc<str>,
}

/// The parent that started an instance, and the open step that waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// The parent.
    pub instance_id: InstanceId,
    /// The activation of its SUB_WORKFLOW step.
    pub activation: u64,
    /// That step, as `stepId:scopePath#visit.attempt`.
    pub step_key: Arc<str>,
    /// Whether the parent waits for the end.
    pub waits: bool,
}

/// What is fixed when an instance is accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceHeader {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id.
    pub instance_id: InstanceId,
    /// The definition it runs.
    pub definition: Arc<DefinitionPin>,
    /// Its input.
    pub input: Arc<Value>,
    /// The caller's business key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<Arc<str>>,
    /// The caller's key for an idempotent start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<Arc<str>>,
    /// Who started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiator_id: Option<Arc<str>>,
    /// The trigger that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_id: Option<Arc<str>>,
    /// The event that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_event_id: Option<Uuid>,
    /// The instance that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentRef>,
    /// The topmost ancestor; itself if it has no parent.
    pub root_instance_id: InstanceId,
    /// Ancestors above it.
    pub depth: u16,
    /// Higher first.
    pub priority: i32,
    /// W3C trace context of the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<Arc<str>>,
    /// Free data of the caller, at most 16 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Arc<Value>>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it must be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl InstanceHeader {
    /// Stands for a header that is kept elsewhere.
    fn blank() -> Arc<Self> {
        let none: Arc<str> = Arc::from("");
        let definition = DefinitionPin {
            id: Uuid::nil(),
            workflow_id: Arc::clone(&none),
            version: none,
        };
        let instance_id = InstanceId(Uuid::nil());
        Arc::new(Self {
            tenant_id: TenantId::SYSTEM,
            instance_id,
            definition: Arc::new(definition),
            input: Arc::new(Value::Null),
            correlation_id: None,
            idempotency_key: None,
            initiator_id: None,
            trigger_id: None,
            trigger_event_id: None,
            parent: None,
            root_instance_id: instance_id,
            depth: 0,
            priority: 0,
            trace_parent: None,
            metadata: None,
            created_at: Timestamp::default(),
            expires_at: None,
        })
    }

    fn is_blank(header: &Arc<Self>) -> bool {
        header.instance_id.0.is_nil()
    }
}

/// An [`ErrorInfo`] that ended an instance, and the step it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceError {
    /// The error.
    pub error: Arc<ErrorInfo>,
    /// The step that failed, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_step_id: Option<Arc<str>>,
}

/// The name of a control point; never reused within an instance.
pub type TokenId = u32;

/// The name of a frame; never reused within an instance. The root frame is 0.
pub type FrameId = u32;

/// A control point: there is one live in each scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// The control point of the container it runs in; none in the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<TokenId>,
    /// Branch or item index within that container.
    pub slot: u32,
    /// The frame its steps are recorded in.
    pub frame: FrameId,
    /// The scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: PathRef,
    /// The step it stands on.
    pub step: StepIdx,
    /// The visit of that step.
    pub visit: u32,
    /// The activation number of that entry.
    pub activation: u64,
    /// What it is doing there.
    pub activity: Activity,
}

/// What a control point waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Activity {
    /// A task instance.
    #[serde(rename_all = "camelCase")]
    Task {
        /// Its derived id.
        task_instance_id: TaskInstanceId,
        /// Its input.
        input: Arc<Value>,
        /// The POLL round, from 1; 0 for a TASK step.
        round: u32,
        /// When it was dispatched.
        dispatched_at: Timestamp,
        /// When the POLL step is over time.
        until: Option<Timestamp>,
    },
    /// The next POLL round.
    #[serde(rename_all = "camelCase")]
    PollPause {
        /// The step input, the same in each round.
        input: Arc<Value>,
        /// The round that ended.
        round: u32,
        /// When the next one begins.
        fire_at: Timestamp,
        /// When the POLL step is over time.
        until: Option<Timestamp>,
    },
    /// A signal.
    #[serde(rename_all = "camelCase")]
    Signal {
        /// When it stops waiting.
        until: Option<Timestamp>,
    },
    /// An instant.
    #[serde(rename_all = "camelCase")]
    Delay {
        /// The instant.
        fire_at: Timestamp,
    },
    /// A child instance.
    #[serde(rename_all = "camelCase")]
    Child {
        /// The child.
        instance_id: InstanceId,
        /// The child's input.
        input: Arc<Value>,
        /// The child's correlation id.
        correlation_id: Option<Arc<str>>,
        /// Which try it is, from 1.
        attempt: u32,
        /// When it is over time.
        until: Option<Timestamp>,
    },
    /// The next try of a child.
    #[serde(rename_all = "camelCase")]
    ChildPause {
        /// The child's input.
        input: Arc<Value>,
        /// The try that failed.
        attempt: u32,
        /// When the next one begins.
        fire_at: Timestamp,
    },
    /// Its branches.
    Parallel(Box<ParallelState>),
    /// Its iterations.
    ForEach(Box<ForEachState>),
    /// Nothing: the step failed and nobody handled it; kept for a later retry.
    Frozen,
}

/// How a branch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BranchStatus {
    /// Still going.
    Running,
    /// Reached the end of its path.
    Completed,
    /// Ended with an error.
    Failed,
    /// Was stopped.
    Cancelled,
}

impl BranchStatus {
    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// One branch of an open PARALLEL step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BranchState {
    /// How it stands.
    pub status: BranchStatus,
    /// Its output once completed; none is null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Arc<Value>>,
    /// Its error once failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Arc<ErrorInfo>>,
    /// Its time limit, with the activation number its timer is known by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<(u64, Timestamp)>,
}

/// An open PARALLEL step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParallelState {
    /// The branches in definition order.
    pub branches: Vec<BranchState>,
    /// Whether the join condition was met and only the remaining branches are awaited.
    pub joined: bool,
}

/// How an iteration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ItemStatus {
    /// Reached the end of its path.
    Completed,
    /// Ended with an error.
    Failed,
}

/// The result of one iteration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemResult {
    /// How it ended.
    pub status: ItemStatus,
    /// Its output once completed; none is null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Arc<Value>>,
    /// Its error once failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Arc<ErrorInfo>>,
}

/// An open FOR_EACH step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForEachState {
    /// The list, evaluated once.
    pub items: Arc<Vec<Arc<Value>>>,
    /// The first item not begun yet.
    pub next: u32,
    /// Iterations under way.
    pub live: u32,
    /// Results by index.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub results: BTreeMap<u32, ItemResult>,
    /// Bytes its items and results count towards the state limit while it is open.
    pub bytes: u64,
    /// Where the visits of its iterations begin: what `left_bodies` of the frame around it said of this loop and of
    /// those inside it when it was entered. Frozen here, because iterations that end meanwhile raise the original.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bases: Vec<(StepIdx, u32)>,
}

/// Where the visits of a set of steps are kept: the root, or one iteration of a FOR_EACH body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Frame {
    /// The frame around it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<FrameId>,
    /// The FOR_EACH step whose body it is; none for the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<StepIdx>,
    /// The iteration, for a FOR_EACH body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<(u32, Arc<Value>)>,
    /// For each FOR_EACH step in this frame, or nested deeper, that was left: the highest visit in its iterations.
    /// Numbering goes on from there, so that no activation ever repeats. One entry a loop is enough, however many
    /// iterations there were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_bodies: Vec<(StepIdx, u32)>,
    /// Visits begin after this number.
    pub visit_base: u32,
    /// The latest visit of each step, by the step's position in its frame; absent if never entered.
    pub visits: Vec<Option<Box<Visit>>>,
}

/// The latest entry of a step in its scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Visit {
    /// Its number, from 1.
    pub number: u32,
    /// How it stands.
    pub status: StepStatus,
    /// The outcome once completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Arc<str>>,
    /// The step input; none is null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Arc<Value>>,
    /// The step output; none (null) until completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Arc<Value>>,
    /// The error once failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Arc<ErrorInfo>>,
    /// Attempts begun.
    pub attempt: u32,
    /// When it was entered.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// The fact that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_seq: Option<Seq>,
    /// Bytes its input and output count towards the state limit.
    pub bytes: u32,
}

/// Where a task stood that was stopped or ran over its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GivenUp {
    /// The activation its answer names.
    pub activation: u64,
    /// The step.
    pub step: StepIdx,
    /// The scope of that step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: PathRef,
    /// The visit of that step.
    pub visit: u32,
}

/// What an instance that is held keeps for later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// The status before.
    pub from: InstanceStatus,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// Who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<Arc<str>>,
    /// What came since and moves nothing yet, in the order of the facts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Message>,
}

/// A signal nobody waited for yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BufferedSignal(pub SignalMessage);

/// The whole state of an instance as of fact `seq`.
///
/// It changes only by applying a message; cloning it copies structure, never payloads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceState {
    /// What was fixed at the start.
    #[serde(
        default = "InstanceHeader::blank",
        skip_serializing_if = "InstanceHeader::is_blank"
    )]
    pub header: Arc<InstanceHeader>,
    /// The status.
    pub status: InstanceStatus,
    /// The last fact contained; `None` before the start fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    /// The exact task versions in use.
    pub task_pins: Arc<[TaskPin]>,
    /// What decisions depend on besides the workflow; pinned at the start.
    pub limits: DecideLimits,
    /// The workflow variables, always an object.
    pub vars: Arc<Value>,
    /// When the start fact was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// The control points by id; ids grow, so iteration is in order of creation.
    #[serde(default, skip_serializing_if = "ById::is_empty")]
    pub tokens: ById<Token>,
    /// The frames by id.
    #[serde(default, skip_serializing_if = "ById::is_empty")]
    pub frames: ById<Frame>,
    /// The next control point.
    pub next_token: TokenId,
    /// The next frame.
    pub next_frame: FrameId,
    /// The next activation number; numbers begin at 1.
    pub next_activation: u64,
    /// Step entries over all scopes.
    pub total_visits: u32,
    /// Bytes of inputs, outputs and variables, as the state limit counts them.
    pub bytes: u64,
    /// Signals kept for later steps.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub signals: VecDeque<BufferedSignal>,
    /// What a control point was sent to its step with as an error handler: the value of root `error`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub handling: BTreeMap<TokenId, Arc<Value>>,
    /// Whether the workflow's `onError` handler has been used; it runs once.
    pub on_error_used: bool,
    /// The error that handler was given: unless it reaches an END that says COMPLETED, the instance fails with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unhandled: Option<InstanceError>,
    /// Tasks that a cancellation told to stop and that have not answered yet, by activation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stopping: BTreeMap<u64, TaskInstanceId>,
    /// Where tasks stood that were given up and may answer yet, the latest ones: a late answer names only its
    /// activation.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub given_up: VecDeque<GivenUp>,
    /// The accepted cancellation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<CancelRequest>,
    /// Why nothing moves, while it is PAUSED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Box<Pause>>,
    /// The step entered last, for display.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_step: Option<StepIdx>,
    /// The output once completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Arc<Value>>,
    /// The outcome its END named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Arc<str>>,
    /// The error once failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<InstanceError>,
}

impl InstanceState {
    /// The state before the first message.
    #[must_use]
    pub fn new(header: Arc<InstanceHeader>) -> Self {
        Self {
            header,
            status: InstanceStatus::Running,
            seq: None,
            task_pins: Arc::from([]),
            limits: DecideLimits::default(),
            vars: Arc::new(Value::Object(Map::new())),
            started_at: None,
            completed_at: None,
            tokens: ById::new(),
            frames: ById::new(),
            next_token: 0,
            next_frame: 0,
            next_activation: 1,
            total_visits: 0,
            bytes: 0,
            signals: VecDeque::new(),
            handling: BTreeMap::new(),
            on_error_used: false,
            unhandled: None,
            stopping: BTreeMap::new(),
            given_up: VecDeque::new(),
            cancellation: None,
            paused: None,
            current_step: None,
            output: None,
            outcome: None,
            error: None,
        }
    }

    /// The same state without its header, which is then left out of its serialised form: for stores that keep the
    /// header in columns of its own.
    #[must_use]
    pub fn without_header(&self) -> Self {
        Self {
            header: InstanceHeader::blank(),
            ..self.clone()
        }
    }

    /// The same state with this header.
    #[must_use]
    pub fn with_header(mut self, header: Arc<InstanceHeader>) -> Self {
        self.header = header;
        self
    }

    /// The number the next fact takes.
    #[must_use]
    pub fn next_seq(&self) -> Seq {
        self.seq.map_or(0, |seq| seq + 1)
    }

    /// Whether a result or the end of a child has come for this activation and is held.
    #[must_use]
    pub fn is_answered(&self, activation: u64) -> bool {
        let held = self.paused.iter().flat_map(|pause| &pause.held);
        held.into_iter().any(|message| match message {
            Message::TaskDone(done) => done.activation == activation,
            Message::ChildDone(done) => done.activation == activation,
            _ => false,
        })
    }

    /// How many signals it holds that no step has taken.
    #[must_use]
    pub fn kept_signals(&self) -> usize {
        let held = self.paused.iter().flat_map(|pause| &pause.held);
        let held = held.filter(|message| matches!(message, Message::Signal(_)));
        self.signals.len() + held.count()
    }

    /// Whether anything runs in the process of the owner: a task, as opposed to timers, signals and children.
    #[must_use]
    pub fn has_open_task(&self) -> bool {
        !self.status.is_terminal()
            && self.tokens.values().any(|token| {
                matches!(token.activity, Activity::Task { .. })
                    && !self.is_answered(token.activation)
            })
    }
}
