//! Settings of human work.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shape;
use serde_json::{Map, Value};

use crate::time::IsoDuration;

/// Settings of human work. A HUMAN_TASK step may state some of them; they replace those of the task definition member by member.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Manual {
    /// Title in the inbox, a template over `input` and `workflow`. Default: the name of the task or step.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Approve order ${input.orderId}"]))]
    pub title: Option<String>,
    /// A reference of your business for the inbox, for example an order number; a template over `input` and `workflow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["${input.orderId}"]))]
    pub reference: Option<String>,
    /// What to do; a template over `input` and `workflow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Check amount and address."]))]
    pub instructions: Option<String>,
    /// What sort of work it is: an inbox filter, and which screen is shown by default. Default: GENERIC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "GENERIC"), extend("examples" = ["APPROVAL"]))]
    pub interaction: Option<Interaction>,
    /// Who works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"mode": "OFFER", "candidates": {"roles": ["approver"]}}]))]
    pub assignment: Option<Assignment>,
    /// When it should be done. Default: PT24H after its creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"duration": "P2D"}]))]
    pub due: Option<Due>,
    /// When people are reminded, as fractions of the time from creation to due, ascending. Default: 0.5, 0.75 and 0.9.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = [0.5, 0.75, 0.9]), extend("examples" = [[0.5, 0.9]]), transform = shape::fractions)]
    pub reminders: Option<Vec<f64>>,
    /// What happens when it is late. Default: a notification when it is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"levels": [{"after": "P1D", "action": "NOTIFY_MANAGER"}]}]))]
    pub escalation: Option<Escalation>,
    /// The possible results, shown as buttons.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"id": "approved", "label": "Approve"}, {"id": "rejected", "label": "Reject", "requiresComment": true}]]))]
    pub outcomes: Option<Vec<ManualOutcome>>,
    /// The member of the output that holds the chosen outcome. Default: `decision`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("default" = "decision"), extend("examples" = ["decision"]))]
    pub outcome_field: Option<String>,
    /// Channels of the notifications. Default: IN_APP.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"assignment": ["EMAIL", "IN_APP"]}]))]
    pub notifications: Option<Notifications>,
    /// What the person who works on it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"delegate": false}]))]
    pub allow: Option<AllowedActions>,
    /// How often it may be delegated on. Default: 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100), extend("default" = 3), extend("examples" = [1]))]
    pub max_delegation_depth: Option<u32>,
    /// Whether a successor sees the predecessor's draft. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true), extend("examples" = [false]))]
    pub share_drafts: Option<bool>,
}

/// What sort of human work it is.
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
pub enum Interaction {
    /// No special sort.
    #[default]
    Generic,
    /// Say yes or no.
    Approval,
    /// Fill in data.
    DataEntry,
    /// Choose among outcomes.
    Decision,
    /// Find something out.
    Investigation,
    /// Check something.
    Review,
    /// Answer a question about another task.
    InfoRequest,
    /// Decide about a failed task.
    Exception,
}

/// Who works on a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Assignment {
    /// DIRECT gives it to one user, OFFER shows it to all candidates, AUTO picks one of them. Default: OFFER.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "OFFER"), extend("examples" = ["AUTO"]))]
    pub mode: Option<AssignmentMode>,
    /// Who may work on it: the union of users, roles, teams and departments, less those who lack one of the skills or attributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"roles": ["approver"], "skills": ["german"]}]))]
    pub candidates: Option<Candidates>,
    /// Users who may not, for example whoever did the work before (four-eyes rule); templates over `input` and `workflow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(length(min = 1)), extend("default" = []), extend("examples" = [["${workflow.initiatorId}"]]))]
    pub exclude_users: Option<Vec<String>>,
    /// How AUTO picks. Default: LOAD_BALANCED.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "LOAD_BALANCED"), extend("examples" = ["ROUND_ROBIN"]))]
    pub strategy: Option<AssignmentStrategy>,
    /// AUTO passes over users who have this many open tasks. Default: 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000000), extend("default" = 10), extend("examples" = [5]))]
    pub max_open_per_user: Option<u32>,
    /// What happens when nobody qualifies: WAIT, FALLBACK to the fallback role, or FAIL. Default: FALLBACK.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "FALLBACK"), extend("examples" = ["FAIL"]))]
    pub on_no_candidates: Option<OnNoCandidates>,
}

