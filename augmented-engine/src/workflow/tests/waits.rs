//! DELAY, signals, POLL, sub-workflows, cancellation.

use super::super::{has_room_for, is_surplus};
use super::*;
use augmented_core::runtime::{
    AttemptOutcome, AttemptRecord, CancelRequest, CancelSource, TimerKind,
};

#[test]
fn a_delay_parks_until_its_instant() {
    let mut play = Play::new(
        workflow(json!([{"stepId": "d", "type": "DELAY", "duration": "P30D"}])),
        json!({}),
    );
    assert_eq!(play.state.status, InstanceStatus::WaitingForEvent);
    play.fire();
    assert_eq!(play.now.to_string(), "2026-01-31T00:00:00Z");
    play.completed();
    play.replays();
}

#[test]
fn a_delay_until_an_instant_reads_text_and_timestamps() {
    for until in [
        "input.due",
        "workflow.startedAt + duration('36h')",
        "timestamp(input.due)",
    ] {
        let mut play = Play::new(
            workflow(json!([{"stepId": "d", "type": "DELAY", "until": until}])),
            json!({"due": "2026-01-02T12:00:00Z"}),
        );
        play.fire();
        assert_eq!(play.now.to_string(), "2026-01-02T12:00:00Z", "{until}");
        play.completed();
    }
    let play = Play::new(
        workflow(json!([{"stepId": "d", "type": "DELAY", "until": "input.due"}])),
        json!({"due": "soon"}),
    );
    assert_eq!(play.failed().code, "EXPR_EVAL");
}

fn wait() -> Value {
    workflow(json!([
        {"stepId": "a", "type": "TASK", "taskId": "t", "next": [{"nextStepId": "w"}]},
        {"stepId": "w", "type": "EVENT_WAIT", "signalType": "approve", "eventTimeout": {"duration": "PT1H", "timeoutHandlerStepId": "late"},
         "assign": {"by": "${signal.payload.by}"}, "next": [{"nextStepId": "end"}]},
        {"stepId": "end", "type": "END", "output": {"by": "${vars.by}", "outcome": "${steps.w.outcome}"}},
        {"stepId": "late", "type": "END", "outcome": "LATE", "output": {"code": "${error.code}"}},
    ]))
}

#[test]
fn a_signal_resumes_the_step_that_waits_for_it() {
    let mut play = Play::new(wait(), json!({}));
    play.ok("a", json!({}));
    assert_eq!(play.state.status, InstanceStatus::WaitingForEvent);
    play.signal("1", "other", json!({}));
    assert_eq!(play.state.status, InstanceStatus::WaitingForEvent);
    play.signal("2", "approve", json!({"by": "ann"}));
    assert_eq!(
        *play.completed(),
        json!({"by": "ann", "outcome": "RECEIVED"})
    );
    play.replays();
}

#[test]
fn signals_that_come_early_are_kept_and_taken_in_order() {
    let mut play = Play::new(wait(), json!({}));
    play.signal("1", "approve", json!({"by": "ann"}));
    play.signal("2", "approve", json!({"by": "bob"}));
    play.ok("a", json!({}));
    assert_eq!(
        *play.completed(),
        json!({"by": "ann", "outcome": "RECEIVED"})
    );
    play.replays();
}

#[test]
fn kept_signals_count_until_they_are_taken() {
    let signal = |bytes: usize| SignalMessage {
        signal_id: Arc::from("n"),
        signal_type: Arc::from("approve"),
        payload: Arc::new(json!({"by": "x".repeat(bytes)})),
        sent_by: None,
    };
    let mut play = Play::new(wait(), json!({}));
    let empty = play.state.bytes;
    for n in 0..3 {
        assert!(has_room_for(&play.state, &signal(300_000)), "{n}");
        play.signal(
            &n.to_string(),
            "approve",
            (*signal(300_000).payload).clone(),
        );
        assert_eq!(play.state.bytes, play.recount());
    }
    assert!(!has_room_for(&play.state, &signal(300_000)));
    assert!(has_room_for(&play.state, &signal(100_000)));
    play.replays();

    let mut play = Play::new(wait(), json!({}));
    play.signal("1", "approve", json!({"by": "ann"}));
    assert!(play.state.bytes > empty);
    play.ok("a", json!({}));
    assert_eq!(play.state.bytes, play.recount());
    play.completed();
}

#[test]
fn a_wait_that_runs_out_goes_to_its_handler() {
    let mut play = Play::new(wait(), json!({}));
    play.ok("a", json!({}));
    play.fire();
    assert_eq!(*play.completed(), json!({"code": "EVENT_WAIT_TIMEOUT"}));
    play.signal("1", "approve", json!({}));
    assert_eq!(play.state.outcome.as_deref(), Some("LATE"));
    play.replays();
}

