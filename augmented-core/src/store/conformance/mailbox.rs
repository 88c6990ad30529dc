//! Promises of mailboxes: messages, children, and the work they make.

use std::sync::Arc;

use super::Subject;
use super::fixture::{
    TENANT, at, attempt, commit, end, fact, progress, signal, snapshot, start, timer,
};
use crate::Seq;
use crate::runtime::{
    CancelRequest, CancelSource, InstanceHeader, InstanceStatus, Message, StartMessage,
};
use crate::store::{
    CommitOutcome, Expect, InstanceCommit, InstanceFilter, MailboxId, NewInstance, NewMessage,
    Page, Refusal, SendOutcome, Snapshot, Store, TimerRow,
};

/// How often a race is run.
const ROUNDS: usize = 20;

fn cancel(id: &str) -> Message {
    let reason = "no longer wanted".to_owned();
    Message::Cancel(CancelRequest {
        request_id: id.into(),
        reason,
        source: CancelSource::User,
        requested_by: None,
    })
}

/// A message whose key was ever accepted for that instance is not stored again, not even after it was consumed.
pub async fn a_message_key_is_accepted_once<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let (header, other) = (store.owned(node).await, store.owned(node).await);
    assert!(store.send_one(&header, signal("a")).await);
    assert!(!store.send_one(&header, signal("a")).await);
    assert!(
        store.send_one(&other, signal("a")).await,
        "keys are counted per instance"
    );
    // A cancellation with the same id is another message.
    assert!(store.send_one(&header, cancel("a")).await);
    let in_one_call =
        ["b", "b", "c"].map(|id| NewMessage::new(TENANT, header.instance_id, signal(id)));
    assert_eq!(
        store.send(in_one_call.into()).await.unwrap(),
        [
            SendOutcome::Stored,
            SendOutcome::Ignored,
            SendOutcome::Stored
        ]
    );
    assert_eq!(
        store.messages_of(node, &header).await,
        [signal("a"), cancel("a"), signal("b"), signal("c")]
    );
    let rows = store.work_of(node, &header).await.unwrap().messages;
    let mut consuming = commit(&header, Expect::Owned(0));
    consuming.consumed = rows.iter().map(|row| row.id).collect();
    consuming.facts = rows
        .into_iter()
        .zip(1..)
        .map(|(row, seq)| fact(seq, row.message))
        .collect();
    store.apply(node, consuming).await;
    assert!(
        !store.send_one(&header, signal("a")).await,
        "a message that was applied stays known"
    );
    assert_eq!(store.messages_of(node, &header).await, []);
    for round in 0..ROUNDS {
        let id = format!("race-{round}");
        let (store, header, id) = (&store, &header, &id);
        let accepted = store.race(4, |_| store.send_one(header, signal(id)));
        assert_eq!(
            accepted.iter().filter(|new| **new).count(),
            1,
            "round {round}"
        );
    }
    assert_eq!(store.messages_of(node, &header).await.len(), ROUNDS);
}

/// Messages of one instance are returned in the order they were accepted, under numbers that grow and are not used again.
pub async fn mailbox_order_is_kept<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    let ids: Vec<String> = (0..40)
        .map(|number| format!("{:02}", (number * 7) % 40))
        .collect();
    for (number, pair) in ids.chunks(2).enumerate() {
        let messages = pair
            .iter()
            .map(|id| NewMessage::new(TENANT, header.instance_id, signal(id)));
        assert_eq!(
            store.send(messages.collect()).await.unwrap(),
            [SendOutcome::Stored; 2],
            "call {number}"
        );
    }
    let expected: Vec<Message> = ids.iter().map(|id| signal(id)).collect();
    assert_eq!(store.messages_of(node, &header).await, expected);
    let rows = store.work_of(node, &header).await.unwrap().messages;
    assert!(rows.windows(2).all(|pair| pair[0].id < pair[1].id));
    let mut consuming = progress(&header, 1);
    consuming.consumed = rows.iter().map(|row| row.id).collect();
    store.apply(node, consuming).await;
    assert!(store.send_one(&header, signal("late")).await);
    let late = store.work_of(node, &header).await.unwrap().messages;
    assert!(late[0].id > rows[rows.len() - 1].id);
}

