#!/usr/bin/env bash
# Installs into a folder of its own, builds the client example against what was installed, shared and static, and asks a server of
# the test for scores. The client library needs nothing but the C library, and shows nothing but its own API.
# Usage: test_install_client.sh BUILD_DIR SOURCE_DIR WIRE_PEER
set -euo pipefail
build=$1 source=$2 peer=$3
work=$(mktemp -d)
peer_pid=
trap '[ -z "$peer_pid" ] || kill "$peer_pid" 2>/dev/null; rm -rf "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }

cmake --install "$build" --prefix "$work/usr" >"$work/install.log"
libdir=$(dirname "$(find "$work/usr" -name collide-client.pc)")/..
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir

read -ra flags <<<"$(pkg-config --cflags --libs collide-client)"
read -ra static_flags <<<"$(pkg-config --static --cflags --libs collide-client)"
cc -std=c99 -Wall -Wextra -Werror -pedantic "$source/tests/install/example_client.c" "${flags[@]}" -o "$work/example"
cc "$source/tests/install/example_client.c" "${static_flags[@]/-lcollide-client/$libdir/libcollide-client.a}" -o "$work/example_static"
echo '#include <collide/client.h>' | c++ -x c++ -std=c++17 -Wall -Werror -fsyntax-only "${flags[@]}" - || fail "client.h is no C++"

needed=$(readelf -d "$libdir/libcollide-client.so" "$work/example_static" | awk '/NEEDED/ {print $5}' | sort -u | tr -d '[]')
for library in $needed; do
  case $library in
    libc.so.* | libm.so.* | libpthread.so.* | ld-linux*) ;;
    *) fail "the client library needs $library" ;;
  esac
done
ldd "$work/example" | grep -q OpenCL && fail "the client is linked with OpenCL"
hidden=$(nm -D --defined-only "$libdir/libcollide-client.so" | awk '{print $3}' |
  grep -vE '^collide_(client_(create|destroy|submit|flush|receive|ask)|answer_name|status_name|version)$' || true)
[ -z "$hidden" ] || fail "visible beside the client's API: $hidden"

"$peer" >"$work/port" &
peer_pid=$!
for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.02; done
for program in example example_static; do
  got=$("$work/$program" "udp://127.0.0.1:$(cat "$work/port")" 42 7 8) || fail "$program fails"
  [ "$got" = "$(printf 'ok\n7 45.5\n8 46')" ] || fail "$program gives $got"
done
"$work/example" udp://nowhere 42 7 2>"$work/err" && fail "a wrong address is accepted"
[ -s "$work/err" ] || fail "a wrong address is not told of"
echo "the client library is installed, built against and run"
