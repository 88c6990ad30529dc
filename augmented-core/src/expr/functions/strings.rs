//! Functions of texts; positions count characters.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::super::convert;
use super::super::eval::{Eval, Evaluated};
use super::super::fault::Fault;
use super::super::value::{Text, Val};
use super::{arg, index, int, text, wrong};

pub(super) fn contains<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let (whole, part) = (
        text("contains", arguments, 0)?,
        text("contains", arguments, 1)?,
    );
    eval.meter.read(whole.len().saturating_add(part.len()))?;
    Ok(Val::Bool(whole.contains(&**part)))
}

pub(super) fn starts_with<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let (whole, part) = (
        text("startsWith", arguments, 0)?,
        text("startsWith", arguments, 1)?,
    );
    eval.meter.read(part.len())?;
    Ok(Val::Bool(whole.starts_with(&**part)))
}

pub(super) fn ends_with<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let (whole, part) = (
        text("endsWith", arguments, 0)?,
        text("endsWith", arguments, 1)?,
    );
    eval.meter.read(part.len())?;
    Ok(Val::Bool(whole.ends_with(&**part)))
}

/// The byte position of a character, the end of the text included.
fn byte_of(function: &str, whole: &str, position: usize) -> Result<usize, Fault> {
    let mut starts = whole.char_indices().map(|(at, _)| at).chain([whole.len()]);
    starts.nth(position).ok_or_else(|| {
        Fault::eval(format!(
            "{function}(): position {position} lies beyond the end of the text"
        ))
    })
}

pub(super) fn char_at<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let whole = text("charAt", arguments, 0)?;
    eval.meter.read(whole.len())?;
    let at = byte_of("charAt", whole, index("charAt", arguments, 1)?)?;
    let found: String = whole.get(at..).unwrap_or("").chars().take(1).collect();
    Ok(Val::made(found))
}

fn char_count<'a>(prefix: &str) -> Val<'a> {
    Val::Int(i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX))
}

pub(super) fn index_of<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let (whole, part) = (
        text("indexOf", arguments, 0)?,
        text("indexOf", arguments, 1)?,
    );
    eval.meter
        .read(whole.len().saturating_mul(2).saturating_add(part.len()))?;
    let from = if arguments.len() > 2 {
        byte_of("indexOf", whole, index("indexOf", arguments, 2)?)?
    } else {
        0
    };
    let found = whole.get(from..).and_then(|rest| rest.find(&**part));
    Ok(found
        .and_then(|at| whole.get(..from + at))
        .map_or(Val::Int(-1), char_count))
}

pub(super) fn last_index_of<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let (whole, part) = (
        text("lastIndexOf", arguments, 0)?,
        text("lastIndexOf", arguments, 1)?,
    );
    eval.meter
        .read(whole.len().saturating_mul(2).saturating_add(part.len()))?;
    Ok(whole
        .rfind(&**part)
        .and_then(|at| whole.get(..at))
        .map_or(Val::Int(-1), char_count))
}

pub(super) fn lower_ascii<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let whole = text("lowerAscii", arguments, 0)?;
    eval.meter.bytes(whole.len())?;
    Ok(Val::made(whole.to_ascii_lowercase()))
}

pub(super) fn upper_ascii<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let whole = text("upperAscii", arguments, 0)?;
    eval.meter.bytes(whole.len())?;
    Ok(Val::made(whole.to_ascii_uppercase()))
}

/// A limit argument; absent or negative means no limit.
fn limit(function: &str, arguments: &[Val<'_>], at: usize) -> Result<usize, Fault> {
    if arguments.len() <= at {
        return Ok(usize::MAX);
    }
    Ok(usize::try_from(int(function, arguments, at)?).unwrap_or(usize::MAX))
}

pub(super) fn replace<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let (whole, part, by) = (
        text("replace", arguments, 0)?,
        text("replace", arguments, 1)?,
        text("replace", arguments, 2)?,
    );
    let limit = limit("replace", arguments, 3)?;
    eval.meter.read(whole.len().saturating_add(part.len()))?;
    let count = whole.matches(&**part).take(limit).count();
    let size = whole
        .len()
        .saturating_sub(count.saturating_mul(part.len()))
        .saturating_add(count.saturating_mul(by.len()));
    eval.meter.bytes(size)?;
    Ok(Val::made(whole.replacen(&**part, by, count)))
}

