#!/usr/bin/env bash
# Runs the Python client of the documentation as it stands there, against a server that also sends what a client must pass over.
# Usage: test_wire_document.sh WIRE_PEER WIRE.md
set -euo pipefail
peer=$1 document=$2
command -v python3 >/dev/null || { echo "SKIP: no python3"; exit 77; }
work=$(mktemp -d)
"$peer" >"$work/port" &
trap 'kill $! 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.02; done
port=$(cat "$work/port")

awk '/^```python$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$document" >"$work/client.py"
[ -s "$work/client.py" ] || { echo "FAIL: no Python client in $document"; exit 1; }

check() {
  local got
  got=$(python3 "$work/client.py" 127.0.0.1 "$port" "${@:2}")
  [ "$got" = "$(echo -e "$1")" ] || { echo "FAIL: client.py ${*:2}: $got"; exit 1; }
}
check '7 45.5\n8 46.0\n9 46.5' 42 7 8 9
check '3 2.5' 1 3
check '' 42
check "$(seq 0 347 | awk '{printf "%d %.1f\n", $1, 1 + $1 / 2}')" 1 $(seq 0 347)
echo "the documentation's client works"
