//! The systems of a shop, as far as the workflow needs them: warehouse, bank, carrier.

use std::collections::BTreeMap;
use std::sync::Arc;

use augmented_engine::{EngineBuilder, TaskContext, TaskError};
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// State shared by all handlers; clones are the same shop.
#[derive(Clone, Default)]
pub(crate) struct Shop {
    books: Arc<Mutex<Books>>,
}

#[derive(Default)]
struct Books {
    stock: BTreeMap<String, u32>,
    /// By reservation id, so that a repeated reservation changes nothing.
    reserved: BTreeMap<String, (String, u32)>,
    charged: BTreeMap<String, f64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reservation {
    reservation_id: String,
    sku: String,
    quantity: u32,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reserved {
    reservation_id: String,
    left: u32,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Release {
    order_id: String,
    skus: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Released {
    order_id: String,
    released: u32,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Payment {
    payment_id: String,
    amount: f64,
    currency: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Paid {
    payment_id: String,
    receipt: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Booking {
    shipment_id: String,
    carrier: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Booked {
    shipment_id: String,
    tracking_number: String,
}

impl Shop {
    pub(crate) fn with_stock(stock: impl IntoIterator<Item = (&'static str, u32)>) -> Self {
        let shop = Self::default();
        shop.books.lock().stock = stock.into_iter().map(|(sku, pieces)| (sku.to_owned(), pieces)).collect();
        shop
    }

    /// Registers the handlers that the task definitions name as `endpoint`.
    pub(crate) fn register(&self, builder: EngineBuilder) -> EngineBuilder {
        let (warehouse, returns, bank) = (self.clone(), self.clone(), self.clone());
        builder
            .with_task("warehouse.reserve", move |_: TaskContext, order: Reservation| {
                let shop = warehouse.clone();
                async move { shop.reserve(order) }
            })
            .with_task("warehouse.release", move |_: TaskContext, order: Release| {
                let shop = returns.clone();
                async move { Ok::<_, TaskError>(shop.release(order)) }
            })
            .with_task("bank.charge", move |ctx: TaskContext, payment: Payment| {
                let shop = bank.clone();
                async move { shop.charge(&ctx, payment) }
            })
            .with_task("carrier.book", |_: TaskContext, booking: Booking| async move {
                let tracking_number = format!("{}-{:05}", booking.carrier.chars().take(3).collect::<String>().to_uppercase(), booking.shipment_id.len() * 1009);
                Ok::<_, TaskError>(Booked { shipment_id: booking.shipment_id, tracking_number })
            })
    }

    pub(crate) fn stock(&self) -> String {
        self.books.lock().stock.iter().map(|(sku, pieces)| format!("{pieces} {sku}")).collect::<Vec<_>>().join(", ")
    }

    /// A task may be carried out again after a crash, so the same reservation is made once.
    fn reserve(&self, order: Reservation) -> Result<Reserved, TaskError> {
        let mut books = self.books.lock();
        let left = books.stock.get(&order.sku).copied().unwrap_or(0);
        if books.reserved.contains_key(&order.reservation_id) {
            return Ok(Reserved { reservation_id: order.reservation_id, left });
        }
        let Some(rest) = left.checked_sub(order.quantity) else {
            return Err(TaskError::business("OUT_OF_STOCK").with_message(format!("{left} of {} {} are left", order.quantity, order.sku)));
        };
        books.stock.insert(order.sku.clone(), rest);
        books.reserved.insert(order.reservation_id.clone(), (order.sku, order.quantity));
        Ok(Reserved { reservation_id: order.reservation_id, left: rest })
    }

    fn release(&self, order: Release) -> Released {
        let mut books = self.books.lock();
        let mut released = 0;
        for sku in order.skus {
            if let Some((sku, pieces)) = books.reserved.remove(&format!("{}-{sku}", order.order_id)) {
                *books.stock.entry(sku).or_default() += pieces;
                released += pieces;
            }
        }
        Released { order_id: order.order_id, released }
    }

    /// The bank's line is busy at first, which the retry policy of the step takes care of.
    fn charge(&self, ctx: &TaskContext, payment: Payment) -> Result<Paid, TaskError> {
        if ctx.attempt() == 1 {
            return Err(TaskError::retryable("LINE_BUSY", "the bank does not answer"));
        }
        self.books.lock().charged.entry(payment.payment_id.clone()).or_insert(payment.amount);
        let receipt = format!("{:.2} {} for {}", payment.amount, payment.currency, payment.payment_id);
        Ok(Paid { payment_id: payment.payment_id, receipt })
    }
}
