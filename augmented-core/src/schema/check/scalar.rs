//! Keywords of numbers and strings.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{Checker, Members, Mode, argue, argue_limit};
use crate::schema::custom::CustomValidator;
use crate::schema::documents::At;
use crate::schema::registry::guarded;
use crate::schema::validate::ValidationEngineError;
use crate::schema::{format, message, types};

/// A limit: its keyword, its words, and the order that keeps it.
type Bound = (&'static str, &'static str, fn(Ordering) -> bool);

impl<'a> Checker<'a> {
    pub(super) fn number(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        value: &Value,
        number: &Number,
    ) -> bool {
        const BOUNDS: [Bound; 4] = [
            ("minimum", "at least", Ordering::is_ge),
            ("maximum", "at most", Ordering::is_le),
            ("exclusiveMinimum", "more than", Ordering::is_gt),
            ("exclusiveMaximum", "less than", Ordering::is_lt),
        ];
        let mut ok = true;
        for (keyword, words, holds) in BOUNDS {
            let Some(Value::Number(bound)) = schema.get(keyword) else {
                continue;
            };
            if !holds(types::compare_numbers(number, bound)) {
                ok = false;
                let actual = self.actual(value);
                let finding = self.report(Some(schema), keyword, |this| {
                    this.is_but(Some(schema), value, &format!("{words} {bound}"))
                });
                argue_limit(finding, bound.clone(), actual);
            }
        }
        if let Some(divisor) = schema.get("multipleOf")
            && !self.leaf(at, "multipleOf", divisor, value)
        {
            ok = false;
            let actual = self.actual(value);
            let finding = self.report(Some(schema), "multipleOf", |this| {
                this.is_but(Some(schema), value, &format!("a multiple of {divisor}"))
            });
            if let Some(finding) = finding {
                finding.arguments.set("step", divisor.clone());
                argue(finding, "actual", actual);
            }
        }
        ok
    }

    pub(super) fn string(
        &mut self,
        at: At<'a>,
        schema: Members<'a>,
        value: &Value,
        text: &str,
    ) -> bool {
        let mut ok = self.text_length(schema, value, text);
        if !ok && self.mode == Mode::Test {
            return false;
        }
        if let Some(pattern) = schema.get("pattern")
            && !self.leaf(at, "pattern", pattern, value)
        {
            ok = false;
            let pattern = pattern.as_str().unwrap_or_default();
            let actual = self.actual(value);
            let finding = self.report(Some(schema), "pattern", |this| {
                this.is_but(
                    Some(schema),
                    value,
                    &format!("to match the pattern {}", message::cut(pattern)),
                )
            });
            if let Some(finding) = finding {
                finding.arguments.set("pattern", message::cut(pattern));
                argue(finding, "actual", actual);
            }
        }
        if let Some(Value::String(name)) = schema.get("format")
            && !self.has_format(at, name, value, text)
        {
            ok = false;
            let example = format::example(name);
            let actual = self.actual(value);
            let finding = self.report(Some(schema), "format", |this| {
                this.is_but(
                    Some(schema),
                    value,
                    &format!("the format {}", message::cut(name)),
                )
            });
            if let Some(finding) = finding {
                finding.arguments.set("format", message::cut(name));
                argue(finding, "actual", actual);
                finding.hint =
                    example.map(|example| format!("for example {}", Value::from(example)));
            }
        }
        for keyword in ["contentEncoding", "contentMediaType"] {
            if let Some(argument) = schema.get(keyword)
                && !self.leaf(at, keyword, argument, value)
            {
                ok = false;
                let wanted = argument.as_str().unwrap_or_default();
                let finding = self.report(Some(schema), keyword, |this| {
                    this.is_but(
                        Some(schema),
                        value,
                        &format!("content of {}", message::cut(wanted)),
                    )
                });
                if let Some(finding) = finding {
                    let argument = if keyword == "contentEncoding" {
                        "encoding"
                    } else {
                        "mediaType"
                    };
                    finding.arguments.set(argument, message::cut(wanted));
                }
            }
        }
        ok
    }

    fn text_length(&mut self, schema: Members<'a>, value: &Value, text: &str) -> bool {
        let (min, max) = (limit(schema, "minLength"), limit(schema, "maxLength"));
        if min.is_none() && max.is_none() {
            return true;
        }
        let length = text.chars().count() as u64;
        let mut ok = true;
        if let Some(min) = min.filter(|min| length < *min) {
            ok = false;
            let finding = self.report(Some(schema), "minLength", |this| {
                this.is_but(
                    Some(schema),
                    value,
                    &format!(
                        "at least {}, found {length}",
                        message::count(min, "character")
                    ),
                )
            });
            argue_limit(finding, min, Some(length));
        }
        if let Some(max) = max.filter(|max| length > *max) {
            ok = false;
            let finding = self.report(Some(schema), "maxLength", |this| {
                this.is_but(
                    Some(schema),
                    value,
                    &format!(
                        "at most {}, found {length}",
                        message::count(max, "character")
                    ),
                )
            });
            argue_limit(finding, max, Some(length));
        }
        ok
    }

    /// Asks the engine about a single keyword.
    pub(super) fn leaf(
        &self,
        at: At<'a>,
        keyword: &'static str,
        argument: &Value,
        value: &Value,
    ) -> bool {
        self.leaves
            .accepts(
                self.documents.dialect(at.document),
                keyword,
                argument,
                value,
            )
            .unwrap_or(true)
    }

    fn has_format(&mut self, at: At<'a>, name: &str, value: &Value, text: &str) -> bool {
        let answer = match self
            .schema
            .validators()
            .entry(name)
            .map(|entry| &entry.validator)
        {
            Some(CustomValidator::Format(check)) => guarded(|| check.check(text)),
            _ if name == "expression" => match self.schema.validators().expressions() {
                Some(expressions) => guarded(|| Ok(expressions.is_expression(text))),
                None => return true,
            },
            _ => return self.leaf(at, "format", &Value::from(name), value),
        };
        answer.unwrap_or_else(|error| {
            self.fail(name, error.message, error.retryable);
            false
        })
    }

    /// Records that a custom validator could not answer.
    pub(super) fn fail(&mut self, name: &str, reason: String, retryable: bool) {
        if self.failure.is_none() {
            self.failure = Some(ValidationEngineError::ValidatorFailed {
                name: name.to_owned(),
                reason,
                retryable,
            });
        }
    }
}

/// A keyword that is a count; `3.0` is one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the sign is checked, and no count reaches 2^53"
)]
pub(super) fn limit(schema: Members<'_>, keyword: &str) -> Option<u64> {
    let value = schema.get(keyword)?;
    value.as_u64().or_else(|| {
        value
            .as_f64()
            .filter(|double| *double >= 0.0)
            .map(|double| double as u64)
    })
}
