//! What an expression reads: the roots of its place, borrowed from wherever they live.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::time::Timestamp;

/// The values of the roots at one evaluation.
///
/// Nothing is converted before an expression reads it.
///
/// ```
/// use augmented_core::expr::{Bindings, Bound};
/// use serde_json::{Value, json};
///
/// struct Input(Value);
///
/// impl Bindings for Input {
///     fn root(&self, name: &str) -> Option<Bound<'_>> {
///         (name == "input").then_some(Bound::Json(&self.0))
///     }
/// }
/// assert!(Input(json!({})).root("vars").is_none());
/// ```
pub trait Bindings {
    /// The value of a root, or `None` if it has none here.
    fn root(&self, name: &str) -> Option<Bound<'_>>;
}

/// A value handed to an expression.
#[derive(Clone)]
#[non_exhaustive]
pub enum Bound<'a> {
    /// JSON that lives elsewhere.
    Json(&'a Value),
    /// A record whose members are asked for one by one.
    Record(&'a dyn Record),
    /// JSON made for this evaluation.
    Owned(Value),
    /// A text that lives elsewhere.
    Str(&'a str),
    /// A whole number.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// An instant.
    Timestamp(Timestamp),
    /// Null.
    Null,
}

impl<'a> From<&'a Value> for Bound<'a> {
    fn from(value: &'a Value) -> Self {
        Self::Json(value)
    }
}

impl<'a> From<&'a str> for Bound<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(text)
    }
}

impl From<Timestamp> for Bound<'_> {
    fn from(at: Timestamp) -> Self {
        Self::Timestamp(at)
    }
}

impl<'a, T: Into<Bound<'a>>> From<Option<T>> for Bound<'a> {
    /// `None` becomes null.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A read-only record with named members, such as `workflow` or `steps.<id>`.
pub trait Record {
    /// The member of that name, or `None` if the record does not have it (now).
    fn member(&self, name: &str) -> Option<Bound<'_>>;

    /// The names of the members it has now, in code point order.
    fn names(&self) -> Vec<&str>;
}

/// A JSON object read as a record: members that are instants by the record's shape are read as instants.
#[derive(Clone, Copy, Debug)]
pub struct JsonRecord<'a> {
    members: &'a Map<String, Value>,
    instants: &'a [&'a str],
}

impl<'a> JsonRecord<'a> {
    /// Reads `members`, taking those named in `instants` as instants where they hold RFC 3339 text.
    #[must_use]
    pub const fn new(members: &'a Map<String, Value>, instants: &'a [&'a str]) -> Self {
        Self { members, instants }
    }
}

impl Record for JsonRecord<'_> {
    fn member(&self, name: &str) -> Option<Bound<'_>> {
        let value = self.members.get(name)?;
        if let Value::String(text) = value
            && self.instants.contains(&name)
            && let Ok(at) = text.parse()
        {
            return Some(Bound::Timestamp(at));
        }
        Some(Bound::Json(value))
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.members.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

/// Roots given as plain JSON, with `now` as an instant: for tests, tools and sites without records.
///
/// ```
/// use augmented_core::expr::{CelEngine, ExpressionEngine, ExprSite, JsonBindings};
/// use serde_json::json;
///
/// let roots = JsonBindings::new().with("input", json!({"amount": 1200}));
/// let program = CelEngine::shared().compile("input.amount > 1000", &ExprSite::concurrency_key()).unwrap();
/// assert!(program.eval_bool(&roots).unwrap());
/// ```
#[derive(Clone, Debug, Default)]
pub struct JsonBindings {
    roots: BTreeMap<String, Value>,
    now: Option<Timestamp>,
}

impl JsonBindings {
    /// No roots at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a root.
    #[must_use]
    pub fn with(mut self, root: impl Into<String>, value: Value) -> Self {
        self.roots.insert(root.into(), value);
        self
    }

    /// Sets the root `now`.
    #[must_use]
    pub fn with_now(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }
}

impl Bindings for JsonBindings {
    fn root(&self, name: &str) -> Option<Bound<'_>> {
        if name == "now"
            && let Some(now) = self.now
        {
            return Some(Bound::Timestamp(now));
        }
        self.roots.get(name).map(Bound::Json)
    }
}
