#!/usr/bin/env bash
# How long a request takes by each transport, and how many there are in a second, over a virtual Ethernet pair between
# two network namespaces: the server on one core, the client on another. Needs root. All that it makes is removed again.
#
#     bench/net/veth.sh BUILD MODEL [RESULTS]
#
# BUILD: the build's folder. RESULTS: a folder that keeps the JSON results and their page. Environment: CANDIDATES (32),
# ROUNDS (3), DURATION (1, seconds a measurement), DEPTH (64, of the pipelined ones), PER_DATAGRAM (1, requests that may
# share one; 0: as many as fit), QUEUES (1), SERVER_CPU (0), CLIENT_CPU (1).
#
# All servers run from the start, but all are stopped save the one that is measured; rounds go through them in turn.
set -euo pipefail

[ $# -ge 2 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
collide=$(realpath "$1/collide") bench=$(realpath "$1/bench/collide-bench") model=$(realpath "$2")
results=${3:-}
candidates=${CANDIDATES:-32} rounds=${ROUNDS:-3} duration=${DURATION:-1} depth=${DEPTH:-64} queues=${QUEUES:-1}
per_datagram=${PER_DATAGRAM:-1}
server_cpu=${SERVER_CPU:-0} client_cpu=${CLIENT_CPU:-1}
far=cbench-far-$$ near=cbench-near-$$ shm=cbench-$$
work=$(mktemp -d)
declare -A pids

cleanup() {
  local pid
  for pid in "${pids[@]}"; do
    kill -TERM "$pid" 2>/dev/null && kill -CONT "$pid" 2>/dev/null || true
  done
  wait 2>/dev/null || true
  ip netns del "$far" 2>/dev/null || true
  ip netns del "$near" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() {
  echo "veth.sh: $*" >&2
  exit 1
}
in_far() { ip netns exec "$far" "$@"; }
in_near() { ip netns exec "$near" "$@"; }

# pair NUMBER: sN at 10.78.N.1 in far, cN at 10.78.N.2 in near. Checksums must be in the frames that AF_XDP sees, and
# neighbours known, so that no ARP is among them.
pair() {
  local n=$1
  ip link add "s$n" netns "$far" numrxqueues "$queues" numtxqueues "$queues" type veth \
    peer name "c$n" netns "$near" numrxqueues "$queues" numtxqueues "$queues"
  in_far ip addr add "10.78.$n.1/24" dev "s$n"
  in_near ip addr add "10.78.$n.2/24" dev "c$n"
  in_far ip link set "s$n" up
  in_near ip link set "c$n" up
  in_far ethtool -K "s$n" tx off >/dev/null
  in_near ethtool -K "c$n" tx off >/dev/null
  in_far ip neigh replace "10.78.$n.2" dev "s$n" lladdr "$(in_near cat "/sys/class/net/c$n/address")" nud permanent
  in_near ip neigh replace "10.78.$n.1" dev "c$n" lladdr "$(in_far cat "/sys/class/net/s$n/address")" nud permanent
}

# start NAME PATTERN COMMAND...: runs it in far until its log says PATTERN, then stops it.
start() {
  local name=$1 pattern=$2
  shift 2
  : >"$work/$name.log"
  ip netns exec "$far" taskset -c "$server_cpu" "$@" >"$work/$name.log" 2>&1 &
  pids[$name]=$!
  for _ in $(seq 300); do
    grep -q "$pattern" "$work/$name.log" && break
    kill -0 "${pids[$name]}" 2>/dev/null || break
    sleep 0.1
  done
  grep -q "$pattern" "$work/$name.log" || fail "$name did not start: $(cat "$work/$name.log")"
  kill -STOP "${pids[$name]}"
}

serve() {
  local name=$1
  shift
  start "$name" '^ready on' "$collide" serve "$model" --threads 1 "$@"
}

client() {
  ip netns exec "$1" taskset -c "$client_cpu" "$bench" "${@:2}"
}

load=(--candidates "$candidates" --duration "$duration" --warmup 0.2 --json)
wire=("${load[@]}" --per-datagram "$per_datagram")

# ask NAME [OPTION...]: one measurement of it, as JSON.
ask() {
  local name=$1
  shift
  case $name in
    xdp) client "$near" xdp c0 10.78.0.1:9001 "${ids[@]}" "${wire[@]}" "$@" ;;
    xdp-echo) client "$near" xdp c1 10.78.1.1:9004 --echo "${ids[@]}" "${wire[@]}" "$@" ;;
    udp-spin) client "$near" udp 10.78.0.1:9002 "${ids[@]}" "${wire[@]}" "$@" ;;
    udp-block) client "$near" udp 10.78.0.1:9003 "${ids[@]}" "${wire[@]}" "$@" ;;
    shm) client "$far" shm "$shm" "${ids[@]}" "${wire[@]}" "$@" ;;
    http) client "$near" http http://10.78.0.1:8080 "${ids[@]}" "${load[@]}" "$@" ;;
    http-block) client "$near" http http://10.78.0.1:8086 "${ids[@]}" "${load[@]}" "$@" ;;
  esac
}

