//! One measurement: an order, carried out in a process of its own.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

use crate::augmented::Augmented;
use crate::contestant::ContestantError;
use crate::figures::Figures;
use crate::load::{Load, closed_loop};
#[cfg(feature = "peers")]
use crate::peer_durare::Durare;
use crate::process;

/// The engines that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// durare 0.5 on its in-memory provider.
    Durare,
    /// Augmented on its memory store.
    Augmented,
}

impl Engine {
    /// The name used in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Durare => "durare",
            Self::Augmented => "augmented",
        }
    }
}

/// One measurement, as asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// The engine.
    pub engine: Engine,
    /// Steps in each workflow.
    pub steps: u64,
    /// Worker threads of the runtime; 0 for a runtime on one thread.
    pub workers: usize,
    /// The load put on.
    pub load: Load,
    /// Ended instances that the store holds before; of Augmented only.
    #[serde(default)]
    pub finished: u64,
    /// Waiting instances that the store holds before; of Augmented only.
    #[serde(default)]
    pub parked: u64,
}

/// The argument by which a command runs itself for one measurement; flatten it into the options.
#[derive(Clone, Debug, clap::Args)]
pub struct Child {
    /// Runs one measurement and prints its figures; the command calls itself so.
    #[arg(long = "measure", hide = true, value_name = "ORDER")]
    order: Option<String>,
    /// Touches so many GiB of memory and ends; the command calls itself so.
    #[arg(long = "touch", hide = true, value_name = "GIB")]
    touch: Option<usize>,
}

impl Child {
    /// Carries out the order the process was started for and does not return, if it was.
    ///
    /// # Errors
    ///
    /// What the engine refused or did wrong.
    pub fn serve(&self) -> Result<(), Box<dyn Error>> {
        if let Some(gib) = self.touch {
            // Filled with something else than zeros, or the pages would only be promised.
            std::hint::black_box(vec![1_u8; gib << 30]);
            std::process::exit(0);
        }
        let Some(order) = &self.order else {
            return Ok(());
        };
        let order: Order = serde_json::from_str(order)?;
        let runtime = runtime(order.workers)?;
        let figures = runtime.block_on(runtime.spawn(carry_out(order)))??;
        println!("{}", serde_json::to_string(&figures)?);
        // Tearing a store of millions of rows down row by row would only delay the next measurement.
        std::process::exit(0);
    }
}

/// The variable that names a build of this program without peers, by which Augmented is measured.
const ALONE: &str = "AUGMENTED_BUILT_ALONE";

/// The program that carries out measurements of an engine.
fn program(engine: Engine) -> io::Result<PathBuf> {
    match (engine, std::env::var_os(ALONE)) {
        (Engine::Augmented, Some(alone)) => Ok(alone.into()),
        _ => std::env::current_exe(),
    }
}

/// Carries out an order in a new process of the running program, or of the build without peers.
///
/// # Errors
///
/// The process could not be started, failed, or did not print figures.
pub fn apart(order: &Order) -> io::Result<Figures> {
    let child = Command::new(program(order.engine)?)
        .args(["--measure", &serde_json::to_string(order)?])
        .stderr(Stdio::inherit())
        .output()?;
    if !child.status.success() {
        let engine = order.engine.name();
        return Err(io::Error::other(format!(
            "measuring {engine} ended with {}",
            child.status
        )));
    }
    Ok(serde_json::from_slice(&child.stdout)?)
}

/// Has a process touch `gib` GiB of memory and end, so that the measurement after it finds memory that the host of a
/// virtual machine has already given; else the first process to touch it pays for that, and the next does not.
///
/// # Errors
///
/// The process could not be started, or there is not so much memory.
pub fn touch_memory(gib: usize) -> io::Result<()> {
    if gib == 0 {
        return Ok(());
    }
    let status = Command::new(std::env::current_exe()?)
        .args(["--touch", &gib.to_string()])
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "touching {gib} GiB of memory ended with {status}"
        ))),
    }
}

async fn carry_out(order: Order) -> Result<Figures, ContestantError> {
    match order.engine {
        #[cfg(feature = "peers")]
        Engine::Durare => closed_loop(Durare::new(order.steps).await?, order.load).await,
        #[cfg(not(feature = "peers"))]
        Engine::Durare => Err(ContestantError::new(
            "this program was built without the feature `peers`",
        )),
        Engine::Augmented => {
            let engine = Augmented::new(order.steps, order.workers.max(1)).await?;
            let empty = process::resident_memory();
            engine.fill(order.finished, order.parked).await?;
            let filled = process::resident_memory();
            let mut figures = closed_loop(engine, order.load).await?;
            let instances = order.finished + order.parked;
            figures.bytes_per_instance = filled
                .zip(empty)
                .filter(|_| instances > 0)
                .map(|(filled, empty)| filled.saturating_sub(empty) as f64 / instances as f64);
            Ok(figures)
        }
    }
}

fn runtime(workers: usize) -> io::Result<Runtime> {
    match workers {
        0 => Builder::new_current_thread().enable_time().build(),
        workers => Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_time()
            .build(),
    }
}
