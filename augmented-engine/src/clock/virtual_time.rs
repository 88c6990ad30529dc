//! Virtual time: it stands still while anything can happen, and jumps to the next wait when nothing can.
//!
//! Everything that is under way holds the clock by a count: a queued message, a commit, a call of the API, a
//! handler that is not waiting on this clock. When the count is zero, the conductor of the engine lets the
//! earliest wait go on, one at a time, so that equal runs take equal steps.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use augmented_core::Timestamp;
use augmented_core::time::Clock;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::pace::{Membership, Pace, Pulse, VirtualTime};

/// The order of waits that end at the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Something done from outside at this instant.
    Stimulus,
    /// A wait of the engine or of a handler.
    Timer,
}

type WaitKey = (Timestamp, Rank, u64);

/// A clock that jumps.
pub(crate) struct VirtualClock {
    pace: Arc<Pace>,
    pulse: Arc<Pulse>,
    idle: AtomicBool,
    waits: Mutex<Waits>,
    /// Signalled when the count of holds returns to zero.
    quiet: Notify,
    /// Signalled when nothing can ever happen again.
    became_idle: Notify,
}

#[derive(Default)]
struct Waits {
    open: BTreeMap<WaitKey, Waker>,
    /// Waits that are over and have not been polled since; each holds the clock.
    over: BTreeSet<WaitKey>,
    next: u64,
}

impl VirtualClock {
    /// The clock of one engine in a time.
    pub(crate) fn of(time: &VirtualTime) -> Arc<Self> {
        Arc::new(Self {
            pace: Arc::clone(time.pace()),
            pulse: Arc::default(),
            idle: AtomicBool::new(false),
            waits: Mutex::default(),
            quiet: Notify::new(),
            became_idle: Notify::new(),
        })
    }

    /// Keeps the clock where it is until the guard is dropped.
    pub(crate) fn hold(self: &Arc<Self>) -> TimeHold {
        self.begin();
        TimeHold {
            clock: Some(Arc::clone(self)),
        }
    }

    /// Counts one more thing under way.
    pub(crate) fn begin(&self) {
        self.pulse.begin();
        self.idle.store(false, Ordering::SeqCst);
    }

    /// Counts `count` things as done.
    pub(crate) fn end(&self, count: usize) {
        if self.pulse.end(count) {
            self.quiet.notify_one();
        }
    }

    pub(crate) fn is_held(&self) -> bool {
        self.pulse.is_held()
    }

    pub(crate) fn sleep_until(
        self: &Arc<Self>,
        at: Timestamp,
        rank: Rank,
        wait: Option<EngineWait>,
    ) -> VirtualSleep {
        VirtualSleep {
            clock: Arc::clone(self),
            at,
            rank,
            key: None,
            wait,
        }
    }

    /// The present instant.
    pub(crate) fn now_virtual(&self) -> Timestamp {
        self.pace.now()
    }

    pub(super) fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }

    /// Takes part in the time until the guard is dropped; whoever does not is waited for by nobody.
    pub(crate) fn join(&self) -> Membership {
        self.pace.join(Arc::clone(&self.pulse))
    }

    /// Completes when something was under way, or a wait was begun, since the last call.
    pub(crate) async fn stirred(&self) {
        self.quiet.notified().await;
    }

    /// Completes when nothing is under way.
    pub(crate) async fn quiet(&self) {
        while self.is_held() {
            self.quiet.notified().await;
        }
    }

    /// The earliest open wait.
    pub(crate) fn next_wait(&self) -> Option<Timestamp> {
        self.waits
            .lock()
            .open
            .first_key_value()
            .map(|(key, _)| key.0)
    }

    /// Moves on to `at`, unless something is under way again; never backwards.
    pub(crate) fn advance_to(&self, at: Timestamp) -> bool {
        if self.is_held() {
            return false;
        }
        self.pace.advance_to(at);
        true
    }

    /// Ends the earliest wait and moves on to its instant; `false` if something is under way again.
    pub(crate) fn end_next_wait(&self) -> bool {
        let mut waits = self.waits.lock();
        if self.is_held() {
            return false;
        }
        let Some((key, waker)) = waits.open.pop_first() else {
            return false;
        };
        self.pace.advance_to(key.0);
        waits.over.insert(key);
        self.begin();
        drop(waits);
        waker.wake();
        true
    }

    /// Says that nothing can ever happen again, until something is begun from outside.
    pub(crate) fn mark_idle(&self) -> bool {
        self.idle.store(true, Ordering::SeqCst);
        if self.is_held() {
            self.idle.store(false, Ordering::SeqCst);
            return false;
        }
        self.became_idle.notify_waiters();
        true
    }

    /// Completes when nothing can ever happen again.
    pub(crate) async fn idle(&self) {
        loop {
            let notified = self.became_idle.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.idle.load(Ordering::SeqCst) {
                return;
            }
            notified.await;
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.pace.now()
    }
}

