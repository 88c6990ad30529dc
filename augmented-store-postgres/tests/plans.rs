//! The hot statements as PostgreSQL carries them out: by which indexes, and how many pages they touch.
//!
//! The store runs them itself; `auto_explain` tells their plans, those inside functions included. The number of instances
//! can be raised with `AUGMENTED_TEST_FILL`.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are test code")]

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use augmented_core::error::{ErrorCategory, ErrorInfo};
use augmented_core::runtime::{
    AttemptOutcome, AttemptRecord, DefinitionPin, Fact, InstanceHeader, InstanceState,
    InstanceStatus, Message, SignalMessage, StartMessage, TaskDone, TaskStatus, TimerKey,
    TimerKind,
};
use augmented_core::store::{
    AttemptRow, CommitOutcome, ExecutionStore, Expect, FailedAttempt, InstanceCommit,
    InstanceFilter, NewInstance, NewMessage, Page, QueryStore, SendOutcome, Snapshot, TaskRow,
    TimerRow,
};
use augmented_core::{InstanceId, NodeId, TaskInstanceId, TenantId, Timestamp};
use augmented_store_postgres::{PostgresConfig, PostgresStore};
use serde_json::{Value, json};
use sqlx::types::Uuid;
use sqlx::{AssertSqlSafe, PgPool, Row};
use support::Fresh;

const TENANT: TenantId = TenantId::DEFAULT;

/// The node that died and owned some instances.
const DEAD: NodeId = NodeId(Uuid::from_u128(0xdead));

/// How often a call is made before its plans are looked at: by then, prepared statements have the plan they keep.
const ROUNDS: usize = 7;

/// Tables that grow with what is over.
const GROWING: &[&str] = &[
    "workflow_instances",
    "task_instances",
    "task_attempts",
    "workflow_history",
    "workflow_idempotency_keys",
];

// ---- what the server tells --------------------------------------------------------------------------------------

