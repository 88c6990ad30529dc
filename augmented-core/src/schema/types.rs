//! The types of JSON values as schemas see them.

use serde_json::{Number, Value};

/// The name of a value's type in JSON Schema; integers are `integer`.
#[must_use]
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if is_integer(number) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a value has the type; an integer also is a number, and `1.0` is an integer.
pub(super) fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "number" => value.is_number(),
        name => type_name(value) == name,
    }
}

pub(super) fn is_integer(number: &Number) -> bool {
    number.is_i64()
        || number.is_u64()
        || number
            .as_f64()
            .is_some_and(|double| double.is_finite() && double.fract() == 0.0)
}

/// Equality of JSON values, where `1.0` equals `1`.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b).is_eq(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

/// Orders numbers exactly, integers of 64 bits without a detour through doubles.
pub(super) fn compare_numbers(a: &Number, b: &Number) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    let whole = |n: &Number| {
        n.as_i64()
            .map(i128::from)
            .or_else(|| n.as_u64().map(i128::from))
    };
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(a), None) => compare_mixed(a, b.as_f64()),
        (None, Some(b)) => compare_mixed(b, a.as_f64()).reverse(),
        (None, None) => a
            .as_f64()
            .partial_cmp(&b.as_f64())
            .unwrap_or(Ordering::Equal),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "beyond 2^64 the comparison is decided before"
)]
fn compare_mixed(whole: i128, double: Option<f64>) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    let Some(double) = double else {
        return Ordering::Equal;
    };
    if double >= 18_446_744_073_709_551_616.0 {
        return Ordering::Less;
    }
    if double <= -18_446_744_073_709_551_616.0 {
        return Ordering::Greater;
    }
    // The double is between −2^64 and 2^64: its floor is exact as an integer.
    let floor = double.floor();
    whole.cmp(&(floor as i128)).then(if double > floor {
        Ordering::Less
    } else {
        Ordering::Equal
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn integers_are_recognised_by_value() {
        for (value, name) in [
            (json!(1), "integer"),
            (json!(1.0), "integer"),
            (json!(1.5), "number"),
            (json!(u64::MAX), "integer"),
            (json!([]), "array"),
        ] {
            assert_eq!(type_name(&value), name);
        }
        assert!(has_type(&json!(1), "number") && !has_type(&json!(1.5), "integer"));
    }

    #[test]
    fn numbers_are_compared_exactly() {
        use std::cmp::Ordering::{Equal, Greater, Less};
        for (a, b, order) in [
            (
                json!(9_007_199_254_740_993_i64),
                json!(9_007_199_254_740_992.0),
                Greater,
            ),
            (json!(1), json!(1.0), Equal),
            (json!(-1), json!(-1.5), Greater),
            (json!(u64::MAX), json!(1e20), Less),
            (json!(i64::MIN), json!(-1e300), Greater),
            (json!(0.1), json!(0.2), Less),
            (json!(2), json!(1.5), Greater),
        ] {
            let numbers = (a.as_number().unwrap(), b.as_number().unwrap());
            assert_eq!(compare_numbers(numbers.0, numbers.1), order, "{a} {b}");
            assert_eq!(
                compare_numbers(numbers.1, numbers.0),
                order.reverse(),
                "{b} {a}"
            );
        }
    }

    #[test]
    fn equality_ignores_the_form_of_numbers() {
        assert!(equal(
            &json!({"a": [1, {"b": 2.0}]}),
            &json!({"a": [1.0, {"b": 2}]})
        ));
        assert!(!equal(&json!([1]), &json!([1, 1])) && !equal(&json!({"a": 1}), &json!({"b": 1})));
    }
}
