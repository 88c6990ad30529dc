//! What the store does when calls are dropped and connections fail.
#![allow(clippy::unwrap_used, reason = "a failing helper fails its test")]

mod support;

use std::time::Duration;

use augmented_core::store::{ExecutionStore, QueryStore};
use augmented_core::{InstanceId, NodeId, TenantId, Timestamp};
use support::Fresh;
use uuid::Uuid;

/// A call may be dropped at any await; the next one finds no connection in a transaction that nobody ends.
#[test]
fn dropped_calls_leave_no_transaction_open() {
    support::run(async {
        let fresh = Fresh::new().await;
        let store = fresh.store().await;
        let raw = fresh.pool().await;
        let (tenant, nobody) = (TenantId::DEFAULT, InstanceId(Uuid::from_u128(7)));
        let node = NodeId(Uuid::from_u128(1));
        let at = |second: u64| Timestamp::from_millis(1_767_225_600_000 + 1000 * second as i64);
        store.register_node(node, at(0)).await.unwrap();
        for round in 0..400 {
            let after = Duration::from_micros(round * 5);
            let _ = tokio::time::timeout(after, store.load(tenant, &[nobody])).await;
            let _ = tokio::time::timeout(after, store.facts(tenant, nobody, 0, 10)).await;
            assert!(store.heartbeat(node, at(round)).await.unwrap());
            let seen: i64 =
                sqlx::query_scalar("SELECT extract(epoch FROM heartbeat_at)::bigint FROM engine_nodes")
                    .fetch_one(&raw)
                    .await
                    .unwrap();
            assert_eq!(seen * 1000, at(round).as_millis(), "round {round}");
        }
        store.close().await;
    });
}
