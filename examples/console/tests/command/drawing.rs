//! Drawings of definitions.

use super::{call, example, file};

const ODD: &str = r#"{"kind": "workflow", "workflowId": "odd", "version": "1.0.0", "name": "Odd <&\"'> name", "steps": [
    {"stepId": "end", "type": "TASK", "name": "a \"quoted\" <b>name</b> & more", "taskId": "std.echo",
     "next": [{"nextStepId": "loop"}]},
    {"stepId": "loop", "type": "DECISION", "next": [
        {"nextStepId": "end", "condition": "vars.n < 3 && output.text != \"a|b\""}, {"nextStepId": "nowhere"}]}]}"#;

#[test]
fn a_workflow_is_drawn_in_every_language() {
    let definitions = example("definitions/order-fulfilment");
    for (format, begins, holds) in [
        ("mermaid", "---\ntitle:", "flowchart TD"),
        (
            "dot",
            "digraph \"order-fulfilment@1.0.0\" {",
            "subgraph cluster_0",
        ),
        ("svg", "<svg xmlns=", "Charge the payment"),
    ] {
        let drawn = call(&[
            "graph",
            "order-fulfilment",
            "--definitions",
            &definitions,
            "--format",
            format,
        ]);
        assert_eq!(drawn.code, 0, "{}", drawn.err);
        assert!(drawn.out.starts_with(begins), "{}", &drawn.out[..200]);
        assert!(drawn.out.contains(holds), "{format}");
    }
    let by_default = call(&[
        "graph",
        "order-fulfilment@1.0.0",
        "--definitions",
        &definitions,
    ]);
    assert!(by_default.out.contains("flowchart TD"));
}

#[test]
fn names_cannot_break_out_of_a_drawing_and_drafts_are_drawn() {
    let (_directory, path) = file("odd.json", ODD);
    let path = path.to_str().unwrap();
    let svg = call(&["graph", path, "--format", "svg"]).out;
    assert!(!svg.contains("<b>") && svg.contains("&lt;b&gt;"), "{svg}");
    assert!(svg.contains("no such step here"), "{svg}");
    // Every element that is opened is closed.
    for element in ["g", "text", "title", "svg", "defs"] {
        let opened = svg.matches(&format!("<{element}>")).count()
            + svg.matches(&format!("<{element} ")).count();
        assert_eq!(
            opened,
            svg.matches(&format!("</{element}>")).count(),
            "{element}"
        );
    }
    let mermaid = call(&["graph", path]).out;
    assert!(
        mermaid.contains("#lt;b#gt;") && mermaid.contains("#quot;"),
        "{mermaid}"
    );
    let dot = call(&["graph", path, "--format", "dot"]).out;
    assert!(dot.contains(r#"\"quoted\""#), "{dot}");
}

#[test]
fn mistakes_are_told_beside_the_drawing_or_in_its_place() {
    let (_directory, path) = file("odd.json", ODD);
    let drawn = call(&["graph", path.to_str().unwrap()]);
    assert_eq!(drawn.code, 1);
    assert!(drawn.out.contains("flowchart TD") && drawn.err.contains("UNKNOWN_STEP"));
    for (text, code) in [
        ("{\"kind\": \"workflow\"} x", "INVALID_JSON"),
        (
            "{\"workflowId\": \"w\", \"version\": \"1.0.0\", \"name\": \"W\", \"steps\": []}",
            "KIND_UNKNOWN",
        ),
    ] {
        let (_directory, path) = file("broken.json", text);
        let refused = call(&["graph", path.to_str().unwrap()]);
        assert_eq!(refused.code, 1, "{}", refused.err);
        assert!(refused.out.contains(code), "{}", refused.out);
        let not_run = call(&["run", path.to_str().unwrap()]);
        assert_eq!(not_run.code, 1, "{}", not_run.err);
        assert_eq!(not_run.json()["findings"][0]["code"], code);
    }
}
