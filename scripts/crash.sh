#!/usr/bin/env bash
# Kills workers and restarts the database under 10 000 workflows, then audits the tables; prints what was found.
# AUGMENTED_CRASH_WORKFLOWS, AUGMENTED_CRASH_SECONDS and AUGMENTED_CRASH_SEED change how many, how long and which kills.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/toolchain.sh
export AUGMENTED_CRASH_WORKFLOWS="${AUGMENTED_CRASH_WORKFLOWS:-10000}"
export AUGMENTED_CRASH_SECONDS="${AUGMENTED_CRASH_SECONDS:-60}"
export AUGMENTED_CRASH_SEED="${AUGMENTED_CRASH_SEED:-$RANDOM}"
if ! command -v pg_ctl >/dev/null 2>&1 && ! ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 \
    && command -v apt-get >/dev/null 2>&1; then
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo="sudo"
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq postgresql
fi
cargo test --release --locked -p augmented-console --test crash -- --nocapture --exact \
    crash::killed_workers_and_a_restarted_database_lose_nothing
