//! What the command says when the database will not do: one line, and what to do about it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::process::{Called, augmented, call, end};
use crate::server::{Server, free_port, is_root};
use crate::waiting::{seconds, wait_for};
use crate::worker::Worker;

/// How long a refusal may take where somebody answers.
const AT_ONCE: Duration = Duration::from_secs(3);
/// How long it may take where nobody does.
const PATIENCE: Duration = Duration::from_secs(10);

/// The server of these tests; each has databases of its own. Its guard stops it when the tests end.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = Server::start_with("", "host all locked 127.0.0.1/32 scram-sha-256");
        // Whoever makes the first tables makes the roles that go with them.
        with_tables(&server, "first");
        server.execute(
            "postgres",
            "CREATE ROLE locked LOGIN PASSWORD 'right';
             CREATE ROLE nobody LOGIN;
             CREATE ROLE crowded LOGIN CONNECTION LIMIT 0;
             CREATE ROLE app LOGIN IN ROLE aug_app;
             CREATE ROLE reader LOGIN IN ROLE aug_read;",
        );
        server
    })
}

/// Makes a database with the tables of the store.
fn with_tables(server: &Server, name: &str) -> String {
    let store = server.new_database(name);
    let listed = call(&mut augmented(&store, &["list"]), seconds(60));
    assert_eq!(listed.code, 0, "{}", listed.err);
    store
}

/// What a command answers that is refused, with a limit on the time it takes.
#[track_caller]
fn refused(store: &str, arguments: &[&str], limit: Duration) -> String {
    let Called {
        code,
        out,
        err,
        took,
    } = call(&mut augmented(store, arguments), seconds(30));
    assert_eq!((code, out.as_str()), (6, ""), "{arguments:?}: {err}");
    assert!(took < limit, "{arguments:?} took {took:?}: {err}");
    assert_eq!(
        err.lines().count(),
        1,
        "{arguments:?} says more than one line: {err}"
    );
    err.trim_end().to_owned()
}

/// A worker and a reader are refused with the same words.
#[track_caller]
fn check(store: &str, expected: &str) {
    for arguments in [&["worker"][..], &["list"]] {
        assert_eq!(
            refused(store, arguments, AT_ONCE),
            expected,
            "{arguments:?}"
        );
    }
}

/// Only a worker is refused: reading is possible.
#[track_caller]
fn check_worker(store: &str, expected: &str) {
    assert_eq!(refused(store, &["worker"], AT_ONCE), expected);
    let listed = call(&mut augmented(store, &["list"]), seconds(30));
    assert_eq!(listed.code, 0, "{}", listed.err);
}

#[test]
fn a_wrong_user_or_password_is_told() {
    let server = server();
    let text = "error: the database refuses the user: password authentication failed for user \"locked\"; \
                check user name and password in the URL";
    check(&server.url_as("locked:wrong", "first"), text);
    check(&server.url_as("locked", "first"), text);
    check(
        &server.url_as("stranger", "first"),
        "error: the database refuses the user: role \"stranger\" does not exist; check user name and password in the URL",
    );
}

#[test]
fn the_password_is_never_shown() {
    let store = server().url_as("locked:hunter2", "first");
    let said = refused(&store, &["worker"], AT_ONCE);
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_missing_database_is_told() {
    check(
        &server().url("nothing"),
        "error: database \"nothing\" does not exist; create it, or correct its name in the URL",
    );
}

#[test]
fn a_closed_port_is_told_at_once() {
    let place = format!("127.0.0.1:{}", free_port());
    check(
        &format!("postgres://postgres@{place}/first"),
        &format!(
            "error: the database cannot be reached: {place}: Connection refused (os error 111); \
             start the server, or correct host and port in the URL"
        ),
    );
}

#[test]
fn a_silent_server_is_told_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = silent.local_addr().unwrap();
    let said = refused(
        &format!("postgres://postgres@{place}/first"),
        &["worker"],
        PATIENCE,
    );
    assert_eq!(
        said,
        format!(
            "error: the database cannot be reached: {place}: it does not answer; \
             start the server, or correct host and port in the URL"
        )
    );
}

#[test]
fn an_unknown_host_is_told() {
    let said = refused(
        "postgres://postgres@nowhere.invalid/first",
        &["worker"],
        PATIENCE,
    );
    // The words in the middle are those of the system.
    assert!(
        said.starts_with("error: the database cannot be reached: nowhere.invalid:5432: "),
        "{said}"
    );
    assert!(
        said.ends_with("; start the server, or correct host and port in the URL"),
        "{said}"
    );
}

#[test]
fn a_server_without_room_is_told() {
    check(
        &server().url_as("crowded", "first"),
        "error: the database cannot be reached: too many connections for role \"crowded\"",
    );
}

#[test]
fn older_tables_that_the_user_may_not_change_are_told() {
    let server = server();
    let owner = with_tables(server, "older");
    server.execute(
        "older",
        "DELETE FROM augmented.schema_migrations WHERE version = 6",
    );
    check(
        &server.url_as("app", "older"),
        "error: the tables in schema `augmented` are at version 5, this program needs 6, and this user may not change \
         them (permission denied for database older): run `augmented list` once as the user who owns them",
    );
    // Whoever may change them does so in passing.
    let listed = call(&mut augmented(&owner, &["list"]), seconds(30));
    assert_eq!(listed.code, 0, "{}", listed.err);
    Worker::start(&server.url_as("app", "older"), "PT5S").kill();
}

