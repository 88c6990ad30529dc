//! The order of what stands in each row, so that few arrows cross.

use super::rank::Ranks;
use super::{Arrow, Box, Size};

/// What stands in a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Item {
    /// A box.
    Box(usize),
    /// An arrow on its way through.
    Bend,
    /// An arrow with its label.
    Label,
}

/// Boxes in even rows; labels in the odd rows between them; arrows pass through every row between their ends.
pub(super) struct Rows {
    pub(super) items: Vec<Item>,
    pub(super) sizes: Vec<Size>,
    /// The items of each row, from left to right.
    pub(super) rows: Vec<Vec<usize>>,
    /// For each item, the items above and below it that an arrow connects it with, and how strongly.
    pub(super) above: Vec<Vec<(usize, f64)>>,
    pub(super) below: Vec<Vec<(usize, f64)>>,
    /// The items each arrow passes through, its ends left out; empty for arrows that run upwards.
    pub(super) chains: Vec<Vec<usize>>,
}

/// Beyond this many items the order is left as it is after few rounds.
const MANY_ITEMS: usize = 20_000;
/// How many first orders are tried.
const ATTEMPTS: usize = 10;

impl Rows {
    pub(super) fn new(boxes: &[Box], arrows: &[Arrow], ranks: &Ranks) -> Self {
        let last = ranks.of.iter().max().map_or(0, |rank| rank * 2 + 1);
        let mut rows = Self {
            items: (0..boxes.len()).map(Item::Box).collect(),
            sizes: boxes.iter().map(|one| one.size).collect(),
            rows: vec![Vec::new(); last],
            above: vec![Vec::new(); boxes.len()],
            below: vec![Vec::new(); boxes.len()],
            chains: vec![Vec::new(); arrows.len()],
        };
        for (index, arrow) in arrows
            .iter()
            .enumerate()
            .filter(|(index, _)| !ranks.back[*index])
        {
            rows.add_chain(index, arrow, ranks);
        }
        for (node, rank) in ranks.of.iter().enumerate() {
            rows.rows[rank * 2].push(node);
        }
        rows
    }

    fn add_chain(&mut self, index: usize, arrow: &Arrow, ranks: &Ranks) {
        let (first, last) = (ranks.of[arrow.from] * 2, ranks.of[arrow.to] * 2);
        let mut before = arrow.from;
        for row in first + 1..last {
            let label = arrow.label.filter(|_| row == first + 1);
            let item = self.items.len();
            self.items.push(if label.is_some() {
                Item::Label
            } else {
                Item::Bend
            });
            self.sizes.push(label.unwrap_or(Size {
                width: 8.0,
                height: 0.0,
            }));
            self.above.push(Vec::new());
            self.below.push(Vec::new());
            self.rows[row].push(item);
            self.chains[index].push(item);
            self.connect(before, item, arrow.weight);
            before = item;
        }
        self.connect(before, arrow.to, arrow.weight);
    }

    fn connect(&mut self, upper: usize, lower: usize, weight: f64) {
        // Arrows that pass through are kept straight.
        let passing = usize::from(!matches!(self.items[upper], Item::Box(_)))
            + usize::from(!matches!(self.items[lower], Item::Box(_)));
        let weight = weight * [1.0, 2.0, 6.0][passing];
        self.below[upper].push((lower, weight));
        self.above[lower].push((upper, weight));
    }

    /// Orders the rows so that few arrows cross.
    ///
    /// Sorting rows by the middle of their neighbours gets stuck where two rows would have to change at once, so it is
    /// tried from several first orders; the order of the document wins if it is as good as any.
    pub(super) fn reduce_crossings(&mut self, boxes: usize) {
        let attempts = if self.items.len() > MANY_ITEMS {
            1
        } else {
            ATTEMPTS
        };
        let mut best: Option<(usize, Vec<Vec<usize>>)> = None;
        for attempt in 0..attempts {
            self.first_order(boxes, attempt);
            let (crossings, rows) = self.improve();
            if best.as_ref().is_none_or(|(fewest, _)| crossings < *fewest) {
                best = Some((crossings, rows));
            }
            if crossings == 0 {
                break;
            }
        }
        if let Some((_, rows)) = best {
            self.rows = rows;
        }
    }

