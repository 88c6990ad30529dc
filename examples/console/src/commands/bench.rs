//! `augmented bench`: measures this host.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use augmented_core::store::Store;
use augmented_engine::{Engine, EngineError, StartRequest, TaskContext, TaskError};
use augmented_store_memory::MemoryStore;
use augmented_store_postgres::{PostgresConfig, PostgresStore};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Format;
use crate::cli::BenchArgs;
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::stores::{StoreChoice, told};
use crate::terminal::{Style, Table, Terminal};

pub(super) fn bench(
    terminal: Terminal,
    format: Format,
    arguments: &BenchArgs,
    choice: StoreChoice,
) -> Result<Exit, Failure> {
    let runtime = super::runtime()?;
    let bench = Bench::new(choice, arguments)?;
    let measured = runtime.block_on(bench.run(terminal, arguments))?;
    match format {
        Format::Json => terminal.print_json(&measured.json(arguments))?,
        Format::Text => terminal.print(&measured.text(terminal, arguments))?,
    }
    Ok(Exit::Done)
}

/// What is measured.
enum Bench {
    Memory,
    /// Tables in a schema of their own.
    Postgres {
        config: Box<PostgresConfig>,
        /// Whether the schema was there for others, too.
        stays: bool,
    },
}

impl Bench {
    fn new(choice: StoreChoice, arguments: &BenchArgs) -> Result<Self, Failure> {
        let config = match (choice, &arguments.schema) {
            (StoreChoice::Postgres(config), _) => config,
            (StoreChoice::Memory | StoreChoice::Unnamed, None) => return Ok(Self::Memory),
            (StoreChoice::Memory | StoreChoice::Unnamed, Some(_)) => {
                return Err(Failure::usage(
                    "`--schema` needs a database: name it with `--store postgres://…`",
                ));
            }
        };
        let own = || format!("augmented_bench_{}", std::process::id());
        let schema = arguments.schema.clone().unwrap_or_else(own);
        let schema = schema
            .parse()
            .map_err(|error| Failure::usage(format!("`--schema {schema}`: {error}")))?;
        Ok(Self::Postgres {
            config: Box::new((*config).with_schema(schema)),
            stays: arguments.schema.is_some(),
        })
    }

    async fn run(self, terminal: Terminal, arguments: &BenchArgs) -> Result<Measured, Failure> {
        let failed = |error| Failure::fault("the measurement failed", error);
        match self {
            Self::Memory => {
                let store = Arc::new(MemoryStore::new());
                measure(terminal, arguments, store, "memory")
                    .await
                    .map_err(failed)
            }
            Self::Postgres { config, stays } => {
                PostgresStore::migrate(&config).await.map_err(told)?;
                let store = PostgresStore::connect((*config).clone())
                    .await
                    .map_err(told)?;
                let measured = measure(terminal, arguments, Arc::new(store), "postgres").await;
                if !stays {
                    PostgresStore::drop_schema(&config).await.map_err(told)?;
                }
                measured.map_err(failed)
            }
        }
    }
}

struct Measured {
    store: &'static str,
    took: Duration,
    /// Latency of each workflow, ascending.
    latencies: Vec<Duration>,
}

/// Runs the workflows, so many at a time; each lane starts the next one when its own has ended.
async fn measure(
    terminal: Terminal,
    arguments: &BenchArgs,
    store: Arc<dyn Store>,
    name: &'static str,
) -> Result<Measured, EngineError> {
    let engine = Engine::builder(store)
        .with_task("bench", pass_on)
        .start()
        .await?;
    engine.publish(workflow(arguments.steps)).await?;
    run_all(terminal, &engine, arguments.in_flight, arguments.warm_up).await?;
    let begun = Instant::now();
    let mut latencies =
        run_all(terminal, &engine, arguments.in_flight, arguments.workflows).await?;
    let took = begun.elapsed();
    engine.shutdown().await;
    latencies.sort_unstable();
    Ok(Measured {
        store: name,
        took,
        latencies,
    })
}

