//! Level L1: the JSON Schema of the kind, with everything a certain repair would repair taken as repaired.

mod context;
mod hints;
mod import;
mod values;

use std::borrow::Cow;

use serde_json::Value;

use super::place::lies_in;
use super::{Finding, PatchOp};
use crate::json::patch;
use crate::model::DefinitionKind;
use crate::schema::CompiledSchema;

/// A document after L1: what was found, and the document as the certain repairs would leave it.
pub(super) struct Structure<'d> {
    /// Findings with pointers into the document as written.
    pub(super) findings: Vec<Finding>,
    /// The repaired document, on which the later levels work.
    pub(super) value: Cow<'d, Value>,
    moves: Moves,
}

/// Which places of the repaired document stand elsewhere in the document as written.
#[derive(Default)]
struct Moves(Vec<Moved>);

struct Moved {
    now: String,
    was: String,
    /// Places below it correspond; otherwise the value was made from what stood there.
    whole: bool,
}

impl Moves {
    /// The place in the document as written; the flag says whether it corresponds exactly.
    fn written(&self, pointer: &str) -> (String, bool) {
        let mut at = pointer.to_owned();
        let mut exact = true;
        for moved in self.0.iter().rev() {
            if lies_in(&at, &moved.now) {
                if moved.whole {
                    at.replace_range(..moved.now.len(), &moved.was);
                } else {
                    at.clone_from(&moved.was);
                    exact = false;
                }
            }
        }
        (at, exact)
    }
}

/// Repairs beyond this many rounds are nobody's spelling mistakes.
const MAX_ROUNDS: usize = 6;

/// Checks a document against the schema of its kind.
pub(super) fn check<'d>(
    kind: DefinitionKind,
    document: Cow<'d, Value>,
    schema: &CompiledSchema,
) -> Structure<'d> {
    let mut structure = Structure {
        findings: Vec::new(),
        value: document,
        moves: Moves::default(),
    };
    if schema.is_valid(&structure.value) {
        return structure;
    }
    for _ in 0..MAX_ROUNDS {
        let mut found = schema.validate(&structure.value);
        improve(kind, &structure.value, &mut found);
        let repairs: Vec<Vec<PatchOp>> = found.iter().filter_map(|f| f.fix.clone()).collect();
        if repairs.is_empty() {
            structure.report(found);
            return structure;
        }
        // The rest of this round comes back in the next one, unless a repair was its cause, too.
        found.retain(|f| f.fix.is_some());
        structure.report(found);
        if !structure.repair(&repairs) {
            let rest = schema.validate(&structure.value);
            structure.report(rest);
            return structure;
        }
    }
    structure
}

impl Structure<'_> {
    /// Keeps findings of the working copy under the pointers of the document as written.
    fn report(&mut self, found: Vec<Finding>) {
        for finding in found {
            let finding = self.as_written(finding);
            if !self
                .findings
                .iter()
                .any(|f| f.pointer == finding.pointer && f.code == finding.code)
            {
                self.findings.push(finding);
            }
        }
    }

    /// A finding of the repaired document as one of the document as written.
    pub(super) fn as_written(&self, mut finding: Finding) -> Finding {
        if self.moves.0.is_empty() {
            return finding;
        }
        let (pointer, exact) = self.moves.written(&finding.pointer);
        finding.pointer = pointer;
        if !exact {
            finding.offset_in_string = None;
        }
        for related in finding.related.iter_mut().filter(|r| r.kind.is_none()) {
            related.pointer = self.moves.written(&related.pointer).0;
        }
        if let Some(fix) = &mut finding.fix {
            let mut exact = true;
            for op in fix.iter_mut() {
                exact &= self.written_op(op);
            }
            if !exact {
                finding.fix = None;
            }
        }
        finding
    }

    fn written_op(&self, op: &mut PatchOp) -> bool {
        let mut exact = true;
        let mut to_written = |path: &mut String| {
            let (written, same) = self.moves.written(path);
            *path = written;
            exact &= same;
        };
        match op {
            PatchOp::Add { path, .. }
            | PatchOp::Remove { path }
            | PatchOp::Replace { path, .. } => to_written(path),
            PatchOp::Move { from, path } => {
                to_written(from);
                to_written(path);
            }
        }
        exact
    }

    /// Carries the repairs out on the working copy; false when none could be.
    fn repair(&mut self, repairs: &[Vec<PatchOp>]) -> bool {
        let mut any = false;
        for ops in repairs {
            if let Ok(value) = patch::apply(&self.value, ops) {
                self.value = Cow::Owned(value);
                self.remember(ops);
                any = true;
            }
        }
        any
    }

    fn remember(&mut self, ops: &[PatchOp]) {
        let removed: Vec<&str> = ops
            .iter()
            .filter_map(|op| match op {
                PatchOp::Remove { path } => Some(path.as_str()),
                _ => None,
            })
            .collect();
        for op in ops {
            match op {
                PatchOp::Move { from, path } => {
                    self.moves.0.push(Moved {
                        now: path.clone(),
                        was: from.clone(),
                        whole: true,
                    });
                }
                PatchOp::Add { path, .. } => {
                    if let Some(origin) = removed.first() {
                        self.moves.0.push(Moved {
                            now: path.clone(),
                            was: (*origin).to_owned(),
                            whole: false,
                        });
                    }
                }
                PatchOp::Remove { .. } | PatchOp::Replace { .. } => {}
            }
        }
    }

    /// Structural findings give way to findings of the rules that say the same with more sense.
    pub(super) fn give_way(&mut self, later: &[Finding]) {
        let other_kind = later.iter().any(|f| f.code == "TASK_TYPE_KIND_MISMATCH");
        self.findings.retain(|finding| {
            // What a type of task needs is not asked for while its type is in doubt.
            if other_kind
                && matches!(&*finding.code, "falseSchema" | "required")
                && finding.pointer.matches('/').count() == 1
            {
                return finding.pointer == "/name" || finding.pointer == "/version";
            }
            let general = matches!(
                &*finding.code,
                "falseSchema"
                    | "not"
                    | "dependentRequired"
                    | "required"
                    | "pattern"
                    | "const"
                    | "maximum"
                    | "uniqueItems"
            );
            if general
                && later
                    .iter()
                    .any(|better| better.pointer == finding.pointer && better.is_error())
            {
                return false;
            }
            // "exactly one of" is told of the object, and by the rules of the member to change.
            let alternatives = matches!(&*finding.code, "oneOf" | "anyOf");
            let told = |better: &Finding| {
                matches!(&*better.code, "oneOf" | "required" | "WAIT_UNCONFIGURED")
                    && crate::json::pointer::parent(&better.pointer)
                        == Some(finding.pointer.as_str())
            };
            !(alternatives && later.iter().any(told))
        });
    }

    /// Whether the place is that of a member which another one was probably meant to be.
    pub(super) fn is_misspelt(&self, pointer: &str) -> bool {
        let Some((parent, name)) = crate::json::pointer::split_last(pointer) else {
            return false;
        };
        self.findings.iter().any(|f| {
            f.code == "additionalProperties"
                && crate::json::pointer::parent(&f.pointer) == Some(parent)
                && f.hint
                    .as_ref()
                    .is_some_and(|hint| hint.contains(&format!("`{name}`")))
        })
    }

    /// Whether the structure at or above the place is broken, so that later levels have nothing to say of it.
    pub(super) fn is_broken_at(&self, pointer: &str) -> bool {
        self.findings.iter().any(|f| {
            // What is repaired is no obstacle, and an unknown member says nothing of its neighbours.
            f.fix.is_none() && f.is_error() && lies_in(pointer, &f.pointer)
        })
    }
}

