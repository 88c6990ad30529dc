//! What the tasks do. A handler is an `async fn` over typed arguments, or a type that holds state.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use augmented_engine::{TaskContext, TaskError, TaskHandler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Pieces on the shelf and pieces set aside.
#[derive(Default)]
pub struct Warehouse {
    inner: Mutex<Shelves>,
}

#[derive(Default)]
struct Shelves {
    stock: BTreeMap<String, u32>,
    reservations: HashMap<String, (String, u32)>,
}

impl Warehouse {
    pub fn with_stock<const N: usize>(stock: [(&str, u32); N]) -> Self {
        let stock = stock
            .into_iter()
            .map(|(sku, pieces)| (sku.to_owned(), pieces))
            .collect();
        Self {
            inner: Mutex::new(Shelves {
                stock,
                reservations: HashMap::new(),
            }),
        }
    }

    pub fn stock(&self) -> BTreeMap<String, u32> {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stock
            .clone()
    }

    /// Sets pieces aside; the same id twice changes nothing, so a repeated attempt is harmless.
    fn reserve(&self, id: &str, sku: &str, quantity: u32) -> Result<(), TaskError> {
        let mut shelves = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if shelves.reservations.contains_key(id) {
            return Ok(());
        }
        let left = shelves.stock.get(sku).copied().unwrap_or(0);
        if left < quantity {
            let message = format!("{quantity} of {sku} wanted, {left} left");
            return Err(TaskError::business("OUT_OF_STOCK")
                .with_message(message)
                .with_details(json!({"sku": sku, "left": left})));
        }
        shelves.stock.insert(sku.to_owned(), left - quantity);
        shelves
            .reservations
            .insert(id.to_owned(), (sku.to_owned(), quantity));
        Ok(())
    }

    fn release(&self, order: &str) {
        let mut shelves = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let ids: Vec<String> = shelves
            .reservations
            .keys()
            .filter(|id| id.starts_with(order))
            .cloned()
            .collect();
        for id in ids {
            if let Some((sku, quantity)) = shelves.reservations.remove(&id) {
                *shelves.stock.entry(sku).or_default() += quantity;
            }
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reserve {
    reservation_id: String,
    sku: String,
    quantity: u32,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reserved {
    reservation_id: String,
}

/// A handler with state implements the trait.
pub struct ReserveStock(pub Arc<Warehouse>);

impl TaskHandler for ReserveStock {
    type Input = Reserve;
    type Output = Reserved;

    async fn handle(&self, _: TaskContext, wanted: Reserve) -> Result<Reserved, TaskError> {
        self.0
            .reserve(&wanted.reservation_id, &wanted.sku, wanted.quantity)?;
        Ok(Reserved {
            reservation_id: wanted.reservation_id,
        })
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    order_id: String,
}

/// Gives back what an order had reserved.
pub struct ReleaseStock(pub Arc<Warehouse>);

impl TaskHandler for ReleaseStock {
    type Input = Release;
    type Output = Value;

    async fn handle(&self, _: TaskContext, order: Release) -> Result<Value, TaskError> {
        self.0.release(&order.order_id);
        Ok(json!({"orderId": order.order_id}))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Charge {
    payment_id: String,
    amount: f64,
    currency: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Charged {
    payment_id: String,
}

/// The bank is busy at the first attempt, as banks are; the policy of the step tries again.
pub async fn charge_payment(context: TaskContext, charge: Charge) -> Result<Charged, TaskError> {
    if context.attempt() == 1 {
        return Err(TaskError::retryable("BANK_BUSY", "the bank did not answer"));
    }
    if charge.amount <= 0.0 {
        return Err(TaskError::business("AMOUNT_INVALID")
            .with_message(format!("nothing to charge in {}", charge.currency)));
    }
    Ok(Charged {
        payment_id: charge.payment_id,
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invoice {
    invoice_id: String,
    payment_id: String,
    total: f64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Issued {
    invoice_id: String,
    text: String,
}

pub async fn issue_invoice(_: TaskContext, invoice: Invoice) -> Result<Issued, TaskError> {
    let text = format!(
        "{} over {:.2}, paid by {}",
        invoice.invoice_id, invoice.total, invoice.payment_id
    );
    Ok(Issued {
        invoice_id: invoice.invoice_id,
        text,
    })
}

#[derive(Deserialize, JsonSchema)]
pub struct Email {
    to: String,
    subject: String,
}

pub async fn send_email(_: TaskContext, email: Email) -> Result<Value, TaskError> {
    Ok(json!({"sent": format!("{} to {}", email.subject, email.to)}))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shipment {
    shipment_id: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Booked {
    shipment_id: String,
    tracking_number: String,
}

pub async fn pack_parcel(_: TaskContext, shipment: Shipment) -> Result<Value, TaskError> {
    Ok(json!({"shipmentId": shipment.shipment_id}))
}

pub async fn book_carrier(_: TaskContext, shipment: Shipment) -> Result<Booked, TaskError> {
    let tracking_number = format!(
        "T{:08}",
        shipment.shipment_id.bytes().map(u32::from).sum::<u32>()
    );
    Ok(Booked {
        shipment_id: shipment.shipment_id,
        tracking_number,
    })
}

pub async fn hand_over_parcel(_: TaskContext, shipment: Shipment) -> Result<Value, TaskError> {
    Ok(json!({"shipmentId": shipment.shipment_id}))
}
