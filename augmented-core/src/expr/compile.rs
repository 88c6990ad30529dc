//! From syntax tree to program: names are resolved, members checked, literals converted.

use cel::IdedExpr;
use cel::common::ast::{
    CallExpr, EntryExpr, Expr, ListExpr, LiteralValue, MapExpr, SelectExpr, operators,
};
use serde_json::Value;

use super::calls;
use super::functions::{HostFunction, Kind};
use super::guard::{Facts, facts};
use super::macros::{self, Macro};
use super::nearest::nearest;
use super::ops::{Arith, Order};
use super::parse::{MAX_DEPTH, MAX_NODES, too_deep, too_many_nodes};
use super::problem::{EXPR_PARSE, EXPR_TYPE, EXPR_UNKNOWN_MEMBER, EXPR_UNKNOWN_ROOT, ExprProblem};
use super::program::{Const, ListItem, Loop, LoopKind, MapItem, Node, Path, Segment};
use super::references::{PathSegment, Reference, References};
use super::shape::{MemberShape, Shape};
use super::site::{ExprSite, FieldClass};
use super::token::{Token, TokenKind, scalar_offset};

/// Names that stand for types.
const TYPE_NAMES: [&str; 11] = [
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "optional_type",
    "string",
    "type",
    "uint",
];

/// A node and what is known of its value.
pub(crate) struct Typed<'s> {
    pub(crate) node: Node,
    pub(crate) kind: Kind,
    pub(crate) shape: Option<&'s Shape>,
    /// The reference this node extends, if it is a static path.
    pub(crate) origin: Option<usize>,
}

impl Typed<'_> {
    pub(crate) fn of(node: Node, kind: Kind) -> Self {
        Self {
            node,
            kind,
            shape: None,
            origin: None,
        }
    }
}

/// A variable of a loop.
pub(crate) struct Scope {
    name: String,
    /// The static path of what the loop runs over, with its elements.
    origin: Option<(Box<str>, Vec<PathSegment>)>,
}

/// Compiles one expression.
pub(crate) struct Compiler<'s> {
    source: &'s str,
    pub(crate) site: &'s ExprSite,
    pub(crate) hosts: &'s [HostFunction],
    atoms: Vec<Token>,
    cursor: usize,
    scopes: Vec<Scope>,
    references: Vec<Reference>,
    pub(crate) problems: Vec<ExprProblem>,
    facts: Facts,
    /// Inside `coalesce`, where every missing member is provided for.
    pub(crate) guarded: bool,
    nodes: usize,
    depth: usize,
    /// A limit was passed, nothing more is looked at.
    stopped: bool,
}

/// Compiles a syntax tree.
pub(crate) fn compile(
    source: &str,
    tokens: &[Token],
    tree: &IdedExpr,
    site: &ExprSite,
    hosts: &[HostFunction],
) -> Result<(Node, References), Vec<ExprProblem>> {
    let atoms = tokens
        .iter()
        .copied()
        .filter(|token| {
            matches!(
                token.kind,
                TokenKind::Ident | TokenKind::Number | TokenKind::Text
            )
        })
        .collect();
    let mut compiler = Compiler {
        source,
        site,
        hosts,
        atoms,
        cursor: 0,
        scopes: Vec::new(),
        references: Vec::new(),
        problems: Vec::new(),
        facts: Facts::default(),
        guarded: false,
        nodes: 0,
        depth: 0,
        stopped: false,
    };
    let typed = compiler.expr(tree);
    if site.class() == FieldClass::Condition && !matches!(typed.kind, Kind::Bool | Kind::Any) {
        let message = format!(
            "a condition yields a bool, this expression yields {}",
            typed.kind.title()
        );
        compiler.problems.push(
            ExprProblem::new(EXPR_TYPE, message)
                .at(Some(0))
                .hint("compare the value, for example with `==`"),
        );
    }
    if compiler.problems.is_empty() {
        Ok((typed.node, References(compiler.references)))
    } else {
        Err(compiler.problems)
    }
}

