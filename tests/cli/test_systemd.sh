#!/usr/bin/env bash
# The units, and serve as systemd starts it: with a socket, and told whom to tell.
. "$(dirname "$0")/lib.sh"
UNITS=$(realpath "$2")
command -v systemd-analyze systemd-socket-activate >/dev/null || {
  echo "skipped: no systemd here"
  exit 77
}

it_has_units_that_systemd_understands() {
  # Where they are checked nothing is installed.
  sed "s|^ExecStart=[^ ]*|ExecStart=$PROGRAM|; /^Documentation=/d" "$UNITS/collide.service" >collide.service
  cp "$UNITS/collide.socket" .
  systemd-analyze verify ./collide.service ./collide.socket >verified 2>&1 || fail "$(cat verified)"
  [ ! -s verified ] || fail "$(cat verified)"
}

it_exposes_little() {
  sed "s|^ExecStart=[^ ]*|ExecStart=$PROGRAM|" "$UNITS/collide.service" >collide.service
  systemd-analyze security --offline=true --threshold=20 ./collide.service >exposure 2>&1 || fail "$(tail -n 3 exposure)"
}

# free_port: one that nobody listens at.
free_port() {
  local port=20000
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
  echo "$port"
}

it_answers_on_systemds_socket_and_tells_how_it_fares() {
  needs_device
  small_log synth
  quick_model synth model
  PORT=$(free_port)
  systemd-socket-activate --datagram -l "$PWD/notify" bash -c 'exec cat <&3' >told 2>/dev/null &
  local listener=$!
  # shellcheck disable=SC2064
  trap "kill $listener 2>/dev/null" EXIT
  for _ in $(seq 100); do [ -S notify ] && break || sleep 0.05; done
  : >log
  systemd-socket-activate -l "127.0.0.1:$PORT" --fdname=http -E NOTIFY_SOCKET="$PWD/notify" -E WATCHDOG_USEC=200000 \
    -E XDG_CACHE_HOME -E POCL_CACHE_DIR -E HOME -E ASAN_OPTIONS -E LSAN_OPTIONS \
    "$PROGRAM" serve model --listen fd:http --threads 1 --max-queue-us $PATIENCE_US >/dev/null 2>log &
  SERVER=$!
  for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null && break || sleep 0.05; done
  until_told READY=1
  ask POST /v1/score '{"user": 3, "items": [1, 2, 3]}'
  grep -q "^HTTP/1.1 200" response || fail "$(cat response log)"
  until_told WATCHDOG=1
  kill -HUP $SERVER
  until_told RELOADING=1
  until_told STATUS=reloaded
  stop TERM
  until_told STOPPING=1
}

until_told() {
  for _ in $(seq 400); do
    grep -aq -- "$1" told && return
    sleep 0.05
  done
  fail "never told $1: $(cat told log)"
}

run_tests
