//! Mappings and templates: JSON whose strings may hold `${…}`, compiled part by part.

use crate::validate::cut;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::bindings::Bindings;
use super::engine::{CelEngine, CompiledExpr, ExpressionEngine, TextFault};
use super::eval::MAX_RESULT_BYTES;
use super::import::{ImportContext, canonical_template};
use super::problem::{
    DUPLICATE_KEY, EXPR_LIMIT, EXPR_PARSE, EXPR_TEMPLATE_TYPE, ExprError, ExprProblem,
    TemplateProblem,
};
use super::references::Reference;
use super::site::ExprSite;
use super::token::{closing_brace, scalar_offset};
use super::value::{Room, copy_json};

/// The deepest a mapping may be nested.
pub const MAX_TEMPLATE_DEPTH: usize = 32;

/// What all parts of one template together may produce; each part may have 256 KiB.
const MAX_TEMPLATE_BYTES: usize = 16 * MAX_RESULT_BYTES;

/// A compiled mapping or template; cheap to clone.
#[derive(Clone, Debug)]
pub struct Template(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    part: Part,
    expressions: Vec<TemplateExpr>,
}

/// One expression of a template and where it stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TemplateExpr {
    /// The string that holds it, as a JSON Pointer inside the template.
    pub pointer: String,
    /// Where its source begins in that string, in Unicode scalar values.
    pub offset: usize,
    /// The expression.
    pub expr: CompiledExpr,
}

/// One read of a template and where it stands.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TemplateReference<'t> {
    /// The string that holds it, as a JSON Pointer inside the template.
    pub pointer: &'t str,
    /// Where the read stands in that string, in Unicode scalar values.
    pub offset: Option<usize>,
    /// The read; its own offset counts from the start of the expression.
    pub reference: &'t Reference,
}

#[derive(Debug)]
enum Part {
    Constant(Value),
    Typed(CompiledExpr),
    Text(Vec<Piece>),
    List(Vec<Part>),
    Object(Vec<Member>),
}

#[derive(Debug)]
enum Piece {
    Literal(String),
    Expr(CompiledExpr),
}

#[derive(Debug)]
struct Member {
    name: String,
    /// Written `"name?"`: left out when null.
    optional: bool,
    part: Part,
}

impl Template {
    /// Evaluates to JSON.
    ///
    /// # Errors
    /// `EXPR_EVAL` and `EXPR_LIMIT` as of an expression, `EXPR_TEMPLATE_TYPE` if a list or an object stands inside a text.
    pub fn eval(&self, bindings: &dyn Bindings) -> Result<Value, ExprError> {
        let mut room = Room::new(MAX_TEMPLATE_BYTES);
        eval(&self.0.part, bindings, &mut room)
    }

    /// Evaluates to a text: a text as it is, other scalars as in JSON without quotes, null as an empty text.
    ///
    /// # Errors
    /// As [`Template::eval`]; `EXPR_TEMPLATE_TYPE` if the result is a list or an object.
    pub fn eval_string(&self, bindings: &dyn Bindings) -> Result<String, ExprError> {
        match self.eval(bindings)? {
            Value::String(text) => Ok(text),
            Value::Null => Ok(String::new()),
            Value::Array(_) => Err(container("list")),
            Value::Object(_) => Err(container("map")),
            scalar => Ok(scalar.to_string()),
        }
    }

    /// Whether it reads nothing, so that every evaluation gives the same value.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        matches!(self.0.part, Part::Constant(_))
    }

    /// The value of a constant template.
    #[must_use]
    pub fn constant(&self) -> Option<&Value> {
        match &self.0.part {
            Part::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// Its expressions, in the order of the tree.
    #[must_use]
    pub fn expressions(&self) -> &[TemplateExpr] {
        &self.0.expressions
    }

    /// Everything it reads, in the order of the tree.
    pub fn references(&self) -> impl Iterator<Item = TemplateReference<'_>> {
        self.0.expressions.iter().flat_map(|expression| {
            expression
                .expr
                .references()
                .iter()
                .map(|reference| TemplateReference {
                    pointer: &expression.pointer,
                    offset: reference.offset.map(|offset| offset + expression.offset),
                    reference,
                })
        })
    }
}

fn container(kind: &str) -> ExprError {
    ExprError::new(
        EXPR_TEMPLATE_TYPE,
        format!("a {kind} stands where a text is built: wrap it in json()"),
    )
}

