//! The one loop around the worker on virtual time.
//!
//! It acts only when nothing is under way: first mailbox rows, then whatever is due next, be it a wait in memory, a
//! durable timer, or the silence of another node. Time moves on exactly then.

use std::sync::Arc;

use augmented_core::Timestamp;
use augmented_core::store::{NodeInfo, StoreError};

use super::Shared;
use super::housekeeper::{renew, send_mail, silent_at, take_over};
use super::recovery::leave_alone;
use crate::clock::{VirtualClock, micros};

/// How long a store in trouble is left alone.
const TROUBLE_MICROS: i64 = 50_000;

/// Conducts until it is dropped.
pub(crate) async fn conduct(shared: Arc<Shared>, clock: Arc<VirtualClock>) {
    let mut renewed_at = clock.now_virtual();
    loop {
        clock.quiet().await;
        let is_due =
            clock.now_virtual().micros_since(renewed_at) >= micros(shared.config.node_lease) / 3;
        if is_due || shared.node.is_in_doubt() {
            renewed_at = clock.now_virtual();
            if let Err(error) = renew(&shared).await {
                tracing::warn!(%error, "the lease of this node cannot be renewed");
            }
            if shared.node.is_in_doubt() {
                leave_alone(TROUBLE_MICROS).await;
                continue;
            }
        }
        match step(&shared, &clock).await {
            // A store in memory never waits, so others would not get their turn.
            Ok(Step::Went) => tokio::task::yield_now().await,
            Ok(Step::Nothing) => rest(&shared, &clock).await,
            Err(error) => {
                tracing::warn!(%error, "the store cannot be read; trying again");
                leave_alone(TROUBLE_MICROS).await;
            }
        }
    }
}

enum Step {
    Went,
    Nothing,
}

/// Something that is due.
enum Due {
    Wait,
    Timers,
    Silence(NodeInfo),
}

async fn step(shared: &Shared, clock: &VirtualClock) -> Result<Step, StoreError> {
    if shared.is_stopped() {
        // Handlers that finish still need time to pass; everything else is left to the next engine.
        return Ok(if clock.end_next_wait() {
            Step::Went
        } else {
            Step::Nothing
        });
    }
    let work = shared
        .store
        .pending(shared.node.current(), shared.config.mailbox_batch.max(1))
        .await?;
    if clock.is_held() {
        return Ok(Step::Went);
    }
    if !work.is_empty() {
        for item in work {
            send_mail(shared, item);
        }
        return Ok(Step::Went);
    }
    let Some((at, due)) = next_due(shared, clock).await? else {
        return Ok(Step::Nothing);
    };
    match due {
        Due::Wait => {
            clock.end_next_wait();
        }
        Due::Timers if clock.advance_to(at) => {
            shared
                .store
                .fire_due_timers(clock.now_virtual(), shared.config.timer_batch.max(1))
                .await?;
        }
        Due::Silence(node) if clock.advance_to(at) => take_over(shared, &node).await?,
        Due::Timers | Due::Silence(_) => {}
    }
    Ok(Step::Went)
}

/// What is due first; at equal instants waits in memory go before timers.
async fn next_due(
    shared: &Shared,
    clock: &VirtualClock,
) -> Result<Option<(Timestamp, Due)>, StoreError> {
    let mut next = clock.next_wait().map(|at| (at, Due::Wait));
    let mut offer = |at: Timestamp, due: Due| {
        if next.as_ref().is_none_or(|(earliest, _)| at < *earliest) {
            next = Some((at, due));
        }
    };
    if let Some(at) = shared.store.next_timer().await? {
        offer(at, Due::Timers);
    }
    for node in shared.store.nodes().await? {
        if let Some(at) = silent_at(shared, &node) {
            offer(at, Due::Silence(node));
        }
    }
    Ok(next)
}

/// Nothing can happen any more; waits until something is begun from outside.
async fn rest(shared: &Shared, clock: &VirtualClock) {
    if !clock.mark_idle() {
        return;
    }
    tokio::select! {
        _ = shared.store.wait_for_work(shared.node.current()) => {}
        () = clock.stirred() => {}
    }
}
