//! Whether a new version of a schema may take the place of older ones.
//!
//! Let V(S) be the values S accepts. BACKWARD demands V(old) ⊆ V(new), FORWARD V(new) ⊆ V(old),
//! FULL both. The checker compares keyword by keyword and never calls a pair compatible without
//! proof, but for the open-model leniency that [`CompatibilityChecker::with_strict_open_models`]
//! switches off.

mod compare;
mod keywords;
mod same;
mod structure;
mod version;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::version::{Bump, VersionTooLow, next_version};
use super::CompiledSchema;
use crate::json::pointer;
use crate::validate::{Finding, Related};

/// What a new version of a schema may change.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(
    clippy::exhaustive_enums,
    reason = "the modes are part of the document format"
)]
pub enum Compatibility {
    /// It accepts all data the latest one accepted.
    #[default]
    Backward,
    /// The latest one accepts all data it accepts.
    Forward,
    /// Both.
    Full,
    /// Anything.
    None,
    /// It accepts all data any earlier one accepted.
    BackwardTransitive,
    /// Every earlier one accepts all data it accepts.
    ForwardTransitive,
    /// Both of these.
    FullTransitive,
}

impl Compatibility {
    const fn backward(self) -> bool {
        matches!(
            self,
            Self::Backward | Self::BackwardTransitive | Self::Full | Self::FullTransitive
        )
    }

    const fn forward(self) -> bool {
        matches!(
            self,
            Self::Forward | Self::ForwardTransitive | Self::Full | Self::FullTransitive
        )
    }

    /// Whether it concerns all published versions.
    #[must_use]
    pub const fn is_transitive(self) -> bool {
        matches!(
            self,
            Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive
        )
    }
}

/// The answer of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth answer")]
pub enum CompatResult {
    /// Proven compatible.
    Compatible,
    /// Neither proven; counts as incompatible unless somebody accepts it.
    Unknown,
    /// A change breaks the mode.
    Incompatible,
}

/// What a change does to one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth answer")]
pub enum Effect {
    /// It keeps the direction.
    Ok,
    /// It breaks the direction.
    Breaks,
    /// It cannot be told.
    Unknown,
}

/// The kinds of changes between two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum ChangeType {
    /// A member is described that was not.
    AddedField,
    /// A member is no longer described.
    RemovedField,
    /// A member became required.
    AddedRequired,
    /// A member is no longer required.
    RemovedRequired,
    /// Fewer types.
    NarrowedType,
    /// More types.
    WidenedType,
    /// A listed value is gone.
    RemovedEnumValue,
    /// A listed value was added.
    AddedEnumValue,
    /// A limit became stricter.
    TightenedConstraint,
    /// A limit became looser.
    RelaxedConstraint,
    /// Unknown members are no longer allowed.
    ClosedModel,
    /// Unknown members are now allowed.
    OpenedModel,
    /// Another pattern or format.
    ChangedPattern,
    /// Another combination of schemas.
    ChangedComposition,
    /// Words only.
    AnnotationChanged,
}

impl ChangeType {
    /// The class of version it asks for.
    #[must_use]
    pub const fn bump(self) -> Bump {
        match self {
            Self::AddedRequired
            | Self::NarrowedType
            | Self::RemovedEnumValue
            | Self::TightenedConstraint
            | Self::ClosedModel
            | Self::ChangedPattern
            | Self::ChangedComposition => Bump::Major,
            Self::AddedField
            | Self::RemovedField
            | Self::RemovedRequired
            | Self::WidenedType
            | Self::AddedEnumValue
            | Self::RelaxedConstraint
            | Self::OpenedModel => Bump::Minor,
            Self::AnnotationChanged => Bump::Patch,
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::AddedRequired => "make it optional or give a default",
            Self::RemovedField => "keep the member and mark it `deprecated`",
            Self::RemovedRequired => "keep it required",
            Self::NarrowedType | Self::RemovedEnumValue | Self::TightenedConstraint => {
                "keep what was accepted before"
            }
            Self::WidenedType | Self::AddedEnumValue | Self::RelaxedConstraint => {
                "accept no more than before"
            }
            Self::ClosedModel => "leave the object open",
            Self::OpenedModel | Self::AddedField => "let the older version accept it first",
            Self::ChangedPattern | Self::ChangedComposition => {
                "accept it explicitly if you know that it is harmless"
            }
            Self::AnnotationChanged => "",
        }
    }
}

/// One change between two versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// Its kind.
    #[serde(rename = "type")]
    pub change_type: ChangeType,
    /// Where in the schema; of something removed, where it was in the older one.
    pub pointer: String,
    /// What changed.
    pub description: String,
    /// What it does to BACKWARD.
    pub backward: Effect,
    /// What it does to FORWARD.
    pub forward: Effect,
    /// The class of version it asks for.
    pub bump: Bump,
    /// Whether an open object gave a member a meaning that older documents may contradict.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open_model: bool,
}

