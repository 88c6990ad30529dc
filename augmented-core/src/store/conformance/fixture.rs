//! Instances, messages and commits as promises need them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Subject;
use crate::error::{ErrorCategory, ErrorInfo};
use crate::ids::{InstanceId, NodeId, Seq, TaskInstanceId, TenantId};
use crate::runtime::{
    AttemptOutcome, AttemptRecord, DefinitionPin, Fact, InstanceHeader, InstanceState,
    InstanceStatus, Message, ParentRef, SignalMessage, StartMessage, TaskDone, TaskStatus,
    TimerKey, TimerKind, TrailEntry,
};
use crate::store::{
    AttemptRow, CommitOutcome, Expect, FailedAttempt, InstanceCommit, LoadedInstance, NewInstance,
    NewMessage, PendingWork, Refusal, RunningTask, SendOutcome, Snapshot, Store, TaskRow,
};
use crate::time::Timestamp;

/// The tenant of all promises but those about tenants.
pub(super) const TENANT: TenantId = TenantId::DEFAULT;

/// The instant of everything, moved by `seconds`.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000 + seconds * 1000)
}

impl<S: Store> Subject<S> {
    /// A registered node.
    pub(super) async fn node(&self) -> NodeId {
        let node = NodeId(self.new_id(at(0)));
        self.register_node(node, at(0)).await.unwrap();
        node
    }

    /// The header of an instance that was created later, with an id that says so.
    pub(super) fn later(&self, header: InstanceHeader, created_at: Timestamp) -> InstanceHeader {
        let instance_id = InstanceId(self.new_id(created_at));
        let root_instance_id = match &header.parent {
            Some(_) => header.root_instance_id,
            None => instance_id,
        };
        InstanceHeader {
            instance_id,
            root_instance_id,
            created_at,
            ..header
        }
    }

    /// The header of a new instance.
    pub(super) fn header(&self) -> InstanceHeader {
        let id = InstanceId(self.new_id(at(0)));
        InstanceHeader {
            tenant_id: TENANT,
            instance_id: id,
            definition: Arc::new(DefinitionPin {
                id: uuid::Uuid::from_u128(7),
                workflow_id: "order".into(),
                version: "1.0.0".into(),
            }),
            input: Arc::new(json!({ "amount": 12 })),
            correlation_id: None,
            idempotency_key: None,
            initiator_id: None,
            trigger_id: None,
            trigger_event_id: None,
            parent: None,
            root_instance_id: id,
            depth: 0,
            priority: 0,
            trace_parent: None,
            metadata: None,
            created_at: at(0),
            expires_at: None,
        }
    }

    /// The header of a child of an instance.
    pub(super) fn child_header(&self, parent: &InstanceHeader) -> InstanceHeader {
        let step_key = Arc::from("child:#1.1");
        let parent_ref = ParentRef {
            instance_id: parent.instance_id,
            activation: 1,
            step_key,
            waits: true,
        };
        InstanceHeader {
            parent: Some(parent_ref),
            root_instance_id: parent.instance_id,
            depth: 1,
            ..self.header()
        }
    }

    /// A started instance that a node owns.
    pub(super) async fn owned(&self, node: NodeId) -> Arc<InstanceHeader> {
        let header = Arc::new(self.header());
        self.apply(node, start(&header, Some(node))).await;
        header
    }

    /// A started instance that nobody owns.
    pub(super) async fn parked(&self, node: NodeId) -> Arc<InstanceHeader> {
        let header = Arc::new(self.header());
        self.apply(node, start(&header, None)).await;
        header
    }

    /// Commits one instance and answers what became of it.
    pub(super) async fn commit_one(&self, node: NodeId, commit: InstanceCommit) -> CommitOutcome {
        let mut outcomes = self.commit(node, vec![commit]).await.unwrap();
        assert_eq!(outcomes.len(), 1, "one answer for one item");
        outcomes.remove(0)
    }

    /// Commits one instance that must be applied.
    pub(super) async fn apply(&self, node: NodeId, commit: InstanceCommit) {
        assert_eq!(self.commit_one(node, commit).await, CommitOutcome::Applied);
    }

