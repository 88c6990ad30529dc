//! The memory store keeps every promise of the store traits.

use augmented_store_memory::MemoryStore;

augmented_core::store_conformance!(|| async { MemoryStore::new() });
