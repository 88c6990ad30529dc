//! Promises of nodes: fencing and take-over.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Subject;
use super::fixture::{at, attempt, end, progress, running, signal, snapshot, start, task_of};
use crate::ids::{InstanceId, NodeId};
use crate::runtime::AttemptOutcome;
use crate::store::{CommitOutcome, Refusal, Store, worker_lost};

/// How often a race is run.
const ROUNDS: usize = 20;

/// A node that never registered is answered `Fenced`, and nothing of its batch is applied.
pub async fn an_unknown_node_cannot_commit<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    let unknown = NodeId(store.new_id(at(0)));
    store
        .refuse(unknown, progress(&header, 1), Refusal::Fenced)
        .await;
    let new = std::sync::Arc::new(store.header());
    store
        .refuse(unknown, start(&new, None), Refusal::Fenced)
        .await;
    assert!(
        store
            .load(new.tenant_id, &[new.instance_id])
            .await
            .unwrap()
            .remove(0)
            .is_none()
    );
    assert!(!store.heartbeat(unknown, at(1)).await.unwrap());
    assert!(!store.fence_node(unknown, at(1)).await.unwrap());
}

/// After `fence_node` returned, every commit of that node is refused, also one that was under way.
pub async fn a_fenced_node_cannot_commit<S: Store>(store: Subject<S>) {
    let other = store.node().await;
    let node = store.node().await;
    let header = store.owned(node).await;
    let foreign = store.owned(other).await;
    assert!(store.fence_node(node, at(0)).await.unwrap());
    let outcomes = store
        .commit(
            node,
            vec![
                progress(&header, 1),
                start(&std::sync::Arc::new(store.header()), Some(node)),
            ],
        )
        .await
        .unwrap();
    assert_eq!(
        outcomes,
        [
            CommitOutcome::Refused(Refusal::Fenced),
            CommitOutcome::Refused(Refusal::Fenced)
        ]
    );
    assert_eq!(store.seqs(&header).await, [0]);
    store.apply(other, progress(&foreign, 1)).await;

    for round in 0..ROUNDS {
        let node = store.node().await;
        let mut headers = Vec::new();
        for _ in 0..8 {
            headers.push(store.owned(node).await);
        }
        let (store, headers, fenced) = (&store, &headers, &AtomicBool::new(false));
        // One thread fences in the midst of the commits of the others and looks at what stands then.
        let seen = store.race(4, |number| async move {
            let mut seqs = Vec::new();
            if number == 0 {
                for _ in 0..round {
                    std::thread::yield_now();
                }
                assert!(store.fence_node(node, at(0)).await.unwrap());
                fenced.store(true, Ordering::SeqCst);
                for header in headers {
                    seqs.push(store.loaded(header).await.last_seq());
                }
                return seqs;
            }
            for seq in 1..400 {
                let certainly_fenced = fenced.load(Ordering::SeqCst);
                let batch = headers
                    .iter()
                    .skip(number - 1)
                    .step_by(3)
                    .map(|header| progress(header, seq))
                    .collect();
                let outcomes = store.commit(node, batch).await.unwrap();
                let refused = outcomes.contains(&CommitOutcome::Refused(Refusal::Fenced));
                assert!(
                    !certainly_fenced || refused,
                    "a commit was applied after the fence"
                );
                if refused {
                    assert!(
                        outcomes
                            .iter()
                            .all(|outcome| *outcome == CommitOutcome::Refused(Refusal::Fenced)),
                        "half a batch came through"
                    );
                    break;
                }
            }
            seqs
        });
        for (header, at_fence) in headers.iter().zip(&seen[0]) {
            assert_eq!(
                store.loaded(header).await.last_seq(),
                *at_fence,
                "a commit came through behind the fence"
            );
        }
    }
}

/// A fenced node stays fenced: it cannot renew its lease, and registering the same id again does not help.
pub async fn a_fence_is_final<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    assert!(store.heartbeat(node, at(10)).await.unwrap());
    assert!(store.fence_node(node, at(10)).await.unwrap());
    assert!(!store.heartbeat(node, at(20)).await.unwrap());
    store.register_node(node, at(20)).await.unwrap();
    assert!(!store.heartbeat(node, at(20)).await.unwrap());
    store
        .refuse(node, progress(&header, 1), Refusal::Fenced)
        .await;
    // Asked again with an instant it was heard of after, it still is fenced.
    assert!(store.fence_node(node, at(0)).await.unwrap());
}

