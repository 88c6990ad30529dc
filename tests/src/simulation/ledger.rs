//! What really happened, written down outside the engine: handler runs, and facts the store took.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Processes that were stopped, and have not heard since whether they still own anything.
    late: BTreeSet<u64>,
    late_runs: u64,
}

impl Ledger {
    /// A handler begins in a process; answers the number of this run.
    pub fn begin_run(&self, task: TaskInstanceId, process: u64) -> u64 {
        let mut book = self.book.lock();
        book.runs += 1;
        if let Some((instance, seq)) = book.ended_tasks.get(&task).copied() {
            if book.late.contains(&process) {
                // Its successor was faster; the result will be refused.
                book.late_runs += 1;
                return book.runs;
            }
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

    /// A process was stopped: others may do its work before it notices.
    pub fn may_be_late(&self, process: u64) {
        self.book.lock().late.insert(process);
    }

    /// The store takes what this process writes: it owns what it believes to own.
    pub fn is_current(&self, process: u64) {
        self.book.lock().late.remove(&process);
    }

    /// How often a process that had been stopped began a task that another had ended.
    pub fn late_runs(&self) -> u64 {
        self.book.lock().late_runs
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
