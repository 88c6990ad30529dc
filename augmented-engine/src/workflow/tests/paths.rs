//! Sequences, decisions, variables, loops, ends.

use super::*;

#[test]
fn a_sequence_passes_outputs_by_reference_to_steps() {
    let mut play = Play::new(
        workflow(json!([
            {"stepId": "a", "type": "TASK", "taskId": "t", "input": {"n": "${input.n}"}, "next": [{"nextStepId": "b"}]},
            {"stepId": "b", "type": "TASK", "taskId": "t", "input": {"sum": "${steps.a.output.n + 1}"}},
        ])),
        json!({"n": 1}),
    );
    assert_eq!(*play.open("a").input, json!({"n": 1}));
    play.ok("a", json!({"n": 5}));
    assert_eq!(*play.open("b").input, json!({"sum": 6}));
    play.ok("b", json!({"done": true}));
    assert_eq!(*play.completed(), json!({"done": true}));
    play.replays();
}

#[test]
fn one_message_crosses_all_pure_steps_and_leaves_one_fact() {
    let play = Play::new(
        workflow(json!([
            {"stepId": "s", "type": "START", "next": [{"nextStepId": "p"}]},
            {"stepId": "p", "type": "PASS", "input": {"x": "${input.x * 2}"}, "assign": {"x": "${output.x}"}, "next": [{"nextStepId": "d"}]},
            {"stepId": "d", "type": "DECISION", "next": [{"nextStepId": "big", "condition": "vars.x > 10"}, {"nextStepId": "small"}]},
            {"stepId": "big", "type": "END", "outcome": "BIG"},
            {"stepId": "small", "type": "END", "output": {"x": "${vars.x}"}},
        ])),
        json!({"x": 4}),
    );
    assert_eq!(*play.completed(), json!({"x": 8}));
    assert_eq!(
        (play.facts.len(), play.entered()),
        (1, ["s", "p", "d", "small"].map(String::from).to_vec())
    );
    play.replays();
}

#[test]
fn decisions_take_the_first_match_and_pass_their_value_on() {
    let definition = |amount: i64| {
        Play::new(
            workflow(json!([
                {"stepId": "d", "type": "DECISION", "next": [
                    {"nextStepId": "high", "condition": "input.amount > 1000"}, {"nextStepId": "low"}]},
                {"stepId": "high", "type": "END", "outcome": "HIGH"},
                {"stepId": "low", "type": "END", "outcome": "LOW"},
            ])),
            json!({ "amount": amount }),
        )
    };
    for (amount, outcome) in [(1000, "LOW"), (1001, "HIGH")] {
        let play = definition(amount);
        assert_eq!(*play.completed(), json!({ "amount": amount }));
        assert_eq!(play.state.outcome.as_deref(), Some(outcome));
    }
}

#[test]
fn outcomes_choose_transitions_and_a_missing_match_is_an_error() {
    let steps = json!([
        {"stepId": "review", "type": "TASK", "taskId": "t", "next": [{"nextStepId": "yes", "on": "approved"}, {"nextStepId": "no", "on": ["rejected", "expired"]}]},
        {"stepId": "yes", "type": "END", "outcome": "Y"},
        {"stepId": "no", "type": "END", "outcome": "N"},
    ]);
    for (given, taken) in [
        ("approved", Some("Y")),
        ("expired", Some("N")),
        ("unsure", None),
    ] {
        let mut play = Play::new(workflow(steps.clone()), json!({}));
        play.outcome("review", given);
        match taken {
            Some(outcome) => assert_eq!(
                (play.completed(), play.state.outcome.as_deref()),
                (&json!({}), Some(outcome))
            ),
            None => assert_eq!(play.failed().code, "NO_MATCHING_TRANSITION"),
        }
    }
}

#[test]
fn assignments_see_the_old_values_and_conditions_the_new_ones() {
    let play = Play::new(
        workflow_with(
            json!([
                {"stepId": "swap", "type": "PASS", "assign": {"a": "${vars.b}", "b": "${vars.a}"},
                 "next": [{"nextStepId": "ok", "condition": "vars.a == 2 && vars.b == 1"}, {"nextStepId": "bad"}]},
                {"stepId": "ok", "type": "END"},
                {"stepId": "bad", "type": "END", "result": "FAILED"},
            ]),
            json!({"variables": {"a": 1, "b": 2}, "output": {"a": "${vars.a}"}}),
        ),
        json!({}),
    );
    assert_eq!(*play.completed(), json!({"a": 2}));
}