# measure NAME ROUND: alone on the server's core.
measure() {
  local name=$1 round=$2 lanes=--depth
  [[ $name != http* ]] || lanes=--connections
  kill -CONT "${pids[$name]}"
  ask "$name" >"$work/$name.$round.json" || true
  ask "$name" "$lanes" "$depth" >"$work/$name.pipelined.$round.json" || true
  kill -STOP "${pids[$name]}"
}

# median GLOB FILTER: of the rounds.
median() {
  jq -s "map($2) | map(select(. != null)) | sort | if length == 0 then null else .[length / 2 | floor] end" $1
}

ip netns add "$far"
ip netns add "$near"
in_far ip link set lo up
pair 0
pair 1

serve xdp --listen 127.0.0.1:8081 --xdp s0:0 --xdp-port 9001 --poll spin --cpus "$server_cpu"
serve udp-spin --listen 127.0.0.1:8082 --udp 10.78.0.1:9002 --poll spin --cpus "$server_cpu"
serve udp-block --listen 127.0.0.1:8083 --udp 10.78.0.1:9003 --poll sleep --cpus "$server_cpu"
serve shm --listen 127.0.0.1:8084 --shm "$shm" --poll spin --cpus "$server_cpu"
serve http --listen 10.78.0.1:8080
serve http-block --listen 10.78.0.1:8086 --http-poll sleep
start xdp-echo '^echoing on' "$bench" echo xdp s1:0 --port 9004

kill -CONT "${pids[http]}"
about=$(in_near curl -sS --fail http://10.78.0.1:8080/v1/model)
kill -STOP "${pids[http]}"
ids=(--users "$(jq .users <<<"$about")" --items "$(jq .items <<<"$about")")

names=(xdp xdp-echo udp-spin udp-block shm http http-block)
for round in $(seq "$rounds"); do
  for name in "${names[@]}"; do
    measure "$name" "$round"
  done
done

grep -h '^AF_XDP\|native\|generic' "$work/xdp.log" | head -n 1 || true
sed -n 's/^model name[^:]*: /on /p' /proc/cpuinfo | head -n 1
echo "$candidates candidates, server on CPU $server_cpu, client on CPU $client_cpu; medians of $rounds rounds of $duration s"
printf '\n%-12s %10s %10s %12s %16s %14s %8s\n' '' 'p50 us' 'p99 us' 'p50 / xdp' "per s, depth $depth" 'xdp / per s' errors
xdp_p50=$(median "$work/xdp.[0-9]*.json" .merged.main.p50_us)
xdp_rate=$(median "$work/xdp.pipelined.*.json" .merged.main.requests_per_s)
for name in "${names[@]}"; do
  p50=$(median "$work/$name.[0-9]*.json" .merged.main.p50_us)
  p99=$(median "$work/$name.[0-9]*.json" .merged.main.p99_us)
  rate=$(median "$work/$name.pipelined.*.json" .merged.main.requests_per_s)
  errors=$(jq -s 'map(.merged.main.n_errors) | add' "$work/$name".*.json)
  awk -v name="$name" -v p50="$p50" -v p99="$p99" -v rate="$rate" -v errors="$errors" -v xdp_p50="$xdp_p50" \
    -v xdp_rate="$xdp_rate" 'BEGIN {
      printf("%-12s %10.1f %10s %12.2f %16.0f %14.2f %8d\n", name, p50, (p99 == "null" ? "-" : sprintf("%.1f", p99)),
             (xdp_p50 > 0 ? p50 / xdp_p50 : 0), rate, (rate > 0 ? xdp_rate / rate : 0), errors) }'
done

if [ -n "$results" ]; then
  mkdir -p "$results"
  cp "$work"/*.json "$results"
  pages=()
  for name in "${names[@]}"; do
    pages+=("$name=$work/$name.1.json" "$name=$work/$name.pipelined.1.json")
  done
  "$bench" report --title "collide over a virtual Ethernet pair" "${pages[@]}" -o "$results/veth.html"
fi
