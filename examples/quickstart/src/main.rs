//! The smallest host: one task in Rust, one workflow in JSON, one run.

use std::io::Write;
use std::sync::Arc;

use augmented_engine::{Engine, StartRequest, TaskContext, TaskError};
use augmented_store_memory::MemoryStore;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Deserialize, JsonSchema)]
struct Order {
    sku: String,
    quantity: u32,
}

#[derive(Serialize, JsonSchema)]
struct Reserved {
    text: String,
}

/// Sets pieces aside; more than a hundred are never there.
async fn reserve(_: TaskContext, order: Order) -> Result<Reserved, TaskError> {
    if order.quantity > 100 {
        return Err(TaskError::business("OUT_OF_STOCK").with_message(format!("only 100 {} are left", order.sku)));
    }
    Ok(Reserved { text: format!("{} × {} reserved", order.quantity, order.sku) })
}

const WORKFLOW: &str = r#"{
    "kind": "workflow", "workflowId": "order", "version": "1.0.0", "name": "Order",
    "steps": [
        {"stepId": "reserve", "type": "TASK", "taskId": "reserve", "input": {"sku": "${input.sku}", "quantity": "${input.quantity}"},
         "onFailure": {"handlers": [{"errorCode": "OUT_OF_STOCK", "nextStepId": "sorry"}]}},
        {"stepId": "sorry", "type": "END", "output": {"text": "Sorry: ${steps.reserve.error.message}"}}
    ]
}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::builder(Arc::new(MemoryStore::new())).with_task("reserve", reserve).start().await?;
    engine.publish(WORKFLOW).await?;
    for quantity in [3, 300] {
        let order = StartRequest::new("order").with_input(json!({"sku": "LAMP-7", "quantity": quantity}));
        let result = engine.start(order).await?.result().await?;
        writeln!(std::io::stdout(), "{}: {}", result.status, result.output)?;
    }
    engine.shutdown().await;
    Ok(())
}
