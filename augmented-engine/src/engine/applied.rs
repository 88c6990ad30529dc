//! Waiting until a request has been applied.

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
    pub(super) async fn await_signal(
        &self,
        instance: InstanceId,
        mut receipt: SignalReceipt,
        next: Seq,
        longest: Duration,
    ) -> Result<SignalReceipt, EngineError> {
        let is_it = |fact: &Fact| applies(fact, &receipt.signal_id);
        let applied = self.await_fact(instance, next, longest, is_it).await?;
        receipt.processed = Some(applied.is_some());
        receipt.buffered = applied.and_then(|fact| {
            fact.trail.iter().find_map(|entry| match entry {
                TrailEntry::SignalReceived { buffered, .. } => Some(*buffered),
                _ => None,
            })
        });
        Ok(receipt)
    }

    /// Waits for a fact from `next` on; none if the instance ends without it, or `longest` is over.
    ///
    /// The facts are asked, not the memory of this process: another node may own the instance.
    pub(super) async fn await_fact(
        &self,
        instance: InstanceId,
        mut next: Seq,
        longest: Duration,
        is_it: impl Fn(&Fact) -> bool,
    ) -> Result<Option<Fact>, EngineError> {
        let time = self.shared().time();
        let micros = |length: Duration| i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
        let until = time.now().plus_micros(micros(longest));
        let mut pause = FIRST_PAUSE;
        loop {
            // Asked for before the facts: an instance that ended then has no more to come.
            let is_over = self.instance(instance).await?.status().is_terminal();
            let found = self.find_fact(instance, &mut next, &is_it).await?;
            let now = time.now();
            if found.is_some() || is_over || now >= until {
                return Ok(found);
            }
            time.sleep_until(now.plus_micros(micros(pause)).min(until), None)
                .await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            self.check_running()?;
        }
    }

    /// Looks for a fact from `next` on, which is moved behind the facts looked through.
    pub(super) async fn find_fact(
        &self,
        instance: InstanceId,
        next: &mut Seq,
        is_it: &impl Fn(&Fact) -> bool,
    ) -> Result<Option<Fact>, EngineError> {
        loop {
            let store = &self.shared().store;
            let facts = store
                .facts(self.tenant, instance, *next, FACTS_PER_LOOK)
                .await?;
            let last = facts.last().map(|fact| fact.seq);
            if let Some(fact) = facts.into_iter().find(is_it) {
                return Ok(Some(fact));
            }
            let Some(last) = last else {
                return Ok(None);
            };
            *next = last + 1;
        }
    }
}

fn applies(fact: &Fact, signal_id: &str) -> bool {
    matches!(&fact.message, Message::Signal(signal) if *signal.signal_id == *signal_id)
}