/// A part of a text that stays borrowed if the text is.
fn part_of<'a>(whole: &Text<'a>, start: usize, end: usize) -> Val<'a> {
    match whole {
        Text::Borrowed(text) => Val::text(text.get(start..end).unwrap_or("")),
        Text::Shared(text) => Val::made(text.get(start..end).unwrap_or("")),
    }
}

pub(super) fn split<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let (whole, separator) = (text("split", arguments, 0)?, text("split", arguments, 1)?);
    let limit = limit("split", arguments, 2)?;
    eval.meter
        .read(whole.len().saturating_add(separator.len()))?;
    if limit == 0 {
        return Ok(Val::list(Vec::new()));
    }
    if separator.is_empty() {
        return split_characters(eval, whole, limit);
    }
    let count = whole
        .matches(&**separator)
        .count()
        .saturating_add(1)
        .min(limit);
    eval.meter.elements(count)?;
    eval.meter.bytes(whole.len())?;
    let mut parts = Vec::with_capacity(count);
    let mut start = 0;
    for (at, found) in whole.match_indices(&**separator).take(count - 1) {
        parts.push(part_of(whole, start, at));
        start = at + found.len();
    }
    parts.push(part_of(whole, start, whole.len()));
    Ok(Val::list(parts))
}

fn split_characters<'a>(eval: &mut Eval<'a>, whole: &Text<'a>, limit: usize) -> Evaluated<'a> {
    let count = whole.chars().count().min(limit);
    eval.meter.elements(count)?;
    eval.meter.bytes(whole.len())?;
    let mut starts: Vec<usize> = whole.char_indices().map(|(at, _)| at).take(count).collect();
    starts.push(whole.len());
    let parts = starts.windows(2).filter_map(|pair| {
        if let [start, end] = pair {
            Some(part_of(whole, *start, *end))
        } else {
            None
        }
    });
    Ok(Val::list(parts.collect()))
}

pub(super) fn join<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let list = arg(arguments, 0);
    let Some(items) = list.seq() else {
        return Err(wrong("join", "a list", list));
    };
    let separator: &str = if arguments.len() > 1 {
        text("join", arguments, 1)?
    } else {
        ""
    };
    eval.meter.elements(items.len())?;
    let mut size = separator
        .len()
        .saturating_mul(items.len().saturating_sub(1));
    for item in items.iter() {
        match &item {
            Val::Text(text) => size = size.saturating_add(text.len()),
            other => {
                return Err(wrong(
                    "join",
                    "a list of texts (turn others into texts with map(x, string(x)))",
                    other,
                ));
            }
        }
    }
    eval.meter.bytes(size)?;
    let mut joined = String::with_capacity(size);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            joined.push_str(separator);
        }
        if let Val::Text(text) = &item {
            joined.push_str(text);
        }
    }
    Ok(Val::made(joined))
}

pub(super) fn substring<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let whole = text("substring", arguments, 0)?;
    eval.meter.read(whole.len().saturating_mul(2))?;
    let start = byte_of("substring", whole, index("substring", arguments, 1)?)?;
    let end = if arguments.len() > 2 {
        byte_of("substring", whole, index("substring", arguments, 2)?)?
    } else {
        whole.len()
    };
    if start > end {
        return Err(Fault::eval("substring(): the start lies behind the end"));
    }
    eval.meter.bytes(end - start)?;
    Ok(part_of(whole, start, end))
}

pub(super) fn trim<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let whole = text("trim", arguments, 0)?;
    eval.meter.bytes(whole.len())?;
    let start = whole.len() - whole.trim_start().len();
    let end = start + whole.trim().len();
    Ok(part_of(whole, start, end))
}

pub(super) fn base64_encode<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let value = arg(arguments, 0);
    let bytes: &[u8] = match value {
        Val::Bytes(bytes) => bytes,
        Val::Text(text) => text.as_bytes(),
        other => return Err(wrong("base64.encode", "bytes or a text", other)),
    };
    eval.meter.bytes(bytes.len().saturating_mul(4) / 3 + 4)?;
    Ok(Val::made(convert::base64(bytes)))
}

pub(super) fn base64_decode<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let encoded = text("base64.decode", arguments, 0)?;
    eval.meter.bytes(encoded.len())?;
    let decoded = STANDARD
        .decode(encoded.as_bytes())
        .or_else(|_| STANDARD_NO_PAD.decode(encoded.as_bytes()));
    decoded
        .map(|bytes| Val::Bytes(bytes.into()))
        .map_err(|_| Fault::eval("base64.decode(): the text is no Base64"))
}
