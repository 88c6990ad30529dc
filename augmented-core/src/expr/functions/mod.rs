//! The functions of the language: one table for names, forms, documentation and code.

mod data;
mod lists;
mod math;
mod optionals;
mod strings;
mod table;
mod times;
mod types;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::eval::{Eval, Evaluated};
use super::fault::Fault;
use super::value::{Text, Val};

pub(crate) use table::{BUILTINS, MACROS, NAMESPACES};

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `f(x)`.
    Global,
    /// `x.f()`.
    Receiver,
    /// Both; the receiver is the first argument.
    Either,
}

/// What is known of a value before anything runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Any,
    Null,
    Bool,
    Number,
    Text,
    Bytes,
    List,
    Map,
    Instant,
    Span,
    Optional,
    Type,
}

impl Kind {
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Null => "null",
            Self::Bool => "a bool",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Bytes => "bytes",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Instant => "a timestamp",
            Self::Span => "a duration",
            Self::Optional => "an optional value",
            Self::Type => "a type",
        }
    }
}

/// The code of a function; the receiver, if any, is the first argument.
pub(crate) type Run = for<'a> fn(&mut Eval<'a>, &[Val<'a>]) -> Evaluated<'a>;

/// A built-in function.
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// Least and most arguments, the receiver counted.
    pub(crate) least: usize,
    pub(crate) most: usize,
    pub(crate) result: Kind,
    pub(crate) signature: &'static str,
    pub(crate) description: &'static str,
    pub(crate) run: Run,
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// What a designer or an AI may call: one entry of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionInfo {
    /// Name as it is called, with its namespace.
    pub name: String,
    /// How it is called, for example `text.split(separator)`.
    pub signature: String,
    /// What it does.
    pub description: String,
    /// Whether a host registered it.
    pub host: bool,
}

type HostCode = dyn Fn(&[Value]) -> Result<Value, String> + Send + Sync;

/// A pure function a host registers: the same arguments always give the same result.
///
/// ```
/// use augmented_core::expr::{CelEngine, ExpressionEngine, ExprSite, HostFunction, JsonBindings};
/// use serde_json::json;
///
/// let vat = HostFunction::new("vat", 1, |args| {
///     let net = args[0].as_f64().ok_or("a number is needed")?;
///     Ok(json!(net * 0.2))
/// });
/// let engine = CelEngine::new().with_function(vat);
/// let program = engine.compile("vat(input.net)", &ExprSite::concurrency_key()).unwrap();
/// let roots = JsonBindings::new().with("input", json!({"net": 50}));
/// assert_eq!(program.eval(&roots).unwrap(), json!(10));
/// ```
#[derive(Clone)]
pub struct HostFunction(Arc<HostInner>);

#[derive(Clone)]
struct HostInner {
    name: String,
    least: usize,
    most: usize,
    form: Form,
    cost: u64,
    description: String,
    code: Arc<HostCode>,
}

impl HostFunction {
    /// A function called as `name(…)` with that many arguments; it costs 100 steps a call.
    pub fn new(
        name: impl Into<String>,
        arity: usize,
        code: impl Fn(&[Value]) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(HostInner {
            name: name.into(),
            least: arity,
            most: arity,
            form: Form::Global,
            cost: 100,
            description: String::new(),
            code: Arc::new(code),
        }))
    }

    fn changed(self, change: impl FnOnce(&mut HostInner)) -> Self {
        let mut inner = HostInner::clone(&self.0);
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// Says what it does, for the catalogue.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        self.changed(|inner| inner.description = description.into())
    }

    /// Allows more arguments, up to `most`.
    #[must_use]
    pub fn with_optional_arguments(self, most: usize) -> Self {
        self.changed(|inner| inner.most = most.max(inner.least))
    }

    /// Lets it be called as `x.name(…)` too, the receiver being the first argument.
    #[must_use]
    pub fn with_receiver_form(self) -> Self {
        self.changed(|inner| inner.form = Form::Either)
    }

    /// Sets what a call costs, in steps.
    #[must_use]
    pub fn with_cost(self, steps: u64) -> Self {
        self.changed(|inner| inner.cost = steps)
    }

    /// The name it is called by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn cost(&self) -> u64 {
        self.0.cost
    }

    pub(crate) fn form(&self) -> Form {
        self.0.form
    }

    pub(crate) fn takes(&self, arguments: usize) -> bool {
        (self.0.least..=self.0.most).contains(&arguments)
    }

    pub(crate) fn run(&self, arguments: &[Value]) -> Result<Value, String> {
        (self.0.code)(arguments)
    }

    pub(crate) fn signature(&self) -> String {
        const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
        let names: Vec<&str> = NAMES.iter().take(self.0.most).copied().collect();
        let rest = if self.0.most > NAMES.len() {
            ", …"
        } else {
            ""
        };
        format!("{}({}{rest})", self.0.name, names.join(", "))
    }

    pub(crate) fn info(&self) -> FunctionInfo {
        FunctionInfo {
            name: self.0.name.clone(),
            signature: self.signature(),
            description: self.0.description.clone(),
            host: true,
        }
    }
}

impl fmt::Debug for HostFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostFunction")
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}

/// Everything that can be called without a host, macros included.
pub(crate) fn catalogue() -> Vec<FunctionInfo> {
    let builtins = BUILTINS
        .iter()
        .map(|function| (function.name, function.signature, function.description));
    let mut all: Vec<FunctionInfo> = builtins
        .chain(MACROS.iter().copied())
        .map(|(name, signature, description)| FunctionInfo {
            name: name.to_owned(),
            signature: signature.to_owned(),
            description: description.to_owned(),
            host: false,
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// The fault of an argument that has the wrong type.
fn wrong(function: &str, needs: &str, value: &Val<'_>) -> Fault {
    Fault::eval(format!(
        "{function}() needs {needs}, not {}",
        value.type_name()
    ))
}

/// The argument at a place; the compiler has checked that it is there.
fn arg<'v, 'a>(arguments: &'v [Val<'a>], at: usize) -> &'v Val<'a> {
    arguments.get(at).unwrap_or(&Val::Null)
}

fn text<'v, 'a>(
    function: &str,
    arguments: &'v [Val<'a>],
    at: usize,
) -> Result<&'v Text<'a>, Fault> {
    match arg(arguments, at) {
        Val::Text(text) => Ok(text),
        other => Err(wrong(function, "a text", other)),
    }
}

fn int(function: &str, arguments: &[Val<'_>], at: usize) -> Result<i64, Fault> {
    let value = arg(arguments, at);
    value
        .as_int()
        .ok_or_else(|| wrong(function, "a whole number", value))
}

/// A whole number that counts or indexes, cut at the end of what it counts.
fn index(function: &str, arguments: &[Val<'_>], at: usize) -> Result<usize, Fault> {
    let value = int(function, arguments, at)?;
    usize::try_from(value).map_err(|_| {
        Fault::eval(format!(
            "{function}() does not take the negative number {value}"
        ))
    })
}