/// A node that was heard of after `silent_since` is not fenced and goes on.
pub async fn a_node_that_is_heard_of_is_not_fenced<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    assert!(store.heartbeat(node, at(10)).await.unwrap());
    assert!(!store.fence_node(node, at(9)).await.unwrap());
    store.apply(node, progress(&header, 1)).await;
    // A late heartbeat does not turn the lease back.
    assert!(store.heartbeat(node, at(5)).await.unwrap());
    assert!(!store.fence_node(node, at(9)).await.unwrap());
    assert!(store.fence_node(node, at(10)).await.unwrap());
    store
        .refuse(node, progress(&header, 2), Refusal::Fenced)
        .await;
}

/// Nodes are listed while they are not fenced or still own an instance.
pub async fn nodes_are_listed_while_they_matter<S: Store>(store: Subject<S>) {
    let (idle, owner, heir) = (store.node().await, store.node().await, store.node().await);
    let header = store.owned(owner).await;
    let done = store.owned(idle).await;
    store.apply(idle, end(&done, 1)).await;
    assert!(store.heartbeat(heir, at(30)).await.unwrap());
    let listed = async || {
        let mut nodes = store.nodes().await.unwrap();
        nodes.sort_by_key(|info| info.node);
        nodes
            .into_iter()
            .map(|info| (info.node, info.fenced, info.heartbeat_at))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        listed().await,
        [
            (idle, false, at(0)),
            (owner, false, at(0)),
            (heir, false, at(30))
        ]
    );
    assert!(store.fence_node(idle, at(0)).await.unwrap());
    assert!(store.fence_node(owner, at(0)).await.unwrap());
    assert_eq!(
        listed().await,
        [(owner, true, at(0)), (heir, false, at(30))]
    );
    assert_eq!(store.take_over(owner, heir, 10).await.unwrap().len(), 1);
    assert_eq!(listed().await, [(heir, false, at(30))]);
    store.apply(heir, progress(&header, 1)).await;
}

/// Instances are taken from fenced nodes alone, by nodes that are not, each by one, as many as asked for.
pub async fn take_over_moves_only_fenced_owners<S: Store>(store: Subject<S>) {
    let (node, heir) = (store.node().await, store.node().await);
    let mut headers = Vec::new();
    for _ in 0..10 {
        headers.push(store.owned(node).await);
    }
    let (parked, foreign, ended) = (
        store.parked(node).await,
        store.owned(heir).await,
        store.owned(node).await,
    );
    store.apply(node, end(&ended, 1)).await;
    store.apply(node, progress(&headers[0], 1)).await;
    assert!(store.send_one(&headers[0], signal("unread")).await);
    assert!(
        store.take_over(node, heir, 100).await.unwrap().is_empty(),
        "the owner is not fenced"
    );
    assert_eq!(store.loaded(&headers[0]).await.owner, Some(node));
    assert!(store.fence_node(node, at(0)).await.unwrap());
    let unknown = NodeId(store.new_id(at(0)));
    assert!(
        store
            .take_over(node, unknown, 100)
            .await
            .unwrap()
            .is_empty(),
        "nobody knows the heir"
    );

    let some = store.take_over(node, heir, 3).await.unwrap();
    assert_eq!(some.len(), 3);
    let (store_ref, rivals) = (&store, [heir, store.node().await, store.node().await]);
    let shares = store.race(3, |number| async move {
        store_ref
            .take_over(node, rivals[number], 100)
            .await
            .unwrap()
    });
    let mut taken: Vec<InstanceId> = some
        .iter()
        .chain(shares.iter().flatten())
        .map(|loaded| loaded.header.instance_id)
        .collect();
    taken.sort();
    let mut expected: Vec<InstanceId> = headers.iter().map(|header| header.instance_id).collect();
    expected.sort();
    assert_eq!(taken, expected, "each instance goes to one heir");
    for (number, share) in shares.iter().enumerate() {
        for loaded in share {
            assert_eq!(
                store.loaded(&loaded.header).await.owner,
                Some(rivals[number])
            );
        }
    }
    let all: Vec<_> = some
        .into_iter()
        .chain(shares.into_iter().flatten())
        .collect();
    let first = all
        .iter()
        .find(|loaded| loaded.header.instance_id == headers[0].instance_id)
        .unwrap();
    assert_eq!(
        (
            first.last_seq(),
            first.facts.len(),
            first.state.as_ref().unwrap().seq
        ),
        (Some(1), 1, Some(0))
    );
    let heir_of_first = store.loaded(&headers[0]).await.owner.unwrap();
    assert_eq!(
        store.messages_of(heir_of_first, &headers[0]).await,
        [signal("unread")]
    );
    assert_eq!(store.loaded(&parked).await.owner, None);
    assert_eq!(store.loaded(&foreign).await.owner, Some(heir));
    assert_eq!(store.loaded(&ended).await.owner, None);
    store.apply(heir_of_first, progress(&headers[0], 2)).await;
    assert!(store.take_over(node, heir, 100).await.unwrap().is_empty());
    // A fenced node takes nothing.
    let late = store.node().await;
    let left = store.owned(late).await;
    assert!(store.fence_node(late, at(0)).await.unwrap());
    assert!(store.take_over(late, node, 100).await.unwrap().is_empty());
    assert_eq!(store.loaded(&left).await.owner, Some(late));
}

