//! Promises of the one commit door.

use std::sync::Arc;

use serde_json::json;

use super::Subject;
use super::fixture::{
    TENANT, applied, at, attempt, commit, end, fact, progress, signal, snapshot, start, task_done,
    timer,
};
use crate::ids::InstanceId;
use crate::runtime::InstanceHeader;
use crate::store::{
    CommitOutcome, Expect, InstanceCommit, InstanceFilter, NewInstance, NewMessage, Page, Refusal,
    Store, TimerRow,
};

/// How often a race is run.
const ROUNDS: usize = 20;

/// A commit with something in every member.
fn rich(
    header: &Arc<InstanceHeader>,
    expect: Expect,
    child: InstanceHeader,
    other: &InstanceHeader,
) -> InstanceCommit {
    let mut commit = commit(header, expect);
    commit.facts = vec![fact(1, task_done(header, 1)), fact(2, signal("rich"))];
    commit.snapshot = Some(snapshot(header, 2, None));
    commit.consumed = vec![1];
    commit.timers_set = vec![TimerRow {
        key: timer(9),
        fire_at: at(90),
    }];
    commit.timers_cleared = vec![timer(1)];
    commit.children = vec![NewInstance::new(Arc::new(child), None)];
    commit.outbox = vec![NewMessage::new(
        TENANT,
        other.instance_id,
        signal("from-rich"),
    )];
    commit
}

/// No part of a refused commit is visible, every part of an applied one is.
pub async fn commit_applies_whole_or_not_at_all<S: Store>(store: Subject<S>) {
    let (node, stranger) = (store.node().await, store.node().await);
    let header = store.owned(node).await;
    let other = store.owned(node).await;
    let mut with_timer = commit(&header, Expect::Owned(0));
    with_timer.timers_set = vec![TimerRow {
        key: timer(1),
        fire_at: at(30),
    }];
    store.apply(node, with_timer).await;
    assert!(store.send_one(&header, signal("first")).await);
    let row = store
        .work_of(node, &header)
        .await
        .unwrap()
        .messages
        .remove(0)
        .id;
    let child = store.child_header(&header);
    let wrong = [
        (node, Expect::Owned(7)),
        (node, Expect::Parked(Some(0))),
        (stranger, Expect::Owned(0)),
        (stranger, Expect::Parked(Some(0))),
    ];
    for (writer, expect) in wrong {
        let mut refused = rich(&header, expect, child.clone(), &other);
        refused.consumed = vec![row];
        // The facts follow what the writer believes, so that belief alone is wrong.
        let base = if expect == Expect::Owned(7) { 8 } else { 1 };
        refused.facts = vec![
            fact(base, task_done(&header, 1)),
            fact(base + 1, signal("rich")),
        ];
        refused.snapshot = Some(snapshot(&header, base + 1, None));
        store.refuse(writer, refused, Refusal::Conflict).await;
        let loaded = store.loaded(&header).await;
        assert_eq!((loaded.owner, loaded.last_seq()), (Some(node), Some(0)));
        assert_eq!(loaded.state.unwrap().seq, Some(0));
        assert_eq!(store.seqs(&header).await, [0]);
        assert_eq!(store.messages_of(node, &header).await, [signal("first")]);
        assert_eq!(store.messages_of(node, &other).await, []);
        assert_eq!(
            store
                .load(TENANT, &[child.instance_id])
                .await
                .unwrap()
                .len(),
            1
        );
        assert!(
            store
                .load(TENANT, &[child.instance_id])
                .await
                .unwrap()
                .remove(0)
                .is_none()
        );
        assert_eq!(store.next_timer().await.unwrap(), Some(at(30)));
    }
    let mut right = rich(&header, Expect::Owned(0), child.clone(), &other);
    right.consumed = vec![row];
    store.apply(node, right).await;
    let loaded = store.loaded(&header).await;
    assert_eq!(
        (loaded.owner, loaded.last_seq(), loaded.facts.len()),
        (None, Some(2), 0)
    );
    assert_eq!(loaded.state.unwrap().vars, Arc::new(json!({ "seq": 2 })));
    assert_eq!(store.seqs(&header).await, [0, 1, 2]);
    assert_eq!(store.messages_of(node, &header).await, []);
    assert_eq!(store.messages_of(node, &other).await, [signal("from-rich")]);
    assert!(
        store
            .load(TENANT, &[child.instance_id])
            .await
            .unwrap()
            .remove(0)
            .is_some()
    );
    assert_eq!(store.next_timer().await.unwrap(), Some(at(90)));
}

