//! What each command does.

mod bench;
mod catalog;
mod graph;
mod list;
mod operate;
mod publish;
mod run;
mod schema;
mod validate;
mod worker;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Failure};
use crate::stores::StoreChoice;
use crate::terminal::Terminal;
use tokio::runtime::Runtime;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

pub(crate) fn dispatch(terminal: Terminal, cli: Cli) -> Result<Exit, Failure> {
    let store = StoreChoice::parse(cli.common.store.as_deref())?;
    let format = match cli.common.format.as_deref() {
        Some("text") => Format::Text,
        Some(_) => Format::Json,
        None if terminal.is_interactive() => Format::Text,
        None => Format::Json,
    };
    match cli.command {
        Command::Schema(arguments) => schema::schema(terminal, format, &arguments),
        Command::Graph(arguments) => graph::graph(terminal, &arguments),
        Command::Validate(arguments) => validate::validate(terminal, format, &arguments, store),
        Command::Run(arguments) => run::run(terminal, format, &arguments, store),
        Command::Publish(arguments) => publish::publish(terminal, format, &arguments, store),
        Command::Start(arguments) => operate::start(terminal, format, &arguments, store),
        Command::List(arguments) => list::list(terminal, format, &arguments, store),
        Command::Show(arguments) => operate::show(terminal, format, &arguments, store),
        Command::History(arguments) => operate::history(terminal, format, &arguments, store),
        Command::Signal(arguments) => operate::signal(terminal, format, &arguments, store),
        Command::Cancel(arguments) => operate::cancel(terminal, format, &arguments, store),
        Command::Pause(arguments) => {
            operate::control(terminal, format, &arguments, store, operate::Control::Pause)
        }
        Command::Resume(arguments) => operate::control(
            terminal,
            format,
            &arguments,
            store,
            operate::Control::Resume,
        ),
        Command::Worker(arguments) => worker::worker(terminal, &arguments, store),
        Command::Catalog => catalog::catalog(terminal),
        Command::Bench(arguments) => bench::bench(terminal, format, &arguments, store),
    }
}

/// The runtime of commands that talk to a store.
fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::fault("the runtime cannot be started", error))
}
