//! Task execution: handlers, attempts, limits, retries.

mod attempt;
mod cancel;
mod context;
mod derived;
mod error;
mod handler;
mod mock;
mod output;
mod registry;
mod run;
mod standard;
mod work;

pub use cancel::{CancellationToken, Cancelled};
pub(crate) use context::TaskCall;
pub use context::TaskContext;
pub use error::TaskError;
pub use handler::{DynTask, IntoBlockingTask, IntoTask, TaskHandler};
pub(crate) use mock::MockTask;
pub use mock::{MockError, MockScript};
pub use output::{IntoTaskOutput, Outcome, TaskOutput};
pub(crate) use registry::TaskRegistry;
pub(crate) use run::{
    Begun, Lingering, ParkedTask, RunControl, RunEnd, RunOutcome, TaskRun, begin,
};
pub(crate) use standard::handlers as standard_handlers;
pub(crate) use work::{CompiledTask, ExecutionPlan, TaskEnv};
