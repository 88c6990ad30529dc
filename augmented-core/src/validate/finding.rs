//! What a check has to say: one finding per cause, exact enough to be repaired by a program.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Arguments;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// Publishing is refused.
    Error,
    /// Worth a look; publishing goes on.
    Warning,
}

/// One operation of a JSON Patch (RFC 6902), the kinds that repairs need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum PatchOp {
    /// Adds a member or inserts an element.
    Add {
        /// Where, as a JSON Pointer.
        path: String,
        /// What.
        value: Value,
    },
    /// Removes the value at the place.
    Remove {
        /// Where.
        path: String,
    },
    /// Replaces the value at the place.
    Replace {
        /// Where.
        path: String,
        /// The new value.
        value: Value,
    },
    /// Moves a value, for example to rename a member.
    Move {
        /// From where.
        from: String,
        /// To where.
        path: String,
    },
}

/// Another place involved in a finding, for example the first declaration of a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Related {
    /// The place, as a JSON Pointer; in the same document unless `kind` and `id` are given.
    pub pointer: String,
    /// What that place has to do with it.
    pub message: String,
    /// Kind of the other document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Business id of the other document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Version of the other document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// File of that place, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line of that place, 1-based.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column of that place in Unicode scalar values, 1-based.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}

impl Related {
    /// A place in the same document.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
            kind: None,
            id: None,
            version: None,
            file: None,
            line: None,
            column: None,
        }
    }

    /// Says that the place lies in another document.
    #[must_use]
    pub fn with_document(
        mut self,
        kind: impl Into<String>,
        id: impl Into<String>,
        version: impl Into<String>,
    ) -> Self {
        self.kind = Some(kind.into());
        self.id = Some(id.into());
        self.version = Some(version.into());
        self
    }
}

/// One thing that is wrong or doubtful, where it is, and how to repair it.
///
/// The arguments of its message live in memory only: they are not written, so that a finding read back has none, and
/// two findings that differ in nothing else are equal.
///
/// ```
/// use augmented_core::validate::Finding;
/// let finding = Finding::error("UNKNOWN_STEP", "/steps/0/next/0/nextStepId", "no step is called `aprove`")
///     .with_hint("did you mean `approve`?");
/// assert_eq!(finding.to_string(), "ERROR UNKNOWN_STEP at /steps/0/next/0/nextStepId: no step is called `aprove` (did you mean `approve`?)");
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// File the text came from, as the caller named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How much it weighs.
    pub severity: Severity,
    /// Stable code; programs match it and the pointer, never the text.
    pub code: Cow<'static, str>,
    /// The place to change, as a JSON Pointer (RFC 6901); `""` is the root.
    pub pointer: String,
    /// 1-based line, when the text is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// 1-based column in Unicode scalar values, when the text is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What is wrong and what was expected; lower case, no full stop.
    pub message: String,
    /// What would be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// A repair, only where it is certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Vec<PatchOp>>,
    /// Other places involved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
    /// Offset in Unicode scalar values inside the string value at `pointer`, when the finding points into it.
    #[serde(skip)]
    pub offset_in_string: Option<usize>,
    #[serde(skip)]
    pub(crate) arguments: Arguments,
}

impl PartialEq for Finding {
    fn eq(&self, other: &Self) -> bool {
        // Taken apart, so that a new member is not forgotten here.
        let Self {
            file,
            severity,
            code,
            pointer,
            line,
            column,
            message,
            hint,
            fix,
            related,
            offset_in_string,
            arguments: _,
        } = self;
        *file == other.file
            && *severity == other.severity
            && *code == other.code
            && *pointer == other.pointer
            && *line == other.line
            && *column == other.column
            && *message == other.message
            && *hint == other.hint
            && *fix == other.fix
            && *related == other.related
            && *offset_in_string == other.offset_in_string
    }
}

impl Finding {
    /// An ERROR.
    pub fn error(
        code: impl Into<Cow<'static, str>>,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Error, code, pointer, message)
    }

    /// A WARNING.
    pub fn warning(
        code: impl Into<Cow<'static, str>>,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Warning, code, pointer, message)
    }

    /// A finding of the given weight.
    pub fn new(
        severity: Severity,
        code: impl Into<Cow<'static, str>>,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            file: None,
            severity,
            code: code.into(),
            pointer: pointer.into(),
            line: None,
            column: None,
            message: message.into(),
            hint: None,
            fix: None,
            related: Vec::new(),
            offset_in_string: None,
            arguments: Arguments::default(),
        }
    }

    /// Says what would be right.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Attaches a certain repair.
    #[must_use]
    pub fn with_fix(mut self, fix: Vec<PatchOp>) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Names another place involved.
    #[must_use]
    pub fn with_related(mut self, related: Related) -> Self {
        self.related.push(related);
        self
    }

    /// Points at a character inside the string value at the pointer.
    #[must_use]
    pub fn with_offset(mut self, scalar_values: usize) -> Self {
        self.offset_in_string = Some(scalar_values);
        self
    }

    /// Attaches an argument of the message, one of those that the code declares.
    ///
    /// A value that must not be shown has no place here either.
    #[must_use]
    pub fn with_argument(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.arguments.set(name, value);
        self
    }

    /// Attaches an argument that is not always known.
    #[must_use]
    pub fn with_optional_argument(
        mut self,
        name: &'static str,
        value: Option<impl Into<Value>>,
    ) -> Self {
        if let Some(value) = value {
            self.arguments.set(name, value);
        }
        self
    }

    /// Attaches arguments, in the place of those it has.
    #[must_use]
    pub fn with_arguments(mut self, arguments: Arguments) -> Self {
        self.arguments = arguments;
        self
    }

    /// Attaches the message itself as the argument `problem`, for codes that have no words of their own.
    #[must_use]
    pub fn with_problem(self) -> Self {
        let problem = self.message.clone();
        self.with_argument("problem", problem)
    }

    /// The arguments of the message; none where it was read back.
    #[must_use]
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// Whether publishing is refused because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
        }
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "{line}:{column}: ")?;
        } else if self.file.is_some() {
            f.write_str(" ")?;
        }
        let severity = if self.is_error() { "ERROR" } else { "WARNING" };
        write!(
            f,
            "{severity} {} at {}: {}",
            self.code,
            if self.pointer.is_empty() {
                "the root"
            } else {
                &self.pointer
            },
            self.message
        )?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}
