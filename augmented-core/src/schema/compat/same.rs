//! Whether two schemas mean the same, words left aside.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::schema::dialect::subschemas;
use crate::schema::documents::{At, Documents};
use crate::schema::policy::{Identity, identity};
use crate::schema::types;

/// Pairs that are taken for the same while they are compared, which proves recursive ones.
pub(super) type Assumed = HashSet<(Identity, Identity)>;

/// Whether two schemas accept the same values by the same keywords, references followed.
pub(super) fn same(
    old: (&Documents, At<'_>),
    new: (&Documents, At<'_>),
    assumed: &mut Assumed,
) -> bool {
    let (old_documents, old_at) = old;
    let (new_documents, new_at) = new;
    if !assumed.insert((identity(old_at.value), identity(new_at.value))) {
        return true;
    }
    let (Some(a), Some(b)) = (old_at.object(), new_at.object()) else {
        return old_at.value == new_at.value;
    };
    if old_documents.dialect(old_at.document) != new_documents.dialect(new_at.document) {
        return false;
    }
    let (kept_a, kept_b) = (meaningful(a), meaningful(b));
    if kept_a.len() != kept_b.len() || kept_a.iter().zip(&kept_b).any(|(a, b)| a != b) {
        return false;
    }
    let holding: Vec<&str> = subschemas(a)
        .into_iter()
        .map(|below| below.keyword)
        .collect();
    let plain = kept_a
        .iter()
        .filter(|keyword| !holding.contains(keyword) && !is_reference(keyword));
    if plain
        .into_iter()
        .any(|keyword| !equal(a.get(*keyword), b.get(*keyword)))
    {
        return false;
    }
    for keyword in kept_a.iter().filter(|keyword| is_reference(keyword)) {
        let (from, to) = (reference(a, keyword), reference(b, keyword));
        let targets = from
            .and_then(|text| old_documents.follow(old_at.document, text))
            .zip(to.and_then(|text| new_documents.follow(new_at.document, text)));
        match targets {
            Some((from, to)) if *keyword == "$ref" => {
                if !same((old_documents, from), (new_documents, to), assumed) {
                    return false;
                }
            }
            // Where a dynamic reference leads is known only while a value is judged.
            _ => {
                if from != to
                    || !same(
                        (old_documents, old_documents.root()),
                        (new_documents, new_documents.root()),
                        assumed,
                    )
                {
                    return false;
                }
            }
        }
    }
    let (below_a, below_b) = (parts(a), parts(b));
    below_a.len() == below_b.len()
        && below_a.iter().zip(&below_b).all(|((at_a, a), (at_b, b))| {
            at_a == at_b
                && same(
                    (old_documents, old_at.with(a)),
                    (new_documents, new_at.with(b)),
                    assumed,
                )
        })
}

fn equal(a: Option<&Value>, b: Option<&Value>) -> bool {
    a.zip(b).is_some_and(|(a, b)| types::equal(a, b))
}

fn reference<'s>(schema: &'s Map<String, Value>, keyword: &str) -> Option<&'s str> {
    schema.get(keyword).and_then(Value::as_str)
}

fn is_reference(keyword: &str) -> bool {
    matches!(keyword, "$ref" | "$dynamicRef" | "$recursiveRef")
}

/// The schemas below that take part in the verdict, in the order of their places.
fn parts(schema: &Map<String, Value>) -> Vec<(String, &Value)> {
    let below = subschemas(schema)
        .into_iter()
        .filter(|below| !is_annotation(below.keyword));
    let mut parts: Vec<(String, &Value)> =
        below.map(|below| (below.pointer, below.value)).collect();
    parts.sort_by(|a, b| a.0.cmp(&b.0));
    parts
}

/// The keywords that take part in the verdict, sorted.
fn meaningful(schema: &Map<String, Value>) -> Vec<&str> {
    let mut keywords: Vec<&str> = schema
        .keys()
        .map(String::as_str)
        .filter(|keyword| !is_annotation(keyword))
        .collect();
    keywords.sort_unstable();
    keywords
}

/// Whether a keyword only describes.
pub(super) fn is_annotation(keyword: &str) -> bool {
    matches!(
        keyword,
        "title"
            | "description"
            | "default"
            | "examples"
            | "$comment"
            | "$id"
            | "$schema"
            | "$anchor"
            | "$dynamicAnchor"
            | "$vocabulary"
            | "$recursiveAnchor"
            | "$defs"
            | "definitions"
            | "readOnly"
            | "writeOnly"
            | "deprecated"
            | "contentSchema"
    ) || (keyword.starts_with("x-") && keyword != "x-custom-validator")
}
