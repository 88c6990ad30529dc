//! The closed-loop load generator: a fixed number of workflows in flight, each followed by the next.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::contestant::{Contestant, ContestantError};
use crate::figures::Figures;
use crate::process;

/// How much load is put on, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Workflows running at any moment.
    pub in_flight: usize,
    /// Time before the measured window; its workflows are run and forgotten.
    pub warm_up: Duration,
    /// Length of the measured window.
    pub window: Duration,
}

/// Puts `load` on `contestant` and measures the workflows that end inside the window.
///
/// Every client of the loop starts a workflow, waits for its result, checks it, and starts the next. A latency is the
/// time from the call that starts the workflow to its result in the hands of the client.
///
/// # Errors
///
/// The first workflow that failed or gave a wrong result ends the measurement: a figure of wrong work is none.
pub async fn closed_loop<C: Contestant>(
    contestant: C,
    load: Load,
) -> Result<Figures, ContestantError> {
    let opens = Instant::now() + load.warm_up;
    let closes = opens + load.window;
    let mut clients = JoinSet::new();
    for client in 0..load.in_flight {
        clients.spawn(client_loop(contestant.clone(), client, opens, closes));
    }
    tokio::time::sleep_until(opens.into()).await;
    let cpu_before = process::cpu_time();
    tokio::time::sleep_until(closes.into()).await;
    let cpu = process::cpu_time()
        .zip(cpu_before)
        .map(|(after, before)| after.saturating_sub(before));
    let mut latencies = Vec::new();
    while let Some(joined) = clients.join_next().await {
        latencies.append(&mut joined.map_err(ContestantError::new)??);
    }
    Ok(Figures::new(
        latencies,
        contestant.steps_per_workflow(),
        load.window,
        cpu,
    ))
}

/// Runs one workflow after the other until the window closes; returns the latencies of those that ended inside it.
async fn client_loop<C: Contestant>(
    contestant: C,
    client: usize,
    opens: Instant,
    closes: Instant,
) -> Result<Vec<Duration>, ContestantError> {
    let mut latencies = Vec::new();
    let mut input = (client as u64) << 32;
    loop {
        let begun = Instant::now();
        contestant.run_workflow(input).await?;
        let ended = Instant::now();
        if ended >= closes {
            return Ok(latencies);
        }
        if ended >= opens {
            latencies.push(ended - begun);
        }
        input += 1;
    }
}
