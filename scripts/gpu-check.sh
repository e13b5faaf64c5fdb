#!/usr/bin/env bash
# Builds collide, runs its tests and times its kernels on a machine with an NVIDIA GPU, a C compiler and CMake, and nothing
# else: no package is downloaded there.
#
#   scripts/gpu-check.sh pack DIR   on a Debian 12 with the packages of scripts/packages.txt: puts their headers and
#                                   libraries into DIR
#   scripts/gpu-check.sh run DIR    on the GPU's machine, in a copy of the tree, DIR beside it or in it
set -euo pipefail
cd "$(dirname "$0")/.."

# What every machine with a compiler has, and what must not be mixed with its own.
own='^(libc6|libc6-dev|libgcc-s1|gcc-.*|libstdc\+\+6|libcrypt.*|linux-libc-dev|libc-dev-bin|rpcsvc-proto|debconf.*|dpkg)$'

# The packages that are linked or included, and all that they depend on.
list_packages() {
  local -A seen=()
  local queue=(pkgconf-bin pkgconf) package
  mapfile -t -O 2 queue < <(grep -E -- '-dev$|^opencl-headers$' scripts/packages.txt | grep -v clang)
  while [ ${#queue[@]} -gt 0 ]; do
    package=${queue[0]} queue=("${queue[@]:1}")
    [ -z "${seen[$package]:-}" ] && [[ ! $package =~ $own ]] || continue
    seen[$package]=1
    dpkg-query -W "$package" >/dev/null 2>&1 || continue
    echo "$package"
    mapfile -t -O ${#queue[@]} queue < <(dpkg-query -W -f '${Depends}\n' "$package" | tr ',' '\n' |
      sed -E 's/^ *([^ :(|]+).*/\1/' | grep .)
  done
}

pack() {
  mkdir -p "$1"
  list_packages | while read -r package; do
    dpkg -L "$package" | { grep -E '^/(usr/)?(include|lib|bin/pkg)' | grep -v '\.a$' || true; } | while read -r file; do
      { [ -d "$file" ] && [ ! -L "$file" ]; } || cp -P --parents "$file" "$1"
    done
  done
  # What several packages offer is a link into a folder of links, which is not packed; here it leads to the file.
  local libraries=usr/lib/$(uname -m)-linux-gnu file found
  for file in libblas.so.3 liblapack.so.3 libopenblas.so.0 libopenblas.so pkgconfig/openblas.pc; do
    found=$(readlink -f "/$libraries/$file" || true)
    [ ! -f "$1$found" ] || ln -sfr "$1$found" "$1/$libraries/$file"
  done
  echo "$(list_packages | wc -l) packages, $(du -sh "$1" | cut -f 1) in $1"
}

# The tests that use a device.
device_tests='engine|ring|memory|platform|program|program_load|table_plan|kernels|kernels_as_c|equality|batching|batcher'
device_tests+='|topk_heap|topk_items|scorer_lifetimes|several_devices|tables|hostile_mapping|kernel_descriptors|kernel_bench'

# The GPU's driver, which may be installed without being announced.
announce_driver() {
  export OCL_ICD_VENDORS=$1/vendors
  mkdir -p "$OCL_ICD_VENDORS"
  for driver in $(ldconfig -p | grep -o '/.*libnvidia-opencl.so.1$') /usr/local/nvidia/lib64/libnvidia-opencl.so.1; do
    [ ! -e "$driver" ] || { echo "$driver" >"$OCL_ICD_VENDORS/gpu.icd"; return; }
  done
  cp /etc/OpenCL/vendors/*.icd "$OCL_ICD_VENDORS/" 2>/dev/null || { echo "no OpenCL driver found" >&2; exit 1; }
}

run() {
  local root libraries failed= device=${GPU_CHECK_DEVICE:-gpu} build=build/gpu
  root=$(realpath "$1")
  libraries=$root/usr/lib/$(uname -m)-linux-gnu
  announce_driver "$root"
  export LD_LIBRARY_PATH=$libraries:$libraries/openblas-pthread:${LD_LIBRARY_PATH:-}
  export PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$libraries/pkgconfig:$root/usr/share/pkgconfig
  export PKG_CONFIG=$root/usr/bin/pkgconf CPATH=$root/usr/include LIBRARY_PATH=$libraries
  cmake -S . -B $build -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$root/usr" -DPKG_CONFIG_EXECUTABLE="$PKG_CONFIG" \
    -DOpenCL_INCLUDE_DIR="$root/usr/include" -DOpenCL_LIBRARY="$libraries/libOpenCL.so" >/dev/null
  cmake --build $build --parallel | tail -n 1
  $build/collide devices
  ctest --test-dir $build --output-on-failure -R "^($device_tests)$" || failed=1
  ! command -v nvidia-smi >/dev/null || nvidia-smi --query-gpu=name,memory.total,clocks.max.memory --format=csv
  for precision in f32 f16 i8 i8-line i4 i3 i2; do
    $build/bench/collide-bench kernel --device "$device" --precision $precision --bags 262144
  done
  $build/bench/collide-bench launch --device "$device"
  $build/bench/collide-bench topk --device "$device" --queries 64
  $build/bench/collide-bench tune --device "$device"
  $build/bench/collide-bench kernel --device "$device" --compare --repeats 3
  [ -z "$failed" ] || { echo "tests failed, see above" >&2; exit 1; }
}

case ${1:-} in
  pack | run) [ $# = 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }; "$1" "$2" ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
