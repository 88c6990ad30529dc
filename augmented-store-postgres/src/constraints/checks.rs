//! The named CHECKs of a table: what SQL can say of the structure without a look at the whole schema.

use std::fmt::Write;

use augmented_core::model::DefinitionKind;
use serde_json::{Map, Value, json};

use super::columns::{Column, ColumnType, Table, resolve, strings};
use super::{json_literal, literal, text_array};

/// One named CHECK.
pub(super) struct Check {
    pub(super) name: String,
    pub(super) expression: String,
    pub(super) code: &'static str,
    pub(super) pointer: String,
}

/// The CHECKs of a table.
pub(super) fn of(table: &Table) -> Vec<Check> {
    let check = |suffix: &str, expression: String, code, pointer: String| Check {
        name: format!("ck_{}_{suffix}", table.name),
        expression,
        code,
        pointer,
    };
    let mut checks = vec![
        check(
            "status",
            "status IN ('DRAFT', 'PUBLISHED', 'DEPRECATED', 'ARCHIVED')".to_owned(),
            "ILLEGAL_STATE",
            String::new(),
        ),
        check(
            "content_hash",
            "octet_length(content_hash) = 32".to_owned(),
            "INTERNAL",
            String::new(),
        ),
        check(
            "draft",
            "status = 'DRAFT' OR draft IS NULL".to_owned(),
            "ILLEGAL_STATE",
            String::new(),
        ),
        check(
            "published_at",
            "(status = 'DRAFT') = (published_at IS NULL)".to_owned(),
            "ILLEGAL_STATE",
            String::new(),
        ),
    ];
    for column in &table.columns {
        let always = column.member == table.id_member || column.member == "version";
        let conditions = conditions(&table.root, column);
        let expression = match (conditions.is_empty(), column.required) {
            (true, false) => continue,
            (true, true) => format!("{} IS NOT NULL", column.name),
            (false, true) => conditions.join(" AND "),
            (false, false) => format!("{} IS NULL OR ({})", column.name, conditions.join(" AND ")),
        };
        // A CHECK that yields NULL passes, so every one says that NULL is not good enough.
        let expression = if always {
            format!("({expression}) IS TRUE")
        } else {
            format!("status = 'DRAFT' OR ({expression}) IS TRUE")
        };
        checks.push(check(
            &column.name,
            expression,
            "SCHEMA_VIOLATION",
            format!("/{}", column.member),
        ));
    }
    if table.kind == DefinitionKind::Workflow {
        checks.push(check(
            "step_shapes",
            format!(
                "status = 'DRAFT' OR aug_steps_have_shape(steps, {}, {}) IS TRUE",
                json_literal(&step_shapes(&table.root)),
                literal(step_id_pattern(&table.root))
            ),
            "SCHEMA_VIOLATION",
            "/steps".to_owned(),
        ));
        checks.push(check(
            "step_ids",
            "status = 'DRAFT' OR aug_step_ids_are_unique(steps, compensation_steps) IS TRUE"
                .to_owned(),
            "DUPLICATE_STEP",
            "/steps".to_owned(),
        ));
    }
    checks
}

/// What must hold of a column that has a value; each yields NULL or false where it has none.
fn conditions(root: &Value, column: &Column) -> Vec<String> {
    let (name, schema) = (&column.name, &column.schema);
    let mut conditions = Vec::new();
    match column.column_type {
        ColumnType::Text => text_conditions(name, schema, &mut conditions),
        ColumnType::Integer => {
            for (keyword, sign) in [("minimum", ">="), ("maximum", "<=")] {
                if let Some(bound) = schema.get(keyword).and_then(Value::as_i64) {
                    conditions.push(format!("{name} {sign} {bound}"));
                }
            }
        }
        ColumnType::Boolean => {}
        ColumnType::Json => json_conditions(root, name, schema, &mut conditions),
    }
    conditions
}

