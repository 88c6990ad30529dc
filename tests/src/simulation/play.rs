//! Plays a plan: processes that come and go on one store, until nothing can happen any more.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use augmented_core::runtime::InstanceStatus;
use augmented_core::store::{ExecutionStore, InstanceFilter, Page, QueryStore};
use augmented_core::{NodeId, TenantId, Timestamp};
use augmented_engine::{Engine, Ids, TaskContext, TaskError, VirtualTime};
use serde_json::{Value, json};

use super::audit::{Instances, audit};
use super::client::Client;
use super::faulty_store::{FaultCounts, FaultyStore, Line};
use super::ledger::Ledger;
use super::{Dice, Plan, Violations};

/// What a run consisted of, so that a test can see that runs are worth something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How instances stood at the end.
    pub statuses: BTreeMap<InstanceStatus, u64>,
    /// Facts written.
    pub facts: u64,
    /// Handlers run.
    pub runs: u64,
    /// Handlers that a process began although another had ended their task while it was stopped.
    pub late_runs: u64,
    /// Faults.
    pub faults: FaultCounts,
    /// Runs whose results were compared with those of a healthy world.
    pub compared: u64,
    /// A number that follows from all facts.
    pub digest: u64,
}

impl Tally {
    /// Adds another run.
    pub fn add(&mut self, other: &Self) {
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        self.facts += other.facts;
        self.runs += other.runs;
        self.compared += other.compared;
        let (sum, more) = (&mut self.faults, other.faults);
        sum.unavailable_before += more.unavailable_before;
        sum.unavailable_after += more.unavailable_after;
        sum.half_batches += more.half_batches;
        sum.conflicts += more.conflicts;
        sum.withheld += more.withheld;
        sum.fenced += more.fenced;
        sum.deaths += more.deaths;
        sum.pauses += more.pauses;
        self.late_runs += other.late_runs;
    }
}

/// How a key's instance ended, as far as it can be compared between runs.
type Ends = BTreeMap<String, (InstanceStatus, Option<Value>, Option<String>)>;

/// The instant every run begins at: 2026-01-01T00:00:00Z.
const EPOCH: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Longer than any run takes on the clock of the runtime, which moves only when nothing is left to do.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Plays a plan and audits what it left.
///
/// # Errors
/// Everything that was wrong.
pub fn play(plan: &Plan, trace: bool) -> Result<Tally, Violations> {
    let (mut tally, ends) = play_once(plan, trace)?;
    if plan.is_confluent {
        let (_, expected) = play_once(&plan.in_calm_weather(), false)?;
        tally.compared = 1;
        if ends != expected {
            return Err(Violations(vec![format!(
                "it ended as {ends:?}, in a healthy world as {expected:?}"
            )]));
        }
    }
    Ok(tally)
}

fn play_once(plan: &Plan, trace: bool) -> Result<(Tally, Ends), Violations> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let runtime = runtime.map_err(|error| Violations(vec![format!("no runtime: {error}")]))?;
    runtime.block_on(async {
        let run = tokio::time::timeout(PATIENCE, run(plan, trace));
        run.await.unwrap_or_else(|_| {
            Err(Violations(vec![
                "the run hangs: nothing goes on, and it is not over".to_owned(),
            ]))
        })
    })
}

async fn run(plan: &Plan, trace: bool) -> Result<(Tally, Ends), Violations> {
    let ledger = Arc::new(Ledger::default());
    let store = Arc::new(FaultyStore::new(
        Dice::new(plan.seed ^ 0xFA),
        plan.weather.clone(),
        Arc::clone(&ledger),
        trace,
    ));
    let world = World {
        plan,
        store: Arc::clone(&store),
        ledger: Arc::clone(&ledger),
        time: VirtualTime::new(EPOCH),
    };
    world.publish().await?;
    let mut client = Client::new(plan.acts.clone());
    world.play(&mut client).await?;
    let instances = audit(store.calm(), &ledger, &client, plan.seed).await?;
    Ok((
        tally(&instances, &ledger, &store),
        ends(&instances, &client),
    ))
}

/// How one process came to its end.
enum Ended {
    Died,
    Paused,
    Settled(Result<(), Violations>),
}

/// A process that was stopped.
struct Sleeper {
    engine: Engine,
    line: Arc<Line>,
}

/// What processes come and go in.
struct World<'a> {
    plan: &'a Plan,
    store: Arc<FaultyStore>,
    ledger: Arc<Ledger>,
    time: VirtualTime,
}

