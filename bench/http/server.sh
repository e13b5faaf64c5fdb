# shellcheck shell=bash
# What the scripts here share, sourced by them: a server on a free port, a folder for its files in $work, and the end
# of both with the script's.
work=$(mktemp -d)
server='' url=''

cleanup() {
  [ -z "$server" ] || kill -TERM "$server" 2>/dev/null || true
  wait || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# The script's first lines, as what it is to be called like.
usage() {
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

# start COMMAND...: `collide serve` with its options, and what goes before it; sets server and url once it is ready.
start() {
  "$@" --listen 127.0.0.1:0 2>"$work/log" >/dev/null &
  server=$!
  for _ in $(seq 1200); do
    grep -q '^ready on' "$work/log" && break
    kill -0 $server 2>/dev/null || break
    sleep 0.1
  done
  url=$(sed -n 's/^ready on \([^ ]*\) .*/\1/p' "$work/log")
  [ -n "$url" ] || fail "the server did not start: $(cat "$work/log")"
}

# memory NAME: the server's, in kB, such as VmRSS.
memory() { awk -v name="$1:" '$1 == name { print $2 }' "/proc/$server/status"; }
