# Tests that build kernels. What they build is kept in the build folder: by them, and by PoCL.
include_guard()

# collide_device_test(name SOURCES ... USES targets...)
function(collide_device_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;USES" ${ARGN})
  collide_test(${name} SOURCES ${TEST_SOURCES} ../support/devices.c ../support/scratch.c USES ${TEST_USES})
  target_compile_definitions(test_${name} PRIVATE TEST_CACHE_DIR="${CMAKE_BINARY_DIR}/tests/kernel_cache")
  # Without interception of TLS: in the dynamic TLS of drivers' threads LeakSanitizer's tracer now and then crashes
  # ("Tracer caught signal 11").
  set_tests_properties(
    ${name} PROPERTIES ENVIRONMENT
    "POCL_CACHE_DIR=${CMAKE_BINARY_DIR}/tests/pocl_cache;ASAN_OPTIONS=intercept_tls_get_addr=0;LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/leaks.txt")
endfunction()
