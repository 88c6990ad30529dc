//! The store under test, and how futures are driven without a runtime.

use std::future::Future;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use uuid::Uuid;

use crate::ids::uuid_v7;
use crate::time::Timestamp;

/// A future that a thread of a race drives to its end.
pub type Task<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// How long a promise may take that waits for something.
const PATIENCE: Duration = Duration::from_secs(20);

/// The store under test.
pub struct Subject<S> {
    store: S,
    run: fn(Task<'_>),
    ids: AtomicU64,
}

impl<S> Subject<S> {
    /// A new, empty store, and what drives futures on the threads of a race.
    pub fn new(store: S, run: fn(Task<'_>)) -> Self {
        Self {
            store,
            run,
            ids: AtomicU64::new(0),
        }
    }

    /// An id that was not given before; later ones are greater.
    pub(super) fn new_id(&self, at: Timestamp) -> Uuid {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
        uuid_v7(at, &[0, 0, a, b, c, d, e, f, g, h])
    }

    /// Runs `contender(0)` … `contender(count - 1)` on threads that begin at the same moment.
    pub(super) fn race<T: Send, F: Future<Output = T> + Send>(
        &self,
        count: usize,
        contender: impl Fn(usize) -> F + Sync,
    ) -> Vec<T> {
        let barrier = Barrier::new(count);
        let (barrier, contender, run) = (&barrier, &contender, self.run);
        std::thread::scope(|scope| {
            let contend = move |number: usize| {
                let mut result = None;
                barrier.wait();
                run(Box::pin(async { result = Some(contender(number).await) }));
                result.unwrap()
            };
            let threads: Vec<_> = (0..count)
                .map(|number| scope.spawn(move || contend(number)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        })
    }
}

impl<S> Deref for Subject<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.store
    }
}

/// Drives a future on the calling thread until it is done.
///
/// ```
/// assert_eq!(augmented_core::store::conformance::block_on(async { 7 }), 7);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Awaits a future that must become ready; fails with `what` if it does not.
pub(super) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut alarm: Option<mpsc::Sender<()>> = None;
    let late = Arc::new(AtomicBool::new(false));
    std::future::poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(output);
        }
        assert!(
            !late.load(Ordering::SeqCst),
            "{what}: still waiting after {PATIENCE:?}"
        );
        // The thread that rings the alarm ends as soon as its sender is dropped, at the latest with this future.
        let (sender, cancelled) = mpsc::channel::<()>();
        let (waker, late) = (context.waker().clone(), Arc::clone(&late));
        std::thread::spawn(move || {
            if cancelled.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                late.store(true, Ordering::SeqCst);
                waker.wake();
            }
        });
        alarm = Some(sender);
        Poll::Pending
    })
    .await
}

/// Polls a future once and drops it.
pub(super) async fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}
