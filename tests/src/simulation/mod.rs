//! The engine under a hostile world, again and again, each time another one that can be repeated exactly.
//!
//! A seed makes a [`Plan`]: a few random workflows, what callers do and when, and how the store misbehaves. The plan
//! is played with the real engine on virtual time over a memory store behind a [`FaultyStore`], which reorders, delays
//! and refuses, answers that it is unavailable before or after it did what it was asked, fences the node, and lets the
//! process die in the middle of a call; then a fresh engine takes over. A process may be stopped, too, while another
//! takes its work, and go on later, believing that it still owns what it owned. At the end the [`audit`] looks at every
//! instance. Everything runs on one thread and takes its chances from the seed.

mod audit;
mod client;
mod dice;
mod faulty_store;
mod ledger;
mod plan;
mod play;
mod workload;

pub use audit::audit;
pub use dice::Dice;
pub use faulty_store::{End, FaultCounts, FaultyStore, Line, Weather};
pub use plan::Plan;
pub use play::{Tally, play};

/// What is wrong with a run: each line one broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations(pub Vec<String>);

impl std::fmt::Display for Violations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}
