//! The error path: handlers, CONTINUE, containers, onError, END FAILED.

use super::*;

fn with_handlers(handlers: Value) -> Play {
    Play::new(
        workflow(json!([
            {"stepId": "a", "type": "TASK", "taskId": "t", "input": {"orderId": 7}, "onFailure": {"handlers": handlers}},
            {"stepId": "fix", "type": "TASK", "taskId": "t", "input": {"own": 1, "why": "nothing"}, "next": [{"nextStepId": "end"}]},
            {"stepId": "end", "type": "END", "output": {"code": "${steps.a.error.code}"}},
        ])),
        json!({}),
    )
}

#[test]
fn the_first_matching_handler_takes_over_with_its_input() {
    let mut play = with_handlers(json!([
        {"errorCode": "OTHER", "nextStepId": "end"},
        {"errorCategory": "VALIDATION", "condition": "error.attempt > 5", "nextStepId": "end"},
        {"errorCategory": "VALIDATION", "nextStepId": "fix", "inputMapping": {"why": "${error.message}", "order": "${error.stepInput.orderId}"}},
    ]));
    play.fail("a", "BAD_INPUT", ErrorCategory::Validation);
    assert_eq!(
        *play.open("fix").input,
        json!({"own": 1, "why": "as the test wants", "order": 7})
    );
    play.ok("fix", json!({}));
    assert_eq!(*play.completed(), json!({"code": "BAD_INPUT"}));
    play.replays();
}

#[test]
fn without_a_matching_handler_the_instance_fails_with_the_error() {
    let mut play = with_handlers(json!([{"errorCategory": "TIMEOUT", "nextStepId": "fix"}]));
    play.fail("a", "BAD_INPUT", ErrorCategory::Validation);
    assert_eq!(play.failed().code, "BAD_INPUT");
    assert_eq!(
        play.state.error.as_ref().unwrap().failed_step_id.as_deref(),
        Some("a")
    );
    play.replays();
}

#[test]
fn a_handler_condition_that_fails_is_the_error_itself() {
    let mut play =
        with_handlers(json!([{"condition": "error.details.missing > 1", "nextStepId": "fix"}]));
    play.fail("a", "BAD_INPUT", ErrorCategory::Validation);
    assert_eq!(play.failed().code, "EXPR_EVAL");
}

#[test]
fn a_handler_condition_that_fails_keeps_what_it_was_about() {
    let mut definition = workflow_with(
        json!([
            {"stepId": "a", "type": "TASK", "taskId": "t", "input": {"orderId": 7},
             "onFailure": {"handlers": [{"condition": "error.details.missing > 1", "nextStepId": "h"}]}},
            task("h", None)]),
        json!({}),
    );
    definition["onError"] = json!({"handlerStepId": "h", "inputMapping":
        {"order": "${error.stepInput.orderId}", "attempt": "${error.attempt}", "code": "${error.code}"}});
    let mut play = Play::new(definition, json!({}));
    play.fail("a", "BAD_INPUT", ErrorCategory::Validation);
    assert_eq!(
        *play.open("h").input,
        json!({"order": 7, "attempt": 1, "code": "EXPR_EVAL"})
    );
    let entries = play.history();
    let noted = entries
        .iter()
        .find(|entry| entry.entry_type == HistoryType::ExpressionError)
        .unwrap();
    assert_eq!(
        (noted.step_id.as_deref(), noted.visit),
        (Some("a"), Some(1))
    );
    assert_eq!(
        noted.details.as_ref().unwrap()["error"]["code"],
        "EXPR_EVAL"
    );
    play.replays();
}

#[test]
fn continue_leads_to_the_named_step_the_default_entry_or_the_end_of_the_path() {
    for (plan, next, entered) in [
        (
            json!({"action": "CONTINUE", "nextStepId": "x"}),
            json!([{"nextStepId": "y"}]),
            vec!["a", "x"],
        ),
        (
            json!({"action": "CONTINUE"}),
            json!([{"nextStepId": "x", "on": "OK"}, {"nextStepId": "y"}]),
            vec!["a", "y"],
        ),
        (
            json!({"action": "CONTINUE"}),
            json!([{"nextStepId": "x", "on": "OK"}]),
            vec!["a"],
        ),
    ] {
        let mut play = Play::new(
            workflow(json!([
                {"stepId": "a", "type": "TASK", "taskId": "t", "onFailure": plan, "next": next},
                {"stepId": "x", "type": "PASS"},
                {"stepId": "y", "type": "PASS"},
            ])),
            json!({}),
        );
        play.fail("a", "NO", ErrorCategory::Business);
        assert_eq!(*play.completed(), Value::Null);
        assert_eq!(play.entered(), entered);
        play.replays();
    }
}

