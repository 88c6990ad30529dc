//! The rewrites, one rule a function, applied in this order.

use super::ImportContext;
use super::draft::Draft;
use super::paths;
use crate::expr::site::FieldClass;
use crate::expr::token::TokenKind;

type Rule = fn(&mut Draft, &ImportContext<'_>);

/// Every rule; wrappers first, because the others look inside.
pub(super) const RULES: &[Rule] = &[
    quoted_placeholders,
    placeholders,
    operators,
    single_equals,
    words,
    undefined,
    reduce,
    paths::arrows,
    paths::foreign,
    length,
    renamed_calls,
    renamed_members,
    spans,
    optional_chaining,
    paths::prefixes,
    defaulting,
    paths::bare_names,
];

/// Forms that are no expressions at all.
pub(super) fn whole_text(text: &str, context: &ImportContext<'_>) -> Option<(u8, String)> {
    let trimmed = text.trim();
    let lower = trimmed.to_ascii_lowercase();
    if context.is_transition()
        && matches!(
            lower.as_str(),
            "" | "otherwise" | "true" | "default" | "else" | "always"
        )
    {
        return Some((5, "leave `condition` out: an entry with neither `on` nor `condition`, placed last, is the default".to_owned()));
    }
    if lower.starts_with("if ")
        || lower.starts_with("if(")
        || lower.starts_with("switch")
        || lower.starts_with("return ")
    {
        return Some((23, "write an ordered `next` list with one condition each, or `condition ? a : b` for a value".to_owned()));
    }
    if trimmed.contains("{{env.") || trimmed.starts_with("env.") || trimmed.contains("${env.") {
        return Some((
            21,
            "the environment is not readable: use a secret reference of the integration".to_owned(),
        ));
    }
    if is_configuration(trimmed) {
        return Some((30, "`${NAME:-default}` belongs to configuration files: write `coalesce(…, default)` over a root".to_owned()));
    }
    (context.site.class() == FieldClass::Condition && is_prose(trimmed))
        .then(|| (6, format!("a label is no condition: write the outcome in `on`, for example `\"on\": {trimmed:?}`")))
}

/// `NAME:-default`, with or without `${…}` around it.
fn is_configuration(text: &str) -> bool {
    let inner = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(text);
    inner.split_once(":-").is_some_and(|(name, _)| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit())
    })
}

/// Two or more words without any operator between them.
fn is_prose(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let plain = |word: &&str| {
        word.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    };
    words.len() > 1
        && words.iter().all(plain)
        && !words.iter().any(|word| {
            matches!(
                word.to_ascii_lowercase().as_str(),
                "in" | "and" | "or" | "not" | "is" | "-"
            )
        })
}

/// `"{{input.x}}"` and `"${input.x}"` as an operand are the path itself.
fn quoted_placeholders(draft: &mut Draft, _: &ImportContext<'_>) {
    for at in 0..draft.pieces.len() {
        let Some(piece) = draft.get(at).filter(|piece| piece.kind == TokenKind::Text) else {
            continue;
        };
        let text = piece.text.clone();
        let inner = text
            .get(1..text.len().saturating_sub(1))
            .unwrap_or("")
            .trim();
        let path = inner
            .strip_prefix("{{")
            .and_then(|rest| rest.strip_suffix("}}"))
            .or_else(|| {
                inner
                    .strip_prefix("${")
                    .and_then(|rest| rest.strip_suffix('}'))
            })
            .map(str::trim);
        if let Some(path) = path.filter(|path| !path.contains(['{', '}', '"', '\''])) {
            draft.splice(at, at + 1, path);
            draft.note(25, "an operand needs no `{{…}}` and no quotes");
        }
    }
}

