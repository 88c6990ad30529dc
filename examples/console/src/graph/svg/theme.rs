//! The colours of a drawing, on white.

use augmented_core::model::StepType;

use super::{Line, Shape};

pub(super) const TEXT: &str = "#1f2933";
pub(super) const MUTED: &str = "#52606d";
pub(super) const FRAME_FILL: &str = "#f6f8fa";
pub(super) const LANE_FILL: &str = "#ffffff";
pub(super) const FRAME_LINE: &str = "#9fb0c0";

/// Colours of a box: inside and outline.
pub(super) const fn colours(shape: Shape) -> (&'static str, &'static str) {
    match shape {
        Shape::Step(StepType::Start) | Shape::Entry => ("#e3f5e8", "#2f8f53"),
        Shape::Step(StepType::End) | Shape::Exit => ("#edf0f3", "#3e4c59"),
        Shape::Step(StepType::Pass) => ("#f5f7fa", "#8795a1"),
        Shape::Step(StepType::Task) => ("#e8f1fc", "#3578b8"),
        Shape::Step(StepType::HumanTask) => ("#fff4da", "#b97a16"),
        Shape::Step(StepType::Decision) => ("#f3ecfb", "#7f52bd"),
        Shape::Step(StepType::Parallel | StepType::ForEach) => (FRAME_FILL, FRAME_LINE),
        Shape::Step(StepType::EventWait) => ("#e2f5f2", "#22857a"),
        Shape::Step(StepType::Delay) => ("#eceff3", "#5b6b7b"),
        Shape::Step(StepType::Poll) => ("#e6eefb", "#4560b0"),
        Shape::Step(StepType::SubWorkflow) => ("#ebf6e6", "#4e8a33"),
        Shape::FailedEnd | Shape::AnyError | Shape::Missing => ("#fdeaea", "#c0392b"),
        Shape::Compensation => ("#faf3ec", "#a0673a"),
    }
}

/// Colour and dashes of an arrow.
pub(super) const fn stroke(line: Line) -> (&'static str, &'static str) {
    match line {
        Line::Normal => ("#52606d", ""),
        Line::Escape => ("#52606d", "9 3 2 3"),
        Line::Failure => ("#c0392b", "5 4"),
        Line::Timeout => ("#b96b00", "5 4"),
        Line::Undo => ("#a0673a", "2 3"),
    }
}

/// The end of a marker's name, one for each colour.
pub(super) const fn marker(line: Line) -> &'static str {
    match line {
        Line::Normal | Line::Escape => "normal",
        Line::Failure => "failure",
        Line::Timeout => "timeout",
        Line::Undo => "undo",
    }
}
