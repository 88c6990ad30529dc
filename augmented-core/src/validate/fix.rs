//! Carrying out certain repairs: on a value, and on the text of a document without touching any other byte.

use serde_json::Value;

use super::{Finding, PatchOp};
use crate::json::patch::{self, PatchError};
use crate::json::{SourceMap, pointer};

/// Calls the function with every path of an operation.
pub(super) fn each_path(op: &mut PatchOp, change: &mut dyn FnMut(&mut String)) {
    match op {
        PatchOp::Add { path, .. } | PatchOp::Remove { path } | PatchOp::Replace { path, .. } => change(path),
        PatchOp::Move { from, path } => {
            change(from);
            change(path);
        }
    }
}

fn paths(op: &PatchOp) -> Vec<&str> {
    match op {
        PatchOp::Add { path, .. } | PatchOp::Remove { path } | PatchOp::Replace { path, .. } => vec![path],
        PatchOp::Move { from, path } => vec![from, path],
    }
}

/// Whether a fix touches a place inside or above one that another fix of this round has changed.
fn collides(ops: &[PatchOp], changed: &[String]) -> bool {
    let touches = |a: &str, b: &str| pointer::is_at_or_below(a, b) || pointer::is_at_or_below(b, a);
    ops.iter().flat_map(paths).any(|path| {
        // Adding to or removing from an array moves its other elements.
        let list = pointer::split_last(path).filter(|(_, last)| *last == "-" || pointer::index(last).is_some()).map(|(list, _)| list);
        changed.iter().any(|c| touches(path, c) || list.is_some_and(|l| pointer::is_at_or_below(c, l)))
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
    Ok((repaired, chosen.into_iter().filter_map(|i| findings.get(i)).cloned().collect()))
}

/// As [`apply`], on the text: everything the fixes do not concern stays byte for byte.
///
/// `base` is the place of the document in the text, `""` unless the text is an array of documents.
///
/// # Errors
///
/// [`PatchError`] when a fix does not apply to this text.
pub fn apply_to_text(source: &SourceMap, base: &str, findings: &[Finding]) -> Result<(String, Vec<Finding>), PatchError> {
    let (chosen, mut ops) = choose(findings);
    for op in &mut ops {
        each_path(op, &mut |path| path.insert_str(0, base));
    }
    let text = patch::apply(&Value::Null, &ops).map(|_| source.text().to_owned())?;
    Ok((text, chosen.into_iter().filter_map(|i| findings.get(i)).cloned().collect()))
}

/// A text after all rounds of repair.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Repaired {
    /// The text, equal to the given one where nothing was repaired.
    pub text: String,
    /// What was repaired, in the order of the rounds.
    pub fixed: Vec<Finding>,
}

/// Rounds of repair: a fix inside or above a place already changed waits for the next one.
const MAX_ROUNDS: usize = 10;

/// Repairs a text until no certain fix is left: `check` parses and validates it and returns its findings with their
/// base pointers (the place of their document in the text).
///
/// # Errors
///
/// [`PatchError`] when a fix does not apply.
pub fn repair_text(text: &str, mut check: impl FnMut(&str) -> Option<(SourceMap, Vec<(String, Vec<Finding>)>)>) -> Result<Repaired, PatchError> {
    let mut repaired = Repaired { text: text.to_owned(), fixed: Vec::new() };
    for _ in 0..MAX_ROUNDS {
        let Some((source, documents)) = check(&repaired.text) else { break };
        let mut ops = Vec::new();
        let mut fixed = Vec::new();
        for (base, findings) in &documents {
            let (chosen, mut own) = choose(findings);
            for op in &mut own {
                each_path(op, &mut |path| path.insert_str(0, base));
            }
            ops.extend(own);
            fixed.extend(chosen.into_iter().filter_map(|i| findings.get(i)).cloned());
        }
        if ops.is_empty() {
            break;
        }
        let next = patch::apply(&Value::Null, &ops).map(|_| source.text().to_owned())?;
        if next == repaired.text {
            break;
        }
        repaired.text = next;
        repaired.fixed.extend(fixed);
    }
    Ok(repaired)
}
