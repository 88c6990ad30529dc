#![deny(missing_docs)]
//! The workflow engine of Augmented.

pub mod workflow;
