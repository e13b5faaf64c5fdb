# Black-box tests of a program. A test script is called with the program's path, sources this, defines functions
# named it_... and ends with run_tests, which runs each in a fresh folder.
set -u
PROGRAM=$(realpath "$1")
WORK=$(mktemp -d "${TMPDIR:-/tmp}/collide-cli-XXXXXX")
trap 'rm -rf "$WORK"' EXIT

fail() {
  echo "FAILED: $*" >&2
  [ -z "${SERVER:-}" ] || kill "$SERVER" 2>/dev/null
  exit 1
}

# run CODE ARGUMENT...: the program must exit with CODE. What it prints is in the files out and err.
run() {
  local wanted=$1 code=0
  shift
  "$PROGRAM" "$@" >out 2>err || code=$?
  [ "$code" = "$wanted" ] || fail "collide $* exits with $code, not $wanted: $(cat err)"
}

# What the last run wrote to standard error and to standard output.
says() {
  grep -qF -- "$1" err || fail "expected \"$1\" in: $(cat err)"
}
prints() {
  grep -qF -- "$1" out || fail "expected \"$1\" in: $(cat out)"
}

same_file() {
  cmp "$1" "$2" || fail "$1 and $2 differ"
}

# small_log FILE [OPTION...]
small_log() {
  local file=$1
  shift
  run 0 synth --users 200 --items 150 -n 4000 --clusters 10 -o "$file" "$@"
}

# quick_model LOG MODEL [OPTION...]
quick_model() {
  local log=$1 model=$2
  shift 2
  run 0 learn "$log" -o "$model" --rows 40 --dim 16 --teacher-epochs 3 --epochs 3 --threads 2 "$@"
}

needs_device() {
  local message
  message=$("$PROGRAM" devices 2>&1 >/dev/null) && return
  case $message in
  *"no OpenCL device found"*)
    echo "skipped: $message"
    exit 77
    ;;
  esac
  fail "collide devices: $message"
}

run_tests() {
  local name code n_skipped=0
  for name in $(compgen -A function it_); do
    code=0
    mkdir "$WORK/$name"
    (cd "$WORK/$name" && "$name") || code=$?
    case $code in
    0) echo "ok       $name" ;;
    77) echo "skipped  $name" && n_skipped=$((n_skipped + 1)) ;;
    *) echo "failed   $name" && exit 1 ;;
    esac
  done
  [ "$n_skipped" = 0 ] || exit 77
}
