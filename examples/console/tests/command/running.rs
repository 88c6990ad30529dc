//! Runs of workflows.

use serde_json::{Value, json};

use super::{Called, at_example, call, example, file};

/// Runs a workflow of one file on virtual time.
fn run(workflow: &Value, more: &[&str]) -> Called {
    let (_directory, path) = file("workflow.json", &workflow.to_string());
    let mut arguments = vec!["run", path.to_str().unwrap(), "--virtual-time"];
    arguments.extend(more);
    call(&arguments)
}

fn workflow(steps: Value) -> Value {
    json!({"kind": "workflow", "workflowId": "w", "version": "1.0.0", "name": "W", "steps": steps})
}

fn run_order(input: &str, more: &[&str]) -> Called {
    let (definitions, input) = (example("definitions/order-fulfilment"), at_example(input));
    let mut arguments = vec![
        "run",
        "order-fulfilment",
        "--definitions",
        &definitions,
        "--input",
        &input,
        "--virtual-time",
    ];
    arguments.extend(more);
    call(&arguments)
}

/// The entries of a type: instant, step and details.
fn entries<'a>(result: &'a Value, entry_type: &str) -> Vec<&'a Value> {
    result["history"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["type"] == entry_type)
        .collect()
}

#[test]
fn a_small_order_is_fulfilled_without_approval() {
    let ran = run_order("inputs/order-low-value.json", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let result = ran.json();
    assert_eq!(
        (&result["status"], &result["output"]["status"]),
        (&json!("COMPLETED"), &json!("FULFILLED"))
    );
    assert_eq!(result["output"]["total"], json!(750));
    assert_eq!(result["output"]["shipment"]["carrier"], "Hermes");
    assert!(result["steps"].get("await-approval").is_none());
    let chosen = entries(&result, "TRANSITION_TAKEN")
        .into_iter()
        .find(|entry| entry["stepId"] == "check-amount")
        .unwrap();
    assert_eq!(
        (&chosen["details"]["to"], &chosen["details"]["rule"]),
        (&json!("charge-payment"), &json!(1))
    );
    // The parcel waits four hours for its pick-up.
    assert_eq!(
        (&result["startedAt"], &result["completedAt"]),
        (
            &json!("2026-01-01T00:00:00Z"),
            &json!("2026-01-01T04:00:00Z")
        )
    );
}

#[test]
fn a_large_order_waits_for_approval_and_goes_on_with_it() {
    let waiting = run_order(
        "inputs/order-high-value.json",
        &[
            "--script",
            "[]",
            "--mock",
            r#"charge-payment={"$error": {"code": "DECLINED", "category": "BUSINESS"}}"#,
        ],
    );
    assert_eq!(
        (waiting.code, &waiting.json()["output"]["reason"]),
        (0, &json!("nobody approved the order within two days"))
    );
    let approved = run_order(
        "inputs/order-high-value.json",
        &["--script", &at_example("inputs/order-approval.json")],
    );
    let result = approved.json();
    assert_eq!(
        (approved.code, &result["output"]["status"]),
        (0, &json!("FULFILLED")),
        "{}",
        approved.err
    );
    let received = entries(&result, "SIGNAL_RECEIVED");
    assert_eq!(
        (received.len(), &received[0]["at"]),
        (1, &json!("2026-01-01T03:00:00Z"))
    );
    let declined = r#"[{"onWait": {"signalType": "approval"}, "signal": {"type": "approval", "payload": {"approved": false, "by": "carla"}}}]"#;
    let declined = run_order("inputs/order-high-value.json", &["--script", declined]);
    let result = declined.json();
    assert_eq!(
        (&result["output"]["status"], &result["output"]["reason"]),
        (&json!("REJECTED"), &json!("declined by carla")),
        "{}",
        declined.err
    );
    // Delivered at the very instant the wait began.
    assert_eq!(result["completedAt"], "2026-01-01T00:00:00Z");
}

#[test]
fn retries_happen_at_exactly_their_instants() {
    let steps = json!([{"stepId": "call", "type": "TASK", "taskId": "std.fail", "input": {"untilAttempt": 3},
                        "retryPolicy": {"maxAttempts": 5, "initialInterval": "PT1S", "backoffMultiplier": 2, "jitter": 0}}]);
    let ran = run(&workflow(steps), &[]);
    let result = ran.json();
    assert_eq!(
        (ran.code, &result["steps"]["call"]["attempts"]),
        (0, &json!(3)),
        "{}{}",
        ran.out,
        ran.err
    );
    let retries: Vec<(&Value, &Value)> = entries(&result, "STEP_RETRY_SCHEDULED")
        .into_iter()
        .map(|entry| {
            (
                &entry["details"]["delayMs"],
                &entry["details"]["nextAttemptAt"],
            )
        })
        .collect();
    assert_eq!(
        retries,
        [
            (&json!(1000), &json!("2026-01-01T00:00:01Z")),
            (&json!(2000), &json!("2026-01-01T00:00:03Z"))
        ]
    );
    assert_eq!(result["completedAt"], "2026-01-01T00:00:03Z");
}

#[test]
fn thirty_days_take_no_real_time() {
    let begun = std::time::Instant::now();
    let ran = run(
        &workflow(json!([{"stepId": "month", "type": "DELAY", "duration": "P30D"}])),
        &["--epoch", "2026-02-01T12:00:00Z"],
    );
    assert_eq!(
        (ran.code, &ran.json()["completedAt"]),
        (0, &json!("2026-03-03T12:00:00Z")),
        "{}",
        ran.err
    );
    assert!(begun.elapsed() < std::time::Duration::from_secs(20));
}

#[test]
fn equal_calls_print_equal_bytes() {
    let steps = json!([{"stepId": "call", "type": "TASK", "taskId": "std.fail", "input": {"untilAttempt": 4}, "retryPolicy": {"maxAttempts": 5}}]);
    let first = run(&workflow(steps.clone()), &["--seed", "7"]);
    assert_eq!(
        first.out,
        run(&workflow(steps.clone()), &["--seed", "7"]).out
    );
    // The jitter comes from the seed.
    assert_ne!(
        first.json()["completedAt"],
        run(&workflow(steps), &["--seed", "8"]).json()["completedAt"]
    );
    assert_eq!(
        run_order("inputs/order-low-value.json", &[]).out,
        run_order("inputs/order-low-value.json", &[]).out
    );
}

#[test]
fn the_end_of_the_workflow_is_the_exit_code() {
    let failing = run(
        &workflow(
            json!([{"stepId": "a", "type": "TASK", "taskId": "std.fail", "input": {"category": "BUSINESS", "code": "NO"}}]),
        ),
        &[],
    );
    assert_eq!(
        (
            failing.code,
            &failing.json()["error"]["code"],
            &failing.json()["error"]["failedStepId"]
        ),
        (3, &json!("NO"), &json!("a"))
    );
    let waiting = workflow(json!([{"stepId": "a", "type": "EVENT_WAIT", "signalType": "go"}]));
    let cancelled = run(
        &waiting,
        &[
            "--script",
            r#"[{"at": "PT1M", "cancel": {"reason": "no longer needed"}}]"#,
        ],
    );
    assert_eq!(
        (cancelled.code, &cancelled.json()["status"]),
        (4, &json!("CANCELLED")),
        "{}",
        cancelled.err
    );
    let standing = run(&waiting, &[]);
    assert_eq!(standing.code, 5);
    assert_eq!(
        standing.json()["waitingFor"][0],
        json!({"stepId": "a", "scopePath": "", "kind": "SIGNAL", "signalType": "go", "until": null})
    );
    let idle = run(
        &waiting,
        &[
            "--script",
            r#"[{"onIdle": true, "signal": {"type": "go", "payload": 5}}]"#,
        ],
    );
    assert_eq!(
        (idle.code, &idle.json()["output"]["payload"]),
        (0, &json!(5))
    );
}

#[test]
fn real_time_ends_at_the_timeout() {
    let (_directory, path) = file(
        "w.json",
        &workflow(json!([{"stepId": "a", "type": "DELAY", "duration": "PT1H"}])).to_string(),
    );
    let ran = call(&["run", path.to_str().unwrap(), "--timeout", "PT0.3S"]);
    assert_eq!(
        (ran.code, &ran.json()["waitingFor"][0]["kind"]),
        (5, &json!("TIMER")),
        "{}",
        ran.err
    );
}

#[test]
fn mocks_answer_call_by_call() {
    let steps = json!([{"stepId": "poll", "type": "POLL", "taskId": "std.echo", "until": "output.ready", "interval": "PT1M"}]);
    let ran = run(
        &workflow(steps),
        &[
            "--mock",
            r#"std.echo=[{"ready": false}, {"ready": false}, {"ready": true, "at": "${now}"}]"#,
        ],
    );
    let result = ran.json();
    assert_eq!(
        (ran.code, &result["output"]),
        (0, &json!({"ready": true, "at": "2026-01-01T00:02:00Z"})),
        "{}",
        ran.err
    );
}

#[test]
fn a_stimulus_follows_a_step_and_a_refused_one_is_told() {
    let steps = json!([
        {"stepId": "pause", "type": "DELAY", "duration": "PT5M", "next": [{"nextStepId": "wait"}]},
        {"stepId": "wait", "type": "EVENT_WAIT", "signalType": "go", "eventTimeout": {"duration": "P1D"}},
    ]);
    let mut definition = workflow(steps);
    definition["signals"] = json!({"go": {"type": "object"}});
    let script = r#"[{"at": "PT1M", "signal": {"type": "other"}}, {"afterStep": {"stepId": "pause"}, "signal": {"type": "go", "payload": {}}}]"#;
    let ran = run(&definition, &["--script", script]);
    assert_eq!(
        (ran.code, &ran.json()["completedAt"]),
        (0, &json!("2026-01-01T00:05:00Z")),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("stimulus 0 of the script was refused"),
        "{}",
        ran.err
    );
}

#[test]
fn a_run_is_held_and_goes_on_by_its_script() {
    let steps = json!([
        {"stepId": "nap", "type": "DELAY", "duration": "PT5M", "next": [{"nextStepId": "work"}]},
        {"stepId": "work", "type": "TASK", "taskId": "std.echo", "input": {"n": 1}},
    ]);
    let script = r#"[{"at": "PT1M", "pause": {}}, {"at": "PT10M", "resume": {}}]"#;
    let ran = run(&workflow(steps.clone()), &["--script", script]);
    assert_eq!(
        (ran.code, &ran.json()["completedAt"]),
        (0, &json!("2026-01-01T00:10:00Z")),
        "{}",
        ran.err
    );
    let script = r#"[{"at": "PT1M", "pause": {}}]"#;
    let ran = run(&workflow(steps), &["--script", script]);
    assert_eq!(
        (ran.code, &ran.json()["status"]),
        (5, &json!("PAUSED")),
        "{}",
        ran.err
    );
}

#[test]
fn refused_definitions_and_input_start_nothing() {
    let broken = run(
        &workflow(json!([{"stepId": "a", "type": "TASK", "taskId": "nobody"}])),
        &[],
    );
    assert_eq!(
        (
            broken.code,
            &broken.json()["ok"],
            &broken.json()["findings"][0]["code"]
        ),
        (1, &json!(false), &json!("UNKNOWN_TASK"))
    );
    let mut strict = workflow(json!([{"stepId": "a", "type": "TASK", "taskId": "std.echo"}]));
    strict["inputSchema"] = json!({"type": "object", "required": ["orderId"]});
    let refused = run(&strict, &["--input", "{}"]);
    let answer = refused.json();
    assert_eq!((refused.code, &answer["ok"]), (1, &json!(false)));
    assert_eq!(
        (
            &answer["findings"][0]["pointer"],
            &answer["findings"][0]["file"]
        ),
        (&json!("/orderId"), &json!("--input")),
        "{answer:#}"
    );
}

#[test]
fn results_are_readable_as_text() {
    let ran = run_order("inputs/order-low-value.json", &["--format", "text"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.out
            .starts_with("order-fulfilment@1.0.0 COMPLETED after 4 h 0 min\n"),
        "{}",
        ran.out
    );
    for part in [
        "\nSteps\n",
        "\nHistory\n",
        "charge-payment",
        "WORKFLOW_COMPLETED",
    ] {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'));
}

#[test]
fn loans_and_term_sheets_run_to_their_ends() {
    let loan = |risk: u32, script: &str| {
        let (definitions, input) = (
            example("definitions/loan-approval"),
            at_example("inputs/loan.json"),
        );
        let mock = format!(r#"score-risk={{"riskScore": {risk}}}"#);
        call(&[
            "run",
            "loan-approval",
            "--definitions",
            &definitions,
            "--input",
            &input,
            "--virtual-time",
            "--mock",
            &mock,
            "--script",
            script,
        ])
    };
    let appraised =
        r#"{"at": "P2D", "signal": {"type": "property-appraised", "payload": {"value": 500000}}}"#;
    let decided = r#"{"at": "P3D", "signal": {"type": "decision", "payload": {"approved": true, "by": "uma"}}}"#;
    let automatic = loan(25, &format!("[{appraised}]")).json();
    assert_eq!(
        (&automatic["output"]["decision"], &automatic["output"]["by"]),
        (&json!("APPROVED"), &json!("nobody"))
    );
    for (risk, step) in [(45, "underwriter"), (80, "senior")] {
        let result = loan(risk, &format!("[{appraised}, {decided}]")).json();
        assert_eq!(result["output"]["by"], "uma", "{result:#}");
        assert_eq!(result["steps"][step]["status"], "COMPLETED");
    }
    assert_eq!(loan(25, "[]").code, 3);

    let script = json!([
        {"at": "PT1H", "signal": {"type": "review", "payload": {"decision": "revision_requested"}}},
        {"at": "PT2H", "signal": {"type": "resubmitted", "payload": {}}},
        {"at": "PT3H", "signal": {"type": "review", "payload": {"decision": "revision_requested"}}},
        {"at": "PT4H", "signal": {"type": "resubmitted", "payload": {}}},
        {"at": "PT5H", "signal": {"type": "review", "payload": {"decision": "approved"}}},
    ]);
    let (definitions, input) = (
        example("definitions/term-sheet-review"),
        at_example("inputs/term-sheet.json"),
    );
    let reviewed = call(&[
        "run",
        "term-sheet-review",
        "--definitions",
        &definitions,
        "--input",
        &input,
        "--virtual-time",
        "--script",
        &script.to_string(),
    ]);
    let result = reviewed.json();
    assert_eq!(
        (
            &result["output"]["decision"],
            &result["output"]["reviews"],
            &result["steps"]["review"]["visits"]
        ),
        (&json!("APPROVED"), &json!(3), &json!(3)),
        "{result:#}"
    );
}

#[test]
fn steps_of_closed_scopes_are_listed() {
    let (_directory, path) = super::file(
        "each.json",
        r#"{"kind": "workflow", "workflowId": "w", "version": "1.0.0", "name": "W", "steps": [
            {"stepId": "each", "type": "FOR_EACH", "items": "input.l", "steps": [
                {"stepId": "b", "type": "TASK", "taskId": "std.echo", "input": {"i": "${item}"}}]}]}"#,
    );
    let ran = super::call(&[
        "run",
        path.to_str().unwrap(),
        "--input",
        r#"{"l": [1, 2]}"#,
        "--virtual-time",
    ])
    .json();
    let steps = ran["steps"].as_object().unwrap();
    assert_eq!(
        steps.keys().map(String::as_str).collect::<Vec<_>>(),
        ["each", "each[0]/b", "each[1]/b"]
    );
    assert_eq!(steps["each[1]/b"]["status"], "COMPLETED");
    assert_eq!(steps["each[1]/b"]["visits"], 1);
}

#[test]
fn a_secret_under_a_wrong_name_is_not_printed() {
    let (_directory, path) = super::file(
        "secret.json",
        r#"{"kind": "workflow", "workflowId": "w", "version": "1.0.0", "name": "W",
            "inputSchema": {"type": "object", "additionalProperties": false, "properties": {
                "password": {"type": "string", "minLength": 20, "x-sensitive": true}}},
            "steps": [{"stepId": "a", "type": "PASS"}]}"#,
    );
    let refused = super::call(&[
        "run",
        path.to_str().unwrap(),
        "--input",
        r#"{"pasword": "hunter2"}"#,
    ]);
    assert_eq!(refused.code, 1);
    assert!(
        !refused.out.contains("hunter2") && !refused.err.contains("hunter2"),
        "{}",
        refused.out
    );
    assert_eq!(refused.json()["findings"].as_array().unwrap().len(), 1);
}