/// Keeps virtual time where it is as long as it lives; without effect on real time.
#[must_use = "time goes on when the guard is dropped"]
pub struct TimeHold {
    clock: Option<Arc<VirtualClock>>,
}

impl TimeHold {
    /// A guard over real time, which nothing holds.
    pub(crate) const fn none() -> Self {
        Self { clock: None }
    }
}

impl Drop for TimeHold {
    fn drop(&mut self) {
        if let Some(clock) = &self.clock {
            clock.end(1);
        }
    }
}

impl std::fmt::Debug for TimeHold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TimeHold").finish_non_exhaustive()
    }
}

/// A wait on a [`VirtualClock`].
pub(crate) struct VirtualSleep {
    clock: Arc<VirtualClock>,
    at: Timestamp,
    rank: Rank,
    key: Option<WaitKey>,
    wait: Option<EngineWait>,
}

impl VirtualSleep {
    /// Completes with the clock held.
    pub(crate) async fn held(self) -> TimeHold {
        let clock = Arc::clone(&self.clock);
        HeldSleep(self).await;
        // The hold that the end of the wait left is handed on instead of being released.
        TimeHold { clock: Some(clock) }
    }

    /// Whether the wait is over; the hold it left then belongs to the caller.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut waits = self.clock.waits.lock();
        if let Some(key) = self.key {
            if waits.over.remove(&key) {
                self.key = None;
                return Poll::Ready(());
            }
            if let Some(waker) = waits.open.get_mut(&key) {
                waker.clone_from(cx.waker());
            }
            return Poll::Pending;
        }
        if self.clock.now() >= self.at {
            self.clock.begin();
            return Poll::Ready(());
        }
        let key = (self.at, self.rank, waits.next);
        waits.next += 1;
        waits.open.insert(key, cx.waker().clone());
        self.key = Some(key);
        drop(waits);
        // A wait that is begun from outside, while nothing is under way, is news, too.
        self.clock.quiet.notify_one();
        if let Some(wait) = &mut self.wait {
            wait.begin();
        }
        Poll::Pending
    }
}

impl Future for VirtualSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.poll_over(cx).is_pending() {
            return Poll::Pending;
        }
        if let Some(wait) = &mut this.wait {
            wait.end();
        }
        this.clock.end(1);
        Poll::Ready(())
    }
}

impl Drop for VirtualSleep {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut waits = self.clock.waits.lock();
        waits.open.remove(&key);
        let left_over = waits.over.remove(&key);
        drop(waits);
        // Whoever waited counts as busy again before the hold of the ended wait goes.
        self.wait = None;
        if left_over {
            self.clock.end(1);
        }
    }
}

struct HeldSleep(VirtualSleep);

impl Future for HeldSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().0.poll_over(cx)
    }
}

/// One running handler: it holds the clock except while it waits on the engine.
pub(crate) struct HandlerActivity {
    clock: Arc<VirtualClock>,
    state: Mutex<ActivityState>,
}

#[derive(Default)]
struct ActivityState {
    waits: usize,
    finished: bool,
}

impl HandlerActivity {
    /// Begins to hold the clock.
    pub(crate) fn begin(clock: &Arc<VirtualClock>) -> Arc<Self> {
        clock.begin();
        Arc::new(Self {
            clock: Arc::clone(clock),
            state: Mutex::default(),
        })
    }

    /// The handler is over; copies of its context no longer count.
    pub(crate) fn finish(&self) {
        let mut state = self.state.lock();
        if !std::mem::replace(&mut state.finished, true) && state.waits == 0 {
            self.clock.end(1);
        }
    }
}

