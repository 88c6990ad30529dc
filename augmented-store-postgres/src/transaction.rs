//! Transactions that leave nothing behind when whoever runs them is dropped.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

/// Sees one state of the database in all its statements.
pub(crate) const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Reads and writes.
pub(crate) const WRITE: &str = "BEGIN";

/// A connection in a transaction.
///
/// A call of the store may be dropped at any await, also while the transaction is being opened. The driver's own type then
/// gives a connection back to the pool that is inside a transaction nobody ends: who gets it next reads an old state, and
/// writes what is never committed. So a connection that was not led to the end of its transaction is closed here.
pub(crate) struct Transaction {
    connection: Option<PoolConnection<Postgres>>,
}

impl Transaction {
    pub(crate) async fn begin(pool: &PgPool, how: &'static str) -> Result<Self, sqlx::Error> {
        let connection = Some(pool.acquire().await?);
        let mut transaction = Self { connection };
        sqlx::raw_sql(how).execute(&mut *transaction).await?;
        Ok(transaction)
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        self.end("COMMIT").await
    }

    /// Ends a transaction that is to have no effect; dropping it does the same at the price of the connection.
    pub(crate) async fn roll_back(self) -> Result<(), sqlx::Error> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, how: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(how).execute(&mut *self).await?;
        // It is outside of a transaction now, and goes back to the pool.
        drop(self.connection.take());
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.close_on_drop();
        }
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    #[expect(
        clippy::expect_used,
        reason = "the connection is there until the transaction is consumed"
    )]
    fn deref(&self) -> &PgConnection {
        self.connection.as_deref().expect("a connection")
    }
}

impl DerefMut for Transaction {
    #[expect(
        clippy::expect_used,
        reason = "the connection is there until the transaction is consumed"
    )]
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_deref_mut().expect("a connection")
    }
}
