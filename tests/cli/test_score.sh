#!/usr/bin/env bash
# score and topk: flags and NDJSON are two spellings of one request.
. "$(dirname "$0")/lib.sh"
needs_device

make_model() {
  small_log log
  quick_model log model
}

# alike COMMAND REQUEST FLAG...: the flags must be answered as the JSON request is.
alike() {
  local command=$1 request=$2
  shift 2
  run 0 "$command" model "$@"
  mv out from_flags
  run 0 "$command" model <<<"$request"
  same_file out from_flags
}

it_takes_flags_for_a_request() {
  make_model
  alike score '{"user": 3, "items": [1, 2, 3]}' --user 3 --items 1,2,3
  alike score '{"user": "3", "items": [77]}' -u 3 -i 77
  alike score '{"history": [5, 6], "weights": [1, 0.5], "items": [1]}' --history 5,6 --weights 1,0.5 --items 1
  alike score '{"user": 3, "history": [5], "items": [1, 9999]}' --user 3 --history 5 --items 1,9999
  alike topk '{"user": 3}' --user 3
  alike topk '{"user": 3, "k": 4, "exclude": [1, 2], "exclude_seen": true}' \
    --user 3 -k 4 --exclude 1,2 --exclude-seen
  alike topk '{"history": [1, 2, 3], "k": 7}' --history 1,2,3 --k 7
}

it_answers_each_line_of_standard_input() {
  make_model
  printf '%s\n' '{"user": 1, "items": [1, 2]}' '' '{"requests": [{"user": 1, "items": [1]}, {}]}' \
    '{"user": 2, "items": []}' >requests
  run 0 score model <requests
  [ "$(wc -l <out)" = 3 ] || fail "$(cat out)"
  sed -n 2p out | grep -q '"error"' || fail "$(cat out)"
  printf '{"user": 1, "k": 2}' | run 0 topk model
  [ "$(wc -l <out)" = 1 ] || fail "a last line without its newline is not answered"
  run 0 score model </dev/null
  [ ! -s out ] || fail "$(cat out)"
}

it_goes_on_after_a_wrong_line_and_tells_by_its_exit_code() {
  make_model
  printf '%s\n' '{"user": 1, "items": [1]}' '{"usr": 1}' 'nonsense' '{"user": 1, "items": [1]}' >requests
  run 1 score model <requests
  says "not every request could be answered"
  [ "$(wc -l <out)" = 4 ] || fail "$(cat out)"
  [ "$(sed -n 1p out)" = "$(sed -n 4p out)" ] || fail "$(cat out)"
  sed -n 2p out | grep -q 'did you mean \\"user\\"?' || fail "$(cat out)"
}

it_takes_what_half_a_request_says_for_a_request() {
  make_model
  run 1 score model --user 1
  prints '\"items\", the list of what to score, is missing'
  run 1 score model --items 1
  prints 'say whom to score for'
  run 1 topk model -k 5
  prints 'say whom to score for'
  run 1 topk model --exclude-seen
  prints 'say whom to score for'
  run 1 score model --history 1,2 --weights 1 --items 3
  prints '\"weights\" has 1 entries where \"history\" has 2'
  run 1 score model --user 1 --items 1 --weights x --history 2
  prints '\"weights\": entry 0 is not a number'
}

it_counts_ids_it_does_not_know() {
  make_model
  run 0 score model --user nobody --items 1,nothing,99999
  prints '"unknown":3}'
  run 0 score model --user 1 --items 1,
  prints '"unknown":1}'
}

it_keeps_ids_as_they_were_spelled() {
  awk 'BEGIN { srand(1); for (u = 0; u < 60; u++) for (i = 0; i < 8; i++)
    printf "user\"%d\t\303\251/item %d\n", u, int(rand() * 40) }' >log
  run 0 learn log -o model --rows 10 --teacher-epochs 2 --epochs 2
  printf '%s\n' '{"user": "user\"3", "k": 3}' | run 0 topk model
  grep -qF $'{"items":["\303\251/item ' out || fail "$(cat out)"
  prints '"unknown":0}'
  awk 'BEGIN { srand(1); for (u = 0; u < 60; u++) for (i = 0; i < 8; i++)
    printf "%d 90071992547409%02d\n", u, int(rand() * 40) + 60 }' >big
  run 0 learn big -o big.model --rows 10 --teacher-epochs 2 --epochs 2
  run 0 topk big.model --user 3 -k 40
  grep -qE '"9007199254740993"|"9007199254740994"' out || fail "ids from 2^53 on must be strings: $(cat out)"
  grep -qE '[[,]90071992547409[0-8][0-9][],]' out || fail "ids below 2^53 must be numbers: $(cat out)"
}

# Items 0 and 1 have the rows (1, 2) and (3, 4), countries 0 and 1 have (10, 20) and (30, 40).
model_with_countries() {
  local entry
  {
    printf '\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40'
    printf '\0\0\x20\x41\0\0\xa0\x41\0\0\xf0\x41\0\0\x20\x42'
    for entry in 0 1 0 2 3 2; do printf "\\x0$entry\0\0\0"; done
  } | safetensors "$1" '{"__metadata__":{"collide.format":"1","collide.features":"country"},
"item.rows":{"dtype":"F32","shape":[4,2],"data_offsets":[0,32]},
"item.remap":{"dtype":"U32","shape":[3],"data_offsets":[32,44]},
"country.remap":{"dtype":"U32","shape":[3],"data_offsets":[44,56]}}'
}

it_takes_features() {
  model_with_countries model
  run 0 score model --feature country=1 --items 0,1
  prints '{"scores":[110,250],"unknown":0}'
  run 0 score model --feature country=0,1 --history 1 --items 0,1 # the bag is (43, 64)
  prints '{"scores":[171,385],"unknown":0}'
  run 0 score model --feature country=7 --items 1
  prints '{"scores":[0],"unknown":1}'
  alike score '{"features": {"country": [1]}, "items": [0, 1]}' --feature country=1 --items 0,1
  alike topk '{"features": {"country": [0, 1]}, "k": 2}' --feature country=0,1 -k 2
  run 1 score model --feature planet=1 --items 1
  prints 'this model has no feature \"planet\"'
  run 1 score model --feature country=1 --feature country=2 --items 1
  prints 'feature \"country\" is given twice'
}

# A mapping that is computed leads to the rows that a stored one names.
it_scores_alike_where_rows_are_computed() {
  small_log log
  local method
  for method in modulo bloom qr-concat hashemb; do
    quick_model log stored --method $method
    quick_model log computed --method $method --mapping computed
    run 0 inspect computed --verify
    grep -qE "^mapping +(modulo|hashed|quotient)" out || fail "$(cat out)"
    [ "$(stat -c %s computed)" -lt "$(stat -c %s stored)" ] || fail "$method is not smaller"
    for model in stored computed; do
      run 0 score $model --user 3 --items "$(seq -s, 0 149),9999"
      grep -oE '[-0-9.e]+' out >$model.scores
    done
    paste stored.scores computed.scores | awk '
      function abs(x) { return x < 0 ? -x : x }
      abs($1 - $2) > 1e-6 { bad = 1 }
      END { exit bad || NR < 150 }' || fail "$method: $(paste stored.scores computed.scores)"
  done
}

run_tests