/// `${…}` and `{{…}}` do not stand in an expression field.
fn placeholders(draft: &mut Draft, _: &ImportContext<'_>) {
    let mut at = 0;
    while at < draft.pieces.len() {
        let form = match draft.word(at) {
            "${" if draft.symbol(at, "${") => 14,
            "{{" if draft.symbol(at, "{{") => 20,
            _ => {
                at += 1;
                continue;
            }
        };
        let Some(close) = draft.closing(at) else {
            return;
        };
        let whole = at == 0 && close + 1 == draft.pieces.len();
        let inner = draft.slice(at + 1, close);
        let chain = draft.path_end(at + 1) == close;
        draft.splice(
            at,
            close + 1,
            &if whole || chain {
                inner
            } else {
                format!("({inner})")
            },
        );
        draft.note(
            form,
            "an expression field holds the bare expression, without `${…}` or `{{…}}`",
        );
        if form == 14 && !whole {
            draft.form = Some(2);
        }
    }
}

/// `===`, `!==`, `<>`.
fn operators(draft: &mut Draft, _: &ImportContext<'_>) {
    for at in 0..draft.pieces.len() {
        for (from, to) in [("===", "=="), ("!==", "!=")] {
            if draft.symbol(at, from) {
                draft.splice(at, at + 1, to);
                draft.note(10, format!("`{from}` is `{to}`"));
            }
        }
        if draft.symbol(at, "<") && draft.symbol(at + 1, ">") {
            draft.splice(at, at + 2, "!=");
            draft.note(10, "`<>` is `!=`");
        }
    }
}

fn single_equals(draft: &mut Draft, _: &ImportContext<'_>) {
    for at in 0..draft.pieces.len() {
        if draft.symbol(at, "=") {
            draft.splice(at, at + 1, "==");
            draft.note(6, "`=` is `==`");
        }
    }
}

fn ends_operand(draft: &Draft, at: usize) -> bool {
    draft.get(at).is_some_and(|piece| match piece.kind {
        TokenKind::Ident => !matches!(
            piece.text.to_ascii_lowercase().as_str(),
            "and" | "or" | "not" | "in"
        ),
        TokenKind::Number | TokenKind::Text => true,
        TokenKind::Symbol => matches!(piece.text.as_str(), ")" | "]" | "}"),
        TokenKind::Unknown => false,
    })
}

/// `AND`, `OR`, `NOT` in upper or lower case.
fn words(draft: &mut Draft, context: &ImportContext<'_>) {
    for at in 0..draft.pieces.len() {
        if !draft.begins_path(at) || draft.symbol(at + 1, ".") {
            continue;
        }
        let between = at > 0 && ends_operand(draft, at - 1);
        match draft.word(at) {
            "AND" | "and" | "And" if between => replace_word(draft, at, "&&"),
            "OR" | "or" | "Or" if between => replace_word(draft, at, "||"),
            "NOT" | "not" | "Not" if !between && !context.site.allows("not") => negate(draft, at),
            _ => {}
        }
    }
}

fn replace_word(draft: &mut Draft, at: usize, symbol: &str) {
    let word = draft.word(at).to_owned();
    draft.splice(at, at + 1, symbol);
    draft.note(24, format!("`{word}` is `{symbol}`"));
}

/// `NOT a == b` negates the comparison, `!a == b` would negate `a`.
fn negate(draft: &mut Draft, at: usize) {
    let word = draft.word(at).to_owned();
    let start = at + 1;
    let mut end = start;
    while end < draft.pieces.len()
        && !matches!(
            draft.word(end),
            "&&" | "||" | "AND" | "OR" | "and" | "or" | ")" | "," | "?" | ":"
        )
    {
        end = match draft.word(end) {
            "(" | "[" | "{" => draft.closing(end).map_or(end + 1, |close| close + 1),
            _ => end + 1,
        };
    }
    let operand = draft.slice(start, end);
    let bracketed =
        draft.symbol(start, "(") && draft.closing(start).is_some_and(|close| close + 1 == end);
    let simple = bracketed || draft.path_end(start) == end;
    draft.splice(
        at,
        end,
        &if simple {
            format!("!{operand}")
        } else {
            format!("!({operand})")
        },
    );
    draft.note(24, format!("`{word}` is `!`"));
}

