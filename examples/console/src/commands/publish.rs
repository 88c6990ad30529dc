//! `augmented publish`: puts definitions into a store.

use augmented_core::validate::{NoReferences, Purpose};
use augmented_engine::{Engine, EngineError, PublishOutcome, PublishReport};
use serde_json::{Value, json};

use super::Format;
use super::run::{bundle, failure, shown};
use crate::cli::PublishArgs;
use crate::exit::{Exit, Failure};
use crate::files::{self, SourceFile};
use crate::findings::{self, ShownFinding};
use crate::host::CommandHost;
use crate::stores::StoreChoice;
use crate::terminal::{Style, Table, Terminal};

pub(super) fn publish(
    terminal: Terminal,
    format: Format,
    arguments: &PublishArgs,
    store: StoreChoice,
) -> Result<Exit, Failure> {
    let store = store.lasting()?;
    let files = files::read_all(&arguments.paths)?;
    for path in &arguments.paths {
        files::require_documents(path, &files)?;
    }
    // What is wrong with a document in itself is told by line and column; what it refers to may be in the store.
    let host = CommandHost::default();
    let own = findings::check(&files, &NoReferences, Some(&host), Purpose::Check);
    let report = super::runtime()?.block_on(into(store, &files))?;
    match report {
        Ok(report) => print(terminal, format, &report, &own.findings)?,
        Err(findings) => {
            refuse(terminal, format, &findings)?;
            return Ok(Exit::Findings);
        }
    }
    Ok(Exit::Done)
}

async fn into(
    store: StoreChoice,
    files: &[SourceFile],
) -> Result<Result<PublishReport, Vec<ShownFinding>>, Failure> {
    let engine = Engine::builder(store.open().await?)
        .connect()
        .await
        .map_err(failure)?;
    match engine.publish(bundle(files)).await {
        Ok(report) => Ok(Ok(report)),
        Err(EngineError::InvalidArgument { findings, .. }) => Ok(Err(shown(findings, None))),
        Err(error) => Err(failure(error)),
    }
}

fn print(
    terminal: Terminal,
    format: Format,
    report: &PublishReport,
    findings: &[ShownFinding],
) -> Result<(), Failure> {
    let outcome = |outcome| match outcome {
        PublishOutcome::New => "NEW",
        PublishOutcome::Unchanged => "UNCHANGED",
    };
    if format == Format::Json {
        let definitions: Vec<Value> = report
            .definitions
            .iter()
            .map(|definition| {
                json!({
                    "kind": definition.stored.kind.as_str(),
                    "id": definition.stored.business_id,
                    "version": definition.stored.version,
                    "outcome": outcome(definition.outcome),
                })
            })
            .collect();
        return terminal
            .print_json(&json!({ "ok": true, "definitions": definitions, "findings": findings }));
    }
    let mut table = Table::with_header(&["kind", "id", "version", ""]);
    for definition in &report.definitions {
        table.row(vec![
            (Style::Plain, definition.stored.kind.as_str().to_owned()),
            (Style::Bold, definition.stored.business_id.to_string()),
            (Style::Plain, definition.stored.version.to_string()),
            (Style::Dim, outcome(definition.outcome).to_ascii_lowercase()),
        ]);
    }
    let told: String = findings
        .iter()
        .map(|finding| finding.render(terminal))
        .collect();
    terminal.print(&(told + &table.render(terminal, "")))
}

fn refuse(terminal: Terminal, format: Format, findings: &[ShownFinding]) -> Result<(), Failure> {
    if format == Format::Json {
        return terminal
            .print_json(&json!({ "ok": false, "definitions": [], "findings": findings }));
    }
    let told: String = findings
        .iter()
        .map(|finding| finding.render(terminal))
        .collect();
    terminal.print(&format!("{told}nothing was published\n"))
}
