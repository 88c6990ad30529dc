//! Random workflows under random messages: whatever happens, the facts replay and nothing contradicts itself.

use super::super::is_surplus;
use super::*;
use augmented_core::runtime::{
    AttemptOutcome, AttemptRecord, CancelRequest, CancelSource, TimerKind,
};

/// A small deterministic generator (splitmix64), so that a seed names a run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

/// Makes a scope of a few steps; `outer` are the steps of the scopes around it, which transitions may escape to.
fn scope(dice: &mut Dice, depth: usize, counter: &mut usize, outer: &[String]) -> Vec<Value> {
    let count = 1 + dice.below(3);
    let ids: Vec<String> = (0..count)
        .map(|_| {
            *counter += 1;
            format!("s{counter}")
        })
        .collect();
    let mut steps = Vec::new();
    for (position, id) in ids.iter().enumerate() {
        // An END in the middle of everything: the output it makes fits the schema of the workflow or not.
        if depth > 1 && dice.chance(4) {
            steps.push(json!({"stepId": id, "type": "END", "output": {"n": "${steps.size()}"}}));
            continue;
        }
        let mut step = step(dice, id, depth, counter, &[outer, &ids].concat());
        let mut next = Vec::new();
        if dice.chance(20) {
            next.push(json!({"nextStepId": ids[dice.below(count)], "on": "again"}));
        }
        if !outer.is_empty() && dice.chance(10) {
            next.push(json!({"nextStepId": outer[dice.below(outer.len())], "on": "leave"}));
        }
        if let Some(following) = ids.get(position + 1) {
            next.push(json!({ "nextStepId": following }));
        } else if !next.is_empty() && dice.chance(70) {
            next.push(json!({"nextStepId": ids[0], "condition": "steps.exists(id, steps[id].visit > 3) == false"}));
            next.push(
                json!({"nextStepId": *outer.first().unwrap_or(&ids[count - 1]), "on": "never"}),
            );
        }
        if !next.is_empty() {
            step["next"] = json!(next);
        }
        if dice.chance(30) {
            let target = ids[dice.below(count)].clone();
            step["onFailure"] = match dice.below(3) {
                0 => json!({"action": "CONTINUE"}),
                1 => json!({"handlers": [{"errorCode": "E1", "nextStepId": target}]}),
                _ => {
                    json!({"handlers": [{"nextStepId": target, "condition": "error.attempt < 9"}]})
                }
            };
        }
        if dice.chance(15) {
            step["assign"] = json!({"v": "${steps.size()}"});
        }
        step["maxVisits"] = json!(4);
        steps.push(step);
    }
    steps
}

fn step(dice: &mut Dice, id: &str, depth: usize, counter: &mut usize, around: &[String]) -> Value {
    let kinds = if depth >= 3 { 7 } else { 10 };
    match dice.below(kinds) {
        0 | 1 => {
            json!({"stepId": id, "type": "TASK", "taskId": "t", "input": {"n": "${steps.size()}"}})
        }
        2 => json!({"stepId": id, "type": "PASS"}),
        3 => {
            json!({"stepId": id, "type": "DELAY", "duration": format!("PT{}S", 1 + dice.below(50))})
        }
        4 => {
            json!({"stepId": id, "type": "EVENT_WAIT", "signalType": format!("sig{}", dice.below(2)), "eventTimeout": {"duration": "PT20S"}})
        }
        5 => {
            json!({"stepId": id, "type": "POLL", "taskId": "t", "until": "has(output.ready)", "interval": "PT5S", "maxAttempts": 3, "timeout": "PT1M"})
        }
        6 => {
            json!({"stepId": id, "type": "SUB_WORKFLOW", "workflowId": "child", "timeout": "PT30S",
            "retryPolicy": {"maxAttempts": 2, "retryableErrors": ["CHILD_FAILED"]}, "waitForCompletion": dice.chance(80)})
        }
        7 | 8 => {
            let count = 1 + dice.below(3);
            let branches: Vec<Value> = (0..count)
                .map(|n| {
                    let mut branch = json!({"branchId": format!("b{n}"), "name": "B", "required": dice.chance(80),
                        "steps": scope(dice, depth + 1, counter, around)});
                    if dice.chance(20) {
                        branch["timeout"] = json!("PT40S");
                    }
                    branch
                })
                .collect();
            let join = match dice.below(3) {
                0 => json!({"type": "ALL"}),
                1 => json!({"type": "FIRST"}),
                _ => json!({"type": "N_OF_M", "count": 1 + dice.below(count)}),
            };
            json!({"stepId": id, "type": "PARALLEL", "branches": branches, "join": join, "cancelRemaining": dice.chance(70),
                "onBranchFailure": if dice.chance(50) { "FAIL_FAST" } else { "WAIT_ALL" }})
        }
        _ => {
            json!({"stepId": id, "type": "FOR_EACH", "items": "input.list", "itemName": format!("it{id}"), "maxConcurrency": 1 + dice.below(3),
            "onItemFailure": if dice.chance(50) { "FAIL_FAST" } else { "COLLECT" }, "steps": scope(dice, depth + 1, counter, around)})
        }
    }
}

