#!/usr/bin/env bash
# Passes all tests: unit, property, acceptance, simulation, crash, documentation examples; the suite of the engine a second
# time on PostgreSQL. Needs nothing but a shell: what is missing is installed where that takes no question.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/toolchain.sh
. scripts/postgres.sh
start_postgres
cargo test --workspace --all-features --locked
# The same packages as before, or other features would have everything compiled again.
AUGMENTED_TEST_STORE=$AUGMENTED_TEST_POSTGRES cargo test --workspace --all-features --locked \
    --test running --test trouble --test workflow_scenarios --test validation_scenarios
