//! From a parsed JSON text to documents and their kinds.

use serde_json::Value;

use super::kind::DefinitionKind;
use crate::json::nearest::nearest;
use crate::validate::{Finding, PatchOp};

/// One document of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct DocumentRef<'a> {
    /// Its place in the text: `Some(index)` in an array of documents, `None` if it is the whole text.
    pub index: Option<usize>,
    /// The document.
    pub value: &'a Value,
}

impl DocumentRef<'_> {
    /// JSON Pointer of the document in its text: `""`, or `/` and its index.
    #[must_use]
    pub fn base(&self) -> String {
        self.index
            .map_or_else(String::new, |index| format!("/{index}"))
    }
}

/// The documents of a text: the text itself, or each element if it is an array.
///
/// ```
/// use augmented_core::model::load::split_documents;
/// use serde_json::json;
/// let text = json!([{"kind": "task"}, {"kind": "event"}]);
/// let places: Vec<_> = split_documents(&text).map(|document| document.base()).collect();
/// assert_eq!(places, ["/0", "/1"]);
/// ```
pub fn split_documents(parsed: &Value) -> impl Iterator<Item = DocumentRef<'_>> {
    let (one, many) = match parsed {
        Value::Array(documents) => (None, documents.as_slice()),
        single => (
            Some(DocumentRef {
                index: None,
                value: single,
            }),
            &[][..],
        ),
    };
    one.into_iter()
        .chain(many.iter().enumerate().map(|(index, value)| DocumentRef {
            index: Some(index),
            value,
        }))
}

/// The kind a document says it is.
///
/// # Errors
/// A finding KIND_UNKNOWN, its pointer inside the document, if `kind` is missing or names no kind; with the nearest
/// kind as hint, and as a fix where it is certain. A finding `type` if the document is no object.
///
/// ```
/// use augmented_core::model::{DefinitionKind, load::detect_kind};
/// use serde_json::json;
/// assert_eq!(detect_kind(&json!({"kind": "task"})), Ok(DefinitionKind::Task));
/// let finding = detect_kind(&json!({"kind": "workflw"})).unwrap_err();
/// assert_eq!((&*finding.code, finding.pointer.as_str()), ("KIND_UNKNOWN", "/kind"));
/// assert_eq!(finding.hint.as_deref(), Some("did you mean `workflow`?"));
/// ```
pub fn detect_kind(document: &Value) -> Result<DefinitionKind, Finding> {
    let Value::Object(members) = document else {
        return Err(Finding::error(
            "type",
            "",
            format!(
                "a definition must be an object, not {}",
                type_name(document)
            ),
        )
        .with_argument("expected", vec!["object"])
        .with_argument("actual", crate::schema::type_name(document)));
    };
    match members.get("kind") {
        Some(Value::String(name)) => name.parse().map_err(|_| unknown_kind(name)),
        Some(other) => Err(Finding::error(
            "KIND_UNKNOWN",
            "/kind",
            format!("`kind` must be text, not {}", type_name(other)),
        )
        .with_hint(all_kinds())),
        None => Err(missing_kind(document)),
    }
}

fn unknown_kind(name: &str) -> Finding {
    let shown: String = name.chars().take(200).collect();
    let near = nearest(name, DefinitionKind::MODELLED.map(DefinitionKind::as_str));
    let finding = Finding::error(
        "KIND_UNKNOWN",
        "/kind",
        format!("`{shown}` is no kind of definition"),
    )
    .with_argument("actual", shown)
    .with_optional_argument("nearest", near.as_ref().map(|near| near.name));
    match near {
        None => finding.with_hint(all_kinds()),
        Some(found) => {
            let finding = finding.with_hint(format!("did you mean `{}`?", found.name));
            if found.unique && found.same_letters {
                finding.with_fix(vec![PatchOp::Replace {
                    path: "/kind".to_owned(),
                    value: found.name.into(),
                }])
            } else {
                finding
            }
        }
    }
}

fn missing_kind(document: &Value) -> Finding {
    let finding = Finding::error(
        "KIND_UNKNOWN",
        "/kind",
        "`kind` is missing, which says what the document defines",
    );
    match kind_by_id(document) {
        None => finding.with_hint(all_kinds()),
        Some((kind, member)) => finding
            .with_hint(format!("a document with `{member}` is of kind `{kind}`"))
            .with_fix(vec![PatchOp::Add {
                path: "/kind".to_owned(),
                value: kind.as_str().into(),
            }]),
    }
}

/// The kind whose business id the document carries.
fn kind_by_id(document: &Value) -> Option<(DefinitionKind, &'static str)> {
    let own = DefinitionKind::MODELLED.into_iter().filter_map(|kind| {
        let member = kind.id_member()?;
        document.get(member).is_some().then_some((kind, member))
    });
    // A trigger names its workflow, too, so its own id decides.
    own.max_by_key(|(kind, _)| *kind == DefinitionKind::Trigger)
}

fn all_kinds() -> String {
    let names: Vec<&str> = DefinitionKind::MODELLED
        .iter()
        .map(|kind| kind.as_str())
        .collect();
    format!("use one of {}", names.join(", "))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(document: Value, expected: &str) {
        let detected = detect_kind(&document);
        if let Err(finding) = &detected {
            crate::codes::assert_arguments(std::slice::from_ref(finding));
        }
        let found = match detected {
            Ok(kind) => kind.to_string(),
            Err(finding) => format!(
                "{finding}; fix {}",
                serde_json::to_string(&finding.fix).unwrap()
            ),
        };
        assert_eq!(found, expected, "{document}");
    }

    #[test]
    fn kinds_are_read_or_the_nearest_is_named() {
        check(json!({"kind": "alert-rule"}), "alert-rule");
        check(
            json!({"kind": "shcedule"}),
            "ERROR KIND_UNKNOWN at /kind: `shcedule` is no kind of definition (did you mean `schedule`?); fix null",
        );
        check(
            json!({"kind": "Work_Flow"}),
            "ERROR KIND_UNKNOWN at /kind: `Work_Flow` is no kind of definition (did you mean `workflow`?); \
             fix [{\"op\":\"replace\",\"path\":\"/kind\",\"value\":\"workflow\"}]",
        );
        check(
            json!({"triggerId": "t", "workflowId": "w"}),
            "ERROR KIND_UNKNOWN at /kind: `kind` is missing, which says what the document defines (a document with `triggerId` is of \
             kind `trigger`); fix [{\"op\":\"add\",\"path\":\"/kind\",\"value\":\"trigger\"}]",
        );
        check(
            json!([1]),
            "ERROR type at the root: a definition must be an object, not an array; fix null",
        );
    }

    #[test]
    fn without_a_near_kind_those_of_this_version_are_listed() {
        for document in [json!({"kind": "banana"}), json!({"kind": 5}), json!({})] {
            let hint = detect_kind(&document).unwrap_err().hint.unwrap();
            assert!(
                hint.contains("workflow") && !hint.contains("alert-rule"),
                "{hint}"
            );
        }
    }

    #[test]
    fn one_document_or_an_array_of_them_is_split() {
        let single = json!({"kind": "task"});
        assert_eq!(
            split_documents(&single)
                .map(|document| document.base())
                .collect::<Vec<_>>(),
            [""]
        );
        assert_eq!(split_documents(&json!([])).count(), 0);
        let scalar = json!(5);
        assert_eq!(split_documents(&scalar).count(), 1);
    }
}
