//! Which version a reference means.

use std::cmp::Ordering;

use augmented_core::model::{LifecycleStatus, StoredDefinition};
use semver::{Version, VersionReq};

/// The version a requirement means: an exact version that is PUBLISHED or DEPRECATED, else the highest PUBLISHED one
/// of a range. Pre-releases are chosen only where the requirement names one.
///
/// `Err` if the requirement is neither a version nor a range.
pub(crate) fn select<'a>(versions: &'a [StoredDefinition], requirement: Option<&str>) -> Result<Option<&'a StoredDefinition>, NoRequirement> {
    if let Some(exact) = requirement.and_then(|text| Version::parse(text).ok()) {
        let usable = |found: &&StoredDefinition| matches!(found.status, LifecycleStatus::Published | LifecycleStatus::Deprecated);
        return Ok(versions.iter().filter(usable).find(|found| Version::parse(&found.version).is_ok_and(|version| version == exact)));
    }
    let range = match requirement {
        None => VersionReq::STAR,
        Some(text) => VersionReq::parse(text).map_err(|_| NoRequirement)?,
    };
    let candidates = versions.iter().filter(|found| found.status == LifecycleStatus::Published);
    let matching = candidates.filter_map(|found| {
        let version = Version::parse(&found.version).ok()?;
        range.matches(&version).then_some((version, found))
    });
    Ok(matching.max_by(|(a, _), (b, _)| a.cmp_precedence(b).then(Ordering::Less)).map(|(_, found)| found))
}

/// Text that is neither a version nor a range of versions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoRequirement;

#[cfg(test)]
mod tests {
    use super::*;
    use augmented_core::model::DefinitionKind;
    use augmented_core::{TenantId, Timestamp};
    use serde_json::Value;
    use std::sync::Arc;
    use uuid::Uuid;

    fn check(versions: &[(&str, LifecycleStatus)], requirement: Option<&str>, expected: &str) {
        let stored: Vec<StoredDefinition> = versions
            .iter()
            .map(|(version, status)| {
                let document = Arc::new(Value::Null);
                StoredDefinition::new(
                    Uuid::nil(),
                    TenantId::DEFAULT,
                    DefinitionKind::Task,
                    "t".into(),
                    (*version).into(),
                    *status,
                    document,
                    [0; 32],
                    Timestamp::default(),
                )
            })
            .collect();
        let found = match select(&stored, requirement) {
            Ok(Some(found)) => found.version.to_string(),
            Ok(None) => "none".to_owned(),
            Err(NoRequirement) => "no requirement".to_owned(),
        };
        assert_eq!(found, expected, "{requirement:?}");
    }

    #[test]
    fn requirements_choose_versions() {
        use LifecycleStatus::{Archived, Deprecated, Draft, Published};
        let versions = [
            ("1.0.0", Deprecated),
            ("1.2.0", Published),
            ("1.10.0", Published),
            ("2.0.0-rc.1", Published),
            ("2.0.0", Draft),
            ("0.9.0", Archived),
        ];
        for (requirement, expected) in [
            (None, "1.10.0"),
            (Some("^1"), "1.10.0"),
            (Some("~1.2"), "1.2.0"),
            (Some("1.0.0"), "1.0.0"),
            (Some("2.0.0-rc.1"), "2.0.0-rc.1"),
            (Some(">=2.0.0-rc.0"), "2.0.0-rc.1"),
            (Some("2.0.0"), "none"),
            (Some("0.9.0"), "none"),
            (Some("^3"), "none"),
            (Some("latest"), "no requirement"),
        ] {
            check(&versions, requirement, expected);
        }
    }
}
