//! What is known of a root before anything runs.

use std::borrow::Cow;
use std::sync::Arc;

/// The static knowledge about a root or a member of a record.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Shape {
    /// Data: any member may be read.
    Data,
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// A truth value.
    Bool,
    /// An instant, a CEL timestamp.
    Instant,
    /// A list of texts.
    Texts,
    /// A record of the engine with exactly these members.
    Record(&'static RecordShape),
    /// A record of a host or another area with exactly these members.
    Custom(Arc<CustomRecord>),
    /// The map from step id to step record.
    Steps,
}

/// The members of a record.
#[derive(Debug)]
pub struct RecordShape {
    /// What the record is called in messages.
    pub name: &'static str,
    /// Its members in code point order.
    pub members: &'static [(&'static str, Shape)],
}

/// A record described at run time, see [`Shape::record`].
#[derive(Debug)]
pub struct CustomRecord {
    name: Cow<'static, str>,
    members: Vec<(Cow<'static, str>, Shape)>,
}

/// The answer to "which member is this?".
pub(crate) enum MemberShape<'s> {
    /// The member exists, with this shape.
    Known(&'s Shape),
    /// Anything may be there.
    Open,
    /// The record has no such member; its name and its members are given.
    Unknown {
        record: &'s str,
        members: Vec<&'s str>,
    },
    /// The value has no members at all.
    Scalar(&'static str),
}

static STEP_SHAPE: Shape = Shape::Record(&STEP);

impl Shape {
    /// A closed record with these members.
    ///
    /// ```
    /// use augmented_core::expr::Shape;
    /// let user = Shape::record("user", [("id", Shape::Text), ("roles", Shape::Texts)]);
    /// ```
    #[must_use]
    pub fn record<N: Into<Cow<'static, str>>>(
        name: impl Into<Cow<'static, str>>,
        members: impl IntoIterator<Item = (N, Shape)>,
    ) -> Self {
        let mut members: Vec<(Cow<'static, str>, Self)> = members
            .into_iter()
            .map(|(name, shape)| (name.into(), shape))
            .collect();
        members.sort_by(|a, b| a.0.cmp(&b.0));
        Self::Custom(Arc::new(CustomRecord {
            name: name.into(),
            members,
        }))
    }

    /// The members a closed record has, in code point order; `None` where anything may be read.
    #[must_use]
    pub fn member_names(&self) -> Option<Vec<&str>> {
        match self {
            Self::Record(record) => Some(record.members.iter().map(|(name, _)| *name).collect()),
            Self::Custom(record) => Some(
                record
                    .members
                    .iter()
                    .map(|(name, _)| name.as_ref())
                    .collect(),
            ),
            _ => None,
        }
    }

    pub(crate) fn member(&self, name: &str) -> MemberShape<'_> {
        match self {
            Self::Data => MemberShape::Open,
            Self::Steps => MemberShape::Known(&STEP_SHAPE),
            Self::Record(record) => record
                .members
                .iter()
                .find(|(member, _)| *member == name)
                .map_or_else(
                    || MemberShape::Unknown {
                        record: record.name,
                        members: self.member_names().unwrap_or_default(),
                    },
                    |(_, shape)| MemberShape::Known(shape),
                ),
            Self::Custom(record) => record
                .members
                .iter()
                .find(|(member, _)| member == name)
                .map_or_else(
                    || MemberShape::Unknown {
                        record: &record.name,
                        members: self.member_names().unwrap_or_default(),
                    },
                    |(_, shape)| MemberShape::Known(shape),
                ),
            Self::Text => MemberShape::Scalar("a text"),
            Self::Number => MemberShape::Scalar("a number"),
            Self::Bool => MemberShape::Scalar("a truth value"),
            Self::Instant => MemberShape::Scalar("a timestamp"),
            Self::Texts => MemberShape::Scalar("a list"),
        }
    }
}

/// `workflow`.
pub static WORKFLOW: RecordShape = RecordShape {
    name: "workflow",
    members: &[
        ("cancellation", Shape::Record(&CANCELLATION)),
        ("correlationId", Shape::Text),
        ("initiatorId", Shape::Text),
        ("instanceId", Shape::Text),
        ("parentInstanceId", Shape::Text),
        ("startedAt", Shape::Instant),
        ("status", Shape::Text),
        ("tenantId", Shape::Text),
        ("triggerEventId", Shape::Text),
        ("triggerId", Shape::Text),
        ("version", Shape::Text),
        ("workflowId", Shape::Text),
    ],
};

/// `workflow.cancellation`.
pub static CANCELLATION: RecordShape = RecordShape {
    name: "workflow.cancellation",
    members: &[
        ("reason", Shape::Text),
        ("requestedBy", Shape::Text),
        ("source", Shape::Text),
    ],
};

/// `steps.<id>`.
pub static STEP: RecordShape = RecordShape {
    name: "steps.<id>",
    members: &[
        ("completedAt", Shape::Instant),
        ("completedBy", Shape::Text),
        ("error", Shape::Record(&STEP_ERROR)),
        ("input", Shape::Data),
        ("outcome", Shape::Text),
        ("output", Shape::Data),
        ("startedAt", Shape::Instant),
        ("status", Shape::Text),
        ("visit", Shape::Number),
    ],
};

/// `steps.<id>.error`.
pub static STEP_ERROR: RecordShape = RecordShape {
    name: "steps.<id>.error",
    members: &[
        ("attempt", Shape::Number),
        ("category", Shape::Text),
        ("code", Shape::Text),
        ("details", Shape::Data),
        ("message", Shape::Text),
        ("retryAfterMs", Shape::Number),
        ("retryable", Shape::Bool),
        ("stepId", Shape::Text),
        ("stepInput", Shape::Data),
    ],
};

/// `error`.
pub static ERROR: RecordShape = RecordShape {
    name: "error",
    members: STEP_ERROR.members,
};

/// `event`, the envelope.
pub static EVENT: RecordShape = RecordShape {
    name: "event",
    members: &[
        ("acceptedAt", Shape::Instant),
        ("id", Shape::Text),
        ("metadata", Shape::Data),
        ("pattern", Shape::Text),
        ("payload", Shape::Data),
        ("source", Shape::Record(&EVENT_SOURCE)),
        ("streamKey", Shape::Text),
        ("streamSeq", Shape::Number),
        ("timestamp", Shape::Instant),
        ("version", Shape::Text),
    ],
};

/// `event.source`.
pub static EVENT_SOURCE: RecordShape = RecordShape {
    name: "event.source",
    members: &[
        ("id", Shape::Text),
        ("name", Shape::Text),
        ("type", Shape::Text),
    ],
};

/// `signal`.
pub static SIGNAL: RecordShape = RecordShape {
    name: "signal",
    members: &[
        ("payload", Shape::Data),
        ("sentBy", Shape::Text),
        ("type", Shape::Text),
    ],
};

/// `schedule`.
pub static SCHEDULE: RecordShape = RecordShape {
    name: "schedule",
    members: &[
        ("fireTime", Shape::Instant),
        ("previousFireTime", Shape::Instant),
        ("scheduleId", Shape::Text),
    ],
};

/// `task` in the templates of a task definition.
pub static TASK: RecordShape = RecordShape {
    name: "task",
    members: &[
        ("attempt", Shape::Number),
        ("id", Shape::Text),
        ("idempotencyKey", Shape::Text),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_records_stand_in_code_point_order() {
        for record in [
            &WORKFLOW,
            &CANCELLATION,
            &STEP,
            &STEP_ERROR,
            &EVENT,
            &EVENT_SOURCE,
            &SIGNAL,
            &SCHEDULE,
            &TASK,
        ] {
            assert!(
                record.members.windows(2).all(|pair| pair[0].0 < pair[1].0),
                "{}",
                record.name
            );
        }
    }
}