#[test]
fn only_the_timer_of_the_fulfilled_wait_is_disarmed() {
    let branch = |id: &str, timeout: &str| json!({"branchId": id, "name": id, "steps": [{"stepId": id, "type": "EVENT_WAIT", "signalType": id, "eventTimeout": {"duration": timeout}}]});
    let mut play = Play::new(
        workflow(
            json!([{"stepId": "f", "type": "PARALLEL", "onBranchFailure": "WAIT_ALL", "branches": [branch("one", "PT1H"), branch("two", "PT2H")]}]),
        ),
        json!({}),
    );
    play.signal("1", "one", json!({}));
    assert_eq!(play.timers.len(), 1);
    play.fire();
    assert_eq!(
        (play.now.to_string().as_str(), play.failed().code.as_str()),
        ("2026-01-01T02:00:00Z", "EVENT_WAIT_TIMEOUT")
    );
}

fn poll(more: Value) -> Value {
    let mut step = json!({"stepId": "p", "type": "POLL", "taskId": "t", "until": "output.status == 'shipped'", "interval": "PT1M", "backoffMultiplier": 2, "maxAttempts": 3});
    step.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    workflow(json!([step]))
}

#[test]
fn a_poll_repeats_its_task_until_the_condition_holds() {
    let mut play = Play::new(poll(json!({})), json!({}));
    let first = play.open("p").task_instance_id;
    play.ok("p", json!({"status": "open"}));
    assert_eq!(play.state.status, InstanceStatus::WaitingForEvent);
    play.fire();
    assert_ne!(play.open("p").task_instance_id, first);
    play.ok("p", json!({"status": "open"}));
    play.fire();
    assert_eq!(play.now.to_string(), "2026-01-01T00:03:00Z");
    play.ok("p", json!({"status": "shipped"}));
    assert_eq!(*play.completed(), json!({"status": "shipped"}));
    play.replays();
}

#[test]
fn a_poll_that_handles_an_error_reads_it_in_every_round() {
    let mut definition = poll(json!({"until": "error.code == 'NO' && output.status == 'shipped'"}));
    let step = json!({"stepId": "a", "type": "TASK", "taskId": "t", "onFailure": {"handlers": [{"nextStepId": "p"}]}});
    definition["steps"].as_array_mut().unwrap().insert(0, step);
    let mut play = Play::new(definition, json!({}));
    play.fail("a", "NO", ErrorCategory::Business);
    play.ok("p", json!({"status": "open"}));
    play.fire();
    play.ok("p", json!({"status": "shipped"}));
    assert_eq!(*play.completed(), json!({"status": "shipped"}));
    play.replays();
}

#[test]
fn a_poll_ends_with_its_rounds_or_its_time() {
    let mut play = Play::new(poll(json!({})), json!({}));
    for _ in 0..2 {
        play.ok("p", json!({"status": "open"}));
        play.fire();
    }
    play.ok("p", json!({"status": "open"}));
    assert_eq!(play.failed().code, "POLL_EXHAUSTED");

    let mut play = Play::new(poll(json!({"timeout": "PT30S"})), json!({}));
    play.ok("p", json!({"status": "open"}));
    play.fire();
    assert_eq!(
        (play.now.to_string().as_str(), play.failed().code.as_str()),
        ("2026-01-01T00:00:30Z", "POLL_EXHAUSTED")
    );
    play.replays();
}

fn parent(more: Value) -> Value {
    let mut step = json!({"stepId": "sub", "type": "SUB_WORKFLOW", "workflowId": "child", "input": {"n": 1}, "correlationId": "c-${input.id}",
        "next": [{"nextStepId": "good", "on": "GOOD"}, {"nextStepId": "end"}]});
    step.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    workflow(
        json!([step, {"stepId": "good", "type": "END", "outcome": "G"}, {"stepId": "end", "type": "END", "output": {"code": "${steps.sub.error}"}}]),
    )
}

#[test]
fn a_child_hands_back_its_output_and_outcome() {
    let mut play = Play::new(parent(json!({})), json!({"id": 9}));
    let child = play.children.front().unwrap();
    assert_eq!(
        (&*child.input, child.correlation_id.as_deref()),
        (&json!({"n": 1}), Some("c-9"))
    );
    play.child_done(ChildStatus::Completed, json!({"ok": 1}), Some("GOOD"), None);
    assert_eq!(
        (play.completed(), play.state.outcome.as_deref()),
        (&json!({"ok": 1}), Some("G"))
    );
    play.replays();
}

#[test]
fn a_failed_child_is_an_error_with_the_inner_one() {
    let mut play = Play::new(parent(json!({})), json!({"id": 9}));
    play.child_done(
        ChildStatus::Failed,
        json!(null),
        None,
        Some(ErrorInfo::new("INNER", ErrorCategory::Business, "no")),
    );
    assert_eq!(
        (
            play.failed().code.as_str(),
            &play.failed().details.as_ref().unwrap()["error"]["code"]
        ),
        ("CHILD_FAILED", &json!("INNER"))
    );
}

