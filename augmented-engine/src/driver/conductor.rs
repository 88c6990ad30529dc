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
use crate::clock::{Membership, VirtualClock, micros};

/// How long a store in trouble is left alone.
const TROUBLE_MICROS: i64 = 50_000;

/// Conducts until it is dropped.
pub(crate) async fn conduct(shared: Arc<Shared>, clock: Arc<VirtualClock>) {
    let conductor = Conductor {
        renewed_at: clock.now_virtual(),
        must_renew: false,
        rung: false,
        pace: clock.join(),
        shared,
        clock,
    };
    conductor.run().await;
}

struct Conductor {
    shared: Arc<Shared>,
    clock: Arc<VirtualClock>,
    pace: Membership,
    renewed_at: Timestamp,
    must_renew: bool,
    /// The store rang, and there was nothing to do so far.
    rung: bool,
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

impl Conductor {
    async fn run(mut self) {
        loop {
            self.pace.writes_as(self.shared.node.current());
            self.clock.quiet().await;
            if self.is_renewal_due() && !self.renew().await {
                leave_alone(TROUBLE_MICROS).await;
                continue;
            }
            match self.step().await {
                // A store in memory never waits, so others would not get their turn.
                Ok(Step::Went) => tokio::task::yield_now().await,
                Ok(Step::Nothing) => self.rest().await,
                Err(error) => {
                    tracing::warn!(%error, "the store cannot be read; trying again");
                    leave_alone(TROUBLE_MICROS).await;
                }
            }
        }
    }

    fn is_renewal_due(&self) -> bool {
        let age = self.clock.now_virtual().micros_since(self.renewed_at);
        let is_old = age >= micros(self.shared.config.node_lease) / 3;
        is_old || self.must_renew || self.shared.node.is_in_doubt()
    }

    /// Renews the lease; until it can, nothing else is of use, since the node may be fenced.
    async fn renew(&mut self) -> bool {
        match renew(&self.shared).await {
            Ok(()) => self.renewed_at = self.clock.now_virtual(),
            Err(error) => {
                tracing::warn!(%error, "the lease of this node cannot be renewed; trying again");
                self.must_renew = true;
                return false;
            }
        }
        self.must_renew = false;
        !self.shared.node.is_in_doubt()
    }

    async fn step(&mut self) -> Result<Step, StoreError> {
        if self.shared.is_stopped() {
            // Handlers that finish still need time to pass; everything else is left to the next engine.
            let Some(at) = self.clock.next_wait() else {
                return Ok(Step::Nothing);
            };
            if self.turn(at).await {
                self.clock.end_next_wait();
            }
            return Ok(Step::Went);
        }
        let shared = Arc::clone(&self.shared);
        let limit = shared.config.mailbox_batch.max(1);
        let work = shared.store.pending(shared.node.current(), limit).await?;
        if self.clock.is_held() {
            return Ok(Step::Went);
        }
        if !work.is_empty() {
            self.rung = false;
            for item in work {
                send_mail(&shared, item);
            }
            return Ok(Step::Went);
        }
        if std::mem::take(&mut self.rung) {
            // A store rings for a node it does not know any more, too.
            self.must_renew = true;
            return Ok(Step::Went);
        }
        let Some((at, due)) = self.next_due().await? else {
            return Ok(Step::Nothing);
        };
        if !self.turn(at).await {
            return Ok(Step::Went);
        }
        match due {
            Due::Wait => {
                self.clock.end_next_wait();
            }
            Due::Timers if self.clock.advance_to(at) => {
                let limit = shared.config.timer_batch.max(1);
                let now = self.clock.now_virtual();
                shared.store.fire_due_timers(now, limit).await?;
            }
            Due::Silence(node) if self.clock.advance_to(at) => take_over(&shared, &node).await?,
            Due::Timers | Due::Silence(_) => {}
        }
        Ok(Step::Went)
    }

    /// What is due first; at equal instants waits in memory go before timers.
    async fn next_due(&self) -> Result<Option<(Timestamp, Due)>, StoreError> {
        let mut next = self.clock.next_wait().map(|at| (at, Due::Wait));
        let mut offer = |at: Timestamp, due: Due| {
            if next.as_ref().is_none_or(|(earliest, _)| at < *earliest) {
                next = Some((at, due));
            }
        };
        if let Some(at) = self.shared.store.next_timer().await? {
            offer(at, Due::Timers);
        }
        for node in self.shared.store.nodes().await? {
            if !node.fenced && self.pace.is_alive(node.node) {
                // It would say something before its silence is long enough to mean anything.
                continue;
            }
            if let Some(at) = silent_at(&self.shared, &node) {
                offer(at, Due::Silence(node));
            }
        }
        Ok(next)
    }

    /// Nothing can happen any more; waits until something is begun from outside.
    async fn rest(&mut self) {
        if !self.clock.mark_idle() {
            return;
        }
        tokio::select! {
            _ = self.shared.store.wait_for_work(self.shared.node.current()) => self.rung = true,
            () = self.clock.stirred() => {}
            () = self.pace.rest() => {}
        }
    }

    /// Waits until no engine of the same time has anything to do before `at`; `false` if there is news here before.
    async fn turn(&mut self, at: Timestamp) -> bool {
        tokio::select! {
            biased;
            is_given = self.pace.turn(at) => is_given,
            () = self.clock.stirred() => false,
            _ = self.shared.store.wait_for_work(self.shared.node.current()) => {
                self.rung = true;
                false
            }
        }
    }
}
