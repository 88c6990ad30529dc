//! From text to syntax tree, within limits that are checked before the parser runs.

use cel::IdedExpr;
use cel::common::ast::{Expr, SelectExpr};
use cel::parser::{ParseError, PrattParser};

use super::problem::{EXPR_LIMIT, EXPR_PARSE, ExprProblem};
use super::token::{Token, TokenKind, scalar_offset};

/// The most characters a source may have.
pub const MAX_SOURCE_CHARS: usize = 4096;
/// The most nodes a syntax tree may have.
pub const MAX_NODES: usize = 1000;
/// The deepest a syntax tree may be.
pub const MAX_DEPTH: usize = 64;

/// Parses a source whose tokens are given.
pub(crate) fn parse(source: &str, tokens: &[Token]) -> Result<IdedExpr, ExprProblem> {
    if tokens.is_empty() {
        return Err(ExprProblem::new(EXPR_PARSE, "the expression is empty").at(Some(0)));
    }
    check_size(source, tokens)?;
    if let Some(path) = plain_path(source, tokens) {
        return Ok(path);
    }
    PrattParser::default()
        .enable_optional_syntax(true)
        .parse(source)
        .map_err(|errors| match errors.errors.first() {
            Some(error) => problem_of(source, error),
            None => ExprProblem::new(EXPR_PARSE, "the text is no expression"),
        })
}

/// Whether a word is no name, in whatever place of a path.
fn is_reserved(word: &str) -> bool {
    matches!(
        word,
        "as" | "break"
            | "const"
            | "continue"
            | "else"
            | "false"
            | "for"
            | "function"
            | "if"
            | "import"
            | "in"
            | "let"
            | "loop"
            | "namespace"
            | "null"
            | "package"
            | "return"
            | "true"
            | "var"
            | "void"
            | "while"
    )
}

/// The tree of names with dots between them, which is what most expressions are; the tokens say all there is to parse.
/// `None` for everything else.
fn plain_path(source: &str, tokens: &[Token]) -> Option<IdedExpr> {
    let name = |token: &Token| {
        let text = token.text(source);
        let is_name = token.kind == TokenKind::Ident && !is_reserved(text);
        is_name.then(|| text.to_owned())
    };
    let (first, rest) = tokens.split_first()?;
    let mut tree = IdedExpr {
        id: 1,
        expr: Expr::Ident(name(first)?),
    };
    let mut pairs = rest.chunks_exact(2);
    for pair in &mut pairs {
        let [dot, member] = pair else { return None };
        if !dot.is(source, ".") {
            return None;
        }
        let field = name(member)?;
        tree = IdedExpr {
            id: tree.id + 1,
            expr: Expr::Select(SelectExpr {
                operand: Box::new(tree),
                field,
                test: false,
            }),
        };
    }
    pairs.remainder().is_empty().then_some(tree)
}

/// Refuses a source that is too long before anything else looks at it.
pub(crate) fn check_length(source: &str) -> Result<(), ExprProblem> {
    if source.len() <= MAX_SOURCE_CHARS
        || source.chars().take(MAX_SOURCE_CHARS + 1).count() <= MAX_SOURCE_CHARS
    {
        return Ok(());
    }
    Err(ExprProblem::new(
        EXPR_LIMIT,
        format!("the expression is longer than {MAX_SOURCE_CHARS} characters"),
    )
    .argument("limit", MAX_SOURCE_CHARS)
    .at(Some(MAX_SOURCE_CHARS)))
}

fn problem_of(source: &str, error: &ParseError) -> ExprProblem {
    if error.msg.contains("recursion limit") {
        return ExprProblem::new(
            EXPR_LIMIT,
            format!("the expression is nested deeper than {MAX_DEPTH} levels"),
        )
        .argument("limit", MAX_DEPTH);
    }
    let message = error
        .msg
        .strip_prefix("Syntax error: ")
        .unwrap_or(&error.msg)
        .replace("<EOF>", "end of text");
    let problem = ExprProblem::new(EXPR_PARSE, message).at(offset_of(source, error.pos));
    if error.msg.contains("has() macro") {
        return problem.hint("has() takes a path that ends with a member, `has(a.b)`; for other keys write `\"key\" in a`");
    }
    problem
}

/// Turns the parser's line and byte column into a count of scalar values.
fn offset_of(source: &str, pos: (isize, isize)) -> Option<usize> {
    let line = usize::try_from(pos.0).ok()?.checked_sub(1)?;
    let column = usize::try_from(pos.1).ok()?.checked_sub(1)?;
    let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    Some(scalar_offset(source, start + column))
}

