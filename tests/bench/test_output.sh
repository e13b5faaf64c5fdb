#!/usr/bin/env bash
# Output that cannot be written.
. "$(dirname "$0")/../cli/lib.sh"

refuses_full_output() {
  [ -c /dev/full ] || exit 77
  local code=0
  "$PROGRAM" "$@" >/dev/full 2>err || code=$?
  [ $code = 1 ] || fail "exit code $code"
  says "cannot write standard output"
}

it_fails_when_its_help_cannot_be_written() {
  refuses_full_output --help
}

it_fails_when_a_report_cannot_be_written() {
  local message
  message=$("$PROGRAM" kernel --ids 100 --bags 4 --repeats 1 2>&1 >/dev/null) || {
    case $message in *"no OpenCL device found"*) exit 77 ;; esac
    fail "$message"
  }
  refuses_full_output kernel --ids 100 --bags 4 --repeats 1 --json
}

run_tests
