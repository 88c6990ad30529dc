//! Slices of time: made ahead, before anything of their time is there.

use std::time::Duration;

use augmented_core::Timestamp;
use sqlx::types::Uuid;
use sqlx::{AssertSqlSafe, Row};

use super::bounds::{Span, boundary_after, closed_suffix, first_id, instant_of, later, missing};
use super::{SliceWidth, Work, code, scalar};
use crate::PostgresError;

/// How far off the end of a closing default slice is at least: what is created after that is refused until it is closed.
const CLOSING_MARGIN: Duration = Duration::from_secs(24 * 3600);

/// A slice as the catalogue has it.
pub(super) struct Slice {
    pub(super) suffix: String,
    pub(super) low: Option<Timestamp>,
    pub(super) high: Option<Timestamp>,
    pub(super) is_default: bool,
}

impl Work<'_> {
    /// The slices there are.
    pub(super) async fn slices(&mut self) -> Result<Vec<Slice>, PostgresError> {
        let sql = "SELECT suffix, low, high, is_default FROM $schema.aug_slices()";
        let query = sqlx::query(AssertSqlSafe(self.schema.fill(sql))).persistent(false);
        let mut transaction = self.begin().await?;
        let rows = query.fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        let mut slices = Vec::with_capacity(rows.len());
        for row in &rows {
            let low: Option<Uuid> = row.try_get(1)?;
            let high: Option<Uuid> = row.try_get(2)?;
            slices.push(Slice {
                suffix: row.try_get(0)?,
                low: low.map(instant_of),
                high: high.map(instant_of),
                is_default: row.try_get(3)?,
            });
        }
        Ok(slices)
    }

    /// Makes the slices that are missing.
    pub(super) async fn make_slices(&mut self) -> Result<(), PostgresError> {
        let settled = self.settle_closing().await?;
        let Some((width, ahead)) = self.config.slices else {
            return Ok(());
        };
        if !settled {
            return Ok(());
        }
        let known = self.known_until().await?;
        let size = self
            .ask(|schema| scalar::<i64>(schema, "SELECT $schema.aug_default_size()"))
            .await?;
        if u64::try_from(size).unwrap_or_default() >= self.config.large_default
            && !self.close_default(width, known).await?
        {
            return Ok(());
        }
        let known = self.known_until().await?;
        for span in missing(width, ahead, self.now, known) {
            if self.is_out_of_time() || !self.add_slice(&span).await? {
                break;
            }
        }
        Ok(())
    }

    /// Up to where the slices reach.
    async fn known_until(&mut self) -> Result<Option<Timestamp>, PostgresError> {
        let slices = self.slices().await?;
        Ok(slices.iter().filter_map(|slice| slice.high).max())
    }

    async fn add_slice(&mut self, span: &Span) -> Result<bool, PostgresError> {
        let wait = self.config.wait_ms();
        let suffix = span.suffix();
        let moved = self
            .step(&format!("making slice {suffix}"), |schema| {
                scalar::<i64>(schema, "SELECT $schema.aug_add_slice($1, $2, $3, $4)")
                    .bind(suffix.clone())
                    .bind(span.low_id())
                    .bind(span.high_id())
                    .bind(wait)
            })
            .await?;
        let Some(moved) = moved else {
            return Ok(false);
        };
        self.report.rows_moved += u64::try_from(moved).unwrap_or_default();
        self.report.slices_made.push(suffix);
        Ok(true)
    }

    /// Closes a default slice that grew large; `false` if that is left for the next call.
    async fn close_default(
        &mut self,
        width: SliceWidth,
        known: Option<Timestamp>,
    ) -> Result<bool, PostgresError> {
        if known.is_some_and(|known| known > self.now) {
            self.report.left_for_next_time.push(
                "closing the default slice: it holds rows of times for which there are slices, or of none at all; \
                 they are deleted when their time is over"
                    .to_owned(),
            );
            return Ok(true);
        }
        let span = Span {
            low: known,
            high: boundary_after(width, later(self.now, CLOSING_MARGIN)),
        };
        let wait = self.config.wait_ms();
        let begun = self
            .step("closing the default slice", |schema| {
                scalar::<bool>(
                    schema,
                    "SELECT $schema.aug_begin_closing($1, $2, $3)::text IS NOT NULL",
                )
                .bind(span.low_id())
                .bind(span.high_id())
                .bind(wait)
            })
            .await?;
        match begun {
            Some(_) => self.finish_closing(&span).await,
            None => Ok(false),
        }
    }

    /// Goes on with a closing that another call began; `false` if it is still open.
    async fn settle_closing(&mut self) -> Result<bool, PostgresError> {
        let high = self
            .ask(|schema| scalar::<Option<Uuid>>(schema, "SELECT $schema.aug_closing_at()"))
            .await?;
        let Some(high) = high.map(instant_of) else {
            return Ok(true);
        };
        let low = self.known_until().await?;
        // So near to its end there may be no time left to read it all.
        if first_id(later(self.now, CLOSING_MARGIN / 4)) >= first_id(high) {
            return self.undo_closing().await;
        }
        self.finish_closing(&Span { low, high }).await
    }

    /// Reads the rows of a closing default slice, and gives it its bounds.
    async fn finish_closing(&mut self, span: &Span) -> Result<bool, PostgresError> {
        let tables = self
            .ask(|schema| {
                scalar::<Vec<String>>(
                    schema,
                    "SELECT array_agg(base) FROM $schema.aug_split_tables()",
                )
            })
            .await?;
        for table in tables {
            let checked = self
                .step(&format!("reading the default slice of {table}"), |schema| {
                    scalar::<bool>(
                        schema,
                        "SELECT set_config('lock_timeout', '1s', true) IS NOT NULL \
                         AND $schema.aug_check_closing($1)::text IS NOT NULL",
                    )
                    .bind(table.clone())
                })
                .await;
            match checked {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(false),
                Err(PostgresError::Database {
                    source: Some(source),
                    ..
                }) if code(&source).as_deref() == Some("23514") => {
                    self.report.left_for_next_time.push(format!(
                        "closing the default slice of {table}: it holds rows that do not lie before {}",
                        span.high
                    ));
                    self.undo_closing().await?;
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        let wait = self.config.wait_ms();
        let suffix = closed_suffix(span);
        let closed = self
            .step("closing the default slice", |schema| {
                scalar::<bool>(
                    schema,
                    "SELECT $schema.aug_close_default($1, $2, $3, $4)::text IS NOT NULL",
                )
                .bind(suffix.clone())
                .bind(span.low_id())
                .bind(span.high_id())
                .bind(wait)
            })
            .await?;
        if closed.is_some() {
            self.report.slices_made.push(suffix);
        }
        Ok(closed.is_some())
    }

    async fn undo_closing(&mut self) -> Result<bool, PostgresError> {
        let wait = self.config.wait_ms();
        let undone = self
            .step("opening the default slice again", |schema| {
                scalar::<bool>(
                    schema,
                    "SELECT $schema.aug_end_closing($1)::text IS NOT NULL",
                )
                .bind(wait)
            })
            .await?;
        Ok(undone.is_some())
    }
}
