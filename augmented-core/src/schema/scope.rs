//! The part of a schema that decides about one place of a document.

use serde_json::Value;

use super::dialect::subschemas;
use super::documents::{At, Documents};
use super::validate::ValidationEngineError;
use crate::json::pointer;

/// The schema that `properties`, `items` and `$ref` lead to.
pub(super) fn find<'s>(
    documents: &'s Documents,
    scope: &str,
) -> Result<At<'s>, ValidationEngineError> {
    let mut at = documents.root();
    for token in pointer::tokens(scope) {
        let direct = steps(documents, at, &token);
        at = match direct.as_slice() {
            [only] => *only,
            [] if branches_know(documents, at, &token) => {
                return Err(ValidationEngineError::ScopeAmbiguous {
                    pointer: scope.to_owned(),
                });
            }
            [] => {
                return Err(ValidationEngineError::ScopeUnknown {
                    pointer: scope.to_owned(),
                });
            }
            _ => {
                return Err(ValidationEngineError::ScopeAmbiguous {
                    pointer: scope.to_owned(),
                });
            }
        };
    }
    Ok(at)
}

/// The schemas one token leads to, from a schema or what it refers to.
fn steps<'s>(documents: &'s Documents, at: At<'s>, token: &str) -> Vec<At<'s>> {
    let mut found = Vec::new();
    let mut at = at;
    for _ in 0..64 {
        let Some(schema) = at.object() else {
            break;
        };
        let property = schema
            .get("properties")
            .and_then(|properties| properties.get(token));
        let item = pointer::index(token)
            .and_then(|index| {
                super::check::item_schema(documents.dialect(at.document), schema, index)
            })
            .filter(|_| property.is_none());
        let rest = schema
            .get("additionalProperties")
            .filter(|rest| rest.is_object() && property.is_none() && item.is_none());
        found.extend(
            [property, item, rest]
                .into_iter()
                .flatten()
                .map(|below| at.with(below)),
        );
        match schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|text| documents.follow(at.document, text))
        {
            Some(target) => at = target,
            None => break,
        }
    }
    found
}

/// Whether a combination in the schema says something about the token.
fn branches_know(documents: &Documents, at: At<'_>, token: &str) -> bool {
    let at = documents.through_references(at);
    let branches = at.object().into_iter().flat_map(subschemas);
    let mut combined = branches.filter(|below| {
        matches!(
            below.keyword,
            "allOf" | "anyOf" | "oneOf" | "then" | "else" | "if"
        )
    });
    combined.any(|below| !steps(documents, at.with(below.value), token).is_empty())
}
