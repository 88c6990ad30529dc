//! The history people read.

use super::*;
use augmented_core::runtime::{AttemptOutcome, AttemptRecord, CancelRequest, CancelSource};

/// The entries of one type, as `path/step#visit`.
fn places(play: &Play, wanted: HistoryType) -> Vec<String> {
    let entries = play.history();
    let found = entries.iter().filter(|entry| entry.entry_type == wanted);
    found
        .map(|entry| {
            format!(
                "{}/{}#{}",
                entry.scope_path,
                entry.step_id.as_deref().unwrap_or("?"),
                entry.visit.unwrap_or(0)
            )
        })
        .collect()
}

fn cancel() -> Message {
    Message::Cancel(CancelRequest {
        request_id: Arc::from("1"),
        reason: "enough".to_owned(),
        source: CancelSource::User,
        requested_by: None,
    })
}

/// The end of a task whose first attempt ended in `outcome`.
fn after_attempt(play: &Play, task: &RunTask, outcome: AttemptOutcome) -> Message {
    let Message::TaskDone(mut done) = play.done(task, TaskStatus::Completed, json!({}), None, None)
    else {
        panic!("the end of a task")
    };
    let answer = Arc::make_mut(&mut done);
    answer.attempts = 2;
    answer.failed_attempts = vec![AttemptRecord {
        attempt: 1,
        started_at: play.now,
        ended_at: play.now,
        outcome,
        error: ErrorInfo::new("NO", ErrorCategory::Transient, "not now"),
        delay_ms: 1000,
        next_attempt_at: play.now,
        checkpoint: None,
    }];
    Message::TaskDone(done)
}

#[test]
fn a_late_result_names_the_step_it_was_for() {
    // A branch that was cancelled, after which the instance went on.
    let branch =
        |id: &str| json!({"branchId": id, "name": id, "steps": [task(&format!("t{id}"), None)]});
    let mut play = Play::new(
        workflow(json!([
            {"stepId": "f", "type": "PARALLEL", "join": {"type": "FIRST"}, "branches": [branch("a"), branch("b")],
             "next": [{"nextStepId": "c"}]},
            task("c", None)])),
        json!({}),
    );
    let late = play.open("tb");
    play.ok("ta", json!({}));
    let message = play.done(&late, TaskStatus::Completed, json!({}), None, None);
    play.send(message);
    let acknowledged = play.done(&late, TaskStatus::Cancelled, json!(null), None, None);
    play.send(acknowledged);
    assert_eq!(play.state.given_up.len(), 0);
    // A task over its time, whose result comes after the end of the instance.
    let late = play.open("c");
    let error = ErrorInfo::new("EXECUTION_TIMEOUT", ErrorCategory::Timeout, "over its time");
    play.answer("c", TaskStatus::TimedOut, json!(null), None, Some(error));
    play.failed();
    let message = play.done(&late, TaskStatus::Completed, json!({}), None, None);
    play.send(message);
    assert_eq!(
        places(&play, HistoryType::StaleResult),
        ["f/b/tb#1", "f/b/tb#1", "/c#1"]
    );
    play.replays();
}

#[test]
fn retries_are_told_with_their_step_also_while_the_instance_is_cancelled() {
    let mut play = Play::new(
        workflow(json!([task("a", Some("b")), task("b", None)])),
        json!({}),
    );
    let task = play.tasks.pop_front().unwrap();
    let message = after_attempt(&play, &task, AttemptOutcome::Failed);
    play.send(message);
    let task = play.open("b");
    play.send(cancel());
    let message = after_attempt(&play, &task, AttemptOutcome::TimedOut);
    play.send(message);
    assert_eq!(play.state.status, InstanceStatus::Cancelled);
    assert_eq!(
        places(&play, HistoryType::StepRetryScheduled),
        ["/a#1", "/b#1"]
    );
    play.replays();
}

#[test]
fn retries_of_a_child_are_told() {
    let step = json!({"stepId": "c", "type": "SUB_WORKFLOW", "workflowId": "child",
        "retryPolicy": {"maxAttempts": 2, "jitter": 0, "retryableErrors": ["CHILD_FAILED"]}});
    let mut play = Play::new(workflow(json!([step])), json!({}));
    play.child_done(ChildStatus::Failed, json!(null), None, None);
    let entries = play.history();
    let retry = entries
        .iter()
        .find(|entry| entry.entry_type == HistoryType::StepRetryScheduled)
        .unwrap();
    let details = retry.details.as_ref().unwrap();
    assert_eq!(
        (
            retry.step_id.as_deref(),
            retry.attempt,
            &details["delayMs"],
            &details["error"]["code"],
            &details["nextAttemptAt"]
        ),
        (
            Some("c"),
            Some(1),
            &json!(1000),
            &json!("CHILD_FAILED"),
            &json!("2026-01-01T00:00:01Z")
        )
    );
    play.replays();
}

#[test]
fn a_workflow_that_logs_errors_keeps_failures_and_the_end() {
    let mut play = Play::new(
        workflow_with(
            json!([{"stepId": "a", "type": "TASK", "taskId": "t", "assign": {"v": 1}, "next": [{"nextStepId": "b"}]},
                {"stepId": "b", "type": "TASK", "taskId": "t", "onFailure": {"action": "CONTINUE"}}]),
            json!({"executionLog": {"level": "ERROR"}}),
        ),
        json!({}),
    );
    let task = play.tasks.pop_front().unwrap();
    let message = after_attempt(&play, &task, AttemptOutcome::Failed);
    play.send(message);
    play.fail("b", "NO", ErrorCategory::Business);
    play.completed();
    let types: Vec<HistoryType> = play
        .history()
        .into_iter()
        .map(|entry| entry.entry_type)
        .collect();
    assert_eq!(
        types,
        [
            HistoryType::WorkflowCreated,
            HistoryType::WorkflowStarted,
            HistoryType::StepRetryScheduled,
            HistoryType::StepFailed,
            HistoryType::WorkflowCompleted
        ]
    );
    assert_eq!(places(&play, HistoryType::StepRetryScheduled), ["/a#1"]);
    play.replays();
}
