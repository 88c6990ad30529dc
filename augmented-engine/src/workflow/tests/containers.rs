//! PARALLEL and FOR_EACH.

use super::*;

fn fork(join: Value, more: Value) -> Value {
    let branch =
        |id: &str| json!({"branchId": id, "name": id, "steps": [task(&format!("t{id}"), None)]});
    let mut step = json!({"stepId": "f", "type": "PARALLEL", "branches": [branch("a"), branch("b"), branch("c")], "join": join});
    step.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    workflow(json!([step]))
}

fn statuses(output: &Value) -> Vec<(String, String)> {
    let branches = output["branches"].as_object().unwrap();
    branches
        .iter()
        .map(|(id, branch)| (id.clone(), branch["status"].as_str().unwrap().to_owned()))
        .collect()
}

fn pairs(expected: [(&str, &str); 3]) -> Vec<(String, String)> {
    expected
        .map(|(id, status)| (id.to_owned(), status.to_owned()))
        .to_vec()
}

#[test]
fn all_waits_for_every_branch() {
    let mut play = Play::new(fork(json!({"type": "ALL"}), json!({})), json!({}));
    assert_eq!(play.open_steps(), ["ta@f/a", "tb@f/b", "tc@f/c"]);
    play.ok("tb", json!({"n": 2}));
    play.ok("tc", json!({"n": 3}));
    assert_eq!(play.state.status, InstanceStatus::Running);
    play.ok("ta", json!({"n": 1}));
    let output = play.completed();
    assert_eq!(
        statuses(output),
        pairs([("a", "COMPLETED"), ("b", "COMPLETED"), ("c", "COMPLETED")])
    );
    assert_eq!(output["branches"]["c"]["output"], json!({"n": 3}));
    play.replays();
}

#[test]
fn first_cancels_the_others() {
    let mut play = Play::new(fork(json!({"type": "FIRST"}), json!({})), json!({}));
    play.ok("tb", json!({}));
    assert_eq!(
        statuses(play.completed()),
        pairs([("a", "CANCELLED"), ("b", "COMPLETED"), ("c", "CANCELLED")])
    );
    assert_eq!(play.cancelled_tasks, 2);
    play.replays();
}

#[test]
fn without_cancelling_the_rest_is_awaited_and_its_failures_ignored() {
    let mut play = Play::new(
        fork(json!({"type": "FIRST"}), json!({"cancelRemaining": false})),
        json!({}),
    );
    play.ok("tb", json!({}));
    play.fail("ta", "NO", ErrorCategory::Business);
    assert_eq!(play.state.status, InstanceStatus::Running);
    play.ok("tc", json!({}));
    assert_eq!(
        statuses(play.completed()),
        pairs([("a", "FAILED"), ("b", "COMPLETED"), ("c", "COMPLETED")])
    );
    play.replays();
}

#[test]
fn a_quorum_out_of_reach_is_an_error() {
    let mut play = Play::new(
        fork(json!({"type": "N_OF_M", "count": 2}), json!({})),
        json!({}),
    );
    play.fail("ta", "NO", ErrorCategory::Business);
    assert_eq!(play.state.status, InstanceStatus::Running);
    play.fail("tb", "NO", ErrorCategory::Business);
    assert_eq!(
        (play.failed().code.as_str(), play.cancelled_tasks),
        ("JOIN_UNSATISFIABLE", 1)
    );
    play.replays();
}

#[test]
fn all_fails_fast_with_the_error_of_the_branch() {
    let mut play = Play::new(fork(json!({"type": "ALL"}), json!({})), json!({}));
    play.fail("tb", "NO_STOCK", ErrorCategory::Business);
    assert_eq!(
        (play.failed().code.as_str(), play.cancelled_tasks),
        ("NO_STOCK", 2)
    );
}

