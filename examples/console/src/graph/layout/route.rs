//! The course of every arrow, and the size of the whole.

use super::order::{Item, Rows};
use super::place::{BACK_GAP, Band};
use super::rank::Ranks;
use super::{Arrow, Bends, Box, Layout, Point, Route, Size};

/// By how much a row must be higher than a box for the box not to stand in its middle.
const TALL: f64 = 60.0;
/// Distance of the ends of several arrows at one box.
const PORT_GAP: f64 = 18.0;
/// Space beside an arrow that runs upwards.
const CHANNEL_GAP: f64 = 16.0;

/// Puts boxes where rows and columns meet and leads arrows along.
pub(super) fn finish(
    boxes: &[Box],
    arrows: &[Arrow],
    ranks: &Ranks,
    rows: &Rows,
    xs: &[f64],
    bands: &[Band],
) -> Layout {
    let centres: Vec<Point> = (0..boxes.len())
        .map(|index| {
            let (band, height) = (bands[ranks.of[index] * 2], boxes[index].size.height);
            // Beside a tall frame a small box stands at the top, near what leads to it.
            let y = if band.height > height + TALL {
                band.top + height / 2.0 + TALL / 4.0
            } else {
                band.middle()
            };
            Point { x: xs[index], y }
        })
        .collect();
    let mut width = (0..rows.items.len())
        .map(|item| xs[item] + rows.sizes[item].width / 2.0)
        .fold(0.0, f64::max);
    let mut height = bands.last().map_or(0.0, |band| band.bottom());
    let mut rights: Vec<f64> = rows
        .rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|item| xs[*item] + rows.sizes[*item].width / 2.0)
                .fold(0.0, f64::max)
        })
        .collect();
    let router = Router {
        boxes,
        arrows,
        ranks,
        rows,
        xs,
        bands,
        centres: &centres,
    };
    let mut routes: Vec<Option<Route>> = (0..arrows.len())
        .map(|index| router.forward(index))
        .collect();
    let mut taken = vec![0_usize; bands.len() + 1];
    for index in router.upward_inner_first() {
        let route = router.upward(index, &mut rights, &mut taken);
        for point in &route.points {
            width = width.max(point.x + CHANNEL_GAP / 2.0);
            height = height.max(point.y + CHANNEL_GAP / 2.0);
        }
        if let (Some(label), Some(room)) = (route.label, arrows[index].label) {
            width = width.max(label.x + room.width / 2.0);
        }
        routes[index] = Some(route);
    }
    let routes = routes.into_iter().flatten().collect();
    Layout {
        centres,
        routes,
        size: Size { width, height },
    }
}

struct Router<'a> {
    boxes: &'a [Box],
    arrows: &'a [Arrow],
    ranks: &'a Ranks,
    rows: &'a Rows,
    xs: &'a [f64],
    bands: &'a [Band],
    centres: &'a [Point],
}

