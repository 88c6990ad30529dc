//! Arithmetic, equality and order.

use std::cmp::Ordering;
use std::rc::Rc;

use super::fault::Fault;
use super::instant::checked_instant;
use super::meter::Meter;
use super::value::{Text, Val};

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

impl Arith {
    pub(crate) const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
        }
    }
}

/// An ordering operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Less,
    LessEq,
    Greater,
    GreaterEq,
}

impl Order {
    pub(crate) const fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessEq => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterEq => ordering.is_ge(),
        }
    }

    pub(crate) const fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessEq => "<=",
            Self::Greater => ">",
            Self::GreaterEq => ">=",
        }
    }
}

/// Computes `left op right`.
pub(crate) fn arith<'a>(
    op: Arith,
    left: &Val<'a>,
    right: &Val<'a>,
    meter: &mut Meter,
) -> Result<Val<'a>, Fault> {
    if let (Val::Int(left), Val::Int(right)) = (left, right) {
        return int_arith(op, *left, *right);
    }
    if let (Some(left), Some(right)) = (left.as_double(), right.as_double()) {
        return double_arith(op, left, right);
    }
    match (op, left, right) {
        (Arith::Add, Val::Text(left), Val::Text(right)) => concat(left, right, meter),
        (Arith::Add, Val::Bytes(left), Val::Bytes(right)) => {
            meter.bytes(left.len().saturating_add(right.len()))?;
            Ok(Val::Bytes([&left[..], &right[..]].concat().into()))
        }
        (Arith::Add, Val::Instant(at), Val::Span(by))
        | (Arith::Add, Val::Span(by), Val::Instant(at)) => {
            checked_instant(at.checked_add(*by)).map(Val::Instant)
        }
        (Arith::Sub, Val::Instant(at), Val::Span(by)) => {
            checked_instant(at.checked_sub(*by)).map(Val::Instant)
        }
        (Arith::Sub, Val::Instant(left), Val::Instant(right)) => span(left.checked_sub(*right)),
        (Arith::Add, Val::Span(left), Val::Span(right)) => span(left.checked_add(*right)),
        (Arith::Sub, Val::Span(left), Val::Span(right)) => span(left.checked_sub(*right)),
        (Arith::Add, left, right) => join_lists(left, right, meter),
        _ => Err(mismatch(op.symbol(), left, right)),
    }
}

fn span<'a>(micros: Option<i64>) -> Result<Val<'a>, Fault> {
    micros
        .map(Val::Span)
        .ok_or_else(|| Fault::eval("duration overflow"))
}

fn concat<'a>(left: &Text<'a>, right: &Text<'a>, meter: &mut Meter) -> Result<Val<'a>, Fault> {
    meter.bytes(left.len().saturating_add(right.len()))?;
    Ok(Val::Text(Text::Shared(Rc::from(
        [&**left, &**right].concat(),
    ))))
}

fn join_lists<'a>(left: &Val<'a>, right: &Val<'a>, meter: &mut Meter) -> Result<Val<'a>, Fault> {
    let (Some(first), Some(second)) = (left.seq(), right.seq()) else {
        return Err(mismatch("+", left, right));
    };
    meter.elements(first.len().saturating_add(second.len()))?;
    Ok(Val::list(first.iter().chain(second.iter()).collect()))
}

fn mismatch(symbol: &str, left: &Val<'_>, right: &Val<'_>) -> Fault {
    let advice = match (symbol, left, right) {
        ("+", Val::Text(_), _) | ("+", _, Val::Text(_)) => ": turn both into texts with string()",
        (_, Val::Instant(_), Val::Text(_)) | (_, Val::Text(_), Val::Instant(_)) => {
            ": read the text with timestamp()"
        }
        (_, Val::Null, _) | (_, _, Val::Null) => ": provide for null with coalesce()",
        _ => "",
    };
    Fault::eval(format!(
        "`{symbol}` does not work on {} and {}{advice}",
        left.type_name(),
        right.type_name()
    ))
}

