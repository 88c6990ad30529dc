//! Checks that several kinds of definitions share.

use serde_json::{Map, Value};

use super::super::place::Place;
use super::super::wording;
use super::super::{Finding, PatchOp};
use crate::IsoDuration;

/// What a duration must be besides well-formed.
#[derive(Clone, Copy)]
pub(crate) enum Bound<'a> {
    Any,
    /// Longer than zero.
    Positive,
    /// At least this.
    AtLeast(&'a str),
    /// At most this.
    AtMost(&'a str),
}

/// Checks a duration. A malformed one has the structural finding already, unless the pattern of the schema lets it pass.
pub(crate) fn duration(
    value: Option<&Value>,
    place: &Place<'_>,
    bound: Bound<'_>,
    findings: &mut Vec<Finding>,
) -> Option<IsoDuration> {
    let text = value?.as_str()?;
    let Ok(length) = text.parse::<IsoDuration>() else {
        findings.push(malformed_duration(text, place.to_string()));
        return None;
    };
    let limit = |text: &str| text.parse::<IsoDuration>().ok();
    let wrong = match bound {
        Bound::Any => None,
        Bound::Positive => (length.as_micros() == 0).then(|| "must be longer than zero".to_owned()),
        Bound::AtLeast(least) => limit(least)
            .filter(|l| length < *l)
            .map(|_| format!("must be at least {least}")),
        Bound::AtMost(most) => limit(most)
            .filter(|m| length > *m)
            .map(|_| format!("must be at most {most}")),
    };
    if let Some(wrong) = wrong {
        let limit = match bound {
            Bound::AtLeast(limit) | Bound::AtMost(limit) => Some(limit),
            Bound::Any | Bound::Positive => None,
        };
        let hint = limit.unwrap_or("PT30S");
        findings.push(
            Finding::error("DURATION_INVALID", place, format!("`{text}` {wrong}"))
                .with_argument("actual", wording::cut(text))
                .with_optional_argument("limit", limit)
                .with_hint(format!("for example `{hint}`")),
        );
        return None;
    }
    Some(length)
}

/// The finding for a text that is no duration, with the right spelling where it can be guessed.
pub(crate) fn malformed_duration(text: &str, pointer: String) -> Finding {
    let finding = Finding::error(
        "DURATION_INVALID",
        pointer.as_str(),
        format!(
            "`{}` is not an ISO 8601 duration of weeks to seconds",
            wording::cut(text)
        ),
    )
    .with_argument("actual", wording::cut(text));
    // A number without a unit is one of seconds as often as of milliseconds.
    let bare = text.trim().parse::<i64>().ok().and_then(|number| {
        let millis = millis_to_duration(number)?;
        Some((millis_to_duration(number.checked_mul(1000)?)?, millis))
    });
    if let Some((seconds, millis)) = bare {
        return finding.with_hint(both_readings(&seconds, &millis));
    }
    match guess_duration(text) {
        Some(Guess::Certain(right)) => {
            finding
                .with_hint(format!("write `{right}`"))
                .with_fix(vec![PatchOp::Replace {
                    path: pointer,
                    value: right.into(),
                }])
        }
        Some(Guess::Likely(right)) => finding.with_hint(format!("write `{right}`")),
        None => finding.with_hint("for example `PT30S`, `PT5M`, `P1D`, `P2W`"),
    }
}

/// What a number without a unit may mean.
pub(crate) fn both_readings(seconds: &str, millis: &str) -> String {
    format!("write `{seconds}` if seconds are meant, `{millis}` for milliseconds")
}

pub(crate) enum Guess {
    Certain(String),
    Likely(String),
}

/// Reads durations as people write them: `30s`, `5 minutes`, `pt30s`, `P30S`, `1h30m`, `P1M`.
pub(crate) fn guess_duration(text: &str) -> Option<Guess> {
    let text = text.trim();
    if text.is_empty() || text.len() > 40 || !text.is_ascii() {
        return None;
    }
    let upper = text.to_ascii_uppercase();
    if upper.parse::<IsoDuration>().is_ok() {
        return Some(Guess::Certain(upper));
    }
    if let Some(months) = upper
        .strip_prefix('P')
        .and_then(|t| t.strip_suffix('M'))
        .and_then(|n| n.parse::<u32>().ok())
    {
        // Months are no fixed length; minutes after a forgotten T are as likely.
        return Some(Guess::Likely(if months >= 5 {
            format!("PT{months}M")
        } else {
            format!("P{}D` or `PT{months}M", months * 30)
        }));
    }
    if let Some(years) = upper
        .strip_prefix('P')
        .and_then(|t| t.strip_suffix('Y'))
        .and_then(|n| n.parse::<u32>().ok())
    {
        return Some(Guess::Likely(format!("P{}D", u64::from(years) * 365)));
    }
    let body = upper.strip_prefix('P').unwrap_or(&upper).replace('T', "");
    if upper.starts_with('P') {
        let certain = format!("PT{body}");
        return certain
            .parse::<IsoDuration>()
            .ok()
            .map(|_| Guess::Certain(certain));
    }
    spoken_duration(&text.to_ascii_lowercase()).map(Guess::Certain)
}

/// `30s`, `1h 30m`, `5 minutes`: numbers with units, from long to short.
fn spoken_duration(text: &str) -> Option<String> {
    let mut rest = text.trim();
    let (mut date, mut time) = (String::new(), String::new());
    while !rest.is_empty() {
        let digits = rest
            .bytes()
            .take_while(|b| b.is_ascii_digit() || *b == b'.')
            .count();
        let (number, after) = rest.split_at_checked(digits)?;
        let after = after.trim_start();
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at_checked(letters)?;
        match unit {
            "w" | "wk" | "week" | "weeks" => date.push_str(&format!("{number}W")),
            "d" | "day" | "days" => date.push_str(&format!("{number}D")),
            "h" | "hr" | "hrs" | "hour" | "hours" => time.push_str(&format!("{number}H")),
            "m" | "min" | "mins" | "minute" | "minutes" => time.push_str(&format!("{number}M")),
            "s" | "sec" | "secs" | "second" | "seconds" => time.push_str(&format!("{number}S")),
            "ms" | "millis" | "milliseconds" => {
                let millis: i64 = number.parse().ok()?;
                time.push_str(millis_to_duration(millis)?.strip_prefix("PT")?);
            }
            _ => return None,
        }
        rest = after.trim_start_matches([' ', ',']);
    }
    let iso = if time.is_empty() {
        format!("P{date}")
    } else {
        format!("P{date}T{time}")
    };
    iso.parse::<IsoDuration>().ok().map(|_| iso)
}

/// Milliseconds as a duration: 1500 is `PT1.5S`, and whole minutes, hours and days are told as such.
pub(crate) fn millis_to_duration(millis: i64) -> Option<String> {
    if millis < 0 {
        return None;
    }
    let (seconds, rest) = (millis / 1000, millis % 1000);
    const UNITS: [(i64, &str, &str); 3] = [(86_400, "P", "D"), (3600, "PT", "H"), (60, "PT", "M")];
    let whole = UNITS
        .iter()
        .find(|(unit, ..)| rest == 0 && seconds > 0 && seconds % unit == 0);
    if let Some((unit, before, after)) = whole {
        return Some(format!("{before}{}{after}", seconds / unit))
            .filter(|iso| iso.parse::<IsoDuration>().is_ok());
    }
    let iso = if rest == 0 {
        format!("PT{seconds}S")
    } else {
        format!(
            "PT{seconds}.{}S",
            format!("{rest:03}").trim_end_matches('0')
        )
    };
    iso.parse::<IsoDuration>().ok().map(|_| iso)
}

/// Ranges inside a retry policy.
pub(crate) fn retry_policy(policy: Option<&Value>, place: &Place<'_>, findings: &mut Vec<Finding>) {
    let Some(policy) = policy.and_then(Value::as_object) else {
        return;
    };
    let initial = duration(
        policy.get("initialInterval"),
        &place.key("initialInterval"),
        Bound::AtMost("P1D"),
        findings,
    );
    let most = duration(
        policy.get("maxInterval"),
        &place.key("maxInterval"),
        Bound::Any,
        findings,
    );
    let initial_text = policy
        .get("initialInterval")
        .and_then(Value::as_str)
        .unwrap_or("PT1S");
    let initial = initial.or_else(|| initial_text.parse().ok());
    if let (Some(initial), Some(most)) = (initial, most)
        && most < initial
    {
        findings.push(
            Finding::error(
                "DURATION_INVALID",
                place.key("maxInterval"),
                format!("`{most}` is shorter than `initialInterval` {initial}"),
            )
            .with_argument("actual", most.to_string())
            .with_argument("limit", initial.to_string())
            .with_hint(format!("at least `{initial}`")),
        );
    }
}

/// Two members that only make sense together.
pub(crate) fn both_or_none(
    object: &Map<String, Value>,
    place: &Place<'_>,
    a: &str,
    b: &str,
    findings: &mut Vec<Finding>,
) {
    for (given, missing) in [(a, b), (b, a)] {
        if object.contains_key(given) && !object.contains_key(missing) {
            findings.push(
                Finding::error(
                    "dependentRequired",
                    place.key(missing),
                    format!("`{given}` needs `{missing}`"),
                )
                .with_argument("member", given)
                .with_argument("missing", missing)
                .with_hint(format!("add `{missing}`, or remove `{given}`")),
            );
        }
    }
}

/// Two members of which exactly one must be given.
pub(crate) fn exactly_one(
    object: &Map<String, Value>,
    place: &Place<'_>,
    a: &str,
    b: &str,
    what: &str,
    findings: &mut Vec<Finding>,
) {
    match (object.contains_key(a), object.contains_key(b)) {
        (true, true) => findings.push(
            Finding::error(
                "oneOf",
                place.key(b),
                format!("`{b}` stands beside `{a}`, {what} has exactly one of them"),
            )
            .with_argument("members", vec![a, b])
            .with_hint(format!("keep `{a}` or `{b}`")),
        ),
        (false, false) => findings.push(
            Finding::error(
                "required",
                place.key(a),
                format!("{what} needs `{a}` or `{b}`"),
            )
            .with_argument("member", a)
            .with_hint(format!(
                "add `\"{a}\": \"PT1H\"`, or `{b}` with an expression"
            )),
        ),
        _ => {}
    }
}

/// A name of the IANA time zone database.
pub(crate) fn time_zone(zone: &str, place: &Place<'_>, findings: &mut Vec<Finding>) {
    if zone.parse::<chrono_tz::Tz>().is_ok() {
        return;
    }
    let names = chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name());
    let near = crate::json::nearest::nearest(zone, names);
    let pointer = place.to_string();
    let finding = Finding::error(
        "TIMEZONE_INVALID",
        pointer.as_str(),
        format!(
            "`{}` is no time zone of the IANA database",
            wording::cut(zone)
        ),
    )
    .with_argument("actual", wording::cut(zone))
    .with_optional_argument("nearest", near.as_ref().map(|n| n.name));
    findings.push(match near {
        Some(near) if near.same_letters && near.unique => finding
            .with_hint(format!("write `{}`", near.name))
            .with_fix(vec![PatchOp::Replace {
                path: pointer,
                value: near.name.into(),
            }]),
        Some(near) => finding.with_hint(format!("did you mean `{}`?", near.name)),
        None => finding.with_hint("for example `Europe/Berlin` or `UTC`"),
    });
}

