//! `augmented worker`: an engine node.

use std::time::Duration;

use augmented_core::IsoDuration;
use augmented_engine::{Engine, EngineConfig};

use super::run::failure;
use crate::cli::WorkerArgs;
use crate::exit::{Exit, Failure};
use crate::stores::StoreChoice;
use crate::terminal::Terminal;

pub(super) fn worker(
    terminal: Terminal,
    arguments: &WorkerArgs,
    store: StoreChoice,
) -> Result<Exit, Failure> {
    let store = store.lasting()?;
    let lease = duration("--lease", &arguments.lease)?;
    if lease < Duration::from_secs(5) || lease > Duration::from_secs(600) {
        return Err(Failure::usage("--lease must be between PT5S and PT10M"));
    }
    let config = EngineConfig::default()
        .with_node_lease(lease)
        .with_shutdown_timeout(duration("--drain", &arguments.drain)?);
    super::runtime()?.block_on(serve(terminal, config, store))
}

/// Works until the process is told to stop, then lets running tasks end and gives the instances away.
async fn serve(
    terminal: Terminal,
    config: EngineConfig,
    store: StoreChoice,
) -> Result<Exit, Failure> {
    let mut told = Stop::listen()?;
    let engine = Engine::builder(store.open().await?)
        .with_config(config)
        .start()
        .await
        .map_err(failure)?;
    terminal.say("the worker is ready");
    told.wait().await;
    terminal.say("the worker drains");
    engine.shutdown().await;
    Ok(Exit::Done)
}

fn duration(option: &str, text: &str) -> Result<Duration, Failure> {
    let duration: IsoDuration = text
        .parse()
        .map_err(|error| Failure::usage(format!("{option}: {error}")))?;
    Ok(Duration::from_micros(
        u64::try_from(duration.as_micros()).unwrap_or(0),
    ))
}

/// What tells a process to stop.
#[cfg(unix)]
struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stop {
    fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen =
            |kind| signal(kind).map_err(|error| Failure::fault("signals cannot be heard", error));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// What tells a process to stop.
#[cfg(not(unix))]
struct Stop;

#[cfg(not(unix))]
impl Stop {
    fn listen() -> Result<Self, Failure> {
        Ok(Self)
    }

    async fn wait(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