    /// Commits one instance that must be refused.
    pub(super) async fn refuse(&self, node: NodeId, commit: InstanceCommit, refusal: Refusal) {
        assert_eq!(
            self.commit_one(node, commit).await,
            CommitOutcome::Refused(refusal)
        );
    }

    /// Sends one message.
    pub(super) async fn send_one(&self, header: &InstanceHeader, message: Message) -> bool {
        let sent = self
            .send(vec![NewMessage::new(
                header.tenant_id,
                header.instance_id,
                message,
            )])
            .await
            .unwrap();
        assert_eq!(sent.len(), 1, "one answer for one message");
        sent == [SendOutcome::Stored]
    }

    /// An instance that must exist.
    pub(super) async fn loaded(&self, header: &InstanceHeader) -> LoadedInstance {
        self.load(header.tenant_id, &[header.instance_id])
            .await
            .unwrap()
            .remove(0)
            .unwrap()
    }

    /// The work of an instance as a node is offered it.
    pub(super) async fn work_of(
        &self,
        node: NodeId,
        header: &InstanceHeader,
    ) -> Option<PendingWork> {
        self.pending(node, 1000)
            .await
            .unwrap()
            .into_iter()
            .find(|work| work.instance == header.instance_id)
    }

    /// The messages of an instance as a node is offered them.
    pub(super) async fn messages_of(&self, node: NodeId, header: &InstanceHeader) -> Vec<Message> {
        let work = self.work_of(node, header).await;
        work.map_or_else(Vec::new, |work| {
            work.messages.into_iter().map(|row| row.message).collect()
        })
    }

    /// The `seq` of every fact, as the query store tells them.
    pub(super) async fn seqs(&self, header: &InstanceHeader) -> Vec<Seq> {
        let facts = self
            .facts(header.tenant_id, header.instance_id, 0, 10_000)
            .await
            .unwrap();
        facts.iter().map(|fact| fact.seq).collect()
    }
}

/// The first commit of an instance.
pub(super) fn start(header: &Arc<InstanceHeader>, owner: Option<NodeId>) -> InstanceCommit {
    let mut commit = InstanceCommit::new(header.tenant_id, header.instance_id, Expect::New);
    commit.insert = Some(Box::new(NewInstance::new(Arc::clone(header), None)));
    commit.facts = vec![fact(0, Message::Start(StartMessage::default()))];
    commit.snapshot = Some(snapshot(header, 0, owner));
    commit
}

/// A commit without content.
pub(super) fn commit(header: &InstanceHeader, expect: Expect) -> InstanceCommit {
    InstanceCommit::new(header.tenant_id, header.instance_id, expect)
}

/// A commit of the owner that adds the result of a task as fact `seq`.
pub(super) fn progress(header: &InstanceHeader, seq: Seq) -> InstanceCommit {
    let mut commit = commit(header, Expect::Owned(seq - 1));
    commit.facts = vec![fact(seq, task_done(header, seq))];
    commit.tasks = vec![task_row(header, seq)];
    commit
}

/// A commit of the owner that ends the instance with fact `seq`.
pub(super) fn end(header: &Arc<InstanceHeader>, seq: Seq) -> InstanceCommit {
    let mut commit = progress(header, seq);
    let mut last = state(header, seq);
    last.status = InstanceStatus::Completed;
    last.completed_at = Some(at(60));
    last.output = Some(Arc::new(json!({ "total": 1 })));
    commit.snapshot = Some(Snapshot::new(Arc::new(last), None));
    commit
}

/// One entry of each shape: with numbers alone, with more, without anything.
fn trail() -> Vec<TrailEntry> {
    let path = || Some("each[3]".into());
    vec![
        TrailEntry::Completed {
            step: 0,
            path: None,
            visit: 1,
            attempt: 2,
            outcome: None,
        },
        TrailEntry::Completed {
            step: 1,
            path: path(),
            visit: 1,
            attempt: 1,
            outcome: Some("approved".into()),
        },
        TrailEntry::Transition {
            from: 0,
            to: 1,
            path: None,
            rule: Some(2),
            values: None,
        },
        TrailEntry::Transition {
            from: 0,
            to: 1,
            path: path(),
            rule: None,
            values: Some(Box::new(json!({ "amount": 12 }))),
        },
        TrailEntry::Entered {
            step: 1,
            path: None,
            visit: 1,
        },
        TrailEntry::Waiting {
            step: 1,
            path: path(),
            visit: 1,
        },
        TrailEntry::Cancelled {
            step: 1,
            path: None,
            visit: 1,
        },
        TrailEntry::InstanceCompleted,
    ]
}

