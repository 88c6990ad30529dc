//! The invariants of a run, checked on what it left in the store.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use augmented_core::expr::CelEngine;
use augmented_core::model::WorkflowDefinition;
use augmented_core::runtime::{
    Activity, Fact, InstanceState, InstanceStatus, Message, TaskDone, TaskStatus, TimerKind,
    TrailEntry,
};
use augmented_core::store::{DefinitionStore, InstanceFilter, LoadedInstance, Page, QueryStore};
use augmented_core::{InstanceId, TaskInstanceId, TenantId};
use augmented_engine::workflow::{CompiledWorkflow, DecideLimits, replay};
use augmented_store_memory::MemoryStore;
use serde_json::Value;
use uuid::Uuid;

use super::Violations;
use super::client::Client;
use super::ledger::Ledger;

/// All instances of a run by id.
pub type Instances = BTreeMap<InstanceId, Instance>;

/// An instance as the audit saw it.
pub struct Instance {
    /// Its state.
    pub state: InstanceState,
    /// All its facts.
    pub facts: Vec<Fact>,
    /// The document it runs.
    document: Arc<Value>,
}

/// Checks every invariant on every instance; answers what it looked at.
///
/// # Errors
/// Everything that is wrong.
pub async fn audit(
    store: &MemoryStore,
    ledger: &Ledger,
    client: &Client,
    seed: u64,
) -> Result<Instances, Violations> {
    let mut wrong = ledger.complaints();
    wrong.extend(client.complaints.iter().cloned());
    let instances = read_all(store, seed, &mut wrong).await;
    for (id, instance) in &instances {
        let mut complain =
            |what: String| wrong.push(format!("{} {id}: {what}", instance.state.status));
        check_results(instance, ledger, &mut complain);
        check_messages(instance, &mut complain);
        check_state(instance, &mut complain);
        check_rest(instance, &instances, &mut complain);
    }
    check_promises(&instances, client, &mut wrong);
    check_facts_kept(&instances, ledger, &mut wrong);
    if wrong.is_empty() {
        Ok(instances)
    } else {
        Err(Violations(wrong))
    }
}

/// Reads every instance twice, as it is stored and by replay of all its facts, and compares.
async fn read_all(store: &MemoryStore, seed: u64, wrong: &mut Vec<String>) -> Instances {
    let tenant = TenantId::DEFAULT;
    let limits = DecideLimits {
        seed,
        ..DecideLimits::default()
    };
    let mut flows: BTreeMap<Uuid, (CompiledWorkflow, Arc<Value>)> = BTreeMap::new();
    let mut instances = Instances::new();
    let page = store
        .list_instances(tenant, &InstanceFilter::default(), Page::new(None, 1000))
        .await
        .unwrap_or_default();
    for row in page.instances {
        let (id, definition) = (row.header.instance_id, row.header.definition.id);
        if let Entry::Vacant(place) = flows.entry(definition) {
            match compile(store, definition).await {
                Some(flow) => drop(place.insert(flow)),
                None => wrong.push(format!("the definition of {id} cannot be compiled")),
            }
        }
        let Some((flow, document)) = flows.get(&definition) else {
            continue;
        };
        let Ok(Some(loaded)) = store.instance(tenant, id).await else {
            wrong.push(format!("{id} is listed and cannot be loaded"));
            continue;
        };
        let facts = store
            .facts(tenant, id, 0, usize::MAX)
            .await
            .unwrap_or_default();
        if let Some((at, fact)) = (0..).zip(&facts).find(|(at, fact)| fact.seq != *at) {
            wrong.push(format!("{id}: fact {} stands at place {at}", fact.seq));
        }
        if loaded.last_seq() != facts.last().map(|fact| fact.seq) {
            wrong.push(format!(
                "{id}: loaded up to fact {:?}, but there are {}",
                loaded.last_seq(),
                facts.len()
            ));
        }
        let from_facts = LoadedInstance::new(
            Arc::clone(&loaded.header),
            None,
            0,
            None,
            facts.clone(),
            Vec::new(),
        );
        match (
            replay(flow, &from_facts, &limits),
            replay(flow, &loaded, &limits),
        ) {
            (Ok(replayed), Ok(stored)) => {
                if replayed != stored {
                    wrong.push(format!("{id}: its facts lead to another state than the stored one\n  facts:  {replayed:?}\n  stored: {stored:?}"));
                }
                instances.insert(
                    id,
                    Instance {
                        state: stored,
                        facts,
                        document: Arc::clone(document),
                    },
                );
            }
            (replayed, stored) => wrong.push(format!(
                "{id}: cannot be replayed: from its facts {:?}, from its snapshot {:?}",
                replayed.err(),
                stored.err()
            )),
        }
    }
    instances
}

