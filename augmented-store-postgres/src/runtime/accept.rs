//! New instances that no node owns yet, also inside a transaction of the host.

use augmented_core::store::{CommitOutcome, NewInstance, StoreError};
use serde_json::Value;
use sqlx::postgres::PgExecutor;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection};

use super::batch::accepted;
use super::door::refusals;
use crate::error::store_error;
use crate::{PostgresStore, SchemaName};

/// The statements of this module, written for one schema.
pub(crate) struct AcceptStatements {
    accept: String,
    channel: String,
}

impl AcceptStatements {
    pub(crate) fn new(schema: &SchemaName) -> Self {
        Self {
            accept: schema.fill("SELECT $schema.aug_accept($1, $2)"),
            channel: super::bell::channel(schema),
        }
    }
}

impl PostgresStore {
    pub(crate) async fn accept_all(
        &self,
        new: &[NewInstance],
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let outcomes = self.call_accept(&self.pool, new).await?;
        self.bell.ring();
        Ok(outcomes)
    }

    /// Accepts instances inside a transaction of the host, so that its rows and the workflows commit together.
    ///
    /// Nothing begins before the transaction commits, and nothing is left of it if that is rolled back. Engines hear of
    /// the instances with the commit. Answers as [`accept`](augmented_core::store::ExecutionStore::accept) does; a taken
    /// idempotency key does not fail the transaction.
    ///
    /// ```no_run
    /// # use augmented_core::store::NewInstance;
    /// # use augmented_store_postgres::PostgresStore;
    /// # async fn host(store: &PostgresStore, pool: &sqlx::PgPool, new: NewInstance) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = pool.begin().await?;
    /// sqlx::query("INSERT INTO orders (id) VALUES ($1)").bind(7).execute(&mut *transaction).await?;
    /// store.accept_in(&mut transaction, &[new]).await?;
    /// transaction.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the statement fails; the transaction can only be rolled back then.
    pub async fn accept_in(
        &self,
        transaction: &mut PgConnection,
        new: &[NewInstance],
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let outcomes = self.call_accept(&mut *transaction, new).await?;
        sqlx::query("SELECT pg_notify($1, '')")
            .persistent(self.persistent)
            .bind(&self.accept.channel)
            .execute(transaction)
            .await
            .map_err(store_error)?;
        Ok(outcomes)
    }

    async fn call_accept<'e>(
        &self,
        executor: impl PgExecutor<'e>,
        new: &[NewInstance],
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        let (keys, rows) = accepted(new);
        let taken: Option<Json<Value>> =
            sqlx::query_scalar(AssertSqlSafe(self.accept.accept.clone()))
                .persistent(self.persistent)
                .bind(keys)
                .bind(rows)
                .fetch_one(executor)
                .await
                .map_err(store_error)?;
        let refused = match taken {
            Some(taken) => refusals(&taken.0)?,
            None => Vec::new(),
        };
        let outcome = |new: &NewInstance| {
            refused
                .iter()
                .find(|(instance, _)| *instance == new.header.instance_id)
                .map_or(CommitOutcome::Applied, |(_, refusal)| {
                    CommitOutcome::Refused(refusal.clone())
                })
        };
        Ok(new.iter().map(outcome).collect())
    }
}
