#!/usr/bin/env bash
# Models in other shapes: what is written, what scoring makes of it, and what is refused.
. "$(dirname "$0")/lib.sh"

FORMS="f32 f16 i8 i8-line i4 i3 i2"

make_model() {
  small_log log
  quick_model log model --precision f32 --temperature 0.2
}

# report WORDS COLUMN: a figure of what the last conversion printed.
report() {
  grep "^$1 " out | awk -v column="$2" '{ print $(NF - 2 + column) }'
}

it_converts_to_every_precision_and_mapping() {
  make_model
  local form mapping
  for form in $FORMS; do
    for mapping in stored packed; do
      run 0 convert model -o "$form.$mapping" --precision "$form" --mapping "$mapping"
      run 0 inspect "$form.$mapping" --verify
      prints "checksums match"
    done
  done
  [ "$(stat -c %s i4.packed)" -lt "$(stat -c %s model)" ] || fail "it has not become smaller"
}

it_says_what_a_shape_costs_and_brings() {
  make_model
  run 0 convert model -o line --precision i8-line
  [ "$(report "lookups an id" 1) $(report "lookups an id" 2)" = "1 1" ] || fail "$(cat out)"
  [ "$(report "rows" 1) $(report "rows" 2)" = "41 41" ] || fail "$(cat out)"
  [ "$(report "bytes of rows" 1)" = $((41 * 16 * 4)) ] || fail "$(cat out)"
  [ "$(report "bytes of rows" 2)" = $((41 * 16 + 16 * 4)) ] || fail "$(cat out)"
  prints "embeddings are off by"
  run 0 convert line -o packed --mapping packed
  prints "embeddings are off by 0 (RMS), 0 at the most"
}

it_keeps_the_provenance_and_adds_to_it() {
  make_model
  run 0 convert model -o once --precision i8
  run 0 convert once -o twice --mapping packed
  run 0 inspect twice
  prints "rows from f32 to i8; mapping from stored to packed"
  grep -q "^method  *lhf" out || fail "$(cat out)"
}

it_gives_the_same_file_each_time_and_goes_back() {
  make_model
  run 0 convert model -o first --precision i4 --mapping packed
  run 0 convert model -o second --precision i4 --mapping packed
  same_file first second
  run 0 convert model -o packed --mapping packed
  run 0 convert packed -o stored --mapping stored
  run 0 inspect model
  grep '^item\.' out >before
  run 0 inspect stored
  grep '^item\.' out >after
  same_file before after
}

it_may_replace_the_model_itself() {
  make_model
  run 0 convert model -o other --precision f16
  run 0 convert model -o model --precision f16
  same_file model other
  [ "$(ls)" = "$(printf 'err\nlog\nmodel\nother\nout')" ] || fail "something was left behind: $(ls)"
}

it_merges_lookups() {
  two_lookups model
  run 0 convert model -o merged --merge 24
  [ "$(report "lookups an id" 1) $(report "lookups an id" 2)" = "2 1" ] || fail "$(cat out)"
  [ "$(report "rows" 1) $(report "rows" 2)" = "4 3" ] || fail "$(cat out)"
  prints "embeddings are off by 0 (RMS), 0 at the most"
  run 0 inspect merged --verify
  prints "lookups from 2 to 1"
  run 1 convert model -o refused --merge 23
  says "merged, the model has 3 rows of 24 bytes with their scales, more than the 23 allowed"
  run 1 convert merged -o refused --merge 1000
  says "lookups are merged by twos, and the model has 1 an id"
  [ ! -e refused ] || fail "it wrote what it refused"
}

# scores MODEL: of all items for a history of one.
scores() {
  run 0 score "$1" --history "$2" --items "$(seq -s, 0 "$3")"
  sed 's/.*"scores":\[\([^]]*\)\].*/\1/; s/,/\n/g' out
}

# Rows are 1 long and off by e at most. The bag of one item is its row, normalised: off by 2 e; a score is 5 (the
# temperature is 0.2) times its product with a row off by e: 5 (2 e + (1 + 2 e) e).
it_scores_nearly_alike_in_every_shape() {
  needs_device
  make_model
  scores model 7 149 >wanted
  local form mapping
  for form in $FORMS; do
    for mapping in stored packed; do
      run 0 convert model -o converted --precision "$form" --mapping "$mapping"
      error=$(sed -n 's/.*(RMS), \(.*\) at the most.*/\1/p' out)
      scores converted 7 149 >got
      paste wanted got | awk -v e="$error" '
        { d = $1 > $2 ? $1 - $2 : $2 - $1; if (d > 5.05 * (2 * e + (1 + 2 * e) * e) + 1e-4) exit 1; n++ }
        END { if (n != 150) exit 1 }' || fail "$form, $mapping: $(paste wanted got)"
    done
  done
}

it_scores_merged_lookups_alike() {
  needs_device
  two_lookups model
  scores model 0 2 >wanted
  [ "$(tr '\n' ' ' <wanted)" = "605 1331 605 " ] || fail "$(cat wanted)"
  run 0 convert model -o merged --merge 1000
  scores merged 0 2 >got
  same_file wanted got
}

it_refuses_what_makes_no_sense() {
  make_model
  run 2 convert model
  says "-o OUT is missing"
  run 2 convert model -o other
  says "nothing to convert"
  run 2 convert model -o other --precision i5
  run 2 convert model -o other --mapping hashed
  run 2 convert model -o other --merge 0
  run 2 convert -o other --precision i8
  run 1 convert nowhere -o other --precision i8
  says "nowhere"
  run 1 convert log -o other --precision i8
  says "log"
  run 1 convert model -o nowhere/other --precision i8
  says "cannot write beside nowhere/other"
  run 0 learn log -o odd --rows 40 --dim 5 --teacher-epochs 1 --epochs 1
  run 1 convert odd -o other --precision i4
  says "odd: i4 rows are whole bytes, and so of a multiple of 2 values, not of 5"
  run 1 convert odd -o other --precision i3
  says "odd: i3 rows are whole bytes, and so of a multiple of 8 values, not of 5"
  [ ! -e other ] || fail "it wrote what it refused"
}

run_tests
