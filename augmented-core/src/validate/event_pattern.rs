//! Names of events and patterns over them.

use super::Finding;
use super::place::Place;
use super::wording;

const MAX_SEGMENTS: usize = 6;
const MAX_LENGTH: usize = 255;
const MAX_SEGMENT: usize = 64;

/// What is wrong with a name or pattern.
fn problem(text: &str, wildcards: bool) -> Option<String> {
    let segments: Vec<&str> = text.split('.').collect();
    if text.len() > MAX_LENGTH {
        return Some(format!("it is longer than {MAX_LENGTH} characters"));
    }
    if segments.len() > MAX_SEGMENTS {
        return Some(format!(
            "it has {} segments, at most {MAX_SEGMENTS} are allowed",
            segments.len()
        ));
    }
    let last = segments.len().saturating_sub(1);
    for (i, segment) in segments.iter().enumerate() {
        match *segment {
            "*" | "**" if !wildcards => {
                return Some(format!(
                    "`{segment}` is a wildcard; this is the name of one event"
                ));
            }
            "*" => {}
            "**" if i == last => {}
            "**" => return Some("`**` may stand last only".to_owned()),
            "" => return Some("a segment is empty".to_owned()),
            name if name.len() > MAX_SEGMENT => {
                return Some(format!("a segment is longer than {MAX_SEGMENT} characters"));
            }
            name if name.contains('*') => {
                return Some(format!(
                    "`*` stands for a whole segment, not for part of one as in `{name}`"
                ));
            }
            name => {
                if let Some(c) = name
                    .chars()
                    .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
                {
                    return Some(format!(
                        "`{c}` is not allowed; segments have letters, digits, `_` and `-`"
                    ));
                }
            }
        }
    }
    None
}

/// Checks a pattern of a trigger, a wait or a cancellation trigger: at least one segment is literal.
pub(crate) fn check_pattern(text: &str, place: &Place<'_>, findings: &mut Vec<Finding>) -> bool {
    let wrong = problem(text, true).or_else(|| {
        let literal = text
            .split('.')
            .any(|segment| !matches!(segment, "*" | "**"));
        (!literal)
            .then(|| "it would match every event; at least one segment must be literal".to_owned())
    });
    report(
        text,
        wrong,
        "pattern",
        "for example `order.placed`, `order.*` or `order.**`",
        place,
        findings,
    )
}

/// Checks the exact name of an event: 2 to 6 segments without wildcards.
pub(crate) fn check_name(text: &str, place: &Place<'_>, findings: &mut Vec<Finding>) -> bool {
    let wrong = problem(text, false).or_else(|| {
        (!text.contains('.')).then(|| {
            "it has one segment; the first is the namespace, so there are at least two".to_owned()
        })
    });
    report(
        text,
        wrong,
        "event name",
        "for example `order.placed`",
        place,
        findings,
    )
}

fn report(
    text: &str,
    wrong: Option<String>,
    what: &str,
    example: &str,
    place: &Place<'_>,
    findings: &mut Vec<Finding>,
) -> bool {
    let Some(wrong) = wrong else { return true };
    findings.push(
        Finding::error(
            "PATTERN_INVALID",
            place,
            format!("`{}` is no legal {what}: {wrong}", wording::cut(text)),
        )
        .with_argument("actual", wording::cut(text))
        .with_hint(example),
    );
    false
}

/// Whether a pattern holds wildcards.
pub(crate) fn is_wildcard(pattern: &str) -> bool {
    pattern
        .split('.')
        .any(|segment| matches!(segment, "*" | "**"))
}

/// Whether an event name matches a pattern: `*` is one segment, a trailing `**` one or more.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut names = name.split('.');
    let mut segments = pattern.split('.').peekable();
    while let Some(segment) = segments.next() {
        let Some(own) = names.next() else {
            return false;
        };
        match segment {
            "**" if segments.peek().is_none() => return true,
            "*" => {}
            literal if literal == own => {}
            _ => return false,
        }
    }
    names.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn legal(check: fn(&str, &Place<'_>, &mut Vec<Finding>) -> bool, text: &str) -> bool {
        check(text, &Place::ROOT, &mut Vec::new())
    }

    #[test]
    fn patterns_of_the_sheet_are_legal() {
        for pattern in [
            "bookings.*",
            "*.created",
            "finance.*.approved",
            "bookings.**",
            "order",
        ] {
            assert!(legal(check_pattern, pattern), "{pattern}");
        }
        for pattern in [
            "**",
            "*.*",
            "a.**.b",
            "a..b",
            "a.b*",
            "",
            "a.b.c.d.e.f.g",
            "a b.c",
            "ts:1.x",
        ] {
            assert!(!legal(check_pattern, pattern), "{pattern}");
        }
    }

    #[test]
    fn names_have_two_to_six_literal_segments() {
        for name in ["order.placed", "inventory.quantityChanged", "a.b.c.d.e.f"] {
            assert!(legal(check_name, name), "{name}");
        }
        for name in ["order", "order.*", "a.b.c.d.e.f.g", ".a"] {
            assert!(!legal(check_name, name), "{name}");
        }
    }

    #[test]
    fn a_star_is_one_segment_and_two_are_one_or_more() {
        assert!(matches("bookings.*", "bookings.created"));
        assert!(!matches("bookings.*", "bookings.room.created"));
        assert!(
            matches("bookings.**", "bookings.created")
                && matches("bookings.**", "bookings.room.created")
        );
        assert!(!matches("bookings.**", "bookings"));
        assert!(matches("finance.*.approved", "finance.loan.approved"));
    }
}
