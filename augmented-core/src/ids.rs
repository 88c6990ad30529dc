//! Row identities: newtypes over UUIDv7, and the injected source of new ones.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Timestamp;

macro_rules! uuid_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_newtype!(
    /// A workflow instance.
    InstanceId
);
uuid_newtype!(
    /// A task instance; of a workflow task derived from its activation, hence equal after a crash.
    TaskInstanceId
);
uuid_newtype!(
    /// A tenant; hosts that ignore tenancy use [`TenantId::DEFAULT`] everywhere.
    TenantId
);
uuid_newtype!(
    /// An engine node; a fenced node registers under a new one.
    NodeId
);

impl TenantId {
    /// The tenant of hosts that ignore tenancy.
    pub const DEFAULT: Self = Self(Uuid::from_u128(1));
    /// The tenant of shipped, built-in rows.
    pub const SYSTEM: Self = Self(Uuid::nil());
}

impl Default for TenantId {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The number of a fact within its instance; the start fact is 0.
pub type Seq = u64;

/// The injected source of new row ids, so that tests own identity.
pub trait IdGen: Send + Sync {
    /// Makes a UUIDv7 whose time part is `now`; successive calls never repeat a value.
    fn new_id(&self, now: Timestamp) -> Uuid;
}

/// Builds a UUIDv7 from an instant and 74 bits taken from `random` (10 bytes; version and variant bits are overwritten).
#[must_use]
pub fn uuid_v7(at: Timestamp, random: &[u8; 10]) -> Uuid {
    let millis = u64::try_from(at.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, random).into_uuid()
}

/// Builds a UUIDv7 whose order is that of its instants to the microsecond, from an instant and 62 bits taken from `random`
/// (8 bytes; the two bits of the variant are overwritten).
///
/// The 12 bits behind the milliseconds hold the fraction of the millisecond (RFC 9562, section 6.2, method 3).
///
/// ```
/// use augmented_core::{Timestamp, ids::uuid_v7_micros};
/// let at = |micros: i64| uuid_v7_micros(Timestamp::from_micros(1_767_225_600_000_000 + micros), &[0xff; 8]);
/// assert!(at(1) < at(2) && at(999) < at(1000));
/// assert_eq!(at(5).get_version_num(), 7);
/// ```
#[must_use]
pub fn uuid_v7_micros(at: Timestamp, random: &[u8; 8]) -> Uuid {
    let micros = u64::try_from(at.as_micros()).unwrap_or(0);
    let fraction = ((micros % 1000) << 12).div_ceil(1000);
    let [high, low] = [(fraction >> 8) as u8, fraction as u8];
    let mut bits = [high, low, 0, 0, 0, 0, 0, 0, 0, 0];
    for (to, from) in bits.iter_mut().skip(2).zip(random) {
        *to = *from;
    }
    uuid::Builder::from_unix_timestamp_millis(micros / 1000, &bits).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_v7_id_carries_its_instant() {
        let id = uuid_v7(Timestamp::from_millis(1_767_225_600_000), &[7; 10]);
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(
            u64::from_be_bytes([
                0,
                0,
                id.as_bytes()[0],
                id.as_bytes()[1],
                id.as_bytes()[2],
                id.as_bytes()[3],
                id.as_bytes()[4],
                id.as_bytes()[5]
            ]),
            1_767_225_600_000
        );
    }
}
