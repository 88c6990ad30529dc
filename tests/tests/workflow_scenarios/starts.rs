//! Starting instances.

use augmented_acceptance::{Calls, engine, noting, start, task, workflow};
use augmented_core::store::{InstanceFilter, Page};
use augmented_engine::StartRequest;
use futures_util::future::join_all;
use serde_json::json;

fn request(key: &str, amount: i64) -> StartRequest {
    StartRequest::new("pay")
        .with_idempotency_key(key)
        .with_input(json!({ "amount": amount }))
}

#[tokio::test]
async fn a_repeated_start_gives_the_same_instance_and_other_input_is_a_conflict() {
    let calls = Calls::default();
    let engine = engine(|builder| builder.with_task("pay", noting(&calls))).await;
    start(
        &engine,
        workflow("pay", json!([task("pay", None)])),
        json!({}),
    )
    .await
    .result()
    .await
    .unwrap();
    let started = join_all((0..10).map(|_| engine.start(request("k-1", 5)))).await;
    let mut ids: Vec<_> = started
        .into_iter()
        .map(|handle| handle.unwrap().id())
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    engine.handle(ids[0]).await.unwrap().result().await.unwrap();
    // Also once the instance has ended.
    assert_eq!(engine.start(request("k-1", 5)).await.unwrap().id(), ids[0]);
    let refused = engine.start(request("k-1", 6)).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.reason()),
        ("IDEMPOTENCY_CONFLICT", None)
    );
    assert_ne!(engine.start(request("k-2", 5)).await.unwrap().id(), ids[0]);
    engine.idle().await;
    let listed = engine
        .list(&InstanceFilter::default(), Page::new(None, 10))
        .await
        .unwrap();
    assert_eq!((listed.instances.len(), calls.count()), (3, 3));
}
