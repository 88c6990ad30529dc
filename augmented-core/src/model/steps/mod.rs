//! What each kind of step consists of.

mod container;
mod flow;
mod wait;
mod work;

pub use container::{
    Branch, BranchFailure, ForEachStep, ItemFailure, Join, JoinType, ParallelStep,
};
pub use flow::{DecisionStep, EndResult, EndStep, PassStep, StartStep};
pub use wait::{DelayStep, EventTimeout, EventWaitStep};
pub use work::{HumanTaskStep, ParentCancel, PollStep, SubWorkflowStep, TaskStep};
