//! The task as workflows see it, on the memory store.

use std::sync::Arc;

use augmented_core::runtime::InstanceStatus;
use augmented_engine::{Engine, StartRequest, WorkflowResult};
use augmented_plugin_task::{Converter, ConverterConfig};
use augmented_store_memory::MemoryStore;
use serde_json::{Value, json};

async fn convert(converter: &Converter, input: Value) -> WorkflowResult {
    let engine = Engine::builder(Arc::new(MemoryStore::new())).with_task("convert", converter.clone().into_handler()).start().await.unwrap();
    let workflow = json!({
        "kind": "workflow", "workflowId": "price", "version": "1.0.0", "name": "Price",
        "steps": [{"stepId": "convert", "type": "TASK", "taskId": "convert", "input": {"amount": "${input.amount}", "to": "${input.to}"}}],
    });
    engine.publish(workflow).await.unwrap();
    let result = engine.start(StartRequest::new("price").with_input(input)).await.unwrap().result().await.unwrap();
    engine.shutdown().await;
    result
}

fn converter() -> Converter {
    Converter::new(ConverterConfig::default().with_rate("USD", 1.1))
}

#[tokio::test]
async fn amounts_are_converted_at_the_configured_rate() {
    let result = convert(&converter(), json!({"amount": 19.99, "to": "USD"})).await;
    assert_eq!((result.status, result.output), (InstanceStatus::Completed, json!({"amount": 21.99, "currency": "USD"})));
}

#[tokio::test]
async fn an_unknown_currency_fails_once_and_is_not_retried() {
    let converter = converter();
    let result = convert(&converter, json!({"amount": 1, "to": "XXX"})).await;
    assert_eq!(result.status, InstanceStatus::Failed);
    assert_eq!(result.error.unwrap().code, "UNKNOWN_CURRENCY");
    assert_eq!(converter.calls(), 1);
}
