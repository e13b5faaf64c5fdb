#!/usr/bin/env bash
# Tables that were trained elsewhere, compressed without a log.
. "$(dirname "$0")/lib.sh"

# Four items and three users of two values.
ITEMS="1 2  3 -4  0.5 0.25  -1 0"
USERS="2 1  0 -3  1.5 8"
BIAS="0.5 -2 10 0"

# shellcheck disable=SC2086
make_tables() {
  floats $ITEMS | npy items.npy "<f4" "(4, 2)"
  floats $USERS | npy users.npy "<f4" "(3, 2)"
  floats $BIAS | npy bias.npy "<f4" "(4,)"
}

# What scores are for a user: its products with the items, plus biases.
products() {
  awk -v user="$1" -v items="$ITEMS" -v users="$USERS" -v bias="$2" 'BEGIN {
    n = split(items, i, " ") / 2; split(users, u, " "); split(bias, b, " ")
    for (k = 0; k < n; k++)
      printf "%s%.9g", k ? "," : "", u[2 * user + 1] * i[2 * k + 1] + u[2 * user + 2] * i[2 * k + 2] + b[k + 1] }'
}

# many_items: 600 of 16 values, each like every 40th.
many_items() {
  # shellcheck disable=SC2046
  floats $(awk 'BEGIN { srand(1); for (k = 0; k < 40 * 16; k++) x[k] = int(64 * rand()) - 32
    for (k = 0; k < 600 * 16; k++) print x[k % (40 * 16)] + int(4 * rand()) / 8 }') | npy many.npy "<f4" "(600, 16)"
}

it_scores_as_the_tables_did() {
  needs_device
  make_tables
  run 0 learn --from-embeddings items.npy --user-embeddings users.npy --bias bias.npy -o model --method full \
    --user-method full --precision f32
  prints "items: 4 embeddings of 2 values are off by 0 (RMS), 0 at the most"
  prints "users: 3 embeddings of 2 values are off by 0 (RMS), 0 at the most"
  run 0 inspect model --verify
  prints "checksums match"
  local user
  for user in 0 1 2; do
    run 0 score model --user $user --items 0,1,2,3
    prints "\"scores\":[$(products $user "$BIAS")]"
  done
}

it_pools_histories_as_asked() {
  needs_device
  make_tables
  # Of items 0 and 1, (1, 2) and (3, -4), with item 2, (0.5, 0.25).
  run 0 learn --from-embeddings items.npy -o model --method full --precision f32
  run 0 score model --history 0,1 --items 2
  prints '"scores":[0.75]'
  run 0 learn --from-embeddings items.npy -o model --method full --precision f32 --pooling sum
  run 0 score model --history 0,1 --items 2
  prints '"scores":[1.5]'
  run 0 learn --from-embeddings items.npy -o model --method full --precision f32 --pooling normalised
  run 0 score model --history 3 --items 2
  prints '"scores":[-0.5]'
}

it_compresses_by_every_method() {
  many_items
  local method
  for method in lhf rq pq full modulo double frequency hybrid qr ce cce robe; do
    run 0 learn --from-embeddings many.npy -o model --method $method --rows 80 --mapping packed --threads 2
    prints "items: 600 embeddings of 16 values are off by"
    run 0 inspect model --verify
    prints "learned_from           embeddings"
    grep -q "^method  *$method$" out || fail "$(cat out)"
  done
  for method in lsh graphhash leiden baco hashemb qr-mul; do
    run 1 learn --from-embeddings many.npy -o other --method $method --rows 80
    says "$method"
    says "choose another method for embeddings, such as lhf, rq, pq or full"
  done
  [ ! -e other ] || fail "it wrote what it refused"
}

it_computes_rows_from_ids() {
  many_items
  run 0 learn --from-embeddings many.npy -o model --method qr --mapping computed --budget 5k
  [ "$(sed -n 's/.* needs \([0-9]*\) bytes.*/\1/p' out)" -le 5000 ] || fail "$(cat out)"
  run 0 inspect model --verify
  prints "quotient"
  run 1 learn --from-embeddings many.npy -o other --mapping computed --budget 5k
  says "the rows of lhf cannot be computed from ids"
  run 1 learn --from-embeddings many.npy --user-embeddings many.npy -o other --method hash --user-method hash --mapping computed
  says "a computed mapping is of items alone"
}

it_loses_little_of_what_is_alike() {
  many_items
  run 0 learn --from-embeddings many.npy -o model --rows 160 --precision f32
  [ "$(sed -n 's/^items:.*: \([0-9]*\).* %$/\1/p' out)" -lt 10 ] || fail "$(cat out)"
}

it_gives_the_same_file_for_the_same_seed() {
  many_items
  local name
  for name in first second; do
    run 0 learn --from-embeddings many.npy -o $name --method rq --lookups 2 --rows 50 --threads 2 --seed 7
  done
  same_file first second
}

