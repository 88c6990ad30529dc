//! The engine: compiles expressions and templates.

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::bindings::{Bindings, Bound};
use super::compile;
use super::convert::scalar_text;
use super::eval::{Eval, MAX_RESULT_BYTES, walk};
use super::fault::Fault;
use super::functions::{self, FunctionInfo, HostFunction};
use super::import::{ImportContext, canonical_expression};
use super::parse;
use super::problem::{EXPR_NOT_BOOL, EXPR_PARSE, ExprError, ExprProblem, TemplateProblem};
use super::program::{Const, Node, Path};
use super::references::References;
use super::site::{ExprSite, Profile};
use super::template::{self, Template};
use super::token;
use super::value::{Room, Val, copy_json};
use crate::time::Timestamp;

/// Compiles expressions and templates for the places they stand at.
pub trait ExpressionEngine: Send + Sync {
    /// Compiles a bare expression.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the source.
    fn compile(&self, source: &str, site: &ExprSite) -> Result<CompiledExpr, Vec<ExprProblem>>;

    /// Compiles a mapping or template: JSON whose strings may hold `${…}`.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the tree.
    fn compile_template(
        &self,
        tree: &Value,
        site: &ExprSite,
    ) -> Result<Template, Vec<TemplateProblem>>;

    /// Everything that can be called, in the order of names.
    fn functions(&self) -> Vec<FunctionInfo>;
}

/// The engine of this crate: CEL, parsed by the crate `cel`, checked and evaluated here.
#[derive(Clone, Debug, Default)]
pub struct CelEngine {
    hosts: Vec<HostFunction>,
}

impl CelEngine {
    /// An engine without host functions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The shared engine without host functions.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<CelEngine> = LazyLock::new(CelEngine::new);
        &SHARED
    }

    /// Adds a function of the host.
    #[must_use]
    pub fn with_function(mut self, function: HostFunction) -> Self {
        self.hosts.push(function);
        self
    }

    /// Compiles without looking for import forms.
    pub(crate) fn compile_plainly(
        &self,
        source: &str,
        site: &ExprSite,
    ) -> Result<CompiledExpr, Vec<ExprProblem>> {
        parse::check_length(source).map_err(|problem| vec![problem])?;
        let tokens = token::cel_tokens(source);
        let tree = parse::parse(source, &tokens).map_err(|problem| vec![problem])?;
        let (node, references) = compile::compile(source, &tokens, &tree, site, &self.hosts)?;
        Ok(CompiledExpr(Arc::new(Compiled {
            source: source.into(),
            node,
            references,
            profile: site.profile(),
        })))
    }
}

impl ExpressionEngine for CelEngine {
    fn compile(&self, source: &str, site: &ExprSite) -> Result<CompiledExpr, Vec<ExprProblem>> {
        let context = ImportContext::new(self, site);
        match self.compile_plainly(source, site) {
            Ok(expr) if expr.is_true() => match canonical_expression(source, &context) {
                Some(form) => Err(vec![
                    ExprProblem::new(EXPR_PARSE, "a condition that always holds is none")
                        .at(Some(0))
                        .hint(form.hint),
                ]),
                None => Ok(expr),
            },
            Ok(expr) => Ok(expr),
            Err(mut problems) => {
                if let Some(form) = canonical_expression(source, &context) {
                    for problem in &mut problems {
                        problem.hint = Some(form.hint.clone());
                    }
                    if let Some(first) = problems.first_mut() {
                        first.replacement = form.replacement;
                    }
                }
                Err(problems)
            }
        }
    }

    fn compile_template(
        &self,
        tree: &Value,
        site: &ExprSite,
    ) -> Result<Template, Vec<TemplateProblem>> {
        template::compile(self, tree, site)
    }

    fn functions(&self) -> Vec<FunctionInfo> {
        let mut all = functions::catalogue();
        all.extend(self.hosts.iter().map(HostFunction::info));
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

/// A compiled expression; cheap to clone, evaluated as often as needed.
///
/// ```
/// use augmented_core::expr::{CelEngine, ExprSite, ExpressionEngine, JsonBindings};
/// use serde_json::json;
///
/// let site = ExprSite::transition_condition();
/// let program = CelEngine::shared().compile("output.score >= 700 && outcome == 'SUCCESS'", &site).unwrap();
/// let roots = JsonBindings::new().with("output", json!({"score": 712.5})).with("outcome", json!("SUCCESS"));
/// assert!(program.eval_bool(&roots).unwrap());
///
/// let problems = CelEngine::shared().compile("ouptut.score >= 700", &site).unwrap_err();
/// assert_eq!(problems[0].code, "EXPR_UNKNOWN_ROOT");
/// assert_eq!(problems[0].hint.as_deref(), Some("did you mean `output`?"));
/// ```
#[derive(Clone, Debug)]
pub struct CompiledExpr(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    source: Box<str>,
    node: Node,
    references: References,
    profile: Profile,
}

/// A result together with what it cost.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// The value.
    pub value: Value,
    /// The steps it took.
    pub cost: u64,
}

impl CompiledExpr {
    /// The source as it was given.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// What it reads.
    #[must_use]
    pub fn references(&self) -> &References {
        &self.0.references
    }

    /// How errors count.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.0.profile
    }

    pub(crate) fn node(&self) -> &Node {
        &self.0.node
    }

    fn is_true(&self) -> bool {
        matches!(self.0.node, Node::Const(Const::Bool(true)))
    }

