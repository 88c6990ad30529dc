//! The pace of virtual time that several engines share: it moves on when none of them has anything to do before.
//!
//! Each engine that wants time to move on asks for its next instant. The earliest of them gets its turn as soon as all
//! others ask, too, or rest; whoever has something under way keeps time where it is. That is the conservative way of
//! discrete event simulation: no engine ever sees an instant before another has dealt with all earlier ones.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use augmented_core::{NodeId, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Virtual time for several engines on one store.
///
/// A clone is the same time. It stands still while any of the engines has something under way, and jumps to whatever is
/// due next in any of them when none has.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), augmented_engine::EngineError> {
/// use std::sync::Arc;
/// use augmented_core::Timestamp;
/// use augmented_engine::{Engine, VirtualTime};
/// # let store: Arc<dyn augmented_core::store::Store> = Arc::new(augmented_store_memory::MemoryStore::new());
///
/// let time = VirtualTime::new(Timestamp::from_millis(0));
/// let first = Engine::builder(Arc::clone(&store)).with_shared_time(&time).start().await?;
/// let second = Engine::builder(store).with_shared_time(&time).start().await?;
/// let later = first.wait_until(Timestamp::from_millis(5_000)).await;
/// assert_eq!(second.now(), Timestamp::from_millis(5_000));
/// # drop(later);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct VirtualTime {
    pace: Arc<Pace>,
}

impl VirtualTime {
    /// Time that begins at `epoch`.
    #[must_use]
    pub fn new(epoch: Timestamp) -> Self {
        Self {
            pace: Arc::new(Pace {
                now: AtomicI64::new(epoch.as_micros()),
                members: Mutex::default(),
                changed: Notify::new(),
            }),
        }
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.pace.now()
    }

    /// Treats an engine as a process that was stopped (`SIGSTOP`) or, with `false`, goes on.
    ///
    /// A stopped one sees no time pass, and time goes on without it; what it owns may be taken over. Its handlers and
    /// calls of the store are not stopped by this: that is the part of a store that does not answer it.
    pub fn set_stopped(&self, engine: &crate::Engine, stopped: bool) {
        if let Some(clock) = engine.virtual_clock() {
            self.pace.set_stopped(clock.pulse(), stopped);
        }
    }

    pub(super) fn pace(&self) -> &Arc<Pace> {
        &self.pace
    }
}

impl std::fmt::Debug for VirtualTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("VirtualTime").field(&self.now()).finish()
    }
}

/// What the engines of one virtual time share.
pub(super) struct Pace {
    now: AtomicI64,
    members: Mutex<Members>,
    /// Signalled when somebody may have got their turn.
    changed: Notify,
}

#[derive(Default)]
struct Members {
    next: u64,
    all: BTreeMap<u64, Member>,
}

struct Member {
    pulse: Arc<Pulse>,
    /// Under which it writes; its silence means nothing, since it says nothing unless time passes.
    node: Option<NodeId>,
    asks: Option<Asked>,
    stopped: bool,
}

/// Somebody asked for an instant, and nothing has begun there since as long as the count of beats is the same.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Asked {
    at: Timestamp,
    beats: u64,
}

/// Whether an engine has anything under way.
#[derive(Default)]
pub(super) struct Pulse {
    holds: AtomicUsize,
    /// How often something was begun.
    beats: AtomicU64,
}

impl Pulse {
    pub(super) fn begin(&self) {
        self.holds.fetch_add(1, Ordering::SeqCst);
        self.beats.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts `count` things as done; `true` if nothing is under way any more.
    pub(super) fn end(&self, count: usize) -> bool {
        count > 0 && self.holds.fetch_sub(count, Ordering::SeqCst) == count
    }

    pub(super) fn is_held(&self) -> bool {
        self.holds.load(Ordering::SeqCst) > 0
    }
}

impl Member {
    /// Whether nothing can happen there before `at`.
    fn lets_pass(&self, at: (Timestamp, u64), id: u64) -> bool {
        let beats = self.pulse.beats.load(Ordering::SeqCst);
        let asks = self.asks.filter(|asks| asks.beats == beats);
        self.stopped || (!self.pulse.is_held() && asks.is_some_and(|asks| (asks.at, id) > at))
    }
}

/// The answer to an engine that asks for an instant.
enum Turn {
    Given,
    /// Something is under way in this engine itself.
    Busy,
    Later,
}

impl Pace {
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst))
    }

    pub(super) fn advance_to(&self, at: Timestamp) {
        self.now.fetch_max(at.as_micros(), Ordering::SeqCst);
    }

    /// Lets an engine take part until the guard is dropped.
    pub(super) fn join(self: &Arc<Self>, pulse: Arc<Pulse>) -> Membership {
        let mut members = self.members.lock();
        let id = members.next;
        members.next += 1;
        let member = Member {
            pulse,
            node: None,
            asks: None,
            stopped: false,
        };
        members.all.insert(id, member);
        Membership {
            pace: Arc::clone(self),
            id,
        }
    }

    /// Whether an engine that takes part writes under this id.
    fn is_driven_under(&self, node: NodeId) -> bool {
        let members = self.members.lock();
        let mut all = members.all.values();
        all.any(|member| !member.stopped && member.node == Some(node))
    }

    fn set_stopped(&self, pulse: &Arc<Pulse>, stopped: bool) {
        let mut members = self.members.lock();
        for member in members.all.values_mut() {
            if Arc::ptr_eq(&member.pulse, pulse) {
                member.stopped = stopped;
            }
        }
        drop(members);
        self.changed.notify_waiters();
    }

    fn ask(&self, id: u64, at: Timestamp) -> Turn {
        let mut members = self.members.lock();
        let Some(own) = members.all.get(&id) else {
            return Turn::Later;
        };
        if own.pulse.is_held() {
            return Turn::Busy;
        }
        if own.stopped {
            return Turn::Later;
        }
        let asked = Asked {
            at,
            beats: own.pulse.beats.load(Ordering::SeqCst),
        };
        let is_first = || {
            let mut others = members.all.iter().filter(|(other, _)| **other != id);
            others.all(|(other, member)| member.lets_pass((at, id), *other))
        };
        if at <= self.now() || is_first() {
            return Turn::Given;
        }
        let is_news = members
            .all
            .get_mut(&id)
            .is_some_and(|own| own.asks.replace(asked) != Some(asked));
        drop(members);
        if is_news {
            self.changed.notify_waiters();
        }
        Turn::Later
    }

    /// Lets an engine wait for nothing but what is begun from outside.
    fn lets_pass(&self, id: u64) {
        if let Some(own) = self.members.lock().all.get_mut(&id) {
            own.asks = Some(Asked {
                at: Timestamp::MAX,
                beats: own.pulse.beats.load(Ordering::SeqCst),
            });
        }
        self.changed.notify_waiters();
    }
}