/// What a row brings about is recorded once, however often it was offered.
pub async fn a_row_is_consumed_once<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    for id in ["a", "b"] {
        assert!(store.send_one(&header, signal(id)).await);
    }
    let rows = store.work_of(node, &header).await.unwrap().messages;
    let [first, second] = [rows[0].id, rows[1].id];
    let consuming = |seq: Seq, consumed: Vec<MailboxId>| {
        let mut commit = progress(&header, seq);
        commit.consumed = consumed;
        commit
    };
    let twice = consuming(1, vec![first, first]);
    store.refuse(node, twice, Refusal::Conflict).await;
    store.apply(node, consuming(1, vec![first])).await;
    for gone in [vec![first], vec![first, second], vec![second + 1_000_000]] {
        store
            .refuse(node, consuming(2, gone), Refusal::Conflict)
            .await;
    }
    assert_eq!(store.messages_of(node, &header).await, [signal("b")]);
    assert_eq!(store.seqs(&header).await, [0, 1]);
    store.apply(node, consuming(2, vec![second])).await;
    assert_eq!(store.messages_of(node, &header).await, []);
}

/// Rows are offered again and again until a commit consumes them, and rows that came meanwhile stay.
pub async fn work_waits_until_it_is_consumed<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    assert!(store.pending(node, 10).await.unwrap().is_empty());
    for id in ["a", "b", "c"] {
        assert!(store.send_one(&header, signal(id)).await);
    }
    let first = store.work_of(node, &header).await.unwrap();
    let again = store.work_of(node, &header).await.unwrap();
    assert_eq!(first.messages.len(), 3);
    assert_eq!(
        first.messages.iter().map(|row| row.id).collect::<Vec<_>>(),
        again.messages.iter().map(|row| row.id).collect::<Vec<_>>()
    );
    assert!(store.send_one(&header, signal("d")).await);
    let mut consuming = progress(&header, 1);
    consuming.consumed = vec![first.messages[0].id, first.messages[2].id];
    let refused = InstanceCommit {
        expect: Expect::Owned(5),
        facts: Vec::new(),
        ..consuming.clone()
    };
    store.refuse(node, refused, Refusal::Conflict).await;
    assert_eq!(
        store.messages_of(node, &header).await.len(),
        4,
        "a refused commit consumes nothing"
    );
    store.apply(node, consuming).await;
    assert_eq!(
        store.messages_of(node, &header).await,
        [signal("b"), signal("d")]
    );
    // Consuming without a fact.
    let mut rest = commit(&header, Expect::Owned(1));
    rest.consumed = store
        .work_of(node, &header)
        .await
        .unwrap()
        .messages
        .iter()
        .map(|row| row.id)
        .collect();
    store.apply(node, rest).await;
    assert!(store.pending(node, 10).await.unwrap().is_empty());
}

/// Work of an owned instance is offered to its owner alone, without the instance; work of a parked one to everybody, with it.
pub async fn work_is_offered_to_its_owner_or_to_all<S: Store>(store: Subject<S>) {
    let (node, stranger) = (store.node().await, store.node().await);
    let (owned, parked) = (store.owned(node).await, store.parked(node).await);
    assert!(store.send_one(&owned, signal("to-owned")).await);
    assert!(store.send_one(&parked, signal("to-parked")).await);
    assert!(store.work_of(stranger, &owned).await.is_none());
    let to_owner = store.work_of(node, &owned).await.unwrap();
    assert!(to_owner.loaded.is_none());
    assert_eq!(to_owner.tenant, TENANT);
    for reader in [node, stranger] {
        let work = store.work_of(reader, &parked).await.unwrap();
        let loaded = work.loaded.unwrap();
        assert_eq!(
            (loaded.last_seq(), loaded.owner, *loaded.header == *parked),
            (Some(0), None, true)
        );
        assert_eq!(work.messages.len(), 1);
    }
    // Parked with a message that came too late for its owner: now everybody may take it.
    let mut parking = progress(&owned, 1);
    parking.snapshot = Some(snapshot(&owned, 1, None));
    store.apply(node, parking).await;
    assert!(
        store
            .work_of(stranger, &owned)
            .await
            .unwrap()
            .loaded
            .is_some()
    );
    let mut waking = commit(&owned, Expect::Parked(Some(1)));
    waking.snapshot = Some(snapshot(&owned, 1, Some(stranger)));
    store.apply(stranger, waking).await;
    assert!(store.work_of(node, &owned).await.is_none());
    assert!(store.work_of(stranger, &owned).await.is_some());
}

