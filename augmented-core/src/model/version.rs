//! Which version of a definition a reference means.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use semver::{Version, VersionReq};

use super::lifecycle::LifecycleStatus;

/// What a reference says about the version it wants.
///
/// ```
/// use augmented_core::model::VersionRequirement;
/// assert!(matches!("1.2.0".parse(), Ok(VersionRequirement::Exact(_))));
/// assert!(matches!("^1.2".parse(), Ok(VersionRequirement::Range(_))));
/// assert!(matches!(">=1.0.0 <2.0.0".parse(), Ok(VersionRequirement::Range(_))));
/// assert!("latest".parse::<VersionRequirement>().is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VersionRequirement {
    /// Nothing: the highest published version is meant.
    #[default]
    Highest,
    /// One version.
    Exact(Version),
    /// Any version of a range; the highest published one of it is meant.
    Range(VersionReq),
}

impl VersionRequirement {
    /// Reads what a reference says, absence included.
    ///
    /// # Errors
    /// [`VersionRequirementError`] if the text is neither a version nor a range.
    pub fn of(text: Option<&str>) -> Result<Self, VersionRequirementError> {
        text.map_or(Ok(Self::Highest), str::parse)
    }

    /// Whether a reference that says this may mean that version in that status.
    ///
    /// Drafts and archived versions are never meant, deprecated ones only where they are named exactly, pre-releases
    /// only where they are named.
    #[must_use]
    pub fn accepts(&self, version: &Version, status: LifecycleStatus) -> bool {
        match status {
            LifecycleStatus::Draft | LifecycleStatus::Archived => false,
            LifecycleStatus::Deprecated => matches!(self, Self::Exact(exact) if exact == version),
            LifecycleStatus::Published => match self {
                Self::Highest => version.pre.is_empty(),
                Self::Exact(exact) => exact == version,
                Self::Range(range) => range.matches(version),
            },
        }
    }
}

impl fmt::Display for VersionRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Highest => f.write_str("the highest published version"),
            Self::Exact(version) => version.fmt(f),
            Self::Range(range) => range.fmt(f),
        }
    }
}

/// Text that is neither a version nor a range of versions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a version such as 1.2.0 nor a range such as ^1.2 or >=1.0.0, <2.0.0")]
pub struct VersionRequirementError(String);

impl FromStr for VersionRequirement {
    type Err = VersionRequirementError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(version) = Version::parse(text) {
            return Ok(Self::Exact(version));
        }
        VersionReq::parse(text)
            .or_else(|_| VersionReq::parse(&with_commas(text)))
            .map(Self::Range)
            .map_err(|_| VersionRequirementError(text.chars().take(64).collect()))
    }
}

/// Puts the commas between comparators that are set apart by spaces only, as other package managers allow.
fn with_commas(text: &str) -> String {
    let mut joined = String::with_capacity(text.len() + 4);
    for word in text.split_whitespace() {
        let begins_comparator = word.starts_with(|letter: char| "<>=^~".contains(letter));
        if begins_comparator
            && joined.ends_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '*')
        {
            joined.push_str(", ");
        }
        joined.push_str(word);
    }
    joined
}

/// Something that may be chosen by its version.
pub trait VersionCandidate {
    /// Its version.
    fn version(&self) -> &str;

    /// Where it stands in its life.
    fn status(&self) -> LifecycleStatus;
}

impl VersionCandidate for (&str, LifecycleStatus) {
    fn version(&self) -> &str {
        self.0
    }

    fn status(&self) -> LifecycleStatus {
        self.1
    }
}

