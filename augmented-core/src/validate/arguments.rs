//! The values that the message of a finding names.

use serde_json::Value;

/// The arguments of a finding's message by the names that its code declares, see [`crate::codes::Code::arguments`].
///
/// ```
/// use augmented_core::validate::Finding;
/// let finding = Finding::error("maxItems", "/branches", "at most 64 branches").with_argument("limit", 64);
/// assert_eq!(finding.arguments().get("limit"), Some(&64.into()));
/// assert_eq!(finding.arguments().iter().count(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments(Option<Box<Entries>>);

/// Behind a pointer, so that a finding without arguments stays small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entries(Vec<(&'static str, Value)>);

impl Arguments {
    /// The value of an argument.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Names and values, in the order in which they were attached.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let entries = self.0.iter().flat_map(|entries| &entries.0);
        entries.map(|(name, value)| (*name, value))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Attaches an argument, in the place of one of the same name.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        let entries = &mut self.0.get_or_insert_default().0;
        match entries.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value.into(),
            None => entries.push((name, value.into())),
        }
    }
}
