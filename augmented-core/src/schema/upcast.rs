//! Bringing documents of an older major version of a schema to a newer one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::CompiledSchema;
use super::custom::ValidatorError;
use super::registry::guarded;
use crate::validate::Finding;

/// A pure function that turns a document of one major version into one of a later version.
///
/// A closure `Fn(Value) -> Result<Value, String>` is one.
pub trait Upcaster: Send + Sync {
    /// Returns the document in the later form.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    fn upcast(&self, document: Value) -> Result<Value, String>;
}

impl<F: Fn(Value) -> Result<Value, String> + Send + Sync> Upcaster for F {
    fn upcast(&self, document: Value) -> Result<Value, String> {
        self(document)
    }
}

/// A hop of a chain failed; nothing of it is kept.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the upcast of `{schema}` from major version {from} to {to} failed: {reason}")]
#[non_exhaustive]
pub struct UpcastError {
    /// The schema.
    pub schema: String,
    /// The hop's start.
    pub from: u64,
    /// The hop's end.
    pub to: u64,
    /// What went wrong.
    pub reason: String,
    /// Findings about the hop's output, when it does not conform.
    pub findings: Vec<Finding>,
}

impl UpcastError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "UPCAST_FAILED"
    }
}

/// The upcasters a host registered, by schema and major version.
///
/// ```
/// use augmented_core::schema::UpcastChain;
/// use serde_json::{Value, json};
/// let mut chain = UpcastChain::new();
/// chain.register("user", 1, 2, |mut user: Value| {
///     let name = user["name"].take();
///     Ok(json!({"fullName": name}))
/// });
/// let upgraded = chain.upgrade("user", json!({"name": "Ann"}), 1, 2, &|_| None).unwrap();
/// assert_eq!(upgraded, json!({"fullName": "Ann"}));
/// ```
#[derive(Clone, Default)]
pub struct UpcastChain {
    hops: BTreeMap<(String, u64), (u64, Arc<dyn Upcaster>)>,
}

impl std::fmt::Debug for UpcastChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map()
            .entries(
                self.hops
                    .iter()
                    .map(|((schema, from), (to, _))| ((schema, from), to)),
            )
            .finish()
    }
}

impl UpcastChain {
    /// A chain without hops.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the hop from one major version to a later one; a later registration replaces an earlier.
    /// A hop that does not lead to a later version is never taken.
    pub fn register(
        &mut self,
        schema: impl Into<String>,
        from: u64,
        to: u64,
        upcaster: impl Upcaster + 'static,
    ) {
        if to > from {
            self.hops
                .insert((schema.into(), from), (to, Arc::new(upcaster)));
        }
    }

    /// Brings a document from one major version to another; `target` gives the schema of a major
    /// version, against which the output of each hop is checked.
    ///
    /// # Errors
    ///
    /// `UPCAST_FAILED` with the hop: there is none, it failed or panicked, it leads past the wanted
    /// version, or its output does not conform.
    pub fn upgrade(
        &self,
        schema: &str,
        document: Value,
        from: u64,
        to: u64,
        target: &dyn Fn(u64) -> Option<CompiledSchema>,
    ) -> Result<Value, UpcastError> {
        let mut document = document;
        let mut at = from;
        while at < to {
            let failed = |next: u64, reason: String, findings: Vec<Finding>| UpcastError {
                schema: schema.to_owned(),
                from: at,
                to: next,
                reason,
                findings,
            };
            let Some((next, upcaster)) = self.hops.get(&(schema.to_owned(), at)) else {
                return Err(failed(
                    at + 1,
                    "no upcaster is registered".to_owned(),
                    Vec::new(),
                ));
            };
            if *next > to {
                return Err(failed(
                    *next,
                    format!("it leads past the wanted version {to}"),
                    Vec::new(),
                ));
            }
            document = guarded(|| upcaster.upcast(document).map_err(ValidatorError::new))
                .map_err(|error| failed(*next, error.message, Vec::new()))?;
            document = crate::json::normalise_numbers(document);
            let findings = target(*next)
                .map(|schema| schema.validate(&document))
                .unwrap_or_default();
            if let Some(first) = findings.first() {
                let reason = format!("its output does not conform: {}", first.message);
                return Err(failed(*next, reason, findings));
            }
            at = *next;
        }
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::SchemaOptions;

    fn chain() -> UpcastChain {
        let mut chain = UpcastChain::new();
        chain.register("s", 1, 2, |v: Value| Ok(json!({"a": v["a"], "two": true})));
        chain.register("s", 2, 4, |v: Value| {
            if v["a"] == 0 {
                Err("no zero".to_owned())
            } else {
                Ok(json!({"b": v["a"]}))
            }
        });
        chain.register("s", 4, 5, |_: Value| panic!("boom"));
        chain
    }

    fn schema(major: u64) -> Option<CompiledSchema> {
        let schema = match major {
            2 => json!({"required": ["two"], "properties": {"a": {"type": "integer"}}}),
            _ => json!({"required": ["b"]}),
        };
        CompiledSchema::compile(&schema, &SchemaOptions::new()).ok()
    }

    fn upgrade(document: Value, from: u64, to: u64) -> Result<Value, (u64, u64, String)> {
        chain()
            .upgrade("s", document, from, to, &schema)
            .map_err(|e| {
                assert_eq!(e.code(), "UPCAST_FAILED");
                (e.from, e.to, e.reason)
            })
    }

    #[test]
    fn hops_are_chained_and_their_output_checked() {
        assert_eq!(upgrade(json!({"a": 1.0}), 1, 4), Ok(json!({"b": 1})));
        assert_eq!(upgrade(json!({"a": 1}), 4, 4), Ok(json!({"a": 1})));
    }

    #[test]
    fn a_failing_hop_is_named() {
        let wrong = upgrade(json!({"a": "x"}), 1, 4).unwrap_err();
        assert_eq!((wrong.0, wrong.1), (1, 2));
        assert!(wrong.2.contains("does not conform"), "{}", wrong.2);
        assert_eq!(
            upgrade(json!({"a": 0}), 1, 4),
            Err((2, 4, "no zero".to_owned()))
        );
        assert_eq!(
            upgrade(json!({}), 4, 5),
            Err((4, 5, "panicked: boom".to_owned()))
        );
        assert_eq!(
            upgrade(json!({}), 5, 6),
            Err((5, 6, "no upcaster is registered".to_owned()))
        );
        assert_eq!(
            upgrade(json!({"a": 1}), 2, 3).unwrap_err().2,
            "it leads past the wanted version 3"
        );
    }
}
