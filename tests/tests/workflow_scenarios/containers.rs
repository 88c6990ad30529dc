//! PARALLEL and FOR_EACH.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use augmented_acceptance::{at, ended, engine, run, visits, with, workflow};
use augmented_core::runtime::{HistoryType, InstanceStatus};
use augmented_engine::{EngineBuilder, TaskContext, TaskError};
use serde_json::{Map, Value, json};
use tokio::sync::Barrier;

#[tokio::test]
async fn w11_twenty_branches_that_finish_at_once_lose_no_variable() {
    let barrier = Arc::new(Barrier::new(20));
    let meet = move |_: TaskContext, input: Value| {
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            Ok::<_, TaskError>(input)
        }
    };
    let engine = engine(|builder| builder.with_task("meet", meet)).await;
    let branch = |number: usize| {
        let step = json!({"stepId": format!("s{number}"), "type": "TASK", "taskId": "meet", "input": {"number": number}, "assign": {format!("v{number}"): "${output.number}"}});
        json!({"branchId": format!("b{number}"), "name": "branch", "steps": [step]})
    };
    let branches: Vec<Value> = (0..20).map(branch).collect();
    let steps = json!([{"stepId": "fork", "type": "PARALLEL", "branches": branches, "next": [{"nextStepId": "end"}]}, {"stepId": "end", "type": "END", "output": "${vars}"}]);
    let (handle, result) = run(&engine, workflow("twenty", steps), json!({})).await;
    let all: Map<String, Value> = (0..20)
        .map(|number| (format!("v{number}"), json!(number)))
        .collect();
    assert_eq!(
        ended(&result),
        (InstanceStatus::Completed, Value::Object(all))
    );
    let version = engine.instance(handle.id()).await.unwrap().state().seq;
    assert_eq!(version, Some(20));
}

/// Handlers of branches: `slow` takes ten seconds, `quick` one, `broken` fails at once for good.
fn branch_tasks(builder: EngineBuilder) -> EngineBuilder {
    let taking = |seconds: u64| {
        move |ctx: TaskContext, _: Value| async move {
            tokio::select! {
                () = ctx.sleep(Duration::from_secs(seconds)) => Ok(json!({ "took": seconds })),
                () = ctx.cancelled() => Err(TaskError::permanent("STOPPED", "asked to stop")),
            }
        }
    };
    builder
        .with_task("slow", taking(10))
        .with_task("quick", taking(1))
        .with_task("broken", |_: TaskContext, _: Value| async {
            Err::<Value, _>(TaskError::permanent("BROKEN", "for good"))
        })
}

fn fork(branches: [(&str, bool); 3], more: Value) -> Value {
    let branch = |(number, (task, required)): (usize, (&str, bool))| {
        let step = json!({"stepId": format!("s{number}"), "type": "TASK", "taskId": task, "retryPolicy": {"maxAttempts": 1}});
        json!({"branchId": format!("b{number}"), "name": task, "required": required, "steps": [step]})
    };
    let branches: Vec<Value> = branches.into_iter().enumerate().map(branch).collect();
    let step = json!({"stepId": "fork", "type": "PARALLEL", "branches": branches, "next": [{"nextStepId": "end"}]});
    workflow(
        "fork",
        json!([with(step, more), {"stepId": "end", "type": "END", "output": "${steps.fork.output.branches.map(b, steps.fork.output.branches[b].status)}"}]),
    )
}

#[tokio::test]
async fn w21_the_first_branch_cancels_the_others() {
    let engine = engine(branch_tasks).await;
    let (handle, result) = run(
        &engine,
        fork(
            [("slow", true), ("quick", true), ("slow", true)],
            json!({"join": {"type": "FIRST"}}),
        ),
        json!({}),
    )
    .await;
    assert_eq!(
        ended(&result),
        (
            InstanceStatus::Completed,
            json!(["CANCELLED", "COMPLETED", "CANCELLED"])
        )
    );
    assert_eq!(result.completed_at, Some(at(1)));
    let history = engine.history(handle.id()).await.unwrap();
    assert_eq!(
        visits(&history, HistoryType::StepCancelled),
        [("s0".to_owned(), 1), ("s2".to_owned(), 1)]
    );
}

#[tokio::test]
async fn w21_a_quorum_out_of_reach_is_an_error() {
    let engine = engine(branch_tasks).await;
    let join = json!({"join": {"type": "N_OF_M", "count": 2}, "onBranchFailure": "WAIT_ALL"});
    let (_, result) = run(
        &engine,
        fork([("broken", true), ("slow", true), ("broken", true)], join),
        json!({}),
    )
    .await;
    assert_eq!(
        ended(&result),
        (InstanceStatus::Failed, json!("JOIN_UNSATISFIABLE"))
    );
    assert_eq!(result.failed_step_id.as_deref(), Some("fork"));
}

