//! Promises of durable timers.

use super::Subject;
use super::fixture::{at, commit, progress, signal, timer};
use crate::runtime::{InstanceHeader, Message, TimerKey};
use crate::store::{Expect, Store, TimerRow};

/// How often a race is run.
const ROUNDS: usize = 20;

/// Arms and disarms timers of an instance as fact `seq` does.
async fn set<S: Store>(
    store: &Subject<S>,
    node: crate::NodeId,
    header: &InstanceHeader,
    seq: u64,
    timers: &[(TimerKey, i64)],
    cleared: &[TimerKey],
) {
    let mut arming = progress(header, seq);
    arming.timers_set = timers
        .iter()
        .map(|(key, seconds)| TimerRow {
            key: *key,
            fire_at: at(*seconds),
        })
        .collect();
    arming.timers_cleared = cleared.to_vec();
    store.apply(node, arming).await;
}

/// A due timer leaves exactly one message, whoever fires it and however often; timers due first are fired first.
pub async fn due_timers_become_messages_once<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let (header, other) = (store.owned(node).await, store.owned(node).await);
    set(
        &store,
        node,
        &header,
        1,
        &[(timer(1), 10), (timer(2), 20), (timer(3), 5)],
        &[],
    )
    .await;
    set(&store, node, &other, 1, &[(timer(1), 15)], &[]).await;
    assert_eq!(store.fire_due_timers(at(4), 10).await.unwrap(), 0);
    assert_eq!(
        store.fire_due_timers(at(10), 1).await.unwrap(),
        1,
        "no more than asked for"
    );
    assert_eq!(
        store.messages_of(node, &header).await,
        [Message::Timer(timer(3))]
    );
    assert_eq!(store.fire_due_timers(at(15), 10).await.unwrap(), 2);
    assert_eq!(store.fire_due_timers(at(15), 10).await.unwrap(), 0);
    assert_eq!(
        store.messages_of(node, &header).await,
        [Message::Timer(timer(3)), Message::Timer(timer(1))]
    );
    assert_eq!(
        store.messages_of(node, &other).await,
        [Message::Timer(timer(1))]
    );
    // Consumed, it stays gone; armed again, it fires again.
    let mut consuming = commit(&header, Expect::Owned(1));
    consuming.consumed = store
        .work_of(node, &header)
        .await
        .unwrap()
        .messages
        .iter()
        .map(|row| row.id)
        .collect();
    store.apply(node, consuming).await;
    set(&store, node, &header, 2, &[(timer(1), 16)], &[]).await;
    assert_eq!(store.fire_due_timers(at(16), 10).await.unwrap(), 1);
    assert_eq!(
        store.messages_of(node, &header).await,
        [Message::Timer(timer(1))]
    );

    for round in 0..ROUNDS {
        let mut headers = Vec::new();
        for _ in 0..6 {
            let header = store.owned(node).await;
            set(&store, node, &header, 1, &[(timer(1), 16)], &[]).await;
            headers.push(header);
        }
        let store = &store;
        let fired = store.race(4, |_| async {
            store.fire_due_timers(at(16), 100).await.unwrap()
        });
        assert_eq!(fired.iter().sum::<usize>(), headers.len(), "round {round}");
        for header in &headers {
            assert_eq!(
                store.messages_of(node, header).await,
                [Message::Timer(timer(1))],
                "round {round}"
            );
        }
    }
}

/// A timer that was disarmed before it was due leaves no message, and only it is disarmed.
pub async fn a_cleared_timer_never_fires<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let (header, other) = (store.owned(node).await, store.owned(node).await);
    set(
        &store,
        node,
        &header,
        1,
        &[(timer(1), 10), (timer(2), 10)],
        &[],
    )
    .await;
    set(&store, node, &other, 1, &[(timer(1), 10)], &[]).await;
    set(&store, node, &header, 2, &[], &[timer(1), timer(7)]).await;
    assert_eq!(store.fire_due_timers(at(100), 10).await.unwrap(), 2);
    assert_eq!(
        store.messages_of(node, &header).await,
        [Message::Timer(timer(2))]
    );
    assert_eq!(
        store.messages_of(node, &other).await,
        [Message::Timer(timer(1))]
    );

    for round in 0..ROUNDS {
        let header = store.owned(node).await;
        set(&store, node, &header, 1, &[(timer(1), 10)], &[]).await;
        let (store, header) = (&store, &header);
        store.race(2, |number| async move {
            if number == 0 {
                set(store, node, header, 2, &[], &[timer(1)]).await;
            } else {
                store.fire_due_timers(at(100), 10).await.unwrap();
            }
        });
        // Whoever was first, the timer is gone now.
        let messages = store.messages_of(node, header).await.len();
        assert_eq!(
            store.fire_due_timers(at(100), 10).await.unwrap(),
            0,
            "round {round}"
        );
        assert_eq!(
            store.messages_of(node, header).await.len(),
            messages,
            "round {round}"
        );
        assert!(messages <= 1);
    }
}

/// A timer that is armed again fires once, at its new instant; disarmed and armed in one commit it is armed.
pub async fn a_timer_set_again_moves<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    set(
        &store,
        node,
        &header,
        1,
        &[(timer(1), 10), (timer(2), 10)],
        &[],
    )
    .await;
    set(
        &store,
        node,
        &header,
        2,
        &[(timer(1), 30), (timer(2), 20)],
        &[timer(2)],
    )
    .await;
    assert_eq!(store.next_timer().await.unwrap(), Some(at(20)));
    assert_eq!(store.fire_due_timers(at(19), 10).await.unwrap(), 0);
    assert_eq!(store.fire_due_timers(at(20), 10).await.unwrap(), 1);
    assert_eq!(store.fire_due_timers(at(100), 10).await.unwrap(), 1);
    assert_eq!(
        store.messages_of(node, &header).await,
        [Message::Timer(timer(2)), Message::Timer(timer(1))]
    );
}

/// `next_timer` is the earliest instant over all instances, and nothing once none is armed.
pub async fn the_next_timer_is_the_earliest<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    assert_eq!(store.next_timer().await.unwrap(), None);
    let mut headers = Vec::new();
    for number in 0..8 {
        let header = store.owned(node).await;
        set(
            &store,
            node,
            &header,
            1,
            &[(timer(1), 100 - number), (timer(2), 200)],
            &[],
        )
        .await;
        assert_eq!(store.next_timer().await.unwrap(), Some(at(100 - number)));
        headers.push(header);
    }
    for (number, header) in (0..8_i32).zip(&headers).rev() {
        assert_eq!(
            store.next_timer().await.unwrap(),
            Some(at(i64::from(100 - number)))
        );
        set(&store, node, header, 2, &[], &[timer(1)]).await;
    }
    assert_eq!(store.next_timer().await.unwrap(), Some(at(200)));
    assert_eq!(store.fire_due_timers(at(200), 100).await.unwrap(), 8);
    assert_eq!(store.next_timer().await.unwrap(), None);
    assert!(store.send_one(&headers[0], signal("no-timer")).await);
    assert_eq!(store.next_timer().await.unwrap(), None);
}
