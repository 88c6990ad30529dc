//! Where the items of each row stand, so that arrows are as straight as the order allows.

use super::Arrow;
use super::order::{Item, Rows};
use super::rank::Ranks;

/// Space between two boxes of a row.
const BOX_GAP: f64 = 34.0;
/// Space beside arrows and labels that pass through.
const PASSING_GAP: f64 = 14.0;
/// Space between a row of boxes and the row of labels next to it.
const ROW_GAP: f64 = 15.0;
/// What each arrow that runs upwards adds to the space it runs through.
pub(super) const BACK_GAP: f64 = 9.0;

/// Top and height of each row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Band {
    pub(super) top: f64,
    pub(super) height: f64,
}

impl Band {
    pub(super) fn bottom(self) -> f64 {
        self.top + self.height
    }

    pub(super) fn middle(self) -> f64 {
        self.top + self.height / 2.0
    }
}

/// The middle of every item; the leftmost item begins at 0.
pub(super) fn columns(rows: &Rows) -> Vec<f64> {
    let mut xs = vec![0.0; rows.items.len()];
    for row in &rows.rows {
        let wanted: Vec<(f64, f64)> = row.iter().map(|_| (0.0, 1.0)).collect();
        settle(rows, row, &wanted, &mut xs);
    }
    let rounds = if rows.items.len() > 20_000 { 3 } else { 24 };
    for _ in 0..rounds {
        for row in rows.rows.iter().skip(1) {
            pull(rows, row, &[&rows.above], &mut xs);
        }
        for row in rows.rows.iter().rev().skip(1) {
            pull(rows, row, &[&rows.below], &mut xs);
        }
    }
    for _ in 0..4 {
        for row in &rows.rows {
            pull(rows, row, &[&rows.above, &rows.below], &mut xs);
        }
    }
    let left = (0..xs.len())
        .map(|item| xs[item] - rows.sizes[item].width / 2.0)
        .fold(f64::INFINITY, f64::min);
    for x in &mut xs {
        *x -= left;
    }
    xs
}

/// Moves a row towards the middle of its neighbours.
fn pull(rows: &Rows, row: &[usize], neighbours: &[&Vec<Vec<(usize, f64)>>], xs: &mut [f64]) {
    let wanted: Vec<(f64, f64)> = row
        .iter()
        .map(|item| {
            let pulls = || neighbours.iter().flat_map(|of| &of[*item]);
            let strongest = pulls().map(|(_, pull)| *pull).fold(0.0, f64::max);
            let (mut sum, mut weight) = (0.0, 0.0);
            // What happens on errors must not bend the usual path.
            for (other, pull) in pulls().filter(|(_, pull)| *pull >= strongest * 0.3) {
                sum += xs[*other] * pull;
                weight += pull;
            }
            if weight > 0.0 {
                (sum / weight, weight)
            } else {
                (xs[*item], 0.05)
            }
        })
        .collect();
    settle(rows, row, &wanted, xs);
}

/// Places a row as near as possible to where its items want to be, in order and without overlap.
///
/// This is an isotonic regression: items that would overlap form a block, whose place is the weighted mean of theirs.
fn settle(rows: &Rows, row: &[usize], wanted: &[(f64, f64)], xs: &mut [f64]) {
    struct Block {
        mean: f64,
        weight: f64,
        items: usize,
    }
    let offsets = offsets(rows, row);
    let mut blocks: Vec<Block> = Vec::with_capacity(row.len());
    for ((want, weight), offset) in wanted.iter().zip(&offsets) {
        let mut block = Block {
            mean: want - offset,
            weight: *weight,
            items: 1,
        };
        while let Some(before) = blocks.pop_if(|before| before.mean > block.mean) {
            let weight = before.weight + block.weight;
            block.mean = (before.mean * before.weight + block.mean * block.weight) / weight;
            block.weight = weight;
            block.items += before.items;
        }
        blocks.push(block);
    }
    let means = blocks
        .iter()
        .flat_map(|block| std::iter::repeat_n(block.mean, block.items));
    for ((item, offset), mean) in row.iter().zip(&offsets).zip(means) {
        xs[*item] = mean + offset;
    }
}

/// How far each item must at least be from the first one.
fn offsets(rows: &Rows, row: &[usize]) -> Vec<f64> {
    let mut offset = 0.0;
    let mut before: Option<usize> = None;
    row.iter()
        .map(|item| {
            if let Some(before) = before {
                offset += (rows.sizes[before].width + rows.sizes[*item].width) / 2.0
                    + gap_between(rows, before, *item);
            }
            before = Some(*item);
            offset
        })
        .collect()
}

/// The least space between two items next to each other.
pub(super) fn gap_between(rows: &Rows, left: usize, right: usize) -> f64 {
    match (rows.items[left], rows.items[right]) {
        (Item::Box(_), Item::Box(_)) => BOX_GAP,
        _ => PASSING_GAP,
    }
}

/// The rows from top to bottom; wide jumps get more room, so that their curves stay readable.
pub(super) fn row_heights(rows: &Rows, xs: &[f64], arrows: &[Arrow], ranks: &Ranks) -> Vec<Band> {
    let mut upwards = vec![0.0; rows.rows.len() + 1];
    for (arrow, _) in arrows.iter().zip(&ranks.back).filter(|(_, back)| **back) {
        // It leaves below its source and arrives above its target.
        upwards[ranks.of[arrow.from] * 2 + 1] += BACK_GAP;
        upwards[ranks.of[arrow.to] * 2] += BACK_GAP;
    }
    let mut bands: Vec<Band> = Vec::with_capacity(rows.rows.len());
    let mut top = upwards[0] + if upwards[0] > 0.0 { ROW_GAP } else { 0.0 };
    for (index, row) in rows.rows.iter().enumerate() {
        let height = row
            .iter()
            .map(|item| rows.sizes[*item].height)
            .fold(0.0, f64::max);
        bands.push(Band { top, height });
        let widest = row
            .iter()
            .flat_map(|item| {
                rows.below[*item]
                    .iter()
                    .map(|(other, _)| (xs[*other] - xs[*item]).abs())
            })
            .fold(0.0, f64::max);
        top += height + ROW_GAP + (widest * 0.05).min(22.0) + upwards[index + 1];
    }
    bands
}
