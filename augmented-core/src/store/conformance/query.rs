//! Promises of reading.

use std::sync::Arc;

use serde_json::json;

use super::Subject;
use super::fixture::{TENANT, at, end, fact, progress, signal, start, task_done};
use crate::ids::{InstanceId, TenantId};
use crate::runtime::{InstanceHeader, InstanceStatus};
use crate::store::{InstanceFilter, NewMessage, Page, Refusal, Store};

/// All pages of a list, each of `limit` rows.
async fn all_pages<S: Store>(
    store: &Subject<S>,
    tenant: TenantId,
    filter: &InstanceFilter,
    limit: usize,
) -> Vec<InstanceId> {
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let page = store
            .list_instances(tenant, filter, Page::new(after, limit))
            .await
            .unwrap();
        assert!(page.instances.len() <= limit);
        ids.extend(page.instances.iter().map(|row| row.header.instance_id));
        match page.next {
            None => return ids,
            Some(next) => {
                assert_eq!(
                    page.instances.len(),
                    limit,
                    "a page that is not the last is full"
                );
                after = Some(next);
            }
        }
    }
}

/// Following `next` visits every matching instance that existed at the first page exactly once, newest first.
pub async fn pages_are_complete_and_disjoint<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let mut keys = Vec::new();
    for number in 0..40_i64 {
        // Several share an instant, and they are not inserted in its order.
        let header = store.later(store.header(), at((number * 7) % 10));
        keys.push((header.created_at, header.instance_id));
        store
            .apply(node, start(&Arc::new(header), Some(node)))
            .await;
    }
    keys.sort();
    let expected: Vec<InstanceId> = keys.iter().rev().map(|(_, id)| *id).collect();
    for limit in [1, 7, 20, 40, 1000] {
        assert_eq!(
            all_pages(&store, TENANT, &InstanceFilter::default(), limit).await,
            expected,
            "pages of {limit}"
        );
    }
    // What comes while somebody turns the pages neither repeats nor hides a row.
    let first = store
        .list_instances(TENANT, &InstanceFilter::default(), Page::new(None, 10))
        .await
        .unwrap();
    store
        .apply(
            node,
            start(&Arc::new(store.later(store.header(), at(99))), Some(node)),
        )
        .await;
    let rest = store
        .list_instances(
            TENANT,
            &InstanceFilter::default(),
            Page::new(first.next, 1000),
        )
        .await
        .unwrap();
    let seen: Vec<InstanceId> = first
        .instances
        .iter()
        .chain(&rest.instances)
        .map(|row| row.header.instance_id)
        .collect();
    assert_eq!(seen, expected);
    assert_eq!(rest.next, None);
}

/// Every member of a filter that is given must hold, alone and together.
pub async fn lists_keep_to_their_filter<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let parent = store.owned(node).await;
    let mut rows = Vec::new();
    for number in 0..24_i64 {
        let header = if number % 2 == 0 {
            store.header()
        } else {
            store.child_header(&parent)
        };
        let mut header = store.later(header, at(number + 1));
        Arc::make_mut(&mut header.definition).workflow_id = if number % 3 == 0 {
            "refund".into()
        } else {
            "order".into()
        };
        Arc::make_mut(&mut header.definition).version = if number % 4 == 0 {
            "2.0.0".into()
        } else {
            "1.0.0".into()
        };
        header.correlation_id = (number % 5 == 0).then(|| "c-1".into());
        header.metadata =
            (number % 6 == 0).then(|| Arc::new(json!({ "region": "eu", "tags": { "vip": true } })));
        let header = Arc::new(header);
        store.apply(node, start(&header, Some(node))).await;
        if number % 2 == 0 {
            store.apply(node, end(&header, 1)).await;
        }
        rows.push(header);
    }
    let check = async |filter: InstanceFilter, matches: &dyn Fn(i64) -> bool| {
        let mut expected: Vec<InstanceId> = (0..)
            .zip(&rows)
            .filter(|(number, _)| matches(*number))
            .map(|(_, header)| header.instance_id)
            .collect();
        expected.reverse();
        assert!(!expected.is_empty());
        for limit in [3, 1000] {
            assert_eq!(
                all_pages(&store, TENANT, &filter, limit).await,
                expected,
                "{filter:?}"
            );
        }
    };
    let any = InstanceFilter {
        created_from: Some(at(1)),
        ..InstanceFilter::default()
    };
    check(any.clone(), &|_| true).await;
    check(
        InstanceFilter {
            workflow_id: Some("refund".into()),
            ..any.clone()
        },
        &|n| n % 3 == 0,
    )
    .await;
    check(
        InstanceFilter {
            version: Some("2.0.0".into()),
            ..any.clone()
        },
        &|n| n % 4 == 0,
    )
    .await;
    check(
        InstanceFilter {
            statuses: vec![InstanceStatus::Completed],
            ..any.clone()
        },
        &|n| n % 2 == 0,
    )
    .await;
    check(
        InstanceFilter {
            statuses: vec![InstanceStatus::Failed, InstanceStatus::Running],
            ..any.clone()
        },
        &|n| n % 2 == 1,
    )
    .await;
    check(
        InstanceFilter {
            correlation_id: Some("c-1".into()),
            ..any.clone()
        },
        &|n| n % 5 == 0,
    )
    .await;
    check(
        InstanceFilter {
            parent: Some(parent.instance_id),
            ..any.clone()
        },
        &|n| n % 2 == 1,
    )
    .await;
    check(
        InstanceFilter {
            created_from: Some(at(4)),
            created_before: Some(at(9)),
            ..any.clone()
        },
        &|n| (3..8).contains(&n),
    )
    .await;
    check(
        InstanceFilter {
            metadata: Some(json!({ "region": "eu" })),
            ..any.clone()
        },
        &|n| n % 6 == 0,
    )
    .await;
    check(
        InstanceFilter {
            metadata: Some(json!({ "tags": { "vip": true } })),
            ..any.clone()
        },
        &|n| n % 6 == 0,
    )
    .await;
    let together = InstanceFilter {
        workflow_id: Some("order".into()),
        correlation_id: Some("c-1".into()),
        parent: Some(parent.instance_id),
        ..any
    };
    check(together, &|n| n % 3 != 0 && n % 5 == 0 && n % 2 == 1).await;
    let nothing = InstanceFilter {
        metadata: Some(json!({ "region": "us" })),
        ..InstanceFilter::default()
    };
    assert!(all_pages(&store, TENANT, &nothing, 10).await.is_empty());
}

