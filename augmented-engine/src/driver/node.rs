//! The identity under which this engine writes.

use augmented_core::NodeId;
use augmented_core::store::StoreError;
use parking_lot::RwLock;

use super::{Shared, WorkerInput};

/// The node id, which changes when the node is fenced.
pub(crate) struct NodeIdentity {
    current: RwLock<NodeId>,
    /// The id under which this node may own instances that it does not know of.
    in_doubt: RwLock<Option<NodeId>>,
    renewing: tokio::sync::Mutex<()>,
}

impl NodeIdentity {
    pub(crate) fn new(node: NodeId) -> Self {
        Self {
            current: RwLock::new(node),
            in_doubt: RwLock::new(None),
            renewing: tokio::sync::Mutex::new(()),
        }
    }

    pub(crate) fn current(&self) -> NodeId {
        *self.current.read()
    }

    /// Nobody knows whether instances were moved to `node`, since the answer of a take-over was lost.
    pub(crate) fn doubt(&self, node: NodeId) {
        *self.in_doubt.write() = Some(node);
    }

    /// Whether this node should give up its id, and find all its instances again under the next one.
    pub(crate) fn is_in_doubt(&self) -> bool {
        *self.in_doubt.read() == Some(self.current())
    }
}

impl Shared {
    /// Registers under a new id, because `fenced` may not write any more; the workers drop their copies.
    pub(crate) async fn renew_node(&self, fenced: NodeId) -> Result<NodeId, StoreError> {
        let _one_at_a_time = self.node.renewing.lock().await;
        let current = self.node.current();
        if current != fenced {
            return Ok(current);
        }
        let now = self.time().now();
        let renewed = NodeId(self.ids.new_id(now));
        self.store.register_node(renewed, now).await?;
        *self.node.current.write() = renewed;
        tracing::warn!(%fenced, %renewed, "this node was fenced; it goes on under a new id");
        self.broadcast(|| WorkerInput::NodeChanged(renewed));
        Ok(renewed)
    }
}
