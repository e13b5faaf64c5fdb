#!/usr/bin/env bash
# What inspect shows, and what it finds.
. "$(dirname "$0")/lib.sh"

it_shows_what_a_model_holds() {
  small_log log
  quick_model log model --precision f16
  run 0 inspect model
  prints "x 16 f16"
  prints "item.rows"
  prints "user.history"
  grep -q verified out && fail "it says verified without being asked to verify"
  run 0 inspect model --verify
  prints "checksums match"
}

# Each byte of the tensors counts.
it_finds_damage() {
  small_log log
  quick_model log model
  local size offset old
  size=$(stat -c %s model)
  for offset in 8192 $((size / 2)) $((size - 1)); do
    cp model damaged
    old=$(od -An -tu1 -j "$offset" -N 1 model)
    printf "\\x$(printf %02x $((old ^ 1)))" | dd of=damaged bs=1 seek="$offset" conv=notrunc status=none
    cmp -s model damaged && fail "nothing was damaged"
    run 1 inspect damaged --verify
    says "damaged"
  done
}

it_refuses_what_is_no_model() {
  small_log log
  quick_model log model
  run 1 inspect nowhere
  says "nowhere"
  run 1 inspect log
  says "log"
  : >empty
  run 1 inspect empty
  says "empty"
  head -c 3000 model >cut
  run 1 inspect cut
  says "cut"
  { cat model && printf 'more'; } >longer
  run 1 inspect longer
  says "longer"
}

run_tests