/// Facts are returned by `seq` without gaps, from where and as many as asked for.
pub async fn facts_come_in_order<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let header = store.owned(node).await;
    for seq in 1..20 {
        store.apply(node, progress(&header, seq)).await;
    }
    store.apply(node, end(&header, 20)).await;
    let read = async |from, limit| {
        store
            .facts(TENANT, header.instance_id, from, limit)
            .await
            .unwrap()
    };
    assert_eq!(store.seqs(&header).await, (0..=20).collect::<Vec<_>>());
    assert_eq!(
        read(5, 3).await,
        [5, 6, 7].map(|seq| fact(seq, task_done(&header, seq)))
    );
    assert_eq!(read(19, 100).await.len(), 2);
    assert!(read(21, 100).await.is_empty());
    assert!(read(0, 0).await.is_empty());
    assert!(
        store
            .facts(TENANT, store.header().instance_id, 0, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        store
            .instance(TENANT, store.header().instance_id)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        store
            .instance(TENANT, header.instance_id)
            .await
            .unwrap()
            .unwrap()
            .last_seq(),
        Some(20)
    );
}

/// No call with one tenant shows, changes or blocks what belongs to another.
pub async fn tenants_do_not_see_each_other<S: Store>(store: Subject<S>) {
    let node = store.node().await;
    let stranger = TenantId(store.new_id(at(0)));
    let mut header = store.header();
    header.idempotency_key = Some("k".into());
    header.correlation_id = Some("c".into());
    let header = Arc::new(header);
    store.apply(node, start(&header, Some(node))).await;
    let id = header.instance_id;
    assert!(store.instance(stranger, id).await.unwrap().is_none());
    assert!(
        store
            .load(stranger, &[id])
            .await
            .unwrap()
            .remove(0)
            .is_none()
    );
    assert!(store.facts(stranger, id, 0, 10).await.unwrap().is_empty());
    assert_eq!(
        store
            .send(vec![NewMessage::new(stranger, id, signal("a"))])
            .await
            .unwrap(),
        [crate::store::SendOutcome::Ignored]
    );
    let by_correlation = InstanceFilter {
        correlation_id: Some("c".into()),
        ..InstanceFilter::default()
    };
    for filter in [InstanceFilter::default(), by_correlation.clone()] {
        assert!(all_pages(&store, stranger, &filter, 10).await.is_empty());
        assert_eq!(all_pages(&store, TENANT, &filter, 10).await, [id]);
    }
    let mut intruding = progress(&header, 1);
    intruding.tenant = stranger;
    store.refuse(node, intruding, Refusal::Conflict).await;
    assert_eq!(store.seqs(&header).await, [0]);
    // The same idempotency key and correlation id in another tenant are other ones.
    let own_id = InstanceId(store.new_id(at(0)));
    let own = Arc::new(InstanceHeader {
        tenant_id: stranger,
        instance_id: own_id,
        root_instance_id: own_id,
        ..(*header).clone()
    });
    store.apply(node, start(&own, Some(node))).await;
    for (tenant, id) in [(TENANT, id), (stranger, own_id)] {
        assert_eq!(all_pages(&store, tenant, &by_correlation, 10).await, [id]);
    }
}
