//! What really happened, written down outside the engine: handler runs, and facts the store took.

use std::collections::BTreeMap;

use augmented_core::runtime::{Fact, Message};
use augmented_core::store::InstanceCommit;
use augmented_core::{InstanceId, Seq, TaskInstanceId};
use parking_lot::Mutex;
use serde_json::Value;

/// The book of a run; it outlives every engine.
#[derive(Default)]
pub struct Ledger {
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    runs: u64,
    results: BTreeMap<TaskInstanceId, Vec<Value>>,
    facts: BTreeMap<(InstanceId, Seq), Fact>,
    ended_tasks: BTreeMap<TaskInstanceId, (InstanceId, Seq)>,
    complaints: Vec<String>,
}

impl Ledger {
    /// A handler begins; answers the number of this run.
    pub fn begin_run(&self, task: TaskInstanceId) -> u64 {
        let mut book = self.book.lock();
        book.runs += 1;
        if let Some((instance, seq)) = book.ended_tasks.get(&task).copied() {
            book.complaints.push(format!("task {task} is begun again although fact {seq} of instance {instance} holds its end"));
        }
        book.runs
    }

    /// A handler returned a result.
    pub fn end_run(&self, task: TaskInstanceId, result: &Value) {
        self.book
            .lock()
            .results
            .entry(task)
            .or_default()
            .push(result.clone());
    }

    /// The store applied a commit.
    pub fn take_facts(&self, commit: &InstanceCommit) {
        let mut book = self.book.lock();
        for fact in &commit.facts {
            if let Message::TaskDone(done) = &fact.message {
                book.ended_tasks
                    .entry(done.task_instance_id)
                    .or_insert((commit.instance, fact.seq));
            }
            if book
                .facts
                .insert((commit.instance, fact.seq), fact.clone())
                .is_some()
            {
                let complaint = format!(
                    "fact {} of instance {} was applied twice",
                    fact.seq, commit.instance
                );
                book.complaints.push(complaint);
            }
        }
    }

    /// What the handlers of a task returned.
    pub fn results_of(&self, task: TaskInstanceId) -> Vec<Value> {
        self.book
            .lock()
            .results
            .get(&task)
            .cloned()
            .unwrap_or_default()
    }

    /// All facts the store took.
    pub fn facts(&self) -> BTreeMap<(InstanceId, Seq), Fact> {
        self.book.lock().facts.clone()
    }

    /// How often handlers were run.
    pub fn runs(&self) -> u64 {
        self.book.lock().runs
    }

    /// What was wrong when it happened.
    pub fn complaints(&self) -> Vec<String> {
        self.book.lock().complaints.clone()
    }
}
