//! Recording the result of a task in a transaction of its handler's.

use augmented_core::runtime::TaskStatus;
use augmented_core::store::{StoreError, TaskCompletion};
use serde_json::{Value, json};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection};

use super::text::task_type;
use crate::error::store_error;
use crate::{PostgresStore, SchemaName};

/// What became of a result that a handler recorded.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "only a result that is recorded now may be committed"]
#[non_exhaustive]
pub enum Recorded {
    /// It is part of the transaction: commit it, and return the same output.
    Now,
    /// An earlier attempt recorded a result, and its effect is there: roll back, and return this instead.
    Before {
        /// The output of that attempt.
        output: Value,
        /// The business outcome it chose.
        outcome: Option<String>,
    },
    /// The task or its workflow is over: roll back. Whatever is returned counts for nothing.
    Closed,
}

/// The call of the function, written for one schema.
pub(crate) fn complete_statement(schema: &SchemaName) -> String {
    schema.fill("SELECT $schema.aug_complete($1, $2, $3, $4)")
}

impl PostgresStore {
    /// Records the result of a task inside a transaction of its handler, so that its own rows and the result commit
    /// together: the effect on the database happens exactly once.
    ///
    /// The workflow goes on when the handler returns. If the process dies between the commit and that, the next owner of
    /// the instance finds the result and does not run the task again; if it dies before the commit, nothing is there, and
    /// the task runs again. Of two attempts that run at the same time, on a node that was thought dead for example, one
    /// records its result, and the other one waits for that transaction and is answered [`Recorded::Before`].
    ///
    /// Record last and commit at once: whoever writes the end of the same task meanwhile waits for the transaction.
    ///
    /// ```no_run
    /// # use augmented_engine::{TaskContext, TaskError, TaskOutput};
    /// # use augmented_store_postgres::{PostgresStore, Recorded};
    /// # use serde_json::{Value, json};
    /// # fn unavailable(error: impl std::fmt::Display) -> TaskError { TaskError::retryable("DATABASE", error.to_string()) }
    /// async fn book(store: &PostgresStore, pool: &sqlx::PgPool, ctx: TaskContext, input: Value) -> Result<Value, TaskError> {
    ///     let mut transaction = pool.begin().await.map_err(unavailable)?;
    ///     sqlx::query("INSERT INTO ledger (amount) VALUES ($1)")
    ///         .bind(input["amount"].as_i64())
    ///         .execute(&mut *transaction)
    ///         .await
    ///         .map_err(unavailable)?;
    ///     let output = TaskOutput::new(json!({ "booked": true }));
    ///     let recorded = store.complete_in(&mut transaction, &ctx.completion(&output)?).await.map_err(unavailable)?;
    ///     match recorded {
    ///         Recorded::Now => transaction.commit().await.map_err(unavailable)?,
    ///         Recorded::Before { output, .. } => return Ok(output),
    ///         _ => return Err(TaskError::permanent("CLOSED", "the task is over")),
    ///     }
    ///     Ok(output.output)
    /// }
    /// # let _ = book;
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the statement fails; the transaction can only be rolled back then.
    pub async fn complete_in(
        &self,
        transaction: &mut PgConnection,
        completion: &TaskCompletion,
    ) -> Result<Recorded, StoreError> {
        let TaskCompletion { task, done, .. } = completion;
        if done.status != TaskStatus::Completed {
            return Err(StoreError::corrupt(
                "only the result of a completed task can be recorded",
            ));
        }
        let row = json!({
            "definition": task.definition,
            "workflow": task.workflow_definition,
            "activation": done.activation,
            "visit": task.visit,
            "attempt": done.attempts,
            "type": task_type(task.task_type),
            "created": task.created_at,
            "started": done.started_at,
            "ended": done.ended_at,
            "duration": done.ended_at.micros_since(done.started_at) / 1000,
            "step": &*task.step_id,
            "path": task.path.as_deref(),
            "outcome": done.outcome.as_deref(),
            "input": &*task.input,
            "output": &*done.output,
        });
        let found: Option<Json<Value>> = sqlx::query_scalar(AssertSqlSafe(self.complete.clone()))
            .persistent(self.persistent)
            .bind(completion.tenant.0)
            .bind(completion.instance.0)
            .bind(task.task_instance_id.0)
            .bind(Json(row))
            .fetch_one(transaction)
            .await
            .map_err(store_error)?;
        Ok(match found {
            None => Recorded::Now,
            Some(Json(mut found)) => match found.get_mut("output") {
                None => Recorded::Closed,
                Some(output) => Recorded::Before {
                    output: output.take(),
                    outcome: found["outcome"].as_str().map(str::to_owned),
                },
            },
        })
    }
}
