//! The JSON Schema engine.
//!
//! [`CompiledSchema`] compiles a schema under our dialect and keyword policy and judges values with
//! it: [`is_valid`](CompiledSchema::is_valid) at the engine's speed, and
//! [`validate`](CompiledSchema::validate) with findings that say what is wrong, where, and what
//! would be right.

mod builder;
mod check;
mod compat;
mod compile;
mod custom;
mod dialect;
mod documents;
mod embedded;
mod engine;
mod format;
mod message;
mod meta;
mod pattern;
mod policy;
mod prepare;
mod reference;
mod registry;
mod repair;
mod scope;
mod type_set;
mod types;
mod upcast;
mod validate;

#[cfg(test)]
mod tests;

pub use compat::{
    Bump, Change, ChangeType, CompatReport, CompatResult, Compatibility, CompatibilityChecker,
    Effect, VersionTooLow, next_version,
};
pub use compile::{CompiledSchema, SchemaOptions, SchemaResolver};
pub use custom::{
    AsyncValidator, CheckInput, Complaint, CustomValidator, ExpressionCompiler, ExpressionRule,
    FormatCheck, FunctionValidator, KeywordFactory, Transformation, ValidationContext,
    ValidatorError,
};
pub use dialect::Dialect;
pub use embedded::{check_embedded_schema, compile_embedded, rebase};
pub use prepare::Coercion;
pub use reference::{SchemaReference, schema_references};
pub use registry::{CaseResult, Registration, RegistrationError, ValidatorCase, ValidatorRegistry};
pub use type_set::{Place, Presence, Relation, TypeSet, relation};
pub use types::type_name;
pub use upcast::{UpcastChain, UpcastError, Upcaster};
pub use validate::{DeferredCheck, Outcome, ValidateOptions, ValidationEngineError};
