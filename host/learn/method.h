/* The ways to map ids to rows. */
#ifndef LEARN_METHOD_H
#define LEARN_METHOD_H

enum learn_method {
    LEARN_LHF, /* learned hash function: ids with similar learned vectors share a row (Ghaemmaghami 2022) */
    LEARN_MODULO,    /* the hashing trick: dense id mod rows (Weinberger 2009) */
    LEARN_FREQUENCY, /* half of the rows private to the most frequent ids, the others fold by modulo (Zhang
                        2020) */
    LEARN_FULL,      /* a row for every id */
    LEARN_N_METHODS
};

/* A static lower-case name such as "lhf". */
const char *learn_method_name(enum learn_method method);

#endif
