//! The shell around the pure core: takes messages, lets the core decide, commits, carries out commands.
//!
//! Each instance belongs to one worker, chosen by its id, so workers share no lock on the hot path. A worker is one
//! task of the runtime; handlers run inside it. Around the workers stand the housekeeper, which brings mailbox rows
//! and due timers, and the keeper of the node's lease. On virtual time one conductor does all of that, and moves the
//! clock on when nothing else can happen.

mod carry_out;
mod children;
mod commit;
mod conductor;
mod housekeeper;
mod instance;
mod node;
mod recovery;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use augmented_core::ids::IdGen;
use augmented_core::runtime::{InstanceState, StartMessage};
use augmented_core::store::{LoadedInstance, NewInstance, PendingWork, Store};
use augmented_core::{InstanceId, NodeId};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::EngineError;
use crate::clock::Time;
use crate::config::EngineConfig;
use crate::definitions::Definitions;
use crate::metrics::{Counters, Metrics};
use crate::schemas::SchemaService;
use crate::task::{ExecutionPlan, TaskEnv};
use crate::workflow::DecideLimits;

pub(crate) use conductor::conduct;
pub(crate) use housekeeper::{keep_house, keep_lease};
pub(crate) use node::NodeIdentity;
pub(crate) use worker::Worker;

/// What reaches a worker from outside.
pub(crate) enum WorkerInput {
    /// Begin a new instance.
    Start(Box<StartInput>),
    /// Mailbox rows of an instance.
    Mail(PendingWork),
    /// An instance of a fenced node that is this node's now.
    TakenOver(LoadedInstance),
    /// Tell when the instance ends, if it ends here.
    Watch(InstanceId, oneshot::Sender<Arc<InstanceState>>),
    /// The node was fenced; it writes under a new id now.
    NodeChanged(NodeId),
    /// Begin nothing new; finish what runs, then give the instances away.
    Drain,
    /// Give the instances away now.
    Release,
}

/// A new instance on its way in.
pub(crate) struct StartInput {
    pub(crate) new: NewInstance,
    pub(crate) message: StartMessage,
    pub(crate) plan: Arc<ExecutionPlan>,
    pub(crate) accepted: oneshot::Sender<Result<StartAnswer, EngineError>>,
    pub(crate) ended: oneshot::Sender<Arc<InstanceState>>,
}

/// What became of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartAnswer {
    /// It is a new instance.
    Created,
    /// The same start was made before; this is its instance.
    Existing(InstanceId),
}

/// What the parts of a running engine share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) env: Arc<TaskEnv>,
    pub(crate) definitions: Definitions,
    pub(crate) schemas: SchemaService,
    pub(crate) config: EngineConfig,
    pub(crate) limits: DecideLimits,
    pub(crate) ids: Arc<dyn IdGen>,
    pub(crate) node: NodeIdentity,
    pub(crate) metrics: Metrics,
    /// Wakes the housekeeper.
    pub(crate) nudge: Notify,
    /// Set once calls are refused.
    pub(crate) stopped: AtomicBool,
    workers: Vec<WorkerHandle>,
}

/// How the rest of the engine reaches a worker.
pub(crate) struct WorkerHandle {
    inputs: mpsc::UnboundedSender<WorkerInput>,
    counters: Arc<Counters>,
    /// Inputs and instances the worker has not finished with.
    in_hand: Arc<AtomicUsize>,
}

/// The worker's end of a [`WorkerHandle`].
pub(crate) struct WorkerSeat {
    pub(crate) inputs: mpsc::UnboundedReceiver<WorkerInput>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) in_hand: Arc<AtomicUsize>,
}

/// Makes the connections of `count` workers; none drive nothing.
pub(crate) fn seats(count: usize) -> (Vec<WorkerHandle>, Vec<WorkerSeat>) {
    let seat = |_| {
        let (sender, receiver) = mpsc::unbounded_channel();
        let (counters, in_hand) = (Arc::new(Counters::default()), Arc::new(AtomicUsize::new(0)));
        let handle = WorkerHandle {
            inputs: sender,
            counters: Arc::clone(&counters),
            in_hand: Arc::clone(&in_hand),
        };
        (
            handle,
            WorkerSeat {
                inputs: receiver,
                counters,
                in_hand,
            },
        )
    };
    (0..count).map(seat).unzip()
}

