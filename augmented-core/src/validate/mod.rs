//! Validation: findings, and the checks that make them.

mod finding;
mod flow;
mod graph;
mod place;

pub use finding::{Finding, PatchOp, Related, Severity};
