//! What each command does.

mod bench;
mod catalog;
mod graph;
mod run;
mod schema;
mod validate;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Failure};
use crate::terminal::Terminal;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

pub(crate) fn dispatch(terminal: Terminal, cli: Cli) -> Result<Exit, Failure> {
    require_memory(&cli.common.store)?;
    let format = match cli.common.format.as_deref() {
        Some("text") => Format::Text,
        Some(_) => Format::Json,
        None if terminal.is_interactive() => Format::Text,
        None => Format::Json,
    };
    match cli.command {
        Command::Schema(arguments) => schema::schema(terminal, format, &arguments),
        Command::Graph(arguments) => graph::graph(terminal, &arguments),
        Command::Validate(arguments) => validate::validate(terminal, format, &arguments),
        Command::Run(arguments) => run::run(terminal, format, &arguments),
        Command::Catalog => catalog::catalog(terminal),
        Command::Bench(arguments) => bench::bench(terminal, format, &arguments),
    }
}

/// A store's address may hold a password, so it is not repeated.
fn require_memory(store: &str) -> Result<(), Failure> {
    if store == "memory" {
        return Ok(());
    }
    Err(Failure::usage(
        "this command keeps everything in memory: leave --store and AUGMENTED_STORE out, or give `memory`",
    ))
}
