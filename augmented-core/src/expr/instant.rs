//! Instants and spans of time: their texts, their parts, their formats.

use std::fmt::Write as _;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use chrono_tz::Tz;

use super::fault::Fault;
use crate::time::{IsoDuration, Timestamp};

/// Writes an instant as RFC 3339.
pub(crate) fn instant_text(micros: i64) -> String {
    Timestamp::from_micros(micros).to_string()
}

/// Writes a span as ISO 8601, a negative one with a leading minus.
pub(crate) fn span_text(micros: i64) -> String {
    let text = IsoDuration::from_micros(micros.saturating_abs());
    if micros < 0 {
        format!("-{text}")
    } else {
        text.to_string()
    }
}

/// An instant that can be written, or an error.
pub(crate) fn checked_instant(micros: Option<i64>) -> Result<i64, Fault> {
    micros
        .filter(|micros| (Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros()).contains(micros))
        .ok_or_else(|| Fault::eval("the timestamp lies outside the years 1 to 9999"))
}

/// Reads a span: ISO 8601 (`PT1H30M`) or the CEL form (`1h30m`, `-1.5s`).
pub(crate) fn parse_span(text: &str) -> Option<i64> {
    let (sign, body) = match text.strip_prefix('-') {
        Some(body) => (-1, body),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if body.starts_with('P') {
        return body
            .parse::<IsoDuration>()
            .ok()?
            .as_micros()
            .checked_mul(sign);
    }
    if body == "0" {
        return Some(0);
    }
    let mut rest = body;
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let (part, after) = go_part(rest)?;
        nanos = nanos.checked_add(part)?;
        rest = after;
    }
    (!body.is_empty()).then(|| i64::try_from(nanos / 1000).ok()?.checked_mul(sign))?
}

/// Reads one number and unit such as `1.5h`, in nanoseconds.
fn go_part(text: &str) -> Option<(i128, &str)> {
    let length = text
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
        .count();
    let (digits, rest) = text.split_at_checked(length)?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && fraction.is_empty())
        || whole.len() > 18
        || fraction.len() > 18
        || fraction.contains('.')
    {
        return None;
    }
    const UNITS: [(&str, i128); 7] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let (unit, per) = UNITS.iter().find(|(unit, _)| rest.starts_with(unit))?;
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let scale = 10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let fraction: i128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    Some((
        whole
            .checked_mul(*per)?
            .checked_add(fraction.checked_mul(*per)? / scale)?,
        rest.get(unit.len()..)?,
    ))
}

/// A time zone: an IANA name or an offset such as `+05:30`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Zone {
    Named(Tz),
    Offset(FixedOffset),
}

impl Zone {
    pub(crate) const UTC: Self = Self::Named(Tz::UTC);

    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Ok(zone) = text.parse::<Tz>() {
            return Some(Self::Named(zone));
        }
        let (sign, body) = match text.as_bytes().first()? {
            b'+' => (1, text.get(1..)?),
            b'-' => (-1, text.get(1..)?),
            _ => (1, text),
        };
        let (hours, minutes) = body.split_once(':')?;
        let digits = |part: &str| {
            (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| part.parse::<i32>().ok())
                .flatten()
        };
        let seconds = digits(hours)? * 3600 + digits(minutes).filter(|minutes| *minutes < 60)? * 60;
        FixedOffset::east_opt(sign * seconds).map(Self::Offset)
    }
}

/// A getter of an instant's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InstantPart {
    FullYear,
    Month,
    Date,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// Reads a part of an instant in a zone.
pub(crate) fn instant_part(micros: i64, zone: Zone, part: InstantPart) -> i64 {
    let at = Timestamp::from_micros(micros).to_chrono();
    match zone {
        Zone::Named(zone) => part_of(&at.with_timezone(&zone), part),
        Zone::Offset(offset) => part_of(&at.with_timezone(&offset), part),
    }
}

fn part_of<Z: chrono::TimeZone>(at: &DateTime<Z>, part: InstantPart) -> i64 {
    match part {
        InstantPart::FullYear => i64::from(at.year()),
        InstantPart::Month => i64::from(at.month0()),
        InstantPart::Date => i64::from(at.day()),
        InstantPart::DayOfMonth => i64::from(at.day0()),
        InstantPart::DayOfWeek => i64::from(at.weekday().num_days_from_sunday()),
        InstantPart::DayOfYear => i64::from(at.ordinal0()),
        InstantPart::Hours => i64::from(at.hour()),
        InstantPart::Minutes => i64::from(at.minute()),
        InstantPart::Seconds => i64::from(at.second()),
        InstantPart::Milliseconds => i64::from(at.nanosecond() / 1_000_000 % 1000),
    }
}

/// Reads a part of a span, which has whole hours, minutes and seconds, and the milliseconds of its last second.
pub(crate) fn span_part(micros: i64, part: InstantPart) -> Option<i64> {
    Some(match part {
        InstantPart::Hours => micros / 3_600_000_000,
        InstantPart::Minutes => micros / 60_000_000,
        InstantPart::Seconds => micros / 1_000_000,
        InstantPart::Milliseconds => micros / 1000 % 1000,
        _ => return None,
    })
}

/// Whether the text is a strftime pattern.
pub(crate) fn is_pattern(pattern: &str) -> bool {
    StrftimeItems::new(pattern).all(|item| !matches!(item, Item::Error))
}

/// Writes an instant by a strftime pattern.
pub(crate) fn format(micros: i64, pattern: &str, zone: Zone) -> Result<String, Fault> {
    let at = Timestamp::from_micros(micros).to_chrono();
    let mut text = String::new();
    let written = match zone {
        Zone::Named(zone) => write!(text, "{}", at.with_timezone(&zone).format(pattern)),
        Zone::Offset(offset) => write!(text, "{}", at.with_timezone(&offset).format(pattern)),
    };
    written.map_err(|_| Fault::eval("the pattern does not fit a timestamp"))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_in_both_forms() {
        for (text, micros) in [
            ("1h30m", Some(5_400_000_000)),
            ("-1.5s", Some(-1_500_000)),
            ("250ms", Some(250_000)),
            ("0", Some(0)),
            ("PT1H", Some(3_600_000_000)),
            ("-P1D", Some(-86_400_000_000)),
            ("1500ns", Some(1)),
            ("30", None),
            ("", None),
            ("1d", None),
            ("1..5s", None),
            ("999999999999999999h", None),
        ] {
            assert_eq!(parse_span(text), micros, "{text}");
        }
    }

    #[test]
    fn negative_spans_keep_their_sign() {
        assert_eq!(span_text(-90_000_000), "-PT1M30S");
        assert_eq!(span_text(0), "PT0S");
    }
}
