/* Mapping the ids of a space to rows. A method is one function that fills an id_mapping, in a file of its
 * own, and one entry in the table of id_mapping.c.
 *
 *     part p of emb(i) = combine over its n_lookups / n_parts lookups l of  w[i][l] * rows[ rows_of[i][l] ]
 *     emb(i)           = its n_parts parts one after the other
 *
 * The lookups of part 0 come first, then those of part 1, and so on. w are the lookup weights, 1 without. */
#ifndef LEARN_ID_MAPPING_H
#define LEARN_ID_MAPPING_H

#include "base/parallel.h"
#include "data/csr.h"
#include "learn/map/method.h"
#include "model/model.h"

#include <stdbool.h>

enum mapping_side { MAPPING_ITEMS, MAPPING_USERS };

/* The ids of one space, numbered 0, 1, 2... All borrowed. */
struct mapping_problem {
    uint32_t n_ids;
    uint32_t n_space_ids; /* ids that the model will have, those that are not mapped too; for methods that
                             divide ids */
    /* (n_ids) increasing: what hash functions see. For kernels to compute the same, their numbers among the
     * entries of all spaces, see model/mapping.h; of items these are their dense ids. */
    const uint32_t *dense_ids;
    const uint32_t *counts;     /* (n_ids) of interactions */
    const struct csr *partners; /* (n_ids) rows: the ids of the other space that each interacts with; only for
                                   methods that need them */
    uint32_t n_partners;        /* ids of the other space */
    enum mapping_side side;     /* which of the two this space is */
    bool ids_may_move;          /* in training, see n_open_rows below */
    uint32_t n_rows;            /* rows of dim values to spend, 1 .. n_ids; of narrower rows there are more */
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
    uint32_t n_book_rows; /* codebooks: lookup l has rows l * n_book_rows and on; 0: lookups share all rows */
    uint32_t n_parts;     /* divides n_lookups and dim */
    enum combine combine; /* of a part's lookups: sum or multiply */
    uint32_t width;       /* values of a row: dim / n_parts */
    /* MAPPING_STORED, or a kind whose rows_of the kernels can compute from dense ids, with its seed or its
     * divisor: see model/mapping.h, where the unknown ids' row comes after these n_rows. */
    enum mapping_kind kind;
    uint64_t seed;
    uint32_t divisor;
    uint32_t *rows_of;     /* (n_ids, n_lookups) each below n_rows, owned */
    float *lookup_weights; /* (n_ids, n_lookups) for training to start from, owned; NULL: 1, and not trained.
                              Only with sums */
    float *rows;           /* (n_rows, width) for training to start from, owned; NULL: at random */
    uint32_t n_open_rows;  /* the last so many: training moves items among them, see train/reassign.h; of one
                              lookup, without lookup weights */
};

enum teacher_use { TEACHER_NONE, TEACHER_NEEDED };
enum partners_use { PARTNERS_NONE, PARTNERS_NEEDED };
enum lookups_use { LOOKUPS_BY_SETTINGS, LOOKUPS_FIXED };
enum weights_use { WEIGHTS_NONE, WEIGHTS_TRAINED };
enum row_sharing { ROWS_SHARED, ROWS_IN_BOOKS }; /* between the lookups of an id */

struct mapping_method {
    const char *name;
    enum teacher_use teacher;
    enum partners_use partners;
    enum lookups_use lookups;
    enum weights_use weights; /* of lookups */
    enum row_sharing sharing;
    enum combine combine;
    enum mapping_kind kind; /* by which kernels can compute it; MAPPING_STORED: by none */
    uint32_t n_lookups;     /* unless the settings say otherwise */
    uint32_t part_lookups;  /* lookups of a part; 0: there is one part, of all of them */
    /* Changes n_lookups and n_parts where what they would be by the above and the settings is not it; NULL:
     * it is. The width and the number of rows follow. */
    enum collide_status (*shape)(const struct mapping_problem *problem, struct id_mapping *mapping,
                                 struct collide_error *err);
    /* Fills rows_of, and rows and lookup_weights where they are not NULL, all allocated by the caller; may
     * lower n_rows. */
    enum collide_status (*fill)(const struct mapping_problem *problem, struct id_mapping *mapping,
                                struct collide_error *err);
};

const struct mapping_method *mapping_method(enum learn_method method);

/* What a mapping will be like, all but its arrays; a method may still need fewer rows. */
enum collide_status id_mapping_shape(enum learn_method method, const struct mapping_problem *problem,
                                     struct id_mapping *out, struct collide_error *err);

/* At most problem->n_rows * dim values in all rows. rows are there for methods with a teacher. Returns owned.
 * COLLIDE_INVALID: what the method cannot do with this dim, number of rows or settings. */
enum collide_status id_mapping_create(enum learn_method method, const struct mapping_problem *problem,
                                      struct id_mapping *out, struct collide_error *err);
void id_mapping_free(struct id_mapping *m);

/* emb(id) of rows (n_rows, width) and lookup weights (n_ids, n_lookups), NULL: 1; out: (n_parts * width). */
void id_mapping_embed(const struct id_mapping *m, const float *rows, const float *lookup_weights, uint32_t id,
                      float *out);

/* The methods. */
enum collide_status map_lhf(const struct mapping_problem *problem, struct id_mapping *mapping,
                            struct collide_error *err);
enum collide_status map_rq(const struct mapping_problem *problem, struct id_mapping *mapping,
                           struct collide_error *err);
enum collide_status map_pq(const struct mapping_problem *problem, struct id_mapping *mapping,
                           struct collide_error *err);
enum collide_status map_modulo(const struct mapping_problem *problem, struct id_mapping *mapping,
                               struct collide_error *err);
enum collide_status map_frequency(const struct mapping_problem *problem, struct id_mapping *mapping,
                                  struct collide_error *err);
enum collide_status map_full(const struct mapping_problem *problem, struct id_mapping *mapping,
                             struct collide_error *err);
enum collide_status map_hash(const struct mapping_problem *problem, struct id_mapping *mapping,
                             struct collide_error *err);
enum collide_status map_hashemb(const struct mapping_problem *problem, struct id_mapping *mapping,
                                struct collide_error *err);
enum collide_status map_hybrid(const struct mapping_problem *problem, struct id_mapping *mapping,
                               struct collide_error *err);
enum collide_status map_qr(const struct mapping_problem *problem, struct id_mapping *mapping,
                           struct collide_error *err);
enum collide_status map_lsh(const struct mapping_problem *problem, struct id_mapping *mapping,
                            struct collide_error *err);
enum collide_status shape_robe(const struct mapping_problem *problem, struct id_mapping *mapping,
                               struct collide_error *err);
enum collide_status map_robe(const struct mapping_problem *problem, struct id_mapping *mapping,
                             struct collide_error *err);
enum collide_status map_ce(const struct mapping_problem *problem, struct id_mapping *mapping,
                           struct collide_error *err);
enum collide_status map_cce(const struct mapping_problem *problem, struct id_mapping *mapping,
                            struct collide_error *err);
enum collide_status map_graphhash(const struct mapping_problem *problem, struct id_mapping *mapping,
                                  struct collide_error *err);
enum collide_status map_leiden(const struct mapping_problem *problem, struct id_mapping *mapping,
                               struct collide_error *err);
enum collide_status shape_baco(const struct mapping_problem *problem, struct id_mapping *mapping,
                               struct collide_error *err);
enum collide_status map_baco(const struct mapping_problem *problem, struct id_mapping *mapping,
                             struct collide_error *err);

#endif
