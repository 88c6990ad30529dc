//! The law of repairs: after applying a fix its finding is gone and no new error exists.
//!
//! Where a fix is made only the keywords around it are looked at; another branch or a sibling
//! keyword may see it differently. So each fix is tried out before it is offered.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;

use crate::json::patch;
use crate::validate::{Finding, PatchOp};

/// Parts of values judged again for one set of findings; fixes beyond it are not offered.
const MAX_WORK: usize = 5_000_000;

/// Drops the fixes that break the law. `judge` gives the findings about a changed value; `base` is
/// where `value` stands in its document.
pub(super) fn keep_lawful(
    findings: &mut [Finding],
    value: &Value,
    base: &str,
    judge: &dyn Fn(&Value) -> Vec<Finding>,
) {
    let errors: HashSet<Key> = findings.iter().filter(|f| f.is_error()).map(key).collect();
    let size = parts(value);
    let mut work = 0_usize;
    for finding in findings.iter_mut().filter(|finding| finding.fix.is_some()) {
        work = work.saturating_add(size);
        let own = key(finding);
        let lawful = work <= MAX_WORK
            && finding
                .fix
                .as_deref()
                .and_then(|fix| relative(fix, base))
                .is_some_and(|fix| {
                    patch::apply(value, &fix).is_ok_and(|changed| {
                        let after = judge(&changed);
                        after.iter().all(|other| {
                            key(other) != own && (!other.is_error() || errors.contains(&key(other)))
                        })
                    })
                });
        if !lawful {
            finding.fix = None;
        }
    }
}

type Key = (Cow<'static, str>, String);

fn key(finding: &Finding) -> Key {
    (finding.code.clone(), finding.pointer.clone())
}

/// A fix with pointers relative to the value at `base`.
fn relative(fix: &[PatchOp], base: &str) -> Option<Vec<PatchOp>> {
    let below = |path: &str| path.strip_prefix(base).map(str::to_owned);
    fix.iter()
        .map(|op| {
            Some(match op {
                PatchOp::Add { path, value } => PatchOp::Add {
                    path: below(path)?,
                    value: value.clone(),
                },
                PatchOp::Remove { path } => PatchOp::Remove { path: below(path)? },
                PatchOp::Replace { path, value } => PatchOp::Replace {
                    path: below(path)?,
                    value: value.clone(),
                },
                PatchOp::Move { from, path } => PatchOp::Move {
                    from: below(from)?,
                    path: below(path)?,
                },
            })
        })
        .collect()
}

fn parts(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(parts).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(parts).sum::<usize>(),
        _ => 1,
    }
}
