//! Definition documents as Rust types.
