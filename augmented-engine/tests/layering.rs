//! Invariant 1: the core names no runtime, the engine names no store.
#![allow(
    clippy::unwrap_used,
    reason = "everything here is test code, also what stands outside of test functions"
)]

use std::process::Command;

/// The crates in the dependency tree of a package, without those for its own tests.
fn tree(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[track_caller]
fn check_absent(package: &str, banned: &[&str]) {
    let tree = tree(package);
    assert!(
        tree.iter().any(|name| name == package),
        "the tree of {package} is empty"
    );
    for name in banned {
        assert!(
            !tree.iter().any(|found| found == name),
            "{package} depends on {name}"
        );
    }
}

#[test]
fn the_core_names_no_runtime_and_no_driver() {
    check_absent(
        "augmented-core",
        &[
            "tokio",
            "async-std",
            "smol",
            "sqlx",
            "reqwest",
            "augmented-engine",
            "augmented-store-memory",
        ],
    );
}

#[test]
fn the_engine_names_no_store() {
    check_absent("augmented-engine", &["augmented-store-memory", "sqlx"]);
}

#[test]
fn a_store_knows_the_core_only() {
    check_absent("augmented-store-memory", &["augmented-engine"]);
}
