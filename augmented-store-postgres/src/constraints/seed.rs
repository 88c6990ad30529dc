//! The rows of the shipped schemas, which belong to the system tenant.

use std::fmt::Write;

use augmented_core::model::{DefinitionKind, content_hash};
use augmented_core::schemas::{self, SCHEMA_VERSION, ShippedSchema};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{json_literal, literal};

/// The document under which a shipped schema is registered.
pub(crate) fn document(shipped: &ShippedSchema) -> Value {
    let name = shipped.schema.get("title").cloned();
    json!({
        "kind": "schema",
        "schemaId": shipped.schema_id,
        "version": SCHEMA_VERSION,
        "name": name.unwrap_or_else(|| Value::from(shipped.schema_id.as_str())),
        "schema": shipped.schema,
    })
}

/// The row id of a shipped schema, the same in every database.
fn row_id(shipped: &ShippedSchema) -> Uuid {
    let digest = Sha256::digest(format!(
        "aug://schema/{}/{SCHEMA_VERSION}",
        shipped.schema_id
    ));
    let mut bytes = [0; 16];
    for (byte, of_digest) in bytes.iter_mut().zip(digest.iter()) {
        *byte = *of_digest;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Writes the rows. They come before the triggers, since the schema of schemas cannot attest itself.
pub(super) fn render(sql: &mut String) {
    for shipped in schemas::all() {
        let document = document(shipped);
        let hash: String = content_hash(DefinitionKind::Schema, &document)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let name = document.get("name").and_then(Value::as_str);
        let (id, name) = (row_id(shipped), literal(name.unwrap_or_default()));
        let (schema_id, version) = (literal(&shipped.schema_id), literal(SCHEMA_VERSION));
        let _ = writeln!(
            sql,
            "INSERT INTO definition_index (tenant_id, id, kind, business_id, version, name, status)
VALUES ('00000000-0000-0000-0000-000000000000', '{id}', 'schema', {schema_id}, {version}, {name}, 'PUBLISHED');
INSERT INTO schema_versions (tenant_id, id, status, content_hash, published_at, schema_id, version, name, schema)
VALUES ('00000000-0000-0000-0000-000000000000', '{id}', 'PUBLISHED', '\\x{hash}', clock_timestamp(), {schema_id}, {version}, {name},
    {});",
            json_literal(&shipped.schema)
        );
    }
}
