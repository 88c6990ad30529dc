//! Instants and durations as definitions and records write them, and the injected clock.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant in UTC with microsecond resolution, the resolution a database keeps.
///
/// ```
/// use augmented_core::Timestamp;
/// let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
/// assert_eq!(at.plus_millis(1500).to_string(), "2026-01-01T00:00:01.500Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The latest instant that can be written (year 9999).
    pub const MAX: Self = Self(253_402_300_799_999_999);
    /// The earliest instant that can be written (year 1).
    pub const MIN: Self = Self(-62_135_596_800_000_000);

    /// The instant `micros` microseconds after 1970-01-01T00:00:00Z, clamped to the years 1–9999.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        if micros > Self::MAX.0 {
            Self::MAX
        } else if micros < Self::MIN.0 {
            Self::MIN
        } else {
            Self(micros)
        }
    }

    /// The instant `millis` milliseconds after 1970-01-01T00:00:00Z, clamped likewise.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self::from_micros(millis.saturating_mul(1000))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant moved by `millis` milliseconds.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self::from_micros(self.0.saturating_add(millis.saturating_mul(1000)))
    }

    /// This instant moved by `micros` microseconds.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// Microseconds from `earlier` to this instant, negative if it lies before.
    #[must_use]
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same instant as a `chrono` value.
    #[must_use]
    pub fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// The instant of a `chrono` value, cut to microseconds.
    #[must_use]
    pub fn from_chrono(at: DateTime<Utc>) -> Self {
        Self::from_micros(at.timestamp_micros())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            &self
                .to_chrono()
                .to_rfc3339_opts(SecondsFormat::AutoSi, true),
        )
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is no RFC 3339 instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an RFC 3339 instant such as 2026-01-31T08:00:00Z")]
pub struct TimestampError(String);

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DateTime::parse_from_rfc3339(text)
            .map(|at| Self::from_chrono(at.with_timezone(&Utc)))
            .map_err(|_| TimestampError(text.chars().take(64).collect()))
    }
}

/// In formats for people an RFC 3339 text, in binary ones the microseconds.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.as_micros())
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self::from_micros);
        }
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// An ISO 8601 duration of weeks, days, hours, minutes and seconds (fractions allowed, no months or years), kept as it was written.
///
/// Two durations are equal when their lengths are; 1 day is 24 hours.
///
/// ```
/// use augmented_core::IsoDuration;
/// let d: IsoDuration = "PT1M30.5S".parse().unwrap();
/// assert_eq!(d.as_micros(), 90_500_000);
/// assert_eq!(d.as_str(), "PT1M30.5S");
/// assert!("P1M".parse::<IsoDuration>().is_err());
/// ```
#[derive(Clone)]
pub struct IsoDuration {
    text: Box<str>,
    micros: i64,
}

/// Text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration of weeks to seconds such as PT30S, PT1M30.5S or P2DT12H")]
pub struct DurationError(String);

impl IsoDuration {
    /// The pattern of a duration, for JSON Schemas; everything it accepts can be read.
    pub const PATTERN: &'static str = "^P(?:[0-9]{1,6}W|[0-9]{1,7}D(?:T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))?|T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))$";

    /// The duration of `micros` microseconds, written in its canonical form; negative values count as zero.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        let micros = micros.max(0);
        Self {
            text: format_micros(micros).into(),
            micros,
        }
    }

    /// The duration of `millis` milliseconds, written in its canonical form.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self::from_micros(millis.saturating_mul(1000))
    }

    /// The text as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The length in microseconds.
    #[must_use]
    pub const fn as_micros(&self) -> i64 {
        self.micros
    }

    /// The length in whole milliseconds, rounded up so that a positive duration never becomes zero.
    #[must_use]
    pub const fn as_millis(&self) -> i64 {
        self.micros.saturating_add(999).div_euclid(1000)
    }
}

/// Writes a length as ISO 8601, days the largest unit.
fn format_micros(micros: i64) -> String {
    use fmt::Write as _;
    let seconds = micros.div_euclid(1_000_000);
    let fraction = micros.rem_euclid(1_000_000);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (hours, rest) = (rest / 3600, rest % 3600);
    let (minutes, secs) = (rest / 60, rest % 60);
    let mut text = String::from("P");
    // Writing to a String cannot fail.
    if days > 0 {
        let _ = write!(text, "{days}D");
    }
    if hours > 0 || minutes > 0 || secs > 0 || fraction > 0 || days == 0 {
        text.push('T');
        if hours > 0 {
            let _ = write!(text, "{hours}H");
        }
        if minutes > 0 {
            let _ = write!(text, "{minutes}M");
        }
        if fraction > 0 {
            let digits = format!("{fraction:06}");
            let _ = write!(text, "{secs}.{}S", digits.trim_end_matches('0'));
        } else if secs > 0 || (hours == 0 && minutes == 0) {
            let _ = write!(text, "{secs}S");
        }
    }
    text
}

