//! The keyword policy: what a schema may say beyond what its meta-schema demands.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::custom::{CustomValidator, ExpressionRule, FunctionValidator};
use super::dialect::{Dialect, subschemas};
use super::registry::{ValidatorRegistry, guarded};
use super::{format, pattern};
use crate::json::nearest::nearest;
use crate::json::pointer;
use crate::validate::{Arguments, Finding, PatchOp};

/// Nesting beyond this is no schema a person wrote.
const MAX_NESTING: usize = 128;

/// The extension keywords of our own.
const EXTENSIONS: &[&str] = &[
    "x-sensitive",
    "x-messages",
    "x-discriminator",
    "x-custom-validator",
];

/// Where something stands in memory; stable as long as the documents live.
pub(super) type Identity = usize;

pub(super) fn identity(value: &Value) -> Identity {
    std::ptr::from_ref(value).addr()
}

/// What a document uses, found in one walk over it.
#[derive(Default)]
pub(super) struct Survey {
    pub(super) findings: Vec<Finding>,
    /// Pointer and text of each reference.
    pub(super) references: Vec<(String, String)>,
    /// Pointer and text of each pattern.
    pub(super) patterns: Vec<(String, String)>,
    /// Whether host code takes part in the verdict.
    pub(super) calls_host: bool,
    /// Whether values under it must not be shown.
    pub(super) has_sensitive: bool,
    /// Names of custom keywords, formats and validators.
    pub(super) validators: BTreeSet<String>,
    /// Checks of custom keywords, by the keyword's value.
    pub(super) keywords: HashMap<Identity, Arc<dyn FunctionValidator>>,
    /// Compiled expressions, by the entry that holds them.
    pub(super) expressions: HashMap<Identity, Arc<dyn ExpressionRule>>,
    /// Pointers of the entries whose outcome is not known in the synchronous pass.
    pub(super) deferred: HashMap<Identity, String>,
}

/// Walks over a document.
pub(super) fn survey(schema: &Value, dialect: Dialect, validators: &ValidatorRegistry) -> Survey {
    let mut walk = Walk {
        dialect,
        validators,
        at: String::new(),
        survey: Survey::default(),
    };
    walk.schema(schema, 0);
    walk.survey
}

struct Walk<'a> {
    dialect: Dialect,
    validators: &'a ValidatorRegistry,
    at: String,
    survey: Survey,
}