fn int_arith<'a>(op: Arith, left: i64, right: i64) -> Result<Val<'a>, Fault> {
    let result = match op {
        Arith::Add => left.checked_add(right),
        Arith::Sub => left.checked_sub(right),
        Arith::Mul => left.checked_mul(right),
        Arith::Div | Arith::Rem if right == 0 => return Err(Fault::eval("division by zero")),
        Arith::Rem => left.checked_rem(right),
        Arith::Div => match left.checked_rem(right) {
            Some(0) => left.checked_div(right),
            #[expect(
                clippy::cast_precision_loss,
                reason = "an uneven division yields a double by definition"
            )]
            Some(_) => return Ok(Val::Double(left as f64 / right as f64)),
            None => None,
        },
    };
    result.map(Val::Int).ok_or_else(|| {
        Fault::eval(format!(
            "integer overflow in `{left} {} {right}`",
            op.symbol()
        ))
    })
}

fn double_arith<'a>(op: Arith, left: f64, right: f64) -> Result<Val<'a>, Fault> {
    let result = match op {
        Arith::Add => left + right,
        Arith::Sub => left - right,
        Arith::Mul => left * right,
        Arith::Div | Arith::Rem if right == 0.0 => return Err(Fault::eval("division by zero")),
        Arith::Div => left / right,
        Arith::Rem => {
            let (Some(left), Some(right)) = (super::value::whole(left), super::value::whole(right))
            else {
                return Err(Fault::eval("`%` works on whole numbers only"));
            };
            return int_arith(op, left, right);
        }
    };
    finite(result)
}

/// A double as a value; infinity and NaN never become one.
pub(crate) fn finite<'a>(value: f64) -> Result<Val<'a>, Fault> {
    if value.is_finite() {
        Ok(Val::Double(value))
    } else {
        Err(Fault::eval("the number is too large for a double"))
    }
}

/// Computes `-value`.
pub(crate) fn negate<'a>(value: &Val<'a>) -> Result<Val<'a>, Fault> {
    match value {
        Val::Int(value) => value
            .checked_neg()
            .map(Val::Int)
            .ok_or_else(|| Fault::eval("integer overflow in negation")),
        #[expect(
            clippy::cast_precision_loss,
            reason = "a number beyond i64 is a double in arithmetic"
        )]
        Val::Uint(value) => Ok(Val::Double(-(*value as f64))),
        Val::Double(value) => Ok(Val::Double(-value)),
        Val::Span(micros) => span(micros.checked_neg()),
        other => Err(Fault::eval(format!(
            "`-` does not work on {}",
            other.type_name()
        ))),
    }
}

/// Whether two values are equal; values of different kinds are not.
pub(crate) fn equal(left: &Val<'_>, right: &Val<'_>, meter: &mut Meter) -> Result<bool, Fault> {
    equal_at(left, right, meter, 0)
}

