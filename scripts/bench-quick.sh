#!/usr/bin/env bash
# Builds the benchmarks and runs each for a moment, so that none rots. Figures come from benchmarks/README.md.
set -euo pipefail
cd "$(dirname "$0")/../benchmarks"
. ../scripts/toolchain.sh
cargo run --release --locked --bin compare -- --quick
cargo run --release --locked --bin scaling -- --quick
cargo bench --locked --bench core -- --test
