//! Step visits as expressions read them.

use super::state::Visit;
use super::status::StepStatus;
use crate::expr::{Bound, Record};

/// The members of `steps.<id>`, in code point order.
const MEMBERS: [&str; 8] = [
    "completedAt",
    "error",
    "input",
    "outcome",
    "output",
    "startedAt",
    "status",
    "visit",
];

impl Record for Visit {
    fn member(&self, name: &str) -> Option<Bound<'_>> {
        Some(match name {
            "output" => Bound::from(self.output.as_deref()),
            "status" => Bound::Str(self.status.as_str()),
            "outcome" => match (&self.outcome, self.status) {
                (Some(outcome), _) => Bound::Str(outcome),
                (None, StepStatus::Completed) => Bound::Str("SUCCESS"),
                (None, _) => Bound::Null,
            },
            "input" => Bound::from(self.input.as_deref()),
            "error" => match self.error.as_deref().map(serde_json::to_value) {
                Some(Ok(error)) => Bound::Owned(error),
                Some(Err(_)) | None => Bound::Null,
            },
            "visit" => Bound::Int(i64::from(self.number)),
            "startedAt" => Bound::Timestamp(self.started_at),
            "completedAt" => Bound::from(self.completed_at),
            _ => return None,
        })
    }

    fn names(&self) -> Vec<&str> {
        MEMBERS.to_vec()
    }
}
