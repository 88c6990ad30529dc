//! The patterns of texts that schemas and the database check alike.
//!
//! They keep to what every regular expression engine understands the same way: ASCII classes, anchors, groups and
//! repeats bounded by 255.

use crate::time::IsoDuration;

macro_rules! number {
    () => {
        "(?:0|[1-9][0-9]{0,17})"
    };
}

macro_rules! semver {
    () => {
        concat!(
            number!(),
            "[.]",
            number!(),
            "[.]",
            number!(),
            "(?:-",
            pre_release!(),
            "(?:[.]",
            pre_release!(),
            ")*)?",
            "(?:[+][0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*)?"
        )
    };
}

macro_rules! pre_release {
    () => {
        "(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
    };
}

macro_rules! business_id {
    () => {
        "[A-Za-z0-9][A-Za-z0-9_.-]{0,254}"
    };
}

macro_rules! duration {
    () => {
        "P(?:[0-9]{1,6}W|[0-9]{1,7}D(?:T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))?|T(?:[0-9]{1,8}H(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}M(?:[0-9]{1,9}(?:[.][0-9]{1,6})?S)?|[0-9]{1,9}(?:[.][0-9]{1,6})?S))"
    };
}

macro_rules! segment {
    () => {
        "[A-Za-z0-9_-]{1,64}"
    };
}