#[test]
fn wait_all_collects_the_errors() {
    let mut play = Play::new(
        fork(
            json!({"type": "ALL"}),
            json!({"onBranchFailure": "WAIT_ALL"}),
        ),
        json!({}),
    );
    play.fail("tb", "ONE", ErrorCategory::Business);
    play.fail("ta", "TWO", ErrorCategory::Business);
    assert_eq!(play.state.status, InstanceStatus::Running);
    play.ok("tc", json!({}));
    let errors = play.failed().details.as_ref().unwrap()["errors"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(
        errors
            .iter()
            .map(|error| error["branchId"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
}

#[test]
fn the_failure_of_an_optional_branch_is_only_recorded() {
    let mut definition = fork(json!({"type": "ALL"}), json!({}));
    definition["steps"][0]["branches"][1]["required"] = json!(false);
    let mut play = Play::new(definition, json!({}));
    play.fail("tb", "NO", ErrorCategory::Business);
    play.ok("ta", json!({}));
    play.ok("tc", json!({}));
    assert_eq!(
        statuses(play.completed()),
        pairs([("a", "COMPLETED"), ("b", "FAILED"), ("c", "COMPLETED")])
    );
}

#[test]
fn a_container_hands_its_failure_to_its_own_handlers() {
    let mut definition = fork(
        json!({"type": "ALL"}),
        json!({"onFailure": {"handlers": [{"errorCode": "NO", "nextStepId": "end"}]}}),
    );
    definition["steps"]
        .as_array_mut()
        .unwrap()
        .push(json!({"stepId": "end", "type": "END", "output": {"from": "${error.stepId}"}}));
    let mut play = Play::new(definition, json!({}));
    play.fail("tb", "NO", ErrorCategory::Business);
    assert_eq!(*play.completed(), json!({"from": "f"}));
    play.replays();
}

/// How the branches and iterations ended, in order, as `path STATUS`.
fn ended(play: &Play) -> Vec<String> {
    let entries = play.history();
    let ended = entries
        .iter()
        .filter(|entry| entry.entry_type == HistoryType::BranchEnded);
    ended
        .map(|entry| {
            format!(
                "{} {}",
                entry.scope_path,
                entry.details.as_ref().unwrap()["status"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn every_branch_that_began_ends_in_the_history() {
    let mut definition = fork(json!({"type": "ALL"}), json!({}));
    definition["steps"][0]["branches"][1]["timeout"] = json!("PT1M");
    // The branch runs out of time while one of its steps handles an error.
    definition["steps"][0]["branches"][1]["steps"] = json!([
        {"stepId": "tb", "type": "TASK", "taskId": "t", "onFailure": {"handlers": [{"nextStepId": "hb"}]}},
        task("hb", None)]);
    let mut play = Play::new(definition, json!({}));
    play.ok("tc", json!({}));
    play.fail("tb", "NO", ErrorCategory::Business);
    assert_eq!(play.state.handling.len(), 1);
    play.fire();
    assert_eq!(play.failed().code, "EXECUTION_TIMEOUT");
    assert_eq!(
        ended(&play),
        ["f/c COMPLETED", "f/b FAILED", "f/a CANCELLED"]
    );
    assert!(play.state.handling.is_empty());
    play.replays();

    let mut play = Play::new(each(json!({})), lines(2));
    play.fail("work", "NO", ErrorCategory::Business);
    assert_eq!(ended(&play), ["each[0] FAILED", "each[1] CANCELLED"]);
    play.replays();
}

#[test]
fn a_branch_over_its_time_fails_with_a_timeout() {
    let mut definition = fork(json!({"type": "ALL"}), json!({}));
    definition["steps"][0]["branches"][0]["timeout"] = json!("PT1M");
    let mut play = Play::new(definition.clone(), json!({}));
    play.fire();
    assert_eq!(
        (play.failed().code.as_str(), play.failed().category),
        ("EXECUTION_TIMEOUT", ErrorCategory::Timeout)
    );
    play.replays();

    let mut play = Play::new(definition, json!({}));
    for step in ["ta", "tb", "tc"] {
        play.ok(step, json!({}));
    }
    play.completed();
}

#[test]
fn a_step_after_the_join_reads_the_branches_and_a_sibling_is_stopped_by_an_escape() {
    let mut definition = fork(json!({"type": "ALL"}), json!({}));
    definition["steps"][0]["next"] = json!([{"nextStepId": "end"}]);
    definition["steps"][0]["branches"][0]["steps"][0]["next"] =
        json!([{"nextStepId": "stop", "on": "stop"}, {"nextStepId": "ta2"}]);
    definition["steps"][0]["branches"][0]["steps"]
        .as_array_mut()
        .unwrap()
        .push(json!({"stepId": "ta2", "type": "PASS"}));
    definition["steps"].as_array_mut().unwrap().extend([
        json!({"stepId": "end", "type": "END", "output": {"b": "${steps.tb.output.n}"}}),
        json!({"stepId": "stop", "type": "END", "output": {"f": "${steps.f.outcome}"}}),
    ]);
    let mut play = Play::new(definition.clone(), json!({}));
    for (step, n) in [("ta", 1), ("tb", 2), ("tc", 3)] {
        play.ok(step, json!({ "n": n }));
    }
    assert_eq!(*play.completed(), json!({"b": 2}));

    let mut play = Play::new(definition, json!({}));
    play.outcome("ta", "stop");
    assert_eq!(*play.completed(), json!({"f": "ESCAPED"}));
    assert_eq!(play.cancelled_tasks, 2);
    play.replays();
}

fn each(more: Value) -> Value {
    let mut step = json!({"stepId": "each", "type": "FOR_EACH", "items": "input.lines", "itemName": "line",
        "steps": [{"stepId": "work", "type": "TASK", "taskId": "t", "input": {"sku": "${line.sku}", "at": "${index}"}, "next": [{"nextStepId": "shape"}]},
                  {"stepId": "shape", "type": "PASS", "input": {"sku": "${line.sku}", "got": "${steps.work.output.ok}"}}]});
    step.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    workflow(json!([step]))
}

fn lines(count: usize) -> Value {
    json!({"lines": (0..count).map(|n| json!({"sku": format!("s{n}")})).collect::<Vec<_>>()})
}

#[test]
fn a_loop_never_runs_more_than_its_limit_and_keeps_the_input_order() {
    let mut play = Play::new(each(json!({"maxConcurrency": 5})), lines(12));
    while let Some(task) = play.tasks.pop_back() {
        assert!(play.tasks.len() < 5);
        let message = play.done(
            &task,
            TaskStatus::Completed,
            json!({"ok": task.input["at"]}),
            None,
            None,
        );
        play.send(message);
    }
    let output = play.completed();
    assert_eq!(
        (&output["succeeded"], &output["failed"]),
        (&json!(12), &json!(0))
    );
    for (index, item) in output["items"].as_array().unwrap().iter().enumerate() {
        assert_eq!(item["index"], json!(index));
        assert_eq!(
            item["output"],
            json!({"sku": format!("s{index}"), "got": index})
        );
    }
    assert_eq!(
        play.state.frames.len(),
        1,
        "iterations leave nothing behind"
    );
    play.replays();
}

#[test]
fn collect_reports_the_failing_item_among_the_others() {
    let mut play = Play::new(
        each(json!({"onItemFailure": "COLLECT", "maxConcurrency": 1})),
        lines(3),
    );
    play.ok("work", json!({"ok": 1}));
    play.fail("work", "NO", ErrorCategory::Business);
    play.ok("work", json!({"ok": 1}));
    let output = play.completed();
    assert_eq!(
        (
            &output["succeeded"],
            &output["failed"],
            &output["items"][1]["error"]["code"]
        ),
        (&json!(2), &json!(1), &json!("NO"))
    );
    play.replays();
}

#[test]
fn fail_fast_stops_the_other_iterations_and_names_the_item() {
    let mut play = Play::new(each(json!({})), lines(3));
    play.tasks.rotate_left(1);
    play.fail("work", "NO", ErrorCategory::Business);
    assert_eq!(
        (play.failed().code.as_str(), play.cancelled_tasks),
        ("NO", 2)
    );
    assert_eq!(play.failed().details.as_ref().unwrap()["index"], json!(1));
}

#[test]
fn a_loop_that_is_left_early_gives_its_bytes_back() {
    let mut definition = each(json!({"maxVisits": 60, "outputMapping": {},
        "onFailure": {"handlers": [{"nextStepId": "each", "condition": "steps.each.visit < 50"}, {"nextStepId": "end"}]}}));
    definition["steps"]
        .as_array_mut()
        .unwrap()
        .push(json!({"stepId": "end", "type": "END"}));
    let text = "x".repeat(10_000);
    let mut play = Play::new(
        definition,
        json!({"lines": [{"sku": text}, {"sku": text}, {"sku": text}]}),
    );
    for _ in 0..50 {
        play.ok("work", json!({"ok": 1}));
        play.fail("work", "NO", ErrorCategory::Business);
        assert_eq!(play.state.bytes, play.recount());
    }
    play.completed();
    play.replays();
}

#[test]
fn what_a_step_without_a_matching_entry_assigned_is_not_counted() {
    let mut play = Play::new(
        workflow(json!([
            {"stepId": "a", "type": "TASK", "taskId": "t", "assign": {"v": "${output}"}, "next": [{"nextStepId": "b", "on": "OTHER"}],
             "onFailure": {"handlers": [{"nextStepId": "b"}]}},
            task("b", None)])),
        json!({}),
    );
    play.ok("a", json!({"text": "x".repeat(1000)}));
    assert_eq!(play.state.bytes, play.recount());
    assert!(play.state.bytes < 500);
}

#[test]
fn empty_lists_end_at_once_and_long_ones_are_refused() {
    assert_eq!(
        *Play::new(each(json!({})), lines(0)).completed(),
        json!({"items": [], "succeeded": 0, "failed": 0})
    );
    assert_eq!(
        Play::new(each(json!({})), lines(1001)).failed().code,
        "ITEMS_LIMIT"
    );
    assert_eq!(
        Play::new(each(json!({})), json!({"lines": 5}))
            .failed()
            .code,
        "EXPR_EVAL"
    );
}

#[test]
fn activations_never_repeat_when_a_loop_is_entered_again() {
    let mut definition = each(
        json!({"next": [{"nextStepId": "again", "condition": "steps.each.visit < 3"}, {"nextStepId": "end"}]}),
    );
    definition["steps"].as_array_mut().unwrap().extend([
        json!({"stepId": "again", "type": "TASK", "taskId": "t", "next": [{"nextStepId": "each"}]}),
        json!({"stepId": "end", "type": "END"}),
    ]);
    let mut play = Play::new(definition, lines(2));
    let mut ids = Vec::new();
    while let Some(task) = play.tasks.pop_front() {
        ids.push(task.task_instance_id);
        let message = play.done(&task, TaskStatus::Completed, json!({"ok": 1}), None, None);
        play.send(message);
    }
    play.completed();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), count), (8, 8));
    play.replays();
}

/// `Play` itself asserts that no key is handed out twice.
#[test]
fn activations_never_repeat_in_nested_loops_that_are_entered_again() {
    let inner = json!({"stepId": "inner", "type": "FOR_EACH", "items": "input.list", "itemName": "j", "steps": [
        task("t", None)]});
    let between = json!({"stepId": "f", "type": "PARALLEL", "branches": [{"branchId": "b", "name": "B", "steps": [inner]}]});
    let outer = json!({"stepId": "outer", "type": "FOR_EACH", "items": "input.list", "itemName": "i", "maxConcurrency": 1,
        "steps": [between], "next": [{"nextStepId": "outer", "condition": "steps.outer.visit < 3"}, {"nextStepId": "end"}]});
    let mut play = Play::new(
        workflow(json!([outer, {"stepId": "end", "type": "END"}])),
        json!({"list": [1, 2]}),
    );
    let mut visits = Vec::new();
    while let Some(task) = play.tasks.pop_front() {
        visits.push((
            task.path.as_deref().unwrap_or_default().to_owned(),
            task.visit,
        ));
        let message = play.done(&task, TaskStatus::Completed, json!({}), None, None);
        play.send(message);
    }
    play.completed();
    assert_eq!(play.keys.len(), 12);
    assert_eq!(visits[0], ("outer[0]/f/b/inner[0]".to_owned(), 1));
    assert_eq!(visits[2], ("outer[1]/f/b/inner[0]".to_owned(), 1));
    assert_eq!(visits[4], ("outer[0]/f/b/inner[0]".to_owned(), 2));
    play.replays();
}

#[test]
fn every_item_begins_at_visit_one_however_late_its_turn_comes() {
    let mut play = Play::new(each(json!({"maxConcurrency": 5})), lines(12));
    while let Some(task) = play.tasks.pop_front() {
        assert_eq!(task.visit, 1, "{:?}", task.path);
        let message = play.done(&task, TaskStatus::Completed, json!({"ok": 1}), None, None);
        play.send(message);
    }
    play.completed();
}

#[test]
fn twenty_branches_that_end_one_after_the_other_keep_every_variable() {
    let branches: Vec<Value> = (0..20)
        .map(|n| json!({"branchId": format!("b{n}"), "name": "B", "steps": [
            {"stepId": format!("t{n}"), "type": "TASK", "taskId": "t", "assign": {format!("v{n}"): n}}]}))
        .collect();
    let mut play = Play::new(
        workflow_with(
            json!([{"stepId": "f", "type": "PARALLEL", "branches": branches}]),
            json!({"output": {"all": "${vars}"}}),
        ),
        json!({}),
    );
    for n in 0..20 {
        play.ok(&format!("t{n}"), json!({}));
    }
    assert_eq!(play.completed()["all"].as_object().unwrap().len(), 20);
    assert_eq!(play.state.seq, Some(20));
}
