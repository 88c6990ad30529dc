//! One Rust task, one JSON workflow, one run.

use std::sync::Arc;

use augmented_engine::{Engine, StartRequest, TaskContext, TaskError};
use augmented_store_memory::MemoryStore;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Deserialize, JsonSchema)]
struct Order {
    quantity: u32,
    unit_price: f64,
}

#[derive(Serialize, JsonSchema)]
struct Quote {
    total: f64,
}

async fn quote(_: TaskContext, order: Order) -> Result<Quote, TaskError> {
    Ok(Quote {
        total: f64::from(order.quantity) * order.unit_price,
    })
}

const WORKFLOW: &str = r#"{
    "kind": "workflow", "workflowId": "quote", "version": "1.0.0", "name": "Quote an order",
    "steps": [
        {"stepId": "price", "type": "TASK", "taskId": "quote",
         "input": {"quantity": "${input.quantity}", "unit_price": "${input.unitPrice}"},
         "next": [{"nextStepId": "discount", "condition": "output.total > 100"}, {"nextStepId": "done"}]},
        {"stepId": "discount", "type": "PASS", "input": {"total": "${steps.price.output.total * 0.9}"}, "next": [{"nextStepId": "done"}]},
        {"stepId": "done", "type": "END"}
    ]
}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::builder(Arc::new(MemoryStore::new()))
        .with_task("quote", quote)
        .start()
        .await?;
    engine.publish(WORKFLOW).await?;
    for quantity in [3, 30] {
        let request =
            StartRequest::new("quote").with_input(json!({"quantity": quantity, "unitPrice": 12.5}));
        let result = engine.start(request).await?.result().await?;
        println!("{quantity} pieces: {} {}", result.status, result.output);
    }
    engine.shutdown().await;
    Ok(())
}
