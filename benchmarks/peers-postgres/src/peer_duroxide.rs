//! duroxide on duroxide-pg.
//!
//! The provider polls: dispatchers are many and idle ones look again soon. Its client waits by polling with a delay that
//! doubles. The pool is set through the environment, which is the provider's only way.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use duroxide::runtime::registry::ActivityRegistry;
use duroxide::runtime::{Runtime, RuntimeOptions};
use duroxide::{ActivityContext, Client, OrchestrationContext, OrchestrationRegistry};
use duroxide_pg::PostgresProvider;

use crate::{Contestant, Failure, STEPS};

const CONNECTIONS: u32 = 32;
const DISPATCHERS: usize = 16;
const POLL: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(60);
const POOL_VARIABLE: &str = "DUROXIDE_PG_POOL_MAX";
const WORKFLOW: &str = "sequence";
const STEP: &str = "add-one";

/// Starts this program anew with the size of the pool in its environment, if it is not there yet.
pub fn set_pool_size(connections: Option<u32>) -> Result<(), Failure> {
    if std::env::var_os(POOL_VARIABLE).is_some() {
        return Ok(());
    }
    Err(Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(POOL_VARIABLE, connections.unwrap_or(CONNECTIONS).to_string())
        .exec()
        .into())
}

pub struct Duroxide {
    runtime: Arc<Runtime>,
    client: Client,
}

impl Duroxide {
    pub async fn new(url: &str) -> Result<Self, Failure> {
        let provider = Arc::new(PostgresProvider::new(url).await?);
        let activities = ActivityRegistry::builder()
            .register(STEP, |_: ActivityContext, input: String| async move {
                add_one(&input).map_err(|error| error.to_string())
            })
            .build();
        let orchestrations = OrchestrationRegistry::builder()
            .register(WORKFLOW, |ctx: OrchestrationContext, input: String| async move {
                let mut sum = input;
                for _ in 0..STEPS {
                    sum = ctx.schedule_activity(STEP, sum).await?;
                }
                Ok::<_, String>(sum)
            })
            .build();
        let options = RuntimeOptions {
            dispatcher_min_poll_interval: POLL,
            orchestration_concurrency: DISPATCHERS,
            worker_concurrency: DISPATCHERS,
            ..RuntimeOptions::default()
        };
        let runtime =
            Runtime::start_with_options(provider.clone(), activities, orchestrations, options).await;
        Ok(Self {
            runtime,
            client: Client::new(provider),
        })
    }
}

fn add_one(input: &str) -> Result<String, std::num::ParseIntError> {
    Ok((input.parse::<u64>()? + 1).to_string())
}

impl Contestant for Duroxide {
    async fn run(&self, id: String, input: u64) -> Result<u64, Failure> {
        self.client
            .start_orchestration(&id, WORKFLOW, input.to_string())
            .await?;
        match self.client.wait_for_orchestration(&id, PATIENCE).await? {
            duroxide::OrchestrationStatus::Completed { output, .. } => Ok(output.parse()?),
            other => Err(format!("{other:?}").into()),
        }
    }

    async fn stop(&self) {
        self.runtime.clone().shutdown(None).await;
    }
}