/// Every control point stands in a container that knows it, and every open wait has its timer.
fn check_structure(play: &Play, seed: u64) {
    for (id, token) in play.state.tokens.iter() {
        if let Some(parent) = token.parent {
            let parent = play
                .state
                .tokens
                .get(&parent)
                .unwrap_or_else(|| panic!("seed {seed}: token {id} lost its container"));
            assert!(
                matches!(
                    parent.activity,
                    Activity::Parallel(_) | Activity::ForEach(_)
                ),
                "seed {seed}: token {id} in {parent:?}"
            );
        }
        assert!(
            play.state.frames.contains_key(&token.frame),
            "seed {seed}: token {id} lost its frame"
        );
    }
    assert_eq!(
        play.state.bytes,
        play.recount(),
        "seed {seed}: the bytes of the state are counted wrong"
    );
    for id in play.state.handling.keys() {
        assert!(
            play.state.tokens.contains_key(id),
            "seed {seed}: token {id} is gone and still handles an error"
        );
    }
    for (_, key) in &play.timers {
        assert!(
            !is_surplus(&play.state, &Message::Timer(*key)),
            "seed {seed}: timer {key} outlives what it was for"
        );
    }
    let armed = play.timers.len();
    let mut keys: Vec<_> = play.timers.iter().map(|(_, key)| *key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), armed, "seed {seed}: a timer is armed twice");
    if play.state.status.is_terminal() {
        assert_eq!(play.timers, [], "seed {seed}: timers outlive the instance");
        assert!(
            play.tasks.is_empty(),
            "seed {seed}: tasks outlive the instance: {:?}",
            play.open_steps()
        );
    } else {
        let something =
            !play.tasks.is_empty() || !play.timers.is_empty() || !play.children.is_empty();
        let waits = play
            .state
            .tokens
            .values()
            .any(|token| matches!(token.activity, Activity::Signal { .. }));
        assert!(
            something || waits,
            "seed {seed}: the instance stands still: {:?}",
            play.state
        );
    }
}

/// A task whose next attempt was armed has failed before.
fn with_attempts(play: &Play, task: &RunTask, message: Message) -> Message {
    let retry =
        |key: &TimerKey| key.kind == TimerKind::TaskRetry && key.activation == task.activation;
    match message {
        Message::TaskDone(mut done) if play.timers.iter().any(|(_, key)| retry(key)) => {
            Arc::make_mut(&mut done)
                .failed_attempts
                .push(AttemptRecord {
                    attempt: 1,
                    started_at: play.now,
                    ended_at: play.now,
                    outcome: AttemptOutcome::TimedOut,
                    error: ErrorInfo::new("E0", ErrorCategory::Transient, "not now"),
                    delay_ms: 30_000,
                    next_attempt_at: play.now,
                    checkpoint: None,
                });
            Message::TaskDone(done)
        }
        message => message,
    }
}

