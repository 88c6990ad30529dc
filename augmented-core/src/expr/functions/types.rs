//! Conversions between types.

use super::super::convert;
use super::super::eval::{Eval, Evaluated};
use super::super::fault::Fault;
use super::super::instant;
use super::super::ops::finite;
use super::super::value::{Val, whole};
use super::{arg, wrong};

pub(super) fn size<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let value = arg(arguments, 0);
    let size = match value {
        Val::Text(text) => {
            eval.meter.read(text.len())?;
            text.chars().count()
        }
        Val::Bytes(bytes) => bytes.len(),
        other => match other
            .seq()
            .map(|items| items.len())
            .or_else(|| other.map_len())
        {
            Some(size) => size,
            None => return Err(wrong("size", "a text, bytes, a list or a map", other)),
        },
    };
    Ok(Val::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

pub(super) fn type_of<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    Ok(Val::Type(arg(arguments, 0).type_name()))
}

pub(super) fn dynamic<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    Ok(arg(arguments, 0).clone())
}

pub(super) fn int<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let out_of_range = || Fault::eval("int(): the number lies outside the range of int");
    match arg(arguments, 0) {
        Val::Int(value) => Ok(Val::Int(*value)),
        Val::Uint(_) => Err(out_of_range()),
        Val::Double(value) => whole(value.trunc()).map(Val::Int).ok_or_else(out_of_range),
        Val::Text(text) => text
            .parse()
            .map(Val::Int)
            .map_err(|_| Fault::eval(format!("int(): `{}` is no whole number", shortened(text)))),
        Val::Instant(micros) => Ok(Val::Int(micros.div_euclid(1_000_000))),
        Val::Span(micros) => Ok(Val::Int(micros / 1_000_000)),
        other => Err(wrong("int", "a number, a text or a timestamp", other)),
    }
}

pub(super) fn uint<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    if let Val::Uint(value) = arg(arguments, 0) {
        return Ok(Val::Uint(*value));
    }
    match int(eval, arguments)? {
        Val::Int(value) if value < 0 => Err(Fault::eval("uint(): the number is negative")),
        value => Ok(value),
    }
}

pub(super) fn double<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let value = arg(arguments, 0);
    if let Some(number) = value.as_double() {
        return Ok(Val::Double(number));
    }
    match value {
        Val::Text(text) => match text.parse::<f64>() {
            Ok(number) => finite(number),
            Err(_) => Err(Fault::eval(format!(
                "double(): `{}` is no number",
                shortened(text)
            ))),
        },
        other => Err(wrong("double", "a number or a text", other)),
    }
}

pub(super) fn string<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    match arg(arguments, 0) {
        Val::Text(text) => Ok(Val::Text(text.clone())),
        Val::Bytes(bytes) => {
            eval.meter.bytes(bytes.len())?;
            let text = std::str::from_utf8(bytes)
                .map_err(|_| Fault::eval("string(): the bytes are no UTF-8"))?;
            if text.contains('\0') {
                return Err(Fault::eval(
                    "string(): the bytes hold U+0000, which no text may have",
                ));
            }
            Ok(Val::made(text))
        }
        Val::Instant(micros) => Ok(Val::made(instant::instant_text(*micros))),
        Val::Span(micros) => Ok(Val::made(instant::span_text(*micros))),
        Val::Type(name) => Ok(Val::text(name)),
        other => match convert::scalar_text(other) {
            Some(text) if !other.is_null() => Ok(Val::made(text)),
            _ => Err(wrong(
                "string",
                "a scalar (json() writes lists and maps)",
                other,
            )),
        },
    }
}

pub(super) fn boolean<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    match arg(arguments, 0) {
        Val::Bool(value) => Ok(Val::Bool(*value)),
        Val::Text(text) => match &**text {
            "true" | "True" | "TRUE" | "t" | "1" => Ok(Val::Bool(true)),
            "false" | "False" | "FALSE" | "f" | "0" => Ok(Val::Bool(false)),
            _ => Err(Fault::eval(format!(
                "bool(): `{}` is neither true nor false",
                shortened(text)
            ))),
        },
        other => Err(wrong("bool", "a bool or a text", other)),
    }
}

pub(super) fn bytes<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    match arg(arguments, 0) {
        Val::Bytes(bytes) => Ok(Val::Bytes(bytes.clone())),
        Val::Text(text) => {
            eval.meter.bytes(text.len())?;
            Ok(Val::Bytes(text.as_bytes().into()))
        }
        other => Err(wrong("bytes", "a text", other)),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