#[test]
fn the_workflow_handler_runs_once_and_ends_in_failed_unless_an_end_says_completed() {
    let play = |last: Value| {
        let steps = json!([task("a", None), {"stepId": "h", "type": "TASK", "taskId": "t", "next": [{"nextStepId": "z"}]}, last]);
        let mut play = Play::new(
            workflow_with(
                steps,
                json!({"onError": {"handlerStepId": "h", "inputMapping": {"code": "${error.code}"}}}),
            ),
            json!({}),
        );
        play.fail("a", "BOOM", ErrorCategory::Permanent);
        assert_eq!(*play.open("h").input, json!({"code": "BOOM"}));
        play
    };
    let mut first = play(json!({"stepId": "z", "type": "PASS"}));
    first.ok("h", json!({}));
    assert_eq!(first.failed().code, "BOOM");
    assert_eq!(
        first
            .state
            .error
            .as_ref()
            .unwrap()
            .failed_step_id
            .as_deref(),
        Some("a")
    );
    first.replays();

    let mut second = play(json!({"stepId": "z", "type": "END"}));
    second.ok("h", json!({"ok": 1}));
    assert_eq!(*second.completed(), json!({"ok": 1}));

    let mut third = play(json!({"stepId": "z", "type": "END"}));
    third.fail("h", "AGAIN", ErrorCategory::Permanent);
    assert_eq!(third.failed().code, "AGAIN");
    third.replays();
}

