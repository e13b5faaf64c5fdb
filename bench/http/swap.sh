#!/usr/bin/env bash
# What hot swaps of a model cost those that ask meanwhile: a second of full load after the other, all but every third
# with a swap in it. Prints the latency of both kinds of seconds, how long swaps took, and the server's memory.
#
#     bench/http/swap.sh BUILD [MODEL MODEL]
#
# BUILD: the build's folder. MODEL MODEL: are served in turn; without, two small ones are learned. Environment: SWAPS (200),
# CONNECTIONS (2), CANDIDATES (100), THREADS (1, of the server), SERVE_OPTIONS, LOAD_OPTIONS (such as --history 20, where a
# model has no users), RATE (open loop: requests per second; closed without). Exits with 1 if a request fails.
set -euo pipefail

[ $# = 1 ] || [ $# = 3 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
collide=$(realpath "$1/collide") bench=$(realpath "$1/bench/collide-bench")
swaps=${SWAPS:-200} connections=${CONNECTIONS:-2} candidates=${CANDIDATES:-100}
work=$(mktemp -d)
server='' more=()

cleanup() {
  [ -z "$server" ] || kill -TERM "$server" 2>/dev/null || true
  wait || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
fail() {
  echo "swap.sh: $*" >&2
  exit 1
}

# Beside where they are served from, so that a link and a rename put them there.
models=("$work/first" "$work/second")
if [ $# = 3 ]; then
  cp "$2" "${models[0]}"
  cp "$3" "${models[1]}"
else
  "$collide" synth --users 2000 --items 1500 -n 40000 --clusters 20 -o "$work/interactions" 2>/dev/null
  for i in 0 1; do
    "$collide" learn "$work/interactions" -o "${models[$i]}" --rows 400 --dim 32 --teacher-epochs 2 --epochs 2 --seed $((i + 1)) \
      2>/dev/null
  done
fi
place() {
  ln "${models[$1]}" "$work/next"
  mv "$work/next" "$work/served"
}

place 0
# shellcheck disable=SC2086
"$collide" serve "$work/served" --listen 127.0.0.1:0 --threads "${THREADS:-1}" ${SERVE_OPTIONS:-} 2>"$work/log" >/dev/null &
server=$!
for _ in $(seq 1200); do
  grep -q '^ready on' "$work/log" && break
  kill -0 $server 2>/dev/null || break
  sleep 0.1
done
url=$(sed -n 's/^ready on \([^ ]*\) .*/\1/p' "$work/log")
[ -n "$url" ] || fail "the server did not start: $(cat "$work/log")"

load=("$bench" http "$url" --connections "$connections" --candidates "$candidates" --duration 1 --warmup 0.1 --json)
[ -z "${LOAD_OPTIONS:-}" ] || read -ra more <<<"$LOAD_OPTIONS"
load+=("${more[@]}")
[ -z "${RATE:-}" ] || load+=(--mode open --arrivals poisson --rate "$RATE")
memory() { awk -v name="$1:" '$1 == name { print $2 }' "/proc/$server/status"; }
forget_peak() { echo 5 >"/proc/$server/clear_refs"; }

"${load[@]}" >/dev/null
settled=$(memory VmRSS)
forget_peak
printf 'resident before: %d kB, of it %d of files; file: %d kB\n' "$settled" "$(memory RssFile)" \
  "$(($(stat -c %s "$work/served") / 1024))"

n_swaps=0 second=0
while [ $n_swaps -lt "$swaps" ]; do
  second=$((second + 1))
  kind=calm
  [ $((second % 3)) = 0 ] || kind=swap
  "${load[@]}" >"$work/result" &
  client=$!
  if [ $kind = swap ]; then
    n_swaps=$((n_swaps + 1))
    sleep 0.4
    place $((n_swaps % 2))
    kill -HUP $server
  fi
  wait $client || fail "a request failed: $(cat "$work/result")"
  jq -r --arg kind $kind '.merged.main | [$kind, .requests_per_s, .p50_us, .p99_us, .n_errors] | @tsv' "$work/result" \
    >>"$work/seconds"
  [ $kind = calm ] || for _ in $(seq 600); do # a large model's may go on
    grep -q "version $((n_swaps + 1)) is served" "$work/log" && break
    sleep 0.1
  done
done
[ "$(grep -c 'is served' "$work/log")" = "$n_swaps" ] || fail "not every swap was done: $(tail -n 5 "$work/log")"

# column KIND COLUMN PART: a quantile over the seconds of a kind.
column() {
  awk -F'\t' -v kind="$1" -v column="$2" '$1 == kind { print $column }' "$work/seconds" | sort -g |
    awk -v part="$3" '{ v[NR] = $1 } END { i = int(part * (NR - 1)) + 1; printf("%.1f", v[i]) }'
}
printf '%-14s %9s %12s %10s %12s %12s\n' seconds n 'per s' 'p50 us' 'p99 us' 'worst p99'
for kind in calm swap; do
  printf '%-14s %9d %12s %10s %12s %12s\n' "$kind" "$(grep -c "^$kind" "$work/seconds")" "$(column $kind 2 0.5)" \
    "$(column $kind 3 0.5)" "$(column $kind 4 0.5)" "$(column $kind 4 1)"
done
printf 'swaps: %d, loaded in %s s at the median\n' "$n_swaps" "$(sed -n 's/.*is served, loaded in \([0-9.]*\) s/\1/p' "$work/log" |
  sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')"
printf 'resident: peak %d kB, after %d kB, of it %d of files\n' "$(memory VmHWM)" "$(memory VmRSS)" "$(memory RssFile)"
errors=$(awk -F'\t' '{ n += $5 } END { print n + 0 }' "$work/seconds")
printf 'failed requests: %d\n' "$errors"
[ "$errors" = 0 ]
