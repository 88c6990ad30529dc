//! The functions and triggers of each kind, and the view over all kinds.

use std::fmt::Write;

use super::checks::member_types;
use super::columns::{Column, ColumnType, Table};
use super::literal;

/// Writes the functions and triggers of one table.
pub(super) fn render(table: &Table, sql: &mut String) {
    render_document(table, sql);
    render_unfold(table, sql);
    render_put(table, sql);
    render_check(table, sql);
    let (name, kind, id) = (table.name, table.kind.as_str(), &table.id_column);
    // Triggers of one moment fire in the order of their names.
    let _ = writeln!(
        sql,
        "CREATE TRIGGER aug_1_unfold BEFORE INSERT OR UPDATE ON {name} FOR EACH ROW EXECUTE FUNCTION aug_unfold_{kind}();
CREATE TRIGGER aug_2_guard BEFORE INSERT OR UPDATE OR DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION aug_guard_definition('{kind}', '{id}');
CREATE TRIGGER aug_3_index AFTER INSERT OR UPDATE ON {name} FOR EACH ROW EXECUTE FUNCTION aug_index_definition('{kind}', '{id}');
CREATE TRIGGER aug_4_check AFTER INSERT OR UPDATE ON {name} FOR EACH ROW EXECUTE FUNCTION aug_check_{kind}();"
    );
}

fn render_document(table: &Table, sql: &mut String) {
    let (name, kind) = (table.name, table.kind.as_str());
    let members: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let value = match column.column_type {
                ColumnType::Json => format!("d.{}", column.name),
                _ => format!("to_jsonb(d.{})", column.name),
            };
            format!("                ({}, {value})", literal(&column.member))
        })
        .collect();
    let _ = writeln!(
        sql,
        "CREATE FUNCTION aug_{kind}_document(d {name}) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
    SELECT coalesce(d.draft, (
        SELECT jsonb_object_agg(member, value) FROM (
            VALUES ('kind', to_jsonb('{kind}'::text)),
{}
        ) AS members(member, value) WHERE value IS NOT NULL))
$$;
COMMENT ON FUNCTION aug_{kind}_document({name}) IS 'The document of a row, without the members it does not have';",
        members.join(",\n")
    );
}

fn render_unfold(table: &Table, sql: &mut String) {
    let (name, kind) = (table.name, table.kind.as_str());
    let assignments: String = table
        .columns
        .iter()
        .map(|column| format!("    NEW.{} := {};\n", column.name, read(column)))
        .collect();
    let listed = ["name", "version", table.id_member];
    let identity: String = table
        .columns
        .iter()
        .filter(|column| {
            listed.contains(&column.member.as_str()) && column.column_type == ColumnType::Text
        })
        .map(|column| {
            let member = literal(&column.member);
            format!(
                "    NEW.{} := CASE jsonb_typeof(NEW.draft -> {member}) WHEN 'string' THEN NEW.draft ->> {member} END;\n",
                column.name
            )
        })
        .collect();
    let _ = writeln!(
        sql,
        "CREATE FUNCTION aug_unfold_{kind}() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.draft IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM aug_check_members('{name}', '{kind}', NEW.draft, NEW.status <> 'DRAFT', {});
    NEW.draft := NEW.draft - ('$' || 'schema');
{identity}    IF NEW.status = 'DRAFT' THEN
        RETURN NEW;
    END IF;
{assignments}    NEW.draft := NULL;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION aug_unfold_{kind}() IS 'Splits the document of a row into its columns when the row is published';",
        member_types(table)
    );
}

fn read(column: &Column) -> String {
    let member = literal(&column.member);
    match column.column_type {
        ColumnType::Text => format!("NEW.draft ->> {member}"),
        ColumnType::Integer => format!("(NEW.draft ->> {member})::numeric::bigint"),
        ColumnType::Boolean => format!("(NEW.draft ->> {member})::boolean"),
        ColumnType::Json => format!("NEW.draft -> {member}"),
    }
}

fn render_put(table: &Table, sql: &mut String) {
    let (name, kind) = (table.name, table.kind.as_str());
    let _ = writeln!(
        sql,
        "CREATE FUNCTION aug_put_{kind}(tenant_id uuid, document jsonb, status text DEFAULT 'PUBLISHED', id uuid DEFAULT gen_random_uuid(),
    content_hash bytea DEFAULT NULL, at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
LANGUAGE sql SET search_path FROM CURRENT AS $$
    INSERT INTO {name} (id, tenant_id, status, content_hash, created_at, updated_at, published_at, draft)
    VALUES ($4, $1, $3, $5, $6, $6, CASE $3 WHEN 'DRAFT' THEN NULL ELSE $6 END, coalesce($2, 'null'))
    RETURNING {name}.id
$$;
COMMENT ON FUNCTION aug_put_{kind}(uuid, jsonb, text, uuid, bytea, timestamptz) IS 'Inserts a document with the rights of the caller';"
    );
}

fn render_check(table: &Table, sql: &mut String) {
    let (name, kind) = (table.name, table.kind.as_str());
    let _ = writeln!(
        sql,
        "CREATE FUNCTION aug_check_{kind}() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.status <> 'DRAFT' THEN
        IF TG_OP = 'UPDATE' THEN
            IF OLD.status <> 'DRAFT' THEN
                RETURN NULL;
            END IF;
        END IF;
        PERFORM aug_check_definition('{kind}', NEW.schema_version, '{name}', aug_{kind}_document(NEW));
    END IF;
    RETURN NULL;
END
$$;"
    );
}

/// Writes the view over the tables of all kinds.
pub(super) fn render_view(tables: &[Table], sql: &mut String) {
    let parts: Vec<String> = tables
        .iter()
        .map(|table| {
            format!(
                "    SELECT '{kind}'::text AS kind, d.tenant_id, d.id, d.{id} AS business_id, d.version, d.status, d.content_hash,
        d.created_at, d.updated_at, d.published_at, d.deprecation_note, d.deprecation_replacement, aug_{kind}_document(d) AS document
    FROM {name} AS d",
                kind = table.kind,
                id = table.id_column,
                name = table.name
            )
        })
        .collect();
    let _ = writeln!(
        sql,
        "CREATE VIEW definitions WITH (security_invoker = true) AS\n{};\nCOMMENT ON VIEW definitions IS 'Every version of every definition with its document';",
        parts.join("\n    UNION ALL\n")
    );
}