impl<'s> Compiler<'s> {
    /// Compiles a subtree; parts must be visited in the order of the source so that positions are found.
    pub(crate) fn expr(&mut self, tree: &IdedExpr) -> Typed<'s> {
        self.nodes += 1;
        if self.nodes > MAX_NODES || self.depth >= MAX_DEPTH {
            if !self.stopped {
                self.stopped = true;
                self.problems.push(if self.depth >= MAX_DEPTH {
                    too_deep()
                } else {
                    too_many_nodes()
                });
            }
            return Typed::of(Node::Const(Const::Null), Kind::Any);
        }
        self.depth += 1;
        let typed = match &tree.expr {
            Expr::Literal(literal) => self.literal(literal),
            Expr::Ident(name) => self.ident(name),
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => self.list(list),
            Expr::Map(map) => self.map(map),
            Expr::Comprehension(comprehension) => match macros::recognise(comprehension) {
                Some(found) => self.looped(&found),
                None => self.refuse("this loop is not supported"),
            },
            Expr::Struct(message) => self.refuse(format!(
                "`{}{{…}}` builds a message, which does not exist here: write a map",
                message.type_name
            )),
            Expr::Unspecified => self.refuse("the expression is incomplete"),
        };
        self.depth -= 1;
        typed
    }

    pub(crate) fn problem(&mut self, problem: ExprProblem) -> Typed<'s> {
        self.problems.push(problem);
        Typed::of(Node::Const(Const::Null), Kind::Any)
    }

    fn refuse(&mut self, message: impl Into<String>) -> Typed<'s> {
        let at = self.here();
        self.problem(ExprProblem::new(EXPR_PARSE, message).at(at))
    }

    /// The position of the next name or literal.
    pub(crate) fn here(&self) -> Option<usize> {
        self.atoms
            .get(self.cursor)
            .map(|token| scalar_offset(self.source, token.start))
    }

    /// Moves behind the next occurrence of a name and returns its position.
    pub(crate) fn name_at(&mut self, name: &str) -> Option<usize> {
        let rest = self.atoms.get(self.cursor..)?;
        let ahead = rest
            .iter()
            .position(|token| token.kind == TokenKind::Ident && token.text(self.source) == name)?;
        let token = rest.get(ahead)?;
        self.cursor += ahead + 1;
        Some(scalar_offset(self.source, token.start))
    }

    /// Moves behind the next literal of a kind.
    fn skip_literal(&mut self, kind: TokenKind) {
        let rest = self.atoms.get(self.cursor..).unwrap_or(&[]);
        if let Some(ahead) = rest.iter().position(|token| token.kind == kind) {
            self.cursor += ahead + 1;
        }
    }

    fn literal(&mut self, literal: &LiteralValue) -> Typed<'s> {
        let (value, kind) = match literal {
            LiteralValue::Null => {
                self.name_at("null");
                (Const::Null, Kind::Null)
            }
            LiteralValue::Boolean(value) => {
                self.name_at(if *value.inner() { "true" } else { "false" });
                (Const::Bool(*value.inner()), Kind::Bool)
            }
            LiteralValue::Int(value) => {
                self.skip_literal(TokenKind::Number);
                (Const::Int(*value.inner()), Kind::Number)
            }
            LiteralValue::UInt(value) => {
                self.skip_literal(TokenKind::Number);
                (
                    i64::try_from(*value.inner()).map_or(Const::Uint(*value.inner()), Const::Int),
                    Kind::Number,
                )
            }
            LiteralValue::Double(value) => {
                self.skip_literal(TokenKind::Number);
                (Const::Double(*value.inner()), Kind::Number)
            }
            LiteralValue::String(text) => {
                self.skip_literal(TokenKind::Text);
                (Const::Text(text.inner().into()), Kind::Text)
            }
            LiteralValue::Bytes(bytes) => {
                self.skip_literal(TokenKind::Text);
                (Const::Bytes(bytes.inner().into()), Kind::Bytes)
            }
        };
        Typed::of(Node::Const(value), kind)
    }

    /// Whether the name is a variable of a loop or a root of the site, so that it is no namespace.
    pub(crate) fn is_value(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.name == name) || self.site.allows(name)
    }

    fn ident(&mut self, name: &str) -> Typed<'s> {
        let at = self.name_at(name);
        if let Some((slot, scope)) = self
            .scopes
            .iter()
            .enumerate()
            .rev()
            .find(|(_, scope)| scope.name == name)
        {
            let origin = scope
                .origin
                .clone()
                .map(|(root, path)| self.refer(root, path, at));
            return Typed {
                node: Node::Local(slot),
                kind: Kind::Any,
                shape: None,
                origin,
            };
        }
        let site = self.site;
        if let Some(shape) = site.shape(name) {
            let origin = Some(self.refer(name.into(), Vec::new(), at));
            let path = Path {
                root: name.into(),
                segments: Vec::new(),
            };
            return Typed {
                node: Node::Path(path),
                kind: kind_of(shape),
                shape: Some(shape),
                origin,
            };
        }
        if let Some(known) = TYPE_NAMES.iter().find(|known| **known == name) {
            let known = if *known == "uint" { "int" } else { known };
            return Typed::of(Node::Const(Const::Type(known)), Kind::Type);
        }
        let problem = unknown_root(name, site, &self.scopes).at(at);
        self.problem(problem)
    }

    /// Notes a read and returns its place in the list.
    fn refer(&mut self, root: Box<str>, path: Vec<PathSegment>, offset: Option<usize>) -> usize {
        let guarded_from = self.guarded.then_some(0);
        self.references.push(Reference {
            root,
            path,
            offset,
            guarded_from,
            known_segments: 0,
            dynamic: false,
        });
        self.references.len() - 1
    }

    fn extend(&mut self, origin: Option<usize>, segment: PathSegment, provided: bool) {
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

    fn select(&mut self, select: &SelectExpr) -> Typed<'s> {
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
            _ => shape.map_or(Kind::Any, kind_of),
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
                let hint = match nearest(name, members.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it has {}", members.join(", ")),
                };
                self.problems.push(
                    ExprProblem::new(
                        EXPR_UNKNOWN_MEMBER,
                        format!("`{record}` has no member `{name}`"),
                    )
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
                    .at(at),
                );
                None
            }
        }
    }

    fn call(&mut self, call: &CallExpr) -> Typed<'s> {
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

    fn expect_bool(&mut self, typed: &Typed<'_>, place: &str) {
        if !matches!(typed.kind, Kind::Bool | Kind::Any) {
            let at = self.here_before();
            let problem = ExprProblem::new(
                EXPR_TYPE,
                format!("{place} needs bools, not {}", typed.kind.title()),
            )
            .at(at);
            self.problems.push(problem);
        }
    }

    /// The position of the name or literal visited last.
    fn here_before(&self) -> Option<usize> {
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

    fn index(&mut self, operand: &IdedExpr, index: &IdedExpr) -> Typed<'s> {
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
                    shape.map_or(Kind::Any, kind_of)
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
                    shape.map_or(Kind::Any, kind_of)
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

    fn optional_select(&mut self, operand: &IdedExpr, field: &IdedExpr) -> Typed<'s> {
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

    fn optional_index(&mut self, operand: &IdedExpr, index: &IdedExpr) -> Typed<'s> {
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

    fn list(&mut self, list: &ListExpr) -> Typed<'s> {
        let mut items = Vec::with_capacity(list.elements.len());
        for (at, element) in list.elements.iter().enumerate() {
            items.push(ListItem {
                value: self.expr(element).node,
                optional: list.optional_indices.contains(&at),
            });
        }
        let constant: Option<Vec<Value>> = items
            .iter()
            .map(|item| {
                if item.optional {
                    None
                } else {
                    constant(&item.value)
                }
            })
            .collect();
        let node = constant.map_or_else(
            || Node::List(items.into()),
            |values| Node::Json(Value::Array(values)),
        );
        Typed::of(node, Kind::List)
    }

    fn map(&mut self, map: &MapExpr) -> Typed<'s> {
        let mut items = Vec::with_capacity(map.entries.len());
        let mut keys: Vec<Const> = Vec::new();
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                return self.refuse("a map entry has a key and a value");
            };
            let at = self.here();
            let key = self.expr(&entry.key).node;
            if let Node::Const(known) = &key {
                if keys.contains(known) {
                    self.problems
                        .push(ExprProblem::new(EXPR_PARSE, "the map has this key twice").at(at));
                }
                keys.push(known.clone());
            }
            items.push(MapItem {
                key,
                value: self.expr(&entry.value).node,
                optional: entry.optional,
            });
        }
        let node = constant_map(&items).map_or_else(|| Node::Map(items.into()), Node::Json);
        Typed::of(node, Kind::Map)
    }

    fn looped(&mut self, found: &Macro<'_>) -> Typed<'s> {
        let range = self.expr(found.range);
        self.name_at(found.variable);
        let (filter, body) = self.in_loop(found.variable, range.origin, true, |compiler| {
            let filter = found.filter.map(|filter| compiler.expr(filter));
            (filter, compiler.expr(found.body))
        });
        let kind = match found.kind {
            LoopKind::All | LoopKind::Exists | LoopKind::ExistsOne => {
                self.expect_bool(&body, "the condition of a loop");
                Kind::Bool
            }
            LoopKind::Filter => {
                self.expect_bool(&body, "the condition of a loop");
                Kind::List
            }
            LoopKind::Map | LoopKind::SortBy => Kind::List,
        };
        let looped = Loop {
            kind: found.kind,
            range: range.node,
            filter: filter.map(|filter| filter.node),
            body: body.node,
        };
        Typed::of(Node::Loop(Box::new(looped)), kind)
    }

    /// Compiles what can see a loop variable.
    pub(crate) fn in_loop<T>(
        &mut self,
        variable: &str,
        origin: Option<usize>,
        each: bool,
        inner: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let origin = origin
            .and_then(|at| self.references.get(at))
            .map(|reference| {
                let mut path = reference.path.clone();
                if each {
                    path.push(PathSegment::Each);
                }
                (reference.root.clone(), path)
            });
        self.scopes.push(Scope {
            name: variable.to_owned(),
            origin,
        });
        let result = inner(self);
        self.scopes.pop();
        result
    }
}

