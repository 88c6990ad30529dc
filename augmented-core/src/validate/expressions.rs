//! Compiling the expressions of a document, each once, and reporting what is wrong with them.

use serde_json::Value;

use super::place::Place;
use super::{Finding, PatchOp};
use crate::expr::{
    CompiledExpr, EXPR_UNKNOWN_ROOT, ExprProblem, ExprSite, ExpressionEngine, FieldClass,
    Reference, TemplateProblem,
};
use crate::json::pointer;

/// Compiles expressions and mappings and collects findings; every read is handed to the caller.
pub(crate) struct Expressions<'c> {
    engine: &'c dyn ExpressionEngine,
    /// Step ids that cannot be written after a dot.
    dashed: Vec<&'c str>,
    /// Where the expressions that follow are evaluated, if they are to be kept.
    reader: Option<KeptReader>,
    kept: Vec<Kept>,
    /// All step ids, and the members of the input that cannot be written after a dot.
    steps: Vec<&'c str>,
    dashed_inputs: Vec<&'c str>,
}

/// A compiled expression with its place, for the checks that know the schemas of what it reads.
pub(crate) struct Kept {
    pub(crate) expr: CompiledExpr,
    /// Pointer of the string.
    pub(crate) pointer: String,
    pub(crate) class: FieldClass,
    pub(crate) reader: KeptReader,
    /// Where the expression begins in the string, unless a repair changed the string.
    pub(crate) offset: Option<usize>,
}

