//! `augmented graph`: draws a workflow.

use augmented_core::model::{Definition, WorkflowDefinition};

use crate::cli::GraphArgs;
use crate::exit::{Exit, Failure};
use crate::graph;
use crate::selection::Selection;
use crate::terminal::Terminal;

pub(super) fn graph(terminal: Terminal, arguments: &GraphArgs) -> Result<Exit, Failure> {
    let selection = Selection::load(&arguments.workflow, &arguments.definitions)?;
    let workflow = workflow(&selection)?;
    let drawing = match arguments.format.as_deref() {
        None | Some("mermaid") => graph::mermaid(&workflow),
        Some("dot") => graph::dot(&workflow),
        Some("svg") => graph::svg(&workflow),
        // The global option, given before the command.
        Some(other) => {
            return Err(Failure::usage(format!(
                "a workflow cannot be drawn as {other}: use --format mermaid, dot or svg"
            )));
        }
    };
    terminal.print(&drawing)?;
    Ok(Exit::Done)
}

/// A draft with mistakes can be drawn as long as it has the shape of a workflow.
fn workflow(selection: &Selection) -> Result<WorkflowDefinition, Failure> {
    let document = selection.document()?;
    match Definition::from_value(document.value.clone()) {
        Ok(Definition::Workflow(workflow)) => Ok(*workflow),
        Ok(_) => Err(Failure::usage(format!(
            "{} defines no workflow",
            document.file
        ))),
        Err(error) => Err(Failure::fault(
            format!(
                "{} cannot be drawn, see `augmented validate`",
                document.file
            ),
            error,
        )),
    }
}
