#!/usr/bin/env bash
# Runs the main job on the embedded store: the order workflow of `examples/definitions`, on a virtual clock.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/toolchain.sh
exec cargo run --quiet --locked -p augmented-console --bin augmented -- \
    run order-fulfilment --definitions examples/definitions/order-fulfilment \
    --input @examples/inputs/order-high-value.json --script @examples/inputs/order-approval.json --virtual-time --format text "$@"