/// Runs so many workflows and says how long each took.
async fn run_all(
    terminal: Terminal,
    engine: &Engine,
    in_flight: u32,
    workflows: u32,
) -> Result<Vec<Duration>, EngineError> {
    let next = Arc::new(AtomicU32::new(0));
    let mut lanes = JoinSet::new();
    for _ in 0..in_flight.min(workflows) {
        lanes.spawn(lane(engine.clone(), Arc::clone(&next), workflows));
    }
    let mut progress = Progress::new(terminal, "measuring".to_owned());
    let mut latencies = Vec::new();
    loop {
        tokio::select! {
            lane = lanes.join_next() => match lane {
                Some(Ok(measured)) => latencies.extend(measured?),
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
                None => return Ok(latencies),
            },
            () = tokio::time::sleep(Duration::from_millis(200)) => {
                let started = next.load(Ordering::Relaxed).min(workflows);
                progress.show(u64::from(started), u64::from(workflows));
            }
        }
    }
}

async fn lane(
    engine: Engine,
    next: Arc<AtomicU32>,
    workflows: u32,
) -> Result<Vec<Duration>, EngineError> {
    let mut latencies = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= workflows {
            return Ok(latencies);
        }
        let begun = Instant::now();
        let handle = engine
            .start(StartRequest::new("bench").with_input(json!({ "number": number })))
            .await?;
        handle.result().await?;
        latencies.push(begun.elapsed());
    }
}

async fn pass_on(_: TaskContext, input: Value) -> Result<Value, TaskError> {
    Ok(input)
}

/// A chain of tasks, each of which maps a value on.
fn workflow(steps: u32) -> Value {
    let step = |number: u32| {
        let from = if number == 1 {
            "${input.number}".to_owned()
        } else {
            format!("${{steps.s{}.output.number}}", number - 1)
        };
        let next = if number == steps {
            json!([])
        } else {
            json!([{ "nextStepId": format!("s{}", number + 1) }])
        };
        json!({"stepId": format!("s{number}"), "type": "TASK", "taskId": "bench", "input": {"number": from}, "next": next})
    };
    let steps: Vec<Value> = (1..=steps).map(step).collect();
    json!({"kind": "workflow", "workflowId": "bench", "version": "1.0.0", "name": "Bench", "steps": steps})
}

impl Measured {
    fn per_second(&self, count: u64) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a rate needs no more than 53 bits"
        )]
        let rate = count as f64 / self.took.as_secs_f64();
        rate.round()
    }

    fn millis(&self, percent: usize) -> f64 {
        let index = (self.latencies.len() * percent)
            .div_ceil(100)
            .saturating_sub(1);
        let latency = self.latencies.get(index).copied().unwrap_or_default();
        (latency.as_secs_f64() * 1e6).round() / 1e3
    }

    fn rates(&self, arguments: &BenchArgs) -> (f64, f64) {
        let workflows = u64::from(arguments.workflows);
        (
            self.per_second(workflows * u64::from(arguments.steps)),
            self.per_second(workflows),
        )
    }

    fn json(&self, arguments: &BenchArgs) -> Value {
        let (steps, workflows) = self.rates(arguments);
        json!({
            "store": self.store,
            "workflows": arguments.workflows,
            "steps": arguments.steps,
            "inFlight": arguments.in_flight,
            "seconds": (self.took.as_secs_f64() * 1e3).round() / 1e3,
            "stepsPerSecond": steps,
            "workflowsPerSecond": workflows,
            "p50Ms": self.millis(50),
            "p99Ms": self.millis(99),
        })
    }

    fn text(&self, terminal: Terminal, arguments: &BenchArgs) -> String {
        let (steps, workflows) = self.rates(arguments);
        let mut table = Table::default();
        let mut row = |name: &str, value: String| {
            table.row(vec![(Style::Dim, name.to_owned()), (Style::Bold, value)])
        };
        row("steps/s", format!("{steps:.0}"));
        row("workflows/s", format!("{workflows:.0}"));
        row("p50", format!("{:.3} ms", self.millis(50)));
        row("p99", format!("{:.3} ms", self.millis(99)));
        let head = format!(
            "{} workflows of {} steps on the {} store, {} at a time, {:.2} s\n",
            arguments.workflows,
            arguments.steps,
            self.store,
            arguments.in_flight,
            self.took.as_secs_f64()
        );
        head + &table.render(terminal, "  ")
    }
}
