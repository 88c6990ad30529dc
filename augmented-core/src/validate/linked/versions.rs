//! A new version against the ones before it, for kinds whose content is a schema.

use std::cmp::Ordering;

use semver::Version;
use serde_json::{Map, Value};

use super::super::Finding;
use super::super::links::Links;
use crate::model::{DefinitionKind, LifecycleStatus};
use crate::schema::{Bump, Compatibility as Mode, CompatibilityChecker, CompiledSchema, rebase};

/// Checks the payload schema of an event: a patch changes words only, a minor version adds, a major one is free.
pub(super) fn check_event(
    document: &Map<String, Value>,
    links: &Links<'_>,
    findings: &mut Vec<Finding>,
) {
    let Some((earlier, new)) = family(DefinitionKind::Event, "payloadSchema", document, links)
    else {
        return;
    };
    let Some(latest) = earlier.last() else {
        return;
    };
    let report = CompatibilityChecker::new(Mode::Backward)
        .check(&[(&latest.text, &latest.schema)], &new.schema);
    if Bump::between(&latest.version, &new.version) >= report.required_bump {
        return;
    }
    for change in report
        .changes
        .iter()
        .filter(|c| Bump::between(&latest.version, &new.version) < c.bump)
    {
        findings.push(
            Finding::error(
                "SCHEMA_INCOMPATIBLE",
                format!("/payloadSchema{}", change.pointer),
                format!(
                    "{} against version {}, which {} does not announce",
                    change.description, latest.text, new.text
                ),
            )
            .with_argument("change", change.description.as_str())
            .with_hint(format!(
                "give the event version {}, or take the change back",
                change.bump.after(&latest.version)
            )),
        );
    }
}

/// Checks a schema against the mode of its latest published version.
pub(super) fn check_schema(
    document: &Map<String, Value>,
    links: &Links<'_>,
    findings: &mut Vec<Finding>,
) {
    let Some((earlier, new)) = family(DefinitionKind::Schema, "schema", document, links) else {
        return;
    };
    let Some(latest) = earlier.last() else {
        return;
    };
    let released: Vec<(&str, &CompiledSchema)> = earlier
        .iter()
        .map(|version| (version.text.as_str(), &version.schema))
        .collect();
    let report = CompatibilityChecker::new(latest.mode).check(&released, &new.schema);
    for mut finding in report.findings {
        rebase(&mut finding, "/schema");
        findings.push(finding);
    }
    if Bump::between(&latest.version, &new.version) < report.required_bump {
        let least = report.required_bump.after(&latest.version);
        findings.push(
            Finding::error(
                "VERSION_TOO_LOW",
                "/version",
                format!(
                    "{} is too low for what changed since {}",
                    new.text, latest.text
                ),
            )
            .with_argument("actual", new.text)
            .with_argument("required", least.to_string())
            .with_hint(format!("at least `{least}`")),
        );
    }
}

struct Compiled {
    text: String,
    version: Version,
    schema: CompiledSchema,
    mode: Mode,
}

/// The published versions below that of the document that count under the mode of the latest, in ascending order, and
/// the document, all compiled.
fn family(
    kind: DefinitionKind,
    member: &str,
    document: &Map<String, Value>,
    links: &Links<'_>,
) -> Option<(Vec<Compiled>, Compiled)> {
    let compile = |document: &Value, text: &str| {
        let schema =
            CompiledSchema::compile(document.get(member)?, &links.schema_options()).ok()?;
        let mode = document
            .get("compatibility")
            .cloned()
            .and_then(|m| serde_json::from_value(m).ok());
        Some(Compiled {
            text: text.to_owned(),
            version: Version::parse(text).ok()?,
            schema,
            mode: mode.unwrap_or_default(),
        })
    };
    let id = document.get(kind.id_member()?)?.as_str()?;
    let own = document.get("version")?.as_str()?;
    let version = Version::parse(own).ok()?;
    let mut earlier = links.versions(kind, id);
    earlier.retain(|c| {
        let released = matches!(
            c.status,
            LifecycleStatus::Published | LifecycleStatus::Deprecated
        );
        released && Version::parse(&c.version).is_ok_and(|v| v.cmp(&version) == Ordering::Less)
    });
    earlier.sort_by(|a, b| crate::model::compare_versions(&a.version, &b.version));
    let latest = earlier.last()?;
    if latest.document.get(member) == document.get(member) {
        return None;
    }
    let compiled = compile(&latest.document, &latest.version)?;
    let mut released = Vec::new();
    if compiled.mode.is_transitive() {
        let before = earlier.iter().rev().skip(1).rev();
        released.extend(before.filter_map(|c| compile(&c.document, &c.version)));
    }
    released.push(compiled);
    Some((released, compile(&Value::Object(document.clone()), own)?))
}
