//! A schema of one's own for each test, on the server under test.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its own part; a failing helper fails its test"
)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use augmented_store_postgres::{PostgresConfig, PostgresStore, SchemaName};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::runtime::Runtime;

/// Where the tests find a server whose user may create schemas.
pub(crate) fn url() -> String {
    std::env::var("AUGMENTED_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned())
}

/// The runtime of all tests of this program: connections must outlive the thread of the test that opened them.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
    })
}

/// Drives a future on the calling thread, with the runtime behind it.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// A name no other test uses.
pub(crate) fn new_schema() -> SchemaName {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("test_{}_{number}", std::process::id())
        .parse()
        .unwrap()
}

/// A schema with all tables, which goes at the end of the test.
pub(crate) struct Fresh {
    pub(crate) schema: SchemaName,
}

impl Fresh {
    pub(crate) async fn new() -> Self {
        let fresh = Self {
            schema: new_schema(),
        };
        PostgresStore::migrate(&fresh.config()).await.unwrap();
        fresh
    }

    pub(crate) fn config(&self) -> PostgresConfig {
        PostgresConfig::new(url())
            .with_schema(self.schema.clone())
            .with_max_connections(4)
    }

    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::connect(self.config()).await.unwrap()
    }

    /// Connections that know nothing of the store, with its schema in the search path.
    pub(crate) async fn pool(&self) -> PgPool {
        let sql = format!("SET search_path = {}, pg_temp", self.schema);
        let pool = PgPoolOptions::new().max_connections(4);
        pool.after_connect(move |connection, _| {
            let sql = sql.clone();
            Box::pin(async move {
                sqlx::raw_sql(AssertSqlSafe(sql))
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .connect(&url())
        .await
        .unwrap()
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        drop_schema(&self.schema);
    }
}

/// Drops a schema with everything in it. The test may stand on a thread of the runtime, so another one does it.
pub(crate) fn drop_schema(schema: &SchemaName) {
    let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
    let cleaner = std::thread::spawn(move || {
        run(async {
            let mut connection = PgConnection::connect(&url()).await.unwrap();
            let dropped = sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&mut connection)
                .await;
            dropped.unwrap();
        });
    });
    let _ = cleaner.join();
}
