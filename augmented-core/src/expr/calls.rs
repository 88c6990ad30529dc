//! Resolves function calls: macros of our own, namespaces, built-in and host functions.

use crate::validate::cut;
use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr};

use super::compile::{Compiler, Typed};
use super::functions::{BUILTINS, Builtin, Form, HostFunction, Kind, MACROS, NAMESPACES};
use super::instant::{self, Zone};
use super::nearest::nearest;
use super::problem::{EXPR_LIMIT, EXPR_PARSE, EXPR_TYPE, EXPR_UNKNOWN_FUNCTION, ExprProblem};
use super::program::{Const, FormatTime, Loop, LoopKind, Node, ZoneSource};

/// The most characters a regular expression may have.
const MAX_PATTERN_CHARS: usize = 256;
/// The most bytes a compiled regular expression may take.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// Compiles `name(…)`.
pub(crate) fn global_call<'s>(compiler: &mut Compiler<'s>, call: &CallExpr) -> Typed<'s> {
    let at = compiler.name_at(&call.func_name);
    match (call.func_name.as_str(), call.args.as_slice()) {
        ("coalesce", [_, ..]) => coalesce(compiler, &call.args),
        ("matches", [text, pattern]) => {
            let text = compiler.expr(text);
            matches(compiler, text.node, pattern)
        }
        ("formatTime", [time, pattern]) => format_time(compiler, time, pattern, None),
        ("formatTime", [time, pattern, zone]) => format_time(compiler, time, pattern, Some(zone)),
        (name, arguments) => {
            let arguments = arguments
                .iter()
                .map(|argument| compiler.expr(argument))
                .collect();
            resolve(compiler, name, Form::Global, arguments, at)
        }
    }
}

/// Compiles `target.name(…)`.
pub(crate) fn receiver_call<'s>(compiler: &mut Compiler<'s>, call: &CallExpr) -> Typed<'s> {
    let Some(target) = &call.target else {
        return global_call(compiler, call);
    };
    if let Expr::Ident(namespace) = &target.expr
        && NAMESPACES.contains(&namespace.as_str())
        && !compiler.is_value(namespace)
    {
        let at = compiler.name_at(namespace);
        compiler.name_at(&call.func_name);
        let arguments = call
            .args
            .iter()
            .map(|argument| compiler.expr(argument))
            .collect();
        return resolve(
            compiler,
            &format!("{namespace}.{}", call.func_name),
            Form::Global,
            arguments,
            at,
        );
    }
    let operand = compiler.expr(target);
    let at = compiler.name_at(&call.func_name);
    match (call.func_name.as_str(), call.args.as_slice()) {
        ("sortBy", [variable, key]) => sort_by(compiler, operand, variable, key),
        ("optMap", [variable, body]) => optional_map(compiler, operand, variable, body, false),
        ("optFlatMap", [variable, body]) => optional_map(compiler, operand, variable, body, true),
        ("matches", [pattern]) => matches(compiler, operand.node, pattern),
        (name, arguments) => {
            let mut all = vec![operand];
            all.extend(arguments.iter().map(|argument| compiler.expr(argument)));
            resolve(compiler, name, Form::Receiver, all, at)
        }
    }
}

fn coalesce<'s>(compiler: &mut Compiler<'s>, arguments: &[IdedExpr]) -> Typed<'s> {
    let before = std::mem::replace(&mut compiler.guarded, true);
    let nodes: Vec<Node> = arguments
        .iter()
        .map(|argument| compiler.expr(argument).node)
        .collect();
    compiler.guarded = before;
    Typed::of(Node::Coalesce(nodes.into()), Kind::Any)
}

fn variable_name<'t>(compiler: &mut Compiler<'_>, variable: &'t IdedExpr) -> Option<&'t str> {
    if let Expr::Ident(name) = &variable.expr {
        compiler.name_at(name);
        return Some(name);
    }
    let at = compiler.here();
    compiler
        .problem(ExprProblem::new(EXPR_PARSE, "the first argument must be a simple name").at(at));
    None
}

