//! Types of operands that schemas fix: operations that can never succeed.

use super::engine::CompiledExpr;
use super::functions::Kind;
use super::ops::Arith;
use super::problem::{EXPR_TYPE, ExprProblem};
use super::program::{Const, Node, Path, Segment};
use super::references::{PathSegment, References};
use super::site::FieldClass;

/// The JSON type that values at a path below a root have, if there is only one.
pub(crate) type TypeOf<'t> = &'t dyn Fn(&str, &[&str]) -> Option<&'static str>;

/// Operations of an expression that cannot succeed with values of these types.
pub(crate) fn type_problems(
    expr: &CompiledExpr,
    class: FieldClass,
    type_of: TypeOf<'_>,
) -> Vec<ExprProblem> {
    let mut typing = Typing {
        class,
        references: expr.references(),
        type_of,
        problems: Vec::new(),
    };
    let result = typing.kind(expr.node());
    if class == FieldClass::Condition
        && typing.problems.is_empty()
        && let Some(kind) = result.filter(|kind| !matches!(kind, Kind::Bool))
        && matches!(expr.node(), Node::Path(_))
    {
        let problem = typing.problem(
            expr.node(),
            format!(
                "a condition yields a bool, this expression yields {}",
                kind.title()
            ),
        );
        let hint = "compare the value, for example with `==`";
        typing.problems.push(problem.hint(hint));
    }
    typing.problems
}

struct Typing<'t> {
    class: FieldClass,
    references: &'t References,
    type_of: TypeOf<'t>,
    problems: Vec<ExprProblem>,
}