fn one_message(play: &mut Play, dice: &mut Dice, answered: &mut Vec<RunTask>) {
    match dice.below(12) {
        0..=4 if !play.tasks.is_empty() => {
            let position = dice.below(play.tasks.len());
            let task = play.tasks.remove(position).unwrap();
            let message = match dice.below(6) {
                0 => play.done(
                    &task,
                    TaskStatus::Failed,
                    Value::Null,
                    None,
                    Some(ErrorInfo::new("E1", ErrorCategory::Business, "no")),
                ),
                1 => play.done(
                    &task,
                    TaskStatus::Completed,
                    json!({"ready": 1}),
                    Some("again"),
                    None,
                ),
                2 => play.done(
                    &task,
                    TaskStatus::Completed,
                    Value::Null,
                    Some("leave"),
                    None,
                ),
                _ => play.done(
                    &task,
                    TaskStatus::Completed,
                    json!({"ready": 1}),
                    None,
                    None,
                ),
            };
            let message = with_attempts(play, &task, message);
            answered.push(task);
            play.send(message);
        }
        // What the shell does when the next attempt of a task is far away.
        5 if !play.tasks.is_empty() => {
            let key = TimerKey {
                kind: TimerKind::TaskRetry,
                activation: play.tasks[dice.below(play.tasks.len())].activation,
            };
            if play.timers.iter().all(|(_, armed)| *armed != key) {
                play.timers.push((play.now.plus_millis(30_000), key));
            }
        }
        6 | 7 if !play.timers.is_empty() => play.fire(),
        8 if !play.children.is_empty() => {
            let status = [
                ChildStatus::Completed,
                ChildStatus::Failed,
                ChildStatus::Cancelled,
            ][dice.below(3)];
            play.child_done(status, json!({"c": 1}), None, None);
        }
        9 => {
            let id = dice.next().to_string();
            play.signal(&id, &format!("sig{}", dice.below(2)), json!({}));
        }
        10 if !answered.is_empty() => {
            let late = answered[dice.below(answered.len())].clone();
            let message = play.done(&late, TaskStatus::Completed, json!({"late": 1}), None, None);
            play.send(message);
        }
        11 if dice.chance(3) => play.send(Message::Cancel(CancelRequest {
            request_id: Arc::from("c"),
            reason: "chance".to_owned(),
            source: CancelSource::User,
            requested_by: None,
        })),
        _ => {}
    }
}

fn run(seed: u64) -> InstanceStatus {
    let mut dice = Dice(seed);
    let mut counter = 0;
    let mut steps = scope(&mut dice, 1, &mut counter, &[]);
    steps.push(json!({"stepId": "last", "type": "END"}));
    let mut more = json!({"outputSchema": {"properties": {"n": {"maximum": 6}}}});
    if dice.chance(20) {
        more["executionTimeout"] = json!("PT5M");
    }
    if dice.chance(30) {
        steps.push(json!({"stepId": "h", "type": "TASK", "taskId": "t", "input": {"code": "${error.code}"}, "next": [{"nextStepId": "last"}]}));
        more["onError"] = json!({"handlerStepId": "h"});
    }
    if dice.chance(10) {
        more["executionLog"] = json!({"level": "ERROR"});
    }
    let mut play = Play::new(
        workflow_with(json!(steps), more),
        json!({"list": [1, 2, 3, 4]}),
    );
    // Whatever engine goes on with it, the instance keeps what it began with.
    if dice.chance(30) {
        (play.limits.max_step_visits, play.limits.seed) = (1, dice.next());
        (play.limits.max_state_bytes, play.limits.max_total_visits) = (1, 1);
    }
    let mut answered = Vec::new();
    let mut halfway = None;
    for round in 0..400 {
        check_structure(&play, seed);
        if play.state.status.is_terminal() {
            break;
        }
        one_message(&mut play, &mut dice, &mut answered);
        if round == 10 {
            halfway = Some((play.state.clone(), play.facts.len()));
        }
    }
    play.replays();
    if let Some((snapshot, count)) = halfway {
        let text = serde_json::to_string(&snapshot).unwrap();
        let snapshot: InstanceState = serde_json::from_str(&text).unwrap();
        let facts = play.facts.split_off(count);
        let loaded = LoadedInstance::new(
            play.state.header.clone(),
            None,
            0,
            Some(Arc::new(snapshot)),
            facts,
            Vec::new(),
        );
        assert_eq!(
            replay(&play.flow, &loaded, &play.limits).unwrap(),
            play.state,
            "seed {seed}: from a snapshot"
        );
    }
    play.state.status
}

#[test]
fn random_workflows_replay_and_never_contradict_themselves() {
    let mut ends = std::collections::BTreeMap::<&str, usize>::new();
    for seed in 0..1500 {
        let status =
            std::panic::catch_unwind(|| run(seed)).unwrap_or_else(|_| panic!("seed {seed}"));
        *ends.entry(status.as_str()).or_default() += 1;
    }
    for status in ["COMPLETED", "FAILED", "CANCELLED"] {
        assert!(
            ends.get(status).is_some_and(|count| *count > 5),
            "the generator never reaches {status}: {ends:?}"
        );
    }
}
