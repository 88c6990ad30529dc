//! DBOS for Rust.
//!
//! Workflows are run directly in the process (`run`), not through a queue, whose dispatcher polls; the result comes from
//! the running task. Steps have no retry policy. Version and executor are given.

use dbos::{Config, DBOS, RunOptions, WorkflowRef};

use crate::{Contestant, Failure, STEPS};

const CONNECTIONS: u32 = 32;

pub struct Dbos {
    dbos: DBOS,
    workflow: WorkflowRef<u64, u64>,
}

impl Dbos {
    pub async fn new(url: &str, connections: Option<u32>) -> Result<Self, Failure> {
        let dbos = DBOS::new(Config {
            max_connections: connections.unwrap_or(CONNECTIONS),
            app_version: Some("1".to_owned()),
            ..Config::new("peers", url)
        });
        let workflow = dbos.register_workflow("sequence", sequence)?;
        dbos.launch().await?;
        Ok(Self { dbos, workflow })
    }
}

impl Contestant for Dbos {
    async fn run(&self, id: String, input: u64) -> Result<u64, Failure> {
        let options = RunOptions {
            workflow_id: Some(&id),
            ..RunOptions::default()
        };
        Ok(self.workflow.run_with(input, options).await?)
    }

    async fn stop(&self) {
        self.dbos.shutdown().await;
    }
}

async fn sequence(input: u64) -> dbos::Result<u64> {
    let mut sum = input;
    for _ in 0..STEPS {
        sum = dbos::step("add-one", || async move { dbos::Result::Ok(sum + 1) }).await?;
    }
    Ok(sum)
}
