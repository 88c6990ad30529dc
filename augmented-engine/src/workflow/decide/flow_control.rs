//! Waiting for signals and instants.

use std::sync::Arc;

use augmented_core::error::{ErrorCategory, ErrorInfo};
use augmented_core::runtime::{Activity, SignalMessage, TimerKind, TokenId};
use augmented_core::time::Timestamp;
use chrono::{DateTime, Datelike, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone};
use serde_json::json;

use super::super::graph::{Body, WaitTimeout};
use super::super::size::signal_bytes;
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
            self.state.bytes = self.state.bytes.saturating_sub(signal_bytes(&signal.0));
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
        let error = self.close_failed(id, error, 0)?;
        let root = super::failure::error_root(&error, step, input.as_deref(), 0);
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
/// means the instant of the change, one that it repeats means the first.
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
    // An instant outside these years cannot be written down; arithmetic inside them cannot overflow.
    if !(1..=9999).contains(&local.year()) {
        return None;
    }
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => {
            Some(Timestamp::from_chrono(at.to_utc()))
        }
        LocalResult::None => end_of_gap(local, zone),
    }
}

/// The instant at which the clocks of `zone` jump past `local`: found by halving the four days around it, in which the
/// clocks show less at first and more at last, and never `local` itself.
fn end_of_gap(local: NaiveDateTime, zone: chrono_tz::Tz) -> Option<Timestamp> {
    let wanted = local.and_utc().timestamp();
    let shown = |seconds: i64| {
        let utc = DateTime::from_timestamp(seconds, 0)?.naive_utc();
        let offset = zone.offset_from_utc_datetime(&utc).fix();
        Some(seconds + i64::from(offset.local_minus_utc()))
    };
    let (mut before, mut after) = (wanted - 2 * 86_400, wanted + 2 * 86_400);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if shown(middle)? > wanted {
            after = middle;
        } else {
            before = middle;
        }
    }
    Some(Timestamp::from_chrono(DateTime::from_timestamp(after, 0)?))
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
        check("2026-03-29T02:10", "Europe/Berlin", "2026-03-29T01:00:00Z");
        check(
            "2026-03-29T02:59:59.5",
            "Europe/Berlin",
            "2026-03-29T01:00:00Z",
        );
        check(
            "2026-10-04T02:15",
            "Australia/Lord_Howe",
            "2026-10-03T15:30:00Z",
        );
        // Samoa left out a whole day.
        check("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00:00Z");
        check("2026-10-25 02:30", "Europe/Berlin", "2026-10-25T00:30:00Z");
        check("soon", "UTC", "none");
    }

    #[test]
    fn instants_that_cannot_be_written_are_none() {
        for text in [
            "+262142-12-31T23:59:59",
            "-262142-01-01",
            "+10000-01-01",
            "0000-01-01",
        ] {
            check(text, "America/New_York", "none");
            check(text, "UTC", "none");
        }
        check(
            "9999-12-31T23:59:59",
            "America/New_York",
            "9999-12-31T23:59:59.999999Z",
        );
    }
}
