//! Import forms: how other products and older definitions write expressions, and what each is here.
//!
//! A form is never accepted silently. It is recognised, explained by a hint, and rewritten where only one meaning
//! is possible.

mod draft;
mod paths;
mod rules;
mod templates;

use super::engine::CelEngine;
use super::site::{ExprSite, FieldClass};
use super::token::{self, TokenKind};
use draft::Draft;

pub use templates::canonical_template;

/// Where the text of an import form stands.
#[derive(Clone, Copy, Debug)]
pub struct ImportContext<'c> {
    engine: &'c CelEngine,
    site: &'c ExprSite,
}

impl<'c> ImportContext<'c> {
    /// The place, and the engine that judges what an import form is rewritten to.
    #[must_use]
    pub const fn new(engine: &'c CelEngine, site: &'c ExprSite) -> Self {
        Self { engine, site }
    }

    fn compiles(&self, source: &str) -> bool {
        self.engine.compile_plainly(source, self.site).is_ok()
    }

    /// Whether data can only come from one root, so that a bare name has one meaning.
    fn has_one_source(&self) -> bool {
        self.site.roots().filter(|root| *root != "now").count() == 1
    }

    /// Whether the field is the condition of a transition.
    fn is_transition(&self) -> bool {
        self.site.class() == FieldClass::Condition && self.site.name() == "transition condition"
    }
}

/// A recognised import form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportForm {
    /// The whole text in its right spelling, given only where its meaning is certain and where it compiles.
    pub replacement: Option<String>,
    /// The right spelling, for people.
    pub hint: String,
    /// The row of the table of import forms.
    pub form: u8,
}

/// Recognises an import form in a bare expression; `None` if the text looks like none.
///
/// ```
/// use augmented_core::expr::import::{ImportContext, canonical_expression};
/// use augmented_core::expr::{CelEngine, ExprSite};
///
/// let site = ExprSite::transition_condition();
/// let context = ImportContext::new(CelEngine::shared(), &site);
/// let form = canonical_expression("${data.amount} === 5", &context).unwrap();
/// assert_eq!(form.replacement.as_deref(), Some("output.amount == 5"));
/// ```
#[must_use]
pub fn canonical_expression(text: &str, context: &ImportContext<'_>) -> Option<ImportForm> {
    recognise(text, context).map(|(form, _)| form)
}

/// The likely right spelling of an import form, whether or not it is certain.
fn rewritten_expression(text: &str, context: &ImportContext<'_>) -> Option<String> {
    recognise(text, context)?.1
}

/// An import form, and its likely right spelling as far as that compiles.
fn recognise(text: &str, context: &ImportContext<'_>) -> Option<(ImportForm, Option<String>)> {
    if super::parse::check_length(text).is_err() {
        return None;
    }
    if let Some((form, hint)) = rules::whole_text(text, context) {
        let form = ImportForm {
            replacement: None,
            hint,
            form,
        };
        return Some((form, None));
    }
    let mut draft = Draft::new(text);
    for rule in rules::RULES {
        rule(&mut draft, context);
    }
    let form = draft.form?;
    let rewritten = draft.text();
    let compiles = rewritten != text && context.compiles(&rewritten);
    let hint = if compiles {
        format!("write `{rewritten}`")
    } else {
        draft.notes.join("; ")
    };
    let rewritten = compiles.then_some(rewritten);
    let form = ImportForm {
        replacement: rewritten.clone().filter(|_| draft.certain),
        hint,
        form,
    };
    Some((form, rewritten))
}

/// Rewrites `steps.a-b.x`, a subtraction, to `steps["a-b"].x` where `a-b` is one of the step ids; `None` if there is none.
///
/// ```
/// use augmented_core::expr::import::rewrite_dashed_step;
/// assert_eq!(
///     rewrite_dashed_step("steps.check-credit.output.score > 700", &["check-credit"]).as_deref(),
///     Some("steps[\"check-credit\"].output.score > 700")
/// );
/// ```
#[must_use]
pub fn rewrite_dashed_step(source: &str, step_ids: &[&str]) -> Option<String> {
    let mut dashed: Vec<&str> = step_ids
        .iter()
        .copied()
        .filter(|id| id.contains('-'))
        .collect();
    dashed.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    let found = token::cel_tokens(source);
    let mut rewritten = String::with_capacity(source.len() + 8);
    let mut copied = 0;
    for (at, root) in found.iter().enumerate() {
        let after_dot = at > 0
            && found
                .get(at - 1)
                .is_some_and(|before| before.is(source, "."));
        let Some(dot) = found.get(at + 1).filter(|dot| dot.is(source, ".")) else {
            continue;
        };
        if root.kind != TokenKind::Ident
            || root.text(source) != "steps"
            || after_dot
            || dot.end < copied
        {
            continue;
        }
        let rest = source.get(dot.end..).unwrap_or("");
        let ends = |id: &str| {
            !rest
                .get(id.len()..)
                .unwrap_or("")
                .starts_with(|next: char| next == '_' || next.is_ascii_alphanumeric())
        };
        if let Some(id) = dashed.iter().find(|id| rest.starts_with(**id) && ends(id)) {
            rewritten.push_str(source.get(copied..dot.start).unwrap_or(""));
            rewritten.push_str(&format!("[\"{id}\"]"));
            copied = dot.end + id.len();
        }
    }
    if copied == 0 {
        return None;
    }
    rewritten.push_str(source.get(copied..).unwrap_or(""));
    Some(rewritten)
}