/// Keeps the notices of the connections of one thread.
#[derive(Clone, Default)]
struct Notices(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Notices {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "sqlx::postgres::notice"
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn event(&self, event: &tracing::Event<'_>) {
        struct Text(String);
        impl tracing::field::Visit for Text {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
            fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
                if field.name() == "message" {
                    value.clone_into(&mut self.0);
                }
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// One scan of a table.
#[derive(Debug)]
struct Scan {
    kind: String,
    table: String,
    index: Option<String>,
    condition: String,
}

/// One statement as it was carried out.
#[derive(Debug)]
struct Statement {
    text: String,
    pages: i64,
    scans: Vec<Scan>,
}

impl Notices {
    /// The statements since the last time.
    fn take(&self) -> Vec<Statement> {
        let texts: Vec<String> = self.0.lock().unwrap().drain(..).collect();
        texts.iter().filter_map(|text| statement(text)).collect()
    }
}

fn statement(text: &str) -> Option<Statement> {
    let (_, plan) = text.split_once("plan:\n")?;
    let plan: Value = serde_json::from_str(plan).unwrap();
    let root = &plan["Plan"];
    let mut scans = Vec::new();
    collect(root, &mut scans);
    Some(Statement {
        text: plan["Query Text"].as_str().unwrap().to_owned(),
        pages: root["Shared Hit Blocks"].as_i64().unwrap()
            + root["Shared Read Blocks"].as_i64().unwrap(),
        scans,
    })
}

fn collect(node: &Value, scans: &mut Vec<Scan>) {
    let text = |name: &str| node[name].as_str().unwrap_or_default().to_owned();
    if let Some(table) = node["Relation Name"].as_str()
        && text("Node Type").contains("Scan")
        // A branch that was never carried out costs nothing.
        && node["Actual Loops"].as_f64() != Some(0.0)
    {
        scans.push(Scan {
            kind: text("Node Type"),
            table: table.to_owned(),
            index: node["Index Name"].as_str().map(str::to_owned),
            condition: text("Index Cond"),
        });
    }
    if let Some(children) = node["Plans"].as_array() {
        for child in children {
            collect(child, scans);
        }
    }
}

/// A store whose connections tell the plan of every statement.
async fn telling_store(fresh: &Fresh) -> PostgresStore {
    let settings = [
        "session_preload_libraries=auto_explain",
        "auto_explain.log_min_duration=0",
        "auto_explain.sample_rate=1",
        "auto_explain.log_nested_statements=on",
        "auto_explain.log_analyze=on",
        "auto_explain.log_timing=off",
        "auto_explain.log_buffers=on",
        "auto_explain.log_format=json",
        "client_min_messages=log",
    ];
    let options: Vec<String> = settings.iter().map(|s| format!("-c%20{s}")).collect();
    let url = format!("{}?options={}", support::url(), options.join("%20"));
    // One connection for the calls, so that what is prepared is prepared once.
    let config = PostgresConfig::new(url)
        .with_schema(fresh.schema.clone())
        .with_max_connections(2);
    PostgresStore::connect(config).await.unwrap()
}

// ---- the calls ----------------------------------------------------------------------------------------------------

fn base() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn new_id(number: u128) -> Uuid {
    let millis = u128::try_from(base().as_millis()).unwrap();
    Uuid::from_u128((millis << 80) | (7 << 76) | (2 << 62) | number)
}

fn header(number: u128) -> Arc<InstanceHeader> {
    let id = InstanceId(new_id(number));
    Arc::new(InstanceHeader {
        tenant_id: TENANT,
        instance_id: id,
        definition: Arc::new(DefinitionPin {
            id: Uuid::from_u128(7),
            workflow_id: "w1".into(),
            version: "1.0.0".into(),
        }),
        input: Arc::new(json!({ "amount": 12 })),
        correlation_id: None,
        idempotency_key: Some(format!("new-{number}").into()),
        initiator_id: None,
        trigger_id: None,
        trigger_event_id: None,
        parent: None,
        root_instance_id: id,
        depth: 0,
        priority: 0,
        trace_parent: None,
        metadata: None,
        created_at: base(),
        expires_at: None,
    })
}

fn state(header: &Arc<InstanceHeader>, seq: u64) -> InstanceState {
    let mut state = InstanceState::new(Arc::clone(header));
    state.seq = Some(seq);
    state.started_at = Some(base());
    state
}

fn fact(seq: u64, message: Message) -> Fact {
    Fact {
        seq,
        at: base(),
        message,
        trail: Vec::new(),
    }
}

fn task_id(header: &InstanceHeader, activation: u64) -> TaskInstanceId {
    TaskInstanceId(Uuid::from_u128(
        header.instance_id.0.as_u128() ^ (u128::from(activation) << 32),
    ))
}

fn task(header: &InstanceHeader, activation: u64) -> TaskRow {
    let input = Arc::new(json!({}));
    TaskRow::new(
        task_id(header, activation),
        Uuid::from_u128(8),
        "pay".into(),
        input,
        base(),
    )
}

fn done(header: &InstanceHeader, activation: u64) -> Message {
    Message::TaskDone(Arc::new(TaskDone {
        activation,
        task_instance_id: task_id(header, activation),
        status: TaskStatus::Completed,
        output: Arc::new(json!(1)),
        outcome: None,
        error: None,
        attempts: 1,
        failed_attempts: Vec::new(),
        started_at: base(),
        ended_at: base(),
    }))
}

fn signal(id: String) -> Message {
    Message::Signal(SignalMessage {
        signal_id: id.into(),
        signal_type: "approved".into(),
        payload: Arc::new(json!({})),
        sent_by: None,
    })
}

fn attempt(header: &InstanceHeader, activation: u64) -> FailedAttempt {
    FailedAttempt {
        attempt: AttemptRow {
            tenant: header.tenant_id,
            instance: header.instance_id,
            activation,
            task_instance_id: task_id(header, activation),
            record: AttemptRecord {
                attempt: 1,
                started_at: base(),
                ended_at: base(),
                outcome: AttemptOutcome::Failed,
                error: ErrorInfo::new("DECLINED", ErrorCategory::Transient, "declined"),
                delay_ms: 1000,
                next_attempt_at: base(),
                checkpoint: None,
            },
        },
        task: task(header, activation),
    }
}

async fn applied(store: &PostgresStore, node: NodeId, commit: InstanceCommit) {
    let outcomes = store.commit(node, vec![commit]).await.unwrap();
    assert_eq!(outcomes, [CommitOutcome::Applied]);
}

/// Ids that a call can use, with the place to go on from in a list.
struct Samples {
    parked: Vec<InstanceId>,
    finished: Vec<InstanceId>,
    deep: (Timestamp, InstanceId),
}

impl Samples {
    async fn read(pool: &PgPool) -> Self {
        let ids = |condition: &str| {
            let sql = format!(
                "SELECT id FROM workflow_instances WHERE tenant_id = '{TENANT}' AND {condition} ORDER BY md5(id::text) LIMIT 60"
            );
            async move {
                let ids: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(sql))
                    .fetch_all(pool)
                    .await
                    .unwrap();
                ids.into_iter().map(InstanceId).collect::<Vec<_>>()
            }
        };
        let finished = ids("status = 'COMPLETED'").await;
        let deep = sqlx::query(
            "SELECT created_at, id FROM workflow_instances WHERE tenant_id = $1 AND id = $2",
        )
        .bind(TENANT.0)
        .bind(finished[0].0)
        .fetch_one(pool)
        .await
        .unwrap();
        Self {
            parked: ids("status = 'WAITING_FOR_EVENT' AND owner_node IS NULL").await,
            deep: (Timestamp::from_chrono(deep.get(0)), InstanceId(deep.get(1))),
            finished,
        }
    }
}

/// Sets the conditions of a list.
type FillFilter = fn(&mut InstanceFilter, &Samples);

/// What each call did in its last round.
type Seen = BTreeMap<&'static str, Vec<Statement>>;

/// Makes every hot call a few times; `numbers` are those of new instances.
async fn make_calls(
    store: &PostgresStore,
    notices: &Notices,
    samples: Option<&Samples>,
    numbers: u128,
) -> Seen {
    let mut seen = Seen::new();
    let node = NodeId(Uuid::from_u128(numbers + 1));
    notices.take();
    for round in 0..ROUNDS {
        let number = numbers + 1000 * u128::try_from(round).unwrap();
        let mut note = |call: &'static str| {
            seen.insert(call, notices.take());
        };
        store.register_node(node, base()).await.unwrap();
        note("register");
        assert!(store.heartbeat(node, base()).await.unwrap());
        note("heartbeat");
        store.nodes().await.unwrap();
        note("nodes");
        store.fence_node(DEAD, base()).await.unwrap();
        note("fence");

        // The life of an instance.
        let header = header(number);
        let id = header.instance_id;
        let mut start = InstanceCommit::new(TENANT, id, Expect::New);
        start.insert = Some(Box::new(NewInstance::new(Arc::clone(&header), None)));
        start.facts = vec![fact(0, Message::Start(StartMessage::default()))];
        start.snapshot = Some(Snapshot::new(Arc::new(state(&header, 0)), Some(node)));
        start.timers_set = vec![TimerRow {
            key: TimerKey {
                kind: TimerKind::Execution,
                activation: 0,
            },
            fire_at: base().plus_millis(86_400_000_000),
        }];
        applied(store, node, start).await;
        note("commit: start");
        store
            .record_attempts(vec![attempt(&header, 1)])
            .await
            .unwrap();
        note("record attempts");
        let mut progress = InstanceCommit::new(TENANT, id, Expect::Owned(0));
        progress.facts = vec![fact(1, done(&header, 1))];
        progress.tasks = vec![task(&header, 1)];
        progress.facts[0].message = match done(&header, 1) {
            Message::TaskDone(task) => {
                let mut task = (*task).clone();
                task.attempts = 2;
                task.failed_attempts = vec![attempt(&header, 1).attempt.record];
                Message::TaskDone(Arc::new(task))
            }
            other => other,
        };
        applied(store, node, progress).await;
        note("commit: task");
        let mut park = InstanceCommit::new(TENANT, id, Expect::Owned(1));
        park.facts = vec![fact(2, signal(format!("s-{number}")))];
        park.snapshot = Some(Snapshot::new(Arc::new(state(&header, 2)), None));
        applied(store, node, park).await;
        note("commit: park");
        let mut wake = InstanceCommit::new(TENANT, id, Expect::Parked(Some(2)));
        wake.facts = vec![fact(3, done(&header, 3))];
        wake.tasks = vec![task(&header, 3)];
        wake.snapshot = Some(Snapshot::new(Arc::new(state(&header, 3)), Some(node)));
        applied(store, node, wake).await;
        note("commit: wake");
        let sent = store
            .send(vec![NewMessage::new(
                TENANT,
                id,
                signal(format!("a-{number}")),
            )])
            .await
            .unwrap();
        assert_eq!(sent, [SendOutcome::Stored]);
        note("send");
        let limited =
            NewMessage::new(TENANT, id, signal(format!("b-{number}"))).with_max_signals(9);
        assert_eq!(
            store.send(vec![limited]).await.unwrap(),
            [SendOutcome::Stored]
        );
        note("send with a limit");
        let mut end = InstanceCommit::new(TENANT, id, Expect::Owned(3));
        end.facts = vec![fact(4, done(&header, 4))];
        end.tasks = vec![task(&header, 4)];
        let mut last = state(&header, 4);
        last.status = InstanceStatus::Completed;
        last.completed_at = Some(base());
        last.output = Some(Arc::new(json!(1)));
        end.snapshot = Some(Snapshot::new(Arc::new(last), None));
        applied(store, node, end).await;
        note("commit: end");
        store
            .accept(vec![NewInstance::new(
                self::header(number + 1),
                Some([7; 32]),
            )])
            .await
            .unwrap();
        note("accept");

        store.load(TENANT, &[id]).await.unwrap();
        note("load");
        assert_eq!(store.facts(TENANT, id, 0, 100).await.unwrap().len(), 5);
        note("facts");
        store.pending(node, 50).await.unwrap();
        note("pending");
        store.fire_due_timers(base(), 10).await.unwrap();
        note("fire timers");
        store.next_timer().await.unwrap();
        note("next timer");
        store.take_over(DEAD, node, 5).await.unwrap();
        note("take over");

        let Some(samples) = samples else { continue };
        store.load(TENANT, &samples.parked[..50]).await.unwrap();
        note("load 50");
        let messages = samples
            .parked
            .iter()
            .take(50)
            .map(|id| NewMessage::new(TENANT, *id, signal(format!("c-{number}"))));
        store.send(messages.collect()).await.unwrap();
        note("send 50");
        let filters: [(&'static str, FillFilter); 9] = [
            ("list", |_, _| ()),
            ("list by workflow", |filter, _| {
                filter.workflow_id = Some("w3".into())
            }),
            ("list by version", |filter, _| {
                filter.version = Some("1.0.0".into())
            }),
            ("list open ones", |filter, _| {
                filter.statuses = vec![InstanceStatus::WaitingForEvent]
            }),
            ("list failed ones", |filter, _| {
                filter.statuses = vec![InstanceStatus::Failed]
            }),
            ("list by correlation", |filter, _| {
                filter.correlation_id = Some("c77".into())
            }),
            ("list children", |filter, samples| {
                filter.parent = Some(samples.finished[1])
            }),
            ("list a day", |filter, samples| {
                filter.created_from = Some(samples.deep.0);
                filter.created_before = Some(samples.deep.0.plus_millis(86_400_000));
            }),
            ("list by metadata", |filter, _| {
                filter.metadata = Some(json!({ "region": "r3" }))
            }),
        ];
        for (call, fill) in filters {
            let mut filter = InstanceFilter::default();
            fill(&mut filter, samples);
            let page = store
                .list_instances(TENANT, &filter, Page::default())
                .await
                .unwrap();
            assert!(
                !page.instances.is_empty() || call == "list children",
                "{call}"
            );
            note(call);
        }
        let behind = Page::new(Some(samples.deep), 50);
        store
            .list_instances(TENANT, &InstanceFilter::default(), behind)
            .await
            .unwrap();
        note("list a deep page");
        let small = TenantId(Uuid::from_u128(2));
        store
            .list_instances(small, &InstanceFilter::default(), Page::default())
            .await
            .unwrap();
        note("list of a small tenant");
    }
    seen
}

// ---- the database -------------------------------------------------------------------------------------------------

/// Adds instances that are over and, one for ten of them, instances that wait: with three tasks and a fact each, timers,
/// messages and keys. They were created in the 100 days before; one in twenty belongs to another tenant.
async fn fill(pool: &PgPool, finished: i64) {
    let sql = format!(
        "SET LOCAL synchronous_commit = off;
         CREATE TEMPORARY TABLE made ON COMMIT DROP AS
         SELECT i, CASE WHEN i % 20 = 0 THEN '00000000-0000-0000-0000-000000000002' ELSE '{TENANT}' END::uuid AS tenant_id,
             (left(aug_first_id(at)::text, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid AS id, at,
             CASE WHEN i % 11 = 0 THEN 'WAITING_FOR_EVENT' WHEN i % 100 = 1 THEN 'FAILED' ELSE 'COMPLETED' END AS status
         FROM (SELECT i, timestamptz '{}' - random() * interval '100 days' AS at
               FROM generate_series(1, {finished} * 11 / 10) i) AS i;
         INSERT INTO workflow_instances (tenant_id, id, workflow_definition_id, workflow_id, definition_version, status,
             created_at, started_at, updated_at, completed_at, input, output, start, trail, correlation_id, metadata,
             owner_node, idempotency_key)
         SELECT tenant_id, id, '00000000-0000-0000-0000-000000000007', 'w' || i % 10, '1.0.0', status::instance_status,
             at, at, at, CASE WHEN status <> 'WAITING_FOR_EVENT' THEN at + interval '1 minute' END,
             '{{\"amount\": 12}}', '{{\"total\": 1}}', '{{\"taskPins\": []}}', '[]', 'c' || i / 10,
             jsonb_build_object('region', 'r' || i % 20),
             CASE WHEN status = 'WAITING_FOR_EVENT' AND i % 22 = 0 THEN '{}'::uuid END,
             CASE WHEN i % 5 = 0 THEN id::text END
         FROM made ORDER BY at;
         INSERT INTO workflow_idempotency_keys SELECT tenant_id, 'w' || i % 10, id::text, id, NULL FROM made WHERE i % 5 = 0;
         INSERT INTO task_instances (tenant_id, id, task_definition_id, workflow_instance_id, workflow_definition_id, seq,
             activation, visit, attempt, status, type, created_at, updated_at, started_at, ended_at, step_id, scope_path,
             input, output, trail)
         SELECT tenant_id, (left(id::text, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid,
             '00000000-0000-0000-0000-000000000008', id, '00000000-0000-0000-0000-000000000007', n, n, 1, 1, 'COMPLETED',
             'AUTOMATED', at, at, at, at, 'step', '', '{{}}', '{{}}', '[]'
         FROM made, generate_series(1, 3) n ORDER BY at;
         INSERT INTO workflow_history (tenant_id, instance_id, seq, kind, message_key, occurred_at, payload, trail)
         SELECT tenant_id, id, 4, 'TIMER', 'm' || i, at, '{{\"TIMER\": {{\"kind\": \"DELAY\", \"activation\": 1}}}}', '[]'
         FROM made ORDER BY at;
         INSERT INTO timers (tenant_id, instance_id, kind, activation, fire_at)
         SELECT tenant_id, id, 'DELAY', 1, CASE WHEN i <= 2200 THEN '{}'::timestamptz ELSE '{}'::timestamptz + interval '1 day' * i END
         FROM made WHERE status = 'WAITING_FOR_EVENT' AND i % 22 <> 0;
         INSERT INTO task_attempts (tenant_id, task_instance_id, attempt, started_at, ended_at, outcome, error)
         SELECT tenant_id, id, 1, at, at, 'FAILED', '{{\"code\": \"E\"}}' FROM made WHERE i % 10 = 3;
         INSERT INTO workflow_mailbox (tenant_id, instance_id, kind, payload)
         SELECT tenant_id, id, 'TIMER', '{{\"TIMER\": {{\"kind\": \"DELAY\", \"activation\": 1}}}}'
         FROM made WHERE status = 'WAITING_FOR_EVENT' AND i <= 2200",
        base(),
        DEAD,
        base(),
        base(),
    );
    let mut transaction = pool.begin().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    for table in GROWING
        .iter()
        .chain(&["timers", "workflow_mailbox", "engine_nodes"])
    {
        let sql = format!("VACUUM (ANALYZE) {table}");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(pool)
            .await
            .unwrap();
    }
}

async fn dead_node(pool: &PgPool) {
    sqlx::query("INSERT INTO engine_nodes (node_id, started_at, heartbeat_at) VALUES ($1, '2026-01-01', '2026-01-01')")
        .bind(DEAD.0)
        .execute(pool)
        .await
        .unwrap();
}

/// Runs a test with its thread keeping the notices of its connections.
fn with_notices<F: Future<Output = ()>>(test: impl FnOnce(Fresh, Notices) -> F) {
    let notices = Notices::default();
    let _guard = tracing::subscriber::set_default(notices.clone());
    support::run(async {
        let fresh = Fresh::new().await;
        test(fresh, notices).await;
    });
}

fn is_growing(table: &str) -> bool {
    GROWING.iter().any(|growing| {
        table
            .strip_prefix(growing)
            .is_some_and(|rest| rest.is_empty() || rest == "_default")
    })
}

/// Pages touched by a call: those of the statements the store sent, which contain those of functions.
fn pages(statements: &[Statement], schema: &str) -> i64 {
    let sent = statements
        .iter()
        .filter(|s| s.text.contains(&format!("{schema}.")));
    sent.map(|statement| statement.pages).sum()
}

// ---- the tests ----------------------------------------------------------------------------------------------------

/// Plans made on tables that just began to fill are kept for a while: no index but the keys may look good to them, and no
/// key may be read from its beginning.
#[test]
fn look_ups_keep_to_their_keys_on_a_fresh_database() {
    with_notices(|fresh, notices| async move {
        let pool = fresh.pool().await;
        dead_node(&pool).await;
        let store = telling_store(&fresh).await;
        let seen = make_calls(&store, &notices, None, 1_000_000).await;
        let mut wrong = Vec::new();
        let mut looked = 0;
        for (call, statements) in &seen {
            for scan in statements.iter().flat_map(|statement| &statement.scans) {
                let (true, Some(index)) = (is_growing(&scan.table), &scan.index) else {
                    continue;
                };
                looked += 1;
                let own = [
                    "_pkey",
                    "_owner_node_idx",
                    "_instance_id_message_key_idx",
                    "_default_fact",
                    "_workflow_instance_id_idx",
                    // Of running tasks.
                    "_executor_id_idx",
                    // Of results that handlers recorded.
                    "_workflow_instance_id_idx1",
                ];
                let reads_all = scan.condition.is_empty() && !may_read_all(call);
                if reads_all || !own.iter().any(|own| index.ends_with(own)) {
                    wrong.push(format!("{call}: {scan:?}"));
                }
            }
        }
        assert!(looked > 20, "only {looked} scans were told");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        store.close().await;
        drop(fresh);
    });
}

/// Calls that go through a table in the order of a key and stop when they have enough.
fn may_read_all(call: &str) -> bool {
    matches!(call, "pending" | "next timer") || call.starts_with("list")
}

/// The statements by which one instance is found, as functions have them: for all values at once, without sequential scans.
const LOOK_UPS: &[&str] = &[
    "SELECT * FROM workflow_instances WHERE tenant_id = $1 AND id = $2",
    "SELECT * FROM workflow_instances WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE",
    "SELECT * FROM workflow_instances WHERE tenant_id = $1 AND id = $2 AND completed_at IS NULL",
    "SELECT w.* FROM unnest(ARRAY[$1], ARRAY[$2]) AS i(tenant, id)
     JOIN workflow_instances w ON w.tenant_id = i.tenant AND w.id = i.id",
    "SELECT w.* FROM unnest(ARRAY[$1], ARRAY[$2]) AS i(tenant, id)
     JOIN workflow_instances w ON w.tenant_id = i.tenant AND w.id = i.id AND w.completed_at IS NULL",
    "UPDATE workflow_instances SET takeovers = 0 WHERE tenant_id = $1 AND id = $2",
];

#[test]
fn an_instance_is_found_by_its_key_however_few_there_are() {
    support::run(async {
        let fresh = Fresh::new().await;
        let pool = fresh.pool().await;
        let off = "ALTER TABLE workflow_instances_default SET (autovacuum_enabled = off)";
        sqlx::raw_sql(off).execute(&pool).await.unwrap();
        let mut there = 0;
        for more in [0, 1, 5, 20, 50, 100, 300, 1000, 3000] {
            let insert = "INSERT INTO workflow_instances (tenant_id, id, workflow_definition_id, workflow_id,
                    definition_version, status, created_at, updated_at, completed_at, input, state)
                SELECT $1, gen_random_uuid(), gen_random_uuid(), 'w', '1.0.0',
                    CASE WHEN i % 2 = 0 THEN 'COMPLETED' ELSE 'RUNNING' END::instance_status, now(), now(),
                    CASE WHEN i % 2 = 0 THEN now() END, '{}', jsonb_build_object('x', repeat('y', 600))
                FROM generate_series(1, $2) i";
            sqlx::query(insert)
                .bind(TENANT.0)
                .bind(more)
                .execute(&pool)
                .await
                .unwrap();
            there += more;
            let mut session = pool.begin().await.unwrap();
            let settings = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off;
                SET LOCAL cpu_tuple_cost = 1; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_bitmapscan = off";
            sqlx::raw_sql(settings)
                .execute(&mut *session)
                .await
                .unwrap();
            for look_up in LOOK_UPS {
                let sql = format!(
                    "PREPARE look (uuid, uuid) AS {look_up};
                     EXPLAIN (FORMAT JSON) EXECUTE look ('{TENANT}', '{TENANT}');
                     DEALLOCATE look"
                );
                let rows = sqlx::raw_sql(AssertSqlSafe(sql))
                    .fetch_all(&mut *session)
                    .await
                    .unwrap();
                let plan: Value = rows[0].get(0);
                let mut scans = Vec::new();
                collect(&plan[0]["Plan"], &mut scans);
                let indexes: Vec<&str> = scans
                    .iter()
                    .filter_map(|scan| scan.index.as_deref())
                    .collect();
                assert_eq!(
                    indexes,
                    ["workflow_instances_default_pkey"],
                    "{there} rows: {look_up}"
                );
            }
        }
        drop(fresh);
    });
}

#[test]
fn what_is_over_costs_nothing() {
    with_notices(|fresh, notices| async move {
        let large: i64 = std::env::var("AUGMENTED_TEST_FILL")
            .ok()
            .map_or(200_000, |text| text.parse().unwrap());
        let pool = fresh.pool().await;
        dead_node(&pool).await;
        let mut before: BTreeMap<&str, i64> = BTreeMap::new();
        let mut wrong = Vec::new();
        for (step, finished) in [large / 10, large].into_iter().enumerate() {
            fill(&pool, finished).await;
            let samples = Samples::read(&pool).await;
            let store = telling_store(&fresh).await;
            let numbers = 1_000_000 * (u128::try_from(step).unwrap() + 1);
            let seen = make_calls(&store, &notices, Some(&samples), numbers).await;
            assert!(seen.len() > 25);
            for (call, statements) in &seen {
                let touched = pages(statements, fresh.schema.as_str());
                println!("{finished:>8} {call:<24} {touched:>6} pages");
                if std::env::var_os("AUGMENTED_TEST_PLANS").is_some() {
                    for statement in statements {
                        println!("{:#?}", statement);
                    }
                }
                for scan in statements.iter().flat_map(|statement| &statement.scans) {
                    // On few rows, reading them all is cheapest.
                    if step > 0 && is_growing(&scan.table) && scan.kind == "Seq Scan" {
                        wrong.push(format!("{call} reads all of {}", scan.table));
                    }
                }
                let most = most_pages(call);
                if touched > most {
                    wrong.push(format!("{call} touches {touched} pages, more than {most}"));
                }
                // An index over ten times as much is a level deeper at most.
                if let Some(small) = before.insert(call, touched)
                    && touched > small * 3 + 100
                {
                    wrong.push(format!(
                        "{call} touches {touched} pages, and {small} with a tenth"
                    ));
                }
            }
            store.close().await;
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        drop(fresh);
    });
}

/// How many pages a call may touch, however much is over.
fn most_pages(call: &str) -> i64 {
    match call {
        "load 50" | "send 50" | "pending" => 4000,
        _ if call.starts_with("list") => 2500,
        _ => 400,
    }
}