/// The candidate a reference means: the highest of those its requirement accepts.
///
/// # Errors
/// [`VersionRequirementError`] if `requirement` is neither a version nor a range.
///
/// ```
/// use augmented_core::model::{LifecycleStatus::{Deprecated, Published}, select_version};
/// let candidates = [("1.9.0", Published), ("1.10.0", Published), ("2.0.0-rc.1", Published), ("1.0.0", Deprecated)];
/// let chosen = |requirement| select_version(requirement, &candidates).unwrap().map(|(version, _)| *version);
/// assert_eq!(chosen(None), Some("1.10.0"));
/// assert_eq!(chosen(Some("1.0.0")), Some("1.0.0"));
/// assert_eq!(chosen(Some("~1.9")), Some("1.9.0"));
/// assert_eq!(chosen(Some("=1.0")), None);
/// ```
pub fn select_version<'a, C: VersionCandidate>(
    requirement: Option<&str>,
    candidates: impl IntoIterator<Item = &'a C>,
) -> Result<Option<&'a C>, VersionRequirementError> {
    let requirement = VersionRequirement::of(requirement)?;
    let accepted = candidates.into_iter().filter_map(|candidate| {
        let version = Version::parse(candidate.version()).ok()?;
        requirement
            .accepts(&version, candidate.status())
            .then_some((version, candidate))
    });
    Ok(accepted
        .max_by(|(a, _), (b, _)| a.cmp(b))
        .map(|(_, candidate)| candidate))
}

/// The order of two version texts by SemVer; what is no version comes first, by text.
#[must_use]
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    match (Version::parse(a), Version::parse(b)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Greater,
        (Err(_), Ok(_)) => Ordering::Less,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::LifecycleStatus::{Archived, Deprecated, Draft, Published};
    use super::*;

    #[test]
    fn a_reference_means_the_highest_version_it_accepts() {
        let candidates = [
            ("0.9.0", Published),
            ("1.0.0", Deprecated),
            ("1.2.0", Published),
            ("1.10.0", Published),
            ("2.0.0", Archived),
            ("2.1.0", Deprecated),
            ("3.0.0-beta.2", Published),
            ("3.0.0-beta.10", Published),
            ("4.0.0", Draft),
            ("not-a-version", Published),
        ];
        for (requirement, expected) in [
            (None, Some("1.10.0")),
            (Some("1.2.0"), Some("1.2.0")),
            (Some("1.0.0"), Some("1.0.0")),
            (Some("2.0.0"), None),
            (Some("2.1.0"), Some("2.1.0")),
            (Some("4.0.0"), None),
            (Some("9.9.9"), None),
            (Some("^1"), Some("1.10.0")),
            (Some("~1.2"), Some("1.2.0")),
            (Some("1.2"), Some("1.10.0")),
            (Some("=1.2"), Some("1.2.0")),
            (Some("1.2.x"), Some("1.2.0")),
            (Some("*"), Some("1.10.0")),
            (Some("^2"), None),
            (Some("^3"), None),
            (Some("3.0.0-beta.2"), Some("3.0.0-beta.2")),
            (Some(">=3.0.0-beta.1"), Some("3.0.0-beta.10")),
            (Some(">=0.9.0, <1.5.0"), Some("1.2.0")),
            (Some(">=0.9.0 <1.5.0"), Some("1.2.0")),
            (Some(">= 0.9.0 < 1.5.0"), Some("1.2.0")),
        ] {
            let chosen = select_version(requirement, &candidates).unwrap();
            assert_eq!(
                chosen.map(|(version, _)| *version),
                expected,
                "{requirement:?}"
            );
        }
    }

    #[test]
    fn what_is_no_requirement_is_refused() {
        for text in ["", "latest", "1.2.3.4", ">=", "^1 ||", "v1.0.0", "1.0 2.0"] {
            assert!(VersionRequirement::of(Some(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn versions_are_ordered_by_semver_not_by_text() {
        let mut versions = ["1.10.0", "x", "1.9.0", "1.10.0-rc.1", "2.0.0"];
        versions.sort_by(|a, b| compare_versions(a, b));
        assert_eq!(versions, ["x", "1.9.0", "1.10.0-rc.1", "1.10.0", "2.0.0"]);
    }
}
