//! What an engine counted since it started.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// The counts of one worker; only that worker writes them.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        /// What an engine counted since it started.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct MetricsSnapshot {
            $($(#[doc = $doc])* pub $name: u64,)*
        }

        impl Metrics {
            pub(crate) fn snapshot(&self) -> MetricsSnapshot {
                let mut sum = MetricsSnapshot::default();
                for worker in &self.workers {
                    $(sum.$name += worker.$name.read();)*
                }
                sum
            }
        }
    };
}

counters! {
    /// Instances accepted.
    instances_started,
    /// Instances that reached COMPLETED.
    instances_completed,
    /// Instances that reached FAILED.
    instances_failed,
    /// Instances that reached CANCELLED.
    instances_cancelled,
    /// Task instances that ended, in whatever way.
    tasks_ended,
    /// Task instances that ended without an output.
    tasks_failed,
    /// Results that came after their attempt had been given up.
    late_results,
    /// Facts written.
    facts,
    /// Batches of commits sent to the store.
    batches,
    /// Commits of single instances that the store refused.
    commits_refused,
    /// Instances taken over from silent nodes.
    takeovers,
}

/// A count with one writer.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds without a locked instruction, since nobody else writes.
    pub(crate) fn add(&self, count: u64) {
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(count),
            Ordering::Relaxed,
        );
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counts of all workers.
#[derive(Debug)]
pub(crate) struct Metrics {
    workers: Vec<Arc<Counters>>,
}

impl Metrics {
    pub(crate) fn new(workers: Vec<Arc<Counters>>) -> Self {
        Self { workers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snapshot_is_the_sum_over_the_workers() {
        let workers = vec![Arc::new(Counters::default()), Arc::new(Counters::default())];
        workers[0].facts.add(2);
        workers[1].facts.add(3);
        assert_eq!(
            Metrics::new(workers).snapshot(),
            MetricsSnapshot {
                facts: 5,
                ..MetricsSnapshot::default()
            }
        );
    }
}
