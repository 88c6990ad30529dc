//! A host with real task handlers behind the order workflow of `examples/definitions/order-fulfilment`.
//!
//! The definitions there are a prototype: their tasks only echo. This host publishes version 1.1.0 of four of them with
//! handlers in Rust behind, and the workflow, which names no versions, uses them from then on, unchanged.
//!
//! ```sh
//! cargo run -p augmented-order-fulfilment
//! ```

mod shop;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use augmented_engine::{Bundle, Engine, SignalRequest, StartRequest, WorkflowResult};
use augmented_store_memory::MemoryStore;
use serde_json::{Value, json};

use shop::Shop;

/// Where virtual time begins; a parcel waits four hours for its pick-up, and nobody wants to wait along.
const EPOCH: &str = "2026-01-01T08:00:00Z";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let shop = Shop::with_stock([("LAMP-7", 10), ("DESK-1", 5), ("CHAIR-3", 20)]);
    let engine = shop.register(Engine::builder(Arc::new(MemoryStore::new()))).with_virtual_time(EPOCH.parse()?).start().await?;
    engine.publish(definitions(&examples.join("definitions/order-fulfilment"))?).await?;
    engine.publish(definitions(&examples.join("order-fulfilment/definitions"))?).await?;

    // Below 1000: nobody is asked.
    let low = input(&examples.join("inputs/order-low-value.json"))?;
    report(&engine.start(StartRequest::new("order-fulfilment").with_input(low)).await?.result().await?)?;

    // Above: somebody has to approve within two days.
    let high = input(&examples.join("inputs/order-high-value.json"))?;
    let order = engine.start(StartRequest::new("order-fulfilment").with_input(high)).await?;
    let morning = engine.wait_until(engine.now().plus_millis(i64::try_from(Duration::from_secs(3 * 3600).as_millis())?)).await;
    engine.signal(order.id(), SignalRequest::new("approval").with_payload(json!({"approved": true, "by": "carla"}))).await?;
    drop(morning);
    report(&order.result().await?)?;

    // More than there is: rejected, and everything reserved is given back.
    let mut greedy = input(&examples.join("inputs/order-low-value.json"))?;
    greedy["orderId"] = json!("ORD-1003");
    greedy["lines"][0]["quantity"] = json!(500);
    report(&engine.start(StartRequest::new("order-fulfilment").with_input(greedy)).await?.result().await?)?;

    writeln!(std::io::stdout(), "left in stock: {}", shop.stock())?;
    engine.shutdown().await;
    Ok(())
}

/// Every `*.json` of a directory, in order.
fn definitions(directory: &Path) -> std::io::Result<Bundle> {
    let mut files = std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    let json = files.into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "json"));
    json.into_iter().try_fold(Bundle::new(), |bundle, file| Ok(bundle.with_text(file.to_string_lossy(), std::fs::read_to_string(&file)?)))
}

fn input(file: &Path) -> Result<Value, Box<dyn std::error::Error>> {
    Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?)
}

fn report(result: &WorkflowResult) -> std::io::Result<()> {
    match &result.error {
        Some(error) => writeln!(std::io::stdout(), "{}: {error}", result.status),
        None => writeln!(std::io::stdout(), "{} {}: {}", result.status, result.outcome.as_deref().unwrap_or_default(), result.output),
    }
}
