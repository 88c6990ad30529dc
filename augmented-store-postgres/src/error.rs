//! What keeps a store from being opened, and what driver errors mean to callers of the store.

use augmented_core::store::StoreError;

/// Why the store cannot be opened or migrated; the text says in one line what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// The URL cannot be read.
    #[error("the database URL cannot be read: write postgres://user:password@host:port/database")]
    Url,
    /// The name of the schema is not one.
    #[error(
        "`{name}` cannot be the schema of the tables: use a lower-case letter or `_`, then letters, digits or `_`, at most 48 in all"
    )]
    SchemaName {
        /// The name.
        name: String,
    },
    /// The server does not let this user in.
    #[error("the database refuses the user: {reason}; check user name and password in the URL")]
    Authentication {
        /// What the server says.
        reason: String,
    },
    /// There is no such database.
    #[error("{reason}; create it, or correct its name in the URL")]
    MissingDatabase {
        /// What the server says.
        reason: String,
    },
    /// The server is too old.
    #[error("the server is PostgreSQL {found}, and {needed} or later is needed: upgrade it")]
    ServerTooOld {
        /// Its major version.
        found: u32,
        /// The lowest that will do.
        needed: u32,
    },
    /// The tables are not there yet, or older than this program.
    #[error(
        "the tables in schema `{schema}` are at version {found}, and this program needs {needed}: run PostgresStore::migrate, or `augmented list` once with a user who may create tables"
    )]
    SchemaTooOld {
        /// The PostgreSQL schema.
        schema: String,
        /// The version of the tables; 0 if there are none.
        found: i32,
        /// The version this program needs.
        needed: i32,
    },
    /// The tables are newer than this program.
    #[error(
        "the tables in schema `{schema}` are at version {found}, and this program knows {known} at most: update the program"
    )]
    SchemaTooNew {
        /// The PostgreSQL schema.
        schema: String,
        /// The version of the tables.
        found: i32,
        /// The newest version this program knows.
        known: i32,
    },
    /// A migration is not the one that was applied.
    #[error(
        "migration {version} of schema `{schema}` is not the one that was applied here: use the program that made it, or a new schema"
    )]
    MigrationChanged {
        /// The PostgreSQL schema.
        schema: String,
        /// The migration.
        version: i32,
    },
    /// A built-in schema in the tables is not the one of this program.
    #[error(
        "BUILTIN_SCHEMA_DRIFT: the built-in schema `{schema_id}` {version} in the tables is not the one of this program: restore it, or use the program that wrote it"
    )]
    BuiltinSchemaDrift {
        /// Its business id.
        schema_id: String,
        /// Its version.
        version: String,
    },
    /// The user may not do what the store must do.
    #[error(
        "the database user lacks a right: {reason}; grant it, or use a role that has `aug_app`"
    )]
    Privilege {
        /// What the server says.
        reason: String,
    },
    /// The server takes no writes.
    #[error("the database is read-only: connect to the primary, or to a role that may write")]
    ReadOnly,
    /// A pooler stands between that keeps no sessions.
    #[error(
        "a pooler that keeps no sessions stands before the database: say PostgresConfig::behind_transaction_pooler, or add `?pooler=transaction` to the URL"
    )]
    Pooler,
    /// A pooler stands between that refuses what every connection of the driver begins with.
    #[error(
        "the pooler before the database refuses the startup parameter `extra_float_digits`: put it into its `ignore_startup_parameters`, and if it keeps no sessions, add `?pooler=transaction` to the URL or say PostgresConfig::behind_transaction_pooler"
    )]
    PoolerParameter,
    /// Row-level security cannot bind a role.
    #[error("row-level security: `{role}` {reason}")]
    RowSecurity {
        /// The role.
        role: String,
        /// What is wrong with it, and what to do.
        reason: &'static str,
    },
    /// The settings of upkeep make no sense.
    #[error(transparent)]
    Upkeep(#[from] crate::UpkeepFault),
    /// The database cannot be reached.
    #[error("the database cannot be reached: {reason}")]
    Unreachable {
        /// What failed, without credentials.
        reason: String,
        /// The driver's error.
        #[source]
        source: Option<sqlx::Error>,
    },
    /// The database answered something unexpected.
    #[error("the database failed: {reason}")]
    Database {
        /// What the server says, without the values of rows.
        reason: String,
        /// The driver's error.
        #[source]
        source: Option<sqlx::Error>,
    },
}

impl From<sqlx::Error> for PostgresError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => {
                let reason = database.message().to_owned();
                match database.code().as_deref().unwrap_or_default() {
                    "28P01" | "28000" => Self::Authentication { reason },
                    "3D000" => Self::MissingDatabase { reason },
                    "42501" => Self::Privilege { reason },
                    "25006" => Self::ReadOnly,
                    "08P01" if reason.contains("extra_float_digits") => Self::PoolerParameter,
                    "08P01" if !reason.contains("startup parameter") => Self::Unreachable {
                        reason,
                        source: Some(error),
                    },
                    "26000" | "42P05" | "08P01" => Self::Pooler,
                    code if is_transient(code) => Self::Unreachable {
                        reason,
                        source: Some(error),
                    },
                    _ => Self::Database {
                        reason,
                        source: Some(error),
                    },
                }
            }
            sqlx::Error::Configuration(_) => Self::Url,
            _ => Self::Unreachable {
                reason: reason_of(&error),
                source: Some(error),
            },
        }
    }
}

/// Whether the same call may succeed later: connection trouble, shutdown, lack of room, lost races.
pub(crate) fn is_transient(code: &str) -> bool {
    matches!(code.get(..2), Some("08" | "40" | "53" | "57" | "58"))
        || matches!(code, "25006" | "55P03" | "25P03" | "25P04")
}

fn reason_of(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(io) => format!("{}", io.kind()),
        sqlx::Error::PoolTimedOut => "no connection became free in time".to_owned(),
        sqlx::Error::PoolClosed => "the store is closed".to_owned(),
        sqlx::Error::Tls(_) => "no secure connection could be made".to_owned(),
        sqlx::Error::Protocol(_) => "the connection broke off".to_owned(),
        _ => "the connection failed".to_owned(),
    }
}

/// What a driver error means to a caller of the store.
///
/// The details of a server message may quote rows, so only its first line is passed on, and its SQLSTATE.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default().into_owned();
            // A right can be granted and a server can become the primary while this process waits.
            let remedy = match code.as_str() {
                "42501" => ": grant the right, or use a role that has `aug_app`",
                "25006" => ": connect to the primary, or to a role that may write",
                _ => "",
            };
            let reason = format!("{} (SQLSTATE {code}){remedy}", database.message());
            if is_transient(&code) || code == "42501" {
                StoreError::Unavailable {
                    reason,
                    source: Some(Box::new(error)),
                }
            } else {
                StoreError::Corrupt { reason }
            }
        }
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::RowNotFound => StoreError::corrupt("a row cannot be read"),
        _ => StoreError::Unavailable {
            reason: reason_of(&error),
            source: Some(Box::new(error)),
        },
    }
}
