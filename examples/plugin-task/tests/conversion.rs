//! The plug-in in a real engine, on the memory store.

use std::sync::Arc;

use augmented_engine::{Engine, StartRequest, WorkflowResult};
use augmented_example_plugin_task::CurrencyConverter;
use augmented_store_memory::MemoryStore;
use serde_json::{Value, json};

async fn convert(input: Value) -> WorkflowResult {
    let converter = CurrencyConverter::new([("EUR", 1.0), ("USD", 1.25)]);
    let engine = Engine::builder(Arc::new(MemoryStore::new()))
        .with_task("convert-currency", converter)
        .start()
        .await
        .unwrap();
    let workflow = json!({
        "kind": "workflow", "workflowId": "convert", "version": "1.0.0", "name": "Convert",
        "steps": [{"stepId": "convert", "type": "TASK", "taskId": "convert-currency",
                   "input": {"amount": "${input.amount}", "from": "EUR", "to": "${input.to}"}}]
    });
    engine.publish(workflow).await.unwrap();
    let result = engine
        .start(StartRequest::new("convert").with_input(input))
        .await
        .unwrap()
        .result()
        .await
        .unwrap();
    engine.shutdown().await;
    result
}

#[tokio::test]
async fn amounts_are_converted_at_the_given_rates() {
    let result = convert(json!({"amount": 8, "to": "USD"})).await;
    assert_eq!(result.output, json!({"amount": 10, "currency": "USD"}));
}

#[tokio::test]
async fn a_missing_rate_is_a_business_error() {
    let result = convert(json!({"amount": 8, "to": "XXX"})).await;
    assert_eq!(
        result.error.map(|error| error.code),
        Some("RATE_UNKNOWN".to_owned())
    );
}
