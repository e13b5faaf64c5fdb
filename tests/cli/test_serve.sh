#!/usr/bin/env bash
# serve as a process: its port, its signals, its exit codes.
. "$(dirname "$0")/lib.sh"
needs_device

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

it_answers_alike_when_requests_wait_for_one_another() {
  make_model
  start --max-delay-us 2000 --max-batch 2
  local i askers=
  for i in 1 2 3 4 5 6; do
    ask POST /v1/score "{\"user\": $i, \"items\": [1, 2, 3]}" "answer$i" &
    askers+=" $!"
  done
  # shellcheck disable=SC2086
  wait $askers
  for i in 1 2 3 4 5 6; do
    run 0 score model --user "$i" --items 1,2,3
    [ "$(tail -n 1 "answer$i")" = "$(cat out)" ] || fail "$(cat "answer$i" out)"
  done
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

# Libraries have threads that begin before main. The kernel gives them what comes while the main one does not wait.
it_has_no_other_thread_that_takes_its_signals() {
  ! grep -q __tsan_init "$PROGRAM" || return 0 # ThreadSanitizer has one
  make_model
  start
  local task mask
  for task in /proc/$SERVER/task/*; do
    mask=$(sed -n 's/^SigBlk:\s*//p' "$task/status")
    [ "${task##*/}" = "$SERVER" ] || [ $((0x$mask & 0x4003)) = $((0x4003)) ] || fail "a thread blocks $mask alone"
  done
  stop TERM
}

it_outlives_a_flood_of_sighup() {
  make_model
  start
  for _ in $(seq 200); do
    kill -HUP $SERVER || fail "it ended: $(cat log)"
    sleep 0.001
    kill -HUP $SERVER || fail "it ended: $(cat log)"
  done
  ask POST /v1/score '{"user": 3, "items": [1, 2, 3]}'
  grep -q "^HTTP/1.1 200" response || fail "$(cat response)"
  kill -HUP $SERVER
  stop TERM
}

it_ends_cleanly_while_it_reloads() {
  make_model
  for signal in TERM INT TERM; do
    start
    for _ in 1 2 3 4 5; do kill -HUP $SERVER; done
    stop $signal
  done
}

it_ends_cleanly_whatever_comes_while_it_stops() {
  make_model
  start
  local body='{"user": 3, "items": [1, 2, 3]}'
  exec 3<>"/dev/tcp/127.0.0.1/$PORT"
  printf 'POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n{"user"' ${#body} >&3
  sleep 0.3
  for signal in TERM HUP HUP TERM INT HUP; do
    kill -s $signal $SERVER || fail "it ended: $(cat log)"
    sleep 0.05
  done
  printf '%s' "${body#'{"user"'}" >&3
  cat <&3 >response
  grep -q "^HTTP/1.1 200" response || fail "$(cat response)"
  wait $SERVER || fail "exit code $?: $(cat log)"
}

it_listens_at_all_addresses() {
  make_model
  : >log
  "$PROGRAM" serve model --listen :0 --threads 1 --access-log access >/dev/null 2>log &
  SERVER=$!
  await "^ready on"
  local port
  port=$(sed -n 's/^ready on http:.*:\([0-9]*\) with.*/\1/p' log)
  curl -sS --fail "http://127.0.0.1:$port/healthz" >out || fail "not by IPv4: $(cat log)"
  if [ -s /proc/net/if_inet6 ]; then
    curl -sS --fail -g "http://[::1]:$port/healthz" >out || fail "not by IPv6: $(cat log)"
  fi
  stop TERM
  grep -q '"remote":"127.0.0.1:' access || fail "$(cat access)"
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
