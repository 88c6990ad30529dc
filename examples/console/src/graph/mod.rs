//! Drawings of workflow definitions: Mermaid, DOT and SVG.

mod build;
mod diagram;
mod dot;
mod layout;
mod mermaid;
mod svg;
mod text;

use augmented_core::model::WorkflowDefinition;

/// Writes a definition as a Mermaid flowchart.
#[must_use]
pub fn mermaid(workflow: &WorkflowDefinition) -> String {
    mermaid::write(&build::diagram(workflow))
}

/// Writes a definition in the language of Graphviz.
#[must_use]
pub fn dot(workflow: &WorkflowDefinition) -> String {
    dot::write(&build::diagram(workflow))
}

/// Draws a definition as a self-contained SVG picture.
#[must_use]
pub fn svg(workflow: &WorkflowDefinition) -> String {
    svg::draw(&build::diagram(workflow))
}
