//! Values as text.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Number;

use super::fault::Fault;
use super::instant;
use super::meter::Meter;
use super::value::{Val, whole};

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The text of a scalar as JSON writes it, without quotes; null gives an empty text, lists and maps none.
pub(crate) fn scalar_text(value: &Val<'_>) -> Option<String> {
    Some(match value {
        Val::Null | Val::Optional(None) => String::new(),
        Val::Bool(value) => value.to_string(),
        Val::Int(value) => value.to_string(),
        Val::Uint(value) => value.to_string(),
        Val::Double(value) => double_text(*value),
        Val::Text(text) => text.to_string(),
        Val::Bytes(bytes) => base64(bytes),
        Val::Instant(micros) => instant::instant_text(*micros),
        Val::Span(micros) => instant::span_text(*micros),
        Val::Optional(Some(inner)) => return scalar_text(inner),
        Val::Type(name) => (*name).to_owned(),
        Val::JsonList(_) | Val::JsonMap(_) | Val::List(_) | Val::Map(_) | Val::Record(_) => {
            return None;
        }
    })
}

/// Writes a double as JSON does, an integral one without a fraction.
fn double_text(value: f64) -> String {
    match whole(value) {
        Some(value) => value.to_string(),
        None => Number::from_f64(value)
            .map(|number| number.to_string())
            .unwrap_or_default(),
    }
}

/// Writes a value as JSON text with keys in code point order, paying while it grows.
pub(crate) fn write_json(
    value: &Val<'_>,
    out: &mut String,
    meter: &mut Meter,
    depth: usize,
) -> Result<(), Fault> {
    if depth > 256 {
        return Err(Fault::Limit("the data is nested too deeply"));
    }
    meter.elements(1)?;
    if let Some(items) = value.seq() {
        out.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            write_json(&item, out, meter, depth + 1)?;
        }
        out.push(']');
        return Ok(());
    }
    if let Some(keys) = value.keys() {
        meter.elements(keys.len())?;
        out.push('{');
        for (at, key) in keys.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            write_text(&key.name(), out, meter)?;
            out.push(':');
            write_json(
                &value.at_key(key).unwrap_or(Val::Null),
                out,
                meter,
                depth + 1,
            )?;
        }
        out.push('}');
        return Ok(());
    }
    match value {
        Val::Null | Val::Optional(None) => out.push_str("null"),
        Val::Optional(Some(inner)) => return write_json(inner, out, meter, depth + 1),
        Val::Text(text) => return write_text(text, out, meter),
        Val::Bool(_) | Val::Int(_) | Val::Uint(_) | Val::Double(_) => {
            out.push_str(&scalar_text(value).unwrap_or_default())
        }
        other => return write_text(&scalar_text(other).unwrap_or_default(), out, meter),
    }
    Ok(())
}

fn write_text(text: &str, out: &mut String, meter: &mut Meter) -> Result<(), Fault> {
    meter.bytes(text.len())?;
    // A text is always valid JSON, so writing it cannot fail.
    match serde_json::to_string(text) {
        Ok(quoted) => out.push_str(&quoted),
        Err(_) => {
            let _ = write!(out, "{text:?}");
        }
    }
    Ok(())
}
