//! The version a change asks for.

use semver::Version;
use serde::{Deserialize, Serialize};

/// Classes of versions, the smallest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(clippy::exhaustive_enums, reason = "SemVer has no further class")]
pub enum Bump {
    /// Nothing changed.
    None,
    /// Words only.
    Patch,
    /// More is possible.
    Minor,
    /// Something breaks.
    Major,
}

impl Bump {
    /// The next version of this class.
    ///
    /// ```
    /// use augmented_core::schema::Bump;
    /// assert_eq!(Bump::Minor.after(&"1.2.3".parse().unwrap()).to_string(), "1.3.0");
    /// ```
    #[must_use]
    pub fn after(self, version: &Version) -> Version {
        let Version {
            major,
            minor,
            patch,
            ..
        } = *version;
        match self {
            Self::None => version.clone(),
            // A pre-release comes before its version, so that version itself is the next one.
            Self::Patch if !version.pre.is_empty() => Version::new(major, minor, patch),
            Self::Patch => Version::new(major, minor, patch.saturating_add(1)),
            Self::Minor => Version::new(major, minor.saturating_add(1), 0),
            Self::Major => Version::new(major.saturating_add(1), 0, 0),
        }
    }

    /// The class of the step from one version to a later one; `None` if it is not later.
    #[must_use]
    pub fn between(old: &Version, new: &Version) -> Self {
        if new <= old {
            Self::None
        } else if new.major != old.major {
            Self::Major
        } else if new.minor != old.minor {
            Self::Minor
        } else {
            Self::Patch
        }
    }
}

/// An explicit version does not exceed the published ones, or steps less than the changes ask for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("version {given} is too low: at least {least} is needed")]
#[non_exhaustive]
pub struct VersionTooLow {
    /// The version given.
    pub given: Version,
    /// The least version that would do.
    pub least: Version,
}

impl VersionTooLow {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "VERSION_TOO_LOW"
    }
}

/// The version of a new registration: 1.0.0 for the first, else the latest one moved by the class of
/// the changes, unless one is given, which must be at least that.
///
/// # Errors
///
/// [`VersionTooLow`] for a given version.
pub fn next_version(
    latest: Option<&Version>,
    given: Option<&Version>,
    bump: Bump,
) -> Result<Version, VersionTooLow> {
    let Some(latest) = latest else {
        return Ok(given.cloned().unwrap_or_else(|| Version::new(1, 0, 0)));
    };
    let least = bump.max(Bump::Patch).after(latest);
    match given {
        None => Ok(least),
        Some(given) if given > latest && Bump::between(latest, given) >= bump => Ok(given.clone()),
        Some(given) => Err(VersionTooLow {
            given: given.clone(),
            least,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(latest: &str, given: &str, bump: Bump, expected: &str) {
        let parse = |text: &str| text.parse::<Version>().ok();
        let found = match next_version(parse(latest).as_ref(), parse(given).as_ref(), bump) {
            Ok(version) => version.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn versions_follow_the_class_of_the_changes() {
        check("", "", Bump::None, "1.0.0");
        check("", "0.3.0", Bump::None, "0.3.0");
        check("1.2.3", "", Bump::Patch, "1.2.4");
        check("1.2.3", "", Bump::Minor, "1.3.0");
        check("1.2.3", "", Bump::Major, "2.0.0");
        check("1.2.3", "1.9.0", Bump::Minor, "1.9.0");
        check(
            "1.2.3",
            "1.2.4",
            Bump::Minor,
            "version 1.2.4 is too low: at least 1.3.0 is needed",
        );
        check(
            "1.2.3",
            "1.2.3",
            Bump::None,
            "version 1.2.3 is too low: at least 1.2.4 is needed",
        );
        check("2.0.0-rc.1", "", Bump::Patch, "2.0.0");
        check(
            "10.0.0",
            "9.0.0",
            Bump::Patch,
            "version 9.0.0 is too low: at least 10.0.1 is needed",
        );
    }
}
