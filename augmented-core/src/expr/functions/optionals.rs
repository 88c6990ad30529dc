//! Functions of optional values.

use super::super::eval::{Eval, Evaluated};
use super::super::fault::Fault;
use super::super::value::Val;
use super::{arg, data, wrong};

pub(super) fn of<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    Ok(Val::some(arg(arguments, 0).clone()))
}

pub(super) fn of_non_zero<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let value = arg(arguments, 0);
    let zero = match value {
        Val::Bool(value) => !value,
        Val::Int(value) => *value == 0,
        Val::Double(value) => *value == 0.0,
        Val::Span(micros) => *micros == 0,
        other => data::empty(other),
    };
    Ok(if zero {
        Val::Optional(None)
    } else {
        Val::some(value.clone())
    })
}

pub(super) fn none<'a>(_: &mut Eval<'a>, _: &[Val<'a>]) -> Evaluated<'a> {
    Ok(Val::Optional(None))
}

fn optional<'a>(function: &str, arguments: &[Val<'a>]) -> Result<Option<Val<'a>>, Fault> {
    match arg(arguments, 0) {
        Val::Optional(inner) => Ok(inner.as_ref().map(|inner| Val::clone(inner))),
        other => Err(wrong(function, "an optional value such as a.?b", other)),
    }
}

pub(super) fn has_value<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    Ok(Val::Bool(optional("hasValue", arguments)?.is_some()))
}

pub(super) fn value<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    optional("value", arguments)?.ok_or_else(|| Fault::eval("value(): the optional is empty"))
}

pub(super) fn or<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    if optional("or", arguments)?.is_some() {
        return Ok(arg(arguments, 0).clone());
    }
    match arg(arguments, 1) {
        other @ Val::Optional(_) => Ok(other.clone()),
        other => Err(wrong(
            "or",
            "an optional value (orValue() takes any)",
            other,
        )),
    }
}

pub(super) fn or_value<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    Ok(optional("orValue", arguments)?.unwrap_or_else(|| arg(arguments, 1).clone()))
}
