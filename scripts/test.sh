#!/usr/bin/env bash
# Passes all tests: unit, property, acceptance, simulation, crash, documentation examples; the suite of the engine a second
# time on PostgreSQL. Needs nothing but a shell: what is missing is installed where that takes no question.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/toolchain.sh
. scripts/postgres.sh
start_postgres
cargo test --workspace --all-features --locked
AUGMENTED_TEST_STORE=$AUGMENTED_TEST_POSTGRES \
    cargo test -p augmented-engine -p augmented-acceptance --all-features --locked
