//! `augmented graph`: draws a workflow.

use augmented_core::model::{Definition, WorkflowDefinition};

use crate::cli::{Drawing, GraphArgs};
use crate::exit::{Exit, Failure};
use crate::graph;
use crate::selection::Selection;
use crate::terminal::Terminal;

pub(super) fn graph(terminal: Terminal, arguments: &GraphArgs) -> Result<Exit, Failure> {
    let selection = Selection::load(&arguments.workflow, &arguments.definitions)?;
    let workflow = workflow(&selection)?;
    let drawing = match arguments.drawing {
        Drawing::Mermaid => graph::mermaid(&workflow),
        Drawing::Dot => graph::dot(&workflow),
        Drawing::Svg => graph::svg(&workflow),
    };
    terminal.print(&drawing)?;
    Ok(Exit::Done)
}

/// A draft with mistakes can be drawn as long as it has the shape of a workflow.
fn workflow(selection: &Selection) -> Result<WorkflowDefinition, Failure> {
    let document = selection.document()?;
    match Definition::from_value(document.value.clone()) {
        Ok(Definition::Workflow(workflow)) => Ok(*workflow),
        Ok(_) => Err(Failure::usage(format!("{} defines no workflow", document.file))),
        Err(error) => Err(Failure::fault(format!("{} cannot be drawn, see `augmented validate`", document.file), error)),
    }
}
