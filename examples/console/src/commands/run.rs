//! `augmented run`: runs one workflow to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use augmented_core::runtime::InstanceStatus;
use augmented_core::store::Store;
use augmented_core::validate::{Finding, NoReferences, Purpose};
use augmented_core::{IsoDuration, Timestamp};
use augmented_engine::{Bundle, Engine, EngineError, MockScript, StartRequest};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::Format;
use crate::arguments::json_argument;
use crate::cli::RunArgs;
use crate::exit::{Exit, Failure};
use crate::files::SourceFile;
use crate::findings::{self, ShownFinding};
use crate::host::CommandHost;
use crate::progress::Progress;
use crate::run::drive::Drive;
use crate::run::result::RunResult;
use crate::run::script::{self, Stimulus};
use crate::run::{mocks, text};
use crate::selection::Selection;
use crate::stores::StoreChoice;
use crate::terminal::Terminal;

pub(super) fn run(
    terminal: Terminal,
    format: Format,
    arguments: &RunArgs,
    store: StoreChoice,
) -> Result<Exit, Failure> {
    let plan = Plan::read(arguments)?;
    let mocked = CommandHost::with_mocks(plan.mocks.keys().cloned());
    let checked = findings::check(
        &plan.selection.files,
        &NoReferences,
        Some(&mocked),
        Purpose::Publish,
    );
    if checked.has_errors() {
        return refuse(terminal, format, &checked.findings);
    }
    plan.selection.document()?;
    mocks::require_tasks(&plan.mocks, &plan.selection.files)?;
    let warnings = checked.findings.len();
    if warnings > 0 {
        let noun = if warnings == 1 { "warning" } else { "warnings" };
        terminal.warn(&format!(
            "the definitions have {warnings} {noun}, see `augmented validate`"
        ));
    }
    let runtime = runtime(plan.epoch.is_some())?;
    let answer = runtime.block_on(plan.carry_out(terminal, store));
    // A handler that never returns must not keep the command from ending.
    runtime.shutdown_background();
    match answer? {
        Answer::Refused(findings) => refuse(terminal, format, &findings),
        Answer::Ran(ran) => ran.print(terminal, format),
    }
}

/// Everything the arguments say.
struct Plan {
    selection: Selection,
    input: Value,
    script: Vec<Stimulus>,
    mocks: BTreeMap<String, MockScript>,
    /// Where virtual time begins, if time is virtual.
    epoch: Option<Timestamp>,
    seed: u64,
    timeout: Option<Duration>,
}

enum Answer {
    Refused(Vec<ShownFinding>),
    Ran(Box<Ran>),
}

struct Ran {
    view: augmented_engine::InstanceView,
    result: RunResult,
}

impl Plan {
    fn read(arguments: &RunArgs) -> Result<Self, Failure> {
        let input = arguments
            .input
            .as_deref()
            .map_or_else(|| Ok(json!({})), |text| json_argument("--input", text))?;
        let script = match &arguments.script {
            Some(text) => script::read(&json_argument("--script", text)?)?,
            None => Vec::new(),
        };
        let mocks = mocks::read(&arguments.mock)?;
        let epoch: Timestamp = arguments.epoch.parse().map_err(|_| {
            Failure::usage(format!(
                "--epoch `{}` is no instant such as 2026-01-01T00:00:00Z",
                arguments.epoch
            ))
        })?;
        let timeout = arguments.timeout.as_deref().map(timeout).transpose()?;
        let selection = Selection::load(&arguments.workflow, &arguments.definitions)?;
        Ok(Self {
            selection,
            input,
            script,
            mocks,
            epoch: arguments.virtual_time.then_some(epoch),
            seed: arguments.seed,
            timeout,
        })
    }

    async fn carry_out(self, terminal: Terminal, store: StoreChoice) -> Result<Answer, Failure> {
        let lasting = !store.is_memory();
        let engine = self.engine(store.open().await?).await?;
        match engine.publish(bundle(&self.selection.files)).await {
            Ok(_) => {}
            Err(EngineError::InvalidArgument { findings, .. }) => {
                return Ok(refused(findings, None));
            }
            Err(error) => return Err(failure(error)),
        }
        // Nothing may happen between the start and the first look at the script.
        let hold = engine.hold_time();
        let mut request = StartRequest::new(&self.selection.workflow_id).with_input(self.input);
        if let Some(version) = &self.selection.requirement {
            request = request.with_version(version);
        }
        let started_at = engine.now();
        let handle = match engine.start(request).await {
            Ok(handle) => handle,
            Err(EngineError::InvalidArgument { findings, .. }) if !findings.is_empty() => {
                return Ok(refused(findings, Some("--input")));
            }
            Err(error) => return Err(failure(error)),
        };
        let id = handle.id();
        let drive = Drive::new(
            engine.clone(),
            handle,
            started_at,
            self.epoch.is_some(),
            self.script,
        );
        let progress = Progress::new(terminal, format!("running {}", self.selection.workflow_id));
        let mut under_way = JoinSet::new();
        under_way.spawn(drive.run());
        drop(hold);
        let end = tokio::select! {
            end = under_way.join_next() => end,
            () = after(self.timeout) => None,
            () = progress.show_time() => None,
        };
        drop(progress);
        match end {
            Some(Ok(Ok((_, notes)))) => notes.iter().for_each(|note| terminal.warn(note)),
            Some(Ok(Err(error))) => return Err(failure(error)),
            Some(Err(error)) => return Err(Failure::fault("the run broke off", error)),
            None => under_way.abort_all(),
        }
        // What is printed is one moment, even if the run was broken off.
        let _hold = engine.hold_time();
        let view = engine.instance(id).await.map_err(failure)?;
        let history = engine.history(id).await.map_err(failure)?;
        if lasting {
            // What is not finished is left to the workers on the store.
            engine.shutdown().await;
        } else {
            engine.kill();
        }
        let result = RunResult::new(&view, history);
        Ok(Answer::Ran(Box::new(Ran { view, result })))
    }

