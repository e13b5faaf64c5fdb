#!/usr/bin/env bash
# Devices: what there is, and what is said where there is none.
. "$(dirname "$0")/lib.sh"

it_lists_devices_with_their_launch_latency() {
  needs_device
  run 0 devices
  grep -qE '^0  ' out || fail "$(cat out)"
  prints "platform"
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
  run 1 score model --user 1 --items 1 --engine warp
  says 'there is no engine "warp"; say auto, direct or queued'
}

it_scores_alike_through_either_engine() {
  needs_device
  small_log log
  quick_model log model
  run 0 score model --user 1 --items 1,2,3,4,5 --engine queued
  mv out queued
  run 0 score model --user 1 --items 1,2,3,4,5
  same_file out queued
}

run_tests
