#!/usr/bin/env bash
# Measures Augmented beside its peers, each as a host has it: Augmented in a build whose features no peer changes.
# Arguments go to `compare`; `--help` lists them.
set -euo pipefail
cd "$(dirname "$0")"
cargo build --quiet --release --locked --no-default-features --bin compare --target-dir target/alone
AUGMENTED_BUILT_ALONE="$PWD/target/alone/release/compare" exec cargo run --quiet --release --locked --bin compare -- "$@"
