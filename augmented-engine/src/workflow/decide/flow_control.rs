//! Waiting for signals and instants.

use std::sync::Arc;

use augmented_core::error::{ErrorCategory, ErrorInfo};
use augmented_core::runtime::{Activity, SignalMessage, TimerKind, TokenId};
use augmented_core::time::Timestamp;
use chrono::{LocalResult, NaiveDate, NaiveDateTime, TimeZone};
use serde_json::json;

use super::super::graph::{Body, WaitTimeout};
use super::{Fault, Machine, Step};

impl Machine<'_> {
    /// A step begins to wait for a signal; one kept from before is taken at once.
    pub(super) fn begin_wait(
        &mut self,
        id: TokenId,
        signal_type: &Arc<str>,
        timeout: Option<&WaitTimeout>,
    ) -> Step {
        let kept = self
            .state
            .signals
            .iter()
            .position(|kept| kept.0.signal_type == *signal_type);
        if let Some(signal) = kept.and_then(|position| self.state.signals.remove(position)) {
            self.token_mut(id)?.activity = Activity::Signal { until: None };
            return self.take_signal(id, &signal.0);
        }
        let until = match timeout
            .map(|timeout| self.instant(id, &timeout.due))
            .transpose()?
        {
            Some(Err(error)) => return self.fail_step(id, error, 0),
            Some(Ok(until)) => Some(until),
            None => None,
        };
        self.token_mut(id)?.activity = Activity::Signal { until };
        self.mark_waiting(id)?;
        if let Some(until) = until {
            let activation = self.token(id)?.activation;
            self.set_timer(TimerKind::Wait, activation, until, Some(id));
        }
        Ok(())
    }

    pub(super) fn take_signal(&mut self, id: TokenId, signal: &SignalMessage) -> Step {
        let activation = self.token(id)?.activation;
        if let Activity::Signal { until: Some(_) } = self.token(id)?.activity {
            self.clear_timer(TimerKind::Wait, activation);
        }
        self.token_mut(id)?.activity = Activity::Frozen;
        let output = json!({"type": &*signal.signal_type, "payload": *signal.payload, "sentBy": signal.sent_by});
        self.complete(id, Some(Arc::new(output)), Some(Arc::from("RECEIVED")), 0)
    }

    /// A timer of a step is due; the control point is known to be in that activation.
    pub(super) fn on_step_timer(&mut self, id: TokenId, kind: TimerKind) -> Step {
        let token = self.token(id)?;
        let step = self.step(token.step)?;
        match (kind, &token.activity, &step.body) {
            (TimerKind::Delay, Activity::Delay { .. }, _) => {
                self.token_mut(id)?.activity = Activity::Frozen;
                let input = self.visit_mut(id, step)?.input.clone();
                self.complete(id, input, Some(Arc::from("ELAPSED")), 0)
            }
            (
                TimerKind::Wait,
                Activity::Signal { .. },
                Body::Signal {
                    signal_type,
                    timeout,
                },
            ) => {
                let message = format!("no signal `{signal_type}` arrived in time");
                let error = ErrorInfo::new("EVENT_WAIT_TIMEOUT", ErrorCategory::Timeout, message)
                    .with_retryable(false);
                match timeout.as_ref().and_then(|timeout| timeout.handler) {
                    Some(handler) => self.expire(id, handler, error),
                    None => self.fail_step(id, error, 0),
                }
            }
            (TimerKind::PollRound, Activity::PollPause { .. }, Body::Poll(body)) => {
                self.next_round(id, body)
            }
            (
                TimerKind::PollTimeout,
                Activity::Task { .. } | Activity::PollPause { .. },
                Body::Poll(_),
            ) => self.poll_over_time(id),
            (TimerKind::ChildRetry, Activity::ChildPause { .. }, Body::SubWorkflow(body)) => {
                self.next_child(id, body)
            }
            (TimerKind::ChildTimeout, Activity::Child { .. }, Body::SubWorkflow(body)) => {
                self.child_over_time(id, body)
            }
            // The step moved on within the same activation, for example from a POLL pause to its next round.
            _ => {
                self.stale(Some(id));
                Ok(())
            }
        }
    }

    /// A wait ran out and its own handler takes over.
    fn expire(&mut self, id: TokenId, handler: u16, error: ErrorInfo) -> Step {
        let step = self.step(self.token(id)?.step)?;
        let input = self.visit_mut(id, step)?.input.clone();
        let root = super::failure::error_root(&error, step, input.as_deref(), 0);
        self.close_failed(id, &error, 0)?;
        self.hand_over(id, handler, root, None)
    }

    /// The state of a visit that is still open.
    pub(super) fn require_open(&self, id: TokenId) -> Step {
        match self.token(id)?.activity {
            Activity::Frozen => Err(Fault("a step is not open")),
            _ => Ok(()),
        }
    }
}

/// Reads an instant: RFC 3339, or a local date or date-time in `zone`. A local time that a clock change skips
/// means the instant after the gap, one that it repeats means the first.
pub(super) fn parse_instant(text: &str, zone: chrono_tz::Tz) -> Option<Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let local = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d %H:%M",
    ]
    .iter()
    .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    .or_else(|| {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    })?;
    let mut probe = local;
    for _ in 0..=24 {
        match zone.from_local_datetime(&probe) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => {
                return Some(Timestamp::from_chrono(at.to_utc()));
            }
            LocalResult::None => probe += chrono::TimeDelta::minutes(15),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, zone: &str, expected: &str) {
        let zone = zone.parse().unwrap();
        assert_eq!(
            parse_instant(text, zone).map_or_else(|| "none".to_owned(), |at| at.to_string()),
            expected,
            "{text} in {zone}"
        );
    }

    #[test]
    fn instants_are_read_in_their_zone() {
        check(
            "2026-01-31T08:00:00Z",
            "Europe/Berlin",
            "2026-01-31T08:00:00Z",
        );
        check(
            "2026-01-31T08:00:00",
            "Europe/Berlin",
            "2026-01-31T07:00:00Z",
        );
        check("2026-07-01", "Europe/Berlin", "2026-06-30T22:00:00Z");
        check("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:00:00Z");
        check("2026-10-25 02:30", "Europe/Berlin", "2026-10-25T00:30:00Z");
        check("soon", "UTC", "none");
    }
}
