//! Operators, with the types that certainly do not fit.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, operators};

use super::super::calls;
use super::super::functions::Kind;
use super::super::guard::facts;
use super::super::ops::{Arith, Order};
use super::super::problem::{EXPR_TYPE, ExprProblem};
use super::super::program::Node;
use super::super::token::scalar_offset;
use super::{Compiler, Typed};

impl<'s> Compiler<'s> {
    pub(super) fn call(&mut self, call: &CallExpr) -> Typed<'s> {
        if call.target.is_some() {
            return calls::receiver_call(self, call);
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [left, right]) => self.logic(left, right, true),
            (operators::LOGICAL_OR, [left, right]) => self.logic(left, right, false),
            (operators::LOGICAL_NOT, [operand]) => {
                let operand = self.expr(operand);
                self.expect_bool(&operand, "`!`");
                Typed::of(Node::Not(Box::new(operand.node)), Kind::Bool)
            }
            (operators::NEGATE, [operand]) => {
                let operand = self.expr(operand);
                let kind = if operand.kind == Kind::Span {
                    Kind::Span
                } else {
                    Kind::Any
                };
                Typed::of(Node::Negate(Box::new(operand.node)), kind)
            }
            (operators::CONDITIONAL, [condition, yes, no]) => self.conditional(condition, yes, no),
            (operators::EQUALS, [left, right]) => self.pair(left, right, Kind::Bool, Node::Equal),
            (operators::NOT_EQUALS, [left, right]) => {
                self.pair(left, right, Kind::Bool, Node::NotEqual)
            }
            (operators::IN, [left, right]) => self.pair(left, right, Kind::Bool, Node::In),
            (operators::LESS, [left, right]) => self.order(Order::Less, left, right),
            (operators::LESS_EQUALS, [left, right]) => self.order(Order::LessEq, left, right),
            (operators::GREATER, [left, right]) => self.order(Order::Greater, left, right),
            (operators::GREATER_EQUALS, [left, right]) => self.order(Order::GreaterEq, left, right),
            (operators::ADD, [left, right]) => self.arith(Arith::Add, left, right),
            (operators::SUBSTRACT, [left, right]) => self.arith(Arith::Sub, left, right),
            (operators::MULTIPLY, [left, right]) => self.arith(Arith::Mul, left, right),
            (operators::DIVIDE, [left, right]) => self.arith(Arith::Div, left, right),
            (operators::MODULO, [left, right]) => self.arith(Arith::Rem, left, right),
            (operators::INDEX, [operand, index]) => self.index(operand, index),
            (operators::OPT_SELECT, [operand, field]) => self.optional_select(operand, field),
            (operators::OPT_INDEX, [operand, index]) => self.optional_index(operand, index),
            _ => calls::global_call(self, call),
        }
    }

    pub(super) fn expect_bool(&mut self, typed: &Typed<'_>, place: &str) {
        if !matches!(typed.kind, Kind::Bool | Kind::Any) {
            let at = self.here_before();
            let problem = ExprProblem::new(
                EXPR_TYPE,
                format!("{place} needs bools, not {}", typed.kind.title()),
            )
            .argument("expected", "a bool")
            .argument("actual", typed.kind.title())
            .at(at);
            self.problems.push(problem);
        }
    }

    /// The position of the name or literal visited last.
    pub(super) fn here_before(&self) -> Option<usize> {
        let token = self.atoms.get(self.cursor.checked_sub(1)?)?;
        Some(scalar_offset(self.source, token.start))
    }

    fn logic(&mut self, left: &IdedExpr, right: &IdedExpr, conjunction: bool) -> Typed<'s> {
        let symbol = if conjunction { "`&&`" } else { "`||`" };
        let first = self.expr(left);
        self.expect_bool(&first, symbol);
        let mark = self.facts.mark();
        self.facts.add(facts(left, conjunction));
        let second = self.expr(right);
        self.facts.forget(mark);
        self.expect_bool(&second, symbol);
        let pair = Box::new([first.node, second.node]);
        Typed::of(
            if conjunction {
                Node::And(pair)
            } else {
                Node::Or(pair)
            },
            Kind::Bool,
        )
    }

    fn conditional(&mut self, condition: &IdedExpr, yes: &IdedExpr, no: &IdedExpr) -> Typed<'s> {
        let test = self.expr(condition);
        self.expect_bool(&test, "the condition before `?`");
        let mark = self.facts.mark();
        self.facts.add(facts(condition, true));
        let first = self.expr(yes);
        self.facts.forget(mark);
        self.facts.add(facts(condition, false));
        let second = self.expr(no);
        self.facts.forget(mark);
        let kind = if first.kind == second.kind {
            first.kind
        } else {
            Kind::Any
        };
        Typed::of(
            Node::Cond(Box::new([test.node, first.node, second.node])),
            kind,
        )
    }

    fn pair(
        &mut self,
        left: &IdedExpr,
        right: &IdedExpr,
        kind: Kind,
        node: impl FnOnce(Box<[Node; 2]>) -> Node,
    ) -> Typed<'s> {
        let (left, right) = (self.expr(left), self.expr(right));
        Typed::of(node(Box::new([left.node, right.node])), kind)
    }

    fn order(&mut self, order: Order, left: &IdedExpr, right: &IdedExpr) -> Typed<'s> {
        let (left, right) = (self.expr(left), self.expr(right));
        let comparable = matches!(left.kind, Kind::Any | Kind::Null)
            || matches!(right.kind, Kind::Any | Kind::Null)
            || (left.kind == right.kind
                && matches!(
                    left.kind,
                    Kind::Number
                        | Kind::Text
                        | Kind::Bool
                        | Kind::Bytes
                        | Kind::Instant
                        | Kind::Span
                ));
        if !comparable {
            self.mismatch(order.symbol(), left.kind, right.kind);
        }
        Typed::of(
            Node::Order(order, Box::new([left.node, right.node])),
            Kind::Bool,
        )
    }

    fn arith(&mut self, op: Arith, left: &IdedExpr, right: &IdedExpr) -> Typed<'s> {
        let (left, right) = (self.expr(left), self.expr(right));
        let kind = match (op, left.kind, right.kind) {
            (_, Kind::Any, _) | (_, _, Kind::Any) => Kind::Any,
            (_, Kind::Number, Kind::Number) => Kind::Number,
            (Arith::Add, Kind::Text, Kind::Text) => Kind::Text,
            (Arith::Add, Kind::Bytes, Kind::Bytes) => Kind::Bytes,
            (Arith::Add, Kind::List, Kind::List) => Kind::List,
            (Arith::Add | Arith::Sub, Kind::Instant, Kind::Span)
            | (Arith::Add, Kind::Span, Kind::Instant) => Kind::Instant,
            (Arith::Add | Arith::Sub, Kind::Span, Kind::Span)
            | (Arith::Sub, Kind::Instant, Kind::Instant) => Kind::Span,
            _ => {
                self.mismatch(op.symbol(), left.kind, right.kind);
                Kind::Any
            }
        };
        Typed::of(Node::Arith(op, Box::new([left.node, right.node])), kind)
    }

    fn mismatch(&mut self, symbol: &str, left: Kind, right: Kind) {
        let at = self.here_before();
        let mut problem = ExprProblem::new(
            EXPR_TYPE,
            format!(
                "`{symbol}` does not work on {} and {}",
                left.title(),
                right.title()
            ),
        )
        .at(at);
        if symbol == "+" && (left == Kind::Text || right == Kind::Text) {
            problem = problem.hint("turn both into texts with string()");
        } else if left == Kind::Instant || right == Kind::Instant {
            problem =
                problem.hint("read texts with timestamp() and lengths of time with duration()");
        }
        self.problems.push(problem);
    }
}
