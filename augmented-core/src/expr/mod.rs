//! Expressions and mappings: one dialect of CEL for every area.
//!
//! An *expression field* holds bare CEL, a *mapping or template field* holds JSON whose strings may hold `${ CEL }`.
//! Both are compiled once, for the [`ExprSite`] they stand at, and evaluated as often as needed over borrowed
//! [`Bindings`]. Evaluation is deterministic: maps are read in code point order, cost is counted in steps, and the
//! only clock is the root `now`.
//!
//! ```
//! use augmented_core::expr::{CelEngine, ExprSite, ExpressionEngine, JsonBindings};
//! use serde_json::json;
//!
//! let roots = JsonBindings::new()
//!     .with("input", json!({"orderId": "o-7", "items": [{"price": 7, "qty": 2}, {"price": 10.5, "qty": 1}]}))
//!     .with("vars", json!({}));
//! let mapping = json!({
//!     "order": "${input.orderId}",
//!     "total": "${sum(input.items.map(i, i.price * i.qty))}",
//!     "note": "Order ${input.orderId}",
//!     "ref?": "${vars.?ref}",
//! });
//! let template = CelEngine::shared().compile_template(&mapping, &ExprSite::step_input()).unwrap();
//! assert_eq!(template.eval(&roots).unwrap(), json!({"order": "o-7", "total": 24.5, "note": "Order o-7"}));
//! ```

mod bindings;
mod calls;
mod compile;
mod convert;
mod engine;
mod eval;
mod fault;
mod freeze;
mod functions;
mod guard;
pub mod import;
mod instant;
mod loops;
mod macros;
mod meter;
mod nearest;
mod ops;
mod parse;
mod problem;
mod program;
mod references;
mod shape;
mod site;
mod template;
#[cfg(test)]
mod tests;
mod token;
mod typing;
mod value;

pub use bindings::{Bindings, Bound, JsonBindings, JsonRecord, Record};
pub use engine::{CelEngine, CompiledExpr, ExpressionEngine, Outcome};
pub use eval::MAX_RESULT_BYTES;
pub use functions::{FunctionInfo, HostFunction};
pub use meter::MAX_COST;
pub use parse::{MAX_DEPTH, MAX_NODES, MAX_SOURCE_CHARS};
pub use problem::{
    DUPLICATE_KEY, EXPR_EVAL, EXPR_LIMIT, EXPR_NOT_BOOL, EXPR_PARSE, EXPR_TEMPLATE_TYPE, EXPR_TYPE,
    EXPR_UNKNOWN_FUNCTION, EXPR_UNKNOWN_MEMBER, EXPR_UNKNOWN_ROOT, ExprError, ExprProblem,
    TemplateProblem,
};
pub use references::{PathSegment, Reference, References};
pub use shape::{
    CANCELLATION, CustomRecord, ERROR, EVENT, EVENT_SOURCE, RecordShape, SCHEDULE, SIGNAL, STEP,
    STEP_ERROR, Shape, TASK, WORKFLOW,
};
pub use site::{ExprSite, FieldClass, Profile};
pub(crate) use typing::type_problems;

pub use template::{MAX_TEMPLATE_DEPTH, Template, TemplateExpr, TemplateReference};

/// The version of the meaning of expressions: a recorded decision is replayed only by an engine of the same version.
pub const SEMANTICS_VERSION: u32 = 1;
