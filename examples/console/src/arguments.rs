//! JSON given on the command line.

use std::path::Path;

use augmented_core::json::{Limits, parse};
use serde_json::Value;

use crate::exit::Failure;
use crate::files;

/// Reads a value given as JSON, or as `@` and the name of a file with it.
pub(crate) fn json_argument(option: &str, text: &str) -> Result<Value, Failure> {
    let (shown, bytes) = match text.strip_prefix('@') {
        Some(path) => (path.to_owned(), files::read_bytes(Path::new(path))?),
        None => (option.to_owned(), text.as_bytes().to_vec()),
    };
    parse(&bytes, &Limits::document())
        .map(|parsed| parsed.value)
        .map_err(|findings| {
            let told = findings.first().map_or_else(String::new, |finding| {
                let place = finding
                    .line
                    .zip(finding.column)
                    .map_or_else(String::new, |(line, column)| {
                        format!(" at line {line}, column {column}")
                    });
                format!("{place}: {}", finding.message)
            });
            Failure::usage(format!("{shown} is no JSON{told}"))
        })
}
