//! Turns what the generator makes of Rust types into the portable subset that the database evaluates, too.

use schemars::Schema;
use schemars::transform::transform_subschemas;
use serde_json::{Value, json};

/// Rewrites a generated schema and everything in it.
pub(super) fn normalize(schema: &mut Schema) {
    drop_null(schema);
    bound_numbers(schema);
    collapse_enum(schema);
    if let Some(object) = schema.as_object_mut() {
        if object.get("additionalProperties") == Some(&Value::Bool(true)) {
            object.remove("additionalProperties");
        }
        if let Some(Value::Object(properties)) = object.get_mut("properties") {
            for (name, property) in properties {
                add_title(name, property);
            }
        }
    }
    transform_subschemas(&mut normalize, schema);
}

/// Removes the alternative `null` that every `Option` brings along: an optional member is left out, never null.
fn drop_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(alternatives)) = object.get_mut("anyOf") {
        alternatives.retain(|alternative| *alternative != json!({"type": "null"}));
        if let [Value::Object(only)] = alternatives.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            for (keyword, value) in only {
                object.entry(keyword).or_insert(value);
            }
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
}

/// Replaces the names of numeric formats by the bounds they stand for.
fn bound_numbers(schema: &mut Schema) {
    let Some(Value::String(format)) = schema.remove("format") else {
        return;
    };
    let (least, greatest) = match format.as_str() {
        "uint16" => (json!(0), json!(u16::MAX)),
        "uint32" => (json!(0), json!(u32::MAX)),
        "uint64" => (json!(0), json!(u64::MAX)),
        "int32" => (json!(i32::MIN), json!(i32::MAX)),
        _ => return,
    };
    let object = schema.ensure_object();
    object.entry("minimum").or_insert(least);
    object.entry("maximum").or_insert(greatest);
}

/// Makes one `enum` of the described constants that a documented Rust enum gives, and moves the descriptions up.
fn collapse_enum(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    let Some(Value::Array(variants)) = object.get("oneOf") else {
        return;
    };
    let Some(words) = variants
        .iter()
        .map(|variant| variant.get("const").and_then(Value::as_str))
        .collect::<Option<Vec<_>>>()
    else {
        return;
    };
    let mut description = object
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    for (word, variant) in words.iter().zip(variants) {
        let text = variant
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        description.push_str(&format!(" {word}: {}", lower_first(text)));
    }
    let words = json!(words);
    object.remove("oneOf");
    object.insert("type".into(), "string".into());
    object.insert("enum".into(), words);
    object.insert("description".into(), description.trim_start().into());
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// Gives a property its name in words as title.
fn add_title(name: &str, property: &mut Value) {
    if let Value::Object(property) = property
        && property.contains_key("description")
    {
        property
            .entry("title")
            .or_insert_with(|| title(name).into());
    }
}

/// `uiComponentId` in words: `UI component id`.
fn title(name: &str) -> String {
    if name.chars().all(|letter| letter.is_ascii_uppercase()) {
        return name.to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    for letter in name.trim_start_matches('$').chars() {
        match words.last_mut() {
            Some(word) if !letter.is_ascii_uppercase() => word.push(letter),
            _ => words.push(letter.to_ascii_lowercase().to_string()),
        }
    }
    if let Some(first) = words.first_mut() {
        if first == "ui" {
            *first = "UI".to_owned();
        } else if let Some(initial) = first.get(..1).map(str::to_ascii_uppercase) {
            first.replace_range(..1, &initial);
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_the_names_in_words() {
        for (name, expected) in [
            ("stepId", "Step id"),
            ("uiComponents", "UI components"),
            ("$schema", "Schema"),
            ("on", "On"),
            ("LOW", "LOW"),
        ] {
            assert_eq!(title(name), expected);
        }
    }
}
