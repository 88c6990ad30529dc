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
