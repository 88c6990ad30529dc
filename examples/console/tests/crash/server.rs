//! A PostgreSQL server for one test, which may stop and restart it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, Executor, FromRow, PgConnection};
use tokio::runtime::Runtime;

use crate::process::{call, end_of};
use crate::waiting::seconds;

/// What a server needs that is not the default: commits reach the disk, and there is room for many workers.
const SETTINGS: &str = "
fsync = on
synchronous_commit = on
listen_addresses = '127.0.0.1'
max_connections = 120
shared_buffers = 64MB
log_min_messages = warning
";

/// A running server; it and its files go with this value, also when the test ends in another way.
pub(crate) struct Server {
    programs: PathBuf,
    data: tempfile::TempDir,
    port: u16,
    runtime: Runtime,
    guard: Child,
}

/// How a server ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    /// Connections are cut, what was committed is on the disk in order.
    Fast,
    /// As in a crash: the next start recovers from the log.
    Immediate,
}

impl Server {
    /// Makes a server and starts it.
    pub(crate) fn start() -> Self {
        Self::start_with("", "")
    }

    /// As [`start`](Self::start), with more lines for its settings, and access rules before the others.
    pub(crate) fn start_with(settings: &str, access: &str) -> Self {
        let programs = programs();
        let data = tempfile::Builder::new()
            .prefix("augmented-pg-")
            .tempdir()
            .unwrap();
        if is_root() {
            let mut chown = Command::new("chown");
            run(chown.arg("postgres").arg(data.path()));
        }
        let server = Self {
            guard: guard(&programs, data.path()),
            port: free_port(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            programs,
            data,
        };
        let mut initdb = server.program("initdb");
        initdb.args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
        ]);
        run(initdb.arg("-D").arg(server.data.path()));
        let place = server.data.path().display();
        let settings = format!(
            "{SETTINGS}port = {}\nunix_socket_directories = '{place}'\n{settings}\n",
            server.port
        );
        server.append("postgresql.conf", &settings);
        server.prepend("pg_hba.conf", access);
        server.run_again();
        server
    }

    /// The URL of a database, as the superuser.
    pub(crate) fn url(&self, database: &str) -> String {
        self.url_as("postgres", database)
    }

    /// The URL of a database as somebody: `user` or `user:password`.
    pub(crate) fn url_as(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Makes a database and answers its URL.
    pub(crate) fn new_database(&self, name: &str) -> String {
        self.execute("postgres", &format!("CREATE DATABASE {name}"));
        self.url(name)
    }

    /// Stops it until [`run_again`](Self::run_again).
    pub(crate) fn stop(&self, how: Stop) {
        self.control(&["stop", "-m", how.as_str()]);
    }

    /// Starts what was stopped.
    pub(crate) fn run_again(&self) {
        let log = self.data.path().join("server.log").display().to_string();
        self.control(&["start", "-l", &log]);
    }

    /// Stops it and starts it at once.
    pub(crate) fn restart(&self, how: Stop) {
        let log = self.data.path().join("server.log").display().to_string();
        self.control(&["restart", "-m", how.as_str(), "-l", &log]);
    }

    /// Runs statements of which nobody wants an answer.
    #[track_caller]
    pub(crate) fn execute(&self, database: &str, sql: &str) {
        self.on(database, async |connection| {
            let sql = AssertSqlSafe(sql.to_owned());
            connection.execute(sqlx::raw_sql(sql)).await.map(|_| ())
        });
    }

    /// The rows of a query.
    #[track_caller]
    pub(crate) fn rows<R>(&self, database: &str, sql: &str) -> Vec<R>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        self.on(database, async |connection| {
            let sql = AssertSqlSafe(sql.to_owned());
            sqlx::query_as(sql).fetch_all(connection).await
        })
    }

    /// The one number that a query answers.
    #[track_caller]
    pub(crate) fn count(&self, database: &str, sql: &str) -> i64 {
        self.rows::<(i64,)>(database, sql)[0].0
    }

    /// Drives a future, with a limit.
    #[track_caller]
    pub(crate) fn drive<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(async {
            let limited = tokio::time::timeout(seconds(60), future).await;
            limited.expect("the database answers within a minute")
        })
    }

    #[track_caller]
    fn on<T>(
        &self,
        database: &str,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> T {
        let url = self.url(database);
        let answer = self.drive(async {
            let mut connection = PgConnection::connect(&url).await?;
            connection
                .execute("SET search_path = augmented, public")
                .await?;
            let answer = work(&mut connection).await?;
            connection.close().await?;
            Ok::<T, sqlx::Error>(answer)
        });
        answer.unwrap_or_else(|error| panic!("{error}"))
    }

    fn control(&self, arguments: &[&str]) {
        let mut command = self.program("pg_ctl");
        command.arg("-D").arg(self.data.path());
        run(command.args(["-s", "-w", "-t", "60"]).args(arguments));
    }

    fn program(&self, name: &str) -> Command {
        as_postgres(&self.programs.join(name))
    }

    fn append(&self, file: &str, more: &str) {
        let path = self.data.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}{more}")).unwrap();
    }

    fn prepend(&self, file: &str, more: &str) {
        let path = self.data.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{more}\n{text}")).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The guard stops the server once nobody holds the other end of its input.
        drop(self.guard.stdin.take());
        if end_of(&mut self.guard, seconds(30)).is_none() {
            eprintln!("a server in {} did not stop", self.data.path().display());
        }
    }
}

impl Stop {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Immediate => "immediate",
        }
    }
}

/// A port on which nobody listens.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A process that waits for this one to end, or to close its input, and stops the server then.
fn guard(programs: &Path, data: &Path) -> Child {
    let mut stop = as_postgres(&programs.join("pg_ctl"));
    stop.arg("-D").arg(data);
    stop.args(["-s", "-w", "-m", "immediate", "stop"]);
    let mut guard = Command::new("sh");
    guard.args([
        "-c",
        "trap '' INT TERM; cat >/dev/null; \"$@\" 2>/dev/null; rm -rf \"$0\"",
    ]);
    guard
        .arg(data)
        .arg(stop.get_program())
        .args(stop.get_args())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A program that refuses to run as root.
fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    // The directory of the test may be closed to that user.
    command.current_dir("/");
    command
}

pub(crate) fn is_root() -> bool {
    let id = call(Command::new("id").arg("-u"), seconds(10));
    id.out.trim() == "0"
}

/// Where the programs of a server are.
fn programs() -> PathBuf {
    let from_path = std::env::var_os("PATH").unwrap_or_default();
    let from_path = std::env::split_paths(&from_path).collect::<Vec<_>>();
    let config = Command::new("pg_config").arg("--bindir").output().ok();
    let config = config
        .map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim().to_owned()));
    let mut debian: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    debian.sort_by(|(one, _), (other, _)| other.cmp(one));
    let is_complete = |place: &PathBuf| {
        ["initdb", "pg_ctl", "postgres"]
            .iter()
            .all(|name| place.join(name).is_file())
    };
    from_path
        .into_iter()
        .chain(config)
        .chain(debian.into_iter().map(|(_, place)| place))
        .find(is_complete)
        .expect("these tests run a PostgreSQL server of their own: install PostgreSQL 15 or later (apt-get install postgresql)")
}

#[track_caller]
fn run(command: &mut Command) {
    let called = call(command, seconds(90));
    assert_eq!(called.code, 0, "{command:?}\n{}{}", called.out, called.err);
}