async fn compile(store: &MemoryStore, definition: Uuid) -> Option<(CompiledWorkflow, Arc<Value>)> {
    let stored = store
        .definitions_by_id(TenantId::DEFAULT, &[definition])
        .await
        .ok()?
        .pop()??;
    let parsed: WorkflowDefinition = serde_json::from_value((*stored.document).clone()).ok()?;
    let flow = CompiledWorkflow::compile(&parsed, definition, CelEngine::shared()).ok()?;
    Some((flow, stored.document))
}

fn is_stale(fact: &Fact) -> bool {
    fact.trail
        .iter()
        .any(|entry| matches!(entry, TrailEntry::Stale { .. }))
}

fn results(instance: &Instance) -> impl Iterator<Item = (&Fact, &TaskDone)> {
    instance
        .facts
        .iter()
        .filter_map(|fact| match &fact.message {
            Message::TaskDone(done) => Some((fact, &**done)),
            _ => None,
        })
}

/// A result is one that a handler returned, and each task has an effect once.
fn check_results(instance: &Instance, ledger: &Ledger, complain: &mut impl FnMut(String)) {
    let mut ended: BTreeSet<TaskInstanceId> = BTreeSet::new();
    for (fact, done) in results(instance) {
        let task = done.task_instance_id;
        if !is_stale(fact) && !ended.insert(task) {
            complain(format!(
                "task {task} has a second effect in fact {}",
                fact.seq
            ));
        }
        if done.status == TaskStatus::Completed && !ledger.results_of(task).contains(&done.output) {
            complain(format!(
                "fact {} holds a result of {task} that no handler returned: {}",
                fact.seq, done.output
            ));
        }
    }
}

/// Each signal, cancellation and child is applied once.
fn check_messages(instance: &Instance, complain: &mut impl FnMut(String)) {
    let mut seen = BTreeSet::new();
    for fact in &instance.facts {
        if let Some(key) = fact.message.message_key()
            && !seen.insert(key.clone())
        {
            complain(format!(
                "`{key}` is applied a second time in fact {}",
                fact.seq
            ));
        }
    }
    if instance
        .facts
        .iter()
        .skip(1)
        .any(|fact| matches!(fact.message, Message::Start(_)))
    {
        complain("it began twice".to_owned());
    }
}

/// The state survives being written and read, and the engine never gave up on the instance.
fn check_state(instance: &Instance, complain: &mut impl FnMut(String)) {
    let state = &instance.state;
    let read: Option<InstanceState> = serde_json::to_string(state)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok());
    if read.as_ref() != Some(state) {
        complain(format!(
            "its state is not what it was before it was written and read\n  before: {state:?}\n  after:  {read:?}"
        ));
    }
    let read: Option<Vec<Fact>> = serde_json::to_string(&instance.facts)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok());
    if read.as_ref() != Some(&instance.facts) {
        complain("its facts are not what they were before they were written and read".to_owned());
    }
    if let Some(error) = state
        .error
        .as_ref()
        .filter(|error| error.error.code == "ENGINE_FAULT")
    {
        complain(format!("the engine gave it up: {}", error.error));
    }
}

/// An instance that did not end waits for something that can still come, and for nothing that came.
fn check_rest(instance: &Instance, instances: &Instances, complain: &mut impl FnMut(String)) {
    let state = &instance.state;
    if let Some(parent) = state.header.parent.as_ref() {
        match instances.get(&parent.instance_id) {
            None => complain(format!("its parent {} is not there", parent.instance_id)),
            Some(above)
                if above.state.status.is_terminal()
                    && parent.waits
                    && !state.status.is_terminal() =>
            {
                complain("its parent ended and left it behind".to_owned());
            }
            Some(_) => {}
        }
    }
    if state.status.is_terminal() {
        return;
    }
    if state.status == InstanceStatus::Paused {
        check_held(instance, complain);
        return;
    }
    let mut waits = 0;
    for token in state.tokens.values() {
        match &token.activity {
            Activity::Parallel(_) | Activity::ForEach(_) => {}
            Activity::Signal { until: None } => waits += 1,
            Activity::Child {
                instance_id,
                until: None,
                ..
            } => match instances.get(instance_id) {
                Some(child) if !child.state.status.is_terminal() => waits += 1,
                Some(child) => complain(format!(
                    "it waits for child {instance_id}, which is {}",
                    child.state.status
                )),
                None => complain(format!(
                    "it waits for child {instance_id}, which is not there"
                )),
            },
            other => complain(format!(
                "nothing goes on, but a control point is at {other:?}"
            )),
        }
        if let (Activity::Signal { .. }, Some(wanted)) =
            (&token.activity, awaited(instance, token.step))
            && state
                .signals
                .iter()
                .any(|buffered| *buffered.0.signal_type == *wanted)
        {
            complain(format!("it waits for a signal `{wanted}` and holds one"));
        }
    }
    if waits == 0 {
        complain("it did not end and waits for nothing".to_owned());
    }
}

