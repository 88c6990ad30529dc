//! Maps from small, growing numbers.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A map from numbers that are given out in ascending order, iterated in that order.
///
/// It is for few entries: most instances have one control point and one frame, and a tree sets aside room for eleven
/// at once. Looking up takes a binary search, appending is constant, removing moves what follows. On the wire it is a
/// map.
///
/// ```
/// use augmented_core::runtime::ById;
/// let mut names = ById::default();
/// names.insert(7, "seven");
/// names.insert(3, "three");
/// assert_eq!(names.remove(&7), Some("seven"));
/// assert_eq!(names.iter().next(), Some((&3, &"three")));
/// ```
#[derive(Clone, PartialEq)]
pub struct ById<T> {
    entries: Vec<(u32, T)>,
}

impl<T> Default for ById<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> ById<T> {
    /// An empty map; allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    fn find(&self, id: u32) -> Result<usize, usize> {
        // The newest is asked for most.
        match self.entries.last() {
            Some((last, _)) if *last == id => Ok(self.entries.len() - 1),
            Some((last, _)) if *last < id => Err(self.entries.len()),
            _ => self.entries.binary_search_by_key(&id, |(id, _)| *id),
        }
    }

    /// The value of an id.
    #[must_use]
    pub fn get(&self, id: &u32) -> Option<&T> {
        let at = self.find(*id).ok()?;
        self.entries.get(at).map(|(_, value)| value)
    }

    /// The value of an id, to be changed.
    pub fn get_mut(&mut self, id: &u32) -> Option<&mut T> {
        let at = self.find(*id).ok()?;
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    /// Whether an id has a value.
    #[must_use]
    pub fn contains_key(&self, id: &u32) -> bool {
        self.find(*id).is_ok()
    }

    /// Sets the value of an id; returns the one it had.
    pub fn insert(&mut self, id: u32, value: T) -> Option<T> {
        match self.find(id) {
            Ok(at) => {
                let (_, old) = self.entries.get_mut(at)?;
                Some(std::mem::replace(old, value))
            }
            Err(at) => {
                // Most maps never have a second entry.
                if self.entries.capacity() == 0 {
                    self.entries.reserve_exact(1);
                }
                self.entries.insert(at, (id, value));
                None
            }
        }
    }

    /// Removes an id; returns its value.
    pub fn remove(&mut self, id: &u32) -> Option<T> {
        let at = self.find(*id).ok()?;
        Some(self.entries.remove(at).1)
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// How many ids have a value.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no id has a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The ids and values, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&u32, &T)> {
        self.entries.iter().map(|(id, value)| (id, value))
    }

    /// The values, by id.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|(_, value)| value)
    }
}

impl<T: fmt::Debug> fmt::Debug for ById<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<T> Extend<(u32, T)> for ById<T> {
    fn extend<I: IntoIterator<Item = (u32, T)>>(&mut self, entries: I) {
        for (id, value) in entries {
            self.insert(id, value);
        }
    }
}

impl<T> FromIterator<(u32, T)> for ById<T> {
    fn from_iter<I: IntoIterator<Item = (u32, T)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<T: Serialize> Serialize for ById<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.entries.iter().map(|(id, value)| (id, value)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ById<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = ById<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<ById<T>, A::Error> {
                let mut map = ById::new();
                while let Some((id, value)) = entries.next_entry()? {
                    map.insert(id, value);
                }
                Ok(map)
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((0u32..12, any::<Option<u8>>()), 0..60)) {
            let mut map = ById::new();
            let mut model = BTreeMap::new();
            for (id, value) in steps {
                match value {
                    Some(value) => prop_assert_eq!(map.insert(id, value), model.insert(id, value)),
                    None => prop_assert_eq!(map.remove(&id), model.remove(&id)),
                }
                prop_assert_eq!(map.get(&id), model.get(&id));
                prop_assert_eq!(map.contains_key(&id), model.contains_key(&id));
                prop_assert_eq!((map.len(), map.is_empty()), (model.len(), model.is_empty()));
            }
            prop_assert!(map.iter().eq(model.iter()) && map.values().eq(model.values()));
            let text = serde_json::to_string(&map).unwrap();
            prop_assert_eq!(&text, &serde_json::to_string(&model).unwrap());
            prop_assert_eq!(serde_json::from_str::<ById<u8>>(&text).unwrap(), map);
        }
    }
}