impl World<'_> {
    /// Publishes the workflows while the store still behaves.
    async fn publish(&self) -> Result<(), Violations> {
        let engine = self.start(&self.store.quiet_line(), 0).await;
        let published = engine.publish(self.plan.workflows.clone()).await;
        engine.shutdown().await;
        let Err(error) = published else {
            return Ok(());
        };
        let findings = error.findings().iter();
        Err(Violations(
            [format!("the workflows cannot be published: {error}")]
                .into_iter()
                .chain(findings.map(|finding| format!("{finding:?}")))
                .collect(),
        ))
    }

    /// Lets one process after the other do the work, until nothing is left.
    async fn play(&self, client: &mut Client) -> Result<(), Violations> {
        let mut sleepers: Vec<Sleeper> = Vec::new();
        for process in 1.. {
            let line = self.store.line(process);
            let now = self.time.now();
            self.store
                .say(|| format!("process {process} begins at {now}"));
            let slot = OnceCell::new();
            let session = async {
                let engine = self.start(&line, process).await;
                let engine = slot.get_or_init(|| engine);
                client.perform(engine, EPOCH).await;
                self.settle(engine, &sleepers).await
            };
            let ended = tokio::select! {
                biased;
                () = line.death() => Ended::Died,
                () = line.paused() => Ended::Paused,
                never = self.wake(&sleepers) => match never {},
                settled = session => Ended::Settled(settled),
            };
            let engine = slot.into_inner();
            match (ended, engine) {
                (Ended::Paused, Some(engine)) => {
                    self.time.set_stopped(&engine, true);
                    sleepers.push(Sleeper { engine, line });
                }
                (Ended::Died | Ended::Paused, engine) => {
                    if let Some(engine) = engine {
                        engine.kill();
                    }
                    // The tasks of the dead process are dropped when the runtime comes to them.
                    for _ in 0..4 {
                        tokio::task::yield_now().await;
                    }
                }
                (Ended::Settled(settled), engine) => {
                    settled?;
                    sleepers.extend(engine.map(|engine| Sleeper { engine, line }));
                    break;
                }
            }
        }
        for Sleeper { engine, line } in sleepers {
            tokio::select! {
                biased;
                () = line.death() => engine.kill(),
                () = line.paused() => engine.kill(),
                () = engine.shutdown() => {}
            }
        }
        Ok(())
    }

    /// Starts an engine, however often the store is down.
    async fn start(&self, line: &Arc<Line>, process: u64) -> Engine {
        loop {
            let (works, looks) = (Arc::clone(&self.ledger), Arc::clone(&self.ledger));
            let is_confluent = self.plan.is_confluent;
            let engine = Engine::builder(Arc::clone(line) as Arc<_>)
                .with_task("work", move |ctx: TaskContext, input: Value| {
                    let run = works.begin_run(ctx.task_instance_id(), process);
                    work(ctx, input, Arc::clone(&works), run, is_confluent)
                })
                .with_task("look", move |ctx: TaskContext, input: Value| {
                    looks.begin_run(ctx.task_instance_id(), process);
                    look(ctx, input, Arc::clone(&looks))
                })
                .with_config(self.plan.config.clone())
                .with_shared_time(&self.time)
                .with_seed(self.plan.seed)
                .with_ids(Arc::new(Ids::seeded(
                    self.plan.seed.wrapping_mul(64).wrapping_add(process),
                )))
                .start()
                .await;
            match engine {
                Ok(engine) => return engine,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Lets stopped processes go on when they have slept long enough.
    async fn wake(&self, sleepers: &[Sleeper]) -> Infallible {
        let naps = sleepers.iter().map(|sleeper| async {
            sleeper.line.slept().await;
            self.go_on(sleeper);
        });
        futures_util::future::join_all(naps).await;
        std::future::pending().await
    }

    fn go_on(&self, sleeper: &Sleeper) {
        if sleeper.line.is_paused() {
            self.time.set_stopped(&sleeper.engine, false);
            sleeper.line.resume();
        }
    }

    /// Waits until nothing can happen any more, in any process.
    async fn settle(&self, engine: &Engine, sleepers: &[Sleeper]) -> Result<(), Violations> {
        let mut open = Vec::new();
        for _ in 0..LOOKS {
            engine.idle().await;
            for sleeper in sleepers {
                self.go_on(sleeper);
                sleeper.engine.idle().await;
            }
            open = open_work(&self.store).await;
            if open.is_empty() {
                return Ok(());
            }
            self.store
                .say(|| format!("    idle at {}, but: {}", engine.now(), open.join("; ")));
            // A store that withheld work, or was down, is asked again after a moment of real time.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Err(Violations(open))
    }
}

/// Takes its time, fails as often as it is told to, and returns what it is told to.
async fn work(
    ctx: TaskContext,
    input: Value,
    ledger: Arc<Ledger>,
    run: u64,
    is_confluent: bool,
) -> Result<Value, TaskError> {
    if let Some(millis) = input["sleep"].as_u64().filter(|millis| *millis > 0) {
        ctx.sleep(Duration::from_millis(millis)).await;
    }
    if u64::from(ctx.attempt()) <= input["fail"].as_u64().unwrap_or(0) {
        return Err(TaskError::retryable("BUSY", "not yet"));
    }
    if input["refuse"] == true {
        return Err(TaskError::business("REFUSED"));
    }
    let mut result = json!({ "value": input["value"], "step": ctx.step_id() });
    if !is_confluent {
        // Tells apart what several runs of one task return.
        result["run"] = json!(run);
    }
    ledger.end_run(ctx.task_instance_id(), &result);
    Ok(result)
}

/// Says whether the round has come.
async fn look(ctx: TaskContext, input: Value, ledger: Arc<Ledger>) -> Result<Value, TaskError> {
    let result = json!({ "ready": u64::from(ctx.round()) >= input["ready"].as_u64().unwrap_or(0) });
    ledger.end_run(ctx.task_instance_id(), &result);
    Ok(result)
}

/// How often the engine is looked at again when it says it is idle and is not.
const LOOKS: usize = 40;

/// What is left to do in the store, and would be done by nobody if the engine is idle.
async fn open_work(store: &FaultyStore) -> Vec<String> {
    let calm = store.calm();
    let mut open = Vec::new();
    let page = calm
        .list_instances(
            TenantId::DEFAULT,
            &InstanceFilter::default(),
            Page::new(None, 1000),
        )
        .await;
    for row in page.map(|page| page.instances).unwrap_or_default() {
        let loaded = calm
            .instance(TenantId::DEFAULT, row.header.instance_id)
            .await;
        if let Some(owner) = loaded.ok().flatten().and_then(|loaded| loaded.owner) {
            open.push(format!(
                "{} {} is still owned by {owner}, but nothing goes on",
                row.status, row.header.instance_id
            ));
        }
    }
    // What nobody owns is offered to any node.
    let nobody = NodeId(uuid::Uuid::nil());
    for work in calm.pending(nobody, 1000).await.unwrap_or_default() {
        open.push(format!(
            "nobody takes the messages of {}: {:?}",
            work.instance, work.messages
        ));
    }
    if let Ok(Some(at)) = calm.next_timer().await {
        open.push(format!("nobody fires the timer that is due at {at}"));
    }
    open
}

fn tally(instances: &Instances, ledger: &Ledger, store: &FaultyStore) -> Tally {
    let mut tally = Tally {
        runs: ledger.runs(),
        late_runs: ledger.late_runs(),
        faults: store.counts(),
        ..Tally::default()
    };
    let mut digest = DefaultHasher::new();
    for instance in instances.values() {
        *tally.statuses.entry(instance.state.status).or_default() += 1;
        tally.facts += instance.facts.len() as u64;
        serde_json::to_string(&instance.facts)
            .unwrap_or_default()
            .hash(&mut digest);
    }
    tally.digest = digest.finish();
    tally
}

fn ends(instances: &Instances, client: &Client) -> Ends {
    let end = |(key, id): (&String, _)| {
        let state = &instances.get(id)?.state;
        let error = state.error.as_ref().map(|error| error.error.code.clone());
        let output = state.output.as_deref().cloned().map(without_ids);
        Some((key.clone(), (state.status, output, error)))
    };
    client.instances.iter().filter_map(end).collect()
}

/// A value without row ids, which differ between runs.
fn without_ids(value: Value) -> Value {
    match value {
        Value::String(text) if uuid::Uuid::parse_str(&text).is_ok() => json!("an id"),
        Value::Array(items) => items.into_iter().map(without_ids).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, without_ids(value)))
            .collect(),
        other => other,
    }
}
