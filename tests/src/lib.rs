#![deny(missing_docs)]
//! What the acceptance tests share.

pub mod simulation;
