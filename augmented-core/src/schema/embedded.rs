//! Schemas inside definitions (level L2): legal themselves, their examples and defaults conforming.

use serde_json::Value;

use super::check::Mode;
use super::dialect::subschemas;
use super::{CompiledSchema, SchemaOptions};
use crate::json::pointer;
use crate::validate::{Arguments, Finding, PatchOp};

/// Checks a schema that stands at `base` of a definition and compiles it.
///
/// Findings point into the definition. A violation of the dialect is `SCHEMA_EMBEDDED_INVALID`, the
/// rules of the keyword policy keep their own codes (`UNKNOWN_KEYWORD` …); a legal schema may still
/// have `EXAMPLE_INVALID` and `DEFAULT_INVALID`.
#[must_use]
pub fn compile_embedded(
    schema: &Value,
    base: &str,
    options: &SchemaOptions<'_>,
) -> (Option<CompiledSchema>, Vec<Finding>) {
    let (compiled, mut findings) = match CompiledSchema::compile(schema, options) {
        Ok(compiled) => {
            let findings = compiled.check_annotations();
            (Some(compiled), findings)
        }
        Err(findings) => (None, findings),
    };
    for finding in &mut findings {
        rebase(finding, base);
        if matches!(
            finding.code.as_ref(),
            "INVALID_SCHEMA" | "COMPILATION_ERROR"
        ) {
            finding.code = "SCHEMA_EMBEDDED_INVALID".into();
        }
    }
    (compiled, findings)
}

/// The findings of [`compile_embedded`] alone.
///
/// ```
/// use augmented_core::schema::{check_embedded_schema, SchemaOptions};
/// use serde_json::json;
/// let findings = check_embedded_schema(&json!({"type": "string", "minLenght": 3, "default": 5}), "/inputSchema", &SchemaOptions::new());
/// assert_eq!((findings[0].code.as_ref(), findings[0].pointer.as_str()), ("UNKNOWN_KEYWORD", "/inputSchema/minLenght"));
/// ```
#[must_use]
pub fn check_embedded_schema(
    schema: &Value,
    base: &str,
    options: &SchemaOptions<'_>,
) -> Vec<Finding> {
    compile_embedded(schema, base, options).1
}

/// Moves a finding about a part of a document under the pointer of that part.
pub fn rebase(finding: &mut Finding, base: &str) {
    let under = |at: &mut String| at.insert_str(0, base);
    under(&mut finding.pointer);
    for op in finding.fix.iter_mut().flatten() {
        match op {
            PatchOp::Add { path, .. }
            | PatchOp::Remove { path }
            | PatchOp::Replace { path, .. } => under(path),
            PatchOp::Move { from, path } => {
                under(from);
                under(path);
            }
        }
    }
    for related in finding
        .related
        .iter_mut()
        .filter(|related| related.kind.is_none() && related.id.is_none())
    {
        under(&mut related.pointer);
    }
}

/// Examples and defaults that do not conform to the schema they stand in.
pub(super) fn annotation_findings(schema: &CompiledSchema) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut open = vec![(String::new(), schema.documents().root(), false)];
    while let Some((at, here, hidden)) = open.pop() {
        let Some(members) = here.object() else {
            continue;
        };
        let hidden = hidden || is_sensitive(members);
        let default = members
            .get("default")
            .map(|value| ("default".to_owned(), value, "DEFAULT_INVALID"));
        let examples = members
            .get("examples")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .enumerate();
        let examples =
            examples.map(|(index, value)| (format!("examples/{index}"), value, "EXAMPLE_INVALID"));
        for (place, value, code) in examples.chain(default) {
            let mut checker = schema.checker(value, Mode::Collect);
            if hidden {
                checker.hide_all();
            } else {
                checker.hide(here, value, "");
            }
            checker.check(here, value);
            if checker.failure().is_some() {
                continue;
            }
            let (found, ..) = checker.finish();
            findings.extend(
                found
                    .into_iter()
                    .filter(Finding::is_error)
                    .map(|mut finding| {
                        rebase(&mut finding, &format!("{at}/{place}"));
                        let what = if code == "DEFAULT_INVALID" {
                            "default"
                        } else {
                            "example"
                        };
                        finding.message = format!(
                            "the {what} does not conform to its schema: {}",
                            finding.message
                        );
                        finding.code = code.into();
                        finding.with_arguments(Arguments::default()).with_problem()
                    }),
            );
        }
        open.extend(subschemas(members).into_iter().map(|below| {
            (
                format!("{at}{}", below.pointer),
                here.with(below.value),
                hidden,
            )
        }));
    }
    findings.sort_by(|a, b| pointer::compare(&a.pointer, &b.pointer));
    findings
}

/// Whether the values a schema describes must not be shown.
fn is_sensitive(schema: &serde_json::Map<String, Value>) -> bool {
    ["x-sensitive", "writeOnly"]
        .iter()
        .any(|mark| schema.get(*mark) == Some(&Value::Bool(true)))
}
