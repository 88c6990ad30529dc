//! Behind PgBouncer in transaction mode, which keeps no sessions: every promise of the store, and what only a pooler breaks.
//!
//! Where there is no `pgbouncer`, the tests pass without having looked, and say so; with `AUGMENTED_TEST_POOLER=required`
//! they fail instead.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "the helpers of tests are test code"
)]

mod support;

use std::cell::RefCell;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use augmented_core::model::DefinitionKind;
use augmented_core::runtime::{
    DefinitionPin, Fact, InstanceHeader, InstanceState, InstanceStatus, Message, SignalMessage,
    StartMessage,
};
use augmented_core::store::{
    CommitOutcome, DefinitionStore, ExecutionStore, Expect, InstanceCommit, NewInstance,
    NewMessage, QueryStore, SendOutcome, Snapshot, Wakeup,
};
use augmented_core::{InstanceId, NodeId, TenantId, Timestamp};
use augmented_store_postgres::{
    PostgresConfig, PostgresError, PostgresStore, SchemaName, UpkeepConfig,
};
use serde_json::json;
use sqlx::types::Uuid;

/// Where the database itself is, as `host:port`.
fn database() -> String {
    let url = support::url();
    let place = url
        .split("://")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .unwrap();
    let place = place.rsplit('@').next().unwrap();
    match place.contains(':') {
        true => place.to_owned(),
        false => format!("{place}:5432"),
    }
}

/// The port of a pooler that goes with this program; none where it is not installed.
fn pooler() -> Option<u16> {
    static POOLER: OnceLock<Option<u16>> = OnceLock::new();
    *POOLER.get_or_init(start_pooler)
}

fn start_pooler() -> Option<u16> {
    let there = Command::new("pgbouncer").arg("--version").output().is_ok();
    if !there {
        let required =
            std::env::var("AUGMENTED_TEST_POOLER").is_ok_and(|value| value == "required");
        assert!(!required, "install pgbouncer: apt-get install pgbouncer");
        eprintln!("pgbouncer is not installed: nothing was tested");
        return None;
    }
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let folder = std::env::temp_dir().join(format!("augmented-pooler-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (database, users, settings) = (database(), folder.join("users"), folder.join("settings"));
    let (host, database_port) = database.rsplit_once(':').unwrap();
    std::fs::write(&users, "\"postgres\" \"\"\n").unwrap();
    let text = format!(
        "[databases]\npooled = host={host} port={database_port} dbname=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = trust\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = 20\nserver_idle_timeout = 1\n\
         max_client_conn = 400\nignore_startup_parameters = extra_float_digits\n",
        users.display()
    );
    std::fs::File::create(&settings)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    // It ends with this program: the shell reads until its input ends. As root it would refuse to run.
    let script = format!(
        "if [ \"$(id -u)\" = 0 ]; then as='-u nobody'; fi; pgbouncer -q $as '{}' & read end; kill $!; rm -r '{}'",
        settings.display(),
        folder.display()
    );
    let child = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Its input stays open as long as this program lives.
    std::mem::forget(child);
    let mut tries = 0;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(tries < 200, "pgbouncer did not begin to listen");
        tries += 1;
        std::thread::sleep(Duration::from_millis(50));
    }
    Some(port)
}

/// A URL that leads through the pooler, with what it must say.
fn url(options: &str) -> String {
    let port = pooler().unwrap();
    format!("postgres://postgres@127.0.0.1:{port}/pooled{options}")
}

fn declared(schema: SchemaName) -> PostgresConfig {
    let config = PostgresConfig::from_url(&url("?pooler=transaction")).unwrap();
    let config = config.with_listen_url(support::url());
    config.with_schema(schema).with_max_connections(4)
}

/// Runs a test with a schema of its own, if there is a pooler.
fn with_pooler<F: Future<Output = ()>>(test: impl FnOnce(SchemaName) -> F) {
    if pooler().is_none() {
        return;
    }
    let schema = support::new_schema();
    struct Cleanup(SchemaName);
    impl Drop for Cleanup {
        fn drop(&mut self) {
            support::drop_schema(&self.0);
        }
    }
    let _cleanup = Cleanup(schema.clone());
    support::run(test(schema));
}

// ---- every promise ------------------------------------------------------------------------------------------------

mod promises {
    use super::*;

    thread_local! {
        static SCHEMA: RefCell<Option<SchemaName>> = const { RefCell::new(None) };
    }

    async fn make() -> PostgresStore {
        let schema = support::new_schema();
        SCHEMA.set(Some(schema.clone()));
        let config = declared(schema);
        PostgresStore::migrate(&config).await.unwrap();
        PostgresStore::connect(config).await.unwrap()
    }

    fn run_promise<F: Future<Output = ()>>(promise: F) {
        struct Cleanup;
        impl Drop for Cleanup {
            fn drop(&mut self) {
                if let Some(schema) = SCHEMA.take() {
                    support::drop_schema(&schema);
                }
            }
        }
        if pooler().is_some() {
            let _cleanup = Cleanup;
            support::run(promise);
        }
    }

    augmented_core::store_conformance!(make, run_promise);
}

// ---- what only a pooler breaks ------------------------------------------------------------------------------------

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000 + seconds * 1000)
}

