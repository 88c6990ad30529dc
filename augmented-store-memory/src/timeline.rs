//! Instances in the order of their creation.

use augmented_core::{InstanceId, Timestamp};

/// What orders a list of instances.
pub(crate) type CreationKey = (Timestamp, InstanceId);

/// Creation keys in ascending order.
///
/// New instances are almost always the newest, so this is a vector that is pushed to; a latecomer is moved
/// to its place near the end. A tree would cost several times as much, and more with every million.
#[derive(Default)]
pub(crate) struct Timeline {
    keys: Vec<CreationKey>,
}

impl Timeline {
    pub(crate) fn insert(&mut self, key: CreationKey) {
        if self.keys.last().is_none_or(|last| *last < key) {
            self.keys.push(key);
            return;
        }
        let at = self.keys.partition_point(|other| *other < key);
        if self.keys.get(at) != Some(&key) {
            self.keys.insert(at, key);
        }
    }

    /// The keys before `before`, or all, newest first.
    pub(crate) fn newest_before(
        &self,
        before: Option<CreationKey>,
    ) -> impl Iterator<Item = CreationKey> + '_ {
        let end = before.map_or(self.keys.len(), |before| {
            self.keys.partition_point(|key| *key < before)
        });
        self.keys
            .get(..end)
            .unwrap_or_default()
            .iter()
            .rev()
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn key(at: i64, id: u128) -> CreationKey {
        (Timestamp::from_millis(at), InstanceId(Uuid::from_u128(id)))
    }

    #[test]
    fn latecomers_find_their_place() {
        let mut timeline = Timeline::default();
        for key in [
            key(1, 1),
            key(3, 3),
            key(2, 2),
            key(3, 1),
            key(3, 3),
            key(0, 9),
        ] {
            timeline.insert(key);
        }
        let newest: Vec<_> = timeline.newest_before(None).collect();
        assert_eq!(
            newest,
            [key(3, 3), key(3, 1), key(2, 2), key(1, 1), key(0, 9)]
        );
        let rest: Vec<_> = timeline.newest_before(Some(key(3, 1))).collect();
        assert_eq!(rest, [key(2, 2), key(1, 1), key(0, 9)]);
    }
}
