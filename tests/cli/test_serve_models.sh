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
  await "model model: version 2 is served"
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
  await "model model: cannot be loaded, what was served before stays: model"
  answers /v1/score one
  ask GET /v1/models ""
  grep -qF '"state":"READY","reason":"model' response || fail "$(cat response)"
  cp two next && mv next model
  kill -HUP $SERVER
  await "model model: version 2 is served"
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
  await "model flat: version 1 is served"
  answers /v1/score one
  answers /v1/models/flat/score one
  ask GET /readyz ""
  grep -q "^HTTP/1.1 200" response || fail "$(cat response)"
  mkdir -p watched/deep/4 && cp two watched/deep/4/model.safetensors
  await "model deep: version 4 is served"
  answers /v1/models/deep/versions/4/score two
  cp two watched/next && mv watched/next watched/flat.collide
  await "model flat: version 2 is served"
  answers /v1/models/flat/score two
  rm watched/flat.collide
  await "model flat: unloaded"
  refuses /v1/models/flat/score 404 not_found
  answers /v1/models/deep/score two
  stop TERM
}

it_unloads_a_name_with_its_last_file() {
  make_models
  mkdir watched
  cp one watched/dup.safetensors
  start_serving --watch watched --keep-versions 2
  mkdir -p watched/dup/5 && cp two watched/dup/5/model.safetensors
  await "model dup: version 5 is served"
  rm watched/dup.safetensors
  rm -r watched/dup
  await "model dup: unloaded"
  refuses /v1/models/dup/score 404 not_found
  stop TERM
}

it_finds_a_folder_that_was_put_in_the_place_of_the_watched_one() {
  make_models
  mkdir watched
  start_serving --watch watched
  mv watched gone
  mkdir watched && cp one watched/next && mv watched/next watched/new.safetensors
  await "model new: version 1 is served"
  rm -r watched
  await "it is looked for every second"
  mkdir watched && cp two watched/next && mv watched/next watched/newer.safetensors
  await "model newer: version 1 is served"
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

# A model of another shape than those served. What no other test has built is in caches of its own.
it_has_new_kernels_built_by_another_process() {
  make_models
  quick_model synth wide --dim 24
  export XDG_CACHE_HOME=$PWD/caches POCL_CACHE_DIR=$PWD/caches/pocl
  start_serving --model first=one --model second=two
  mv wide two
  kill -HUP $SERVER
  await "model second: version 2 is served"
  ask GET /v1/models/second ""
  grep -q '"dim":24,.*"kernels":"cache"' response || fail "$(cat response)"
  grep -q "built by the server itself" log && fail "$(cat log)"
  answers /v1/models/first/score one
  stop TERM
}

it_builds_kernels_itself_where_there_is_no_cache() {
  make_models
  quick_model synth wide --dim 24
  start_serving --model first=one --model second=two --kernel-cache ""
  mv wide two
  kill -HUP $SERVER
  await "built by the server itself, which may hold up requests: there is no cache of kernels that could be written to"
  await "model second: version 2 is served"
  ask GET /v1/models/second ""
  grep -q '"dim":24,.*"kernels":"source"' response || fail "$(cat response)"
  stop TERM
}

# One that takes long is not waited for.
it_stops_while_kernels_are_built() {
  make_models
  quick_model synth wide --dim 24
  export XDG_CACHE_HOME=$PWD/caches POCL_CACHE_DIR=$PWD/caches/pocl
  start_serving --model first=one --model second=two
  mv wide two
  kill -HUP $SERVER
  for _ in $(seq 600); do
    [ -n "$(pgrep -P $SERVER)" ] && break
    sleep 0.05
  done
  local builder
  builder=$(pgrep -P $SERVER) || fail "nothing is built: $(cat log)"
  stop TERM
  [ ! -d "/proc/$builder" ] || fail "it still builds"
  grep -q "model second: version 2" log && fail "it was built: $(cat log)"
  return 0
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

# number NAME: of the model that is served.
number() {
  ask GET /v1/model ""
  grep -oE "\"$1\":[0-9]+" response | grep -oE '[0-9]+$' || fail "no $1: $(cat response)"
}

it_sums_users_up_where_there_is_room() {
  make_models
  run 2 serve one --user-vectors few
  says "--user-vectors few is no size"
  start_serving one
  local vectors all
  vectors=$(number user_vector_bytes)
  [ "$vectors" -gt 0 ] || fail "no vectors"
  all=$(($(number file_bytes) + $(grep -oE '"tables":\{"bytes":[0-9]+' response | grep -oE '[0-9]+$') + vectors))
  stop TERM
  start_serving one --user-vectors $((vectors - 1))
  [ "$(number user_vector_bytes)" = 0 ] || fail "they take more than they may"
  stop TERM
  start_serving one --max-memory $((all - 1)) --tables copied
  [ "$(number user_vector_bytes)" = 0 ] || fail "they take what is not there"
  stop TERM
  start_serving one --max-memory $all --tables copied
  [ "$(number user_vector_bytes)" = "$vectors" ] || fail "they are left out"
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
