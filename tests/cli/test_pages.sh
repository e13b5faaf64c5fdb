#!/usr/bin/env bash
# Manual pages and completion, as the build has made them.
# Usage: test_pages.sh COLLIDE COLLIDE_BENCH PAGES
. "$(dirname "$0")/lib.sh"
BENCH=$(realpath "$2")
PAGES=$(realpath "$3")
SCRIPTS=$(realpath "$(dirname "$0")/../../scripts")
MAN=$PAGES/collide_program/man

# Options, one a line, of help as text or as a manual page.
options_of() {
  sed -n '/:$\|^.SH OPTIONS/,$p' "$1" | sed 's/\\f[BIR]//g; s/\\-/-/g' | grep -oE -- '^ {0,6}(-., )?--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+' | sort
}

it_has_a_page_for_each_command() {
  local page command
  "$PROGRAM" --help=pages >pages
  [ "$(wc -l <pages)" = "$(find "$MAN" -name '*.1.gz' | wc -l)" ] || fail "$(ls "$MAN")"
  while read -r page command; do
    gunzip -c "$MAN/$page.1.gz" >page
    [ "$(grep -cE '^.SH (NAME|SYNOPSIS|"EXIT STATUS"|"SEE ALSO")$' page)" = 4 ] || fail "$page lacks a section"
    # shellcheck disable=SC2086 # the command may be several words
    run 0 $command --help
    grep -q '^Usage: ' out || continue # it is made of commands
    diff <(options_of out) <(options_of page) >differences || fail "$page: $(cat differences)"
  done <pages
}

it_has_parts_by_hand_of_pages_there_are_alone() {
  for part in "$SCRIPTS"/../docs/man/*.man; do
    [ -e "$MAN/$(basename "$part" .man).1.gz" ] || [ -e "$PAGES/collide-bench/man/$(basename "$part" .man).1.gz" ] ||
      fail "$part belongs to no page"
  done
}

it_prints_without_warnings() {
  gunzip -c "$PAGES"/*/man/*.gz | LC_ALL=C.UTF-8 groff -ww -mandoc -Tutf8 -P -cbou >text 2>warnings
  [ ! -s warnings ] || fail "$(cat warnings)"
  [ "$(grep -c SYNOPSIS text)" = "$(find "$PAGES" -name '*.1.gz' | wc -l)" ] || fail "$(grep -n SYNOPSIS text)"
}

it_is_the_same_twice() {
  "$SCRIPTS/make_pages.sh" "$PROGRAM" again
  diff -r -x stamp "$PAGES/collide_program" again || fail "the pages differ"
}

# complete FUNCTION WORD...: what the last word may become, in one line.
complete_words() {
  local function=$1
  shift
  # shellcheck disable=SC2034 # what bash gives a completion
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  $function
  echo "${COMPREPLY[*]}"
}

completes() {
  local wanted=$1
  shift
  local got
  got=$(complete_words "$@")
  [ "$got" = "$wanted" ] || fail "$*: completed to \"$got\", not \"$wanted\""
}

it_completes_commands_options_and_values() {
  . "$PAGES/collide_program/completions/collide"
  . "$PAGES/collide-bench/completions/collide-bench"
  completes "serve" _collide collide serv
  completes "serve" _collide collide help serv
  completes "build" _collide collide kernels b
  completes "--max-body --max-batch --max-bank" _collide collide serve --max-b
  completes "adaptive spin sleep" _collide collide serve m --poll ""
  completes "spin" _collide collide serve m --poll = spi
  completes "adaptive spin sleep" _collide collide serve m --poll =
  completes "" _collide collide serve m --threads ""
  completes "" _collide collide serve m --config ""
  completes "" _collide collide serve ""
  completes "pairs" _collide collide learn --layout p
  completes "http" _collide_bench collide-bench sweep ht
  completes "open" _collide_bench collide-bench sweep http --mode o
}

run_tests
