#!/usr/bin/env bash
# Logs that cannot be learned from, disks that cannot be written to, and learning that is cut short.
. "$(dirname "$0")/lib.sh"

it_names_the_line_that_is_wrong() {
  printf '1 2\n3 4\noops\n' >log
  run 1 learn log -o model
  says "log:3: "
  printf 'user,item\n1,2\n3\n' >log.csv
  run 1 learn log.csv -o model
  says "log.csv:3: "
  [ ! -e model ] || fail "a model was written"
}

it_refuses_options_that_it_would_not_look_at() {
  small_log log
  run 2 learn log -o model --l2 0.1
  says "--l2 goes with --label, --item and --features"
  run 2 learn log -o model --user-rows 30
  says "--user-rows goes with --users row or --users both"
  run 2 learn log -o model --budget 20k --hold-out 0.1 --precision i4
  says "--precision is what --budget chooses"
}

it_refuses_held_out_interactions_that_it_learns_from() {
  small_log log
  run 1 learn log -o model --val log
  says "log holds nothing that the log does not hold"
  head -n 3600 log >train
  tail -n 800 log >val
  quick_model train model --val val
  says "of its interactions are in the log as well: they count as missed"
}

it_keeps_who_may_read_a_model() {
  small_log log
  quick_model log model
  chmod 600 model
  run 0 convert model -o model --precision i4
  [ "$(stat -c %a model)" = 600 ] || fail "$(stat -c %a model)"
}

it_refuses_logs_with_nothing_to_learn() {
  : >empty
  run 1 learn empty -o model
  says "empty holds no interactions; give a log with a user and an item on each line"
  run 1 learn nowhere -o model
  says "cannot open nowhere: No such file or directory"
  printf '1 2\n3 2\n4 2\n' >one_item
  run 1 learn one_item -o model
  says "nothing to learn from: no user of the log has two items or more"
  run 1 learn . -o model
  [ ! -e model ] || fail "a model was written"
}

it_learns_from_one_user() {
  printf '1 2\n1 3\n1 4\n' >one_user
  run 0 learn one_user -o model --teacher-epochs 2 --epochs 2
  run 0 inspect model --verify
}

it_tells_at_once_that_it_cannot_write() {
  small_log log
  run 1 learn log -o nowhere/model
  says "cannot write beside nowhere/model"
  says "its folder must be there and writable"
  grep -q "interactions of" err && fail "it read the log first"
  [ "$(id -u)" != 0 ] || return 0 # root may write anywhere
  mkdir sealed && chmod a-w sealed
  run 1 learn log -o sealed/model
  says "Permission denied"
}

# learn_limited LOG MODEL: with room for files of 8 KiB only.
learn_limited() {
  (
    trap '' XFSZ
    ulimit -f 8
    exec "$PROGRAM" learn "$1" -o "$2" --rows 100 --teacher-epochs 2 --epochs 2
  ) >out 2>err
}

it_leaves_the_old_model_when_the_disk_is_full() {
  small_log log
  quick_model log model
  cp model old
  learn_limited log model && fail "it claims to have written what does not fit"
  says "File too large"
  same_file model old
  [ "$(ls)" = "$(printf 'err\nlog\nmodel\nold\nout')" ] || fail "something was left behind: $(ls)"
}

it_leaves_the_old_model_when_it_is_killed() {
  small_log log
  quick_model log model
  cp model old
  for signal in KILL INT TERM; do
    (timeout -s $signal 0.4 "$PROGRAM" learn log -o model --teacher-epochs 10000) >out 2>err && fail "not killed"
    same_file model old
  done
}

# Killed at any moment, while it writes too, the file is the old model or the new one.
it_never_shows_half_a_model() {
  small_log log
  quick_model log model
  for delay in 0.005 0.01 0.015 0.02 0.025 0.03 0.035 0.04 0.05 0.06 0.08 0.1; do
    (timeout -s KILL $delay "$PROGRAM" learn log -o model --rows 40 --dim 16 --teacher-epochs 1 --epochs 1) \
      >/dev/null 2>&1
    run 0 inspect model --verify
    prints "verified"
  done
}