/// `x != undefined` asks whether a member exists.
fn undefined(draft: &mut Draft, _: &ImportContext<'_>) {
    let mut at = 0;
    while at < draft.pieces.len() {
        if draft.is(at, TokenKind::Ident, "undefined") && draft.begins_path(at) {
            let operator = at
                .checked_sub(1)
                .map(|before| draft.word(before).to_owned())
                .unwrap_or_default();
            let start = at
                .checked_sub(1)
                .and_then(|operator| draft.chain_start(operator));
            match (operator.as_str(), start) {
                ("!=" | "==", Some(start)) => {
                    let chain = draft.slice(start, at - 1);
                    let negation = if operator == "==" { "!" } else { "" };
                    draft.splice(start, at + 1, &format!("{negation}has({chain})"));
                    draft.note(
                        10,
                        format!("whether a member exists is asked by `has({chain})`"),
                    );
                    at = start;
                }
                _ => {
                    draft.splice(at, at + 1, "null");
                    draft.guess(10, "there is no `undefined`: ask `has(a.b)`");
                }
            }
        }
        at += 1;
    }
}

/// `list.reduce((s, i) => s + i.price, 0)` is a sum.
fn reduce(draft: &mut Draft, _: &ImportContext<'_>) {
    let mut at = 1;
    while at < draft.pieces.len() {
        let reduced =
            draft.word(at) == "reduce" && draft.symbol(at - 1, ".") && draft.symbol(at + 1, "(");
        if reduced && !rewrite_reduce(draft, at) {
            draft.guess(17, "there is no reduce(): write `sum(list.map(i, i.price))` or another function of lists");
        }
        at += 1;
    }
}

fn rewrite_reduce(draft: &mut Draft, at: usize) -> bool {
    let Some((arguments, close)) = draft.arguments(at + 1) else {
        return false;
    };
    let [(start, end), (zero, zero_end)] = arguments.as_slice() else {
        return false;
    };
    let (start, end) = (*start, *end);
    // `( s , i ) => s + …`
    let shape = draft.symbol(start, "(")
        && draft.is_ident(start + 1)
        && draft.symbol(start + 2, ",")
        && draft.is_ident(start + 3);
    let sums = draft.symbol(start + 4, ")")
        && draft.symbol(start + 5, "=>")
        && draft.word(start + 6) == draft.word(start + 1)
        && draft.symbol(start + 7, "+");
    if !shape || !sums || zero_end - zero != 1 || draft.word(*zero) != "0" {
        return false;
    }
    let (total, item) = (
        draft.word(start + 1).to_owned(),
        draft.word(start + 3).to_owned(),
    );
    let reads_total =
        (start + 8..end).any(|place| draft.begins_path(place) && draft.word(place) == total);
    // Beyond a single product or path the sum would have to be split, which is left to the author.
    let sum_of_more = (start + 8..end).any(|place| {
        draft.symbol(place, "-") || draft.symbol(place, "?") || draft.symbol(place, "||")
    });
    let Some(list_start) = draft.chain_start(at - 1) else {
        return false;
    };
    if reads_total || sum_of_more {
        return false;
    }
    let (list, value) = (draft.slice(list_start, at - 1), draft.slice(start + 8, end));
    draft.splice(
        list_start,
        close + 1,
        &format!("sum({list}.map({item}, {value}))"),
    );
    draft.note(17, "`reduce` to a total is `sum(list.map(i, i.price))`");
    true
}

/// `list.length` is `size(list)`, unless the data has a member of that name.
fn length(draft: &mut Draft, _: &ImportContext<'_>) {
    let foreign = draft.form == Some(10) || draft.form == Some(17);
    let mut at = 2;
    while at < draft.pieces.len() {
        let member = draft.is(at, TokenKind::Ident, "length") && draft.symbol(at - 1, ".");
        if member && !draft.symbol(at + 1, ".") && !draft.symbol(at + 1, "[") {
            let Some(start) = draft.chain_start(at - 1) else {
                at += 1;
                continue;
            };
            let called = draft.symbol(at + 1, "(") && draft.symbol(at + 2, ")");
            let chain = draft.slice(start, at - 1);
            draft.splice(
                start,
                if called { at + 3 } else { at + 1 },
                &format!("size({chain})"),
            );
            let note = format!("the length is `size({chain})`");
            if called || foreign {
                draft.note(29, note);
            } else {
                draft.guess(29, note);
            }
            at = start;
        }
        at += 1;
    }
}

