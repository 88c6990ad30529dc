//! A contest: the same load on several engines, round by round, each measurement in a process of its own.
//!
//! A fresh process gives every measurement the same empty heap, and the order of the engines turns around in every
//! round, so that a slow drift of the machine meets both alike.

use std::io;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::figures::{Figures, median};
use crate::load::Load;
use crate::table::{Table, number, number_or_dash};

/// One measurement, as asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Name of the engine.
    pub engine: String,
    /// Steps in each workflow.
    pub steps: u64,
    /// Worker threads of the runtime; 0 for a runtime on the calling thread alone.
    pub workers: usize,
    /// The load put on.
    pub load: Load,
}

/// The measurements of one engine under one load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Name of the engine.
    pub engine: String,
    /// Workflows in flight.
    pub in_flight: usize,
    /// One entry per round.
    pub rounds: Vec<Figures>,
}

/// Argument by which a command runs itself for one measurement.
pub const MEASURE: &str = "--measure";

/// Runs one measurement in a new process of the running program.
///
/// # Errors
///
/// The process could not be started, failed, or did not print figures.
pub fn measure_apart(order: &Order) -> io::Result<Figures> {
    let child = Command::new(std::env::current_exe()?)
        .args([MEASURE, &serde_json::to_string(order)?])
        .stderr(Stdio::inherit())
        .output()?;
    if !child.status.success() {
        return Err(io::Error::other(format!(
            "measuring {} ended with {}",
            order.engine, child.status
        )));
    }
    Ok(serde_json::from_slice(&child.stdout)?)
}

/// Runs `rounds` rounds over `engines`, turning their order around each time.
///
/// `told` hears of every measurement as it ends.
///
/// # Errors
///
/// As [`measure_apart`].
pub fn hold(
    engines: &[String],
    rounds: usize,
    order: &Order,
    mut told: impl FnMut(usize, &Order, &Figures),
) -> io::Result<Vec<Standing>> {
    let mut standings: Vec<Standing> = engines
        .iter()
        .map(|engine| Standing {
            engine: engine.clone(),
            in_flight: order.load.in_flight,
            rounds: Vec::new(),
        })
        .collect();
    for round in 0..rounds {
        for place in 0..standings.len() {
            let index = match round % 2 {
                0 => place,
                _ => standings.len() - 1 - place,
            };
            let Some(standing) = standings.get_mut(index) else {
                continue;
            };
            let order = Order {
                engine: standing.engine.clone(),
                ..order.clone()
            };
            let figures = measure_apart(&order)?;
            told(round, &order, &figures);
            standing.rounds.push(figures);
        }
    }
    Ok(standings)
}

/// The table of the medians, with the ratio to the first engine of each load.
pub fn table(standings: &[Standing], baseline: &str) -> Table {
    let mut table = Table::new([
        "engine, in flight",
        "steps/s",
        "of the rounds",
        "ratio",
        "p50 µs",
        "p99 µs",
        "CPU µs/step",
        "ratio",
        "MiB",
    ]);
    for standing in standings {
        let Some(median) = Figures::median(&standing.rounds) else {
            continue;
        };
        let rounds: Vec<String> = standing
            .rounds
            .iter()
            .map(|figures| number(figures.steps_per_second))
            .collect();
        let ratio = ratio(standings, standing, baseline, |f| Some(f.steps_per_second));
        let cpu_ratio = self::ratio(standings, standing, baseline, |f| {
            f.cpu_us_per_step.map(f64::recip)
        });
        table.push([
            format!("{}, {}", standing.engine, standing.in_flight),
            number(median.steps_per_second),
            rounds.join(" / "),
            number_or_dash(ratio),
            number(median.p50_us),
            number(median.p99_us),
            number_or_dash(median.cpu_us_per_step),
            number_or_dash(cpu_ratio),
            number_or_dash(median.peak_memory_mib),
        ]);
    }
    table
}

/// How many times the baseline's figure the standing's is: the median over the rounds of the ratio within each round.
pub fn ratio(
    standings: &[Standing],
    standing: &Standing,
    baseline: &str,
    figure: fn(&Figures) -> Option<f64>,
) -> Option<f64> {
    let base = standings
        .iter()
        .find(|other| other.engine == baseline && other.in_flight == standing.in_flight)?;
    let pairs = standing.rounds.iter().zip(&base.rounds);
    median(
        pairs
            .filter_map(|(ours, theirs)| Some(figure(ours)? / figure(theirs)?))
            .collect(),
    )
}
