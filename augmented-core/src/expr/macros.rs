//! Recognises the loops the parser has expanded.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, operators};

use super::program::LoopKind;

/// A loop as it was written.
pub(crate) struct Macro<'t> {
    pub(crate) kind: LoopKind,
    pub(crate) range: &'t IdedExpr,
    pub(crate) variable: &'t str,
    pub(crate) filter: Option<&'t IdedExpr>,
    pub(crate) body: &'t IdedExpr,
}

/// Finds the loop behind an expanded comprehension.
pub(crate) fn recognise(comprehension: &ComprehensionExpr) -> Option<Macro<'_>> {
    let (kind, filter, body) = match &comprehension.accu_init.expr {
        Expr::Literal(LiteralValue::Boolean(value)) => {
            let kind = if *value.inner() {
                LoopKind::All
            } else {
                LoopKind::Exists
            };
            let body = call(
                &comprehension.loop_step,
                &[operators::LOGICAL_AND, operators::LOGICAL_OR],
            )?
            .args
            .get(1)?;
            (kind, None, body)
        }
        Expr::Literal(LiteralValue::Int(_)) => {
            let body = call(&comprehension.loop_step, &[operators::CONDITIONAL])?
                .args
                .first()?;
            (LoopKind::ExistsOne, None, body)
        }
        Expr::List(_) => list_loop(comprehension)?,
        _ => return None,
    };
    Some(Macro {
        kind,
        range: &comprehension.iter_range,
        variable: &comprehension.iter_var,
        filter,
        body,
    })
}

/// `map` and `filter`, which both build a list.
fn list_loop(
    comprehension: &ComprehensionExpr,
) -> Option<(LoopKind, Option<&IdedExpr>, &IdedExpr)> {
    let step = call(
        &comprehension.loop_step,
        &[operators::ADD, operators::CONDITIONAL],
    )?;
    let (filter, add) = match step.func_name.as_str() {
        operators::ADD => (None, step),
        _ => (
            step.args.first(),
            call(step.args.get(1)?, &[operators::ADD])?,
        ),
    };
    let Expr::List(list) = &add.args.get(1)?.expr else {
        return None;
    };
    let value = list.elements.first()?;
    match (filter, &value.expr) {
        // `map(x, condition, x)` is expanded to the same tree and means the same.
        (Some(filter), Expr::Ident(name)) if *name == comprehension.iter_var => {
            Some((LoopKind::Filter, None, filter))
        }
        (filter, _) => Some((LoopKind::Map, filter, value)),
    }
}

fn call<'t>(tree: &'t IdedExpr, names: &[&str]) -> Option<&'t CallExpr> {
    match &tree.expr {
        Expr::Call(call) if names.contains(&call.func_name.as_str()) => Some(call),
        _ => None,
    }
}
