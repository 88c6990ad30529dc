#![deny(missing_docs)]
//! The PostgreSQL store of Augmented: loses nothing when processes are killed, refuses bad definitions even from raw SQL,
//! and lets many engine processes share the work.
//!
//! ```no_run
//! use std::sync::Arc;
//! use augmented_core::store::Store;
//! use augmented_store_postgres::{PostgresConfig, PostgresStore};
//!
//! # async fn host() -> Result<(), augmented_store_postgres::PostgresError> {
//! let config = PostgresConfig::new("postgres://localhost/business");
//! PostgresStore::migrate(&config).await?;
//! let store: Arc<dyn Store> = Arc::new(PostgresStore::connect(config).await?);
//! # let _ = store;
//! # Ok(())
//! # }
//! ```

mod config;
mod connect;
pub mod constraints;
mod definitions;
mod enforcement;
mod error;
mod gate;
mod lanes;
mod migrate;
mod runtime;
#[cfg(feature = "testing")]
mod scratch;
mod transaction;
mod upkeep;

pub use config::{PostgresConfig, SchemaName};
pub use connect::PostgresStore;
pub use enforcement::{Enforcement, Nonconforming};
pub use error::PostgresError;
pub use runtime::Recorded;
pub use upkeep::{Retention, RowSecurity, SliceWidth, UpkeepConfig, UpkeepFault, UpkeepReport};
