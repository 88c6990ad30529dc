//! Functions of instants and durations.

use super::super::eval::{Eval, Evaluated, zone_of};
use super::super::fault::Fault;
use super::super::instant::{self, InstantPart, Zone};
use super::super::value::Val;
use super::{arg, text, wrong};
use crate::time::{IsoDuration, Timestamp};

pub(super) fn timestamp<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    match arg(arguments, 0) {
        Val::Instant(micros) => Ok(Val::Instant(*micros)),
        Val::Text(text) => text
            .parse::<Timestamp>()
            .map(|at| Val::Instant(at.as_micros()))
            .map_err(|problem| Fault::eval(format!("timestamp(): {problem}"))),
        other => match other.as_int() {
            Some(seconds) => {
                instant::checked_instant(seconds.checked_mul(1_000_000)).map(Val::Instant)
            }
            None => Err(wrong("timestamp", "an RFC 3339 text", other)),
        },
    }
}

pub(super) fn duration<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    if let Val::Span(micros) = arg(arguments, 0) {
        return Ok(Val::Span(*micros));
    }
    let text = text("duration", arguments, 0)?;
    instant::parse_span(text).map(Val::Span).ok_or_else(|| {
        let shown: String = text.chars().take(64).collect();
        Fault::eval(format!(
            "duration(): `{shown}` is no duration such as 1h30m or PT1H30M"
        ))
    })
}

pub(super) fn iso_duration<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let text = text("isoDuration", arguments, 0)?;
    text.parse::<IsoDuration>()
        .map(|span| Val::Span(span.as_micros()))
        .map_err(|problem| Fault::eval(format!("isoDuration(): {problem}")))
}

fn part<'a>(function: &str, arguments: &[Val<'a>], part: InstantPart) -> Evaluated<'a> {
    match arg(arguments, 0) {
        Val::Instant(micros) => {
            let zone = if arguments.len() > 1 {
                zone_of(arg(arguments, 1))?
            } else {
                Zone::UTC
            };
            Ok(Val::Int(instant::instant_part(*micros, zone, part)))
        }
        Val::Span(micros) if arguments.len() == 1 => instant::span_part(*micros, part)
            .map(Val::Int)
            .ok_or_else(|| Fault::eval(format!("{function}() does not exist for durations"))),
        other => Err(wrong(
            function,
            "a timestamp (read texts with timestamp())",
            other,
        )),
    }
}

pub(super) fn full_year<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    part("getFullYear", arguments, InstantPart::FullYear)
}

pub(super) fn month<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    part("getMonth", arguments, InstantPart::Month)
}

pub(super) fn date<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    part("getDate", arguments, InstantPart::Date)
}

pub(super) fn day_of_month<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    part("getDayOfMonth", arguments, InstantPart::DayOfMonth)
}

pub(super) fn day_of_week<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    part("getDayOfWeek", arguments, InstantPart::DayOfWeek)
}

pub(super) fn day_of_year<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    part("getDayOfYear", arguments, InstantPart::DayOfYear)
}

pub(super) fn hours<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    part("getHours", arguments, InstantPart::Hours)
}

pub(super) fn minutes<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    part("getMinutes", arguments, InstantPart::Minutes)
}

pub(super) fn seconds<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    part("getSeconds", arguments, InstantPart::Seconds)
}

pub(super) fn milliseconds<'a>(_: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    part("getMilliseconds", arguments, InstantPart::Milliseconds)
}
