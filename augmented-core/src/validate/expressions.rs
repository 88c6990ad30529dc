//! Compiling the expressions of a document, each once, and reporting what is wrong with them.

use serde_json::Value;

use super::place::Place;
use super::{Finding, PatchOp};
use crate::expr::{ExprProblem, ExprSite, ExpressionEngine, Reference, TemplateProblem};
use crate::json::pointer;

/// Compiles expressions and mappings and collects findings; every read is handed to the caller.
pub(crate) struct Expressions<'c> {
    engine: &'c dyn ExpressionEngine,
    /// Step ids that cannot be written after a dot.
    dashed: Vec<&'c str>,
}

/// One read of an expression, with the place of the string it stands in.
pub(crate) struct Read<'r> {
    pub(crate) reference: &'r Reference,
    /// Pointer of the string.
    pub(crate) pointer: &'r str,
    /// Where the read stands in that string, in Unicode scalar values.
    pub(crate) offset: Option<usize>,
}

impl<'c> Expressions<'c> {
    pub(crate) fn new(engine: &'c dyn ExpressionEngine) -> Self {
        Self {
            engine,
            dashed: Vec::new(),
        }
    }

    /// Tells which step ids hold a dash, so that `steps.a-b.x` is recognised.
    pub(crate) fn know_steps(&mut self, ids: impl Iterator<Item = &'c str>) {
        self.dashed = ids.filter(|id| id.contains('-')).collect();
        // The longest first, so that `a-b` does not hide `a-b-c`.
        self.dashed.sort_by_key(|id| std::cmp::Reverse(id.len()));
    }