it_keeps_to_a_budget() {
  many_items
  run 0 learn --from-embeddings many.npy -o model --budget 4k
  [ "$(sed -n 's/.* needs \([0-9]*\) bytes.*/\1/p' out)" -le 4000 ] || fail "$(cat out)"
  [ "$(sed -n 's/.* needs \([0-9]*\) bytes.*/\1/p' out)" -gt 3900 ] || fail "$(cat out)"
  run 0 learn --from-embeddings many.npy -o model --budget 5% --method rq --lookups 2 --mapping packed
  run 1 learn --from-embeddings many.npy -o model --budget 200
  says "a budget of 200 bytes is too small for lhf"
  run 2 learn --from-embeddings many.npy -o model --budget 5% --rows 20
  says "leave --rows and --user-rows out"
}

it_takes_frequencies_and_tensors() {
  many_items
  floats $(seq 600 -1 1) | npy frequencies.npy "<f4" "(600,)"
  run 0 learn --from-embeddings many.npy --frequencies frequencies.npy -o model --signals frequency --private 0.25
  # shellcheck disable=SC2086
  floats $ITEMS $BIAS | safetensors tables.safetensors '{"item.weight":{"dtype":"F32","shape":[4,2],"data_offsets":[0,32]},
"item.bias":{"dtype":"F32","shape":[4],"data_offsets":[32,48]}}'
  run 0 learn --from-embeddings tables.safetensors --bias tables.safetensors:item.bias -o model --method full
  prints "items: 4 embeddings of 2 values"
  run 0 learn --from-embeddings tables.safetensors:item.weight --bias tables.safetensors -o model --scalar-bits 2 \
    --method full
  run 1 learn --from-embeddings tables.safetensors:weight -o model
  says "the file has no tensor weight"
  run 1 learn --from-embeddings tables.safetensors --bias bias:item -o model
  says "cannot open bias:item"
}

it_refuses_files_that_are_wrong() {
  make_tables
  floats 1 2 3 inf | npy bad.npy "<f4" "(2, 2)"
  run 1 learn --from-embeddings bad.npy -o model
  says "bad.npy: row 1, column 1 is inf; values must be finite"
  head -c 100 items.npy >cut.npy
  run 1 learn --from-embeddings cut.npy -o model
  says "cut.npy is truncated"
  floats 1 2 3 4 | ORDER=True npy fortran.npy "<f4" "(2, 2)"
  run 1 learn --from-embeddings fortran.npy -o model
  says "fortran.npy is in Fortran order"
  run 1 learn --from-embeddings bias.npy -o model
  says "bias.npy has 1 dimensions; give a table of two dimensions"
  run 1 learn --from-embeddings items.npy --bias bias.npy --user-embeddings nowhere -o model
  says "cannot open nowhere"
  floats 1 2 3 | npy wide.npy "<f4" "(1, 3)"
  run 1 learn --from-embeddings items.npy --user-embeddings wide.npy -o model
  says "give tables of one width"
  floats 1 2 3 | npy three.npy "<f4" "(3,)"
  run 1 learn --from-embeddings items.npy --frequencies three.npy -o model
  says "3 values for 4 items"
  floats 1 2 -3 4 | npy negative.npy "<f4" "(4,)"
  run 1 learn --from-embeddings items.npy --frequencies negative.npy -o model
  says "the frequency of item 2 is -3"
  printf 'PK\3\4' >tables.npz
  run 1 learn --from-embeddings tables.npz -o model
  says "is an archive"
  echo "1 2" >text
  run 1 learn --from-embeddings text -o model
  says "text: no .npy file"
  run 1 learn --from-embeddings items.npy -o nowhere/model
  says "cannot write beside nowhere/model"
  [ ! -e model ] || fail "a model was written"
}

it_leaves_the_tables_that_it_reads() {
  # shellcheck disable=SC2086
  floats $ITEMS | safetensors tables.safetensors '{"item.weight":{"dtype":"F32","shape":[4,2],"data_offsets":[0,32]}}'
  cp tables.safetensors before
  run 1 learn --from-embeddings tables.safetensors:item.weight -o tables.safetensors --method full
  says "would take the place of"
  same_file before tables.safetensors
}

it_refuses_what_needs_a_log() {
  make_tables
  small_log log
  local option
  for option in "--dim 8" "--users row" "--val log" "--hold-out 0.1" "--checkpoint folder" "--histories none" \
    "--epochs 3" "--teacher-epochs 3" "--user-epochs 3" "--patience 3" "--temperature 0.2" "--layout pairs" \
    "--teacher-dim 4" "--l2 0.1"; do
    # shellcheck disable=SC2086
    run 2 learn --from-embeddings items.npy -o model $option
    says "${option% *}"
    says "not for embeddings, which are learned from without a log"
  done
  run 2 learn log --from-embeddings items.npy -o model
  says "choose one of both"
  run 2 learn log -o model --bias bias.npy
  says "--bias goes with --from-embeddings"
  run 2 learn --from-embeddings items.npy -o model --user-rows 3
  says "--user-rows goes with --user-embeddings"
  run 1 learn --from-embeddings items.npy -o model --scalar-bits 4
  says "there are no biases"
  [ ! -e model ] || fail "a model was written"
}

run_tests
