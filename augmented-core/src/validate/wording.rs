//! Words of hints: the nearest known name, or the list of what is possible.

use crate::json::nearest::nearest;

/// "did you mean `x`?" for the nearest candidate, else the list of what is possible, cut to a line.
pub(crate) fn suggest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    what: &str,
) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(near) = nearest(written, candidates.iter().copied()) {
        return Some(format!("did you mean `{}`?", near.name));
    }
    list(&candidates).map(|names| format!("{what}: {names}"))
}

/// The nearest candidate, if one is near.
pub(crate) fn near<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    nearest(written, candidates).map(|near| near.name)
}

/// "`a`, `b` and 3 more", or `None` for none.
pub(crate) fn list(names: &[&str]) -> Option<String> {
    const SHOWN: usize = 8;
    if names.is_empty() {
        return None;
    }
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{}`", cut(name)))
        .collect();
    let rest = names.len().saturating_sub(SHOWN);
    let mut text = shown.join(", ");
    if rest > 0 {
        text.push_str(&format!(" and {rest} more"));
    }
    Some(text)
}

/// A value as it may appear in a message: at most 200 characters.
pub(crate) fn cut(text: &str) -> String {
    const LIMIT: usize = 200;
    if text.len() <= LIMIT {
        return text.to_owned();
    }
    let mut chars = text.chars();
    let head: String = chars.by_ref().take(LIMIT).collect();
    if chars.next().is_some() {
        format!("{head}…")
    } else {
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_what_is_possible_when_nothing_is_near() {
        assert_eq!(
            suggest("aprove", ["approve", "b"], "steps here").unwrap(),
            "did you mean `approve`?"
        );
        assert_eq!(
            suggest("ghost", ["a", "b"], "steps here").unwrap(),
            "steps here: `a`, `b`"
        );
        assert_eq!(suggest("ghost", [], "steps here"), None);
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(cut(&"ä".repeat(300)).chars().count(), 201);
    }
}
