//! Steps per second and latency of the memory stores, side by side.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use augmented_benchmarks::contest::{self, MEASURE, Order, Standing};
use augmented_benchmarks::contestant::ContestantError;
use augmented_benchmarks::figures::Figures;
use augmented_benchmarks::load::{Load, closed_loop};
use augmented_benchmarks::peer_durare::Durare;
use augmented_benchmarks::table::number;
use clap::Parser;
use serde_json::json;

const BASELINE: &str = "durare";
const ENGINES: [&str; 1] = [BASELINE];

/// Measures engines on their memory stores, in alternating rounds, each measurement in its own process.
#[derive(Parser)]
struct Options {
    /// Engines to measure; ratios are to durare.
    #[arg(long, value_delimiter = ',', default_values_t = ENGINES.map(str::to_owned))]
    engines: Vec<String>,
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
    /// Writes all figures as JSON to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Two rounds of a fraction of a second each: proves that the benchmark still runs, not how fast.
    #[arg(long)]
    quick: bool,
    /// Runs one measurement and prints its figures; the command calls itself so.
    #[arg(long, hide = true, value_name = "ORDER")]
    measure: Option<String>,
}

fn main() -> ExitCode {
    debug_assert_eq!(MEASURE, "--measure");
    let mut options = Options::parse();
    if options.quick {
        options.in_flight = vec![64];
        options.rounds = 2;
        options.seconds = 0.4;
        options.warm_up = 0.1;
    }
    let done = match &options.measure {
        Some(order) => measure(order),
        None => compare(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut standings: Vec<Standing> = Vec::new();
    for &in_flight in &options.in_flight {
        let order = Order {
            engine: String::new(),
            steps: options.steps,
            workers: options.workers,
            load: Load {
                in_flight,
                warm_up: Duration::try_from_secs_f64(options.warm_up)?,
                window: Duration::try_from_secs_f64(options.seconds)?,
            },
        };
        let held = contest::hold(&options.engines, options.rounds, &order, tell)?;
        standings.extend(held);
    }
    println!("{}", contest::table(&standings, BASELINE));
    if let Some(path) = &options.json {
        let report = json!({
            "steps": options.steps,
            "workers": options.workers,
            "windowSeconds": options.seconds,
            "warmUpSeconds": options.warm_up,
            "ratios": ratios(&standings),
            "standings": standings,
        });
        std::fs::write(path, serde_json::to_vec_pretty(&report)?)?;
    }
    Ok(())
}

fn tell(round: usize, order: &Order, figures: &Figures) {
    eprintln!(
        "round {}: {} with {} in flight: {} steps/s, p50 {} µs, p99 {} µs",
        round + 1,
        order.engine,
        order.load.in_flight,
        number(figures.steps_per_second),
        number(figures.p50_us),
        number(figures.p99_us),
    );
}

fn ratios(standings: &[Standing]) -> Vec<serde_json::Value> {
    let others = standings.iter().filter(|one| one.engine != BASELINE);
    others
        .map(|one| {
            json!({
                "engine": one.engine,
                "inFlight": one.in_flight,
                "stepsPerSecond": contest::ratio(standings, one, BASELINE, |f| Some(f.steps_per_second)),
                "p99": contest::ratio(standings, one, BASELINE, |f| Some(f.p99_us)),
            })
        })
        .collect()
}

fn measure(order: &str) -> Result<(), Box<dyn Error>> {
    let order: Order = serde_json::from_str(order)?;
    let runtime = match order.workers {
        0 => tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?,
        workers => tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_time()
            .build()?,
    };
    let figures = runtime.block_on(runtime.spawn(async move {
        match order.engine.as_str() {
            BASELINE => closed_loop(Durare::new(order.steps).await?, order.load).await,
            other => Err(ContestantError::new(format!(
                "no engine is named `{other}`: take one of {}",
                ENGINES.join(", ")
            ))),
        }
    }))??;
    println!("{}", serde_json::to_string(&figures)?);
    // Tearing a store of millions of rows down row by row would only delay the next measurement.
    std::process::exit(0);
}
