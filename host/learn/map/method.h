/* The ways to map ids to rows, each named after its paper in map/id_mapping.c. */
#ifndef LEARN_METHOD_H
#define LEARN_METHOD_H

#include <stdint.h>

enum learn_method {
    LEARN_LHF, /* learned hash function: ids with similar learned vectors share a row (Ghaemmaghami 2022) */
    LEARN_MODULO,    /* the hashing trick: dense id mod rows (Weinberger 2009) */
    LEARN_FREQUENCY, /* half of the rows private to the most frequent ids, the others fold by modulo (Zhang
                        2020) */
    LEARN_FULL,      /* a row for every id */
    LEARN_N_METHODS
};

/* Lower-case names such as "lhf": (LEARN_N_METHODS) and a NULL at the end. */
extern const char *const learn_method_names[];
const char *learn_method_name(enum learn_method method);

/* What a learned mapping looks at. */
enum mapping_signals { SIGNALS_BOTH, SIGNALS_FREQUENCY, SIGNALS_EMBEDDING };

/* Choices that only some methods have; 0 is each one's own default. */
struct method_settings {
    uint32_t n_lookups;           /* rows an id */
    enum mapping_signals signals; /* lhf */
    float private_share;          /* of the rows, for the most frequent ids alone */
};

#endif
