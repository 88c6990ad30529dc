//! The stores a command can work on.

use std::sync::Arc;

use augmented_core::TenantId;
use augmented_core::model::{LifecycleStatus, StoredDefinition};
use augmented_core::store::{DefinitionFilter, DefinitionStore, Store};
use augmented_store_memory::MemoryStore;
use augmented_store_postgres::{PostgresConfig, PostgresError, PostgresStore};

use crate::exit::Failure;

/// What `--store` names.
pub(crate) enum StoreChoice {
    /// It names nothing: memory will do where nothing must last.
    Unnamed,
    /// Everything is gone when the command ends.
    Memory,
    /// A PostgreSQL database.
    Postgres(Box<PostgresConfig>),
}

impl StoreChoice {
    /// Reads `--store`; its text may hold a password, so it is never repeated.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Failure> {
        let Some(text) = text else {
            return Ok(Self::Unnamed);
        };
        if text == "memory" {
            return Ok(Self::Memory);
        }
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(Failure::usage(
                "--store, AUGMENTED_STORE and DATABASE_URL take `memory` or a postgres:// URL",
            ));
        }
        PostgresConfig::from_url(text)
            .map(|config| Self::Postgres(Box::new(config)))
            .map_err(|error| Failure::usage(error.to_string()))
    }

    pub(crate) const fn is_memory(&self) -> bool {
        matches!(self, Self::Memory | Self::Unnamed)
    }

    /// A store that outlives the command: where none is named, the database of DATABASE_URL.
    pub(crate) fn lasting(self) -> Result<Self, Failure> {
        let none = || {
            Failure::usage(
                "nothing in memory outlives this command: name a database with --store postgres://…, AUGMENTED_STORE or DATABASE_URL",
            )
        };
        match self {
            Self::Postgres(_) => Ok(self),
            Self::Memory => Err(none()),
            Self::Unnamed => match std::env::var("DATABASE_URL") {
                Ok(url) if !url.is_empty() => Self::parse(Some(&url))?.lasting(),
                _ => Err(none()),
            },
        }
    }

    /// Opens the store; the tables of a database are made or brought up to date where they are not.
    pub(crate) async fn open(self) -> Result<Arc<dyn Store>, Failure> {
        match self {
            Self::Memory | Self::Unnamed => Ok(Arc::new(MemoryStore::new())),
            Self::Postgres(config) => Ok(Arc::new(open(*config).await?)),
        }
    }

    /// Everything published in the database, for references of files that are checked; nothing where there is none.
    /// Its tables stay as they are.
    pub(crate) async fn definitions(self) -> Result<Vec<StoredDefinition>, Failure> {
        let Self::Postgres(config) = self else {
            return Ok(Vec::new());
        };
        let store = PostgresStore::connect(*config).await.map_err(told)?;
        let mut filter = DefinitionFilter::default();
        filter.limit = PAGE;
        filter.statuses = vec![
            LifecycleStatus::Published,
            LifecycleStatus::Deprecated,
            LifecycleStatus::Archived,
        ];
        let mut all = Vec::new();
        loop {
            let page = store.list_definitions(TenantId::DEFAULT, &filter).await;
            let page = page.map_err(|error| Failure::Store(error.to_string()))?;
            filter.after = page.last().map(|last| last.id);
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }
}

/// How many definitions are read at a time.
const PAGE: usize = 500;

async fn open(config: PostgresConfig) -> Result<PostgresStore, Failure> {
    match PostgresStore::connect(config.clone()).await {
        Err(PostgresError::SchemaTooOld {
            schema,
            found,
            needed,
        }) => {
            let made = PostgresStore::migrate(&config).await;
            made.map_err(|error| match error {
                PostgresError::Privilege { reason } => Failure::Store(format!(
                    "the tables in schema `{schema}` are at version {found}, this program needs {needed}, and this user may \
                     not change them ({reason}): run `augmented list` once as the user who owns them"
                )),
                error => told(error),
            })?;
            PostgresStore::connect(config).await.map_err(told)
        }
        opened => opened.map_err(told),
    }
}

pub(crate) fn told(error: PostgresError) -> Failure {
    match error {
        PostgresError::Url | PostgresError::SchemaName { .. } => Failure::usage(error.to_string()),
        _ => Failure::Store(error.to_string()),
    }
}
