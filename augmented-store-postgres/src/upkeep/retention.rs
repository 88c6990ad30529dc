//! Retention: ended work goes when its time is over.

use augmented_core::Timestamp;
use sqlx::types::chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Row};

use super::bounds::earlier;
use super::slices::Slice;
use super::{Work, scalar};
use crate::PostgresError;

/// Pages that are looked through in one go.
const PAGES: i64 = 1024;

/// The bytes of a page.
const PAGE: i64 = 8192;

/// The instants before which work of each kind may go.
#[derive(Clone, Copy)]
struct Cutoffs {
    completed: Option<DateTime<Utc>>,
    failed: Option<DateTime<Utc>>,
    cancelled: Option<DateTime<Utc>>,
    tasks: Option<DateTime<Utc>>,
}

impl Work<'_> {
    /// Deletes everything whose time is over.
    pub(super) async fn delete_what_is_over(&mut self) -> Result<(), PostgresError> {
        let retention = self.config.retention;
        let now = self.now;
        let before = |time: Option<_>| time.map(|time| earlier(now, time).to_chrono());
        let cutoffs = Cutoffs {
            completed: before(retention.completed),
            failed: before(retention.failed),
            cancelled: before(retention.cancelled),
            tasks: before(retention.tasks),
        };
        if let Some(shortest) = retention.shortest() {
            let oldest = earlier(now, shortest);
            for slice in self.slices().await? {
                if self.is_out_of_time() {
                    return Ok(());
                }
                self.tend(&slice, oldest, cutoffs).await?;
            }
        }
        self.delete_keys().await?;
        self.delete_leftovers().await?;
        self.delete_nodes().await
    }

    /// Drops a slice, or deletes what is over in it.
    async fn tend(
        &mut self,
        slice: &Slice,
        oldest: Timestamp,
        cutoffs: Cutoffs,
    ) -> Result<(), PostgresError> {
        // Nothing ends before it was created.
        if self
            .first_created(slice)
            .await?
            .is_none_or(|at| at > oldest)
            && slice.high.is_none_or(|high| high > oldest)
        {
            return self.delete_tasks(slice, cutoffs).await;
        }
        let may_go = !slice.is_default && slice.high.is_some_and(|high| high <= oldest);
        match may_go {
            true => match self.holds(slice, cutoffs).await?.as_deref() {
                None => self.drop_slice(slice).await,
                // What failed may be taken up again as long as it is there.
                Some("FAILED") => {
                    let only_failed = Cutoffs {
                        completed: None,
                        cancelled: None,
                        ..cutoffs
                    };
                    self.delete_instances(slice, only_failed).await?;
                    self.drop_slice(slice).await
                }
                Some(_) => {
                    self.delete_instances(slice, cutoffs).await?;
                    self.delete_tasks(slice, cutoffs).await
                }
            },
            false => {
                self.delete_instances(slice, cutoffs).await?;
                self.delete_tasks(slice, cutoffs).await
            }
        }
    }

    /// When the first instance of a slice was created.
    async fn first_created(&mut self, slice: &Slice) -> Result<Option<Timestamp>, PostgresError> {
        let sql = format!(
            "SELECT min(created_at) FROM $schema.workflow_instances{}",
            slice.suffix
        );
        let first = self
            .ask(|schema| scalar::<Option<DateTime<Utc>>>(schema, &sql))
            .await?;
        // Whoever writes the row says when; the id of the slice is as good a witness.
        let first = first.map(Timestamp::from_chrono);
        Ok(match (first, slice.low) {
            (Some(first), Some(low)) => Some(first.max(low)),
            (first, _) => first,
        })
    }

    /// Why a slice must stay.
    async fn holds(
        &mut self,
        slice: &Slice,
        cutoffs: Cutoffs,
    ) -> Result<Option<String>, PostgresError> {
        let holds = self
            .step(
                &format!("looking through slice {}", slice.suffix),
                |schema| {
                    scalar::<Option<String>>(
                        schema,
                        "SELECT $schema.aug_slice_holds($1, $2, $3, $4, $5)",
                    )
                    .bind(slice.suffix.clone())
                    .bind(cutoffs.completed)
                    .bind(cutoffs.failed)
                    .bind(cutoffs.cancelled)
                    .bind(cutoffs.tasks)
                },
            )
            .await?;
        Ok(holds.unwrap_or_else(|| Some("UNKNOWN".to_owned())))
    }

    async fn drop_slice(&mut self, slice: &Slice) -> Result<(), PostgresError> {
        let wait = self.config.wait_ms();
        let dropped = self
            .step(&format!("dropping slice {}", slice.suffix), |schema| {
                scalar::<bool>(schema, "SELECT $schema.aug_drop_slice($1, $2)")
                    .bind(slice.suffix.clone())
                    .bind(wait)
            })
            .await?;
        if dropped == Some(true) {
            self.report.slices_dropped.push(slice.suffix.clone());
        }
        Ok(())
    }

    /// Deletes the instances of a slice whose time is over, chunk by chunk.
    async fn delete_instances(
        &mut self,
        slice: &Slice,
        cutoffs: Cutoffs,
    ) -> Result<(), PostgresError> {
        let pages = self
            .pages(&format!("workflow_instances{}", slice.suffix))
            .await?;
        let chunk = i64::from(self.config.chunk);
        let mut page = 0;
        while page < pages {
            if self.is_out_of_time() {
                return Ok(());
            }
            let sql = self.schema.fill(
                "SELECT instances, tasks, attempts, facts FROM $schema.aug_purge($1, $2, $3, $4, $5, $6, $7)",
            );
            let query = sqlx::query(AssertSqlSafe(sql))
                .persistent(false)
                .bind(&slice.suffix)
                .bind(page)
                .bind(PAGES)
                .bind(i32::try_from(chunk).unwrap_or(i32::MAX))
                .bind(cutoffs.completed)
                .bind(cutoffs.failed)
                .bind(cutoffs.cancelled);
            let mut transaction = self.begin().await?;
            let row = query.fetch_one(&mut *transaction).await?;
            transaction.commit().await?;
            let count = |column| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
            let instances = count("instances")?;
            self.report.instances_deleted += instances;
            self.report.tasks_deleted += count("tasks")?;
            self.report.attempts_deleted += count("attempts")?;
            self.report.facts_deleted += count("facts")?;
            if instances > 0 {
                tokio::time::sleep(self.config.pause).await;
            }
            if instances < chunk.unsigned_abs() {
                page += PAGES;
            }
        }
        Ok(())
    }

    /// Deletes the tasks of no workflow whose time is over.
    async fn delete_tasks(&mut self, slice: &Slice, cutoffs: Cutoffs) -> Result<(), PostgresError> {
        let chunk = i32::try_from(self.config.chunk).unwrap_or(i32::MAX);
        while cutoffs.tasks.is_some() && !self.is_out_of_time() {
            let deleted = self
                .step("deleting tasks", |schema| {
                    scalar::<i64>(schema, "SELECT $schema.aug_purge_tasks($1, $2, $3)")
                        .bind(slice.suffix.clone())
                        .bind(chunk)
                        .bind(cutoffs.tasks)
                })
                .await?
                .unwrap_or_default();
            self.report.tasks_deleted += deleted.unsigned_abs();
            if deleted < i64::from(chunk) {
                break;
            }
            tokio::time::sleep(self.config.pause).await;
        }
        Ok(())
    }

    async fn delete_keys(&mut self) -> Result<(), PostgresError> {
        let before = earlier(self.now, self.config.keys).to_chrono();
        let pages = self.pages("workflow_idempotency_keys").await?;
        let mut page = 0;
        while page < pages && !self.is_out_of_time() {
            let deleted = self
                .step("deleting idempotency keys", |schema| {
                    scalar::<i64>(schema, "SELECT $schema.aug_purge_keys($1, $2, $3)")
                        .bind(page)
                        .bind(PAGES / 16)
                        .bind(before)
                })
                .await?
                .unwrap_or_default();
            self.report.keys_deleted += deleted.unsigned_abs();
            if deleted > 0 {
                tokio::time::sleep(self.config.pause).await;
            }
            page += PAGES / 16;
        }
        Ok(())
    }

    async fn delete_leftovers(&mut self) -> Result<(), PostgresError> {
        let chunk = i32::try_from(self.config.chunk).unwrap_or(i32::MAX);
        while !self.is_out_of_time() {
            let deleted = self
                .step("deleting leftovers", |schema| {
                    scalar::<i64>(
                        schema,
                        "SELECT messages + timers + definitions FROM $schema.aug_purge_leftovers($1)",
                    )
                    .bind(chunk)
                })
                .await?
                .unwrap_or_default();
            self.report.leftovers_deleted += deleted.unsigned_abs();
            if deleted < i64::from(chunk) {
                break;
            }
            tokio::time::sleep(self.config.pause).await;
        }
        Ok(())
    }

    async fn delete_nodes(&mut self) -> Result<(), PostgresError> {
        let before = earlier(self.now, self.config.nodes);
        let deleted = self
            .step("deleting fenced nodes", |schema| {
                scalar::<i64>(schema, "SELECT $schema.aug_purge_nodes($1)").bind(before.to_chrono())
            })
            .await?;
        self.report.nodes_deleted += deleted.unwrap_or_default().unsigned_abs();
        Ok(())
    }

    /// The pages of a table.
    async fn pages(&mut self, table: &str) -> Result<i64, PostgresError> {
        let size = self
            .ask(|schema| {
                scalar::<i64>(schema, "SELECT pg_relation_size(to_regclass($1))")
                    .bind(format!("{schema}.{table}"))
            })
            .await?;
        Ok(size / PAGE)
    }
}
