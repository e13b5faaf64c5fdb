#!/usr/bin/env bash
# What hot swaps of a model cost those that ask meanwhile: a second of full load after the other, all but every third
# with a swap in it; where a swap takes longer, so do the seconds with it. Prints the latency of both kinds of seconds,
# how long swaps took, and the server's memory. Caches of kernels are empty at first.
#
#     bench/http/swap.sh BUILD [MODEL MODEL...]
#
# BUILD: the build's folder. MODEL MODEL...: are served in turn; without, small ones are learned, of the dimensions
# DIMS ("32 32"): "32 16 24 40" and SWAPS=3 make each swap one to a new shape. Environment: SWAPS (200), CONNECTIONS (2),
# CANDIDATES (100), THREADS (1, of the server), SERVE_OPTIONS, LOAD_OPTIONS (such as --history 20, where a model has no
# users), RATE (open loop: requests per second; closed without). Exits with 1 if a request fails.
set -euo pipefail
. "$(dirname "$0")/server.sh"

[ $# = 1 ] || [ $# -ge 3 ] || usage
collide=$(realpath "$1/collide") bench=$(realpath "$1/bench/collide-bench")
swaps=${SWAPS:-200} connections=${CONNECTIONS:-2} candidates=${CANDIDATES:-100}
shift

# Beside where they are served from, so that a link and a rename put them there.
models=()
add() { models+=("$work/model${#models[@]}"); }
for file; do
  add
  cp "$file" "${models[-1]}"
done
if [ $# = 0 ]; then
  "$collide" synth --users 2000 --items 1500 -n 40000 --clusters 20 -o "$work/interactions" 2>/dev/null
  for dim in ${DIMS:-32 32}; do
    add
    "$collide" learn "$work/interactions" -o "${models[-1]}" --rows 400 --dim "$dim" --teacher-epochs 2 --epochs 2 \
      --seed ${#models[@]} 2>/dev/null
  done
fi
place() {
  ln "${models[$(($1 % ${#models[@]}))]}" "$work/next"
  mv "$work/next" "$work/served"
}

place 0
export XDG_CACHE_HOME=$work/cache POCL_CACHE_DIR=$work/cache/pocl
mkdir -p "$POCL_CACHE_DIR"
# shellcheck disable=SC2086
start "$collide" serve "$work/served" --threads "${THREADS:-1}" ${SERVE_OPTIONS:-}

load=("$bench" http "$url" --connections "$connections" --candidates "$candidates" --duration 1 --warmup 0.1 --json)
more=()
[ -z "${LOAD_OPTIONS:-}" ] || read -ra more <<<"$LOAD_OPTIONS"
load+=("${more[@]}")
[ -z "${RATE:-}" ] || load+=(--mode open --arrivals poisson --rate "$RATE")
forget_peak() { echo 5 >"/proc/$server/clear_refs"; }

# ask_for_a_second KIND
ask_for_a_second() {
  "${load[@]}" >"$work/result" || fail "a request failed: $(cat "$work/result")"
  jq -r --arg kind "$1" '.merged.main | [$kind, .requests_per_s, .p50_us, .p99_us, .max_us, .n_errors] | @tsv' \
    "$work/result" >>"$work/seconds"
}

"${load[@]}" >/dev/null
settled=$(memory VmRSS)
forget_peak
printf 'resident before: %d kB, of it %d of files; file: %d kB\n' "$settled" "$(memory RssFile)" \
  "$(($(stat -c %s "$work/served") / 1024))"

for n in $(seq "$swaps"); do
  [ $((n % 2)) = 0 ] || ask_for_a_second calm
  (
    sleep 0.4
    place "$n"
    kill -HUP $server
  ) &
  ask_for_a_second swap
  for _ in $(seq 60); do
    grep -q "version $((n + 1)) is served" "$work/log" && break
    ask_for_a_second swap
  done
done
[ "$(grep -c 'is served' "$work/log")" = "$swaps" ] || fail "not every swap was done: $(tail -n 5 "$work/log")"

# column KIND COLUMN PART: a quantile over the seconds of a kind.
column() {
  awk -F'\t' -v kind="$1" -v column="$2" '$1 == kind { print $column }' "$work/seconds" | sort -g |
    awk -v part="$3" '{ v[NR] = $1 } END { i = int(part * (NR - 1)) + 1; printf("%.1f", v[i]) }'
}
printf '%-14s %9s %12s %10s %12s %12s %12s\n' seconds n 'per s' 'p50 us' 'p99 us' 'worst p99' 'worst us'
for kind in calm swap; do
  printf '%-14s %9d %12s %10s %12s %12s %12s\n' "$kind" "$(grep -c "^$kind" "$work/seconds")" "$(column $kind 2 0.5)" \
    "$(column $kind 3 0.5)" "$(column $kind 4 0.5)" "$(column $kind 4 1)" "$(column $kind 5 1)"
done
printf 'swaps: %d, loaded in %s s at the median\n' "$swaps" "$(sed -n 's/.*is served, loaded in \([0-9.]*\) s/\1/p' "$work/log" |
  sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')"
printf 'resident: peak %d kB, after %d kB, of it %d of files\n' "$(memory VmHWM)" "$(memory VmRSS)" "$(memory RssFile)"
errors=$(awk -F'\t' '{ n += $6 } END { print n + 0 }' "$work/seconds")
printf 'failed requests: %d\n' "$errors"
[ "$errors" = 0 ]
