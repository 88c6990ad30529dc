//! Members and elements: what is read below a value.

use crate::validate::cut;
use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, SelectExpr};

use super::super::functions::Kind;
use super::super::nearest::nearest;
use super::super::problem::{EXPR_TYPE, EXPR_UNKNOWN_MEMBER, ExprProblem};
use super::super::program::{Const, Node, Segment};
use super::super::references::PathSegment;
use super::super::shape::{MemberShape, Shape};
use super::{Compiler, Typed};

impl<'s> Compiler<'s> {
    pub(super) fn extend(&mut self, origin: Option<usize>, segment: PathSegment, provided: bool) {
        if let Some(reference) = origin.and_then(|at| self.references.get_mut(at)) {
            reference.path.push(segment);
            let length = reference.path.len();
            if provided && reference.guarded_from.is_none() {
                reference.guarded_from = Some(length - 1);
            } else if self.facts.cover(&reference.root, &reference.path) {
                reference.known_segments = length;
            }
        }
    }

    pub(super) fn select(&mut self, select: &SelectExpr) -> Typed<'s> {
        if let Some(name) = protobuf_type(select) {
            self.name_at(&select.field);
            return Typed::of(Node::Const(Const::Type(name)), Kind::Type);
        }
        if select.test {
            self.name_at("has");
        }
        let operand = self.expr(&select.operand);
        let at = self.name_at(&select.field);
        self.extend(
            operand.origin,
            PathSegment::Member(select.field.as_str().into()),
            select.test,
        );
        let shape = self.member_shape(operand.shape, operand.kind, &select.field, at);
        if select.test {
            return Typed::of(
                Node::Has(Box::new(operand.node), select.field.as_str().into()),
                Kind::Bool,
            );
        }
        let kind = match operand.kind {
            Kind::Optional => Kind::Optional,
            _ => Kind::Any,
        };
        Typed {
            node: member_node(operand.node, &select.field),
            kind,
            shape,
            origin: operand.origin,
        }
    }

    /// Checks a member against what is known of the operand.
    fn member_shape(
        &mut self,
        shape: Option<&'s Shape>,
        kind: Kind,
        name: &str,
        at: Option<usize>,
    ) -> Option<&'s Shape> {
        let Some(shape) = shape else {
            if matches!(
                kind,
                Kind::Bool
                    | Kind::Number
                    | Kind::Text
                    | Kind::Bytes
                    | Kind::List
                    | Kind::Instant
                    | Kind::Span
            ) {
                let problem = ExprProblem::new(
                    EXPR_TYPE,
                    format!(
                        "`{name}` is read from {}, which has no members",
                        kind.title()
                    ),
                )
                .at(at);
                self.problems.push(problem);
            }
            return None;
        };
        match shape.member(name) {
            MemberShape::Known(member) => Some(member),
            MemberShape::Open => None,
            MemberShape::Unknown { record, members } => {
                let near = nearest(name, members.iter().copied());
                let hint = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it has {}", members.join(", ")),
                };
                self.problems.push(
                    ExprProblem::new(
                        EXPR_UNKNOWN_MEMBER,
                        format!("`{record}` has no member `{name}`"),
                    )
                    .argument("member", cut(name))
                    .optional_argument("nearest", near)
                    .at(at)
                    .hint(hint),
                );
                None
            }
            MemberShape::Scalar(title) => {
                self.problems.push(
                    ExprProblem::new(
                        EXPR_UNKNOWN_MEMBER,
                        format!("`{name}` is read from {title}, which has no members"),
                    )
                    .argument("member", cut(name))
                    .at(at),
                );
                None
            }
        }
    }

    pub(super) fn index(&mut self, operand: &IdedExpr, index: &IdedExpr) -> Typed<'s> {
        let operand = self.expr(operand);
        let index = self.expr(index);
        let at = self.here_before();
        match index.node {
            Node::Const(Const::Text(name)) => {
                self.extend(operand.origin, PathSegment::Member(name.clone()), false);
                let shape = self.member_shape(operand.shape, operand.kind, &name, at);
                let kind = if operand.kind == Kind::Optional {
                    Kind::Optional
                } else {
                    Kind::Any
                };
                let node = match operand.node {
                    Node::Path(mut path) => {
                        path.segments.push(Segment::Member(name));
                        Node::Path(path)
                    }
                    other => Node::Index(Box::new([other, Node::Const(Const::Text(name))])),
                };
                Typed {
                    node,
                    kind,
                    shape,
                    origin: operand.origin,
                }
            }
            Node::Const(Const::Int(position)) => {
                self.extend(operand.origin, PathSegment::Index(position), false);
                let node = match operand.node {
                    Node::Path(mut path) => {
                        path.segments.push(Segment::Index(position));
                        Node::Path(path)
                    }
                    other => Node::Index(Box::new([other, Node::Const(Const::Int(position))])),
                };
                Typed {
                    node,
                    kind: Kind::Any,
                    shape: None,
                    origin: operand.origin,
                }
            }
            dynamic => {
                self.mark_dynamic(operand.origin);
                let shape = match operand.shape {
                    Some(steps @ Shape::Steps) => match steps.member("") {
                        MemberShape::Known(step) => Some(step),
                        _ => None,
                    },
                    _ => None,
                };
                let kind = if operand.kind == Kind::Optional {
                    Kind::Optional
                } else {
                    Kind::Any
                };
                Typed {
                    node: Node::Index(Box::new([operand.node, dynamic])),
                    kind,
                    shape,
                    origin: None,
                }
            }
        }
    }

    fn mark_dynamic(&mut self, origin: Option<usize>) {
        if let Some(reference) = origin.and_then(|at| self.references.get_mut(at)) {
            reference.dynamic = true;
        }
    }

    pub(super) fn optional_select(&mut self, operand: &IdedExpr, field: &IdedExpr) -> Typed<'s> {
        let Expr::Literal(LiteralValue::String(name)) = &field.expr else {
            return self.refuse("a name is needed after `.?`");
        };
        let name = name.inner();
        let operand = self.expr(operand);
        let at = self.name_at(name);
        self.extend(operand.origin, PathSegment::Member(name.into()), true);
        let shape = self.member_shape(operand.shape, operand.kind, name, at);
        Typed {
            node: Node::OptSelect(Box::new(operand.node), name.into()),
            kind: Kind::Optional,
            shape,
            origin: operand.origin,
        }
    }

    pub(super) fn optional_index(&mut self, operand: &IdedExpr, index: &IdedExpr) -> Typed<'s> {
        let operand = self.expr(operand);
        let index = self.expr(index);
        let segment = match &index.node {
            Node::Const(Const::Text(name)) => Some(PathSegment::Member(name.clone())),
            Node::Const(Const::Int(at)) => Some(PathSegment::Index(*at)),
            _ => None,
        };
        let origin = match segment {
            Some(segment) => {
                self.extend(operand.origin, segment, true);
                operand.origin
            }
            None => {
                self.mark_dynamic(operand.origin);
                None
            }
        };
        Typed {
            node: Node::OptIndex(Box::new([operand.node, index.node])),
            kind: Kind::Optional,
            shape: None,
            origin,
        }
    }
}

/// `google.protobuf.Timestamp` and `google.protobuf.Duration`.
fn protobuf_type(select: &SelectExpr) -> Option<&'static str> {
    let Expr::Select(package) = &select.operand.expr else {
        return None;
    };
    let Expr::Ident(root) = &package.operand.expr else {
        return None;
    };
    if select.test || root != "google" || package.field != "protobuf" {
        return None;
    }
    match select.field.as_str() {
        "Timestamp" => Some("google.protobuf.Timestamp"),
        "Duration" => Some("google.protobuf.Duration"),
        _ => None,
    }
}

fn member_node(operand: Node, name: &str) -> Node {
    match operand {
        Node::Path(mut path) => {
            path.segments.push(Segment::Member(name.into()));
            Node::Path(path)
        }
        other => Node::Select(Box::new(other), name.into()),
    }
}
