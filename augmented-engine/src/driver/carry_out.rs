//! What follows a commit: the commands that were recorded with it are carried out.

use std::sync::Arc;

use augmented_core::error::{ErrorCategory, ErrorInfo};
use augmented_core::runtime::{Message, TaskDone, TaskStatus};
use augmented_core::{InstanceId, TaskInstanceId, Timestamp};
use serde_json::Value;

use super::instance::{Live, OpenTask, Queued, Standing};
use super::worker::Worker;
use crate::metrics::Counters;
use crate::task::{Begun, TaskCall, begin};
use crate::workflow::{Command, RunTask};

impl Worker {
    pub(super) fn carry_out(&mut self, instance: InstanceId, after: Vec<Command>) {
        for command in after {
            match command {
                Command::RunTask(run) => self.begin_task(instance, run),
                Command::CancelTask {
                    activation,
                    task_instance_id,
                } => self.cancel_task(instance, activation, task_instance_id),
                // The rest went into the commit.
                Command::SetTimer(_)
                | Command::ClearTimer(_)
                | Command::StartChild(_)
                | Command::CancelChild { .. }
                | Command::NotifyParent { .. } => {
                    debug_assert!(false, "only task commands are carried out after the commit")
                }
            }
        }
    }

    pub(super) fn cancel_tasks(&mut self, instance: InstanceId, after: Vec<Command>) {
        for command in after {
            if let Command::CancelTask {
                activation,
                task_instance_id,
            } = command
            {
                self.cancel_task(instance, activation, task_instance_id);
            }
        }
    }

    fn cancel_task(
        &mut self,
        instance: InstanceId,
        activation: u64,
        task_instance_id: TaskInstanceId,
    ) {
        let Some(live) = self.live.get_mut(&instance) else {
            return;
        };
        match live.tasks.iter().find(|task| task.activation == activation) {
            Some(task) => task.control.cancel(),
            None => {
                // An answer that is on its way counts; otherwise nothing runs, and that is the answer.
                let answered = |queued: &Queued| matches!(&queued.message, Message::TaskDone(done) if done.activation == activation);
                if !live.queue.iter().any(answered) {
                    live.answer_cancelled(activation, task_instance_id, self.now);
                }
                self.list(instance);
            }
        }
    }

    /// Begins the tasks that waited for this node to own the instance, as long as there is room.
    pub(super) fn begin_waiting_tasks(&mut self, instance: InstanceId) {
        loop {
            let has_room = self.has_room();
            let Some(live) = self.live.get_mut(&instance) else {
                return;
            };
            if live.to_begin.is_empty() || !matches!(live.standing, Standing::Owned(_)) {
                return;
            }
            if !has_room {
                self.queue_up(instance);
                return;
            }
            let run = live.to_begin.remove(0);
            self.begin_task(instance, run);
        }
    }

    /// Begins tasks that waited for others to end, in the order of their instances.
    pub(super) fn begin_crowded_tasks(&mut self) {
        while self.has_room()
            && let Some(instance) = self.crowded.pop_front()
        {
            if let Some(live) = self.live.get_mut(&instance) {
                live.crowded = false;
            }
            self.begin_waiting_tasks(instance);
        }
    }

    /// Whether another handler may run.
    fn has_room(&self) -> bool {
        self.runs.len() < self.slots
    }

    fn queue_up(&mut self, instance: InstanceId) {
        if let Some(live) = self.live.get_mut(&instance)
            && !live.crowded
        {
            live.crowded = true;
            self.crowded.push_back(instance);
        }
    }

    fn begin_task(&mut self, instance: InstanceId, run: RunTask) {
        let has_room = self.has_room();
        let Some(live) = self.live.get_mut(&instance) else {
            return;
        };
        if live.is_running(run.activation) {
            return;
        }
        if !has_room {
            live.to_begin.push(run);
            self.queue_up(instance);
            return;
        }
        let Some(work) = live.plan.work(run.step, run.task_ref) else {
            self.contain(
                instance,
                "a task belongs to another version of the workflow",
            );
            return;
        };
        let call = TaskCall {
            header: Arc::clone(&live.state.header),
            work: Arc::clone(work),
            activation: run.activation,
            task_instance_id: run.task_instance_id,
            visit: run.visit,
            path: run.path,
            round: run.round,
            node: self.node,
        };
        let failed = live.take_attempts(run.task_instance_id);
        match begin(call, run.input, run.dispatched_at, failed, self.now) {
            Begun::Done(done) => {
                count_task(&self.seat.counters, &done);
                live.queue.push_back(Queued::local(Message::TaskDone(done)));
                self.list_hot(instance);
            }
            Begun::Parked(parked) => {
                live.park_task(run.activation, &parked);
                self.list(instance);
            }
            Begun::Running(task, control) => {
                live.tasks.push(OpenTask {
                    activation: run.activation,
                    control,
                });
                self.runs.push(*task);
            }
        }
    }
}

pub(super) fn count_task(counters: &Counters, done: &TaskDone) {
    counters.tasks_ended.add(1);
    if done.error.is_some() {
        counters.tasks_failed.add(1);
    }
}

impl Live {
    /// Answers for a task that does not run that it was stopped.
    pub(super) fn answer_cancelled(
        &mut self,
        activation: u64,
        task_instance_id: TaskInstanceId,
        now: Timestamp,
    ) {
        if self.state.status.is_terminal() {
            return;
        }
        let failed_attempts = self.take_attempts(task_instance_id);
        let done = TaskDone {
            activation,
            task_instance_id,
            status: TaskStatus::Cancelled,
            output: Arc::new(Value::Null),
            outcome: None,
            error: Some(ErrorInfo::new(
                "TASK_CANCELLED",
                ErrorCategory::Permanent,
                "the task was cancelled while it did not run",
            )),
            attempts: failed_attempts.last().map_or(0, |last| last.attempt),
            failed_attempts,
            started_at: now,
            ended_at: now,
        };
        self.queue
            .push_back(Queued::derived(Message::TaskDone(Arc::new(done))));
    }
}
