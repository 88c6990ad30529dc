//! The store as a whole: its connections, and how they are opened.

use std::str::FromStr;
use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

use crate::definitions::builtins;
use crate::migrate;
use crate::runtime::{
    AcceptStatements, Bell, ExecutionStatements, Ledger, QueryStatements, ReadStatements,
    commit_statement,
};
use crate::{PostgresConfig, PostgresError, SchemaName};

/// The oldest server this store works on.
const OLDEST_SERVER: u32 = 15;

/// A store in a PostgreSQL database.
///
/// Share it as `Arc<PostgresStore>`. Many processes may have one each on the same database.
pub struct PostgresStore {
    pub(crate) pool: PgPool,
    pub(crate) schema: SchemaName,
    /// Whether prepared statements may be kept on a connection.
    pub(crate) persistent: bool,
    pub(crate) ledger: Ledger,
    pub(crate) bell: Arc<Bell>,
    pub(crate) commit: String,
    pub(crate) accept: AcceptStatements,
    pub(crate) execution: ExecutionStatements,
    pub(crate) query: QueryStatements,
    pub(crate) read: ReadStatements,
    /// Whether the schema goes with the store.
    #[cfg(feature = "testing")]
    pub(crate) scratch: Option<PostgresConfig>,
}

impl PostgresStore {
    /// Makes the tables or brings them up to date; harmless where they are, and when several processes do it at once.
    ///
    /// The user of the URL becomes the owner of the tables.
    ///
    /// # Errors
    /// [`PostgresError`], which says what to do.
    pub async fn migrate(config: &PostgresConfig) -> Result<(), PostgresError> {
        let mut connection = config.options()?.connect().await?;
        migrate::migrate(&mut connection, &config.schema).await?;
        connection.close().await?;
        Ok(())
    }

    /// Opens the store; the tables must be there.
    ///
    /// # Errors
    /// [`PostgresError`], which says what to do.
    pub async fn connect(config: PostgresConfig) -> Result<Self, PostgresError> {
        let options = config.options()?;
        // A pool goes on trying where nobody listens, and does not say why it has no connection.
        let first = tokio::time::timeout(config.acquire_timeout, options.connect()).await;
        let first = match first {
            Ok(connected) => connected.map_err(|error| unreachable(&options, error)),
            Err(_) => Err(unreachable(&options, sqlx::Error::PoolTimedOut)),
        };
        first?.close().await?;
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections)
            .acquire_timeout(config.acquire_timeout)
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        let mut connection = pool.acquire().await?;
        if let Some(version) = connection.server_version_num()
            && version / 10_000 < OLDEST_SERVER
        {
            return Err(PostgresError::ServerTooOld {
                found: version / 10_000,
                needed: OLDEST_SERVER,
            });
        }
        migrate::check_version(&mut connection, &config.schema).await?;
        builtins::check(&mut connection, &config.schema).await?;
        drop(connection);
        let bell = Bell::new();
        bell.start(pool.clone(), config.listen_options()?, &config.schema);
        Ok(Self {
            pool,
            persistent: !config.pooled,
            ledger: Ledger::default(),
            bell,
            commit: commit_statement(&config.schema),
            accept: AcceptStatements::new(&config.schema),
            execution: ExecutionStatements::new(&config.schema),
            query: QueryStatements::new(&config.schema),
            read: ReadStatements::new(&config.schema),
            schema: config.schema,
            #[cfg(feature = "testing")]
            scratch: None,
        })
    }

    /// Drops the schema of the store with everything in it, also what is not the store's. For tests and measurements.
    ///
    /// # Errors
    /// [`PostgresError`] if the schema cannot be dropped.
    pub async fn drop_schema(config: &PostgresConfig) -> Result<(), PostgresError> {
        let mut connection = config.options()?.connect().await?;
        let sql = config.schema.fill("DROP SCHEMA IF EXISTS $schema CASCADE");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        Ok(())
    }

    /// Closes all connections; calls from now on are answered that the store is unavailable.
    pub async fn close(&self) {
        self.bell.stop();
        self.pool.close().await;
    }
}

/// Says where nobody answered; what the server itself answered stays as it is.
fn unreachable(options: &PgConnectOptions, error: sqlx::Error) -> PostgresError {
    let what = match &error {
        sqlx::Error::Io(io) => io.to_string(),
        sqlx::Error::PoolTimedOut => "it does not answer".to_owned(),
        _ => return error.into(),
    };
    let place = (options.get_host(), options.get_port());
    PostgresError::Unreachable {
        reason: format!(
            "{}:{}: {what}; start the server, or correct host and port in the URL",
            place.0, place.1
        ),
        source: Some(error),
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.bell.stop();
        #[cfg(feature = "testing")]
        crate::scratch::clear(self.scratch.take());
    }
}

impl PostgresConfig {
    /// Where to listen; nowhere behind a pooler without a URL of its own.
    fn listen_options(&self) -> Result<Option<PgConnectOptions>, PostgresError> {
        match &self.listen_url {
            Some(url) => PgConnectOptions::from_str(url)
                .map(|options| Some(options.application_name("augmented")))
                .map_err(|_| PostgresError::Url),
            None if self.pooled => Ok(None),
            None => self.options().map(Some),
        }
    }

    pub(crate) fn options(&self) -> Result<PgConnectOptions, PostgresError> {
        let options = PgConnectOptions::from_str(&self.url).map_err(|_| PostgresError::Url)?;
        let options = options
            .application_name("augmented")
            .disable_statement_logging();
        Ok(match self.pooled {
            true => options.statement_cache_capacity(0),
            false => options.options([(
                "statement_timeout",
                self.statement_timeout.as_millis().to_string(),
            )]),
        })
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}
