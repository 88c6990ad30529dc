//! What is recorded of an instance: its header, its snapshot and its facts.

use std::sync::Arc;

use augmented_core::Seq;
use augmented_core::runtime::{Fact, InstanceHeader, InstanceState};
use augmented_core::store::StoreError;
use serde::Deserialize;

use crate::dense;

/// Bytes that the room to pack in keeps from one instance to the next.
const SCRATCH_KEPT: usize = 64 * 1024;

/// The record of one instance.
///
/// Values that are read and written all the time are kept as they are. Those of an ended instance are hardly ever looked
/// at, and in a store of millions they are nearly all there is: they are packed into one block of bytes, a fifth of the
/// memory. That is also faster than to leave them: what is taken apart at once is memory that the next instance reuses
/// while it still is in the cache.
pub(crate) enum Record {
    /// An instance that goes on.
    Open(OpenRecord),
    /// An instance that ended: its state, header included, and then its facts, as MessagePack.
    Packed(Box<[u8]>),
}

/// A record as it is worked with.
pub(crate) struct OpenRecord {
    pub(crate) header: Arc<InstanceHeader>,
    pub(crate) state: Option<Arc<InstanceState>>,
    /// All facts; the index of a fact is its `seq`.
    pub(crate) facts: Vec<Fact>,
}

impl Record {
    pub(crate) fn new(header: Arc<InstanceHeader>) -> Self {
        Self::Open(OpenRecord {
            header,
            state: None,
            facts: Vec::new(),
        })
    }

    /// The record to work with; a packed one is unpacked for good.
    pub(crate) fn open(&mut self) -> Result<&mut OpenRecord, StoreError> {
        if let Self::Packed(bytes) = self {
            *self = Self::Open(OpenRecord::unpack(bytes)?);
        }
        match self {
            Self::Open(open) => Ok(open),
            Self::Packed(_) => Err(damaged("it is still packed")),
        }
    }

    /// Packs an ended instance by way of `scratch`, and gives back what it was made of, to be dropped where that delays
    /// nobody. What has no snapshot, or cannot be written as bytes, stays as it is.
    pub(crate) fn pack(&mut self, scratch: &mut Vec<u8>) -> Option<OpenRecord> {
        let Self::Open(open) = self else { return None };
        scratch.clear();
        // One large instance must not keep its room for ever, once in each shard.
        scratch.shrink_to(SCRATCH_KEPT);
        open.pack(scratch)?;
        let packed = Self::Packed(scratch.as_slice().into());
        match std::mem::replace(self, packed) {
            Self::Open(open) => Some(open),
            Self::Packed(_) => None,
        }
    }

    pub(crate) fn header(&self) -> Result<Arc<InstanceHeader>, StoreError> {
        match self {
            Self::Open(open) => Ok(Arc::clone(&open.header)),
            Self::Packed(bytes) => Ok(OpenRecord::unpack_state(&mut bytes.as_ref())?.header),
        }
    }

    /// The header, the last snapshot and the facts behind it.
    pub(crate) fn load(&self) -> Result<OpenRecord, StoreError> {
        let behind = |state: &Option<Arc<InstanceState>>| {
            let seq = state.as_ref().and_then(|state| state.seq);
            seq.map_or(0, |seq| seq + 1)
        };
        match self {
            Self::Open(open) => Ok(OpenRecord {
                header: Arc::clone(&open.header),
                state: open.state.clone(),
                facts: open.facts_from(behind(&open.state)).to_vec(),
            }),
            Self::Packed(bytes) => {
                let mut open = OpenRecord::unpack(bytes)?;
                let first = behind(&open.state);
                open.facts.retain(|fact| fact.seq >= first);
                Ok(open)
            }
        }
    }

    /// Up to `limit` facts, from `seq` on.
    pub(crate) fn facts(&self, seq: Seq, limit: usize) -> Result<Vec<Fact>, StoreError> {
        let some = |open: &OpenRecord| open.facts_from(seq).iter().take(limit).cloned().collect();
        match self {
            Self::Open(open) => Ok(some(open)),
            Self::Packed(bytes) => OpenRecord::unpack(bytes).map(|open| some(&open)),
        }
    }
}

impl OpenRecord {
    fn facts_from(&self, seq: Seq) -> &[Fact] {
        usize::try_from(seq)
            .ok()
            .and_then(|from| self.facts.get(from..))
            .unwrap_or_default()
    }

    fn pack(&self, bytes: &mut Vec<u8>) -> Option<()> {
        dense::write(self.state.as_deref()?, bytes).ok()?;
        dense::write(&self.facts, bytes).ok()?;
        Some(())
    }

    fn unpack(mut bytes: &[u8]) -> Result<Self, StoreError> {
        let state = Self::unpack_state(&mut bytes)?;
        let facts = read(&mut bytes)?;
        Ok(Self {
            header: Arc::clone(&state.header),
            state: Some(Arc::new(state)),
            facts,
        })
    }

    fn unpack_state(bytes: &mut &[u8]) -> Result<InstanceState, StoreError> {
        read(bytes)
    }
}

/// Reads one value and leaves `bytes` behind it.
fn read<T: for<'de> Deserialize<'de>>(bytes: &mut &[u8]) -> Result<T, StoreError> {
    let mut reader = rmp_serde::Deserializer::new(bytes);
    T::deserialize(&mut reader).map_err(damaged)
}

fn damaged(reason: impl std::fmt::Display) -> StoreError {
    StoreError::corrupt(format!("an ended instance cannot be read: {reason}"))
}
