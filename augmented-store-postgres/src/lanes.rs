//! Connections that commits keep to themselves.

use std::ops::{Deref, DerefMut};

use parking_lot::Mutex;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, Postgres};

/// Connections of the pool that stay with the commits from one to the next.
///
/// A pool asks the server on every return whether a connection is alive, which costs as much as a small commit. A lane is
/// kept as long as it works: a commit that fails for another reason than what the database says of it closes its lane and
/// those that wait, so that the next one finds out on a new connection whether the server is back.
pub(crate) struct Lanes {
    pool: PgPool,
    idle: Mutex<Vec<PoolConnection<Postgres>>>,
    /// How many wait at most; the others go back to the pool, where reads find them.
    most: usize,
}

impl Lanes {
    pub(crate) fn new(pool: PgPool, most: usize) -> Self {
        Self {
            pool,
            idle: Mutex::default(),
            most,
        }
    }

    pub(crate) async fn take(&self) -> Result<Lane<'_>, sqlx::Error> {
        let waiting = self.idle.lock().pop();
        let connection = match waiting {
            Some(connection) => connection,
            None => self.pool.acquire().await?,
        };
        Ok(Lane {
            lanes: self,
            connection: Some(connection),
        })
    }

    /// Gives the connections up.
    pub(crate) fn clear(&self) {
        for mut connection in std::mem::take(&mut *self.idle.lock()) {
            connection.close_on_drop();
        }
    }
}

/// One connection, for one commit. Dropped without [`keep`](Self::keep) or [`settle`](Self::settle) it is closed: the
/// commit under way may not have been answered.
pub(crate) struct Lane<'a> {
    lanes: &'a Lanes,
    connection: Option<PoolConnection<Postgres>>,
}

impl Lane<'_> {
    /// Keeps the connection if the answer shows that it works.
    pub(crate) fn settle<T>(self, answer: &Result<T, sqlx::Error>) {
        match answer {
            Ok(_) | Err(sqlx::Error::Database(_)) => self.keep(),
            Err(_) => self.lanes.clear(),
        }
    }

    fn keep(mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let mut idle = self.lanes.idle.lock();
        if idle.len() < self.lanes.most && !self.lanes.pool.is_closed() {
            idle.push(connection);
        }
    }
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.close_on_drop();
        }
    }
}

impl Deref for Lane<'_> {
    type Target = PgConnection;

    #[expect(
        clippy::expect_used,
        reason = "the connection is there until the lane is consumed"
    )]
    fn deref(&self) -> &PgConnection {
        self.connection.as_deref().expect("a connection")
    }
}

impl DerefMut for Lane<'_> {
    #[expect(
        clippy::expect_used,
        reason = "the connection is there until the lane is consumed"
    )]
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_deref_mut().expect("a connection")
    }
}