fn equal_at(
    left: &Val<'_>,
    right: &Val<'_>,
    meter: &mut Meter,
    depth: usize,
) -> Result<bool, Fault> {
    if let Some(ordering) = compare_numbers(left, right) {
        return Ok(ordering == Ordering::Equal);
    }
    Ok(match (left, right) {
        (Val::Null, Val::Null) => true,
        (Val::Bool(left), Val::Bool(right)) => left == right,
        (Val::Text(left), Val::Text(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            meter.read(left.len())?;
            **left == **right
        }
        (Val::Bytes(left), Val::Bytes(right)) => {
            meter.read(left.len())?;
            left == right
        }
        (Val::Instant(left), Val::Instant(right)) | (Val::Span(left), Val::Span(right)) => {
            left == right
        }
        (Val::Type(left), Val::Type(right)) => left == right,
        (Val::Optional(None), Val::Optional(None)) => true,
        (Val::Optional(Some(left)), Val::Optional(Some(right))) => {
            equal_at(left, right, meter, depth + 1)?
        }
        _ => return equal_containers(left, right, meter, depth),
    })
}

fn equal_containers(
    left: &Val<'_>,
    right: &Val<'_>,
    meter: &mut Meter,
    depth: usize,
) -> Result<bool, Fault> {
    if depth > 320 {
        return Err(Fault::Limit("the data is nested too deeply"));
    }
    if let (Some(left), Some(right)) = (left.seq(), right.seq()) {
        if left.len() != right.len() {
            return Ok(false);
        }
        for (left, right) in left.iter().zip(right.iter()) {
            meter.elements(1)?;
            if !equal_at(&left, &right, meter, depth + 1)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    let (Some(left_len), Some(right_len)) = (left.map_len(), right.map_len()) else {
        return Ok(false);
    };
    if left_len != right_len {
        return Ok(false);
    }
    meter.elements(left_len)?;
    for key in left.keys().unwrap_or_default() {
        let (Some(mine), Some(theirs)) = (left.at_key(&key), right.at_key(&key)) else {
            return Ok(false);
        };
        if !equal_at(&mine, &theirs, meter, depth + 1)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The order of two values of one kind.
pub(crate) fn compare(
    symbol: &str,
    left: &Val<'_>,
    right: &Val<'_>,
    meter: &mut Meter,
) -> Result<Ordering, Fault> {
    match (left, right) {
        (Val::Text(left), Val::Text(right)) => meter.read(left.len().min(right.len()))?,
        (Val::Bytes(left), Val::Bytes(right)) => meter.read(left.len().min(right.len()))?,
        _ => {}
    }
    order(left, right).ok_or_else(|| mismatch(symbol, left, right))
}

/// The order of two values of one kind, total within the kind; `None` for values of different kinds.
pub(crate) fn order(left: &Val<'_>, right: &Val<'_>) -> Option<Ordering> {
    match (left, right) {
        (Val::Text(left), Val::Text(right)) => Some((**left).cmp(&**right)),
        (Val::Bytes(left), Val::Bytes(right)) => Some(left.cmp(right)),
        (Val::Bool(left), Val::Bool(right)) => Some(left.cmp(right)),
        (Val::Instant(left), Val::Instant(right)) | (Val::Span(left), Val::Span(right)) => {
            Some(left.cmp(right))
        }
        _ => compare_numbers(left, right),
    }
}

/// The order of two numbers of any kind, exact; `None` if one is no number.
fn compare_numbers(left: &Val<'_>, right: &Val<'_>) -> Option<Ordering> {
    if let (Val::Double(left), Val::Double(right)) = (left, right) {
        return left.partial_cmp(right);
    }
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        (Some(left), None) => match right {
            Val::Double(right) => Some(compare_mixed(left, *right)),
            _ => None,
        },
        (None, Some(right)) => match left {
            Val::Double(left) => Some(compare_mixed(right, *left).reverse()),
            _ => None,
        },
        (None, None) => None,
    }
}

fn integer(value: &Val<'_>) -> Option<i128> {
    match value {
        Val::Int(value) => Some(i128::from(*value)),
        Val::Uint(value) => Some(i128::from(*value)),
        _ => None,
    }
}

fn compare_mixed(left: i128, right: f64) -> Ordering {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, and i128 holds every i64 and u64"
    )]
    let floor = right.floor() as i128;
    left.cmp(&floor).then(if right.fract() == 0.0 {
        Ordering::Equal
    } else {
        Ordering::Less
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_comparison_is_exact() {
        let cases = [
            (
                Val::Int(i64::MAX),
                Val::Double(9.223_372_036_854_776e18),
                Ordering::Less,
            ),
            (Val::Int(7), Val::Double(7.5), Ordering::Less),
            (Val::Int(-7), Val::Double(-7.5), Ordering::Greater),
            (Val::Int(7), Val::Double(7.0), Ordering::Equal),
            (Val::Double(1e300), Val::Int(i64::MAX), Ordering::Greater),
            (Val::Uint(u64::MAX), Val::Int(-1), Ordering::Greater),
        ];
        for (left, right, expected) in cases {
            assert_eq!(compare_numbers(&left, &right), Some(expected));
            assert_eq!(compare_numbers(&right, &left), Some(expected.reverse()));
        }
    }
}
