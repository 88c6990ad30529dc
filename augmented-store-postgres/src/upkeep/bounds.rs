//! Where slices begin and end.

use std::time::Duration;

use augmented_core::Timestamp;
use chrono::{DateTime, Datelike, Days, Months, NaiveTime, Utc};
use sqlx::types::Uuid;

use super::SliceWidth;

/// A span of time: its first instant, and the first one behind it. Without a beginning, it reaches back for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) low: Option<Timestamp>,
    pub(super) high: Timestamp,
}

impl Span {
    /// The suffix of its tables: the beginning, or of one that has none the end.
    pub(super) fn suffix(&self) -> String {
        match self.low {
            Some(low) => format!("_p{}", digits(low)),
            None => format!("_until{}", digits(self.high)),
        }
    }

    pub(super) fn low_id(&self) -> Option<Uuid> {
        self.low.map(first_id)
    }

    pub(super) fn high_id(&self) -> Uuid {
        first_id(self.high)
    }
}

/// The suffix of a default slice that is closed.
pub(super) fn closed_suffix(span: &Span) -> String {
    format!("_until{}", digits(span.high))
}

fn digits(at: Timestamp) -> String {
    let at = at.to_chrono();
    match at.time() == NaiveTime::MIN {
        true => at.format("%Y%m%d").to_string(),
        false => at.format("%Y%m%d%H%M").to_string(),
    }
}

/// The lowest id of a millisecond.
pub(super) fn first_id(at: Timestamp) -> Uuid {
    let millis = u128::from(u64::try_from(at.as_millis()).unwrap_or_default());
    Uuid::from_u128(millis << 80)
}

/// The instant of an id.
pub(super) fn instant_of(id: Uuid) -> Timestamp {
    Timestamp::from_millis(i64::try_from(id.as_u128() >> 80).unwrap_or(i64::MAX))
}

/// The last boundary at or before an instant.
pub(super) fn boundary_before(width: SliceWidth, at: Timestamp) -> Timestamp {
    let day = midnight(at.to_chrono());
    let boundary = match width {
        SliceWidth::Day => Some(day),
        SliceWidth::Week => {
            day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday())))
        }
        SliceWidth::Month => day.with_day(1),
        SliceWidth::Every(span) => {
            let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX).max(1);
            let micros = at.as_micros();
            return Timestamp::from_micros(micros - micros.rem_euclid(span));
        }
    };
    boundary.map_or(at, Timestamp::from_chrono)
}

/// The first boundary behind an instant.
pub(super) fn boundary_after(width: SliceWidth, at: Timestamp) -> Timestamp {
    let before = boundary_before(width, at);
    let start = before.to_chrono();
    let next = match width {
        SliceWidth::Day => start.checked_add_days(Days::new(1)),
        SliceWidth::Week => start.checked_add_days(Days::new(7)),
        SliceWidth::Month => start.checked_add_months(Months::new(1)),
        SliceWidth::Every(span) => return later(before, span),
    };
    next.map_or(Timestamp::MAX, Timestamp::from_chrono)
}

/// An instant moved forth.
pub(super) fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.plus_micros(i64::try_from(by.as_micros()).unwrap_or(i64::MAX))
}

/// An instant moved back.
pub(super) fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.plus_micros(i64::try_from(by.as_micros()).map_or(i64::MIN, |by| -by))
}

fn midnight(at: DateTime<Utc>) -> DateTime<Utc> {
    at.with_time(NaiveTime::MIN).single().unwrap_or(at)
}

/// The slices that are missing: from where the known ones end to the last one ahead. Where none is known, they begin
/// with the current one.
pub(super) fn missing(
    width: SliceWidth,
    ahead: u32,
    now: Timestamp,
    known_until: Option<Timestamp>,
) -> Vec<Span> {
    let mut until = boundary_after(width, now);
    for _ in 0..ahead {
        until = boundary_after(width, until);
    }
    let current = boundary_before(width, now);
    let mut low = known_until.map_or(current, |known| known.max(current));
    let mut spans = Vec::new();
    while low < until {
        let high = boundary_after(width, low);
        spans.push(Span {
            low: Some(low),
            high,
        });
        low = high;
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(width: SliceWidth, now: &str, known: Option<&str>, expected: &[&str]) {
        let instant = |text: &str| text.parse::<Timestamp>().unwrap();
        let spans = missing(width, 2, instant(now), known.map(instant));
        let suffixes: Vec<String> = spans.iter().map(Span::suffix).collect();
        assert_eq!(suffixes, expected, "{width:?} at {now}");
        for pair in spans.windows(2) {
            assert_eq!(Some(pair[0].high), pair[1].low);
        }
    }

    #[test]
    fn slices_follow_each_other_at_round_instants() {
        let noon = "2026-12-30T12:00:00Z";
        check(
            SliceWidth::Day,
            noon,
            None,
            &["_p20261230", "_p20261231", "_p20270101"],
        );
        check(
            SliceWidth::Week,
            noon,
            None,
            &["_p20261228", "_p20270104", "_p20270111"],
        );
        check(
            SliceWidth::Month,
            noon,
            None,
            &["_p20261201", "_p20270101", "_p20270201"],
        );
        check(
            SliceWidth::Every(Duration::from_secs(6 * 3600)),
            noon,
            None,
            &["_p202612301200", "_p202612301800", "_p20261231"],
        );
    }

    #[test]
    fn slices_begin_where_the_known_ones_end() {
        check(
            SliceWidth::Month,
            "2026-12-30T12:00:00Z",
            Some("2027-01-05T00:00:00Z"),
            &["_p20270105", "_p20270201"],
        );
        check(
            SliceWidth::Day,
            "2026-12-30T12:00:00Z",
            Some("2026-11-01T00:00:00Z"),
            &["_p20261230", "_p20261231", "_p20270101"],
        );
        check(
            SliceWidth::Day,
            "2026-12-30T12:00:00Z",
            Some("2027-02-01T00:00:00Z"),
            &[],
        );
    }

    #[test]
    fn an_id_and_its_instant_are_one() {
        let at: Timestamp = "2026-12-30T12:00:00.123Z".parse().unwrap();
        assert_eq!(instant_of(first_id(at)), at);
        assert_eq!(first_id(Timestamp::from_millis(-1)), Uuid::nil());
    }
}
