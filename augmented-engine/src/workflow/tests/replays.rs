//! Replay: the same facts lead to the same state, or the instance must not go on.

use super::*;
use crate::workflow::ReplayError;

fn loaded(play: &Play) -> LoadedInstance {
    LoadedInstance::new(
        play.state.header.clone(),
        None,
        0,
        None,
        play.facts.clone(),
        Vec::new(),
    )
}

fn two_tasks() -> Play {
    let mut play = Play::new(
        workflow(json!([task("a", Some("b")), task("b", None)])),
        json!({}),
    );
    play.ok("a", json!({}));
    play
}

#[test]
fn an_altered_trail_is_noticed() {
    let play = two_tasks();
    let mut altered = loaded(&play);
    altered.facts[1].trail.pop();
    assert_eq!(
        replay(&play.flow, &altered, &play.limits),
        Err(ReplayError::Diverged { seq: 1 })
    );
}

/// An instance whose way depends on every setting: visits, sizes, the seed of a child's retry.
fn dependent(limits: DecideLimits) -> Play {
    let steps = json!([
        {"stepId": "p", "type": "TASK", "taskId": "t", "next": [{"nextStepId": "p", "on": "AGAIN"}, {"nextStepId": "c"}],
         "onFailure": {"handlers": [{"nextStepId": "c"}]}},
        {"stepId": "c", "type": "SUB_WORKFLOW", "workflowId": "child",
         "retryPolicy": {"maxAttempts": 3, "retryableErrors": ["CHILD_FAILED"]}, "next": [{"nextStepId": "last"}]},
        task("last", None),
    ]);
    Play::with_limits(workflow(steps), json!({}), limits)
}

#[test]
fn an_instance_keeps_the_limits_it_began_under() {
    let mut first = DecideLimits::default();
    (first.max_step_visits, first.seed) = (2, 99);
    first.cancel_grace_micros = 5_000_000;
    let mut other = first;
    (other.max_step_visits, other.seed) = (1, 7);
    (other.max_state_bytes, other.cancel_grace_micros) = (10, 1);

    let mut play = dependent(first);
    play.outcome("p", "AGAIN");
    // Another engine, set otherwise, goes on.
    play.limits = other;
    play.outcome("p", "AGAIN");
    assert_eq!(
        play.state.total_visits, 4,
        "the third visit is one too many"
    );
    play.child_done(ChildStatus::Failed, json!(null), None, None);
    play.limits.seed = 8;
    play.replays();
    let mut same = dependent(first);
    same.outcome("p", "AGAIN");
    same.outcome("p", "AGAIN");
    same.child_done(ChildStatus::Failed, json!(null), None, None);
    assert_eq!(play.timers, same.timers, "the jitter is that of the start");
    play.fire();
    play.child_done(ChildStatus::Completed, json!({}), None, None);
    play.send(Message::Cancel(augmented_core::runtime::CancelRequest {
        request_id: Arc::from("1"),
        reason: "enough".to_owned(),
        source: augmented_core::runtime::CancelSource::User,
        requested_by: None,
    }));
    assert_eq!(
        play.timers[0].0.micros_since(play.now),
        first.cancel_grace_micros
    );
    play.replays();
    assert_eq!(dependent(other).state.limits, other);
}

#[test]
fn an_instance_of_another_semantics_is_not_gone_on_with() {
    let play = two_tasks();
    let mut newer = loaded(&play);
    let Message::Start(start) = &mut newer.facts[0].message else {
        panic!("the first fact is the start")
    };
    start.limits.as_mut().unwrap().step_semantics = 2;
    assert_eq!(
        replay(&play.flow, &newer, &play.limits),
        Err(ReplayError::UnknownSemantics {
            expressions: 1,
            steps: 2
        })
    );
}

#[test]
fn a_missing_fact_is_noticed() {
    let play = two_tasks();
    let mut gap = loaded(&play);
    gap.facts.remove(0);
    assert_eq!(
        replay(&play.flow, &gap, &play.limits),
        Err(ReplayError::Gap {
            expected: 0,
            found: 1
        })
    );
}

#[test]
fn open_commands_name_the_same_tasks_again() {
    let play = two_tasks();
    let commands = crate::workflow::open_commands(&play.flow, &play.state);
    assert_eq!(commands, [Command::RunTask(play.open("b"))]);
}
