//! What one measurement yields, and medians over several.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::process;

/// The figures of one measured window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Workflows that ended inside the window.
    pub workflows: u64,
    /// Durable steps per second of wall time.
    pub steps_per_second: f64,
    /// Median time from the start call to the result, in microseconds.
    pub p50_us: f64,
    /// 99th percentile of the same.
    pub p99_us: f64,
    /// The slowest workflow of the window.
    pub max_us: f64,
    /// Processor time of the whole process per step, in microseconds. Other load on the machine moves it far less than
    /// the wall-clock figures. Absent where the system does not tell.
    pub cpu_us_per_step: Option<f64>,
    /// Largest resident memory of the process so far, in MiB. It grows with the workflows run: the engines keep all.
    pub peak_memory_mib: Option<f64>,
    /// Resident memory that each instance took which the store held before the window, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_instance: Option<f64>,
}

impl Figures {
    /// Sums up the latencies of the workflows that ended inside `window`.
    pub fn new(
        mut latencies: Vec<Duration>,
        steps_per_workflow: u64,
        window: Duration,
        cpu: Option<Duration>,
    ) -> Self {
        latencies.sort_unstable();
        let workflows = latencies.len() as u64;
        let steps = (workflows * steps_per_workflow) as f64;
        Self {
            workflows,
            steps_per_second: steps / window.as_secs_f64(),
            p50_us: quantile_us(&latencies, 0.50),
            p99_us: quantile_us(&latencies, 0.99),
            max_us: quantile_us(&latencies, 1.0),
            cpu_us_per_step: cpu
                .filter(|_| steps > 0.0)
                .map(|cpu| cpu.as_secs_f64() * 1e6 / steps),
            peak_memory_mib: process::peak_memory().map(|bytes| bytes as f64 / 1_048_576.0),
            bytes_per_instance: None,
        }
    }

    /// The medians of each figure over `rounds`; `None` without rounds.
    pub fn median(rounds: &[Self]) -> Option<Self> {
        let all = |figure: fn(&Self) -> f64| median(rounds.iter().map(figure).collect());
        let known =
            |figure: fn(&Self) -> Option<f64>| median(rounds.iter().filter_map(figure).collect());
        Some(Self {
            workflows: all(|f| f.workflows as f64)? as u64,
            steps_per_second: all(|f| f.steps_per_second)?,
            p50_us: all(|f| f.p50_us)?,
            p99_us: all(|f| f.p99_us)?,
            max_us: all(|f| f.max_us)?,
            cpu_us_per_step: known(|f| f.cpu_us_per_step),
            peak_memory_mib: known(|f| f.peak_memory_mib),
            bytes_per_instance: known(|f| f.bytes_per_instance),
        })
    }
}

/// The middle of `values`, or the mean of the two in the middle; `None` without values.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get(values.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

/// The smallest latency that at least the share `quantile` of `sorted` does not exceed.
fn quantile_us(sorted: &[Duration], quantile: f64) -> f64 {
    let rank = (sorted.len() as f64 * quantile).ceil() as usize;
    sorted
        .get(rank.saturating_sub(1))
        .map_or(0.0, |latency| latency.as_secs_f64() * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_latencies_that_occurred() {
        let latencies = (1..=200).map(Duration::from_micros).collect();
        let figures = Figures::new(latencies, 3, Duration::from_secs(2), None);
        assert_eq!(
            (figures.p50_us, figures.p99_us, figures.max_us),
            (100.0, 198.0, 200.0)
        );
        assert_eq!(figures.steps_per_second, 300.0);
    }

    #[test]
    fn an_empty_window_counts_nothing() {
        let figures = Figures::new(Vec::new(), 3, Duration::from_secs(1), Some(Duration::ZERO));
        assert_eq!((figures.workflows, figures.max_us), (0, 0.0));
        assert_eq!(figures.cpu_us_per_step, None);
    }

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        assert_eq!(median(vec![9.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(vec![9.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(Vec::new()), None);
    }
}
