//! The dialects of JSON Schema: their keywords and where in a schema further schemas stand.

use serde_json::{Map, Value};

use crate::json::pointer;

/// A dialect of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Draft 7.
    Draft7,
    /// 2019-09.
    Draft201909,
    /// 2020-12, the dialect of schemas without `$schema`.
    Draft202012,
}

impl Dialect {
    /// The dialect a schema's `$schema` names, 2020-12 without one; the text itself if it names none
    /// that is supported.
    ///
    /// # Errors
    ///
    /// The value of `$schema`, when it names another dialect.
    pub fn of(schema: &Value) -> Result<Self, &str> {
        let Some(name) = schema.get("$schema").and_then(Value::as_str) else {
            return Ok(Self::Draft202012);
        };
        let bare = name.trim_end_matches('#');
        let bare = bare
            .strip_prefix("http://")
            .or_else(|| bare.strip_prefix("https://"));
        match bare {
            Some("json-schema.org/draft/2020-12/schema") => Ok(Self::Draft202012),
            Some("json-schema.org/draft/2019-09/schema") => Ok(Self::Draft201909),
            Some("json-schema.org/draft-07/schema") => Ok(Self::Draft7),
            _ => Err(name),
        }
    }

    /// The address of its meta-schema.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Draft7 => "http://json-schema.org/draft-07/schema#",
            Self::Draft201909 => "https://json-schema.org/draft/2019-09/schema",
            Self::Draft202012 => "https://json-schema.org/draft/2020-12/schema",
        }
    }

    pub(super) const fn draft(self) -> jsonschema::Draft {
        match self {
            Self::Draft7 => jsonschema::Draft::Draft7,
            Self::Draft201909 => jsonschema::Draft::Draft201909,
            Self::Draft202012 => jsonschema::Draft::Draft202012,
        }
    }

    /// Whether it has the keyword.
    #[must_use]
    pub fn has_keyword(self, keyword: &str) -> bool {
        self.keywords().any(|known| known == keyword)
    }

    /// Its keywords.
    pub fn keywords(self) -> impl Iterator<Item = &'static str> {
        let own: &[&str] = match self {
            Self::Draft7 => &["additionalItems", "dependencies"],
            Self::Draft201909 => &[
                "additionalItems",
                "dependentRequired",
                "dependentSchemas",
                "unevaluatedItems",
                "unevaluatedProperties",
                "minContains",
                "maxContains",
                "contentSchema",
                "$anchor",
                "$recursiveAnchor",
                "$recursiveRef",
                "$vocabulary",
                "$defs",
                "deprecated",
            ],
            Self::Draft202012 => &[
                "prefixItems",
                "dependentRequired",
                "dependentSchemas",
                "unevaluatedItems",
                "unevaluatedProperties",
                "minContains",
                "maxContains",
                "contentSchema",
                "$anchor",
                "$dynamicAnchor",
                "$dynamicRef",
                "$vocabulary",
                "$defs",
                "deprecated",
            ],
        };
        COMMON_KEYWORDS.iter().chain(own).copied()
    }
}

/// The keywords every supported dialect has.
const COMMON_KEYWORDS: &[&str] = &[
    "$schema",
    "$id",
    "$ref",
    "$comment",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "readOnly",
    "writeOnly",
    "type",
    "enum",
    "const",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "items",
    "maxItems",
    "minItems",
    "uniqueItems",
    "contains",
    "maxProperties",
    "minProperties",
    "required",
    "properties",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "if",
    "then",
    "else",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "format",
    "contentEncoding",
    "contentMediaType",
];

/// One schema directly below another.
pub(super) struct Subschema<'a> {
    /// The keyword it stands under.
    pub(super) keyword: &'a str,
    /// Where, relative to the schema above.
    pub(super) pointer: String,
    /// The schema.
    pub(super) value: &'a Value,
}

/// The schemas directly below a schema, those of custom keywords left out.
pub(super) fn subschemas(schema: &Map<String, Value>) -> Vec<Subschema<'_>> {
    let mut found = Vec::new();
    for (keyword, value) in schema {
        let base = pointer::join("", keyword);
        match keyword.as_str() {
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas"
            | "dependencies" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    // A dependency may be a list of names.
                    if !(keyword == "dependencies" && value.is_array()) {
                        found.push(Subschema {
                            keyword,
                            pointer: pointer::join(&base, name),
                            value,
                        });
                    }
                }
            }
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => {
                push_list(&mut found, keyword, &base, value)
            }
            "items" if value.is_array() => push_list(&mut found, keyword, &base, value),
            "items"
            | "additionalItems"
            | "additionalProperties"
            | "unevaluatedItems"
            | "unevaluatedProperties"
            | "propertyNames"
            | "contains"
            | "not"
            | "if"
            | "then"
            | "else"
            | "contentSchema" => {
                found.push(Subschema {
                    keyword,
                    pointer: base,
                    value,
                });
            }
            _ => {}
        }
    }
    found
}

fn push_list<'a>(found: &mut Vec<Subschema<'a>>, keyword: &'a str, base: &str, list: &'a Value) {
    for (index, value) in list.as_array().into_iter().flatten().enumerate() {
        found.push(Subschema {
            keyword,
            pointer: pointer::join_index(base, index),
            value,
        });
    }
}

/// Whether the schemas under a keyword judge the same value as the schema above.
pub(super) fn is_in_place(keyword: &str) -> bool {
    matches!(
        keyword,
        "allOf"
            | "anyOf"
            | "oneOf"
            | "not"
            | "if"
            | "then"
            | "else"
            | "dependentSchemas"
            | "dependencies"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_dialect_is_read_from_the_schema() {
        for (uri, expected) in [
            (
                "https://json-schema.org/draft/2020-12/schema",
                Some(Dialect::Draft202012),
            ),
            (
                "https://json-schema.org/draft/2019-09/schema#",
                Some(Dialect::Draft201909),
            ),
            (
                "http://json-schema.org/draft-07/schema#",
                Some(Dialect::Draft7),
            ),
            ("http://json-schema.org/draft-04/schema#", None),
            ("https://example.com/meta", None),
        ] {
            assert_eq!(
                Dialect::of(&json!({"$schema": uri})).ok(),
                expected,
                "{uri}"
            );
        }
        assert_eq!(Dialect::of(&json!(true)), Ok(Dialect::Draft202012));
    }

    #[test]
    fn schemas_below_a_schema_are_found_with_their_place() {
        let schema = json!({
            "properties": {"a/b": true},
            "dependencies": {"x": ["y"], "z": {}},
            "items": [{}, false],
            "not": {},
            "enum": [{"type": "string"}],
        });
        let mut found: Vec<_> = subschemas(schema.as_object().unwrap())
            .into_iter()
            .map(|s| s.pointer)
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                "/dependencies/z",
                "/items/0",
                "/items/1",
                "/not",
                "/properties/a~1b"
            ]
        );
    }
}
