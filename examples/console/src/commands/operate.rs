//! Commands on one instance: `start`, `show`, `history`, `signal`, `cancel`, `pause`, `resume`.

use std::time::Duration;

use augmented_core::InstanceId;
use augmented_core::runtime::HistoryEntry;
use augmented_engine::{
    CancelRequest, ControlRequest, Engine, EngineError, InstanceView, SignalRequest, StartRequest,
};
use serde_json::{Value, json};

use super::Format;
use super::run::{exit_of, failure, print_refused, shown, timeout};
use crate::arguments::json_argument;
use crate::cli::{CancelArgs, ControlArgs, InstanceArgs, SignalArgs, StartArgs};
use crate::exit::{Exit, Failure};
use crate::run::result::RunResult;
use crate::run::text;
use crate::selection::split_reference;
use crate::stores::StoreChoice;
use crate::terminal::{Style, Table, Terminal};

/// An engine that asks and drives nothing.
pub(super) async fn connect(store: StoreChoice) -> Result<Engine, Failure> {
    let store = store.lasting()?;
    Engine::builder(store.open().await?)
        .connect()
        .await
        .map_err(failure)
}

pub(super) fn start(
    terminal: Terminal,
    format: Format,
    arguments: &StartArgs,
    store: StoreChoice,
) -> Result<Exit, Failure> {
    let request = request(arguments)?;
    let longest = arguments.timeout.as_deref().map(timeout).transpose()?;
    super::runtime()?.block_on(async {
        let engine = connect(store).await?;
        let handle = match engine.start(request).await {
            Ok(handle) => handle,
            Err(EngineError::InvalidArgument { findings, .. }) if !findings.is_empty() => {
                return print_refused(terminal, format, &shown(findings, Some("--input")));
            }
            Err(error) => return Err(failure(error)),
        };
        if arguments.wait {
            let ended = async { handle.result().await.map_err(failure).map(|_| ()) };
            // What is not over in time is shown as it stands.
            within(longest, ended).await?;
            return show_instance(terminal, format, &engine, handle.id()).await;
        }
        let view = engine.instance(handle.id()).await.map_err(failure)?;
        match format {
            Format::Json => terminal.print_json(&json!({
                "instanceId": view.id(),
                "workflowId": view.flow().workflow_id(),
                "version": view.flow().version(),
                "status": view.status(),
            }))?,
            Format::Text => terminal.print(&format!("{}\n", view.id()))?,
        }
        Ok(Exit::Done)
    })
}

async fn within(
    longest: Option<Duration>,
    ended: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    match longest {
        Some(longest) => tokio::time::timeout(longest, ended).await.unwrap_or(Ok(())),
        None => ended.await,
    }
}

fn request(arguments: &StartArgs) -> Result<StartRequest, Failure> {
    let (workflow, version) = split_reference(&arguments.workflow);
    let mut request = StartRequest::new(workflow).with_priority(arguments.priority);
    if let Some(version) = version {
        request = request.with_version(version);
    }
    if let Some(input) = &arguments.input {
        request = request.with_input(json_argument("--input", input)?);
    }
    if let Some(key) = &arguments.correlation_id {
        request = request.with_correlation_id(key);
    }
    if let Some(key) = &arguments.idempotency_key {
        request = request.with_idempotency_key(key);
    }
    if let Some(metadata) = &arguments.metadata {
        request = request.with_metadata(json_argument("--metadata", metadata)?);
    }
    Ok(request)
}

pub(super) fn show(
    terminal: Terminal,
    format: Format,
    arguments: &InstanceArgs,
    store: StoreChoice,
) -> Result<Exit, Failure> {
    super::runtime()?.block_on(async {
        let engine = connect(store).await?;
        show_instance(terminal, format, &engine, InstanceId(arguments.id)).await?;
        Ok(Exit::Done)
    })
}

async fn show_instance(
    terminal: Terminal,
    format: Format,
    engine: &Engine,
    id: InstanceId,
) -> Result<Exit, Failure> {
    let view: InstanceView = engine.instance(id).await.map_err(failure)?;
    let history = engine.history(id).await.map_err(failure)?;
    let result = RunResult::new(&view, history);
    match format {
        Format::Json => terminal.print_json(&result)?,
        Format::Text => terminal.print(&text::render(terminal, &view, &result))?,
    }
    Ok(exit_of(view.status()))
}

pub(super) fn history(
    terminal: Terminal,
    format: Format,
    arguments: &InstanceArgs,
    store: StoreChoice,
) -> Result<Exit, Failure> {
    let history = super::runtime()?.block_on(async {
        let engine = connect(store).await?;
        engine
            .history(InstanceId(arguments.id))
            .await
            .map_err(failure)
    })?;
    match format {
        Format::Json => terminal.print_json(&json!({ "history": history }))?,
        Format::Text => terminal.print(&history_text(terminal, &history)?)?,
    }
    Ok(Exit::Done)
}

