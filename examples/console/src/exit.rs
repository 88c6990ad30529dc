//! How the command ends.

use std::process::ExitCode;

/// The exit codes of the command; they are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// The findings or definitions have errors.
    Findings,
    /// Wrong use.
    Usage,
    /// The workflow ended FAILED.
    Failed,
    /// The workflow ended CANCELLED.
    Cancelled,
    /// The workflow is not finished.
    Unfinished,
    /// The store is unreachable or incompatible.
    Store,
}

impl Exit {
    /// The number the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Failed => 3,
            Self::Cancelled => 4,
            Self::Unfinished => 5,
            Self::Store => 6,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why the command could not do what it was asked; each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Wrong use.
    #[error("{0}")]
    Usage(String),
    /// The store is unreachable or incompatible.
    #[error("{0}")]
    Store(String),
    /// Something that should work did not: a file that cannot be written, a fault of the engine.
    #[error("{message}{}", source_of(source.as_deref()))]
    Fault {
        /// What failed.
        message: String,
        /// Why.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    pub(crate) fn fault(
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Fault {
            message: message.into(),
            source: Some(source.into()),
        }
    }

    /// How the command ends because of it.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Store(_) => Exit::Store,
            Self::Fault { .. } => Exit::Findings,
        }
    }
}

fn source_of(source: Option<&(dyn std::error::Error + Send + Sync + 'static)>) -> String {
    source.map_or_else(String::new, |source| format!(": {source}"))
}
