//! Functions of numbers.

use std::cmp::Ordering;

use super::super::eval::{Eval, Evaluated};
use super::super::fault::Fault;
use super::super::ops::{self, Arith};
use super::super::value::{Val, whole};
use super::{arg, wrong};

pub(super) fn greatest<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    extreme(eval, "math.greatest", arguments, Ordering::Greater)
}

pub(super) fn least<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    extreme(eval, "math.least", arguments, Ordering::Less)
}

fn extreme<'a>(
    eval: &mut Eval<'a>,
    function: &str,
    arguments: &[Val<'a>],
    wanted: Ordering,
) -> Evaluated<'a> {
    let listed: Vec<Val<'a>>;
    let values = match arguments {
        [one] => match one.seq() {
            Some(items) => {
                eval.meter.elements(items.len())?;
                listed = items.iter().collect();
                &listed[..]
            }
            None => arguments,
        },
        _ => arguments,
    };
    let mut best: Option<&Val<'a>> = None;
    for value in values {
        if value.as_double().is_none() {
            return Err(wrong(function, "numbers", value));
        }
        best = match best {
            Some(other) if ops::order(value, other) != Some(wanted) => Some(other),
            _ => Some(value),
        };
    }
    best.cloned()
        .ok_or_else(|| Fault::eval(format!("{function}() of an empty list")))
}

/// Applies a rounding to a double; whole numbers stay as they are.
fn rounded<'a>(
    function: &str,
    arguments: &[Val<'a>],
    rounding: impl Fn(f64) -> f64,
) -> Evaluated<'a> {
    match arg(arguments, 0) {
        Val::Double(value) => {
            let value = rounding(*value);
            Ok(whole(value).map_or(Val::Double(value), Val::Int))
        }
        value @ (Val::Int(_) | Val::Uint(_)) => Ok(value.clone()),
        other => Err(wrong(function, "a number", other)),
    }
}

pub(super) fn round<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    rounded("math.round", arguments, f64::round)
}

pub(super) fn ceil<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    rounded("math.ceil", arguments, f64::ceil)
}

pub(super) fn floor<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    rounded("math.floor", arguments, f64::floor)
}

pub(super) fn trunc<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    rounded("math.trunc", arguments, f64::trunc)
}

pub(super) fn abs<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    match arg(arguments, 0) {
        Val::Int(value) => value
            .checked_abs()
            .map(Val::Int)
            .ok_or_else(|| Fault::eval("integer overflow in math.abs()")),
        Val::Uint(value) => Ok(Val::Uint(*value)),
        Val::Double(value) => Ok(Val::Double(value.abs())),
        other => Err(wrong("math.abs", "a number", other)),
    }
}

pub(super) fn sign<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let value = arg(arguments, 0);
    match value.as_double() {
        Some(number) if number > 0.0 => Ok(Val::Int(1)),
        Some(number) if number < 0.0 => Ok(Val::Int(-1)),
        Some(_) => Ok(Val::Int(0)),
        None => Err(wrong("math.sign", "a number", value)),
    }
}

pub(super) fn sum<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let list = arg(arguments, 0);
    let Some(items) = list.seq() else {
        return Err(wrong("sum", "a list", list));
    };
    eval.meter.elements(items.len())?;
    let mut total: Option<Val<'a>> = None;
    for item in items.iter() {
        if item.as_double().is_none() && !matches!(item, Val::Span(_)) {
            return Err(wrong("sum", "numbers or durations", &item));
        }
        total = Some(match &total {
            Some(total) => ops::arith(Arith::Add, total, &item, &mut eval.meter)?,
            None => item,
        });
    }
    Ok(total.unwrap_or(Val::Int(0)))
}

pub(super) fn avg<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let count = match arg(arguments, 0).seq() {
        Some(items) if items.len() == 0 => return Ok(Val::Null),
        Some(items) => i64::try_from(items.len()).unwrap_or(i64::MAX),
        None => return Err(wrong("avg", "a list", arg(arguments, 0))),
    };
    match sum(eval, arguments)? {
        Val::Span(micros) => Ok(Val::Span(micros / count)),
        total => ops::arith(Arith::Div, &total, &Val::Int(count), &mut eval.meter),
    }
}