fn text_conditions(name: &str, schema: &Value, conditions: &mut Vec<String>) {
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        conditions.push(format!("{name} COLLATE \"C\" ~ {}", literal(pattern)));
    }
    for (keyword, sign) in [("minLength", ">="), ("maxLength", "<=")] {
        if let Some(bound) = schema.get(keyword).and_then(Value::as_u64) {
            conditions.push(format!("length({name}) {sign} {bound}"));
        }
    }
    let allowed = strings(schema.get("enum"));
    if !allowed.is_empty() {
        conditions.push(format!("{name} = ANY ({})", text_array(allowed)));
    }
}

fn json_conditions(root: &Value, name: &str, schema: &Value, conditions: &mut Vec<String>) {
    let types = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        many => strings(many),
    };
    if !types.is_empty() {
        let types = types.into_iter().map(|name| match name {
            "integer" => "number",
            other => other,
        });
        conditions.push(format!(
            "jsonb_typeof({name}) = ANY ({})",
            text_array(types)
        ));
    }
    let required = strings(schema.get("required"));
    if !required.is_empty() {
        conditions.push(format!("{name} ?& {}", text_array(required)));
    }
    if let Some(known) = closed(schema) {
        // The type is asked again: a subtraction from a scalar would fail with words of its own.
        conditions.push(format!(
            "CASE jsonb_typeof({name}) WHEN 'object' THEN {name} - {} = '{{}}' END",
            text_array(known)
        ));
    }
    for (keyword, sign) in [("minItems", ">="), ("maxItems", "<=")] {
        if let Some(bound) = schema.get(keyword).and_then(Value::as_u64) {
            conditions.push(format!(
                "CASE jsonb_typeof({name}) WHEN 'array' THEN jsonb_array_length({name}) {sign} {bound} END"
            ));
        }
    }
    if let Some(items) = schema.get("items") {
        item_condition(resolve(root, items), name, conditions);
    }
}

fn item_condition(items: &Value, name: &str, conditions: &mut Vec<String>) {
    let Some(item_type) = items.get("type").and_then(Value::as_str) else {
        return;
    };
    if !matches!(item_type, "object" | "string") {
        return;
    }
    let known = closed(items).map_or_else(|| "NULL".to_owned(), text_array);
    conditions.push(format!(
        "aug_items_are({name}, {}, {}, {known})",
        literal(item_type),
        text_array(strings(items.get("required")))
    ));
}

/// The members of a closed object.
fn closed(schema: &Value) -> Option<Vec<&str>> {
    let members = schema.get("properties")?.as_object()?;
    let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    is_closed.then(|| members.keys().map(String::as_str).collect())
}

/// The forms of a step, each a closed object with its type as tag.
fn step_forms(root: &Value) -> impl Iterator<Item = &Value> {
    let forms = root.pointer("/$defs/Step/oneOf").and_then(Value::as_array);
    forms.into_iter().flatten().map(|form| resolve(root, form))
}

fn step_shapes(root: &Value) -> Value {
    let mut shapes = Map::new();
    for form in step_forms(root) {
        let tag = form
            .pointer("/properties/type/const")
            .and_then(Value::as_str);
        if let (Some(tag), Some(known)) = (tag, closed(form)) {
            let shape = json!({ "required": strings(form.get("required")), "known": known });
            shapes.insert(tag.to_owned(), shape);
        }
    }
    Value::Object(shapes)
}

fn step_id_pattern(root: &Value) -> &str {
    step_forms(root)
        .find_map(|form| form.pointer("/properties/stepId/pattern")?.as_str())
        .unwrap_or_default()
}

/// The JSON types of the members of a table, as the function that splits a document takes them.
pub(super) fn member_types(table: &Table) -> String {
    let mut list = String::new();
    for column in &table.columns {
        let comma = if list.is_empty() { "" } else { "," };
        let _ = write!(
            list,
            "{comma}\"{}\":\"{}\"",
            column.member,
            column.column_type.json()
        );
    }
    format!("'{{{list}}}'")
}
