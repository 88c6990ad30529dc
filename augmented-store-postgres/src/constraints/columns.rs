//! The columns of a kind's table: one for each member of its documents.

use std::fmt::Write;

use augmented_core::model::DefinitionKind;
use serde_json::Value;

use super::{checks, literal, table_name};

/// How a member is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnType {
    Text,
    Integer,
    Boolean,
    Json,
}

impl ColumnType {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "bigint",
            Self::Boolean => "boolean",
            Self::Json => "jsonb",
        }
    }

    /// The JSON type of what fits the column.
    pub(super) fn json(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Json => "any",
        }
    }
}

/// One member of a document and its column.
pub(super) struct Column {
    pub(super) member: String,
    pub(super) name: String,
    pub(super) column_type: ColumnType,
    pub(super) required: bool,
    /// What the schema says of the member, `$ref` followed.
    pub(super) schema: Value,
    description: String,
}

/// The table of one kind.
pub(super) struct Table {
    pub(super) kind: DefinitionKind,
    pub(super) name: &'static str,
    /// The member and the column of the business id.
    pub(super) id_member: &'static str,
    pub(super) id_column: String,
    pub(super) columns: Vec<Column>,
    pub(super) root: Value,
}

impl Table {
    pub(super) fn of(kind: DefinitionKind, root: &Value) -> Option<Self> {
        let id_member = kind.id_member()?;
        let required: Vec<&str> = strings(root.get("required"));
        let members = root.get("properties")?.as_object()?;
        let columns = members
            .iter()
            .filter(|(member, _)| *member != "kind" && *member != "$schema")
            .map(|(member, schema)| Column {
                member: member.clone(),
                name: snake_case(member),
                column_type: column_type(resolve(root, schema)),
                required: required.contains(&member.as_str()),
                description: description(schema),
                schema: resolve(root, schema).clone(),
            })
            .collect();
        Some(Self {
            kind,
            name: table_name(kind)?,
            id_member,
            id_column: snake_case(id_member),
            columns,
            root: root.clone(),
        })
    }

    /// The statements that make the table.
    pub(super) fn render(&self) -> String {
        let name = self.name;
        let mut sql = format!(
            "CREATE TABLE {name} (\n    id uuid NOT NULL,\n    tenant_id uuid NOT NULL,\n    status text NOT NULL,\n    schema_version text NOT NULL DEFAULT {},\n    content_hash bytea,\n    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),\n    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),\n    published_at timestamptz,\n    deprecation_note text,\n    deprecation_replacement text,\n    draft jsonb,\n",
            literal(augmented_core::schemas::SCHEMA_VERSION)
        );
        for column in &self.columns {
            let always = column.member == self.id_member || column.member == "version";
            let null = if always { " NOT NULL" } else { "" };
            let _ = writeln!(
                sql,
                "    {} {}{null},",
                column.name,
                column.column_type.sql()
            );
        }
        let id = &self.id_column;
        let _ = writeln!(sql, "    PRIMARY KEY (tenant_id, id),");
        let _ = writeln!(
            sql,
            "    CONSTRAINT uq_{name}_version UNIQUE (tenant_id, {id}, version),"
        );
        let _ = writeln!(
            sql,
            "    CONSTRAINT fk_{name}_index FOREIGN KEY (tenant_id, id) REFERENCES definition_index DEFERRABLE INITIALLY DEFERRED,"
        );
        let rendered: Vec<String> = checks::of(self)
            .iter()
            .map(|check| format!("    CONSTRAINT {} CHECK ({})", check.name, check.expression))
            .collect();
        sql.push_str(&rendered.join(",\n"));
        sql.push_str("\n);\n");
        self.render_comments(&mut sql);
        sql
    }

    fn render_comments(&self, sql: &mut String) {
        let name = self.name;
        let _ = writeln!(
            sql,
            "COMMENT ON TABLE {name} IS {};",
            literal(&description(&self.root))
        );
        let kept = [
            ("id", "Row id; running work pins it."),
            ("tenant_id", "Whose it is."),
            (
                "status",
                "DRAFT, PUBLISHED, DEPRECATED or ARCHIVED; only a draft changes its content.",
            ),
            (
                "schema_version",
                "The version of the built-in schema that the row conforms to.",
            ),
            (
                "content_hash",
                "SHA-256 of the canonical document, computed by the library; NULL where the row came without.",
            ),
            ("created_at", "When it was first stored."),
            ("updated_at", "When it was last changed."),
            ("published_at", "When it was first published."),
            (
                "deprecation_note",
                "What was said when it was deprecated; never part of the document.",
            ),
            (
                "deprecation_replacement",
                "The version to use instead, said when it was deprecated.",
            ),
            (
                "draft",
                "The document of a draft, which may still hold faults; split into the columns when it is published.",
            ),
        ];
        for (column, text) in kept {
            let _ = writeln!(
                sql,
                "COMMENT ON COLUMN {name}.{column} IS {};",
                literal(text)
            );
        }
        for column in &self.columns {
            let _ = writeln!(
                sql,
                "COMMENT ON COLUMN {name}.{} IS {};",
                column.name,
                literal(&column.description)
            );
        }
    }
}

fn description(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// The strings of an array.
pub(super) fn strings(value: Option<&Value>) -> Vec<&str> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

/// Follows a `$ref` into `$defs`.
pub(super) fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let target = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix('#'))
        .and_then(|pointer| root.pointer(pointer));
    target.unwrap_or(schema)
}

fn column_type(schema: &Value) -> ColumnType {
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => ColumnType::Text,
        Some("integer") => ColumnType::Integer,
        Some("boolean") => ColumnType::Boolean,
        _ => ColumnType::Json,
    }
}

/// `workflowId` as `workflow_id`.
fn snake_case(member: &str) -> String {
    let mut name = String::with_capacity(member.len() + 4);
    for letter in member.chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
