//! The kinds of definition documents.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a document defines: the value of its member `kind`.
///
/// ```
/// use augmented_core::model::DefinitionKind;
/// assert_eq!("workflow".parse(), Ok(DefinitionKind::Workflow));
/// assert_eq!(DefinitionKind::AlertRule.to_string(), "alert-rule");
/// assert!("Workflow".parse::<DefinitionKind>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DefinitionKind {
    /// A durable process.
    Workflow,
    /// A unit of work.
    Task,
    /// An event type.
    Event,
    /// Lets an event start, cancel or signal a workflow.
    Trigger,
    /// Starts a workflow or task at certain times.
    Schedule,
    /// A remote system and its methods.
    Integration,
    /// A connection to a remote system.
    IntegrationInstance,
    /// A component of the user interface.
    UiComponent,
    /// A test of other definitions.
    Test,
    /// A bundle of permissions.
    Role,
    /// A permission.
    Permission,
    /// A rule of access.
    Policy,
    /// A JSON Schema under a name.
    Schema,
    /// A board of figures.
    Dashboard,
    /// A rule that raises alerts.
    AlertRule,
}

impl DefinitionKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Workflow,
        Self::Task,
        Self::Event,
        Self::Trigger,
        Self::Schedule,
        Self::Integration,
        Self::IntegrationInstance,
        Self::UiComponent,
        Self::Test,
        Self::Role,
        Self::Permission,
        Self::Policy,
        Self::Schema,
        Self::Dashboard,
        Self::AlertRule,
    ];

    /// The kinds that have a typed model and a shipped JSON Schema.
    pub const MODELLED: [Self; 6] = [
        Self::Workflow,
        Self::Task,
        Self::Event,
        Self::Trigger,
        Self::Schedule,
        Self::Schema,
    ];

    /// The name in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workflow => "workflow",
            Self::Task => "task",
            Self::Event => "event",
            Self::Trigger => "trigger",
            Self::Schedule => "schedule",
            Self::Integration => "integration",
            Self::IntegrationInstance => "integration-instance",
            Self::UiComponent => "ui-component",
            Self::Test => "test",
            Self::Role => "role",
            Self::Permission => "permission",
            Self::Policy => "policy",
            Self::Schema => "schema",
            Self::Dashboard => "dashboard",
            Self::AlertRule => "alert-rule",
        }
    }

    /// Whether documents of this kind have a typed model and a shipped JSON Schema.
    #[must_use]
    pub fn is_modelled(self) -> bool {
        Self::MODELLED.contains(&self)
    }

    /// The member that holds the business id, for the kinds that have a model.
    #[must_use]
    pub const fn id_member(self) -> Option<&'static str> {
        match self {
            Self::Workflow => Some("workflowId"),
            Self::Task => Some("taskId"),
            Self::Event => Some("eventId"),
            Self::Trigger => Some("triggerId"),
            Self::Schedule => Some("scheduleId"),
            Self::Schema => Some("schemaId"),
            Self::Integration
            | Self::IntegrationInstance
            | Self::UiComponent
            | Self::Test
            | Self::Role
            | Self::Permission
            | Self::Policy
            | Self::Dashboard
            | Self::AlertRule => None,
        }
    }

    /// Whether of all versions of one id at most one is live, so that publishing one deprecates the one before it.
    #[must_use]
    pub const fn has_one_live_version(self) -> bool {
        matches!(self, Self::Trigger | Self::Schedule)
    }
}

impl fmt::Display for DefinitionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that names no kind of definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of definition")]
pub struct UnknownKind(String);

impl FromStr for DefinitionKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| UnknownKind(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_kinds_agree_in_both_directions() {
        for kind in DefinitionKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(kind.is_modelled(), kind.id_member().is_some());
        }
        assert!("workflows".parse::<DefinitionKind>().is_err());
    }
}