/// A held instance keeps what came since, once, and every open task that answered is answered by what it keeps.
fn check_held(instance: &Instance, complain: &mut impl FnMut(String)) {
    let Some(pause) = &instance.state.paused else {
        complain("it is PAUSED and does not say why".to_owned());
        return;
    };
    let at = instance
        .facts
        .iter()
        .rposition(|fact| matches!(fact.message, Message::Pause(_)) && !is_stale(fact));
    let behind = at.map_or(0, |at| at + 1);
    let mut held = pause.held.iter();
    for fact in instance.facts.iter().skip(behind) {
        let is_next = held.as_slice().first() == Some(&fact.message);
        if is_next {
            held.next();
        } else if !is_stale(fact)
            && !matches!(&fact.message, Message::Timer(key) if key.kind == TimerKind::TaskRetry)
        {
            complain(format!(
                "fact {} came while it was held, and is not",
                fact.seq
            ));
        }
    }
    if let Some(message) = held.next() {
        complain(format!("it holds what never came: {message:?}"));
    }
}

/// The signal type that the step with this index waits for. Steps are numbered in document order, containers first.
fn awaited(instance: &Instance, step: u16) -> Option<String> {
    fn walk<'a>(steps: &'a Value, all: &mut Vec<&'a Value>) {
        for step in steps.as_array().into_iter().flatten() {
            all.push(step);
            walk(&step["steps"], all);
            for branch in step["branches"].as_array().into_iter().flatten() {
                walk(&branch["steps"], all);
            }
        }
    }
    let mut all = Vec::new();
    walk(&instance.document["steps"], &mut all);
    Some(
        all.get(usize::from(step))?["signalType"]
            .as_str()?
            .to_owned(),
    )
}

/// What callers were told holds.
fn check_promises(instances: &Instances, client: &Client, wrong: &mut Vec<String>) {
    for (key, id) in &client.instances {
        if !instances.contains_key(id) {
            wrong.push(format!("{id} was started under {key} and is not there"));
        }
    }
    let roots = instances
        .values()
        .filter(|instance| instance.state.header.parent.is_none())
        .count();
    if roots != client.instances.len() {
        wrong.push(format!(
            "{} keys started {roots} instances",
            client.instances.len()
        ));
    }
    for (id, signal) in &client.signals {
        let Some(instance) = instances.get(id) else {
            continue;
        };
        let applied = instance.facts.iter().any(|fact| matches!(&fact.message, Message::Signal(message) if *message.signal_id == **signal));
        if !applied && !instance.state.status.is_terminal() {
            wrong.push(format!(
                "signal {signal} was accepted for {id} and never applied"
            ));
        }
    }
    for id in &client.cancelled {
        let status = instances.get(id).map(|instance| instance.state.status);
        if status
            .is_some_and(|status| !status.is_terminal() || status == InstanceStatus::Cancelling)
        {
            wrong.push(format!(
                "the cancellation of {id} was accepted, but it is {status:?}"
            ));
        }
    }
}

/// No fact that the store took is lost or changed, and none came from elsewhere.
fn check_facts_kept(instances: &Instances, ledger: &Ledger, wrong: &mut Vec<String>) {
    let stored: BTreeMap<_, _> = instances
        .iter()
        .flat_map(|(id, instance)| {
            instance
                .facts
                .iter()
                .map(move |fact| ((*id, fact.seq), fact))
        })
        .collect();
    let taken = ledger.facts();
    for (key, fact) in &taken {
        if stored.get(key).is_none_or(|stored| *stored != fact) {
            wrong.push(format!(
                "fact {} of {} was applied and is lost",
                key.1, key.0
            ));
        }
    }
    for key in stored.keys().filter(|key| !taken.contains_key(key)) {
        wrong.push(format!("fact {} of {} was never applied", key.1, key.0));
    }
}
