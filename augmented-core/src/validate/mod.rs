//! Validation: findings, and the checks that make them.

mod finding;

pub use finding::{Finding, PatchOp, Related, Severity};