/// Makes structural findings say what would be right: import forms, spellings of values, examples.
fn improve(kind: DefinitionKind, document: &Value, found: &mut Vec<Finding>) {
    for finding in found.iter_mut() {
        match &*finding.code {
            "additionalProperties" | "unevaluatedProperties" => {
                import::member(kind, document, finding)
            }
            "type" | "enum" | "const" | "pattern" | "minimum" | "maximum" | "oneOf" | "anyOf"
            | "minLength" => {
                values::value(kind, document, finding);
            }
            "required" => hints::required(kind, document, finding),
            _ => {}
        }
    }
    drop_companions(found);
    drop_required_that_were_misspelt(found);
    drop_second_repairs(found);
}

/// A member that another one's repair takes along needs no finding of its own; of two that take each other the first stays.
fn drop_companions(found: &mut Vec<Finding>) {
    let mut taken: Vec<String> = Vec::new();
    found.retain(|f| {
        if taken.contains(&f.pointer) {
            return false;
        }
        taken.extend(f.fix.iter().flatten().filter_map(|op| match op {
            PatchOp::Remove { path } if *path != f.pointer => Some(path.clone()),
            _ => None,
        }));
        true
    });
}

/// An unknown member taken for the misspelling of an absent one stands for that one's `required`.
fn drop_required_that_were_misspelt(found: &mut Vec<Finding>) {
    let meant: Vec<(String, String)> = found
        .iter()
        .filter(|f| f.code == "additionalProperties")
        .filter_map(|f| {
            Some((
                crate::json::pointer::parent(&f.pointer)?.to_owned(),
                f.hint.clone()?,
            ))
        })
        .collect();
    found.retain(|f| {
        if f.code != "required" {
            return true;
        }
        let Some((parent, member)) = crate::json::pointer::split_last(&f.pointer) else {
            return true;
        };
        !meant
            .iter()
            .any(|(object, hint)| object == parent && hint.contains(&format!("`{member}`")))
    });
}

/// Two repairs that put something at one place cannot both be certain.
fn drop_second_repairs(found: &mut [Finding]) {
    let mut targets: Vec<String> = Vec::new();
    for finding in found.iter_mut() {
        let Some(fix) = &finding.fix else { continue };
        let own: Vec<String> = fix
            .iter()
            .filter_map(|op| match op {
                PatchOp::Add { path, .. } | PatchOp::Move { path, .. } => Some(path.clone()),
                PatchOp::Remove { .. } | PatchOp::Replace { .. } => None,
            })
            .collect();
        if own
            .iter()
            .any(|path| targets.contains(path) && !path.ends_with("/-"))
        {
            finding.fix = None;
        } else {
            targets.extend(own);
        }
    }
}
