//! The loops around the workers on real time: mailboxes, timers, the node's lease, take-over of silent nodes.

use std::sync::Arc;

use augmented_core::store::{NodeInfo, PendingWork, StoreError, Wakeup};
use augmented_core::{InstanceId, NodeId, Timestamp};
use rustc_hash::FxHashMap;
use tokio::time::{Duration, Instant, sleep, timeout};

use super::{Shared, WorkerInput};
use crate::clock::{micros, until};

/// Looks are this far apart at least, however often the store rings.
const BREATH: Duration = Duration::from_millis(1);

/// How long a lease that could not be renewed is left alone at most.
const RETRY_LEASE: Duration = Duration::from_secs(1);

/// How many instances one take-over moves.
const TAKE_OVER_BATCH: usize = 256;

/// Brings mailbox rows and due timers to the workers until it is dropped.
pub(crate) async fn keep_house(shared: Arc<Shared>) {
    let mut troubles = 0_u32;
    let mut known = FxHashMap::default();
    loop {
        let began = Instant::now();
        let wait = match look_after(&shared, &mut known).await {
            Ok(Some(next)) => {
                troubles = 0;
                next
            }
            Ok(None) => {
                tokio::task::yield_now().await;
                continue;
            }
            Err(error) => {
                troubles += 1;
                if troubles == 1 {
                    tracing::warn!(%error, "mailboxes and timers cannot be read; trying again until they can");
                }
                Duration::from_millis(50 << troubles.min(6))
            }
        };
        let wakeup = async {
            tokio::select! {
                wakeup = shared.store.wait_for_work(shared.node.current()) => wakeup,
                () = shared.nudge.notified() => Wakeup::Work,
            }
        };
        if timeout(wait, wakeup).await == Ok(Wakeup::Closed) {
            sleep(shared.config.mailbox_poll).await;
        }
        sleep(BREATH.saturating_sub(began.elapsed())).await;
    }
}

/// Fires due timers and hands out mailbox rows. Answers how long nothing is due, or `None` if there is more at once.
async fn look_after(
    shared: &Shared,
    known: &mut FxHashMap<InstanceId, u64>,
) -> Result<Option<Duration>, StoreError> {
    let batch = shared.config.timer_batch.max(1);
    let fired = shared
        .store
        .fire_due_timers(shared.time().now(), batch)
        .await?;
    let (fresh, full) = hand_out_mail(shared, known).await?;
    if fired >= batch || (fresh && full) {
        return Ok(None);
    }
    let due = shared
        .store
        .next_timer()
        .await?
        .map(|at| until(shared.time().now(), at));
    let longest = shared.config.mailbox_poll.min(shared.config.timer_poll);
    Ok(Some(due.map_or(longest, |due| due.min(longest))))
}

/// Hands mailbox rows to the workers; answers whether any is new, and whether there may be more.
async fn hand_out_mail(
    shared: &Shared,
    known: &mut FxHashMap<InstanceId, u64>,
) -> Result<(bool, bool), StoreError> {
    let limit = shared.config.mailbox_batch.max(1);
    let work = shared.store.pending(shared.node.current(), limit).await?;
    let full = work.len() >= limit;
    let mut fresh = false;
    let mut seen = FxHashMap::default();
    for item in work {
        let last = item.messages.last().map_or(0, |message| message.id);
        fresh |= known.get(&item.instance) != Some(&last);
        seen.insert(item.instance, last);
        send_mail(shared, item);
    }
    *known = seen;
    Ok((fresh, full))
}

/// Hands the mailbox rows of one instance to its worker.
pub(super) fn send_mail(shared: &Shared, work: PendingWork) {
    shared.send(work.instance, WorkerInput::Mail(work));
}

/// Renews the node's lease and takes the instances of silent nodes until it is dropped.
///
/// While the engine shuts down it only renews: handlers that still run may need longer than a lease.
pub(crate) async fn keep_lease(shared: Arc<Shared>) {
    let third = shared.config.node_lease / 3;
    let mut is_away = false;
    loop {
        let pause = match renew_and_take_over(&shared).await {
            Ok(next) => {
                if std::mem::take(&mut is_away) {
                    tracing::info!("the lease of this node is renewed again");
                }
                next.map_or(third, |next| next.min(third))
            }
            Err(error) => {
                if !std::mem::replace(&mut is_away, true) {
                    tracing::warn!(%error, "the lease of this node cannot be renewed; trying again until it can");
                }
                third.min(RETRY_LEASE)
            }
        };
        sleep(pause.max(BREATH)).await;
    }
}

/// Renews the lease and takes what silent nodes own; answers how long the next of them has to be heard of.
async fn renew_and_take_over(shared: &Shared) -> Result<Option<Duration>, StoreError> {
    renew(shared).await?;
    if shared.is_stopped() {
        return Ok(None);
    }
    let mut next: Option<Duration> = None;
    for node in shared.store.nodes().await? {
        let Some(at) = silent_at(shared, &node) else {
            continue;
        };
        let now = shared.time().now();
        if at <= now {
            take_over(shared, &node).await?;
        } else {
            let left = until(now, at);
            next = Some(next.map_or(left, |next| next.min(left)));
        }
    }
    Ok(next)
}

/// Renews the node's lease; a node that was fenced registers anew.
pub(super) async fn renew(shared: &Shared) -> Result<(), StoreError> {
    let node = shared.node.current();
    if shared.node.is_in_doubt() {
        shared.store.fence_node(node, Timestamp::MAX).await?;
    }
    if !shared.store.heartbeat(node, shared.time().now()).await? {
        shared.renew_node(node).await?;
    }
    Ok(())
}

/// When the instances of another node may be taken; `None` for this one.
pub(super) fn silent_at(shared: &Shared, node: &NodeInfo) -> Option<Timestamp> {
    if node.node == shared.node.current() {
        return None;
    }
    if node.fenced {
        return Some(Timestamp::MIN);
    }
    Some(
        node.heartbeat_at
            .plus_micros(micros(shared.config.node_lease)),
    )
}

/// Fences a silent node and takes its instances.
pub(super) async fn take_over(shared: &Shared, silent: &NodeInfo) -> Result<(), StoreError> {
    let lease = micros(shared.config.node_lease);
    let silent_since = shared.time().now().plus_micros(-lease);
    if !silent.fenced && !shared.store.fence_node(silent.node, silent_since).await? {
        return Ok(());
    }
    let to: NodeId = shared.node.current();
    loop {
        let taken = match shared
            .store
            .take_over(silent.node, to, TAKE_OVER_BATCH)
            .await
        {
            Ok(taken) => taken,
            Err(error) => {
                // What was moved nevertheless would be driven by nobody.
                shared.node.doubt(to);
                return Err(error);
            }
        };
        if taken.is_empty() {
            return Ok(());
        }
        tracing::info!(from = %silent.node, %to, instances = taken.len(), "took over the instances of a silent node");
        for loaded in taken {
            shared.send(loaded.header.instance_id, WorkerInput::TakenOver(loaded));
        }
    }
}