    /// Checks a field that holds a bare expression.
    pub(crate) fn bare(
        &mut self,
        value: Option<&Value>,
        place: &Place<'_>,
        site: &ExprSite,
        findings: &mut Vec<Finding>,
        mut read: impl FnMut(Read<'_>, &mut Vec<Finding>),
    ) {
        let Some(source) = value.and_then(Value::as_str) else {
            return;
        };
        let dashed = self.dash_repair(source, false);
        if let Some(right) = &dashed {
            findings.push(dash_finding(source, right, place.to_string()));
        }
        let source = dashed.as_deref().unwrap_or(source);
        let mut exact = dashed.is_none();
        let compiled = match self.engine.compile(source, site) {
            Ok(compiled) => Some(compiled),
            Err(problems) => {
                let replacement = problems.iter().find_map(|p| p.replacement.clone());
                if dashed.is_none() {
                    findings.extend(
                        problems
                            .into_iter()
                            .map(|p| finding_of(p, place.to_string())),
                    );
                }
                // What the repair would give is checked as well, so that one run reports all there is.
                exact = false;
                replacement.and_then(|right| self.recompile(&right, site, place, findings))
            }
        };
        if let Some(compiled) = compiled {
            let references = compiled.references();
            if references.iter().next().is_some() {
                let pointer = place.to_string();
                for reference in references.iter() {
                    read(
                        Read {
                            reference,
                            pointer: &pointer,
                            offset: reference.offset.filter(|_| exact),
                        },
                        findings,
                    );
                }
            }
        }
    }

    fn recompile(
        &self,
        source: &str,
        site: &ExprSite,
        place: &Place<'_>,
        findings: &mut Vec<Finding>,
    ) -> Option<crate::expr::CompiledExpr> {
        match self.engine.compile(source, site) {
            Ok(compiled) => Some(compiled),
            Err(problems) => {
                for problem in problems {
                    // Its position counts in the repaired text, which the author does not see yet.
                    let mut finding = finding_of(problem, place.to_string());
                    finding.offset_in_string = None;
                    finding.fix = None;
                    findings.push(finding);
                }
                None
            }
        }
    }

    /// Checks a field that holds a mapping or a template.
    pub(crate) fn mapping(
        &mut self,
        value: Option<&Value>,
        place: &Place<'_>,
        site: &ExprSite,
        findings: &mut Vec<Finding>,
        mut read: impl FnMut(Read<'_>, &mut Vec<Finding>),
    ) {
        let Some(tree) = value else { return };
        if !may_hold_expressions(tree) {
            return;
        }
        let mut repaired: Option<Value> = None;
        if !self.dashed.is_empty() && some_string(tree, &|text| text.contains("steps.")) {
            self.repair_dashes(tree, "", place, &mut repaired, findings);
        }
        let mut reported_dashes = repaired.is_some();
        for _ in 0..3 {
            let tree = repaired.as_ref().unwrap_or(tree);
            let problems = match self.engine.compile_template(tree, site) {
                Ok(template) => {
                    for part in template.references() {
                        let pointer = place.then(part.pointer);
                        // In a repaired text positions count in what the author does not see yet.
                        let offset = part.offset.filter(|_| !reported_dashes);
                        read(
                            Read {
                                reference: part.reference,
                                pointer: &pointer,
                                offset,
                            },
                            findings,
                        );
                    }
                    return;
                }
                Err(problems) => problems,
            };
            let mut next = tree.clone();
            let mut changed = false;
            for TemplateProblem {
                pointer: at,
                problem,
                ..
            } in problems
            {
                // What cannot be repaired is taken out, so that the rest is still checked.
                if let Some(string) = pointer::resolve_mut(&mut next, &at).filter(|s| s.is_string())
                {
                    *string = problem
                        .replacement
                        .clone()
                        .map_or(Value::Null, Value::String);
                    changed = true;
                }
                let mut finding = finding_of(problem, place.then(&at));
                if reported_dashes {
                    finding.offset_in_string = None;
                    finding.fix = None;
                }
                findings.push(finding);
            }
            if !changed {
                return;
            }
            reported_dashes = true;
            repaired = Some(next);
        }
    }

    fn repair_dashes(
        &self,
        tree: &Value,
        at: &str,
        place: &Place<'_>,
        repaired: &mut Option<Value>,
        findings: &mut Vec<Finding>,
    ) {
        let mut strings = Vec::new();
        collect_strings(tree, at.to_owned(), &mut strings);
        for (at, text) in strings {
            if let Some(right) = self.dash_repair(text, true) {
                findings.push(dash_finding(text, &right, place.then(&at)));
                let copy = repaired.get_or_insert_with(|| tree.clone());
                if let Some(string) = pointer::resolve_mut(copy, &at) {
                    *string = Value::String(right);
                }
            }
        }
    }

    /// `steps.a-b.x` with `steps["a-b"].x` in its place, if `a-b` is a step.
    fn dash_repair(&self, source: &str, template: bool) -> Option<String> {
        if self.dashed.is_empty() || !source.contains("steps.") {
            return None;
        }
        let mut right = String::with_capacity(source.len() + 8);
        let mut rest = source;
        let mut changed = false;
        while let Some(found) = rest.find("steps.") {
            let (before, after) = rest.split_at(found);
            right.push_str(before);
            let name = after.strip_prefix("steps.").unwrap_or_default();
            let whole_word =
                !right.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
            let in_expression = !template
                || right
                    .rfind("${")
                    .is_some_and(|open| !right.get(open..).is_some_and(|t| t.contains('}')));
            let outside_text = right.matches('"').count().is_multiple_of(2) || template;
            let step = self.dashed.iter().find(|id| {
                name.strip_prefix(**id).is_some_and(|after| {
                    !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                })
            });
            match step {
                Some(id) if whole_word && in_expression && outside_text => {
                    right.push_str("steps[\"");
                    right.push_str(id);
                    right.push_str("\"]");
                    rest = name.get(id.len()..).unwrap_or_default();
                    changed = true;
                }
                _ => {
                    right.push_str("steps.");
                    rest = name;
                }
            }
        }
        right.push_str(rest);
        changed.then_some(right)
    }
}

fn finding_of(problem: ExprProblem, pointer: String) -> Finding {
    let mut finding = Finding::error(problem.code, pointer, problem.message);
    finding.hint = problem.hint;
    finding.offset_in_string = problem.offset;
    if let Some(right) = problem.replacement {
        if finding.hint.is_none() {
            finding.hint = Some(format!("write `{right}`"));
        }
        finding.fix = Some(vec![PatchOp::Replace {
            path: finding.pointer.clone(),
            value: Value::String(right),
        }]);
    }
    finding
}

fn dash_finding(source: &str, right: &str, pointer: String) -> Finding {
    let same = source
        .chars()
        .zip(right.chars())
        .take_while(|(a, b)| a == b)
        .count();
    Finding::error(
        "EXPR_PARSE",
        pointer.as_str(),
        "`-` subtracts; a step id with a dash needs index syntax",
    )
    .with_hint(format!("write `{right}`"))
    .with_offset(same)
    .with_fix(vec![PatchOp::Replace {
        path: pointer,
        value: right.into(),
    }])
}

fn some_string(tree: &Value, test: &dyn Fn(&str) -> bool) -> bool {
    match tree {
        Value::String(text) => test(text),
        Value::Array(elements) => elements.iter().any(|element| some_string(element, test)),
        Value::Object(members) => members.values().any(|value| some_string(value, test)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether some string of the tree may hold an expression, or the tree has members with a meaning of their own.
fn may_hold_expressions(tree: &Value) -> bool {
    match tree {
        // Import forms such as `{{x}}` and bare paths hold no `${`.
        Value::String(text) => text.contains(['$', '{', '.']),
        Value::Array(elements) => elements.iter().any(may_hold_expressions),
        Value::Object(members) => members.iter().any(|(name, value)| {
            name.starts_with('$') || name.ends_with('?') || may_hold_expressions(value)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn collect_strings<'v>(tree: &'v Value, at: String, strings: &mut Vec<(String, &'v str)>) {
    match tree {
        Value::String(text) => strings.push((at, text)),
        Value::Array(elements) => {
            for (i, element) in elements.iter().enumerate() {
                collect_strings(element, pointer::join_index(&at, i), strings);
            }
        }
        Value::Object(members) => {
            for (name, value) in members
                .iter()
                .filter(|(name, _)| name.as_str() != "$literal")
            {
                collect_strings(value, pointer::join(&at, name), strings);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
