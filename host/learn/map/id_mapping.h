/* Mapping the ids of a space to rows. A method is one function that fills an id_mapping, in a file of its
 * own, and one entry in the table of id_mapping.c.
 *
 *     emb(i) = combine over l < n_lookups of  rows[ rows_of[i][l] ]
 */
#ifndef LEARN_ID_MAPPING_H
#define LEARN_ID_MAPPING_H

#include "base/parallel.h"
#include "data/csr.h"
#include "learn/map/method.h"
#include "model/model.h"

/* The ids of one space, numbered 0, 1, 2... All borrowed. */
struct mapping_problem {
    uint32_t n_ids;
    const uint32_t *dense_ids;  /* (n_ids) increasing: what hash functions see */
    const uint32_t *counts;     /* (n_ids) of interactions */
    const struct csr *partners; /* (n_ids) rows: the ids of the other space that each interacts with */
    uint32_t n_partners;        /* ids of the other space */
    uint32_t n_rows;            /* at most, 1 .. n_ids */
    uint32_t dim;
    const float *vectors; /* (n_ids, dim) learned, of length about 1; NULL for methods without a teacher */
    struct method_settings settings;
    uint64_t seed;
    struct parallel *team;
};

struct id_mapping {
    uint32_t n_ids;
    uint32_t n_rows;
    uint32_t n_lookups;
    enum combine combine;
    uint32_t width; /* values of a row: dim, or dim / n_lookups where lookups are concatenated */
    /* MAPPING_STORED, or a kind whose rows_of the kernels can compute from dense ids, with its seed. */
    enum mapping_kind kind;
    uint64_t seed;
    uint32_t *rows_of; /* (n_ids, n_lookups) each below n_rows, owned */
    float *rows;       /* (n_rows, width) for training to start from, owned; NULL: at random */
};

enum teacher_use { TEACHER_NONE, TEACHER_NEEDED };

struct mapping_method {
    const char *name;
    enum teacher_use teacher;
    enum combine combine;
    uint32_t n_lookups; /* unless the settings say otherwise */
    /* Fills rows_of, and rows where they are not NULL, all allocated by the caller; may lower n_rows. */
    enum collide_status (*fill)(const struct mapping_problem *problem, struct id_mapping *mapping,
                                struct collide_error *err);
};

const struct mapping_method *mapping_method(enum learn_method method);

/* rows are allocated for methods with a teacher. Returns owned. */
enum collide_status id_mapping_create(enum learn_method method, const struct mapping_problem *problem,
                                      struct id_mapping *out, struct collide_error *err);
void id_mapping_free(struct id_mapping *m);

/* The methods. */
enum collide_status map_lhf(const struct mapping_problem *problem, struct id_mapping *mapping,
                            struct collide_error *err);
enum collide_status map_modulo(const struct mapping_problem *problem, struct id_mapping *mapping,
                               struct collide_error *err);
enum collide_status map_frequency(const struct mapping_problem *problem, struct id_mapping *mapping,
                                  struct collide_error *err);
enum collide_status map_full(const struct mapping_problem *problem, struct id_mapping *mapping,
                             struct collide_error *err);

#endif