/// The answer about a new version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CompatReport {
    /// The answer.
    pub result: CompatResult,
    /// What was demanded.
    pub mode: Compatibility,
    /// The versions that were compared, the latest last.
    pub compared_with: Vec<String>,
    /// The class of version that the changes against the latest version ask for.
    pub required_bump: Bump,
    /// The changes against the latest version.
    pub changes: Vec<Change>,
    /// `INCOMPATIBLE_SCHEMA` for each change that breaks the mode, warnings `OPEN_MODEL_FIELD_TYPED`.
    pub findings: Vec<Finding>,
}

/// Compares versions of a schema.
///
/// ```
/// use augmented_core::schema::{Bump, CompatResult, Compatibility, CompatibilityChecker, CompiledSchema, SchemaOptions};
/// use serde_json::json;
/// let compile = |schema| CompiledSchema::compile(&schema, &SchemaOptions::new()).unwrap();
/// let old = compile(json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "phone": {"type": "string"}}}));
/// let new = compile(json!({"type": "object", "required": ["id", "phone"], "properties": {"id": {"type": "string"}, "phone": {"type": "string"}}}));
/// let report = CompatibilityChecker::new(Compatibility::Backward).check(&[("1.1.0", &old)], &new);
/// assert_eq!((report.result, report.required_bump), (CompatResult::Incompatible, Bump::Major));
/// assert_eq!(report.changes[0].pointer, "/required");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CompatibilityChecker {
    mode: Compatibility,
    strict_open_models: bool,
}

impl CompatibilityChecker {
    /// A checker for a mode.
    #[must_use]
    pub const fn new(mode: Compatibility) -> Self {
        Self {
            mode,
            strict_open_models: false,
        }
    }

    /// Takes a member that an open object newly describes for a break, instead of a warning.
    #[must_use]
    pub const fn with_strict_open_models(mut self, on: bool) -> Self {
        self.strict_open_models = on;
        self
    }

    /// Compares a new version with the published ones, oldest first, each with its version text.
    #[must_use]
    pub fn check(
        &self,
        published: &[(&str, &CompiledSchema)],
        new: &CompiledSchema,
    ) -> CompatReport {
        let compared = match published {
            [.., latest] if !self.mode.is_transitive() => std::slice::from_ref(latest),
            all => all,
        };
        let mut report = CompatReport {
            result: CompatResult::Compatible,
            mode: self.mode,
            compared_with: compared
                .iter()
                .map(|(version, _)| (*version).to_owned())
                .collect(),
            required_bump: Bump::None,
            changes: Vec::new(),
            findings: Vec::new(),
        };
        for (version, old) in compared {
            let changes = compare::changes(old, new, self.strict_open_models);
            for change in &changes {
                self.judge(change, version, &mut report);
            }
            report.required_bump = changes
                .iter()
                .map(|change| change.bump)
                .max()
                .unwrap_or(Bump::None);
            report.changes = changes;
        }
        report
    }

    /// Adds what a change means for the mode.
    fn judge(&self, change: &Change, version: &str, report: &mut CompatReport) {
        let directions = [
            (self.mode.backward(), change.backward, "backward"),
            (self.mode.forward(), change.forward, "forward"),
        ];
        let mut broken: Vec<&str> = Vec::new();
        for (demanded, effect, direction) in directions {
            let result = match effect {
                Effect::Ok => continue,
                _ if !demanded => continue,
                Effect::Breaks => CompatResult::Incompatible,
                Effect::Unknown => CompatResult::Unknown,
            };
            report.result = report.result.max(result);
            broken.push(direction);
        }
        if !broken.is_empty() {
            let known = matches!(
                (change.backward, change.forward),
                (Effect::Breaks, _) | (_, Effect::Breaks)
            );
            let verb = if known { "breaks" } else { "may break" };
            let message = format!(
                "{} {verb} {} compatibility with version {version}: {}",
                name(change.change_type),
                broken.join(" and "),
                change.description
            );
            report.findings.push(
                Finding::error("INCOMPATIBLE_SCHEMA", change.pointer.clone(), message)
                    .with_argument("change", name(change.change_type))
                    .with_argument("mode", name(self.mode))
                    .with_hint(change.change_type.hint())
                    .with_related(Related::new(
                        change.pointer.clone(),
                        name(change.change_type),
                    )),
            );
        } else if change.open_model && self.mode != Compatibility::None {
            let member = pointer::split_last(&change.pointer)
                .map(|(_, last)| last.into_owned())
                .unwrap_or_default();
            let message = format!(
                "{}, while version {version} allowed any value of that name",
                change.description
            );
            report.findings.push(
                Finding::warning("OPEN_MODEL_FIELD_TYPED", change.pointer.clone(), message)
                    .with_argument("member", member)
                    .with_hint("close objects with `additionalProperties: false` to rule such documents out"),
            );
        }
    }
}

/// The wire name of a kind of change, or of a mode.
fn name(member: impl Serialize) -> String {
    serde_json::to_value(member)
        .ok()
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default()
}
