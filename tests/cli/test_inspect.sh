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

# column NAME FIELD...: of the plan's line for a table, fields counted from the end, 1 being the last.
column() {
  grep "^$1  " out | awk -v which="$2" '{ print $(NF + 1 - which) }'
}

it_plans_where_tables_would_be() {
  needs_device
  small_log log
  quick_model log model # 16 values a row, i8 with a scale each: 16 and 4 bytes
  run 0 inspect model --plan
  prints "plan on"
  grep -q "^the row table  *[0-9]*  *1  " out || fail "$(cat out)"
  [ "$(column "the mapping" 1) $(column "the row table" 1) $(column "the row scales" 1)" = "1.00 1.00 1.00" ] ||
    fail "$(cat out)"
  [ "$(column "the weights" 2) $(column "the weights" 1)" = "1.00 -" ] || fail "$(cat out)"
  [ "$(column "the biases" 2) $(column "the biases" 1)" = "- 1.00" ] || fail "$(cat out)"
  [ "$(column together 2) $(column together 1)" = "4.00 4.00" ] || fail "$(cat out)"
  grep -q merged out && fail "one lookup an id cannot be merged: $(cat out)"
  run 0 inspect model --plan --tables copied --max-bank 2000
  prints "tables copied"
  grep -qE "^the histories  +[0-9]+ +(8|16)  " out || fail "$(cat out)"
  grep -q "in place" out && fail "copied, yet in place: $(cat out)"
  run 1 inspect model --plan --max-bank 8
  says "more than 16 banks of at most 8 bytes hold"
  run 1 inspect model --plan --device nosuch
  says '"nosuch"'
  run 2 inspect model --plan --tables warp
  says "is not one of auto|in-place|copied"
  run 2 inspect model --channels 4
  says "go with --plan"
}

# channels_of NAME: of the plan's line for a table, the field behind bytes and banks.
channels_of() {
  sed -n "s/^$1  *[0-9][0-9]*  *[0-9][0-9]*  *\(all\|[0-9]* to [0-9]*\|[0-9]*\)  .*/\1/p" out
}

# Banks take the channels in turn. The histories, the eighth table, have 16 of 1024 bytes.
it_plans_memory_channels() {
  needs_device
  small_log log
  quick_model log model
  run 0 inspect model --plan
  grep -q channels out && fail "one channel needs no column: $(cat out)"
  run 0 inspect model --plan --channels 3 --max-bank 2000
  [ "$(channels_of "the sizes") $(channels_of "the mapping") $(channels_of "the row table")" = "0 1 2" ] ||
    fail "$(cat out)"
  [ "$(channels_of "the histories")" = all ] || fail "$(cat out)"
  run 0 inspect model --plan --channels 32 --max-bank 2000
  [ "$(channels_of "the histories")" = "7 to 22" ] || fail "$(cat out)"
}

# Of 41 rows the first of two devices has 20, the second one 21.
it_plans_for_each_device() {
  needs_device
  [ "$("$PROGRAM" devices | grep -c "^[0-9]")" -gt 1 ] || return 0
  small_log log
  quick_model log model
  run 0 inspect model --plan --device 0,1
  [ "$(grep -c "^plan on" out)" = 2 ] || fail "$(cat out)"
  [ "$(grep "^the row table" out | awk '{ print $4 }' | tr '\n' ' ')" = "656 656 " ] || fail "$(cat out)"
  run 0 inspect model --plan --device 0,1 --shard
  prints "rows 0 to 19 of 41"
  prints "rows 20 to 40 of 41"
  [ "$(grep "^the row table" out | awk '{ print $4 }' | tr '\n' ' ')" = "320 336 " ] || fail "$(cat out)"
  run 1 inspect model --plan --shard
  says "several devices"
  run 1 inspect model --plan --device 0,0
  says "twice"
}

# An f32 row of 2 values is 8 bytes. Two lookups an id are two rows of 4, merged three of one.
it_says_what_merging_lookups_would_change() {
  needs_device
  two_lookups model
  run 0 inspect model --plan
  [ "$(column "lookups an id" 2) $(column "lookups an id" 1)" = "2 1" ] || fail "$(cat out)"
  [ "$(column "64-byte lines an id" 2) $(column "64-byte lines an id" 1)" = "3.00 2.00" ] || fail "$(cat out)"
  [ "$(column "bytes of rows and scales" 2) $(column "bytes of rows and scales" 1)" = "32 24" ] || fail "$(cat out)"
  prints "collide convert --merge 24"
  run 0 convert model -o merged --merge 24
  run 0 inspect merged --plan
  [ "$(column together 2)" = 2.00 ] || fail "$(cat out)"
}

run_tests
