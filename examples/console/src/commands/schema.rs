//! `augmented schema`: the JSON Schemas of the definition kinds.

use std::fs;
use std::path::Path;

use augmented_core::model::DefinitionKind;
use augmented_core::schemas;
use serde_json::{Map, Value};

use super::Format;
use crate::cli::SchemaArgs;
use crate::exit::{Exit, Failure};
use crate::terminal::Terminal;

pub(super) fn schema(
    terminal: Terminal,
    format: Format,
    arguments: &SchemaArgs,
) -> Result<Exit, Failure> {
    match (&arguments.kind, &arguments.out) {
        (_, Some(directory)) => write_all(terminal, format, directory)?,
        (Some(kind), None) => terminal.print(&text_of(kind)?)?,
        (None, None) => {
            let all: Map<String, Value> = schemas::all()
                .iter()
                .map(|one| (one.kind.to_string(), one.schema.clone()))
                .collect();
            terminal.print_json(&all)?;
        }
    }
    Ok(Exit::Done)
}

fn text_of(kind: &str) -> Result<String, Failure> {
    let kinds = || {
        DefinitionKind::MODELLED
            .map(DefinitionKind::as_str)
            .join(", ")
    };
    let found = schemas::all().iter().find(|one| one.kind.as_str() == kind);
    found.map(schemas::ShippedSchema::to_text).ok_or_else(|| {
        Failure::usage(format!(
            "there is no schema of kind `{kind}`: use one of {}",
            kinds()
        ))
    })
}

fn write_all(terminal: Terminal, format: Format, directory: &Path) -> Result<(), Failure> {
    let fail = |error: std::io::Error| {
        Failure::fault(format!("cannot write into {}", directory.display()), error)
    };
    fs::create_dir_all(directory).map_err(fail)?;
    let mut written = Vec::new();
    for (name, text) in schemas::generate() {
        let path = directory.join(&name);
        fs::write(&path, text).map_err(fail)?;
        written.push(path.to_string_lossy().into_owned());
    }
    match format {
        Format::Json => terminal.print_json(&serde_json::json!({ "written": written })),
        Format::Text => terminal.print(
            &written
                .into_iter()
                .map(|name| name + "\n")
                .collect::<String>(),
        ),
    }
}
