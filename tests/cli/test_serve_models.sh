#!/usr/bin/env bash
# serve with several models: their names, SIGHUP, a watched folder, the limit of memory.
. "$(dirname "$0")/lib.sh"
needs_device

BODY='{"user": 3, "items": [1, 2, 3]}'

# Two models whose scores differ, and what each answers.
make_models() {
  small_log synth
  quick_model synth one
  quick_model synth two --seed 7
  run 0 score one --user 3 --items 1,2,3
  mv out one.answer
  run 0 score two --user 3 --items 1,2,3
  mv out two.answer
  cmp -s one.answer two.answer && fail "both models score alike"
  return 0
}

# answers PATH MODEL: a request there is answered as by the model.
answers() {
  ask POST "$1" "$BODY"
  grep -q "^HTTP/1.1 200" response || fail "$1: $(cat response)"
  [ "$(tail -n 1 response)" = "$(cat "$2.answer")" ] || fail "$1 is not answered by $2: $(cat response log)"
}

# refuses PATH STATUS CODE
refuses() {
  ask POST "$1" "$BODY"
  grep -q "^HTTP/1.1 $2" response || fail "$1: $(cat response)"
  grep -qF "\"code\":\"$3\"" response || fail "$1: $(cat response)"
}

# until_logged TEXT [TIMES]
until_logged() {
  for _ in $(seq 400); do
    [ "$(grep -cF -- "$1" log)" -ge "${2:-1}" ] && return
    sleep 0.05
  done
  fail "\"$1\" never came: $(cat log)"
}

it_serves_models_by_name() {
  make_models
  start_serving --model first=one --model second=two
  answers /v1/score one
  answers /v1/models/first/score one
  answers /v1/models/second/score two
  answers /v1/models/second/versions/1/score two
  refuses /v1/models/second/versions/2/score 404 not_found
  refuses /v1/models/third/score 404 not_found
  ask POST /v1/models/second/topk '{"user": 3, "k": 5}'
  run 0 topk two --user 3 -k 5
  [ "$(tail -n 1 response)" = "$(cat out)" ] || fail "$(cat response out)"
  ask GET /v1/models/second ""
  grep -q '"name":"second".*"model_version":1,' response || fail "$(cat response)"
  ask GET /v1/models ""
  grep -qF '[{"name":"first","version":"1","state":"READY","reason":""},{"name":"second",' response || fail "$(cat response)"
  stop TERM
}

it_loads_what_has_changed_on_sighup() {
  make_models
  cp one model
  start --model other=two
  cp two next && mv next model
  kill -HUP $SERVER
  until_logged "model model: version 2 is served"
  answers /v1/score two
  answers /v1/models/model/versions/2/score two
  refuses /v1/models/model/versions/1/score 404 not_found
  grep -q "model other: version" log && fail "what has not changed is loaded anew: $(cat log)"
  stop TERM
}

it_keeps_what_it_serves_when_a_file_is_broken() {
  make_models
  cp one model
  start
  head -c 5000 two >next && mv next model
  kill -HUP $SERVER
  until_logged "model model: cannot be loaded, what was served before stays: model"
  answers /v1/score one
  ask GET /v1/models ""
  grep -qF '"state":"READY","reason":"model' response || fail "$(cat response)"
  cp two next && mv next model
  kill -HUP $SERVER
  until_logged "model model: version 2 is served"
  answers /v1/score two
  stop TERM
}

it_serves_what_is_in_a_watched_folder() {
  make_models
  mkdir watched
  start_serving --watch watched
  refuses /v1/score 503 unavailable
  ask GET /readyz ""
  grep -q "^HTTP/1.1 503" response || fail "$(cat response)"
  cp one watched/next && mv watched/next watched/flat.collide
  until_logged "model flat: version 1 is served"
  answers /v1/score one
  answers /v1/models/flat/score one
  ask GET /readyz ""
  grep -q "^HTTP/1.1 200" response || fail "$(cat response)"
  mkdir -p watched/deep/4 && cp two watched/deep/4/model.safetensors
  until_logged "model deep: version 4 is served"
  answers /v1/models/deep/versions/4/score two
  cp two watched/next && mv watched/next watched/flat.collide
  until_logged "model flat: version 2 is served"
  answers /v1/models/flat/score two
  rm watched/flat.collide
  until_logged "model flat: unloaded"
  refuses /v1/models/flat/score 404 not_found
  answers /v1/models/deep/score two
  stop TERM
}

it_loads_what_is_in_a_watched_folder_before_it_is_ready() {
  make_models
  mkdir -p watched/m/2 watched/m/3 && cp one watched/m/2/model.safetensors && cp two watched/m/3/model.safetensors
  echo "no model" >watched/broken.collide
  start_serving --watch watched --keep-versions 2 --model given=one
  answers /v1/models/m/score two
  answers /v1/models/m/versions/2/score one
  refuses /v1/models/broken/score 404 not_found
  stop TERM
}

it_takes_no_more_memory_than_it_may() {
  make_models
  run 1 serve --model a=one --model b=two --max-memory 10K --listen 127.0.0.1:0
  says "over the limit of 10240"
  run 2 serve one --max-memory much
  says "--max-memory much is no size"
  start_serving --model a=one --max-memory 1G
  stop TERM
}

it_says_what_is_wrong_with_models() {
  make_models
  run 2 serve
  says "give a MODEL, --model NAME=FILE, or --watch FOLDER"
  run 2 serve --model one
  says "--model one is not of the form NAME=FILE"
  run 2 serve --model a/b=one
  says "is not of the form NAME=FILE"
  run 1 serve --model a=one --model a=two --listen 127.0.0.1:0
  says "two models \"a\""
  run 1 serve --watch nowhere --listen 127.0.0.1:0
  says "cannot watch the folder nowhere"
  run 1 serve --model a=one --model b=nowhere --listen 127.0.0.1:0
  says "cannot open nowhere"
}

run_tests
