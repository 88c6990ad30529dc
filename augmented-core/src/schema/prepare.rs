//! Coercion and defaults: a changed copy, never the input itself.

use serde_json::{Map, Value};

use super::builder::custom_entries;
use super::custom::CustomValidator;
use super::documents::At;
use super::registry::guarded;
use super::validate::{ValidateOptions, ValidationEngineError};
use super::{CompiledSchema, types};
use crate::json::{Limits, parse, pointer};

/// One conversion that was made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Coercion {
    /// Where.
    pub pointer: String,
    /// The value as it came.
    pub from: Value,
    /// The value as it is now.
    pub to: Value,
}

pub(super) struct Prepared {
    pub(super) value: Value,
    pub(super) coercions: Vec<Coercion>,
}

/// The changed copy; `None` when the options ask for no change.
pub(super) fn prepare(
    schema: &CompiledSchema,
    at: At<'_>,
    value: &Value,
    options: &ValidateOptions,
) -> Result<Option<Prepared>, ValidationEngineError> {
    if !options.coerce_types && !options.apply_defaults {
        return Ok(None);
    }
    let mut walk = Walk {
        schema,
        options,
        path: options.scope.clone().unwrap_or_default(),
        coercions: Vec::new(),
        depth: 0,
    };
    let mut value = value.clone();
    walk.visit(at, &mut value)?;
    Ok(Some(Prepared {
        value,
        coercions: walk.coercions,
    }))
}

/// Schemas entered inside each other beyond this end the walk.
const MAX_DEPTH: usize = 256;

struct Walk<'a> {
    schema: &'a CompiledSchema,
    options: &'a ValidateOptions,
    path: String,
    coercions: Vec<Coercion>,
    depth: usize,
}

impl Walk<'_> {
    fn visit(&mut self, at: At<'_>, value: &mut Value) -> Result<(), ValidationEngineError> {
        let Some(schema) = at.object() else {
            return Ok(());
        };
        if self.depth >= MAX_DEPTH {
            return Err(ValidationEngineError::ResourceLimit {
                what: "schemas entered",
            });
        }
        self.depth += 1;
        self.transform(schema, value)?;
        if self.options.coerce_types {
            self.coerce(schema, value);
        }
        let documents = self.schema.documents();
        if let Some(target) = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|text| documents.follow(at.document, text))
        {
            self.visit(target, value)?;
        }
        for below in schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            self.visit(at.with(below), value)?;
        }
        match value {
            Value::Object(members) => self.members(at, schema, members)?,
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Some(below) =
                        super::check::item_schema(documents.dialect(at.document), schema, index)
                    {
                        let length = self.path.len();
                        pointer::push_index(&mut self.path, index);
                        self.visit(at.with(below), item)?;
                        self.path.truncate(length);
                    }
                }
            }
            _ => {}
        }
        self.depth -= 1;
        Ok(())
    }

    fn members(
        &mut self,
        at: At<'_>,
        schema: &Map<String, Value>,
        members: &mut Map<String, Value>,
    ) -> Result<(), ValidationEngineError> {
        let properties = schema.get("properties").and_then(Value::as_object);
        if self.options.apply_defaults {
            for (name, below) in properties.into_iter().flatten() {
                if !members.contains_key(name)
                    && let Some(default) = self.default_of(at.with(below))
                {
                    members.insert(name.clone(), default);
                }
            }
        }
        let rest = schema.get("additionalProperties");
        for (name, value) in members.iter_mut() {
            let own = properties.and_then(|properties| properties.get(name));
            let has_patterns = schema.contains_key("patternProperties");
            if let Some(below) = own.or(rest.filter(|_| !has_patterns)) {
                let length = self.path.len();
                pointer::push(&mut self.path, name);
                self.visit(at.with(below), value)?;
                self.path.truncate(length);
            }
        }
        Ok(())
    }

    /// The default of a schema or of what it refers to.
    fn default_of(&self, at: At<'_>) -> Option<Value> {
        let target = self.schema.documents().through_references(at);
        at.value
            .get("default")
            .or_else(|| target.value.get("default"))
            .cloned()
    }

    fn transform(
        &mut self,
        schema: &Map<String, Value>,
        value: &mut Value,
    ) -> Result<(), ValidationEngineError> {
        for entry in custom_entries(schema) {
            let name = entry
                .get("validator")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let Some(registered) = self.schema.validators().entry(name) else {
                continue;
            };
            let CustomValidator::Transformation(change) = &registered.validator else {
                continue;
            };
            if registered.applies_to(value) {
                let options = entry.get("options").unwrap_or(&Value::Null);
                *value = guarded(|| change.transform(value.clone(), options)).map_err(|error| {
                    ValidationEngineError::ValidatorFailed {
                        name: name.to_owned(),
                        reason: error.message,
                        retryable: error.retryable,
                    }
                })?;
            }
        }
        Ok(())
    }

    fn coerce(&mut self, schema: &Map<String, Value>, value: &mut Value) {
        let names: Vec<&str> = match schema.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        if names.iter().any(|name| types::has_type(value, name)) {
            return;
        }
        if let Some(to) = converted(value, &names) {
            let from = std::mem::replace(value, to.clone());
            self.coercions.push(Coercion {
                pointer: self.path.clone(),
                from,
                to,
            });
        }
    }
}

/// A scalar as one of the types, if its text says exactly that.
fn converted(value: &Value, names: &[&str]) -> Option<Value> {
    match value {
        Value::String(text) if text.is_empty() => names.contains(&"null").then_some(Value::Null),
        Value::String(text) => names.iter().find_map(|name| match (*name, text.as_str()) {
            ("boolean", "true") => Some(Value::Bool(true)),
            ("boolean", "false") => Some(Value::Bool(false)),
            ("integer" | "number", text) => {
                number(text).filter(|number| types::has_type(number, name))
            }
            _ => None,
        }),
        Value::Number(_) | Value::Bool(_) => names
            .contains(&"string")
            .then(|| Value::from(value.to_string())),
        _ => None,
    }
}

fn number(text: &str) -> Option<Value> {
    let begins = text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit());
    let parsed = parse(text.as_bytes(), &Limits::document())
        .ok()
        .filter(|_| begins)?;
    Some(parsed.value).filter(Value::is_number)
}
