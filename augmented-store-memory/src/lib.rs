#![deny(missing_docs)]
//! The in-memory store of Augmented.