pub(super) fn fact(seq: Seq, message: Message) -> Fact {
    Fact {
        seq,
        at: at(seq.cast_signed()),
        message,
        trail: trail(),
    }
}

pub(super) fn state(header: &Arc<InstanceHeader>, seq: Seq) -> InstanceState {
    let mut state = InstanceState::new(Arc::clone(header));
    state.seq = Some(seq);
    state.started_at = Some(at(0));
    state.vars = Arc::new(json!({ "seq": seq }));
    state
}

pub(super) fn snapshot(header: &Arc<InstanceHeader>, seq: Seq, owner: Option<NodeId>) -> Snapshot {
    Snapshot::new(Arc::new(state(header, seq)), owner)
}

pub(super) fn signal(id: &str) -> Message {
    let payload = Arc::new(json!({ "id": id }));
    Message::Signal(SignalMessage {
        signal_id: id.into(),
        signal_type: "approved".into(),
        payload,
        sent_by: None,
    })
}

pub(super) fn task_done(header: &InstanceHeader, activation: u64) -> Message {
    Message::TaskDone(Arc::new(TaskDone {
        activation,
        task_instance_id: task_of(header, activation),
        status: TaskStatus::Completed,
        output: Arc::new(Value::from(activation)),
        outcome: None,
        error: None,
        attempts: 1,
        failed_attempts: Vec::new(),
        started_at: at(1),
        ended_at: at(2),
    }))
}

/// Tasks share the time at the beginning of the id of their instance.
pub(super) fn task_of(header: &InstanceHeader, activation: u64) -> TaskInstanceId {
    let instance = header.instance_id.0.as_u128();
    TaskInstanceId(uuid::Uuid::from_u128(
        instance ^ (u128::from(activation) << 32),
    ))
}

pub(super) fn task_row(header: &InstanceHeader, activation: u64) -> TaskRow {
    let input = Arc::new(json!({ "activation": activation }));
    TaskRow::new(
        task_of(header, activation),
        uuid::Uuid::from_u128(8),
        "pay".into(),
        input,
        at(1),
    )
}

pub(super) fn timer(activation: u64) -> TimerKey {
    TimerKey {
        kind: TimerKind::Delay,
        activation,
    }
}

/// Attempt `number` of the task of an activation, failed.
pub(super) fn attempt(header: &InstanceHeader, activation: u64, number: u32) -> FailedAttempt {
    let attempt = AttemptRow {
        tenant: header.tenant_id,
        instance: header.instance_id,
        activation,
        task_instance_id: task_of(header, activation),
        record: AttemptRecord {
            attempt: number,
            started_at: at(1),
            ended_at: at(2),
            outcome: AttemptOutcome::Failed,
            error: ErrorInfo::new(
                "CARD_DECLINED",
                ErrorCategory::Transient,
                "the card was declined",
            ),
            delay_ms: 1000,
            next_attempt_at: at(3),
            checkpoint: Some(json!({ "page": number })),
        },
    };
    FailedAttempt {
        attempt,
        task: task_row(header, activation),
    }
}

/// A task whose handler runs on `node` since `at(1)`.
pub(super) fn running(
    header: &InstanceHeader,
    node: NodeId,
    activation: u64,
    attempt: u32,
) -> RunningTask {
    RunningTask {
        tenant: header.tenant_id,
        instance: header.instance_id,
        activation,
        node,
        attempt,
        started_at: at(1),
        now: at(2),
        task: task_row(header, activation),
    }
}

/// How many of the outcomes are [`CommitOutcome::Applied`].
pub(super) fn applied(outcomes: &[CommitOutcome]) -> usize {
    outcomes
        .iter()
        .filter(|outcome| **outcome == CommitOutcome::Applied)
        .count()
}
