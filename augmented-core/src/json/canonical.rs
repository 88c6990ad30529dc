//! The canonical form of a document (RFC 8785, except that 64-bit integers keep all digits) and
//! the content hash over it.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};

use super::number::integral;

/// Writes a value in canonical form: members ordered by UTF-16 code units, no white space, one
/// spelling per string and number.
///
/// ```
/// use augmented_core::json::canonical;
/// use serde_json::json;
/// assert_eq!(canonical::to_string(&json!({"b": 1.0, "a": [1e21, 9007199254740993_i64]})), r#"{"a":[1e+21,9007199254740993],"b":1}"#);
/// ```
#[must_use]
pub fn to_string(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

/// The SHA-256 of the canonical form.
#[must_use]
pub fn content_hash(value: &Value) -> [u8; 32] {
    Sha256::digest(to_string(value).as_bytes()).into()
}

/// The content hash in lower-case hexadecimal digits.
#[must_use]
pub fn content_hash_hex(value: &Value) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(64);
    for byte in content_hash(value) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => write_object(members, out),
    }
}

fn write_object(members: &Map<String, Value>, out: &mut String) {
    let mut ordered: Vec<(&String, &Value)> = members.iter().collect();
    ordered.sort_by(|(a, _), (b, _)| by_utf16(a, b));
    out.push('{');
    for (index, (name, value)) in ordered.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(name, out);
        out.push(':');
        write(value, out);
    }
    out.push('}');
}

/// Orders names by UTF-16 code units, which differs from byte order only beyond the basic plane.
fn by_utf16(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        a.cmp(b)
    } else {
        a.encode_utf16().cmp(b.encode_utf16())
    }
}

pub(super) fn write_string(text: &str, out: &mut String) {
    use std::fmt::Write as _;
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

pub(super) fn write_number(number: &Number, out: &mut String) {
    use std::fmt::Write as _;
    // Writing to a String cannot fail.
    if let Some(integer) = number.as_i64() {
        let _ = write!(out, "{integer}");
    } else if let Some(integer) = number.as_u64() {
        let _ = write!(out, "{integer}");
    } else {
        match number.as_f64() {
            Some(double) if double.is_finite() => write_double(double, out),
            // Only a host's arbitrary-precision number comes here; its own text is all there is.
            _ => out.push_str(&number.to_string()),
        }
    }
}

/// Prints a double as ECMAScript's `Number::toString` does; integral ones of 64 bits keep all digits.
fn write_double(double: f64, out: &mut String) {
    use std::fmt::Write as _;
    if let Some(integer) = integral(double) {
        let _ = write!(out, "{integer}");
        return;
    }
    // `{:e}` gives the shortest digits that read back as the same double: `d.ddde-7`.
    let text = format!("{:e}", double.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if double < 0.0 {
        out.push('-');
    }
    // `point` digits stand before the decimal point.
    let point = exponent + 1;
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    if count <= point && point <= 21 {
        out.push_str(&digits);
        (count..point).for_each(|_| out.push('0'));
    } else if 0 < point && point <= 21 {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
        let _ = write!(out, "{whole}.{fraction}");
    } else if -6 < point && point <= 0 {
        out.push_str("0.");
        (point..0).for_each(|_| out.push('0'));
        out.push_str(&digits);
    } else {
        let (first, rest) = digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            let _ = write!(out, ".{rest}");
        }
        let _ = write!(
            out,
            "e{}{}",
            if exponent < 0 { '-' } else { '+' },
            exponent.abs()
        );
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn doubles_are_printed_as_ecmascript_does() {
        for (double, text) in [
            (0.5, "0.5"),
            (-1.25, "-1.25"),
            (1e21, "1e+21"),
            (1e20, "100000000000000000000"),
            (1.5e300, "1.5e+300"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.234e-7, "1.234e-7"),
            (123.456, "123.456"),
            (4.9e-324, "5e-324"),
            (333_333_333.333_333_3, "333333333.3333333"),
            (9.999_999_999_999_997e22, "9.999999999999997e+22"),
        ] {
            assert_eq!(to_string(&json!(double)), text);
        }
    }

    #[test]
    fn integers_keep_all_digits() {
        for (number, text) in [
            (json!(u64::MAX), "18446744073709551615"),
            (json!(i64::MIN), "-9223372036854775808"),
            (json!(9_007_199_254_740_993_i64), "9007199254740993"),
            (json!(4_611_686_018_427_387_904.0), "4611686018427387904"),
            (json!(-0.0), "0"),
        ] {
            assert_eq!(to_string(&number), text);
        }
    }

    #[test]
    fn members_are_ordered_by_utf16() {
        // U+FB33 sorts after the surrogates of U+1F600, though its code point is lower.
        let value =
            json!({"\u{fb33}": 1, "\u{1f600}": 2, "\r": 3, "1": 4, "\u{80}": 5, "ö": 6, "€": 7});
        assert_eq!(
            to_string(&value),
            "{\"\\r\":3,\"1\":4,\"\u{80}\":5,\"ö\":6,\"€\":7,\"\u{1f600}\":2,\"\u{fb33}\":1}"
        );
    }

    #[test]
    fn strings_have_one_spelling() {
        assert_eq!(
            to_string(&json!("\u{8}\t\n\u{c}\r\"\\/\u{1f}\u{7f}é")),
            "\"\\b\\t\\n\\f\\r\\\"\\\\/\\u001f\u{7f}é\""
        );
    }

    #[test]
    fn the_hash_depends_on_content_only() {
        let a: Value = serde_json::from_str(r#"{"a": 1.0, "b": [true, null]}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"b":[true,null],"a":1}"#).unwrap();
        assert_eq!(content_hash(&a), content_hash(&b));
        assert_ne!(
            content_hash(&a),
            content_hash(&json!({"a": 2, "b": [true, null]}))
        );
        assert_eq!(
            content_hash_hex(&json!({})),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
    }

    proptest! {
        #[test]
        fn doubles_read_back_as_themselves(bits in any::<u64>()) {
            let double = f64::from_bits(bits);
            prop_assume!(double.is_finite());
            let mut text = String::new();
            write_double(double, &mut text);
            prop_assert_eq!(text.parse::<f64>().unwrap(), double);
        }
    }
}
