//! Expressions and mappings.
