//! The orchestration core: workflows compiled, messages applied, states rebuilt. Pure throughout.

mod command;
mod compile;
mod decide;
mod graph;
mod history;
mod places;
mod replay;
mod roots;
mod size;
#[cfg(test)]
mod tests;

pub use augmented_core::runtime::DecideLimits;
pub use command::{Command, RunTask, StartChild, Transition, activation_text};
pub use decide::{decide, has_room_for, is_surplus, jitter_unit};
pub use graph::{CompiledWorkflow, TaskRef};
pub use history::history;
pub use replay::{ReplayError, open_commands, replay};
