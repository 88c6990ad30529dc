//! Runtime records: what an instance is, what reaches it, and what is written down about it.
//!
//! An instance is an actor. Everything that changes it arrives as one [`Message`], and every message
//! leaves exactly one [`Fact`]. The state after a crash is the last snapshot plus the facts behind it,
//! applied by the same pure function that made them.
//!
//! The JSON form of these records is that of storage, not of the API. Its enums are tagged from outside: a tag inside
//! would make serde buffer the rest, and numbers and numeric keys do not survive that.

mod by_id;
mod fact;
mod history;
mod limits;
mod message;
mod record;
mod state;
mod status;

pub use by_id::ById;
pub use fact::{Fact, TrailEntry};
pub use history::{HistoryEntry, HistoryType};
pub use limits::DecideLimits;
pub use message::{
    AttemptOutcome, AttemptRecord, CancelRequest, CancelSource, ChildDone, ChildStatus,
    ControlRequest, Message, SignalMessage, StartMessage, TaskDone, TaskStatus, TimerKey,
    TimerKind,
};
pub use state::{
    Activity, BranchState, BranchStatus, BufferedSignal, DefinitionPin, ForEachState, Frame,
    FrameId, GivenUp, InstanceError, InstanceHeader, InstanceState, ItemResult, ItemStatus,
    ParallelState, ParentRef, PathRef, Pause, StepIdx, TaskPin, Token, TokenId, Visit,
};
pub use status::{InstanceStatus, StepStatus};
