#![deny(missing_docs)]
//! The workflow engine of Augmented.
