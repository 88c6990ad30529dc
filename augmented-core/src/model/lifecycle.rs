//! The life cycle every definition version goes through.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a definition version stands in its life.
///
/// ```
/// use augmented_core::model::LifecycleStatus::{Archived, Deprecated, Draft, Published};
/// assert!(Draft.can_move_to(Published) && Deprecated.can_move_to(Published));
/// assert!(!Published.can_move_to(Archived) && !Archived.can_move_to(Published));
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LifecycleStatus {
    /// Being edited; may hold errors; nothing uses it.
    #[default]
    Draft,
    /// Frozen and in use.
    Published,
    /// Still used where it is named exactly, by nothing new otherwise.
    Deprecated,
    /// Used by nothing new.
    Archived,
}

impl LifecycleStatus {
    /// Every status, in the order of life.
    pub const ALL: [Self; 4] = [
        Self::Draft,
        Self::Published,
        Self::Deprecated,
        Self::Archived,
    ];

    /// Whether a version may go from this status to that one; staying is no move.
    #[must_use]
    pub const fn can_move_to(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Draft | Self::Deprecated, Self::Published)
                | (Self::Published, Self::Deprecated)
                | (Self::Deprecated, Self::Archived)
        )
    }

    /// Whether the content may still change.
    #[must_use]
    pub const fn is_editable(self) -> bool {
        matches!(self, Self::Draft)
    }

    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Published => "PUBLISHED",
            Self::Deprecated => "DEPRECATED",
            Self::Archived => "ARCHIVED",
        }
    }
}

impl fmt::Display for LifecycleStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that names no lifecycle status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no lifecycle status: use DRAFT, PUBLISHED, DEPRECATED or ARCHIVED")]
pub struct UnknownStatus(String);

impl FromStr for LifecycleStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|status| status.as_str() == text);
        known.ok_or_else(|| UnknownStatus(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::LifecycleStatus::{self, Archived, Deprecated, Draft, Published};

    #[test]
    fn exactly_the_moves_of_the_life_cycle_are_legal() {
        let legal = [
            (Draft, Published),
            (Published, Deprecated),
            (Deprecated, Published),
            (Deprecated, Archived),
        ];
        for from in LifecycleStatus::ALL {
            for to in LifecycleStatus::ALL {
                assert_eq!(
                    from.can_move_to(to),
                    legal.contains(&(from, to)),
                    "{from} → {to}"
                );
            }
        }
    }

    #[test]
    fn only_drafts_are_editable() {
        assert_eq!(
            LifecycleStatus::ALL.map(LifecycleStatus::is_editable),
            [true, false, false, false]
        );
    }

    #[test]
    fn statuses_round_trip_through_their_names() {
        for status in LifecycleStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert!("draft".parse::<LifecycleStatus>().is_err());
    }
}
