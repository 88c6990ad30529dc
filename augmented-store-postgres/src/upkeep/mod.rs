//! What keeps the tables in shape for years: slices of time made ahead, ended work deleted when its time is over.

mod bounds;
mod config;
mod retention;
mod security;
mod slices;

use std::time::Instant;

use augmented_core::Timestamp;
use sqlx::postgres::{PgConnection, PgTransaction};
use sqlx::types::chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Connection};

pub use config::{Retention, SliceWidth, UpkeepConfig, UpkeepFault, UpkeepReport};
pub use security::RowSecurity;

use crate::{PostgresError, PostgresStore, SchemaName};

/// How often a change of slices is tried before it is left for the next call.
const TRIES: u32 = 3;

impl PostgresStore {
    /// Makes slices of time ahead, and deletes what was kept long enough: call it about once an hour.
    ///
    /// The large tables are split by the creation time of instances. Slices are made before their time comes; one whose
    /// every instance has ended and was kept long enough is dropped as a whole, in the time of a lock. Where something in
    /// it still goes on, or may not go yet, the others are deleted around it in chunks, and so is what lies outside of
    /// all slices. An ended instance stays as long as its parent is open. Then idempotency keys past their time go, messages
    /// and timers of instances that are gone, index rows of definitions that are gone, and nodes that were fenced long ago
    /// and own nothing.
    ///
    /// A default slice below [`with_large_default`](UpkeepConfig::with_large_default) is emptied into the new slices, in
    /// the transaction that makes them. A larger one, as an installation has that was never maintained, moves nothing: it
    /// is checked while work goes on, and gets bounds. Between these steps it refuses instances created more than a day in
    /// the future.
    ///
    /// The user of the store must own the tables. Two connections are opened besides those of the store, and closed.
    ///
    /// # Concurrency
    /// On the same tables only one call works, in whichever process; others return at once with
    /// [`already_running`](UpkeepReport::already_running). Running work waits for a change of slices as long as
    /// [`with_longest_wait`](UpkeepConfig::with_longest_wait) allows at most; deleting locks only what is deleted.
    ///
    /// # Crash
    /// Every step is a transaction of its own, and each call looks for what is to be done anew: dropped half-way, or with
    /// its process gone, it leaves finished steps, and the next call goes on. Only a default slice that is being closed
    /// needs one within a day, or instances created after that are refused.
    ///
    /// # Errors
    /// [`PostgresError::Upkeep`] for settings that make no sense, [`PostgresError::Privilege`] if the user does not own the
    /// tables, others if the database fails. A lock that is not had in time is none: it stands in the report.
    pub async fn maintain(&self, config: &UpkeepConfig) -> Result<UpkeepReport, PostgresError> {
        config.check()?;
        let mut report = UpkeepReport::default();
        let options = self.pool.connect_options();
        let mut sentry = PgConnection::connect_with(&options).await?;
        // Its open transaction holds the lock while the work is done on the other connection: so it goes with the process,
        // also behind a pooler. It holds no snapshot, so it keeps no row from being cleaned up.
        let mut watch = sentry.begin().await?;
        if !try_lock(&mut watch, &self.schema).await? {
            report.already_running = true;
            return Ok(report);
        }
        let mut work = Work {
            connection: PgConnection::connect_with(&options).await?,
            schema: self.schema.clone(),
            config,
            now: Timestamp::default(),
            began: Instant::now(),
            report,
        };
        work.now = match config.now {
            Some(now) => now,
            None => {
                let now = work
                    .ask(|schema| scalar::<DateTime<Utc>>(schema, "SELECT clock_timestamp()"))
                    .await?;
                Timestamp::from_chrono(now)
            }
        };
        work.make_slices().await?;
        work.delete_what_is_over().await?;
        let Work {
            connection, report, ..
        } = work;
        connection.close().await?;
        watch.commit().await?;
        sentry.close().await?;
        tracing::info!(
            made = report.slices_made.len(),
            dropped = report.slices_dropped.len(),
            instances = report.instances_deleted,
            "upkeep done"
        );
        Ok(report)
    }
}

async fn try_lock(
    transaction: &mut PgTransaction<'_>,
    schema: &SchemaName,
) -> Result<bool, PostgresError> {
    let sql = "SELECT set_config('idle_in_transaction_session_timeout', '0', true) IS NOT NULL \
               AND pg_try_advisory_xact_lock(hashtextextended('augmented upkeep of ' || $1, 0))";
    Ok(sqlx::query_scalar(sql)
        .persistent(false)
        .bind(schema.as_str())
        .fetch_one(&mut **transaction)
        .await?)
}

/// One call under way.
struct Work<'a> {
    connection: PgConnection,
    schema: SchemaName,
    config: &'a UpkeepConfig,
    now: Timestamp,
    began: Instant,
    report: UpkeepReport,
}

impl Work<'_> {
    /// Whether the time limit came; it is noted in the report.
    fn is_out_of_time(&mut self) -> bool {
        let out = self.began.elapsed() >= self.config.time_limit;
        self.report.out_of_time |= out;
        out
    }

    /// A transaction whose statements may take their time.
    async fn begin(&mut self) -> Result<PgTransaction<'_>, PostgresError> {
        let mut transaction = self.connection.begin().await?;
        sqlx::raw_sql("SET LOCAL statement_timeout = 0")
            .execute(&mut *transaction)
            .await?;
        Ok(transaction)
    }

    /// One value, in a transaction of its own, because of poolers.
    async fn ask<'q, T>(
        &mut self,
        make: impl FnOnce(&SchemaName) -> Step<'q, T>,
    ) -> Result<T, PostgresError>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres>
            + sqlx::Type<sqlx::Postgres>
            + Send
            + Unpin
            + 'q,
    {
        let query = make(&self.schema).persistent(false);
        let mut transaction = self.begin().await?;
        let answer = query.fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(answer)
    }

    /// Runs a step in a transaction of its own, again where it did not get its locks; `None` if it never did.
    async fn step<'q, T>(
        &mut self,
        what: &str,
        make: impl Fn(&SchemaName) -> Step<'q, T>,
    ) -> Result<Option<T>, PostgresError>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres>
            + sqlx::Type<sqlx::Postgres>
            + Send
            + Unpin
            + 'q,
    {
        for number in 1..=TRIES {
            let query = make(&self.schema).persistent(false);
            let mut transaction = self.begin().await?;
            match query.fetch_one(&mut *transaction).await {
                Ok(answer) => {
                    transaction.commit().await?;
                    return Ok(Some(answer));
                }
                Err(error) if is_lock(&error) => {
                    transaction.rollback().await?;
                    if number < TRIES {
                        tokio::time::sleep(self.config.longest_wait).await;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.report.left_for_next_time.push(format!(
            "{what}: a lock was not free within {:?}",
            self.config.longest_wait
        ));
        Ok(None)
    }
}

type Step<'q, T> = sqlx::query::QueryScalar<'q, sqlx::Postgres, T, sqlx::postgres::PgArguments>;

/// A statement of one value for a schema.
fn scalar<'q, T>(schema: &SchemaName, sql: &str) -> Step<'q, T>
where
    (T,): for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>,
{
    sqlx::query_scalar(AssertSqlSafe(schema.fill(sql)))
}

fn code(error: &sqlx::Error) -> Option<String> {
    let error = error.as_database_error()?;
    error.code().map(std::borrow::Cow::into_owned)
}

/// Whether a lock was not had in time.
fn is_lock(error: &sqlx::Error) -> bool {
    matches!(code(error).as_deref(), Some("55P03" | "40P01"))
}
