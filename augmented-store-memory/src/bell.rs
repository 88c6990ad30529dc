//! Wakes engines that wait for work, without losing a ring and without a runtime.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};

use augmented_core::store::Wakeup;
use parking_lot::Mutex;

/// Counts rings; a listener remembers the last count it was told.
///
/// A ring raises the count before it looks for waiters, and a waiter registers before it reads the count a
/// last time. All of it is sequentially consistent, so one of the two always sees the other.
#[derive(Default)]
pub(crate) struct Bell {
    rings: AtomicU64,
    closed: AtomicBool,
    waiting: AtomicUsize,
    waiters: Mutex<Waiters>,
}

#[derive(Default)]
struct Waiters {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Bell {
    pub(crate) fn ring(&self) {
        self.rings.fetch_add(1, SeqCst);
        self.wake();
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, SeqCst);
        self.wake();
    }

    fn wake(&self) {
        if self.waiting.load(SeqCst) == 0 {
            return;
        }
        let wakers = {
            let mut waiters = self.waiters.lock();
            self.waiting.store(0, SeqCst);
            std::mem::take(&mut waiters.wakers)
        };
        for waker in wakers.into_values() {
            waker.wake();
        }
    }

    /// Waits for a ring that the listener with this mark was not told of yet.
    pub(crate) fn listen<'a>(&'a self, mark: &'a AtomicU64) -> Listen<'a> {
        Listen {
            bell: self,
            mark,
            key: None,
        }
    }
}

/// Waits for a ring; dropped early, it has told nobody of any.
pub(crate) struct Listen<'a> {
    bell: &'a Bell,
    mark: &'a AtomicU64,
    key: Option<u64>,
}

impl Listen<'_> {
    /// The news, if there are any; only here the mark moves.
    fn news(&self) -> Option<Wakeup> {
        if self.bell.closed.load(SeqCst) {
            return Some(Wakeup::Closed);
        }
        let rings = self.bell.rings.load(SeqCst);
        (self.mark.swap(rings, SeqCst) != rings).then_some(Wakeup::Work)
    }

    fn register(&mut self, waker: &Waker) {
        let mut waiters = self.bell.waiters.lock();
        let key = *self.key.get_or_insert_with(|| {
            waiters.next += 1;
            waiters.next
        });
        waiters.wakers.insert(key, waker.clone());
        self.bell.waiting.store(waiters.wakers.len(), SeqCst);
    }
}

impl Future for Listen<'_> {
    type Output = Wakeup;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Wakeup> {
        if let Some(news) = self.news() {
            return Poll::Ready(news);
        }
        self.register(context.waker());
        self.news().map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Listen<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let mut waiters = self.bell.waiters.lock();
            waiters.wakers.remove(&key);
            self.bell.waiting.store(waiters.wakers.len(), SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    fn poll(listen: Pin<&mut Listen<'_>>) -> Poll<Wakeup> {
        listen.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_ring_before_the_call_is_heard_once() {
        let (bell, mark) = (Bell::default(), AtomicU64::new(0));
        bell.ring();
        bell.ring();
        assert_eq!(poll(pin!(bell.listen(&mark))), Poll::Ready(Wakeup::Work));
        assert_eq!(poll(pin!(bell.listen(&mark))), Poll::Pending);
    }

    #[test]
    fn every_listener_hears_every_ring() {
        let (bell, one, two) = (Bell::default(), AtomicU64::new(0), AtomicU64::new(0));
        bell.ring();
        assert_eq!(poll(pin!(bell.listen(&one))), Poll::Ready(Wakeup::Work));
        assert_eq!(poll(pin!(bell.listen(&two))), Poll::Ready(Wakeup::Work));
    }

    #[test]
    fn a_dropped_call_loses_nothing() {
        let (bell, mark) = (Bell::default(), AtomicU64::new(0));
        {
            let mut listen = pin!(bell.listen(&mark));
            assert_eq!(poll(listen.as_mut()), Poll::Pending);
            bell.ring();
        }
        assert_eq!(bell.waiting.load(SeqCst), 0);
        assert_eq!(poll(pin!(bell.listen(&mark))), Poll::Ready(Wakeup::Work));
    }

    #[test]
    fn a_closed_bell_answers_at_once_and_always() {
        let (bell, mark) = (Bell::default(), AtomicU64::new(0));
        bell.close();
        assert_eq!(poll(pin!(bell.listen(&mark))), Poll::Ready(Wakeup::Closed));
        assert_eq!(poll(pin!(bell.listen(&mark))), Poll::Ready(Wakeup::Closed));
    }
}
