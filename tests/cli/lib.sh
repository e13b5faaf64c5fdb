# Black-box tests of a program. A test script is called with the program's path, sources this, defines functions
# named it_... and ends with run_tests, which runs each in a fresh folder.
set -u
PATIENCE_US=60000000 # of servers: on a busy machine a request may wait without any overload
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

# safetensors FILE HEADER: the tensors' bytes come from standard input.
safetensors() {
  local header=$2
  while [ $((${#header} % 8)) != 0 ]; do header+=" "; done
  {
    printf "\\x$(printf %02x $((${#header} % 256)))\\x$(printf %02x $((${#header} / 256)))\0\0\0\0\0\0%s" "$header"
    cat
  } >"$1"
}

# floats NUMBER...: as little-endian float32, numbers that it can hold.
floats() {
  printf '%b' "$(printf '%s\n' "$@" | awk '
    { x = $1 < 0 ? -$1 : $1; e = 127; bits = 0
      if ($1 == "inf") bits = 2139095040
      else if (x > 0) {
        while (x >= 2) { x /= 2; e++ }
        while (x < 1) { x *= 2; e-- }
        bits = e * 8388608 + (x - 1) * 8388608
      }
      if ($1 < 0) bits += 2147483648
      for (b = 0; b < 4; b++) { printf "\\x%02x", bits % 256; bits = int(bits / 256) } }')"
}

# npy FILE TYPE SHAPE: such as "<f4" "(3, 2)"; the values' bytes come from standard input.
npy() {
  local header="{'descr': '$2', 'fortran_order': ${ORDER:-False}, 'shape': $3, }"
  {
    printf "\\x93NUMPY\\x01\\0\\x$(printf %02x ${#header})\\0%s" "$header"
    cat
  } >"$1"
}

# Two lookups an id: ids 0, 1, 2 and the unknown one have rows (0, 2), (1, 3), (0, 2) and (0, 3) of
# (1, 2), (3, 4), (10, 20), (30, 40); so their embeddings are (11, 22), (33, 44), (11, 22), (31, 42).
two_lookups() {
  local entry
  {
    printf '\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40'
    printf '\0\0\x20\x41\0\0\xa0\x41\0\0\xf0\x41\0\0\x20\x42'
    for entry in 0 2 1 3 0 2 0 3; do printf "\\x0$entry\0\0\0"; done
  } | safetensors "$1" '{"__metadata__":{"collide.format":"1","collide.lookups":"2"},
"item.rows":{"dtype":"F32","shape":[4,2],"data_offsets":[0,32]},
"item.remap":{"dtype":"U32","shape":[4,2],"data_offsets":[32,64]}}'
}

# start [OPTION...]: serves ./model on a free port; sets SERVER and PORT.
start() {
  start_serving model "$@"
}

# start_serving [MODEL] [OPTION...]: likewise; with a folder to watch there may be nothing to serve yet.
start_serving() {
  : >log # not what an earlier server has said
  "$PROGRAM" serve --listen 127.0.0.1:0 --threads 2 --max-queue-us $PATIENCE_US "$@" >/dev/null 2>log &
  SERVER=$!
  for _ in $(seq 2400); do
    grep -q "^ready on\|^nothing to serve so far" log && break
    kill -0 $SERVER 2>/dev/null || fail "it ended: $(cat log)"
    sleep 0.05
  done
  PORT=$(sed -n 's/^\(ready\|listening\) on http:..127.0.0.1:\([0-9]*\)[, ].*/\2/p' log | head -n 1)
  grep -q "^ready on\|^nothing to serve so far" log || fail "not ready: $(cat log)"
}

# await PATTERN [TIMES]: until the server's log has it.
await() {
  for _ in $(seq 2400); do
    [ "$(grep -c -- "$1" log)" -ge "${2:-1}" ] && return
    kill -0 $SERVER 2>/dev/null || fail "it ended: $(cat log)"
    sleep 0.05
  done
  fail "no $1 in: $(cat log)"
}

# stop SIGNAL: it must exit with 0.
stop() {
  local code=0
  kill -s "$1" $SERVER
  wait $SERVER || code=$?
  [ $code = 0 ] || fail "exit code $code after SIG$1: $(cat log)"
}

# ask METHOD PATH BODY [FILE]: the response is in FILE, or in the file response.
ask() {
  exec 3<>"/dev/tcp/127.0.0.1/$PORT" || fail "cannot connect"
  printf '%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' \
    "$1" "$2" "${#3}" "$3" >&3
  cat <&3 | tr -d '\r' >"${4:-response}"
  exec 3>&-
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
