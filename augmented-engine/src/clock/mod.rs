//! The engine's time: real, or virtual and jumping.

mod pace;
mod system;
mod virtual_time;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use augmented_core::Timestamp;
use augmented_core::time::Clock;

pub(crate) use pace::Membership;
pub use pace::VirtualTime;
pub use system::SystemClock;
pub use virtual_time::TimeHold;
pub(crate) use virtual_time::{EngineWait, HandlerActivity, Rank, VirtualClock, VirtualSleep};

/// Where the engine takes the present instant from, and how it waits.
#[derive(Clone)]
pub(crate) enum Time {
    /// A clock that runs by itself.
    Real(Arc<dyn Clock>),
    /// A clock that jumps to the next timer whenever nothing else can happen.
    Virtual(Arc<VirtualClock>),
}

impl Time {
    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::Real(clock) => clock.now(),
            Self::Virtual(clock) => clock.now(),
        }
    }

    /// Completes at `at`; `wait` says on whose behalf, when a handler waits.
    pub(crate) fn sleep_until(&self, at: Timestamp, wait: Option<EngineWait>) -> Sleep {
        match self {
            Self::Real(clock) => Sleep::Real(Box::pin(tokio::time::sleep(until(clock.now(), at)))),
            Self::Virtual(clock) => Sleep::Virtual(clock.sleep_until(at, Rank::Timer, wait)),
        }
    }

    pub(crate) fn sleep(&self, length: Duration, wait: Option<EngineWait>) -> Sleep {
        self.sleep_until(self.now().plus_micros(micros(length)), wait)
    }

    pub(crate) fn virtual_clock(&self) -> Option<&Arc<VirtualClock>> {
        match self {
            Self::Real(_) => None,
            Self::Virtual(clock) => Some(clock),
        }
    }

    /// Keeps virtual time from jumping until the guard is dropped; nothing on real time.
    pub(crate) fn hold(&self) -> Option<TimeHold> {
        self.virtual_clock().map(VirtualClock::hold)
    }
}

/// The real time from `now` to `at`.
pub(crate) fn until(now: Timestamp, at: Timestamp) -> Duration {
    // Timers of the runtime reach about two years; whoever waits longer looks at the clock again.
    const LONGEST: u64 = 366 * 86_400_000_000;
    Duration::from_micros(
        u64::try_from(at.micros_since(now))
            .unwrap_or(0)
            .min(LONGEST),
    )
}

/// A length of time in microseconds.
pub(crate) fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

/// A wait on the engine's clock.
pub(crate) enum Sleep {
    Real(Pin<Box<tokio::time::Sleep>>),
    Virtual(VirtualSleep),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.get_mut() {
            Self::Real(sleep) => sleep.as_mut().poll(cx),
            Self::Virtual(sleep) => Pin::new(sleep).poll(cx),
        }
    }
}