/// Of much work, the instances whose oldest message waits longest are offered first, as many as asked for.
pub async fn the_oldest_work_comes_first<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let mut headers = Vec::new();
    for _ in 0..12 {
        headers.push(store.owned(node).await);
    }
    // Neither by id nor by creation.
    let order: Vec<usize> = (0..12).map(|number| (number * 5) % 12).collect();
    for number in &order {
        assert!(store.send_one(&headers[*number], signal("1")).await);
    }
    // A second message makes no instance younger.
    assert!(store.send_one(&headers[order[0]], signal("2")).await);
    let expected: Vec<_> = order
        .iter()
        .map(|number| headers[*number].instance_id)
        .collect();
    for limit in [1, 5, 12, 100] {
        let offered: Vec<_> = store
            .pending(node, limit)
            .await
            .unwrap()
            .iter()
            .map(|work| work.instance)
            .collect();
        assert_eq!(offered, expected[..limit.min(12)], "limit {limit}");
    }
    // The oldest one is served in part, so its second message, the youngest of all, decides.
    let mut serving = progress(&headers[order[0]], 1);
    serving.consumed = vec![
        store
            .work_of(node, &headers[order[0]])
            .await
            .unwrap()
            .messages[0]
            .id,
    ];
    store.apply(node, serving).await;
    let offered: Vec<_> = store
        .pending(node, 100)
        .await
        .unwrap()
        .iter()
        .map(|work| work.instance)
        .collect();
    assert_eq!(offered, [&expected[1..], &expected[..1]].concat());
}

/// Messages in the outbox of a commit arrive if it is applied, in order, and nobody minds one that nobody can take.
pub async fn messages_arrive_with_the_commit_that_sends_them<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let (sender, receiver, ended) = (
        store.owned(node).await,
        store.parked(node).await,
        store.owned(node).await,
    );
    store.apply(node, end(&ended, 1)).await;
    let mut sending = progress(&sender, 1);
    let to =
        |header: &InstanceHeader, id: &str| NewMessage::new(TENANT, header.instance_id, signal(id));
    sending.outbox = vec![
        to(&receiver, "a"),
        to(&ended, "x"),
        to(&store.header(), "y"),
        to(&receiver, "b"),
        to(&receiver, "a"),
        to(&sender, "self"),
    ];
    store.apply(node, sending).await;
    assert_eq!(
        store.messages_of(node, &receiver).await,
        [signal("a"), signal("b")]
    );
    assert_eq!(store.messages_of(node, &sender).await, [signal("self")]);
    assert!(!store.send_one(&receiver, signal("a")).await);
    // An instance that a process without an engine accepts: nobody owns it and its start waits.
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
    let work = store.work_of(node, &accepted).await.unwrap();
    assert_eq!(work.loaded.unwrap().last_seq(), None);
    assert_eq!(
        work.messages[0].message,
        Message::Start(StartMessage::default())
    );
}

