//! The arguments that findings have, held against those that their codes declare.

use augmented_core::codes;
use augmented_core::validate::Finding;

/// Holds the arguments of findings against their codes.
pub(crate) fn assert_arguments<'f>(findings: impl IntoIterator<Item = &'f Finding>) {
    let wrong: Vec<String> = findings.into_iter().filter_map(wrong_arguments).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the names of a finding's arguments have against what its code declares.
fn wrong_arguments(finding: &Finding) -> Option<String> {
    let declared = codes::find(&finding.code)?.arguments;
    let given: Vec<&str> = finding.arguments().iter().map(|(name, _)| name).collect();
    let known = |name: &&str| declared.iter().any(|d| d.trim_end_matches('?') == *name);
    let mut needed = declared.iter().filter(|d| !d.ends_with('?'));
    let right = needed.all(|name| given.contains(name)) && given.iter().all(known);
    (!right).then(|| format!("{finding}\n    has {given:?}, declared are {declared:?}"))
}
