#![deny(missing_docs)]
//! A task crate as its author sees it: one handler with configuration and state, ready for any host to register.
//!
//! ```
//! # use std::sync::Arc;
//! # use augmented_engine::Engine;
//! # use augmented_store_memory::MemoryStore;
//! use augmented_example_plugin_task::CurrencyConverter;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let converter = CurrencyConverter::new([("EUR", 1.0), ("USD", 1.25)]);
//! let engine = Engine::builder(Arc::new(MemoryStore::new())).with_task("convert-currency", converter).start().await?;
//! # engine.shutdown().await;
//! # Ok::<(), augmented_engine::EngineError>(()) }).unwrap();
//! ```

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use augmented_engine::{TaskContext, TaskError, TaskHandler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Converts amounts between the currencies it was given rates for.
#[derive(Debug, Default)]
pub struct CurrencyConverter {
    /// Units of each currency for one unit of the base.
    rates: HashMap<String, f64>,
    conversions: AtomicU64,
}

/// An amount to convert.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Conversion {
    /// The amount.
    pub amount: f64,
    /// Its currency, as ISO 4217 code.
    pub from: String,
    /// The currency wanted.
    pub to: String,
}

/// The converted amount.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Converted {
    /// The amount.
    pub amount: f64,
    /// Its currency.
    pub currency: String,
}

impl CurrencyConverter {
    /// A converter with units of each currency for one unit of the base currency.
    pub fn new<'a>(rates: impl IntoIterator<Item = (&'a str, f64)>) -> Self {
        let rates = rates
            .into_iter()
            .map(|(code, rate)| (code.to_owned(), rate))
            .collect();
        Self {
            rates,
            conversions: AtomicU64::new(0),
        }
    }

    /// How many amounts it converted.
    #[must_use]
    pub fn conversions(&self) -> u64 {
        self.conversions.load(Ordering::Relaxed)
    }

    fn rate(&self, code: &str) -> Result<f64, TaskError> {
        // A missing rate is the business's to solve: it is not retried, and a workflow may handle its code.
        let missing = || {
            TaskError::business("RATE_UNKNOWN").with_message(format!("there is no rate for {code}"))
        };
        self.rates.get(code).copied().ok_or_else(missing)
    }
}

impl TaskHandler for CurrencyConverter {
    type Input = Conversion;
    type Output = Converted;

    async fn handle(&self, _: TaskContext, wanted: Conversion) -> Result<Converted, TaskError> {
        let amount = wanted.amount / self.rate(&wanted.from)? * self.rate(&wanted.to)?;
        self.conversions.fetch_add(1, Ordering::Relaxed);
        Ok(Converted {
            amount,
            currency: wanted.to,
        })
    }
}