const METADATA_BYTES: usize = 64 * 1024;

/// `metadata` is for notes, not for documents.
pub(crate) fn metadata_size(document: &Map<String, Value>, findings: &mut Vec<Finding>) {
    let Some(metadata) = document.get("metadata") else {
        return;
    };
    let bytes = serde_json::to_vec(metadata).map_or(0, |text| text.len());
    if bytes > METADATA_BYTES {
        findings.push(
            Finding::error(
                "METADATA_TOO_LARGE",
                "/metadata",
                format!("`metadata` has {bytes} bytes, at most {METADATA_BYTES} are allowed"),
            )
            .with_argument("limit", METADATA_BYTES)
            .with_argument("actual", bytes)
            .with_hint("keep large data elsewhere and refer to it"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_duration(text: &str, certain: Option<&str>) {
        let finding = malformed_duration(text, "/timeout".into());
        let fixed = finding.fix.as_ref().map(|fix| match fix.as_slice() {
            [PatchOp::Replace { value, .. }] => value.as_str().unwrap().to_owned(),
            other => panic!("{other:?}"),
        });
        assert_eq!(fixed.as_deref(), certain, "{text}: {finding}");
        assert!(finding.hint.is_some());
    }

    #[test]
    fn durations_as_people_write_them_are_read() {
        check_duration("30s", Some("PT30S"));
        check_duration("5 minutes", Some("PT5M"));
        check_duration("1h30m", Some("PT1H30M"));
        check_duration("2 days", Some("P2D"));
        check_duration("pt30s", Some("PT30S"));
        check_duration("P30S", Some("PT30S"));
        check_duration("1500ms", Some("PT1.5S"));
        check_duration("P1M", None);
        check_duration("soon", None);
        check_duration("30", None);
    }

    #[test]
    fn bounds_are_checked() {
        let check = |text: &str, bound| {
            let mut findings = Vec::new();
            let value = Value::from(text);
            duration(Some(&value), &Place::ROOT, bound, &mut findings);
            findings.len()
        };
        assert_eq!(check("PT0S", Bound::Positive), 1);
        assert_eq!(check("PT1S", Bound::Positive), 0);
        assert_eq!(check("P8D", Bound::AtMost("P7D")), 1);
        assert_eq!(check("P7D", Bound::AtMost("P7D")), 0);
        assert_eq!(check("PT0.5S", Bound::AtLeast("PT1S")), 1);
    }

    #[test]
    fn a_time_zone_must_exist() {
        let mut findings = Vec::new();
        time_zone("Europe/Berlin", &Place::ROOT, &mut findings);
        assert!(findings.is_empty());
        time_zone("Europe/Berln", &Place::ROOT, &mut findings);
        assert_eq!(
            findings[0].hint.as_deref(),
            Some("did you mean `Europe/Berlin`?")
        );
    }

    #[test]
    fn a_maximum_below_the_first_interval_is_refused() {
        let policy = serde_json::json!({"initialInterval": "PT1M", "maxInterval": "PT30S"});
        let mut findings = Vec::new();
        retry_policy(Some(&policy), &Place::ROOT, &mut findings);
        assert_eq!(findings[0].pointer, "/maxInterval");
    }
}