/// What has piled up at one level of brackets.
#[derive(Clone, Copy, Default)]
struct Level {
    postfix: usize,
    operators: usize,
    ternaries: usize,
}

/// Refuses what would make a tree too large or too deep: the parser copies call chains and recurses over nesting,
/// so this cannot wait for its result.
fn check_size(source: &str, tokens: &[Token]) -> Result<(), ExprProblem> {
    let mut levels = vec![Level::default()];
    let mut nodes = 0usize;
    let mut ternaries = 0usize;
    let mut before = "";
    for token in tokens {
        let text = token.text(source);
        let Some(level) = levels.last_mut() else {
            break;
        };
        match (token.kind, text) {
            (TokenKind::Symbol, "(" | "{") => levels.push(Level::default()),
            (TokenKind::Symbol, "[") => {
                level.postfix += 1;
                levels.push(Level::default());
            }
            (TokenKind::Symbol, ")" | "]" | "}") => {
                ternaries = ternaries.saturating_sub(level.ternaries);
                if levels.len() > 1 {
                    levels.pop();
                }
            }
            (TokenKind::Symbol, ".") => level.postfix += 1,
            (TokenKind::Symbol, "?") if matches!(before, "." | "[" | "{" | ",") => {}
            (TokenKind::Symbol, "?") => {
                level.ternaries += 1;
                ternaries += 1;
                (level.postfix, level.operators) = (0, 0);
                nodes += 1;
            }
            (TokenKind::Symbol, ",") => {
                ternaries = ternaries.saturating_sub(level.ternaries);
                *level = Level::default();
            }
            (TokenKind::Symbol, "&&" | "||" | ":") => {
                (level.postfix, level.operators) = (0, 0);
                nodes += 1;
            }
            (TokenKind::Symbol, _) | (TokenKind::Ident, "in") => {
                level.operators += 1;
                level.postfix = 0;
                nodes += 1;
            }
            _ => nodes += 1,
        }
        let deepest = levels
            .last()
            .map_or(0, |level| level.postfix.max(level.operators));
        if levels.len() > MAX_DEPTH + 1 || ternaries > MAX_DEPTH || deepest > MAX_DEPTH {
            return Err(too_deep().at(Some(scalar_offset(source, token.start))));
        }
        if nodes > MAX_NODES + MAX_NODES / 2 {
            return Err(too_many_nodes().at(Some(scalar_offset(source, token.start))));
        }
        before = text;
    }
    Ok(())
}

pub(crate) fn too_deep() -> ExprProblem {
    ExprProblem::new(
        EXPR_LIMIT,
        format!("the expression is nested deeper than {MAX_DEPTH} levels"),
    )
    .argument("limit", MAX_DEPTH)
    .hint("compute parts of it in variables with `assign`")
}

pub(crate) fn too_many_nodes() -> ExprProblem {
    ExprProblem::new(
        EXPR_LIMIT,
        format!("the expression has more than {MAX_NODES} nodes"),
    )
    .argument("limit", MAX_NODES)
    .hint("compute parts of it in variables with `assign`")
}

#[cfg(test)]
mod tests {
    use super::super::token::cel_tokens;
    use super::*;

    /// A tree without the numbers of its nodes.
    fn shape(tree: &IdedExpr) -> String {
        let text = format!("{tree:?}");
        let parts = text
            .split("id: ")
            .map(|part| part.trim_start_matches(char::is_numeric));
        parts.collect()
    }

    #[test]
    fn a_plain_path_is_read_as_the_parser_reads_it() {
        for source in [
            "a",
            "input.a",
            " input . a_1.B ",
            "steps.x.output.in_1",
            "a.b // c",
        ] {
            let tokens = cel_tokens(source);
            let plain = plain_path(source, &tokens).unwrap();
            let parsed = PrattParser::default()
                .enable_optional_syntax(true)
                .parse(source)
                .unwrap();
            assert_eq!(shape(&plain), shape(&parsed), "{source}");
        }
    }

    #[test]
    fn everything_else_is_left_to_the_parser() {
        for source in [
            "true",
            "while",
            "namespace",
            "null.a",
            "a.in",
            "a.while",
            "a.",
            ".a",
            "a.b()",
            "a[0]",
            "a.?b",
            "a b",
            "a.1",
            "a.'b'",
            "a..b",
            "-a",
            "a.b.",
            "1.a",
        ] {
            let tokens = cel_tokens(source);
            assert!(plain_path(source, &tokens).is_none(), "{source}");
        }
    }
}
