#!/usr/bin/env bash
# What a server does when more is asked than it can answer: its capacity is found by a closed loop, then requests come
# in an open loop, at half of it for comparison and at several times of it for long. Prints the latency of what was
# answered, how much was refused with 503 and how quickly, and the server's memory.
#
#     bench/http/overload.sh BUILD [MODEL]
#
# BUILD: the build's folder. MODEL: without one, a small one is learned. Environment: SECONDS_OVER (600), TIMES (3),
# CANDIDATES (4000: with 1000 refusing costs a third of scoring, and three times as many refusals as scores can take
# all of a thread's time), CONNECTIONS (256: with fewer, requests wait in the client for a free one), MAX_QUEUE_US (300),
# SERVER_CPU (0) and CLIENT_CPU (1). Exits with 1 if a request is lost, memory grows by more than 2 % or the server does
# not end cleanly.
set -euo pipefail

. "$(dirname "$0")/server.sh"

[ $# = 1 ] || [ $# = 2 ] || usage
collide=$(realpath "$1/collide") bench=$(realpath "$1/bench/collide-bench")
duration=${SECONDS_OVER:-600} times=${TIMES:-3} candidates=${CANDIDATES:-4000} connections=${CONNECTIONS:-256}

model=${2:-$work/model}
if [ $# = 1 ]; then
  "$collide" synth --users 20000 --items 20000 -n 400000 --clusters 50 -o "$work/interactions" 2>/dev/null
  "$collide" learn "$work/interactions" -o "$model" --rows 2000 --teacher-epochs 1 --epochs 1 2>/dev/null
fi
start taskset -c "${SERVER_CPU:-0}" "$collide" serve "$model" --threads 1 --max-queue-us "${MAX_QUEUE_US:-300}"

# load NAME OPTION...
load() {
  local name=$1
  shift
  taskset -c "${CLIENT_CPU:-1}" "$bench" http "$url" --candidates "$candidates" --connections "$connections" \
    --poll spin --json "$@" >"$work/$name.json" || [ $? = 1 ]
}
main() { jq -r ".merged.main.$2 // \"nan\"" "$work/$1.json"; }

load capacity --duration 5 --connections 2 # more would be refused in part
capacity=$(main capacity requests_per_s)
rate() { awk -v c="$capacity" -v f="$1" 'BEGIN { printf("%.0f", c * f) }'; }
printf 'capacity: %.0f requests/s of %d candidates, one thread\n' "$capacity" "$candidates"
load half --mode open --arrivals poisson --rate "$(rate 0.5)" --duration 30
load filling --mode open --arrivals poisson --rate "$(rate "$times")" --duration 5 # every connection's memory
before=$(memory VmRSS)
load over --mode open --arrivals poisson --rate "$(rate "$times")" --duration "$duration"
after=$(memory VmRSS)

printf '%-6s %10s %10s %10s %10s %14s %14s %10s\n' load 'answered/s' 'p50 us' 'p99 us' refused 'their p50 us' 'their p99 us' lost
lost_of() { main "$1" 'n_errors - .merged.main.errors.status - .merged.main.errors.unsent'; }
for name in half over; do
  printf '%-6s %10.0f %10.1f %10.1f %10d %14.1f %14.1f %10d\n' $name "$(main $name requests_per_s)" \
    "$(main $name p50_us)" "$(main $name p99_us)" "$(main $name errors.status)" "$(main $name refused_us.p50)" \
    "$(main $name refused_us.p99)" "$(lost_of $name)"
done
curl -sS --fail "${url%/}/metrics" | awk '/^collide_http_requests_total.*"503"/ { n += $2 } END { print "503s, as the server counts them: " n + 0 }'
printf 'resident: %d kB before, %d kB after\n' "$before" "$after"
kill -TERM $server
code=0
wait $server || code=$?
server=''
[ "$(lost_of over)" = 0 ] && [ $((after * 100)) -le $((before * 102)) ] && [ $code = 0 ]