    async fn engine(&self, store: Arc<dyn Store>) -> Result<Engine, Failure> {
        let mut builder = Engine::builder(store).with_seed(self.seed);
        for (task, script) in &self.mocks {
            builder = builder.with_mock(task, script.clone());
        }
        if let Some(epoch) = self.epoch {
            builder = builder.with_virtual_time(epoch);
        }
        builder.start().await.map_err(failure)
    }
}

impl Ran {
    fn print(&self, terminal: Terminal, format: Format) -> Result<Exit, Failure> {
        match format {
            Format::Json => terminal.print_json(&self.result)?,
            Format::Text => terminal.print(&text::render(terminal, &self.view, &self.result))?,
        }
        Ok(exit_of(self.result.status))
    }
}

/// How a command ends that waited for an instance.
pub(super) fn exit_of(status: InstanceStatus) -> Exit {
    match status {
        InstanceStatus::Completed => Exit::Done,
        InstanceStatus::Failed => Exit::Failed,
        InstanceStatus::Cancelled => Exit::Cancelled,
        InstanceStatus::Created
        | InstanceStatus::Running
        | InstanceStatus::WaitingForEvent
        | InstanceStatus::Paused
        | InstanceStatus::Cancelling
        | InstanceStatus::Compensating => Exit::Unfinished,
    }
}

/// Prints why a start or a signal was refused.
pub(super) fn print_refused(
    terminal: Terminal,
    format: Format,
    findings: &[ShownFinding],
) -> Result<Exit, Failure> {
    refuse(terminal, format, findings)
}

#[derive(Serialize)]
struct Refusal<'a> {
    ok: bool,
    findings: &'a [ShownFinding],
}

fn refuse(terminal: Terminal, format: Format, findings: &[ShownFinding]) -> Result<Exit, Failure> {
    match format {
        Format::Json => terminal.print_json(&Refusal {
            ok: false,
            findings,
        })?,
        Format::Text => {
            let shown: String = findings
                .iter()
                .map(|finding| finding.render(terminal))
                .collect();
            terminal.print(&format!("{shown}nothing was started\n"))?;
        }
    }
    Ok(Exit::Findings)
}

fn refused(findings: Vec<Finding>, file: Option<&str>) -> Answer {
    Answer::Refused(shown(findings, file))
}

/// Findings of the engine as the command prints them.
pub(super) fn shown(findings: Vec<Finding>, file: Option<&str>) -> Vec<ShownFinding> {
    let shown = findings.into_iter().map(|mut finding| {
        finding.file = file.map(str::to_owned).or(finding.file);
        ShownFinding::new(finding, None, None)
    });
    shown.collect()
}

pub(super) fn bundle(files: &[SourceFile]) -> Bundle {
    files.iter().fold(Bundle::new(), |bundle, file| {
        bundle.with_text(&file.name, String::from_utf8_lossy(&file.text))
    })
}

/// One thread on virtual time, where equal runs must take equal steps.
fn runtime(is_virtual: bool) -> Result<Runtime, Failure> {
    let mut builder = if is_virtual {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    builder
        .enable_all()
        .build()
        .map_err(|error| Failure::fault("the runtime cannot be started", error))
}

async fn after(timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => tokio::time::sleep(timeout).await,
        None => std::future::pending().await,
    }
}

pub(super) fn timeout(text: &str) -> Result<Duration, Failure> {
    let duration: IsoDuration = text
        .parse()
        .map_err(|error| Failure::usage(format!("--timeout: {error}")))?;
    Ok(Duration::from_micros(
        u64::try_from(duration.as_micros()).unwrap_or(0),
    ))
}

/// What the engine refuses is wrong use; a store that does not answer is told apart from a fault.
pub(super) fn failure(error: EngineError) -> Failure {
    match error {
        // Whoever operates the command also operates the store, and needs its own words.
        EngineError::Unavailable {
            source: Some(source),
            ..
        }
        | EngineError::Internal {
            source: Some(source),
            ..
        } => Failure::Store(source.to_string()),
        EngineError::Unavailable { .. } => Failure::Store(error.to_string()),
        EngineError::Internal { .. } => Failure::fault("the engine failed", error),
        _ => Failure::usage(error.to_string()),
    }
}
