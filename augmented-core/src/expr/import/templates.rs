//! Import forms in mappings and templates.

use super::{ImportContext, ImportForm, canonical_expression, rewritten_expression};
use crate::expr::token;

/// Last parts of a name with dots that make it a file rather than a path.
const FILE_ENDINGS: [&str; 20] = [
    "csv", "json", "txt", "pdf", "xml", "yaml", "yml", "html", "md", "log", "png", "jpg", "jpeg",
    "zip", "xlsx", "docx", "parquet", "svg", "tmp", "gz",
];

/// Roots of running instances and events; the roots of other areas, such as `form`, are too often the first part of a plain name.
const PATH_ROOTS: [&str; 10] = [
    "error", "event", "input", "item", "output", "schedule", "signal", "steps", "vars", "workflow",
];

/// Recognises an import form in a string of a mapping or template: `{{…}}`, or a bare path; `None` if it looks like none.
///
/// The forms inside `${…}` are those of [`canonical_expression`].
///
/// ```
/// use augmented_core::expr::import::{ImportContext, canonical_template};
/// use augmented_core::expr::{CelEngine, ExprSite};
///
/// let site = ExprSite::step_input();
/// let context = ImportContext::new(CelEngine::shared(), &site);
/// let form = canonical_template("Order {{input.orderId}}", &context).unwrap();
/// assert_eq!(form.replacement.as_deref(), Some("Order ${input.orderId}"));
/// assert!(canonical_template("Order {input.orderId}", &context).is_none());
/// ```
#[must_use]
pub fn canonical_template(text: &str, context: &ImportContext<'_>) -> Option<ImportForm> {
    // Long texts are never paths, and a placeholder is looked for once.
    if text.contains("{{") {
        return mustache(text, context);
    }
    if text.contains("${") || text.len() > 256 {
        return None;
    }
    bare_path(text, context)
}

/// `{{ path }}`, alone or in a text.
fn mustache(text: &str, context: &ImportContext<'_>) -> Option<ImportForm> {
    let mut rewritten = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    let mut certain = true;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((inner, tail)) = after.split_once("}}") else {
            break;
        };
        // `${ {'a': {'b': 1}}… }` is an expression whose braces meet.
        if before
            .rsplit_once("${")
            .is_some_and(|(_, open)| !open.contains('}'))
        {
            return None;
        }
        found = true;
        let inner = inner.trim();
        if inner.starts_with("env.") {
            let hint = "the environment is not readable: use a secret reference of the integration"
                .to_owned();
            return Some(ImportForm {
                replacement: None,
                hint,
                form: 21,
            });
        }
        let source = canonical_part(inner, context);
        certain &= source.is_some();
        rewritten.push_str(before);
        rewritten.push_str(&format!("${{{}}}", source.as_deref().unwrap_or(inner)));
        rest = tail;
    }
    if !found {
        return None;
    }
    rewritten.push_str(rest);
    let hint = if certain {
        format!("write `{rewritten}`")
    } else {
        "placeholders are written `${…}` and hold an expression".to_owned()
    };
    Some(ImportForm {
        replacement: certain.then_some(rewritten),
        hint,
        form: 20,
    })
}

/// The right spelling of the inside of a placeholder, if it is certain.
fn canonical_part(inner: &str, context: &ImportContext<'_>) -> Option<String> {
    if context.compiles(inner) {
        return Some(inner.to_owned());
    }
    canonical_expression(inner, context)?.replacement
}

/// `event.payload.x` where `${event.payload.x}` is meant.
fn bare_path(text: &str, context: &ImportContext<'_>) -> Option<ImportForm> {
    if text == "$" {
        let data = context.site.data_root();
        let hint =
            format!("write `${{{data}}}`, or `{{\"$literal\": \"$\"}}` for the character itself");
        return Some(ImportForm {
            replacement: None,
            hint,
            form: 1,
        });
    }
    let rooted = text.strip_prefix("$.");
    let path = rooted.unwrap_or(text);
    let parts: Vec<&str> = path.split('.').collect();
    let last = parts.last()?;
    if (parts.len() < 2 && rooted.is_none())
        || FILE_ENDINGS.contains(&last.to_ascii_lowercase().as_str())
        || !parts.iter().all(|part| is_path_part(part))
    {
        return None;
    }
    let root = parts.first().copied().unwrap_or("");
    let source =
        if PATH_ROOTS.contains(&root) && context.site.allows(root) && context.compiles(text) {
            text.to_owned()
        } else if text.starts_with("$.")
            || matches!(
                (root, parts.get(1).copied()),
                (
                    "workflow",
                    Some("input" | "variables" | "context" | "state" | "instance")
                ) | ("step", Some("input"))
                    | ("task", Some("output"))
            )
        {
            rewritten_expression(text, context)?
        } else {
            return None;
        };
    let hint =
        format!("write `${{{source}}}`, or `{{\"$literal\": {text:?}}}` for the text itself");
    Some(ImportForm {
        replacement: None,
        hint,
        form: 18,
    })
}

/// A name, with or without indexes behind it.
fn is_path_part(part: &str) -> bool {
    let name = part.split('[').next().unwrap_or("");
    let named = name.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    let indexes = part.get(name.len()..).unwrap_or("");
    let tokens = token::cel_tokens(indexes);
    named
        && (tokens.is_empty()
            || (indexes.ends_with(']')
                && indexes
                    .bytes()
                    .all(|byte| byte == b'[' || byte == b']' || byte.is_ascii_digit())))
}
