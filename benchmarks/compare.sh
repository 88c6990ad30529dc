#!/usr/bin/env bash
# Measures Augmented beside its peers, each as a host has it: Augmented in a build whose features no peer changes.
# Arguments go to `compare`; `--help` lists them. ALLOCATOR=system measures all of them on the system's allocator.
set -euo pipefail
cd "$(dirname "$0")"
allocator=${ALLOCATOR:-mimalloc}
case $allocator in
mimalloc) features=mimalloc ;;
system) features= ;;
*) echo "ALLOCATOR is \`mimalloc\` or \`system\`, not \`$allocator\`" >&2 && exit 2 ;;
esac
build() { cargo build --quiet --release --locked --no-default-features --bin compare "$@"; }
build --features "$features" --target-dir "target/alone-$allocator"
build --features "peers,$features" --target-dir "target/peers-$allocator"
AUGMENTED_BUILT_ALONE="$PWD/target/alone-$allocator/release/compare" exec "target/peers-$allocator/release/compare" "$@"