#[test]
fn a_child_is_started_again_where_the_policy_says_so() {
    let mut play = Play::new(
        parent(
            json!({"retryPolicy": {"maxAttempts": 2, "jitter": 0, "retryableErrors": ["CHILD_FAILED"]}}),
        ),
        json!({"id": 9}),
    );
    let first = play.children.front().unwrap().instance_id;
    play.child_done(ChildStatus::Failed, json!(null), None, None);
    play.fire();
    assert_eq!(play.now.to_string(), "2026-01-01T00:00:01Z");
    assert_ne!(play.children.front().unwrap().instance_id, first);
    play.child_done(ChildStatus::Failed, json!(null), None, None);
    assert_eq!(play.failed().code, "CHILD_FAILED");
    play.replays();
}

#[test]
fn a_child_over_its_time_is_cancelled() {
    let mut play = Play::new(
        parent(json!({"timeout": "PT1M", "retryPolicy": {"maxAttempts": 1}})),
        json!({"id": 9}),
    );
    play.fire();
    assert_eq!(
        (play.failed().code.as_str(), play.cancelled_children),
        ("EXECUTION_TIMEOUT", 1)
    );
}

#[test]
fn a_parent_that_does_not_wait_goes_on_with_the_id() {
    let play = Play::new(
        workflow(
            json!([{"stepId": "sub", "type": "SUB_WORKFLOW", "workflowId": "child", "waitForCompletion": false}]),
        ),
        json!({}),
    );
    let id = play.children.front().unwrap().instance_id;
    assert_eq!(*play.completed(), json!({ "instanceId": id }));
}

fn cancel(id: &str) -> Message {
    Message::Cancel(CancelRequest {
        request_id: Arc::from(id),
        reason: "no longer wanted".to_owned(),
        source: CancelSource::User,
        requested_by: None,
    })
}

#[test]
fn a_cancellation_waits_for_running_tasks() {
    let mut play = Play::new(workflow(json!([task("a", None)])), json!({}));
    let task = play.open("a");
    play.send(cancel("1"));
    assert_eq!(
        (play.state.status, play.timers.len()),
        (InstanceStatus::Cancelling, 1)
    );
    let message = play.done(&task, TaskStatus::Cancelled, Value::Null, None, None);
    play.send(message);
    assert_eq!(
        (play.state.status, play.timers.len()),
        (InstanceStatus::Cancelled, 0)
    );
    play.replays();
}

#[test]
fn a_cancellation_ends_after_the_grace_and_at_once_without_running_tasks() {
    let mut play = Play::new(workflow(json!([task("a", None)])), json!({}));
    play.send(cancel("1"));
    play.fire();
    assert_eq!(play.state.status, InstanceStatus::Cancelled);
    play.replays();

    let mut play = Play::new(
        workflow(json!([{"stepId": "d", "type": "DELAY", "duration": "PT1H"}])),
        json!({}),
    );
    play.send(cancel("1"));
    assert_eq!(
        (play.state.status, play.timers.len()),
        (InstanceStatus::Cancelled, 0)
    );
}

#[test]
fn the_timer_of_a_next_attempt_goes_with_its_task() {
    let retry = |play: &Play| TimerKey {
        kind: TimerKind::TaskRetry,
        activation: play.open("a").activation,
    };
    let definition = || workflow(json!([task("a", Some("b")), task("b", None)]));

    // The driver armed it and the task went on before it fired, because something else woke the instance.
    let mut play = Play::new(definition(), json!({}));
    let (key, task) = (retry(&play), play.open("a"));
    play.timers.push((play.now, key));
    assert!(!is_surplus(&play.state, &Message::Timer(key)));
    let Message::TaskDone(mut done) =
        play.done(&task, TaskStatus::Completed, json!({}), None, None)
    else {
        panic!("the end of a task")
    };
    Arc::make_mut(&mut done).failed_attempts = vec![AttemptRecord {
        attempt: 1,
        started_at: play.now,
        ended_at: play.now,
        outcome: AttemptOutcome::Failed,
        error: ErrorInfo::new("NO", ErrorCategory::Transient, "not now"),
        delay_ms: 60_000,
        next_attempt_at: play.now,
        checkpoint: None,
    }];
    play.tasks.clear();
    play.send(Message::TaskDone(done));
    assert_eq!(play.timers, []);
    assert!(is_surplus(&play.state, &Message::Timer(key)));
    let open = TimerKey {
        activation: play.open("b").activation,
        ..key
    };
    assert!(!is_surplus(&play.state, &Message::Timer(open)));
    play.replays();

    let mut play = Play::new(definition(), json!({}));
    let key = retry(&play);
    play.timers.push((play.now, key));
    play.send(cancel("1"));
    assert!(
        play.timers
            .iter()
            .all(|(_, key)| key.kind == TimerKind::CancelGrace)
    );
    assert!(is_surplus(&play.state, &Message::Timer(key)));
}

#[test]
fn a_cancelled_parent_takes_its_child_along_unless_it_is_abandoned() {
    for (policy, cancelled) in [("CANCEL", 1), ("ABANDON", 0)] {
        let mut play = Play::new(
            parent(json!({ "onParentCancel": policy })),
            json!({"id": 1}),
        );
        play.send(cancel("1"));
        assert_eq!(
            (play.state.status, play.cancelled_children),
            (InstanceStatus::Cancelled, cancelled),
            "{policy}"
        );
    }
}
