//! The database fails in every way while workflows run: callers get typed errors meanwhile, and when it is back everything
//! ends, each step once. Real time, because it is the database's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use augmented_acceptance::workflow;
use augmented_core::runtime::InstanceStatus;
use augmented_engine::{Engine, EngineError, StartRequest, TaskContext, TaskError};
use augmented_store_postgres::{PostgresConfig, PostgresStore};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::task::JoinSet;

use super::url;

const CLIENTS: u32 = 24;
const ROUNDS: u32 = 6;

struct World {
    engine: Engine,
    store: Arc<PostgresStore>,
    /// Connections that no fault touches.
    raw: PgPool,
    /// The role of the store; its connections are told from others by it.
    role: String,
}

impl World {
    async fn new(configure: impl FnOnce(PostgresConfig) -> PostgresConfig) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let role = format!("faults_{}_{number}", std::process::id());
        let raw = PgPool::connect(&url()).await.unwrap();
        execute(&raw, &format!("CREATE ROLE {role} SUPERUSER LOGIN")).await;
        let config = PostgresConfig::from_url(&as_role(&url(), &role)).unwrap();
        let config = configure(config.with_max_connections(6));
        let store = Arc::new(PostgresStore::scratch_with(config).await.unwrap());
        let engine = Engine::builder(Arc::clone(&store) as _)
            .with_task("add", |_: TaskContext, input: Value| async move {
                let n = input["n"].as_u64().unwrap_or_default();
                Ok::<_, TaskError>(json!({ "n": n + 1 }))
            })
            .start()
            .await
            .unwrap();
        let add = |id: &str, from: &str| json!({"stepId": id, "type": "TASK", "taskId": "add", "input": {"n": from}});
        let mut steps = [
            add("a", "${input.n}"),
            add("b", "${steps.a.output.n}"),
            add("c", "${steps.b.output.n}"),
        ];
        for (step, next) in steps.iter_mut().zip(["b", "c"]) {
            step["next"] = json!([{ "nextStepId": next }]);
        }
        engine
            .publish(workflow("adding", json!(steps)))
            .await
            .unwrap();
        Self {
            engine,
            store,
            raw,
            role,
        }
    }

    fn table(&self, name: &str) -> String {
        format!("{}.{name}", self.store.schema())
    }

    /// Ends all connections of the store.
    async fn drop_connections(&self) {
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{}'",
            self.role
        );
        execute(&self.raw, &sql).await;
    }

    /// Lets clients work, `fault` happen in the middle, and holds everything against what they were told.
    async fn survives(self, fault: impl AsyncFnOnce(&Self)) {
        let is_over = Arc::new(AtomicBool::new(false));
        let refused = Arc::new(AtomicU32::new(0));
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            let (engine, is_over) = (self.engine.clone(), Arc::clone(&is_over));
            let refused = Arc::clone(&refused);
            clients.spawn(async move {
                let mut done = 0;
                // At least a few rounds, and one that begins when the fault is over.
                for round in 0.. {
                    let last = round >= ROUNDS && is_over.load(Ordering::SeqCst);
                    work(&engine, client, round, &refused).await;
                    done += 1;
                    if last {
                        break;
                    }
                }
                done
            });
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        fault(&self).await;
        is_over.store(true, Ordering::SeqCst);
        let patience = tokio::time::timeout(Duration::from_secs(60), clients.join_all());
        let done: u32 = patience.await.expect("work goes on").into_iter().sum();
        self.audit(done).await;
        self.engine.shutdown().await;
        self.store.close().await;
        let (raw, role) = (self.raw.clone(), self.role.clone());
        drop(self);
        execute(&raw, &format!("DROP OWNED BY {role} CASCADE")).await;
        execute(&raw, &format!("DROP ROLE {role}")).await;
    }

    /// Every accepted workflow has ended, each step once, numbered without gaps; nothing is left behind.
    async fn audit(&self, started: u32) {
        let wrong = format!(
            "SELECT count(*), count(*) FILTER (WHERE status <> 'COMPLETED' OR facts <> '{{1,2,3}}' OR owner_node IS NOT NULL)
             FROM (SELECT w.*, ARRAY(SELECT t.seq FROM {} t WHERE t.workflow_instance_id = w.id ORDER BY t.seq) AS facts
                   FROM {} w) AS w",
            self.table("task_instances"),
            self.table("workflow_instances"),
        );
        let (there, wrong): (i64, i64) = sqlx::query_as(AssertSqlSafe(wrong))
            .fetch_one(&self.raw)
            .await
            .unwrap();
        assert_eq!((there, wrong), (i64::from(started), 0));
        for table in ["workflow_mailbox", "timers"] {
            assert_eq!(
                super::rows(&self.raw, &self.table(table)).await,
                0,
                "{table}"
            );
        }
    }
}

