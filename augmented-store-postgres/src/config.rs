//! How the store reaches its database.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::PostgresError;

/// The name of the PostgreSQL schema that holds the tables: `[a-z_][a-z0-9_]*`, at most 48 bytes.
///
/// ```
/// use augmented_store_postgres::SchemaName;
/// assert_eq!(SchemaName::default().as_str(), "augmented");
/// assert!("orders; drop table x".parse::<SchemaName>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SchemaName(String);

impl SchemaName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A statement written for the schema `$schema`, with this one in its place.
    ///
    /// A name cannot be bound as a parameter; it is checked letter by letter instead.
    pub(crate) fn fill(&self, sql: &str) -> String {
        sql.replace("$schema", &self.0)
    }
}

impl Default for SchemaName {
    fn default() -> Self {
        Self("augmented".to_owned())
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SchemaName {
    type Err = PostgresError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut bytes = name.bytes();
        let first = bytes
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let rest =
            bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if first && rest && name.len() <= 48 && !name.starts_with("pg_") {
            Ok(Self(name.to_owned()))
        } else {
            Err(PostgresError::SchemaName {
                name: name.chars().take(64).collect(),
            })
        }
    }
}

/// How the store reaches its database.
///
/// ```
/// use augmented_store_postgres::PostgresConfig;
/// let config = PostgresConfig::new("postgres://localhost/business").with_max_connections(20);
/// # let _ = config;
/// ```
#[derive(Clone)]
pub struct PostgresConfig {
    /// A URL may hold a password, so it is never shown.
    pub(crate) url: String,
    pub(crate) schema: SchemaName,
    pub(crate) max_connections: u32,
    pub(crate) acquire_timeout: Duration,
    pub(crate) statement_timeout: Duration,
    pub(crate) pooled: bool,
    pub(crate) listen_url: Option<String>,
}

impl PostgresConfig {
    /// A database by its URL, `postgres://user:password@host:port/database`.
    ///
    /// A connection to this machine is not encrypted, unless the URL or the variable `PGSSLMODE` names an `sslmode`; all
    /// others are, if the server can.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: SchemaName::default(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            pooled: false,
            listen_url: None,
        }
    }

    /// A database by its URL, which may end in options of the store besides those of PostgreSQL: `schema=NAME`,
    /// `max_connections=N`, and `pooler=transaction` with `listen=HOST:PORT` of the database behind the pooler.
    ///
    /// ```
    /// use augmented_store_postgres::PostgresConfig;
    /// let config = PostgresConfig::from_url("postgres://localhost/business?schema=orders&max_connections=4")?;
    /// assert_eq!(config.schema().as_str(), "orders");
    /// # Ok::<(), augmented_store_postgres::PostgresError>(())
    /// ```
    ///
    /// # Errors
    /// [`PostgresError::Url`] or [`PostgresError::SchemaName`] if it cannot be read.
    pub fn from_url(url: &str) -> Result<Self, PostgresError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        if !base.starts_with("postgres://") && !base.starts_with("postgresql://") {
            return Err(PostgresError::Url);
        }
        let mut config = Self::new("");
        let mut kept = Vec::new();
        let mut listen = None;
        for option in query.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=').ok_or(PostgresError::Url)? {
                ("schema", name) => config.schema = name.parse()?,
                ("max_connections", count) => {
                    let count = count.parse().map_err(|_| PostgresError::Url)?;
                    config = config.with_max_connections(count);
                }
                ("pooler", "transaction") => config.pooled = true,
                ("pooler", _) => return Err(PostgresError::Url),
                ("listen", place) => listen = Some(place),
                _ => kept.push(option),
            }
        }
        config.url = match kept.is_empty() {
            true => base.to_owned(),
            false => format!("{base}?{}", kept.join("&")),
        };
        config.listen_url = listen.and_then(|place| at_place(&config.url, place));
        Ok(config)
    }

    /// The schema that holds the tables.
    #[must_use]
    pub fn schema(&self) -> &SchemaName {
        &self.schema
    }

    /// The schema that holds the tables; by default `augmented`.
    #[must_use]
    pub fn with_schema(mut self, schema: SchemaName) -> Self {
        self.schema = schema;
        self
    }

    /// How many connections are open at once, besides the one that listens and up to two for the lease of the node; by
    /// default 10, at least 2.
    #[must_use]
    pub fn with_max_connections(mut self, connections: u32) -> Self {
        self.max_connections = connections.max(2);
        self
    }

    /// How long a call waits for a free connection before it answers that the store is unavailable; by default 5 s.
    #[must_use]
    pub fn with_acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout;
        self
    }

    /// How long the server works on one statement before it gives up; by default 30 s.
    #[must_use]
    pub fn with_statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// Says that the URL leads to a pooler that hands out connections transaction by transaction, such as PgBouncer.
    ///
    /// Nothing is kept on a connection from one transaction to the next then: no prepared statements and no settings.
    /// Such a pooler passes no notifications on either, so work is found by polling, unless
    /// [`with_listen_url`](Self::with_listen_url) names the database itself.
    #[must_use]
    pub fn behind_transaction_pooler(mut self) -> Self {
        self.pooled = true;
        self
    }

    /// Where the connection that listens goes, if the URL leads to a pooler.
    #[must_use]
    pub fn with_listen_url(mut self, url: impl Into<String>) -> Self {
        self.listen_url = Some(url.into());
        self
    }
}

/// The same URL with another host and port.
fn at_place(url: &str, place: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let user = authority
        .rsplit_once('@')
        .map_or_else(String::new, |(user, _)| format!("{user}@"));
    Some(format!("{scheme}://{user}{place}/{path}"))
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("schema", &self.schema)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}
