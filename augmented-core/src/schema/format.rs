//! The formats that are known without registration: those of the dialects and our own.

use std::str::FromStr;

use super::dialect::Dialect;
use crate::time::IsoDuration;

/// A check of a shipped format.
pub(super) type Check = fn(&str) -> bool;

/// The formats shipped beyond the standard ones, with an example of each; `expression` and
/// `json-schema` are checked elsewhere.
pub(super) const SHIPPED: &[(&str, Check, &str)] = &[
    ("semver", is_semver, "1.4.0"),
    ("semver-range", is_semver_range, "^1.4"),
    ("cron", is_cron, "0 8 * * MON-FRI"),
    ("event-pattern", is_event_pattern, "bookings.*"),
    ("locale", is_locale, "de-AT"),
    ("currency", is_currency, "EUR"),
    ("phone", is_phone, "+436601234567"),
    ("credit-card", is_credit_card, "4111111111111111"),
    ("business-id", is_business_id, "user-profile"),
    ("iso-duration", is_iso_duration, "PT30S"),
];

/// The standard formats with an example of each.
const STANDARD: &[(&str, &str)] = &[
    ("date", "2026-01-31"),
    ("date-time", "2026-01-31T08:00:00Z"),
    ("time", "08:00:00Z"),
    ("duration", "P1D"),
    ("email", "ann@example.com"),
    ("idn-email", "änn@example.com"),
    ("hostname", "example.com"),
    ("idn-hostname", "exämple.com"),
    ("ipv4", "192.0.2.1"),
    ("ipv6", "2001:db8::1"),
    ("uri", "https://example.com/a"),
    ("uri-reference", "/a?b"),
    ("uri-template", "/a/{id}"),
    ("iri", "https://exämple.com/a"),
    ("iri-reference", "/ä"),
    ("uuid", "018f4c1e-5f2a-7c33-8a6b-0c1d2e3f4a5b"),
    ("json-pointer", "/a/0"),
    ("relative-json-pointer", "1/a"),
    ("regex", "^[a-z]+$"),
];

/// Whether a dialect has the format.
pub(super) fn is_standard(dialect: Dialect, name: &str) -> bool {
    STANDARD.iter().any(|(known, _)| *known == name)
        && (dialect != Dialect::Draft7 || !matches!(name, "duration" | "uuid"))
}

/// Whether the format is one of ours.
pub(super) fn is_shipped(name: &str) -> bool {
    matches!(name, "expression" | "json-schema") || SHIPPED.iter().any(|(known, ..)| *known == name)
}

/// The names of all formats known without registration.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let shipped = SHIPPED.iter().map(|(name, ..)| *name);
    STANDARD
        .iter()
        .map(|(name, _)| *name)
        .chain(shipped)
        .chain(["expression", "json-schema"])
}

/// A text that has the format.
pub(super) fn example(name: &str) -> Option<&'static str> {
    let shipped = SHIPPED
        .iter()
        .find(|(known, ..)| *known == name)
        .map(|(_, _, example)| *example);
    shipped.or_else(|| {
        STANDARD
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, example)| *example)
    })
}

/// An address with letters beyond ASCII: mapped to ASCII where the standard form decides.
pub(super) fn is_idn_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"\"(),:;<>[\\]@".contains(c);
    !local.is_empty()
        && local.len() <= 64
        && local.chars().all(plain)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && is_idn_hostname(domain)
}

/// A host name whose labels hold letters, digits, marks and inner hyphens of any script.
pub(super) fn is_idn_hostname(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        !label.is_empty()
            && label.chars().count() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| {
                c == '-'
                    || c.is_alphanumeric()
                    || (!c.is_ascii() && !c.is_whitespace() && !c.is_control())
            })
    };
    text.len() <= 253
        && text
            .split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'])
            .all(label)
}

fn is_semver(text: &str) -> bool {
    semver::Version::parse(text).is_ok()
}

fn is_semver_range(text: &str) -> bool {
    semver::VersionReq::parse(text).is_ok()
}

/// Five fields with an optional leading one for seconds.
fn is_cron(text: &str) -> bool {
    let fields = text.split_whitespace().count();
    (fields == 5 || fields == 6) && text.len() <= 255 && croner::Cron::from_str(text).is_ok()
}

/// Segments joined by `.`: literals, `*` for one segment, a last `**` for one or more.
fn is_event_pattern(text: &str) -> bool {
    let count = text.split('.').count();
    let legal = |(index, segment): (usize, &str)| match segment {
        "*" => true,
        "**" => index + 1 == count,
        literal => {
            (1..=64).contains(&literal.len())
                && literal
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        }
    };
    text.len() <= 255 && count <= 6 && text.split('.').enumerate().all(legal)
}

