//! A drawing as SVG: self-contained, without scripts or fonts, fit for a document.

mod figure;
mod icons;
mod paint;
mod theme;

use super::diagram::{Diagram, Edge, Lane, Line, Node, Scope, Shape};
use super::layout::{self, Arrow, Box, Layout, Point, Size};
use super::text::Font;
use figure::Figure;

/// White space around the drawing.
const MARGIN: f64 = 24.0;
/// Room of the title.
const TITLE_HEIGHT: f64 = 52.0;
/// White space inside a frame.
const FRAME_PADDING: f64 = 16.0;
/// Room of a frame's name.
const FRAME_HEADER: f64 = 46.0;
/// Space between the branches of a frame.
const LANE_GAP: f64 = 14.0;
/// Room of a branch's name.
const LANE_HEADER: f64 = 24.0;
/// A row of branches is about as wide as this at most.
const ROW_OF_LANES: f64 = 1500.0;
/// How wide labels of arrows are at most.
const LABEL_WIDTH: f64 = 150.0;

const TITLE: Font = Font::bold(17.0);
const SUBTITLE: Font = Font::regular(11.5);
const NAME: Font = Font::bold(12.5);
const DETAIL: Font = Font::regular(10.5);
const LABEL: Font = Font::regular(10.5);

/// Draws a diagram.
pub(super) fn draw(diagram: &Diagram) -> String {
    let drawing = arrange(&diagram.root);
    let title = TITLE.fit(&diagram.title, 900.0);
    let subtitle = SUBTITLE.fit(&diagram.subtitle, 900.0);
    let width = drawing
        .layout
        .size
        .width
        .max(TITLE.width(&title))
        .max(SUBTITLE.width(&subtitle))
        + 2.0 * MARGIN;
    let height = drawing.layout.size.height + 2.0 * MARGIN + TITLE_HEIGHT;
    let mut painter =
        paint::Painter::new(Size { width, height }, &diagram.title, &diagram.subtitle);
    painter.line_of_text(
        Point {
            x: MARGIN,
            y: MARGIN + 14.0,
        },
        &title,
        TITLE,
        theme::TEXT,
        paint::Anchor::Start,
    );
    painter.line_of_text(
        Point {
            x: MARGIN,
            y: MARGIN + 33.0,
        },
        &subtitle,
        SUBTITLE,
        theme::MUTED,
        paint::Anchor::Start,
    );
    let left = (width - drawing.layout.size.width) / 2.0;
    painter.drawing(
        &drawing,
        Point {
            x: left,
            y: MARGIN + TITLE_HEIGHT,
        },
    );
    painter.finish()
}

/// A scope with a place for everything.
struct Drawing<'a> {
    scope: &'a Scope,
    figures: Vec<Figure>,
    frames: Vec<Option<Frame<'a>>>,
    labels: Vec<Vec<String>>,
    layout: Layout,
}

/// A box with branches.
struct Frame<'a> {
    node: &'a Node,
    lanes: Vec<PlacedLane<'a>>,
    size: Size,
}

struct PlacedLane<'a> {
    lane: &'a Lane,
    drawing: Drawing<'a>,
    /// The corner of its border inside the frame.
    corner: Point,
    size: Size,
}

fn arrange(scope: &Scope) -> Drawing<'_> {
    let frames: Vec<Option<Frame<'_>>> = scope
        .nodes
        .iter()
        .map(|node| (!node.lanes.is_empty()).then(|| frame(node)))
        .collect();
    let figures: Vec<Figure> = scope.nodes.iter().map(figure::measure).collect();
    let boxes: Vec<Box> = figures
        .iter()
        .zip(&frames)
        .map(|(figure, frame)| match frame {
            Some(frame) => Box {
                size: frame.size,
                diamond: false,
            },
            None => Box {
                size: figure.size,
                diamond: figure.diamond,
            },
        })
        .collect();
    let labels: Vec<Vec<String>> = scope
        .edges
        .iter()
        .map(|edge| LABEL.wrap(&edge.label, LABEL_WIDTH, 2))
        .collect();
    let arrows: Vec<Arrow> = scope
        .edges
        .iter()
        .zip(&labels)
        .map(|(edge, lines)| arrow(edge, lines))
        .collect();
    let layout = layout::lay_out(&boxes, &arrows);
    Drawing {
        scope,
        figures,
        frames,
        labels,
        layout,
    }
}

fn arrow(edge: &Edge, lines: &[String]) -> Arrow {
    let weight = match edge.line {
        Line::Normal => 1.0,
        Line::Escape | Line::Timeout => 0.3,
        Line::Failure | Line::Undo => 0.1,
    };
    Arrow {
        from: edge.from,
        to: edge.to,
        label: paint::label_size(lines),
        weight,
    }
}

/// Arranges the branches of a frame side by side, in several rows if there are many.
fn frame(node: &Node) -> Frame<'_> {
    let mut lanes = Vec::with_capacity(node.lanes.len());
    let (mut x, mut y) = (FRAME_PADDING, FRAME_HEADER);
    let (mut row_height, mut width) = (0.0_f64, 0.0_f64);
    for lane in &node.lanes {
        let drawing = arrange(&lane.scope);
        let inner = drawing.layout.size;
        let size = match &lane.title {
            Some(title) => {
                let named = NAME.width(&NAME.fit(title, 220.0)) + 2.0 * FRAME_PADDING;
                Size {
                    width: (inner.width + 2.0 * FRAME_PADDING).max(named),
                    height: inner.height + LANE_HEADER + 2.0 * FRAME_PADDING,
                }
            }
            None => inner,
        };
        if x > FRAME_PADDING && x + size.width > ROW_OF_LANES {
            x = FRAME_PADDING;
            y += row_height + LANE_GAP;
            row_height = 0.0;
        }
        lanes.push(PlacedLane {
            lane,
            drawing,
            corner: Point { x, y },
            size,
        });
        x += size.width + LANE_GAP;
        width = width.max(x - LANE_GAP + FRAME_PADDING);
        row_height = row_height.max(size.height);
    }
    let rows: Vec<f64> = lanes.iter().map(|placed| placed.corner.y).collect();
    for (index, top) in rows.iter().enumerate() {
        let tallest = lanes
            .iter()
            .filter(|placed| placed.corner.y == *top)
            .map(|placed| placed.size.height)
            .fold(0.0, f64::max);
        if let Some(placed) = lanes.get_mut(index) {
            placed.size.height = tallest;
        }
    }
    let header = paint::frame_header_width(node);
    let wide = width.max(header);
    // A narrow branch stands in the middle of a frame that its name makes wide.
    if let ([only], true) = (lanes.as_mut_slice(), wide > width) {
        only.corner.x += (wide - width) / 2.0;
    }
    Frame {
        node,
        lanes,
        size: Size {
            width: wide,
            height: y + row_height + FRAME_PADDING,
        },
    }
}
