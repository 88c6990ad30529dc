//! Time of an engine that follows tokio's clock, which a test can pause.

use augmented_core::Timestamp;
use augmented_core::time::Clock;
use tokio::time::Instant;

/// A clock that follows tokio's. On a paused runtime it jumps to the next timer whenever everybody waits, for several
/// engines at once.
pub struct TokioClock {
    epoch: Timestamp,
    begin: Instant,
}

impl TokioClock {
    /// A clock that shows `epoch` at the instant at which the first of a test was made.
    pub fn since(epoch: Timestamp, begin: Instant) -> Self {
        Self { epoch, begin }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.begin.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.epoch.plus_micros(passed)
    }
}