/// How a task reaches its people.
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
pub enum AssignmentMode {
    /// All candidates see it, one claims it.
    #[default]
    Offer,
    /// One user gets it.
    Direct,
    /// One of the candidates is picked.
    Auto,
}

/// How AUTO picks among candidates.
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
pub enum AssignmentStrategy {
    /// The one with the fewest open tasks.
    #[default]
    LoadBalanced,
    /// The one whose skills fit best.
    SkillBased,
    /// One after the other.
    RoundRobin,
}

/// What happens when nobody qualifies.
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
pub enum OnNoCandidates {
    /// The fallback role gets it.
    #[default]
    Fallback,
    /// It waits until somebody qualifies.
    Wait,
    /// It fails.
    Fail,
}

/// Who may work on a task; every entry is literal or a template over `input` and `workflow`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Candidates {
    /// User ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(length(min = 1)), extend("examples" = [["anna", "${input.ownerId}"]]))]
    pub users: Option<Vec<String>>,
    /// Role ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(length(min = 1)), extend("examples" = [["approver"]]))]
    pub roles: Option<Vec<String>>,
    /// Team ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(length(min = 1)), extend("examples" = [["claims"]]))]
    pub teams: Option<Vec<String>>,
    /// Departments.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(length(min = 1)), extend("examples" = [["finance"]]))]
    pub departments: Option<Vec<String>>,
    /// Skills; all of them are needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(length(min = 1)), extend("examples" = [["german"]]))]
    pub skills: Option<Vec<String>>,
    /// Attributes of the user and their values; all of them must fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"region": "${input.region}"}]))]
    pub attributes: Option<Map<String, Value>>,
}

/// When a task should be done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Due {
    /// How long after its creation. Default: PT24H.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "PT24H"), extend("examples" = ["P2D"]))]
    pub duration: Option<IsoDuration>,
    /// Expression over `input`, `workflow` and `now` that gives the instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["timestamp(input.dueAt)"]))]
    pub expression: Option<String>,
    /// How long after its creation, for each priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"HIGH": "PT8H", "CRITICAL": "PT1H"}]), transform = shape::by_priority)]
    pub by_priority: Option<BTreeMap<Priority, IsoDuration>>,
    /// Whether only working time counts. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false), extend("examples" = [true]))]
    pub use_business_hours: Option<bool>,
    /// Business calendar of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["german-holidays"]), transform = shape::business_id)]
    pub calendar_id: Option<String>,
}

/// How urgent a task is.
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
pub enum Priority {
    /// Can wait.
    Low,
    /// As usual.
    #[default]
    Medium,
    /// Before others.
    High,
    /// At once.
    Critical,
}

impl Priority {
    /// Every priority, the lowest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happens when a task is late.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Escalation {
    /// The levels, each done once when its time has come. Default: NOTIFY when it is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"atFraction": 1, "action": "NOTIFY"}, {"after": "P1D", "action": "REASSIGN", "targets": ["supervisor"]}]]))]
    pub levels: Option<Vec<EscalationLevel>>,
}

/// One measure against lateness. Exactly one of `atFraction` and `after` says when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::escalation_level)]
pub struct EscalationLevel {
    /// When, as a fraction of the time from creation to due; 1 is when it is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000), extend("examples" = [1, 1.5]))]
    pub at_fraction: Option<f64>,
    /// When, as a duration after it was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["P1D"]))]
    pub after: Option<IsoDuration>,
    /// What is done.
    #[schemars(extend("examples" = ["NOTIFY_MANAGER"]))]
    pub action: EscalationAction,
    /// Who is told or gets the task: user, role or team ids, or templates over `input` and `workflow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(length(min = 1)), extend("examples" = [["supervisor", "${workflow.initiatorId}"]]))]
    pub targets: Option<Vec<String>>,
    /// The output with which AUTO_COMPLETE completes the task; literal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"decision": "rejected"}]))]
    pub output: Option<Map<String, Value>>,
}

/// What is done about a late task.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EscalationAction {
    /// People are told.
    Notify,
    /// The assignee's manager is told.
    NotifyManager,
    /// Others get the task.
    Reassign,
    /// Its priority rises by one.
    RaisePriority,
    /// It is completed with a fixed output.
    AutoComplete,
    /// It fails.
    Fail,
}

/// One possible result of human work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ManualOutcome {
    /// Outcome code, for the `next` rules of the step and for the output.
    #[schemars(length(min = 1, max = 255), extend("examples" = ["approved"]))]
    pub id: String,
    /// Text of the button. Default: the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("examples" = ["Approve"]))]
    pub label: Option<String>,
    /// Whether a comment must be given. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false), extend("examples" = [true]))]
    pub requires_comment: Option<bool>,
}

