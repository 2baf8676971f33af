#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares pattern sets with the crates aho-corasick and daachorse: time to build, memory, leftmost-first matches in a text. Needs
# cargo and its registry.
set -euo pipefail

if [ $# -lt 3 ]; then
	echo "usage: bench/compare_scan.sh BUILD-DIRECTORY PATTERNS TEXT [ROUNDS, 7]" >&2
	echo "PATTERNS: one in each line; those that are there twice count once" >&2
	exit 2
fi
source=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
RUSTFLAGS="-L native=$build -l m" CARGO_TARGET_DIR=$build/scan_crates \
	cargo build --quiet --release --manifest-path "$source/scan_crates/Cargo.toml"
"$build/scan_crates/release/compare_scan" "$@"
