//! What hosts do with a PostgreSQL database of their own beside the engine. The server is the one that
//! `AUGMENTED_TEST_POSTGRES` names.

mod faults;
mod transactions;
mod writes;

use std::sync::Arc;

use augmented_store_postgres::PostgresStore;
use sqlx::{AssertSqlSafe, PgPool};

fn url() -> String {
    std::env::var("AUGMENTED_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned())
}

/// A store, the host's own connections, and a table of the host's in the schema of the store, which goes with it.
async fn world(table: &str) -> (Arc<PostgresStore>, PgPool, String) {
    let store = PostgresStore::scratch(&url()).await.unwrap();
    let pool = PgPool::connect(&url()).await.unwrap();
    let name = format!("{}.{table}", store.schema());
    let sql = format!(
        "CREATE TABLE {name} (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, what text)"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&pool)
        .await
        .unwrap();
    (Arc::new(store), pool, name)
}

async fn rows(pool: &PgPool, table: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
        .fetch_one(pool)
        .await
        .unwrap()
}
