//! A table whose changes can be taken back layer by layer. Owns nothing of TRON.
//!
//! Layers form a stack: the oldest belongs to the first block above the solidified one, the newest to what is being
//! executed now. Each layer remembers, for every key that it touched first, the value from before.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;

/// An ordered table with an undo stack.
#[derive(Debug, Default)]
pub(crate) struct Journal<K, V> {
    rows: BTreeMap<K, V>,
    layers: VecDeque<BTreeMap<K, Option<V>>>,
}

impl<K: Ord + Clone, V: Clone> Journal<K, V> {
    /// An empty table without layers.
    pub(crate) fn new() -> Self {
        Self {
            rows: BTreeMap::new(),
            layers: VecDeque::new(),
        }
    }

    /// The newest value.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    /// The value beneath every layer: what the solidified block left.
    pub(crate) fn get_solid(&self, key: &K) -> Option<&V> {
        self.layers
            .iter()
            .find_map(|layer| layer.get(key))
            .map_or_else(|| self.rows.get(key), Option::as_ref)
    }

    /// Writes a value, or removes the row when `None`.
    pub(crate) fn set(&mut self, key: K, value: Option<V>) {
        let before = match value {
            Some(value) => self.rows.insert(key.clone(), value),
            None => self.rows.remove(&key),
        };
        if let Some(layer) = self.layers.back_mut() {
            layer.entry(key).or_insert(before);
        }
    }

    /// Rows of a key range, newest values.
    pub(crate) fn range(&self, keys: RangeInclusive<K>) -> Vec<(K, V)> {
        self.rows
            .range(keys)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// Rows of a key range as the solidified block left them.
    pub(crate) fn range_solid(&self, keys: RangeInclusive<K>) -> Vec<(K, V)> {
        let mut touched: BTreeSet<K> = self.rows.range(keys.clone()).map(|(key, _)| key.clone()).collect();
        for layer in &self.layers {
            touched.extend(layer.range(keys.clone()).map(|(key, _)| key.clone()));
        }
        touched
            .into_iter()
            .filter_map(|key| self.get_solid(&key).cloned().map(|value| (key, value)))
            .collect()
    }

    /// Opens a layer.
    pub(crate) fn open(&mut self) {
        self.layers.push_back(BTreeMap::new());
    }

    /// Takes back the newest layer.
    pub(crate) fn undo(&mut self) {
        for (key, before) in self.layers.pop_back().unwrap_or_default() {
            match before {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
    }

    /// Adds the newest layer to the one beneath it.
    pub(crate) fn merge(&mut self) {
        let Some(top) = self.layers.pop_back() else { return };
        if let Some(below) = self.layers.back_mut() {
            for (key, before) in top {
                below.entry(key).or_insert(before);
            }
        }
    }

    /// Forgets the oldest layer: its block is solidified.
    pub(crate) fn solidify(&mut self) {
        self.layers.pop_front();
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a model that copies the whole table for every layer.
        #[test]
        fn agrees_with_a_stack_of_copies(steps in prop::collection::vec((0..8_u8, 0..6_u8, any::<u8>()), 0..80)) {
            let mut table = Journal::new();
            let (mut rows, mut copies) = (BTreeMap::new(), VecDeque::new());
            for (step, key, value) in steps {
                match step {
                    0 => { table.open(); copies.push_back(rows.clone()); }
                    1 => { table.undo(); if let Some(copy) = copies.pop_back() { rows = copy; } }
                    2 => { table.merge(); copies.pop_back(); }
                    3 => { table.solidify(); copies.pop_front(); }
                    4 => { table.set(key, None); rows.remove(&key); }
                    _ => { table.set(key, Some(value)); rows.insert(key, value); }
                }
                let solid = copies.front().unwrap_or(&rows);
                prop_assert_eq!(table.range(0..=9), rows.clone().into_iter().collect::<Vec<_>>());
                prop_assert_eq!(table.range_solid(0..=9), solid.clone().into_iter().collect::<Vec<_>>());
                for key in 0..6 {
                    prop_assert_eq!(table.get(&key), rows.get(&key));
                    prop_assert_eq!(table.get_solid(&key), solid.get(&key));
                }
            }
        }
    }

    #[test]
    fn undo_restores_inserts_updates_and_removals() {
        let mut table = Journal::new();
        table.set(1, Some("a"));
        table.open();
        table.set(1, Some("b"));
        table.set(1, Some("c"));
        table.set(2, Some("new"));
        table.open();
        table.set(1, None);
        assert_eq!(table.get(&1), None);
        assert_eq!(table.get_solid(&1), Some(&"a"));
        assert_eq!(table.get_solid(&2), None);
        table.undo();
        assert_eq!(table.get(&1), Some(&"c"));
        table.undo();
        assert_eq!((table.get(&1), table.get(&2), table.len()), (Some(&"a"), None, 1));
    }

    #[test]
    fn a_merged_layer_keeps_the_oldest_value() {
        let mut table = Journal::new();
        table.set(1, Some(1));
        table.open();
        table.set(1, Some(2));
        table.open();
        table.set(1, Some(3));
        table.set(9, Some(9));
        table.merge();
        table.undo();
        assert_eq!((table.get(&1), table.get(&9)), (Some(&1), None));
    }

    #[test]
    fn the_solid_view_moves_with_solidify_and_covers_ranges() {
        let mut table = Journal::new();
        table.open();
        table.set(1, Some(1));
        table.open();
        table.set(1, None);
        table.set(2, Some(2));
        assert_eq!(table.range_solid(0..=9), vec![]);
        table.solidify();
        assert_eq!(table.range_solid(0..=9), vec![(1, 1)]);
        assert_eq!(table.range(0..=9), vec![(2, 2)]);
    }
}
