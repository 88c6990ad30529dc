//! Promises of waking engines that wait for work.

use std::sync::Arc;

use super::Subject;
use super::fixture::{TENANT, at, progress, signal, start, timer};
use super::subject::{poll_once, soon};
use crate::ids::NodeId;
use crate::runtime::{InstanceHeader, Message, StartMessage};
use crate::store::{NewInstance, NewMessage, Store, TimerRow, Wakeup};

/// How often a race is run.
const ROUNDS: usize = 50;

/// The changes that somebody who waits must hear of.
#[derive(Clone, Copy, Debug)]
enum Change {
    Message,
    Outbox,
    Child,
    Accepted,
    Timer,
    TimerFired,
}

impl Change {
    const ALL: [Self; 6] = [
        Self::Message,
        Self::Outbox,
        Self::Child,
        Self::Accepted,
        Self::Timer,
        Self::TimerFired,
    ];

    async fn make<S: Store>(
        self,
        store: &Subject<S>,
        node: NodeId,
        header: &Arc<InstanceHeader>,
        seq: u64,
        id: &str,
    ) {
        let mut commit = progress(header, seq);
        match self {
            Self::Message => {
                assert!(store.send_one(header, signal(id)).await);
                return;
            }
            Self::TimerFired => {
                assert_eq!(store.fire_due_timers(at(1000), 1).await.unwrap(), 1);
                return;
            }
            Self::Accepted => {
                let accepted = Arc::new(store.header());
                let mut accepting = start(&accepted, None);
                accepting.facts = Vec::new();
                accepting.snapshot = None;
                accepting.outbox = vec![NewMessage::new(
                    TENANT,
                    accepted.instance_id,
                    Message::Start(StartMessage::default()),
                )];
                store.apply(node, accepting).await;
                return;
            }
            Self::Outbox => {
                commit.outbox = vec![NewMessage::new(TENANT, header.instance_id, signal(id))]
            }
            Self::Child => {
                commit.children = vec![NewInstance::new(Arc::new(store.child_header(header)), None)]
            }
            Self::Timer => {
                commit.timers_set = vec![TimerRow {
                    key: timer(1),
                    fire_at: at(10),
                }]
            }
        }
        store.apply(node, commit).await;
    }
}

/// Empties what a node was not told of yet.
async fn catch_up<S: Store>(store: &Subject<S>, node: NodeId) {
    while poll_once(store.wait_for_work(node)).await.is_some() {}
}

/// Every node that waits, or waits later, hears of a message, a child, an accepted instance and a nearer timer.
pub async fn every_node_hears_of_every_change<S: Store>(store: Subject<S>) {
    let nodes = [store.node().await, store.node().await];
    let header = store.owned(nodes[0]).await;
    for (seq, change) in (1..).zip(Change::ALL) {
        for node in nodes {
            catch_up(&store, node).await;
        }
        let header = if matches!(change, Change::TimerFired | Change::Message) {
            &header
        } else {
            &store.owned(nodes[0]).await
        };
        let _ = seq;
        change
            .make(&store, nodes[0], header, 1, &format!("{change:?}"))
            .await;
        for node in nodes {
            let heard = soon(
                &format!("{change:?} reaches a node that waits after it"),
                store.wait_for_work(node),
            )
            .await;
            assert_eq!(heard, Wakeup::Work);
        }
    }
}

/// Neither a wait that is dropped nor one that begins at the moment of the change sleeps through it.
pub async fn a_dropped_wait_loses_no_wake_up<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    catch_up(&store, node).await;
    {
        let mut wait = std::pin::pin!(store.wait_for_work(node));
        let _ = poll_once(wait.as_mut()).await;
        assert!(store.send_one(&header, signal("while-waiting")).await);
    }
    assert_eq!(
        soon(
            "a change during a wait that was dropped",
            store.wait_for_work(node)
        )
        .await,
        Wakeup::Work
    );
    let (store, header) = (&store, &header);
    for round in 0..ROUNDS {
        catch_up(store, node).await;
        store.race(2, |number| async move {
            if number == 0 {
                assert!(store.send_one(header, signal(&format!("{round}"))).await);
            } else {
                soon(
                    "a change at the moment of the wait",
                    store.wait_for_work(node),
                )
                .await;
            }
        });
    }
}
