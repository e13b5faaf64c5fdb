#!/usr/bin/env bash
# Installs into a folder of its own, builds the example against what was installed, shared and static, as C and as C++, and compares
# its scores with the installed program's. Nothing but the public API may be visible.
# Usage: test_install.sh BUILD_DIR SOURCE_DIR
set -euo pipefail
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }

cmake --install "$build" --prefix "$work/usr" >"$work/install.log"
libdir=$(dirname "$(find "$work/usr" -name collide.pc)")/..
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir
export PATH=$work/usr/bin:$PATH

collide synth --users 300 --items 200 -n 4000 --clusters 5 --seed 3 -o "$work/log.txt"
collide learn "$work/log.txt" -o "$work/model.safetensors" --rows 40 --dim 16 --teacher-epochs 1 --epochs 1 2>"$work/learn.log"

read -ra flags <<<"$(pkg-config --cflags --libs collide)"
read -ra static_flags <<<"$(pkg-config --static --cflags --libs collide)"
cc -std=c99 -Wall -Wextra -Werror -pedantic "$source/tests/install/example.c" "${flags[@]}" -o "$work/example"
cc "$source/tests/install/example.c" "${static_flags[@]/-lcollide/$libdir/libcollide.a}" -o "$work/example_static"
for header in "$work"/usr/include/collide/*.h; do
  echo "#include <collide/$(basename "$header")>" | c++ -x c++ -std=c++17 -Wall -Werror -fsyntax-only "${flags[@]}" - ||
    fail "$(basename "$header") is no C++"
done

expected=$(collide score "$work/model.safetensors" --user 7 --items 1,2,3 | jq -r '.scores[]')
for program in example example_static; do
  got=$("$work/$program" "$work/model.safetensors" 7 1 2 3 | awk '{print $2}')
  paste <(echo "$expected") <(echo "$got") |
    awk '{d = $1 - $2; if (d < -1e-6 || d > 1e-6 || NF != 2) exit 1}' || fail "$program gives $got, collide $expected"
done
"$work/example" /nonexistent 7 1 2>"$work/err" && fail "a missing model is accepted"
grep -q "/nonexistent" "$work/err" || fail "the error does not name the file"

hidden=$(nm -D --defined-only "$libdir/libcollide.so" | awk '{print $3}' | grep -v '^collide_' || true)
[ -z "$hidden" ] || fail "visible beside the public API: $hidden"
echo "installed, built against and run: $(collide --version)"