fn eval(part: &Part, bindings: &dyn Bindings, room: &mut Room) -> Result<Value, ExprError> {
    match part {
        Part::Constant(value) => Ok(copy_json(value, room)?),
        Part::Typed(expr) => typed(expr, bindings, room),
        Part::Text(pieces) => text(pieces, bindings, room).map(Value::String),
        Part::List(items) => items
            .iter()
            .map(|item| eval(item, bindings, room))
            .collect::<Result<_, _>>()
            .map(Value::Array),
        Part::Object(members) => {
            let mut object = Map::new();
            for member in members {
                let value = eval(&member.part, bindings, room)?;
                if !(member.optional && value.is_null()) {
                    object.insert(member.name.clone(), value);
                }
            }
            Ok(Value::Object(object))
        }
    }
}

fn typed(
    expr: &CompiledExpr,
    bindings: &dyn Bindings,
    total: &mut Room,
) -> Result<Value, ExprError> {
    let mut room = Room::new(MAX_RESULT_BYTES);
    let value = expr.json(bindings, &mut room)?;
    total.take(MAX_RESULT_BYTES - room.left())?;
    Ok(value)
}

fn text(pieces: &[Piece], bindings: &dyn Bindings, total: &mut Room) -> Result<String, ExprError> {
    let mut room = Room::new(MAX_RESULT_BYTES);
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => {
                room.take(literal.len())?;
                out.push_str(literal);
            }
            Piece::Expr(expr) => {
                expr.write_text(bindings, &mut out, &mut room)
                    .map_err(|fault| match fault {
                        TextFault::Container(kind) => container(kind),
                        TextFault::Fault(fault) => fault.into(),
                    })?
            }
        }
    }
    total.take(out.len())?;
    Ok(out)
}

/// Compiles a tree.
pub(crate) fn compile(
    engine: &CelEngine,
    tree: &Value,
    site: &ExprSite,
) -> Result<Template, Vec<TemplateProblem>> {
    let mut compiler = Compiler {
        engine,
        site,
        pointer: String::new(),
        expressions: Vec::new(),
        problems: Vec::new(),
    };
    let part = compiler.part(tree, 0);
    if compiler.problems.is_empty() {
        Ok(Template(Arc::new(Compiled {
            part,
            expressions: compiler.expressions,
        })))
    } else {
        Err(compiler.problems)
    }
}

struct Compiler<'c> {
    engine: &'c CelEngine,
    site: &'c ExprSite,
    pointer: String,
    expressions: Vec<TemplateExpr>,
    problems: Vec<TemplateProblem>,
}