/// `lower(x)`, `length(x)`, `concat(a, b)`, `sum(list, "f")`, `exists(a.b)` and the like.
fn renamed_calls(draft: &mut Draft, _: &ImportContext<'_>) {
    let mut at = 0;
    while at < draft.pieces.len() {
        if draft.begins_path(at)
            && draft.symbol(at + 1, "(")
            && let Some((arguments, close)) = draft.arguments(at + 1)
            && let Some((form, note, text)) = renamed(draft, draft.word(at), &arguments)
        {
            draft.splice(at, close + 1, &text);
            draft.note(form, note);
        }
        at += 1;
    }
}

/// The right spelling of a call.
fn renamed(
    draft: &Draft,
    name: &str,
    arguments: &[(usize, usize)],
) -> Option<(u8, String, String)> {
    let texts: Vec<String> = arguments
        .iter()
        .map(|(start, end)| draft.slice(*start, *end))
        .collect();
    let receiver = |text: &str, start: usize, end: usize| {
        if draft.path_end(start) == end {
            text.to_owned()
        } else {
            format!("({text})")
        }
    };
    let simple = |to: &str| {
        (
            29,
            format!("`{name}` is `{to}`"),
            format!("{to}({})", texts.join(", ")),
        )
    };
    match (name, texts.as_slice(), arguments) {
        ("length" | "len" | "count", [_], _) => Some(simple("size")),
        ("toString" | "str", [_], _) => Some(simple("string")),
        ("toNumber" | "Number" | "parseFloat" | "number", [_], _) => Some(simple("double")),
        ("parseInt" | "toInt", [_], _) => Some(simple("int")),
        ("lower" | "toLower" | "lowercase", [text], [(start, end)]) => Some((
            29,
            format!("`{name}(x)` is `x.lowerAscii()`"),
            format!("{}.lowerAscii()", receiver(text, *start, *end)),
        )),
        ("upper" | "toUpper" | "uppercase", [text], [(start, end)]) => Some((
            29,
            format!("`{name}(x)` is `x.upperAscii()`"),
            format!("{}.upperAscii()", receiver(text, *start, *end)),
        )),
        ("concat", [_, _, ..], _) => Some((
            29,
            "texts are joined by `+`".to_owned(),
            format!("({})", texts.join(" + ")),
        )),
        ("sum" | "avg", [list, field], [_, (start, end)]) if end - start == 1 => {
            let field = quoted(field)?;
            Some((
                29,
                format!("`{name}` of a member is `{name}(list.map(i, i.{field}))`"),
                format!("{name}({list}.map(i, i.{field}))"),
            ))
        }
        ("exists" | "defined" | "isDefined", [path], [(start, end)])
            if draft.path_end(*start) == *end && path.contains('.') =>
        {
            Some((
                9,
                format!("`{name}(a.b)` is `has(a.b)`"),
                format!("has({path})"),
            ))
        }
        ("isNull", [value], _) => Some((
            9,
            "`isNull(x)` is `x == null`".to_owned(),
            format!("({value} == null)"),
        )),
        ("empty", [_], _) => Some((
            9,
            "`empty` is `isEmpty`".to_owned(),
            format!("isEmpty({})", texts.join(", ")),
        )),
        _ => None,
    }
}

/// The content of a quoted plain name.
fn quoted(text: &str) -> Option<&str> {
    let inner = text.strip_prefix(['"', '\''])?.strip_suffix(['"', '\''])?;
    let name = inner
        .bytes()
        .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        && inner.starts_with(|first: char| !first.is_ascii_digit());
    (name && !inner.is_empty()).then_some(inner)
}