    fn plain_path(&self) -> Option<&Path> {
        match &self.0.node {
            Node::Path(path) => Some(path),
            _ => None,
        }
    }

    /// Evaluates to JSON.
    ///
    /// # Errors
    /// `EXPR_EVAL` if the data does not fit, `EXPR_LIMIT` if it costs too much or the result is too large.
    pub fn eval(&self, bindings: &dyn Bindings) -> Result<Value, ExprError> {
        let mut room = Room::new(MAX_RESULT_BYTES);
        Ok(self.json(bindings, &mut room)?)
    }

    /// Evaluates to JSON and tells what it cost.
    ///
    /// # Errors
    /// As [`CompiledExpr::eval`].
    pub fn eval_counted(&self, bindings: &dyn Bindings) -> Result<Outcome, ExprError> {
        let mut eval = Eval::new(bindings, self.0.profile);
        let value = eval
            .node(&self.0.node)?
            .into_json(&mut Room::new(MAX_RESULT_BYTES))?;
        Ok(Outcome {
            value,
            cost: eval.meter.spent(),
        })
    }

    /// Evaluates to JSON, counting its bytes; a plain path only walks the data.
    pub(crate) fn json(&self, bindings: &dyn Bindings, room: &mut Room) -> Result<Value, Fault> {
        if let Some(path) = self.plain_path() {
            return match walk(path, bindings, self.0.profile == Profile::Lenient)? {
                Bound::Json(value) => copy_json(value, room),
                other => Val::from_bound(other).into_json(room),
            };
        }
        self.with_value(bindings, |value| value.into_json(room))
    }

    fn with_value<T>(
        &self,
        bindings: &dyn Bindings,
        then: impl FnOnce(Val<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut eval = Eval::new(bindings, self.0.profile);
        let value = eval.node(&self.0.node)?;
        then(value)
    }

    /// Evaluates a condition.
    ///
    /// # Errors
    /// `EXPR_NOT_BOOL` if the result is no bool, otherwise as [`CompiledExpr::eval`].
    pub fn eval_bool(&self, bindings: &dyn Bindings) -> Result<bool, ExprError> {
        let mut eval = Eval::new(bindings, self.0.profile);
        match eval.node(&self.0.node)? {
            Val::Bool(value) => Ok(value),
            Val::Optional(Some(inner)) if matches!(*inner, Val::Bool(_)) => {
                Ok(matches!(*inner, Val::Bool(true)))
            }
            other => Err(ExprError::new(
                EXPR_NOT_BOOL,
                format!("the condition yields {}, not a bool", other.type_name()),
            )),
        }
    }

    /// Evaluates to a list, for example the items of a FOR_EACH step.
    ///
    /// # Errors
    /// `EXPR_EVAL` if the result is no list, otherwise as [`CompiledExpr::eval`].
    pub fn eval_list(&self, bindings: &dyn Bindings) -> Result<Vec<Value>, ExprError> {
        match self.eval(bindings)? {
            Value::Array(items) => Ok(items),
            other => Err(ExprError::eval(format!(
                "a list is needed here, not {}",
                Val::from_json(&other).type_name()
            ))),
        }
    }

    /// Evaluates to a key for correlation or concurrency: the text of a scalar; `None` if it is null.
    ///
    /// # Errors
    /// `EXPR_EVAL` if the result is a list or a map, otherwise as [`CompiledExpr::eval`].
    pub fn eval_key(&self, bindings: &dyn Bindings) -> Result<Option<String>, ExprError> {
        Ok(self.with_value(bindings, |value| match &value {
            Val::Null | Val::Optional(None) => Ok(None),
            other => match scalar_text(other) {
                Some(text) if text.len() <= MAX_RESULT_BYTES => Ok(Some(text)),
                Some(_) => Err(Fault::Limit("the result is larger than 256 KiB")),
                None => Err(Fault::eval(format!(
                    "a key is a scalar, not {}",
                    other.type_name()
                ))),
            },
        })?)
    }

    /// Evaluates to an instant: a timestamp, or RFC 3339 text.
    ///
    /// # Errors
    /// `EXPR_EVAL` if the result is neither, otherwise as [`CompiledExpr::eval`].
    pub fn eval_timestamp(&self, bindings: &dyn Bindings) -> Result<Timestamp, ExprError> {
        Ok(self.with_value(bindings, |value| match &value {
            Val::Instant(micros) => Ok(Timestamp::from_micros(*micros)),
            Val::Text(text) => text
                .parse::<Timestamp>()
                .map_err(|problem| Fault::eval(problem.to_string())),
            other => Err(Fault::eval(format!(
                "a timestamp is needed here, not {}",
                other.type_name()
            ))),
        })?)
    }

    /// Writes the value into a text: null as nothing, other scalars as in JSON without quotes.
    pub(crate) fn write_text(
        &self,
        bindings: &dyn Bindings,
        out: &mut String,
        room: &mut Room,
    ) -> Result<(), TextFault> {
        let mut eval = Eval::new(bindings, self.0.profile);
        let value = eval.node(&self.0.node)?;
        if let Val::Text(text) = &value {
            room.take(text.len())?;
            out.push_str(text);
            return Ok(());
        }
        let Some(text) = scalar_text(&value) else {
            return Err(TextFault::Container(value.type_name()));
        };
        room.take(text.len())?;
        out.push_str(&text);
        Ok(())
    }
}

/// Why a value does not go into a text.
pub(crate) enum TextFault {
    Container(&'static str),
    Fault(Fault),
}

impl From<Fault> for TextFault {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
