//! durare 0.5 on its in-memory provider.
//!
//! Used as its documentation recommends, in the configuration found fastest: the engine is not launched (a launched one
//! also runs queue dispatchers and a schedule reconciler that scan the provider), workflows are started in the process
//! and awaited through their local handle (no polling), steps are plain `ctx.step` closures without a retry policy, ids
//! are given by the caller (a random UUID costs more), the executor's version is given (the default hashes the binary),
//! and no `tracing` subscriber is installed.

use std::sync::Arc;

use durare::{DurableContext, DurableEngine, EngineConfig, InMemoryProvider, WorkflowOptions};

use crate::contestant::{Contestant, ContestantError, check_sum};

const WORKFLOW: &str = "sequence";

/// An engine of durare with one workflow of a given number of steps.
#[derive(Clone)]
pub struct Durare {
    engine: Arc<DurableEngine>,
    steps: u64,
}

impl Durare {
    /// Builds the engine on a fresh, empty provider.
    ///
    /// # Errors
    ///
    /// Whatever durare refuses.
    pub async fn new(steps: u64) -> Result<Self, ContestantError> {
        let config = EngineConfig::default().app_version("1");
        let provider = Arc::new(InMemoryProvider::new());
        let mut engine = DurableEngine::with_config(provider, config)
            .await
            .map_err(ContestantError::new)?;
        engine.register(WORKFLOW, move |ctx: DurableContext, input: u64| {
            sequence(ctx, input, steps)
        });
        Ok(Self {
            engine: Arc::new(engine),
            steps,
        })
    }
}

impl Contestant for Durare {
    async fn run_workflow(&self, input: u64) -> Result<(), ContestantError> {
        let options = WorkflowOptions::with_id(input.to_string());
        let result = self
            .engine
            .start::<u64, u64>(WORKFLOW, input, options)
            .await
            .map_err(ContestantError::new)?
            .result()
            .await
            .map_err(ContestantError::new)?;
        check_sum(input, self.steps, result)
    }

    fn steps_per_workflow(&self) -> u64 {
        self.steps
    }
}

/// The workflow: every step adds one.
async fn sequence(ctx: DurableContext, input: u64, steps: u64) -> durare::Result<u64> {
    let mut sum = input;
    for _ in 0..steps {
        sum = ctx
            .step("add-one", || async move { Ok::<_, durare::Error>(sum + 1) })
            .await?;
    }
    Ok(sum)
}
