//! Which regular expressions are accepted: those a linear-time engine can run.

/// What the pattern uses that a linear-time engine lacks, if anything.
pub(super) fn unsupported(pattern: &str) -> Option<&'static str> {
    let mut in_class = false;
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '\\' => {
                let escaped = after.chars().next();
                if !in_class && escaped.is_some_and(|c| matches!(c, '1'..='9')) {
                    return Some("a back-reference");
                }
                if !in_class && after.starts_with("k<") {
                    return Some("a back-reference");
                }
                rest = after
                    .get(escaped.map_or(0, char::len_utf8)..)
                    .unwrap_or_default();
                continue;
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                for (form, name) in [
                    ("?=", "a look-ahead"),
                    ("?!", "a look-ahead"),
                    ("?<=", "a look-behind"),
                    ("?<!", "a look-behind"),
                ] {
                    if after.starts_with(form) {
                        return Some(name);
                    }
                }
            }
            _ => {}
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_around_and_back_references_are_seen() {
        for (pattern, expected) in [
            ("^(?=.*[0-9]).+$", Some("a look-ahead")),
            ("a(?!b)", Some("a look-ahead")),
            ("(?<=a)b", Some("a look-behind")),
            ("(a)\\1", Some("a back-reference")),
            ("(?<x>a)\\k<x>", Some("a back-reference")),
            ("^(?:a|b)+[(?=]\\(?=$", None),
            ("^[\\]\\1]$", None),
            ("^(a+)+$", None),
        ] {
            assert_eq!(unsupported(pattern), expected, "{pattern}");
        }
    }
}