/// Where an expression is evaluated, as far as it matters for what the roots hold.
#[derive(Clone, Copy)]
pub(crate) enum KeptReader {
    /// Behind the work of a step, whose result is `output`.
    Behind(usize),
    Elsewhere,
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
            reader: None,
            kept: Vec::new(),
            steps: Vec::new(),
            dashed_inputs: Vec::new(),
        }
    }

    /// Says where the expressions that follow are evaluated; those of no reader are not kept.
    pub(crate) fn read_by(&mut self, reader: Option<KeptReader>) {
        self.reader = reader;
    }

    /// The compiled expressions of the readers.
    pub(crate) fn into_kept(self) -> Vec<Kept> {
        self.kept
    }

    fn keep(
        &mut self,
        expr: &CompiledExpr,
        pointer: &str,
        class: FieldClass,
        offset: Option<usize>,
    ) {
        let reads = |root| expr.references().reads(root);
        if let Some(reader) = self.reader
            && (reads("input") || reads("steps") || reads("output"))
        {
            self.kept.push(Kept {
                expr: expr.clone(),
                pointer: pointer.to_owned(),
                class,
                reader,
                offset,
            });
        }
    }

    /// Tells which step ids hold a dash, so that `steps.a-b.x` is recognised.
    pub(crate) fn know_steps(&mut self, ids: impl Iterator<Item = &'c str>) {
        self.steps = ids.filter(|id| !id.is_empty()).collect();
        let dashed = self.steps.iter().copied();
        self.dashed = dashed.filter(|id| id.contains('-')).collect();
        // The longest first, so that `a-b` does not hide `a-b-c`.
        self.dashed.sort_by_key(|id| std::cmp::Reverse(id.len()));
    }

    /// Tells the members of the workflow's input, so that `input.a-b` is recognised.
    pub(crate) fn know_inputs(&mut self, names: impl Iterator<Item = &'c str>) {
        self.dashed_inputs = names.filter(|name| name.contains('-')).collect();
    }

    /// Where an unknown root is a step, or a part of a dashed name, says how that is read; `text` is what the
    /// position of the problem counts in. One dashed name gives one finding.
    fn explain_roots(&self, text: &str, problems: &mut Vec<ExprProblem>) {
        let mut told: Option<usize> = None;
        problems.retain_mut(|problem| {
            if problem.code != EXPR_UNKNOWN_ROOT {
                return true;
            }
            let Some(offset) = problem.offset else {
                return true;
            };
            if told.is_some_and(|end| offset < end) {
                return false;
            }
            let byte = text
                .char_indices()
                .nth(offset)
                .map_or(text.len(), |(at, _)| at);
            let (before, rest) = text.split_at(byte);
            if let Some(member) = self.input_before(before, rest) {
                problem.hint = Some(format!("`-` subtracts: write `input[\"{member}\"]`"));
                problem.replacement = None;
            } else if let Some(id) = starting_name(&self.steps, rest) {
                told = Some(offset + id.chars().count());
                problem.hint = Some(format!("write `{}`", step_path(id, rest)));
                problem.replacement = None;
            }
            true
        });
    }

    /// The dashed member of the input that ends where a text begins, which was read as a subtraction.
    fn input_before(&self, before: &str, rest: &str) -> Option<&'c str> {
        self.dashed_inputs.iter().copied().find(|name| {
            name.match_indices('-').any(|(dash, _)| {
                let (head, tail) = (name.get(..=dash), name.get(dash + 1..));
                head.zip(tail).is_some_and(|(head, tail)| {
                    before.ends_with(&format!("input.{head}")) && starts_word(rest, tail)
                })
            })
        })
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
        let written = source;
        let source = dashed.as_deref().unwrap_or(source);
        // The text whose positions the reads count in, where it is not the written one.
        let mut changed = dashed.clone();
        let compiled = match self.engine.compile(source, site) {
            Ok(compiled) => Some(compiled),
            Err(mut problems) => {
                self.explain_roots(source, &mut problems);
                let replacement = problems.iter().find_map(|p| p.replacement.clone());
                if dashed.is_none() {
                    findings.extend(
                        problems
                            .into_iter()
                            .map(|p| finding_of(p, place.to_string())),
                    );
                }
                // What the repair would give is checked as well, so that one run reports all there is.
                changed = replacement;
                let right = changed.as_deref();
                right.and_then(|right| self.recompile(right, site, place, findings))
            }
        };
        if let Some(compiled) = compiled {
            let references = compiled.references();
            if references.iter().next().is_some() {
                let pointer = place.then("");
                for reference in references.iter() {
                    let offset = reference.offset.and_then(|at| match &changed {
                        None => Some(at),
                        Some(right) => offset_before(written, right, at),
                    });
                    read(
                        Read {
                            reference,
                            pointer: &pointer,
                            offset,
                        },
                        findings,
                    );
                }
                let start = changed.is_none().then_some(0);
                self.keep(&compiled, &pointer, site.class(), start);
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
        let written = tree;
        for _ in 0..3 {
            let tree = repaired.as_ref().unwrap_or(written);
            let was_repaired = repaired.is_some();
            // A position in a repaired string is told as one in the string that the author sees.
            let shown = |at: &str, offset: usize| -> Option<usize> {
                if !was_repaired {
                    return Some(offset);
                }
                let text = |tree| pointer::resolve(tree, at).and_then(Value::as_str);
                offset_before(text(written)?, text(tree)?, offset)
            };
            let problems = match self.engine.compile_template(tree, site) {
                Ok(template) => {
                    // Consecutive reads mostly stand in one string.
                    let (mut string, mut pointer) = ("", place.then(""));
                    for part in template.references() {
                        if part.pointer != string {
                            (string, pointer) = (part.pointer, place.then(part.pointer));
                        }
                        let offset = part.offset.and_then(|at| shown(part.pointer, at));
                        read(
                            Read {
                                reference: part.reference,
                                pointer: &pointer,
                                offset,
                            },
                            findings,
                        );
                    }
                    if self.reader.is_some() {
                        for part in template.expressions() {
                            let start = (!was_repaired).then_some(part.offset);
                            let pointer = place.then(&part.pointer);
                            self.keep(&part.expr, &pointer, FieldClass::Mapping, start);
                        }
                    }
                    return;
                }
                Err(problems) => self.explained(tree, problems),
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
                let replacement = problem.replacement.clone();
                let place_of = match (at.strip_suffix("/$expr"), &replacement) {
                    (Some(long_form), None) => long_form,
                    _ => at.as_str(),
                };
                if let Some(value) = pointer::resolve_mut(&mut next, place_of)
                    .filter(|value| value.is_string() || place_of != at)
                {
                    *value = replacement.map_or(Value::Null, Value::String);
                    changed = true;
                }
                let text = |tree| pointer::resolve(tree, &at).and_then(Value::as_str);
                let is_written = text(tree) == text(written);
                let offset = problem.offset.and_then(|offset| shown(&at, offset));
                let mut finding = finding_of(problem, place.then(&at));
                finding.offset_in_string = offset;
                if !is_written {
                    finding.fix = None;
                }
                findings.push(finding);
            }
            if !changed {
                return;
            }
            repaired = Some(next);
        }
    }

    /// [`explain_roots`](Self::explain_roots) for the problems of a tree, string by string.
    fn explained(&self, tree: &Value, problems: Vec<TemplateProblem>) -> Vec<TemplateProblem> {
        if !problems.iter().any(|p| p.problem.code == EXPR_UNKNOWN_ROOT) {
            return problems;
        }
        let mut explained: Vec<TemplateProblem> = Vec::with_capacity(problems.len());
        for chunk in problems.chunk_by(|a, b| a.pointer == b.pointer) {
            let Some(first) = chunk.first() else { continue };
            let text = pointer::resolve(tree, &first.pointer).and_then(Value::as_str);
            let mut own: Vec<ExprProblem> = chunk.iter().map(|p| p.problem.clone()).collect();
            self.explain_roots(text.unwrap_or_default(), &mut own);
            explained.extend(own.into_iter().map(|problem| {
                let mut of = first.clone();
                of.problem = problem;
                of
            }));
        }
        explained
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
    let mut finding =
        Finding::error(problem.code, pointer, problem.message).with_arguments(problem.arguments);
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
    .with_problem()
    .with_hint(format!("write `{right}`"))
    .with_offset(same)
    .with_fix(vec![PatchOp::Replace {
        path: pointer,
        value: right.into(),
    }])
}

/// Where a position of a repaired text stands in the text as written, in Unicode scalar values; inside what was
/// repaired, where the repair begins.
fn offset_before(written: &str, repaired: &str, offset: usize) -> Option<usize> {
    if written == repaired {
        return Some(offset);
    }
    let before = written
        .chars()
        .zip(repaired.chars())
        .take_while(|(a, b)| a == b)
        .count();
    if offset < before {
        return Some(offset);
    }
    let (old, new) = (written.chars().count(), repaired.chars().count());
    let behind = written
        .chars()
        .rev()
        .zip(repaired.chars().rev())
        .take_while(|(a, b)| a == b)
        .count()
        .min(old.min(new) - before);
    let from_end = new.checked_sub(offset)?;
    Some(if from_end <= behind {
        old - from_end
    } else {
        before
    })
}

/// Whether a text begins with a name that ends there.
fn starts_word(text: &str, name: &str) -> bool {
    text.strip_prefix(name)
        .is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// The longest of the names that a text begins with.
fn starting_name<'n>(names: &[&'n str], text: &str) -> Option<&'n str> {
    let found = names.iter().copied().filter(|name| starts_word(text, name));
    found.max_by_key(|name| name.len())
}

/// How what a text reads of a step, `get_user.output.x` or `get_user.x`, is written.
fn step_path(id: &str, text: &str) -> String {
    let step = if id.contains('-') {
        format!("steps[\"{id}\"]")
    } else {
        format!("steps.{id}")
    };
    let path: String = text
        .get(id.len()..)
        .unwrap_or_default()
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
        .collect();
    let path = path.trim_end_matches('.');
    let first = path.strip_prefix('.').and_then(|p| p.split('.').next());
    let known = first.is_some_and(|first| {
        crate::expr::STEP
            .members
            .iter()
            .any(|(member, _)| *member == first)
    });
    if known {
        format!("{step}{path}")
    } else {
        format!("{step}.output{path}")
    }
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
