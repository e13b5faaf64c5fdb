#!/usr/bin/env bash
# The whole of collide in one go: build, make up a log, learn a model from it, measure it, serve it, score over HTTP, time it.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
echo "== build"
cmake --preset release >/dev/null
cmake --build --preset release 2>&1 | tail -n 1
collide=build/release/collide bench=build/release/bench/collide-bench

work=$(mktemp -d)
server=
cleanup() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

echo
echo "== a log of 200,000 interactions, every tenth held out"
$collide synth --users 5000 --items 4000 -n 200000 --clusters 40 -o "$work/log.txt"
awk -v folder="$work" '{print > (folder "/" (NR % 10 ? "train.txt" : "test.txt"))}' "$work/log.txt"
head -n 3 "$work/train.txt"

echo
echo "== learn: 4,000 items share 500 rows"
for method in lhf modulo; do
  $collide learn "$work/train.txt" -o "$work/$method.safetensors" --method $method --rows 500 2>&1 | tail -n 2
done
$collide inspect "$work/lhf.safetensors"

echo
echo "== held-out interactions: learned mapping, then the hashing trick"
for method in lhf modulo; do
  $collide eval "$work/$method.safetensors" --test "$work/test.txt" 2>/dev/null
done

echo
echo "== serve"
$collide serve "$work/lhf.safetensors" --listen 127.0.0.1:0 2>"$work/serve.log" &
server=$!
url=
for _ in $(seq 300); do
  url=$(sed -n 's/^ready on \(http:[^ ]*\).*/\1/p' "$work/serve.log")
  [ -z "$url" ] || break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
[ -n "$url" ] || { cat "$work/serve.log" >&2; exit 1; }
post() {
  echo "\$ curl $url$1 --json '$2'"
  curl -sS --fail-with-body --json "$2" "$url$1"
}
post /v1/score '{"user": 17, "items": [3, 5, 8]}'
post /v1/score '{"users": [17, 18], "items": [3, 5]}'
post /v1/score '{"history": [3, 5], "weights": [1, 0.5], "items": [8, 13]}'
post /v1/topk '{"user": 17, "k": 5, "exclude_seen": true}'

echo
echo "== latency: one client, 100 candidates a request"
$bench http "$url" --candidates 100 --connections 1 --warmup 0.5 --duration 3 --baseline

kill -TERM "$server"
wait "$server"
server=
