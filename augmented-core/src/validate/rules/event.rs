//! The rules of kind `event`.

use serde_json::{Map, Value};

use super::super::Finding;
use super::super::event_pattern::check_name;
use super::super::expressions::Expressions;
use super::super::place::Place;
use super::common::{self, Bound};
use crate::expr::{ExprSite, ExpressionEngine};

const SCHEMA_BYTES: usize = 64 * 1024;

pub(super) fn check(document: &Map<String, Value>, engine: &dyn ExpressionEngine) -> Vec<Finding> {
    let mut findings = Vec::new();
    let root = Place::ROOT;
    if let Some(name) = document.get("pattern").and_then(Value::as_str) {
        check_name(name, &root.key("pattern"), &mut findings);
    }
    if document.get("retention").and_then(Value::as_str) != Some("FOREVER") {
        common::duration(
            document.get("retention"),
            &root.key("retention"),
            Bound::Positive,
            &mut findings,
        );
    }
    let mut expressions = Expressions::new(engine);
    expressions.bare(
        document.get("streamKey"),
        &root.key("streamKey"),
        &ExprSite::stream_key(),
        &mut findings,
        |_, _| {},
    );
    let bytes = document
        .get("payloadSchema")
        .and_then(|s| serde_json::to_vec(s).ok())
        .map_or(0, |s| s.len());
    if bytes > SCHEMA_BYTES {
        findings.push(
            Finding::error(
                "SCHEMA_TOO_LARGE",
                "/payloadSchema",
                format!("the schema has {bytes} bytes, at most {SCHEMA_BYTES} are allowed"),
            )
            .with_argument("limit", SCHEMA_BYTES)
            .with_argument("actual", bytes)
            .with_hint("publish parts as `schema` documents and refer to them with `$ref`"),
        );
    }
    findings
}
