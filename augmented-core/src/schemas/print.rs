//! Pretty-prints a schema in an order people read: what it is, then what it demands, then its parts.

use serde_json::{Map, Value};

/// Keywords in the order they are printed; all others follow by name.
const ORDER: [&str; 16] = [
    "$schema",
    "$id",
    "$ref",
    "title",
    "description",
    "type",
    "const",
    "enum",
    "x-discriminator",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "required",
    "properties",
];

/// The text of a schema, indented by two spaces, with a trailing newline.
///
/// The order does not depend on the order of the map, so that the text is the same whatever features of `serde_json`
/// are on.
pub(super) fn pretty(schema: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, schema, 0, Place::Schema);
    text.push('\n');
    text
}

/// What a value is, which decides the order of its members.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A schema: keywords by rank.
    Schema,
    /// Schemas by name.
    Named,
    /// Anything else.
    Data,
}

fn write_value(text: &mut String, value: &Value, depth: usize, place: Place) {
    match value {
        Value::Object(members) if !members.is_empty() => write_object(text, members, depth, place),
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            text.push_str("[\n");
            for (position, item) in items.iter().enumerate() {
                indent(text, depth + 1);
                write_value(text, item, depth + 1, place);
                text.push_str(if position + 1 < items.len() {
                    ",\n"
                } else {
                    "\n"
                });
            }
            indent(text, depth);
            text.push(']');
        }
        Value::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    text.push_str(", ");
                }
                text.push_str(&item.to_string());
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn write_object(text: &mut String, members: &Map<String, Value>, depth: usize, place: Place) {
    let mut names: Vec<&String> = members.keys().collect();
    names.sort_by_key(|name| (rank(name, place), *name));
    text.push_str("{\n");
    for (position, name) in names.iter().enumerate() {
        let Some(value) = members.get(name.as_str()) else {
            continue;
        };
        indent(text, depth + 1);
        text.push_str(&Value::String((*name).clone()).to_string());
        text.push_str(": ");
        write_value(text, value, depth + 1, place_of(name, place));
        text.push_str(if position + 1 < names.len() {
            ",\n"
        } else {
            "\n"
        });
    }
    indent(text, depth);
    text.push('}');
}

fn rank(name: &str, place: Place) -> usize {
    match place {
        Place::Schema => ORDER
            .iter()
            .position(|keyword| *keyword == name)
            .unwrap_or(ORDER.len()),
        Place::Named | Place::Data => 0,
    }
}

fn place_of(name: &str, parent: Place) -> Place {
    match parent {
        Place::Named => Place::Schema,
        Place::Data => Place::Data,
        Place::Schema => match name {
            "properties" | "patternProperties" | "$defs" => Place::Named,
            "examples" | "default" | "const" | "enum" | "required" | "dependentRequired" => {
                Place::Data
            }
            _ => Place::Schema,
        },
    }
}

fn indent(text: &mut String, depth: usize) {
    for _ in 0..depth {
        text.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keywords_stand_in_reading_order_and_data_by_name() {
        let schema = json!({
            "properties": {"type": {"type": "string", "title": "T"}, "a": false},
            "type": "object",
            "examples": [{"type": 1, "description": 2}],
            "description": "d",
            "required": ["type"],
        });
        assert_eq!(
            pretty(&schema),
            r#"{
  "description": "d",
  "type": "object",
  "required": ["type"],
  "properties": {
    "a": false,
    "type": {
      "title": "T",
      "type": "string"
    }
  },
  "examples": [
    {
      "description": 2,
      "type": 1
    }
  ]
}
"#
        );
        assert_eq!(
            serde_json::from_str::<Value>(&pretty(&schema)).unwrap(),
            schema
        );
    }
}
