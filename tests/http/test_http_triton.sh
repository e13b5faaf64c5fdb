#!/usr/bin/env bash
# A stock client of the Open Inference Protocol, NVIDIA's tritonclient, against serve. The second argument is where it
# is installed once and kept.
. "$(dirname "$0")/../cli/lib.sh"
needs_device
CLIENT=$(realpath "$(dirname "$0")/triton_client.py")
VENV=$2

# The same package for all builds, which may run side by side.
needs_client() {
  local log=$WORK/pip.log
  mkdir -p "$(dirname "$VENV")"
  exec 9>"$VENV.lock"
  flock 9
  if [ ! -e "$VENV/complete" ]; then
    if ! { python3 -m venv --clear "$VENV" && timeout 60 "$VENV/bin/pip" install --disable-pip-version-check --retries 0 \
      --timeout 5 'tritonclient[http]==2.73.0' && touch "$VENV/complete"; } >"$log" 2>&1; then
      echo "skipped: tritonclient cannot be installed: $(tail -n 1 "$log")"
      exit 77
    fi
  fi
  exec 9>&-
}

drive() {
  start
  "$VENV/bin/python" "$CLIENT" "127.0.0.1:$PORT" model "$1" >out 2>&1 || fail "$(cat out)"
  stop TERM
}

it_serves_a_model_of_integer_ids() {
  small_log synth
  quick_model synth model
  drive numbers
}

it_serves_a_model_of_string_ids() {
  small_log synth
  awk '{print "u" $1, "i" $2}' synth >texts
  quick_model texts model
  drive texts
}

needs_client
run_tests
