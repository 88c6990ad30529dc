//! Small pictures that tell the types of steps apart, each in a square of 16.

use augmented_core::model::StepType;

use super::Shape;

/// The path of a shape's picture, drawn with round strokes.
pub(super) const fn path(shape: Shape) -> &'static str {
    match shape {
        // A cogwheel.
        Shape::Step(StepType::Task) => {
            "M8 5.4a2.6 2.6 0 1 0 0 5.2a2.6 2.6 0 1 0 0-5.2M8 1.6v2M8 12.4v2M1.6 8h2M12.4 8h2M3.5 3.5l1.4 1.4M11.1 11.1l1.4 1.4M12.5 3.5l-1.4 1.4M4.9 11.1l-1.4 1.4"
        }
        // A person.
        Shape::Step(StepType::HumanTask) => {
            "M8 2.2a2.7 2.7 0 1 0 0 5.4a2.7 2.7 0 1 0 0-5.4M2.8 14.2c0-3.2 2.2-4.8 5.2-4.8s5.2 1.6 5.2 4.8z"
        }
        // An envelope.
        Shape::Step(StepType::EventWait) => "M2 4h12v8.6H2zM2 4l6 5l6-5",
        // A clock.
        Shape::Step(StepType::Delay) => "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12M8 4.8V8l2.3 1.8",
        // An arrow that comes back.
        Shape::Step(StepType::Poll | StepType::ForEach) => {
            "M13.2 6.6A5.6 5.6 0 0 0 3 5.4M2.8 9.4A5.6 5.6 0 0 0 13 10.6M2.8 2.4V5.6H6M13.2 13.6V10.4H10"
        }
        // A box within a box.
        Shape::Step(StepType::SubWorkflow) => "M2 2.6h12v10.8H2zM5 8.6h6v4.8H5z",
        // Lines side by side.
        Shape::Step(StepType::Parallel) => "M3 2.6v10.8M8 2.6v10.8M13 2.6v10.8",
        // A line that passes.
        Shape::Step(StepType::Pass) => "M2.4 8h10.4M9.4 4.6L12.8 8l-3.4 3.4",
        // An arrow backwards.
        Shape::Compensation => "M6 3L2.6 6.4L6 9.8M2.8 6.4h6.6a3.6 3.6 0 0 1 0 7.2H6",
        Shape::Step(StepType::Start | StepType::End | StepType::Decision)
        | Shape::FailedEnd
        | Shape::Entry
        | Shape::Exit
        | Shape::AnyError
        | Shape::Missing => "",
    }
}
