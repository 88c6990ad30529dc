//! Sub-workflows.

use std::sync::Arc;

use augmented_acceptance::{
    Calls, EPOCH, WatchedStore, count, ended, engine, engine_on, noting, start, visits,
    wait_for_signal, with, workflow,
};
use augmented_core::InstanceId;
use augmented_core::runtime::{HistoryType, InstanceStatus};
use augmented_core::store::{InstanceFilter, Page};
use augmented_engine::{CancelRequest, Engine, SignalRequest};
use serde_json::{Value, json};

fn parent(more: Value) -> Value {
    let step = json!({"stepId": "sub", "type": "SUB_WORKFLOW", "workflowId": "child", "input": {"n": "${input.n}"}, "next": [{"nextStepId": "after"}]});
    let after = json!({"stepId": "after", "type": "TASK", "taskId": "after", "input": {"got": "${steps.sub.output}"}});
    workflow("parent", json!([with(step, more), after]))
}

/// A parent whose `handle` step takes the failure of the child.
fn handling_parent() -> Value {
    let mut parent = parent(
        json!({"onFailure": {"handlers": [{"errorCode": "CHILD_FAILED", "nextStepId": "handle"}]}}),
    );
    let input = json!({"code": "${error.code}", "inner": "${error.details.error.code}", "retryable": "${error.retryable}"});
    parent["steps"]
        .as_array_mut()
        .unwrap()
        .push(json!({"stepId": "handle", "type": "TASK", "taskId": "after", "input": input}));
    parent
}

async fn child_of(engine: &Engine, parent: InstanceId) -> InstanceId {
    let mut filter = InstanceFilter::default();
    filter.parent = Some(parent);
    let children = engine
        .list(&filter, Page::new(None, 10))
        .await
        .unwrap()
        .instances;
    assert_eq!(children.len(), 1);
    children[0].header.instance_id
}

#[tokio::test]
async fn w33_a_failed_child_hands_its_error_to_the_handler_of_the_parent() {
    let calls = Calls::default();
    let engine = engine(|builder| builder.with_task("after", noting(&calls))).await;
    let failing = json!([{"stepId": "e", "type": "END", "result": "FAILED", "errorCode": "NOT_SOLVENT", "errorMessage": "score ${input.n}"}]);
    engine.publish(workflow("child", failing)).await.unwrap();
    let handle = start(&engine, handling_parent(), json!({"n": 3})).await;
    let seen = json!({"code": "CHILD_FAILED", "inner": "NOT_SOLVENT", "retryable": false});
    assert_eq!(
        ended(&handle.result().await.unwrap()),
        (InstanceStatus::Completed, seen)
    );
    assert_eq!(calls.steps(), ["handle"]);
    let child = engine
        .handle(child_of(&engine, handle.id()).await)
        .await
        .unwrap()
        .result()
        .await
        .unwrap();
    let error = child.error.unwrap();
    assert_eq!(
        (child.status, error.code.as_str(), error.message.as_str()),
        (InstanceStatus::Failed, "NOT_SOLVENT", "score 3")
    );
}

#[tokio::test]
async fn w33_a_cancelled_parent_cancels_its_child_unless_it_abandons_it() {
    for (policy, expected) in [
        ("CANCEL", InstanceStatus::Cancelled),
        ("ABANDON", InstanceStatus::Completed),
    ] {
        let engine = engine(|builder| builder.with_task("after", noting(&Calls::default()))).await;
        engine
            .publish(workflow("child", json!([wait_for_signal("go", None)])))
            .await
            .unwrap();
        let handle = start(
            &engine,
            parent(json!({ "onParentCancel": policy })),
            json!({"n": 1}),
        )
        .await;
        engine.idle().await;
        let child = child_of(&engine, handle.id()).await;
        engine
            .cancel(handle.id(), CancelRequest::new("no longer wanted"))
            .await
            .unwrap();
        assert_eq!(
            handle.result().await.unwrap().status,
            InstanceStatus::Cancelled,
            "{policy}"
        );
        engine.idle().await;
        if expected == InstanceStatus::Completed {
            assert_eq!(
                engine.instance(child).await.unwrap().status(),
                InstanceStatus::WaitingForEvent
            );
            engine
                .signal(child, SignalRequest::new("go"))
                .await
                .unwrap();
        }
        assert_eq!(
            engine
                .handle(child)
                .await
                .unwrap()
                .result()
                .await
                .unwrap()
                .status,
            expected,
            "{policy}"
        );
    }
}

#[tokio::test]
async fn w33_after_a_crash_between_the_end_of_the_child_and_the_next_step_the_parent_goes_on_once()
{
    let calls = Calls::default();
    let store = Arc::new(WatchedStore::fresh().await);
    store.die_after(|commit| !commit.outbox.is_empty());
    let first = engine_on(Arc::clone(&store) as _, EPOCH, |builder| {
        builder.with_task("after", noting(&calls))
    })
    .await;
    first
        .publish(workflow(
            "child",
            json!([{"stepId": "e", "type": "END", "output": {"doubled": "${input.n * 2}"}}]),
        ))
        .await
        .unwrap();
    let parent = start(&first, parent(json!({})), json!({"n": 4})).await;
    store.died().await;
    first.kill();
    assert_eq!(calls.count(), 0);

    let second = engine_on(store.inner(), EPOCH, |builder| {
        builder.with_task("after", noting(&calls))
    })
    .await;
    let handle = second.handle(parent.id()).await.unwrap();
    let got = json!({"got": {"doubled": 8}});
    assert_eq!(
        ended(&handle.result().await.unwrap()),
        (InstanceStatus::Completed, got)
    );
    second.idle().await;
    let history = second.history(parent.id()).await.unwrap();
    assert_eq!(
        (
            calls.steps(),
            count(&history, HistoryType::ChildStarted),
            count(&history, HistoryType::ChildEnded)
        ),
        (vec!["after".to_owned()], 1, 1)
    );
    assert_eq!(
        visits(&history, HistoryType::StepCompleted),
        [("sub".to_owned(), 1), ("after".to_owned(), 1)]
    );
    child_of(&second, parent.id()).await;
}
