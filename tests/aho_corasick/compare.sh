#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares lanewise/scan.h with the aho-corasick crate over so many random cases, pieces included. Needs cargo and its
# registry, so it is no test of ctest's; the target scan_cases of the build directory is built if it is not there.
set -euo pipefail

if [ $# -gt 2 ] || [ $# -lt 1 ]; then
	echo "usage: tests/aho_corasick/compare.sh BUILD-DIRECTORY [CASES, 1000000]" >&2
	exit 2
fi
source=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
cmake --build "$build" --target scan_cases >/dev/null
CARGO_TARGET_DIR=$build/aho_corasick cargo build --quiet --release --manifest-path "$source/Cargo.toml"
"$build/tests/scan_cases" "${2:-1000000}" | "$build/aho_corasick/release/compare"
