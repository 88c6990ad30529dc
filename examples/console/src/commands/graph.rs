//! `augmented graph`: draws a workflow.

use augmented_core::model::{Definition, WorkflowDefinition};

use crate::cli::GraphArgs;
use crate::exit::{Exit, Failure};
use crate::findings;
use crate::graph;
use crate::selection::Selection;
use crate::terminal::Terminal;

pub(super) fn graph(terminal: Terminal, arguments: &GraphArgs) -> Result<Exit, Failure> {
    let selection = Selection::load(&arguments.workflow, &arguments.definitions)?;
    let draw = match arguments.format.as_deref() {
        None | Some("mermaid") => graph::mermaid,
        Some("dot") => graph::dot,
        Some("svg") => graph::svg,
        // The global option, given before the command.
        Some(other) => {
            return Err(Failure::usage(format!(
                "a workflow cannot be drawn as {other}: use --format mermaid, dot or svg"
            )));
        }
    };
    let checked = findings::check_alone(&selection.files);
    let drawn = workflow(&selection);
    let errors: String = checked
        .findings
        .iter()
        .filter(|finding| finding.is_error())
        .map(|finding| finding.render(terminal))
        .collect();
    let workflow = match drawn {
        Ok(workflow) => workflow,
        Err(_) if checked.has_errors() => {
            terminal.print(&errors)?;
            return Ok(Exit::Findings);
        }
        Err(failure) => return Err(failure),
    };
    // A draft is drawn as far as it goes, and its mistakes are told beside the drawing.
    if checked.has_errors() {
        terminal.warn(&format!(
            "the definitions have errors\n{}",
            errors.trim_end()
        ));
    }
    terminal.print(&draw(&workflow))?;
    Ok(if checked.has_errors() {
        Exit::Findings
    } else {
        Exit::Done
    })
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
