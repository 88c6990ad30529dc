//! The definition kind `schedule`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::shape;
use super::tag::{ScheduleTag, SchemaLink, present};
use crate::time::IsoDuration;

/// Starts a workflow or a task once or again and again, at certain times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::schedule)]
pub struct ScheduleDefinition {
    /// Address of a JSON Schema for your editor. Accepted anywhere, never stored.
    #[serde(rename = "$schema", default, skip_serializing)]
    #[schemars(extend("examples" = ["aug://schema/core.schedule/1.0.0"]), transform = shape::link)]
    pub schema_link: SchemaLink,
    /// Says that this document defines a schedule.
    #[schemars(extend("examples" = ["schedule"]))]
    pub kind: ScheduleTag,
    /// Business id of the schedule. It stays the same over all versions; exactly one version is live, the published one.
    #[schemars(extend("examples" = ["nightly-report"]), transform = shape::business_id)]
    pub schedule_id: String,
    /// Semantic version of this definition. Published content never changes, so every change needs a new version.
    #[schemars(extend("examples" = ["1.0.0", "2.3.1"]), transform = shape::version)]
    pub version: String,
    /// Name shown to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Nightly report"]), transform = shape::label)]
    pub name: Option<String>,
    /// What the schedule is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Checks the order and ships it."]))]
    pub description: Option<String>,
    /// ONE_TIME fires once, RECURRING again and again.
    #[serde(rename = "type")]
    #[schemars(extend("examples" = ["RECURRING"]))]
    pub schedule_type: ScheduleType,
    /// What is started.
    #[schemars(extend("examples" = [{"type": "WORKFLOW", "id": "build-report"}]))]
    pub target: ScheduleTarget,
    /// When: `executeAt` for ONE_TIME, `cronExpression` and the rest for RECURRING.
    #[schemars(extend("examples" = [{"cronExpression": "0 2 * * *", "timezone": "Europe/Berlin"}, {"executeAt": "2026-01-31T08:00:00Z"}]))]
    pub timing: Timing,
    /// Mapping that builds the input; it reads `schedule` with `scheduleId`, `fireTime` and `previousFireTime`. Default: an empty object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"day": "${schedule.fireTime}"}]))]
    pub input: Option<Value>,
    /// What happens when the run before has not ended: SKIP this one, ALLOW both, BUFFER_ONE for later, CANCEL_PREVIOUS. Default: SKIP.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "SKIP"), extend("examples" = ["BUFFER_ONE"]))]
    pub overlap_policy: Option<OverlapPolicy>,
    /// What happens with times that passed while nothing was running: RUN_ONCE for all of them, SKIP them, RUN_ALL. Default: RUN_ONCE.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "RUN_ONCE"), extend("examples" = ["RUN_ALL"]))]
    pub misfire_policy: Option<MisfirePolicy>,
    /// How far back missed times count. Default: PT1H.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "PT1H"), extend("examples" = ["PT6H"]))]
    pub catchup_window: Option<IsoDuration>,
    /// How many missed times are made up for at most. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10000), extend("default" = 100), extend("examples" = [10]))]
    pub max_catchup: Option<u32>,
    /// Free data of your own. The engine does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"owner": "sales", "reviewedAt": "2026-01-31"}]))]
    pub metadata: Option<Map<String, Value>>,
}

/// How often a schedule fires.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ScheduleType {
    /// Once.
    OneTime,
    /// Again and again.
    Recurring,
}

/// What a schedule starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ScheduleTarget {
    /// WORKFLOW or TASK.
    #[serde(rename = "type")]
    #[schemars(extend("examples" = ["WORKFLOW"]))]
    pub target_type: TargetType,
    /// Business id of the workflow or task.
    #[schemars(extend("examples" = ["build-report"]), transform = shape::business_id)]
    pub id: String,
    /// Its version, exact or a SemVer range. Default: the highest published one at that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["1.2.0", "^1.2"]), transform = shape::version_range)]
    pub version: Option<String>,
}

/// What sort of thing a schedule starts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TargetType {
    /// A workflow.
    Workflow,
    /// A task.
    Task,
}

/// When a schedule fires.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Timing {
    /// The instant of a ONE_TIME schedule, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["2026-01-31T08:00:00Z"]), transform = shape::instant)]
    pub execute_at: Option<String>,
    /// Cron expression of a RECURRING schedule: minute, hour, day of month, month, day of week, with optional seconds in front.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("examples" = ["0 2 * * *", "*/30 * * * * *"]))]
    pub cron_expression: Option<String>,
    /// IANA time zone of the cron expression. Default: that of the host, UTC if it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), extend("examples" = ["Europe/Berlin"]))]
    pub timezone: Option<String>,
    /// It does not fire before: an RFC 3339 instant, or a date in the time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["2026-02-01", "2026-02-01T00:00:00Z"]), transform = shape::instant_or_date)]
    pub start_date: Option<String>,
    /// It does not fire after: an RFC 3339 instant, or a date in the time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["2026-12-31", "2026-12-31T23:59:59Z"]), transform = shape::instant_or_date)]
    pub end_date: Option<String>,
    /// Business calendar of the host; a time that is no working time moves to the next that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["german-holidays"]), transform = shape::business_id)]
    pub calendar_id: Option<String>,
}

/// What happens when the run before has not ended.
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
pub enum OverlapPolicy {
    /// This one is left out.
    #[default]
    Skip,
    /// Both run.
    Allow,
    /// One waits until the run before has ended.
    BufferOne,
    /// The run before is cancelled.
    CancelPrevious,
}

/// What happens with times that passed while nothing was running.
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
pub enum MisfirePolicy {
    /// One run stands for all of them.
    #[default]
    RunOnce,
    /// They are left out.
    Skip,
    /// Each is made up for.
    RunAll,
}

impl ScheduleDefinition {
    /// What happens when the run before has not ended.
    #[must_use]
    pub fn overlap_policy(&self) -> OverlapPolicy {
        self.overlap_policy.unwrap_or_default()
    }

    /// What happens with times that passed while nothing was running.
    #[must_use]
    pub fn misfire_policy(&self) -> MisfirePolicy {
        self.misfire_policy.unwrap_or_default()
    }

    /// How far back missed times count, in microseconds.
    #[must_use]
    pub fn catchup_micros(&self) -> i64 {
        self.catchup_window
            .as_ref()
            .map_or(3_600_000_000, IsoDuration::as_micros)
    }

    /// How many missed times are made up for at most.
    #[must_use]
    pub fn max_catchup(&self) -> u32 {
        self.max_catchup.unwrap_or(100)
    }
}
