#![deny(missing_docs)]
//! A task crate as its author writes it: currency conversion.
//!
//! A host adds the crate, makes a [`Converter`] with its rates and registers it under a name of its choice:
//!
//! ```
//! use augmented_engine::Engine;
//! use augmented_plugin_task::{Converter, ConverterConfig};
//! # let store = std::sync::Arc::new(augmented_store_memory::MemoryStore::new());
//! let converter = Converter::new(ConverterConfig::default().with_rate("USD", 1.1).with_rate("GBP", 0.85));
//! let builder = Engine::builder(store).with_task("convert", converter.into_handler());
//! # let _ = builder;
//! ```
//!
//! Definitions then name the task: `{"type": "TASK", "taskId": "convert", "input": {"amount": 100, "to": "USD"}}`.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use augmented_engine::{TaskContext, TaskError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a host sets.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ConverterConfig {
    /// What one euro is worth, by currency.
    pub rates: BTreeMap<String, f64>,
}

impl ConverterConfig {
    /// Adds what one euro is worth in a currency.
    #[must_use]
    pub fn with_rate(mut self, currency: impl Into<String>, per_euro: f64) -> Self {
        self.rates.insert(currency.into(), per_euro);
        self
    }
}

/// What the task takes. The JSON Schema of this type is the task's `inputSchema`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Conversion {
    /// An amount in euros.
    amount: f64,
    /// The currency wanted, for example `USD`.
    to: String,
}

/// What the task gives.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Converted {
    /// The amount in the currency wanted, rounded to cents.
    amount: f64,
    /// That currency.
    currency: String,
}

/// The task with its settings and its state; clones share both.
#[derive(Clone, Debug)]
pub struct Converter {
    config: Arc<ConverterConfig>,
    calls: Arc<AtomicU64>,
}

impl Converter {
    /// A converter with these settings.
    #[must_use]
    pub fn new(config: ConverterConfig) -> Self {
        Self { config: Arc::new(config), calls: Arc::default() }
    }

    /// How often it was called.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Converts an amount.
    ///
    /// # Errors
    /// `UNKNOWN_CURRENCY`, a BUSINESS error that is never retried, for a currency without a rate.
    pub fn convert(&self, wanted: &Conversion) -> Result<Converted, TaskError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let Some(rate) = self.config.rates.get(&wanted.to) else {
            let known: Vec<&str> = self.config.rates.keys().map(String::as_str).collect();
            return Err(TaskError::business("UNKNOWN_CURRENCY").with_message(format!("there is no rate for {}, only for {}", wanted.to, known.join(", "))));
        };
        Ok(Converted { amount: (wanted.amount * rate * 100.0).round() / 100.0, currency: wanted.to.clone() })
    }

    /// The handler to register with an engine.
    pub fn into_handler(self) -> impl Fn(TaskContext, Conversion) -> std::pin::Pin<Box<dyn Future<Output = Result<Converted, TaskError>> + Send>> + Send + Sync + 'static {
        move |_, wanted| {
            let converter = self.clone();
            Box::pin(async move { converter.convert(&wanted) })
        }
    }
}
