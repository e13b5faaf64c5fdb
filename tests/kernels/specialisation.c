#include "specialisation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    FORM,
    ROWS,
    COMBINE,
    MAP,
    POOL,
    WEIGHTED,
    BIASED,
    KEYED,
    PREFETCH,
    BANKS,
    SHARDED,
    GATHERED,
    NUMBERS,
    WIDTH,
    CLASSES
};

/* The index of the name that a word ends with. */
static int named(const char *word, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (strlen(word) >= strlen(names[i]) && !strcmp(word + strlen(word) - strlen(names[i]), names[i]))
            return i;
    fail_msg("what is %s?", word);
    return 0;
}

#define NAMED(word, ...)                                                                                     \
    named(word, (const char *const[]){__VA_ARGS__},                                                          \
          (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

struct specialisation specialisation_read(size_t i)
{
    struct specialisation s = {.kernels = kernels_as_c[i]};
    char(*c)[CHOICE_BYTES] = s.choices;
    assert_int_equal(sscanf(specialisation_lines[i],
                            "%15s%15s%15s%15s%15s%15s%15s%15s%15s%15s%15s%15s%15s%15s%15s", c[0], c[1], c[2],
                            c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13], c[14]),
                     N_CHOICES);
    s.form = !strncmp(c[FORM], "GROUP", 5) ? AS_C_GROUP : NAMED(c[FORM], "ITEM", "GROUP", "PIPELINE");
    s.precision = !strcmp(c[ROWS], "F32")      ? PRECISION_F32
                  : !strcmp(c[ROWS], "F16")    ? PRECISION_F16
                  : !strncmp(c[ROWS], "I8", 2) ? PRECISION_I8
                  : !strncmp(c[ROWS], "I4", 2) ? PRECISION_I4
                  : !strncmp(c[ROWS], "I3", 2) ? PRECISION_I3
                                               : PRECISION_I2;
    s.scaling =
        s.precision <= PRECISION_F16 ? SCALING_NONE : SCALING_ROW + NAMED(c[ROWS], "_ROW", "_OFFSET", "_DIM");
    s.combine = (enum combine)NAMED(c[COMBINE], "SUM", "MULTIPLY", "CONCAT");
    s.has_codebooks = !strcmp(c[MAP], "BOOKS");
    s.mapping = s.has_codebooks
                    ? MAPPING_PACKED
                    : (enum mapping_kind)NAMED(c[MAP], "STORED", "PACKED", "HASHED", "MODULO", "QUOTIENT");
    s.pooling = (enum pooling)NAMED(c[POOL], "SUM", "MEAN", "NORMALISED", "MAX");
    s.weighted = c[WEIGHTED][0] == '1';
    s.biased = c[BIASED][0] == '1';
    s.keyed = c[KEYED][0] == '1';
    s.sharded = c[SHARDED][0] == '1';
    s.numbers = c[NUMBERS][0] == '1';
    s.classed = c[CLASSES][0] == '1';
    return s;
}
