//! Steps per second and latency of the memory stores, side by side.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use augmented_benchmarks::contest::{self, Entry};
use augmented_benchmarks::load::Load;
use augmented_benchmarks::measure::{Child, Engine, Order};
use clap::Parser;

/// Measures engines on their memory stores, in alternating rounds, each measurement in its own process.
#[derive(Parser)]
struct Options {
    /// Engines to measure; ratios are to the first.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Engine::Durare, Engine::Augmented])]
    engines: Vec<Engine>,
    /// Workflows in flight, one contest for each number.
    #[arg(long, value_delimiter = ',', default_values_t = [64, 256, 512, 1024])]
    in_flight: Vec<usize>,
    /// Steps in each workflow.
    #[arg(long, default_value_t = 3)]
    steps: u64,
    /// Rounds of each contest.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of the measured window.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Seconds of warm-up before it.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Worker threads of the runtime; 0 runs everything on one thread.
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// GiB of memory that a process touches before each measurement; on a virtual machine as much as a measurement uses.
    #[arg(long, default_value_t = 0)]
    touch_gib: usize,
    /// Writes all figures as JSON to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Two rounds of a fraction of a second each: proves that the benchmark still runs, not how fast.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    child: Child,
}

fn main() -> ExitCode {
    match compare(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(mut options: Options) -> Result<(), Box<dyn Error>> {
    options.child.serve()?;
    if options.quick {
        options.in_flight = vec![64];
        options.rounds = 2;
        options.seconds = 0.4;
        options.warm_up = 0.1;
    }
    let mut contests = Vec::new();
    for &in_flight in &options.in_flight {
        let load = Load {
            in_flight,
            warm_up: Duration::try_from_secs_f64(options.warm_up)?,
            window: Duration::try_from_secs_f64(options.seconds)?,
        };
        let entries = options.engines.iter().map(|&engine| Entry {
            label: format!("{}, {in_flight} in flight", engine.name()),
            order: Order {
                engine,
                steps: options.steps,
                workers: options.workers,
                load,
                finished: 0,
                parked: 0,
            },
        });
        let entries: Vec<Entry> = entries.collect();
        contests.push(contest::hold(
            &entries,
            options.rounds,
            options.touch_gib,
            contest::tell,
        )?);
    }
    println!("{}", contest::table(&contests));
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_vec_pretty(&contests)?)?;
    }
    Ok(())
}
