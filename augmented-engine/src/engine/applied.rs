//! Waiting until a signal has been applied.

use std::time::Duration;

use augmented_core::runtime::{Fact, Message, TrailEntry};
use augmented_core::{InstanceId, Seq};

use super::{Engine, SignalReceipt};
use crate::EngineError;

/// Facts that are looked through at once.
const FACTS_PER_LOOK: usize = 256;

/// The wait before the second look, doubled with each one.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// The longest wait between two looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

impl Engine {
    /// Completes a receipt when the instance has applied the signal, has ended without it, or `longest` is over.
    ///
    /// The facts are asked, not the memory of this process: another node may own the instance.
    pub(super) async fn await_signal(
        &self,
        instance: InstanceId,
        mut receipt: SignalReceipt,
        mut next: Seq,
        longest: Duration,
    ) -> Result<SignalReceipt, EngineError> {
        let time = self.shared().time();
        let micros = |length: Duration| i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
        let until = time.now().plus_micros(micros(longest));
        let mut pause = FIRST_PAUSE;
        receipt.processed = Some(false);
        loop {
            // Asked for before the facts: an instance that ended then has no more to come.
            let is_over = self.instance(instance).await?.status().is_terminal();
            if let Some(buffered) = self
                .find_signal(instance, &receipt.signal_id, &mut next)
                .await?
            {
                receipt.processed = Some(true);
                receipt.buffered = buffered;
                return Ok(receipt);
            }
            let now = time.now();
            if is_over || now >= until {
                return Ok(receipt);
            }
            time.sleep_until(now.plus_micros(micros(pause)).min(until), None)
                .await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            self.check_running()?;
        }
    }

    /// Whether the signal was kept, as far as the fact that applied it says so; `None` if there is no such fact from `next`
    /// on, which is moved behind the facts looked through.
    async fn find_signal(
        &self,
        instance: InstanceId,
        signal_id: &str,
        next: &mut Seq,
    ) -> Result<Option<Option<bool>>, EngineError> {
        loop {
            let store = &self.shared().store;
            let facts = store
                .facts(self.tenant, instance, *next, FACTS_PER_LOOK)
                .await?;
            if let Some(fact) = facts.iter().find(|fact| applies(fact, signal_id)) {
                let buffered = fact.trail.iter().find_map(|entry| match entry {
                    TrailEntry::SignalReceived { buffered, .. } => Some(*buffered),
                    _ => None,
                });
                return Ok(Some(buffered));
            }
            let Some(last) = facts.last() else {
                return Ok(None);
            };
            *next = last.seq + 1;
        }
    }
}

fn applies(fact: &Fact, signal_id: &str) -> bool {
    matches!(&fact.message, Message::Signal(signal) if *signal.signal_id == *signal_id)
}
