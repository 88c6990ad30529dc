#![deny(missing_docs)]
//! The reference host of Augmented, and the `augmented` command.
//!
//! The command is what an author of JSON definitions runs all day: it validates and repairs them, draws them, and runs
//! workflows on the memory store, on virtual time if wanted. Everything it does is a few lines over the public API of
//! the library crates.
//!
//! ```no_run
//! let exit = augmented_console::main(["augmented", "validate", "definitions"]);
//! assert_eq!(exit.code(), 0);
//! ```

mod arguments;
mod cli;
mod commands;
mod exit;
mod files;
mod findings;
pub mod graph;
mod host;
mod progress;
mod run;
mod selection;
mod stores;
mod terminal;

use std::ffi::OsString;

use clap::Parser;

pub use exit::{Exit, Failure};
pub use terminal::Terminal;

/// Runs the command with the arguments of a command line, the name of the program first.
///
/// Results go to standard output, everything else to standard error.
pub fn main<I, A>(arguments: I) -> Exit
where
    I: IntoIterator<Item = A>,
    A: Into<OsString> + Clone,
{
    let terminal = Terminal::of_process();
    let cli = match cli::Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return refuse(terminal, &error),
    };
    commands::dispatch(terminal, cli).unwrap_or_else(|failure| {
        terminal.complain(&failure);
        failure.exit()
    })
}

/// Prints help where it was asked for; anything else is wrong use, told in one line.
fn refuse(terminal: Terminal, error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        let text = if terminal.is_interactive() {
            error.render().ansi().to_string()
        } else {
            error.render().to_string()
        };
        return terminal
            .print(&text)
            .map_or_else(|failure| failure.exit(), |()| Exit::Done);
    }
    let text = error.render().to_string();
    let told: Vec<&str> = text
        .lines()
        .take_while(|line| !line.starts_with("Usage:"))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let told = told.join(" ");
    let told = told.strip_prefix("error: ").unwrap_or(&told);
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: "));
    let words: Vec<&str> = usage
        .unwrap_or("augmented")
        .split(' ')
        .take_while(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
        .collect();
    let failure = Failure::Usage(format!("{told} (see `{} --help`)", words.join(" ")));
    terminal.complain(&failure);
    failure.exit()
}
