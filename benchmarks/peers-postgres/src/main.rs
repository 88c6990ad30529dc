//! Runs durable workflows of three steps on one peer with PostgreSQL, in a closed loop, and prints what it measured.

#[cfg(feature = "dbos")]
mod peer_dbos;
#[cfg(feature = "durare")]
mod peer_durare;
#[cfg(feature = "duroxide")]
mod peer_duroxide;

use std::error::Error;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};

/// The one of the `augmented` command, beside which the peers are measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn Error + Send + Sync>;

const STEPS: u64 = 3;
const WARM_UP: Duration = Duration::from_secs(2);
/// `USER_HZ`, which Linux fixes for `/proc`.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Clone, Copy, ValueEnum)]
enum Peer {
    Dbos,
    Durare,
    Duroxide,
}

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    peer: Peer,
    /// URL of a database of the server, of a user who may create databases.
    #[arg(long)]
    url: String,
    /// Workflows in flight at any time.
    #[arg(long, default_value_t = 64)]
    in_flight: u64,
    /// Length of the measurement after the warm-up.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Connections of the peer's pool; by default 32.
    #[arg(long)]
    connections: Option<u32>,
}

/// What a peer offers to the loop.
trait Contestant: Send + Sync + 'static {
    /// Runs one workflow to its end and returns its result.
    fn run(&self, id: String, input: u64) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// Stops the peer and closes its connections.
    fn stop(&self) -> impl Future<Output = ()> + Send;
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    #[cfg(feature = "duroxide")]
    if matches!(arguments.peer, Peer::Duroxide) {
        peer_duroxide::set_pool_size(arguments.connections)?;
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(with_database(&arguments))
}

/// Measures on a database of its own, which is dropped at the end, also after a failure.
async fn with_database(arguments: &Arguments) -> Result<(), Failure> {
    let name = format!("peers_{}", uuid::Uuid::new_v4().simple());
    let options = PgConnectOptions::from_str(&arguments.url)?;
    let mut server = PgConnection::connect_with(&options).await?;
    server.execute(format!("CREATE DATABASE {name}").as_str()).await?;
    let outcome = run_peer(arguments, &with_path(&arguments.url, &name)).await;
    server
        .execute(format!("DROP DATABASE {name} WITH (FORCE)").as_str())
        .await?;
    println!("{}", outcome?);
    Ok(())
}

/// The URL with another database.
fn with_path(url: &str, database: &str) -> String {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let host = address.find("://").map_or(0, |at| at + 3);
    let end = address[host..].find('/').map_or(address.len(), |at| host + at);
    let separator = if query.is_empty() { "" } else { "?" };
    format!("{}/{database}{separator}{query}", &address[..end])
}

async fn run_peer(arguments: &Arguments, url: &str) -> Result<serde_json::Value, Failure> {
    match arguments.peer {
        #[cfg(feature = "dbos")]
        Peer::Dbos => {
            let peer = peer_dbos::Dbos::new(url, arguments.connections).await?;
            measure(arguments, "dbos", "0.5.0", peer).await
        }
        #[cfg(feature = "durare")]
        Peer::Durare => {
            let peer = peer_durare::Durare::new(url, arguments.connections).await?;
            measure(arguments, "durare", "0.5.0", peer).await
        }
        #[cfg(feature = "duroxide")]
        Peer::Duroxide => {
            let peer = peer_duroxide::Duroxide::new(url).await?;
            measure(arguments, "duroxide", "0.1.32 (duroxide-pg 0.1.38)", peer).await
        }
        #[cfg(not(all(feature = "dbos", feature = "durare", feature = "duroxide")))]
        _ => Err("this peer was not built in".into()),
    }
}

async fn measure<C: Contestant>(
    arguments: &Arguments,
    peer: &str,
    version: &str,
    contestant: C,
) -> Result<serde_json::Value, Failure> {
    let contestant = Arc::new(contestant);
    let stopped = Arc::new(AtomicBool::new(false));
    let next = Arc::new(AtomicU64::new(0));
    let start = Instant::now() + WARM_UP;
    let end = start + Duration::from_secs(arguments.seconds);
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..arguments.in_flight {
        let (contestant, stopped, next) = (contestant.clone(), stopped.clone(), next.clone());
        clients.spawn(async move {
            let mut latencies = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let input = next.fetch_add(1, Ordering::Relaxed);
                let started = Instant::now();
                let result = contestant.run(input.to_string(), input).await?;
                let finished = Instant::now();
                if result != input + STEPS {
                    return Err(format!("{input} gave {result}").into());
                }
                if finished >= start && finished < end {
                    latencies.push(finished - started);
                }
            }
            Ok::<_, Failure>(latencies)
        });
    }
    tokio::time::sleep_until(start.into()).await;
    let cpu_before = cpu_seconds()?;
    tokio::time::sleep_until(end.into()).await;
    let cpu = cpu_seconds()? - cpu_before;
    stopped.store(true, Ordering::Relaxed);
    let mut latencies = Vec::new();
    while let Some(client) = clients.join_next().await {
        latencies.extend(client??);
    }
    contestant.stop().await;
    latencies.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let steps = latencies.len() as f64 * STEPS as f64;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let seconds = arguments.seconds as f64;
    Ok(serde_json::json!({
        "peer": peer,
        "version": version,
        "inFlight": arguments.in_flight,
        "seconds": arguments.seconds,
        "workflows": latencies.len(),
        "stepsPerSecond": (steps / seconds).round(),
        "p50Ms": percentile(&latencies, 50),
        "p99Ms": percentile(&latencies, 99),
        "cpuSecondsPerStep": if steps > 0.0 { Some(cpu / steps) } else { None },
    }))
}

/// In milliseconds; `None` of no values.
fn percentile(sorted: &[Duration], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    let value = sorted.get(rank.checked_sub(1)?)?;
    Some((value.as_secs_f64() * 1e6).round() / 1e3)
}

/// User and system time of this process.
fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the process, in parentheses, may contain spaces; user and system time are the 14th and 15th field.
    let (_, fields) = stat.rsplit_once(')').ok_or("unreadable /proc/self/stat")?;
    let mut times = fields.split_whitespace().skip(11);
    let mut ticks = || Ok::<f64, Failure>(times.next().ok_or("short /proc/self/stat")?.parse()?);
    Ok((ticks()? + ticks()?) / TICKS_PER_SECOND)
}
