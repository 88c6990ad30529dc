//! Waiting for what must come, with a limit on everything.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How far looks are apart.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until a condition holds; panics with what was waited for when it did not come in time.
#[track_caller]
pub(crate) fn wait_until(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let found = wait_for(limit, || holds().then_some(()));
    assert!(found.is_some(), "waited {limit:?} in vain: {what}");
}

/// Waits for a value; `None` if it did not come in time.
pub(crate) fn wait_for<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        sleep(LOOK);
    }
}

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