impl Walk<'_> {
    fn schema(&mut self, schema: &Value, depth: usize) {
        if depth > MAX_NESTING {
            let message = format!("the schema is nested deeper than {MAX_NESTING} levels");
            self.survey.findings.push(
                Finding::error("SCHEMA_TOO_COMPLEX", self.at.clone(), message)
                    .with_argument("limit", MAX_NESTING),
            );
            return;
        }
        let Some(schema) = schema.as_object() else {
            return;
        };
        for (keyword, value) in schema {
            self.keyword(schema, keyword, value, depth);
        }
        let length = self.at.len();
        for below in subschemas(schema) {
            self.at.push_str(&below.pointer);
            self.schema(below.value, depth + 1);
            self.at.truncate(length);
        }
    }

    fn keyword(&mut self, schema: &Map<String, Value>, keyword: &str, value: &Value, depth: usize) {
        match keyword {
            "$ref" | "$dynamicRef" | "$recursiveRef" => {
                if let Some(target) = value.as_str() {
                    self.survey
                        .references
                        .push((pointer::join(&self.at, keyword), target.to_owned()));
                }
            }
            "pattern" => {
                if let Some(pattern) = value.as_str() {
                    self.pattern(pointer::join(&self.at, keyword), pattern);
                }
            }
            "patternProperties" => {
                for pattern in value.as_object().into_iter().flat_map(Map::keys) {
                    self.pattern(
                        pointer::join(&pointer::join(&self.at, keyword), pattern),
                        pattern,
                    );
                }
            }
            "format" => self.format(value),
            "$id" if depth > 0 && !value.as_str().is_some_and(|id| id.starts_with('#')) => {
                let message = "`$id` inside a schema would change what its references mean";
                self.finding(
                    keyword,
                    "INVALID_SCHEMA",
                    message,
                    Some("name the place with `$anchor`, or refer to it by pointer"),
                );
            }
            "$schema" if depth > 0 => {
                self.finding(
                    keyword,
                    "INVALID_SCHEMA",
                    "`$schema` belongs at the root of a schema",
                    None,
                );
            }
            "writeOnly" | "x-sensitive" => self.survey.has_sensitive |= *value == Value::Bool(true),
            "x-custom-validator" => self.custom_validators(value),
            _ => {}
        }
        let known = self.dialect.has_keyword(keyword) || keyword.starts_with("x-");
        if known {
            return;
        }
        match self
            .validators
            .entry(keyword)
            .map(|entry| (entry.validator.clone(), entry.meta.clone()))
        {
            Some((CustomValidator::Keyword(factory), meta)) => {
                self.options_findings(meta.as_ref(), value, &pointer::join(&self.at, keyword));
                self.survey.validators.insert(keyword.to_owned());
                self.survey.calls_host = true;
                match guarded(|| Ok(factory.build(value, schema))) {
                    Ok(Ok(check)) => {
                        self.survey.keywords.insert(identity(value), check);
                    }
                    Ok(Err(reason)) => self.finding(keyword, "INVALID_SCHEMA", &reason, None),
                    Err(error) => self.finding(keyword, "VALIDATOR_FAILED", &error.message, None),
                }
            }
            _ => self.unknown_keyword(schema, keyword, value),
        }
    }

    fn unknown_keyword(&mut self, schema: &Map<String, Value>, keyword: &str, value: &Value) {
        let at = pointer::join(&self.at, keyword);
        let mut finding = Finding::error(
            "UNKNOWN_KEYWORD",
            at.clone(),
            format!("`{keyword}` is no keyword of this dialect and would have no effect"),
        )
        .with_argument("keyword", cut(keyword));
        let mut known: Vec<&str> = self.dialect.keywords().collect();
        known.extend(EXTENSIONS);
        known.extend(self.validators.names());
        known.retain(|name| !schema.contains_key(*name));
        if let Some(found) = nearest(keyword, known) {
            finding.arguments.set("nearest", found.name);
            finding.hint = Some(format!("did you mean `{}`?", found.name));
            if found.unique && self.accepts(found.name, value) {
                finding.fix = Some(vec![PatchOp::Move {
                    from: at,
                    path: pointer::join(&self.at, found.name),
                }]);
            }
        } else {
            finding.hint = Some(
                elsewhere(self.dialect, keyword)
                    .unwrap_or_else(|| "annotations of your own begin with `x-`".to_owned()),
            );
        }
        self.survey.findings.push(finding);
    }

    /// Whether the keyword takes the value, so that renaming repairs and breaks nothing.
    fn accepts(&self, keyword: &str, value: &Value) -> bool {
        let mut schema = Map::new();
        schema.insert(keyword.to_owned(), value.clone());
        let schema = Value::Object(schema);
        if !self.dialect.has_keyword(keyword) || !super::meta::is_valid(&schema, self.dialect) {
            return false;
        }
        survey(&schema, self.dialect, self.validators)
            .findings
            .is_empty()
    }

    fn pattern(&mut self, at: String, text: &str) {
        if let Some(what) = pattern::unsupported(text) {
            self.survey.findings.push(
                Finding::error("PATTERN_UNSUPPORTED", at, format!("the pattern `{}` uses {what}", cut(text)))
                    .with_argument("pattern", cut(text))
                    .with_argument("problem", what)
                    .with_hint("patterns run in linear time: split the rule over several patterns with `allOf` or `not`"),
            );
        } else {
            self.survey.patterns.push((at, text.to_owned()));
        }
    }

    fn format(&mut self, value: &Value) {
        let Some(name) = value.as_str() else {
            return;
        };
        if format::is_standard(self.dialect, name)
            || (format::is_shipped(name) && name != "expression")
        {
            return;
        }
        if name == "expression" && self.validators.expressions().is_some() {
            self.survey.calls_host = true;
            self.survey.validators.insert(name.to_owned());
            return;
        }
        if let Some(CustomValidator::Format(_)) = self.validators.validator(name) {
            self.survey.calls_host = true;
            self.survey.validators.insert(name.to_owned());
            return;
        }
        let at = pointer::join(&self.at, "format");
        if name == "expression" {
            let message =
                "the format `expression` needs an expression language, and none is registered";
            self.survey
                .findings
                .push(Finding::error("VALIDATOR_MISSING", at, message));
            return;
        }
        let mut finding = Finding::error(
            "UNKNOWN_FORMAT",
            at.clone(),
            format!("the format `{}` is not registered", cut(name)),
        )
        .with_argument("format", cut(name));
        let dialect = self.dialect;
        let mut known: Vec<&str> = format::names()
            .filter(|name| format::is_standard(dialect, name) || format::is_shipped(name))
            .collect();
        known.extend(self.validators.names());
        if let Some(found) = nearest(name, known) {
            finding.arguments.set("nearest", found.name);
            finding.hint = Some(format!("did you mean `{}`?", found.name));
            if found.unique && format::is_standard(dialect, found.name) {
                finding.fix = Some(vec![PatchOp::Replace {
                    path: at,
                    value: Value::from(found.name),
                }]);
            }
        }
        self.survey.findings.push(finding);
    }

    fn custom_validators(&mut self, value: &Value) {
        let at = pointer::join(&self.at, "x-custom-validator");
        match value {
            Value::Array(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    self.custom_validator(entry, &pointer::join_index(&at, index));
                }
            }
            entry => self.custom_validator(entry, &at),
        }
    }

    fn custom_validator(&mut self, entry: &Value, at: &str) {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let legal: &[&str] = if entry.get("expression").is_some() {
            &["expression", "message", "severity", "options"]
        } else {
            &["validator", "options", "severity"]
        };
        let members = entry.as_object().into_iter().flat_map(Map::keys);
        let unknown: Vec<&String> = members
            .filter(|name| !legal.contains(&name.as_str()))
            .collect();
        let severity_ok = entry
            .get("severity")
            .is_none_or(|s| *s == "ERROR" || *s == "WARNING");
        if !unknown.is_empty() || !severity_ok {
            let message = "`x-custom-validator` is {validator, options?, severity?} or {expression, message, severity?}";
            self.survey.findings.push(
                Finding::error("INVALID_SCHEMA", at, message)
                    .with_problem()
                    .with_hint("severity is ERROR or WARNING"),
            );
            return;
        }
        self.survey.calls_host = true;
        match (text("validator"), text("expression"), text("message")) {
            (Some(name), None, _) => self.named_validator(name, entry, at),
            (None, Some(source), Some(_)) => self.expression(source, entry, at),
            _ => {
                let message =
                    "`x-custom-validator` names a validator, or an expression with its message";
                self.survey
                    .findings
                    .push(Finding::error("INVALID_SCHEMA", at, message).with_problem());
            }
        }
    }

    fn named_validator(&mut self, name: &str, entry: &Value, at: &str) {
        self.survey.validators.insert(name.to_owned());
        let Some(registered) = self.validators.entry(name) else {
            let mut finding = Finding::error(
                "VALIDATOR_MISSING",
                pointer::join(at, "validator"),
                format!("no validator `{}` is registered", cut(name)),
            )
            .with_argument("validator", cut(name));
            if let Some(found) = nearest(name, self.validators.names()) {
                finding.arguments.set("nearest", found.name);
                finding.hint = Some(format!("did you mean `{}`?", found.name));
            }
            self.survey.findings.push(finding);
            return;
        };
        let meta = registered.meta.clone();
        match &registered.validator {
            CustomValidator::Keyword(_) => {
                let message = format!("`{name}` is a keyword: write it as one");
                self.survey.findings.push(
                    Finding::error("INVALID_SCHEMA", pointer::join(at, "validator"), message)
                        .with_problem(),
                );
            }
            CustomValidator::Remote(_) | CustomValidator::Transformation(_) => {
                self.survey.deferred.insert(identity(entry), at.to_owned());
            }
            CustomValidator::Format(_)
            | CustomValidator::Function(_)
            | CustomValidator::Expression { .. } => {}
        }
        if let Some(options) = entry.get("options") {
            self.options_findings(meta.as_ref(), options, &pointer::join(at, "options"));
        } else {
            self.options_findings(meta.as_ref(), &Value::Null, at);
        }
    }

    fn expression(&mut self, source: &str, entry: &Value, at: &str) {
        let compiled = match self.validators.expressions() {
            Some(compiler) => {
                guarded(|| Ok(compiler.compile(source))).unwrap_or_else(|error| Err(error.message))
            }
            None => {
                let message = "no expression language is registered";
                self.survey
                    .findings
                    .push(Finding::error("VALIDATOR_MISSING", at, message));
                return;
            }
        };
        match compiled {
            Ok(rule) => {
                self.survey.expressions.insert(identity(entry), rule);
            }
            Err(reason) => self.survey.findings.push(
                Finding::error("EXPR_PARSE", pointer::join(at, "expression"), reason)
                    .with_problem(),
            ),
        }
    }

    /// Checks options against the validator's own schema.
    fn options_findings(
        &mut self,
        meta: Option<&super::CompiledSchema>,
        options: &Value,
        at: &str,
    ) {
        let Some(meta) = meta else {
            return;
        };
        for mut finding in meta.validate(options) {
            finding.pointer = format!("{at}{}", finding.pointer);
            finding.message = format!("illegal options: {}", finding.message);
            finding.code = "INVALID_SCHEMA".into();
            finding.arguments = Arguments::default();
            finding.fix = None;
            self.survey.findings.push(finding.with_problem());
        }
    }

    fn finding(&mut self, keyword: &str, code: &'static str, message: &str, hint: Option<&str>) {
        let mut finding = Finding::error(code, pointer::join(&self.at, keyword), message);
        finding.hint = hint.map(str::to_owned);
        if code == "INVALID_SCHEMA" {
            finding = finding.with_problem();
        }
        self.survey.findings.push(finding);
    }
}

/// Keywords of other dialects and tools, and what says the same here.
fn elsewhere(dialect: Dialect, keyword: &str) -> Option<String> {
    let here = match keyword {
        "dependencies" => "write `dependentRequired` or `dependentSchemas`",
        "additionalItems" => "write `prefixItems` for the first items and `items` for the rest",
        "$recursiveRef" | "$recursiveAnchor" => "write `$dynamicRef` and `$dynamicAnchor`",
        "prefixItems" => "in this dialect `items` takes the list and `additionalItems` the rest",
        "nullable" => "write `type: [\"string\", \"null\"]`",
        "example" => "write `examples: […]`",
        "discriminator" => "write `x-discriminator: \"<member>\"`",
        "id" => "write `$id`",
        "extends" => "write `allOf` or `$ref`",
        _ => {
            let others = [Dialect::Draft202012, Dialect::Draft201909, Dialect::Draft7];
            let other = others
                .into_iter()
                .find(|other| *other != dialect && other.has_keyword(keyword))?;
            return Some(format!(
                "it belongs to another dialect: `$schema: \"{}\"`",
                other.uri()
            ));
        }
    };
    Some(here.to_owned())
}

fn cut(text: &str) -> String {
    super::message::cut(text)
}
