//! A layered layout: boxes in rows from top to bottom, arrows between them around what is in their way.
//!
//! The usual four steps: turn arrows that close a cycle aside ([`rank`]), give every box a row ([`rank`]), order the
//! rows so that few arrows cross ([`order`]), place boxes so that arrows are straight ([`place`], [`straight`]), and
//! then draw the arrows as curves ([`route`]).

mod order;
mod place;
mod rank;
mod route;
mod straight;

/// A point of the drawing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A width and a height.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A box to place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Box {
    pub(super) size: Size,
    /// Whether its outline is a diamond, so that arrows begin on its slanted sides.
    pub(super) diamond: bool,
}

impl Box {
    /// How far beside its middle an arrow may begin or end.
    fn reach(&self) -> f64 {
        let share = if self.diamond { 0.16 } else { 0.38 };
        (self.size.width * share)
            .min(self.size.width / 2.0 - 10.0)
            .max(0.0)
    }
}

/// An arrow to draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Room its label needs, if it has one.
    pub(super) label: Option<Size>,
    /// How strongly it pulls its ends together; the usual path pulls more than what happens on errors.
    pub(super) weight: f64,
}

/// Where everything is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// The centre of each box.
    pub(super) centres: Vec<Point>,
    /// The course of each arrow.
    pub(super) routes: Vec<Route>,
    pub(super) size: Size,
}

/// The course of an arrow.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Route {
    pub(super) points: Vec<Point>,
    pub(super) bends: Bends,
    /// The centre of its label.
    pub(super) label: Option<Point>,
}

/// How a course turns at its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bends {
    /// It leaves and reaches every point vertically.
    Curves,
    /// Straight pieces with rounded corners.
    Corners,
}

/// Lays boxes and arrows out; the first box comes first.
pub(super) fn lay_out(boxes: &[Box], arrows: &[Arrow]) -> Layout {
    let ranks = rank::rank(boxes.len(), arrows);
    let mut rows = order::Rows::new(boxes, arrows, &ranks);
    rows.reduce_crossings(boxes.len());
    let mut xs = place::columns(&rows);
    straight::straighten(boxes, arrows, &rows, &mut xs);
    let bands = place::row_heights(&rows, &xs, arrows, &ranks);
    route::finish(boxes, arrows, &ranks, &rows, &xs, &bands)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxes(count: usize) -> Vec<Box> {
        (0..count)
            .map(|index| {
                let width = if index % 3 == 0 { 120.0 } else { 80.0 };
                Box {
                    size: Size {
                        width,
                        height: 40.0,
                    },
                    diamond: index % 4 == 1,
                }
            })
            .collect()
    }

    fn arrows(pairs: &[(usize, usize)]) -> Vec<Arrow> {
        pairs
            .iter()
            .enumerate()
            .map(|(index, (from, to))| Arrow {
                from: *from,
                to: *to,
                label: (index % 2 == 0).then_some(Size {
                    width: 50.0,
                    height: 14.0,
                }),
                weight: 1.0,
            })
            .collect()
    }

    fn check(count: usize, pairs: &[(usize, usize)]) -> Layout {
        let boxes = boxes(count);
        let layout = lay_out(&boxes, &arrows(pairs));
        for (a, centre) in layout.centres.iter().enumerate() {
            let half = (boxes[a].size.width / 2.0, boxes[a].size.height / 2.0);
            assert!(
                centre.x - half.0 >= -0.01 && centre.x + half.0 <= layout.size.width + 0.01,
                "{a} at {centre:?}"
            );
            assert!(
                centre.y - half.1 >= -0.01 && centre.y + half.1 <= layout.size.height + 0.01,
                "{a} at {centre:?}"
            );
            for (b, other) in layout.centres.iter().enumerate().skip(a + 1) {
                let apart = (centre.x - other.x).abs()
                    >= (boxes[a].size.width + boxes[b].size.width) / 2.0
                    || (centre.y - other.y).abs()
                        >= (boxes[a].size.height + boxes[b].size.height) / 2.0;
                assert!(apart, "boxes {a} and {b} overlap");
            }
        }
        for (route, (_, to)) in layout.routes.iter().zip(pairs) {
            let last = route.points.last().unwrap();
            let target = layout.centres[*to];
            assert!(
                (last.y - (target.y - boxes[*to].size.height / 2.0)).abs() < 21.0,
                "an arrow ends at {last:?}, not at {target:?}"
            );
            for point in &route.points {
                assert!(
                    point.x >= -0.01 && point.x <= layout.size.width + 0.01,
                    "an arrow runs through {point:?}"
                );
                assert!(
                    point.y >= -0.01 && point.y <= layout.size.height + 0.01,
                    "an arrow runs through {point:?}"
                );
            }
        }
        layout
    }

    #[test]
    fn a_chain_is_straight_and_runs_down() {
        let layout = check(4, &[(0, 1), (1, 2), (2, 3)]);
        for pair in layout.centres.windows(2) {
            assert!((pair[0].x - pair[1].x).abs() < 0.5 && pair[0].y < pair[1].y);
        }
    }

    #[test]
    fn cycles_self_loops_and_separate_parts_are_laid_out() {
        check(0, &[]);
        check(1, &[(0, 0)]);
        check(3, &[(0, 1), (1, 0), (2, 2)]);
        check(5, &[(0, 1), (1, 2), (2, 0), (2, 1), (3, 4), (4, 3)]);
        check(4, &[(0, 1), (0, 2), (0, 3), (1, 3), (2, 3), (0, 3)]);
    }

    #[test]
    fn arrows_of_a_planar_graph_do_not_cross() {
        // Given in an order that crosses: 1 and 2 lead to 4 and 3.
        let layout = check(5, &[(0, 1), (0, 2), (1, 4), (2, 3)]);
        let left_first = layout.centres[1].x < layout.centres[2].x;
        assert_eq!(left_first, layout.centres[4].x < layout.centres[3].x);
    }

    #[test]
    fn a_large_graph_is_laid_out_in_reasonable_time() {
        let pairs: Vec<(usize, usize)> = (0..500_usize)
            .flat_map(|i| [(i, (i * 7 + 1) % 500), (i, (i + 1) % 500)])
            .collect();
        check(500, &pairs);
    }
}