/// A child is inserted with its parent's commit, unowned, its start waiting; inserting it again changes nothing.
pub async fn a_child_is_inserted_once<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let parent = store.owned(node).await;
    let child = Arc::new(store.child_header(&parent));
    let with_child = |seq: u64| {
        let mut commit = progress(&parent, seq);
        commit.children = vec![NewInstance::new(Arc::clone(&child), None)];
        commit
    };
    let mut begun = with_child(1);
    // A message to a child in the commit that inserts it finds the child.
    begun.outbox = vec![NewMessage::new(
        TENANT,
        child.instance_id,
        cancel("at-once"),
    )];
    store.apply(node, begun).await;
    let work = store.work_of(node, &child).await.unwrap();
    let loaded = work.loaded.unwrap();
    assert_eq!(
        (loaded.owner, loaded.last_seq(), loaded.state.is_none()),
        (None, None, true)
    );
    assert_eq!(*loaded.header, *child);
    let messages: Vec<_> = work
        .messages
        .iter()
        .map(|row| row.message.clone())
        .collect();
    assert_eq!(
        messages,
        [Message::Start(StartMessage::default()), cancel("at-once")]
    );
    let children = InstanceFilter {
        parent: Some(parent.instance_id),
        ..InstanceFilter::default()
    };
    let page = store
        .list_instances(TENANT, &children, Page::default())
        .await
        .unwrap();
    assert_eq!(
        page.instances
            .iter()
            .map(|row| (row.header.instance_id, row.status))
            .collect::<Vec<_>>(),
        [(child.instance_id, InstanceStatus::Created)]
    );

    store.apply(node, with_child(2)).await;
    assert_eq!(store.messages_of(node, &child).await.len(), 2);
    let mut starting = commit(&child, Expect::Parked(None));
    starting.facts = vec![fact(0, Message::Start(StartMessage::default()))];
    starting.snapshot = Some(snapshot(&child, 0, Some(node)));
    starting.consumed = work.messages.iter().map(|row| row.id).collect();
    store.apply(node, starting).await;
    store.apply(node, with_child(3)).await;
    assert_eq!(
        (store.loaded(&child).await.owner, store.seqs(&child).await),
        (Some(node), vec![0])
    );
    assert_eq!(store.messages_of(node, &child).await, []);
    assert!(
        !store
            .send_one(&child, Message::Start(StartMessage::default()))
            .await,
        "what began does not begin again"
    );
    assert_eq!(
        store
            .list_instances(TENANT, &children, Page::default())
            .await
            .unwrap()
            .instances
            .len(),
        1
    );
}

/// An accepted instance is unowned with its start waiting, once; a taken idempotency key is told.
pub async fn accepted_instances_wait_for_a_node<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let keyed = |key: &str| {
        let mut header = store.header();
        header.idempotency_key = Some(key.into());
        header.correlation_id = Some("accepted".into());
        Arc::new(header)
    };
    let new = |header: &Arc<InstanceHeader>, hash: u8| {
        NewInstance::new(Arc::clone(header), Some([hash; 32]))
    };
    let (first, second) = (keyed("k"), keyed("l"));
    let both = vec![new(&first, 1), new(&second, 1)];
    assert_eq!(
        store.accept(both.clone()).await.unwrap(),
        [CommitOutcome::Applied, CommitOutcome::Applied]
    );
    assert_eq!(
        store.accept(both).await.unwrap(),
        [CommitOutcome::Applied, CommitOutcome::Applied],
        "accepting the same again is harmless"
    );
    for header in [&first, &second] {
        let work = store.work_of(node, header).await.unwrap();
        let loaded = work.loaded.unwrap();
        assert_eq!((loaded.owner, loaded.last_seq()), (None, None));
        assert_eq!(*loaded.header, **header);
        let messages: Vec<_> = work.messages.into_iter().map(|row| row.message).collect();
        assert_eq!(messages, [Message::Start(StartMessage::default())]);
    }
    let taken = |same_input| {
        CommitOutcome::Refused(Refusal::KeyTaken {
            instance: first.instance_id,
            same_input,
        })
    };
    let (third, fourth, fifth) = (keyed("k"), keyed("k"), keyed("m"));
    assert_eq!(
        store
            .accept(vec![new(&third, 1), new(&fourth, 2), new(&fifth, 1)])
            .await
            .unwrap(),
        [taken(true), taken(false), CommitOutcome::Applied]
    );
    let filter = InstanceFilter {
        correlation_id: Some("accepted".into()),
        ..InstanceFilter::default()
    };
    let page = store
        .list_instances(TENANT, &filter, Page::default())
        .await
        .unwrap();
    assert_eq!(page.instances.len(), 3);
    assert!(store.accept(Vec::new()).await.unwrap().is_empty());
    for round in 0..ROUNDS {
        let rivals: Vec<_> = (0..4).map(|_| keyed(&format!("race-{round}"))).collect();
        let (store, rivals) = (&store, &rivals);
        let outcomes = store.race(rivals.len(), |number| {
            store.accept(vec![new(&rivals[number], 1)])
        });
        let accepted = outcomes
            .iter()
            .filter(|outcome| outcome.as_ref().unwrap() == &[CommitOutcome::Applied]);
        assert_eq!(accepted.count(), 1, "round {round}");
    }
}

