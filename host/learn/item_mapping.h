/* Mapping items to rows. A method is one function that fills a mapping, and one entry in the table of
 * item_mapping.c. */
#ifndef LEARN_ITEM_MAPPING_H
#define LEARN_ITEM_MAPPING_H

#include "base/parallel.h"
#include "learn/corpus.h"
#include "learn/method.h"

struct mapping_problem {
    const struct corpus *corpus;
    uint32_t n_rows; /* 1 .. corpus->n_items */
    uint32_t dim;
    const float
        *teacher; /* (n_items, dim) the items' learned directions, of length 1; NULL for methods without */
    uint64_t seed;
    struct parallel *team;
};

struct mapping {
    uint32_t n_rows;
    uint32_t *row_of_item; /* (n_items), owned */
    float *rows;           /* (n_rows, dim) for training to start from, owned; NULL: at random */
};

enum teacher_use { TEACHER_NONE, TEACHER_NEEDED };

struct mapping_method {
    const char *name;
    enum teacher_use teacher;
    /* Fills row_of_item, and rows where they are not NULL; all allocated by the caller. */
    enum collide_status (*fill)(const struct mapping_problem *problem, struct mapping *mapping,
                                struct collide_error *err);
};

const struct mapping_method *mapping_method(enum learn_method method);

/* rows are allocated for methods with a teacher. Returns owned. */
enum collide_status mapping_create(enum learn_method method, const struct mapping_problem *problem,
                                   struct mapping *out, struct collide_error *err);
void mapping_free(struct mapping *m);

/* The methods. */
enum collide_status map_lhf(const struct mapping_problem *problem, struct mapping *mapping,
                            struct collide_error *err);
enum collide_status map_modulo(const struct mapping_problem *problem, struct mapping *mapping,
                               struct collide_error *err);
enum collide_status map_frequency(const struct mapping_problem *problem, struct mapping *mapping,
                                  struct collide_error *err);
enum collide_status map_full(const struct mapping_problem *problem, struct mapping *mapping,
                             struct collide_error *err);

#endif
