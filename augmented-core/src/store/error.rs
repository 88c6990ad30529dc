//! The one error of the store traits.

/// Broken storage; every other outcome is an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached now; trying again later may help, and whether the call took effect is unknown.
    #[error("the store is unavailable: {reason}; try again later")]
    Unavailable {
        /// What failed, without payloads or credentials.
        reason: String,
        /// The driver's error.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The store holds something it should not, or refused something it should take.
    #[error("the store is inconsistent: {reason}")]
    Corrupt {
        /// What is wrong, without payloads.
        reason: String,
    },
}

impl StoreError {
    /// Storage that cannot be reached.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable {
            reason: reason.into(),
            source: None,
        }
    }

    /// Storage that contradicts itself.
    pub fn corrupt(reason: impl Into<String>) -> Self {
        Self::Corrupt {
            reason: reason.into(),
        }
    }
}
