//! The parts the benchmark commands share: a closed-loop load generator, the figures it yields, the contestants, and
//! the tables and JSON they are reported as.
//!
//! The commands are described in `README.md`, the recorded results in `RESULTS.md`.

pub mod augmented;
pub mod contest;
pub mod contestant;
pub mod documents;
pub mod figures;
pub mod load;
pub mod measure;
#[cfg(feature = "peers")]
pub mod peer_durare;
pub mod play;
pub mod process;
pub mod table;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
