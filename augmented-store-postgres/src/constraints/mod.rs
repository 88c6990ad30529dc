//! What the database itself demands of definitions, generated from the JSON Schemas of their kinds.
//!
//! The text of the migration is checked in; a test holds it equal to [`render_sql`], and
//! `cargo run -p augmented-store-postgres --example render_sql` writes it anew.

mod catalogue;
mod checks;
mod columns;
mod functions;
mod seed;

use std::fmt::Write;

use augmented_core::model::DefinitionKind;
use augmented_core::schemas;
use serde_json::Value;

pub use catalogue::{Rule, rule};
use columns::Table;

/// The migration that makes the tables, functions and triggers of definitions.
///
/// ```
/// let sql = augmented_store_postgres::constraints::render_sql();
/// assert!(sql.contains("CREATE TABLE workflow_definitions"));
/// ```
#[must_use]
pub fn render_sql() -> String {
    let tables = tables();
    let mut sql = String::from(
        "-- Definitions: their tables, and what the database demands of every row.\n\
         -- Generated from the JSON Schemas: cargo run -p augmented-store-postgres --example render_sql\n\n",
    );
    sql.push_str(include_str!("sql/functions.sql"));
    sql.push('\n');
    sql.push_str(include_str!("sql/evaluator.sql"));
    sql.push('\n');
    sql.push_str(include_str!("sql/lifecycle.sql"));
    for table in &tables {
        sql.push('\n');
        sql.push_str(&table.render());
    }
    sql.push('\n');
    seed::render(&mut sql);
    for table in &tables {
        sql.push('\n');
        functions::render(table, &mut sql);
    }
    sql.push('\n');
    functions::render_view(&tables, &mut sql);
    sql.push('\n');
    sql.push_str(include_str!("sql/roles.sql"));
    sql
}

/// The table of a kind; none for kinds that cannot be stored yet.
pub(crate) const fn table_name(kind: DefinitionKind) -> Option<&'static str> {
    match kind {
        DefinitionKind::Workflow => Some("workflow_definitions"),
        DefinitionKind::Task => Some("task_definitions"),
        DefinitionKind::Event => Some("event_definitions"),
        DefinitionKind::Trigger => Some("workflow_event_triggers"),
        DefinitionKind::Schedule => Some("schedules"),
        DefinitionKind::Schema => Some("schema_versions"),
        DefinitionKind::Integration
        | DefinitionKind::IntegrationInstance
        | DefinitionKind::UiComponent
        | DefinitionKind::Test
        | DefinitionKind::Role
        | DefinitionKind::Permission
        | DefinitionKind::Policy
        | DefinitionKind::Dashboard
        | DefinitionKind::AlertRule => None,
    }
}

/// The tables of all kinds that have a schema.
fn tables() -> Vec<Table> {
    schemas::all()
        .iter()
        .filter_map(|shipped| Table::of(shipped.kind, &shipped.schema))
        .collect()
}

/// The kinds that are stored, their tables, and the columns of their business ids.
pub(crate) fn kinds() -> impl Iterator<Item = (DefinitionKind, &'static str, String)> {
    tables()
        .into_iter()
        .map(|table| (table.kind, table.name, table.id_column))
}

/// A text as an SQL literal.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Names as an SQL array of texts.
fn text_array<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut list = String::new();
    for name in names {
        let comma = if list.is_empty() { "" } else { ", " };
        let _ = write!(list, "{comma}{}", literal(name));
    }
    format!("ARRAY[{list}]::text[]")
}

/// A JSON value as an SQL literal that stays as it is when the name of the PostgreSQL schema is filled in.
fn json_literal(value: &Value) -> String {
    literal(&value.to_string().replace("$schema", "\\u0024schema"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migration_is_current() {
        let stored = include_str!("../../migrations/0001_definitions.sql");
        assert!(
            stored == render_sql(),
            "run `cargo run -p augmented-store-postgres --example render_sql`"
        );
    }

    #[test]
    fn no_json_text_is_taken_for_the_name_of_the_schema() {
        assert!(!render_sql().contains("$schema"));
    }

    #[test]
    fn every_constraint_has_its_rule() {
        for table in tables() {
            for check in checks::of(&table) {
                let found = rule(&check.name);
                assert_eq!(
                    found.map(|rule| rule.pointer.as_str()),
                    Some(check.pointer.as_str())
                );
                assert!(check.name.len() <= 63, "{}", check.name);
            }
        }
    }
}
