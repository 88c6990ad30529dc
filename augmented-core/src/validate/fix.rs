//! Carrying out certain repairs: on a value, and on the text of a document without touching any other byte.

use serde_json::Value;

use super::{Finding, PatchOp};
use crate::json::patch::{self, PatchError};
use crate::json::{SourceMap, pointer};

/// Calls the function with every path of an operation.
pub(super) fn each_path(op: &mut PatchOp, change: &mut dyn FnMut(&mut String)) {
    match op {
        PatchOp::Add { path, .. } | PatchOp::Remove { path } | PatchOp::Replace { path, .. } => {
            change(path)
        }
        PatchOp::Move { from, path } => {
            change(from);
            change(path);
        }
    }
}

fn paths(op: &PatchOp) -> Vec<&str> {
    match op {
        PatchOp::Add { path, .. } | PatchOp::Remove { path } | PatchOp::Replace { path, .. } => {
            vec![path]
        }
        PatchOp::Move { from, path } => vec![from, path],
    }
}

/// Whether a fix touches a place inside or above one that another fix of this round has changed.
fn collides(ops: &[PatchOp], changed: &[String]) -> bool {
    let touches = |a: &str, b: &str| pointer::is_at_or_below(a, b) || pointer::is_at_or_below(b, a);
    ops.iter().flat_map(paths).any(|path| {
        // Adding to or removing from an array moves its other elements.
        let list = pointer::split_last(path)
            .filter(|(_, last)| *last == "-" || pointer::index(last).is_some())
            .map(|(list, _)| list);
        changed
            .iter()
            .any(|c| touches(path, c) || list.is_some_and(|l| pointer::is_at_or_below(c, l)))
    })
}

/// The fixes that can be carried out together, in the order of the findings; returns which findings they belong to.
fn choose(findings: &[Finding]) -> (Vec<usize>, Vec<PatchOp>) {
    let mut changed: Vec<String> = Vec::new();
    let mut chosen = Vec::new();
    let mut all = Vec::new();
    for (i, finding) in findings.iter().enumerate() {
        let Some(ops) = &finding.fix else { continue };
        if ops.is_empty() || collides(ops, &changed) {
            continue;
        }
        for op in ops {
            changed.extend(paths(op).into_iter().map(str::to_owned));
            // A moved element changes the positions of all its neighbours.
            if let PatchOp::Move { from, .. } = op
                && let Some((list, last)) = pointer::split_last(from)
                && pointer::index(&last).is_some()
            {
                changed.push(list.to_owned());
            }
        }
        chosen.push(i);
        all.extend(ops.iter().cloned());
    }
    (chosen, all)
}

/// Carries out every certain fix that does not touch another one's place; returns the repaired value and the findings so repaired.
///
/// # Errors
///
/// [`PatchError`] when a fix does not apply to this value.
///
/// ```
/// use augmented_core::validate::{Finding, PatchOp, fix};
/// use serde_json::json;
/// let finding = Finding::error("additionalProperties", "/stepID", "unknown member")
///     .with_fix(vec![PatchOp::Move { from: "/stepID".into(), path: "/stepId".into() }]);
/// let (repaired, done) = fix::apply(&json!({"stepID": "a"}), &[finding]).unwrap();
/// assert_eq!(repaired, json!({"stepId": "a"}));
/// assert_eq!(done.len(), 1);
/// ```
pub fn apply(value: &Value, findings: &[Finding]) -> Result<(Value, Vec<Finding>), PatchError> {
    let (chosen, ops) = choose(findings);
    let repaired = patch::apply(value, &ops)?;
    Ok((
        repaired,
        chosen
            .into_iter()
            .filter_map(|i| findings.get(i))
            .cloned()
            .collect(),
    ))
}

/// Rounds of repair after which nobody waits for more: a fix inside or above a place already changed waits for the next one.
pub const MAX_ROUNDS: usize = 10;

/// A text after one round of repairs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Round {
    /// The text; everything the fixes do not concern stays byte for byte.
    pub text: String,
    /// The findings so repaired, in the order they were given.
    pub fixed: Vec<Finding>,
}

/// Carries every certain fix out on a text that can be carried out together; the rest waits for the next round.
///
/// `source` is the map of the whole text, `documents` the findings of each document in it with the place of the document
/// (`""`, or `/0`, `/1` … in an array of documents).
///
/// ```
/// use augmented_core::json::{Limits, parse};
/// use augmented_core::validate::{Finding, PatchOp, fix};
/// let text = b"[ {\"stepID\" : \"a\"} ]";
/// let parsed = parse(text, &Limits::document()).unwrap();
/// let finding = Finding::error("additionalProperties", "/stepID", "unknown member")
///     .with_fix(vec![PatchOp::Move { from: "/stepID".into(), path: "/stepId".into() }]);
/// let round = fix::apply_to_text(&parsed.source, &[("/0".to_owned(), vec![finding])]);
/// assert_eq!(round.text, "[ {\"stepId\" : \"a\"} ]");
/// ```
#[must_use]
pub fn apply_to_text(source: &SourceMap, documents: &[(String, Vec<Finding>)]) -> Round {
    let mut fixes: Vec<Vec<PatchOp>> = Vec::new();
    let mut origins: Vec<&Finding> = Vec::new();
    for (base, findings) in documents {
        for finding in findings {
            let Some(ops) = &finding.fix else { continue };
            let mut ops = ops.clone();
            for op in &mut ops {
                each_path(op, &mut |path| path.insert_str(0, base));
            }
            fixes.push(ops);
            origins.push(finding);
        }
    }
    let slices: Vec<&[PatchOp]> = fixes.iter().map(Vec::as_slice).collect();
    let edited = patch::apply_to_text(source, &slices);
    let fixed = edited
        .applied
        .iter()
        .filter_map(|i| origins.get(*i))
        .map(|f| (*f).clone())
        .collect();
    Round {
        text: edited.text,
        fixed,
    }
}

/// Repairs a text until no certain fix is left.
///
/// `check` reads and validates a text and gives its map and the findings of each document in it with the place of the
/// document; `None` when the text is no JSON.
pub fn repair_text(
    text: &str,
    mut check: impl FnMut(&str) -> Option<(SourceMap, Vec<(String, Vec<Finding>)>)>,
) -> Round {
    let mut repaired = Round {
        text: text.to_owned(),
        fixed: Vec::new(),
    };
    for _ in 0..MAX_ROUNDS {
        let Some((source, documents)) = check(&repaired.text) else {
            break;
        };
        let round = apply_to_text(&source, &documents);
        if round.fixed.is_empty() || round.text == repaired.text {
            break;
        }
        repaired.text = round.text;
        repaired.fixed.extend(round.fixed);
    }
    repaired
}
