//! The arguments of the command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Validate, draw and run JSON-defined workflows.
#[derive(Debug, Parser)]
#[command(
    name = "augmented",
    version,
    about,
    max_term_width = 100,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = false
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// How results are printed [default: text on a terminal, else json]
    #[arg(long, global = true, value_name = "FORMAT", value_parser = ["text", "json"], hide_possible_values = false)]
    pub(crate) format: Option<String>,
    /// Where definitions and instances are kept: `memory`
    #[arg(
        long,
        global = true,
        value_name = "STORE",
        env = "AUGMENTED_STORE",
        hide_env_values = true,
        default_value = "memory",
        hide_default_value = true
    )]
    pub(crate) store: String,
}

/// One command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check definition files; exit 1 if any has errors
    Validate(ValidateArgs),
    /// Run a workflow to its end; exit 3 if it fails, 4 if it is cancelled, 5 if it does not finish
    Run(std::boxed::Box<RunArgs>),
    /// Print the JSON Schema of a definition kind, or of all
    Schema(SchemaArgs),
    /// Print everything a definition may refer to on this host
    Catalog,
    /// Draw a workflow
    Graph(GraphArgs),
    /// Measure this host: steps per second and latency
    Bench(BenchArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Files with definitions, or directories whose `*.json` are read recursively
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Definitions the checked ones may refer to; they are not checked themselves
    #[arg(long, value_name = "PATH")]
    pub(crate) definitions: Vec<PathBuf>,
    /// Repair what can be repaired with certainty, in the files, and check again
    #[arg(long)]
    pub(crate) fix: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// `ID`, `ID@VERSION`, or a `.json` file with one workflow
    #[arg(value_name = "WORKFLOW")]
    pub(crate) workflow: String,
    /// Files with definitions, or directories whose `*.json` are read recursively; repeatable
    #[arg(long, value_name = "PATH")]
    pub(crate) definitions: Vec<PathBuf>,
    /// The input: JSON, or `@FILE` [default: {}]
    #[arg(long, value_name = "JSON|@FILE")]
    pub(crate) input: Option<String>,
    /// What happens from outside while it runs: a list of stimuli, as JSON or `@FILE`
    #[arg(
        long,
        value_name = "JSON|@FILE",
        long_help = "What happens from outside while it runs: a list of stimuli, as JSON or `@FILE`.\n\
                     Each has one trigger (`at`: duration since the start, `afterStep`: {stepId, status?}, `onWait`: {signalType} or \
                     {stepId}, `onIdle`: true) and one action (`signal`: {type, payload?, signalId?}, `cancel`: {reason}), for example\n\
                     [{\"at\": \"PT10M\", \"signal\": {\"type\": \"approve\", \"payload\": {\"by\": \"ann\"}}}]"
    )]
    pub(crate) script: Option<String>,
    /// Replace a task by a canned output; repeatable
    #[arg(
        long,
        value_name = "TASK=JSON|@FILE",
        long_help = "Replace a task by a canned output; repeatable.\n\
                     An object {\"$error\": {code, category, message}} fails, {\"$outcome\": CODE, \"output\": …} sets the outcome; an array \
                     gives one result for each call, the last one repeating. Strings may hold ${input.…} and ${now}."
    )]
    pub(crate) mock: Vec<String>,
    /// Let time jump to the next timer whenever nothing else can happen
    #[arg(long)]
    pub(crate) virtual_time: bool,
    /// The instant at which virtual time begins
    #[arg(
        long,
        value_name = "INSTANT",
        default_value = "2026-01-01T00:00:00Z",
        requires = "virtual_time"
    )]
    pub(crate) epoch: String,
    /// Seed of ids and jitter; with virtual time, equal calls print equal results
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Stop waiting after this much real time, for example PT30S
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// The kind, for example `workflow` [default: an object of all]
    #[arg(value_name = "KIND", conflicts_with = "out")]
    pub(crate) kind: Option<String>,
    /// Write `<kind>.schema.json` files into this directory instead
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// `ID`, `ID@VERSION`, or a `.json` file with one workflow
    #[arg(value_name = "WORKFLOW")]
    pub(crate) workflow: String,
    /// Files with definitions, or directories whose `*.json` are read recursively; repeatable
    #[arg(long, value_name = "PATH")]
    pub(crate) definitions: Vec<PathBuf>,
    /// The language of the drawing: a Mermaid flowchart, Graphviz, or a picture [default: mermaid]
    // It has the name of the global option, which it replaces.
    #[arg(long, value_name = "FORMAT", value_parser = ["mermaid", "dot", "svg"])]
    pub(crate) format: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// How many workflows are run
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub(crate) workflows: u32,
    /// How many task steps each has
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) steps: u32,
    /// How many run at the same time
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) in_flight: u32,
}
