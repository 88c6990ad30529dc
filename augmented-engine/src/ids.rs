//! Sources of row ids.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use augmented_core::Timestamp;
use augmented_core::ids::{IdGen, uuid_v7_micros};
use uuid::Uuid;

/// Row ids whose random part follows from a seed, or from randomness of the operating system.
///
/// ```
/// use augmented_core::{Timestamp, ids::IdGen};
/// use augmented_engine::Ids;
/// let (a, b, now) = (Ids::seeded(7), Ids::seeded(7), Timestamp::from_millis(0));
/// assert_eq!(a.new_id(now), b.new_id(now));
/// assert_ne!(a.new_id(now), a.new_id(now));
/// ```
#[derive(Debug)]
pub struct Ids {
    key: u64,
    count: AtomicU64,
}

impl Ids {
    /// The ids that follow from `seed`: equal seeds give equal ids in equal order.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            key: mix(seed),
            count: AtomicU64::new(0),
        }
    }

    /// Ids that differ in every process.
    #[must_use]
    pub fn random() -> Self {
        Self {
            key: RandomState::new().build_hasher().finish(),
            count: AtomicU64::new(0),
        }
    }
}

impl IdGen for Ids {
    fn new_id(&self, now: Timestamp) -> Uuid {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        // For a fixed key the random bytes are a bijection of the count, of which the id keeps 62 bits.
        let random = mix(self.key.wrapping_add(count.wrapping_mul(GOLDEN)));
        uuid_v7_micros(now, &random.to_be_bytes())
    }
}

/// The odd number nearest to 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A bijection that spreads every bit over all others (the finisher of SplitMix64).
pub(crate) const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_distinct_version_7_and_follow_the_seed() {
        let now = Timestamp::from_millis(1_767_225_600_000);
        let (a, b, other) = (Ids::seeded(1), Ids::seeded(1), Ids::seeded(2));
        let made: Vec<Uuid> = (0..10_000).map(|_| a.new_id(now)).collect();
        assert_eq!(made.iter().collect::<HashSet<_>>().len(), made.len());
        assert!(made.iter().all(|id| id.get_version_num() == 7));
        assert!(made.iter().all(|id| *id == b.new_id(now)));
        assert_ne!(made[0], other.new_id(now));
        assert_ne!(Ids::random().new_id(now), Ids::random().new_id(now));
    }
}
