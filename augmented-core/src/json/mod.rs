//! JSON texts and trees: intake with source positions, canonical form, pointers, patches.
//!
//! Everything here is independent of the features a host may switch on in `serde_json`
//! (`preserve_order`, `arbitrary_precision`): member order never carries meaning, and numbers are
//! built and printed by this module's own rules.

pub mod canonical;
pub mod intake;
pub mod nearest;
mod nul;
mod number;
pub mod patch;
pub mod pointer;
mod source;
mod text_edit;

pub use canonical::{content_hash, content_hash_hex};
pub use intake::{Limits, Parsed, parse};
pub use nul::{nul_at, replace_nul};
pub use number::normalise_numbers;
pub use source::{Position, SourceMap, place, sort_findings};
