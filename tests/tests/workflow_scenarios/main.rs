//! The scenarios of the workflow specification that need no events, people, compensation or database.
//!
//! Each test is named after the number of its scenario.

mod children;
mod containers;
mod nodes;
mod operators;
mod paths;
mod recovery;
mod starts;
mod tasks;
mod visible;
mod waits;
