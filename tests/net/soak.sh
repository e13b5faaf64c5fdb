#!/usr/bin/env bash
# Mixed load at half capacity on AF_XDP, UDP, shared memory and HTTP at once, over a virtual Ethernet pair between two
# network namespaces, for so long; then whether anything was lost, leaked or miscounted. Needs root; exits with 77 where
# it cannot run. All that it makes is removed again.
#
#     tests/net/soak.sh BUILD SECONDS [MODEL]
#
# BUILD: the build's folder. SECONDS: 10 at least. MODEL: without one, a small one is learned. Environment: SHARE (50,
# percent of the capacity that is found by asking all at once for CALIBRATION (2) seconds), CANDIDATES (32), QUEUES (1),
# RESULTS (a folder that keeps the samples of the server as CSV, and the clients' results as JSON).
set -euo pipefail

[ $# -ge 2 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
collide=$(realpath "$1/collide") bench=$(realpath "$1/bench/collide-bench") duration=$2
[ "$duration" -ge 10 ] || { echo "soak.sh: fewer than 10 seconds tell nothing" >&2; exit 2; }
share=${SHARE:-50} calibration=${CALIBRATION:-2} candidates=${CANDIDATES:-32} queues=${QUEUES:-1}
near=collide-$$-near far=collide-$$-far shm=soak.$$
transports=(xdp udp shm http)
work=$(mktemp -d)
server='' pids=()

cleanup() {
  kill -TERM ${server:+"$server"} "${pids[@]}" 2>/dev/null || true
  wait || true
  ip netns del "$far" 2>/dev/null || true
  ip netns del "$near" 2>/dev/null || true
  [ -z "${RESULTS:-}" ] || { mkdir -p "$RESULTS" && cp "$work"/*.json "$work"/*.csv "$work/log" "$RESULTS"; } || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

skip() {
  echo "skipped: $*"
  exit 77
}
fail() {
  echo "soak.sh: $*" >&2
  exit 1
}

for tool in ip jq curl; do
  command -v $tool >/dev/null || skip "needs $tool"
done
{ ip netns add "$near" && ip netns exec "$near" true; } 2>/dev/null ||
  skip "network namespaces take root's privileges"
"$collide" devices >/dev/null 2>&1 || skip "no OpenCL device"
ip netns add "$far"

if [ $# -ge 3 ]; then
  model=$(realpath "$3")
else
  model=$work/model
  "$collide" synth --users 2000 --items 1500 -n 40000 --clusters 20 -o "$work/interactions" 2>/dev/null
  "$collide" learn "$work/interactions" -o "$model" --rows 400 --dim 32 --teacher-epochs 2 --epochs 2 2>/dev/null
fi

ip -n "$near" link add veth0 numrxqueues "$queues" numtxqueues "$queues" type veth \
  peer name veth0 netns "$far" numrxqueues "$queues" numtxqueues "$queues"
for side in "$near 1" "$far 2"; do
  ip -n "${side% *}" link set lo up
  ip -n "${side% *}" link set veth0 up
  ip -n "${side% *}" address add "10.77.0.${side#* }/24" dev veth0
done

listed=$(seq -s, 0 $((queues - 1)))
ip netns exec "$near" "$collide" serve "$model" --threads 1 --listen 10.77.0.1:9080 --xdp "veth0:$listed" \
  --udp 10.77.0.1:9001 --shm "$shm" >"$work/log" 2>&1 &
server=$!
for _ in $(seq 600); do
  grep -q '^ready on' "$work/log" && break
  kill -0 $server 2>/dev/null || break
  sleep 0.1
done
grep -q '^ready on' "$work/log" || fail "the server did not start: $(cat "$work/log")"

get() { ip netns exec "$far" curl -sS --fail --max-time 5 "http://10.77.0.1:9080$1"; }
about=$(get /v1/model)
options=(--users "$(jq .users <<<"$about")" --items "$(jq .items <<<"$about")" --candidates "$candidates" --warmup 0
  --poll sleep --timeout 5 --json)

# load TRANSPORT DEPTH OPTION...: as JSON. Takes the place of its subshell, so that this can be killed.
load() {
  local transport=$1 lanes=(--depth "$2")
  shift 2
  [ "$transport" != http ] || lanes=(--connections 8)
  set -- "${options[@]}" "${lanes[@]}" "$@"
  case $transport in
  xdp) exec ip netns exec "$far" "$bench" xdp veth0 10.77.0.1:9000 "$@" ;;
  udp) exec ip netns exec "$far" "$bench" udp 10.77.0.1:9001 "$@" ;;
  shm) exec ip netns exec "$near" "$bench" shm "$shm" "$@" ;;
  http) exec ip netns exec "$far" "$bench" http http://10.77.0.1:9080 "$@" ;;
  esac
}

count_files() { find "/proc/$server/fd" -type l | wc -l; }
resident_kb() { awk '/^VmRSS:/ { print $2 }' "/proc/$server/status"; }

# What all get when all ask as fast as they are answered; also brings every path to its working size.
for transport in "${transports[@]}"; do
  load "$transport" 16 --duration "$calibration" >"$work/$transport.capacity.json" &
  pids+=($!)
done
for pid in "${pids[@]}"; do
  wait "$pid" || fail "a client failed while the capacity was looked for"
done
sleep 0.5
files_before=$(count_files)
counts_before=$(get /v1/transports)

pids=()
for transport in "${transports[@]}"; do
  rate=$(jq ".merged.main.requests_per_s * $share / 100 | floor | if . < 1 then 1 else . end" \
    "$work/$transport.capacity.json")
  load "$transport" 1024 --mode open --arrivals poisson --rate "$rate" --duration "$duration" \
    >"$work/$transport.json" &
  pids+=($!)
done

# At least 40 samples, at least one each 10 s.
pause=$(awk -v s="$duration" 'BEGIN { p = s / 40; print (p > 10 ? 10 : p) }')
echo "seconds,resident_kb,files,datagrams" >"$work/server.csv"
begin=$EPOCHREALTIME
while kill -0 "${pids[@]}" 2>/dev/null; do
  kill -0 $server 2>/dev/null || fail "the server has ended: $(tail -n 5 "$work/log")"
  awk -v a="$begin" -v b="$EPOCHREALTIME" -v rest="$(resident_kb),$(count_files),$(get /v1/transports | jq .datagrams)" \
    'BEGIN { printf("%.1f,%s\n", b - a, rest) }' >>"$work/server.csv"
  sleep "$pause"
done
for pid in "${pids[@]}"; do
  wait "$pid" || true # what a client has to say is in its result
done
pids=()
sleep 0.5
counts=$(get /v1/transports)
files_after=$(count_files)

n_wrong=0
# check WHAT CONDITION...: of test.
check() {
  local what=$1
  shift
  if test "$@"; then
    printf '  ok      %s\n' "$what"
  else
    printf '  FAILED  %s: %s\n' "$what" "$*"
    n_wrong=$((n_wrong + 1))
  fi
}

# quarters COLUMN: the means of the second and of the last quarter of a column of server.csv.
quarters() {
  awk -F, -v column="$1" -v duration="$duration" 'NR > 1 {
      if ($1 >= duration / 4 && $1 < duration / 2) { early += $column; n_early++ }
      if ($1 >= duration * 3 / 4 && $1 < duration) { late += $column; n_late++ } }
    END { if (n_early && n_late) printf("%.0f %.0f\n", early / n_early, late / n_late); else print "0 1000000" }' \
    "$work/server.csv"
}
delta() { jq -n "($counts | $1) - ($counts_before | $1)"; }
sum() { jq -s "map($1) | add" "${@:2}"; }

printf '\n%-6s %12s %12s %10s %10s %8s %8s %8s\n' '' 'per s' requests 'p50 us' 'p99 us' shed lost unsent
for transport in "${transports[@]}"; do
  jq -r --arg name "$transport" '.merged.main | [$name, .requests_per_s, .n_requests, .p50_us, .p99_us // "-",
      .errors.status, .n_errors - .errors.status - .errors.unsent, .errors.unsent] | @tsv' "$work/$transport.json"
done | awk -F'\t' '{ printf("%-6s %12.0f %12d %10.1f %10s %8d %8d %8d\n", $1, $2, $3, $4, $5, $6, $7, $8) }'

read -r memory_early memory_late <<<"$(quarters 2)"
read -r files_early files_late <<<"$(quarters 3)"
printf '\nserver: %d kB resident in the second quarter, %d in the last; %d files; %s of %s frames found\n\n' \
  "$memory_early" "$memory_late" "$files_after" "$(jq .xdp_frames.frames_found <<<"$counts")" \
  "$(jq .xdp_frames.frames <<<"$counts")"

results=()
datagram_results=()
for transport in "${transports[@]}"; do
  results+=("$work/$transport.json")
  [ "$transport" = http ] || datagram_results+=("$work/$transport.json")
done
main=.merged.main
shed=$(sum "$main.errors.status" "${datagram_results[@]}")
# What a client on a crowded machine was too late to send is no fault of the server's.
check "nothing that was sent is lost" \
  "$(sum "$main.n_errors - $main.errors.status - $main.errors.unsent" "${results[@]}")" = 0
check "what was shed is what the server says it shed" "$shed" = "$(delta .requests.busy)"
check "HTTP answers all" "$(jq "$main.n_errors - $main.errors.unsent" "$work/http.json")" = 0
check "every answer is counted once" \
  "$(sum "$main.n_requests" "${datagram_results[@]}")" = "$(delta .requests.ok)"
check "nothing is refused" "$(delta '.requests | add - .ok - .busy')" = 0
check "no datagram is dropped" "$(delta '.not_ours + .other_version + .bad_tag')" = 0
check "every frame is answered" "$(delta .xdp_frames.received)" = "$(delta .xdp_frames.sent)"
check "the kernel drops no frame" "$(delta '.xdp_frames | .rx_other + .rx_invalid')" = 0
check "frames add up" "$(jq .xdp_frames.frames_found <<<"$counts")" = "$(jq .xdp_frames.frames <<<"$counts")"
check "memory is flat" $((memory_late * 100)) -le $((memory_early * 102))
check "files are flat" "$files_late" -le "$files_early"
check "all files of clients are closed" "$files_after" = "$files_before"
kill -TERM $server
code=0
wait $server || code=$?
server=
check "the server ends cleanly" $code = 0
[ $n_wrong = 0 ]
