//! Writes shapes, arrows and texts.

use std::fmt::Write;

use super::super::layout::{Bends, Point, Route, Size};
use super::super::text::{FONT_STACK, Font};
use super::figure::{DETAIL_LINE, Figure, ICON_ROOM, NAME_LINE, Outline};
use super::{DETAIL, Drawing, Edge, Frame, LABEL, Line, NAME, Node, Shape, icons, theme};

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
}

/// Collects the elements of the picture.
pub(super) struct Painter {
    svg: String,
}

/// Height of a line of a label.
const LABEL_LINE: f64 = 12.5;

/// Room a label needs, if there is one.
pub(super) fn label_size(lines: &[String]) -> Option<Size> {
    let widest = lines
        .iter()
        .map(|line| LABEL.width(line))
        .fold(0.0, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "a label has two lines at most")]
    let height = lines.len() as f64 * LABEL_LINE + 3.0;
    (!lines.is_empty()).then_some(Size {
        width: widest + 8.0,
        height,
    })
}

/// Width of a frame's name with its picture.
pub(super) fn frame_header_width(node: &Node) -> f64 {
    let name = NAME.width(&NAME.fit(&node.title, 260.0));
    let detail = DETAIL.width(&DETAIL.fit(&node.detail, 260.0));
    name.max(detail) + ICON_ROOM + 28.0
}

