//! Idempotency keys of starts.

use std::sync::Arc;

use augmented_core::store::Refusal;
use augmented_core::{InstanceId, TenantId};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// What a key stands for within one tenant and workflow.
type Key = (TenantId, Arc<str>, Arc<str>);

struct Holder {
    instance: InstanceId,
    input_hash: Option<[u8; 32]>,
}

/// Who started first under a key. Starts without a key never come here.
#[derive(Default)]
pub(crate) struct IdempotencyKeys {
    holders: Mutex<FxHashMap<Key, Holder>>,
}

impl IdempotencyKeys {
    /// Takes a key for an instance, or tells who has it.
    pub(crate) fn claim(
        &self,
        key: Key,
        instance: InstanceId,
        input_hash: Option<[u8; 32]>,
    ) -> Result<(), Refusal> {
        let mut holders = self.holders.lock();
        match holders.get(&key) {
            Some(holder) => Err(Refusal::KeyTaken {
                instance: holder.instance,
                same_input: holder.input_hash == input_hash,
            }),
            None => {
                holders.insert(
                    key,
                    Holder {
                        instance,
                        input_hash,
                    },
                );
                Ok(())
            }
        }
    }

    /// Who has a key, without taking it.
    pub(crate) fn holder(&self, key: &Key, input_hash: Option<[u8; 32]>) -> Option<Refusal> {
        let holders = self.holders.lock();
        holders.get(key).map(|holder| Refusal::KeyTaken {
            instance: holder.instance,
            same_input: holder.input_hash == input_hash,
        })
    }
}
