# Tests that build kernels. What they build is kept in the build folder: by them, and by PoCL.
include_guard()

# collide_device_test(name SOURCES ... USES targets...)
function(collide_device_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;USES" ${ARGN})
  collide_test(${name} SOURCES ${TEST_SOURCES} ../support/devices.c ../support/scratch.c USES ${TEST_USES})
  target_compile_definitions(test_${name} PRIVATE TEST_CACHE_DIR="${COLLIDE_TEST_CACHE}/kernels")
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "${device_environment}")
endfunction()
