//! JSON Schemas derived from the types of a handler, in the dialect that definitions use.

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

/// Derives a schema; numeric formats become the bounds they stand for, since no dialect knows their names.
pub(super) fn derived_schema(make: impl FnOnce(&mut SchemaGenerator) -> Schema) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = make(&mut generator);
    bound_numbers(&mut schema);
    schema.to_value()
}

fn bound_numbers(schema: &mut Schema) {
    if let Some(bounds) = schema
        .get("format")
        .and_then(Value::as_str)
        .and_then(bounds)
    {
        schema.remove("format");
        let object = schema.ensure_object();
        for (keyword, bound) in [("minimum", bounds.0), ("maximum", bounds.1)] {
            if let Some(bound) = bound {
                object.entry(keyword).or_insert(bound);
            }
        }
    }
    transform_subschemas(&mut bound_numbers, schema);
}

/// The least and greatest value of a numeric format; `None` for a format of texts.
fn bounds(format: &str) -> Option<(Option<Value>, Option<Value>)> {
    let closed = |least: i64, greatest: i64| (Some(json!(least)), Some(json!(greatest)));
    Some(match format {
        "int8" => closed(i8::MIN.into(), i8::MAX.into()),
        "int16" => closed(i16::MIN.into(), i16::MAX.into()),
        "int32" => closed(i32::MIN.into(), i32::MAX.into()),
        "int64" => closed(i64::MIN, i64::MAX),
        "uint8" => closed(0, u8::MAX.into()),
        "uint16" => closed(0, u16::MAX.into()),
        "uint32" => closed(0, u32::MAX.into()),
        "uint64" => (Some(json!(0)), Some(json!(u64::MAX))),
        "uint" | "uint128" => (Some(json!(0)), None),
        "int" | "int128" | "float" | "double" => (None, None),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Numbers {
        small: u8,
        large: Vec<u64>,
        signed: Option<i32>,
        real: f64,
        id: uuid_text::Id,
    }

    mod uuid_text {
        #[derive(schemars::JsonSchema)]
        #[schemars(extend("format" = "uuid"))]
        pub(super) struct Id(#[expect(dead_code, reason = "only its schema is looked at")] String);
    }

    #[test]
    fn numeric_formats_become_bounds_and_others_stay() {
        let schema = derived_schema(|generator| generator.root_schema_for::<Numbers>());
        let properties = &schema["properties"];
        assert_eq!(
            properties["small"],
            json!({"type": "integer", "minimum": 0, "maximum": 255})
        );
        assert_eq!(
            properties["large"]["items"],
            json!({"type": "integer", "minimum": 0, "maximum": u64::MAX})
        );
        assert_eq!(
            properties["signed"],
            json!({"type": ["integer", "null"], "minimum": i32::MIN, "maximum": i32::MAX})
        );
        assert_eq!(properties["real"], json!({"type": "number"}));
        assert!(schema.to_string().contains("uuid"));
    }
}
