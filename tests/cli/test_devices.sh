#!/usr/bin/env bash
# Devices: what there is, and what is said where there is none.
. "$(dirname "$0")/lib.sh"

it_lists_devices_with_their_launch_latency() {
  needs_device
  run 0 devices
  grep -qE '^0  ' out || fail "$(cat out)"
  prints "platform"
  prints "constant memory"
  grep -qE 'engines +(call, )?(direct, )?queued' out || fail "$(cat out)"
  grep -qE 'launch to result  (direct|queued) engine: [0-9.]+ us p50, [0-9.]+ us p99' out || fail "$(cat out)"
}

it_says_what_to_do_without_a_device() {
  small_log log
  quick_model log model
  export OCL_ICD_VENDORS=/nonexistent
  for command in "devices" "score model --user 1 --items 1" "topk model --user 1" "eval model --test log" \
    "serve model --listen 127.0.0.1:0"; do
    # shellcheck disable=SC2086
    run 1 $command
    says "no OpenCL device found; install a driver"
  done
}

it_names_the_choice_that_matches_nothing() {
  needs_device
  small_log log
  quick_model log model
  run 1 score model --user 1 --items 1 --device nosuch
  says '"nosuch"'
  says "collide devices"
  run 1 score model --user 1 --items 1 --device 99
  says '99'
  run 2 score model --user 1 --items 1 --engine warp
  says "is not one of auto|call|direct|queued|ring"
}

# alike OPTION...: scores and best items are those without the options.
alike() {
  run 0 score model --user 1 --items 1,2,3,4,5 "$@"
  same_file out scores
  run 0 topk model --user 1 -k 5 "$@"
  same_file out best
}

make_answers() {
  small_log log
  quick_model log model
  run 0 score model --user 1 --items 1,2,3,4,5
  mv out scores
  run 0 topk model --user 1 -k 5
  mv out best
}

it_scores_alike_through_every_engine_that_it_lists() {
  needs_device
  make_answers
  run 0 devices
  local engine
  for engine in $(sed -n '/^0/,/^1/s/^ *engines *//p' out | tr -d ,); do
    alike --device 0 --engine "$engine"
  done
}

it_scores_alike_wherever_its_tables_are() {
  needs_device
  make_answers
  alike --tables in-place
  alike --tables copied
  alike --max-bank 2000
}

it_scores_alike_on_several_devices() {
  needs_device
  make_answers
  run 0 devices
  grep -q "^1  " out || { echo "skipped: there is one device" && exit 77; }
  alike --device 0,1
  run 0 topk model --user 1 -k 5 --device 0,1 --shard # sums in another order: the last digits may differ
  [ "$(sed 's/,"scores.*//' out)" = "$(sed 's/,"scores.*//' best)" ] || fail "$(cat out best)"
  run 1 score model --user 1 --items 1 --device 0,nosuch
  says '"nosuch"'
}

run_tests
