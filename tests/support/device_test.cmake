# Tests that build kernels. PoCL keeps what it builds in the build folder; a cache of ours beside that would have it
# build each kernel twice, once for a binary that is good for any number of work-items.
include_guard()

# collide_device_test(name SOURCES ... USES targets...)
function(collide_device_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;USES" ${ARGN})
  collide_test(${name} SOURCES ${TEST_SOURCES} ../support/devices.c ../support/one_context.c ../support/scratch.c
               USES ${TEST_USES})
  target_link_options(test_${name} PRIVATE LINKER:--wrap=clCreateContext)
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "${device_environment}")
endfunction()