/// One wait of a handler on the engine: a sleep, or for its cancellation.
pub(crate) struct EngineWait {
    activity: Arc<HandlerActivity>,
    begun: bool,
}

impl EngineWait {
    pub(crate) fn new(activity: Arc<HandlerActivity>) -> Self {
        Self {
            activity,
            begun: false,
        }
    }

    pub(crate) fn begin(&mut self) {
        if !std::mem::replace(&mut self.begun, true) {
            let mut state = self.activity.state.lock();
            state.waits += 1;
            if state.waits == 1 && !state.finished {
                self.activity.clock.end(1);
            }
        }
    }

    pub(crate) fn end(&mut self) {
        if std::mem::replace(&mut self.begun, false) {
            let mut state = self.activity.state.lock();
            state.waits -= 1;
            if state.waits == 0 && !state.finished {
                self.activity.clock.begin();
            }
        }
    }
}

impl Drop for EngineWait {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn waits_end_one_at_a_time_in_order_of_instant_rank_and_creation() {
        let clock = VirtualClock::of(&VirtualTime::new(at(0)));
        let mut late = clock.sleep_until(at(20), Rank::Timer, None);
        let mut first = clock.sleep_until(at(10), Rank::Timer, None);
        let mut second = clock.sleep_until(at(10), Rank::Timer, None);
        let mut stimulus = clock.sleep_until(at(10), Rank::Stimulus, None);
        for wait in [&mut late, &mut first, &mut second, &mut stimulus] {
            assert!(poll(wait).is_pending());
        }
        for (mut wait, millis) in [(stimulus, 10), (first, 10), (second, 10), (late, 20)] {
            assert!(poll(&mut wait).is_pending());
            assert!(clock.end_next_wait());
            assert_eq!(clock.now(), at(millis));
            assert!(clock.is_held(), "the ended wait has not been polled yet");
            assert!(!clock.end_next_wait());
            assert!(poll(&mut wait).is_ready());
            assert!(!clock.is_held());
        }
        assert!(!clock.end_next_wait());
    }

    #[test]
    fn a_dropped_wait_leaves_nothing_behind() {
        let clock = VirtualClock::of(&VirtualTime::new(at(0)));
        let mut open = clock.sleep_until(at(10), Rank::Timer, None);
        assert!(poll(&mut open).is_pending());
        drop(open);
        assert_eq!(clock.next_wait(), None);
        let mut ended = clock.sleep_until(at(10), Rank::Timer, None);
        assert!(poll(&mut ended).is_pending());
        assert!(clock.end_next_wait());
        drop(ended);
        assert!(!clock.is_held());
    }

    #[test]
    fn a_handler_holds_the_clock_except_while_it_waits_on_it() {
        let clock = VirtualClock::of(&VirtualTime::new(at(0)));
        let activity = HandlerActivity::begin(&clock);
        assert!(clock.is_held());
        let mut first = clock.sleep_until(
            at(5),
            Rank::Timer,
            Some(EngineWait::new(Arc::clone(&activity))),
        );
        let mut second = clock.sleep_until(
            at(9),
            Rank::Timer,
            Some(EngineWait::new(Arc::clone(&activity))),
        );
        assert!(poll(&mut first).is_pending());
        assert!(!clock.is_held());
        assert!(poll(&mut second).is_pending());
        assert!(clock.end_next_wait());
        assert!(poll(&mut first).is_ready());
        assert!(!clock.is_held(), "the second wait is still open");
        drop(second);
        assert!(clock.is_held());
        activity.finish();
        assert!(!clock.is_held());
    }

    #[tokio::test]
    async fn idle_is_reported_until_something_begins() {
        let clock = VirtualClock::of(&VirtualTime::new(at(0)));
        let hold = clock.hold();
        assert!(!clock.mark_idle());
        drop(hold);
        assert!(clock.mark_idle());
        clock.idle().await;
        let _hold = clock.hold();
        assert!(!clock.idle.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_held_wait_keeps_the_clock_until_its_guard_is_dropped() {
        let clock = VirtualClock::of(&VirtualTime::new(at(7)));
        let guard = clock.sleep_until(at(7), Rank::Stimulus, None).held().await;
        assert!(clock.is_held());
        drop(guard);
        assert!(!clock.is_held());
    }
}
