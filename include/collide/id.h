/* An external id as the log or a client wrote it: an unsigned integer of up to 64 bits, or a string. */
#ifndef COLLIDE_ID_H
#define COLLIDE_ID_H

#include <stddef.h>
#include <stdint.h>

/* A model's users, like its items, are all integers or all strings. Either spelling is understood for both:
 * the string "17" names the integer 17 where ids are integers, and the integer 17 the string "17" where they
 * are strings. */
struct collide_id {
    const char *text; /* borrowed, not terminated; NULL: an integer */
    size_t n_bytes;   /* of text */
    uint64_t number;
};

static inline struct collide_id collide_id_number(uint64_t number)
{
    struct collide_id id = {NULL, 0, number};
    return id;
}

static inline struct collide_id collide_id_text(const char *text, size_t n_bytes)
{
    struct collide_id id = {text, n_bytes, 0};
    return id;
}

#endif