it_stores_rows_and_mapping_as_asked() {
  small_log log
  local precision mapping
  for precision in f32 f16 i8 i8-line i4 i3 i2; do
    for mapping in stored packed; do
      quick_model log model --precision "$precision" --mapping "$mapping"
      run 0 inspect model --verify
      prints "checksums match"
    done
  done
  run 1 learn log -o odd --dim 15 --precision i4
  says "i4 rows are whole bytes, and so of a multiple of 2 values, not of 15"
  [ ! -e odd ] || fail "a model was written"
}

it_says_which_mappings_can_be_computed() {
  small_log log
  run 1 learn log -o model --method frequency --mapping computed
  says "store or pack its mapping, or choose one of modulo, hash"
  run 1 learn log -o model --method hash --users row --mapping computed
  says "a computed mapping is of items alone"
  [ ! -e model ] || fail "a model was written"
  quick_model log model --method hash --mapping auto
  run 0 inspect model --verify
  prints "hashed"
}

it_gives_the_same_model_for_the_same_seed() {
  small_log log
  quick_model log first --seed 7
  quick_model log second --seed 7
  same_file first second
  quick_model log first --seed 7 --precision i4 --mapping packed
  quick_model log second --seed 7 --precision i4 --mapping packed
  same_file first second
  quick_model log other --seed 8
  cmp -s first other && fail "the seed changes nothing"
  return 0
}

it_gives_the_same_model_from_files() {
  small_log log
  mkdir spill
  quick_model log in_memory --hold-out 0.1
  quick_model log from_files --hold-out 0.1 --spill spill
  same_file in_memory from_files
  quick_model log in_memory --method leiden --users row
  quick_model log from_files --method leiden --users row --spill spill
  same_file in_memory from_files
  rmdir spill || fail "something was left behind: $(ls spill)"
}

it_says_that_there_is_no_room_to_spill_to() {
  small_log log
  run 1 learn log -o model --spill nowhere
  says "cannot make a file to spill to in nowhere; it must be a folder that is there and writable: No such file"
  mkdir spill
  (
    trap '' XFSZ
    ulimit -f 16
    exec "$PROGRAM" learn log -o model --spill spill
  ) >out 2>err && fail "it claims to have had room"
  says "spill has no room for the interactions"
  says "File too large"
  rmdir spill || fail "something was left behind: $(ls spill)"
  [ ! -e model ] || fail "a model was written"
}

it_leaves_no_spilled_files_when_it_is_killed() {
  small_log log
  mkdir spill
  (timeout -s KILL 0.5 "$PROGRAM" learn log -o model --teacher-epochs 10000 --spill spill) >out 2>err && fail "not killed"
  grep -q "interactions of" err || fail "killed too soon: $(cat err)"
  rmdir spill || fail "something was left behind: $(ls spill)"
}

it_reads_plain_gz_zst_and_standard_input_alike() {
  small_log log
  quick_model log plain
  gzip -k log
  quick_model log.gz from_gz
  same_file plain from_gz
  quick_model - from_stdin <log
  same_file plain from_stdin
  quick_model - from_stdin_gz <log.gz
  same_file plain from_stdin_gz
  if ! command -v zstd >/dev/null; then
    echo "there is no zstd here to write .zst with"
    exit 77
  fi
  zstd -q log
  quick_model log.zst from_zst
  same_file plain from_zst
}

it_says_where_compressed_input_breaks_off() {
  small_log log
  gzip -k log
  head -c 2000 log.gz >cut.gz
  run 1 learn cut.gz -o model
  says "cut.gz"
  [ ! -e model ] || fail "a model was written"
}

it_makes_up_the_same_log_for_the_same_seed() {
  small_log first --seed 3
  small_log second --seed 3
  same_file first second
  "$PROGRAM" synth --users 200 --items 150 -n 4000 --clusters 10 --seed 3 >third
  same_file first third
  small_log other --seed 4
  cmp -s first other && fail "the seed changes nothing"
  [ "$(wc -l <first)" = 4000 ] || fail "$(wc -l <first) lines"
  [ "$(sort -u first | wc -l)" = 4000 ] || fail "pairs occur twice"
  run 1 synth --users 10 --items 10 -n 101
}

run_tests
