//! The store as a whole: its connections, and how they are opened.

use std::str::FromStr;
use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection};

use crate::definitions::builtins;
use crate::enforcement::{self, Enforcement};
use crate::gate::Gate;
use crate::lanes::Lanes;
use crate::migrate;
use crate::runtime::{
    AcceptStatements, Bell, ExecutionStatements, HotStatements, Ledger, QueryStatements,
    ReadStatements, commit_statement, complete_statement,
};
use crate::{PostgresConfig, PostgresError, SchemaName};

/// Connections for leases: one to renew them, one that may wait while a silent node is fenced.
const LEASE_CONNECTIONS: u32 = 2;

/// The oldest server this store works on.
const OLDEST_SERVER: u32 = 15;

/// A store in a PostgreSQL database.
///
/// Share it as `Arc<PostgresStore>`. Many processes may have one each on the same database.
pub struct PostgresStore {
    pub(crate) pool: Gate,
    pub(crate) lanes: Lanes,
    /// Leases are renewed over connections of their own: whoever waits behind a crowd would be thought dead.
    pub(crate) lease: Gate,
    pub(crate) schema: SchemaName,
    /// Whether prepared statements may be kept on a connection.
    pub(crate) persistent: bool,
    /// How large a call may be; see [`small_calls`].
    pub(crate) call_bytes: usize,
    /// How many calls of one batch are under way at once.
    pub(crate) calls_at_once: usize,
    pub(crate) ledger: Ledger,
    pub(crate) bell: Arc<Bell>,
    pub(crate) commit: String,
    pub(crate) hot: HotStatements,
    pub(crate) complete: String,
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
        let lease = PgPoolOptions::new()
            .max_connections(LEASE_CONNECTIONS)
            .acquire_timeout(config.acquire_timeout)
            .test_before_acquire(false)
            .connect_lazy_with(options.clone());
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections)
            .acquire_timeout(config.acquire_timeout)
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        let mut connection = pool.begin().await?;
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
        if enforcement::current(&mut connection, &config.schema).await? == Enforcement::Structural {
            tracing::warn!(
                schema = %config.schema,
                "published definitions are not held against their JSON Schemas in this database: set_enforcement(Full), then verify_all"
            );
        }
        let call_bytes = small_calls(&mut connection, config.pooled).await?;
        let hot = HotStatements::read(&mut connection, &config.schema).await?;
        connection.commit().await?;
        let bell = Bell::new();
        let listen = config.listen_options()?;
        // Behind a pooler, what tells others goes where they listen.
        let tell = match &listen {
            Some(options) if config.pooled => PgPoolOptions::new()
                .max_connections(1)
                .acquire_timeout(config.acquire_timeout)
                .connect_lazy_with(options.clone()),
            _ => pool.clone(),
        };
        bell.start(tell, listen, &config.schema);
        Ok(Self {
            lanes: Lanes::new(pool.clone(), (config.max_connections as usize / 2).max(1)),
            pool: Gate::new(pool, config.pooled),
            lease: Gate::new(lease, config.pooled),
            persistent: !config.pooled,
            call_bytes,
            calls_at_once: (config.max_connections as usize / 2).max(1),
            ledger: Ledger::default(),
            bell,
            commit: commit_statement(&config.schema),
            hot,
            complete: complete_statement(&config.schema),
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

    /// The schema that holds the tables.
    #[must_use]
    pub fn schema(&self) -> &SchemaName {
        &self.schema
    }

    /// Closes all connections; calls from now on are answered that the store is unavailable.
    pub async fn close(&self) {
        self.bell.stop();
        self.lanes.clear();
        self.lease.close().await;
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
            Some(url) => connect_options(url).map(Some),
            None if self.pooled => Ok(None),
            None => self.options().map(Some),
        }
    }

    pub(crate) fn options(&self) -> Result<PgConnectOptions, PostgresError> {
        let options = connect_options(&self.url)?;
        Ok(match self.pooled {
            true => options.statement_cache_capacity(0),
            false => options.options([
                (
                    "statement_timeout",
                    self.statement_timeout.as_millis().to_string(),
                ),
                // A process that stands still inside a transaction must not keep others from taking its work.
                ("idle_in_transaction_session_timeout", "15s".to_owned()),
                // Plans stay what they are on empty tables, on full ones and on those whose statistics are late.
                ("plan_cache_mode", "force_generic_plan".to_owned()),
                ("enable_seqscan", "off".to_owned()),
                ("enable_hashjoin", "off".to_owned()),
                ("enable_mergejoin", "off".to_owned()),
                // Reading a key from its beginning looks cheap while a table is small, and the plan would stay.
                ("cpu_tuple_cost", "1".to_owned()),
                ("jit", "off".to_owned()),
            ]),
        })
    }
}

/// How large a call may be on connections like this one.
///
/// The driver writes an encrypted message record by record, 16 KiB each, and waits with each for the receipt of the one
/// before, which a receiver that has nothing to say holds back for 40 ms. So on such connections a batch goes as several
/// calls that fit into one record each; on others there is no limit.
async fn small_calls(connection: &mut PgConnection, pooled: bool) -> Result<usize, PostgresError> {
    const RECORD: usize = 15 << 10;
    let encrypted =
        sqlx::query_scalar::<_, bool>("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            .persistent(false)
            .fetch_optional(connection)
            .await?;
    // Behind a pooler that is the pooler's own connection.
    Ok(match pooled || encrypted.unwrap_or(false) {
        true => RECORD,
        false => usize::MAX,
    })
}

/// How a URL is connected to. What does not leave the machine is not encrypted, unless somebody asks for it.
fn connect_options(url: &str) -> Result<PgConnectOptions, PostgresError> {
    let options = PgConnectOptions::from_str(url).map_err(|_| PostgresError::Url)?;
    let is_local = matches!(
        options.get_host(),
        "localhost" | "127.0.0.1" | "::1" | "[::1]"
    );
    let has_said = url.contains("sslmode=")
        || url.contains("ssl-mode=")
        || std::env::var_os("PGSSLMODE").is_some();
    let options = match is_local && !has_said {
        true => options.ssl_mode(PgSslMode::Disable),
        false => options,
    };
    Ok(options
        .application_name("augmented")
        .disable_statement_logging())
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}