impl Painter {
    pub(super) fn new(size: Size, title: &str, description: &str) -> Self {
        let mut svg = String::with_capacity(16 * 1024);
        let (width, height) = (size.width.ceil(), size.height.ceil());
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" font-family=\"{FONT_STACK}\">\n<title>{}</title>\n<desc>{}</desc>\n",
            escape(title),
            escape(description)
        );
        svg.push_str("<defs>\n");
        for line in [Line::Normal, Line::Failure, Line::Timeout, Line::Undo] {
            let _ = writeln!(
                svg,
                "<marker id=\"aug-{}\" viewBox=\"0 0 10 10\" refX=\"9.2\" refY=\"5\" markerWidth=\"7.5\" markerHeight=\"7.5\" \
                 orient=\"auto\"><path d=\"M0.5 1L9.5 5L0.5 9z\" fill=\"{}\"/></marker>",
                theme::marker(line),
                theme::stroke(line).0
            );
        }
        let _ = write!(
            svg,
            "</defs>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
        );
        Self { svg }
    }

    pub(super) fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }

    /// Draws a scope with its corner at `corner`: frames, then arrows, then boxes, then labels.
    pub(super) fn drawing(&mut self, drawing: &Drawing<'_>, corner: Point) {
        for (frame, centre) in drawing.frames.iter().zip(&drawing.layout.centres) {
            if let Some(frame) = frame {
                let at = Point {
                    x: corner.x + centre.x - frame.size.width / 2.0,
                    y: corner.y + centre.y - frame.size.height / 2.0,
                };
                self.frame(frame, at);
            }
        }
        for (edge, route) in drawing.scope.edges.iter().zip(&drawing.layout.routes) {
            self.arrow(edge, route, corner);
        }
        let boxes = drawing
            .scope
            .nodes
            .iter()
            .zip(&drawing.figures)
            .zip(&drawing.layout.centres);
        for ((node, figure), centre) in boxes.filter(|((node, _), _)| node.lanes.is_empty()) {
            self.node(
                node,
                figure,
                Point {
                    x: corner.x + centre.x,
                    y: corner.y + centre.y,
                },
            );
        }
        for ((edge, route), lines) in drawing
            .scope
            .edges
            .iter()
            .zip(&drawing.layout.routes)
            .zip(&drawing.labels)
        {
            if let Some(label) = route.label {
                self.label(
                    edge,
                    lines,
                    Point {
                        x: corner.x + label.x,
                        y: corner.y + label.y,
                    },
                );
            }
        }
    }

    fn frame(&mut self, frame: &Frame<'_>, corner: Point) {
        let node = frame.node;
        self.open_group(&node.tooltip);
        self.rectangle(
            corner,
            frame.size,
            10.0,
            theme::FRAME_FILL,
            theme::FRAME_LINE,
            "",
        );
        let (_, ink) = (theme::FRAME_FILL, "#3e4c59");
        self.icon(
            node.shape,
            Point {
                x: corner.x + 14.0,
                y: corner.y + 12.0,
            },
            ink,
        );
        let text = corner.x + 14.0 + ICON_ROOM;
        let room = frame.size.width - ICON_ROOM - 24.0;
        self.line_of_text(
            Point {
                x: text,
                y: corner.y + 19.0,
            },
            &NAME.fit(&node.title, room),
            NAME,
            theme::TEXT,
            Anchor::Start,
        );
        self.line_of_text(
            Point {
                x: text,
                y: corner.y + 34.0,
            },
            &DETAIL.fit(&node.detail, room),
            DETAIL,
            theme::MUTED,
            Anchor::Start,
        );
        self.svg.push_str("</g>\n");
        for placed in &frame.lanes {
            let at = Point {
                x: corner.x + placed.corner.x,
                y: corner.y + placed.corner.y,
            };
            let inner = placed.drawing.layout.size;
            match &placed.lane.title {
                None => self.drawing(&placed.drawing, at),
                Some(title) => {
                    self.open_group(&placed.lane.tooltip);
                    self.rectangle(
                        at,
                        placed.size,
                        8.0,
                        theme::LANE_FILL,
                        theme::FRAME_LINE,
                        "4 3",
                    );
                    let name = NAME.fit(title, placed.size.width - 20.0);
                    self.line_of_text(
                        Point {
                            x: at.x + 12.0,
                            y: at.y + 18.0,
                        },
                        &name,
                        Font::bold(11.0),
                        theme::MUTED,
                        Anchor::Start,
                    );
                    self.svg.push_str("</g>\n");
                    let inside = Point {
                        x: at.x + (placed.size.width - inner.width) / 2.0,
                        y: at.y + super::LANE_HEADER + super::FRAME_PADDING,
                    };
                    self.drawing(&placed.drawing, inside);
                }
            }
        }
    }

    fn node(&mut self, node: &Node, figure: &Figure, centre: Point) {
        let (fill, ink) = theme::colours(node.shape);
        let corner = Point {
            x: centre.x - figure.size.width / 2.0,
            y: centre.y - figure.size.height / 2.0,
        };
        self.open_group(&node.tooltip);
        self.outline(figure, centre, corner, fill, ink);
        let mut text_centre = centre.x;
        if figure.icon {
            let inset = if figure.outline == Outline::Hexagon {
                18.0
            } else {
                11.0
            };
            self.icon(
                node.shape,
                Point {
                    x: corner.x + inset,
                    y: centre.y - 8.0,
                },
                ink,
            );
            text_centre += ICON_ROOM / 2.0;
        }
        let mut y = centre.y - text_height(figure) / 2.0;
        for line in &figure.name {
            self.line_of_text(
                Point {
                    x: text_centre,
                    y: y + 12.2,
                },
                line,
                NAME,
                theme::TEXT,
                Anchor::Middle,
            );
            y += NAME_LINE;
        }
        for line in &figure.detail {
            self.line_of_text(
                Point {
                    x: text_centre,
                    y: y + 10.2,
                },
                line,
                DETAIL,
                theme::MUTED,
                Anchor::Middle,
            );
            y += DETAIL_LINE;
        }
        self.svg.push_str("</g>\n");
    }

    fn outline(&mut self, figure: &Figure, centre: Point, corner: Point, fill: &str, ink: &str) {
        let size = figure.size;
        match figure.outline {
            Outline::Rectangle => self.rectangle(corner, size, 6.0, fill, ink, ""),
            Outline::DottedRectangle => self.rectangle(corner, size, 6.0, fill, ink, "3 3"),
            Outline::DoubleRectangle => {
                self.rectangle(corner, size, 6.0, fill, ink, "");
                let inner = Size {
                    width: size.width - 7.0,
                    height: size.height - 7.0,
                };
                self.rectangle(
                    Point {
                        x: corner.x + 3.5,
                        y: corner.y + 3.5,
                    },
                    inner,
                    4.0,
                    "none",
                    ink,
                    "",
                );
            }
            Outline::Pill => self.rectangle(corner, size, size.height / 2.0, fill, ink, ""),
            Outline::DashedPill => {
                self.rectangle(corner, size, size.height / 2.0, fill, ink, "5 4")
            }
            Outline::ThickPill => {
                let _ = writeln!(
                    self.svg,
                    "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{:.1}\" fill=\"{fill}\" stroke=\"{ink}\" stroke-width=\"2.6\"/>",
                    corner.x,
                    corner.y,
                    size.width,
                    size.height,
                    size.height / 2.0
                );
            }
            Outline::Diamond => self.polygon(
                &[
                    (centre.x, corner.y),
                    (corner.x + size.width, centre.y),
                    (centre.x, corner.y + size.height),
                    (corner.x, centre.y),
                ],
                fill,
                ink,
            ),
            Outline::Hexagon => {
                let (left, right, bottom) =
                    (corner.x, corner.x + size.width, corner.y + size.height);
                self.polygon(
                    &[
                        (left + 12.0, corner.y),
                        (right - 12.0, corner.y),
                        (right, centre.y),
                        (right - 12.0, bottom),
                        (left + 12.0, bottom),
                        (left, centre.y),
                    ],
                    fill,
                    ink,
                );
            }
            Outline::Dot => {
                let _ = writeln!(
                    self.svg,
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"8\" fill=\"{ink}\"/>",
                    centre.x, centre.y
                );
            }
            Outline::Target => {
                let _ = writeln!(
                    self.svg,
                    "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"10\" fill=\"#ffffff\" stroke=\"{ink}\" stroke-width=\"1.8\"/>\
                     <circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\" fill=\"{ink}\"/>",
                    x = centre.x,
                    y = centre.y
                );
            }
        }
    }

    fn arrow(&mut self, edge: &Edge, route: &Route, corner: Point) {
        let points: Vec<Point> = route
            .points
            .iter()
            .map(|point| Point {
                x: corner.x + point.x,
                y: corner.y + point.y,
            })
            .collect();
        let path = match route.bends {
            Bends::Curves => curves(&points),
            Bends::Corners => corners(&points),
        };
        let (colour, dashes) = theme::stroke(edge.line);
        let dashes = if dashes.is_empty() {
            String::new()
        } else {
            format!(" stroke-dasharray=\"{dashes}\"")
        };
        let _ = writeln!(
            self.svg,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.4\"{dashes} marker-end=\"url(#aug-{})\"/>",
            theme::marker(edge.line)
        );
    }

    fn label(&mut self, edge: &Edge, lines: &[String], centre: Point) {
        let Some(size) = label_size(lines) else {
            return;
        };
        self.open_group(&edge.label);
        let corner = Point {
            x: centre.x - size.width / 2.0,
            y: centre.y - size.height / 2.0,
        };
        let _ = writeln!(
            self.svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"3\" fill=\"#ffffff\" fill-opacity=\"0.92\"/>",
            corner.x, corner.y, size.width, size.height
        );
        let colour = if edge.line == Line::Normal {
            theme::MUTED
        } else {
            theme::stroke(edge.line).0
        };
        let mut y = corner.y + 1.5;
        for line in lines {
            self.line_of_text(
                Point {
                    x: centre.x,
                    y: y + 9.6,
                },
                line,
                LABEL,
                colour,
                Anchor::Middle,
            );
            y += LABEL_LINE;
        }
        self.svg.push_str("</g>\n");
    }

    pub(super) fn line_of_text(
        &mut self,
        at: Point,
        text: &str,
        font: Font,
        colour: &str,
        anchor: Anchor,
    ) {
        if text.is_empty() {
            return;
        }
        let weight = if font.bold {
            " font-weight=\"600\""
        } else {
            ""
        };
        let anchor = if anchor == Anchor::Middle {
            " text-anchor=\"middle\""
        } else {
            ""
        };
        let _ = writeln!(
            self.svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{}\"{weight}{anchor} fill=\"{colour}\">{}</text>",
            at.x,
            at.y,
            font.size,
            escape(text)
        );
    }

    /// Begins a group whose full text shows when the pointer rests on it.
    fn open_group(&mut self, tooltip: &str) {
        let _ = writeln!(self.svg, "<g><title>{}</title>", escape(tooltip));
    }

    fn icon(&mut self, shape: Shape, corner: Point, ink: &str) {
        let _ = writeln!(
            self.svg,
            "<path transform=\"translate({:.1} {:.1})\" d=\"{}\" fill=\"none\" stroke=\"{ink}\" stroke-width=\"1.3\" \
             stroke-linecap=\"round\" stroke-linejoin=\"round\"/>",
            corner.x,
            corner.y,
            icons::path(shape)
        );
    }

    fn rectangle(
        &mut self,
        corner: Point,
        size: Size,
        radius: f64,
        fill: &str,
        ink: &str,
        dashes: &str,
    ) {
        let dashes = if dashes.is_empty() {
            String::new()
        } else {
            format!(" stroke-dasharray=\"{dashes}\"")
        };
        let _ = writeln!(
            self.svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{radius:.1}\" fill=\"{fill}\" stroke=\"{ink}\" \
             stroke-width=\"1.3\"{dashes}/>",
            corner.x, corner.y, size.width, size.height
        );
    }

    fn polygon(&mut self, points: &[(f64, f64)], fill: &str, ink: &str) {
        let points: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = writeln!(
            self.svg,
            "<polygon points=\"{}\" fill=\"{fill}\" stroke=\"{ink}\" stroke-width=\"1.3\" stroke-linejoin=\"round\"/>",
            points.join(" ")
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are five lines at most")]
fn text_height(figure: &Figure) -> f64 {
    figure.name.len() as f64 * NAME_LINE + figure.detail.len() as f64 * DETAIL_LINE
}

/// A course that is vertical at every point.
fn curves(points: &[Point]) -> String {
    let mut path = String::new();
    let mut before: Option<Point> = None;
    for point in points {
        match before {
            None => {
                let _ = write!(path, "M{:.1} {:.1}", point.x, point.y);
            }
            Some(before) if (before.x - point.x).abs() < 0.3 => {
                let _ = write!(path, "L{:.1} {:.1}", point.x, point.y);
            }
            Some(before) => {
                let middle = f64::midpoint(before.y, point.y);
                let _ = write!(
                    path,
                    "C{:.1} {middle:.1} {:.1} {middle:.1} {:.1} {:.1}",
                    before.x, point.x, point.x, point.y
                );
            }
        }
        before = Some(*point);
    }
    path
}

/// Straight pieces with rounded corners.
fn corners(points: &[Point]) -> String {
    let mut path = String::new();
    for (index, point) in points.iter().enumerate() {
        let (before, after) = (
            index.checked_sub(1).and_then(|before| points.get(before)),
            points.get(index + 1),
        );
        match (before, after) {
            (None, _) => {
                let _ = write!(path, "M{:.1} {:.1}", point.x, point.y);
            }
            (Some(_), None) => {
                let _ = write!(path, "L{:.1} {:.1}", point.x, point.y);
            }
            (Some(before), Some(after)) => {
                let (from, to) = (towards(*point, *before, 7.0), towards(*point, *after, 7.0));
                let _ = write!(
                    path,
                    "L{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}",
                    from.x, from.y, point.x, point.y, to.x, to.y
                );
            }
        }
    }
    path
}

/// The point `distance` away on the way to another, at most half way.
fn towards(from: Point, to: Point, distance: f64) -> Point {
    let length = (to.x - from.x).hypot(to.y - from.y);
    if length < 0.01 {
        return from;
    }
    let share = (distance / length).min(0.5);
    Point {
        x: from.x + (to.x - from.x) * share,
        y: from.y + (to.y - from.y) * share,
    }
}

/// Text as XML takes it; characters that XML forbids are replaced.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(letter),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ if letter.is_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(letter),
        }
    }
    escaped
}