#[tokio::test]
async fn w21_two_of_three_are_enough() {
    let engine = engine(branch_tasks).await;
    let join = json!({"join": {"type": "N_OF_M", "count": 2}, "onBranchFailure": "WAIT_ALL"});
    let (_, result) = run(
        &engine,
        fork([("broken", true), ("slow", true), ("quick", true)], join),
        json!({}),
    )
    .await;
    assert_eq!(
        ended(&result),
        (
            InstanceStatus::Completed,
            json!(["FAILED", "COMPLETED", "COMPLETED"])
        )
    );
    assert_eq!(result.completed_at, Some(at(10)));
}

#[tokio::test]
async fn w21_the_failure_of_an_optional_branch_is_tolerated() {
    let engine = engine(branch_tasks).await;
    let (_, result) = run(
        &engine,
        fork(
            [("quick", true), ("broken", false), ("slow", true)],
            json!({}),
        ),
        json!({}),
    )
    .await;
    assert_eq!(
        ended(&result),
        (
            InstanceStatus::Completed,
            json!(["COMPLETED", "FAILED", "COMPLETED"])
        )
    );
    let (_, result) = run(
        &engine,
        with(
            fork(
                [("quick", true), ("broken", true), ("slow", true)],
                json!({}),
            ),
            json!({"workflowId": "strict"}),
        ),
        json!({}),
    )
    .await;
    assert_eq!(ended(&result), (InstanceStatus::Failed, json!("BROKEN")));
}

/// A loop over numbers whose handler measures how many iterations are live.
async fn loop_over(count: usize, more: Value) -> (augmented_engine::WorkflowResult, usize) {
    let (live, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let measured = Arc::clone(&most);
    let work = move |ctx: TaskContext, input: Value| {
        let (live, most) = (Arc::clone(&live), Arc::clone(&most));
        async move {
            most.fetch_max(live.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Unequal lengths, so that iterations do not end in the order of their items.
            ctx.sleep(Duration::from_secs(
                1 + (input["n"].as_u64().unwrap() * 7) % 5,
            ))
            .await;
            live.fetch_sub(1, Ordering::SeqCst);
            if input["n"] == 7 {
                Err(TaskError::permanent("SEVEN", "not this one"))
            } else {
                Ok(json!({"n": input["n"]}))
            }
        }
    };
    let engine = engine(|builder| builder.with_task("work", work)).await;
    let step = json!({"stepId": "each", "type": "FOR_EACH", "items": "input.list", "maxConcurrency": 5,
        "steps": [{"stepId": "work", "type": "TASK", "taskId": "work", "input": {"n": "${item}", "index": "${index}"}}]});
    let list: Vec<usize> = (1..=count).collect();
    let (_, result) = run(
        &engine,
        workflow("loop", json!([with(step, more)])),
        json!({ "list": list }),
    )
    .await;
    (result, measured.load(Ordering::SeqCst))
}

#[tokio::test]
async fn w22_a_loop_runs_five_at_a_time_and_collects_in_order() {
    let (result, most) = loop_over(12, json!({"onItemFailure": "COLLECT"})).await;
    assert_eq!((result.status, most), (InstanceStatus::Completed, 5));
    let items = result.output["items"].as_array().unwrap();
    let shown: Vec<Value> = items
        .iter()
        .map(|item| {
            json!([
                item["index"],
                item["status"],
                item["output"]["n"],
                item["error"]["code"]
            ])
        })
        .collect();
    let expected: Vec<Value> = (0..12)
        .map(|index| {
            if index == 6 {
                json!([6, "FAILED", null, "SEVEN"])
            } else {
                json!([index, "COMPLETED", index + 1, null])
            }
        })
        .collect();
    assert_eq!(shown, expected);
    assert_eq!(
        (&result.output["succeeded"], &result.output["failed"]),
        (&json!(11), &json!(1))
    );
}

#[tokio::test]
async fn w22_a_loop_fails_fast_with_the_error_of_its_item() {
    let (result, _) = loop_over(12, json!({})).await;
    assert_eq!(ended(&result), (InstanceStatus::Failed, json!("SEVEN")));
}

#[tokio::test]
async fn w22_a_list_that_is_too_long_is_refused() {
    let (result, most) = loop_over(1001, json!({})).await;
    assert_eq!(
        (ended(&result), most),
        ((InstanceStatus::Failed, json!("ITEMS_LIMIT")), 0)
    );
    let (result, most) = loop_over(1000, json!({"onItemFailure": "COLLECT"})).await;
    assert_eq!(
        (result.status, &result.output["succeeded"], most),
        (InstanceStatus::Completed, &json!(999), 5)
    );
}
