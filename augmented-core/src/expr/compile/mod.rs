//! From syntax tree to program: names are resolved, members checked, literals converted.

mod literals;
mod members;
mod operators;

use crate::validate::cut;
use cel::IdedExpr;
use cel::common::ast::Expr;

use super::functions::{HostFunction, Kind};
use super::guard::Facts;
use super::macros::{self, Macro};
use super::nearest::nearest;
use super::parse::{MAX_DEPTH, MAX_NODES, too_deep, too_many_nodes};
use super::problem::{EXPR_PARSE, EXPR_TYPE, EXPR_UNKNOWN_ROOT, ExprProblem};
use super::program::{Const, Loop, LoopKind, Node, Path};
use super::references::{PathSegment, Reference, References};
use super::shape::Shape;
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
                .argument("expected", "a bool")
                .argument("actual", typed.kind.title())
                .at(Some(0))
                .hint("compare the value, for example with `==`"),
        );
    }
    compiler.problems.sort_by_key(|problem| problem.offset);
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
                kind: root_kind(name),
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

/// The roots that are never null have a certain type.
fn root_kind(name: &str) -> Kind {
    match name {
        "now" => Kind::Instant,
        "index" => Kind::Number,
        _ => Kind::Any,
    }
}

fn unknown_root(name: &str, site: &ExprSite, scopes: &[Scope]) -> ExprProblem {
    let message = format!("`{name}` may not be read in {}", site.name());
    let roots: Vec<&str> = site
        .roots()
        .chain(scopes.iter().map(|scope| scope.name.as_str()))
        .collect();
    let near = nearest(name, roots.iter().copied());
    let hint = match (near, elsewhere(name)) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(advice)) => advice.to_owned(),
        (None, None) => format!("what may be read here is {}", roots.join(", ")),
    };
    ExprProblem::new(EXPR_UNKNOWN_ROOT, message)
        .argument("root", cut(name))
        .optional_argument("nearest", near)
        .argument("legal", roots)
        .hint(hint)
}

/// What to write where a root of other places is read.
fn elsewhere(name: &str) -> Option<&'static str> {
    Some(match name {
        "output" | "outcome" => {
            "a finished step is read by its id: `steps.<id>.output`, `steps.<id>.outcome`"
        }
        "error" => "the error of a failed step is read by its id: `steps.<id>.error`",
        "event" | "signal" => "what a wait received is the output of its step: `steps.<id>.output`",
        "item" | "index" => "the items of a FOR_EACH step are read in its own steps only",
        "secrets" | "secret" | "env" => {
            "secrets and the environment are not readable: use a secret reference of the integration"
        }
        _ => return None,
    })
}
