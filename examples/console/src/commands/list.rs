//! `augmented list`: a page of instances.

use augmented_core::runtime::InstanceStatus;
use augmented_core::store::{InstanceFilter, InstancePage, Page};
use augmented_core::{InstanceId, Timestamp};
use serde_json::{Value, json};

use super::Format;
use super::operate::connect;
use super::run::failure;
use crate::cli::ListArgs;
use crate::exit::{Exit, Failure};
use crate::selection::split_reference;
use crate::stores::StoreChoice;
use crate::terminal::{Style, Table, Terminal};

pub(super) fn list(
    terminal: Terminal,
    format: Format,
    arguments: &ListArgs,
    store: StoreChoice,
) -> Result<Exit, Failure> {
    let filter = filter(arguments)?;
    let after = arguments.after.as_deref().map(cursor).transpose()?;
    let page = Page::new(after, usize::from(arguments.limit));
    let page = super::runtime()?.block_on(async {
        let engine = connect(store).await?;
        engine.list(&filter, page).await.map_err(failure)
    })?;
    match format {
        Format::Json => terminal.print_json(&json(&page))?,
        Format::Text => terminal.print(&text(terminal, &page))?,
    }
    Ok(Exit::Done)
}

fn filter(arguments: &ListArgs) -> Result<InstanceFilter, Failure> {
    let mut filter = InstanceFilter::default();
    if let Some(workflow) = &arguments.workflow {
        let (id, version) = split_reference(workflow);
        filter.workflow_id = Some(id);
        filter.version = version;
    }
    for name in &arguments.status {
        let wanted = name.to_ascii_uppercase();
        let status = InstanceStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == wanted)
            .ok_or_else(|| {
                let known: Vec<&str> = InstanceStatus::ALL
                    .iter()
                    .map(|status| status.as_str())
                    .collect();
                Failure::usage(format!("--status `{name}` is none of {}", known.join(", ")))
            })?;
        filter.statuses.push(status);
    }
    filter.correlation_id.clone_from(&arguments.correlation_id);
    filter.parent = arguments.parent.map(InstanceId);
    Ok(filter)
}

/// `INSTANT/ID`, as a page before printed it.
fn cursor(text: &str) -> Result<(Timestamp, InstanceId), Failure> {
    let wrong = || Failure::usage("--after takes the `next` of the page before");
    let (at, id) = text.split_once('/').ok_or_else(wrong)?;
    Ok((
        at.parse().map_err(|_| wrong())?,
        id.parse().map_err(|_| wrong())?,
    ))
}

fn next(page: &InstancePage) -> Option<String> {
    page.next.map(|(at, id)| format!("{at}/{id}"))
}

fn json(page: &InstancePage) -> Value {
    let instances: Vec<Value> = page
        .instances
        .iter()
        .map(|row| {
            json!({
                "instanceId": row.header.instance_id,
                "workflowId": row.header.definition.workflow_id,
                "version": row.header.definition.version,
                "status": row.status,
                "correlationId": row.header.correlation_id,
                "priority": row.header.priority,
                "createdAt": row.header.created_at,
                "updatedAt": row.updated_at,
                "completedAt": row.completed_at,
            })
        })
        .collect();
    json!({ "instances": instances, "next": next(page) })
}

fn text(terminal: Terminal, page: &InstancePage) -> String {
    let mut table = Table::with_header(&[
        "instance", "workflow", "version", "status", "created", "key",
    ]);
    for row in &page.instances {
        table.row(vec![
            (Style::Plain, row.header.instance_id.to_string()),
            (Style::Bold, row.header.definition.workflow_id.to_string()),
            (Style::Plain, row.header.definition.version.to_string()),
            (Style::Plain, row.status.to_string()),
            (Style::Dim, row.header.created_at.to_string()),
            (
                Style::Dim,
                row.header
                    .correlation_id
                    .as_deref()
                    .unwrap_or_default()
                    .to_owned(),
            ),
        ]);
    }
    let more = next(page).map_or_else(String::new, |next| format!("more: --after {next}\n"));
    table.render(terminal, "") + &more
}
