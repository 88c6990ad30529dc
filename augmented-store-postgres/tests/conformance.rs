//! Every promise of the store traits.
#![allow(clippy::unwrap_used, reason = "a failing helper fails its test")]

mod support;

use std::cell::RefCell;

use augmented_store_postgres::{PostgresConfig, PostgresStore, SchemaName};

thread_local! {
    /// The schema of the test that runs on this thread.
    static SCHEMA: RefCell<Option<SchemaName>> = const { RefCell::new(None) };
}

async fn make() -> PostgresStore {
    let schema = support::new_schema();
    SCHEMA.set(Some(schema.clone()));
    let config = PostgresConfig::new(support::url()).with_schema(schema);
    PostgresStore::migrate(&config).await.unwrap();
    PostgresStore::connect(config).await.unwrap()
}

/// Runs a promise, and drops its schema behind it, even if it was broken.
fn run_promise<F: Future<Output = ()>>(promise: F) {
    struct Cleanup;

    impl Drop for Cleanup {
        fn drop(&mut self) {
            if let Some(schema) = SCHEMA.take() {
                support::drop_schema(&schema);
            }
        }
    }

    let _cleanup = Cleanup;
    support::run(promise);
}

augmented_core::store_conformance!(make, run_promise);
