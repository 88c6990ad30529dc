#![deny(missing_docs)]
//! The in-memory store of Augmented: complete, sharded, for tests, tools and hosts without a database.
//!
//! It keeps every promise of the store traits, the conformance kit included, except the one its name
//! denies: nothing survives the process.
//!
//! ```
//! use std::sync::Arc;
//! use augmented_core::store::Store;
//! use augmented_store_memory::MemoryStore;
//!
//! let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
//! # let _ = store;
//! ```
//!
//! # How it is built
//!
//! Instances are spread over shards by the random bits of their ids. Everything that belongs to an
//! instance – facts, snapshot, mailbox, timers, and its entries in the indexes – lives in its shard, behind
//! one lock, so a commit of a running instance takes that lock and no other. Definitions, idempotency keys
//! and nodes are small structures of their own.
//!
//! An instance that goes on is kept as it is worked with. One that ended is packed into a block of bytes, about one KiB
//! for three steps, and unpacked again for whoever asks for it or brings a late result.
//!
//! Locks are taken in this order, and several shards only in ascending order: the gate of a node, shards,
//! idempotency keys. Nothing is awaited under a lock.

mod bell;
mod commit;
mod definitions;
mod dense;
mod execution;
mod keys;
mod node;
mod query;
mod record;
mod row;
mod shard;
mod timeline;

use std::sync::atomic::AtomicU64;

use parking_lot::RwLock;

use crate::bell::Bell;
use crate::definitions::Shelf;
use crate::keys::IdempotencyKeys;
use crate::node::Nodes;
use crate::shard::Shards;

/// A store that keeps everything in memory.
///
/// Share it as `Arc<MemoryStore>`; engines that share one store behave like nodes on one database.
#[derive(Default)]
pub struct MemoryStore {
    shards: Shards,
    nodes: Nodes,
    keys: IdempotencyKeys,
    definitions: RwLock<Shelf>,
    /// Stamps mailbox rows, so that the work of all shards has one order.
    arrivals: AtomicU64,
    bell: Bell,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Closes the store: everybody who waits for work is woken and told, now and later.
    pub fn close(&self) {
        self.bell.close();
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}
