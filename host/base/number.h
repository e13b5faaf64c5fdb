/* Numbers as text, for the hot path of responses. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

enum { NUMBER_MAX_CHARS = 24 };

/* Both write at most NUMBER_MAX_CHARS characters, no terminator, and return how many. */
size_t number_print_u64(char *out, uint64_t value);

/* A JSON number that reads back as the same float, with as few digits as that takes, 9 at most, and as near
 * to it as they allow; "null" for NaN and infinity. */
size_t number_print_f32(char *out, float value);

/* Several, with commas between them: at most n * (NUMBER_MAX_CHARS + 1) characters. Faster than one by one.
 */
size_t number_print_f32s(char *out, const float *values, size_t n);

#endif