macro_rules! date {
    () => {
        "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    };
}

macro_rules! time_of_day {
    () => {
        "T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
    };
}

/// Business id of a definition.
pub const BUSINESS_ID: &str = concat!("^", business_id!(), "$");
/// Id of a step or of a branch.
pub const STEP_ID: &str = "^[A-Za-z_][A-Za-z0-9_-]{0,63}$";
/// Name an expression can use bare.
pub const IDENTIFIER: &str = "^[A-Za-z_][A-Za-z0-9_]{0,63}$";
/// Semantic version.
pub const SEMVER: &str = concat!("^", semver!(), "$");
/// ISO 8601 duration of weeks to seconds.
pub const DURATION: &str = IsoDuration::PATTERN;
/// How old an awaited event may be: `INSTANCE`, `STEP` or a duration.
pub const SINCE: &str = concat!("^(?:INSTANCE|STEP|", duration!(), ")$");
/// How long events are kept: `FOREVER` or a duration.
pub const RETENTION: &str = concat!("^(?:FOREVER|", duration!(), ")$");
/// Exact event name, 2 to 6 segments.
pub const EVENT_NAME: &str = concat!("^", segment!(), "(?:[.]", segment!(), "){1,5}$");
/// Event pattern of at most 6 segments; `*` is one segment, a trailing `**` one or more.
pub const EVENT_PATTERN: &str = concat!(
    "^(?:[*][*]|(?:[*]|",
    segment!(),
    ")(?:(?:[.](?:[*]|",
    segment!(),
    ")){0,5}|(?:[.](?:[*]|",
    segment!(),
    ")){0,4}[.][*][*]))$"
);
/// RFC 3339 instant.
pub const INSTANT: &str = concat!("^", date!(), time_of_day!(), "$");
/// RFC 3339 instant, or a date alone.
pub const INSTANT_OR_DATE: &str = concat!("^", date!(), "(?:", time_of_day!(), ")?$");
/// UI component id, bare or followed by `@` and a version.
pub const COMPONENT_REFERENCE: &str = concat!("^", business_id!(), "(?:@", semver!(), ")?$");
/// Whose permissions a workflow uses.
pub const RUN_AS: &str = concat!("^(?:initiator|serviceAccount:", business_id!(), ")$");
/// Reference to a secret of the host.
pub const SECRET_REFERENCE: &str = "^secret:[A-Za-z0-9][A-Za-z0-9_./-]{0,254}$";
/// JSON Pointer.
pub const JSON_POINTER: &str = "^(?:/(?:[^/~]|~[01])*)*$";
/// Colour of a designer.
pub const COLOR: &str = "^(?:#[0-9A-Fa-f]{6}|[A-Za-z][A-Za-z0-9-]{0,63})$";
/// Text that is more than spaces.
pub const NOT_BLANK: &str = "[^ ]";

/// What a text of one of these patterns is called and an example of it, for messages.
///
/// ```
/// use augmented_core::model::patterns;
/// assert_eq!(patterns::describe(patterns::DURATION), Some(("a duration of weeks to seconds", "PT30S")));
/// assert_eq!(patterns::describe("^x$"), None);
/// ```
#[must_use]
pub fn describe(pattern: &str) -> Option<(&'static str, &'static str)> {
    Some(match pattern {
        BUSINESS_ID => (
            "a business id: letters, digits, `_`, `.` and `-`, beginning with a letter or digit",
            "order-processing",
        ),
        STEP_ID => (
            "an id of letters, digits, `_` and `-`, beginning with a letter or `_`, at most 64 long",
            "approve-order",
        ),
        IDENTIFIER => (
            "a name of letters, digits and `_`, not beginning with a digit, at most 64 long",
            "line",
        ),
        SEMVER => ("a semantic version", "1.0.0"),
        DURATION => ("a duration of weeks to seconds", "PT30S"),
        SINCE => ("INSTANCE, STEP or a duration", "PT1H"),
        RETENTION => ("FOREVER or a duration", "P90D"),
        EVENT_NAME => (
            "an event name of 2 to 6 segments joined by dots, without wildcards",
            "order.placed",
        ),
        EVENT_PATTERN => (
            "an event pattern of at most 6 segments, `*` for one segment, a trailing `**` for one or more",
            "order.*",
        ),
        INSTANT => ("an RFC 3339 instant", "2026-01-31T08:00:00Z"),
        INSTANT_OR_DATE => ("an RFC 3339 instant or a date", "2026-01-31"),
        COMPONENT_REFERENCE => (
            "a component id, bare or with `@` and a version",
            "order-form@1.2.0",
        ),
        RUN_AS => (
            "`initiator`, or `serviceAccount:` and a name",
            "serviceAccount:billing",
        ),
        SECRET_REFERENCE => ("`secret:` and the name of a secret", "secret:shop-token"),
        JSON_POINTER => ("a JSON Pointer", "/customer/email"),
        COLOR => ("a colour: `#RRGGBB` or a name", "#2266AA"),
        NOT_BLANK => ("a text that is not blank", "Charge card"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::IsoDuration;
    use proptest::prelude::*;
    use regex::Regex;

    /// Every constant of this module.
    const ALL: [&str; 17] = [
        BUSINESS_ID,
        STEP_ID,
        IDENTIFIER,
        SEMVER,
        DURATION,
        SINCE,
        RETENTION,
        EVENT_NAME,
        EVENT_PATTERN,
        INSTANT,
        INSTANT_OR_DATE,
        COMPONENT_REFERENCE,
        RUN_AS,
        SECRET_REFERENCE,
        JSON_POINTER,
        COLOR,
        NOT_BLANK,
    ];

    fn check(pattern: &str, accepted: &[&str], refused: &[&str]) {
        let regex = Regex::new(pattern).unwrap();
        for text in accepted {
            assert!(regex.is_match(text), "{pattern} refuses {text}");
        }
        for text in refused {
            assert!(!regex.is_match(text), "{pattern} accepts {text}");
        }
    }

    #[test]
    fn each_pattern_accepts_its_texts_and_no_others() {
        let long = "a".repeat(256);
        check(
            BUSINESS_ID,
            &["a", "Order.v2_x-1", "9", &long[..255]],
            &["", "-a", ".a", "a b", "ä", "a\n", &long],
        );
        check(
            STEP_ID,
            &["a", "_x", "approve-order"],
            &["", "1a", "-a", "a.b", &long[..65]],
        );
        check(IDENTIFIER, &["item", "_1"], &["a-b", "1a", ""]);
        check(
            SEMVER,
            &[
                "0.0.0",
                "1.2.3",
                "1.0.0-alpha.1",
                "1.0.0-0a",
                "1.0.0+build.5",
                "1.0.0-x-y+z",
            ],
            &[
                "",
                "1",
                "1.2",
                "01.0.0",
                "1.0.0-01",
                "1.0.0-",
                "v1.0.0",
                "1.0.0 ",
                "1.0.0-a..b",
                "1.0.0+",
            ],
        );
        check(
            SINCE,
            &["INSTANCE", "STEP", "PT1H"],
            &["NEVER", "P", "instance"],
        );
        check(RETENTION, &["FOREVER", "P30D"], &["P1M", ""]);
        check(
            EVENT_NAME,
            &["a.b", "order.Placed_x-1", "a.b.c.d.e.f"],
            &["a", "a.*", "a.b.c.d.e.f.g", "a..b", "a.b."],
        );
        check(
            EVENT_PATTERN,
            &[
                "**",
                "*",
                "a.*",
                "*.b",
                "a.**",
                "a.b.c.d.e.f",
                "a.b.c.d.e.**",
                "*.*.x",
            ],
            &[
                "",
                "a.**.b",
                "a*",
                "a.b*",
                "a.b.c.d.e.f.g",
                "a.b.c.d.e.f.**",
                "***",
                "a..b",
            ],
        );
        check(
            INSTANT,
            &["2026-01-31T08:00:00Z", "2026-01-31T08:00:00.123+02:00"],
            &[
                "2026-01-31",
                "2026-13-01T00:00:00Z",
                "2026-01-31T24:00:00Z",
                "2026-01-31T08:00:00",
                "2026-01-31 08:00:00Z",
            ],
        );
        check(
            INSTANT_OR_DATE,
            &["2026-01-31", "2026-01-31T08:00:00Z"],
            &["2026-1-1", "2026-01-31T"],
        );
        check(
            COMPONENT_REFERENCE,
            &["a", "order-form@1.2.0"],
            &["a@", "a@1", "@1.0.0"],
        );
        check(
            RUN_AS,
            &["initiator", "serviceAccount:x"],
            &["serviceAccount:", "user:x", "Initiator"],
        );
        check(
            SECRET_REFERENCE,
            &["secret:a", "secret:shop/token"],
            &["secret:", "token", "secret: a"],
        );
        check(
            JSON_POINTER,
            &["", "/a", "/a~0b/~1", "//"],
            &["a", "/~", "/~2"],
        );
        check(COLOR, &["#2266AA", "teal"], &["#2266A", "#2266AG", "", "1"]);
        check(NOT_BLANK, &["a", " a "], &["", "  "]);
    }

    #[test]
    fn every_pattern_is_described_by_an_example_that_fits() {
        for pattern in ALL {
            let (_, example) = describe(pattern).unwrap();
            check(pattern, &[example], &[]);
        }
    }

    #[test]
    fn durations_inside_other_patterns_are_the_same() {
        assert_eq!(DURATION, concat!("^", duration!(), "$"));
    }

    #[test]
    fn the_longest_texts_of_the_duration_pattern_can_be_read() {
        for text in [
            "P999999W",
            "P9999999DT99999999H999999999M999999999.999999S",
            "PT0S",
        ] {
            check(DURATION, &[text], &[]);
            assert!(text.parse::<IsoDuration>().is_ok(), "{text}");
        }
        check(
            DURATION,
            &[],
            &["P", "PT", "P1DT", "P1Y", "P1W2D", "PT1S1M", "PT1.5M"],
        );
    }

    proptest! {
        #[test]
        fn what_the_duration_pattern_accepts_can_be_read(text in DURATION.trim_start_matches('^').trim_end_matches('$')) {
            prop_assert!(text.parse::<IsoDuration>().is_ok(), "{}", text);
        }

        #[test]
        fn what_the_version_pattern_accepts_can_be_read(text in SEMVER.trim_start_matches('^').trim_end_matches('$')) {
            prop_assert!(semver::Version::parse(&text).is_ok(), "{}", text);
        }
    }
}