#[test]
fn missing_tables_that_the_user_may_not_make_are_told() {
    let server = server();
    server.new_database("empty");
    check(
        &server.url_as("nobody", "empty"),
        "error: the tables in schema `augmented` are at version 0, this program needs 6, and this user may not change \
         them (permission denied for database empty): run `augmented list` once as the user who owns them",
    );
}

#[test]
fn newer_tables_are_told() {
    let server = server();
    let store = with_tables(server, "newer");
    server.execute(
        "newer",
        "INSERT INTO augmented.schema_migrations VALUES (7, 'later', '')",
    );
    check(
        &store,
        "error: the tables in schema `augmented` are at version 7, and this program knows 6 at most: update the program",
    );
}

#[test]
fn a_user_without_any_right_is_told() {
    let server = server();
    check(
        &server.url_as("nobody", "first"),
        "error: the database user lacks a right: permission denied for schema augmented; grant it, or use a role that has `aug_app`",
    );
}

#[test]
fn a_user_who_may_only_read_reads_and_does_not_work() {
    let server = server();
    check_worker(
        &server.url_as("reader", "first"),
        "error: the store is unavailable: permission denied for table engine_nodes (SQLSTATE 42501): grant the right, or use a role that has `aug_app`; try again later",
    );
}

#[test]
fn a_missing_right_is_told() {
    let server = server();
    with_tables(server, "bounded");
    server.execute(
        "bounded",
        "REVOKE INSERT ON augmented.engine_nodes FROM aug_app",
    );
    check_worker(
        &server.url_as("app", "bounded"),
        "error: the store is unavailable: permission denied for table engine_nodes (SQLSTATE 42501): grant the right, or use a role that has `aug_app`; try again later",
    );
}

#[test]
fn a_read_only_server_is_told() {
    let server = server();
    let store = with_tables(server, "standby");
    server.execute(
        "postgres",
        "ALTER DATABASE standby SET default_transaction_read_only = on",
    );
    check_worker(
        &store,
        "error: the store is unavailable: cannot execute INSERT in a read-only transaction (SQLSTATE 25006): connect to the primary, or to a role that may write; try again later",
    );
    let empty = server.new_database("bare");
    server.execute(
        "postgres",
        "ALTER DATABASE bare SET default_transaction_read_only = on",
    );
    check(
        &empty,
        "error: the database is read-only: connect to the primary, or to a role that may write",
    );
}

#[test]
fn an_undeclared_pooler_is_told_and_what_it_says_helps() {
    let Some(strict) = Pooler::start(server(), "") else {
        // Only where it is installed; scripts/postgres.sh installs it.
        return;
    };
    let parameter = "error: the pooler before the database refuses the startup parameter `extra_float_digits`: put it \
         into its `ignore_startup_parameters`, and if it keeps no sessions, add `?pooler=transaction` to the URL or say \
         PostgresConfig::behind_transaction_pooler";
    check(&strict.url("first"), parameter);
    let declared = format!("{}?pooler=transaction", strict.url("first"));
    check(&declared, parameter);
    let pooler = Pooler::start(server(), "ignore_startup_parameters = extra_float_digits\n");
    let store = pooler.unwrap();
    check(
        &store.url("first"),
        "error: a pooler that keeps no sessions stands before the database: say PostgresConfig::behind_transaction_pooler, \
         or add `?pooler=transaction` to the URL",
    );
    let declared = format!("{}?pooler=transaction", store.url("first"));
    let listed = call(&mut augmented(&declared, &["list"]), seconds(30));
    assert_eq!(listed.code, 0, "{}", listed.err);
}

/// PgBouncer in transaction mode.
struct Pooler {
    child: Child,
    port: u16,
    _directory: tempfile::TempDir,
}

impl Pooler {
    fn start(server: &Server, more: &str) -> Option<Self> {
        Command::new("pgbouncer").arg("--version").output().ok()?;
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 4\n{more}",
            server.port()
        );
        let file = directory.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new("pgbouncer");
        if is_root() {
            command.args(["-u", "postgres"]);
        }
        let child = command
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let answers = wait_for(seconds(10), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        assert!(answers.is_some(), "the pooler does not answer");
        Some(Self {
            child,
            port,
            _directory: directory,
        })
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// What a file refers to may stand in the database; checking it leaves the database as it is.
#[test]
fn references_of_checked_files_are_looked_up_in_the_database() {
    const TASK: &str = r#"{"kind": "task", "taskId": "stored", "version": "1.0.0", "name": "S", "type": "AUTOMATED",
        "implementation": {"kind": "NATIVE", "endpoint": "std.echo"}, "inputSchema": {"type": "object"}, "outputSchema": {"type": "object"}}"#;
    const WORKFLOW: &str = r#"{"kind": "workflow", "workflowId": "w", "version": "1.0.0", "name": "W",
        "steps": [{"stepId": "a", "type": "TASK", "taskId": "stored"}]}"#;
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let (task, workflow) = (file("task.json", TASK), file("workflow.json", WORKFLOW));
    let empty = server().new_database("unprepared");
    let text = refused(&empty, &["validate", &workflow], AT_ONCE);
    assert!(text.contains("augmented list"), "{text}");
    let store = with_tables(server(), "checked");
    let check = || {
        call(
            &mut augmented(&store, &["validate", &workflow]),
            seconds(30),
        )
    };
    let before = check();
    assert_eq!(before.code, 1, "{}{}", before.out, before.err);
    assert!(before.out.contains("stored"), "{}", before.out);
    let published = call(&mut augmented(&store, &["publish", &task]), seconds(30));
    assert_eq!(published.code, 0, "{}{}", published.out, published.err);
    let after = check();
    assert_eq!(after.code, 0, "{}{}", after.out, after.err);
}