/// `x.toLowerCase()` and the like.
fn renamed_members(draft: &mut Draft, _: &ImportContext<'_>) {
    const NAMES: [(&str, &str); 8] = [
        ("toLowerCase", "lowerAscii"),
        ("toUpperCase", "upperAscii"),
        ("lower", "lowerAscii"),
        ("upper", "upperAscii"),
        ("some", "exists"),
        ("every", "all"),
        ("any", "exists"),
        ("charAtIndex", "charAt"),
    ];
    for at in 1..draft.pieces.len() {
        if !draft.symbol(at - 1, ".") || !draft.symbol(at + 1, "(") {
            continue;
        }
        if let Some((from, to)) = NAMES
            .iter()
            .find(|(from, _)| draft.is(at, TokenKind::Ident, from))
        {
            draft.splice(at, at + 1, to);
            draft.note(29, format!("`{from}` is `{to}`"));
        } else if draft.word(at) == "toString" {
            draft.guess(29, "`x.toString()` is `string(x)`");
        } else if draft.word(at) == "includes" {
            draft.guess(
                9,
                "`text.includes(part)` is `text.contains(part)`, `list.includes(x)` is `x in list`",
            );
        }
    }
}

/// `startTime + 30m`.
fn spans(draft: &mut Draft, _: &ImportContext<'_>) {
    let mut at = 1;
    while at < draft.pieces.len() {
        let unit = draft
            .get(at + 1)
            .filter(|piece| piece.kind == TokenKind::Ident && piece.space.is_empty())
            .map(|piece| piece.text.clone());
        let number = draft
            .get(at)
            .filter(|piece| piece.kind == TokenKind::Number)
            .map(|piece| piece.text.clone());
        if let (Some(unit), Some(number)) = (unit, number)
            && (draft.symbol(at - 1, "+") || draft.symbol(at - 1, "-"))
        {
            let span = match unit.as_str() {
                "s" | "m" | "h" | "ms" => Some(format!("{number}{unit}")),
                "d" => number
                    .parse::<u32>()
                    .ok()
                    .map(|days| format!("{}h", u64::from(days) * 24)),
                _ => None,
            };
            if let Some(span) = span {
                draft.splice(at, at + 2, &format!("duration(\"{span}\")"));
                draft.note(22, format!("a length of time is `duration(\"{span}\")`"));
            }
        }
        at += 1;
    }
}

fn optional_chaining(draft: &mut Draft, _: &ImportContext<'_>) {
    for at in 0..draft.pieces.len() {
        if draft.symbol(at, "?.") && draft.is_ident(at + 1) {
            draft.splice(at, at + 1, ".");
            draft.guess(15, "`a?.b` is `a.?b.orValue(…)`");
        }
    }
}

/// `a || b || 'x'` and `a ?? b` take the first value that is there.
fn defaulting(draft: &mut Draft, context: &ImportContext<'_>) {
    let mut borders = Vec::new();
    let mut nullish = false;
    let mut at = 0;
    while at < draft.pieces.len() {
        match draft.word(at) {
            "(" | "[" | "{"
                if draft
                    .get(at)
                    .is_some_and(|piece| piece.kind == TokenKind::Symbol) =>
            {
                match draft.closing(at) {
                    Some(close) => at = close,
                    None => return,
                }
            }
            "||" => borders.push(at),
            "??" => {
                nullish = true;
                borders.push(at);
            }
            "&&" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "?" | ":" | "!" | "in" | "=>" => return,
            _ => {}
        }
        at += 1;
    }
    let Some(last) = borders.last().copied() else {
        return;
    };
    let default = draft.get(last + 1).is_some_and(|piece| {
        matches!(piece.kind, TokenKind::Text | TokenKind::Number)
            || matches!(piece.text.as_str(), "null" | "[" | "{")
    });
    let likely = nullish || default;
    // Where a value is wanted, paths are more likely alternatives than bools.
    if !likely && context.site.class() != FieldClass::Mapping {
        return;
    }
    let mut arguments = Vec::with_capacity(borders.len() + 1);
    let mut start = 0;
    for border in borders.into_iter().chain([draft.pieces.len()]) {
        arguments.push(draft.slice(start, border));
        start = border + 1;
    }
    let rewritten = format!("coalesce({})", arguments.join(", "));
    draft.splice(0, draft.pieces.len(), &rewritten);
    let note = "a default is given by `coalesce(a, b, …)`";
    if likely {
        draft.note(15, note);
    } else {
        draft.guess(15, note);
    }
}
