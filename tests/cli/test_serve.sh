#!/usr/bin/env bash
# serve as a process: its port, its signals, its exit codes.
. "$(dirname "$0")/lib.sh"
needs_device

# start [OPTION...]: serves ./model on a free port; sets SERVER and PORT.
start() {
  "$PROGRAM" serve model --listen 127.0.0.1:0 --threads 2 "$@" >/dev/null 2>log &
  SERVER=$!
  for _ in $(seq 200); do
    grep -q "^ready on" log && break
    kill -0 $SERVER 2>/dev/null || fail "it ended: $(cat log)"
    sleep 0.05
  done
  PORT=$(sed -n 's|^ready on http://127.0.0.1:\([0-9]*\) .*|\1|p' log)
  [ -n "$PORT" ] || fail "not ready: $(cat log)"
}

# stop SIGNAL: it must exit with 0.
stop() {
  local code=0
  kill -s "$1" $SERVER
  wait $SERVER || code=$?
  [ $code = 0 ] || fail "exit code $code after SIG$1: $(cat log)"
}

# ask METHOD PATH [BODY]: the response is in the file response.
ask() {
  exec 3<>"/dev/tcp/127.0.0.1/$PORT" || fail "cannot connect"
  printf '%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' \
    "$1" "$2" "${#3}" "$3" >&3
  cat <&3 | tr -d '\r' >response
  exec 3>&-
}

make_model() {
  small_log synth
  quick_model synth model
}

it_answers_as_the_commands_do() {
  make_model
  start
  ask POST /v1/score '{"user": 3, "items": [1, 2, 3]}'
  grep -q "^HTTP/1.1 200" response || fail "$(cat response)"
  run 0 score model --user 3 --items 1,2,3
  [ "$(tail -n 1 response)" = "$(cat out)" ] || fail "$(cat response out)"
  ask POST /v1/topk '{"user": 3, "k": 5}'
  run 0 topk model --user 3 -k 5
  [ "$(tail -n 1 response)" = "$(cat out)" ] || fail "$(cat response out)"
  ask GET /v1/model ""
  grep -q '"name":"model","users":200,"user_ids":"dense integers","items":150,"item_ids":"dense integers","rows":' response || fail "$(cat response)"
  ask GET /nowhere ""
  grep -q "^HTTP/1.1 404" response || fail "$(cat response)"
  stop TERM
}

it_keeps_to_the_limits_it_is_given() {
  make_model
  start --max-body 100 --max-items 3 --max-history 2 --max-requests 1
  ask POST /v1/score "$(printf '{"user": 3, "items": [1]%100s}' "")"
  grep -q "^HTTP/1.1 413" response || fail "$(cat response)"
  for body in '{"user": 3, "items": [1, 2, 3, 4]}' '{"history": [1, 2, 3], "items": [1]}' '{"requests": [{}, {}]}'; do
    ask POST /v1/score "$body"
    grep -q "^HTTP/1.1 400" response || fail "$(cat response)"
    grep -q "longer than the limit of" response || fail "$(cat response)"
  done
  stop INT
}

it_ends_cleanly_on_sigterm_and_sigint() {
  make_model
  for signal in TERM INT; do
    start
    stop $signal
    grep -q "answering what is in flight, then stopping" log || fail "$(cat log)"
    (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null && fail "it still listens"
  done
  return 0
}

it_answers_what_is_half_sent_at_sigterm() {
  make_model
  start
  local body='{"user": 3, "items": [1, 2, 3]}'
  exec 3<>"/dev/tcp/127.0.0.1/$PORT"
  printf 'POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n{"user"' ${#body} >&3
  sleep 0.3
  kill -TERM $SERVER
  sleep 0.3
  printf '%s' "${body#'{"user"'}" >&3
  cat <&3 >response
  grep -q "^HTTP/1.1 200" response || fail "$(cat response)"
  grep -qi "^Connection: close" response || fail "$(cat response)"
  wait $SERVER || fail "exit code $?"
}

it_says_that_its_port_is_in_use() {
  make_model
  start
  run 1 serve model --listen "127.0.0.1:$PORT"
  says "cannot listen on 127.0.0.1:$PORT (stop what listens there, or choose another port): Address already in use"
  stop TERM
}

it_refuses_addresses_that_are_none() {
  make_model
  run 1 serve model --listen 8080
  says '"8080" is no address; write HOST:PORT, such as 127.0.0.1:8080'
  run 1 serve model --listen 127.0.0.1:99999
  says "is no address"
}

it_fails_when_the_model_cannot_be_loaded() {
  make_model
  run 1 serve nowhere --listen 127.0.0.1:0
  says "cannot open nowhere"
  head -c 5000 model >cut
  run 1 serve cut --listen 127.0.0.1:0
  says "cut"
}

run_tests
