//! The semantic rules of each kind, level L3: one document, no look-ups.

pub(super) mod common;
mod event;
mod schedule;
mod schema;
pub(super) mod task;
mod trigger;
pub(super) mod workflow;

use serde_json::{Map, Value};

use super::Finding;
use super::expressions::Kept;
use crate::expr::ExpressionEngine;
use crate::model::DefinitionKind;

/// Checks one document of a kind, however broken; gives the expressions of a workflow, too.
pub(super) fn check(
    kind: DefinitionKind,
    document: &Map<String, Value>,
    engine: &dyn ExpressionEngine,
) -> (Vec<Finding>, Vec<Kept>) {
    let mut kept = Vec::new();
    let mut findings = match kind {
        DefinitionKind::Workflow => {
            let (findings, expressions) = workflow::check(document, engine);
            kept = expressions;
            findings
        }
        DefinitionKind::Task => task::check(document, engine),
        DefinitionKind::Trigger => trigger::check(document, engine),
        DefinitionKind::Schedule => schedule::check(document, engine),
        DefinitionKind::Event => event::check(document, engine),
        DefinitionKind::Schema => schema::check(document),
        _ => Vec::new(),
    };
    common::metadata_size(document, &mut findings);
    (findings, kept)
}