impl Compiler<'_> {
    fn problem(&mut self, problem: ExprProblem) -> Part {
        self.problems.push(TemplateProblem {
            pointer: self.pointer.clone(),
            problem,
        });
        Part::Constant(Value::Null)
    }

    fn part(&mut self, tree: &Value, depth: usize) -> Part {
        if depth > MAX_TEMPLATE_DEPTH {
            let problem = ExprProblem::new(
                EXPR_LIMIT,
                format!("the mapping is nested deeper than {MAX_TEMPLATE_DEPTH} levels"),
            );
            return self.problem(problem.argument("limit", MAX_TEMPLATE_DEPTH));
        }
        match tree {
            Value::String(text) => self.string(text),
            Value::Array(items) => self.list(items, depth),
            Value::Object(members) => self.object(members, depth),
            scalar => Part::Constant(scalar.clone()),
        }
    }

    /// Goes one level down the pointer.
    fn below<T>(&mut self, token: &str, inner: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer
            .push_str(&token.replace('~', "~0").replace('/', "~1"));
        let result = inner(self);
        self.pointer.truncate(length);
        result
    }

    fn list(&mut self, items: &[Value], depth: usize) -> Part {
        let parts: Vec<Part> = items
            .iter()
            .enumerate()
            .map(|(at, item)| {
                self.below(&at.to_string(), |compiler| compiler.part(item, depth + 1))
            })
            .collect();
        if parts.iter().all(|part| matches!(part, Part::Constant(_))) {
            let values = parts.into_iter().filter_map(|part| {
                if let Part::Constant(value) = part {
                    Some(value)
                } else {
                    None
                }
            });
            return Part::Constant(Value::Array(values.collect()));
        }
        Part::List(parts)
    }

    fn object(&mut self, members: &Map<String, Value>, depth: usize) -> Part {
        if let Some(special) = self.special(members) {
            return special;
        }
        let mut compiled: Vec<Member> = Vec::with_capacity(members.len());
        for (key, value) in members {
            let (name, optional) = match key.strip_suffix('?') {
                Some(name) => (name, true),
                None => (key.as_str(), false),
            };
            if optional && members.contains_key(name) {
                self.below(key, |compiler| {
                    compiler.problem(
                        ExprProblem::new(
                            DUPLICATE_KEY,
                            format!("`{name}` and `{name}?` are the same member"),
                        )
                        .argument("member", cut(name))
                        .hint("keep one of them"),
                    )
                });
            }
            let part = self.below(key, |compiler| compiler.part(value, depth + 1));
            compiled.push(Member {
                name: name.to_owned(),
                optional,
                part,
            });
        }
        if compiled
            .iter()
            .all(|member| matches!(member.part, Part::Constant(_)))
        {
            let kept = compiled.into_iter().filter_map(|member| match member.part {
                Part::Constant(Value::Null) if member.optional => None,
                Part::Constant(value) => Some((member.name, value)),
                _ => None,
            });
            return Part::Constant(Value::Object(kept.collect()));
        }
        Part::Object(compiled)
    }

    /// `{"$literal": …}` and `{"$expr": …}`.
    fn special(&mut self, members: &Map<String, Value>) -> Option<Part> {
        let (key, value) = members
            .iter()
            .find(|(key, _)| matches!(key.as_str(), "$literal" | "$expr"))?;
        if members.len() > 1 {
            let problem = ExprProblem::new(
                EXPR_PARSE,
                format!("`{key}` must be the only member of its object"),
            );
            return Some(self.below(key, |compiler| compiler.problem(problem)));
        }
        if key == "$literal" {
            return Some(Part::Constant(value.clone()));
        }
        Some(self.below(key, |compiler| {
            match value {
                Value::String(source) => compiler
                    .expression(source, source, 0)
                    .map_or(Part::Constant(Value::Null), Part::Typed),
                _ => compiler.problem(ExprProblem::new(
                    EXPR_PARSE,
                    "`$expr` holds the text of an expression",
                )),
            }
        }))
    }

    /// Compiles one expression that begins at a byte of the string at the pointer.
    fn expression(&mut self, whole: &str, source: &str, start: usize) -> Option<CompiledExpr> {
        let offset = scalar_offset(whole, start);
        match self.engine.compile(source, self.site) {
            Ok(expr) => {
                self.expressions.push(TemplateExpr {
                    pointer: self.pointer.clone(),
                    offset,
                    expr: expr.clone(),
                });
                Some(expr)
            }
            Err(problems) => {
                for mut problem in problems {
                    problem.offset = problem.offset.map(|at| at + offset);
                    problem.replacement = problem.replacement.map(|new| {
                        let before = whole.get(..start).unwrap_or("");
                        let after = whole.get(start + source.len()..).unwrap_or("");
                        format!("{before}{new}{after}")
                    });
                    self.problem(problem);
                }
                None
            }
        }
    }

    fn string(&mut self, whole: &str) -> Part {
        if let Some(form) = canonical_template(whole, &ImportContext::new(self.engine, self.site)) {
            let message = match form.form {
                1 | 18 => format!("`{whole}` is a text, though it looks like a path"),
                _ => "`{{…}}` is no placeholder".to_owned(),
            };
            let offset = whole.find("{{").map_or(0, |at| scalar_offset(whole, at));
            let mut problem = ExprProblem::new(EXPR_PARSE, message)
                .at(Some(offset))
                .hint(form.hint);
            problem.replacement = form.replacement;
            return self.problem(problem);
        }
        if !whole.contains("${") {
            return Part::Constant(Value::String(whole.to_owned()));
        }
        let mut pieces: Vec<Piece> = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(found) = whole.get(at..).and_then(|rest| rest.find("${")) {
            let start = at + found;
            let before = whole.get(at..start).unwrap_or("");
            if let Some(escaped) = before.strip_suffix('$') {
                literal.push_str(escaped);
                literal.push_str("${");
                at = start + 2;
                continue;
            }
            literal.push_str(before);
            let Some(end) = closing_brace(whole, start + 2) else {
                let problem = ExprProblem::new(EXPR_PARSE, "`${` is not closed by `}`")
                    .at(Some(scalar_offset(whole, start)));
                return self.problem(problem.hint("write `$${` for a literal `${`"));
            };
            let source = whole.get(start + 2..end).unwrap_or("");
            let sole = start == 0 && end + 1 == whole.len();
            let expr = self.expression(whole, source, start + 2);
            at = end + 1;
            let Some(expr) = expr else { continue };
            if sole {
                return Part::Typed(expr);
            }
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Expr(expr));
        }
        literal.push_str(whole.get(at..).unwrap_or(""));
        if pieces.is_empty() {
            return Part::Constant(Value::String(literal));
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Part::Text(pieces)
    }
}