fn history_text(terminal: Terminal, history: &[HistoryEntry]) -> Result<String, Failure> {
    let mut table = Table::with_header(&["seq", "at", "type", "step", "visit", "details"]);
    for entry in history {
        // The wire names are the ones people know.
        let wire = serde_json::to_value(entry)
            .map_err(|error| Failure::fault("the history cannot be written", error))?;
        let cell = |name: &str| match wire.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        table.row(vec![
            (Style::Dim, cell("seq")),
            (Style::Dim, cell("at")),
            (Style::Bold, cell("type")),
            (Style::Plain, cell("stepId")),
            (Style::Plain, cell("visit")),
            (Style::Dim, crate::terminal::one_line(&cell("details"), 60)),
        ]);
    }
    Ok(table.render(terminal, ""))
}

pub(super) fn signal(
    terminal: Terminal,
    format: Format,
    arguments: &SignalArgs,
    store: StoreChoice,
) -> Result<Exit, Failure> {
    let mut request = SignalRequest::new(&arguments.signal_type);
    if let Some(payload) = &arguments.payload {
        request = request.with_payload(json_argument("--payload", payload)?);
    }
    if let Some(id) = &arguments.signal_id {
        request = request.with_signal_id(id);
    }
    if let Some(sender) = &arguments.sender {
        request = request.with_sender(sender);
    }
    super::runtime()?.block_on(async {
        let engine = connect(store).await?;
        match engine.signal(InstanceId(arguments.id), request).await {
            Ok(receipt) => {
                told(
                    terminal,
                    format,
                    &json!({
                        "signalId": receipt.signal_id,
                        "accepted": true,
                        "duplicate": receipt.duplicate,
                    }),
                    receipt.duplicate,
                )?;
                Ok(Exit::Done)
            }
            Err(EngineError::InvalidArgument { findings, .. }) if !findings.is_empty() => {
                print_refused(terminal, format, &shown(findings, Some("--payload")))
            }
            Err(error) => Err(failure(error)),
        }
    })
}

pub(super) fn cancel(
    terminal: Terminal,
    format: Format,
    arguments: &CancelArgs,
    store: StoreChoice,
) -> Result<Exit, Failure> {
    let mut request = CancelRequest::new(&arguments.reason);
    if let Some(id) = &arguments.request_id {
        request = request.with_request_id(id);
    }
    if let Some(requester) = &arguments.requester {
        request = request.with_requester(requester);
    }
    super::runtime()?.block_on(async {
        let engine = connect(store).await?;
        let receipt = engine
            .cancel(InstanceId(arguments.id), request)
            .await
            .map_err(failure)?;
        told(
            terminal,
            format,
            &json!({ "requestId": receipt.request_id, "duplicate": receipt.duplicate }),
            receipt.duplicate,
        )?;
        Ok(Exit::Done)
    })
}

/// What an operator may ask of an instance.
#[derive(Clone, Copy)]
pub(super) enum Control {
    Pause,
    Resume,
}

pub(super) fn control(
    terminal: Terminal,
    format: Format,
    arguments: &ControlArgs,
    store: StoreChoice,
    control: Control,
) -> Result<Exit, Failure> {
    let mut request = ControlRequest::new().with_wait(timeout(&arguments.timeout)?);
    if let Some(reason) = &arguments.reason {
        request = request.with_reason(reason);
    }
    if let Some(id) = &arguments.request_id {
        request = request.with_request_id(id);
    }
    if let Some(requester) = &arguments.requester {
        request = request.with_requester(requester);
    }
    super::runtime()?.block_on(async {
        let engine = connect(store).await?;
        let id = InstanceId(arguments.id);
        let receipt = match control {
            Control::Pause => engine.pause(id, request).await,
            Control::Resume => engine.resume(id, request).await,
        };
        let receipt = receipt.map_err(failure)?;
        let applied = receipt.applied == Some(true);
        match format {
            Format::Json => terminal.print_json(&json!({
                "requestId": receipt.request_id,
                "duplicate": receipt.duplicate,
                "applied": applied,
            }))?,
            Format::Text if applied => terminal.print("done\n")?,
            Format::Text => terminal.print("accepted; no worker has applied it yet\n")?,
        }
        Ok(Exit::Done)
    })
}

/// Says that a message was accepted.
fn told(
    terminal: Terminal,
    format: Format,
    receipt: &Value,
    duplicate: bool,
) -> Result<(), Failure> {
    match (format, duplicate) {
        (Format::Json, _) => terminal.print_json(receipt),
        (Format::Text, false) => terminal.print("accepted\n"),
        (Format::Text, true) => terminal.print("it was accepted before\n"),
    }
}