/// A message to an unknown or ended instance is ignored.
pub async fn ended_instances_take_no_messages<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    assert!(!store.send_one(&store.header(), signal("nobody")).await);
    assert!(store.send_one(&header, signal("alive")).await);
    store.apply(node, end(&header, 1)).await;
    let sent = ["alive", "new"].map(|id| NewMessage::new(TENANT, header.instance_id, signal(id)));
    assert_eq!(
        store.send(sent.into()).await.unwrap(),
        [SendOutcome::Ignored; 2]
    );
    for status in [InstanceStatus::Failed, InstanceStatus::Cancelled] {
        let header = store.owned(node).await;
        let mut ending = end(&header, 1);
        let mut last = super::fixture::state(&header, 1);
        last.status = status;
        last.completed_at = Some(at(60));
        ending.snapshot = Some(Snapshot::new(Arc::new(last), None));
        store.apply(node, ending).await;
        assert!(!store.send_one(&header, signal("late")).await, "{status}");
    }
    assert!(store.pending(node, 10).await.unwrap().is_empty());
}

/// With the snapshot that ends an instance its messages, timers and attempts go; its facts stay.
pub async fn the_end_clears_open_work<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    let mut arming = progress(&header, 1);
    arming.timers_set = vec![
        TimerRow {
            key: timer(1),
            fire_at: at(30),
        },
        TimerRow {
            key: timer(2),
            fire_at: at(40),
        },
    ];
    store.apply(node, arming).await;
    assert!(store.send_one(&header, signal("unread")).await);
    store
        .record_attempts(vec![attempt(&header, 9, 1)])
        .await
        .unwrap();
    let mut ending = end(&header, 2);
    ending.timers_set = vec![TimerRow {
        key: timer(3),
        fire_at: at(50),
    }];
    store.apply(node, ending).await;
    assert!(store.pending(node, 10).await.unwrap().is_empty());
    assert_eq!(store.next_timer().await.unwrap(), None);
    assert_eq!(store.fire_due_timers(at(1000), 10).await.unwrap(), 0);
    store
        .record_attempts(vec![attempt(&header, 9, 2)])
        .await
        .unwrap();
    let loaded = store.loaded(&header).await;
    assert_eq!(
        (loaded.owner, loaded.attempts.len(), loaded.last_seq()),
        (None, 0, Some(2))
    );
    assert_eq!(store.seqs(&header).await, [0, 1, 2]);
    let page = store
        .list_instances(TENANT, &InstanceFilter::default(), Page::default())
        .await
        .unwrap();
    let row = &page.instances[0];
    assert_eq!(
        (row.status, row.version, row.completed_at),
        (InstanceStatus::Completed, Some(2), Some(at(60)))
    );
}

/// Signals count from the moment they are accepted until no state keeps them any more, and nothing else counts.
pub async fn signals_are_counted_where_they_wait_and_where_they_are_kept<S: Store>(
    store: Subject<S>,
) {
    let node = store.node().await;
    let header = store.owned(node).await;
    let send = async |id: &str, max: u32| {
        let message = NewMessage::new(TENANT, header.instance_id, signal(id)).with_max_signals(max);
        store.send(vec![message]).await.unwrap()
    };
    assert!(store.send_one(&header, cancel("other")).await);
    assert_eq!(send("a", 2).await, [SendOutcome::Stored]);
    assert_eq!(send("b", 2).await, [SendOutcome::Stored]);
    assert_eq!(send("c", 2).await, [SendOutcome::Full]);
    assert_eq!(
        send("a", 2).await,
        [SendOutcome::Ignored],
        "it is there already"
    );
    let rows = store.work_of(node, &header).await.unwrap().messages;
    let mut keeping = progress(&header, 1);
    keeping.consumed = rows.iter().map(|row| row.id).collect();
    keeping.signals_kept = 2;
    store.apply(node, keeping).await;
    assert_eq!(send("c", 2).await, [SendOutcome::Full], "two are kept");
    assert_eq!(
        send("c", 3).await,
        [SendOutcome::Stored],
        "one waits, two are kept"
    );
    assert_eq!(send("d", 3).await, [SendOutcome::Full]);
    let mut taking = progress(&header, 2);
    taking.signals_kept = 1;
    store.apply(node, taking).await;
    assert_eq!(
        send("d", 3).await,
        [SendOutcome::Stored],
        "what was refused may come again"
    );
    assert_eq!(send("e", 3).await, [SendOutcome::Full]);
}