/// Each take-over is counted on the instance until its next fact.
pub async fn take_overs_are_counted_until_the_next_fact<S: Store>(store: Subject<S>) {
    let mut owner = store.node().await;
    let header = store.owned(owner).await;
    for count in 1..=3 {
        let heir = store.node().await;
        assert!(store.fence_node(owner, at(0)).await.unwrap());
        let taken = store.take_over(owner, heir, 10).await.unwrap();
        assert_eq!(
            taken
                .iter()
                .map(|loaded| (loaded.takeovers, loaded.owner))
                .collect::<Vec<_>>(),
            [(count, Some(heir))]
        );
        owner = heir;
    }
    assert_eq!(store.loaded(&header).await.takeovers, 3);
    // Writing the row without a fact is no progress.
    let mut writing = progress(&header, 1);
    writing.facts = Vec::new();
    writing.snapshot = Some(snapshot(&header, 0, Some(owner)));
    store.apply(owner, writing).await;
    assert_eq!(store.loaded(&header).await.takeovers, 3);
    store.apply(owner, progress(&header, 1)).await;
    assert_eq!(store.loaded(&header).await.takeovers, 0);
}

/// What ran on a node that is fenced is an attempt that was lost, unless it was over or never the node's to run.
pub async fn running_tasks_are_lost_with_their_node<S: Store>(store: Subject<S>) {
    let (node, stranger, heir) = (store.node().await, store.node().await, store.node().await);
    let header = store.owned(node).await;
    let (done, lost, foreign) = (1, 2, 3);
    let tasks = vec![
        running(&header, node, done, 1),
        running(&header, node, lost, 1),
        running(&header, stranger, foreign, 1),
        running(&store.header(), node, lost, 1),
    ];
    store.record_running(tasks.clone()).await.unwrap();
    store.record_running(tasks).await.unwrap();
    assert!(store.loaded(&header).await.attempts.is_empty());
    // One that is over is not lost, whatever is said of it afterwards.
    store.apply(node, progress(&header, 1)).await;
    store
        .record_running(vec![running(&header, node, done, 1)])
        .await
        .unwrap();
    // A further attempt counts on.
    store
        .record_attempts(vec![attempt(&header, lost, 1)])
        .await
        .unwrap();
    store
        .record_running(vec![running(&header, node, lost, 2)])
        .await
        .unwrap();
    assert!(store.heartbeat(node, at(5)).await.unwrap());
    assert!(store.fence_node(node, at(5)).await.unwrap());
    let taken = store.take_over(node, heir, 10).await.unwrap();
    let mut numbers = Vec::new();
    for row in &taken[0].attempts {
        assert_eq!(row.task_instance_id, task_of(&header, lost));
        numbers.push(row.record.attempt);
        if row.record.attempt == 2 {
            let record = &row.record;
            assert_eq!(record.outcome, AttemptOutcome::WorkerLost);
            assert_eq!(record.error, worker_lost());
            assert_eq!(
                (record.started_at, record.ended_at, record.next_attempt_at),
                (at(1), at(5), at(5))
            );
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
    // The heir's own attempt is lost only with the heir.
    store
        .record_running(vec![running(&header, heir, lost, 3)])
        .await
        .unwrap();
    store.apply(heir, end(&header, 2)).await;
    assert!(store.loaded(&header).await.attempts.is_empty());
}