    /// Orders each row as a walk from the first box meets its items; every attempt turns off differently.
    fn first_order(&mut self, boxes: usize, attempt: usize) {
        let mut met = vec![usize::MAX; self.items.len()];
        let mut count = 0;
        for root in 0..boxes {
            let mut path = vec![root];
            while let Some(item) = path.pop() {
                if met[item] != usize::MAX {
                    continue;
                }
                met[item] = count;
                count += 1;
                let first = path.len();
                path.extend(self.below[item].iter().rev().map(|(lower, _)| *lower));
                if let Some(turned) = path.get_mut(first..).filter(|turned| turned.len() > 1) {
                    let turns = turned.len();
                    turned.rotate_left((attempt / 2 * (item % 7 + 1)) % turns);
                    if attempt % 2 == 1 {
                        turned.reverse();
                    }
                }
            }
        }
        for row in &mut self.rows {
            row.sort_by_key(|item| met[*item]);
        }
    }

    /// Sorts rows down and up again, and gives the best order found.
    fn improve(&mut self) -> (usize, Vec<Vec<usize>>) {
        let rounds = if self.items.len() > MANY_ITEMS { 2 } else { 12 };
        let mut best = self.rows.clone();
        let mut fewest = self.crossings();
        for round in 0..rounds {
            if fewest == 0 {
                break;
            }
            let down = round % 2 == 0;
            let last = self.rows.len();
            let indexes: Vec<usize> = if down {
                (1..last).collect()
            } else {
                (0..last.saturating_sub(1)).rev().collect()
            };
            for index in indexes {
                self.sort_row(index, down);
            }
            let crossings = self.crossings();
            if crossings < fewest {
                fewest = crossings;
                best.clone_from(&self.rows);
            }
        }
        (fewest, best)
    }

    fn sort_row(&mut self, index: usize, by_above: bool) {
        let fixed = if by_above {
            index.checked_sub(1)
        } else {
            Some(index + 1)
        };
        let Some(fixed) = fixed.and_then(|fixed| self.rows.get(fixed)) else {
            return;
        };
        let positions = positions(fixed, self.items.len());
        let neighbours = if by_above { &self.above } else { &self.below };
        #[expect(clippy::cast_precision_loss, reason = "positions are small")]
        let mut keyed: Vec<(f64, usize)> = self.rows[index]
            .iter()
            .enumerate()
            .map(|(position, item)| {
                let of = &neighbours[*item];
                let sum: usize = of.iter().map(|(other, _)| positions[*other]).sum();
                let key = if of.is_empty() {
                    position as f64
                } else {
                    sum as f64 / of.len() as f64
                };
                (key, *item)
            })
            .collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.rows[index] = keyed.into_iter().map(|(_, item)| item).collect();
    }

    fn crossings(&self) -> usize {
        self.rows
            .windows(2)
            .map(|pair| self.crossings_between(&pair[0], &pair[1]))
            .sum()
    }

    /// Pairs of arrows whose order below is not their order above.
    fn crossings_between(&self, upper: &[usize], lower: &[usize]) -> usize {
        let positions = positions(lower, self.items.len());
        let mut ends = Vec::new();
        for item in upper {
            let mut of: Vec<usize> = self.below[*item]
                .iter()
                .map(|(other, _)| positions[*other])
                .collect();
            of.sort_unstable();
            ends.extend(of);
        }
        // A binary indexed tree counts the ends so far that lie to the right of each.
        let mut tree = vec![0_usize; lower.len() + 1];
        let mut crossings = 0;
        for (before, end) in ends.into_iter().enumerate() {
            let mut index = end + 1;
            let mut not_right = 0;
            while index > 0 {
                not_right += tree[index];
                index &= index - 1;
            }
            crossings += before - not_right;
            let mut index = end + 1;
            while index < tree.len() {
                tree[index] += 1;
                index += index & index.wrapping_neg();
            }
        }
        crossings
    }
}

fn positions(row: &[usize], items: usize) -> Vec<usize> {
    let mut positions = vec![0; items];
    for (position, item) in row.iter().enumerate() {
        positions[*item] = position;
    }
    positions
}
