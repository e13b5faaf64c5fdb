#!/usr/bin/env bash
# Device binaries: built once, served from without a compiler, refused where they do not fit.
. "$(dirname "$0")/lib.sh"
needs_device
NO_COMPILER=$2

# without_compiler COMMAND...: runs a command of this file on devices that compile nothing. A sanitizer wants to
# be loaded first unless told not to.
without_compiler() {
  LD_PRELOAD=$NO_COMPILER ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 "$@"
}

needs_preloading() {
  [ "$(without_compiler "$PROGRAM" devices 2>&1 | grep -c "compiler  *no")" != 0 ] && return
  echo "skipped: nothing can be preloaded into this program"
  exit 77
}

# flip FILE OFFSET: changes one byte.
flip() {
  local old
  old=$(od -An -tu1 -j "$2" -N 1 "$1")
  printf "\\x$(printf %02x $((old ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

make_model() {
  small_log log
  quick_model log model
}

# score MODEL [OPTION...]: into the file out.
score() {
  run 0 score "$1" --user 3 --items 1,2,3 "${@:2}"
}

refuses() {
  run 1 score model --user 3 --items 1,2,3 "$@"
}

it_scores_alike_from_a_device_binary() {
  make_model
  run 0 kernels build model -o kernels.bin
  prints "-DDIM=16"
  mv out built
  run 0 kernels show kernels.bin
  same_file built out
  grep -qE "^binary  *[1-9][0-9]* bytes$" out || fail "$(cat out)"
  score model
  mv out wanted
  score model --kernels kernels.bin
  same_file wanted out
  run 0 kernels build model -o direct.bin --engine direct
  score model --kernels direct.bin
  same_file wanted out
}

it_starts_a_ring_from_no_cache() {
  make_model
  score model
  mv out wanted
  POCL_CACHE_DIR=$PWD/pocl score model --engine ring --kernel-cache cache
  same_file wanted out
  POCL_CACHE_DIR=$PWD/pocl score model --engine ring --kernel-cache cache
  same_file wanted out
}

it_fills_the_cache_alone() {
  make_model
  run 0 kernels build model --kernel-cache cache
  [ ! -s out ] || fail "$(cat out)"
  [ "$(find cache -name '*.bin' | wc -l)" = 1 ] || fail "$(find cache)"
  start --kernel-cache cache
  ask GET /v1/model ""
  grep -q '"kernels":"cache"' response || fail "$(cat response)"
  stop TERM
}

it_serves_without_a_compiler() {
  needs_preloading
  make_model
  score model
  mv out wanted
  run 0 kernels build model -o kernels.bin
  without_compiler score model --kernels kernels.bin --kernel-cache ""
  same_file wanted out
  without_compiler start --kernels kernels.bin --kernel-cache ""
  ask POST /v1/score '{"user": 3, "items": [1, 2, 3]}'
  [ "$(tail -n 1 response)" = "$(cat wanted)" ] || fail "$(cat response wanted)"
  ask GET /v1/model ""
  grep -q '"kernels":"file"' response || fail "$(cat response)"
  stop TERM
}

it_says_what_to_do_without_a_compiler() {
  needs_preloading
  make_model
  without_compiler refuses --kernel-cache ""
  says "has no compiler; give it a device binary, which \`collide kernels build\` makes where there is one"
  without_compiler run 1 kernels build model -o kernels.bin --kernel-cache ""
  says "has no compiler"
  [ ! -e kernels.bin ] || fail "a device binary was written"
}

it_builds_for_one_device_only() {
  make_model
  run 1 kernels build model -o kernels.bin --device 0,1
  says 'for one device, not for all of "0,1"'
  [ ! -e kernels.bin ] || fail "a device binary was written"
}

it_serves_other_models_of_the_same_shape() {
  make_model
  run 0 kernels build model -o kernels.bin
  small_log other_log --seed 9
  quick_model other_log other
  score other --kernels kernels.bin
}

it_refuses_damage() {
  make_model
  run 0 kernels build model -o kernels.bin
  local size offset
  size=$(stat -c %s kernels.bin)
  for offset in 9 40 $((size / 2)) $((size - 1)); do
    cp kernels.bin damaged
    flip damaged "$offset"
    refuses --kernels damaged
    says "damaged is damaged: its checksum is not that of its bytes; build it anew with \`collide kernels build\`"
    run 1 kernels show damaged
    says "damaged is damaged"
  done
  head -c $((size / 2)) kernels.bin >cut
  refuses --kernels cut
  says "cut is cut short"
  refuses --kernels log
  says "log is no device binary of collide"
  refuses --kernels nowhere
  says "nowhere"
}

it_refuses_what_was_built_for_something_else() {
  make_model
  quick_model log wide --dim 24
  run 0 kernels build wide -o wide.bin
  refuses --kernels wide.bin
  says "wide.bin was built with -DDIM=24, -DDIM=16 is needed; build it anew with \`collide kernels build\`"
  run 0 kernels build model -o banks.bin --max-bank 2000 --tables copied
  score model --kernels banks.bin --max-bank 2000 --tables copied
  refuses --kernels banks.bin
  says "banks.bin was built with"
}

it_refuses_another_device_s() {
  make_model
  run 0 devices
  grep -q "^1  " out || { echo "skipped: one device is no other" && exit 77; }
  run 0 kernels build model -o first.bin --device 0
  refuses --kernels first.bin --device 1
  says "first.bin was built for the"
  score model --kernels first.bin --device 0
}

it_keeps_what_it_cannot_replace() {
  make_model
  echo mine >kernels.bin
  run 1 kernels build nowhere -o kernels.bin
  [ "$(cat kernels.bin)" = mine ] || fail "it was replaced"
  run 1 kernels build model -o nowhere/kernels.bin
  says "nowhere/kernels.bin"
}

run_tests