/// Everything [`Shared`] is made of.
pub(crate) struct SharedParts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) env: Arc<TaskEnv>,
    pub(crate) definitions: Definitions,
    pub(crate) schemas: SchemaService,
    pub(crate) config: EngineConfig,
    pub(crate) ids: Arc<dyn IdGen>,
    pub(crate) node: NodeId,
}

impl Shared {
    pub(crate) fn new(parts: SharedParts, workers: Vec<WorkerHandle>) -> Self {
        let SharedParts {
            store,
            env,
            definitions,
            schemas,
            config,
            ids,
            node,
        } = parts;
        let limits = DecideLimits {
            max_step_visits: config.max_step_visits,
            max_state_bytes: config.max_state_bytes as u64,
            cancel_grace_micros: env.cancel_grace_micros,
            seed: env.seed,
            ..DecideLimits::default()
        };
        let metrics = Metrics::new(
            workers
                .iter()
                .map(|worker| Arc::clone(&worker.counters))
                .collect(),
        );
        Self {
            store,
            env,
            definitions,
            schemas,
            config,
            limits,
            ids,
            node: NodeIdentity::new(node),
            metrics,
            nudge: Notify::new(),
            stopped: AtomicBool::new(false),
            workers,
        }
    }

    /// How many handlers one worker may run at once.
    pub(crate) fn slots_per_worker(&self) -> usize {
        (self.config.max_running_tasks / self.workers.len().max(1)).max(1)
    }

    /// Whether so many instances are in memory that no more are taken in.
    pub(crate) fn is_full(&self) -> bool {
        let in_hand = |worker: &WorkerHandle| worker.in_hand.load(Ordering::Relaxed);
        self.workers.iter().map(in_hand).sum::<usize>() >= self.config.max_active_instances
    }

    pub(crate) fn time(&self) -> &Time {
        &self.env.time
    }

    /// Hands something to the worker of an instance; `false` if the workers are gone.
    pub(crate) fn send(&self, instance: InstanceId, input: WorkerInput) -> bool {
        let index = worker_of(instance, self.workers.len());
        self.workers
            .get(index)
            .is_some_and(|worker| self.send_to(worker, input))
    }

    /// Hands the same to every worker.
    pub(crate) fn broadcast(&self, make: impl Fn() -> WorkerInput) {
        for worker in &self.workers {
            self.send_to(worker, make());
        }
    }

    fn send_to(&self, worker: &WorkerHandle, input: WorkerInput) -> bool {
        let clock = self.time().virtual_clock();
        // The worker lets go of the clock once it has dealt with the input.
        if let Some(clock) = clock {
            clock.begin();
        }
        worker.in_hand.fetch_add(1, Ordering::SeqCst);
        let sent = worker.inputs.send(input).is_ok();
        if !sent {
            worker.in_hand.fetch_sub(1, Ordering::SeqCst);
            if let Some(clock) = clock {
                clock.end(1);
            }
        }
        sent
    }

    /// Whether no worker has anything in hand.
    pub(crate) fn is_quiet(&self) -> bool {
        self.workers
            .iter()
            .all(|worker| worker.in_hand.load(Ordering::SeqCst) == 0)
    }

    /// Whether it drives nothing and leaves all work to the nodes on the same store.
    pub(crate) fn is_client(&self) -> bool {
        self.workers.is_empty()
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

/// The worker an instance belongs to: the random end of its id decides.
fn worker_of(instance: InstanceId, workers: usize) -> usize {
    let (_, low) = instance.0.as_u64_pair();
    usize::try_from((low >> 8) & 0xFFFF_FFFF).unwrap_or(0) % workers.max(1)
}
