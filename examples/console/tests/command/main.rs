//! The command as its users run it: arguments in, JSON and exit codes out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "everything here is test code, also what stands outside of test functions"
)]

mod drawing;
mod running;
mod usage;
mod validating;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What a call gave.
struct Called {
    code: i32,
    out: String,
    err: String,
}

impl Called {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error} in {}\n{}", self.out, self.err))
    }
}

/// Runs the real binary.
fn call(arguments: &[&str]) -> Called {
    let output = Command::new(env!("CARGO_BIN_EXE_augmented"))
        .args(arguments)
        .env_remove("AUGMENTED_STORE")
        .env_remove("RUST_LOG")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Called {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// A file of the example folder.
fn example(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(path)
        .to_string_lossy()
        .into_owned()
}

/// `@` and a file of the example folder.
fn at_example(path: &str) -> String {
    format!("@{}", example(path))
}

/// A file with that content, in a directory that lives as long as the guard.
fn file(name: &str, content: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, content).unwrap();
    (directory, path)
}
