//! durare on its PostgreSQL provider.
//!
//! The engine is not launched (a launched one also runs queue dispatchers that poll the database), workflows are started
//! in the process and awaited through their local handle, and version and ids are given. The provider's own pool has 8
//! connections; it gets a larger one here.

use std::str::FromStr;
use std::sync::Arc;

use durare::{DurableContext, DurableEngine, EngineConfig, PostgresProvider, WorkflowOptions};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::{Contestant, Failure, STEPS};

const CONNECTIONS: u32 = 32;
const WORKFLOW: &str = "sequence";

pub struct Durare {
    engine: DurableEngine,
    pool: PgPool,
}

impl Durare {
    pub async fn new(url: &str, connections: Option<u32>) -> Result<Self, Failure> {
        let pool = PgPoolOptions::new()
            .max_connections(connections.unwrap_or(CONNECTIONS))
            .connect_with(PgConnectOptions::from_str(url)?)
            .await?;
        let provider = PostgresProvider::from_pool_with_schema(pool.clone(), "dbos")?;
        let config = EngineConfig::default().app_version("1");
        let mut engine = DurableEngine::with_config(Arc::new(provider), config).await?;
        engine.register(WORKFLOW, sequence);
        Ok(Self { engine, pool })
    }
}

impl Contestant for Durare {
    async fn run(&self, id: String, input: u64) -> Result<u64, Failure> {
        let options = WorkflowOptions::with_id(id);
        let handle = self.engine.start::<u64, u64>(WORKFLOW, input, options).await?;
        Ok(handle.result().await?)
    }

    async fn stop(&self) {
        self.pool.close().await;
    }
}

async fn sequence(ctx: DurableContext, input: u64) -> durare::Result<u64> {
    let mut sum = input;
    for _ in 0..STEPS {
        sum = ctx
            .step("add-one", || async move { Ok::<_, durare::Error>(sum + 1) })
            .await?;
    }
    Ok(sum)
}
