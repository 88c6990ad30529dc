//! What the host brings: registered handlers, policies, rules and texts of its own.

use std::sync::Arc;

use serde_json::Value;

use super::Finding;
use crate::model::DefinitionKind;

/// What a registered task handler takes and gives.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct HandlerContract {
    /// JSON Schema of its input type, if it states one.
    pub input_schema: Option<Value>,
    /// JSON Schema of its output type, if it states one.
    pub output_schema: Option<Value>,
}

impl HandlerContract {
    /// A contract; `None` where the handler states no schema.
    #[must_use]
    pub fn new(input_schema: Option<Value>, output_schema: Option<Value>) -> Self {
        Self {
            input_schema,
            output_schema,
        }
    }
}

/// Whether a host has something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// It is registered.
    Registered,
    /// It is not.
    Missing,
    /// The host cannot tell.
    Unknown,
}

/// The registries of a host, asked at level L5.
///
/// Every method but [`task_handler`](HostRegistry::task_handler) has a cautious default.
pub trait HostRegistry {
    /// The contract of a registered task handler.
    fn task_handler(&self, name: &str) -> Option<HandlerContract>;

    /// Names of all registered task handlers, for "did you mean".
    fn task_handlers(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether the task is mocked for this run, which counts as registered.
    fn is_mocked(&self, task_id: &str) -> bool {
        let _ = task_id;
        false
    }

    /// Whether an implementation kind other than NATIVE can be executed here with that endpoint.
    fn executor(&self, implementation_kind: &str, endpoint: Option<&str>) -> Registration {
        let _ = (implementation_kind, endpoint);
        Registration::Unknown
    }

    /// Whether a business calendar of that id is registered.
    fn calendar(&self, calendar_id: &str) -> Registration {
        let _ = calendar_id;
        Registration::Unknown
    }
}

/// A rule the host adds to those of a kind, at level L3.
pub trait SemanticRule: Send + Sync {
    /// Reports what is wrong with a document; called with every document of the kind, broken ones too.
    fn check(&self, document: &Value) -> Vec<Finding>;
}

impl<F: Fn(&Value) -> Vec<Finding> + Send + Sync> SemanticRule for F {
    fn check(&self, document: &Value) -> Vec<Finding> {
        self(document)
    }
}

/// A policy of the host, at level L5: quota, allowed endpoints, security level.
pub trait PolicyCheck: Send + Sync {
    /// Reports what the policy refuses; `principal` is what the caller said of who publishes, else null.
    fn check(&self, kind: DefinitionKind, document: &Value, principal: &Value) -> Vec<Finding>;
}

/// The rules a host adds, by kind.
///
/// ```
/// use augmented_core::model::DefinitionKind;
/// use augmented_core::validate::{Finding, RuleSet};
/// use serde_json::Value;
/// let rules = RuleSet::default().with_rule(DefinitionKind::Task, |task: &Value| {
///     let named = task["metadata"]["owner"].is_string();
///     if named { vec![] } else { vec![Finding::warning("custom-validator", "/metadata/owner", "the task has no owner")] }
/// });
/// assert_eq!(rules.len(), 1);
/// ```
#[derive(Clone, Default)]
pub struct RuleSet {
    rules: Vec<(DefinitionKind, Arc<dyn SemanticRule>)>,
    policies: Vec<Arc<dyn PolicyCheck>>,
}

impl RuleSet {
    /// Adds a rule for a kind.
    #[must_use]
    pub fn with_rule(mut self, kind: DefinitionKind, rule: impl SemanticRule + 'static) -> Self {
        self.rules.push((kind, Arc::new(rule)));
        self
    }

    /// Adds a policy for all kinds.
    #[must_use]
    pub fn with_policy(mut self, policy: impl PolicyCheck + 'static) -> Self {
        self.policies.push(Arc::new(policy));
        self
    }

    /// How many rules and policies there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len() + self.policies.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn rules_of(&self, kind: DefinitionKind) -> impl Iterator<Item = &dyn SemanticRule> {
        self.rules
            .iter()
            .filter(move |(k, _)| *k == kind)
            .map(|(_, rule)| rule.as_ref())
    }

    pub(crate) fn policies(&self) -> impl Iterator<Item = &dyn PolicyCheck> {
        self.policies.iter().map(AsRef::as_ref)
    }
}

impl std::fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleSet")
            .field("rules", &self.rules.len())
            .field("policies", &self.policies.len())
            .finish()
    }
}
