//! A host with real task handlers for the workflows in `examples/definitions/order-fulfilment`.
//!
//! The tasks need no definitions of their own here: each is derived from the types of its handler. Time is virtual, so
//! the four hours until the carrier comes take none.

mod handlers;

use std::path::Path;
use std::sync::Arc;

use augmented_engine::{Engine, SignalRequest, StartRequest};
use augmented_store_memory::MemoryStore;
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let warehouse = Arc::new(handlers::Warehouse::with_stock([
        ("DESK-1", 5),
        ("LAMP-7", 40),
        ("CHAIR-3", 12),
    ]));
    let engine = Engine::builder(Arc::new(MemoryStore::new()))
        .with_virtual_time("2026-01-01T08:00:00Z".parse()?)
        .with_task(
            "reserve-stock",
            handlers::ReserveStock(Arc::clone(&warehouse)),
        )
        .with_task(
            "release-stock",
            handlers::ReleaseStock(Arc::clone(&warehouse)),
        )
        .with_task("charge-payment", handlers::charge_payment)
        .with_task("issue-invoice", handlers::issue_invoice)
        .with_task("send-email", handlers::send_email)
        .with_task("pack-parcel", handlers::pack_parcel)
        .with_task("book-carrier", handlers::book_carrier)
        .with_task("hand-over-parcel", handlers::hand_over_parcel)
        .start()
        .await?;
    for file in ["ship-parcel.json", "order-fulfilment.json"] {
        engine.publish(definition(file)?.as_str()).await?;
    }

    // A small order goes straight through, a large one waits for an approval, and one asks for more than there is.
    for (order, sku, quantity, price) in [
        ("ORD-1", "LAMP-7", 2, 39.9),
        ("ORD-2", "DESK-1", 2, 651.0),
        ("ORD-3", "CHAIR-3", 99, 9.0),
    ] {
        let handle = engine
            .start(
                StartRequest::new("order-fulfilment")
                    .with_input(input(order, sku, quantity, price)),
            )
            .await?;
        if f64::from(quantity) * price > 1000.0 {
            let approval = SignalRequest::new("approval")
                .with_payload(json!({"approved": true, "by": "grace"}));
            engine.signal(handle.id(), approval).await?;
        }
        let result = handle.result().await?;
        println!(
            "{order}: {} {}",
            result.status,
            serde_json::to_string_pretty(&result.output)?
        );
    }
    println!("left in stock: {:?}", warehouse.stock());
    engine.shutdown().await;
    Ok(())
}

fn definition(file: &str) -> std::io::Result<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../definitions/order-fulfilment");
    std::fs::read_to_string(folder.join(file))
}

fn input(order: &str, sku: &str, quantity: u32, price: f64) -> Value {
    json!({
        "orderId": order,
        "customer": {"name": "Ada", "email": "ada@example.com"},
        "lines": [{"sku": sku, "quantity": quantity, "unitPrice": price}],
        "address": {"street": "1 Main Street", "city": "Berlin", "country": "DE"}
    })
}