/// One workflow, begun again under its key as long as the store is away, awaited the same way.
async fn work(engine: &Engine, client: u32, round: u32, refused: &AtomicU32) {
    let request = || {
        StartRequest::new("adding")
            .with_input(json!({ "n": client }))
            .with_idempotency_key(format!("{client}-{round}"))
    };
    let id = loop {
        match engine.start(request()).await {
            Ok(handle) => break handle.id(),
            Err(error) => wait_out(&error, refused).await,
        }
    };
    let result = loop {
        match engine.await_result(id).await {
            Ok(result) => break result,
            Err(error) => wait_out(&error, refused).await,
        }
    };
    assert_eq!(result.status, InstanceStatus::Completed, "{result:?}");
}

/// Whoever calls while the database is away is told so, and nothing else.
async fn wait_out(error: &EngineError, refused: &AtomicU32) {
    assert_eq!(error.code(), "UNAVAILABLE", "{error:?}");
    refused.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(20)).await;
}

fn as_role(url: &str, role: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let place = rest.split_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}://{role}@{place}")
}

async fn execute(pool: &PgPool, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_drop_again_and_again() {
    let world = World::new(|config| config).await;
    world
        .survives(async |world| {
            for _ in 0..15 {
                world.drop_connections().await;
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_take_too_long() {
    let world =
        World::new(|config| config.with_statement_timeout(Duration::from_millis(300))).await;
    world
        .survives(async |world| {
            let mut blocking = world.raw.begin().await.unwrap();
            let lock = format!(
                "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE",
                world.table("task_instances")
            );
            sqlx::raw_sql(AssertSqlSafe(lock))
                .execute(&mut *blocking)
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_millis(1200)).await;
            blocking.rollback().await.unwrap();
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_is_free() {
    let few = |config: PostgresConfig| {
        config
            .with_max_connections(2)
            .with_acquire_timeout(Duration::from_millis(200))
    };
    let world = World::new(few).await;
    world
        .survives(async |world| {
            let mut blocking = world.raw.begin().await.unwrap();
            let lock = format!(
                "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE",
                world.table("workflow_instances")
            );
            sqlx::raw_sql(AssertSqlSafe(lock))
                .execute(&mut *blocking)
                .await
                .unwrap();
            // Whoever asks now finds all connections waiting for the lock.
            tokio::time::sleep(Duration::from_millis(100)).await;
            let asked = (0..8).map(|_| {
                let engine = world.engine.clone();
                async move {
                    engine
                        .await_result(augmented_core::InstanceId(uuid::Uuid::nil()))
                        .await
                }
            });
            let answers = futures_util::future::join_all(asked);
            let answers = tokio::time::timeout(Duration::from_millis(1500), answers).await;
            blocking.rollback().await.unwrap();
            if let Ok(answers) = answers {
                for answer in answers {
                    assert_eq!(answer.unwrap_err().code(), "UNAVAILABLE");
                }
            }
        })
        .await;
}

/// What the server says when its disk is full, when it cannot serialize, when it reads or writes badly, when it has no
/// memory left, and when an administrator ends a statement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_refuses_to_write() {
    let world = World::new(|config| config).await;
    world
        .survives(async |world| {
            let function = world.table("refuse");
            let tasks = world.table("task_instances");
            for code in ["53100", "40001", "40P01", "58030", "53200", "57014"] {
                let begin = format!(
                    "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
                     BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{code}'; END $$;
                     CREATE TRIGGER refuse BEFORE INSERT ON {tasks} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
                );
                execute(&world.raw, &begin).await;
                tokio::time::sleep(Duration::from_millis(150)).await;
                execute(&world.raw, &format!("DROP TRIGGER refuse ON {tasks}")).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
}

/// As after a failover, when the old address leads to a server that only reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_only_reads_for_a_while() {
    let world = World::new(|config| config).await;
    world
        .survives(async |world| {
            let role = &world.role;
            execute(
                &world.raw,
                &format!("ALTER ROLE {role} SET default_transaction_read_only = on"),
            )
            .await;
            world.drop_connections().await;
            tokio::time::sleep(Duration::from_millis(800)).await;
            // The first client has begun this one already, so it adds nothing.
            let request = StartRequest::new("adding")
                .with_input(json!({ "n": 0 }))
                .with_idempotency_key("0-0");
            let answer = world.engine.start(request);
            // An answer may also come when the server writes again.
            let answer = tokio::time::timeout(Duration::from_millis(500), answer).await;
            if let Ok(answer) = answer {
                assert_eq!(
                    answer.map(|handle| handle.id()).unwrap_err().code(),
                    "UNAVAILABLE"
                );
            }
            execute(
                &world.raw,
                &format!("ALTER ROLE {role} RESET default_transaction_read_only"),
            )
            .await;
            world.drop_connections().await;
        })
        .await;
}
