//! The budget of one evaluation, counted in steps so that every replay stops at the same point.

use super::fault::Fault;

/// What an evaluation may cost.
pub const MAX_COST: u64 = 1_000_000;

/// Counts the cost of an evaluation down.
pub(crate) struct Meter {
    left: u64,
}

impl Meter {
    pub(crate) const fn new() -> Self {
        Self { left: MAX_COST }
    }

    /// Charges steps.
    #[inline]
    pub(crate) fn steps(&mut self, steps: u64) -> Result<(), Fault> {
        match self.left.checked_sub(steps) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Fault::Limit(
                    "the evaluation costs more than 1 000 000 steps",
                ))
            }
        }
    }

    /// Charges elements about to be produced or visited.
    pub(crate) fn elements(&mut self, count: usize) -> Result<(), Fault> {
        self.steps(count as u64)
    }

    /// Charges bytes about to be produced.
    pub(crate) fn bytes(&mut self, count: usize) -> Result<(), Fault> {
        self.steps((count / 16) as u64)
    }

    /// Charges bytes about to be read.
    pub(crate) fn read(&mut self, count: usize) -> Result<(), Fault> {
        self.steps((count / 16) as u64)
    }

    pub(crate) const fn spent(&self) -> u64 {
        MAX_COST - self.left
    }
}
