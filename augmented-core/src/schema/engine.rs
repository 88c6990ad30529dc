//! The engine underneath: how the `jsonschema` crate is set up and fed.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jsonschema::{PatternOptions, Retrieve, Uri, Validator};
use serde_json::{Value, json};

use super::compile::{CompiledSchema, SchemaOptions};
use super::custom::CustomValidator;
use super::dialect::Dialect;
use super::documents::Documents;
use super::format;
use super::reference::Address;
use super::registry::ValidatorRegistry;

/// Builds the engine for the documents.
pub(super) fn build(
    documents: &Documents,
    required_validators: &BTreeSet<String>,
    validators: &ValidatorRegistry,
) -> Result<Validator, String> {
    let registered = documents.registered().map(|(address, document)| {
        let mut value = (*document.value).clone();
        if let Some(members) = value.as_object_mut() {
            members.insert("$schema".to_owned(), Value::from(document.dialect.uri()));
        }
        (address.clone(), value)
    });
    let retriever = Registered(registered.collect());
    let mut options = engine_options(documents.dialect(0)).with_retriever(retriever);
    // Schemas with host code are judged by our own checker; the engine only must not stumble.
    for name in required_validators {
        match validators.validator(name) {
            Some(CustomValidator::Format(_)) => {
                options = options.with_format(name.clone(), |_: &str| true)
            }
            Some(CustomValidator::Keyword(_)) => {
                options = options.with_keyword(name.clone(), |_, _, _| Ok(Box::new(Passive)))
            }
            _ => {}
        }
    }
    options
        .build(documents.root().value)
        .map_err(|error| error.masked().to_string())
}

/// The engine's settings that every validator of ours shares.
fn engine_options<'i>(dialect: Dialect) -> jsonschema::ValidationOptions<'i> {
    let mut options = jsonschema::options()
        .with_draft(dialect.draft())
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex())
        .offline()
        .with_format("idn-email", format::is_idn_email)
        .with_format("idn-hostname", format::is_idn_hostname)
        .with_format("json-schema", is_schema_text)
        .with_format("expression", |_: &str| true);
    for (name, check, _) in format::SHIPPED {
        options = options.with_format(*name, check);
    }
    options
}

/// Whether a text is a legal schema written as JSON.
fn is_schema_text(text: &str) -> bool {
    crate::json::parse(text.as_bytes(), &crate::json::Limits::definition())
        .is_ok_and(|parsed| CompiledSchema::compile(&parsed.value, &SchemaOptions::new()).is_ok())
}

/// Hands the registered schemas, collected before, to the engine.
struct Registered(HashMap<Address, Value>);

impl Retrieve for Registered {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let found = self
            .0
            .iter()
            .find(|(address, _)| address.uri() == uri.as_str());
        found
            .map(|(_, schema)| schema.clone())
            .ok_or_else(|| format!("`{uri}` is not registered").into())
    }
}

/// A custom keyword as the engine sees it when our own checker decides.
struct Passive;

impl jsonschema::Keyword<'_> for Passive {
    fn validate(&self, _: &Value) -> Result<(), jsonschema::ValidationError<'static>> {
        Ok(())
    }

    fn is_valid(&self, _: &Value) -> bool {
        true
    }
}

/// Validators of single keywords, built when the checker first needs them, so that it agrees with
/// the engine on patterns, formats and divisibility.
#[derive(Default)]
pub(super) struct Leaves {
    built: std::sync::Mutex<HashMap<Leaf, Option<Arc<Validator>>>>,
}

/// Dialect, keyword and the keyword's value as text.
type Leaf = (Dialect, &'static str, String);

impl Leaves {
    /// Whether the engine accepts the value under the keyword; `None` if it cannot be built.
    pub(super) fn accepts(
        &self,
        dialect: Dialect,
        keyword: &'static str,
        argument: &Value,
        value: &Value,
    ) -> Option<bool> {
        let key = (dialect, keyword, argument.to_string());
        let mut built = self
            .built
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let validator = built
            .entry(key)
            .or_insert_with(|| {
                engine_options(dialect)
                    .build(&json!({ keyword: argument }))
                    .ok()
                    .map(Arc::new)
            })
            .clone();
        drop(built);
        Some(validator?.is_valid(value))
    }

    /// Whether the linear engine can run the pattern.
    pub(super) fn compiles(pattern: &str) -> bool {
        engine_options(Dialect::Draft202012)
            .build(&json!({ "pattern": pattern }))
            .is_ok()
    }
}
