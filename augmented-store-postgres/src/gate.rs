//! The connections of the store, and how single statements go over them.

use std::future::Future;
use std::pin::Pin;

use crate::transaction::{Transaction, WRITE};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use sqlx::postgres::{PgPool, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use sqlx::{Either, Execute, Executor, SqlStr};

type Running<'e, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'e>>;
type Rows<'e> =
    Pin<Box<dyn Stream<Item = Result<Either<PgQueryResult, PgRow>, sqlx::Error>> + Send + 'e>>;

/// A pool over which a statement may go on its own, also where a pooler stands before the server.
///
/// The driver prepares a statement in one round trip and runs it in the next. A pooler that hands out servers transaction by
/// transaction may send the second one to another server, which does not know the statement, or, worse, to one that was
/// just given somebody else's. So each statement gets a transaction around it there.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pool: PgPool,
    is_pooled: bool,
}

impl Gate {
    pub(crate) fn new(pool: PgPool, is_pooled: bool) -> Self {
        Self { pool, is_pooled }
    }
}

impl std::ops::Deref for Gate {
    type Target = PgPool;

    fn deref(&self) -> &PgPool {
        &self.pool
    }
}

impl<'p> Executor<'p> for &'_ Gate {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Rows<'e>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if !self.is_pooled {
            return self.pool.fetch_many(query);
        }
        let pool = self.pool.clone();
        // Nothing is given out before it is committed.
        let whole = async move {
            let mut transaction = Transaction::begin(&pool, WRITE).await?;
            let items: Vec<_> = (&mut *transaction).fetch_many(query).try_collect().await?;
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(stream::iter(items.into_iter().map(Ok)))
        };
        stream::once(whole).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> Running<'e, Option<PgRow>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if !self.is_pooled {
            return self.pool.fetch_optional(query);
        }
        let pool = self.pool.clone();
        Box::pin(async move {
            let mut transaction = Transaction::begin(&pool, WRITE).await?;
            let row = (&mut *transaction).fetch_optional(query).await?;
            transaction.commit().await?;
            Ok(row)
        })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> Running<'e, PgStatement>
    where
        'p: 'e,
    {
        self.pool.prepare_with(sql, parameters)
    }
}
