//! The workflow whose instances must survive, and how they are started.

use std::sync::Arc;

use augmented_engine::{Engine, StartRequest};
use augmented_store_postgres::{PostgresConfig, PostgresStore};
use serde_json::{Value, json};

use crate::process::{augmented, call};
use crate::server::Server;
use crate::waiting::seconds;

/// How often the flaky step fails before it succeeds.
pub(crate) const FAILURES: i64 = 1;
/// How many attempts it may take.
pub(crate) const MAX_ATTEMPTS: i64 = 5;

/// How often the step that takes time may be lost with its worker, which counts as an attempt once it was seen running.
const LOSSES: i64 = 50;

/// Five steps: plain, flaky, a timer during which nobody owns the instance, one that takes time, plain.
fn workflow() -> Value {
    json!({
        "kind": "workflow",
        "workflowId": "survivor",
        "version": "1.0.0",
        "name": "Survivor",
        "inputSchema": {
            "type": "object",
            "required": ["number"],
            "properties": {"number": {"type": "integer"}}
        },
        "steps": [
            {"stepId": "take", "type": "TASK", "taskId": "std.echo",
             "input": {"number": "${input.number}"}, "next": [{"nextStepId": "flaky"}]},
            {"stepId": "flaky", "type": "TASK", "taskId": "std.fail",
             "input": {"number": "${steps.take.output.number + 1}", "untilAttempt": FAILURES + 1},
             "retryPolicy": {"maxAttempts": MAX_ATTEMPTS, "initialInterval": "PT0.5S", "jitter": 0},
             "next": [{"nextStepId": "pause"}]},
            {"stepId": "pause", "type": "DELAY", "duration": "PT1S", "next": [{"nextStepId": "work"}]},
            {"stepId": "work", "type": "TASK", "taskId": "std.sleep",
             "retryPolicy": {"maxAttempts": LOSSES + 1, "initialInterval": "PT0.1S"},
             "input": {"duration": "PT1.5S"}, "next": [{"nextStepId": "last"}]},
            {"stepId": "last", "type": "TASK", "taskId": "std.echo",
             "input": {"number": "${steps.flaky.output.number + 1}"}}
        ],
        "output": {"number": "${steps.last.output.number}"}
    })
}

/// Publishes the workflow as an operator does.
#[track_caller]
pub(crate) fn publish(store: &str) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("survivor.json");
    std::fs::write(&file, workflow().to_string()).unwrap();
    let called = call(
        &mut augmented(store, &["publish", &file.to_string_lossy()]),
        seconds(60),
    );
    assert_eq!(called.code, 0, "{}{}", called.out, called.err);
}

/// Somebody who starts instances and drives none.
pub(crate) struct Client {
    engine: Engine,
}

impl Client {
    pub(crate) fn connect(server: &Server, store: &str) -> Self {
        let config = PostgresConfig::from_url(store).unwrap();
        let engine = server.drive(async {
            let store = Arc::new(PostgresStore::connect(config).await.unwrap());
            Engine::builder(store).connect().await.unwrap()
        });
        Self { engine }
    }

    /// Starts the instances with these numbers. A key makes it safe to repeat a start whose answer was lost.
    pub(crate) fn start(&self, server: &Server, numbers: std::ops::Range<usize>) {
        server.drive(async {
            for number in numbers {
                let request = StartRequest::new("survivor")
                    .with_input(json!({"number": number}))
                    .with_idempotency_key(format!("survivor-{number}"));
                let mut tries = 0;
                while let Err(error) = self.engine.start(request.clone()).await {
                    tries += 1;
                    assert!(tries < 200, "{error}");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        });
    }
}
