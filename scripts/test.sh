#!/usr/bin/env bash
# Every test: as released, then under AddressSanitizer and UBSan. Fails if any test fails; says which were skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
for preset in release asan; do
  echo "== $preset"
  cmake --preset $preset >/dev/null
  cmake --build --preset $preset 2>&1 | tail -n 1
  ctest --preset $preset --parallel 2
done
echo "all tests passed"
