//! A line on standard error for what lasts longer than two seconds.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::terminal::Terminal;

/// The line; it is wiped when the work is done.
pub(crate) struct Progress {
    what: String,
    begun: Instant,
    shown: bool,
    wanted: bool,
}

impl Progress {
    pub(crate) fn new(terminal: Terminal, what: String) -> Self {
        Self {
            what,
            begun: Instant::now(),
            shown: false,
            wanted: terminal.shows_progress(),
        }
    }

    /// Shows how much is done, in a bar.
    pub(crate) fn show(&mut self, done: u64, all: u64) {
        if !self.wanted || self.begun.elapsed() < Duration::from_secs(2) {
            return;
        }
        const WIDTH: u64 = 30;
        let filled = usize::try_from(done.saturating_mul(WIDTH) / all.max(1)).unwrap_or(0);
        let bar: String = (0..usize::try_from(WIDTH).unwrap_or(0))
            .map(|place| if place < filled { '█' } else { '░' })
            .collect();
        self.draw(&format!("{} {bar} {done}/{all}", self.what));
    }

    /// Shows the time that has passed, again and again; never completes.
    pub(crate) async fn show_time(&self) {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let passed = self.begun.elapsed().as_secs();
            if self.wanted && passed >= 2 {
                let _ = write!(io::stderr(), "\r\u{1b}[K{} … {passed} s", self.what);
            }
        }
    }

    fn draw(&mut self, line: &str) {
        self.shown = true;
        // Progress nobody can see is no fault.
        let _ = write!(io::stderr(), "\r\u{1b}[K{line}");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let drawn = self.shown || self.begun.elapsed() >= Duration::from_secs(2);
        if self.wanted && drawn {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}
