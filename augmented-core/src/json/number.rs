//! The one form of numbers: exact 64-bit integers, everything else a double.

use serde_json::{Number, Value};

/// Lower bound of the doubles that are integers of 64 bits.
const MIN_INTEGRAL: f64 = -9_223_372_036_854_775_808.0;
/// First double above the integers of 64 bits.
const END_INTEGRAL: f64 = 9_223_372_036_854_775_808.0;

/// The integer a double stands for: integral and within −2^63 … 2^63−1.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range and the missing fraction are checked before"
)]
pub(super) fn integral(double: f64) -> Option<i64> {
    ((MIN_INTEGRAL..END_INTEGRAL).contains(&double) && double.fract() == 0.0)
        .then_some(double as i64)
}

/// The value of a finite double in its one form; `None` for NaN and infinities.
pub(super) fn from_double(double: f64) -> Option<Number> {
    match integral(double) {
        Some(integer) => Some(Number::from(integer)),
        None => Number::from_f64(double),
    }
}

/// Brings the numbers of a payload that was handed over by code into their one form: a double
/// that is integral and within −2^63 … 2^63−1 becomes an integer.
///
/// Text that passed [`parse`](super::parse) has this form already.
///
/// ```
/// use augmented_core::json::normalise_numbers;
/// use serde_json::json;
/// assert_eq!(normalise_numbers(json!({"a": [1.0, 1.5, 1e16]})), json!({"a": [1, 1.5, 10_000_000_000_000_000_i64]}));
/// ```
#[must_use]
pub fn normalise_numbers(mut value: Value) -> Value {
    normalise_in_place(&mut value);
    value
}

fn normalise_in_place(value: &mut Value) {
    match value {
        Value::Number(number) if !number.is_i64() && !number.is_u64() => {
            if let Some(integer) = number.as_f64().and_then(integral) {
                *number = Number::from(integer);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(normalise_in_place),
        Value::Object(members) => members.values_mut().for_each(normalise_in_place),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_integral_doubles_in_range_become_integers() {
        for (given, expected) in [
            (json!(1.0), json!(1)),
            (json!(-0.0), json!(0)),
            (json!(0.5), json!(0.5)),
            (json!(1e19), json!(1e19)),
            (json!(-9_223_372_036_854_775_808.0), json!(i64::MIN)),
            (
                json!(9_223_372_036_854_775_808.0),
                json!(9_223_372_036_854_775_808.0),
            ),
            (json!(u64::MAX), json!(u64::MAX)),
        ] {
            let normal = normalise_numbers(given.clone());
            assert_eq!(
                (normal.is_f64(), &normal),
                (expected.is_f64(), &expected),
                "{given}"
            );
        }
    }
}
