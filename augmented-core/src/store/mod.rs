//! Store traits: few, coarse, set-based, object-safe.
//!
//! A store keeps what it is told and invents nothing: ids and instants come from the caller. One method is
//! one transaction; it takes a batch and answers for each item. Losing a race is an answer, only broken
//! storage is an error.

#[cfg(feature = "conformance")]
pub mod conformance;
mod definitions;
mod error;
mod execution;
mod family;
mod query;

pub use definitions::{
    DefinitionFilter, DefinitionStore, DraftDeletion, NewDefinition, PutOutcome, StatusChange,
    StatusMove,
};
pub use error::StoreError;
pub use execution::{
    AttemptRow, CommitOutcome, ExecutionStore, Expect, FailedAttempt, InstanceCommit,
    LoadedInstance, MailboxId, MailboxMessage, NewInstance, NewMessage, NodeInfo, PendingWork,
    Refusal, RunningTask, SendOutcome, Snapshot, TaskCompletion, TaskRow, TimerRow, Wakeup,
    pinned_definitions, worker_lost,
};
pub use family::{Family, is_refusal};
pub use query::{InstanceFilter, InstancePage, InstanceSummary, Page, QueryStore};

/// Everything an engine needs of a store.
pub trait Store: DefinitionStore + ExecutionStore + QueryStore {}

impl<T: DefinitionStore + ExecutionStore + QueryStore + ?Sized> Store for T {}