#[test]
fn a_bad_output_at_a_nested_end_stops_the_other_branches_before_the_workflow_handler() {
    let steps = json!([
        {"stepId": "f", "type": "PARALLEL", "branches": [
            {"branchId": "one", "name": "1", "steps": [task("a", Some("e")), {"stepId": "e", "type": "END", "output": {"n": "text"}}]},
            {"branchId": "two", "name": "2", "timeout": "PT1H", "steps": [task("b", None)]}]},
        task("h", Some("z")),
        {"stepId": "z", "type": "END", "output": {"n": 1, "from": "${steps.f.status}"}},
    ]);
    let mut play = Play::new(
        workflow_with(
            steps,
            json!({"onError": {"handlerStepId": "h"}, "outputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}}}),
        ),
        json!({}),
    );
    play.ok("a", json!({}));
    assert_eq!(play.open_steps(), ["h@"]);
    assert_eq!((play.cancelled_tasks, play.timers.len()), (1, 0));
    play.ok("h", json!({}));
    assert_eq!(*play.completed(), json!({"n": 1, "from": "CANCELLED"}));
    play.replays();
}

/// A loop over three items whose second one goes round and round, with what the loop says about failures.
fn exhausted(more: Value, top: Value) -> Play {
    let mut each = json!({"stepId": "each", "type": "FOR_EACH", "items": "input.list", "maxConcurrency": 1, "steps": [
        {"stepId": "p", "type": "TASK", "taskId": "t", "maxVisits": 3,
         "next": [{"nextStepId": "p", "condition": "item == 2"}, {"nextStepId": "q"}]},
        {"stepId": "q", "type": "PASS"}]});
    each.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let mut play = Play::new(
        workflow_with(json!([each, task("h", None)]), top),
        json!({"list": [1, 2, 3]}),
    );
    while play.tasks.iter().any(|task| task.path.is_some()) {
        play.ok("p", json!({}));
    }
    play
}

#[test]
fn an_item_that_is_entered_too_often_is_one_failed_item() {
    let play = exhausted(json!({"onItemFailure": "COLLECT"}), json!({}));
    let output = play.completed();
    assert_eq!(
        (
            &output["succeeded"],
            &output["failed"],
            &output["items"][1]["error"]["code"]
        ),
        (&json!(2), &json!(1), &json!("STEP_VISIT_LIMIT_EXCEEDED"))
    );
    play.replays();
}

#[test]
fn a_visit_limit_reaches_the_handlers_of_the_container_and_of_the_workflow() {
    for (more, top) in [
        (
            json!({"onFailure": {"handlers": [{"errorCode": "STEP_VISIT_LIMIT_EXCEEDED", "nextStepId": "h"}]}}),
            json!({}),
        ),
        (
            json!({"onFailure": {"action": "CONTINUE", "nextStepId": "h"}}),
            json!({}),
        ),
        (json!({}), json!({"onError": {"handlerStepId": "h"}})),
    ] {
        let play = exhausted(more, top);
        assert_eq!(play.open_steps(), ["h@"]);
        play.replays();
    }
}

#[test]
fn exhausted_steps_do_not_hand_their_error_to_each_other_for_ever() {
    let step = |id: &str, other: &str| {
        json!({"stepId": id, "type": "PASS", "maxVisits": 2, "input": {"x": "${input.missing}"},
            "onFailure": {"handlers": [{"nextStepId": other}]}})
    };
    let play = Play::new(workflow(json!([step("a", "b"), step("b", "a")])), json!({}));
    assert_eq!(play.failed().code, "STEP_VISIT_LIMIT_EXCEEDED");
    assert!(play.state.total_visits < 10);
    play.replays();
}

#[test]
fn variables_that_are_too_large_refuse_the_start() {
    let definition = workflow_with(
        json!([task("a", None)]),
        json!({"variables": {"one": "${input.text}", "two": "${input.text}"}}),
    );
    let input = json!({"text": "x".repeat(140_000)});
    let play = Play::new(definition, input.clone());
    assert_eq!(play.failed().code, "STATE_SIZE_EXCEEDED");
    assert_eq!(play.state.total_visits, 0);
    // The door says so before anything is stored.
    let refused = play
        .flow
        .initial_variables(&input, play.now, &DecideLimits::default());
    assert_eq!(refused.unwrap_err().code, "STATE_SIZE_EXCEEDED");
    play.replays();
}

#[test]
fn an_error_is_cut_to_what_may_be_kept_of_it() {
    let mut play = with_handlers(json!([{"nextStepId": "fix"}]));
    let mut error = ErrorInfo::new("HUGE", ErrorCategory::Validation, "ä".repeat(2_000_000))
        .with_details(json!({"text": "x".repeat(3_000_000)}));
    error.retry_after_ms = Some(7);
    play.answer("a", TaskStatus::Failed, Value::Null, None, Some(error));
    let handled = play.state.handling.values().next().unwrap();
    assert_eq!(
        (&handled["code"], &handled["details"]),
        (&json!("HUGE"), &json!({"omittedBytes": 3_000_012}))
    );
    let fact = serde_json::to_string(&play.facts[1]).unwrap();
    assert!(fact.len() < 2_200_000, "{}", fact.len());
    assert!(play.state.bytes <= play.limits.max_state_bytes);
    assert_eq!(play.state.bytes, play.recount());
    play.replays();
}

#[test]
fn an_end_can_fail_with_a_business_error() {
    let play = Play::new(
        workflow(
            json!([{"stepId": "e", "type": "END", "result": "FAILED", "errorCode": "NOT_SOLVENT", "errorMessage": "score ${input.score}"}]),
        ),
        json!({"score": 3}),
    );
    let error = play.failed();
    assert_eq!(
        (
            error.code.as_str(),
            error.category,
            error.message.as_str(),
            error.retryable
        ),
        ("NOT_SOLVENT", ErrorCategory::Business, "score 3", false)
    );
}

#[test]
fn an_instance_over_its_time_fails_and_stops_its_work() {
    let mut play = Play::new(
        workflow_with(
            json!([task("a", None)]),
            json!({"executionTimeout": "PT1H"}),
        ),
        json!({}),
    );
    play.fire();
    assert_eq!(
        (play.failed().code.as_str(), play.cancelled_tasks),
        ("WORKFLOW_TIMEOUT", 1)
    );
    play.replays();
}

#[test]
fn an_expression_that_fails_fails_its_step_by_code() {
    let play = Play::new(
        workflow(json!([{"stepId": "p", "type": "PASS", "input": {"x": "${input.a.b}"}}])),
        json!({"a": {}}),
    );
    assert_eq!(
        (play.failed().code.as_str(), play.failed().category),
        ("EXPR_EVAL", ErrorCategory::Validation)
    );
}