impl Router<'_> {
    fn forward(&self, index: usize) -> Option<Route> {
        if self.ranks.back[index] {
            return None;
        }
        let arrow = &self.arrows[index];
        let chain = &self.rows.chains[index];
        let start = self.port(arrow.from, self.leaving_offset(index), Side::Bottom);
        let end = self.port(arrow.to, self.reaching_offset(index), Side::Top);
        let mut points = vec![
            start,
            Point {
                x: start.x,
                y: self.bands[self.ranks.of[arrow.from] * 2].bottom(),
            },
        ];
        let mut label = None;
        for (step, item) in chain.iter().enumerate() {
            let band = self.bands[self.ranks.of[arrow.from] * 2 + 1 + step];
            let x = self.xs[*item];
            points.push(Point { x, y: band.top });
            points.push(Point {
                x,
                y: band.bottom(),
            });
            if self.rows.items[*item] == Item::Label {
                label = Some(Point {
                    x,
                    y: band.middle(),
                });
            }
        }
        points.push(Point {
            x: end.x,
            y: self.bands[self.ranks.of[arrow.to] * 2].top,
        });
        points.push(end);
        points.dedup();
        Some(Route {
            points,
            bends: Bends::Curves,
            label,
        })
    }

    /// Arrows that run upwards, the shorter ones first, since they run further inside.
    fn upward_inner_first(&self) -> Vec<usize> {
        let mut upward: Vec<usize> = (0..self.arrows.len())
            .filter(|index| self.ranks.back[*index])
            .collect();
        upward.sort_by_key(|index| {
            self.ranks.of[self.arrows[*index].from].abs_diff(self.ranks.of[self.arrows[*index].to])
        });
        upward
    }

    /// Down, to the right past everything in the way, up, and into the target from above.
    fn upward(&self, index: usize, rights: &mut [f64], taken: &mut [usize]) -> Route {
        let arrow = &self.arrows[index];
        let (lower, upper) = (self.ranks.of[arrow.from] * 2, self.ranks.of[arrow.to] * 2);
        let room = arrow.label.map_or(0.0, |label| label.width / 2.0);
        // The row of labels below the source is passed as well.
        let passed = upper..=(lower + 1).min(rights.len() - 1);
        let inner = rights[passed.clone()].iter().copied().fold(0.0, f64::max);
        let channel = inner + CHANNEL_GAP + room;
        for right in &mut rights[passed] {
            *right = channel + room.max(2.0);
        }
        let mut depth = |slot: usize| {
            taken[slot] += 1;
            BACK_GAP * f64::from(u32::try_from(taken[slot]).unwrap_or(u32::MAX)) + 1.0
        };
        let start = self.port(
            arrow.from,
            self.boxes[arrow.from].size.width * 0.3,
            Side::Bottom,
        );
        let end = self.port(arrow.to, self.boxes[arrow.to].size.width * 0.3, Side::Top);
        let below = self.bands[lower].bottom() + depth(lower + 1);
        let above = self.bands[upper].top - depth(upper) - 2.0;
        let points = vec![
            start,
            Point {
                x: start.x,
                y: below,
            },
            Point {
                x: channel,
                y: below,
            },
            Point {
                x: channel,
                y: above,
            },
            Point { x: end.x, y: above },
            end,
        ];
        let label = arrow.label.map(|_| Point {
            x: channel,
            y: f64::midpoint(below, above),
        });
        Route {
            points,
            bends: Bends::Corners,
            label,
        }
    }

    /// How far beside the middle an arrow leaves its source: right above where it goes on, if there is room.
    fn leaving_offset(&self, index: usize) -> f64 {
        let from = self.arrows[index].from;
        let next = |arrow: usize| {
            self.rows.chains[arrow]
                .first()
                .map_or(self.centres[self.arrows[arrow].to].x, |item| self.xs[*item])
        };
        let leaving = (0..self.arrows.len())
            .filter(|arrow| self.arrows[*arrow].from == from && !self.ranks.back[*arrow]);
        self.offset(
            from,
            index,
            leaving.map(|arrow| (next(arrow), arrow)).collect(),
        )
    }

    fn reaching_offset(&self, index: usize) -> f64 {
        let to = self.arrows[index].to;
        let before = |arrow: usize| {
            self.rows.chains[arrow]
                .last()
                .map_or(self.centres[self.arrows[arrow].from].x, |item| {
                    self.xs[*item]
                })
        };
        let reaching = (0..self.arrows.len())
            .filter(|arrow| self.arrows[*arrow].to == to && !self.ranks.back[*arrow]);
        self.offset(
            to,
            index,
            reaching.map(|arrow| (before(arrow), arrow)).collect(),
        )
    }

    /// The place of one of several arrows at a box, each as near as possible to where it comes from or goes to.
    fn offset(&self, node: usize, index: usize, mut arrows: Vec<(f64, usize)>) -> f64 {
        arrows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let reach = self.boxes[node].reach();
        let spaces = f64::from(u32::try_from(arrows.len().saturating_sub(1)).unwrap_or(u32::MAX));
        let gap = if spaces > 0.0 {
            PORT_GAP.min(2.0 * reach / spaces)
        } else {
            0.0
        };
        let mut offsets: Vec<f64> = arrows
            .iter()
            .map(|(x, _)| (x - self.centres[node].x).clamp(-reach, reach))
            .collect();
        // Apart from left to right, then back inside from right to left.
        let mut least = -reach;
        for offset in &mut offsets {
            *offset = offset.max(least);
            least = *offset + gap;
        }
        let mut most = reach;
        for offset in offsets.iter_mut().rev() {
            *offset = offset.min(most);
            most = *offset - gap;
        }
        let position = arrows.iter().position(|(_, arrow)| *arrow == index);
        position
            .and_then(|position| offsets.get(position))
            .copied()
            .unwrap_or(0.0)
    }

    /// The point of a box's outline at that offset from its middle.
    fn port(&self, node: usize, offset: f64, side: Side) -> Point {
        let (centre, one) = (self.centres[node], &self.boxes[node]);
        let half = one.size.height / 2.0;
        let reach = if one.diamond {
            half * (1.0 - (offset.abs() / (one.size.width / 2.0)).min(1.0))
        } else {
            half
        };
        let y = match side {
            Side::Top => centre.y - reach,
            Side::Bottom => centre.y + reach,
        };
        Point {
            x: centre.x + offset,
            y,
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Top,
    Bottom,
}
