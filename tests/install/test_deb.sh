#!/usr/bin/env bash
# Builds the Debian packages, looks at what they say and hold, and runs the program out of an unpacked one.
# Usage: test_deb.sh BUILD_DIR
set -euo pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }

for tool in cpack dpkg-deb dpkg-shlibdeps file; do
  command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
(cd "$work" && cpack -G DEB -B "$work" --config "$build/CPackConfig.cmake") >"$work/cpack.log" 2>&1 || fail "$(cat "$work/cpack.log")"
program=$(echo "$work"/collide_*.deb) dev=$(echo "$work"/libcollide-dev_*.deb)

# field PACKAGE NAME PATTERN
field() {
  local text
  text=$(dpkg-deb -f "$1" "$2")
  [[ $text =~ $3 ]] || fail "$(basename "$1"): $2 is \"$text\""
}
version=$("$build/collide" --version | cut -d ' ' -f 2)
for package in "$program" "$dev"; do
  field "$package" Version "^$version$"
  field "$package" Maintainer '^[^<]+ <[^ ]+@[^ ]+>$'
  field "$package" Installed-Size '^[0-9]+$'
  field "$package" Section '^[a-z]+$'
  field "$package" Description $'^learned-hash .*\n [A-Z]'
done
field "$program" Depends 'libmicrohttpd12'
field "$program" Depends 'ocl-icd-libopencl1'
field "$program" Depends 'libc6 \(>= 2'
field "$program" Recommends 'pocl-opencl-icd'
field "$dev" Depends "collide \(= $version\)"

dpkg-deb -x "$program" "$work/root"
dpkg-deb -x "$dev" "$work/dev"
for file in bin/collide bin/collide-bench share/man/man1/collide.1.gz share/man/man1/collide-serve.1.gz \
  lib/systemd/system/collide.service lib/systemd/system/collide.socket \
  share/bash-completion/completions/collide share/doc/collide/copyright share/doc/collide/docs/CLI.md; do
  [ -s "$work/root/usr/$file" ] || fail "there is no $file"
done
for file in include/collide/scorer.h lib/libcollide.a lib/pkgconfig/collide.pc; do
  [ -s "$work/dev/usr/$file" ] || fail "there is no $file"
done
[ -L "$work/dev/usr/lib/libcollide.so" ] && [ -e "$work/root/usr/lib/$(readlink "$work/dev/usr/lib/libcollide.so")" ] ||
  fail "libcollide.so leads nowhere"
found=$(find "$work/root" -name '*.a' -o -name '*.h' -o -name stamp -o -name CMakeLists.txt -o -path '*/etc/*.ini')
[ -z "$found" ] || fail "not for the program's package: $found"
found=$(find "$work/root" "$work/dev" -perm /022 ! -type l)
[ -z "$found" ] || fail "others may write to $found"

[ "$("$work/root/usr/bin/collide" --version)" = "collide $version" ] || fail "it does not say its version"
"$work/root/usr/bin/collide" synth --users 10 --items 10 -n 20 -o "$work/log"
[ -s "$work/log" ] || fail "no log was made up"
echo "packaged, unpacked and run: $(basename "$program")"
