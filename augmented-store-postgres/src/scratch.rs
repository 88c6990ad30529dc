//! Stores for tests: each in a schema of its own that goes with it.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::{PostgresConfig, PostgresError, PostgresStore};

impl PostgresStore {
    /// A store in a new schema of the database, which is dropped with the store.
    ///
    /// # Errors
    /// [`PostgresError`] if the database cannot be reached or the user may not make schemas.
    pub async fn scratch(url: &str) -> Result<Self, PostgresError> {
        Self::scratch_with(PostgresConfig::from_url(url)?.with_max_connections(6)).await
    }

    /// A store as configured, but in a new schema, which is dropped with the store.
    ///
    /// # Errors
    /// [`PostgresError`] if the database cannot be reached or the user may not make schemas.
    pub async fn scratch_with(config: PostgresConfig) -> Result<Self, PostgresError> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let schema = format!("scratch_{}_{number}", std::process::id()).parse()?;
        let config = config.with_schema(schema);
        Self::migrate(&config).await?;
        let mut store = Self::connect(config.clone()).await?;
        store.scratch = Some(config);
        Ok(store)
    }
}

/// Drops the schema of a scratch store. The runtime of the test may be gone by now, so it has one of its own.
pub(crate) fn clear(config: Option<PostgresConfig>) {
    let Some(config) = config else { return };
    let cleaner = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        if let Ok(runtime) = runtime
            && let Err(error) = runtime.block_on(PostgresStore::drop_schema(&config))
        {
            tracing::warn!(%error, "the schema of a scratch store is left behind");
        }
    });
    let _ = cleaner.join();
}
