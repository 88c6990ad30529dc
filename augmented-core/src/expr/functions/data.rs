//! Functions of any data: emptiness, JSON text, merging.

use super::super::convert;
use super::super::eval::{Eval, Evaluated};
use super::super::fault::Fault;
use super::super::value::{Entries, Val};
use super::{arg, text, wrong};

/// Whether a value is null, an empty text, list or map, or an empty optional.
pub(super) fn empty(value: &Val<'_>) -> bool {
    match value {
        Val::Null | Val::Optional(None) => true,
        Val::Text(text) => text.is_empty(),
        Val::Bytes(bytes) => bytes.is_empty(),
        Val::Optional(Some(inner)) => empty(inner),
        other => {
            other
                .seq()
                .map(|items| items.len())
                .or_else(|| other.map_len())
                == Some(0)
        }
    }
}

pub(super) fn is_empty<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    Ok(Val::Bool(empty(arg(arguments, 0))))
}

pub(super) fn json<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let mut out = String::new();
    convert::write_json(arg(arguments, 0), &mut out, &mut eval.meter, 0)?;
    Ok(Val::made(out))
}

pub(super) fn parse_json<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let text = text("parseJson", arguments, 0)?;
    // Each comma or opening bracket brings at most one value, so this bounds what is built.
    let values = text
        .bytes()
        .filter(|byte| matches!(byte, b',' | b'[' | b'{'))
        .count();
    eval.meter.elements(values.saturating_add(1))?;
    eval.meter.bytes(text.len())?;
    match serde_json::from_str(text) {
        Ok(value) => Ok(Val::from_owned(value)),
        Err(problem) => Err(Fault::eval(format!(
            "parseJson(): the text is no JSON at line {}, column {}",
            problem.line(),
            problem.column()
        ))),
    }
}

pub(super) fn merge<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let mut entries: Entries<'a> = Vec::new();
    let winner = arg(arguments, 1);
    for value in [arg(arguments, 0), winner] {
        let Some(keys) = value.keys() else {
            return Err(wrong("merge", "two maps", value));
        };
        eval.meter.elements(keys.len())?;
        for key in keys {
            if std::ptr::eq(value, winner) || winner.at_key(&key).is_none() {
                let found = value.at_key(&key).unwrap_or(Val::Null);
                entries.push((key, found));
            }
        }
    }
    Val::map(entries).ok_or_else(|| Fault::eval("merge(): a map has the same key twice"))
}
