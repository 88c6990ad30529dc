//! Why an evaluation stops.

use super::problem::{EXPR_EVAL, EXPR_LIMIT, ExprError};

/// The reason an evaluation stopped.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A member or an element does not exist; `coalesce` and optionals provide for it.
    Missing(Box<str>),
    /// Anything else that is wrong with the data.
    Eval(Box<str>),
    /// A limit was passed; nothing absorbs it.
    Limit(&'static str),
}

impl Fault {
    pub(crate) fn eval(message: impl Into<Box<str>>) -> Self {
        Self::Eval(message.into())
    }

    pub(crate) fn is_limit(&self) -> bool {
        matches!(self, Self::Limit(_))
    }
}

impl From<Fault> for ExprError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Missing(message) | Fault::Eval(message) => Self::new(EXPR_EVAL, message),
            Fault::Limit(message) => Self::new(EXPR_LIMIT, message),
        }
    }
}
