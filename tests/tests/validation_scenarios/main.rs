//! The scenarios of the validation specification, for the kinds workflow, task, trigger, schedule, event and schema.
//!
//! Each test is named after the number of its scenario. Covered beside the code: the fixes that never break more (29) in
//! `augmented-core/tests/mutations.rs`, many mutations read back by the models (27) in `augmented-core/tests/definitions.rs`.

mod engine;
mod findings;
mod registry;
mod registry_life;
mod schemas;
mod validators;