/// In one batch some are applied and some refused, and answers come in the order of the items.
pub async fn each_item_of_a_batch_stands_alone<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let mut headers = Vec::new();
    for _ in 0..30 {
        headers.push(store.owned(node).await);
    }
    let batch = headers.iter().enumerate().map(|(number, header)| {
        // Every third writer is late by one fact.
        if number % 3 == 0 {
            progress(header, 2)
        } else {
            progress(header, 1)
        }
    });
    let outcomes = store.commit(node, batch.collect()).await.unwrap();
    assert_eq!(outcomes.len(), headers.len());
    for (number, (header, outcome)) in headers.iter().zip(outcomes).enumerate() {
        let (expected, seqs): (_, &[_]) = if number % 3 == 0 {
            (CommitOutcome::Refused(Refusal::Conflict), &[0])
        } else {
            (CommitOutcome::Applied, &[0, 1])
        };
        assert_eq!(outcome, expected, "item {number}");
        assert_eq!(store.seqs(header).await, seqs, "item {number}");
    }
    assert_eq!(store.commit(node, Vec::new()).await.unwrap(), []);
}

/// Of two commits with one `(instance, seq)`, exactly one is applied.
pub async fn same_seq_commits_once<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    for seq in 1..=ROUNDS as u64 {
        let (store, header) = (&store, &header);
        let outcomes = store.race(4, |_| store.commit_one(node, progress(header, seq)));
        assert_eq!(applied(&outcomes), 1, "fact {seq}: {outcomes:?}");
    }
    let expected: Vec<u64> = (0..=ROUNDS as u64).collect();
    assert_eq!(store.seqs(&header).await, expected);
    store
        .refuse(node, progress(&header, 1), Refusal::Conflict)
        .await;
}

/// A commit whose facts do not follow the expected one, or whose snapshot is of another fact, changes nothing.
pub async fn facts_follow_without_a_gap<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    let with = |seqs: &[u64], of: Option<u64>| {
        let mut commit = commit(&header, Expect::Owned(0));
        commit.facts = seqs
            .iter()
            .map(|seq| fact(*seq, task_done(&header, *seq)))
            .collect();
        commit.snapshot = of.map(|seq| snapshot(&header, seq, Some(node)));
        commit
    };
    for malformed in [
        with(&[2], None),
        with(&[0], None),
        with(&[1, 3], None),
        with(&[2, 1], None),
        with(&[1], Some(0)),
        with(&[1], Some(2)),
    ] {
        if let Ok(outcomes) = store.commit(node, vec![malformed]).await {
            assert_eq!(applied(&outcomes), 0);
        }
        assert_eq!(store.seqs(&header).await, [0]);
        assert_eq!(store.loaded(&header).await.last_seq(), Some(0));
    }
    store.apply(node, with(&[1, 2, 3], Some(3))).await;
    assert_eq!(store.seqs(&header).await, [0, 1, 2, 3]);
}

/// Neither another node nor somebody who believes the instance parked can commit to an owned instance.
pub async fn only_the_owner_commits<S: Store>(store: Subject<S>) {
    let (node, stranger) = (store.node().await, store.node().await);
    let owned = store.owned(node).await;
    let mut as_parked = progress(&owned, 1);
    as_parked.expect = Expect::Parked(Some(0));
    store
        .refuse(stranger, progress(&owned, 1), Refusal::Conflict)
        .await;
    store
        .refuse(stranger, as_parked.clone(), Refusal::Conflict)
        .await;
    store.refuse(node, as_parked, Refusal::Conflict).await;
    let parked = store.parked(node).await;
    store
        .refuse(node, progress(&parked, 1), Refusal::Conflict)
        .await;
    let unknown = store.header();
    store
        .refuse(node, progress(&unknown, 1), Refusal::Conflict)
        .await;
    store.apply(node, progress(&owned, 1)).await;
    assert_eq!(store.seqs(&parked).await, [0]);
}

