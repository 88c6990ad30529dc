//! How the cost of a step grows with the length of a workflow and with what the store holds already.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use augmented_benchmarks::contest::{self, Entry};
use augmented_benchmarks::load::Load;
use augmented_benchmarks::measure::{Child, Engine, Order};
use clap::Parser;

/// Measures Augmented on its memory store: long workflows beside short ones, a full store beside an empty one.
#[derive(Parser)]
struct Options {
    /// Lengths of the workflows; ratios are to the first.
    #[arg(long, value_delimiter = ',', default_values_t = [3, 30, 300])]
    steps: Vec<u64>,
    /// Instances in the store before the window, once ended and once waiting; ratios are to the first.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000])]
    instances: Vec<u64>,
    /// Workflows in flight.
    #[arg(long, default_value_t = 256)]
    in_flight: usize,
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
    /// Small stores, and two rounds of a fraction of a second each: proves that the benchmark still runs, not how fast.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    child: Child,
}

fn main() -> ExitCode {
    match measure(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(mut options: Options) -> Result<(), Box<dyn Error>> {
    options.child.serve()?;
    if options.quick {
        options.steps = vec![3, 300];
        options.instances = vec![100, 1_000];
        options.rounds = 2;
        options.seconds = 0.4;
        options.warm_up = 0.1;
    }
    let order = Order {
        engine: Engine::Augmented,
        steps: 3,
        workers: options.workers,
        load: Load {
            in_flight: options.in_flight,
            warm_up: Duration::try_from_secs_f64(options.warm_up)?,
            window: Duration::try_from_secs_f64(options.seconds)?,
        },
        finished: 0,
        parked: 0,
    };
    let by_steps = options.steps.iter().map(|&steps| Entry {
        label: format!("{steps} steps"),
        order: Order { steps, ..order },
    });
    let by_finished = options.instances.iter().map(|&finished| Entry {
        label: format!("{finished} ended"),
        order: Order { finished, ..order },
    });
    let by_parked = options.instances.iter().map(|&parked| Entry {
        label: format!("{parked} waiting"),
        order: Order { parked, ..order },
    });
    let mut contests = Vec::new();
    let lists: [Vec<Entry>; 3] = [
        by_steps.collect(),
        by_finished.collect(),
        by_parked.collect(),
    ];
    for entries in lists {
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
