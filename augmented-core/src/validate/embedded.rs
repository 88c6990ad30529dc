//! Level L2: the schemas inside a document are legal, and their examples conform.

use serde_json::Value;

use super::Finding;
use super::place::Place;
use crate::model::DefinitionKind;
use crate::schema::{self, CompiledSchema, SchemaOptions, SchemaReference, compile_embedded};

/// The members of a kind that hold a JSON Schema.
fn schema_members(kind: DefinitionKind) -> &'static [&'static str] {
    match kind {
        DefinitionKind::Workflow | DefinitionKind::Task => &["inputSchema", "outputSchema"],
        DefinitionKind::Event => &["payloadSchema"],
        DefinitionKind::Schema => &["schema"],
        _ => &[],
    }
}

/// Every reference from the schemas inside a document to registered schemas, with pointers into the document.
///
/// ```
/// use augmented_core::model::DefinitionKind;
/// use augmented_core::validate::schema_references;
/// use serde_json::json;
/// let task = json!({"kind": "task", "inputSchema": {"$ref": "aug://schema/order/1.0.0"}});
/// assert_eq!(schema_references(DefinitionKind::Task, &task)[0].pointer, "/inputSchema/$ref");
/// ```
#[must_use]
pub fn schema_references(kind: DefinitionKind, document: &Value) -> Vec<SchemaReference> {
    let members = schema_members(kind).iter().filter_map(|member| {
        let place = Place::ROOT.key(member).to_string();
        Some((place, document.get(member)?))
    });
    let signals = document
        .get("signals")
        .and_then(Value::as_object)
        .filter(|_| kind == DefinitionKind::Workflow);
    let signals = signals.into_iter().flatten().map(|(name, schema)| {
        let place = Place::ROOT.key("signals");
        (place.key(name).to_string(), schema)
    });
    let mut found = Vec::new();
    for (place, schema) in members.chain(signals) {
        for mut reference in schema::schema_references(schema) {
            reference.pointer.insert_str(0, &place);
            found.push(reference);
        }
    }
    found
}

/// Checks every schema embedded in a document.
pub(super) fn check(
    kind: DefinitionKind,
    document: &Value,
    options: &SchemaOptions<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let root = Place::ROOT;
    for member in schema_members(kind) {
        let Some(schema) = document.get(member) else {
            continue;
        };
        let compiled = check_schema(schema, &root.key(member), kind, options, &mut findings);
        if kind == DefinitionKind::Event {
            check_examples(document, compiled.as_ref(), &mut findings);
        }
    }
    if kind == DefinitionKind::Workflow {
        let signals = document.get("signals").and_then(Value::as_object);
        for (name, schema) in signals.into_iter().flatten() {
            let place = root.key("signals");
            check_schema(schema, &place.key(name), kind, options, &mut findings);
        }
    }
    findings
}

/// Schemas that admit everything of a type need no compiler.
fn is_trivial(schema: &Value) -> bool {
    const TYPES: [&str; 7] = [
        "null", "boolean", "integer", "number", "string", "array", "object",
    ];
    match schema {
        Value::Bool(_) => true,
        Value::Object(members) => members.iter().all(|(name, value)| {
            name == "type" && value.as_str().is_some_and(|t| TYPES.contains(&t))
        }),
        _ => false,
    }
}

fn check_schema(
    schema: &Value,
    place: &Place<'_>,
    kind: DefinitionKind,
    options: &SchemaOptions<'_>,
    findings: &mut Vec<Finding>,
) -> Option<CompiledSchema> {
    // A value that is no schema at all has its structural finding.
    if !schema.is_object() && !schema.is_boolean() {
        return None;
    }
    if is_trivial(schema) && kind != DefinitionKind::Event {
        return None;
    }
    let (compiled, mut problems) = compile_embedded(schema, &place.to_string(), options);
    if kind == DefinitionKind::Schema {
        // Here the schema is the definition itself, not one inside it.
        for problem in problems
            .iter_mut()
            .filter(|p| p.code == "SCHEMA_EMBEDDED_INVALID")
        {
            problem.code = "INVALID_SCHEMA".into();
        }
    }
    // What is wrong at one place of a schema is told there, not of the whole as well.
    let places: Vec<(String, String)> = problems
        .iter()
        .map(|p| (p.pointer.clone(), p.message.clone()))
        .collect();
    problems.retain(|whole| {
        !places.iter().any(|(pointer, message)| {
            *message == whole.message
                && pointer.len() > whole.pointer.len()
                && crate::json::pointer::is_at_or_below(pointer, &whole.pointer)
        })
    });
    findings.append(&mut problems);
    compiled
}

fn check_examples(document: &Value, schema: Option<&CompiledSchema>, findings: &mut Vec<Finding>) {
    let (Some(schema), Some(examples)) =
        (schema, document.get("examples").and_then(Value::as_array))
    else {
        return;
    };
    let list = Place::ROOT.key("examples");
    for (i, example) in examples.iter().enumerate() {
        for problem in schema.validate(example) {
            let place = list.index(i);
            let mut finding = Finding::error(
                "EXAMPLE_INVALID",
                place.then(&problem.pointer),
                format!("the example does not conform: {}", problem.message),
            )
            .with_argument("problem", problem.message.as_str());
            finding.hint = problem
                .hint
                .or_else(|| Some("repair the example, or the schema".into()));
            findings.push(finding);
        }
    }
}

/// What a schema says against a value; nothing if the schema itself is illegal.
pub(super) fn violations(schema: &Value, value: &Value) -> Vec<Finding> {
    CompiledSchema::compile(schema, &SchemaOptions::new())
        .map_or_else(|_| Vec::new(), |compiled| compiled.validate(value))
}