/// A BCP 47 tag: language, optional script, region and variants, private use.
fn is_locale(text: &str) -> bool {
    let mut subtags = text.split('-');
    let alphabetic = |tag: &str| tag.bytes().all(|b| b.is_ascii_alphabetic());
    let alphanumeric = |tag: &str| tag.bytes().all(|b| b.is_ascii_alphanumeric());
    let language = subtags.next().unwrap_or_default();
    if !(2..=8).contains(&language.len()) || language.len() == 4 || !alphabetic(language) {
        return false;
    }
    let mut stage = 0;
    for tag in subtags {
        if tag.is_empty() || tag.len() > 8 || !alphanumeric(tag) {
            return false;
        }
        let digits = tag.bytes().all(|b| b.is_ascii_digit());
        let next = match tag.len() {
            1 => 4,
            4 if alphabetic(tag) => 1,
            2 if alphabetic(tag) => 2,
            3 if digits => 2,
            5..=8 => 3,
            4 if tag.starts_with(|c: char| c.is_ascii_digit()) => 3,
            // Extensions and private use take any subtag.
            _ if stage == 4 => 4,
            _ => return false,
        };
        let repeats = next >= 3;
        if stage != 4 && (next < stage || (next == stage && !repeats)) {
            return false;
        }
        stage = stage.max(next);
    }
    !text.ends_with("-x")
}

fn is_currency(text: &str) -> bool {
    text.len() == 3 && CURRENCIES.split(' ').any(|code| code == text)
}

/// E.164: a plus sign and up to 15 digits, the first not zero.
fn is_phone(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else {
        return false;
    };
    (2..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// 13 to 19 digits whose Luhn sum ends in zero.
fn is_credit_card(text: &str) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| (13..=19).contains(&digits.len())) else {
        return false;
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, digit)| if i % 2 == 1 { doubled(*digit) } else { *digit })
        .sum();
    sum.is_multiple_of(10)
}

fn is_business_id(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

fn is_iso_duration(text: &str) -> bool {
    text.parse::<IsoDuration>().is_ok()
}

/// The active codes of ISO 4217.
const CURRENCIES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP \
BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS \
GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP \
LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK \
PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP \
TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD \
XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str) -> bool {
        SHIPPED.iter().find(|(known, ..)| *known == name).unwrap().1(text)
    }

    #[test]
    fn examples_have_their_format() {
        for (name, test, example) in SHIPPED {
            assert!(test(example), "{name} {example}");
            assert!(!test("") && !test("\u{0}~ ~"), "{name}");
        }
    }

    #[test]
    fn shipped_formats_tell_right_from_wrong() {
        for (name, right, wrong) in [
            (
                "semver",
                &["1.0.0-rc.1+b"][..],
                &["1.0", "v1.0.0", "01.0.0"][..],
            ),
            (
                "semver-range",
                &[">=1.2, <2", "*", "~1.2.3"],
                &["abc", "^^1"],
            ),
            (
                "cron",
                &["*/5 * * * *", "30 0 8 1 * *", "0 0 L * *"],
                &["* * * *", "61 * * * *", "@daily", "* * * * * * *"],
            ),
            (
                "event-pattern",
                &["a.*.b", "**", "a.**", "*.created"],
                &["a.**.b", "a..b", "a.b*", "a.b.c.d.e.f.g", "a b"],
            ),
            (
                "locale",
                &["en", "zh-Hant-TW", "de-DE-1996", "sl-rozaj", "en-x-a1"],
                &["e", "en-", "en-US-Latn", "en_US", "abcd", "en-x"],
            ),
            ("currency", &["JPY", "XXX"], &["EURO", "eur", "ZZZ", "R U"]),
            (
                "phone",
                &["+12"],
                &["+0123", "0043", "+1234567890123456", "+12 34"],
            ),
            (
                "credit-card",
                &["5500000000000004", "4222222222222"],
                &["4111111111111112", "411111111111", "4111 1111 1111 1111"],
            ),
            ("business-id", &["a", "A.b_c-1"], &["-a", ".a", "a b", "ä"]),
            ("iso-duration", &["P1W", "PT0.5S"], &["P1M", "P1Y", "1S"]),
        ] {
            right
                .iter()
                .for_each(|text| assert!(check(name, text), "{name} {text}"));
            wrong
                .iter()
                .for_each(|text| assert!(!check(name, text), "{name} {text}"));
        }
    }

    #[test]
    fn international_addresses_may_hold_any_letters() {
        assert!(is_idn_email("änn@exämple.com") && is_idn_hostname("例え.テスト"));
        for text in ["@a", "a@", "a b@c", "a@-b", "a@b..c", "a"] {
            assert!(!is_idn_email(text), "{text}");
        }
    }
}