fn unknown_root(name: &str, site: &ExprSite, scopes: &[Scope]) -> ExprProblem {
    let message = format!("`{name}` may not be read in {}", site.name());
    let roots: Vec<&str> = site
        .roots()
        .chain(scopes.iter().map(|scope| scope.name.as_str()))
        .collect();
    let hint = match nearest(name, roots.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("what may be read here is {}", roots.join(", ")),
    };
    ExprProblem::new(EXPR_UNKNOWN_ROOT, message).hint(hint)
}

fn kind_of(shape: &Shape) -> Kind {
    match shape {
        Shape::Data => Kind::Any,
        // Records answer null for texts and numbers they do not have, so only equality is certain.
        Shape::Text | Shape::Number | Shape::Bool | Shape::Instant => Kind::Any,
        Shape::Texts => Kind::Any,
        Shape::Record(_) | Shape::Custom(_) | Shape::Steps => Kind::Any,
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

/// A node as constant JSON; doubles stay nodes, because JSON would read an integral one as an int.
fn constant(node: &Node) -> Option<Value> {
    match node {
        Node::Const(Const::Null) => Some(Value::Null),
        Node::Const(Const::Bool(value)) => Some(Value::Bool(*value)),
        Node::Const(Const::Int(value)) => Some(Value::from(*value)),
        Node::Const(Const::Text(text)) => Some(Value::String(text.to_string())),
        Node::Json(value) => Some(value.clone()),
        _ => None,
    }
}

fn constant_map(items: &[MapItem]) -> Option<Value> {
    let mut members = serde_json::Map::new();
    for item in items {
        let Node::Const(Const::Text(name)) = &item.key else {
            return None;
        };
        if item.optional
            || members
                .insert(name.to_string(), constant(&item.value)?)
                .is_some()
        {
            return None;
        }
    }
    Some(Value::Object(members))
}
