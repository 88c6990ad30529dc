//! Runs one instance to its end.

pub(crate) mod drive;
pub(crate) mod mocks;
pub(crate) mod result;
pub(crate) mod script;
pub(crate) mod text;
