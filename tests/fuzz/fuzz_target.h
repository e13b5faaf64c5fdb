/* What every fuzz target defines, by libFuzzer's convention. */
#ifndef TESTS_FUZZ_TARGET_H
#define TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Takes any bytes; returns 0. A wrong result aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Like assert, but in every build. */
#define FUZZ_REQUIRE(condition) ((condition) ? (void)0 : abort())

#endif
