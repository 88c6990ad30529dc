//! Which paths are known to exist where an expression is read, because `has` was asked before.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};

use super::references::PathSegment;

/// A path that exists.
type Fact = (Box<str>, Vec<PathSegment>);

/// The paths known to exist at the present place.
#[derive(Default)]
pub(crate) struct Facts(Vec<Fact>);

impl Facts {
    pub(crate) fn mark(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn add(&mut self, facts: Vec<Fact>) {
        self.0.extend(facts);
    }

    pub(crate) fn forget(&mut self, mark: usize) {
        self.0.truncate(mark);
    }

    /// Whether this path is known to exist, itself or because something below it does.
    pub(crate) fn cover(&self, root: &str, path: &[PathSegment]) -> bool {
        self.0
            .iter()
            .any(|(known_root, known)| &**known_root == root && known.starts_with(path))
    }
}

/// The paths that exist if the condition yields `truth`.
pub(crate) fn facts(condition: &IdedExpr, truth: bool) -> Vec<Fact> {
    let mut found = Vec::new();
    collect(condition, truth, &mut found, 0);
    found
}

fn collect(condition: &IdedExpr, truth: bool, found: &mut Vec<Fact>, depth: usize) {
    if depth > 64 {
        return;
    }
    match &condition.expr {
        Expr::Select(select) if select.test && truth => {
            if let Some((root, mut path)) = static_path(&select.operand, 0) {
                path.push(PathSegment::Member(select.field.as_str().into()));
                found.push((root, path));
            }
        }
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [left, right]) if truth => {
                collect(left, true, found, depth + 1);
                collect(right, true, found, depth + 1);
            }
            (operators::LOGICAL_OR, [left, right]) if !truth => {
                collect(left, false, found, depth + 1);
                collect(right, false, found, depth + 1);
            }
            (operators::LOGICAL_NOT, [operand]) => collect(operand, !truth, found, depth + 1),
            // `"x" in a.b` says that the member x exists.
            (operators::IN, [key, container]) if truth => {
                if let Expr::Literal(LiteralValue::String(name)) = &key.expr
                    && let Some((root, mut path)) = static_path(container, 0)
                {
                    path.push(PathSegment::Member(name.inner().into()));
                    found.push((root, path));
                }
            }
            _ => {}
        },
        _ => {}
    }
}

fn static_path(tree: &IdedExpr, depth: usize) -> Option<Fact> {
    if depth > 64 {
        return None;
    }
    match &tree.expr {
        Expr::Ident(root) => Some((root.as_str().into(), Vec::new())),
        Expr::Select(select) if !select.test => {
            let (root, mut path) = static_path(&select.operand, depth + 1)?;
            path.push(PathSegment::Member(select.field.as_str().into()));
            Some((root, path))
        }
        Expr::Call(call) if call.func_name == operators::INDEX => {
            let [operand, index] = call.args.as_slice() else {
                return None;
            };
            let segment = match &index.expr {
                Expr::Literal(LiteralValue::String(name)) => {
                    PathSegment::Member(name.inner().into())
                }
                Expr::Literal(LiteralValue::Int(at)) => PathSegment::Index(*at.inner()),
                _ => return None,
            };
            let (root, mut path) = static_path(operand, depth + 1)?;
            path.push(segment);
            Some((root, path))
        }
        _ => None,
    }
}
