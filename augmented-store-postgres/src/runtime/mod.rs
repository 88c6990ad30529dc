//! Running workflows: the commit door, mailboxes, timers, nodes and queries.

mod accept;
mod batch;
mod bell;
mod complete;
mod door;
mod execution;
mod hot;
mod ledger;
mod query;
mod read;
mod rows;
mod text;
mod texts;
mod trail;

pub(crate) use accept::AcceptStatements;
pub(crate) use bell::Bell;
pub use complete::Recorded;
pub(crate) use complete::complete_statement;
pub(crate) use door::statement as commit_statement;
pub(crate) use execution::ExecutionStatements;
pub(crate) use hot::HotStatements;
pub(crate) use ledger::Ledger;
pub(crate) use query::QueryStatements;
pub(crate) use read::ReadStatements;
