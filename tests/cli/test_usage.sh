#!/usr/bin/env bash
# Help, and what is no usage.
. "$(dirname "$0")/lib.sh"

COMMANDS="learn eval compare pareto convert inspect score topk serve client devices kernels synth"
DOCS=$(realpath "$(dirname "$0")/../../docs")
DEVICE_FLAGS="device tables max-bank engine kernel-cache"

it_lists_every_command_in_its_help() {
  for form in --help -h help; do
    run 0 $form
    for command in $COMMANDS; do prints "  $command "; done
  done
  run 2
  says "usage: collide COMMAND"
}

it_prints_its_version() {
  run 0 --version
  grep -qE '^collide [0-9]+\.[0-9]+\.[0-9]+$' out || fail "$(cat out)"
}

it_helps_in_both_words() {
  for command in serve "kernels build"; do
    # shellcheck disable=SC2086
    run 0 help $command
    mv out of_help
    # shellcheck disable=SC2086
    run 0 $command --help
    same_file out of_help
  done
  run 2 help lern
  says 'there is no command "lern"; did you mean "learn"?'
}

it_says_what_exit_codes_mean() {
  local text
  run 0 --help
  grep '^Exit status:' out | tr ',' '\n' | sed 's/^Exit status:/ /; s/\.$//' | sed 's/^ *//' >codes
  [ "$(wc -l <codes)" = 4 ] || fail "$(cat codes)"
  while read -r code text; do
    grep -qF "| $code | $text" "$DOCS/CLI.md" || fail "docs/CLI.md does not say that $code is: $text"
  done <codes
}

it_mentions_every_flag_in_each_command_s_help() {
  declare -A flags=(
    [learn]="output method rows dim precision mapping histories val layout seed threads temperature teacher-epochs epochs
      from-embeddings user-embeddings frequencies bias pooling"
    [eval]="test mask history k by threads json $DEVICE_FLAGS shard kernels"
    [compare]="test mask val methods seeds rows budget dim precision mapping users user-method user-rows user-lookups threads
      json markdown temperature teacher-epochs epochs user-epochs patience $DEVICE_FLAGS shard kernels"
    [pareto]="test mask val budgets output dim users seed threads temperature teacher-epochs epochs user-epochs patience
      $DEVICE_FLAGS shard kernels"
    [convert]="output precision mapping merge"
    [inspect]="verify plan device tables max-bank channels shard"
    [score]="user history weights feature items $DEVICE_FLAGS shard kernels"
    [topk]="user history weights feature k exclude exclude-seen $DEVICE_FLAGS shard kernels"
    [serve]="listen threads max-body max-items max-history max-requests max-connections idle-timeout max-delay-us max-batch
      $DEVICE_FLAGS shard kernels"
    [devices]=""
    ["client score"]="server model model-version key ca timeout-ms json user history weights feature items"
    ["client topk"]="server model model-version key ca timeout-ms json user history weights feature k exclude exclude-seen"
    ["kernels build"]="output $DEVICE_FLAGS shard"
    ["kernels show"]=""
    [synth]="users items interactions clusters zipf taste seed output"
  )
  for command in "${!flags[@]}"; do
    # shellcheck disable=SC2086
    run 0 $command --help
    prints "Usage: collide $command"
    for flag in ${flags[$command]} config help; do
      grep -qE -- "--$flag( |$)" out || fail "collide $command --help is silent about --$flag"
    done
    [ "$(awk 'length > 100' out)" = "" ] || fail "collide $command --help is wider than 100 columns"
    # shellcheck disable=SC2086
    run 0 $command --nonsense -h
  done
}

it_lists_what_a_command_is_made_of() {
  run 0 kernels --help
  prints "usage: collide kernels COMMAND"
  prints "  build "
  prints "  show "
  run 2 kernels
  says "usage: collide kernels COMMAND"
  run 2 kernels biuld model
  says 'there is no command "biuld"; did you mean "build"?'
}

it_suggests_what_was_meant() {
  run 2 lern
  says 'there is no command "lern"; did you mean "learn"?'
  run 2 xyzzy
  says 'there is no command "xyzzy"; see `collide --help`'
  run 2 learn --row 5
  says "unknown option --row; did you mean --rows?"
  run 2 serve --lisen :80 m
  says "unknown option --lisen; did you mean --listen?"
  run 2 topk --exclude_seen m
  says "unknown option --exclude_seen; did you mean --exclude-seen?"
  says "usage: collide topk"
}

