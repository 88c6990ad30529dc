#!/usr/bin/env bash
# Passes all tests: unit, property, acceptance, simulation, documentation examples. Needs nothing but a shell.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/toolchain.sh
cargo test --workspace --all-features --locked