fn sort_by<'s>(
    compiler: &mut Compiler<'s>,
    range: Typed<'s>,
    variable: &IdedExpr,
    key: &IdedExpr,
) -> Typed<'s> {
    let Some(name) = variable_name(compiler, variable) else {
        return Typed::of(Node::Const(Const::Null), Kind::Any);
    };
    let body = compiler.in_loop(name, range.origin, true, |compiler| compiler.expr(key));
    let looped = Loop {
        kind: LoopKind::SortBy,
        range: range.node,
        filter: None,
        body: body.node,
    };
    Typed::of(Node::Loop(Box::new(looped)), Kind::List)
}

fn optional_map<'s>(
    compiler: &mut Compiler<'s>,
    operand: Typed<'s>,
    variable: &IdedExpr,
    body: &IdedExpr,
    flat: bool,
) -> Typed<'s> {
    let Some(name) = variable_name(compiler, variable) else {
        return Typed::of(Node::Const(Const::Null), Kind::Any);
    };
    let body = compiler.in_loop(name, operand.origin, false, |compiler| compiler.expr(body));
    Typed::of(
        Node::OptMap {
            flat,
            operand: Box::new([operand.node, body.node]),
        },
        Kind::Optional,
    )
}

/// The text of an argument that must be a literal.
fn literal_text<'s>(
    compiler: &mut Compiler<'s>,
    argument: &IdedExpr,
    what: &str,
) -> Option<(Box<str>, Option<usize>)> {
    let at = compiler.here();
    match compiler.expr(argument).node {
        Node::Const(Const::Text(text)) => Some((text, at)),
        _ => {
            compiler.problem(
                ExprProblem::new(EXPR_TYPE, format!("{what} must be a text literal")).at(at),
            );
            None
        }
    }
}

fn matches<'s>(compiler: &mut Compiler<'s>, operand: Node, pattern: &IdedExpr) -> Typed<'s> {
    let Some((pattern, at)) = literal_text(compiler, pattern, "the pattern of matches()") else {
        return Typed::of(Node::Const(Const::Null), Kind::Bool);
    };
    if pattern.chars().count() > MAX_PATTERN_CHARS {
        let problem = ExprProblem::new(
            EXPR_LIMIT,
            format!("the pattern is longer than {MAX_PATTERN_CHARS} characters"),
        )
        .argument("limit", MAX_PATTERN_CHARS);
        return compiler.problem(problem.at(at));
    }
    match regex::RegexBuilder::new(&pattern)
        .size_limit(MAX_PATTERN_BYTES)
        .dfa_size_limit(MAX_PATTERN_BYTES)
        .build()
    {
        Ok(regex) => Typed::of(
            Node::Matches(Box::new(operand), Box::new(regex)),
            Kind::Bool,
        ),
        Err(regex::Error::CompiledTooBig(_)) => compiler.problem(
            ExprProblem::new(EXPR_LIMIT, "the pattern is too large when compiled")
                .argument("limit", MAX_PATTERN_BYTES)
                .at(at),
        ),
        Err(error) => {
            let text = error.to_string();
            let reason = text
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            compiler.problem(
                ExprProblem::new(
                    EXPR_PARSE,
                    format!("the pattern is no regular expression: {reason}"),
                )
                .at(at),
            )
        }
    }
}