impl Typing<'_> {
    /// What a node yields, if that is certain; operations inside it are judged on the way.
    fn kind(&mut self, node: &Node) -> Option<Kind> {
        match node {
            Node::Const(value) => of_literal(value),
            Node::Path(path) => self.of_path(path),
            Node::Not(operand) => {
                self.bools("`!`", &[operand]);
                Some(Kind::Bool)
            }
            Node::And(pair) => {
                let [left, right] = &**pair;
                self.bools("`&&`", &[left, right]);
                Some(Kind::Bool)
            }
            Node::Or(pair) => {
                let [left, right] = &**pair;
                self.bools("`||`", &[left, right]);
                Some(Kind::Bool)
            }
            Node::Order(op, pair) => {
                if let Some((left, right)) = self.both(pair)
                    && (left != right || matches!(left, Kind::List | Kind::Map))
                {
                    self.mismatch(op.symbol(), pair, left, right);
                }
                Some(Kind::Bool)
            }
            Node::Equal(pair) | Node::NotEqual(pair) => {
                let is_equal = matches!(node, Node::Equal(_));
                if let Some((left, right)) = self.both(pair).filter(|(left, right)| left != right) {
                    self.never_equal(is_equal, pair, left, right);
                }
                Some(Kind::Bool)
            }
            Node::Arith(op, pair) => self.arith(*op, pair),
            Node::Cond(parts) => {
                let [test, yes, no] = &**parts;
                self.bools("the condition before `?`", &[test]);
                let (yes, no) = (self.kind(yes), self.kind(no));
                yes.filter(|kind| Some(*kind) == no)
            }
            _ => {
                self.below(node);
                None
            }
        }
    }

    /// Judges the operands of a node whose own type nobody knows.
    fn below(&mut self, node: &Node) {
        match node {
            Node::Negate(one) | Node::Matches(one, _) => {
                self.kind(one);
            }
            Node::In(pair) | Node::Index(pair) => {
                for part in pair.iter() {
                    self.kind(part);
                }
            }
            Node::Call(_, arguments) | Node::Host(_, arguments) => {
                for part in arguments {
                    self.kind(part);
                }
            }
            Node::List(items) => {
                for item in items {
                    self.kind(&item.value);
                }
            }
            Node::Map(items) => {
                for item in items {
                    self.kind(&item.value);
                }
            }
            // What stands in loops, `coalesce` and optional paths is provided for, or of no known type.
            _ => {}
        }
    }

    fn both(&mut self, pair: &[Node; 2]) -> Option<(Kind, Kind)> {
        let (left, right) = (self.kind(&pair[0]), self.kind(&pair[1]));
        left.zip(right)
            .filter(|(left, right)| *left != Kind::Null && *right != Kind::Null)
    }

    fn bools(&mut self, what: &str, operands: &[&Node]) {
        for operand in operands {
            if let Some(kind) = self.kind(operand).filter(|kind| *kind != Kind::Bool) {
                let text = format!("{what} needs bools, not {}", kind.title());
                let problem = self.problem(operand, text);
                let hint = if what == "`||`" && self.class == FieldClass::Mapping {
                    "the first value that is there is `coalesce(a, b, …)`"
                } else {
                    "compare the value, for example with `==`"
                };
                self.problems.push(problem.hint(hint));
            }
        }
    }

    fn arith(&mut self, op: Arith, pair: &[Node; 2]) -> Option<Kind> {
        let (left, right) = self.both(pair)?;
        match (op, left, right) {
            (_, Kind::Number, Kind::Number) => Some(Kind::Number),
            (Arith::Add, Kind::Text, Kind::Text) => Some(Kind::Text),
            (Arith::Add, Kind::List, Kind::List) => Some(Kind::List),
            (_, Kind::Instant | Kind::Span | Kind::Bytes, _)
            | (_, _, Kind::Instant | Kind::Span | Kind::Bytes)
                if !matches!(
                    (left, right),
                    (Kind::Text | Kind::Bool | Kind::Number, _)
                        | (_, Kind::Text | Kind::Bool | Kind::Number)
                ) =>
            {
                None
            }
            _ => {
                self.mismatch(op.symbol(), pair, left, right);
                None
            }
        }
    }

    fn mismatch(&mut self, symbol: &str, pair: &[Node; 2], left: Kind, right: Kind) {
        let text = format!(
            "`{symbol}` does not work on {} and {}",
            left.title(),
            right.title()
        );
        let problem = self.problem(self.culprit(pair), text);
        let has = |kind| left == kind || right == kind;
        let problem = if has(Kind::Instant) {
            problem.hint("read texts with timestamp() and lengths of time with duration()")
        } else if symbol == "+" && has(Kind::Text) {
            problem.hint("turn both into texts with string()")
        } else if has(Kind::Text) && has(Kind::Number) {
            problem.hint("turn the text into a number with double() or int()")
        } else {
            problem
        };
        self.problems.push(problem);
    }

    fn never_equal(&mut self, is_equal: bool, pair: &[Node; 2], left: Kind, right: Kind) {
        let text = format!(
            "{} and {} are never equal, so that `{}` is always {}",
            left.title(),
            right.title(),
            if is_equal { "==" } else { "!=" },
            !is_equal
        );
        let problem = self.problem(self.culprit(pair), text);
        let has = |kind| left == kind || right == kind;
        self.problems.push(if has(Kind::Text) && has(Kind::Number) {
            problem.hint("compare with a value of the same type, or convert one with string()")
        } else {
            problem.hint("compare with a value of the same type")
        });
    }

    /// The operand a schema describes.
    fn culprit<'n>(&self, pair: &'n [Node; 2]) -> &'n Node {
        let [left, right] = pair;
        if matches!(left, Node::Path(_)) {
            left
        } else {
            right
        }
    }

    fn problem(&self, node: &Node, text: String) -> ExprProblem {
        let offset = match node {
            Node::Path(path) => self.offset_of(path),
            _ => None,
        };
        ExprProblem::new(EXPR_TYPE, text).at(offset)
    }

    fn offset_of(&self, path: &Path) -> Option<usize> {
        let same = |(own, read): (&Segment, &PathSegment)| match (own, read) {
            (Segment::Member(a), PathSegment::Member(b)) => a == b,
            (Segment::Index(a), PathSegment::Index(b)) => a == b,
            _ => false,
        };
        self.references
            .of(&path.root)
            .find(|read| {
                read.path.len() == path.segments.len()
                    && path.segments.iter().zip(&read.path).all(same)
            })?
            .offset
    }

    fn of_path(&self, path: &Path) -> Option<Kind> {
        if path.root.as_ref() == "now" && path.segments.is_empty() {
            return Some(Kind::Instant);
        }
        let mut members = Vec::with_capacity(path.segments.len());
        for segment in &path.segments {
            match segment {
                Segment::Member(name) => members.push(&**name),
                Segment::Index(_) => return None,
            }
        }
        Some(match (self.type_of)(&path.root, &members)? {
            "string" => Kind::Text,
            "integer" | "number" => Kind::Number,
            "boolean" => Kind::Bool,
            "array" => Kind::List,
            "object" => Kind::Map,
            _ => return None,
        })
    }
}

fn of_literal(value: &Const) -> Option<Kind> {
    Some(match value {
        Const::Null => Kind::Null,
        Const::Bool(_) => Kind::Bool,
        Const::Int(_) | Const::Uint(_) | Const::Double(_) => Kind::Number,
        Const::Text(_) => Kind::Text,
        Const::Bytes(_) => Kind::Bytes,
        Const::Type(_) => return None,
    })
}
