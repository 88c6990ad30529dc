//! The words of findings about instances.

use serde_json::Value;

/// The longest piece of a value or schema that a message shows, in characters.
const SHOWN: usize = 200;

/// A text, cut to what a message shows.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A value as a message shows it: scalars as JSON, containers by their kind only.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::Array(items) if items.is_empty() => "an empty array".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(members) if members.is_empty() => "an empty object".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => Value::from(cut(text)).to_string(),
        scalar => cut(&scalar.to_string()),
    }
}

/// A value as an argument of a message: what [`show`] shows, texts without quotes.
pub(super) fn argument(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(text) => cut(text).into(),
        container => show(container).into(),
    }
}

/// An expected value as an argument of a message; containers as text, which the schema holds for everybody.
pub(super) fn expected_argument(value: &Value) -> Value {
    match value {
        Value::Array(_) | Value::Object(_) => cut(&value.to_string()).into(),
        scalar => argument(scalar),
    }
}

/// Expected values as an argument of a message, as many as a message may show.
pub(super) fn expected_arguments(values: &[&Value]) -> Value {
    values
        .iter()
        .take(SHOWN)
        .map(|value| expected_argument(value))
        .collect()
}

/// Expected values, as many as a message shows.
pub(super) fn list<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    let mut text = String::new();
    for value in values {
        let shown = match value {
            Value::Array(_) | Value::Object(_) => cut(&value.to_string()),
            scalar => show(scalar),
        };
        if !text.is_empty() {
            text.push_str(", ");
        }
        if text.chars().count() + shown.chars().count() > SHOWN {
            text.push('…');
            break;
        }
        text.push_str(&shown);
    }
    text
}

/// Names in back-quotes, as many as a message shows.
pub(super) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for name in names {
        if !text.is_empty() {
            text.push_str(", ");
        }
        if text.chars().count() + name.chars().count() > SHOWN {
            text.push('…');
            break;
        }
        text.push('`');
        text.push_str(name);
        text.push('`');
    }
    text
}

/// A type with its article.
pub(super) fn typed(name: &str) -> String {
    match name {
        "null" => "null".to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        name => format!("a {name}"),
    }
}

/// Words joined by commas and a last `or`.
pub(super) fn either(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A number of things.
pub(super) fn count(number: u64, thing: &str) -> String {
    match (number, thing) {
        (1, _) => format!("1 {thing}"),
        (_, "property") => format!("{number} properties"),
        _ => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_cut() {
        let long = "é".repeat(300);
        assert_eq!(cut(&long).chars().count(), 201);
        assert_eq!(show(&json!(long)).chars().count(), 203);
        assert_eq!(show(&json!({"a": 1})), "an object");
        let many: Vec<Value> = (0..1000).map(Value::from).collect();
        assert!(list(&many).chars().count() < 210);
    }

    #[test]
    fn words_are_joined() {
        assert_eq!(
            either(&["a string".into(), "null".into(), "an array".into()]),
            "a string, null or an array"
        );
        assert_eq!(
            (count(1, "item"), count(2, "property")),
            ("1 item".into(), "2 properties".into())
        );
    }
}