#[test]
fn what_a_failing_step_assigned_is_taken_back() {
    let play = Play::new(
        workflow_with(
            json!([
                {"stepId": "p", "type": "PASS", "assign": {"a": 2}, "next": [{"nextStepId": "q", "condition": "vars.a == 3"}],
                 "onFailure": {"handlers": [{"nextStepId": "q"}]}},
                {"stepId": "q", "type": "END", "output": {"a": "${vars.a}", "code": "${error.code}"}},
            ]),
            json!({"variables": {"a": 1}}),
        ),
        json!({}),
    );
    assert_eq!(
        *play.completed(),
        json!({"a": 1, "code": "NO_MATCHING_TRANSITION"})
    );
    play.replays();
}

#[test]
fn each_visit_of_a_loop_is_its_own_and_the_limit_stops_it() {
    let steps = |limit: u32| {
        json!([
            {"stepId": "review", "type": "TASK", "taskId": "t", "maxVisits": limit, "next": [{"nextStepId": "revise", "on": "revise"}, {"nextStepId": "end"}]},
            {"stepId": "revise", "type": "TASK", "taskId": "t", "next": [{"nextStepId": "review"}]},
            {"stepId": "end", "type": "END", "output": {"visits": "${steps.review.visit}"}},
        ])
    };
    let mut play = Play::new(workflow(steps(10)), json!({}));
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(play.open("review").task_instance_id);
        play.outcome("review", "revise");
        play.ok("revise", json!({}));
    }
    ids.push(play.open("review").task_instance_id);
    play.ok("review", json!({}));
    assert_eq!(*play.completed(), json!({"visits": 3}));
    ids.dedup();
    assert_eq!(ids.len(), 3);
    play.replays();

    let mut play = Play::new(workflow(steps(2)), json!({}));
    for _ in 0..2 {
        play.outcome("review", "revise");
        play.ok("revise", json!({}));
    }
    assert_eq!(play.failed().code, "STEP_VISIT_LIMIT_EXCEEDED");
}

#[test]
fn an_input_is_data_and_never_evaluated() {
    let play = Play::new(
        workflow_with(
            json!([{"stepId": "a", "type": "TASK", "taskId": "t", "input": {"note": "${input.note}"}}]),
            json!({"variables": {"secret": 1}}),
        ),
        json!({"note": "${vars.secret}"}),
    );
    assert_eq!(*play.open("a").input, json!({"note": "${vars.secret}"}));
}

#[test]
fn an_output_that_its_schema_refuses_fails_the_instance() {
    let schema = json!({"outputSchema": {"type": "object", "required": ["total"]}});
    let play = Play::new(
        workflow_with(
            json!([{"stepId": "e", "type": "END", "output": {"sum": 1}}]),
            schema,
        ),
        json!({}),
    );
    assert_eq!(play.failed().code, "OUTPUT_INVALID");
}

#[test]
fn large_values_are_refused_by_code() {
    let mut play = Play::new(workflow(json!([task("a", None)])), json!({}));
    play.ok("a", json!({"blob": "x".repeat(300 * 1024)}));
    assert_eq!(play.failed().code, "STATE_SIZE_EXCEEDED");
}

#[test]
fn a_late_result_is_recorded_and_changes_nothing() {
    let mut play = Play::new(workflow(json!([task("a", None)])), json!({}));
    let late = play.open("a");
    play.ok("a", json!({"first": true}));
    let message = play.done(
        &late,
        TaskStatus::Completed,
        json!({"second": true}),
        None,
        None,
    );
    play.send(message);
    assert_eq!(*play.completed(), json!({"first": true}));
    let last = serde_json::to_value(play.history().pop().unwrap()).unwrap();
    assert_eq!(
        (&last["type"], &last["seq"]),
        (&json!("STALE_RESULT"), &json!(2))
    );
    play.replays();
}