/// An engine's part in a virtual time.
pub(crate) struct Membership {
    pace: Arc<Pace>,
    id: u64,
}

impl Membership {
    /// Says under which id the engine writes now.
    pub(crate) fn writes_as(&self, node: NodeId) {
        if let Some(member) = self.pace.members.lock().all.get_mut(&self.id) {
            member.node = Some(node);
        }
    }

    /// Whether a node lives in this process and goes on as soon as time does.
    pub(crate) fn is_alive(&self, node: NodeId) -> bool {
        self.pace.is_driven_under(node)
    }

    /// Completes when no engine can do anything before `at`; `false` if something is under way in this one.
    ///
    /// Dropped before, the engine counts as busy again.
    pub(crate) async fn turn(&self, at: Timestamp) -> bool {
        let _asking = Asking(self);
        loop {
            let changed = self.pace.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.pace.ask(self.id, at) {
                Turn::Given => return true,
                Turn::Busy => return false,
                Turn::Later => changed.await,
            }
        }
    }

    /// Lets all others pass until it is dropped.
    pub(crate) async fn rest(&self) {
        let _asking = Asking(self);
        self.pace.lets_pass(self.id);
        std::future::pending().await
    }
}

/// Takes back what an engine asked for when it turns to something else.
struct Asking<'a>(&'a Membership);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(member) = self.0.pace.members.lock().all.get_mut(&self.0.id) {
            member.asks = None;
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.pace.members.lock().all.remove(&self.id);
        self.pace.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn is_pending<F: Future>(future: std::pin::Pin<&mut F>) -> bool {
        future
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    }

    fn two() -> (VirtualTime, [Arc<Pulse>; 2], [Membership; 2]) {
        let time = VirtualTime::new(at(0));
        let pulses = [Arc::default(), Arc::default()];
        let members = [0, 1].map(|index: usize| time.pace.join(Arc::clone(&pulses[index])));
        (time, pulses, members)
    }

    #[test]
    fn the_earliest_has_its_turn_once_all_others_ask() {
        let (_time, _pulses, [first, second]) = two();
        let mut late = pin!(first.turn(at(20)));
        assert!(is_pending(late.as_mut()), "the other may have more to do");
        {
            let mut early = pin!(second.turn(at(10)));
            assert!(!is_pending(early.as_mut()));
        }
        assert!(is_pending(late.as_mut()), "the other does something now");
        let mut later = pin!(second.turn(at(30)));
        assert!(is_pending(later.as_mut()));
        assert!(!is_pending(late.as_mut()));
    }

    #[test]
    fn what_is_under_way_keeps_the_time_of_all() {
        let (_time, pulses, [first, second]) = two();
        {
            let mut resting = pin!(second.rest());
            assert!(is_pending(resting.as_mut()));
            pulses[1].begin();
            assert!(is_pending(pin!(first.turn(at(5)))));
            pulses[1].end(1);
            assert!(
                is_pending(pin!(first.turn(at(5)))),
                "it was asked before something began"
            );
        }
        drop(second);
        assert!(!is_pending(pin!(first.turn(at(5)))));
    }

    #[test]
    fn nobody_waits_for_a_stopped_engine() {
        let (time, pulses, [first, second]) = two();
        pulses[1].begin();
        second.writes_as(NodeId(uuid::Uuid::from_u128(7)));
        assert!(first.is_alive(NodeId(uuid::Uuid::from_u128(7))));
        time.pace.set_stopped(&pulses[1], true);
        assert!(!first.is_alive(NodeId(uuid::Uuid::from_u128(7))));
        assert!(!is_pending(pin!(first.turn(at(5)))));
        time.pace.advance_to(at(5));
        pulses[1].end(1);
        assert!(is_pending(pin!(second.turn(at(3)))), "it is stopped");
        time.pace.set_stopped(&pulses[1], false);
        assert!(
            !is_pending(pin!(second.turn(at(3)))),
            "what is due already needs no turn"
        );
    }
}
