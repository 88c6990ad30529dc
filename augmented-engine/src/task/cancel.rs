//! The signal that tells running work to stop.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::clock::EngineWait;

/// Tells a handler to stop, because its step or instance is cancelled or its attempt is over time.
///
/// Cheap to clone; all clones share the signal.
#[derive(Clone, Default)]
pub struct CancellationToken {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    cancelled: AtomicBool,
    waiting: Mutex<Vec<Option<Waker>>>,
}

impl CancellationToken {
    /// A token that has not been cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the work is to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancelled.load(Ordering::Acquire)
    }

    /// Tells everybody to stop.
    pub fn cancel(&self) {
        if self.inner.cancelled.swap(true, Ordering::AcqRel) {
            return;
        }
        let waiting = std::mem::take(&mut *self.inner.waiting.lock());
        for waker in waiting.into_iter().flatten() {
            waker.wake();
        }
    }

    /// Returns once the work is to stop.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn cancelled(&self) -> Cancelled {
        Cancelled { token: self.clone(), slot: None, wait: None }
    }

    pub(crate) fn cancelled_while(&self, wait: EngineWait) -> Cancelled {
        Cancelled { token: self.clone(), slot: None, wait: Some(wait) }
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellationToken").field("cancelled", &self.is_cancelled()).finish()
    }
}

/// Completes once its [`CancellationToken`] is cancelled.
#[must_use = "futures do nothing unless awaited"]
pub struct Cancelled {
    token: CancellationToken,
    slot: Option<usize>,
    wait: Option<EngineWait>,
}

impl Future for Cancelled {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut waiting = this.token.inner.waiting.lock();
        // Looked at under the lock: `cancel` sets the flag before it takes the list.
        if this.token.is_cancelled() {
            drop(waiting);
            if let Some(wait) = &mut this.wait {
                wait.end();
            }
            return Poll::Ready(());
        }
        let registered = this.slot.and_then(|slot| waiting.get_mut(slot));
        match registered {
            Some(entry) => *entry = Some(cx.waker().clone()),
            None => {
                let free = waiting.iter().position(Option::is_none);
                match free.and_then(|slot| waiting.get_mut(slot).map(|entry| (slot, entry))) {
                    Some((slot, entry)) => {
                        *entry = Some(cx.waker().clone());
                        this.slot = Some(slot);
                    }
                    None => {
                        this.slot = Some(waiting.len());
                        waiting.push(Some(cx.waker().clone()));
                    }
                }
            }
        }
        drop(waiting);
        if let Some(wait) = &mut this.wait {
            wait.begin();
        }
        Poll::Pending
    }
}

impl Drop for Cancelled {
    fn drop(&mut self) {
        if let Some(slot) = self.slot
            && let Some(entry) = self.token.inner.waiting.lock().get_mut(slot)
        {
            *entry = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Wake;

    struct Counter(std::sync::atomic::AtomicUsize);
    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn cancelling_wakes_those_who_wait_and_stays_cancelled() {
        let woken = Arc::new(Counter(0.into()));
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        let token = CancellationToken::new();
        let mut first = Box::pin(token.cancelled());
        let mut dropped = Box::pin(token.cancelled());
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert!(dropped.as_mut().poll(&mut cx).is_pending());
        drop(dropped);
        token.cancel();
        token.cancel();
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        assert!(first.as_mut().poll(&mut cx).is_ready());
        assert!(Box::pin(token.cancelled()).as_mut().poll(&mut cx).is_ready());
    }
}
