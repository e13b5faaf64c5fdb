#!/usr/bin/env bash
# Learning that is cut short and goes on; what is held out of a log; ending early.
. "$(dirname "$0")/lib.sh"

# Learning that takes many times as long as starting the program does; one thread, so as to go well beside others.
LONG_RUN="--dim 16 --teacher-epochs 40 --epochs 30 --user-epochs 20 --threads 1"

# killed_often MODEL OPTION...: learns from ./log with a checkpoint, killed at random moments, ever later, until it is
# through; again, killed sooner, if it was through before it was killed once.
killed_often() {
  local model=$1 code kills=0 first=0.1
  shift
  while :; do
    code=0
    # shellcheck disable=SC2086
    timeout -s KILL "$(awk -v f=$first -v k=$kills -v r=$RANDOM 'BEGIN { print f / 5 + (f + 0.05 * k) * r / 32768 }')" \
      "$PROGRAM" learn log -o "$model" $LONG_RUN --checkpoint kept "$@" >out 2>err || code=$?
    case $code in
    0)
      [ $kills = 0 ] || return
      first=$(awk -v f=$first 'BEGIN { print f / 2 }')
      ;;
    137) kills=$((kills + 1)) ;;
    *) fail "exit code $code: $(cat err)" ;;
    esac
    [ $kills -lt 1000 ] || fail "it never comes to an end"
  done
}

# goes_on OPTION...: killed or not, the model is the same, and no checkpoint is left.
goes_on() {
  # shellcheck disable=SC2086
  run 0 learn log -o whole $LONG_RUN "$@"
  killed_often model "$@" 2>/dev/null
  same_file whole model
  [ -z "$(ls kept)" ] || fail "left behind: $(ls kept)"
}

it_goes_on_to_the_same_model_wherever_it_is_killed() {
  small_log log
  goes_on
  goes_on --users both --user-rows 50
  goes_on --rows 40 --method qr --mapping computed
  goes_on --method hashemb --users row --user-method hash --user-rows 50
  goes_on --method rq --rows 64 --precision i4 --users row --user-method rq --user-rows 64
}

it_goes_on_with_what_is_held_out() {
  small_log log
  goes_on --hold-out 0.2 --patience 2
  head -n 3000 log >train && tail -n 1000 log >val && mv train log
  goes_on --val val
}

it_goes_on_with_a_budgets_choice() {
  small_log log
  goes_on --hold-out 0.2 --budget 30%
}

it_goes_on_after_the_last_epoch_too() {
  small_log log
  quick_model log whole
  mkdir model
  # Nowhere to write to once it has learned: it is found out at the start.
  run 1 learn log -o model --checkpoint kept
  rmdir model
  quick_model log model --checkpoint kept
  same_file whole model
  quick_model log model --checkpoint kept
  same_file whole model
}

# begun OPTION...: leaves a checkpoint in ./kept.
begun() {
  # shellcheck disable=SC2086
  "$PROGRAM" learn log -o model $LONG_RUN --teacher-epochs 10000 --checkpoint kept "$@" >out 2>err &
  local pid=$!
  until [ -e kept/checkpoint ] && [ "$(wc -c <kept/checkpoint)" -gt 10000 ]; do
    kill -0 $pid 2>/dev/null || fail "it ended: $(cat err)"
    sleep 0.02
  done
  [ -z "${1:-}" ] || shift
  LEARNING=$pid
}

killed() {
  kill -KILL $LEARNING
  wait $LEARNING 2>/dev/null
  return 0
}

it_refuses_another_runs_checkpoint() {
  small_log log
  begun
  # shellcheck disable=SC2086
  run 1 learn log -o other $LONG_RUN --teacher-epochs 10000 --checkpoint kept
  says "another process keeps its checkpoint in kept"
  killed 2>/dev/null
  cp kept/checkpoint before
  # shellcheck disable=SC2086
  run 1 learn log -o model $LONG_RUN --teacher-epochs 10000 --rows 41 --checkpoint kept
  says "kept/checkpoint is of another run: \"items: method lhf, rows 19"
  says "not \"items: method lhf, rows 41"
  says "remove it to start over"
  # shellcheck disable=SC2086
  run 1 learn log -o model $LONG_RUN --teacher-epochs 10000 --seed 2 --checkpoint kept
  says "\"seed 1\", not \"seed 2\" as now"
  echo "0 149" >>log && echo "1 148" >>log && echo "7 147" >>log && echo "9 146" >>log
  # shellcheck disable=SC2086
  run 1 learn log -o model $LONG_RUN --teacher-epochs 10000 --checkpoint kept
  says "of the log"
  same_file before kept/checkpoint
  [ ! -e model ] || fail "a model was written"
}

it_refuses_a_damaged_checkpoint() {
  small_log log
  begun
  killed 2>/dev/null
  head -c 9000 kept/checkpoint >cut && mv cut kept/checkpoint
  # shellcheck disable=SC2086
  run 1 learn log -o model $LONG_RUN --teacher-epochs 10000 --checkpoint kept
  says "kept/checkpoint is damaged; remove it to start over"
  rm kept/checkpoint
  quick_model log model --checkpoint kept
}

it_tells_at_once_that_it_cannot_keep_a_checkpoint() {
  small_log log
  : >file
  run 1 learn log -o model --checkpoint file
  says "cannot open the folder file for checkpoints: Not a directory"
  run 1 learn log -o model --checkpoint nowhere/kept
  says "cannot make the folder nowhere/kept for checkpoints"
  grep -q "teacher" err && fail "it trained first"
  [ ! -e model ] || fail "a model was written"
}

# With room for files of 8 KiB: the model fits, the checkpoint does not.
it_goes_on_without_when_the_disk_is_full() {
  small_log log
  local options="--rows 4 --dim 8 --teacher-epochs 3 --epochs 3 --threads 1 --histories none --mapping packed"
  # shellcheck disable=SC2086
  run 0 learn log -o whole $options
  (
    trap '' XFSZ
    ulimit -f 8
    # shellcheck disable=SC2086
    exec "$PROGRAM" learn log -o model $options --checkpoint kept
  ) >out 2>err || fail "it ends: $(cat err)"
  says "no checkpoint: cannot write kept/checkpoint: File too large; learning goes on without"
  [ "$(grep -c "no checkpoint" err)" = 1 ] || fail "it says so again and again"
  same_file whole model
  [ -z "$(ls kept)" ] || fail "left behind: $(ls kept)"
}

it_measures_what_is_held_out() {
  small_log log
  quick_model log model --hold-out 0.2
  says "validation: recall@10"
  run 0 inspect model
  prints "val_recall_at_10"
  prints "held_out"
  quick_model log same --hold-out 0.2
  same_file model same
  run 2 learn log -o model --hold-out 0.2 --val log
  says "choose one of both"
  run 2 learn log -o model --hold-out 0.6
  printf '1 2\n1 3\n2 2\n2 3\n' >tiny
  run 1 learn tiny -o model --hold-out 0.5
  says "held out is none"
}

# What is held out chooses; then there is no more need to do without it.
it_trains_the_budgets_choice_on_the_whole_log() {
  small_log log
  run 0 learn log -o model --dim 16 --teacher-epochs 3 --epochs 3 --threads 2 --hold-out 0.2 --budget 40%
  says "which needs a history with each request"
  grep -q "validation:" err && fail "it measures on what it was trained on"
  run 0 inspect model
  prints "log_interactions"
  prints "4000"
  run 1 learn log -o model --budget 10%
  says "a budget is spent by held-out interactions: give some, or hold out a share"
}

run_tests
