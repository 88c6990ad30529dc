//! What the load generator needs from an engine under test.

use std::error::Error;
use std::fmt;

/// An engine under test, ready to run workflows of one shape. Cheap to clone.
pub trait Contestant: Clone + Send + Sync + 'static {
    /// Runs one workflow to its end and checks its result.
    ///
    /// The workflow adds one to `input` in each of its steps, and its result is the sum.
    fn run_workflow(&self, input: u64) -> impl Future<Output = Result<(), ContestantError>> + Send;

    /// Durable steps in each workflow.
    fn steps_per_workflow(&self) -> u64;
}

/// Why a measurement was given up.
#[derive(Debug)]
pub struct ContestantError(String);

impl ContestantError {
    /// Takes over the text of an engine's own error.
    pub fn new(source: impl fmt::Display) -> Self {
        Self(source.to_string())
    }
}

impl fmt::Display for ContestantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for ContestantError {}

/// Compares the result of a workflow with what its steps must have made of `input`.
///
/// # Errors
///
/// Says both numbers when they differ.
pub fn check_sum(input: u64, steps: u64, result: u64) -> Result<(), ContestantError> {
    if result == input + steps {
        Ok(())
    } else {
        Err(ContestantError(format!(
            "the workflow made {result} of {input}, not {}",
            input + steps
        )))
    }
}
