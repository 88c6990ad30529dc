//! The result of validating one document.

use serde::Serialize;
use serde_json::Value;

use super::Finding;
use crate::json::{content_hash_hex, pointer};

/// Everything there is to say about one document.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The file it came from, as the caller named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its kind, if it says one.
    pub kind: Option<String>,
    /// Its business id, if it has one.
    pub id: Option<String>,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// What was found, by position.
    pub findings: Vec<Finding>,
    /// Warnings the author has acknowledged; they come back when the value they concern changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acknowledged: Vec<Finding>,
}

impl Report {
    /// Whether nothing refuses publishing.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        !self.findings.iter().any(Finding::is_error)
    }
}

/// Moves warnings that `metadata.acknowledgedFindings` names, with the value unchanged, out of the findings.
pub(crate) fn set_acknowledged_aside(
    document: &Value,
    findings: &mut Vec<Finding>,
) -> Vec<Finding> {
    let entries = document
        .get("metadata")
        .and_then(|m| m.get("acknowledgedFindings"))
        .and_then(Value::as_array);
    let Some(entries) = entries else {
        return Vec::new();
    };
    let text =
        |entry: &Value, member: &str| entry.get(member).and_then(Value::as_str).map(str::to_owned);
    let mut aside = Vec::new();
    findings.retain(|finding| {
        let known = !finding.is_error()
            && entries.iter().any(|entry| {
                text(entry, "code").as_deref() == Some(&finding.code)
                    && text(entry, "pointer").as_deref() == Some(&finding.pointer)
                    && text(entry, "valueHash") == Some(value_hash(document, &finding.pointer))
            });
        if known {
            aside.push(finding.clone());
        }
        !known
    });
    aside
}

/// The hash an acknowledgement records of the value at a pointer; of an absent value that of null.
///
/// ```
/// use augmented_core::validate::value_hash;
/// use serde_json::json;
/// assert_eq!(value_hash(&json!({"a": 1}), "/a"), value_hash(&json!({"b": {"a": 1}}), "/b/a"));
/// ```
#[must_use]
pub fn value_hash(document: &Value, at: &str) -> String {
    content_hash_hex(pointer::resolve(document, at).unwrap_or(&Value::Null))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_acknowledged_warning_returns_when_its_value_changes() {
        let warning = || Finding::warning("TIMEOUT_MISSING", "/steps/0", "no limit");
        let mut document = json!({"steps": [{"stepId": "w"}]});
        let hash = value_hash(&document, "/steps/0");
        document["metadata"] = json!({"acknowledgedFindings": [{"code": "TIMEOUT_MISSING", "pointer": "/steps/0", "valueHash": hash}]});
        let mut findings = vec![warning()];
        assert_eq!(
            set_acknowledged_aside(&document, &mut findings),
            [warning()]
        );
        assert!(findings.is_empty());

        document["steps"][0]["stepId"] = json!("other");
        let mut findings = vec![warning()];
        assert!(set_acknowledged_aside(&document, &mut findings).is_empty());
        assert_eq!(findings, [warning()]);
    }

    #[test]
    fn an_error_cannot_be_acknowledged() {
        let hash = value_hash(&json!({}), "/x");
        let document = json!({"metadata": {"acknowledgedFindings": [{"code": "type", "pointer": "/x", "valueHash": hash}]}});
        let mut findings = vec![Finding::error("type", "/x", "no")];
        assert!(set_acknowledged_aside(&document, &mut findings).is_empty());
        assert_eq!(findings.len(), 1);
    }
}
