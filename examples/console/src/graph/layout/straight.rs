//! Straightens the way of arrows through the rows, as far as what stands there lets them.

use super::order::Rows;
use super::place::gap_between;
use super::{Arrow, Box};

/// The places an item may have: from, to.
type Range = (f64, f64);

/// Moves labels and bends, one arrow after the other, so that each has as few turns as possible.
pub(super) fn straighten(boxes: &[Box], arrows: &[Arrow], rows: &Rows, xs: &mut [f64]) {
    let mut neighbours = vec![(None, None); rows.items.len()];
    for row in &rows.rows {
        for (position, item) in row.iter().enumerate() {
            let left = position
                .checked_sub(1)
                .and_then(|left| row.get(left))
                .copied();
            neighbours[*item] = (left, row.get(position + 1).copied());
        }
    }
    let mut order: Vec<usize> = (0..arrows.len())
        .filter(|index| !rows.chains[*index].is_empty())
        .collect();
    // The usual path first, and the longest of it.
    order.sort_by(|a, b| {
        let key = |index: &usize| (arrows[*index].weight, rows.chains[*index].len());
        let ((weight_a, length_a), (weight_b, length_b)) = (key(a), key(b));
        weight_b.total_cmp(&weight_a).then(length_b.cmp(&length_a))
    });
    for index in order {
        let arrow = &arrows[index];
        let chain = &rows.chains[index];
        let free: Vec<Range> = chain
            .iter()
            .map(|item| free_range(*item, neighbours[*item], rows, xs))
            .collect();
        let span = |node: usize| {
            (
                xs[node] - boxes[node].reach(),
                xs[node] + boxes[node].reach(),
            )
        };
        let way = straightest(
            span(arrow.from),
            &free,
            span(arrow.to),
            (xs[arrow.from], xs[arrow.to]),
        );
        for (item, x) in chain.iter().zip(way) {
            xs[*item] = x;
        }
    }
}

/// Where an item may stand without touching its neighbours.
fn free_range(
    item: usize,
    (left, right): (Option<usize>, Option<usize>),
    rows: &Rows,
    xs: &[f64],
) -> Range {
    let distance = |other: usize| {
        (rows.sizes[other].width + rows.sizes[item].width) / 2.0 + gap_between(rows, other, item)
    };
    let from = left.map_or(rows.sizes[item].width / 2.0, |left| {
        xs[left] + distance(left)
    });
    let to = right.map_or(f64::INFINITY, |right| xs[right] - distance(right));
    (from.min(xs[item]), to.max(xs[item]))
}

/// A way through ranges, from one box to another, that turns as rarely as possible.
fn straightest(start: Range, free: &[Range], end: Range, (start_x, end_x): (f64, f64)) -> Vec<f64> {
    let mut way = Vec::with_capacity(free.len());
    let mut run = start;
    let mut wanted = start_x;
    let mut length = 0;
    for range in free {
        let common = (run.0.max(range.0), run.1.min(range.1));
        if common.0 > common.1 {
            way.extend(std::iter::repeat_n(wanted.clamp(run.0, run.1), length));
            run = *range;
            wanted = end_x;
            length = 1;
        } else {
            run = common;
            length += 1;
        }
    }
    let common = (run.0.max(end.0), run.1.min(end.1));
    if common.0 <= common.1 {
        run = common;
        // Straight from box to box; the middle of the narrower one looks best.
        if end.1 - end.0 < start.1 - start.0 {
            wanted = end_x;
        }
    }
    way.extend(std::iter::repeat_n(wanted.clamp(run.0, run.1), length));
    way
}

#[cfg(test)]
mod tests {
    use super::straightest;

    #[test]
    fn a_way_turns_only_where_it_must() {
        let wide = (0.0, 100.0);
        assert_eq!(
            straightest((40.0, 60.0), &[wide, wide], (30.0, 50.0), (50.0, 40.0)),
            [50.0, 50.0]
        );
        assert_eq!(
            straightest(
                (40.0, 60.0),
                &[wide, (70.0, 90.0), wide],
                (75.0, 85.0),
                (50.0, 80.0)
            ),
            [50.0, 80.0, 80.0]
        );
        assert_eq!(
            straightest((40.0, 60.0), &[], (75.0, 85.0), (50.0, 80.0)),
            [0.0; 0]
        );
    }
}
