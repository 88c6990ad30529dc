//! Findings as text, HTML, problem details and a map by field.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Finding, Severity};

/// A way of showing findings; hosts may write their own.
pub trait Renderer {
    /// Shows the findings.
    fn render(&self, findings: &[Finding]) -> String;
}

/// One line per finding: `file:line:column: ERROR code at pointer: message (hint)`.
///
/// ```
/// use augmented_core::validate::{Finding, render};
/// let findings = [Finding::error("required", "/name", "`name` is missing")];
/// assert_eq!(render::text(&findings), "ERROR required at /name: `name` is missing\n");
/// ```
#[must_use]
pub fn text(findings: &[Finding]) -> String {
    let mut lines = String::new();
    for finding in findings {
        lines.push_str(&finding.to_string());
        lines.push('\n');
    }
    lines
}

/// The list of findings as JSON.
#[must_use]
pub fn json(findings: &[Finding]) -> Value {
    serde_json::to_value(findings).unwrap_or_default()
}

/// An HTML list; everything that comes from the document is escaped.
#[must_use]
pub fn html(findings: &[Finding]) -> String {
    let mut list = String::from("<ul class=\"findings\">\n");
    for finding in findings {
        let class = if finding.severity == Severity::Error {
            "error"
        } else {
            "warning"
        };
        list.push_str(&format!("<li class=\"{class}\">"));
        if let Some(file) = &finding.file {
            list.push_str(&format!("<span class=\"file\">{}</span> ", escape(file)));
        }
        if let (Some(line), Some(column)) = (finding.line, finding.column) {
            list.push_str(&format!("<span class=\"position\">{line}:{column}</span> "));
        }
        list.push_str(&format!(
            "<code class=\"code\">{}</code> <code class=\"pointer\">{}</code> <span class=\"message\">{}</span>",
            escape(&finding.code),
            escape(&finding.pointer),
            escape(&finding.message)
        ));
        if let Some(hint) = &finding.hint {
            list.push_str(&format!(" <span class=\"hint\">{}</span>", escape(hint)));
        }
        list.push_str("</li>\n");
    }
    list.push_str("</ul>\n");
    list
}

/// Problem details (RFC 9457) with the findings in `errors`.
#[must_use]
pub fn problem(findings: &[Finding]) -> Value {
    let errors = findings.iter().filter(|f| f.is_error()).count();
    let (title, status) = if errors > 0 {
        ("the document has errors", 400)
    } else {
        ("the document has warnings", 200)
    };
    json!({
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": format!("{errors} errors, {} warnings", findings.len() - errors),
        "code": "INVALID_ARGUMENT",
        "errors": json(findings),
    })
}

/// The messages of each field, by pointer; those of the whole document stand under `""`.
///
/// ```
/// use augmented_core::validate::{Finding, render};
/// let findings = [Finding::error("type", "/age", "expected a number")];
/// assert_eq!(render::by_field(&findings)["/age"], ["expected a number"]);
/// ```
#[must_use]
pub fn by_field(findings: &[Finding]) -> BTreeMap<String, Vec<String>> {
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in findings {
        fields
            .entry(finding.pointer.clone())
            .or_default()
            .push(finding.message.clone());
    }
    fields
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_escapes_what_comes_from_the_document() {
        let finding = Finding::error(
            "enum",
            "/a<b>",
            "`<script>alert('x')</script>` is none of \"A\" & \"B\"",
        )
        .with_hint("<b>A</b>");
        let shown = html(&[finding]);
        assert!(
            !shown.contains("<script>") && !shown.contains("<b>"),
            "{shown}"
        );
        assert!(shown.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    }

    #[test]
    fn problem_details_count_and_carry_all_findings() {
        let findings = [
            Finding::error("type", "/a", "x"),
            Finding::warning("TIMEOUT_MISSING", "/b", "y"),
        ];
        let shown = problem(&findings);
        assert_eq!(shown["status"], 400);
        assert_eq!(shown["detail"], "1 errors, 1 warnings");
        assert_eq!(shown["errors"][1]["code"], "TIMEOUT_MISSING");
    }

    #[test]
    fn by_field_keeps_the_root_under_the_empty_key() {
        let findings = [
            Finding::error("required", "", "empty"),
            Finding::error("type", "", "no object"),
        ];
        assert_eq!(by_field(&findings)[""], ["empty", "no object"]);
    }
}
