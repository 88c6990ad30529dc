//! Plays a plan: processes that come and go on one store, until nothing can happen any more.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use augmented_core::runtime::InstanceStatus;
use augmented_core::store::{ExecutionStore, InstanceFilter, Page, QueryStore};
use augmented_core::{NodeId, TenantId, Timestamp};
use augmented_engine::{Engine, Ids, TaskContext, TaskError};
use serde_json::{Value, json};

use super::audit::{Instances, audit};
use super::client::Client;
use super::faulty_store::{FaultCounts, FaultyStore};
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
    publish(plan, &store, &ledger).await?;
    let mut client = Client::new(plan.acts.clone());
    let mut now = EPOCH;
    let mut process = 1;
    loop {
        store.new_process();
        store.say(|| format!("process {process} begins at {now}"));
        let slot = OnceCell::new();
        let session = async {
            let engine = start(plan, &store, &ledger, now, process).await;
            let engine = slot.get_or_init(|| engine);
            client.perform(engine, EPOCH).await;
            settle(engine, &store).await
        };
        let settled = tokio::select! {
            biased;
            () = store.death() => None,
            settled = session => Some(settled),
        };
        if let Some(engine) = slot.get() {
            now = engine.now();
            match &settled {
                Some(_) => tokio::select! {
                    biased;
                    () = store.death() => engine.kill(),
                    () = engine.shutdown() => {}
                },
                None => engine.kill(),
            }
        }
        if let Some(settled) = settled {
            settled?;
            break;
        }
        process += 1;
        // The tasks of the dead process are dropped when the runtime comes to them.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
    }
    let instances = audit(store.calm(), &ledger, &client, plan.seed).await?;
    Ok((
        tally(&instances, &ledger, &store),
        ends(&instances, &client),
    ))
}

/// Publishes the workflows while the store still behaves.
async fn publish(
    plan: &Plan,
    store: &Arc<FaultyStore>,
    ledger: &Arc<Ledger>,
) -> Result<(), Violations> {
    let engine = start(plan, store, ledger, EPOCH, 0).await;
    let published = engine.publish(plan.workflows.clone()).await;
    engine.shutdown().await;
    match published {
        Ok(_) => Ok(()),
        Err(error) => {
            let findings = error
                .findings()
                .iter()
                .map(|finding| format!("{finding:?}"));
            Err(Violations(
                [format!("the workflows cannot be published: {error}")]
                    .into_iter()
                    .chain(findings)
                    .collect(),
            ))
        }
    }
}

/// Starts an engine, however often the store is down.
async fn start(
    plan: &Plan,
    store: &Arc<FaultyStore>,
    ledger: &Arc<Ledger>,
    now: Timestamp,
    process: u64,
) -> Engine {
    loop {
        let (works, looks) = (Arc::clone(ledger), Arc::clone(ledger));
        let is_confluent = plan.is_confluent;
        let engine = Engine::builder(Arc::clone(store) as Arc<_>)
            .with_task("work", move |ctx: TaskContext, input: Value| {
                work(ctx, input, Arc::clone(&works), is_confluent)
            })
            .with_task("look", move |ctx: TaskContext, input: Value| {
                look(ctx, input, Arc::clone(&looks))
            })
            .with_config(plan.config.clone())
            .with_virtual_time(now)
            .with_seed(plan.seed)
            .with_ids(Arc::new(Ids::seeded(
                plan.seed.wrapping_mul(64).wrapping_add(process),
            )))
            .start()
            .await;
        match engine {
            Ok(engine) => return engine,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Takes its time, fails as often as it is told to, and returns what it is told to.
async fn work(
    ctx: TaskContext,
    input: Value,
    ledger: Arc<Ledger>,
    is_confluent: bool,
) -> Result<Value, TaskError> {
    let run = ledger.begin_run(ctx.task_instance_id());
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
    ledger.begin_run(ctx.task_instance_id());
    let result = json!({ "ready": u64::from(ctx.round()) >= input["ready"].as_u64().unwrap_or(0) });
    ledger.end_run(ctx.task_instance_id(), &result);
    Ok(result)
}

/// How often the engine is looked at again when it says it is idle and is not.
const LOOKS: usize = 40;

/// Waits until nothing can happen any more.
async fn settle(engine: &Engine, store: &FaultyStore) -> Result<(), Violations> {
    let mut open = Vec::new();
    for _ in 0..LOOKS {
        engine.idle().await;
        open = open_work(store).await;
        if open.is_empty() {
            return Ok(());
        }
        store.say(|| format!("    idle at {}, but: {}", engine.now(), open.join("; ")));
        // A store that withheld work, or was down, is asked again after a moment of real time.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err(Violations(open))
}

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
