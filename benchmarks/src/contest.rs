//! A contest: several measurements in alternating rounds.
//!
//! The order of the entries turns around in every round, so that a slow drift of the machine meets all alike.

use std::io;

use serde::{Deserialize, Serialize};

use crate::figures::{Figures, median};
use crate::measure::{self, Order};
use crate::table::{Table, number, number_or_dash};

/// One entry of a contest.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What the table calls it.
    pub label: String,
    /// How it is measured.
    pub order: Order,
}

/// The measurements of one entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// What the table calls it.
    pub label: String,
    /// How it was measured.
    pub order: Order,
    /// One entry per round.
    pub rounds: Vec<Figures>,
    /// Steps per second as a multiple of the first entry's: the median of the ratios within each round.
    pub ratio: Option<f64>,
    /// Processor time per step as a multiple of the first entry's, likewise.
    pub cpu_ratio: Option<f64>,
}

/// Measures each entry once in each of `rounds` rounds, each after [`measure::touch_memory`]; `told` hears of every
/// measurement as it ends.
///
/// # Errors
///
/// As [`measure::apart`].
pub fn hold(
    entries: &[Entry],
    rounds: usize,
    touch_gib: usize,
    mut told: impl FnMut(usize, &Entry, &Figures),
) -> io::Result<Vec<Standing>> {
    let mut standings: Vec<Standing> = entries.iter().map(Standing::new).collect();
    for round in 0..rounds {
        let mut pairs: Vec<_> = entries.iter().zip(&mut standings).collect();
        if round % 2 == 1 {
            pairs.reverse();
        }
        for (entry, standing) in pairs {
            measure::touch_memory(touch_gib)?;
            let figures = measure::apart(&entry.order)?;
            told(round, entry, &figures);
            standing.rounds.push(figures);
        }
    }
    if let Some(first) = standings.first().cloned() {
        for standing in &mut standings {
            standing.compare_with(&first);
        }
    }
    Ok(standings)
}

impl Standing {
    fn new(entry: &Entry) -> Self {
        Self {
            label: entry.label.clone(),
            order: entry.order,
            rounds: Vec::new(),
            ratio: None,
            cpu_ratio: None,
        }
    }

    fn compare_with(&mut self, first: &Self) {
        self.ratio = self.ratio_to(first, |figures| Some(figures.steps_per_second));
        self.cpu_ratio = self.ratio_to(first, |figures| figures.cpu_us_per_step);
    }

    fn ratio_to(&self, first: &Self, figure: fn(&Figures) -> Option<f64>) -> Option<f64> {
        let pairs = self.rounds.iter().zip(&first.rounds);
        median(
            pairs
                .filter_map(|(own, other)| Some(figure(own)? / figure(other)?))
                .collect(),
        )
    }
}

/// The table of the medians; the ratios are to the first entry of each contest.
pub fn table(contests: &[Vec<Standing>]) -> Table {
    let mut table = Table::new([
        "",
        "steps/s",
        "of the rounds",
        "ratio",
        "p50 µs",
        "p99 µs",
        "CPU µs/step",
        "CPU ratio",
        "MiB",
        "bytes/instance",
    ]);
    for standing in contests.iter().flatten() {
        let Some(median) = Figures::median(&standing.rounds) else {
            continue;
        };
        let rounds = standing.rounds.iter();
        let rounds: Vec<String> = rounds
            .map(|figures| number(figures.steps_per_second))
            .collect();
        table.push([
            standing.label.clone(),
            number(median.steps_per_second),
            rounds.join(" / "),
            number_or_dash(standing.ratio),
            number(median.p50_us),
            number(median.p99_us),
            number_or_dash(median.cpu_us_per_step),
            number_or_dash(standing.cpu_ratio),
            number_or_dash(median.peak_memory_mib),
            number_or_dash(median.bytes_per_instance),
        ]);
    }
    table
}

/// Says on standard error how a measurement went.
pub fn tell(round: usize, entry: &Entry, figures: &Figures) {
    eprintln!(
        "round {}: {}: {} steps/s, p50 {} µs, p99 {} µs, CPU {} µs/step",
        round + 1,
        entry.label,
        number(figures.steps_per_second),
        number(figures.p50_us),
        number(figures.p99_us),
        number_or_dash(figures.cpu_us_per_step),
    );
}
