//! Calls of host code: custom keywords and `x-custom-validator`.

use serde_json::Value;

use super::{Checker, Members, Mode};
use crate::schema::builder::custom_entries;
use crate::schema::custom::{CheckInput, Complaint, CustomValidator, ValidatorError};
use crate::schema::documents::At;
use crate::schema::message;
use crate::schema::registry::guarded;
use crate::schema::validate::DeferredCheck;
use crate::validate::{Finding, Severity};

/// The code of complaints that have none of their own.
const CODE: &str = "custom-validator";

impl<'a> Checker<'a> {
    pub(super) fn custom(&mut self, at: At<'a>, schema: Members<'a>, value: &Value) -> bool {
        if !self.schema.calls_host() {
            return true;
        }
        let mut ok = true;
        for (keyword, argument) in schema {
            if let Some(check) = self.schema.keyword_check(argument) {
                let applies = self
                    .schema
                    .validators()
                    .entry(keyword)
                    .is_none_or(|entry| entry.applies_to(value));
                if applies {
                    let answer = guarded(|| check.validate(&self.input(value, argument)));
                    ok &= self.answer(keyword, keyword, Severity::Error, answer);
                }
            }
        }
        for entry in custom_entries(schema) {
            ok &= self.entry(at, entry, value);
        }
        ok
    }

    fn input<'v>(&'v self, value: &'v Value, options: &'v Value) -> CheckInput<'v> {
        CheckInput {
            value,
            root: self.root,
            pointer: &self.path,
            options,
            context: self.context,
        }
    }

    /// One entry of `x-custom-validator`.
    fn entry(&mut self, _: At<'a>, entry: &'a Value, value: &Value) -> bool {
        static NONE: Value = Value::Null;
        let options = entry.get("options").unwrap_or(&NONE);
        let warning = entry
            .get("severity")
            .is_some_and(|severity| severity == "WARNING");
        let severity = if warning {
            Severity::Warning
        } else {
            Severity::Error
        };
        if let Some(rule) = self.schema.expression_rule(entry) {
            let message = entry
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let answer = guarded(|| rule.holds(&self.input(value, options)))
                .map(|holds| refusal(holds, message));
            return self.answer("expression", CODE, severity, answer);
        }
        let Some(name) = entry.get("validator").and_then(Value::as_str) else {
            return true;
        };
        let Some(registered) = self
            .schema
            .validators()
            .entry(name)
            .filter(|registered| registered.applies_to(value))
        else {
            return true;
        };
        let answer = match (&registered.validator, &registered.rule) {
            (CustomValidator::Function(function), _) => {
                guarded(|| function.validate(&self.input(value, options)))
            }
            (CustomValidator::Expression { message, .. }, Some(rule)) => {
                guarded(|| rule.holds(&self.input(value, options)))
                    .map(|holds| refusal(holds, message))
            }
            (CustomValidator::Format(check), _) => match value.as_str() {
                Some(text) => guarded(|| check.check(text))
                    .map(|holds| refusal(holds, &format!("the text has not the format {name}"))),
                None => return true,
            },
            (CustomValidator::Remote(_), _) => {
                self.defer(name, options, severity, value);
                return true;
            }
            _ => return true,
        };
        self.answer(name, CODE, severity, answer)
    }

    fn defer(&mut self, name: &str, options: &Value, severity: Severity, value: &Value) {
        if self.mode == Mode::Collect {
            self.deferred.push(DeferredCheck {
                validator: name.to_owned(),
                pointer: self.path.clone(),
                value: value.clone(),
                options: options.clone(),
                severity,
            });
        }
    }

    /// Turns complaints into findings; a failure ends the walk.
    fn answer(
        &mut self,
        name: &str,
        code: &str,
        severity: Severity,
        answer: Result<Vec<Complaint>, ValidatorError>,
    ) -> bool {
        let complaints = match answer {
            Ok(complaints) => complaints,
            Err(error) => {
                self.fail(name, error.message, error.retryable);
                return false;
            }
        };
        let ok = complaints.is_empty() || severity == Severity::Warning;
        if self.mode == Mode::Collect {
            for complaint in complaints {
                if self.findings.len() >= self.max {
                    self.truncated = true;
                    break;
                }
                let pointer = format!("{}{}", self.path, complaint.pointer);
                let code = complaint.code.unwrap_or_else(|| code.to_owned());
                let mut finding = Finding::new(severity, code, pointer, complaint.message)
                    .with_argument("validator", message::cut(name));
                finding.hint = complaint.hint;
                self.findings.push(finding);
            }
        }
        ok
    }
}

/// No complaint when a rule holds.
fn refusal(holds: bool, message: &str) -> Vec<Complaint> {
    if holds {
        Vec::new()
    } else {
        vec![Complaint::new(message)]
    }
}
