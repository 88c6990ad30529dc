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
    /// Where definitions and instances are kept: `memory`, or a postgres:// URL. Commands that need a database look into
    /// DATABASE_URL besides
    #[arg(
        long,
        global = true,
        value_name = "STORE",
        env = "AUGMENTED_STORE",
        hide_env_values = true
    )]
    pub(crate) store: Option<String>,
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
    /// Validate definitions and publish them into a store
    Publish(PublishArgs),
    /// Start a workflow; the workers on the store carry it out
    Start(StartArgs),
    /// List instances, newest first
    List(ListArgs),
    /// Show an instance: where it stands, and what its steps gave
    Show(InstanceArgs),
    /// Show everything that happened to an instance
    History(InstanceArgs),
    /// Send a signal to an instance
    Signal(SignalArgs),
    /// Ask an instance to stop
    Cancel(CancelArgs),
    /// Hold an instance: no further step begins until it is resumed
    Pause(ControlArgs),
    /// Let an instance that is held go on
    Resume(ControlArgs),
    /// Run an engine node on a store until it is told to stop
    Worker(WorkerArgs),
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
pub(crate) struct PublishArgs {
    /// Files with definitions, or directories whose `*.json` are read recursively
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    /// `ID` or `ID@VERSION` of a published workflow
    #[arg(value_name = "WORKFLOW")]
    pub(crate) workflow: String,
    /// The input: JSON, or `@FILE` [default: {}]
    #[arg(long, value_name = "JSON|@FILE")]
    pub(crate) input: Option<String>,
    /// A business key by which the instance can be found
    #[arg(long, value_name = "TEXT")]
    pub(crate) correlation_id: Option<String>,
    /// Start once: the same key and input again answer with the same instance
    #[arg(long, value_name = "TEXT")]
    pub(crate) idempotency_key: Option<String>,
    /// Higher goes first
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub(crate) priority: i32,
    /// Free data to find it by: a JSON object, or `@FILE`
    #[arg(long, value_name = "JSON|@FILE")]
    pub(crate) metadata: Option<String>,
    /// Wait for its end and print the result
    #[arg(long)]
    pub(crate) wait: bool,
    /// Stop waiting after this much time, for example PT30S
    #[arg(long, value_name = "DURATION", requires = "wait")]
    pub(crate) timeout: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only of this workflow: `ID` or `ID@VERSION`
    #[arg(long, value_name = "WORKFLOW")]
    pub(crate) workflow: Option<String>,
    /// Only in this status; repeatable
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Vec<String>,
    /// Only with this business key
    #[arg(long, value_name = "TEXT")]
    pub(crate) correlation_id: Option<String>,
    /// Only children of this instance
    #[arg(long, value_name = "ID")]
    pub(crate) parent: Option<uuid::Uuid>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
    /// Go on behind the page before: the `next` it printed
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct InstanceArgs {
    /// The instance
    #[arg(value_name = "ID")]
    pub(crate) id: uuid::Uuid,
}

#[derive(Debug, Args)]
pub(crate) struct SignalArgs {
    /// The instance
    #[arg(value_name = "ID")]
    pub(crate) id: uuid::Uuid,
    /// The type of the signal, which a step waits for
    #[arg(value_name = "TYPE")]
    pub(crate) signal_type: String,
    /// What it says: JSON, or `@FILE` [default: {}]
    #[arg(long, value_name = "JSON|@FILE")]
    pub(crate) payload: Option<String>,
    /// Its identity; the same signal again takes effect once
    #[arg(long, value_name = "TEXT")]
    pub(crate) signal_id: Option<String>,
    /// Who sends it
    #[arg(long = "as", value_name = "USER")]
    pub(crate) sender: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    /// The instance
    #[arg(value_name = "ID")]
    pub(crate) id: uuid::Uuid,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "cancelled by the operator")]
    pub(crate) reason: String,
    /// The identity of the request; the same one again succeeds without effect
    #[arg(long, value_name = "TEXT")]
    pub(crate) request_id: Option<String>,
    /// Who asks
    #[arg(long = "as", value_name = "USER")]
    pub(crate) requester: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ControlArgs {
    /// The instance
    #[arg(value_name = "ID")]
    pub(crate) id: uuid::Uuid,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The identity of the request; the same one again succeeds without effect
    #[arg(long, value_name = "TEXT")]
    pub(crate) request_id: Option<String>,
    /// Who asks
    #[arg(long = "as", value_name = "USER")]
    pub(crate) requester: Option<String>,
    /// How long to wait until a worker has applied it
    #[arg(long, value_name = "DURATION", default_value = "PT2S")]
    pub(crate) timeout: String,
}

#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// After this long without a sign of life the node's instances are taken over by others, PT5S to PT10M
    #[arg(long, value_name = "DURATION", default_value = "PT30S")]
    pub(crate) lease: String,
    /// How long running tasks may take to end once the worker is told to stop
    #[arg(long, value_name = "DURATION", default_value = "PT30S")]
    pub(crate) drain: String,
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
    /// How many are run before the measurement begins
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100_000_000))]
    pub(crate) warm_up: u32,
    /// Measure in this schema of the database and leave it there, instead of one that goes with the command
    #[arg(long, value_name = "NAME")]
    pub(crate) schema: Option<String>,
}
