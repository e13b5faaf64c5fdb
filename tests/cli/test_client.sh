#!/usr/bin/env bash
# `collide client`, against a server over each transport: the same answers, and what is wrong told.
. "$(dirname "$0")/lib.sh"

TRANSPORTS="http udp shm"

# serve_all: a server behind all transports; sets SERVER, PORT and ADDRESS[].
declare -A ADDRESS
serve_all() {
  small_log log
  quick_model log model
  start --udp 127.0.0.1:0 --shm "client-$$" --poll sleep "$@"
  ADDRESS=([http]=http://127.0.0.1:$PORT [udp]=udp:$(sed -n 's/^UDP on //p' log) [shm]=shm:client-$$)
}

it_gives_the_answers_of_the_server_over_every_transport() {
  needs_device
  serve_all
  printf '%s\n' '{"requests":[{"user":1,"items":[3,4]},{"user":1,"items":"x"},{"users":[1,2],"items":[3,4]}]}' '' \
    '{"user":3,"items":["5",99999]}' '{"history":[1,2],"weights":[1,0.5],"items":[3]}' >lines
  ask POST /v1/topk '{"user":17,"k":3,"exclude":[3],"exclude_seen":true}'
  tail -n 1 response >best
  for transport in $TRANSPORTS; do
    run 0 client score --server "${ADDRESS[$transport]}" --user 17 --items 3,5,99999
    [ "$(cut -f 1 out | tr '\n' ' ')" = "3 5 99999 " ] || fail "$transport: $(cat out)"
    mv out "text.$transport"
    run 0 client score -s "${ADDRESS[$transport]}" --user 17 --items 3,5,99999 --json
    [ "$(jq -r '.scores[]' out)" = "$(cut -f 2 "text.$transport")" ] || fail "$transport: $(cat out)"
    run 0 client topk -s "${ADDRESS[$transport]}" -u 17 -k 3 --exclude 3 --exclude-seen --json
    same_file out best
    "$PROGRAM" client score -s "${ADDRESS[$transport]}" <lines >"lines.$transport" || fail "$transport: exit code $?"
    same_file "lines.$transport" lines.http
  done
  [ "$(wc -l <lines.http)" = 3 ] || fail "$(cat lines.http)"
  same_file text.http text.udp
  stop TERM
}

it_asks_the_model_of_a_name() {
  needs_device
  small_log log
  quick_model log model
  quick_model log other --seed 7
  start --udp 127.0.0.1:0 --model "an other=other" --poll sleep
  run 0 score other --user 17 --items 3,5
  jq -r '.scores[]' out >scores
  for form in "-s http://127.0.0.1:$PORT" "-s http://127.0.0.1:$PORT --model-version 1"; do
    # shellcheck disable=SC2086
    run 0 client score $form --model "an other" --user 17 --items 3,5
    cut -f 2 out >got
    same_file got scores
  done
  run 0 client score -s "udp:$(sed -n 's/^UDP on //p' log)" --model 1 --user 17 --items 3,5
  cut -f 2 out >got
  same_file got scores
  run 1 client score -s "http://127.0.0.1:$PORT" --model none --user 17 --items 3,5
  says "answers 404: "
  run 1 client score -s udp:127.0.0.1:1 --model "an other" --user 17 --items 3,5
  says "datagrams know models by number"
  stop TERM
}

it_tells_what_the_server_refuses() {
  needs_device
  serve_all --max-items 10
  for transport in $TRANSPORTS; do
    run 1 client topk -s "${ADDRESS[$transport]}" --user 1 -k 11
    [ ! -s out ] || fail "$transport: $(cat out)"
    run 1 client score -s "${ADDRESS[$transport]}" --user 1
    says '"items", the list of what to score, is missing'
    printf 'nonsense\n{"user":1,"items":[3]}\n' | "$PROGRAM" client score -s "${ADDRESS[$transport]}" >out 2>err && fail "0"
    [ "$(jq -r 'keys[0]' out | tr '\n' ' ')" = "error scores " ] || fail "$transport: $(cat out)"
  done
  run 1 client score -s "${ADDRESS[udp]}" --user x --items 3
  says 'datagrams carry ids that are integers, not "x"; ask over HTTP'
  run 1 client score -s "${ADDRESS[http]}/elsewhere" --user 1 --items 3
  says "answers 404: "
  stop TERM
}

it_refuses_certificates_that_vouch_for_nothing() {
  run 2 client score --server http://127.0.0.1:1 --ca certificates.pem --user 1 --items 2
  says "--ca goes with an https:// server"
}

it_says_that_there_is_no_server() {
  run 3 client score --server http://127.0.0.1:1 --user 1 --items 3
  says "cannot ask http://127.0.0.1:1: "
  run 3 client score --server "unix:$PWD/none" --user 1 --items 3
  run 3 client score --server shm:none --user 1 --items 3
  says 'cannot connect to shared memory "none"'
  run 3 client topk --server udp:127.0.0.1:1 --timeout-ms 300 --user 1
  [ -s err ] || fail "nothing said"
}

it_wants_an_address() {
  run 2 client score --user 1 --items 3
  says "--server ADDRESS is missing"
  run 2 client topk --server 127.0.0.1:80 --user 1
  says "an address begins with http://, https://, unix:, udp: or shm:"
  run 1 client score --server udp:127.0.0.1:1 --key none --user 1 --items 3
  says none
}

run_tests
