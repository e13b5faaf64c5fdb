#!/usr/bin/env bash
# The best model under each of several budgets.
. "$(dirname "$0")/lib.sh"
needs_device

make_split() {
  run 0 synth --users 500 --items 250 -n 8000 --clusters 20 --zipf 1.1 --taste 0.9 --seed 5 -o log
  awk '{ print > (NR % 10 == 0 ? "test" : NR % 10 == 1 ? "val" : "train") }' log
}

TRAINING="--dim 16 --teacher-epochs 5 --epochs 3 --threads 1"

it_writes_a_table_and_a_plot() {
  make_split
  run 0 pareto train --val val --test test --mask val --budgets 5000,20%,4k -o front $TRAINING
  # 750 rows of 16 floats are 48,000 bytes.
  [ "$(cut -d, -f1 front.csv | tr '\n' ' ')" = "budget 4000 5000 9600 " ] || fail "$(cat front.csv)"
  awk -F, 'NR > 1 && !($2 <= $1 && $2 > 0 && $3 > 99.99 * $2 / 48000 && $3 < 100.01 * $2 / 48000 &&
    $9 > 0.1 && $9 < 1 && $11 > $9 && $12 > 0) { exit 1 }' front.csv || fail "$(cat front.csv)"
  awk -F, 'NR > 1 { b[NR] = $2; r[NR] = $9; f[NR] = $13 }
    END { for (i = 2; i <= NR; i++) { best = 1; for (j = 2; j <= NR; j++) if (b[j] <= b[i] && r[j] > r[i]) best = 0
      if (best != f[i]) exit 1 } }' front.csv || fail "$(cat front.csv)"
  grep -qE '^ +4000 +[0-9]+ +[0-9.]+[* ] ' out || fail "$(cat out)"
  grep -q '<svg xmlns="http://www.w3.org/2000/svg"' front.svg || fail "$(head -c 300 front.svg)"
  [ "$(grep -c '<polyline' front.svg)" = 3 ] || fail "$(cat front.svg)"
  [ "$(grep -o '<circle' front.svg | wc -l)" = 9 ] || fail "$(cat front.svg)"
  [ -z "$(ls | grep -v -e '^front\.' -e '^log$' -e '^train$' -e '^val$' -e '^test$' -e '^out$' -e '^err$')" ] ||
    fail "left behind: $(ls)"
}

it_finds_what_learn_finds_under_a_budget() {
  make_split
  run 0 pareto train --val val --test test --mask val --budgets 4000 $TRAINING
  cp out table
  [ ! -e front.csv ] || fail "files were not asked for"
  run 0 learn train -o model --val val --budget 4000 $TRAINING
  run 0 eval model --test test --mask val --history train -k 10
  local recall
  recall=$(awk '$1 == 10 { print $2 }' out)
  [ -n "$recall" ] || fail "$(cat out)"
  grep -qF " $recall " table || fail "learn and eval find $recall: $(cat table)"
}

it_leaves_what_it_reads() {
  make_split
  mv train name.csv
  cp name.csv before
  run 1 pareto name.csv --val val --test test --budgets 4000 $TRAINING -o name
  says "name.csv would take the place of name.csv, which is read"
  same_file before name.csv
}

it_knows_the_full_table_without_being_told_the_dimension() {
  make_split
  run 0 pareto train --val val --test test --budgets 12000 --teacher-epochs 1 --epochs 1 --threads 1
  grep -q inf out && fail "$(cat out)"
  prints "% full"
}

it_refuses_what_it_cannot_do() {
  make_split
  run 2 pareto train --test test --budgets 1%
  says "--val FILE is missing"
  run 2 pareto train --val val --budgets 1%
  says "--test FILE is missing"
  run 2 pareto train --val val --test test
  says "--budgets is missing"
  run 1 pareto train --val val --test test --budgets 10%,much
  says "a budget of much is no size"
  run 1 pareto train --val val --test test --budgets 10%,
  says "is no size"
  run 1 pareto train --val val --test test --budgets 10%,50 $TRAINING
  says "a budget of 50 bytes is too small: the smallest model of this log takes"
  run 1 pareto train --val val --test test --budgets 10% -o nowhere/front
  says "cannot write beside nowhere/front.csv"
  [ ! -e front.csv ] || fail "something was written"
}

run_tests