fn format_time<'s>(
    compiler: &mut Compiler<'s>,
    time: &IdedExpr,
    pattern: &IdedExpr,
    zone: Option<&IdedExpr>,
) -> Typed<'s> {
    let time = compiler.expr(time).node;
    let Some((pattern, at)) = literal_text(compiler, pattern, "the pattern of formatTime()") else {
        return Typed::of(Node::Const(Const::Null), Kind::Text);
    };
    if pattern.chars().count() > MAX_PATTERN_CHARS {
        let problem = ExprProblem::new(
            EXPR_LIMIT,
            format!("the pattern is longer than {MAX_PATTERN_CHARS} characters"),
        )
        .argument("limit", MAX_PATTERN_CHARS);
        return compiler.problem(problem.at(at));
    }
    if !instant::is_pattern(&pattern) {
        let problem = ExprProblem::new(EXPR_PARSE, format!("`{pattern}` is no strftime pattern"))
            .hint("for example \"%Y-%m-%d %H:%M\"");
        return compiler.problem(problem.at(at));
    }
    let zone = match zone {
        None => ZoneSource::Fixed(Zone::UTC),
        Some(zone) => {
            let at = compiler.here();
            match compiler.expr(zone).node {
                Node::Const(Const::Text(name)) => match Zone::parse(&name) {
                    Some(zone) => ZoneSource::Fixed(zone),
                    None => {
                        let problem =
                            ExprProblem::new(EXPR_TYPE, format!("`{name}` is no time zone"))
                                .hint("for example \"Europe/Paris\" or \"+02:00\"");
                        return compiler.problem(problem.at(at));
                    }
                },
                node => ZoneSource::Computed(node),
            }
        }
    };
    Typed::of(
        Node::FormatTime(Box::new(FormatTime {
            at: time,
            pattern,
            zone,
        })),
        Kind::Text,
    )
}

fn fits(form: Form, wanted: Form) -> bool {
    form == Form::Either || form == wanted
}

fn resolve<'s>(
    compiler: &mut Compiler<'s>,
    name: &str,
    form: Form,
    arguments: Vec<Typed<'s>>,
    at: Option<usize>,
) -> Typed<'s> {
    let count = arguments.len();
    let takes =
        |host: &&HostFunction| host.name() == name && fits(host.form(), form) && host.takes(count);
    if let Some(host) = compiler
        .site
        .functions()
        .iter()
        .find(takes)
        .or_else(|| compiler.hosts.iter().find(takes))
    {
        let host = host.clone();
        return Typed::of(
            Node::Host(
                host,
                arguments
                    .into_iter()
                    .map(|argument| argument.node)
                    .collect(),
            ),
            Kind::Any,
        );
    }
    let builtin = BUILTINS.iter().find(|builtin| {
        builtin.name == name
            && fits(builtin.form, form)
            && (builtin.least..=builtin.most).contains(&count)
    });
    if let Some(builtin) = builtin {
        return Typed::of(
            Node::Call(
                builtin,
                arguments
                    .into_iter()
                    .map(|argument| argument.node)
                    .collect(),
            ),
            builtin.result,
        );
    }
    let problem = unknown(compiler, name, form, count).at(at);
    compiler.problem(problem)
}

/// Says what is wrong with a call that nothing fits.
fn unknown(compiler: &Compiler<'_>, name: &str, form: Form, count: usize) -> ExprProblem {
    let given = if form == Form::Receiver {
        count.saturating_sub(1)
    } else {
        count
    };
    let hosts = || compiler.site.functions().iter().chain(compiler.hosts);
    let signature = BUILTINS
        .iter()
        .find(|builtin| builtin.name == name)
        .map(|builtin: &Builtin| builtin.signature.to_owned())
        .or_else(|| {
            MACROS
                .iter()
                .find(|(known, ..)| *known == name)
                .map(|(_, signature, _)| (*signature).to_owned())
        })
        .or_else(|| {
            hosts()
                .find(|host| host.name() == name)
                .map(HostFunction::signature)
        });
    if let Some(signature) = signature {
        let called = if form == Form::Receiver {
            format!("x.{name}() with {given} arguments")
        } else {
            format!("{name}() with {given} arguments")
        };
        return ExprProblem::new(EXPR_UNKNOWN_FUNCTION, format!("there is no {called}"))
            .argument("function", cut(name))
            .hint(format!("it is called as {signature}"));
    }
    let names = BUILTINS
        .iter()
        .map(|builtin| builtin.name)
        .chain(MACROS.iter().map(|(known, ..)| *known))
        .chain(hosts().map(HostFunction::name));
    let problem = ExprProblem::new(
        EXPR_UNKNOWN_FUNCTION,
        format!("there is no function {name}()"),
    )
    .argument("function", cut(name));
    match nearest(name, names) {
        Some(near) => problem
            .argument("nearest", near)
            .hint(format!("did you mean `{near}`?")),
        None => problem,
    }
}
