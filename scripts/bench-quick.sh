#!/usr/bin/env bash
# Builds the benchmarks and runs each for a moment, so that none rots. Figures come from benchmarks/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/toolchain.sh
cargo run --release --locked --manifest-path benchmarks/Cargo.toml --bin compare -- --quick
