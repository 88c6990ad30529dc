//! Augmented on its memory store, with default settings.
//!
//! The workflow is the JSON document [`documents::sequence`], the task a typed handler as the readme shows it, so every
//! step evaluates a mapping and checks the task's input and output against the schemas of the handler's types; durare's
//! steps do neither.

use std::sync::Arc;

use augmented_engine::{Engine, EngineConfig, StartRequest, TaskContext, TaskError};
use augmented_store_memory::MemoryStore;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::JoinSet;

use crate::contestant::{Contestant, ContestantError, check_sum};
use crate::documents;

/// Workflows that are put into the store at the same time when it is filled.
const FILLERS: u64 = 64;

/// An engine of Augmented with one workflow of a given number of steps.
#[derive(Clone)]
pub struct Augmented {
    engine: Engine,
    workflow_id: Arc<str>,
    steps: u64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Number {
    n: u64,
}

async fn add_one(_ctx: TaskContext, number: Number) -> Result<Number, TaskError> {
    Ok(Number { n: number.n + 1 })
}

impl Augmented {
    /// Starts an engine on a fresh, empty store and publishes the workflow.
    ///
    /// # Errors
    ///
    /// Whatever the engine refuses.
    pub async fn new(steps: u64, workers: usize) -> Result<Self, ContestantError> {
        let config = EngineConfig::default().with_workers(workers);
        let engine = Engine::builder(Arc::new(MemoryStore::new()))
            .with_config(config)
            .with_task(documents::ADD_ONE, add_one)
            .start()
            .await
            .map_err(ContestantError::new)?;
        let document = documents::sequence(steps);
        let workflow_id = document["workflowId"].as_str().unwrap_or_default().into();
        for document in [document, documents::waiting()] {
            engine
                .publish(document)
                .await
                .map_err(ContestantError::new)?;
        }
        Ok(Self {
            engine,
            workflow_id,
            steps,
        })
    }

    /// Fills the store with instances that ended and with instances that wait for a signal nobody sends.
    ///
    /// # Errors
    ///
    /// The first instance that could not be started or did not complete.
    pub async fn fill(&self, finished: u64, parked: u64) -> Result<(), ContestantError> {
        let mut fillers = JoinSet::new();
        for filler in 0..FILLERS {
            let this = self.clone();
            fillers.spawn(async move {
                for input in (filler..finished).step_by(FILLERS as usize) {
                    this.run_workflow(input).await?;
                }
                for _ in (filler..parked).step_by(FILLERS as usize) {
                    let request = StartRequest::new(documents::WAITING);
                    this.engine
                        .start(request)
                        .await
                        .map_err(ContestantError::new)?;
                }
                Ok(())
            });
        }
        while let Some(joined) = fillers.join_next().await {
            joined.map_err(ContestantError::new)??;
        }
        Ok(())
    }
}

impl Contestant for Augmented {
    async fn run_workflow(&self, input: u64) -> Result<(), ContestantError> {
        let request = StartRequest::new(&*self.workflow_id).with_input(json!({"n": input}));
        let result = self
            .engine
            .start(request)
            .await
            .map_err(ContestantError::new)?
            .result()
            .await
            .map_err(ContestantError::new)?;
        let sum = result.output["n"].as_u64().ok_or_else(|| {
            ContestantError::new(format!("ended {:?}: {:?}", result.status, result.error))
        })?;
        check_sum(input, self.steps, sum)
    }

    fn steps_per_workflow(&self) -> u64 {
        self.steps
    }
}
