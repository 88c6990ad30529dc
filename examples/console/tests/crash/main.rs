//! The command against a database that fails, and with workers that are killed: real processes, a real server.
//!
//! Each test has a PostgreSQL server of its own, so it needs the programs of one: `initdb`, `pg_ctl` and `postgres`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "everything here is test code, also what stands outside of test functions"
)]

mod audit;
mod crash;
mod load;
mod process;
mod refusals;
mod server;
mod sharing;
mod waiting;
mod worker;