/// Channels of the notifications, for each occasion. Default: IN_APP.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Notifications {
    /// When it is assigned or offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = ["IN_APP"]), extend("examples" = [["EMAIL", "IN_APP"]]))]
    pub assignment: Option<Vec<Channel>>,
    /// When a reminder is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = ["IN_APP"]), extend("examples" = [["EMAIL", "IN_APP"]]))]
    pub reminder: Option<Vec<Channel>>,
    /// When it is escalated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = ["IN_APP"]), extend("examples" = [["EMAIL", "IN_APP"]]))]
    pub escalation: Option<Vec<Channel>>,
    /// When it is completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = ["IN_APP"]), extend("examples" = [["EMAIL", "IN_APP"]]))]
    pub completion: Option<Vec<Channel>>,
    /// When somebody else gets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = ["IN_APP"]), extend("examples" = [["EMAIL", "IN_APP"]]))]
    pub reassignment: Option<Vec<Channel>>,
}

/// A way to tell people.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Channel {
    /// E-mail.
    Email,
    /// Inside the application.
    InApp,
    /// Push message.
    Push,
    /// Calendar entry.
    Calendar,
    /// Chat message.
    Chat,
    /// Text message.
    Sms,
    /// HTTP call.
    Webhook,
}

/// What the person who works on a task may do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct AllowedActions {
    /// Take an offered task. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true), extend("examples" = [false]))]
    pub claim: Option<bool>,
    /// Give it back. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true), extend("examples" = [false]))]
    pub release: Option<bool>,
    /// Hand it to somebody else for the work. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true), extend("examples" = [false]))]
    pub delegate: Option<bool>,
    /// Hand it to somebody else for good. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true), extend("examples" = [false]))]
    pub reassign: Option<bool>,
    /// Ask somebody a question about it. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true), extend("examples" = [false]))]
    pub request_info: Option<bool>,
    /// Save unfinished work. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true), extend("examples" = [false]))]
    pub save_draft: Option<bool>,
    /// Complete many at once. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false), extend("examples" = [true]))]
    pub bulk_complete: Option<bool>,
}

impl Manual {
    /// The member of the output that holds the chosen outcome.
    #[must_use]
    pub fn outcome_field(&self) -> &str {
        self.outcome_field.as_deref().unwrap_or("decision")
    }

    /// The possible results.
    #[must_use]
    pub fn outcomes(&self) -> &[ManualOutcome] {
        self.outcomes.as_deref().unwrap_or_default()
    }

    /// These settings with those that `over` states replacing them: objects member by member, lists as a whole.
    #[must_use]
    pub fn merged_with(&self, over: &Self) -> Self {
        // Both are closed trees of optional members, so merging their JSON cannot make an illegal one.
        let merge = || -> serde_json::Result<Self> {
            let mut merged = serde_json::to_value(self)?;
            merge_objects(&mut merged, serde_json::to_value(over)?);
            serde_json::from_value(merged)
        };
        merge().unwrap_or_else(|_| over.clone())
    }
}

/// Lays `over` onto `base`, objects member by member.
fn merge_objects(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, value) in over {
                merge_objects(base.entry(name).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_step_replaces_members_and_whole_lists() {
        let read = |value: Value| serde_json::from_value::<Manual>(value).unwrap();
        let definition = read(json!({
            "title": "Approve",
            "assignment": {"mode": "OFFER", "candidates": {"roles": ["approver"], "teams": ["a", "b"]}},
            "reminders": [0.5, 0.9],
            "allow": {"claim": true, "delegate": true},
        }));
        let step = read(json!({
            "assignment": {"candidates": {"teams": ["c"]}, "maxOpenPerUser": 2},
            "reminders": [0.25],
            "allow": {"delegate": false},
        }));
        let expected = json!({
            "title": "Approve",
            "assignment": {"mode": "OFFER", "candidates": {"roles": ["approver"], "teams": ["c"]}, "maxOpenPerUser": 2},
            "reminders": [0.25],
            "allow": {"claim": true, "delegate": false},
        });
        assert_eq!(definition.merged_with(&step), read(expected));
        assert_eq!(definition.merged_with(&Manual::default()), definition);
        assert_eq!(Manual::default().merged_with(&definition), definition);
    }
}