/// Reads one number and its unit; returns microseconds, the unit and the rest.
fn parse_part(text: &str) -> Option<(i64, char, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 9 {
        return None;
    }
    let whole: i64 = text.get(..digits)?.parse().ok()?;
    let mut rest = text.get(digits..)?;
    let mut fraction = 0;
    let mut fractional = false;
    if let Some(after) = rest.strip_prefix('.') {
        let places = after.bytes().take_while(u8::is_ascii_digit).count();
        if places == 0 || places > 6 {
            return None;
        }
        fraction = format!("{:0<6}", after.get(..places)?).parse().ok()?;
        rest = after.get(places..)?;
        fractional = true;
    }
    let unit = rest.chars().next()?;
    if fractional && unit != 'S' {
        return None;
    }
    let per: i64 = match unit {
        'W' => 604_800_000_000,
        'D' => 86_400_000_000,
        'H' => 3_600_000_000,
        'M' => 60_000_000,
        'S' => 1_000_000,
        _ => return None,
    };
    Some((
        whole.checked_mul(per)?.checked_add(fraction)?,
        unit,
        rest.get(1..)?,
    ))
}

fn parse_micros(text: &str) -> Option<i64> {
    let mut rest = text.strip_prefix('P')?;
    let mut total: i64 = 0;
    let mut in_time = false;
    let mut last = 0;
    while !rest.is_empty() {
        if !in_time && let Some(after) = rest.strip_prefix('T') {
            in_time = true;
            rest = after;
            if rest.is_empty() {
                return None;
            }
            continue;
        }
        let (micros, unit, after) = parse_part(rest)?;
        // A week stands alone; days before `T`, hours, minutes and seconds after it, each once and in order.
        let rank = match (in_time, unit) {
            (false, 'W') if last == 0 && after.is_empty() => 9,
            (false, 'D') => 1,
            (true, 'H') => 2,
            (true, 'M') => 3,
            (true, 'S') => 4,
            _ => return None,
        };
        if rank <= last {
            return None;
        }
        last = rank;
        total = total.checked_add(micros)?;
        rest = after;
    }
    (last > 0).then_some(total)
}

impl FromStr for IsoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match parse_micros(text) {
            Some(micros) => Ok(Self {
                text: text.into(),
                micros,
            }),
            None => Err(DurationError(text.chars().take(64).collect())),
        }
    }
}

impl PartialEq for IsoDuration {
    fn eq(&self, other: &Self) -> bool {
        self.micros == other.micros
    }
}

impl Eq for IsoDuration {}

impl PartialOrd for IsoDuration {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for IsoDuration {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.micros.cmp(&other.micros)
    }
}

impl fmt::Display for IsoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for IsoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for IsoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for IsoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The injected source of the present instant, so that tests own time.
pub trait Clock: Send + Sync {
    /// The present instant; never runs backwards.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_their_text_and_length() {
        for (text, micros) in [
            ("PT0S", 0),
            ("PT1S", 1_000_000),
            ("PT0.1S", 100_000),
            ("P1W", 604_800_000_000),
            ("P2DT12H", 216_000_000_000),
            ("PT90M", 5_400_000_000),
            ("P1DT2H3M4.000005S", 93_784_000_005),
        ] {
            let parsed: IsoDuration = text.parse().unwrap();
            assert_eq!((parsed.as_str(), parsed.as_micros()), (text, micros));
            assert_eq!(
                IsoDuration::from_micros(micros)
                    .to_string()
                    .parse::<IsoDuration>()
                    .unwrap(),
                parsed
            );
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1M",
            "P1Y",
            "1S",
            "PT1",
            "PT1S1M",
            "PT1.5M",
            "P1W2D",
            "-PT1S",
            "PT1.1234567S",
            "P1DT",
            "PT9999999999S",
            "pt1s",
        ] {
            assert!(text.parse::<IsoDuration>().is_err(), "{text}");
        }
    }

    #[test]
    fn instants_round_trip_through_text() {
        for text in [
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.500Z",
            "0001-01-01T00:00:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        assert!("2026-01-01".parse::<Timestamp>().is_err());
    }
}
