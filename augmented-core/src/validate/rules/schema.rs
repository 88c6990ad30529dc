//! The rules of kind `schema`.

use serde_json::{Map, Value};

use super::super::{Finding, wording};

const SCHEMA_BYTES: usize = 1024 * 1024;

pub(super) fn check(document: &Map<String, Value>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if document
        .get("schemaId")
        .and_then(Value::as_str)
        .is_some_and(|id| id.starts_with("core."))
    {
        findings.push(
            Finding::error(
                "ID_INVALID",
                "/schemaId",
                "ids that begin with `core.` belong to the shipped schemas",
            )
            .with_optional_argument(
                "actual",
                document
                    .get("schemaId")
                    .and_then(Value::as_str)
                    .map(wording::cut),
            )
            .with_hint("choose another prefix"),
        );
    }
    let bytes = document
        .get("schema")
        .and_then(|s| serde_json::to_vec(s).ok())
        .map_or(0, |s| s.len());
    if bytes > SCHEMA_BYTES {
        findings.push(
            Finding::error(
                "SCHEMA_TOO_LARGE",
                "/schema",
                format!("the schema has {bytes} bytes, at most {SCHEMA_BYTES} are allowed"),
            )
            .with_argument("limit", SCHEMA_BYTES)
            .with_argument("actual", bytes)
            .with_hint("split it into several schemas that refer to one another"),
        );
    }
    findings
}