it_refuses_values_out_of_range() {
  run 2 learn log -o m --dim 0
  says "--dim: '0' is not a whole number from 1 to"
  run 2 learn log -o m --method magic
  says "--method: 'magic' is not one of lhf|modulo|frequency|full"
  run 2 serve m --threads -1
  says "--threads: '-1' is not a whole number from 1 to 1024"
  run 2 eval m --test t -k 10,x
  says "--k: 'x' is not a whole number"
  run 2 eval m --test t -k 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17
  says "--k takes at most 16 lengths"
  run 2 synth --taste 2
  says "--taste: '2' is not a number from 0 to 1"
  run 2 topk m -k 0
  says "--k: '0' is not a whole number"
}

it_refuses_too_few_and_too_many_arguments() {
  for command in learn eval inspect score topk "kernels build" "kernels show"; do
    # shellcheck disable=SC2086
    run 2 $command
    says "too few arguments"
  done
  run 2 serve
  says "give a MODEL"
  for command in devices synth; do
    run 2 $command extra
    says "unexpected argument 'extra'"
  done
  run 2 learn log
  says "-o MODEL is missing"
  run 2 eval model
  says "--test FILE is missing"
  run 2 kernels build model --kernel-cache ""
  says "-o FILE is missing, and there is no cache to fill"
  run 2 learn log -o
  says "--output needs a value"
}

it_takes_options_from_a_file() {
  printf '[synth]\nusers = 20\nitems = 10\n\ninteractions = 50\nseed = 4\n' >synth.ini
  run 0 synth --users 20 --items 10 -n 50 --seed 4 -o from_flags
  run 0 synth --config synth.ini -o from_file
  same_file from_flags from_file
  run 0 synth --config synth.ini --seed=5 -o other_seed
  cmp -s from_flags other_seed && fail "the file wins over the command line"
  printf 'users = 20\nitmes = 10\n' >wrong.ini
  run 2 synth --config wrong.ini -o from_file
  says "wrong.ini, line 2: unknown option --itmes; did you mean --items?"
  run 1 synth --config none.ini
  says "cannot open none.ini"
}

# That it is read as from the command line, test_config_file.c shows.
it_finds_each_option_in_a_file() {
  local page command name values
  "$PROGRAM" --help=pages >pages
  while read -r page command; do
    # shellcheck disable=SC2086 # the command may be several words
    "$PROGRAM" $command --help=words >words
    sed -n 2p words | grep -q case || continue # it is made of commands
    # shellcheck disable=SC2086
    run 0 $command --help
    ! grep -q "^Usage: collide $command [A-Z]" out || command="$command argument"
    : >texts.ini
    for name in $(sed -n 's/^ *\*) echo "\(.*\)" ;;$/\1/p' words); do
      name=${name#--}
      case $name in help | config) continue ;; esac
      values=$(sed -nE "s/^ *(-.\\|)?--$name\\) echo \"(.*)\" ;;\$/<\\2>/p" words)
      if [ "$values" = "<_files>" ]; then
        echo "$name = x" >>texts.ini
        continue
      fi
      [[ $command == serve* ]] || continue # the rest is the same code, and takes long
      echo "$name = ?" >x.ini
      # shellcheck disable=SC2086
      run 2 $command --config x.ini
      says "error: x.ini, line 1: --$name: '?' is n"
    done
    echo "nonsense = 1" >>texts.ini
    # shellcheck disable=SC2086
    run 2 $command --config texts.ini
    says "texts.ini, line $(wc -l <texts.ini): unknown option --nonsense"
  done <pages
}

it_fails_when_what_it_prints_cannot_be_written() {
  [ -c /dev/full ] || exit 77
  local code=0
  "$PROGRAM" --help >/dev/full 2>err || code=$?
  [ $code = 1 ] || fail "exit code $code"
  says "cannot write standard output"
  code=0
  "$PROGRAM" synth -n 1000 --users 100 --items 100 >/dev/full 2>err || code=$?
  [ $code = 1 ] || fail "exit code $code"
  says "standard output"
}

run_tests