fn header() -> Arc<InstanceHeader> {
    let id = InstanceId(augmented_core::ids::uuid_v7(at(0), &[3; 10]));
    Arc::new(InstanceHeader {
        tenant_id: TenantId::DEFAULT,
        instance_id: id,
        definition: Arc::new(DefinitionPin {
            id: Uuid::from_u128(7),
            workflow_id: "order".into(),
            version: "1.0.0".into(),
        }),
        input: Arc::new(json!({})),
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
    })
}

fn fact(seq: u64, message: Message) -> Fact {
    Fact {
        seq,
        at: at(1),
        message,
        trail: Vec::new(),
    }
}

#[test]
fn a_workflow_is_started_and_finished_through_the_pooler() {
    with_pooler(|schema| async move {
        let config = declared(schema);
        PostgresStore::migrate(&config).await.unwrap();
        let store = PostgresStore::connect(config.clone()).await.unwrap();
        let other = PostgresStore::connect(config).await.unwrap();
        let (node, far) = (NodeId(Uuid::from_u128(1)), NodeId(Uuid::from_u128(2)));
        store.register_node(node, at(0)).await.unwrap();
        other.register_node(far, at(0)).await.unwrap();
        assert!(
            store
                .definition_versions(TenantId::SYSTEM, DefinitionKind::Schema, "core.workflow")
                .await
                .unwrap()
                .len()
                == 1
        );

        let header = header();
        let id = header.instance_id;
        let mut state = InstanceState::new(Arc::clone(&header));
        state.seq = Some(0);
        state.started_at = Some(at(1));
        let mut start = InstanceCommit::new(TenantId::DEFAULT, id, Expect::New);
        start.insert = Some(Box::new(NewInstance::new(Arc::clone(&header), None)));
        start.facts = vec![fact(0, Message::Start(StartMessage::default()))];
        start.snapshot = Some(Snapshot::new(Arc::new(state.clone()), None));
        let outcome = store.commit(node, vec![start]).await.unwrap();
        assert_eq!(outcome, [CommitOutcome::Applied]);

        let signal = Message::Signal(SignalMessage {
            signal_id: "s".into(),
            signal_type: "go".into(),
            payload: Arc::new(json!({})),
            sent_by: None,
        });
        let message = NewMessage::new(TenantId::DEFAULT, id, signal.clone());
        let sent = store.send(vec![message]).await.unwrap();
        assert_eq!(sent, [SendOutcome::Stored]);
        // The other process hears of it by a session of its own, past the pooler.
        let heard = tokio::time::timeout(Duration::from_secs(10), other.wait_for_work(far)).await;
        assert_eq!(heard.unwrap(), Wakeup::Work);
        let work = other.pending(far, 10).await.unwrap();
        assert_eq!(work.len(), 1);

        state.seq = Some(1);
        state.status = InstanceStatus::Completed;
        state.completed_at = Some(at(2));
        state.output = Some(Arc::new(json!(1)));
        let mut end = InstanceCommit::new(TenantId::DEFAULT, id, Expect::Parked(Some(0)));
        end.facts = vec![fact(1, signal)];
        end.consumed = work[0].messages.iter().map(|message| message.id).collect();
        end.snapshot = Some(Snapshot::new(Arc::new(state), None));
        let outcome = other.commit(far, vec![end]).await.unwrap();
        assert_eq!(outcome, [CommitOutcome::Applied]);
        let facts = store
            .facts(TenantId::DEFAULT, header.instance_id, 0, 10)
            .await
            .unwrap();
        assert_eq!(facts.len(), 2);
        store.close().await;
        other.close().await;
    });
}

#[test]
fn upkeep_works_through_the_pooler_and_keeps_its_lock() {
    with_pooler(|schema| async move {
        let config = declared(schema);
        PostgresStore::migrate(&config).await.unwrap();
        let store = PostgresStore::connect(config).await.unwrap();
        let upkeep = UpkeepConfig::default();
        let (one, two) = tokio::join!(store.maintain(&upkeep), store.maintain(&upkeep));
        let made = one.unwrap().slices_made.len() + two.unwrap().slices_made.len();
        assert_eq!(made, 4);
        store.close().await;
    });
}

#[test]
fn a_pooler_that_nobody_declared_is_named_in_one_line() {
    with_pooler(|schema| async move {
        let config = PostgresConfig::from_url(&url(""))
            .unwrap()
            .with_schema(schema);
        let errors = [
            PostgresStore::migrate(&config).await.err(),
            PostgresStore::connect(config).await.err(),
        ];
        for error in errors {
            let error = error.unwrap();
            assert!(matches!(error, PostgresError::Pooler), "{error:?}");
            let text = error.to_string();
            assert!(
                text.contains("pooler=transaction") && !text.contains('\n'),
                "{text}"
            );
        }
    });
}