/// Of several nodes that wake one parked instance, exactly one becomes its owner.
pub async fn a_parked_instance_is_woken_by_one<S: Store>(store: Subject<S>) {
    let nodes = [
        store.node().await,
        store.node().await,
        store.node().await,
        store.node().await,
    ];
    for round in 0..ROUNDS {
        let header = store.parked(nodes[0]).await;
        let (store, header, nodes) = (&store, &header, &nodes);
        let outcomes = store.race(nodes.len(), |number| {
            let mut wake = commit(header, Expect::Parked(Some(0)));
            wake.facts = vec![fact(1, signal(&format!("{number}")))];
            wake.snapshot = Some(snapshot(header, 1, Some(nodes[number])));
            store.commit_one(nodes[number], wake)
        });
        assert_eq!(applied(&outcomes), 1, "round {round}: {outcomes:?}");
        let winner = outcomes
            .iter()
            .position(|outcome| *outcome == CommitOutcome::Applied)
            .unwrap();
        let loaded = store.loaded(header).await;
        assert_eq!(
            (loaded.owner, loaded.last_seq()),
            (Some(nodes[winner]), Some(1))
        );
        assert_eq!(
            store.facts(TENANT, header.instance_id, 1, 9).await.unwrap()[0].message,
            signal(&format!("{winner}"))
        );
        store.apply(nodes[winner], progress(header, 2)).await;
    }
}

/// Inserting an instance whose id exists is refused and changes nothing.
pub async fn an_instance_is_inserted_once<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    store.apply(node, progress(&header, 1)).await;
    store
        .refuse(node, start(&header, Some(node)), Refusal::Conflict)
        .await;
    assert_eq!(store.seqs(&header).await, [0, 1]);
    for round in 0..ROUNDS {
        let header = Arc::new(store.header());
        let (store, header) = (&store, &header);
        let outcomes = store.race(4, |_| store.commit_one(node, start(header, Some(node))));
        assert_eq!(applied(&outcomes), 1, "round {round}: {outcomes:?}");
        assert_eq!(store.seqs(header).await, [0]);
    }
}

/// Of two inserts with one (tenant, workflow, key), exactly one is applied; the other learns which and whether its input was the same.
pub async fn an_idempotency_key_starts_once<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let keyed = |key: &str, workflow: &str, hash: u8| {
        let mut header = store.header();
        header.idempotency_key = Some(key.into());
        Arc::make_mut(&mut header.definition).workflow_id = workflow.into();
        let header = Arc::new(header);
        let mut commit = start(&header, Some(node));
        commit.insert = Some(Box::new(NewInstance::new(
            Arc::clone(&header),
            Some([hash; 32]),
        )));
        (header, commit)
    };
    let (first, commit) = keyed("k", "order", 1);
    let again = commit.clone();
    store.apply(node, commit).await;
    let taken = |same_input| Refusal::KeyTaken {
        instance: first.instance_id,
        same_input,
    };
    store
        .refuse(node, keyed("k", "order", 1).1, taken(true))
        .await;
    let (conflicting, commit) = keyed("k", "order", 2);
    store.refuse(node, commit, taken(false)).await;
    assert!(
        store
            .load(TENANT, &[conflicting.instance_id])
            .await
            .unwrap()
            .remove(0)
            .is_none()
    );
    // Also the repetition of the very commit whose answer got lost.
    store.refuse(node, again, taken(true)).await;
    store.apply(node, keyed("k", "refund", 1).1).await;
    store.apply(node, keyed("l", "order", 1).1).await;
    // The key outlives the instance.
    store.apply(node, end(&first, 1)).await;
    store
        .refuse(node, keyed("k", "order", 1).1, taken(true))
        .await;

    for round in 0..ROUNDS {
        let key = format!("race-{round}");
        let rivals: Vec<_> = (0..4).map(|_| keyed(&key, "order", 1)).collect();
        let (store, rivals) = (&store, &rivals);
        let outcomes = store.race(rivals.len(), |number| {
            store.commit_one(node, rivals[number].1.clone())
        });
        let winner = outcomes
            .iter()
            .position(|outcome| *outcome == CommitOutcome::Applied)
            .unwrap();
        for (number, outcome) in outcomes
            .into_iter()
            .enumerate()
            .filter(|(number, _)| *number != winner)
        {
            let refusal = Refusal::KeyTaken {
                instance: rivals[winner].0.instance_id,
                same_input: true,
            };
            assert_eq!(
                outcome,
                CommitOutcome::Refused(refusal),
                "round {round}, rival {number}"
            );
        }
        let ids: Vec<InstanceId> = rivals.iter().map(|rival| rival.0.instance_id).collect();
        let there = store.load(TENANT, &ids).await.unwrap();
        assert_eq!(there.iter().flatten().count(), 1, "round {round}");
    }
}

