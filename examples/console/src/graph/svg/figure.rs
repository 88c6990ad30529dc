//! The outline of each box and the text that fits inside.

use augmented_core::model::StepType;

use super::super::diagram::{Node, Shape};
use super::super::layout::Size;
use super::{DETAIL, NAME};

/// How a box is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outline {
    Rectangle,
    DoubleRectangle,
    DottedRectangle,
    Pill,
    ThickPill,
    DashedPill,
    Diamond,
    Hexagon,
    Dot,
    Target,
}

/// A box with its text broken into lines.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figure {
    pub(super) outline: Outline,
    pub(super) size: Size,
    pub(super) diamond: bool,
    pub(super) name: Vec<String>,
    pub(super) detail: Vec<String>,
    pub(super) icon: bool,
}

/// Height of a line of the name, and of the detail.
pub(super) const NAME_LINE: f64 = 16.0;
pub(super) const DETAIL_LINE: f64 = 13.5;
/// Room for an icon to the left of the text.
pub(super) const ICON_ROOM: f64 = 24.0;

const TEXT_WIDTH: f64 = 158.0;
const DIAMOND_TEXT_WIDTH: f64 = 112.0;

/// The smallest figure that holds the text of a box.
pub(super) fn measure(node: &Node) -> Figure {
    let outline = outline(node.shape);
    let wrap = if outline == Outline::Diamond {
        DIAMOND_TEXT_WIDTH
    } else {
        TEXT_WIDTH
    };
    let name = if matches!(outline, Outline::Dot | Outline::Target) {
        Vec::new()
    } else {
        NAME.wrap(&node.title, wrap, 3)
    };
    let detail = if outline == Outline::Diamond {
        Vec::new()
    } else {
        DETAIL.wrap(&node.detail, TEXT_WIDTH, 2)
    };
    let widest = |lines: &[String], font: super::Font| {
        lines
            .iter()
            .map(|line| font.width(line))
            .fold(0.0, f64::max)
    };
    let text = Size {
        width: widest(&name, NAME).max(widest(&detail, DETAIL)),
        height: lines_height(&name, NAME_LINE) + lines_height(&detail, DETAIL_LINE),
    };
    let icon = has_icon(node.shape);
    let icon_room = if icon { ICON_ROOM } else { 0.0 };
    let size = match outline {
        Outline::Rectangle | Outline::DottedRectangle => Size {
            width: (text.width + icon_room + 24.0).max(110.0),
            height: text.height + 20.0,
        },
        Outline::DoubleRectangle => Size {
            width: (text.width + icon_room + 34.0).max(110.0),
            height: text.height + 20.0,
        },
        Outline::Hexagon => Size {
            width: (text.width + icon_room + 44.0).max(110.0),
            height: text.height + 20.0,
        },
        Outline::Pill | Outline::ThickPill | Outline::DashedPill => Size {
            width: (text.width + 36.0).max(72.0),
            height: text.height + 16.0,
        },
        Outline::Diamond => {
            // A rectangle fits a diamond if its share of the width and its share of the height add up to one.
            let height = text.height + 40.0;
            Size {
                width: (text.width + 8.0) / (1.0 - text.height / height),
                height,
            }
        }
        Outline::Dot => Size {
            width: 18.0,
            height: 18.0,
        },
        Outline::Target => Size {
            width: 22.0,
            height: 22.0,
        },
    };
    Figure {
        outline,
        size,
        diamond: outline == Outline::Diamond,
        name,
        detail,
        icon,
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are three lines at most")]
fn lines_height(lines: &[String], height: f64) -> f64 {
    lines.len() as f64 * height
}

const fn outline(shape: Shape) -> Outline {
    match shape {
        Shape::Step(step) => match step {
            StepType::Start => Outline::Pill,
            StepType::End => Outline::ThickPill,
            StepType::Decision => Outline::Diamond,
            StepType::EventWait | StepType::Delay => Outline::Hexagon,
            StepType::SubWorkflow => Outline::DoubleRectangle,
            StepType::Pass
            | StepType::Task
            | StepType::HumanTask
            | StepType::Parallel
            | StepType::ForEach
            | StepType::Poll => Outline::Rectangle,
        },
        Shape::FailedEnd => Outline::ThickPill,
        Shape::Entry => Outline::Dot,
        Shape::Exit => Outline::Target,
        Shape::AnyError => Outline::DashedPill,
        Shape::Compensation | Shape::Missing => Outline::DottedRectangle,
    }
}

const fn has_icon(shape: Shape) -> bool {
    match shape {
        Shape::Step(step) => !matches!(step, StepType::Start | StepType::End | StepType::Decision),
        Shape::Compensation => true,
        Shape::FailedEnd | Shape::Entry | Shape::Exit | Shape::AnyError | Shape::Missing => false,
    }
}
