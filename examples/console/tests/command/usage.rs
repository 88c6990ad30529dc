//! Wrong use, and the commands that only print.

use super::{call, example, file};

#[track_caller]
fn refused(arguments: &[&str], expected: &str) {
    let called = call(arguments);
    assert_eq!(
        called.code, 2,
        "{arguments:?}: {}{}",
        called.out, called.err
    );
    assert_eq!(called.out, "", "{arguments:?}");
    assert!(
        called.err.contains(expected),
        "{arguments:?}: {}",
        called.err
    );
    assert_eq!(
        called.err.lines().count(),
        1,
        "{arguments:?}: {}",
        called.err
    );
}

#[test]
fn wrong_use_ends_with_two_and_one_line_that_says_what_to_do() {
    let workflow = example("definitions/term-sheet-review/term-sheet-review.json");
    let definitions = example("definitions/order-fulfilment");
    let (_empty, nothing) = file("nothing.json", "[]");
    refused(&[], "see `augmented --help`");
    refused(&["serve", "x"], "unrecognized subcommand 'serve'");
    for lasting in [&["publish", "x"][..], &["start", "x"], &["worker"]] {
        refused(lasting, "name a database with --store postgres://");
    }
    refused(&["validate"], "<PATH>...");
    refused(&["validate", "/no/such/file.json"], "there is no such file");
    refused(
        &["validate", nothing.to_str().unwrap()],
        "holds no definition",
    );
    refused(
        &["validate", nothing.parent().unwrap().to_str().unwrap()],
        "holds no definition",
    );
    refused(
        &["schema", "workflw"],
        "there is no schema of kind `workflw`",
    );
    refused(
        &["--store", "mysql://a:secret@host/db", "catalog"],
        "take `memory` or a postgres:// URL",
    );
    for port in ["99999", "port"] {
        let store = format!("postgres://ann@127.0.0.1:{port}/business");
        refused(
            &["--store", &store, "list"],
            "write postgres://user:password@host:port/database",
        );
    }
    refused(&["graph", "x"], "--definitions PATH");
    refused(
        &["graph", &workflow, "--format", "png"],
        "mermaid, dot, svg",
    );
    refused(
        &["--format", "json", "graph", &workflow],
        "cannot be drawn as json",
    );
    refused(
        &["graph", "order", "--definitions", &definitions],
        "they define order-fulfilment@1.0.0, ship-parcel@1.0.0",
    );
    refused(
        &["run", "order-fulfilment@2", "--definitions", &definitions],
        "in version 2",
    );
    refused(&["run", &workflow, "--input", "{"], "--input is no JSON");
    refused(&["run", &workflow, "--timeout", "5s"], "--timeout");
    refused(
        &["run", &workflow, "--virtual-time", "--epoch", "today"],
        "--epoch `today` is no instant",
    );
    refused(&["bench", "--steps", "0"], "0 is not in 1..=500");
}

#[test]
fn a_stimulus_or_mock_that_is_not_offered_is_wrong_use() {
    let definitions = example("definitions/order-fulfilment");
    let run = |option: &str, value: &str, expected: &str| {
        refused(
            &[
                "run",
                "order-fulfilment",
                "--definitions",
                &definitions,
                option,
                value,
            ],
            expected,
        );
    };
    run(
        "--script",
        r#"[{"at": "PT1S", "event": {"pattern": "a.b"}}]"#,
        "does not offer the action `event`, use `signal`, `cancel`, `pause` or `resume`",
    );
    run(
        "--script",
        r#"[{"at": "PT1S", "retry": {}}]"#,
        "does not offer the action `retry`",
    );
    run("--script", r#"{"at": "PT1S"}"#, "must be a list");
    run("--mock", "charge-payment", "write TASK=JSON");
    run(
        "--mock",
        "charge-paymnt={}",
        "did you mean `charge-payment`?",
    );
    run(
        "--mock",
        r#"charge-payment={"$error": {"category": "NONE"}}"#,
        "--mock charge-payment",
    );
}

#[test]
fn a_store_address_is_never_repeated() {
    let called = call(&["--store", "postgres://ann:secret@host/db", "catalog"]);
    assert!(!called.err.contains("secret"), "{}", called.err);
}

#[test]
fn help_names_only_what_works() {
    let called = call(&["--help"]);
    assert_eq!(called.code, 0);
    for command in [
        "validate", "run", "schema", "catalog", "graph", "publish", "start", "list", "show",
        "history", "signal", "cancel", "worker", "bench",
    ] {
        assert!(
            called.out.contains(&format!("  {command} ")),
            "{}",
            called.out
        );
    }
    for absent in ["serve", "dlq", "migrate"] {
        assert!(!called.out.contains(absent), "{absent} in {}", called.out);
    }
}

#[test]
fn schemas_are_printed_and_written_as_they_ship() {
    let one = call(&["schema", "workflow"]);
    assert_eq!(
        (one.code, &one.json()["$id"]),
        (0, &"aug://schema/core.workflow/1.0.0".into())
    );
    let all = call(&["schema"]);
    assert_eq!(all.json().as_object().unwrap().len(), 6);
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("schemas");
    let written = call(&["schema", "--out", out.to_str().unwrap()]);
    assert_eq!(
        (
            written.code,
            written.json()["written"].as_array().unwrap().len()
        ),
        (0, 6)
    );
    let text = std::fs::read_to_string(out.join("workflow.schema.json")).unwrap();
    assert_eq!(text, one.out);
}

#[test]
fn the_catalogue_lists_what_definitions_may_refer_to() {
    let catalog = call(&["catalog"]).json();
    let names = |list: &serde_json::Value, member: &str| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|entry| entry[member].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(&catalog["taskHandlers"], "name"),
        ["std.echo", "std.fail", "std.sleep", "std.log"]
    );
    assert!(names(&catalog["kinds"], "kind").contains(&"workflow".to_owned()));
    assert!(names(&catalog["expression"]["roots"], "name").contains(&"steps".to_owned()));
    assert!(names(&catalog["expression"]["functions"], "name").contains(&"coalesce".to_owned()));
    assert!(names(&catalog["codes"], "code").contains(&"UNKNOWN_STEP".to_owned()));
    for empty in ["adapters", "uiImplementations", "validators"] {
        assert_eq!(catalog[empty], serde_json::json!([]));
    }
    for list in [
        &catalog["kinds"],
        &catalog["taskHandlers"],
        &catalog["expression"]["roots"],
        &catalog["expression"]["functions"],
    ] {
        for entry in list.as_array().unwrap() {
            assert!(
                entry["description"].is_string() && !entry["example"].is_null(),
                "{entry}"
            );
        }
    }
}

#[test]
fn bench_measures_this_host() {
    let measured = call(&[
        "bench",
        "--workflows",
        "40",
        "--steps",
        "2",
        "--in-flight",
        "8",
    ]);
    assert_eq!(measured.code, 0, "{}", measured.err);
    let figures = measured.json();
    assert_eq!(
        (
            &figures["workflows"],
            &figures["steps"],
            &figures["inFlight"]
        ),
        (&40.into(), &2.into(), &8.into())
    );
    assert!(figures["stepsPerSecond"].as_f64().unwrap() > 0.0);
    assert!(figures["p99Ms"].as_f64().unwrap() >= figures["p50Ms"].as_f64().unwrap());
}