/// A fact whose message key has a fact already is refused, whether or not the message came through the mailbox.
pub async fn a_message_key_is_applied_once<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    let apply = |seq: u64, key: &str| {
        let mut commit = commit(&header, Expect::Owned(seq - 1));
        commit.facts = vec![fact(seq, signal(key))];
        commit
    };
    assert!(store.send_one(&header, signal("posted")).await);
    store.apply(node, apply(1, "posted")).await;
    store
        .refuse(node, apply(2, "posted"), Refusal::Conflict)
        .await;
    store.apply(node, apply(2, "handed")).await;
    store
        .refuse(node, apply(3, "handed"), Refusal::Conflict)
        .await;
    assert!(
        !store.send_one(&header, signal("handed")).await,
        "a message that was applied is not accepted again"
    );
    assert_eq!(store.seqs(&header).await, [0, 1, 2]);
    // Results of tasks have no key: their activation makes them unique.
    store.apply(node, progress(&header, 3)).await;
    store.apply(node, progress(&header, 4)).await;
}

/// Loading returns the last snapshot and only the facts behind it; the history keeps all of them.
pub async fn a_snapshot_stands_for_the_facts_before_it<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    for seq in 1..=3 {
        store.apply(node, progress(&header, seq)).await;
    }
    let loaded = store.loaded(&header).await;
    assert_eq!(loaded.state.as_ref().unwrap().seq, Some(0));
    assert_eq!(
        loaded.facts,
        (1..=3)
            .map(|seq| fact(seq, task_done(&header, seq)))
            .collect::<Vec<_>>()
    );
    let mut folding = progress(&header, 4);
    folding.snapshot = Some(snapshot(&header, 4, Some(node)));
    store.apply(node, folding).await;
    store.apply(node, progress(&header, 5)).await;
    let loaded = store.loaded(&header).await;
    assert_eq!(*loaded.header, *header);
    assert_eq!(*loaded.state.unwrap(), super::fixture::state(&header, 4));
    assert_eq!(loaded.facts, [fact(5, task_done(&header, 5))]);
    assert_eq!(store.seqs(&header).await, [0, 1, 2, 3, 4, 5]);
    // An instance whose snapshot was never written is loaded from its facts alone.
    let bare = Arc::new(store.header());
    let mut commit = start(&bare, None);
    commit.snapshot = None;
    store.apply(node, commit).await;
    let loaded = store.loaded(&bare).await;
    assert!(loaded.state.is_none());
    assert_eq!((loaded.owner, loaded.facts.len()), (None, 1));
    // An insert names the owner where no snapshot does.
    let owned = Arc::new(store.header());
    let mut commit = start(&owned, None);
    commit.snapshot = None;
    if let Some(new) = &mut commit.insert {
        new.owner = Some(node);
    }
    store.apply(node, commit).await;
    store.apply(node, progress(&owned, 1)).await;
    let loaded = store.loaded(&owned).await;
    assert!(loaded.state.is_none());
    assert_eq!((loaded.owner, loaded.facts.len()), (Some(node), 2));
    let page = store
        .list_instances(TENANT, &InstanceFilter::default(), Page::default())
        .await
        .unwrap();
    assert_eq!(page.instances.len(), 3);
}

/// A failed attempt is kept once, is loaded with its instance, and goes when its task is done.
pub async fn attempts_are_kept_once_until_the_task_is_done<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    store
        .record_attempts(vec![attempt(&header, 1, 1), attempt(&header, 2, 1)])
        .await
        .unwrap();
    store
        .record_attempts(vec![attempt(&header, 1, 2), attempt(&header, 1, 1)])
        .await
        .unwrap();
    // Unknown instances are passed over.
    store
        .record_attempts(vec![attempt(&store.header(), 1, 1)])
        .await
        .unwrap();
    let attempts = |loaded: crate::store::LoadedInstance| {
        let mut kept: Vec<_> = loaded
            .attempts
            .into_iter()
            .map(|row| (row.activation, row.record))
            .collect();
        kept.sort_by_key(|(activation, record)| (*activation, record.attempt));
        kept
    };
    let expected = |wanted: &[(u64, u32)]| {
        wanted
            .iter()
            .map(|(activation, number)| {
                (
                    *activation,
                    attempt(&header, *activation, *number).attempt.record,
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        attempts(store.loaded(&header).await),
        expected(&[(1, 1), (1, 2), (2, 1)])
    );
    store.apply(node, progress(&header, 1)).await;
    assert_eq!(attempts(store.loaded(&header).await), expected(&[(2, 1)]));
}
