//! Engine nodes and the gate that shuts out a fenced one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};

use augmented_core::{NodeId, Timestamp};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;

/// Every node that ever registered.
#[derive(Default)]
pub(crate) struct Nodes {
    nodes: RwLock<FxHashMap<NodeId, Arc<Node>>>,
}

/// One node.
///
/// A commit holds `gate` for reading from before its first change to after its last; fencing takes it for
/// writing. So fencing waits for a commit in progress, and once it has returned every later commit of the
/// node finds the gate shut. The gate never opens again: a node that lost its lease registers under a new id.
pub(crate) struct Node {
    pub(crate) gate: RwLock<Gate>,
    heartbeat_at: AtomicI64,
    /// The last ring of the bell this node was told of.
    pub(crate) heard: AtomicU64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    Open,
    Shut,
}

impl Node {
    pub(crate) fn heartbeat_at(&self) -> Timestamp {
        Timestamp::from_micros(self.heartbeat_at.load(SeqCst))
    }

    pub(crate) fn is_fenced(&self) -> bool {
        *self.gate.read() == Gate::Shut
    }

    /// Renews the lease unless the gate is shut. The gate is held meanwhile, so that fencing sees either the
    /// new heartbeat or refuses it.
    pub(crate) fn heartbeat(&self, now: Timestamp) -> bool {
        let gate = self.gate.read();
        if *gate == Gate::Shut {
            return false;
        }
        self.heartbeat_at.fetch_max(now.as_micros(), SeqCst);
        true
    }

    /// Shuts the gate if the node was silent; tells whether it is shut.
    pub(crate) fn fence(&self, silent_since: Timestamp) -> bool {
        let mut gate = self.gate.write();
        if self.heartbeat_at() <= silent_since {
            *gate = Gate::Shut;
        }
        *gate == Gate::Shut
    }
}

impl Nodes {
    pub(crate) fn register(&self, id: NodeId, now: Timestamp) {
        let mut nodes = self.nodes.write();
        match nodes.get(&id) {
            // Whether or not it is fenced: registering again is a heartbeat, and a fence is final.
            Some(node) => {
                node.heartbeat(now);
            }
            None => {
                let node = Node {
                    gate: RwLock::new(Gate::Open),
                    heartbeat_at: AtomicI64::new(now.as_micros()),
                    heard: AtomicU64::new(0),
                };
                nodes.insert(id, Arc::new(node));
            }
        }
    }

    pub(crate) fn find(&self, id: NodeId) -> Option<Arc<Node>> {
        self.nodes.read().get(&id).cloned()
    }

    /// All nodes by id.
    pub(crate) fn all(&self) -> Vec<(NodeId, Arc<Node>)> {
        let mut all: Vec<_> = self
            .nodes
            .read()
            .iter()
            .map(|(id, node)| (*id, Arc::clone(node)))
            .collect();
        all.sort_by_key(|(id, _)| *id);
        all
    }
}
