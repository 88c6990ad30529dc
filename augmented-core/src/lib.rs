#![deny(missing_docs)]
//! Definitions, validation, expressions, runtime records and store traits of Augmented.
//!
//! This crate is pure: it performs no I/O, reads no clock and knows no async runtime.

pub mod codes;
pub mod error;
pub mod expr;
pub mod ids;
pub mod json;
pub mod model;
pub mod runtime;
pub mod schema;
pub mod schemas;
pub mod store;
pub mod time;
pub mod validate;

pub use error::{ErrorCategory, ErrorInfo};
pub use ids::{InstanceId, NodeId, Seq, TaskInstanceId, TenantId};
pub use time::{IsoDuration, Timestamp};
