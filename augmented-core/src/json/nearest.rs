//! Finding the name that was probably meant.
//!
//! Two names are near when their edit distance, transpositions counted once, is at most 2 (at most
//! 1 below four letters). Case and word separators do not count.

/// The result of looking for the name that was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nearest<'a> {
    /// The nearest name.
    pub name: &'a str,
    /// Whether it differs in case or word separators only.
    pub same_letters: bool,
    /// Whether no other name is near, so that replacing is certain to be what was meant.
    pub unique: bool,
}

/// The candidate nearest to `name`, if any is near; the first one among equals.
///
/// ```
/// use augmented_core::json::nearest::nearest;
/// let found = nearest("minLenght", ["minLength", "maxLength"]).unwrap();
/// assert_eq!((found.name, found.unique), ("minLength", true));
/// assert!(nearest("colour", ["minLength"]).is_none());
/// ```
pub fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<Nearest<'a>> {
    let wanted = letters(name);
    let limit = limit(wanted.len());
    let mut best: Option<(usize, &'a str)> = None;
    let mut near = 0_usize;
    let mut exact = 0_usize;
    for candidate in candidates {
        if candidate == name {
            continue;
        }
        let Some(distance) = distance(&wanted, &letters(candidate), limit) else {
            continue;
        };
        near += 1;
        exact += usize::from(distance == 0);
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    let (distance, name) = best?;
    let unique = near == 1 || (distance == 0 && exact == 1);
    Some(Nearest {
        name,
        same_letters: distance == 0,
        unique,
    })
}

/// Whether two names differ in case and word separators only.
#[must_use]
pub fn same_letters(a: &str, b: &str) -> bool {
    letters(a) == letters(b)
}

/// The longest name that is compared; longer ones are nobody's misspelling.
const MAX_LETTERS: usize = 128;

/// The letters and digits of a name in lower case: `max_retries`, `maxRetries`, `MAX-RETRIES` agree.
fn letters(name: &str) -> Vec<char> {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' ' | '.'))
        .flat_map(char::to_lowercase)
        .take(MAX_LETTERS + 1)
        .collect()
}

/// How far apart names of this length may be; a name shares at least one letter with what it means.
fn limit(length: usize) -> usize {
    match length {
        0 | 1 => 0,
        2 | 3 => 1,
        _ => 2,
    }
}

/// The optimal string alignment distance, if it does not exceed `limit`.
fn distance(a: &[char], b: &[char], limit: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > limit || a.len() > MAX_LETTERS || b.len() > MAX_LETTERS {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut current = Vec::with_capacity(b.len() + 1);
        current.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let at =
                |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let mut cost = (at(&previous, j) + usize::from(x != y))
                .min(at(&previous, j + 1) + 1)
                .min(at(&current, j) + 1);
            let transposed = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if transposed {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            current.push(cost);
        }
        if current.iter().min().is_some_and(|least| *least > limit) {
            return None;
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous.last().copied().filter(|found| *found <= limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(name: &str, candidates: &[&str], expected: Option<(&str, bool)>) {
        let found = nearest(name, candidates.iter().copied());
        assert_eq!(found.map(|n| (n.name, n.unique)), expected, "{name}");
    }

    #[test]
    fn near_names_are_found() {
        check("stepID", &["stepId", "steps"], Some(("stepId", true)));
        check("next_step_id", &["nextStepId"], Some(("nextStepId", true)));
        check(
            "minLenght",
            &["minLength", "maxLength"],
            Some(("minLength", true)),
        );
        check("aprove", &["approve", "reject"], Some(("approve", true)));
        check("steps", &["step", "steps2"], Some(("step", false)));
    }

    #[test]
    fn far_names_are_not() {
        check("maxRetries", &["maxAttempts"], None);
        check("id", &["to", "by"], None);
        check("x", &["y"], None);
        check("abc", &["abd", "xyc"], Some(("abd", true)));
        check("", &["a"], None);
    }

    #[test]
    fn case_and_separators_do_not_count() {
        let found = nearest("fan-out", ["FAN_OUT", "FANOUTS"]).unwrap();
        assert_eq!(
            (found.name, found.same_letters, found.unique),
            ("FAN_OUT", true, true)
        );
    }

    proptest! {
        #[test]
        fn distance_is_symmetric(a in "[a-d]{0,7}", b in "[a-d]{0,7}") {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            prop_assert_eq!(distance(&a, &b, 9), distance(&b, &a, 9));
        }

        #[test]
        fn one_typing_error_is_near(name in "[a-z]{4,12}", at in 0usize..12, letter in "[a-z]") {
            let mut wrong: Vec<char> = name.chars().collect();
            let at = at % wrong.len();
            wrong.insert(at, letter.chars().next().unwrap());
            let wrong: String = wrong.into_iter().collect();
            prop_assert_eq!(nearest(&wrong, [name.as_str()]).map(|n| n.name), Some(name.as_str()));
        }
    }
}
